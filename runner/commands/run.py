"""`shotrunner run`: what is paid is fetched first, then the plan is carried out, then the film is cut and the manifest written."""

import asyncio
import os
import random
import secrets
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from runner.adapters import lock, root
from runner.adapters.clock import SystemClock
from runner.adapters.disk import Disk, network_of
from runner.adapters.journal import Journal
from runner.adapters.keys import fingerprint
from runner.adapters.media import PROBE_VERSION, Probe, facts_to_json
from runner.adapters.outputs import Outputs
from runner.adapters.store import Store
from runner.commands import balance, extras, loading, quota, saved
from runner.commands.adopting import adopt
from runner.commands.budgeting import NARROW, admit, dearer
from runner.commands.deciding import decide, out_folder
from runner.commands.following import Following
from runner.commands.gitlock import NotKept
from runner.commands.loading import Loaded
from runner.commands.options import Options
from runner.commands.peek import JOURNAL, peeked
from runner.commands.permitting import demand_permit
from runner.commands.provider import key_of
from runner.commands.quota import Uploaded
from runner.commands.reporting import Run
from runner.commands.saved import Saved
from runner.core.errors import Exit, NotRecorded, Refused
from runner.core.lifecycle import OPEN
from runner.execution.desk import MAX_UNKNOWN, Desk
from runner.execution.execute import Job, execute
from runner.execution.pace import BEAT, Poll
from runner.execution.purse import Purse
from runner.execution.room import MIN_FREE, Room
from runner.execution.throttle import Throttle
from runner.execution.trials import Trials
from runner.screen.amounts import duration
from runner.screen.diagnostics import Format, formatted
from runner.screen.terminal import Terminal
from runner.steps import generate


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """A service that answers: where, with which key, for which account."""

    base_url: str
    files_url: str
    key: str
    account: str
    emulated: bool


def run(file: Path, options: Options, view: Format, terminal: Terminal) -> Exit:
    """Carry out a storyboard. Raises `Rejected` and `Refused` before anything is spent."""
    return _carry_out(file, options, view, terminal, None)


def run_plan(plan: Path, file: Path | None, options: Options, view: Format, terminal: Terminal) -> Exit:
    """Carry out a saved plan; `file` is its storyboard, None to look for it. Raises `Rejected` and `Refused` before anything is spent."""
    storyboard, asked, ticket = saved.opened(plan, file, options)
    return _carry_out(storyboard, asked, view, terminal, ticket)


def _carry_out(file: Path, options: Options, view: Format, terminal: Terminal, ticket: Saved | None) -> Exit:
    place, path = loading.project(file, options)
    with peeked(place.state) as known:
        loaded = loading.load(place, path, options, known.probed if known else lambda *_: None)
    loaded.demand()
    if not options.collecting:
        extras.demand(loaded.pipeline)
    if not loaded.service.provider.free and not options.collecting and (kind := network_of(place.state)):
        raise Refused(
            f"the state folder {place.state} lies on a network file system ({kind}), where no lock and no receipt is sure",
            help="what buys keeps its state on a local disk: name a folder there by --state, the same each time",
        )
    root.make_state(place.state)
    with lock.held(place.state, wait_s=options.wait_s):
        journal = Journal(place.state / JOURNAL)
        try:
            return asyncio.run(_run(loaded, options, view, terminal, journal, ticket))
        finally:
            journal.close()


async def _run(
    loaded: Loaded, options: Options, view: Format, terminal: Terminal, journal: Journal, ticket: Saved | None
) -> Exit:
    begun = time.monotonic()
    store = Store(loaded.project.state)
    decided = decide(loaded, options, journal, store)
    if ticket is not None:
        decided = saved.held_to(ticket, decided.loaded, decided, options, journal)
    loaded = decided.loaded
    if loaded.diagnostics:
        terminal.talk(formatted(loaded.diagnostics, Format.TEXT, colour=terminal.colour_err))
    demand_permit(loaded, options, terminal)
    jobs = generate.jobs(decided.plan, decided.orphans, decided.ends)
    narrow = NARROW if ticket is None else saved.narrower(ticket, Path(decided.heading.storyboard), options)
    with _naming_owed(loaded, jobs):
        limit = admit(loaded, decided, options, os.environ, terminal, narrow=narrow)
    key = key_of(loaded.service, loaded.project.root, os.environ) if jobs else ""
    held = await balance.asked(loaded.service, key, terminal) if jobs else None
    with _naming_owed(loaded, jobs):
        balance.demand(decided, loaded.service, held, narrow=narrow)
        await quota.demand(decided, loaded.service, key, journal, terminal, narrow=narrow)
    outputs = Outputs(out_folder(loaded, options), journal)
    report = Run(
        loaded=loaded, decided=decided, journal=journal, store=store, outputs=outputs, terminal=terminal, begun=begun
    )
    if ticket is not None:
        report.plain = saved.without_plan(Path(decided.heading.storyboard), options)
    with _signals(report):
        try:
            await report.manifest()
        except OSError as fault:
            raise Refused(f"the out folder {outputs.path('')} cannot be written: {fault.strerror}") from fault
        report.opening()
        for line in decided.unlike:
            report.note(line)
        try:
            await journal.record(*decided.recovered)
            if ticket is not None:
                await saved.begin(ticket, journal)
            await adopt(decided.adoptions, journal, store, report.note)
            await journal.note_requests({r.key: r.inputs for r in loaded.requests.values() if not r.awaited})
            for sha256, facts in loaded.found.items():
                await journal.note_probe(sha256, PROBE_VERSION, facts_to_json(facts))
        except NotRecorded as fault:
            raise Refused(f"the journal {loaded.project.state / JOURNAL} cannot be written: {fault}") from fault
        store.clear_parts([f"{p.key}.{p.number}" for made in decided.history.values() for p in made if p.state in OPEN])
        try:
            await report.keep_lock(begun=bool(decided.plan.to_buy))
        except NotKept as fault:
            raise Refused(
                str(fault), help="without it a colleague's machine would buy again what is bought here"
            ) from fault
        if jobs:
            async with report.kept_current(sum(len(job.takes) for job in jobs if not job.only_asks)):
                await _work(loaded, jobs, limit, loaded.pipeline.generate.retries, key, options, journal, store, report)
            if held is not None and report.stopped is None:
                report.moved = balance.movement(held, await balance.asked(loaded.service, key, terminal))
        await report.finish(() if options.collecting else loaded.pipeline.steps)
        if ticket is not None:
            await saved.end(ticket, report)
        return report.closing(view)


@contextmanager
def _naming_owed(loaded: Loaded, jobs: Sequence[Job]) -> Iterator[None]:
    """A refusal to buy names what is paid already, and the command that fetches it all the same."""
    try:
        yield
    except Refused as refused:
        owed = sum(1 for job in jobs if job.purchase is not None and job.purchase.state in OPEN)
        if not owed or loaded.service.provider.free:
            raise
        note = f"{owed} paid and not fetched yet: `collect` instead of `run` fetches them and needs no budget"
        raise Refused(refused.message, help=refused.help, notes=(*refused.notes, note)) from refused


async def _work(
    loaded: Loaded,
    jobs: tuple[Job, ...],
    limit: Decimal | None,
    retries: int,
    key: str,
    options: Options,
    journal: Journal,
    store: Store,
    report: Run,
) -> None:
    """Execute the jobs at the service, under signals; what went wrong is kept in the report, never lost."""
    from runner.adapters.client import Client
    from runner.adapters.service import Service
    from runner.adapters.uploads import Uploads

    chosen = loaded.service
    with Probe() as probe:
        async with (
            _opened(loaded, key) as service,
            Client(base_url=service.base_url, files_url=service.files_url, key=service.key).opened() as client,
        ):
            models = {job.request.model for job in jobs if job.request} | {
                job.purchase.intent.model for job in jobs if job.purchase
            }
            clock = SystemClock()
            desk = Desk(
                api=Service(
                    client,
                    Uploads(
                        client,
                        root=loaded.project.root,
                        store=store,
                        probe=probe,
                        memory=None if chosen.provider.ephemeral else Uploaded(journal, chosen.name, service.account),
                    ),
                    store=store,
                    probe=probe,
                    emulated=service.emulated,
                    batch=chosen.provider.batch,
                ),
                ledger=journal,
                clock=clock,
                watch=report.watch,
                purse=Purse(limit, dearer(loaded, journal)),
                trials=Trials(() if chosen.provider.free else loaded.unshipped()),
                throttle=Throttle(clock, limit=chosen.concurrency, rate_per_s=chosen.rate_per_s, random=random.random),
                poll=Poll(
                    floor_s=chosen.poll_floor_s,
                    ceiling_s=chosen.poll_ceiling_s,
                    beat_s=BEAT * chosen.poll_floor_s if chosen.provider.batch else 0,
                ),
                room=Room(Disk(store.folder), MIN_FREE if options.min_free_bytes is None else options.min_free_bytes),
                max_unknown=options.max_unknown or MAX_UNKNOWN,
                replay_within_s=chosen.replay_within_s,
                storyboard=loaded.identity,
                service=chosen.name,
                account=service.account,
                free=chosen.provider.free,
                deadline_s=chosen.deadline_s,
                retries=retries,
                follow=Following(chains=report.chains, options=options, journal=journal, store=store, probe=probe),
                learned={model: journal.durations(model, chosen.name) for model in models},
            )
            report.desk = desk
            if report.stopped is not None:
                desk.halt.leaving(_stopped_by(report.stopped))
            report.work = asyncio.ensure_future(execute(desk, jobs))
            with _alarm(report, options.stop_after_s):
                try:
                    await report.work
                except asyncio.CancelledError:
                    if report.stopped is None:
                        raise
                except ExceptionGroup as crashes:
                    report.crashes = list(crashes.exceptions)


@asynccontextmanager
async def _opened(loaded: Loaded, key: str) -> AsyncIterator[_Service]:
    """The service: the paid one with its key, or the emulator, started for this run on a free loopback port with a key of its own."""
    chosen = loaded.service
    if chosen.base_url is not None and chosen.files_url is not None:
        yield _Service(
            base_url=chosen.base_url, files_url=chosen.files_url, key=key, account=fingerprint(key), emulated=False
        )
        return
    from runner.emulator.app import Emulator  # loads a web server and a renderer, which only this provider needs
    from runner.emulator.switches import Switches

    folder = loaded.project.state / "emulator"
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)  # of a run that was killed; the lock is ours
    folder.mkdir(mode=0o700, exist_ok=True)
    silent = Switches(callbacks="none")  # a rehearsal calls nobody
    own_key, workers = secrets.token_urlsafe(24), os.cpu_count() or 1
    async with Emulator(loaded.models, folder, key=own_key, workers=workers, switches=silent) as emulator:
        yield _Service(
            base_url=emulator.base_url, files_url=emulator.base_url, key=emulator.key, account="animatic", emulated=True
        )


@contextmanager
def _signals(report: Run) -> Iterator[None]:
    """The first signal stops submitting, waiting and cutting, the second also drops downloads; no POST is ever dropped."""
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        if report.stopped is None:
            report.stopped = number
            if report.desk is not None:
                report.desk.halt.leaving(_stopped_by(number))
            report.note("stopping: nothing new is submitted; what is paid can be fetched by running again")
        elif report.work is not None:
            report.work.cancel()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _stopped_by(number: signal.Signals) -> str:
    return f"stopped by {number.name}"


@contextmanager
def _alarm(report: Run, after_s: float | None) -> Iterator[None]:
    """After `after_s` seconds of the run nothing new is submitted; what is under way is seen to its end."""
    if after_s is None:
        yield
        return

    def drain() -> None:
        assert report.desk is not None
        if not report.desk.halt.why():
            report.desk.halt.submitting(f"--stop-after {duration(after_s)} has passed", later=True)
            report.note("nothing new is submitted after --stop-after; what is under way is awaited")

    left_s = report.begun + after_s - time.monotonic()
    alarm = asyncio.get_running_loop().call_later(max(left_s, 0), drain)
    try:
        yield
    finally:
        alarm.cancel()
