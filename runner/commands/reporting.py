"""One run's account of itself: progress while it works, manifest, clips and film, and the last lines."""

import asyncio
import hashlib
import json
import platform
import shlex
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from signal import Signals

import runner
from runner.adapters import git
from runner.adapters.journal import Journal
from runner.adapters.outputs import Outputs
from runner.adapters.store import Store
from runner.commands.account import IN_THE_DARK, Account, latest
from runner.commands.deciding import Decided
from runner.commands.finishing import Made, finish
from runner.commands.following import Chains
from runner.commands.gitlock import NotKept
from runner.commands.loading import Loaded
from runner.contract import price
from runner.core.errors import Exit, NotRecorded
from runner.core.lifecycle import OPEN, Event, State
from runner.execution.desk import Desk, stamp
from runner.execution.ports import Notice, What
from runner.execution.submit import ReceiptUnwritten
from runner.language.pipeline import Step
from runner.planning import manifest
from runner.planning.bill import Bill, bill
from runner.planning.history import Entry, History
from runner.planning.manifest import Film
from runner.screen import summary
from runner.screen.actions import takes
from runner.screen.clean import words
from runner.screen.diagnostics import Format
from runner.screen.progress import Progress
from runner.screen.terminal import Terminal
from runner.steps import generate


@dataclass(slots=True, kw_only=True)
class Run:
    """What `run` has seen so far. `moved` is by how much the account's used credits grew, None where that is not known; `stopped` is
    the first signal that stopped it;
    `plain` is the command without the saved plan that is carried out, "" where there is none; `over`: that plan is finished;
    `work` is under way; `crashes` what went wrong inside, `unwritten` what of the out folder could not be written."""

    loaded: Loaded
    decided: Decided
    journal: Journal
    store: Store
    outputs: Outputs
    terminal: Terminal
    begun: float
    desk: Desk | None = None
    moved: Decimal | None = None
    stopped: Signals | None = None
    plain: str = ""
    over: bool = False
    work: "asyncio.Future[None] | None" = None
    crashes: list[Exception] = field(default_factory=list)
    pending: dict[str, str] = field(default_factory=dict)
    unwritten: str = ""
    steps: list[dict[str, object]] = field(default_factory=list)
    placed: dict[str, str] = field(default_factory=dict)
    chains: Chains = field(init=False)
    _progress: Progress | None = None
    _changed: bool = False
    _head: Film | None = None

    def __post_init__(self) -> None:
        self.chains = Chains(decided=self.decided, history=self._history)

    # While it works

    def opening(self) -> None:
        heading = self.decided.heading
        self.terminal.talk(
            f"{heading.storyboard} under pipeline {heading.pipeline} at {heading.service}, state in {heading.state}"
        )
        if self.terminal.verbose:
            self.terminal.talk(
                takes(self.decided.plan.actions, free=heading.free, colour=self.terminal.colour_err, width=0)
            )

    def watch(self, notice: Notice) -> None:
        self._changed = True
        if notice.what in (What.PENDING, What.BLOCKED):
            self.pending.update(dict.fromkeys(notice.takes, notice.text))
        if self._progress is not None:
            self._progress(notice)

    def note(self, line: str) -> None:
        if self._progress is not None:
            self._progress.note(line)
        else:
            self.terminal.talk(line)

    @asynccontextmanager
    async def kept_current(self, takes: int) -> AsyncIterator[None]:
        """Progress on the screen, and the manifest written between, at most every max(1 s, 20 times its last writing)."""
        terminal = self.terminal
        with Progress(
            takes=takes,
            stream=terminal.err_stream,
            terminal=terminal.live,
            colour=terminal.colour_err,
            quiet=bool(terminal.quiet),
        ) as progress:
            self._progress = progress
            over = asyncio.Event()
            writing = asyncio.create_task(self._rewrite(over))
            try:
                yield
            finally:
                over.set()  # and not cancelled: what is being written must not come after what is written next
                await asyncio.gather(writing, return_exceptions=True)
                self._progress = None
                with suppress(NotKept):  # told by `finish`, which a bug here would not reach
                    await self.keep_lock()

    async def _rewrite(self, over: asyncio.Event) -> None:
        last_s = 0.0
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), max(1.0, 20 * last_s))
            if self._changed and not over.is_set():
                self._changed = False
                begun = time.monotonic()
                with suppress(OSError):  # told at the end, if it fails then too
                    await self.manifest()
                try:
                    await self.keep_lock()
                except NotKept as fault:
                    if self.desk is not None:
                        self.desk.halt.submitting(str(fault))
                last_s = time.monotonic() - begun

    async def manifest(self) -> None:
        """Write the manifest as of now."""
        content = json.dumps(self._document(), indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
        await asyncio.to_thread(self.outputs.write_manifest, content)

    def _document(self) -> dict[str, object]:
        history = self._history()
        return manifest.build(self._film_head(), self.chains.now().plan, history, self.placed, self._bill(history))

    async def keep_lock(self, *, begun: bool = False) -> None:
        """Bring the lock in git up to date. Raises `NotKept`."""
        lock = self.chains.now().lock
        if lock is not None:
            await asyncio.to_thread(lock.keep, self._history(), begun=begun)

    # Afterwards

    async def finish(self, steps: Sequence[Step]) -> None:
        """Place the clips, carry out the steps that follow, write the manifest. A fault of this machine is told and costs no clip: all of them lie
        in the store, and the same command goes on."""
        try:
            history = self._history()
            try:
                await self.keep_lock()
            except NotKept as fault:
                self.unwritten = str(fault)
            await self.journal.note_takes(self.loaded.identity, self.loaded.service.name, self._finished(history))
            decided = self.chains.now()
            placed = await generate.place(decided.plan, history, self.store, self.outputs)
            self.placed, now = placed.clips, stamp(datetime.now(UTC))
            for damaged in placed.damaged:
                self.note(f"{damaged.intent.take}: its clip in the store is damaged; running again fetches it again")
                entry = Entry(at=now, event=Event.MISPLACED, key=damaged.key, purchase=damaged.number)
                await self.journal.record(entry)
            history = self._history()
            made = Made(
                loaded=decided.loaded,
                decided=decided,
                history=history,
                journal=self.journal,
                outputs=self.outputs,
                placed=self.placed,
                document=self._document,
                note=self.note,
                stopped=lambda: self.stopped is not None,
            )
            await finish(steps, made, self.steps)
            await self.manifest()
            await self.journal.note_intact(self.store.judged, now)
        except (OSError, NotRecorded) as fault:
            reason = (fault.strerror if isinstance(fault, OSError) else None) or str(fault)
            self.unwritten = f"{_named(fault)}{reason}"
            with suppress(OSError):  # it may be another file that cannot be written
                await self.manifest()
        except Exception as crash:  # noqa: BLE001 - a bug here must not keep back what is paid and until when
            self.crashes.append(crash)
            if self.steps and "status" not in self.steps[-1]:
                self.steps[-1].update(status="failed", error="an internal fault")

    def _finished(self, history: History) -> dict[str, str]:
        """The key of every take that has its clip."""
        keys = {a.take.id: a.request.key for a in self.chains.now().plan.actions if a.request is not None}
        return {t: k for t, k in keys.items() if (made := latest(k, history)) and made.state is State.DONE}

    def closing(self, view: Format) -> Exit:
        """Say what came of it; the exit code."""
        history = self._history()
        account = Account(
            decided=self.chains.now(),
            history=history,
            service=self.loaded.service,
            out=self.outputs.path(""),
            pending=self.pending,
            steps=self.steps,
            bill=self._bill(history),
            account=self.desk.account if self.desk else "",
        )
        same = shlex.join(["shotrunner", *sys.argv[1:]])
        report = account.report(
            seconds=time.monotonic() - self.begun,
            stopped=self.desk.halt.reason if self.desk else f"stopped by {self.stopped.name}" if self.stopped else "",
            go_on=self.plain if self.over else same,
            retry=self.plain or same,
            placed=bool(self.placed),
        )
        text = (
            summary.as_json(report)
            if view is Format.JSON
            else summary.text(report, colour=self.terminal.colour_out, width=self.terminal.width)
        )
        self.terminal.out(text)
        if self.unwritten:
            self.terminal.alarm(
                f"could not be written: {words(self.unwritten)}; the clips are safe in {self.decided.heading.state}"
            )
        for crash in self.crashes:
            if isinstance(crash, ReceiptUnwritten):
                settle = shlex.join(["shotrunner", "reconcile", "--attach", f"{crash.key[:12]}={crash.task_id}"])
                self.terminal.alarm(f"keep this: {words(str(crash))}\nonce it can be written again: {words(settle)}")
        return self._exit(account.states)

    def _exit(self, states: Mapping[str, State | None]) -> Exit:
        if any(not isinstance(c, ReceiptUnwritten | NotRecorded) for c in self.crashes):
            raise ExceptionGroup("jobs crashed", self.crashes)
        if IN_THE_DARK & set(states.values()) or any(isinstance(c, ReceiptUnwritten) for c in self.crashes):
            return Exit.UNKNOWN
        if self.stopped is not None:
            return Exit.SIGINT if self.stopped is Signals.SIGINT else Exit.SIGTERM
        if any(state in OPEN for state in states.values()) or (self.pending and self.desk and self.desk.halt.later):
            return Exit.REMAINS
        if self.unwritten or self.crashes or any(state is not State.DONE for state in states.values()):
            return Exit.INCOMPLETE
        if any(step.get("status") != "done" for step in self.steps):
            return Exit.INCOMPLETE
        return Exit.DONE

    @property
    def cut_short(self) -> bool:
        """Whether it ended before it had done all it set out to do."""
        halted = self.desk is not None and bool(self.desk.halt.why())
        return halted or self.stopped is not None or bool(self.crashes or self.unwritten)

    def _history(self) -> History:
        return self.journal.current()

    def _bill(self, history: History) -> Bill | None:
        """What this run has cost; None on a free service."""
        if self.loaded.service.provider.free:
            return None
        return bill(
            self.decided.history,
            history,
            service=self.loaded.service.name,
            estimates={request.key: request.reserve for request in self.chains.now().loaded.requests.values()},
            moved=self.moved,
        )

    def _film_head(self) -> Film:
        loaded = self.loaded
        if self._head is None:
            source = loaded.storyboard.source
            self._head = Film(
                storyboard=source.path,
                sha256=hashlib.sha256((loaded.project.root / source.path).read_bytes()).hexdigest(),
                title=loaded.storyboard.title,
                commit=git.commit(loaded.project.root),
                pipeline=loaded.pipeline.name,
                service=loaded.service,
                prices=_prices(loaded),
                versions={"shotrunner": runner.__version__, "python": platform.python_version()},
                written_at="",
            )
        return replace(self._head, written_at=stamp(datetime.now(UTC)), steps=tuple(self.steps))


def _prices(loaded: Loaded) -> dict[str, object]:
    """The tariff behind each model's estimates; none on a free service."""
    provider = loaded.service.provider
    if provider.free:
        return {}
    today = datetime.now(UTC).date()
    used = sorted({b.request.model for b in loaded.built if b.request is not None})
    tariffs = {name: price.tariff_on(loaded.models[name], provider.name, today) for name in used}
    return {
        name: {
            "from": tariff.since.isoformat(),
            "unit": tariff.unit,
            "per_usd": None if tariff.per_usd is None else str(tariff.per_usd),
            "per_second": str(tariff.per_second),
            "minimum": str(tariff.minimum),
        }
        for name, tariff in tariffs.items()
        if tariff is not None
    }


def _named(fault: Exception) -> str:
    name = fault.filename if isinstance(fault, OSError) else None
    return f"{name}: " if name else ""
