"""Reference media are really fetched, as a service would: over http or https, bounded in bytes, time and redirects.

Each connection is judged on every hop. The emulator's own address is always open: there lie the uploads, and nothing else
without a key.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import aiohttp

from runner.core.network import check_host
from runner.emulator.outward import Forbidden, judged

REDIRECTS = 3
TOTAL_S = 60.0
CONNECT_S = 10.0
SILENCE_S = 15.0
_BATCH_BYTES = 1 << 20
_MOVED = frozenset({301, 302, 303, 307, 308})


class Unfetchable(Exception):
    """A medium that did not arrive. `reason` is one line that ends `the file could not be fetched:`; `gone` says that its host
    knows none of it."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        self.reason, self.gone = reason, gone
        super().__init__(reason)


class Fetcher:
    """Made by `fetcher`, inside a running event loop."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def fetch(self, url: str, target: Path, max_bytes: int) -> None:
        """Writes what the URL answers to `target`. Raises Unfetchable; a part of the file may then be there."""
        try:
            async with asyncio.timeout(TOTAL_S):
                await self._follow(url, target, max_bytes)
        except Forbidden as fault:
            raise Unfetchable(str(fault)) from None
        except TimeoutError:
            raise Unfetchable("no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            raise Unfetchable(_words(fault)) from None

    async def _follow(self, url: str, target: Path, max_bytes: int) -> None:
        for _ in range(REDIRECTS + 1):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
                raise Unfetchable("not a plain http or https address")
            async with self._session.get(url, allow_redirects=False) as answer:
                if answer.status in _MOVED:
                    url = urljoin(url, answer.headers.get("Location", ""))
                    continue
                await _receive(answer, target, max_bytes)
                return
        raise Unfetchable(f"more than {REDIRECTS} redirects")


@asynccontextmanager
async def fetcher(own: tuple[str, int], *, allow_private: bool) -> AsyncIterator[Fetcher]:
    """A fetcher for the emulator at the address and port `own`."""

    def forbidden(address: str, at_port: int) -> str | None:
        return None if (address, at_port) == own else check_host(address, allow_private=allow_private)

    connector = aiohttp.TCPConnector(socket_factory=judged(forbidden), limit=32)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity", "User-Agent": "shotrunner-emulator"},
        timeout=aiohttp.ClientTimeout(total=TOTAL_S, sock_connect=CONNECT_S, sock_read=SILENCE_S),
    ) as session:
        yield Fetcher(session)


async def _receive(answer: aiohttp.ClientResponse, target: Path, max_bytes: int) -> None:
    if answer.status != 200:
        raise Unfetchable(f"HTTP {answer.status}", gone=answer.status in (404, 410))
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unfetchable("the answer is compressed")
    too_large = Unfetchable(f"it is larger than {max_bytes} bytes")
    if (answer.content_length or 0) > max_bytes:
        raise too_large
    size, batch = 0, bytearray()
    file = await asyncio.to_thread(target.open, "wb")
    try:
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            if size > max_bytes:
                raise too_large
            batch += chunk
            if len(batch) >= _BATCH_BYTES:
                await asyncio.to_thread(file.write, bytes(batch))
                batch.clear()
        await asyncio.to_thread(file.write, bytes(batch))
    finally:
        await asyncio.to_thread(file.close)


def _words(fault: Exception) -> str:
    """One line without the library's class names."""
    match fault:
        case aiohttp.ClientConnectorError(os_error=Forbidden() as forbidden):
            return str(forbidden)
        case aiohttp.ClientConnectorDNSError():
            return "its host has no address"
        case aiohttp.ClientConnectorError():
            return "no connection to its host"
        case aiohttp.ClientPayloadError():
            return "the connection broke off in the middle"
        case aiohttp.InvalidURL():
            return "not a lawful address"
        case _:
            return "the exchange broke off"
