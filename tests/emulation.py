"""An emulator on a free port, and the plainest client it can have."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp
from openapi import Judge

from runner.adapters import catalog
from runner.emulator.app import Emulator
from runner.emulator.clock import Clock
from runner.emulator.filing import Filing
from runner.emulator.page import Page
from runner.emulator.routes import Routes
from runner.emulator.scenarios import Scenarios
from runner.emulator.script import Script
from runner.emulator.switches import Switches

KEY = "sk-evo-test"
DEADLINE_S = 60.0

# The cheapest lawful bodies.
TEXT = {"model": "wan2.5-text-to-video", "prompt": "a lighthouse", "quality": "480p", "duration": 5}
SEEDED = {"model": "wan2.7-text-to-video", "prompt": "a lighthouse", "duration": 2, "seed": 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`headers` know no case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    json: Any

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["error"]
        return found


class Client:
    """Every call on the emulator's own origin, with its key unless told otherwise; honest answers are held to its OpenAPI document."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator, self._session, self._judge = emulator, session, Judge(emulator.openapi)

    async def call(self, method: str, path: str, *, key: str | None = KEY, **options: Any) -> Answer:
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **options.pop("headers", {})}
        url = path if path.startswith("http") else self.emulator.base_url + path
        async with self._session.request(method, url, headers=headers, **options) as answer:
            content = await answer.read()
            is_json = answer.content_type == "application/json"
            if self.emulator.honest and url.startswith(self.emulator.base_url) and not answer.history:
                kind = answer.headers.get("Content-Type", "")
                faults = self._judge.faults(method, answer.url.raw_path, answer.status, kind, content)
                assert not faults, f"{method} {path}: {faults}"
            return Answer(
                status=answer.status,
                headers=answer.headers,
                content=content,
                json=await answer.json() if is_json else None,
            )

    async def create(self, body: object, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call("POST", "/v1/videos/generations", json=body, headers=named)

    async def poll(self, task_id: str) -> Answer:
        return await self.call("GET", f"/v1/tasks/{task_id}")

    async def task(self, body: object, **headers: str) -> dict[str, Any]:
        """Creates a task and waits for its end."""
        made = await self.create(body, **headers)
        assert made.status == 200, made.content
        return await self.ended(made.json["id"])

    async def ended(self, task_id: str) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                task: dict[str, Any] = (await self.poll(task_id)).json
                if task["status"] in ("completed", "failed"):
                    return task
                await asyncio.sleep(0.02)

    async def rendering(self, task_id: str) -> None:
        """Waits until the task's clip is being rendered, or is done."""
        async with asyncio.timeout(DEADLINE_S):
            while (await self.poll(task_id)).json["progress"] < 40:  # noqa: ASYNC110 - polling is the API
                await asyncio.sleep(0.005)

    async def upload(self, path: Path, **fields: str) -> Answer:
        form = aiohttp.FormData()
        for name, value in fields.items():
            form.add_field(name, value)
        form.add_field("file", io.BytesIO(await asyncio.to_thread(path.read_bytes)), filename=path.name)
        return await self.call("POST", "/api/v1/files/upload/stream", data=form)

    async def uploaded(self, path: Path) -> str:
        """The URL the emulator gives the file."""
        url: str = (await self.upload(path)).json["data"]["file_url"]
        return url


async def until(holds: Callable[[], bool]) -> None:
    """Waits for what another task of this event loop brings about."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)


@asynccontextmanager
async def emulated(folder: Path, **options: Any) -> AsyncIterator[Client]:
    """A client of an emulator of all shipped models; `options` are the emulator's."""
    options = {"key": KEY, "workers": 2, **options}
    async with Emulator(catalog.shipped_models(), folder, **options) as emulator, aiohttp.ClientSession() as session:
        yield Client(emulator, session)


def served_routes() -> set[tuple[str, str]]:
    """Method and path of every route, HEAD left aside."""
    nothing = cast("Any", None)
    switches = Switches()
    filing = Filing(nothing, nothing, nothing, base_url="", script=Script(), scenarios=Scenarios(), switches=switches)
    page = Page(nothing, nothing, nothing)
    routes = Routes(
        nothing, nothing, filing, base_url="", switches=switches, clock=Clock(), log=print, callbacks=nothing, page=page
    )
    return {
        (route.method, route.resource.canonical)
        for route in routes.application().router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
