"""The HTTP face of the emulator: routes, keys, envelopes.

Everything but health, the OpenAPI document, results and uploaded files needs a key as a bearer token, what stands below
/_emulate the control token. Only who calls the server by its own name is answered, and no other web page's script.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from runner.emulator import catalogue, downloads, intake, openapi, tasks
from runner.emulator.callbacks import Callbacks
from runner.emulator.clock import Clock
from runner.emulator.downloads import hang_up
from runner.emulator.filing import Filing
from runner.emulator.gate import BODY_BYTES, Gate, json_bytes, not_found
from runner.emulator.page import BOARD, Page
from runner.emulator.refusals import Lack, Refusal, Side
from runner.emulator.script import AmendCreate, Drop, DropPoll, Poll, Reply, Said, Stall
from runner.emulator.store import Unusable
from runner.emulator.studio import Studio
from runner.emulator.switches import Switches
from runner.emulator.works import bug_line

_FILES = "/api/v1/files/"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Routes:
    """Every endpoint of one emulator."""

    def __init__(
        self,
        studio: Studio,
        gate: Gate,
        filing: Filing,
        *,
        base_url: str,
        switches: Switches,
        clock: Clock,
        log: Callable[[str], None],
        callbacks: Callbacks,
        page: Page | None = None,
    ) -> None:
        self._callbacks = callbacks
        self._studio, self._gate, self._filing, self._page = studio, gate, filing, page
        self._base_url, self._switches, self._clock, self._log = base_url, switches, clock, log

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._answered], client_max_size=BODY_BYTES)
        app.add_routes(
            [
                web.get("/healthz", self._health),
                web.get("/openapi.json", self._describe),
                web.get("/v1/catalog/models", self._catalogue_models),
                web.get("/v1/catalog/health", self._catalogue_health),
                web.get("/v1/catalog/pricing-rules", self._prices),
                web.get("/v1/catalog/models/{id}/pricing-rules", self._prices_of),
                web.get("/web/api/models/pricing", self._web_prices),
                web.get("/results/{token}/{name}", self._result),
                web.post("/v1/videos/generations", self._create),
                web.get("/v1/tasks", self._list),
                web.post("/v1/tasks/batch", self._batch),
                web.get("/v1/tasks/{id:(?!batch$)[^/]+}", self._query),
                web.get("/v1/credits", self._credits),
                web.get("/v1/models", self._list_models),
                web.post("/v1/agent-estimates", self._estimate),
                web.get("/_emulate/invoice", self._show_invoice),
                web.get("/_emulate/callbacks", self._show_callbacks),
                web.post("/_emulate/clock", self._advance),
                *self._filing.routes(),
                *(self._page.routes() if self._page else ()),
            ]
        )
        return app

    # ---------------------------------------------------------------- around every route

    @web.middleware
    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every answer that is no success is an envelope; every request is a line of the log."""
        began = time.perf_counter()
        try:
            self._gate.guard(request)
            answer = await handler(request)
        except Refusal as refusal:
            answer = self._refused(refusal)
        except web.HTTPException as raised:
            answer = self._refused(_of_aiohttp(raised), raised.headers.get("Allow"))
        except Unusable as fault:
            self._log(f"the books cannot be written: {fault.reason}")
            answer = self._refused(Refusal(503, message="Service temporarily unavailable: its books cannot be written"))
        except web.RequestPayloadError:
            answer = self._refused(Refusal(400, param=""))
        except ConnectionError:
            raise  # the client went away; there is nobody to answer
        except Exception as bug:  # noqa: BLE001 - no traceback ever leaves
            self._log(f"bug: {bug_line(bug)}")
            answer = self._refused(Refusal(500))
        took_ms = (time.perf_counter() - began) * 1000
        if request.path != BOARD or answer.status != 200:  # the page asks every second
            self._log(f"{request.method} {_masked(request.path)} {answer.status} {took_ms:.0f} ms")
        return answer

    def _refused(self, refusal: Refusal, allow: str | None = None) -> web.Response:
        body, headers = self._envelope(refusal)
        headers |= {"Allow": allow} if allow else {}
        return web.json_response(body, status=refusal.status, headers=headers)

    def _envelope(self, refusal: Refusal) -> tuple[dict[str, Any], dict[str, str]]:
        """Its body and its headers."""
        body, headers = refusal.body(self._switches.profile), refusal.headers
        if refusal.side is Side.QUERY and not self._switches.query_suggestion:
            body["error"].pop("fallback_suggestion", None)
        return body, headers if self._switches.retry_after else {}

    # ---------------------------------------------------------------- the video API

    async def _create(self, request: web.Request) -> web.StreamResponse:
        bearer = self._gate.bearer(request, Side.CREATE)
        wished = intake.wishes(request.headers)
        numbers = self._studio.count(bearer, wished)
        raw = await json_bytes(request)
        mishap, own = self._studio.struck(numbers, raw, wished)
        if isinstance(mishap, Drop) and not mishap.accepted:
            return hang_up(request)
        if isinstance(mishap, Reply) and not mishap.accepted:
            return self._said(mishap, Side.CREATE)
        accepted = self._studio.accept(bearer, raw, wished, own)
        task = accepted.task
        if self._switches.finished_at_submit:
            task = await self._studio.finished(task.id)
        body = tasks.created_body(task, self._switches)
        match mishap:
            case Drop():
                return hang_up(request)
            case Reply():
                return self._said(mishap, Side.CREATE)
            case Stall():
                await self._clock.sleep(mishap.seconds)
            case AmendCreate():
                other = {"id": self._studio.task_id(mishap.id_of)} if mishap.id_of else {}
                body = mishap.applied({**body, **other})
        headers = {"idempotency-replayed": "true"} if accepted.replayed else {}
        return web.json_response(body, headers=headers)

    async def _query(self, request: web.Request) -> web.Response:
        account, faults = self._gate.account(request), request.headers.get(intake.FAULT_HEADER, "")
        return await self._told(request, self._studio.poll(account, request.match_info["id"], faults))

    async def _batch(self, request: web.Request) -> web.Response:
        account = self._gate.account(request, lack=Lack.BATCH)
        found = self._studio.batch(account, intake.batch(await json_bytes(request)))
        return await self._told(request, {"data": found} if isinstance(found, list) else found)

    async def _list(self, request: web.Request) -> web.Response:
        account = self._gate.account(request, lack=Lack.TASK_LIST)
        return web.json_response(self._studio.page(account, intake.page(request.query)))

    async def _result(self, request: web.Request) -> web.StreamResponse:
        if request.method == "HEAD" and not self._switches.head:
            raise web.HTTPMethodNotAllowed("HEAD", ["GET"])
        identifier, _, suffix = request.match_info["name"].rpartition(".")
        faults = request.headers.get(intake.FAULT_HEADER, "")
        name = identifier if suffix == "mp4" else ""
        clip, task, mishap = self._studio.result(request.match_info["token"], name, faults)
        return await downloads.send(request, clip, task, mishap, self._clock)

    async def _credits(self, request: web.Request) -> web.Response:
        return web.json_response(self._gate.bearer(request, lack=Lack.CREDITS).body())

    async def _estimate(self, request: web.Request) -> web.Response:
        bearer = self._gate.bearer(request, lack=Lack.ESTIMATES)
        return web.json_response(self._studio.estimate(bearer, await json_bytes(request)))

    async def _list_models(self, request: web.Request) -> web.Response:
        bearer = self._gate.bearer(request)
        listed = [{"id": name, "object": "model"} for name in self._studio.models if bearer.may(name)]
        return web.json_response({"object": "list", "data": listed})

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _describe(self, request: web.Request) -> web.Response:
        page = self._page is not None
        return web.json_response(openapi.document(self._studio.models, self._base_url, self._switches, page=page))

    # ---------------------------------------------------------------- the catalogue, for everybody

    async def _catalogue_models(self, request: web.Request) -> web.Response:
        return _public(request, catalogue.models(self._studio.models))

    async def _catalogue_health(self, request: web.Request) -> web.Response:
        return _public(request, {"status": "ok", "models": len(self._studio.models)})

    async def _prices(self, request: web.Request) -> web.Response:
        return _public(request, {"object": "list", "data": self._rules()})

    async def _prices_of(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if name not in self._studio.models:
            raise Refusal(404)
        return _public(request, {"object": "list", "data": [rule for rule in self._rules() if rule["model"] == name]})

    async def _web_prices(self, request: web.Request) -> web.Response:
        return _public(request, {"success": True, "message": "", "data": self._rules()})

    def _rules(self) -> list[dict[str, Any]]:
        return catalogue.rules(self._studio.models.values(), self._clock.now())

    # ---------------------------------------------------------------- control

    async def _show_invoice(self, request: web.Request) -> web.Response:
        self._gate.control(request)
        seen = [
            {"account": account, "idempotency_key": key, "times": times}
            for (account, key), times in self._studio.seen.items()
        ]
        return web.json_response({"tasks": [line.body() for line in self._studio.invoice()], "seen": seen})

    async def _show_callbacks(self, request: web.Request) -> web.Response:
        self._gate.control(request)
        return web.json_response({"attempts": [attempt.body() for attempt in self._callbacks.attempts]})

    async def _advance(self, request: web.Request) -> web.Response:
        self._gate.control(request)
        seconds = intake.skip(await json_bytes(request))
        try:
            self._clock.advance(seconds)
        except ValueError as fault:
            raise Refusal(409, Side.QUERY, code="clock_out_of_range", message=str(fault), param="advance_s") from None
        return web.json_response({"now": self._clock.now()})

    # ---------------------------------------------------------------- mishaps

    async def _told(self, request: web.Request, told: dict[str, Any] | Poll | DropPoll) -> web.Response:
        match told:
            case Poll():
                return self._said(told, Side.QUERY)
            case DropPoll():
                await self._clock.sleep(told.seconds)
                return hang_up(request)
        return web.json_response(told)

    def _said(self, said: Said, side: Side) -> web.Response:
        if said.raw is None:
            body, headers = self._envelope(said.refusal(side))
            for name in said.without:
                body["error"].pop(name, None)
                headers.pop(name, None)
            answer = web.json_response(body, status=said.status, headers=headers)
        else:
            answer = web.Response(body=said.raw.encode(), status=said.status, content_type=said.content_type)
        answer.headers.update(said.headers)
        return answer


def _masked(path: str) -> str:
    """The path without the part that makes a link unguessable: links need no key."""
    first, *rest = path.removeprefix("/").split("/", 2)
    if first in ("results", "files") and rest:
        return f"/{first}/.../{rest[-1]}"
    return f"{_FILES}..." if path.startswith(f"{_FILES}file-") else path


def _public(request: web.Request, body: dict[str, Any]) -> web.Response:
    """This body, or that the client has it."""
    headers = {"ETag": catalogue.etag(body), "Cache-Control": "no-cache"}
    if catalogue.known(headers["ETag"], request.headers.get("If-None-Match")):
        return web.Response(status=304, headers=headers)
    return web.json_response(body, headers=headers)


def _of_aiohttp(raised: web.HTTPException) -> Refusal:
    match raised.status:
        case 404:
            return not_found()
        case 405 | 413:
            return Refusal(raised.status)
        case status if 400 <= status < 500:
            return Refusal(400, param="")
        case _:
            return Refusal(500)
