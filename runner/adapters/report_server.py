"""The report's server: one page for browsers of this machine, the files it names, and one address that writes.

Everything lies below the token, which the printed address holds: a caller without it learns nothing, and what is fetched needs no
cookie, which every other server of this machine would be sent too.
"""

import asyncio
import json
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from runner.adapters.bugs import report
from runner.core import callers

HOST = "127.0.0.1"
BODY_BYTES = 1_000_000
READ_S = 20.0  # for a body to arrive
GOODBYE_S = 0.5  # for answers under way when the server ends
TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}
# A browser shows a clip or a picture that is opened alone within a page of its own making, which this is for.
ALONE = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": ALONE,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

# What cannot be read as HTTP at all is answered by the library; it must not talk to the terminal.
_QUIET = logging.getLogger("runner.adapters.report_server")
_QUIET.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as it is now: `files` are those it names, resolved, by their names in it; `policy` is what it may do."""

    html: str
    policy: str
    files: Mapping[str, Path] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is behind the server; all of it is called in threads, one call at a time, but for `stamp`.

    `page` makes the page anew; `stamp` is a word that changes when it would be another; `sheet` draws the contact sheet of the
    page made last, a PNG; `write` is given a JSON value and gives the status and the JSON value that answer it.
    """

    page: Callable[[], Page]
    stamp: Callable[[], str]
    sheet: Callable[[], bytes]
    write: Callable[[object], tuple[int, Mapping[str, object]]]


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ReportServer:
    """`names` are the values of Host it answers to; `log` takes a line for each bug."""

    def __init__(self, source: Source, *, token: str, names: set[str], log: Callable[[str], None]) -> None:
        self._source, self._token, self._names, self._log = source, token, names, log
        self._one_at_a_time = asyncio.Lock()
        self._files: Mapping[str, Path] = {}

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._answered], client_max_size=BODY_BYTES)
        below = f"/{self._token}"
        app.add_routes(
            [
                web.get(f"{below}/", self._page),
                web.get(f"{below}/now", self._now),
                web.get(f"{below}/contact.png", self._sheet),
                web.post(f"{below}/picks", self._write),
                web.get(f"{below}/{{name:.+}}", self._file),
            ]
        )
        return app

    @web.middleware
    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who may not come in hears no more than that; no traceback ever leaves."""
        try:
            self._guard(request)
            answer = await handler(request)
        except web.HTTPException as raised:
            answer = _words(raised.status, raised.text or raised.reason)
            if "Allow" in raised.headers:
                answer.headers["Allow"] = raised.headers["Allow"]
        except ConnectionError:
            raise  # the caller went away; there is nobody to answer
        except Exception as bug:  # noqa: BLE001 - the boundary of the server
            self._log(f"a bug in shotrunner: {type(bug).__name__}; what is needed to mend it stands in {report(bug)}")
            answer = _words(500, "a bug in shotrunner: its terminal says where the report lies")
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    def _guard(self, request: web.Request) -> None:
        """Raises HTTPForbidden, HTTPMethodNotAllowed."""
        hosts, origins = (request.headers.getall(name, []) for name in ("Host", "Origin"))
        if why := callers.stranger(hosts, origins, self._names):
            raise web.HTTPForbidden(text=why)
        if request.method not in ("GET", "HEAD", "POST"):
            raise web.HTTPMethodNotAllowed(request.method, ["GET", "HEAD", "POST"])
        if not callers.same(request.path.removeprefix("/").partition("/")[0], self._token):
            raise web.HTTPForbidden(text="open the whole address that `shotrunner report --serve` printed")

    async def _page(self, request: web.Request) -> web.Response:
        async with self._one_at_a_time:
            page = await asyncio.to_thread(self._source.page)
            if page.status == 200:
                self._files = page.files
        policy = {"Content-Security-Policy": f"{page.policy}; frame-ancestors 'none'"}
        return web.Response(text=page.html, status=page.status, content_type="text/html", headers=policy)

    async def _now(self, request: web.Request) -> web.Response:
        return web.json_response({"now": await asyncio.to_thread(self._source.stamp)})

    async def _sheet(self, request: web.Request) -> web.Response:
        async with self._one_at_a_time:
            return web.Response(body=await asyncio.to_thread(self._source.sheet), content_type="image/png")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """A file that the page names, whole or in part; nothing leads to any other."""
        path = self._files.get(request.match_info["name"])
        if path is None or not await asyncio.to_thread(_plain, path):
            raise web.HTTPNotFound(text="the report names no such file")
        return web.FileResponse(path, headers={"Content-Type": TYPES.get(path.suffix, "application/octet-stream")})

    async def _write(self, request: web.Request) -> web.Response:
        told = await _json(request)
        async with self._one_at_a_time:
            status, answer = await asyncio.shield(asyncio.to_thread(self._source.write, told))
        return web.json_response(answer, status=status)


def _plain(path: Path) -> bool:
    """Whether it is a file still, and no link was put in its place or on the way to it."""
    try:
        return path.resolve(strict=True) == path and path.is_file()
    except OSError:
        return False


async def _json(request: web.Request) -> object:
    """The body's value. Raises HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge, HTTPRequestTimeout, HTTPBadRequest."""
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise web.HTTPUnsupportedMediaType(text="what is written is JSON in UTF-8")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise web.HTTPUnsupportedMediaType(text="the body is compressed")
    try:
        async with asyncio.timeout(READ_S):
            body = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the body did not arrive") from None
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest(text="the body is no JSON") from None


def _words(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


@asynccontextmanager
async def serving(source: Source, *, port: int, log: Callable[[str], None]) -> AsyncIterator[str]:
    """The address to open, token and all, for as long as the server serves it on loopback; `port` 0 is any free one. Raises OSError."""
    with socket.create_server((HOST, port)) as listening:
        number: int = listening.getsockname()[1]
        token = secrets.token_urlsafe(24)
        server = ReportServer(source, token=token, names={f"{HOST}:{number}", f"localhost:{number}"}, log=log)
        runner = web.AppRunner(server.application(), access_log=None, logger=_QUIET, shutdown_timeout=GOODBYE_S)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            yield f"http://{HOST}:{number}/{token}/"
        finally:
            await runner.cleanup()
