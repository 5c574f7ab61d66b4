"""A paid service with an invoice, in memory: what a run does to it may be cut short anywhere, and is judged by the invoice."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from actions import request, take
from fakes import CLIP, FakeClock, Steps, World, world

from runner.core.errors import NotFetched
from runner.core.lifecycle import ENDED, OPEN, UNTAKEN, State
from runner.core.media import ClipFacts
from runner.core.request import Request
from runner.execution.execute import Job, execute
from runner.planning import plan as plans
from runner.planning import recovery
from runner.planning.history import Entry, fold
from runner.planning.plan import Act, Wishes
from runner.providers.provider import (
    Completed,
    Failure,
    Gone,
    Missed,
    NotTaken,
    Polled,
    Progress,
    Receipt,
    Refusal,
    Submitted,
    Unclear,
)
from runner.steps import generate

PRICE = Decimal("25.5")

# What becomes of one POST: whether it is taken, and what is said.
RECEIPT, LOST, UNSURE, BUSY, REFUSED, KEY = "receipt", "taken unheard", "unsure", "busy", "refused", "key"
POSTS = (RECEIPT, LOST, UNSURE, BUSY, REFUSED, KEY)
# What becomes of one task.
DONE, SLOW, FAILS, BREAKS, RELEASED, GONE, EMPTY, DEAD, SPOILT = (
    "done", "slow", "fails", "breaks", "breaks, released", "gone", "empty", "dead link", "spoilt"
)  # fmt: skip
COURSES = (DONE, SLOW, FAILS, BREAKS, RELEASED, GONE, EMPTY, DEAD, SPOILT)


@dataclass(slots=True)
class Task:
    key: str
    idempotency_key: str
    course: str
    polls: int = 0
    fetches: int = 0

    @property
    def owed(self) -> Decimal:
        return Decimal(0) if self.course == RELEASED else PRICE


@dataclass(slots=True)
class Market:
    """The service itself: it outlives every run. `posts` and `courses` are used up in turn; then all goes well."""

    posts: list[str] = field(default_factory=list)
    courses: list[str] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    sent: list[tuple[str, bytes, str]] = field(default_factory=list)  # idempotency key, body, what became of it

    def heal(self) -> None:
        """From now on everything goes well that still can."""
        self.posts, self.courses = [], []
        for task in self.tasks.values():
            if task.course in (SLOW, DEAD, SPOILT):
                task.course = DONE

    def bought(self, key: str) -> list[Task]:
        return [task for task in self.tasks.values() if task.key == key]


class Till:
    """The market as one run reaches it. Fulfils `execution.ports.Api`."""

    def __init__(self, market: Market, clock: FakeClock, steps: Steps) -> None:
        self._market, self._clock, self._steps = market, clock, steps

    async def submit(self, *, path: str, body: bytes, idempotency_key: str, request: Request) -> Submitted:
        market = self._market
        await self._steps("post leaves")
        await self._clock.sleep(1)
        fate = market.posts.pop(0) if market.posts else RECEIPT
        market.sent.append((idempotency_key, body, fate))
        task_id = f"t{len(market.tasks)}"
        if fate in (RECEIPT, LOST):
            course = market.courses.pop(0) if market.courses else DONE
            market.tasks[task_id] = Task(request.key, idempotency_key, course)
        await self._steps("post is answered")
        await self._clock.sleep(1)
        match fate:
            case "receipt":
                return Receipt(task_id=task_id, eta_s=20, reserved=PRICE)
            case "busy":
                return NotTaken(reason="HTTP 429", retry_after_s=None, pressed=True)
            case "refused":
                return Refusal(code="content_filter", message="no", for_key=False)
            case "key":
                return Refusal(code="key_disabled", message="no", for_key=True)
            case _:
                return Unclear(reason="no answer in time")

    async def poll(self, task_id: str) -> Polled:
        await self._steps("poll")
        task = self._market.tasks[task_id]
        task.polls += 1
        match task.course:
            case "slow":
                return Progress(status="processing", percent=1)
            case "fails":
                return _failure("content_policy_violation", transient=False)
            case "breaks":
                return _failure("service_error", transient=True)
            case "breaks, released":
                return _failure("service_error", transient=True, released=True)
            case "gone":
                return Gone(message="not found")
            case "empty":
                return Completed(links=(), charged=None)
            case _ if task.polls % 3 == 1:
                return Missed(reason="no answer", retry_after_s=None, for_key=False)
            case _:
                return Completed(links=(f"https://cdn.example/{task_id}",), charged=PRICE)

    async def upload(self, request: Request, told: Callable[[str, int], None]) -> Mapping[str, str]:
        await self._steps("upload")
        return {}

    async def fetch(self, link: str, name: str) -> ClipFacts:
        await self._steps("fetch")
        await self._clock.sleep(2)
        task = self._market.tasks[link.rpartition("/")[2]]
        task.fetches += 1
        if task.course == DEAD:
            raise NotFetched("HTTP 403", dead=True)
        if task.course == SPOILT:
            raise NotFetched("what arrived is no clip")
        await self._steps("fetched")
        return CLIP


def _failure(code: str, *, transient: bool, released: bool = False) -> Failure:
    return Failure(code=code, message="m", transient=transient, cancelled=False, released=released, charged=None)


Cuts = Mapping[int, str]  # at which step what happens: "kill", "cancel", "leave"


@dataclass(slots=True)
class Ended:
    """One run as it ended: what became durable, and the names of its steps."""

    entries: list[Entry]
    steps: list[str]
    killed: bool
    made: World


def run(
    market: Market,
    entries: Iterable[Entry],
    keys: Sequence[str],
    *,
    cuts: Cuts | None = None,
    retries: int = 0,
    retry: bool = False,
    limit: Decimal | None = None,
) -> Ended:
    """One whole run over the journal's `entries`, planned as the command plans it, and cut short at the steps in `cuts`."""
    return asyncio.run(_run(market, list(entries), keys, cuts or {}, retries=retries, retry=retry, limit=limit))


async def _run(
    market: Market,
    entries: list[Entry],
    keys: Sequence[str],
    cuts: Cuts,
    *,
    retries: int,
    retry: bool,
    limit: Decimal | None,
) -> Ended:
    made = world(slots=2, retries=retries, deadline_s=600, limit=None if limit is None else str(limit))
    history = fold(entries)
    recovered = recovery.entries(history, at="2026-11-20T08:00:00.000Z", ephemeral=lambda _: False, here=lambda _: True)
    ledger = type(made.ledger)(made.steps, [*entries, *recovered])
    api = Till(market, made.clock, made.steps)
    object.__setattr__(made.desk, "ledger", ledger)
    object.__setattr__(made.desk, "api", api)
    made.ledger = ledger
    work = asyncio.ensure_future(execute(made.desk, jobs(ledger.history(), keys, retry=retry)))
    dead = asyncio.Event()

    def kill() -> None:
        made.steps.dead = True
        dead.set()

    acts: Mapping[str, Any] = {
        "kill": kill,
        "cancel": work.cancel,
        "leave": lambda: made.desk.halt.leaving("stopped by SIGINT"),
    }
    made.steps.at = {step: acts[what] for step, what in cuts.items()}
    dying = asyncio.ensure_future(dead.wait())
    await asyncio.wait({work, dying}, return_when=asyncio.FIRST_COMPLETED)
    dying.cancel()
    if work.done():
        try:
            work.result()
        except asyncio.CancelledError:
            assert "cancel" in cuts.values()
    return Ended(list(ledger.entries), made.steps.names, dead.is_set(), made)


def jobs(history: Mapping[str, Any], keys: Sequence[str], *, retry: bool) -> tuple[Job, ...]:
    """As the command comes to them: plan, open purchases nobody asks for, ends to be asked about once more."""
    takes = [take(f"{key}.1") for key in keys]
    asked = {f"{key}.1": request(f"{key}.1", key=key, price=PRICE) for key in keys}
    wishes = Wishes(selected=lambda _: True, retried=lambda _: retry)
    facts = plans.Facts(wishes=wishes, here=lambda _: True, last_inputs=lambda _: None)
    plan = plans.make(takes, asked, history, facts)
    resumed = [a.purchase for a in plan.actions if a.act is Act.RESUME]
    open_ones = [p for made in history.values() for p in made if p.state in OPEN and p not in resumed]
    return generate.jobs(plan, open_ones, recovery.asked_again(history, "evolink"))


def judge(market: Market, entries: Sequence[Entry], *, retries: int = 0, retried: int = 0) -> None:
    """The invoice against the ledger: nothing was bought twice, and nothing that was taken is taken for untaken."""
    history = fold(entries)
    intents = {p.intent.idempotency_key: p for made in history.values() for p in made}
    for task in market.tasks.values():
        purchase = intents[task.idempotency_key]  # no POST without its intent
        assert purchase.state not in UNTAKEN, f"{task} is {purchase.state}"
    for key, made in history.items():
        tasks = market.bought(key)
        assert len({task.idempotency_key for task in tasks}) == len(tasks), "one intent was bought twice"
        # Each purchase but the last that was taken ended in a way that lets it be bought again.
        taken = [p for p in made if p.state not in UNTAKEN]
        for earlier in taken[:-1]:
            assert earlier.state in ENDED | {State.DONE}, (
                f"{key} was bought again beside a purchase that is {earlier.state}"
            )
            assert (retries and (earlier.error or {}).get("transient")) or retried, f"{key} was bought again unasked"
        assert len(taken) <= 1 + retries + retried * (1 + retries)
    sends = Counter(p for p, _, _ in market.sent)
    for idempotency_key, times in sends.items():
        told = [(body, fate) for p, body, fate in market.sent if p == idempotency_key]
        assert times <= 6
        assert len({body for body, _ in told}) == 1
        assert all(fate == BUSY for _, fate in told[:-1]), "sent again after an answer that may have been a receipt"
    ledger = sum(p.committed for made in history.values() for p in made)
    assert ledger >= sum(task.owed for task in market.tasks.values())
