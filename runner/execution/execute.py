"""Order and concurrency: what is paid first, then what is to be bought, each on its own and none in another's way."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

from runner.core.errors import NotRecorded
from runner.core.lifecycle import ENDED, Event, State
from runner.core.request import Request
from runner.execution.bring import bring
from runner.execution.desk import Desk
from runner.execution.job import Held, Job
from runner.execution.ports import What
from runner.execution.refetch import refetch
from runner.execution.submit import submit
from runner.execution.wait import ask_again, wait
from runner.planning.history import Purchase

__all__ = ["Job", "execute"]

Fetch = Callable[[Purchase], None]


async def execute(desk: Desk, jobs: Sequence[Job]) -> None:
    """Run every job to an end or as far as it goes. A job's crash leaves the others running and is raised at the end.

    Cancelling drops waits and downloads; a POST under way is always awaited, with the record of its answer, however often
    this is cancelled. Raises an ExceptionGroup of all that crashed, else what cancelled it.
    """
    resumed = [job for job in jobs if job.purchase is not None]
    buying = [job for job in jobs if job.purchase is None or job.buys]
    desk.purse.promise({(job.request.key, job.number): _asked(job.request) for job in buying if job.request})
    line = _Line(jobs)

    async def guarded(work: Callable[[], Coroutine[None, None, object]]) -> None:
        try:
            await work()  # begun here: a task that is cancelled before its first step leaves nothing unawaited
        except Exception as crash:  # noqa: BLE001 - one job's crash is not its siblings'
            desk.crashes.append(crash)
            unwritten = isinstance(crash, NotRecorded)
            desk.halt.submitting(f"the journal cannot be written: {crash}" if unwritten else "an internal fault")

    try:
        async with asyncio.TaskGroup() as group:

            async def through(job: Job, begin: Callable[[Fetch], Coroutine[None, None, object]]) -> None:
                """A job from its beginning to its end, its download included, which lets its children begin."""
                downloads = 0

                async def download(purchase: Purchase) -> None:
                    await guarded(partial(_bring, desk, purchase, job.takes))
                    ended(job)

                def fetch(purchase: Purchase) -> None:
                    nonlocal downloads
                    downloads += 1
                    group.create_task(download(purchase))

                await guarded(partial(begin, fetch))
                if not downloads:
                    ended(job)

            async def worker() -> None:
                while (job := line.next()) is not None:
                    await through(job, partial(_begin, desk, line, job))
                line.workers -= 1

            def ended(job: Job) -> None:
                line.ended(job)
                hire()

            def hire() -> None:
                for _ in range(min(desk.throttle.limit + line.waiting - line.workers, line.ready)):
                    line.workers += 1
                    group.create_task(worker())

            line.hire = hire
            for job in resumed:
                group.create_task(through(job, partial(_resume, desk, line, job)))
            hire()
    except asyncio.CancelledError:
        try:
            await desk.answered()
        finally:
            if desk.crashes:
                raise ExceptionGroup("jobs crashed", desk.crashes) from None
        raise
    if desk.crashes:
        raise ExceptionGroup("jobs crashed", desk.crashes)


class _Line:
    """The jobs that wait for a worker, children of what has just ended before all others, so that no chain lies idle; and who
    works on which request, so that none is worked on twice."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        marks = {job.mark for job in jobs}
        wanted = [job for job in jobs if job.purchase is None]
        self._left = {job.mark: set(job.after & marks) for job in wanted}
        self._children: dict[str, list[Job]] = {}
        for job in wanted:
            for mark in self._left[job.mark]:
                self._children.setdefault(mark, []).append(job)
        self._ready = deque(job for job in wanted if not self._left[job.mark])
        self._holders = {job.purchase.key if job.purchase else job.mark: job for job in jobs}
        self._over = {job.mark: asyncio.Event() for job in jobs}
        self.workers = 0
        self.waiting = 0
        self.hire: Callable[[], None] = lambda: None

    async def turn(self, key: str, job: Job) -> tuple[Job | None, bool]:
        """Wait until no other job works on the request of this key. Who may have bought it in this run, None where nobody has and it
        is this job's from now on; and whether anything had to be waited for."""
        waited = False
        while (holder := self._holders.setdefault(key, job)).mark != job.mark:
            if not self._over[holder.mark].is_set():
                waited = True
                self.waiting += 1
                self.hire()  # who waits keeps no worker from the job it waits for
                try:
                    await self._over[holder.mark].wait()
                finally:
                    self.waiting -= 1
            elif holder.purchase is None or holder.buys:
                return holder, waited
            else:
                del self._holders[key]  # it has only asked, or fetched what was paid
        return None, waited

    @property
    def ready(self) -> int:
        return len(self._ready)

    def next(self) -> Job | None:
        return self._ready.popleft() if self._ready else None

    def ended(self, job: Job) -> None:
        self._over[job.mark].set()
        begin = []
        for child in self._children.pop(job.mark, ()):
            self._left[child.mark].discard(job.mark)
            if not self._left[child.mark]:
                begin.append(child)
        self._ready.extendleft(reversed(begin))


async def _begin(desk: Desk, line: _Line, job: Job, fetch: Fetch) -> None:
    """Buy; what is made from other takes is bought as what it comes to now that they have ended."""
    if job.chained:
        told = await _followed(desk, line, job)
        desk.purse.give_back((job.mark, job.number))
        if isinstance(told, Held):
            if told.reason:
                desk.tell(What.BLOCKED if told.blocked else What.PENDING, job.takes, told.reason)
            return
        job = told
        if job.purchase is not None:
            await _resume(desk, line, job, fetch)
            return
        desk.purse.promise({(job.request.key, job.number): _asked(job.request)} if job.request else {})
    await _buy(desk, job, fetch)


async def _followed(desk: Desk, line: _Line, job: Job) -> Job | Held:
    """What the job comes to. What turns out to be the request of another job is never bought beside it: its clip is that one's."""
    while True:
        if why := desk.halt.why():
            return Held(reason=why, blocked=False)
        told = await desk.follow(job)
        key = told.key if isinstance(told, Held) else told.request.key if told.request else ""
        if not key:
            return told
        other, waited = await line.turn(key, job)
        if not waited:  # else whoever worked on the request meanwhile may have changed what there is to do
            break
    if other is None or isinstance(told, Held):
        return told
    return Held(reason=f"the same request as {other.takes[0]}", blocked=False)


async def _resume(desk: Desk, line: _Line, job: Job, fetch: Fetch) -> None:
    purchase = job.purchase
    assert purchase is not None
    if purchase.state in ENDED:
        known, purchase = purchase, await ask_again(desk, purchase)
        if purchase.state in ENDED:
            await _ended(desk, line, job, known, purchase, fetch)
            return
    desk.room.expect((purchase.key, purchase.number), job.request)
    if purchase.state in (State.WAITING, State.OVERDUE):
        desk.throttle.resumed()
        try:
            if purchase is job.purchase:
                purchase = await desk.record(purchase, Event.RESUMED)
            purchase = await wait(desk, purchase, job.takes)
        finally:
            desk.throttle.ended()
    elif purchase.state in (State.DONE, State.MISSING):
        await _seek(desk, line, purchase, job, fetch)
        return
    await _after(desk, job, purchase, fetch, attempt=0)


async def _ended(desk: Desk, line: _Line, job: Job, known: Purchase, purchase: Purchase, fetch: Fetch) -> None:
    """After an end was asked about once more and is an end still: bought again only where that is asked for, never in passing."""
    if job.buys:
        await _begin(desk, line, replace(job, purchase=None), fetch)
    elif purchase is not known:
        desk.tell(What(purchase.state.value), job.takes, _said(purchase), purchase=purchase)


async def _seek(desk: Desk, line: _Line, purchase: Purchase, job: Job, fetch: Fetch) -> None:
    """Look for a missing clip at its task; buy it again where that is asked for and the task has nothing any more."""
    try:
        if purchase.state is State.DONE:
            purchase = await desk.record(purchase, Event.MISPLACED)
        gone = await refetch(desk, purchase, job.takes)
    finally:
        desk.room.settled((purchase.key, purchase.number))
    if gone and job.buys:
        await _begin(desk, line, replace(job, purchase=None), fetch)


async def _buy(desk: Desk, job: Job, fetch: Fetch, attempt: int = 0) -> None:
    assert job.request is not None
    purchase = await submit(desk, job.request, job.number, job.takes)
    if purchase is None or purchase.state is not State.WAITING:
        return
    try:
        purchase = await wait(desk, purchase, job.takes)
    finally:
        desk.throttle.ended()
    await _after(desk, job, purchase, fetch, attempt=attempt)


async def _after(desk: Desk, job: Job, purchase: Purchase, fetch: Fetch, *, attempt: int) -> None:
    """Fetch what was completed; buy again what failed in passing, as often as the pipeline says; tell every other end."""
    if purchase.state in (State.COMPLETED, State.UNFETCHED):
        fetch(purchase)
        return
    desk.room.settled((purchase.key, purchase.number))
    error, said = purchase.error or {}, _said(purchase)
    if purchase.state is State.FAILED and error.get("transient") and attempt < desk.retries and _affordable(desk, job):
        desk.tell(What.PAUSED, job.takes, f"bought again after {said}", purchase=purchase)
        number = job.number + 1 if job.purchase is None else job.number
        await _buy(desk, replace(job, number=number, purchase=None), fetch, attempt + 1)
    elif purchase.state in ENDED:
        desk.tell(What(purchase.state.value), job.takes, said, purchase=purchase)


async def _bring(desk: Desk, purchase: Purchase, takes: tuple[str, ...]) -> None:
    try:
        await bring(desk, purchase, takes)
    finally:
        desk.room.settled((purchase.key, purchase.number))


def _said(purchase: Purchase) -> str:
    error = purchase.error or {}
    return f"{error.get('code')}: {error.get('message')}"


def _affordable(desk: Desk, job: Job) -> bool:
    request = job.request
    return (
        request is not None
        and request.reserve is not None
        and not desk.halt.why()
        and desk.purse.spares(*_asked(request))
    )


def _asked(request: Request) -> tuple[str, Decimal]:
    """Model and estimate; an unknown price counts as nothing until the service names one."""
    return request.model, request.reserve if request.reserve is not None else Decimal(0)
