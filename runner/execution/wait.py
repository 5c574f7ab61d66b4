"""From a receipt to its end at the service, and from a result to a clip on disk."""

from datetime import datetime
from decimal import Decimal

from runner.core.errors import NotFetched
from runner.core.lifecycle import Event, State
from runner.execution.desk import Desk
from runner.execution.ports import What
from runner.planning.history import Purchase
from runner.providers.provider import Completed, Failure, Gone, Missed, Polled, Progress

EMPTY_POLLS = 3  # completed without results, in a row, before it counts as failed
REFUSED_POLLS = 3  # the key refused, in a row, before waiting is left to a later run
FETCH_TRIES = 3


class _GoneCount:
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


async def wait(desk: Desk, purchase: Purchase, takes: tuple[str, ...]) -> Purchase:
    """Poll a waiting purchase until it ends, its deadline passes, or the run leaves; then it is still waiting."""
    task_id = purchase.task_id or ""
    begun = desk.clock.monotonic()
    age_before = _age(desk, purchase)
    learned = desk.learned.get(purchase.intent.model, ())
    gone, empty, refused, told_s = _GoneCount(desk), 0, 0, 0.0
    foreign = purchase.intent.account != desk.account
    while True:
        waited = desk.clock.monotonic() - begun
        if waited >= desk.deadline_s:
            purchase = await desk.record(purchase, Event.OVERDUE)
            desk.tell(What.OVERDUE, takes, f"not finished after {desk.deadline_s:.0f} s", purchase=purchase)
            return purchase
        pause = 0.0 if age_before and waited == 0 else desk.poll.next(age_before + waited, purchase.eta_s, learned)
        if not await desk.rest(min(max(pause, told_s), desk.deadline_s - waited)):
            return purchase
        told, told_s = await desk.api.poll(task_id), 0.0
        if foreign and (isinstance(told, Gone) or (isinstance(told, Missed) and told.for_key)):
            desk.tell(What.STOPPED, takes, "its task belongs to another account", purchase=purchase)
            return purchase
        if gone.enough(told):
            error = {"code": "lost", "message": "the service no longer knows the task"}
            return await desk.record(purchase, Event.LOST, error=error)
        empty = empty + 1 if isinstance(told, Completed) and not told.links else 0
        refused = refused + 1 if isinstance(told, Missed) and told.for_key else 0
        match told:
            case Completed() if told.links:
                if not age_before:
                    await desk.ledger.note_duration(purchase.intent.model, desk.service, desk.clock.monotonic() - begun)
                return await _completed(desk, purchase, told)
            case Completed() if empty >= EMPTY_POLLS:
                error = {"code": "no-result", "message": "the task completed without a result"}
                return await desk.record(purchase, Event.FAILED, charged=_charged(desk, told.charged), error=error)
            case Failure():
                return await _failed(desk, purchase, told)
            case Progress():
                desk.tell(What.WAITING, takes, told.status, percent=told.percent, purchase=purchase)
            case Missed():
                told_s = told.retry_after_s or 0.0
                if told.for_key:
                    desk.halt.submitting(f"the service refuses this key: {told.reason}")
                if refused >= REFUSED_POLLS:
                    desk.tell(What.STOPPED, takes, told.reason, purchase=purchase)
                    return purchase


async def bring(desk: Desk, purchase: Purchase, takes: tuple[str, ...]) -> Purchase:
    """Fetch a completed purchase's clip: done, expired, or unfetched, from where a later run goes on."""
    async with desk.downloads:
        gone = _GoneCount(desk)
        reason, tries = "", 0
        fresh = purchase.state is State.COMPLETED
        while tries < FETCH_TRIES or reason == "gone":
            if not fresh:
                told = await desk.api.poll(purchase.task_id or "")
                if gone.enough(told):
                    error = {"code": "expired", "message": "its link is dead and the service no longer knows the task"}
                    purchase = await desk.record(purchase, Event.EXPIRED, error=error)
                    desk.tell(What.EXPIRED, takes, error["message"], purchase=purchase)
                    return purchase
                if isinstance(told, Gone):
                    reason = "gone"
                    if not await desk.rest(desk.gone_gap_s):
                        break
                    continue
                if isinstance(told, Completed) and told.links:
                    purchase = await _completed(desk, purchase, told)
                else:
                    reason = "the service gave no fresh link"
                    tries += 1
                    if not await desk.rest(tries):
                        break
                    continue
            tries += 1
            desk.tell(What.FETCHING, takes, purchase=purchase)
            try:
                clip = await desk.api.fetch(purchase.links[0], f"{purchase.key}.{purchase.number}")
            except NotFetched as fault:
                reason, fresh = fault.reason, not fault.dead
                if fault.local or not await desk.rest(tries):
                    break
                continue
            facts = {
                "sha256": clip.sha256,
                "size_bytes": clip.size_bytes,
                "width_px": clip.width_px,
                "height_px": clip.height_px,
                "duration_s": float(clip.duration_s),
                "fps": float(clip.fps),
                "frames": clip.frames,
                "codec": clip.codec,
                "audio_codec": clip.audio_codec,
            }
            purchase = await desk.record(purchase, Event.FETCHED, clip=facts)
            desk.tell(What.DONE, takes, purchase=purchase)
            return purchase
    if purchase.state is State.COMPLETED:
        error = {"code": "unfetched", "message": reason or "the run stopped before it was fetched"}
        purchase = await desk.record(purchase, Event.UNFETCHED, error=error)
    desk.tell(What.UNFETCHED, takes, reason, purchase=purchase)
    return purchase


async def _completed(desk: Desk, purchase: Purchase, told: Completed) -> Purchase:
    charged = _charged(desk, told.charged)
    return await desk.record(purchase, Event.COMPLETED, charged=charged, links=list(told.links))


async def _failed(desk: Desk, purchase: Purchase, told: Failure) -> Purchase:
    error = {"code": told.code, "message": told.message, "transient": told.transient}
    event = Event.CANCELLED if told.cancelled else Event.FAILED
    charged = _charged(desk, told.charged)
    if told.released:
        desk.purse.give_back(purchase.intent.reserved)
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
