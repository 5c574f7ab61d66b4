"""Where tasks are worked off: media fetched, prices settled, clips rendered.

Two queues, first come first served: media of several tasks are fetched at once, while no more than `workers` clips are
rendered at the same time, each on one thread.
"""

import asyncio
import secrets
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from runner.core.media import Kind
from runner.core.money import ZERO
from runner.emulator import billing, intake, tasks
from runner.emulator.accounts import Account, Bearer
from runner.emulator.clock import Clock
from runner.emulator.intake import Asked
from runner.emulator.order import BadMedia, Order
from runner.emulator.pace import Pace
from runner.emulator.references import CODES, BadReference, Medium, References
from runner.emulator.script import Cancel, Charge, Fail, Hold, Length, NoResults, Script, Settle
from runner.emulator.tasks import Status, Task, TaskError

FETCHERS = 8


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A task and what belongs to it. `pixels` is all frames together.

    `links` are the unguessable parts of its result links, with the unix time each was made at; the first comes with the
    clip. `polls` counts by the true status each found.
    """

    bearer: Bearer
    asked: Asked
    task: Task
    pixels: int
    links: dict[str, float] = field(default_factory=dict)
    media: Mapping[Kind, tuple[Medium, ...]] = field(default_factory=dict)
    held: bool = False
    polls: Counter[Status] = field(default_factory=Counter)
    downloads: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def account(self) -> Account:
        return self.bearer.account

    def link(self, at: float) -> None:
        self.links[secrets.token_urlsafe(24)] = at


class Works:
    """For one event loop; `folder`, where clips are kept, exists and is its own."""

    def __init__(
        self,
        folder: Path,
        references: References,
        *,
        workers: int,
        script: Script,
        clock: Clock,
        refunds: bool,
        render: Callable[[Order, Path], None],
        log: Callable[[str], None],
    ) -> None:
        self._folder, self._references, self._workers = folder, references, workers
        self._script, self._clock, self._refunds, self._log = script, clock, refunds, log
        self._draw = render
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
        self._incoming.put_nowait(job)

    def clip(self, job: Job) -> Path:
        """Where the clip of a completed task lies."""
        return self._folder / f"{job.task.id}.mp4"

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
        planned = self._script.on_task
        number, label = job.task.number, job.task.label
        if not job.held and (hold := planned(Hold, number, label)):
            job.held = True
            if not hold.queued:
                job.task = tasks.processing(job.task, 10)
            if hold.seconds is not None:
                self._clock.after(hold.seconds, lambda: self.put(job))
            return
        job.task = tasks.processing(job.task, 10)
        if fail := planned(Fail, number, label):
            self._fail(job, TaskError(code=fail.code, message=fail.message), refunded=fail.refunded)
        elif cancel := planned(Cancel, number, label):
            job.task = tasks.cancelled(job.task, self._clock.now())
            self._ended(job, ZERO if cancel.refunded and self._refunds else job.task.reserved)
        elif planned(NoResults, number, label):
            self._complete(job, job.task.reserved)
        else:
            job.media = await self._references.gather(job.asked)
            job.task = tasks.processing(job.task, 40)
            self._ready.put_nowait(job)

    async def _render(self, job: Job) -> None:
        begun = time.perf_counter()
        order = self._order(job)
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._draw, order, self.clip(job))
        except BadMedia as fault:
            kind = next(iter(job.media), None)
            code = CODES[kind] if kind else "generation_failed_no_content"
            self._fail(job, TaskError(code=code, message=fault.reason))
            return
        seconds = {kind: [medium.facts.seconds for medium in media] for kind, media in job.media.items()}
        charged = billing.price(job.asked.model, job.asked.body, seconds, job.task.created_at, order.seconds)
        self._complete(job, charged, time.perf_counter() - begun)

    def _order(self, job: Job) -> Order:
        model, body = job.asked.model, job.asked.body
        images, videos, sounds = (job.media.get(kind, ()) for kind in (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO))
        width, height = model.size(body, images[0].facts if images else None)
        identities = {medium.url: medium.facts.sha256 for medium in (*images, *videos, *sounds)}
        length = self._script.on_task(Length, job.task.number, job.task.label)
        return Order(
            model=model.name,
            prompt=str(body.get("prompt", "")),
            width_px=width,
            height_px=height,
            seconds=length.seconds if length else intake.seconds(job.asked),
            seed=intake.seed(job.asked, identities),
            fps=model.output.fps,
            label=job.task.label,
            image=images[0].path if images else None,
            videos=tuple(medium.path for medium in videos),
            audio=sounds[0].path if sounds else None,
            sound=model.sounds(body),
            quality=str(body.get("quality", "")),
        )

    def _complete(self, job: Job, price: Decimal, seconds: float | None = None) -> None:
        job.task = tasks.completed(job.task, self._clock.now())
        job.link(self._clock.now())
        other = self._script.on_task(Charge, job.task.number, job.task.label)
        self._ended(job, other.amount if other else price, seconds)

    def _fail(self, job: Job, error: TaskError, *, refunded: bool = True) -> None:
        job.task = tasks.failed(job.task, self._clock.now(), error)
        self._ended(job, ZERO if refunded and self._refunds else job.task.reserved)

    def _ended(self, job: Job, charged: Decimal, seconds: float | None = None) -> None:
        self.pace.done(job.pixels, seconds)
        job.done.set()
        job.bearer.ended()
        later = self._script.on_task(Settle, job.task.number, job.task.label)
        if later is None:
            self._settle(job, charged)
        elif later.seconds is not None:
            self._clock.after(later.seconds, lambda: self._settle(job, charged))

    def _settle(self, job: Job, charged: Decimal) -> None:
        job.task = tasks.settled(job.task, self._clock.now(), charged)
        job.bearer.settle(job.task.reserved, charged, job.task.created_at)
        self.settled(job)


def bug_line(bug: BaseException) -> str:
    """What went wrong and where, in one line without any value but the message."""
    place = traceback.extract_tb(bug.__traceback__)[-1]
    return f"{type(bug).__name__}: {bug} ({Path(place.filename).name}:{place.lineno})"
