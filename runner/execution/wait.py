"""From a receipt to its end at the service."""

from contextlib import suppress
from datetime import datetime
from decimal import Decimal

from runner.core.errors import NotRecorded, TaskHeld
from runner.core.lifecycle import TABLE, Event, State
from runner.execution.desk import Desk
from runner.execution.ports import What
from runner.planning.history import Purchase
from runner.providers.provider import Completed, Failure, Gone, Missed, Polled, Progress

EMPTY_POLLS = 3  # completed without results, in a row, before it counts as failed
SHORTEST_S = 0.001  # before a deadline that is worth another poll
REFUSED_POLLS = 3  # the key refused, in a row, before waiting is left to a later run


class GoneCount:
    """Answers that a task is gone count only with time between them; any other answer starts anew."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._count, self._last = desk, 0, float("-inf")

    def enough(self, told: Polled) -> bool:
        if not isinstance(told, Gone):
            if not isinstance(told, Missed):
                self._count = 0
            return False
        now = self._desk.clock.monotonic()
        if now - self._last >= self._desk.gone_gap_s:
            self._count, self._last = self._count + 1, now
        return self._count >= self._desk.gone_times


class Elsewhere:
    """Whether a receipt of another account can be seen with this key: until an answer says so, a refusal says nothing."""

    def __init__(self, desk: Desk, purchase: Purchase) -> None:
        self._foreign = purchase.account != desk.account and not desk.free

    def keeps(self, told: Polled) -> bool:
        return self._foreign and (isinstance(told, Gone) or (isinstance(told, Missed) and told.for_key))

    async def taken_over(self, desk: Desk, purchase: Purchase, told: Polled) -> Purchase:
        """The purchase after this answer: a key that sees the task takes it over, once."""
        if self._foreign and not isinstance(told, Missed):
            self._foreign = False
            with suppress(TaskHeld):
                return await desk.record(purchase, Event.TAKEN_OVER, account=desk.account)
        return purchase


async def wait(desk: Desk, purchase: Purchase, takes: tuple[str, ...]) -> Purchase:
    """Poll a waiting purchase until it ends, its deadline passes, or the run leaves; then it is still waiting."""
    task_id = purchase.task_id or ""
    begun = desk.clock.monotonic()
    age_before = _age(desk, purchase)
    asked_at_once = age_before > 0
    learned = desk.learned.get(purchase.intent.model, ())
    gone, elsewhere, empty, refused = GoneCount(desk), Elsewhere(desk, purchase), 0, 0
    while True:
        waited = desk.clock.monotonic() - begun
        if desk.deadline_s - waited < SHORTEST_S:
            purchase = await desk.record(purchase, Event.OVERDUE)
            desk.tell(What.OVERDUE, takes, f"not finished after {desk.deadline_s:.0f} s", purchase=purchase)
            return purchase
        pause = 0.0
        if not asked_at_once:
            pause = desk.poll.next(age_before + waited, purchase.eta_s, learned)
            pause = desk.poll.on_beat(pause, desk.clock.monotonic())
        if not await desk.rest(min(max(pause, desk.throttle.peace_s), desk.deadline_s - waited)):
            return purchase
        told, asked_at_once = await ask(desk, task_id), False
        if elsewhere.keeps(told):
            desk.tell(What.STOPPED, takes, "its task belongs to another account", purchase=purchase)
            return purchase
        purchase = await elsewhere.taken_over(desk, purchase, told)
        if gone.enough(told):
            error = {"code": "lost", "message": "the service no longer knows the task"}
            return await desk.record(purchase, Event.LOST, error=error)
        empty = empty + 1 if isinstance(told, Completed) and not told.links else 0
        refused = refused + 1 if isinstance(told, Missed) and told.for_key else 0
        match told:
            case Completed() if told.links:
                took_s = desk.clock.monotonic() - begun
                purchase = await completed(desk, purchase, told)
                if not age_before:
                    with suppress(NotRecorded):  # a clip is not left for a figure
                        await desk.ledger.note_duration(purchase.intent.model, desk.service, took_s)
                return purchase
            case Completed() if empty >= EMPTY_POLLS:
                error = {"code": "no-result", "message": "the task completed without a result"}
                return await desk.record(purchase, Event.FAILED, charged=_charged(desk, told.charged), error=error)
            case Failure():
                return await _failed(desk, purchase, told)
            case Progress():
                desk.tell(What.WAITING, takes, told.status, percent=told.percent, purchase=purchase)
            case Missed():
                if told.for_key:
                    desk.halt.submitting(f"the service refuses this key: {told.reason}")
                if refused >= REFUSED_POLLS:
                    desk.tell(What.STOPPED, takes, told.reason, purchase=purchase)
                    return purchase


async def ask_again(desk: Desk, purchase: Purchase) -> Purchase:
    """Ask once about an end whose reservation is kept. What the service says now counts where the table allows it; no answer
    and the same answer leave it as it is."""
    told = await ask(desk, purchase.task_id or "")
    match told:
        case Completed() if told.links:
            return await completed(desk, purchase, told)
        case Failure() if told.released or told.charged is not None or purchase.state is State.LOST:
            if (purchase.state, Event.CANCELLED if told.cancelled else Event.FAILED) in TABLE:
                return await _failed(desk, purchase, told)
        case Progress() if purchase.state is State.LOST:
            return await desk.record(purchase, Event.RESUMED)
    return purchase


async def ask(desk: Desk, task_id: str) -> Polled:
    """Ask about a task; a pause that the service wants holds for all that is asked of it."""
    told = await desk.api.poll(task_id)
    if isinstance(told, Missed) and told.retry_after_s is not None:
        desk.throttle.put_off(told.retry_after_s)
    return told


async def completed(desk: Desk, purchase: Purchase, told: Completed) -> Purchase:
    charged = _charged(desk, told.charged)
    return await desk.record(purchase, Event.COMPLETED, charged=charged, links=list(told.links))


async def _failed(desk: Desk, purchase: Purchase, told: Failure) -> Purchase:
    error = {"code": told.code, "message": told.message, "transient": told.transient}
    event = Event.CANCELLED if told.cancelled else Event.FAILED
    charged = _charged(desk, told.charged)
    return await desk.record(purchase, event, charged=charged, error=error, released=told.released)


def _charged(desk: Desk, told: Decimal | None) -> Decimal | None:
    """A free service's play money is no charge."""
    return None if desk.free else told


def _age(desk: Desk, purchase: Purchase) -> float:
    """Seconds since the receipt of a purchase that an earlier run made, by wall clock; 0 for one of this run."""
    resumed = purchase.at(Event.RESUMED)
    received = purchase.at(Event.RECEIPT)
    if resumed is None or received is None:
        return 0.0
    return max((desk.clock.now() - datetime.fromisoformat(received)).total_seconds(), 0.001)
