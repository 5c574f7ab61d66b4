"""Words whose values take templates: read at once where they hold none, else rendered for every variant and read then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Generic, TypeVar

from runner.core.diagnostics import Diagnostic, Label, Rejected, Span
from runner.language import fields, node
from runner.language.faults import Faults
from runner.language.node import Entry, Node, Scalar, Style
from runner.language.take import Layer
from runner.language.template import Templates, is_template, is_whole

T = TypeVar("T")


class Mode(Enum):
    """What a template in a word's value gives."""

    TEXT = auto()  # always text
    TYPED = (
        auto()
    )  # a value: a template is the whole of it, here and in the values of its keys; members of a list are FREE
    FREE = auto()  # a value where the template is the whole of it, else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Generic[T]):
    """One word as written. `value` is known where `templated` is false; None there means a fault, already reported.

    `away`: a shot's `null`, by which it takes a default away; such a word is never asked for its value.
    """

    node: Node
    layer: Layer
    mode: Mode
    read: Callable[[Node, Faults], T | None]
    templated: bool
    value: T | None
    away: bool = False


def word(at: Node, layer: Layer, mode: Mode, read: Callable[[Node, Faults], T | None], faults: Faults) -> Word[T]:
    templated = fields.has_template(at)
    if templated and mode is Mode.TYPED and not _is_typed(at, faults):
        templated, value = False, None
    else:
        value = None if templated else read(at, faults)
    return Word(node=at, layer=layer, mode=mode, read=read, templated=templated, value=value)


def _is_typed(at: Node, faults: Faults) -> bool:
    """Whether each template of a typed value is the whole of its scalar."""
    match at:
        case Scalar(value=str(text)) if is_template(text) and not is_whole(text):
            faults.add(
                "text-around-template",
                "text stands around a template whose value is no text",
                at.span,
                help="one `{{ expression }}` is the whole value",
            )
            return False
        case node.Mapping():
            verdicts = [_is_typed(entry.value, faults) for entry in at]  # each of them is reported
            return all(verdicts)
    return True


@dataclass(slots=True, kw_only=True)
class Rendering:
    """One variant being rendered; `broken` as soon as one of its words has no value.

    `where` names it in messages. `uses` is the second place of a fault in `defaults`, `row` that of any fault of a
    variant made by a table. Equal faults of a shot's variants are one fault, unless the variant is its shot `alone`.
    """

    templates: Templates
    names: Mapping[str, object]
    where: str
    variant: str
    alone: bool
    uses: Label
    row: Label | None
    faults: Faults
    broken: bool = False

    def value(self, written: Word[T]) -> T | None:
        """The word's value for this variant; None marks the variant as broken."""
        value = written.value
        if written.templated:
            found = Faults(rendered=True)
            rendered = self._node(written.node, written.mode, found)
            value = None if rendered is None else written.read(rendered, found)
            self.faults.extend(self._placed(fault, written.layer) for fault in found.found)
        if value is None:
            self.broken = True
        return value

    def _placed(self, fault: Diagnostic, layer: Layer) -> Diagnostic:
        by_default = layer is Layer.DEFAULT
        others = (*fault.others, *((self.uses,) if by_default else ()), *((self.row,) if self.row else ()))
        if self.alone and not by_default:
            return replace(fault, others=others)
        return replace(fault, others=others, group=f"{fault.span}", member=self.variant)

    def _node(self, at: Node, mode: Mode, faults: Faults) -> Node | None:
        match at:
            case Scalar(value=str(text)) if is_template(text):
                return self._scalar(at, mode, faults)
            case Scalar():
                return at
            case node.Sequence():
                members = [self._node(member, mode, faults) for member in at.items]
                found = tuple(member for member in members if member is not None)
                return replace(at, items=found) if len(found) == len(members) else None
            case node.Mapping():
                entries = [self._entry(entry, mode, faults) for entry in at]
                kept = tuple(entry for entry in entries if entry is not None)
                return replace(at, entries=kept) if len(kept) == len(entries) else None

    def _entry(self, entry: Entry, mode: Mode, faults: Faults) -> Entry | None:
        value = self._node(entry.value, mode, faults)
        return None if value is None else replace(entry, value=value)

    def _scalar(self, at: Scalar, mode: Mode, faults: Faults) -> Node | None:
        whole = mode is not Mode.TEXT and is_whole(at.text)
        try:
            if whole:
                return grafted(self.templates.value(at, self.names, self.where), at.span)
            text = self.templates.text(at, self.names, self.where)
        except Rejected as rejected:
            faults.extend(rejected.diagnostics)
            return None
        return Scalar(span=at.span, value=text, text=text, style=Style.DOUBLE)


def grafted(value: object, span: Span) -> Node:
    """The JSON value that a template gave, as a node that stands where the template does."""
    match value:
        case None | bool():
            return Scalar(span=span, value=value, text=_WORDS[value], style=Style.PLAIN)
        case int() | float():
            return Scalar(span=span, value=value, text=repr(value), style=Style.PLAIN)
        case str():
            return Scalar(span=span, value=value, text=value, style=Style.DOUBLE)
        case list():
            return node.Sequence(span=span, items=tuple(grafted(member, span) for member in value))
        case dict():
            entries = tuple(Entry(key=_key(name, span), value=grafted(member, span)) for name, member in value.items())
            return node.Mapping(span=span, entries=entries)
    raise TypeError(f"a template gives JSON, not {type(value).__name__}")


_WORDS = {None: "null", True: "true", False: "false"}


def _key(name: str, span: Span) -> Scalar:
    return Scalar(span=span, value=name, text=name, style=Style.DOUBLE)
