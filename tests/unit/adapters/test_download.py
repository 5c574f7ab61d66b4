"""Downloads that broke off, over real sockets: gone on with where that is certain, begun again where it is not."""

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import Heard, Say, Server, serving

from runner.adapters import partial
from runner.adapters.client import Client, Fetched, FetchFailed
from runner.adapters.download import _undisturbed

CLIP = bytes(range(256)) * 12288  # 3 MiB
DIGEST = hashlib.sha256(CLIP).hexdigest()


@asynccontextmanager
async def client(server: Server, **options: Any) -> AsyncIterator[Client]:
    told = {"stall_timeout_s": 0.5, **options}
    async with Client(base_url=server.url, files_url=server.url, key="k", **told).opened() as opened:
        yield opened


def resource(content: bytes = CLIP, *, cuts: list[int], etag: str = '"v1"', **odd: Any) -> Say:
    """A server of one file that knows ranges. `cuts`: after how many bytes each transfer breaks off, whole when none is left."""

    async def say(heard: Heard, writer: asyncio.StreamWriter) -> None:
        wanted = heard.headers.get("range")
        first = 0
        if wanted and heard.headers.get("if-range") == etag and not odd.get("whole"):
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
        status = odd.get("status", 206) if first else 200
        head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(content) - first}\r\nConnection: close\r\n"
        head += f"ETag: {odd.get('told', etag) if first else etag}\r\n" if etag else ""
        if first:
            head += f"Content-Range: {odd.get('range', f'bytes {first}-{len(content) - 1}/{len(content)}')}\r\n"
        rest = content[first:]
        writer.write(head.encode() + b"\r\n" + (rest[: cuts.pop(0)] if cuts else rest))
        await writer.drain()

    return say


async def broken(api: Client, link: str, part: Path) -> None:
    with pytest.raises(FetchFailed):
        await api.fetch(link, part, resume=True)


def asked(server: Server) -> list[str]:
    return [heard.headers.get("range", "all") for heard in server.heard]


async def whole(api: Client, link: str, part: Path) -> Fetched:
    fetched = await api.fetch(link, part, resume=True)
    assert (fetched.size_bytes, fetched.sha256) == (len(CLIP), DIGEST)
    assert content(part) == CLIP
    assert not partial.kept(part)
    return fetched


def content(part: Path) -> bytes:
    return part.read_bytes()


async def test_what_broke_off_is_gone_on_with_as_often_as_it_breaks(tmp_path: Path) -> None:
    part = tmp_path / "k.1.part"
    async with serving(resource(cuts=[2_000_000, 500_000])) as server, client(server) as api:
        await broken(api, f"{server.url}/a", part)
        await broken(api, f"{server.url}/a", part)
        await whole(api, f"{server.url}/a", part)
        assert asked(server) == ["all", "bytes=2000000-", "bytes=2500000-"]


async def test_another_process_goes_on_too(tmp_path: Path) -> None:
    part = tmp_path / "k.1.part"
    async with serving(resource(cuts=[2_000_000])) as server:
        async with client(server) as api:
            await broken(api, f"{server.url}/a", part)
        async with client(server) as api:
            await whole(api, f"{server.url}/a", part)
        assert asked(server) == ["all", "bytes=2000000-"]


async def test_a_transfer_that_stalls_or_outlasts_its_time_is_gone_on_with(tmp_path: Path) -> None:
    part = tmp_path / "k.1.part"

    async def stall(_: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(f'HTTP/1.1 200 OK\r\nContent-Length: {len(CLIP)}\r\nETag: "v1"\r\n\r\n'.encode() + CLIP[:1000])
        await asyncio.Event().wait()

    for limits in ({"stall_timeout_s": 0.2}, {"transfer_timeout_s": 0.2}):
        async with serving(stall, resource(cuts=[])) as server, client(server, **limits) as api:
            await broken(api, f"{server.url}/a", part)
            await whole(api, f"{server.url}/a", part)
            assert asked(server) == ["all", "bytes=1000-"]


async def test_a_cancelled_transfer_leaves_what_came(tmp_path: Path) -> None:
    part = tmp_path / "k.1.part"
    sent = asyncio.Event()

    async def stall(_: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(
            f'HTTP/1.1 200 OK\r\nContent-Length: {len(CLIP)}\r\nETag: "v1"\r\n\r\n'.encode() + CLIP[:2_000_000]
        )
        await writer.drain()
        sent.set()
        await asyncio.Event().wait()

    async with serving(stall, resource(cuts=[])) as server, client(server) as api:
        fetching = asyncio.create_task(api.fetch(f"{server.url}/a", part, resume=True))
        await sent.wait()
        await asyncio.sleep(0.1)
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        assert partial.kept(part)
        await whole(api, f"{server.url}/a", part)
        assert asked(server)[1].startswith("bytes=")


async def test_nobody_closes_a_file_under_the_hands_of_a_thread() -> None:
    begun, ended = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        time.sleep(0.1)
        ended.set()

    working = asyncio.create_task(_undisturbed(work))
    await begun.wait()
    for _ in range(3):
        working.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await working
    assert ended.is_set()


@pytest.mark.parametrize(
    "changed",
    [
        {"whole": True},  # no ranges after all
        {"status": 416},
        {"told": '"v2"'},  # a range of other bytes
        {"range": "bytes 0-3145727/3145728"},
        {"range": "bytes 2000000-2999999/3145728"},
        {"range": "bytes 2000000-3145727/9999999"},
        {"range": "bytes */3145728"},
        {"range": "junk"},
    ],
    ids=str,
)
async def test_an_answer_that_is_not_the_rest_begins_again(tmp_path: Path, changed: dict[str, Any]) -> None:
    part = tmp_path / "k.1.part"
    async with serving(resource(cuts=[2_000_000], **changed)) as server, client(server) as api:
        await broken(api, f"{server.url}/a", part)
        await whole(api, f"{server.url}/a", part)
        assert asked(server)[-1] == ("bytes=2000000-" if "whole" in changed else "all")


async def test_other_bytes_under_the_same_link_begin_again(tmp_path: Path) -> None:
    part = tmp_path / "k.1.part"
    old = bytes(len(CLIP))
    async with (
        serving(resource(old, cuts=[2_000_000], etag='"old"'), resource(cuts=[])) as server,
        client(server) as api,
    ):
        await broken(api, f"{server.url}/a", part)
        await whole(api, f"{server.url}/a", part)


async def test_another_link_begins_again(tmp_path: Path) -> None:
    part = tmp_path / "k.1.part"
    async with serving(resource(cuts=[2_000_000])) as server, client(server) as api:
        await broken(api, f"{server.url}/a?Signature=secret", part)
        assert b"secret" not in (tmp_path / "k.1.part.json").read_bytes()
        await whole(api, f"{server.url}/a?Signature=other", part)
        assert asked(server) == ["all", "all"]


@pytest.mark.parametrize("etag", ["", 'W/"v1"', "v1", '""', '"a"b"'])
async def test_without_a_name_for_the_bytes_nothing_is_kept(tmp_path: Path, etag: str) -> None:
    part = tmp_path / "k.1.part"
    async with serving(resource(cuts=[2_000_000], etag=etag)) as server, client(server) as api:
        await broken(api, f"{server.url}/a", part)
        assert not partial.kept(part)
        await whole(api, f"{server.url}/a", part)
        assert asked(server) == ["all", "all"]


@pytest.mark.parametrize("damage", ["flipped", "shorter", "gone", "note"])
async def test_bytes_that_are_no_longer_what_was_noted_begin_again(tmp_path: Path, damage: str) -> None:
    part = tmp_path / "k.1.part"
    async with serving(resource(cuts=[2_000_000])) as server, client(server) as api:
        await broken(api, f"{server.url}/a", part)
        match damage:
            case "flipped":
                part.write_bytes(b"\xff" + part.read_bytes()[1:])
            case "shorter":
                part.write_bytes(part.read_bytes()[:-1])
            case "gone":
                part.unlink()
            case _:
                (tmp_path / "k.1.part.json").write_text("{", encoding="utf-8")
        await whole(api, f"{server.url}/a", part)
        assert asked(server) == ["all", "all"]


async def test_bytes_behind_the_noted_ones_are_dropped(tmp_path: Path) -> None:
    part = tmp_path / "k.1.part"
    async with serving(resource(cuts=[2_000_000])) as server, client(server) as api:
        await broken(api, f"{server.url}/a", part)
        with part.open("ab") as file:
            file.write(bytes(2 * len(CLIP)))
        await whole(api, f"{server.url}/a", part)


async def test_without_being_told_so_nothing_is_kept(tmp_path: Path) -> None:
    part = tmp_path / "k.1.part"
    async with serving(resource(cuts=[2_000_000])) as server, client(server) as api:
        with pytest.raises(FetchFailed):
            await api.fetch(f"{server.url}/a", part)
        assert not partial.kept(part)


@given(
    st.binary(max_size=200)
    | st.dictionaries(
        st.sampled_from(["link", "etag", "total_bytes", "size_bytes", "sha256"]),
        st.none() | st.integers() | st.text() | st.lists(st.integers()),
    ).map(lambda d: json.dumps(d).encode())
)
def test_any_note_is_understood_or_forgotten(tmp_path_factory: pytest.TempPathFactory, note: bytes) -> None:
    folder = tmp_path_factory.mktemp("parts")
    (folder / "a.part").write_bytes(b"x")
    (folder / "a.part.json").write_bytes(note)
    assert partial.found(folder / "a.part", "link") is None
