"""Shots into takes: table rows outside, matrix inside, takes innermost, every template rendered with its variant's names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from runner.core.diagnostics import Label, Span
from runner.language import cast
from runner.language.cast import Calls, Words
from runner.language.faults import Faults
from runner.language.matrix import combinations
from runner.language.references import References
from runner.language.rows import Chosen
from runner.language.shot import Shot
from runner.language.tables import line_span
from runner.language.take import Take
from runner.language.template import Templates
from runner.language.words import Rendering


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all shots share: names of the storyboard (values of `--var` laid over its `vars`), its references with how models call
    them, and its seed."""

    templates: Templates
    names: Mapping[str, object]
    references: References
    calls: Calls = field(default_factory=dict)
    seed: int | None
    seed_span: Span | None


@dataclass(frozen=True, slots=True)
class _Variant:
    id: str
    names: Mapping[str, object]
    row: Label | None
    labels: Mapping[str, str]


def size(shot: Shot, chosen: Chosen | None) -> int:
    """How many takes the shot unfolds into; counted without unfolding it."""
    return (len(chosen.rows) if chosen else 1) * prod(len(axis.values) for axis in shot.axes) * shot.takes


def takes_of(shot: Shot, chosen: Chosen | None, ground: Ground, faults: Faults) -> Iterator[Take]:
    """The shot's takes in order; a variant with a fault has none, and its faults are reported."""
    names = {**ground.names, **{name: variable.value for name, variable in shot.variables.items()}}
    uses = Label(span=shot.span, text=f"used in shot `{shot.id}`")
    for variant in _variants(shot, chosen, names):
        rendering = Rendering(
            templates=ground.templates,
            names=variant.names,
            where=f"shot `{variant.id}`",
            variant=variant.id,
            alone=variant.id == shot.id,
            uses=uses,
            row=variant.row,
            faults=faults,
        )
        yield from _takes(shot, variant, ground, rendering)


def _variants(shot: Shot, chosen: Chosen | None, names: Mapping[str, object]) -> Iterator[_Variant]:
    if chosen is None:
        yield from _unfolded(shot, (), names, None)
        return
    for name, row in chosen.rows.items():
        label = Label(span=line_span(chosen.source, row.line), text=f"in row `{name}`")
        yield from _unfolded(shot, (name,), {**names, "row": row.cells}, label)


def _unfolded(shot: Shot, outer: tuple[str, ...], names: Mapping[str, object], row: Label | None) -> Iterator[_Variant]:
    for labels, values in combinations(shot.axes):
        parts = "+".join((*outer, *labels))
        yield _Variant(
            f"{shot.id}@{parts}" if parts else shot.id,
            {**names, **values} if values else names,
            row,
            dict(zip(values, labels, strict=True)),
        )


def _takes(shot: Shot, variant: _Variant, ground: Ground, rendering: Rendering) -> Iterator[Take]:
    wording, value = shot.wording, rendering.value
    media = {name: value(written) for name, written in wording.media.items()}
    titles = (shot.title,) if shot.title else ()
    asked = cast.asked((*titles, *wording.texts.values(), *wording.params.values()))
    if asked is None or asked:
        words, names = Words(ground.references, asked, rendering), rendering.names
        rendering.names = {**names, cast.NAME: words.plainly()}
        title = value(shot.title) if shot.title else ""
        rendering.names = {**names, cast.NAME: words.called(ground.calls.get(str(shot.model.value), {}), media)}
    else:
        title = value(shot.title) if shot.title else ""
    texts = {name: value(written) for name, written in wording.texts.items()}
    params = {name: value(written) for name, written in wording.params.items()}
    trim = value(shot.trim) if shot.trim else None
    transition = value(wording.transition) if wording.transition else None
    if rendering.broken:
        return
    for number in range(1, shot.takes + 1):
        yield Take(
            id=f"{variant.id}.{number}",
            shot=shot.id,
            variant=variant.id,
            labels=variant.labels,
            number=number,
            span=shot.span,
            title=title or "",
            model=shot.model,
            texts={name: setting for name, setting in texts.items() if setting},
            params={name: setting for name, setting in params.items() if setting},
            media={name: setting for name, setting in media.items() if setting},
            seed=next(seed for seed in (shot.seed, ground.seed, 1) if seed is not None),
            seed_span=shot.seed_span or ground.seed_span,
            seed_on_shot=shot.seed is not None,
            distinct=shot.distinct,
            skip=shot.skip,
            trim=trim,
            transition=transition,
        )
