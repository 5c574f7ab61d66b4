"""A server that says exactly what a test wants on a loopback socket, and keeps what it was sent."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Say = Callable[["Heard", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it came in. Header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@dataclass(slots=True)
class Server:
    port: int
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


def said(content: bytes = b"", status: int = 200, **headers: str) -> bytes:
    """A whole HTTP answer; `headers` with `_` for `-`, a length of its own unless one is given."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("Content-Length", str(len(content)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + content


@asynccontextmanager
async def serving(*answers: bytes | Say | None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Answers requests in turn, the last answer for all that follow; None closes the connection without a word."""
    server = Server(0, scheme="https" if tls else "http")
    left = list(answers)
    open_ones: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> bool:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("transfer-encoding") == "chunked":
            while size := int((await reader.readline()).strip() or b"0", 16):
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        method, path, _ = first.split(" ", 2)
        heard = Heard(method, path, headers, body, connection)
        server.heard.append(heard)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if answer is None:
            return False
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
            return True
        await answer(heard, writer)
        return False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        open_ones.add(task)
        server.connections += 1
        number = server.connections
        try:
            while await one(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        finally:
            open_ones.discard(task)
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in list(open_ones):
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)


async def hang(_: Heard, __: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.Event().wait()


def reset(after: bytes = b"") -> Say:
    """Breaks the connection off with a reset, after some bytes."""

    async def say(_: Heard, writer: asyncio.StreamWriter) -> None:
        if after:
            writer.write(after)
            await writer.drain()
        writer.transport.abort()

    return say


def broken_off(content: bytes) -> Say:
    """Says so much and closes."""

    async def say(_: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return say


def dripping(head: bytes, pause_s: float = 0.02) -> Say:
    """A byte now and then, without an end."""

    async def say(_: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(pause_s)

    return say
