"""The HTTP face of the emulator: routes, keys, envelopes.

    async with Emulator(models, folder, key=key, workers=2) as emulator:
        ...  # emulator.base_url answers

Everything but health, results and uploaded files needs the key as a bearer token. The server listens on loopback alone
and answers only who calls it by its own name and from no other web page's origin.
"""

import asyncio
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from hmac import compare_digest
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import BodyPartReader, web

from runner.adapters.media import Probe
from runner.contract.model import Model
from runner.core.network import Reach, verdict
from runner.emulator import intake, tasks
from runner.emulator.billing import Account
from runner.emulator.fetch import fetcher
from runner.emulator.references import References
from runner.emulator.refusals import Profile, Refusal, Side
from runner.emulator.script import Drop, Reply, Script, Spoiled, Stall
from runner.emulator.studio import Line, Studio
from runner.emulator.uploads import BadUpload, Draft, Uploads
from runner.emulator.works import Works

READ_S = 60.0  # for a JSON body to arrive
UPLOAD_S = 600.0
FIELD_BYTES = 4096
BALANCE = Decimal(1_000_000)  # free play money

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Emulator:
    """The video API on this machine, between `async with`. May run in the event loop of its only client.

    `models` are the models offered, by name; `folder` exists and belongs to the caller: what is written there goes when
    the emulator does. `host` is a loopback address, `port` 0 any free port. `key` is what clients must show, `control` what
    the endpoints below /_emulate want instead (made up if not given). `workers` is how many clips are rendered at once.
    `allow_private` lets reference URLs lead into private networks and to other servers of this machine. `clock` gives
    unix seconds, for expiry and prices; `log` takes one line a request.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        folder: Path,
        *,
        key: str,
        workers: int,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_private: bool = False,
        profile: Profile = Profile.CURRENT,
        script: Script | None = None,
        control: str | None = None,
        balance: Decimal = BALANCE,
        clock: Callable[[], float] = time.time,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        if verdict(host) is not Reach.LOOPBACK:
            raise ValueError(f"{host} is no loopback address")
        if workers < 1 or not key:
            raise ValueError("an emulator needs a key and at least one worker")
        self.key, self.control = key, control or secrets.token_urlsafe(24)
        self._models, self._folder, self._host, self._wanted_port = models, folder, host, port
        self._workers, self._allow_private, self._profile = workers, allow_private, profile
        self._script, self._clock, self._log = script or Script(), clock, log
        self._account = Account(balance)
        self.base_url = ""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def invoice(self) -> tuple[Line, ...]:
        """What every task cost, in the order of their creates."""
        return self._studio.invoice()

    async def _open(self, stack: AsyncExitStack) -> None:
        work = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="emulator-", dir=self._folder))
        stack.push_async_callback(asyncio.to_thread, shutil.rmtree, work, ignore_errors=True)
        for name in ("clips", "references", "uploads"):
            (work / name).mkdir()
        listening = stack.enter_context(_listen(self._host, self._wanted_port))
        port: int = listening.getsockname()[1]
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self._names = {f"{shown}:{port}", f"localhost:{port}"}
        self.base_url = f"http://{shown}:{port}"
        probe = stack.enter_context(Probe())
        fetching = await stack.enter_async_context(fetcher((self._host, port), allow_private=self._allow_private))
        works = await stack.enter_async_context(
            Works(
                work / "clips",
                References(work / "references", fetching, probe),
                account=self._account,
                workers=self._workers,
                script=self._script,
                clock=self._clock,
                log=self._note,
            ).opened()
        )
        self._uploads = Uploads(work / "uploads", self._clock)
        self._studio = Studio(
            self._models,
            works,
            self._account,
            base_url=self.base_url,
            profile=self._profile,
            script=self._script,
            clock=self._clock,
        )
        server = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.5)
        stack.push_async_callback(server.cleanup)
        await server.setup()
        await web.SockSite(server, listening).start()

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._answered], client_max_size=intake.BODY_BYTES)
        app.add_routes(
            [
                web.get("/healthz", self._health),
                web.get("/results/{token}/{name}", self._result),
                web.get("/files/{id}/{name}", self._file),
                web.post("/v1/videos/generations", self._create),
                web.get("/v1/tasks/{id}", self._query),
                web.get("/v1/credits", self._credits),
                web.get("/v1/models", self._list_models),
                web.post("/api/v1/files/upload/stream", self._upload),
                web.get("/api/v1/files/quota", self._quota),
                web.get("/_emulate/invoice", self._show_invoice),
            ]
        )
        return app

    # ---------------------------------------------------------------- around every route

    @web.middleware
    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every answer that is no success is an envelope; every request is a line of the log."""
        began = time.perf_counter()
        try:
            self._guard(request)
            answer = await handler(request)
        except Refusal as refusal:
            answer = self._refused(refusal)
        except web.HTTPException as raised:
            answer = self._refused(_of_aiohttp(raised), raised.headers.get("Allow"))
        except (ConnectionError, asyncio.IncompleteReadError):
            raise  # the client went away; there is nobody to answer
        except Exception as bug:  # noqa: BLE001 - no traceback ever leaves
            self._note(f"bug: {type(bug).__name__}: {bug}")
            answer = self._refused(Refusal(500))
        took_ms = (time.perf_counter() - began) * 1000
        self._note(f"{request.method} {request.path} {answer.status} {took_ms:.0f} ms")
        return answer

    def _guard(self, request: web.Request) -> None:
        """A web page somewhere else must not reach this server through its reader's browser."""
        host = request.headers.getall("Host", [])
        if len(host) != 1 or host[0].lower() not in self._names:
            raise Refusal(403, Side.QUERY, message="Access denied: this server has another name")
        origins = request.headers.getall("Origin", [])
        if not {origin.lower() for origin in origins} <= {f"http://{name}" for name in self._names}:
            raise Refusal(403, Side.QUERY, message="Access denied: foreign origin")

    def _authorize(self, request: web.Request, side: Side, key: str | None = None) -> None:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        expected = (key or self.key).encode()
        if scheme.lower() != "bearer" or not compare_digest(shown.strip().encode(errors="surrogateescape"), expected):
            raise Refusal(401, side)

    def _refused(self, refusal: Refusal, allow: str | None = None) -> web.Response:
        headers = refusal.headers | ({"Allow": allow} if allow else {})
        return web.json_response(refusal.body(self._profile), status=refusal.status, headers=headers)

    def _note(self, line: str) -> None:
        """A log line holds nothing but printable characters, whoever wrote its parts."""
        self._log("".join(c if c.isprintable() else "\ufffd" for c in line))

    # ---------------------------------------------------------------- the video API

    async def _create(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request, Side.CREATE)
        wished = intake.wishes(request.headers)
        mishap = self._studio.struck(wished.label)
        if isinstance(mishap, Drop) and not mishap.accepted:
            return _hung_up(request)
        raw = await _json_bytes(request)
        if isinstance(mishap, Reply) and not mishap.accepted:
            return self._unlucky(mishap)
        accepted = self._studio.accept(raw, wished)
        match mishap:
            case Drop():
                return _hung_up(request)
            case Reply():
                return self._unlucky(mishap)
            case Stall():
                await asyncio.sleep(mishap.seconds)
        headers = {"idempotency-replayed": "true"} if accepted.replayed else {}
        return web.json_response(tasks.created_body(accepted.task, self._profile), headers=headers)

    async def _query(self, request: web.Request) -> web.Response:
        self._authorize(request, Side.QUERY)
        return web.json_response(self._studio.poll(request.match_info["id"]))

    async def _result(self, request: web.Request) -> web.StreamResponse:
        identifier, _, suffix = request.match_info["name"].rpartition(".")
        path, spoiled = self._studio.result(request.match_info["token"], identifier if suffix == "mp4" else "")
        if spoiled is not None:
            return await self._spoiled(request, path, spoiled)
        return web.FileResponse(path, headers={"Content-Type": "video/mp4"})

    async def _credits(self, request: web.Request) -> web.Response:
        self._authorize(request, Side.QUERY)
        return web.json_response(self._account.body())

    async def _list_models(self, request: web.Request) -> web.Response:
        self._authorize(request, Side.QUERY)
        listed = [{"id": name, "object": "model"} for name in self._models]
        return web.json_response({"object": "list", "data": listed})

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _show_invoice(self, request: web.Request) -> web.Response:
        self._authorize(request, Side.QUERY, self.control)
        return web.json_response({"tasks": [line.body() for line in self.invoice]})

    # ---------------------------------------------------------------- files

    async def _upload(self, request: web.Request) -> web.Response:
        self._authorize(request, Side.QUERY)
        try:
            async with asyncio.timeout(UPLOAD_S):
                upload = await self._received(request)
        except BadUpload as bad:
            said = {"success": False, "code": bad.status, "msg": bad.message, "data": None}
            return web.json_response(said, status=bad.status)
        return web.json_response(upload.body(self.base_url))

    async def _received(self, request: web.Request) -> Any:
        if request.content_type != "multipart/form-data":
            raise BadUpload(400, "Not a multipart form")
        fields: dict[str, str] = {}
        draft: Draft | None = None
        original = ""
        try:
            async for part in await request.multipart():
                if not isinstance(part, BodyPartReader):
                    raise BadUpload(400, "Forms within forms are not taken")
                if part.name != "file":
                    fields[(part.name or "").replace("_", "").lower()] = await _field(part)
                    continue
                if draft is not None:
                    raise BadUpload(400, "One file per request")
                original = (part.filename or "")[:255]
                draft = await self._uploads.take_in(_chunks(part))
            if draft is None:
                raise BadUpload(400, "No file given")
            return self._uploads.keep(
                draft, original=original, name=fields.get("filename", ""), upload_path=fields.get("uploadpath", "")
            )
        except BaseException as fault:
            if draft is not None:
                draft.discard()
            if isinstance(fault, ValueError | AssertionError | RuntimeError):  # aiohttp's words for a broken form
                raise BadUpload(400, "The form cannot be read") from None
            raise

    async def _file(self, request: web.Request) -> web.StreamResponse:
        upload = self._uploads.find(request.match_info["id"], request.match_info["name"])
        if upload is None:
            raise Refusal(404, Side.QUERY, code="file_not_found", message="File not found or expired", param="")
        return web.FileResponse(upload.path, headers={"Content-Type": upload.media_type})

    async def _quota(self, request: web.Request) -> web.Response:
        self._authorize(request, Side.QUERY)
        return web.json_response(self._uploads.quota())

    # ---------------------------------------------------------------- mishaps

    def _unlucky(self, reply: Reply) -> web.Response:
        if reply.raw is None:
            answer = self._refused(reply.refusal)
        else:
            answer = web.Response(body=reply.raw.encode(), status=reply.status, content_type=reply.content_type)
        answer.headers.update(reply.headers)
        return answer

    async def _spoiled(self, request: web.Request, path: Path, how: Spoiled) -> web.StreamResponse:
        if how in (Spoiled.GONE, Spoiled.FORBIDDEN):
            raise Refusal(int(how), Side.QUERY, param="")
        if how is Spoiled.HTML:
            return web.Response(text="<!doctype html><title>Sign in</title>", content_type="text/html")
        clip = await asyncio.to_thread(path.read_bytes)
        half = clip[: len(clip) // 2]
        if how is Spoiled.SHORT:
            return web.Response(body=half, content_type="video/mp4")
        answer = web.StreamResponse(headers={"Content-Type": "video/mp4", "Content-Length": str(len(clip))})
        await answer.prepare(request)
        await answer.write(half)
        _hung_up(request)
        return answer


async def serve(emulator: Emulator, started: Callable[[Emulator], None], stop: asyncio.Event) -> None:
    """Runs the emulator until `stop` is set; `started` is called once it answers."""
    async with emulator:
        started(emulator)
        await stop.wait()


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except BaseException:
        listening.close()
        raise
    return listening


def _of_aiohttp(raised: web.HTTPException) -> Refusal:
    match raised.status:
        case 404:
            return Refusal(404, code="not_found", message="Not found", param="")
        case 405 | 413:
            return Refusal(raised.status)
        case status if 400 <= status < 500:
            return Refusal(400, param="")
        case _:
            return Refusal(500)


def _hung_up(request: web.Request) -> web.Response:
    """Ends the connection at once; what is returned finds nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _json_bytes(request: web.Request) -> bytes:
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise Refusal(400, message="Invalid request format: Content-Type is not application/json", param="")
    try:
        async with asyncio.timeout(READ_S):
            return await request.read()
    except TimeoutError:
        raise Refusal(408) from None


async def _field(part: BodyPartReader) -> str:
    read = bytearray()
    async for chunk in _chunks(part):
        read += chunk
        if len(read) > FIELD_BYTES:
            raise BadUpload(400, "A form field is too long")
    return read.decode()


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(1 << 16):
        yield chunk
