"""From requests to a plan: what the journal knows, what would be recovered first, what is decided. Writes nothing."""

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from runner.adapters import catalog
from runner.adapters.found import Found
from runner.adapters.journal import Journal
from runner.adapters.store import Store
from runner.commands import approval
from runner.commands.adopting import Adoption
from runner.commands.gitlock import GitLock
from runner.commands.loading import Loaded
from runner.commands.options import Options, named
from runner.contract.price import tariff_on
from runner.core.errors import Refused
from runner.core.lifecycle import OPEN, Event, State
from runner.core.network import is_loopback
from runner.core.request import Request
from runner.execution.desk import stamp
from runner.planning import budget, chain, picked, recovery, taken_in
from runner.planning import plan as plans
from runner.planning.budget import Cap, committed_for
from runner.planning.history import Entry, History, Purchase, standing
from runner.planning.lockfile import Damaged, Line
from runner.planning.plan import Facts, Plan, Wishes
from runner.providers.provider import PROVIDERS
from runner.screen.amounts import count
from runner.screen.plan import Heading

LINKS = 64  # of a chain that are looked up one after the other in the locks of other storyboards


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A plan and what goes with it. `loaded` has every take that is made from another's clip with that clip as it stands; `facts` is
    what decided beside the history, `kept` are purchases whose clips were picked, by take. `recovered` are events a run records before it acts, `adoptions` clips that it then takes
    into the store; `orphans` open receipts of this service that no take of the storyboard asks for, `ends` such of it as are
    asked about once more; `elsewhere` lines on receipts of other services, `unlike` on takes whose clip is not the one that was picked. `lock` is None on a free service."""

    loaded: Loaded
    facts: Facts
    kept: Mapping[str, Purchase]
    plan: Plan
    history: History
    recovered: tuple[Entry, ...]
    adoptions: tuple[Adoption, ...]
    lock: GitLock | None
    orphans: tuple[Purchase, ...]
    ends: tuple[Purchase, ...]
    elsewhere: tuple[str, ...]
    caps: tuple[Cap, ...]
    remarks: tuple[str, ...]
    unlike: tuple[str, ...]
    heading: Heading


def decide(loaded: Loaded, options: Options, journal: Journal | None, store: Store) -> Decided:
    """The plan as of now. Raises `Refused` when an option names no take."""
    takes = tuple(b.take for b in loaded.built)
    for option, globs in (("--shots", options.shots), ("--retry", options.retry)):
        for glob in globs:
            if not any(named(take, (glob,)) for take in takes):
                raise Refused(f"{option} {glob} names no take", help=f"takes here: {_some(tuple(t.id for t in takes))}")

    def here(purchase: Purchase) -> bool:
        sha256, size_bytes = purchase.clip
        return store.has(sha256, size_bytes) and store.intact(sha256)

    store.trust(journal.intact() if journal else {})
    history: History = journal.history() if journal else {}
    now = stamp(datetime.now(UTC))
    recovered = recovery.entries(history, at=now, ephemeral=ephemeral, here=here)
    history = recovery.applied(history, recovered)
    lock = None if loaded.service.provider.free else GitLock.of(loaded)
    out = Found((loaded.project.root / "out", *([options.out.absolute()] if options.out else [])))
    again = frozenset(take.id for take in takes if options.retry and named(take, options.retry))
    picks = approval.approved(loaded, history, again)
    lineage = chain.lineage(loaded.built, loaded.context)

    def made(request: Request) -> Mapping[str, object] | None:
        found = picks.stands_at(request)
        return chain.seen(found[1]) if found else chain.clip_of(request, history)

    told: tuple[Entry, ...] = ()
    for _ in range(LINKS if lineage else 1):
        if lineage:
            loaded = replace(loaded, built=chain.settled(loaded.built, loaded.context, made))
        if lock:
            lock.loaded = loaded  # a key that is known only now may stand in the lock of another storyboard
        lines = _lines(lock) if lock else ()
        more = _learned(lock, lines, loaded, history, now, here)
        told, history = (*told, *more), taken_in.named(lines, recovery.applied(history, more))
        picks = approval.approved(loaded, history, again)
        if not more:
            break

    def left(request: Request) -> Mapping[str, object] | None:
        known = standing(history.get(request.key, ()))
        gone = known is not None and not here(known) and _lies(known, out) is None
        return made(request) if picks.stands_at(request) or not gone else None  # what is bought again is another clip

    if lineage and options.buy_missing:
        loaded = replace(loaded, built=chain.settled(loaded.built, loaded.context, left))
    inputs = journal.inputs if journal else lambda _: None
    held, kept = picked.protected(loaded.built, picks, inputs=inputs)
    requests = {**loaded.requests, **{take: one.request for take, one in held.items()}}
    if not ephemeral(loaded.service.name):
        misplaced = recovery.misplaced(history, (one.request.key for one in held.values()), at=now, here=here)
        told, history = (*told, *misplaced), recovery.applied(history, misplaced)
    last = journal.last_keys(loaded.identity, loaded.service.name) if journal else {}

    def last_inputs(take: str) -> Mapping[str, object] | None:
        return journal.inputs(last[take]) if journal and take in last else None

    waits = not (options.unpicked or loaded.service.provider.free)
    facts = Facts(
        wishes=Wishes(
            selected=lambda take: not options.shots or named(take, options.shots),
            retried=lambda take: take.id in again,
            missing=options.buy_missing,
            held=waits,
        ),
        here=here,
        last_inputs=last_inputs,
        found=lambda purchase: os.path.relpath(place) if (place := _lies(purchase, out)) else "",
        left_out=loaded.choice.left_out,
        undecided=loaded.choice.undecided if waits else {},
        amended=approval.amended(loaded, picks, held, missing=options.buy_missing, inputs=inputs),
    )
    plan = plans.make(takes, requests, history, facts, lineage)
    if options.collecting:
        plan = plans.buying_nothing(plan)
    asked = {a.request.key for a in plan.actions if a.request is not None}
    open_ones = [p for made in history.values() for p in made if p.state in OPEN]
    service = loaded.service.name
    return Decided(
        loaded=loaded,
        facts=facts,
        kept=kept,
        plan=plan,
        history=history,
        recovered=(*recovered, *told),
        adoptions=tuple(_adoptions(plan, store, out)),
        lock=lock,
        orphans=tuple(p for p in open_ones if p.intent.service == service and not _planned(p, plan, asked)),
        ends=recovery.asked_again(history, service),
        elsewhere=_elsewhere([p for p in open_ones if p.intent.service != service], loaded.project.root),
        caps=caps(loaded, options, history, plan),
        remarks=(*_remarks(loaded), *_told_by(lock, told)),
        unlike=tuple(
            f"{a.take.id}: {why}" for a in plan.actions if a.take.id not in held and (why := picked.unlike(a, picks))
        ),
        heading=Heading(
            storyboard=os.path.relpath(loaded.project.root / loaded.storyboard.source.path),
            title=loaded.storyboard.title,
            pipeline=loaded.pipeline.name,
            service=service,
            free=loaded.service.provider.free,
            state=os.path.relpath(loaded.project.state),
            journal=journal is not None,
            lock="the lock in git" if lock and told else "",
            account_note="",
        ),
    )


def _learned(
    lock: GitLock | None,
    lines: Iterable[Line],
    loaded: Loaded,
    history: History,
    now: str,
    here: Callable[[Purchase], bool],
) -> tuple[Entry, ...]:
    """What the locks in git and the store tell of what is asked for now, and the journal does not know yet."""
    told = _taken_in(lock, lines, history, loaded.identity, now) if lock else ()
    if ephemeral(loaded.service.name):
        return told
    keys = (request.key for request in loaded.requests.values())
    return (*told, *recovery.misplaced(recovery.applied(history, told), keys, at=now, here=here))


def _lines(lock: GitLock) -> tuple[Line, ...]:
    """The lines of the locks in git that count for this service."""
    here = lock.loaded.service.name
    real = not _on_loopback(here)  # play money and real money are not added up
    return tuple(line for line in lock.known() if line.service == here or (real and not _on_loopback(line.service)))


def _taken_in(lock: GitLock, lines: Iterable[Line], history: History, storyboard: str, now: str) -> tuple[Entry, ...]:
    try:
        return taken_in.entries(lines, history, storyboard=storyboard, at=now)
    except Damaged as fault:
        raise Refused(f"the lock {lock.name} {fault}", help="restore it from git: it says what is paid") from None


def _on_loopback(service: str) -> bool:
    host = service.partition("@")[2]
    return bool(host) and is_loopback(f"http://{host}")


def _told_by(lock: GitLock | None, told: Iterable[Entry]) -> Iterator[str]:
    made = sum(1 for entry in told if entry.event is Event.SEND)
    if lock and made:
        yield f"{count(made, 'purchase')} of other machines {'is' if made == 1 else 'are'} known from the lock in git"


def _lies(purchase: Purchase, out: Found) -> Path | None:
    """Where in the out folders the bytes of a clip lie."""
    return out.clip(*purchase.clip)


def _adoptions(plan: Plan, store: Store, out: Found) -> Iterator[Adoption]:
    """Clips to be taken into the store, and such as lie there and are known by their digest alone."""
    for action in plan.actions:
        known = action.purchase
        if action.act not in (plans.Act.REUSE, plans.Act.KEEP) or action.shared_with or known is None:
            continue
        if known.missing and (place := _lies(known, out)):
            yield known, place
        elif known.state is State.DONE and "duration_s" not in (known.result or {}):
            yield known, store.path(known.clip[0])


def caps(loaded: Loaded, options: Options, history: History, plan: Plan) -> tuple[Cap, ...]:
    """The limits that hold for this run; none on a free service. Raises `Refused` for dollars without a rate."""
    if loaded.service.provider.free:
        return ()
    found = []
    told = _told(loaded, options, plan)
    run = [told] if told is not None else []
    if loaded.pipeline.budget is not None:
        run.append(Cap(name=f"budget of pipeline {loaded.pipeline.name}", limit=loaded.pipeline.budget))
    if run:
        found.append(min(run, key=lambda cap: cap.limit))
    setting = loaded.storyboard.budget
    if setting is not None:
        gone = committed_for(loaded.identity, history)
        found.append(Cap(name="budget of the storyboard", limit=Decimal(str(setting.value)), committed=gone))
    return tuple(found)


def _told(loaded: Loaded, options: Options, plan: Plan) -> Cap | None:
    """The limit of `--budget`, in credits."""
    if options.budget is None:
        return None
    today, provider = datetime.now(UTC).date(), loaded.service.provider.name
    tariffs = {m: tariff_on(loaded.models[m], provider, today) for m in budget.spending(plan) if m in loaded.models}
    rates = {model: tariff.per_usd if tariff else None for model, tariff in tariffs.items()}
    try:
        return budget.told(options.budget, rates)
    except budget.NoRate as fault:
        advice = "give the budget in credits: --budget N"
        raise Refused(f"--budget {options.budget.amount:f}usd: {fault}", help=advice) from None


def out_folder(loaded: Loaded, options: Options) -> Path:
    """`--out`, else `<root>/out/<identity>/<pipeline>`."""
    if options.out is not None:
        return options.out.absolute()
    return loaded.project.root / "out" / loaded.identity / loaded.pipeline.name


def ephemeral(service: str) -> bool:
    """Whether a service lives and dies with its process."""
    provider = PROVIDERS.get(service.partition("/")[0])
    return provider is not None and provider.ephemeral


def _planned(purchase: Purchase, plan: Plan, asked: set[str]) -> bool:
    """Whether a take's own action already resumes it."""
    return purchase.key in asked and any(a.purchase == purchase and a.act is plans.Act.RESUME for a in plan.actions)


def _elsewhere(purchases: list[Purchase], root: Path) -> tuple[str, ...]:
    """A line for each other service that owes something, with the command that fetches it."""
    by_service: dict[str, list[Purchase]] = {}
    for purchase in purchases:
        by_service.setdefault(purchase.intent.service, []).append(purchase)
    lines = []
    for service, made in sorted(by_service.items()):
        name, _, host = service.partition("@")
        words = [
            "shotrunner",
            "collect",
            _file_of(made[0].intent.storyboard, root),
            "--pipeline",
            "clips",
            "--provider",
            name,
        ]
        if host:
            words += ["--base-url", f"{'http' if _on_loopback(service) else 'https'}://{host}"]
        lines.append(f"{len(made)} paid at {service} and not fetched yet: `{shlex.join(words)}` fetches them")
    return tuple(lines)


def _file_of(identity: str, root: Path) -> str:
    """The storyboard's file as one would type it here; the most likely name where it is gone."""
    found = next(
        (root / f"{identity}{suffix}" for suffix in (".yaml", ".yml") if (root / f"{identity}{suffix}").is_file()), None
    )
    return os.path.relpath(found or root / f"{identity}.yaml")


def _remarks(loaded: Loaded) -> tuple[str, ...]:
    """What was left out of defaults and changed by the pipeline, each said once."""
    lines = []
    dropped = dict.fromkeys(pair for b in loaded.built for pair in b.dropped)
    lines += [f"default `{name}` is left out for {model}, which does not have it" for name, model in dropped]
    for name, file in loaded.unshipped().items():
        own = f"prices of {name}" if name in catalog.shipped_models() else f"model {name} and its prices"
        lines.append(f"{own} come from this project: {file}")
    changed: dict[tuple[str, str, str], int] = {}
    for b in (b for b in loaded.built if b.take.id not in loaded.choice.left_out):
        for name, before, after in b.overridden:
            place = (name, str(before), str(after))
            changed[place] = changed.get(place, 0) + 1
    for (name, old, new), number in changed.items():
        takes = "1 take" if number == 1 else f"{number} takes"
        lines.append(f"pipeline {loaded.pipeline.name} overrides {name}: {old} -> {new} ({takes})")
    return tuple(lines)


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
