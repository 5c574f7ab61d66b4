"""The HTTP face of the emulator: routes, keys, envelopes.

Everything but health, results and uploaded files needs the key as a bearer token. Only who calls the server by its own
name is answered, and no other web page's script.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from pathlib import Path

from aiohttp import web

from runner.emulator import intake, tasks
from runner.emulator.billing import Account
from runner.emulator.forms import receive
from runner.emulator.refusals import Profile, Refusal, Side
from runner.emulator.script import Drop, Reply, Spoiled, Stall
from runner.emulator.studio import Studio
from runner.emulator.uploads import BadUpload, Uploads
from runner.emulator.works import bug_line

READ_S = 60.0  # for a JSON body to arrive
UPLOAD_S = 600.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Routes:
    """Every endpoint of one emulator. `names` are the values of Host it answers to."""

    def __init__(
        self,
        studio: Studio,
        account: Account,
        uploads: Uploads,
        *,
        base_url: str,
        names: set[str],
        key: str,
        control: str,
        profile: Profile,
        log: Callable[[str], None],
    ) -> None:
        self._studio, self._account, self._uploads = studio, account, uploads
        self._base_url, self._names, self._key, self._control = base_url, names, key, control
        self._profile, self._log = profile, log

    def application(self) -> web.Application:
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
        except web.RequestPayloadError:
            answer = self._refused(Refusal(400, param=""))
        except ConnectionError:
            raise  # the client went away; there is nobody to answer
        except Exception as bug:  # noqa: BLE001 - no traceback ever leaves
            self._log(f"bug: {bug_line(bug)}")
            answer = self._refused(Refusal(500))
        took_ms = (time.perf_counter() - began) * 1000
        self._log(f"{request.method} {_masked(request.path)} {answer.status} {took_ms:.0f} ms")
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
        expected = (key or self._key).encode()
        if scheme.lower() != "bearer" or not compare_digest(shown.strip().encode(errors="surrogateescape"), expected):
            raise Refusal(401, side)

    def _refused(self, refusal: Refusal, allow: str | None = None) -> web.Response:
        headers = refusal.headers | ({"Allow": allow} if allow else {})
        return web.json_response(refusal.body(self._profile), status=refusal.status, headers=headers)

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
        listed = [{"id": name, "object": "model"} for name in self._studio.models]
        return web.json_response({"object": "list", "data": listed})

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _show_invoice(self, request: web.Request) -> web.Response:
        self._authorize(request, Side.QUERY, self._control)
        return web.json_response({"tasks": [line.body() for line in self._studio.invoice()]})

    # ---------------------------------------------------------------- files

    async def _upload(self, request: web.Request) -> web.Response:
        self._authorize(request, Side.QUERY)
        try:
            async with asyncio.timeout(UPLOAD_S):
                upload = await receive(request, self._uploads)
        except BadUpload as bad:
            said = {"success": False, "code": bad.status, "msg": bad.message, "data": None}
            return web.json_response(said, status=bad.status)
        return web.json_response(upload.body(self._base_url))

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


def _masked(path: str) -> str:
    """The path without the part that makes a link unguessable: links need no key."""
    first, *rest = path.removeprefix("/").split("/", 2)
    return f"/{first}/.../{rest[-1]}" if first in ("results", "files") and rest else path


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
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refusal(400, message="Invalid request format: the body is compressed", param="")
    try:
        async with asyncio.timeout(READ_S):
            return await request.read()
    except TimeoutError:
        raise Refusal(408) from None
