"""Whatever is thrown at the emulator has a clear answer in the envelope, buys nothing, and leaves it serving."""

import asyncio
import json
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from emulation import KEY, TEXT, Client, emulated, until

from runner.emulator import gate

CREATE = "/v1/videos/generations"
CONTROL = "control"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with emulated(tmp_path, control=CONTROL) as client:
        yield client
        assert (await client.create(TEXT)).status == 200  # it goes on serving
        assert len(client.emulator.invoice) == 1  # and nothing else was bought


def place(client: Client) -> tuple[str, int]:
    parts = urlsplit(client.emulator.base_url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


async def said(client: Client, text: bytes) -> tuple[int, dict[str, str]]:
    """Status and error of the answer to these bytes."""
    reader, writer = await asyncio.open_connection(*place(client))
    writer.write(text)
    async with asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        body = await reader.readexactly(int(length.split(b":")[1]))
    writer.close()
    return int(head.split()[1]), json.loads(body)["error"]


def head(client: Client, *lines: str, method: str = "POST", path: str = CREATE) -> bytes:
    host, port = place(client)
    named = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", f"Authorization: Bearer {KEY}", *lines, "", ""]
    return "\r\n".join(named).encode("latin-1")


JSON = "Content-Type: application/json"


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (b"{", None),
        (b'{"model": "wan2.5-text-to-video",', None),
        (b"null", None),
        (b"[" * 200_000, None),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, None),
        (b'{"model": "wan2.5-text-to-video", "prompt": "\xff"}', None),
        (b'{"model": "wan2.5-text-to-video", "prompt": "\\ud800"}', None),
        (b'{"model": "wan2.5-text-to-video", "prompt": NaN}', None),
        (b'{"model": "wan2.5-text-to-video", "prompt": "x", "duration": Infinity}', None),
        (b'{"model": "wan2.5-text-to-video", "prompt": "x", "duration": ' + b"9" * 5000 + b"}", None),
        (b'{"model": "wan2.5-text-to-video", "prompt": "x", "duration": 1e999}', "duration"),
        (b'{"model": "wan2.5-text-to-video", "prompt": "x", "duration": ' + b"9" * 400 + b"}", "duration"),
        (b'{"model": "wan2.5-text-to-video", "prompt": "x", "duration": -0.0}', "duration"),
        (b'{"model": {"a": 1}, "prompt": "x"}', "model"),
        (b'\xef\xbb\xbf{"model": "wan2.5-text-to-video", "prompt": "x"}', None),
    ],
)
async def test_json_that_is_none_or_holds_what_no_request_can_is_refused(
    client: Client, raw: bytes, param: str | None
) -> None:
    answer = await client.call("POST", CREATE, data=raw, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.error.get("param")) == (400, param), answer.content
    assert len(answer.content) < 2000


@pytest.mark.parametrize(
    ("path", "key", "most"), [(CREATE, KEY, 1), ("/v1/tasks/batch", KEY, 1), ("/_emulate/clock", CONTROL, 1)]
)
async def test_64_mib_are_refused_before_they_are_read(client: Client, path: str, key: str, most: int) -> None:
    body = b" " * (64 << 20)
    answer = await client.call(
        "POST", path, key=key, data=body[:1_000_001], headers={"Content-Type": "application/json"}
    )
    assert answer.status == 413
    lines = (f"Content-Length: {len(body)}", JSON)
    text = head(client, *lines, path=path).replace(f"Bearer {KEY}".encode(), f"Bearer {key}".encode())
    status, error = await said(client, text + body[: most << 16])
    assert (status, error["type"]) == (413, "invalid_request_error")


async def test_an_endless_body_without_a_length_is_cut_off(client: Client) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    status, _ = await said(client, head(client, "Transfer-Encoding: chunked", JSON) + chunk * 20)
    assert status == 413


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([f"X-{number}: y" for number in range(2000)], 431),
        (["X: " + "y" * 100_000], 431),
        (["X" * 100_000 + ": y"], 431),
        (["no header"], 400),
        (["X: \x00"], 400),
        (["Content-Length: -1"], 400),
        (["Content-Length: 5", "Content-Length: 6"], 400),
        (["Content-Length: 5", "Transfer-Encoding: chunked"], 400),
    ],
)
async def test_bombs_and_nonsense_in_headers_meet_the_envelope(client: Client, lines: list[str], status: int) -> None:
    answered, error = await said(client, head(client, *lines))
    assert (answered, error["type"]) == (status, "invalid_request_error")
    assert "Traceback" not in error["message"]


@pytest.mark.parametrize(
    "text", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"X" * 20_000 + b"\r\n\r\n"]
)
async def test_what_is_no_http_meets_the_envelope(client: Client, text: bytes) -> None:
    status, error = await said(client, text)
    assert status in (400, 431)
    assert error["message"]


async def test_a_very_long_address_meets_the_envelope(client: Client) -> None:
    status, _ = await said(client, head(client, method="GET", path="/" + "x" * 100_000))
    assert status == 431


@pytest.mark.parametrize("path", [CREATE, "/v1/tasks/task-unified-1-00000000", "/healthz", "/v1/tasks/batch"])
async def test_another_method_is_not_allowed_and_the_allowed_are_told(client: Client, path: str) -> None:
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = await client.call(method, path)
        assert (answer.status, answer.error["code"]) == (405, "method_not_allowed")
        assert answer.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/nowhere", "/v1/videos", "/%2e%2e/etc/passwd", "/v1/tasks/a/b", "/_emulate", "/" + "a/" * 500]
)
async def test_an_unknown_address_is_not_found(client: Client, path: str) -> None:
    answer = await client.call("GET", path)
    assert (answer.status, answer.error["type"]) == (404, "not_found_error")


async def test_a_body_that_dribbles_in_is_timed_out(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "READ_S", 0.2)
    status, error = await said(client, head(client, "Content-Length: 500", JSON) + b'{"model":')
    assert (status, error["code"]) == (408, "request_timeout")


async def test_who_never_ends_the_head_of_a_request_is_hung_up_on(tmp_path: Path) -> None:
    async with emulated(tmp_path, patience_s=0.3) as client:
        reader, writer = await asyncio.open_connection(*place(client))
        began = time.monotonic()
        ended = asyncio.create_task(reader.read())
        while not ended.done():
            writer.write(b"G")
            await asyncio.sleep(0.02)
            assert time.monotonic() - began < 20
        writer.close()
        assert (await client.call("GET", "/healthz")).status == 200


async def test_five_hundred_connections_hold_up_nobody(client: Client) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    try:
        async with asyncio.timeout(60):
            idle = await asyncio.gather(*(asyncio.open_connection(*place(client)) for _ in range(500)))
            for _, writer in idle[::2]:
                writer.write(head(client, "Content-Length: 500", JSON))
            assert (await client.call("GET", "/healthz")).status == 200
            for _, writer in idle:
                writer.close()
            await until(lambda: len(asyncio.all_tasks()) < 200)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
