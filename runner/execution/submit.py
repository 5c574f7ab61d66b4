"""One purchase's POST: intent before it, its answer after it, and never two for one intent by accident."""

from collections.abc import Mapping

from runner.core.errors import NotUploaded, TaskHeld
from runner.core.lifecycle import Event
from runner.core.money import ZERO
from runner.core.request import Request, idempotency_key
from runner.execution.desk import UNKNOWN_LIMIT, Desk, stamp
from runner.execution.pace import pause
from runner.execution.ports import What
from runner.planning.history import Entry, Intent, Purchase, apply
from runner.providers.provider import NotTaken, Receipt, Refusal, Submitted, Unclear


class ReceiptUnwritten(Exception):
    """The service has taken a request and the journal could not say so; the message tells what must be kept by hand."""

    def __init__(self, *, take: str, key: str, task_id: str, cause: BaseException) -> None:
        self.take, self.key, self.task_id = take, key, task_id
        super().__init__(
            f"task {task_id} was bought for {take} (key {key}) and the journal could not be written: {cause}"
        )


async def submit(desk: Desk, request: Request, number: int, takes: tuple[str, ...]) -> Purchase | None:
    """Buy. None when nothing was sent: its medium did not arrive, no budget is left, or submitting has stopped."""
    place = (request.key, number)
    urls, why = await _ready(desk, request)
    taken = (
        None if why else desk.purse.take(place, request.model, request.reserve if request.reserve is not None else ZERO)
    )
    if taken is None:
        if not why:
            why = "the rest of the budget does not cover the next take"
            desk.halt.submitting(why)
        desk.purse.give_back(place)
        desk.tell(What.PENDING, takes, why)
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
    purchase: Purchase | None = None
    for attempt in range(desk.submissions):
        purchase, told = await desk.uninterrupted(_exchange(desk, request, intent, purchase, takes))
        if not isinstance(told, NotTaken):
            return purchase
        if attempt + 1 == desk.submissions or desk.halt.why():
            desk.tell(What.PENDING, takes, f"not taken: {told.reason}", purchase=purchase)
            break
        desk.tell(What.PAUSED, takes, told.reason, purchase=purchase)
        await desk.rest(pause(attempt, told.retry_after_s))
        if why := desk.halt.why():
            desk.tell(What.PENDING, takes, why, purchase=purchase)
            break
    desk.purse.give_back(place)
    return purchase


async def _ready(desk: Desk, request: Request) -> tuple[Mapping[str, str], str]:
    """(where each medium lies, why nothing may be submitted); one of them is empty, or both."""
    if why := desk.halt.why():
        return {}, why
    try:
        urls = await desk.api.upload(request)
    except NotUploaded as fault:
        return {}, fault.reason
    return urls, desk.halt.why()


async def _exchange(
    desk: Desk, request: Request, intent: Intent, before: Purchase | None, takes: tuple[str, ...]
) -> tuple[Purchase, Submitted]:
    """The intent, the POST and the record of its answer: once begun, nothing of ours parts them."""
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
    else:
        told = await desk.api.submit(
            path=request.path, body=intent.body, idempotency_key=intent.idempotency_key, request=request
        )
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


async def _receipt(desk: Desk, purchase: Purchase, told: Receipt, takes: tuple[str, ...]) -> Purchase:
    reserved = None if told.reserved is None or desk.free else str(told.reserved)
    try:
        purchase = await desk.record(purchase, Event.RECEIPT, task_id=told.task_id, eta_s=told.eta_s, reserved=reserved)
    except TaskHeld as held:
        # Another purchase holds this task already: the service has mixed them up, so nobody knows what was taken.
        return await _unknown(desk, purchase, str(held), takes)
    except Exception as fault:
        desk.halt.submitting("the journal cannot be written")
        unwritten = ReceiptUnwritten(take=purchase.intent.take, key=purchase.key, task_id=told.task_id, cause=fault)
        desk.tell(What.UNKNOWN, takes, str(unwritten), purchase=purchase)
        raise unwritten from fault
    desk.tell(What.SUBMITTED, takes, told.task_id, purchase=purchase)
    return purchase


async def _unknown(desk: Desk, purchase: Purchase, reason: str, takes: tuple[str, ...]) -> Purchase:
    desk.unknown.append(purchase.intent.take)
    if len(desk.unknown) >= UNKNOWN_LIMIT:
        desk.halt.submitting(f"{UNKNOWN_LIMIT} outcomes of this run are unknown")
    try:
        purchase = await desk.record(purchase, Event.UNANSWERED, error={"code": "no-answer", "message": reason})
    finally:
        desk.tell(What.UNKNOWN, takes, reason, purchase=purchase)
    return purchase
