"""The emulator as a whole: what it is made of, and its life from listening to leaving nothing behind.

async with Emulator(models, folder, key=key, workers=2) as emulator:
    ...  # emulator.base_url answers
"""

import asyncio
import logging
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from runner.adapters.media import Probe
from runner.contract.model import Model
from runner.core.network import Reach, verdict
from runner.emulator.billing import Account
from runner.emulator.fetch import fetcher
from runner.emulator.references import References
from runner.emulator.refusals import Profile
from runner.emulator.routes import Routes
from runner.emulator.script import Script
from runner.emulator.studio import Line, Studio
from runner.emulator.uploads import Uploads
from runner.emulator.works import Works

BALANCE = Decimal(1_000_000)  # free play money
GOODBYE_S = 0.5  # for answers under way when the emulator ends
PROBE_S = 60  # for one reference

# What cannot be read as HTTP at all is answered by the library; it must not talk to the terminal of the process around it.
_QUIET = logging.getLogger("runner.emulator")
_QUIET.addHandler(logging.NullHandler())


class Emulator:
    """The video API on this machine, between `async with`. May run in the event loop of its only client.

    `models` are the models offered, by name; `folder` exists and belongs to the caller: what is written there goes when
    the emulator does. `host` is a loopback address, `port` 0 any free port. `key` is what clients must show, `control`
    what the endpoints below /_emulate want instead (made up if not given). `workers` is how many clips are rendered at
    once. `allow_private` lets reference URLs lead into private networks and to other servers of this machine. `clock`
    gives unix seconds, for expiry and prices; `log` takes one line a request.
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
        self._script, self._balance, self._clock = script or Script(), balance, clock
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
        self.base_url = f"http://{shown}:{port}"
        probe = Probe(wall_s=PROBE_S, processor_s=PROBE_S)
        stack.push_async_callback(asyncio.to_thread, probe.close)  # waits for a file being looked at
        fetching = await stack.enter_async_context(fetcher((self._host, port), allow_private=self._allow_private))
        account = Account(self._balance)
        works = Works(
            work / "clips",
            References(work / "references", fetching, probe),
            account=account,
            workers=self._workers,
            script=self._script,
            clock=self._clock,
            log=self._log,
        )
        await stack.enter_async_context(works.opened())
        self._studio = Studio(
            self._models,
            works,
            account,
            base_url=self.base_url,
            profile=self._profile,
            script=self._script,
            clock=self._clock,
        )
        routes = Routes(
            self._studio,
            account,
            Uploads(work / "uploads", self._clock),
            base_url=self.base_url,
            names={f"{shown}:{port}", f"localhost:{port}"},
            key=self.key,
            control=self.control,
            profile=self._profile,
            log=self._log,
        )
        server = web.AppRunner(
            routes.application(), access_log=None, logger=_QUIET, auto_decompress=False, shutdown_timeout=GOODBYE_S
        )
        stack.push_async_callback(server.cleanup)
        await server.setup()
        await web.SockSite(server, listening).start()


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
