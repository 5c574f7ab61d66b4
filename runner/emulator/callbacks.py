"""Callbacks: where a task's end is posted, how often it is tried, and where it is never sent.

As the API documents say: https only, no internal address, an answer within 10 seconds, three more tries after 1, 2 and 4,
any 2xx is well, anything else is not, and what four tries did not bring is lost. Redirects are not followed. The judge
looks at the address of every connection, since a name proves nothing; what a URL alone betrays is refused at submit.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

from runner.core.network import check_host
from runner.emulator.clock import Clock
from runner.emulator.outward import Forbidden, judged

TIMEOUT_S = 10.0
RETRIES_S = (1.0, 2.0, 4.0)
AT_ONCE = 32
REMEMBERED = 10_000  # attempts, for who asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try, `number` from 1; `status` is None where there was no answer, and `fault` says why."""

    task_id: str
    url: str
    number: int
    at: float
    status: int | None
    fault: str = ""

    @property
    def well(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    def body(self) -> dict[str, Any]:
        said = {"status": self.status, "delivered": self.well, "fault": self.fault or None}
        return {"task_id": self.task_id, "url": self.url, "attempt": self.number, "at": self.at, **said}


class Callbacks:
    """For one event loop; made by `callbacks`."""

    def __init__(self, session: aiohttp.ClientSession, clock: Clock, log: Callable[[str], None]) -> None:
        self._session, self._clock, self._log = session, clock, log
        self._under_way: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(AT_ONCE)
        self.attempts: deque[Attempt] = deque(maxlen=REMEMBERED)

    def post(self, task_id: str, url: str, body: bytes, delay_s: float = 0.0) -> None:
        """Sends it, sooner or later or never; nobody waits for it."""
        sending = asyncio.create_task(self._send(task_id, url, body, delay_s))
        self._under_way.add(sending)
        sending.add_done_callback(self._under_way.discard)

    async def drop(self) -> None:
        """Whatever is not delivered by now is lost."""
        for sending in self._under_way:
            sending.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _send(self, task_id: str, url: str, body: bytes, delay_s: float) -> None:
        if delay_s:
            await self._clock.sleep(delay_s)
        for number, wait_s in enumerate((*RETRIES_S, None), 1):
            async with self._places:
                at = self._clock.now()
                status, fault = await self._once(url, body)
            attempt = Attempt(task_id=task_id, url=url, number=number, at=at, status=status, fault=fault)
            self.attempts.append(attempt)
            self._log(f"callback of {task_id}, try {number}: {status if status is not None else fault}")
            if attempt.well or wait_s is None:
                return
            await self._clock.sleep(wait_s)

    async def _once(self, url: str, body: bytes) -> tuple[int | None, str]:
        """Status, or why there is none. Ten seconds by the emulator's clock, which may be moved on."""
        asking, late = asyncio.create_task(self._ask(url, body)), asyncio.Event()

        def give_up() -> None:
            late.set()
            asking.cancel()

        self._clock.after(TIMEOUT_S, give_up)
        try:
            return await asking, ""
        except asyncio.CancelledError:
            if late.is_set() and asking.cancelled():
                return None, f"no answer within {TIMEOUT_S:.0f} s"
            raise
        except aiohttp.ClientConnectorError as fault:
            return None, _words(fault)
        except (aiohttp.ClientError, OSError, ValueError):
            return None, "the exchange broke off"
        finally:
            asking.cancel()

    async def _ask(self, url: str, body: bytes) -> int:
        headers = {"Content-Type": "application/json", "User-Agent": "shotrunner-emulator"}
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status


@asynccontextmanager
async def callbacks(
    clock: Clock,
    log: Callable[[str], None],
    *,
    loopback: bool,
    authority: str | None = None,
    resolver: AbstractResolver | None = None,
) -> AsyncIterator[Callbacks]:
    """A sender, for as long as it is wanted. `authority` is the path of a PEM file whose certificates are trusted too.

    Raises OSError and ValueError where that file cannot be used.
    """
    trust = await asyncio.to_thread(ssl.create_default_context)
    if authority is not None:
        await asyncio.to_thread(trust.load_verify_locations, authority)
    connector = aiohttp.TCPConnector(
        socket_factory=judged(lambda address, _: check_host(address, allow_loopback=loopback)),
        ssl=trust,
        force_close=True,
        resolver=resolver,
        limit=AT_ONCE,
        use_dns_cache=False,
    )
    quiet = aiohttp.ClientTimeout(total=None)  # the clock of `_once` alone decides
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=quiet, auto_decompress=False
    ) as session:
        sender = Callbacks(session, clock, log)
        try:
            yield sender
        finally:
            await sender.drop()


def _words(failed: aiohttp.ClientConnectorError) -> str:
    match failed:
        case aiohttp.ClientConnectorError(os_error=Forbidden() as forbidden):
            return str(forbidden)
        case aiohttp.ClientConnectorDNSError():
            return "its host has no address"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return "its certificate is not trusted"
        case _:
            return "no connection to its host"
