"""A pipeline file into values: who makes the clips, at which settings, for how much, and what is made of them."""

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from runner.core.diagnostics import Label, Rejected, Source, Span, in_file_order
from runner.language import fields, node
from runner.language.document import parse
from runner.language.editorial import read_transition
from runner.language.exec_step import Exec, read_exec
from runner.language.faults import Faults
from runner.language.generate_step import Generate, read_generate
from runner.language.node import Mapping as Tree
from runner.language.node import Node, Scalar, plain
from runner.language.outputs import read_output
from runner.language.provider_choice import FREE, ProviderChoice, read_provider
from runner.language.take import OWN_WORDS, Layer, Setting, Transition

VERSION = 1

_KEYS = ("pipeline", "title", "provider", "override", "budget", "steps", "$schema")


class Missing(StrEnum):
    """What an assembly does about a take without a clip: stop, or show a card in its place."""

    STOP = "stop"
    SLATE = "slate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assemble:
    """Cut the clips into films. `output` is posix, below the out folder; `transition` where a shot has none of its own.

    `cut` is the name of the storyboard's cut to make; None: all it has, beside `output`, or without any the one film of all
    shots.
    """

    output: str
    cut: Setting | None
    transition: Transition | None
    missing: Missing
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Show all takes in one HTML file, and in one picture. Both names are posix, below the out folder; no `sheet`, no picture."""

    output: str
    sheet: str | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Write the films of an assembly, the last one before this step, as timelines for an editor. `output` is posix, below the out
    folder, and ends in one of `TIMELINES`."""

    output: str
    of: Assemble
    span: Span


Step = Generate | Assemble | Exec | Report | Timeline
TIMELINES = (".otio", ".otioz", ".xml", ".edl")  # what a timeline's name may end in: its format
OFTEN = ("assemble", "exec", "timeline")  # steps there may be several of


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """`name` is the file's stem. `overrides` hold settings by model, or `*` for all, and by property.

    `budget` is in credits; None sets no limit of its own. `steps` begin with the one Generate.
    """

    name: str
    source: Source
    title: str
    provider: ProviderChoice
    overrides: Mapping[str, Mapping[str, Setting]]
    budget: Decimal | None
    budget_span: Span | None
    steps: tuple[Step, ...]

    @property
    def generate(self) -> Generate:
        return next(step for step in self.steps if isinstance(step, Generate))


def load(source: Source) -> Pipeline:
    """Raises Rejected with every fault of the file."""
    faults = Faults()
    tree = fields.mapping(
        parse(source), "the pipeline", faults, takes="a mapping with `pipeline: 1`, `provider` and `steps`"
    )
    if tree is None:
        raise Rejected(faults.found)
    parts = {entry.key.text: entry.value for entry in tree}
    _check_version(parts.get("pipeline"), tree, faults)
    fields.known_keys(tree, _KEYS, faults, of="a pipeline")
    title = fields.fixed_text(parts["title"], "`title`", faults) if "title" in parts else ""
    provider = read_provider(parts["provider"], faults) if "provider" in parts else None
    if "provider" not in parts:
        fields.missing(
            tree, "provider", faults, of="this pipeline", help=f"say who makes the clips: `provider: {FREE}` is free"
        )
    overrides = _overrides(parts["override"], faults) if "override" in parts else {}
    budget = fields.amount(parts["budget"], "`budget`", faults, unit="credits") if "budget" in parts else None
    steps = _steps(parts["steps"], faults) if "steps" in parts else ()
    if "steps" not in parts:
        fields.missing(tree, "steps", faults, of="this pipeline", help="`steps: [generate: {}]` makes clips")
    if faults or provider is None:
        raise Rejected(in_file_order(faults.found))
    return Pipeline(
        name=posixpath.splitext(posixpath.basename(source.path))[0],
        source=source,
        title=title or "",
        provider=provider,
        overrides=overrides,
        budget=budget,
        budget_span=parts["budget"].span if "budget" in parts else None,
        steps=steps,
    )


def _check_version(at: Node | None, tree: Tree, faults: Faults) -> None:
    """Of another version nothing else can be judged. Raises Rejected."""
    if at is None:
        fields.missing(
            tree, "pipeline", faults, of="this pipeline", help=f"it begins with its version: `pipeline: {VERSION}`"
        )
        return
    number = fields.whole(at, "`pipeline`", faults)
    if number not in (None, VERSION):
        faults.add(
            "bad-version",
            f"this pipeline is of version {number}; version {VERSION} is known here",
            at.span,
            help=f"write `pipeline: {VERSION}`, or use a Shotrunner that knows version {number}",
        )
        raise Rejected(faults.found)


def _overrides(at: Node, faults: Faults) -> dict[str, dict[str, Setting]]:
    models = fields.mapping(at, "`override`", faults, takes='a mapping of models, or `"*"`, to settings')
    found: dict[str, dict[str, Setting]] = {}
    for model in models or ():
        named = f"`{fields.clipped(model.key.text)}` of `override`"
        settings = fields.mapping(
            model.value, named, faults, takes="a mapping of parameters to values, `{quality: 720p}`"
        )
        found[model.key.text] = {}
        for entry in settings or ():
            name = entry.key.text
            if name in OWN_WORDS:
                faults.add(
                    "own-word",
                    f"`{name}` cannot be overridden: it is the storyboard's own word",
                    entry.key.span,
                )
            elif isinstance(entry.value, Scalar) and entry.value.value is None:
                fields.no_value(entry.value, f"`{name}`", faults)
            elif fields.no_template(entry.value, f"`{name}`", faults):
                found[model.key.text][name] = Setting(
                    value=plain(entry.value), span=entry.value.span, layer=Layer.OVERRIDE, key=entry.key.span
                )
    return found


def _steps(at: Node, faults: Faults) -> tuple[Step, ...]:
    members = fields.listing(at, "`steps`", faults, of="steps")
    steps: list[Step] = []
    seen: dict[str, Span] = {}
    for member in members.items if members else ():
        tree = fields.mapping(member, "a step", faults, takes="a mapping, `generate: {}`")
        if tree is None or not fields.known_keys(tree, tuple(_STEPS), faults, of="a step"):
            continue
        if len(tree.entries) != 1:
            faults.add(
                "one-of",
                f"a step has one key; this one has {len(tree.entries)}",
                tree.span,
                help="begin each step with a `-` of its own",
            )
            continue
        key = tree.entries[0].key
        if key.text in seen and key.text not in OFTEN:
            faults.add(
                "one-of",
                f"there is one step `{key.text}`; this is another",
                key.span,
                others=(Label(span=seen[key.text], text="first here"),),
            )
        if key.text != "generate" and "generate" not in seen:
            faults.add(
                "one-of",
                f"`{key.text}` comes before `generate`: there are no clips yet",
                key.span,
                help="begin with `- generate: {}`",
            )
        seen.setdefault(key.text, key.span)
        step = _STEPS[key.text](tree.entries[0], steps, faults)
        if step is not None:
            _claim_outputs(step, steps, faults)
            steps.append(step)
    return tuple(steps)


def _claim_outputs(step: Step, before: Sequence[Step], faults: Faults) -> None:
    """Every file below the out folder is one step's."""
    for other in before:
        for name in set(_made(step)) & set(_made(other)):
            faults.add(
                "bad-path",
                f"two steps make `{fields.clipped(name)}`",
                step.span,
                others=(Label(span=other.span, text="first here"),),
                help="give one of them another name",
            )


def _made(step: Step) -> tuple[str, ...]:
    match step:
        case Generate():
            return ()
        case Assemble():
            return (step.output,)
        case Exec():
            return step.outputs
        case Report():
            return (step.output, *([step.sheet] if step.sheet else []))
        case Timeline():
            return (step.output,)


def _generate(entry: node.Entry, before: Sequence[Step], faults: Faults) -> Generate | None:
    return read_generate(entry, faults)


def _assemble(entry: node.Entry, before: Sequence[Step], faults: Faults) -> Assemble | None:
    keys = ("cut", "output", "transition", "missing")
    tree = fields.shaped(entry.value, "`assemble`", keys, faults)
    if tree is None:
        return None
    already = len(faults.found)
    cut, output, transition, missing = (tree.get(key) for key in keys)
    named = fields.identifier(cut, "`cut`", faults) if cut else None
    usual = f"{named or 'film'}.mp4"
    name = read_output(output, "output", faults, ending=".mp4", example="film.mp4") if output else usual
    entering = read_transition(transition, faults) if transition else None
    if missing is not None:
        word = fields.fixed_text(missing, "`missing`", faults, takes=" or ".join(Missing))
        if word is not None and word not in tuple(Missing):
            faults.add(
                "bad-value",
                f"`missing` is `{fields.clipped(word)}`; it is {' or '.join(Missing)}",
                missing.span,
                help="`slate` shows a card for a missing clip, `stop` makes no film without it",
            )
    else:
        word = Missing.STOP
    if len(faults.found) > already or name is None or word is None:
        return None
    return Assemble(
        output=name,
        cut=Setting(value=named, span=cut.span, layer=Layer.OVERRIDE) if cut else None,
        transition=entering,
        missing=Missing(word),
        span=entry.key.span,
    )


def _exec(entry: node.Entry, before: Sequence[Step], faults: Faults) -> Exec | None:
    film = next((step.output for step in reversed(before) if isinstance(step, Assemble)), None)
    return read_exec(entry, film, faults)


def _report(entry: node.Entry, before: Sequence[Step], faults: Faults) -> Report | None:
    tree = fields.shaped(entry.value, "`report`", ("output", "sheet"), faults)
    if tree is None:
        return None
    already = len(faults.found)
    output, sheet = tree.get("output"), tree.get("sheet")
    page = read_output(output, "output", faults, ending=".html", example="index.html") if output else "index.html"
    picture = read_output(sheet, "sheet", faults, ending=".png", example="contact.png") if sheet else None
    if len(faults.found) > already or page is None:
        return None
    return Report(output=page, sheet=picture, span=entry.key.span)


def _timeline(entry: node.Entry, before: Sequence[Step], faults: Faults) -> Timeline | None:
    tree = fields.shaped(entry.value, "`timeline`", ("output",), faults)
    film = next((step for step in reversed(before) if isinstance(step, Assemble)), None)
    if film is None and tree is not None:
        faults.add(
            "one-of",
            "`timeline` comes before `assemble`: there is no film yet",
            entry.key.span,
            help="a timeline is one of the films of the assembly before it",
        )
    output = tree.get("output") if tree else None
    name = read_output(output, "output", faults, ending=TIMELINES, example="film.otio") if output else "film.otio"
    if tree is None or film is None or name is None:
        return None
    return Timeline(output=name, of=film, span=entry.key.span)


_STEPS: dict[str, Callable[[node.Entry, Sequence[Step], Faults], Step | None]] = {
    "generate": _generate,
    "assemble": _assemble,
    "exec": _exec,
    "report": _report,
    "timeline": _timeline,
}
