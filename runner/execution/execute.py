"""Order and concurrency: what is paid first, then what is to be bought, each on its own and none in another's way."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace

from runner.core.errors import NotRecorded
from runner.core.lifecycle import ENDED, Event, State
from runner.core.request import Request
from runner.execution.desk import Desk
from runner.execution.ports import What
from runner.execution.submit import submit
from runner.execution.wait import bring, wait
from runner.planning.history import Purchase

Fetch = Callable[[Purchase, tuple[str, ...]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request's work: resume `purchase`, or buy `request` as purchase number `number`. `takes` share the request."""

    takes: tuple[str, ...]
    request: Request | None = None
    number: int = 1
    purchase: Purchase | None = None


async def execute(desk: Desk, jobs: Sequence[Job]) -> None:
    """Run every job to an end or as far as it goes. A job's crash leaves the others running and is raised at the end.

    Cancelling drops waits and downloads; a POST under way is always awaited, with the record of its answer.
    """
    resumed = [job for job in jobs if job.purchase is not None]
    bought = iter([job for job in jobs if job.purchase is None])
    crashes: list[Exception] = []

    async def guarded(work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except NotRecorded as fault:
            desk.halt.submitting(f"the journal cannot be written: {fault}")
            crashes.append(fault)
        except Exception as crash:  # noqa: BLE001 - one job's crash is not its siblings'
            crashes.append(crash)
            desk.halt.submitting("an internal fault")

    async def worker(fetch: Fetch) -> None:
        for job in bought:
            await guarded(_buy(desk, job, fetch))

    try:
        async with asyncio.TaskGroup() as group:

            def fetch(purchase: Purchase, takes: tuple[str, ...]) -> None:
                group.create_task(guarded(_bring(desk, purchase, takes)))

            for job in resumed:
                group.create_task(guarded(_resume(desk, job, fetch)))
            for _ in range(desk.slots.limit):
                group.create_task(worker(fetch))
    finally:
        if desk.in_flight:
            await asyncio.shield(asyncio.gather(*desk.in_flight, return_exceptions=True))
    if crashes:
        raise ExceptionGroup("jobs crashed", crashes)


async def _resume(desk: Desk, job: Job, fetch: Fetch) -> None:
    purchase = job.purchase
    assert purchase is not None
    if purchase.state in (State.WAITING, State.OVERDUE):
        await desk.slots.take(resumed=True)
        try:
            purchase = await desk.record(purchase, Event.RESUMED)
            purchase = await wait(desk, purchase, job.takes)
        finally:
            await desk.slots.free()
        await _after(desk, job, purchase, fetch, attempt=0)
        return
    if purchase.state is State.DONE:
        purchase = await desk.record(purchase, Event.MISPLACED)
    fetch(purchase, job.takes)


async def _buy(desk: Desk, job: Job, fetch: Fetch, attempt: int = 0) -> None:
    assert job.request is not None
    await desk.slots.take()
    try:
        purchase = await submit(desk, job.request, job.number, job.takes)
        if purchase is None or purchase.state is not State.WAITING:
            return
        purchase = await wait(desk, purchase, job.takes)
    finally:
        await desk.slots.free()
    await _after(desk, job, purchase, fetch, attempt=attempt)


async def _after(desk: Desk, job: Job, purchase: Purchase, fetch: Fetch, *, attempt: int) -> None:
    """Fetch what was completed; buy again what failed in passing, as often as the pipeline says; tell every other end."""
    if purchase.state is State.COMPLETED:
        fetch(purchase, job.takes)
        return
    error = purchase.error or {}
    said = f"{error.get('code')}: {error.get('message')}"
    if purchase.state is State.FAILED and error.get("transient") and attempt < desk.retries and _affordable(desk, job):
        desk.tell(What.PAUSED, job.takes, f"bought again after {said}", purchase=purchase)
        await _buy(desk, replace(job, number=purchase.number + 1, purchase=None), fetch, attempt + 1)
    elif purchase.state in ENDED:
        desk.tell(What(purchase.state.value), job.takes, said, purchase=purchase)


def _affordable(desk: Desk, job: Job) -> bool:
    request = job.request
    return (
        request is not None
        and request.reserve is not None
        and not desk.halt.reason
        and desk.purse.fits(request.model, request.reserve)
    )


async def _bring(desk: Desk, purchase: Purchase, takes: tuple[str, ...]) -> None:
    await bring(desk, purchase, takes)
