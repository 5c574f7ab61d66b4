"""Uploads: kept by content, bounded in size, number and time, under names that hurt nobody."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.accounts import Account
from runner.emulator.disk import Disk
from runner.emulator.holders import FILES, Holder
from runner.emulator.sniff import sniff
from runner.emulator.store import Store
from runner.emulator.switches import Switches
from runner.emulator.uploads import BadUpload, Upload, Uploads, safe_name

ACCOUNT = Account(1, Holder(keys=()))
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100


class Clock:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def uploads(tmp_path: Path, clock: Clock) -> Uploads:
    return Uploads(tmp_path, Store(), Disk(), Switches(), clock, max_bytes=3_000_000)


async def pieces(content: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def kept(uploads: Uploads, content: bytes = PNG, size: int = 7) -> Upload:
    draft = await uploads.take_in(ACCOUNT, pieces(content, size))
    return uploads.keep(ACCOUNT, draft, original="Keeper.PNG", name="", upload_path="cast/2026")


async def test_the_file_is_on_disk_as_it_came(uploads: Uploads) -> None:
    content = PNG + bytes(range(256)) * 10_000
    upload = await kept(uploads, content, 65_537)
    assert upload.path.read_bytes() == content
    assert (upload.size_bytes, upload.sha256) == (len(content), hashlib.sha256(content).hexdigest())


async def test_the_answer_has_every_field(uploads: Uploads) -> None:
    upload = await kept(uploads)
    url = f"http://h:1/files/{upload.id}/Keeper.png"
    assert upload.described("http://h:1") == {
        "file_id": upload.id,
        "file_name": "Keeper.png",
        "original_name": "Keeper.PNG",
        "file_size": len(PNG),
        "mime_type": "image/png",
        "upload_path": "cast/2026",
        "file_url": url,
        "download_url": url,
        "upload_time": "2026-11-18T11:06:40Z",
        "expires_at": "2026-11-21T11:06:40Z",
    }


@pytest.mark.parametrize(("content", "status"), [(PNG + b"x" * 3_000_000, 413), (b"#!/bin/sh\n", 415), (b"", 415)])
async def test_what_is_not_kept_leaves_nothing(uploads: Uploads, tmp_path: Path, content: bytes, status: int) -> None:
    with pytest.raises(BadUpload) as caught:
        await uploads.take_in(ACCOUNT, pieces(content, 100_000))
    assert caught.value.status == status
    assert names(tmp_path) == []


async def test_an_upload_that_breaks_off_leaves_nothing(uploads: Uploads, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PNG
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await uploads.take_in(ACCOUNT, broken())
    assert names(tmp_path) == []


async def test_a_file_that_finds_no_room_is_refused_while_it_comes_and_gives_back_what_it_took(
    tmp_path: Path, clock: Clock
) -> None:
    disk, came = Disk(2_500_000), 0
    uploads = Uploads(tmp_path, Store(), disk, Switches(), clock)

    async def endless() -> AsyncIterator[bytes]:
        nonlocal came
        yield PNG
        while True:
            came += 100_000
            yield bytes(100_000)

    with pytest.raises(BadUpload) as caught:
        await uploads.take_in(ACCOUNT, endless())
    assert (caught.value.status, disk.used, names(tmp_path)) == (503, 0, [])
    assert came < 5_000_000
    draft = await uploads.take_in(ACCOUNT, pieces(PNG))
    assert disk.used == len(PNG)
    uploads.discard(draft)
    assert (disk.used, names(tmp_path)) == (0, [])


async def test_files_go_after_their_time_and_free_the_quota(uploads: Uploads, clock: Clock, tmp_path: Path) -> None:
    upload = await kept(uploads)
    assert uploads.quota(ACCOUNT) == {"user_group": "default", "used_files": 1, "max_files": 100, "remain_files": 99}
    assert uploads.find(upload.id, upload.name) is upload
    clock.now += Switches().file_s - 1
    assert uploads.find(upload.id, upload.name) is upload
    clock.now += 1
    assert uploads.find(upload.id, upload.name) is None
    assert uploads.quota(ACCOUNT)["used_files"] == 0
    assert names(tmp_path) == []


async def test_a_full_quota_takes_no_more(uploads: Uploads) -> None:
    for _ in range(FILES["default"]):
        await kept(uploads)
    with pytest.raises(BadUpload) as caught:
        await kept(uploads)
    assert caught.value.status == 403


async def test_a_file_is_found_by_id_and_name_together(uploads: Uploads) -> None:
    upload = await kept(uploads)
    assert uploads.find(upload.id, "Other.png") is None
    assert uploads.find("file-x", upload.name) is None


@pytest.mark.parametrize("path", ["/abs", "../up", "a/../b", "a//b", "a b", "x" * 65])
async def test_an_upload_path_that_leads_elsewhere_is_refused(uploads: Uploads, path: str) -> None:
    draft = await uploads.take_in(ACCOUNT, pieces(PNG))
    with pytest.raises(BadUpload):
        uploads.keep(ACCOUNT, draft, original="a.png", name="", upload_path=path)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
        (b"\x00\x00\x00\x1cftypM4A ", "audio/mp4"),
    ],
)
def test_the_type_comes_from_the_bytes(head: bytes, kind: str) -> None:
    found = sniff(head)
    assert found is not None
    assert found[0] == kind


@pytest.mark.parametrize("head", [b"BM\x36\x00\x00\x00", b"<svg xmlns=", b"%PDF-1.7", b"RIFF\x00\x00\x00\x00AVI "])
def test_other_types_are_refused(head: bytes) -> None:
    assert sniff(head) is None


@given(st.text())
def test_any_name_becomes_one_safe_part_of_a_url(name: str) -> None:
    safe = safe_name(name, ".png")
    assert safe.endswith(".png")
    assert 5 <= len(safe) <= 84
    assert set(safe) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    assert not safe.startswith(".")
