"""A clock, a ledger and a provider that do what a test says, in virtual time and without a socket."""

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from actions import request

from runner.core.errors import NotRecorded, TaskHeld
from runner.core.lifecycle import Event
from runner.core.media import ClipFacts
from runner.core.request import Request
from runner.execution.desk import Desk
from runner.execution.execute import Job, execute
from runner.execution.pace import Poll
from runner.execution.ports import Notice, What
from runner.execution.purse import Purse
from runner.execution.room import Room
from runner.execution.throttle import Throttle
from runner.planning.history import Entry, Purchase, apply
from runner.providers.provider import Completed, Failure, Polled, Receipt, Submitted

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
CLIP = ClipFacts(
    sha256="c" * 64,
    size_bytes=1000,
    width_px=1280,
    height_px=720,
    duration_s=Fraction(5),
    fps=Fraction(24),
    frames=120,
    codec="h264",
)


class FakeClock:
    """Time stands still while anything can still be done, then jumps to the next sleeper's end."""

    def __init__(self) -> None:
        self._now_s, self._count, self._ticking = 0.0, 0, False
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self._now_s)

    def monotonic(self) -> float:
        return self._now_s

    def skip(self, seconds: float) -> None:
        """So much later, at once."""
        self._now_s += seconds

    async def sleep(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now_s + max(seconds, 0), self._count, future))
        if not self._ticking:
            self._ticking = True
            loop.call_soon(self._tick)
        await future

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if not self._sleepers:
            self._ticking = False
            return
        if not loop._ready:  # type: ignore[attr-defined] # this callback was the last: nobody else can go on
            self._now_s, _, future = heapq.heappop(self._sleepers)
            future.set_result(None)
        loop.call_soon(self._tick)


Step = Callable[[str], None]


class Steps:
    """Every await of the fakes is a step with a name; `at` says what happens at which, counted from 1."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.at: dict[int, Callable[[], None]] = {}
        self.dead = False

    async def __call__(self, name: str) -> None:
        if not self.dead:
            self.names.append(name)
            if act := self.at.get(len(self.names)):
                act()
        if self.dead:
            await asyncio.Event().wait()  # a killed process does nothing any more
        await asyncio.sleep(0)


class MemoryLedger:
    """The journal's rules without a file. `refuse` names the events that cannot be made durable."""

    def __init__(self, steps: Steps, entries: Iterable[Entry] = (), log: list[str] | None = None) -> None:
        self._steps = steps
        self.entries: list[Entry] = []
        self.durations: list[tuple[str, str, float]] = []
        self.refuse: set[Event] = set()
        self.log = log if log is not None else []
        self._purchases: dict[tuple[str, int], Purchase] = {}
        self._tasks: set[tuple[str, str, str]] = set()
        for one in entries:
            self._add(one)

    async def record(self, *entries: Entry) -> None:
        await self._steps("before " + " ".join(one.event.value for one in entries))
        for one in entries:
            if one.event in self.refuse:
                raise NotRecorded("database or disk is full")
            self._add(one)
            self.log.append(f"{one.event.value} {one.key}")
        await self._steps("after " + " ".join(one.event.value for one in entries))

    async def note_duration(self, model: str, service: str, seconds: float) -> None:
        await self._steps("duration")
        self.durations.append((model, service, seconds))

    def _add(self, one: Entry) -> None:
        place = (one.key, one.purchase)
        after = apply(self._purchases.get(place), one)
        if one.event is Event.RECEIPT:
            task = (after.intent.service, after.intent.account, one.task_id or "")
            if task in self._tasks:
                raise TaskHeld(f"task {one.task_id} already belongs to another purchase")
            self._tasks.add(task)
        self.entries.append(one)
        self._purchases[place] = after

    def history(self) -> dict[str, tuple[Purchase, ...]]:
        found: dict[str, list[Purchase]] = defaultdict(list)
        for (key, _), purchase in sorted(self._purchases.items()):
            found[key].append(purchase)
        return {key: tuple(made) for key, made in found.items()}

    def purchase(self, key: str, number: int = 1) -> Purchase:
        return self._purchases[key, number]


@dataclass(frozen=True, slots=True)
class Post:
    key: str
    body: bytes
    idempotency_key: str
    at_s: float


class ScriptedApi:
    """Answers as it is told, else with success. Answers are taken in turn, the last stays; an exception is raised.

    `posted` by key, `polled` by task id (the n-th task of key k is `task-k-n`), `fetched` by link, `uploaded` by take.
    """

    def __init__(self, clock: FakeClock, steps: Steps, log: list[str]) -> None:
        self._clock, self._steps, self.log = clock, steps, log
        self.posted: dict[str, list[Submitted | BaseException]] = {}
        self.polled: dict[str, list[Polled | BaseException]] = {}
        self.fetched: dict[str, list[ClipFacts | BaseException]] = {}
        self.uploaded: dict[str, list[Mapping[str, str] | BaseException]] = {}
        self.posts: list[Post] = []
        self.polls: list[tuple[str, float]] = []
        self.fetches: list[tuple[str, float]] = []
        self.post_s, self.fetch_s = 0.0, 0.0
        self.under_way = self.most_under_way = 0

    async def submit(self, *, path: str, body: bytes, idempotency_key: str, request: Request) -> Submitted:
        self.posts.append(Post(request.key, body, idempotency_key, self._clock.monotonic()))
        self.log.append(f"post {request.key}")
        await self._steps("post")
        if self.post_s:
            await self._clock.sleep(self.post_s)
        number = sum(1 for post in self.posts if post.key == request.key)
        said = _next(
            self.posted.get(request.key), Receipt(task_id=f"task-{request.key}-{number}", eta_s=None, reserved=None)
        )
        await self._steps("answer")
        return said

    async def poll(self, task_id: str) -> Polled:
        self.polls.append((task_id, self._clock.monotonic()))
        self.log.append(f"poll {task_id}")
        await self._steps("poll")
        return _next(self.polled.get(task_id), Completed(links=(f"https://cdn.example/{task_id}.mp4",), charged=None))

    async def upload(self, request: Request, told: Callable[[str, int], None]) -> Mapping[str, str]:
        await self._steps("upload")
        return _next(self.uploaded.get(request.take), {})

    async def fetch(self, link: str, name: str) -> ClipFacts:
        self.fetches.append((link, self._clock.monotonic()))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self._steps("fetch")
            if self.fetch_s:
                await self._clock.sleep(self.fetch_s)
            return _next(self.fetched.get(link), CLIP)
        finally:
            self.under_way -= 1


Answer = TypeVar("Answer")


def _next(said: list[Answer | BaseException] | None, otherwise: Answer) -> Answer:
    answer = otherwise if not said else said.pop(0) if len(said) > 1 else said[0]
    if isinstance(answer, BaseException):
        raise answer
    return answer


@dataclass(slots=True)
class FakeDisk:
    """Has as much room as it says."""

    free: int = 10**15

    def free_bytes(self) -> int:
        return self.free


@dataclass(slots=True)
class World:
    """A desk of fakes and all that can be seen of it. `log` holds what became durable and what went out, in order."""

    clock: FakeClock
    steps: Steps
    log: list[str]
    ledger: MemoryLedger
    api: ScriptedApi
    desk: Desk
    notices: list[Notice] = field(default_factory=list)

    async def run(self, *jobs: Job) -> None:
        await execute(self.desk, jobs)

    def purchase(self, key: str = "a", number: int = 1) -> Purchase:
        return self.ledger.purchase(key, number)

    def posts(self, key: str = "a") -> list[Post]:
        return [post for post in self.api.posts if post.key == key]

    def told(self, *whats: What) -> list[str]:
        return [notice.text for notice in self.notices if notice.what in whats]


def world(entries: Iterable[Entry] = (), *, limit: str | None = None, slots: int = 10, **rules: Any) -> World:
    """`limit` in credits, `slots` tasks under way at once; `rules` are the desk's. Made inside a running loop."""
    clock, steps, log = FakeClock(), Steps(), list[str]()
    ledger = MemoryLedger(steps, entries, log)
    api = ScriptedApi(clock, steps, log)
    notices: list[Notice] = []
    told: dict[str, Any] = {
        "throttle": Throttle(clock, limit=slots, rate_per_s=None, random=lambda: 0.0),
        "room": Room(FakeDisk(), 0),
        "poll": Poll(floor_s=5, ceiling_s=15),
        "storyboard": "film",
        "service": "evolink",
        "account": "a",
        "free": False,
        "deadline_s": 1800,
        "retries": 0,
        "learned": {},
        **rules,
    }
    purse = Purse(None if limit is None else Decimal(limit))
    desk = Desk(api=api, ledger=ledger, clock=clock, watch=notices.append, purse=purse, **told)
    return World(clock, steps, log, ledger, api, desk, notices)


def buy(key: str = "a", *, price: str | None = "25.5", model: str = "m", number: int = 1) -> Job:
    cost = None if price is None else Decimal(price)
    return Job(takes=(f"{key}.1",), request=request(f"{key}.1", model, key=key, price=cost), number=number)


def resume(purchase: Purchase, *, price: str | None = "25.5") -> Job:
    """As a plan would resume it: with the request, so that it may be bought again."""
    wanted = buy(purchase.key, price=price, number=purchase.number + 1)
    return Job(takes=wanted.takes, request=wanted.request, number=wanted.number, purchase=purchase)


def failed(code: str = "service_error", *, transient: bool = True, **more: Any) -> Failure:
    told: dict[str, Any] = {"message": "it broke", "cancelled": False, "released": False, "charged": None, **more}
    return Failure(code=code, transient=transient, **told)


def crashes(group: BaseException) -> list[BaseException]:
    assert isinstance(group, ExceptionGroup)
    return list(group.exceptions)
