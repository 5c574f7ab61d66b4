"""A storyboard file into takes: parse, check, include, unfold, render; every fault of every phase in one go."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from runner.core.collecting import uncollected
from runner.core.diagnostics import Diagnostic, Label, Rejected, Source, Span, in_file_order
from runner.language import cast, fields, node, paths
from runner.language.cast import Calls
from runner.language.chain import linked
from runner.language.cut import Cut
from runner.language.cuts import hold, read_cuts
from runner.language.document import parse
from runner.language.expand import Ground, size, takes_of
from runner.language.faults import Faults
from runner.language.node import Node, Scalar
from runner.language.references import References
from runner.language.rows import Chosen, Tables
from runner.language.scope import Includes, Scope
from runner.language.shot import MOST_TAKES, Shot, Wording, read_defaults, read_shot
from runner.language.tables import Untyped
from runner.language.take import Layer, Setting, Take
from runner.language.template import Templates

VERSION = 1

_KEYS = (
    "storyboard",
    "title",
    "pipeline",
    "seed",
    "budget",
    "include",
    "vars",
    "references",
    "defaults",
    "shots",
    "cuts",
    "$schema",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storyboard:
    """What one storyboard says, as far as it is lawful.

    `sources` are all files that were read, the storyboard first. `pipeline` is a name, or a path from the project's root
    where it holds a `/` or a suffix; `budget` a Decimal of credits. `takes` stand in storyboard order, skipped shots
    too; a shot or variant with a fault has none, a faulty cut is left out, and the faults are in `diagnostics`, which are
    in file order.
    """

    source: Source
    sources: tuple[Source, ...]
    title: str
    pipeline: Setting | None
    budget: Setting | None
    takes: tuple[Take, ...]
    cuts: tuple[Cut, ...]
    diagnostics: tuple[Diagnostic, ...]


def load(path: str, read: paths.Read, variables: Mapping[str, str], calls: Calls = MappingProxyType({})) -> Storyboard:
    """Load the storyboard at `path` (posix, from the project's root).

    `read` gives any file of the project by such a path; it raises Rejected, without a place, for one it does not read.
    `variables` are the texts of `--var`: they win over `vars` of the file, and `vars` of a shot over them. `calls` says how each
    model's prompts call what a media word gives it.

    Raises Rejected only where nothing can be unfolded: no such file, YAML syntax, no mapping, another version.
    """
    sources: dict[str, Source] = {}

    def reading(below: str) -> Source:
        if below not in sources:
            sources[below] = read(below)
        return sources[below]

    with uncollected():
        return _loaded(reading(path), reading, sources, variables, calls)


def _loaded(
    source: Source, read: paths.Read, sources: Mapping[str, Source], variables: Mapping[str, str], calls: Calls
) -> Storyboard:
    tree = _checked(parse(source))
    faults = Faults()
    parts = {entry.key.text: entry.value for entry in tree}
    fields.known_keys(tree, _KEYS, faults, of="a storyboard")
    if "storyboard" not in parts:
        fields.missing(
            tree,
            "storyboard",
            faults,
            of="this storyboard",
            help=f"it begins with its version: `storyboard: {VERSION}`",
        )
    title = fields.fixed_text(parts["title"], "`title`", faults) if "title" in parts else ""
    pipeline = _pipeline(parts["pipeline"], faults) if "pipeline" in parts else None
    seed = fields.whole(parts["seed"], "`seed`", faults) if "seed" in parts else None
    budget = fields.amount(parts["budget"], "`budget`", faults, unit="credits") if "budget" in parts else None
    scope = Includes(read, faults).scope(tree, source)
    references = References(known=scope.references, complete=scope.complete)
    defaults = read_defaults(parts["defaults"], references, faults) if "defaults" in parts else Wording()
    shots = _shots(tree, defaults, references, faults)
    given = {name: Untyped(text) for name, text in variables.items()}
    ground = Ground(
        templates=Templates(read, posixpath.dirname(source.path)),
        names={**{name: variable.value for name, variable in scope.variables.items()}, **given},
        references=references,
        calls=calls,
        seed=seed,
        seed_span=parts["seed"].span if "seed" in parts else None,
    )
    _cast_is_free(scope, variables, faults)
    ids = _written_ids(parts.get("shots"))
    written = frozenset(name.casefold() for name in ids)
    takes = _unfolded(shots, written, scope, ground, read, faults)
    cuts = read_cuts(parts["cuts"], references, faults) if "cuts" in parts else ()
    variants = tuple(dict.fromkeys((take.shot, take.variant) for take in takes))
    for cut in cuts:
        hold(cut, ids, variants, faults)
    return Storyboard(
        source=source,
        sources=tuple(sources.values()),
        title=title or "",
        pipeline=pipeline,
        budget=None if budget is None else Setting(value=budget, span=parts["budget"].span, layer=Layer.DEFAULT),
        takes=takes,
        cuts=cuts,
        diagnostics=in_file_order(faults.found),
    )


def _checked(tree: Node) -> node.Mapping:
    """The storyboard's mapping, of a version that is known here. Raises Rejected."""
    faults = Faults()
    mapping = fields.mapping(tree, "the storyboard", faults, takes="a mapping with `storyboard: 1` and `shots`")
    version = mapping.get("storyboard") if mapping else None
    if version is not None:
        number = fields.whole(version, "`storyboard`", faults)
        if number not in (None, VERSION):
            faults.add(
                "bad-version",
                f"this storyboard is of version {number}; version {VERSION} is known here",
                version.span,
                help=f"write `storyboard: {VERSION}`, or use a Shotrunner that knows version {number}",
            )
    if mapping is None or faults:
        raise Rejected(faults.found)
    return mapping


def _pipeline(at: Node, faults: Faults) -> Setting | None:
    written = fields.fixed_text(at, "`pipeline`", faults, takes="a pipeline's name or path")
    if written is None:
        return None
    if "/" in written or written.endswith((".yaml", ".yml")):
        value = paths.resolved(written, at.span, faults)
    else:
        value = fields.identifier(at, "`pipeline`", faults)
    return None if value is None else Setting(value=value, span=at.span, layer=Layer.DEFAULT)


def _shots(tree: node.Mapping, defaults: Wording, references: References, faults: Faults) -> list[Shot]:
    """The lawful shots in file order; of two with one id, the first."""
    section = tree.get("shots")
    if section is None:
        fields.missing(tree, "shots", faults, of="this storyboard", help="`shots:` lists what is to be made")
        return []
    members = fields.listing(section, "`shots`", faults, of="shots")
    first: dict[str, Node] = {}
    shots = []
    for member in members.items if members else ():
        shot = read_shot(member, defaults, references, faults)
        own = member.get("id") if isinstance(member, node.Mapping) else None
        if isinstance(own, Scalar) and own.text:
            if own.text.casefold() in first:
                fields.twice(faults, f"the id `{fields.clipped(own.text)}`", own, first[own.text.casefold()])
                continue
            first[own.text.casefold()] = own
        if shot is not None:
            shots.append(shot)
    return shots


def _written_ids(section: Node | None) -> tuple[str, ...]:
    """Of all shots, those with faults too."""
    members = section.items if isinstance(section, node.Sequence) else ()
    ids = [member.get("id") for member in members if isinstance(member, node.Mapping)]
    return tuple(at.text for at in ids if isinstance(at, Scalar))


def _unfolded(
    shots: list[Shot], written: frozenset[str], scope: Scope, ground: Ground, read: paths.Read, faults: Faults
) -> tuple[Take, ...]:
    """The takes of the lawful shots; `written` are the ids of all, case folded."""
    tables = Tables(read, ground.templates, faults)
    ready: list[tuple[Shot, Chosen | None]] = []
    for shot in shots:
        if not _row_is_free(shot, scope, ground, faults) or not _cast_is_free_in(shot, faults):
            continue
        chosen = tables.chosen(shot.for_each, shot.id) if shot.for_each else None
        if shot.for_each is None or chosen is not None:
            ready.append((shot, chosen))
    if not _fit(ready, faults):
        return ()
    found = Faults()
    takes = tuple(take for shot, chosen in ready for take in takes_of(shot, chosen, ground, found))
    takes = linked(takes, written, found)
    # With names missing that an unread file may hold, an unknown one proves nothing.
    faults.extend(fault for fault in found.found if scope.complete or fault.code != "undefined-variable")
    return takes


def _row_is_free(shot: Shot, scope: Scope, ground: Ground, faults: Faults) -> bool:
    """Whether `row` means the table's row and nothing else."""
    if shot.for_each is None or not (
        "row" in ground.names or "row" in shot.variables or any(axis.name == "row" for axis in shot.axes)
    ):
        return True
    spans = [axis.span for axis in shot.axes if axis.name == "row"]
    spans += [names["row"].span for names in (shot.variables, scope.variables) if "row" in names]
    faults.add(
        "reserved-name",
        f"`row` is the table's row in shot `{shot.id}` and can be no other name",
        spans[0] if spans else shot.for_each.span,
        others=(Label(span=shot.for_each.span, text="the table"),),
        help="give the variable or axis another name",
    )
    return False


def _cast_is_free(scope: Scope, given: Mapping[str, str], faults: Faults) -> None:
    """Reports a variable of the storyboard, or of `--var`, that has the cast's own name."""
    if cast.NAME in scope.variables or cast.NAME in given:
        _cast_taken(scope.variables[cast.NAME].span if cast.NAME in scope.variables else None, faults)


def _cast_is_free_in(shot: Shot, faults: Faults) -> bool:
    """Whether the cast's name means the references and nothing else in the shot."""
    spans = [axis.span for axis in shot.axes if axis.name == cast.NAME]
    spans += [shot.variables[cast.NAME].span] if cast.NAME in shot.variables else []
    for span in spans:
        _cast_taken(span, faults)
    return not spans


def _cast_taken(span: Span | None, faults: Faults) -> None:
    faults.add(
        "reserved-name",
        f"`{cast.NAME}` are the references, as in `{{{{ {cast.NAME}.keeper }}}}`, and can be no other name",
        span,
        help="give the variable or axis another name",
    )


def _fit(ready: list[tuple[Shot, Chosen | None]], faults: Faults) -> bool:
    """Whether all takes are few enough to be unfolded; multiplied, not counted one by one."""
    sizes = [size(shot, chosen) for shot, chosen in ready]
    if sum(sizes) <= MOST_TAKES:
        return True
    most = max(range(len(sizes)), key=sizes.__getitem__)
    shot = ready[most][0]
    faults.add(
        "too-many",
        f"this storyboard unfolds into {sum(sizes):,} takes; at most {MOST_TAKES:,} are made of one",
        shot.span,
        label=f"{sizes[most]:,} of them",
        help="split it over several storyboards",
    )
    return False
