"""What the workers of one run share."""

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from runner.core.lifecycle import Event
from runner.execution.job import Follow, unchained
from runner.execution.pace import Poll
from runner.execution.ports import Api, Clock, Ledger, Notice, Watcher, What
from runner.execution.purse import Purse
from runner.execution.room import Room
from runner.execution.throttle import Throttle
from runner.execution.trials import Trials
from runner.planning.history import Entry, Purchase, apply

Ended = TypeVar("Ended")

MAX_UNKNOWN = 5  # unknown outcomes of one run after which nothing new is submitted


@dataclass(slots=True)
class Halt:
    """Why nothing new is submitted (`reason`), and whether the run leaves its waiting to a later one (`leave`).

    `stop` is set as soon as nothing new is submitted, so that whatever waits to submit ends its waiting. `later`: nothing is wrong
    with what was left, the same command buys it another time.
    """

    reason: str = ""
    later: bool = False
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    leave: asyncio.Event = field(default_factory=asyncio.Event)

    def submitting(self, reason: str, *, later: bool = False) -> None:
        """Stop new submissions; the first reason stands."""
        if not self.reason:
            self.reason, self.later = reason, later
        self.stop.set()

    def leaving(self, reason: str) -> None:
        """Stop new submissions and leave what is waited for to a later run."""
        self.submitting(reason)
        self.leave.set()

    def why(self) -> str:
        """Why nothing may be submitted now; empty when it may."""
        return self.reason or ("the run was stopped before it was submitted" if self.leave.is_set() else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One run's means and rules. Seconds throughout; `gone_gap_s` lies between two answers that a task is gone for them to count twice;
    a POST whose answer was lost is sent once more within `replay_within_s`, 0 never."""

    api: Api
    ledger: Ledger
    clock: Clock
    watch: Watcher
    purse: Purse
    throttle: Throttle
    room: Room
    poll: Poll
    storyboard: str
    service: str
    account: str
    free: bool
    deadline_s: float
    retries: int
    learned: Mapping[str, Sequence[float]]
    trials: Trials = field(default_factory=Trials)
    follow: Follow = unchained
    halt: Halt = field(default_factory=Halt)
    unknown: list[str] = field(default_factory=list)
    in_flight: set[asyncio.Task[object]] = field(default_factory=set)
    crashes: list[Exception] = field(default_factory=list)
    downloads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    submissions: int = 6  # the first and five repeats
    gone_gap_s: float = 60
    gone_times: int = 3
    max_unknown: int = MAX_UNKNOWN
    replay_within_s: float = 0

    async def record(
        self,
        purchase: Purchase,
        event: Event,
        *,
        task_id: str | None = None,
        charged: Decimal | None = None,
        **detail: object,
    ) -> Purchase:
        """Make an event durable and return the purchase after it."""
        entry = Entry(
            at=stamp(self.clock.now()),
            event=event,
            key=purchase.key,
            purchase=purchase.number,
            task_id=task_id,
            charged=charged,
            detail=detail,
        )
        after = apply(purchase, entry)
        await self.ledger.record(entry)
        self.purse.moved(purchase, after)
        return after

    async def uninterrupted(self, work: Coroutine[None, None, Ended]) -> Ended:
        """Await work in a task that no group owns and nothing here cancels; whoever is cancelled meanwhile leaves it to
        `answered`, which also keeps its fault."""
        task = asyncio.ensure_future(work)
        self.in_flight.add(task)
        task.add_done_callback(self.in_flight.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._keep)
            raise

    async def answered(self) -> None:
        """Wait until nothing is in flight, however often this is cancelled: each has a deadline of its own."""
        cancelled = False
        while self.in_flight:
            try:
                await asyncio.wait(set(self.in_flight))
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError

    def _keep(self, task: asyncio.Task[object]) -> None:
        fault = None if task.cancelled() else task.exception()
        if isinstance(fault, Exception):
            self.crashes.append(fault)

    def tell(
        self,
        what: What,
        takes: tuple[str, ...],
        text: str = "",
        *,
        percent: int | None = None,
        purchase: Purchase | None = None,
    ) -> None:
        self.watch(Notice(what=what, takes=takes, text=text, percent=percent, purchase=purchase))

    async def rest(self, seconds: float) -> bool:
        """Sleep, unless the run leaves first; whether it still stays."""
        return await _unless((self.halt.leave,), self.clock.sleep(seconds))

    async def while_submitting(self, waited: Awaitable[object]) -> bool:
        """Wait for something, unless submitting stops first; whether it still goes on."""
        return await _unless((self.halt.stop, self.halt.leave), waited)


async def _unless(ends: tuple[asyncio.Event, ...], waited: Awaitable[object]) -> bool:
    """Wait for something or for the first of `ends`, whichever comes first; whether none of them has come."""
    waiting = [asyncio.ensure_future(waited)]
    try:
        if not any(end.is_set() for end in ends):
            waiting += [asyncio.ensure_future(end.wait()) for end in ends]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
    return not any(end.is_set() for end in ends)


def stamp(moment: datetime) -> str:
    """UTC, ISO 8601 with milliseconds and Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
