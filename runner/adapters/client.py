"""The HTTP client: calls to one API's own origin, and downloads from wherever its results lie.

The two never share a session: the key goes to the API's origin alone. Every aiohttp exception is translated here and in
`download`.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from runner.adapters.download import AGENT, Downloads, Fetched, FetchFailed, judged, words
from runner.adapters.partial import CHUNK
from runner.core.network import is_loopback
from runner.core.wire import Call, NoReply, Reply, Silence

__all__ = ["Client", "FetchFailed", "Fetched"]

REPLY_LIMIT = 8 * 1024 * 1024
TRANSFER_S = 3600.0  # one upload or download, from its first hop to its last byte, however slowly it drips


class Client:
    """Calls to `base_url` and uploads to `files_url` carry the key; nothing else does. Used inside `opened`.

    `resolver` resolves the names of result hosts; None is the system's.
    """

    _once: aiohttp.ClientSession
    _kept: aiohttp.ClientSession
    _downloads: Downloads

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
        sockets = judged(allow_loopback=self._local)
        safe = aiohttp.TCPConnector(limit=16, resolver=self._resolver, socket_factory=sockets)
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True, limit=100), cookie_jar=quiet
            ) as once,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50), cookie_jar=quiet) as kept,
            aiohttp.ClientSession(connector=safe, cookie_jar=quiet, auto_decompress=False) as results,
        ):
            self._once, self._kept = once, kept
            self._downloads = Downloads(results, stall_s=self._stall_timeout_s, transfer_s=self._transfer_timeout_s)
            yield self

    async def submit(self, call: Call) -> Reply:
        """A POST that may cost money: on a connection of its own. Raises `NoReply`, which says whether it can have been seen."""
        return await self._exchange(self._once, self._base_url, call, self._submit_timeout_s)

    async def ask(self, call: Call) -> Reply:
        """A call that may be repeated. Raises `NoReply`.

        The library asks again by itself where a kept connection turns out to be closed, but no POST: that gets a fresh one.
        """
        session = self._kept if call.method == "GET" else self._once
        return await self._exchange(session, self._base_url, call, self._poll_timeout_s)

    async def ask_files(self, call: Call) -> Reply:
        """As `ask`, of the files host."""
        session = self._kept if call.method == "GET" else self._once
        return await self._exchange(session, self._files_url, call, self._poll_timeout_s)

    async def upload(
        self, path: str, file: Path, name: str, kind: str, told: Callable[[int], None] = lambda _: None
    ) -> tuple[Reply, str]:
        """Stream a file to the files host; returns the reply and the SHA-256 of the bytes that left. `told` hears how many bytes
        have. Raises `NoReply`."""
        digest = hashlib.sha256()
        left = 0

        async def chunks() -> AsyncIterator[bytes]:
            with file.open("rb") as opened:
                while chunk := await asyncio.to_thread(opened.read, CHUNK):
                    nonlocal left
                    digest.update(chunk)
                    yield chunk
                    left += len(chunk)
                    told(left)

        form = aiohttp.MultipartWriter("form-data")
        part = form.append(chunks(), {"Content-Type": kind})
        part.set_content_disposition("form-data", name="file", filename=name)
        url = self._own(self._files_url, path)
        timeout = aiohttp.ClientTimeout(
            total=self._transfer_timeout_s, sock_connect=10, sock_read=2 * self._stall_timeout_s
        )
        reply = await _reply(self._once, "POST", url, self._headers(), form, timeout)
        return reply, digest.hexdigest()

    async def fetch(self, link: str, part: Path, *, resume: bool = False) -> Fetched:
        """As `Downloads.fetch`."""
        return await self._downloads.fetch(link, part, resume=resume)

    async def answers(self, link: str) -> bool:
        """Whether something can be had at a link, under the rules of results; one byte is asked for."""
        return await self._downloads.answers(link, self._poll_timeout_s)

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
        raise NoReply(Silence.NOT_SENT, words(fault)) from fault
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
        raise NoReply(Silence.NO_ANSWER, words(fault)) from fault
