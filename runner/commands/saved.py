"""Plans that are saved to be carried out later: written by `plan -o`, held to by `run --plan`."""

import json
import os
import secrets
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import runner
from runner.adapters import catalog, plan_file, prices
from runner.adapters.files import Checkout, Unreadable
from runner.adapters.journal import Journal, SavedPlan
from runner.adapters.keys import fingerprint
from runner.adapters.root import git_top
from runner.commands import loading
from runner.commands.deciding import Decided, out_folder
from runner.commands.loading import Loaded
from runner.commands.options import Options
from runner.commands.peek import JOURNAL, peeked
from runner.commands.provider import key_of
from runner.core.errors import NotRecorded, Refused
from runner.execution.desk import stamp
from runner.planning import saved as plans
from runner.screen import plan as view_of
from runner.screen import saved as words
from runner.screen.amounts import count

# What a plan says once and for all, by the option that said it; the rest of the options are the run's own.
ASKED = {
    "pipeline": "--pipeline",
    "provider": "--provider",
    "shots": "--shots",
    "retry": "--retry",
    "variables": "--var",
    "allow_unpriced": "--allow-unpriced",
    "buy_missing": "--buy-missing",
    "unpicked": "--unpicked",
}


if TYPE_CHECKING:
    from runner.commands.reporting import Run  # cuts films, which `plan` has no need of


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A saved plan under way: the file it was named by, and what the journal says of it."""

    file: Path
    known: SavedPlan

    @property
    def document(self) -> plans.Document:
        found: dict[str, Any] = json.loads(self.known.text)
        return found


# ---------------------------------------------------------------- plan -o


def demand_target(file: Path) -> None:
    """Raises `Refused` where something else than a plan would be overwritten."""
    if not plan_file.free(file):
        raise Refused(f"{file} is there already and is no saved plan", help="name another file by -o")


async def save(file: Path, loaded: Loaded, decided: Decided, options: Options, journal: Journal) -> None:
    """Write the plan to the journal, then to its file. Raises `Refused`."""
    document = _document(loaded, decided, options)
    plan, at = secrets.token_hex(16), stamp(datetime.now(UTC))
    document["saved"] = {
        "id": plan,
        "made_at": at,
        "shotrunner": runner.__version__,
        "storyboard": loaded.storyboard.source.path,
        "asked": _asked(options, loaded.project.root),
        **document["saved"],
    }
    text = json.dumps(document, indent=2) + "\n"
    try:
        await journal.note_requests({r.key: r.inputs for r in loaded.requests.values() if not r.awaited})
        await journal.save_plan(plan, at, text)
        plan_file.write(file, text)
    except NotRecorded as fault:
        raise Refused(f"the journal {loaded.project.state / JOURNAL} cannot be written: {fault}") from fault
    except OSError as fault:
        raise Refused(f"the plan {file} cannot be written: {fault.strerror}") from fault


def _document(loaded: Loaded, decided: Decided, options: Options) -> dict[str, Any]:
    """The plan as of now: its JSON view, and what it is bound to."""
    view: dict[str, Any] = json.loads(
        view_of.as_json(
            decided.plan,
            decided.heading,
            caps=decided.caps,
            remarks=decided.remarks,
            resumed=decided.orphans,
            elsewhere=decided.elsewhere,
        )
    )
    place = loaded.project
    files = Checkout(root=place.root, shown_from=Path.cwd())
    requests = loaded.requests.values()
    view["saved"] = {
        "bound": plans.bound(
            sources=loaded.storyboard.sources,
            pipeline=(loaded.pipeline.name, loaded.pipeline.source),
            models={
                name: catalog.model_text(name, files) + prices.text(name, files) for name in {r.model for r in requests}
            },
            requests=requests,
            service=loaded.service,
            account=_account(loaded),
            out=PurePosixPath(os.path.relpath(out_folder(loaded, options), place.root)).as_posix(),
        ),
        "states": plans.states(decided.plan, decided.history),
    }
    return view


def _account(loaded: Loaded) -> str | None:
    """Whose key is at hand; None where there is none, or none is needed."""
    try:
        key = key_of(loaded.service, loaded.project.root, os.environ)
    except Refused:
        return None
    return fingerprint(key) if key else None


def _asked(options: Options, root: Path) -> dict[str, Any]:
    """What the options asked, as JSON; the path of a pipeline is from the root."""
    pipeline = options.pipeline
    if pipeline is not None and ("/" in pipeline or pipeline.endswith((".yaml", ".yml"))):
        pipeline = f"./{os.path.relpath(Path(pipeline).absolute(), root)}"
    return {
        "pipeline": pipeline,
        "provider": options.provider,
        "shots": list(options.shots),
        "retry": list(options.retry),
        "variables": dict(options.variables),
        "allow_unpriced": options.allow_unpriced,
        "buy_missing": options.buy_missing,
        "unpicked": options.unpicked,
    }


# ---------------------------------------------------------------- run --plan


def opened(file: Path, storyboard: Path | None, options: Options) -> tuple[Path, Options, Saved]:
    """The storyboard and the options of a saved plan, and the plan. Nothing in the file is believed: it names a plan of the
    journal, and must say what that says. Raises `Refused`."""
    told = [name for asked, name in ASKED.items() if getattr(options, asked)]
    if told:
        raise Refused(
            f"{', '.join(told)} beside --plan: what is bought stands in the plan",
            help=f"leave {'it' if len(told) == 1 else 'them'} out, or save another plan",
        )
    try:
        written = plan_file.read(file)
        plan, path = _named(written)
    except Unreadable as fault:
        raise Refused(f"the plan {file} {fault.reason}") from None
    found = storyboard or _storyboard(file, path)
    place, real = loading.project(found, options)
    if real != path:
        raise Refused(f"{file} is a plan of {path}, not of {real}")
    with peeked(place.state) as journal:
        known = journal.saved_plan(plan) if journal else None
    if known is None:
        raise Refused(
            f"{file} was saved for another journal than {place.state / JOURNAL}",
            notes=("a plan runs only with the state it was made from, so that it cannot be carried out twice",),
            help=f"give the --state it was made with, or plan anew: {_again(file, found, None, options)}",
        )
    saved = Saved(file=file, known=known)
    _demand_unedited(saved, written, found, options)
    _demand_unfinished(saved, found, options)
    asked = dict(saved.document["saved"]["asked"])
    if asked.keys() != ASKED.keys():
        version = saved.document["saved"]["shotrunner"]
        raise Refused(
            f"the plan {file} was made by shotrunner {version}, whose plans say other things than this one's",
            help=f"plan anew: {_again(file, found, saved, options)}",
        )
    pipeline = asked["pipeline"]
    if pipeline is not None and pipeline.startswith("./"):
        asked["pipeline"] = str(place.root / pipeline)
    asked.update(shots=tuple(asked["shots"]), retry=tuple(asked["retry"]))
    return found, replace(options, **asked), saved


def held_to(saved: Saved, loaded: Loaded, decided: Decided, options: Options, journal: Journal) -> Decided:
    """What is decided now, as far as the plan goes. Raises `Refused` where it is stale."""
    found = journal.saved_plan(saved.known.id)
    assert found is not None  # plans are only added
    saved = replace(saved, known=found)
    storyboard = Path(decided.heading.storyboard)
    _demand_unfinished(saved, storyboard, options)
    old = saved.document
    asked: dict[str, Mapping[str, object]] = {r.key: r.inputs for r in loaded.requests.values()}
    changes = plans.changes(
        old,
        _document(loaded, decided, options),
        begun=bool(found.begun_at),
        bought=found.bought,
        inputs=lambda key: asked.get(key) or journal.inputs(key),
    )
    if changes:
        paid = ("what is bought under it already is fetched by `shotrunner collect`",) if found.bought else ()
        raise Refused(
            f"the plan {saved.file} of {found.at} is stale: {count(len(changes), 'thing')} changed since",
            notes=(*words.lines(changes), *paid),
            help=f"nothing was bought; look at it again: {_again(saved.file, storyboard, saved, options)}",
        )
    return replace(decided, plan=plans.confined(decided.plan, old, decided.history, found.bought))


async def begin(saved: Saved, journal: Journal) -> None:
    """From now on purchases are made under the plan. Raises `NotRecorded`."""
    await journal.begin_plan(saved.known.id, stamp(datetime.now(UTC)))


async def end(saved: Saved, report: "Run") -> None:
    """Write down that the plan is finished, so that it is never carried out again, unless the run was cut short or left
    something of it."""
    found = report.journal.saved_plan(saved.known.id)
    assert found is not None  # plans are only added
    now = report.chains.now().plan
    if report.cut_short or not plans.finished(saved.document, report.journal.current(), found.bought, now):
        report.note(f"{saved.file} is not finished: the same command goes on with it")
        return
    with suppress(NotRecorded):  # then it is finished by the next run of it, which finds nothing to buy
        await report.journal.finish_plan(found.id, stamp(datetime.now(UTC)))
        report.over = True
        report.note(f"{saved.file} is finished")


def command(file: Path, options: Options) -> str:
    """The command that carries the plan out; where things are is told again, and how much may be spent."""
    words = ["shotrunner", "run", "--plan", str(file)]
    for name, value in {"--base-url": options.base_url, "--state": options.state, "--out": options.out}.items():
        words += [name, str(value)] if value is not None else []
    return shlex.join(words)


def without_plan(storyboard: Path, options: Options) -> str:
    """The command that does the same with no plan."""
    words = ["shotrunner", "run", str(storyboard)]
    told = {
        "--pipeline": options.pipeline,
        "--provider": options.provider,
        "--base-url": options.base_url,
        "--state": options.state,
        "--out": options.out,
    }
    for name, value in told.items():
        words += [name, str(value)] if value is not None else []
    for name, value in options.variables.items():
        words += ["--var", f"{name}={value}"]
    return shlex.join(words)


def _named(written: Mapping[str, Any]) -> tuple[str, str]:
    """(id, path of the storyboard from the root). Raises `Unreadable`."""
    plan, path = written["saved"].get("id"), written["saved"].get("storyboard")
    if not isinstance(plan, str):
        raise Unreadable("is no saved plan: `saved.id` is missing")
    lawful = isinstance(path, str) and path and "\0" not in path
    if not lawful or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise Unreadable("is no saved plan: `saved.storyboard` is no path from the project's root")
    return plan, path


def _storyboard(file: Path, path: str) -> Path:
    """The plan's storyboard, below the git top level of the current folder, else below that folder itself."""
    found = Path(os.path.relpath((git_top(Path.cwd()) or Path.cwd()) / path))
    if not found.is_file():
        raise Refused(
            f"the storyboard of {file}, {path}, is not here",
            help=f"go to the project, or name it: shotrunner run STORYBOARD --plan {shlex.quote(str(file))}",
        )
    return found


def _demand_unedited(saved: Saved, written: Mapping[str, Any], storyboard: Path, options: Options) -> None:
    edits = list(_edits("", saved.document, written))
    if edits:
        shown = edits[: words.MOST]
        more = (f"and {len(edits) - len(shown)} more",) if len(edits) > len(shown) else ()
        raise Refused(
            f"{saved.file} is not the plan that was saved: {count(len(edits), 'value')} edited",
            notes=(*(f"{name}: {words.value(old)} -> {words.value(new)}" for name, old, new in shown), *more),
            help=f"a plan is changed by planning anew: {_again(saved.file, storyboard, saved, options)}",
        )


def _edits(path: str, old: object, new: object) -> Iterable[tuple[str, object, object]]:
    match old, new:
        case dict(), dict():
            for name in (*old, *(name for name in new if name not in old)):
                yield from _edits(f"{path}.{name}" if path else str(name), old.get(name), new.get(name))
        case list(), list() if len(old) == len(new):
            for number, (one, other) in enumerate(zip(old, new, strict=True)):
                yield from _edits(f"{path}.{number}", one, other)
        case _ if type(old) is not type(new) or old != new:
            yield path, old, new


def _demand_unfinished(saved: Saved, storyboard: Path, options: Options) -> None:
    if saved.known.finished_at:
        bought = saved.known.bought
        did = f"it bought {count(len(bought), 'clip')}" if bought else "there was nothing to buy"
        raise Refused(
            f"the plan {saved.file} was finished at {saved.known.finished_at}; {did}",
            notes=("a plan is carried out once",),
            help=f"plan anew: {_again(saved.file, storyboard, saved, options)}",
        )


def narrower(saved: Saved, storyboard: Path, options: Options) -> str:
    """How to ask for less than the plan does."""
    return f"save a narrower plan: {_again(saved.file, storyboard, saved, options, '--shots', 'GLOB')}"


def _again(file: Path, storyboard: Path, saved: Saved | None, options: Options, *more: str) -> str:
    """The command that plans anew, with all that the plan was asked for."""
    words = ["shotrunner", "plan", str(storyboard)]
    asked: Mapping[str, Any] = saved.document["saved"].get("asked", {}) if saved else {}
    for name, flag in ASKED.items():
        match asked.get(name):
            case str(value):
                words += [flag, value.removeprefix("./")]
            case True:
                words.append(flag)
            case list(values):
                words += [word for value in values for word in (flag, str(value))]
            case dict(values):
                words += [word for key, value in values.items() for word in (flag, f"{key}={value}")]
    words += ["--base-url", options.base_url] if options.base_url else []
    return shlex.join([*words, *more, "-o", str(file)])
