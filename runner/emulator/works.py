"""Where tasks are worked off: media fetched, prices settled, clips rendered.

Two queues, first come first served: media of several tasks are fetched at once, while no more than `workers` clips are
rendered at the same time, each on one thread.
"""

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path

from runner.core.media import Kind
from runner.core.money import ZERO
from runner.emulator import billing, intake, tasks
from runner.emulator.clock import Clock
from runner.emulator.disk import NO_ROOM, Full
from runner.emulator.job import Job
from runner.emulator.order import BadMedia, Order
from runner.emulator.pace import Pace
from runner.emulator.references import CODES, BadReference, References
from runner.emulator.script import Cancel, Charge, Fail, Hold, Length, NoResults, Price, Script, Settle
from runner.emulator.shelf import Shelf
from runner.emulator.store import Store, Unusable
from runner.emulator.tasks import Task, TaskError

FETCHERS = 8


class Works:
    """For one event loop; what becomes of a job is saved in `store`, its clip lies on `shelf`."""

    def __init__(
        self,
        store: Store,
        shelf: Shelf,
        references: References,
        *,
        workers: int,
        script: Script,
        clock: Clock,
        refunds: bool,
        render: Callable[[Order, Path], None],
        log: Callable[[str], None],
    ) -> None:
        self._store, self._shelf, self._references, self._workers = store, shelf, references, workers
        self._script, self._clock, self._refunds, self._log = script, clock, refunds, log
        self._draw = render
        self._changing: set[Job] = set()
        self._incoming: asyncio.Queue[Job] = asyncio.Queue()
        self._ready: asyncio.Queue[Job] = asyncio.Queue()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="render")
        self.pace = Pace(workers)
        self.settled: Callable[[Job], None] = lambda job: None  # told of every task whose end is paid

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Works"]:
        """At work inside. On leaving, tasks not done are dropped; a clip being rendered is waited for, threads cannot be stopped."""
        steps = [(self._incoming, self._prepare)] * FETCHERS + [(self._ready, self._render)] * self._workers
        hands = [asyncio.create_task(self._work(queue, step)) for queue, step in steps]
        try:
            yield self
        finally:
            for hand in hands:
                hand.cancel()
            await asyncio.gather(*hands, return_exceptions=True)
            await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    def put(self, job: Job) -> None:
        self._shelf.tidy()
        self._incoming.put_nowait(job)

    def clip(self, job: Job) -> Path | None:
        """The clip of a task, while there is one."""
        return self._shelf.path(job) if job.clip_bytes else None

    def resume(self, job: Job) -> None:
        """A job of an earlier start: what has not ended is worked off anew, what was not settled is settled."""
        if not job.task.ended:
            self.pace.put(job.pixels)
            self.put(job)
            return
        job.done.set()
        if job.task.charged is None and job.owed is not None:
            self._settle_in_time(job, (job.task.ended_at or 0) - self._clock.now())

    def script(self, job: Job) -> Script:
        """What goes wrong with this task."""
        return job.script.over(self._script)

    async def _work(self, queue: asyncio.Queue[Job], step: Callable[[Job], Awaitable[None]]) -> None:
        while True:
            job = await queue.get()
            try:
                await step(job)
            except BadReference as fault:
                self._fail(job, fault.error)
            except Exception as bug:  # noqa: BLE001 - the task fails, the service goes on
                self._log(f"bug in {job.task.id}: {bug_line(bug)}")
                self._fail(job, TaskError(code="service_error", message="The emulator failed; its log says more."))

    async def _prepare(self, job: Job) -> None:
        planned = self.script(job).on_task
        number, label = job.task.number, job.task.label
        if not job.held and (hold := planned(Hold, number, label)):
            job.held = True
            if not hold.queued:
                self._move(job, tasks.processing(job.task, 10))
            if hold.seconds is not None:
                self._clock.after(hold.seconds, lambda: self.put(job))
            return
        self._move(job, tasks.processing(job.task, 10))
        if fail := planned(Fail, number, label):
            self._fail(job, TaskError(code=fail.code, message=fail.message), refunded=fail.refunded)
        elif cancel := planned(Cancel, number, label):
            with self._whole(job):
                job.task = tasks.cancelled(job.task, self._clock.now())
                self._ended(job, ZERO if cancel.refunded and self._refunds else job.task.reserved)
        elif planned(NoResults, number, label):
            self._complete(job, job.task.reserved)
        else:
            job.media = await self._references.gather(job.asked)
            self._move(job, tasks.processing(job.task, 40))
            self._ready.put_nowait(job)

    async def _render(self, job: Job) -> None:
        begun = time.perf_counter()
        order = self._order(job)
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._draw, order, self._shelf.part(job))
            self._shelf.put(job)
        except BadMedia as fault:
            kind = next(iter(job.media), None)
            code = CODES[kind] if kind else "generation_failed_no_content"
            self._fail(job, TaskError(code=code, message=fault.reason))
            return
        except Full:
            error = TaskError(code="resource_exhausted", message=NO_ROOM)
            self._fail(job, error)
            return
        seconds = {kind: [medium.facts.seconds for medium in media] for kind, media in job.media.items()}
        charged = billing.price(job.asked.model, job.asked.body, seconds, job.task.created_at, order.seconds)
        self._complete(job, charged, time.perf_counter() - begun)

    def _order(self, job: Job) -> Order:
        model, body = job.asked.model, job.asked.body
        images, videos, sounds = (job.media.get(kind, ()) for kind in (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO))
        width, height = model.size(body, images[0].facts if images else None)
        identities = {medium.url: medium.facts.sha256 for medium in (*images, *videos, *sounds)}
        length = self.script(job).on_task(Length, job.task.number, job.task.label)
        return Order(
            model=model.name,
            prompt=str(body.get("prompt", "")),
            width_px=width,
            height_px=height,
            seconds=length.of(intake.seconds(job.asked)) if length else intake.seconds(job.asked),
            seed=intake.seed(job.asked, identities),
            fps=model.output.fps,
            label=job.task.label,
            image=images[0].path if images else None,
            videos=tuple(medium.path for medium in videos),
            audio=sounds[0].path if sounds else None,
            sound=model.sounds(body),
            quality=str(body.get("quality", "")),
            shot_type=intake.shot_type(job.asked),
        )

    def _complete(self, job: Job, price: Decimal, seconds: float | None = None) -> None:
        with self._whole(job):
            job.task = tasks.completed(job.task, self._clock.now())
            if job.clip_bytes:
                job.link(self._clock.now())
            script, number, label = self.script(job), job.task.number, job.task.label
            if changed := script.on_task(Price, number, label):
                price = changed.of(price)
            other = script.on_task(Charge, number, label)
            self._ended(job, other.amount if other else price, seconds)

    def _fail(self, job: Job, error: TaskError, *, refunded: bool = True) -> None:
        with self._whole(job):
            job.task = tasks.failed(job.task, self._clock.now(), error)
            self._ended(job, ZERO if refunded and self._refunds else job.task.reserved)

    def _ended(self, job: Job, charged: Decimal, seconds: float | None = None) -> None:
        self.pace.done(job.pixels, seconds)
        job.owed = charged
        self._references.release(job.media)
        job.media = {}
        job.bearer.ended()
        job.done.set()
        self._settle_in_time(job, 0)

    def _settle_in_time(self, job: Job, since: float) -> None:
        """Settles an ended job now, or when the script says so; `since` is its end, as seconds from now, so not above 0."""
        later = self.script(job).on_task(Settle, job.task.number, job.task.label)
        if later is None:
            self._settle(job)
        elif later.seconds is not None:
            self._clock.after(max(0.0, later.seconds + since), lambda: self._settle(job))

    def _settle(self, job: Job) -> None:
        assert job.owed is not None
        job.bearer.settle(job.task.reserved, job.owed, job.task.created_at)
        self._move(job, tasks.settled(job.task, self._clock.now(), job.owed))
        self.settled(job)

    def _move(self, job: Job, task: Task) -> None:
        job.task = task
        self._save(job)

    @contextmanager
    def _whole(self, job: Job) -> Iterator[None]:
        """All that happens to the job inside is saved at once."""
        self._changing.add(job)
        try:
            yield
        finally:
            self._changing.discard(job)
            self._save(job)

    def _save(self, job: Job) -> None:
        """The next save makes good for one that failed: a job is written as a whole."""
        if job in self._changing:
            return
        try:
            self._store.save(job)
        except Unusable as fault:
            self._log(f"{job.task.id} could not be saved: the books are not to be written: {fault.reason}")


def bug_line(bug: BaseException) -> str:
    """What went wrong and where, in one line without any value but the message."""
    place = traceback.extract_tb(bug.__traceback__)[-1]
    return f"{type(bug).__name__}: {bug} ({Path(place.filename).name}:{place.lineno})"
