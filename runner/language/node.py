"""The located tree: YAML as values that know where they stand."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from runner.core.diagnostics import Span


class Style(StrEnum):
    PLAIN = "plain"
    SINGLE = "single-quoted"
    DOUBLE = "double-quoted"
    LITERAL = "literal"  # |
    FOLDED = "folded"  # >


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A YAML 1.2 core scalar: `value` is None, bool, int, float or str; `text` the string before its type was resolved."""

    span: Span
    value: bool | int | float | str | None
    text: str
    style: Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    span: Span
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    key: Scalar
    value: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Keys are strings and unique; entries in file order."""

    span: Span
    entries: tuple[Entry, ...]

    def get(self, name: str) -> "Node | None":
        return next((e.value for e in self.entries if e.key.text == name), None)

    def entry(self, name: str) -> Entry | None:
        return next((e for e in self.entries if e.key.text == name), None)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)


Node = Scalar | Sequence | Mapping


def plain(node: Node) -> object:
    """The tree as JSON values, places dropped."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [plain(n) for n in node.items]
        case Mapping():
            return {e.key.text: plain(e.value) for e in node.entries}
