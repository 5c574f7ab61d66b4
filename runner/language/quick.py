"""Spans and nodes made by the hundred thousand.

A frozen dataclass's own `__init__` looks up each field's setter anew through `object.__setattr__`; in a large file that is
half of the parser's time. Here the setters are looked up once. What is made is the same.
"""

from collections.abc import Callable
from typing import Any

from runner.core.diagnostics import Source, Span
from runner.language.node import Entry, Node, Scalar, Style
from runner.language.scalar import Value


def _setters(kind: type) -> list[Callable[[object, object], None]]:
    return [kind.__dict__[name].__set__ for name in kind.__dataclass_fields__]  # type: ignore[attr-defined]


_new: Callable[[type], Any] = object.__new__
_set_source, _set_line, _set_column, _set_end_line, _set_end_column = _setters(Span)
_set_span, _set_value, _set_text, _set_style = _setters(Scalar)
_set_key, _set_entry_value = _setters(Entry)


def quick_span(source: Source, line: int, column: int, end_line: int, end_column: int) -> Span:
    span: Span = _new(Span)
    _set_source(span, source)
    _set_line(span, line)
    _set_column(span, column)
    _set_end_line(span, end_line)
    _set_end_column(span, end_column)
    return span


def quick_scalar(span: Span, value: Value, text: str, style: Style) -> Scalar:
    scalar: Scalar = _new(Scalar)
    _set_span(scalar, span)
    _set_value(scalar, value)
    _set_text(scalar, text)
    _set_style(scalar, style)
    return scalar


def quick_entry(key: Scalar, value: Node) -> Entry:
    entry: Entry = _new(Entry)
    _set_key(entry, key)
    _set_entry_value(entry, value)
    return entry
