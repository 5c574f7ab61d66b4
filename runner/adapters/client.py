"""The HTTP client: calls to one API's own origin, and downloads from wherever its results lie.

The two never share a session: the key goes to the API's origin alone. Every aiohttp exception is translated here.
"""

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from runner import __version__
from runner.core.network import check_host
from runner.core.wire import Call, NoReply, Reply, Silence

AGENT = f"shotrunner/{__version__}"
REPLY_LIMIT = 8 * 1024 * 1024
CLIP_LIMIT = 2 * 1024**3
HOPS = 3
CHUNK = 1024 * 1024
TRANSFER_S = 3600.0  # one upload or download, from its first hop to its last byte, however slowly it drips
MOVED = frozenset({301, 302, 303, 307, 308})


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


class Client:
    """Calls to `base_url` and uploads to `files_url` carry the key; nothing else does. Used inside `opened`.

    `resolver` resolves the names of result hosts; None is the system's.
    """

    _once: aiohttp.ClientSession
    _kept: aiohttp.ClientSession
    _results: aiohttp.ClientSession

    def __init__(
        self,
        *,
        base_url: str,
        files_url: str,
        key: str,
        submit_timeout_s: float = 60,
        poll_timeout_s: float = 15,
        stall_timeout_s: float = 60,
        transfer_timeout_s: float = TRANSFER_S,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._base_url, self._files_url, self._key = base_url.rstrip("/"), files_url.rstrip("/"), key
        self._submit_timeout_s, self._poll_timeout_s = submit_timeout_s, poll_timeout_s
        self._stall_timeout_s, self._transfer_timeout_s = stall_timeout_s, transfer_timeout_s
        self._resolver = resolver
        self._local = is_loopback(base_url)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Client"]:
        """Hold the sessions open: one whose connections are never used twice, for what costs money, and two that keep theirs."""
        quiet = aiohttp.DummyCookieJar()
        judged = aiohttp.TCPConnector(limit=16, resolver=self._resolver, socket_factory=_judge(self._local))
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True, limit=100), cookie_jar=quiet
            ) as once,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50), cookie_jar=quiet) as kept,
            aiohttp.ClientSession(connector=judged, cookie_jar=quiet, auto_decompress=False) as results,
        ):
            self._once, self._kept, self._results = once, kept, results
            yield self

    async def submit(self, call: Call) -> Reply:
        """A POST that may cost money: on a connection of its own. Raises `NoReply`, which says whether it can have been seen."""
        return await self._exchange(self._once, self._base_url, call, self._submit_timeout_s)

    async def ask(self, call: Call) -> Reply:
        """A call that may be repeated. Raises `NoReply`."""
        return await self._exchange(self._kept, self._base_url, call, self._poll_timeout_s)

    async def upload(self, path: str, file: Path, name: str, kind: str) -> tuple[Reply, str]:
        """Stream a file to the files host; returns the reply and the SHA-256 of the bytes that left. Raises `NoReply`."""
        digest = hashlib.sha256()

        async def chunks() -> AsyncIterator[bytes]:
            with file.open("rb") as opened:
                while chunk := await asyncio.to_thread(opened.read, CHUNK):
                    digest.update(chunk)
                    yield chunk

        form = aiohttp.MultipartWriter("form-data")
        part = form.append(chunks(), {"Content-Type": kind})
        part.set_content_disposition("form-data", name="file", filename=name)
        url = self._own(self._files_url, path)
        timeout = aiohttp.ClientTimeout(
            total=self._transfer_timeout_s, sock_connect=10, sock_read=2 * self._stall_timeout_s
        )
        reply = await _reply(self._once, "POST", url, self._headers(), form, timeout)
        return reply, digest.hexdigest()

    async def fetch(self, link: str, part: Path) -> Fetched:
        """Download a result to `part`, whole: length as announced, synced. Raises `FetchFailed`; OSError when the disk says no."""
        try:
            async with asyncio.timeout(self._transfer_timeout_s):
                return await self._follow(link, part)
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise FetchFailed(_words(fault)) from fault
        except ValueError as fault:  # from whoever takes the address apart
            raise FetchFailed("the link is no lawful address") from fault

    async def _follow(self, link: str, part: Path) -> Fetched:
        url = link
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=self._stall_timeout_s)
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
        for _ in range(HOPS + 1):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise FetchFailed("the link is no http or https address")
            if parts.username or parts.password:
                raise FetchFailed("the link holds a user name")
            async with self._results.get(
                URL(url, encoded=True), allow_redirects=False, headers=headers, timeout=timeout
            ) as response:
                if response.status not in MOVED:
                    return await _receive(response, part)
                url = urljoin(url, response.headers.get("Location", ""))
                if parts.scheme == "https" and urlsplit(url).scheme == "http":
                    raise FetchFailed("the link redirects from https to http")
        raise FetchFailed(f"more than {HOPS} redirects")

    def _headers(self) -> dict[str, str]:
        """Of every call to the API's own hosts; identity, since a reply that cannot be unpacked is an answer lost."""
        return {"Authorization": f"Bearer {self._key}", "User-Agent": AGENT, "Accept-Encoding": "identity"}

    async def _exchange(self, session: aiohttp.ClientSession, base: str, call: Call, timeout_s: float) -> Reply:
        headers = {**call.headers, **self._headers()}
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=10)
        return await _reply(session, call.method, self._own(base, call.path), headers, call.body, timeout)

    def _own(self, base: str, path: str) -> URL:
        """The finished URL, proven to lie on the base URL's own origin before a key is attached to it."""
        url, origin = urlsplit(base + path), urlsplit(base)
        if not path.startswith("/") or (url.scheme, url.netloc) != (origin.scheme, origin.netloc):
            raise NoReply(Silence.NOT_SENT, "the path leads away from the API's own host")
        return URL(base + path, encoded=True)


class _Forbidden(OSError):
    """Raised where a socket would be made; an OSError, as aiohttp expects there."""


def _judge(allow_loopback: bool) -> Callable[[aiohttp.AddrInfoType], socket.socket]:
    """Makes the sockets of downloads, each judged by the very address it is about to be connected to, on every hop."""

    def judged(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, place = address
        if reason := check_host(str(place[0]), allow_loopback=allow_loopback):
            raise _Forbidden(f"the link leads to {place[0]}, {reason}")
        return socket.socket(family, kind, protocol)

    return judged


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "localhost" or (
        _is_literal(host)
        and check_host(host, allow_loopback=True) is None
        and check_host(host, allow_loopback=False) is not None
    )


def _is_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False


async def _reply(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: Mapping[str, str],
    body: bytes | aiohttp.MultipartWriter | None,
    limits: aiohttp.ClientTimeout,
) -> Reply:
    try:
        async with session.request(
            method, url, headers=headers, data=body, allow_redirects=False, timeout=limits
        ) as response:
            content = await response.content.read(REPLY_LIMIT + 1)
            while not response.content.at_eof() and len(content) <= REPLY_LIMIT:
                content += await response.content.read(REPLY_LIMIT + 1 - len(content))
            if len(content) > REPLY_LIMIT:
                raise NoReply(Silence.NO_ANSWER, f"the reply is larger than {REPLY_LIMIT // 1024**2} MiB")
            return Reply(
                status=response.status,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=content,
            )
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as fault:
        raise NoReply(Silence.NOT_SENT, _words(fault)) from fault
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
        raise NoReply(Silence.NO_ANSWER, _words(fault)) from fault


async def _receive(response: aiohttp.ClientResponse, part: Path) -> Fetched:
    if response.status != 200:
        raise FetchFailed(f"HTTP {response.status}", response.status)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailed("the answer is compressed, which nobody asked for")
    announced = response.content_length
    if announced is not None and announced > CLIP_LIMIT:
        raise FetchFailed(f"the clip is larger than {CLIP_LIMIT // 1024**3} GiB")
    digest = hashlib.sha256()
    size = 0
    with part.open("wb") as file:

        def keep(chunk: bytes) -> None:
            digest.update(chunk)
            file.write(chunk)

        pending = bytearray()
        async for chunk in response.content.iter_any():
            pending += chunk
            size += len(chunk)
            if size > CLIP_LIMIT:
                raise FetchFailed(f"the clip is larger than {CLIP_LIMIT // 1024**3} GiB")
            if len(pending) >= CHUNK:
                await asyncio.to_thread(keep, bytes(pending))
                pending.clear()

        def finish() -> None:
            keep(bytes(pending))
            file.flush()
            os.fsync(file.fileno())

        await asyncio.to_thread(finish)
    if announced is not None and size != announced:
        raise FetchFailed(f"{size} bytes arrived, {announced} were announced")
    return Fetched(path=part, size_bytes=size, sha256=digest.hexdigest())


def _words(fault: BaseException) -> str:
    """One line for people, without the library's own class names."""
    match fault:
        case aiohttp.ClientConnectorError(os_error=_Forbidden() as forbidden):
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
