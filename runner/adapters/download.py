"""Downloads from wherever an API's results lie: judged hop by hop, bounded, whole, and gone on with where they broke off.

Nothing of the API's own travels with them: no key, no cookie, no referrer.
"""

import asyncio
import os
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from runner import __version__
from runner.adapters import partial
from runner.adapters.partial import CHUNK, Partial
from runner.core.network import check_host

AGENT = f"shotrunner/{__version__}"
CLIP_LIMIT = 2 * 1024**3
HOPS = 3
MOVED = frozenset({301, 302, 303, 307, 308})
CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})")


class FetchFailed(Exception):
    """A download that did not arrive whole. `status` is the HTTP status if there was one; `reason` one line for people."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        self.reason, self.status = reason, status
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that arrived whole and is synced."""

    path: Path
    size_bytes: int
    sha256: str


class _Anew(Exception):
    """The server does not go on with what is here."""


class Downloads:
    """Through a session whose sockets come from `judged`. `transfer_s` bounds a download from its first hop to its last byte."""

    def __init__(self, session: aiohttp.ClientSession, *, stall_s: float, transfer_s: float) -> None:
        self._session, self._stall_s, self._transfer_s = session, stall_s, transfer_s

    async def fetch(self, link: str, part: Path, *, resume: bool) -> Fetched:
        """Download a result to `part`, whole: length as announced, synced. Raises `FetchFailed`; OSError when the disk says no.

        `resume`: what an earlier transfer of the same link left there is gone on with, if the server still has the same
        bytes; and what this one leaves, however it ends, may be gone on with.
        """
        before = await asyncio.to_thread(partial.found, part, link) if resume else None
        try:
            async with asyncio.timeout(self._transfer_s):
                try:
                    return await self._follow(link, part, before, resume=resume)
                except _Anew:
                    return await self._follow(link, part, None, resume=resume)
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise FetchFailed(words(fault)) from fault
        except ValueError as fault:  # from whoever takes the address apart
            raise FetchFailed("the link is no lawful address") from fault

    async def answers(self, link: str, patience_s: float) -> bool:
        """Whether the very address, no redirect, has bytes to give; one is asked for."""
        timeout = aiohttp.ClientTimeout(total=patience_s, sock_connect=10)
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity", "Range": "bytes=0-0"}
        try:
            async with self._session.get(
                URL(link, encoded=True), allow_redirects=False, headers=headers, timeout=timeout
            ) as response:
                return response.status in (200, 206)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False

    async def _follow(self, link: str, part: Path, before: Partial | None, *, resume: bool) -> Fetched:
        url = link
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=self._stall_s)
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
        if before is not None:
            headers |= {"Range": f"bytes={before.size_bytes}-", "If-Range": before.etag}
        for _ in range(HOPS + 1):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise FetchFailed("the link is no http or https address")
            if parts.username or parts.password:
                raise FetchFailed("the link holds a user name")
            async with self._session.get(
                URL(url, encoded=True), allow_redirects=False, headers=headers, timeout=timeout
            ) as response:
                if response.status not in MOVED:
                    return await _receive(response, link, part, before, resume=resume)
                url = urljoin(url, response.headers.get("Location", ""))
                if parts.scheme == "https" and urlsplit(url).scheme == "http":
                    raise FetchFailed("the link redirects from https to http")
        raise FetchFailed(f"more than {HOPS} redirects")


async def _receive(
    response: aiohttp.ClientResponse, link: str, part: Path, before: Partial | None, *, resume: bool
) -> Fetched:
    if before is not None and response.status in (206, 416):
        if not _goes_on(response, before):
            raise _Anew
        arriving = before
    elif response.status != 200:
        raise FetchFailed(f"HTTP {response.status}", response.status)
    else:
        partial.forget(part)
        arriving = Partial(etag=response.headers.get("ETag", ""), total_bytes=response.content_length or 0)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailed("the answer is compressed, which nobody asked for")
    if arriving.total_bytes > CLIP_LIMIT:
        raise FetchFailed(f"the clip is larger than {CLIP_LIMIT // 1024**3} GiB")
    try:
        with part.open("rb+" if arriving.size_bytes else "wb") as file:
            if arriving.size_bytes:
                file.seek(file.truncate(arriving.size_bytes))
            await _write(response, arriving, file)
    except (aiohttp.ClientError, asyncio.CancelledError):
        if resume and arriving.size_bytes < arriving.total_bytes and partial.is_strong(arriving.etag):
            await _undisturbed(lambda: partial.keep(part, link, arriving))
        raise
    partial.forget(part)
    size = arriving.size_bytes
    if response.content_length is not None and size != arriving.total_bytes:
        raise FetchFailed(f"{size} bytes arrived, {arriving.total_bytes} were announced")
    return Fetched(path=part, size_bytes=size, sha256=arriving.digest.hexdigest())


def _goes_on(response: aiohttp.ClientResponse, before: Partial) -> bool:
    """Whether the answer is all the rest of what is here."""
    said = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status != 206 or said is None or response.headers.get("ETag") != before.etag:
        return False
    first, last, total = (int(number) for number in said.groups())
    return (first, last + 1, total) == (before.size_bytes, before.total_bytes, before.total_bytes)


async def _write(response: aiohttp.ClientResponse, arriving: Partial, file: BinaryIO) -> None:
    """Take in what comes, a mebibyte at a time on a thread; what came before a fault is written, too."""
    pending = bytearray()

    def keep() -> None:
        chunk = bytes(pending)
        pending.clear()
        file.write(chunk)
        arriving.digest.update(chunk)
        arriving.size_bytes += len(chunk)

    def finish() -> None:
        keep()
        file.flush()
        os.fsync(file.fileno())

    try:
        async for chunk in response.content.iter_any():
            pending += chunk
            if arriving.size_bytes + len(pending) > CLIP_LIMIT:
                raise FetchFailed(f"the clip is larger than {CLIP_LIMIT // 1024**3} GiB")
            if len(pending) >= CHUNK:
                await _undisturbed(keep)
    except (aiohttp.ClientError, asyncio.CancelledError):
        keep()
        raise
    await _undisturbed(finish)


async def _undisturbed(work: Callable[[], None]) -> None:
    """Work on a thread to its end, also when whoever waits is cancelled: a file is not closed under a thread's hands."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({working})
        working.exception()
        raise


class Forbidden(OSError):
    """Raised where a socket would be made; an OSError, as aiohttp expects there."""


def judged(*, allow_loopback: bool) -> Callable[[aiohttp.AddrInfoType], socket.socket]:
    """Makes the sockets of downloads, each judged by the very address it is about to be connected to, on every hop."""

    def make(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, place = address
        if reason := check_host(str(place[0]), allow_loopback=allow_loopback):
            raise Forbidden(f"the link leads to {place[0]}, {reason}")
        return socket.socket(family, kind, protocol)

    return make


def words(fault: BaseException) -> str:
    """One line for people, without the library's own class names."""
    match fault:
        case aiohttp.ClientConnectorError(os_error=Forbidden() as forbidden):
            return str(forbidden)
        case aiohttp.ClientConnectorCertificateError():
            return "the server's certificate is not valid"
        case aiohttp.ClientConnectorDNSError():
            return f"no connection to {fault.host} ({fault.os_error.strerror or 'its name cannot be resolved'})"
        case aiohttp.ClientConnectorError():
            return f"no connection to {fault.host}:{fault.port} ({fault.os_error.strerror or fault.os_error})"
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return "the connection was closed without an answer"
        case aiohttp.ClientPayloadError():
            return "the connection broke off in the middle"
        case aiohttp.InvalidURL():
            return "not a lawful address"
        case _:
            return "the exchange broke off"
