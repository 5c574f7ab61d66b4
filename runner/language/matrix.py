"""The axes of a shot's `matrix`, and the names its variants get."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.core.diagnostics import Span
from runner.language import fields, node
from runner.language.faults import Faults
from runner.language.node import Node, Scalar, plain

# Words of the template language: a name like them could be written, but never be read.
_TEMPLATE_WORDS = frozenset(
    {"true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis: its name in templates, and its values by label, in file order."""

    name: str
    span: Span
    values: Mapping[str, object]


def read_matrix(section: Node, faults: Faults) -> tuple[Axis, ...] | None:
    """The axes in file order; None where one of them has a fault."""
    entries = fields.mapping(section, "`matrix`", faults, takes="a mapping of axes")
    if entries is None:
        return None
    if not entries.entries:
        faults.add(
            "no-value",
            "`matrix` has no axis",
            entries.span,
            help="write an axis, `time: {dawn: at dawn, dusk: at dusk}`, or take the line out",
        )
        return None
    axes = [_axis(entry, faults) for entry in entries]
    found = tuple(axis for axis in axes if axis is not None)
    return found if len(found) == len(axes) else None


def combinations(axes: tuple[Axis, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, object]]]:
    """(labels, values by axis name) of each variant, the last axis innermost; one of nothing without axes."""
    for chosen in itertools.product(*(axis.values.items() for axis in axes)):
        yield (
            tuple(label for label, _ in chosen),
            {axis.name: value for axis, (_, value) in zip(axes, chosen, strict=True)},
        )


def lawful_name(key: Scalar, what: str, faults: Faults) -> bool:
    """Whether a template can read a value of this name."""
    name = key.text
    if name.isascii() and name.isidentifier() and not name.startswith("_") and name not in _TEMPLATE_WORDS:
        return True
    if name in _TEMPLATE_WORDS:
        advice = f"`{name}` is a word of the template language"
    else:
        mended = "".join(char if char.isascii() and (char.isalnum() or char == "_") else "_" for char in name).strip(
            "_"
        )
        advice = (
            f"letters, digits and `_`, the first a letter: `{mended}`"
            if mended.isidentifier()
            else "letters, digits and `_`, the first a letter"
        )
    faults.add(
        "bad-name",
        f"`{fields.clipped(name)}` is no name for {what}: a template could not read it",
        key.span,
        help=advice,
    )
    return False


def _axis(entry: node.Entry, faults: Faults) -> Axis | None:
    lawful = lawful_name(entry.key, "an axis", faults)
    named = f"the axis `{fields.clipped(entry.key.text)}`"
    values = _labelled(entry.value, named, faults)
    return Axis(name=entry.key.text, span=entry.key.span, values=values) if lawful and values is not None else None


def _labelled(written: Node, named: str, faults: Faults) -> dict[str, object] | None:
    """Values by label, of a mapping of labels or a list of scalars; labels are unique without regard to case."""
    match written:
        case node.Mapping():
            pairs = [(entry.key.text, entry.key, entry.value) for entry in written]
        case node.Sequence():
            pairs = [(member.text, member, member) for member in written.items if isinstance(member, Scalar)]
            if len(pairs) < len(written.items):
                strange = next(member for member in written.items if not isinstance(member, Scalar))
                faults.add(
                    "bad-type",
                    f"{named} lists {fields.shown(strange)}; it lists plain values",
                    strange.span,
                    help="a mapping gives each value its label: `{first: ..., second: ...}`",
                )
                return None
        case _:
            fields.mapping(written, named, faults, takes="a mapping of labels to values, or a list")
            return None
    if not pairs:
        faults.add("no-value", f"{named} has no values", written.span)
        return None
    lawful = [_pair_is_lawful(label, at, value, named, faults) for label, at, value in pairs]
    first: dict[str, Node] = {}
    for label, at, _ in pairs:
        if label.casefold() in first:
            fields.twice(faults, f"the label `{fields.clipped(label)}` of {named}", at, first[label.casefold()])
            lawful.append(False)
        first.setdefault(label.casefold(), at)
    return {label: plain(value) for label, _, value in pairs} if all(lawful) else None


def _pair_is_lawful(label: str, at: Node, value: Node, named: str, faults: Faults) -> bool:
    if isinstance(value, Scalar) and value.value is None:
        fields.no_value(value, f"a value of {named}", faults)
        return False
    if not fields.no_template(value, named, faults):
        return False
    if fields.ID.fullmatch(label):
        return True
    if at is value:
        shown = fields.clipped(label)
        faults.add(
            "bad-id",
            f"`{shown}` of {named} cannot be its own label: a label is made of {fields.ID_RULE}",
            at.span,
            help=f"give it one in a mapping: `{{label: {shown}}}`",
        )
        return False
    return fields.lawful_id(label, at, f"a label of {named}", faults)
