"""One purchase's POST: intent before it, its answer after it, and never two for one intent by accident."""

import asyncio
from decimal import Decimal

from runner.core.errors import NotUploaded
from runner.core.lifecycle import Event
from runner.core.request import Request, idempotency_key
from runner.execution.desk import UNKNOWN_LIMIT, Desk, stamp
from runner.execution.pace import pause
from runner.execution.ports import What
from runner.planning.history import Entry, Intent, Purchase, apply
from runner.providers.provider import NotTaken, Receipt, Refusal, Unclear


class ReceiptUnwritten(Exception):
    """The service has taken a request and the journal could not say so; the message tells what must be kept by hand."""

    def __init__(self, *, take: str, key: str, task_id: str, cause: BaseException) -> None:
        self.take, self.key, self.task_id = take, key, task_id
        super().__init__(
            f"task {task_id} was bought for {take} (key {key}) and the journal could not be written: {cause}"
        )


async def submit(desk: Desk, request: Request, number: int, takes: tuple[str, ...]) -> Purchase | None:
    """Buy. None when nothing was sent: its medium did not arrive, no budget is left, or submitting has stopped."""
    if why := desk.halt.why():
        desk.tell(What.PENDING, takes, why)
        return None
    try:
        urls = await desk.api.upload(request)
    except NotUploaded as fault:
        desk.tell(What.PENDING, takes, fault.reason)
        return None
    estimate = request.reserve if request.reserve is not None else Decimal(0)
    taken = desk.purse.take(request.model, estimate)
    if taken is None:
        desk.halt.submitting("the rest of the budget does not cover the next take")
        desk.tell(What.PENDING, takes, desk.halt.reason)
        return None
    if why := desk.halt.why():
        desk.purse.give_back(taken)
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
    first = Entry(at=stamp(desk.clock.now()), event=Event.SEND, key=request.key, purchase=number, intent=intent)
    purchase = apply(None, first)
    await desk.ledger.record(first)
    for attempt in range(desk.submissions):
        if attempt:
            purchase = await desk.record(purchase, Event.SEND)
        purchase, told = await _uninterrupted(desk, request, purchase, takes)
        if not isinstance(told, NotTaken):
            break
        if attempt + 1 == desk.submissions or desk.halt.why():
            desk.tell(What.PENDING, takes, f"not taken: {told.reason}", purchase=purchase)
            break
        desk.tell(What.PAUSED, takes, told.reason, purchase=purchase)
        await desk.rest(pause(attempt, told.retry_after_s))
        if why := desk.halt.why():
            desk.tell(What.PENDING, takes, why, purchase=purchase)
            break
    if purchase.committed == 0:
        desk.purse.give_back(taken)
    else:
        desk.purse.told(request.model, taken=taken, actual=purchase.reserved)
    return purchase


async def _uninterrupted(
    desk: Desk, request: Request, purchase: Purchase, takes: tuple[str, ...]
) -> tuple[Purchase, Receipt | Refusal | NotTaken | Unclear]:
    """The exchange and the record of its answer, in a task that no group owns and nothing here cancels."""
    task = asyncio.ensure_future(_exchange(desk, request, purchase, takes))
    desk.in_flight.add(task)
    task.add_done_callback(desk.in_flight.discard)
    return await asyncio.shield(task)


async def _exchange(
    desk: Desk, request: Request, purchase: Purchase, takes: tuple[str, ...]
) -> tuple[Purchase, Receipt | Refusal | NotTaken | Unclear]:
    intent = purchase.intent
    told = await desk.api.submit(
        path=request.path, body=intent.body, idempotency_key=intent.idempotency_key, request=request
    )
    match told:
        case Receipt():
            purchase = await _receipt(desk, purchase, told, takes)
        case Refusal():
            error = {"code": told.code, "message": told.message}
            purchase = await desk.record(purchase, Event.REFUSED, error=error)
            if told.for_key:
                desk.halt.submitting(f"the service refuses this key or account: {told.message}")
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
    except ValueError as held:
        # Another purchase holds this task already: the service has mixed them up, so nobody knows what was taken.
        return await _unknown(desk, purchase, str(held), takes)
    except Exception as fault:
        desk.halt.submitting("the journal cannot be written")
        raise ReceiptUnwritten(
            take=purchase.intent.take, key=purchase.key, task_id=told.task_id, cause=fault
        ) from fault
    desk.tell(What.SUBMITTED, takes, told.task_id, purchase=purchase)
    return purchase


async def _unknown(desk: Desk, purchase: Purchase, reason: str, takes: tuple[str, ...]) -> Purchase:
    purchase = await desk.record(purchase, Event.UNANSWERED, error={"code": "no-answer", "message": reason})
    desk.unknown.append(purchase.intent.take)
    if len(desk.unknown) >= UNKNOWN_LIMIT:
        desk.halt.submitting(f"{UNKNOWN_LIMIT} outcomes of this run are unknown")
    desk.tell(What.UNKNOWN, takes, reason, purchase=purchase)
    return purchase
