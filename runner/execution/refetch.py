"""A clip that was here once and is not any more: its task is asked for it again, for nothing."""

from runner.core.lifecycle import Event
from runner.execution.bring import bring
from runner.execution.desk import Desk
from runner.execution.ports import What
from runner.execution.wait import Elsewhere, ask, completed
from runner.planning.history import Purchase
from runner.providers.provider import Completed, Missed, Progress

TRIES = 3


async def refetch(desk: Desk, purchase: Purchase, takes: tuple[str, ...]) -> bool:
    """Ask the task of a missing clip and fetch what it gives; whether the service has said that it gives nothing any more.

    One such answer is enough: nothing ends by it, the clip was paid for, stays missing, and is asked for by two more runs. It is
    kept only if the account that bought the clip has asked; another one may simply not be allowed to see the task.
    """
    elsewhere, reason = Elsewhere(desk, purchase), "the run stopped before its task was asked"
    for tries in range(1, TRIES + 1):
        if desk.throttle.peace_s and not await desk.rest(desk.throttle.peace_s):
            break
        told = await ask(desk, purchase.task_id or "")
        if elsewhere.keeps(told):
            desk.tell(What.MISSING, takes, "its task belongs to another account", purchase=purchase)
            return True
        purchase = await elsewhere.taken_over(desk, purchase, told)
        if isinstance(told, Completed) and told.links:
            await bring(desk, await completed(desk, purchase, told), takes)
            return False
        if not isinstance(told, Missed | Progress):
            purchase = await desk.record(purchase, Event.UNAVAILABLE)
            desk.tell(What.MISSING, takes, "the service does not give out its clip any more", purchase=purchase)
            return True
        reason = told.reason if isinstance(told, Missed) else f"its task is {told.status} again"
        if not await desk.rest(tries):
            break
    desk.tell(What.MISSING, takes, reason, purchase=purchase)
    return False
