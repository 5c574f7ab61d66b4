"""One purchase's POST: intent before it, its answer after it, and never two for one intent by accident."""

from collections.abc import Mapping
from decimal import Decimal

from runner.core.errors import NotUploaded, TaskHeld
from runner.core.lifecycle import Event, State
from runner.core.money import ZERO
from runner.core.request import Request, idempotency_key
from runner.execution.desk import Desk, stamp
from runner.execution.ports import What
from runner.planning.history import Entry, Intent, Purchase, apply
from runner.providers.provider import NotTaken, Receipt, Refusal, Submitted, Unclear

LONG_S = 600  # of waiting for a turn, after which addresses of uploads are asked for anew


class ReceiptUnwritten(Exception):
    """The service has taken a request and the journal could not say so; the message tells what must be kept by hand."""

    def __init__(self, *, take: str, key: str, task_id: str, cause: BaseException) -> None:
        self.take, self.key, self.task_id = take, key, task_id
        super().__init__(
            f"task {task_id} was bought for {take} (key {key}) and the journal could not be written: {cause}"
        )


async def submit(desk: Desk, request: Request, number: int, takes: tuple[str, ...]) -> Purchase | None:
    """Buy. None when nothing was sent: its medium did not arrive, nothing is left to pay or keep it with, or submitting has
    stopped. A purchase that is waiting counts as under way until `desk.throttle.ended`."""
    place = (request.key, number)
    urls, turn, why = await _ready(desk, request, takes)
    async with desk.trials.turn(request.model):
        taken = None if turn is None else _set_aside(desk, request, place)
        if turn is None or taken is None:
            if turn is not None:
                desk.throttle.dropped()
            desk.purse.give_back(place)
            desk.tell(What.PENDING, takes, why or desk.halt.why())
            return None
        intent = Intent(
            key=request.key,
            purchase=number,
            storyboard=desk.storyboard,
            take=request.take,
            model=request.model,
            service=request.service,
            account=desk.account,
            idempotency_key=idempotency_key(key=request.key, purchase=number, account=desk.account),
            body=request.sent(urls),
            reserved=taken,
            unit=request.unit,
        )
        purchase, told = await desk.uninterrupted(_exchange(desk, request, intent, None, turn, takes))
    for _ in range(desk.submissions - 1):
        if not isinstance(told, NotTaken) or desk.halt.why():
            break
        desk.tell(What.PAUSED, takes, told.reason, purchase=purchase)
        turn = await desk.throttle.turn(desk.while_submitting)
        if turn is None:
            break
        purchase, told = await desk.uninterrupted(_exchange(desk, request, intent, purchase, turn, takes))
    if isinstance(told, NotTaken):
        desk.tell(What.PENDING, takes, desk.halt.why() or f"not taken: {told.reason}", purchase=purchase)
        desk.purse.give_back(place)
    if purchase.state is not State.WAITING:
        desk.room.settled(place)
    return purchase


async def _ready(desk: Desk, request: Request, takes: tuple[str, ...]) -> tuple[Mapping[str, str], int | None, str]:
    """(where each medium lies, the turn to submit, why there is none)."""

    def told(name: str, percent: int) -> None:
        desk.tell(What.UPLOADING, takes, name, percent=percent)

    if why := desk.halt.why():
        return {}, None, why
    turn = None
    try:
        urls = await desk.api.upload(request, told)
        begun = desk.clock.monotonic()
        turn = await desk.throttle.turn(desk.while_submitting)
        if turn is not None and desk.clock.monotonic() - begun > LONG_S:  # what has gone meanwhile is uploaded again
            urls = await desk.api.upload(request, told)
    except NotUploaded as fault:
        if turn is not None:
            desk.throttle.dropped()
        return {}, None, fault.reason
    return urls, turn, desk.halt.why()


def _set_aside(desk: Desk, request: Request, place: tuple[str, int]) -> Decimal | None:
    """Credits, and room on the disk, set aside for the request; None when nothing may be submitted, of which `halt` knows why."""
    if desk.halt.why():
        return None
    if lacking := desk.room.lacking(request):
        desk.halt.submitting(lacking, later=True)
        return None
    taken = desk.purse.take(place, request.model, request.reserve if request.reserve is not None else ZERO)
    if taken is None:
        desk.halt.submitting("the rest of the budget does not cover the next take")
    else:
        desk.room.expect(place, request)
    return taken


async def _exchange(
    desk: Desk, request: Request, intent: Intent, before: Purchase | None, turn: int, takes: tuple[str, ...]
) -> tuple[Purchase, Submitted]:
    """The intent, the POST and the record of its answer: once begun, nothing of ours parts them."""
    begun = desk.clock.monotonic()
    if before is None:
        first = Entry(
            at=stamp(desk.clock.now()), event=Event.SEND, key=intent.key, purchase=intent.purchase, intent=intent
        )
        purchase = apply(None, first)
        await desk.ledger.record(first)
    else:
        purchase = await desk.record(before, Event.SEND)
    if why := desk.halt.why():  # while the intent was being written
        told: Submitted = NotTaken(reason=why, retry_after_s=None)
        desk.throttle.dropped()
    else:
        try:
            told = await desk.api.submit(
                path=request.path, body=intent.body, idempotency_key=intent.idempotency_key, request=request
            )
        except Exception:
            desk.halt.submitting("an internal fault")
            await _unknown(desk, purchase, "a fault of our own lost the answer", takes)
            raise
        if isinstance(told, Unclear):
            purchase, told = await _replayed(desk, request, purchase, told, begun)
        desk.throttle.heard(turn, told)
    match told:
        case Receipt():
            purchase = await _receipt(desk, purchase, told, takes)
        case Refusal():
            if told.for_key:
                desk.halt.submitting(f"the service refuses this key or account: {told.message}")
            error = {"code": told.code, "message": told.message}
            purchase = await desk.record(purchase, Event.REFUSED, error=error)
            desk.tell(What.REFUSED, takes, f"{told.code}: {told.message}", purchase=purchase)
        case NotTaken():
            purchase = await desk.record(purchase, Event.NOT_TAKEN, reason=told.reason)
        case Unclear():
            purchase = await _unknown(desk, purchase, told.reason, takes)
    return purchase, told


async def _replayed(
    desk: Desk, request: Request, purchase: Purchase, told: Unclear, begun: float
) -> tuple[Purchase, Submitted]:
    """What is known after sending the same bytes once more under the same key, where the provider's entry says that it replays;
    only a receipt settles anything."""
    if told.contested or desk.clock.monotonic() - begun >= desk.replay_within_s:
        return purchase, told
    purchase = await desk.record(purchase, Event.REPLAYED, reason=told.reason)
    intent = purchase.intent
    again = await desk.api.submit(
        path=request.path, body=intent.body, idempotency_key=intent.idempotency_key, request=request
    )
    if isinstance(again, Receipt):
        return purchase, again
    words = again.message if isinstance(again, Refusal) else again.reason
    return purchase, Unclear(reason=f"{told.reason}; sent again under the same key: {words}", contested=True)


async def _receipt(desk: Desk, purchase: Purchase, told: Receipt, takes: tuple[str, ...]) -> Purchase:
    reserved = None if told.reserved is None or desk.free else str(told.reserved)
    try:
        purchase = await desk.record(purchase, Event.RECEIPT, task_id=told.task_id, eta_s=told.eta_s, reserved=reserved)
    except TaskHeld as held:
        # Another purchase holds this task already: the service has mixed them up, so nobody knows what was taken.
        desk.throttle.ended()
        return await _unknown(desk, purchase, str(held), takes)
    except Exception as fault:
        desk.halt.submitting("the journal cannot be written")
        unwritten = ReceiptUnwritten(take=purchase.intent.take, key=purchase.key, task_id=told.task_id, cause=fault)
        desk.tell(What.UNKNOWN, takes, str(unwritten), purchase=purchase)
        raise unwritten from fault
    desk.trials.heard(purchase.intent.model)
    desk.tell(What.SUBMITTED, takes, told.task_id, purchase=purchase)
    return purchase


async def _unknown(desk: Desk, purchase: Purchase, reason: str, takes: tuple[str, ...]) -> Purchase:
    desk.unknown.append(purchase.intent.take)
    if len(desk.unknown) >= desk.max_unknown:
        desk.halt.submitting(f"{desk.max_unknown} outcomes of this run are unknown")
    try:
        purchase = await desk.record(purchase, Event.UNANSWERED, error={"code": "no-answer", "message": reason})
    finally:
        desk.tell(What.UNKNOWN, takes, reason, purchase=purchase)
    return purchase
