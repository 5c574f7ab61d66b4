"""The emulator as a whole: what it is made of, and its life from listening to leaving nothing behind.

async with Emulator(models, folder, key=key, workers=2) as emulator:
    ...  # emulator.base_url answers
"""

import asyncio
import json
import logging
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from runner.adapters.media import Probe
from runner.contract.model import Model
from runner.core.network import Reach, verdict
from runner.emulator import openapi
from runner.emulator.accounts import Accounts
from runner.emulator.board import Board
from runner.emulator.callbacks import callbacks
from runner.emulator.clock import Clock
from runner.emulator.disk import Disk
from runner.emulator.door import Door
from runner.emulator.fetch import fetcher
from runner.emulator.filing import Filing
from runner.emulator.gate import Gate
from runner.emulator.holders import PLAY_MONEY, Holder, Key, Limits
from runner.emulator.intake import CALLBACK
from runner.emulator.invoice import Line
from runner.emulator.job import Job
from runner.emulator.order import Order
from runner.emulator.page import Page
from runner.emulator.references import References
from runner.emulator.renderer import render
from runner.emulator.routes import Routes
from runner.emulator.scenarios import Scenarios
from runner.emulator.script import Callback, Script
from runner.emulator.shelf import Shelf
from runner.emulator.store import Store
from runner.emulator.studio import Studio
from runner.emulator.switches import Switches
from runner.emulator.uploads import Uploads
from runner.emulator.works import Works

GOODBYE_S = 0.5  # for answers under way when the emulator ends
PROBE_S = 60  # for one reference
PATIENCE_S = 75.0  # with a connection that says nothing, or not all of what it wants
BACKLOG = 1024  # connections not yet taken up
_SKIPPED = "skipped seconds"
_REFERENCES = "references"

# What cannot be read as HTTP at all is answered by the library; it must not talk to the terminal of the process around it.
_QUIET = logging.getLogger("runner.emulator")
_QUIET.addHandler(logging.NullHandler())


class Emulator:
    """The video API on this machine, between `async with`. May run in the event loop of its only client.

    `models` are the models offered, by name; `folder` exists and belongs to the caller: what is written there goes when
    the emulator does, but for one with a `store`. `host` is a loopback address, `port` 0 any free port. `workers` is how many clips are rendered at
    once. `allow_private` lets reference URLs lead into private networks and to other servers of this machine. `control`
    is what the endpoints below /_emulate want in place of a key (made up if not given). `clock` gives unix seconds, for
    expiry and prices; `log` takes one line a request.

    `key` is what clients must show, of an account named default with `balance` credits and these `limits`; None: there is
    no such account. `accounts` are further ones. Tasks and files of one are not there for the other. `switches` say how the
    service behaves where nobody knows it, `script` and `scenarios` what goes wrong. `render` makes the clips, each in a thread, and raises
    BadMedia. `page` serves a page at / that shows all this, to who has the control token. `callback_authority` is a
    PEM file whose certificates callbacks trust too. `patience_s` is how long a connection may stay open without a whole request.

    `store` are books that outlive the emulator, and then `folder` is its own and its files do too; the caller closes them.
    `max_disk` is how many bytes clips and uploads may take together.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        folder: Path,
        *,
        key: str | None,
        workers: int,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_private: bool = False,
        switches: Switches | None = None,
        script: Script | None = None,
        scenarios: Scenarios | None = None,
        control: str | None = None,
        balance: Decimal = PLAY_MONEY,
        accounts: Sequence[Holder] = (),
        limits: Limits | None = None,
        render: Callable[[Order, Path], None] = render,
        page: bool = False,
        callback_authority: str | None = None,
        patience_s: float = PATIENCE_S,
        store: Store | None = None,
        max_disk: int | None = None,
        clock: Callable[[], float] = time.time,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        if verdict(host) is not Reach.LOOPBACK:
            raise ValueError(f"{host} is no loopback address")
        if workers < 1:
            raise ValueError("an emulator needs at least one worker")
        own = () if key is None else (Holder(keys=(Key(secret=key),), credits=balance, limits=limits or Limits()),)
        self._switches = switches or Switches()
        self._accounts = Accounts((*own, *accounts), self._switches)
        self.key = self._accounts.each()[0].holder.keys[0].secret
        self.control = control or secrets.token_urlsafe(24)
        self._models, self._folder, self._host, self._wanted_port = models, folder, host, port
        self._workers, self._allow_private = workers, allow_private
        self._script, self._scenarios = script or Script(), scenarios
        self._base_clock, self._given, self._max_disk = clock, store, max_disk
        self._render, self._with_page, self._callback_authority = render, page, callback_authority
        self._patience_s = patience_s
        self._log = lambda line: log(_printable(line))
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
        """What every task of every account cost, in the order of their creates."""
        return self._studio.invoice()

    @property
    def seen(self) -> Mapping[tuple[int, str], int]:
        """How many creates bore each idempotency key, by the account's number and the key, whatever became of them."""
        return dict(self._studio.seen)

    @property
    def openapi(self) -> Mapping[str, Any]:
        """The OpenAPI document of what is served."""
        return openapi.document(self._models, self.base_url, self._switches, page=self._with_page)

    @property
    def honest(self) -> bool:
        """Whether no script spoils an answer."""
        return not self._script.mishaps and self._scenarios is None

    def advance(self, seconds: float) -> None:
        """Skip so many seconds: links die, tasks go, holds end. Within the emulator's event loop only. Raises ValueError."""
        self._clock.advance(seconds)

    def _call_back(self, job: Job) -> None:
        """After billing: the very body that a query gets, if somebody wants to hear it."""
        url = job.asked.body.get(CALLBACK)
        if not url or self._switches.callbacks == "none":
            return
        body = json.dumps(self._studio.told(job)).encode()
        planned = job.script.over(self._script).on_task(Callback, job.task.number, job.task.label)
        for _ in range(planned.copies if planned else 1):
            self._callbacks.post(job.task.id, url, body, planned.seconds if planned else 0.0)

    async def _open(self, stack: AsyncExitStack) -> None:
        scenarios = self._scenarios or Scenarios()
        work, store = await self._opened_books(stack)
        self._clock = Clock(
            self._base_clock,
            skipped_s=float(store.word(_SKIPPED) or 0),
            told=lambda seconds: store.remember(_SKIPPED, repr(seconds)),
        )
        listening = stack.enter_context(_listen(self._host, self._wanted_port))
        port: int = listening.getsockname()[1]
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.base_url = f"http://{shown}:{port}"
        probe = Probe(wall_s=PROBE_S, processor_s=PROBE_S)
        stack.push_async_callback(asyncio.to_thread, probe.close)  # waits for a file being looked at
        fetching = await stack.enter_async_context(fetcher((self._host, port), allow_private=self._allow_private))
        stack.callback(self._clock.close)
        disk = Disk(self._max_disk)
        shelf = Shelf(work / "clips", store, disk, self._switches, self._clock.now)
        jobs = store.jobs(self._models, self._accounts)
        shelf.restore(jobs)
        works = Works(
            store,
            shelf,
            References(work / "references", fetching, probe, disk),
            workers=self._workers,
            script=self._script,
            clock=self._clock,
            refunds=self._switches.refunds,
            render=self._render,
            log=self._log,
        )
        await stack.enter_async_context(works.opened())
        self._studio = Studio(
            self._models,
            works,
            store,
            disk,
            base_url=self.base_url,
            switches=self._switches,
            script=self._script,
            scenarios=scenarios,
            clock=self._clock,
        )
        self._callbacks = await stack.enter_async_context(
            callbacks(
                self._clock,
                self._log,
                loopback=self._switches.callbacks == "loopback",
                authority=self._callback_authority,
            )
        )
        works.settled = self._call_back
        self._studio.restore(jobs, store.seen(), self._accounts)
        gate = Gate(
            self._accounts,
            names={f"{shown}:{port}", f"localhost:{port}"},
            control=self.control,
            switches=self._switches,
            clock=self._clock,
        )
        uploads = Uploads(work / "uploads", store, disk, self._switches, self._clock.now)
        uploads.restore(store.uploads(work / "uploads"))
        board = Board(self._studio, self._accounts, self._clock)
        routes = Routes(
            self._studio,
            gate,
            Filing(
                gate,
                uploads,
                fetching,
                base_url=self.base_url,
                script=self._script,
                scenarios=scenarios,
                switches=self._switches,
            ),
            base_url=self.base_url,
            switches=self._switches,
            clock=self._clock,
            log=self._log,
            callbacks=self._callbacks,
            page=Page(gate, self._studio, board) if self._with_page else None,
        )
        options: dict[str, Any] = {"access_log": None, "logger": _QUIET, "auto_decompress": False}
        server = web.AppRunner(routes.application(), shutdown_timeout=GOODBYE_S, **options)
        stack.push_async_callback(server.cleanup)
        await server.setup()
        loop, behind = asyncio.get_running_loop(), server.server
        assert behind is not None

        def door() -> Door:
            profile, patience_s = self._switches.profile, self._patience_s
            return Door(behind, loop=loop, profile=profile, keepalive_timeout=patience_s, **options)

        stack.callback((await loop.create_server(door, sock=listening, backlog=BACKLOG)).close)
        for job in jobs:
            works.resume(job)  # not before: its references may lie here

    async def _opened_books(self, stack: AsyncExitStack) -> tuple[Path, Store]:
        """Where files lie, and the books."""
        if self._given is not None:
            await asyncio.to_thread(_make_room, self._folder)
            return self._folder, self._given
        work = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="emulator-", dir=self._folder))
        stack.push_async_callback(asyncio.to_thread, shutil.rmtree, work, ignore_errors=True)
        await asyncio.to_thread(_make_room, work)
        store = Store()
        stack.callback(store.close)
        return work, store


def _make_room(work: Path) -> None:
    """The folders of an emulator; references are fetched anew."""
    shutil.rmtree(work / _REFERENCES, ignore_errors=True)
    for name in ("clips", _REFERENCES, "uploads"):
        (work / name).mkdir(mode=0o700, exist_ok=True)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except BaseException:
        listening.close()
        raise
    return listening


def _printable(line: str) -> str:
    """A log line holds no control, bidi or line-break character, whoever wrote its parts."""
    return "".join(c if c.isprintable() else "\ufffd" for c in line)
