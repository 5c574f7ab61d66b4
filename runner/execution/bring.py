"""From a result at the service to a clip on disk."""

from typing import Any

from runner.core.errors import NotFetched
from runner.core.lifecycle import Event, State
from runner.execution.desk import Desk
from runner.execution.ports import What
from runner.execution.wait import Elsewhere, GoneCount, ask, completed
from runner.planning.history import Purchase
from runner.providers.provider import Completed, Gone

TRIES = 3


async def bring(desk: Desk, purchase: Purchase, takes: tuple[str, ...]) -> Purchase:
    """Fetch a completed purchase's clip: done, expired, or unfetched, from where a later run goes on.

    The link at hand is tried first and a fresh one asked for when it is dead. The first result is the clip; further ones
    are fetched as extras, and what keeps one away is written beside them.
    """
    gone, elsewhere = GoneCount(desk), Elsewhere(desk, purchase)
    fresh = purchase.state is State.COMPLETED and bool(purchase.links)
    reason, tries = "the run stopped before it was fetched", 0
    while tries < TRIES:
        if not fresh:
            if desk.throttle.peace_s and not await desk.rest(desk.throttle.peace_s):
                break
            told = await ask(desk, purchase.task_id or "")
            if elsewhere.keeps(told):
                reason = "its task belongs to another account"
                break
            purchase = await elsewhere.taken_over(desk, purchase, told)
            if gone.enough(told):
                error = {"code": "expired", "message": "its link is dead and the service no longer knows the task"}
                purchase = await desk.record(purchase, Event.EXPIRED, error=error)
                desk.tell(What.EXPIRED, takes, error["message"], purchase=purchase)
                return purchase
            if isinstance(told, Gone):
                reason = "the service does not know the task at the moment"
                if not await desk.rest(desk.gone_gap_s):
                    break
                continue
            if not isinstance(told, Completed) or not told.links:
                reason, tries = "the service gave no fresh link", tries + 1
                if not await desk.rest(tries):
                    break
                continue
            purchase = await completed(desk, purchase, told)
        tries += 1
        try:
            async with desk.downloads:
                desk.tell(What.FETCHING, takes, purchase=purchase)
                clip = await desk.api.fetch(purchase.links[0], _name(purchase))
                extra = [await _extra(desk, purchase, n) for n in range(1, len(purchase.links))]
        except NotFetched as fault:
            reason, fresh = fault.reason, not fault.dead
            if fault.local or not await desk.rest(tries):
                break
            continue
        more: dict[str, Any] = {"extra": extra} if extra else {}
        purchase = await desk.record(purchase, Event.FETCHED, clip=clip.as_result(), **more)
        desk.tell(What.DONE, takes, purchase=purchase)
        return purchase
    if purchase.state is State.COMPLETED:
        purchase = await desk.record(purchase, Event.UNFETCHED, error={"code": "unfetched", "message": reason})
    desk.tell(What.UNFETCHED, takes, reason, purchase=purchase)
    return purchase


async def _extra(desk: Desk, purchase: Purchase, number: int) -> dict[str, object]:
    try:
        return (await desk.api.fetch(purchase.links[number], f"{_name(purchase)}.{number}")).as_result()
    except NotFetched as fault:
        return {"error": fault.reason}


def _name(purchase: Purchase) -> str:
    return f"{purchase.key}.{purchase.number}"
