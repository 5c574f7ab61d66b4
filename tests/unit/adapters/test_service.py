"""The provider as execution sees it, over real sockets: what replies mean, what is uploaded, what becomes a clip."""

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest
from servers import Server, hang, said, serving

from runner.adapters.client import Client
from runner.adapters.media import Probe, Unreadable
from runner.adapters.service import Service
from runner.adapters.store import Store
from runner.adapters.uploads import Upload, Uploads
from runner.core.errors import NotFetched, NotUploaded
from runner.core.media import ClipFacts, Kind, MediaFacts
from runner.core.request import MediaPart, Request
from runner.providers.provider import Completed, Missed, NotTaken, Receipt, Unclear

KEY = "sk-evo-secret-0123456789"
CLIP = b"a whole clip"
PICTURE = b"a picture"
DIGEST = hashlib.sha256(PICTURE).hexdigest()
UPLOADED = said(json.dumps({"success": True, "data": {"file_url": "https://files.example/1"}}).encode())


class PlainProbe:
    """Takes every file for what its bytes are named."""

    def __init__(self, *, sha256: str = "") -> None:
        self._sha256 = sha256

    def clip(self, path: Path) -> ClipFacts:
        content = path.read_bytes()
        if content != CLIP:
            raise Unreadable("is no clip")
        return ClipFacts(
            sha256=self._sha256 or hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            width_px=2,
            height_px=2,
            duration_s=Fraction(5),
            fps=Fraction(24),
            frames=120,
            codec="h264",
        )

    def facts(self, path: Path) -> MediaFacts:
        content = path.read_bytes()
        return MediaFacts(
            kind=Kind.IMAGE, format="png", sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content)
        )


class Remembered:
    """What earlier runs uploaded, by digest."""

    def __init__(self, **known: Upload) -> None:
        self.known = {name.removeprefix("sha"): upload for name, upload in known.items()}

    def recall(self, sha256: str) -> Upload | None:
        return self.known.get(sha256)

    async def remember(self, sha256: str, upload: Upload) -> None:
        self.known[sha256] = upload


def ignored(name: str, percent: int) -> None:
    """Nobody looks on."""


NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@asynccontextmanager
async def service(
    server: Server, root: Path, probe: Any = None, *, emulated: bool = False, memory: Remembered | None = None
) -> AsyncIterator[Service]:
    options: dict[str, Any] = {
        "submit_timeout_s": 0.5,
        "poll_timeout_s": 0.5,
        "stall_timeout_s": 0.5,
        "transfer_timeout_s": 2,
    }
    client = Client(base_url=server.url, files_url=server.url, key=KEY, **options)
    async with client.opened() as opened:
        found = cast("Probe", probe or PlainProbe())
        store = Store(root / ".shotrunner")
        uploads = Uploads(opened, root=root, store=store, probe=found, memory=memory, now=lambda: NOW)
        yield Service(opened, uploads, store=store, probe=found, emulated=emulated)


def request(*media: MediaPart, label: str = "a") -> Request:
    return Request(
        take="a.1",
        label=label,
        path="/v1/videos/generations",
        key="0123456789" * 6 + "abcd",
        inputs={},
        service="evolink",
        model="m",
        body={"image_urls": [part.identity for part in media]},
        media=media,
        seed=1,
        seed_contract="absent",
        reserve=Decimal(5),
        unit="credit",
        seconds=5,
        width_px=2,
        height_px=2,
        sound=False,
    )


def local(path: str = "keeper.png", sha256: str = DIGEST) -> MediaPart:
    facts = MediaFacts(kind=Kind.IMAGE, format="png", sha256=sha256, size_bytes=len(PICTURE))
    return MediaPart(parameter="image_urls", index=0, kind=Kind.IMAGE, path=path, sha256=sha256, facts=facts)


async def submit(api: Service, asked: Request | None = None) -> object:
    asked = asked or request()
    return await api.submit(path=asked.path, body=b"{}", idempotency_key="f" * 40, request=asked)


async def test_a_lost_answer_is_unclear_and_a_connection_never_made_is_not_taken(tmp_path: Path) -> None:
    async with serving(said(b'{"id":"task-1"}'), None) as server, service(server, tmp_path) as api:
        assert await submit(api) == Receipt(task_id="task-1", eta_s=None, reserved=None)
        assert isinstance(await submit(api), Unclear)
    async with service(server, tmp_path) as api:  # nobody listens there any more
        assert isinstance(await submit(api), NotTaken)
        assert isinstance(await api.poll("task-1"), Missed)


async def test_control_headers_go_to_the_emulator_alone(tmp_path: Path) -> None:
    strange = request(label="käfer\r\nX-Evil: 1")
    async with serving(said(b'{"id":"task-1"}')) as server:
        async with service(server, tmp_path) as api:
            await submit(api, strange)
        async with service(server, tmp_path, emulated=True) as api:
            await submit(api, strange)
        paid, free = (heard.headers for heard in server.heard)
        assert not any(name.startswith("x-") for name in paid)
        assert free["x-emulate-label"] == "k%C3%A4fer%0D%0AX-Evil%3A%201"
        assert 1 <= int(free["x-emulate-seed"]) <= 2**31 - 1
        assert "x-evil" not in free


async def test_a_poll_asks_for_the_task(tmp_path: Path) -> None:
    answer = said(b'{"status": "completed", "results": ["http://x/1"]}')
    async with serving(answer) as server, service(server, tmp_path) as api:
        assert await api.poll("task-1:a") == Completed(links=("http://x/1",), charged=None)
        assert server.heard[0].path == "/v1/tasks/task-1%3Aa"


async def test_a_content_is_uploaded_once_however_many_takes_use_it(tmp_path: Path) -> None:
    (tmp_path / "keeper.png").write_bytes(PICTURE)
    async with serving(UPLOADED) as server, service(server, tmp_path) as api:
        found = await asyncio.gather(*(api.upload(request(local()), ignored) for _ in range(5)))
        assert found == [{f"sha256:{DIGEST}": "https://files.example/1"}] * 5
        assert len(server.heard) == 1
        assert PICTURE in server.heard[0].body


async def test_a_file_that_changed_since_the_plan_buys_nothing(tmp_path: Path) -> None:
    (tmp_path / "keeper.png").write_bytes(b"another picture")
    async with serving(UPLOADED) as server, service(server, tmp_path) as api:
        with pytest.raises(NotUploaded, match="has changed since it was planned"):
            await api.upload(request(local()), ignored)


@pytest.mark.parametrize("path", ["gone.png", "../outside.png", ".env", ".git/config", "folder"])
async def test_a_file_that_may_not_be_read_is_not_uploaded(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    for name in ("folder", ".git"):
        (root / name).mkdir(parents=True)
    for name in ("../outside.png", ".env", ".git/config"):
        (root / name).write_bytes(PICTURE)
    async with serving(UPLOADED) as server, service(server, root) as api:
        with pytest.raises(NotUploaded):
            await api.upload(request(local(path)), ignored)
        assert server.heard == []


@pytest.mark.parametrize(
    "answer", [said(status=401), said(b'{"success": false, "msg": "full"}'), said(b"junk"), None, hang]
)
async def test_an_upload_that_was_not_accepted_buys_nothing(tmp_path: Path, answer: Any) -> None:
    (tmp_path / "keeper.png").write_bytes(PICTURE)
    async with serving(answer) as server, service(server, tmp_path) as api:
        with pytest.raises(NotUploaded) as caught:
            await api.upload(request(local()), ignored)
        assert KEY not in caught.value.reason


async def test_an_upload_nobody_waits_for_any_more_ends_in_silence(tmp_path: Path) -> None:
    (tmp_path / "keeper.png").write_bytes(PICTURE)
    async with serving(None) as server, service(server, tmp_path) as api:
        waiting = asyncio.create_task(api.upload(request(local()), ignored))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.gather(*api.uploads._under_way.values(), return_exceptions=True)


async def test_how_much_of_a_file_has_left_is_told(tmp_path: Path) -> None:
    content = PICTURE * 300_000
    (tmp_path / "keeper.png").write_bytes(content)
    told: list[tuple[str, int]] = []
    async with serving(UPLOADED) as server, service(server, tmp_path) as api:
        part = local(sha256=hashlib.sha256(content).hexdigest())
        await api.upload(request(part), lambda name, percent: told.append((name, percent)))
    assert {name for name, _ in told} == {"keeper.png"}
    assert [percent for _, percent in told] == sorted(percent for _, percent in told)
    assert told[-1][1] == 100 and len(told) > 1


UNTIL = (NOW + timedelta(hours=72)).isoformat()
DATED = said(
    json.dumps({"success": True, "data": {"file_url": "https://files.example/1", "expires_at": UNTIL}}).encode()
)


async def test_what_is_uploaded_is_remembered_until_it_expires(tmp_path: Path) -> None:
    (tmp_path / "keeper.png").write_bytes(PICTURE)
    memory = Remembered()
    async with serving(DATED) as server, service(server, tmp_path, memory=memory) as api:
        await api.upload(request(local()), ignored)
    assert memory.known == {DIGEST: Upload(url="https://files.example/1", expires_at=NOW + timedelta(hours=72))}


@pytest.mark.parametrize(
    ("hours", "answer", "asked"),
    [
        (2.0, said(b"x", status=206), ["GET"]),  # it lies there
        (2.0, said(status=404), ["GET", "POST"]),  # it was deleted
        (2.0, hang, ["GET", "POST"]),  # nobody can say
        (0.9, DATED, ["POST"]),  # it would be gone before a submit is done with
    ],
)
async def test_a_remembered_upload_is_used_only_while_it_is_there_for_long_enough(
    tmp_path: Path, hours: float, answer: Any, asked: list[str]
) -> None:
    (tmp_path / "keeper.png").write_bytes(PICTURE)
    async with serving(answer, DATED) as server:
        known = Upload(url=f"{server.url}/kept.png", expires_at=NOW + timedelta(hours=hours))
        async with service(server, tmp_path, memory=Remembered(**{f"sha{DIGEST}": known})) as api:
            (url,) = (await api.upload(request(local()), ignored)).values()
        assert [heard.method for heard in server.heard] == asked
        assert "authorization" not in server.heard[0].headers or asked == ["POST"]
        assert url == (known.url if asked == ["GET"] else "https://files.example/1")


async def test_an_upload_that_runs_out_within_a_run_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "keeper.png").write_bytes(PICTURE)
    soon = json.dumps({"success": True, "data": {"file_url": "https://files.example/0", "expires_at": NOW.isoformat()}})
    async with serving(said(soon.encode()), DATED) as server, service(server, tmp_path) as api:
        await api.upload(request(local()), ignored)
        assert list((await api.upload(request(local()), ignored)).values()) == ["https://files.example/1"]
        assert list((await api.upload(request(local()), ignored)).values()) == ["https://files.example/1"]
        assert len(server.heard) == 2


def pinned(server: Server, sha256: str = DIGEST) -> MediaPart:
    return MediaPart(
        parameter="image_urls", index=0, kind=Kind.IMAGE, url=f"{server.url}/k.png?Signature=secret", sha256=sha256
    )


async def test_a_pinned_address_is_fetched_checked_and_sent_by_upload(tmp_path: Path) -> None:
    async with serving(said(PICTURE), UPLOADED) as server, service(server, tmp_path) as api:
        assert await api.upload(request(pinned(server)), ignored) == {f"sha256:{DIGEST}": "https://files.example/1"}
        assert "authorization" not in server.heard[0].headers
        assert PICTURE in server.heard[1].body
        assert list((tmp_path / ".shotrunner" / "parts").iterdir()) == []


@pytest.mark.parametrize("answer", [said(b"another"), said(status=403), None])
async def test_a_pinned_address_with_other_bytes_buys_nothing_and_keeps_its_signature(
    tmp_path: Path, answer: Any
) -> None:
    async with serving(answer, UPLOADED) as server, service(server, tmp_path) as api:
        with pytest.raises(NotUploaded) as caught:
            await api.upload(request(pinned(server)), ignored)
        assert "secret" not in caught.value.reason
        assert all(heard.method == "GET" for heard in server.heard)
        assert list((tmp_path / ".shotrunner" / "parts").iterdir()) == []


async def test_an_address_that_is_not_pinned_is_left_to_the_service(tmp_path: Path) -> None:
    part = MediaPart(parameter="image_urls", index=0, kind=Kind.IMAGE, url="https://example.org/a.png")
    async with serving(UPLOADED) as server, service(server, tmp_path) as api:
        assert await api.upload(request(part), ignored) == {}
        assert server.heard == []


async def test_a_result_becomes_a_clip_in_the_store(tmp_path: Path) -> None:
    async with serving(said(CLIP)) as server, service(server, tmp_path) as api:
        facts = await api.fetch(f"{server.url}/a.mp4", "k.1")
        store = Store(tmp_path / ".shotrunner")
        assert store.intact(facts.sha256)
        assert list((tmp_path / ".shotrunner" / "parts").iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "dead", "local_fault"),
    [
        *((said(status=status), True, False) for status in (401, 403, 404, 410)),
        *((said(status=status), False, False) for status in (206, 429, 500, 503)),
        (None, False, False),
        (said(b"<html>not a clip</html>"), False, False),
        (said(CLIP[:-1]), False, False),
    ],
)
async def test_what_is_no_whole_clip_is_not_kept(tmp_path: Path, answer: Any, dead: bool, local_fault: bool) -> None:
    async with serving(answer) as server, service(server, tmp_path) as api:
        with pytest.raises(NotFetched) as caught:
            await api.fetch(f"{server.url}/a.mp4?Signature=secret", "k.1")
        assert (caught.value.dead, caught.value.local) == (dead, local_fault)
        assert "secret" not in caught.value.reason
        assert not any(path.is_file() for path in (tmp_path / ".shotrunner").rglob("*"))


async def test_a_clip_whose_bytes_changed_on_the_disk_is_not_adopted(tmp_path: Path) -> None:
    async with serving(said(CLIP)) as server, service(server, tmp_path, PlainProbe(sha256="0" * 64)) as api:
        with pytest.raises(NotFetched, match="other bytes") as caught:
            await api.fetch(f"{server.url}/a.mp4", "k.1")
        assert caught.value.local


@pytest.mark.skipif(sys.platform != "linux", reason="no /dev/full")
async def test_a_full_disk_is_this_machines_fault(tmp_path: Path) -> None:
    parts = tmp_path / ".shotrunner" / "parts"
    parts.mkdir(parents=True)
    (parts / "k.1.part").symlink_to("/dev/full")
    async with serving(said(CLIP)) as server, service(server, tmp_path) as api:
        with pytest.raises(NotFetched, match="No space left") as caught:
            await api.fetch(f"{server.url}/a.mp4", "k.1")
        assert caught.value.local
        assert not caught.value.dead


async def test_a_state_folder_that_cannot_be_written_is_this_machines_fault(tmp_path: Path) -> None:
    (tmp_path / ".shotrunner").write_text("a file", encoding="utf-8")
    async with serving(said(CLIP)) as server, service(server, tmp_path) as api:
        with pytest.raises(NotFetched) as caught:
            await api.fetch(f"{server.url}/a.mp4", "k.1")
        assert caught.value.local
