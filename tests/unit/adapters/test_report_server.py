"""The report's server over real sockets: who comes in, what it gives, what it takes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from runner.adapters.report_server import BODY_BYTES, Page, Source, serving

CLIP = bytes(range(256)) * 40


def _refuse(told: object) -> tuple[int, Mapping[str, object]]:
    return 200, {"told": told}


@dataclass(slots=True, kw_only=True)
class Served:
    """An address that is served, and what is behind it."""

    url: str
    session: aiohttp.ClientSession
    written: list[object]
    lines: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    async def call(self, path: str = "", method: str = "GET", **options: Any) -> tuple[int, Mapping[str, str], bytes]:
        url = path if path.startswith("http") else self.url + path
        async with self.session.request(method, url, **options) as answer:
            return answer.status, answer.headers, await answer.read()

    async def raw(self, head: str) -> bytes:
        """What is answered to these very words."""
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(self.url).port)
        writer.write(head.replace("\n", "\r\n").encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer


@asynccontextmanager
async def served(
    folder: Path, write: Callable[[object], tuple[int, Mapping[str, object]]] = _refuse
) -> AsyncIterator[Served]:
    clip = folder / "out" / "sea@dawn.1.mp4"
    clip.parent.mkdir(exist_ok=True)
    clip.write_bytes(CLIP)
    (folder / "secret.txt").write_text("secret", encoding="utf-8")
    written: list[object] = []

    def noted(told: object) -> tuple[int, Mapping[str, object]]:
        written.append(told)
        return write(told)

    def page() -> Page:
        return Page(html="<p>hello", policy="default-src 'none'", files={"clips/sea@dawn.1.mp4": clip.resolve()})

    source = Source(page=page, stamp=lambda: "today", sheet=lambda: b"\x89PNG", write=noted)
    lines: list[str] = []
    async with serving(source, port=0, log=lines.append) as url, aiohttp.ClientSession() as session:
        yield Served(url=url, session=session, written=written, lines=lines)


async def test_the_printed_address_opens_the_page_and_the_files_it_names(tmp_path: Path) -> None:
    async with served(tmp_path) as here:
        assert urlsplit(here.url).hostname == "127.0.0.1" and len(urlsplit(here.url).path) > 24
        status, headers, content = await here.call()
        assert (status, content) == (200, b"<p>hello")
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        status, headers, content = await here.call("clips/sea%40dawn.1.mp4")
        assert (status, headers["Content-Type"], content) == (200, "video/mp4", CLIP)
        assert (await here.call("contact.png"))[2] == b"\x89PNG"
        assert json.loads((await here.call("now"))[2]) == {"now": "today"}


@pytest.mark.parametrize("path", ["", "clips/sea@dawn.1.mp4", "now", "none", "contact.png"])
async def test_every_answer_is_kept_by_nobody_framed_by_nobody_and_shared_with_nobody(
    tmp_path: Path, path: str
) -> None:
    async with served(tmp_path) as here:
        await here.call()
        for headers in ((await here.call(path))[1], (await here.call(f"{here.origin}/wrong/{path}"))[1]):
            assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert not [name for name in headers if name.lower().startswith("access-control")]


async def test_without_the_token_nothing_is_shown_and_nothing_written(tmp_path: Path) -> None:
    async with served(tmp_path) as here:
        await here.call()
        token = urlsplit(here.url).path.strip("/")
        for path in ("/", "/now", f"/{token[:-1]}/", f"/{token}x/", f"/{token.upper()}/now", f"/?token={token}", "//"):
            status, _, content = await here.call(here.origin + path)
            assert status == 403 and b"hello" not in content and token.encode() not in content, path
        assert (await here.call(f"{here.origin}/x/picks", "POST", json={}))[0] == 403
        assert here.written == []


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.test"}, {"Origin": "http://evil.test"}, {"Origin": "null"}, {"Host": "localhost"}]
)
async def test_a_page_from_elsewhere_is_turned_away_whatever_it_knows(tmp_path: Path, headers: dict[str, str]) -> None:
    async with served(tmp_path) as here:
        for path, method in (("", "GET"), ("picks", "POST"), ("clips/sea@dawn.1.mp4", "HEAD")):
            status, _, content = await here.call(path, method, headers=headers, json={} if method == "POST" else None)
            assert status == 403 and b"hello" not in content
        assert here.written == []


async def test_the_page_itself_writes_from_its_own_origin(tmp_path: Path) -> None:
    async with served(tmp_path) as here:
        status, _, content = await here.call("picks", "POST", json={"takes": []}, headers={"Origin": here.origin})
        assert (status, json.loads(content)) == (200, {"told": {"takes": []}}) and here.written == [{"takes": []}]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=100-", (100, len(CLIP))),
        ("bytes=-16", (len(CLIP) - 16, len(CLIP))),
        ("bytes=10200-99999", (10200, len(CLIP))),
    ],
)
async def test_a_clip_is_given_in_the_part_that_is_asked_for(tmp_path: Path, asked: str, part: tuple[int, int]) -> None:
    async with served(tmp_path) as here:
        await here.call()
        status, headers, content = await here.call("clips/sea@dawn.1.mp4", headers={"Range": asked})
        assert (status, content) == (206, CLIP[slice(*part)])
        assert headers["Content-Range"] == f"bytes {part[0]}-{part[1] - 1}/{len(CLIP)}"
        status, headers, content = await here.call("clips/sea@dawn.1.mp4", "HEAD")
        assert (status, content, headers["Content-Length"]) == (200, b"", str(len(CLIP)))
        assert (await here.call("clips/sea@dawn.1.mp4", headers={"Range": f"bytes={len(CLIP)}-"}))[0] == 416


@pytest.mark.parametrize(
    "path",
    [
        "secret.txt",
        "../secret.txt",
        "../../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "clips/../../secret.txt",
        "clips/%2e%2e/%2e%2e/secret.txt",
        "/etc/passwd",
        "clips//etc/passwd",
        "clips/",
        "clips/sea@dawn.1.mp4/",
        "clips/sea@dawn.1.mp4%00.txt",
        "out/sea@dawn.1.mp4",
    ],
)
async def test_nothing_leads_to_a_file_that_the_page_does_not_name(tmp_path: Path, path: str) -> None:
    async with served(tmp_path) as here:
        await here.call()
        target = urlsplit(here.url)
        answer = await here.raw(f"GET {target.path}{path} HTTP/1.1\nHost: {target.netloc}\nConnection: close\n\n")
        assert answer.split(b" ")[1] in (b"400", b"403", b"404") and b"secret" not in answer.replace(path.encode(), b"")


async def test_a_link_put_where_a_clip_was_or_on_the_way_to_it_is_not_followed(tmp_path: Path) -> None:
    async with served(tmp_path) as here:
        await here.call()
        clip = tmp_path / "out" / "sea@dawn.1.mp4"
        clip.unlink()
        assert (await here.call("clips/sea@dawn.1.mp4"))[0] == 404
        clip.symlink_to(tmp_path / "secret.txt")
        assert (await here.call("clips/sea@dawn.1.mp4"))[0] == 404
        clip.unlink()
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / clip.name).write_text("secret", encoding="utf-8")
        clip.parent.rmdir()
        clip.parent.symlink_to(elsewhere)
        assert (await here.call("clips/sea@dawn.1.mp4"))[0] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
async def test_only_get_head_and_post_are_known(tmp_path: Path, method: str) -> None:
    async with served(tmp_path) as here:
        for path in ("", "picks", "clips/sea@dawn.1.mp4"):
            status, headers, _ = await here.call(path, method)
            assert status == 405 and headers["Allow"] == "GET,HEAD,POST"
        assert (await here.call("", "POST", json={}))[0] == 405


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"{}", 415),
        ("application/x-www-form-urlencoded", b"takes=1", 415),
        ("application/json; charset=latin-1", b"{}", 415),
        ("application/json", b"{", 400),
        ("application/json", b"\xff\xfe", 400),
        ("application/json", b"[" * 100_000, 400),
        ("application/json", b'"' + b"x" * BODY_BYTES + b'"', 413),
    ],
)
async def test_what_is_no_json_or_too_much_of_it_is_refused(
    tmp_path: Path, kind: str, body: bytes, status: int
) -> None:
    async with served(tmp_path) as here:
        headers = {"Content-Type": kind}
        assert (await here.call("picks", "POST", data=body, headers=headers))[0] == status

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(body), 65536):
                yield body[at : at + 65536]

        assert (await here.call("picks", "POST", data=pieces(), headers=headers))[0] == status  # no length is announced
        compressed = {**headers, "Content-Encoding": "gzip"}
        assert (await here.call("picks", "POST", data=b"", headers=compressed, skip_auto_headers=()))[0] == 415
        assert here.written == []


async def test_a_bug_is_told_on_the_terminal_and_not_in_the_browser(tmp_path: Path) -> None:
    def broken(told: object) -> tuple[int, Mapping[str, object]]:
        raise KeyError("sk-secret")

    async with served(tmp_path, broken) as here:
        status, _, content = await here.call("picks", "POST", json={})
        assert status == 500 and b"KeyError" not in content and b"sk-secret" not in content
        assert len(here.lines) == 1 and "KeyError" in here.lines[0] and "sk-secret" not in here.lines[0]
        assert (await here.call())[0] == 200


async def test_two_tabs_are_served_one_after_the_other(tmp_path: Path) -> None:
    at_once: list[int] = []
    under_way = 0

    def slow(told: object) -> tuple[int, Mapping[str, object]]:
        nonlocal under_way
        under_way += 1
        time.sleep(0.01)
        at_once.append(under_way)
        under_way -= 1
        return 200, {}

    async with served(tmp_path, slow) as here:
        await asyncio.gather(*(here.call("picks", "POST", json={"n": n}) for n in range(8)))
        assert at_once == [1] * 8 and len(here.written) == 8


async def test_what_is_no_http_gets_no_traceback(tmp_path: Path) -> None:
    async with served(tmp_path) as here:
        for head in (
            "hello\n\n",
            "GET / HTTP/1.1\n\n",
            "GET * HTTP/1.1\nHost: x\n\n",
            "GET http://x/ HTTP/1.1\nHost: x\n\n",
        ):
            answer = await here.raw(head.replace("\n\n", "\nConnection: close\n\n"))
            assert answer.split(b" ")[1] in (b"400", b"403") and b"Traceback" not in answer, answer
