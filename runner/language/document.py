"""YAML text -> located tree; the door to PyYAML.

The tree is built from the parser's events and not from its values: YAML 1.1 reads `16:9` as 969 and `no` as false, keeps
the last of two equal keys, and drops every place. Nothing here recurses on what a file holds.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import yaml

from runner.core.collecting import uncollected
from runner.core.diagnostics import Source, Span
from runner.language.builder import DIVIDE, Builder, Limits
from runner.language.node import Node, Scalar, Style
from runner.language.place import comment_after, locate
from runner.language.syntax import explain, stray_character

__all__ = ["DEFAULT_LIMITS", "Limits", "comment_after", "locate", "parse"]

DEFAULT_LIMITS = Limits()

# libyaml is absent from a PyYAML built without it; the slow parser gives the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# The parser takes them for line ends, and no editor does: every line below would be another one.
_SEPARATORS = "\x85\u2028\u2029"


def parse(source: Source, limits: Limits = DEFAULT_LIMITS) -> Node:
    """The one document of `source` as a tree whose every node knows its place.

    Scalars are read as YAML 1.2 core: only `true`, `null`, `7`, `1.5`, `1e3` and their like are not text. An alias is the
    very node of its anchor. A merge key `<<` puts the keys of its mappings before the mapping's own; own keys win, then
    the earlier mapping. Keys are taken by their text: `1: x` has the key "1".

    Raises Rejected: with the syntax fault the parser stopped at and all before it, or with all other faults of the file.
    """
    with uncollected():
        return _built(source, limits)


def _built(source: Source, limits: Limits) -> Node:
    text, builder = source.text, Builder(source, limits)
    if len(text) > limits.characters:
        most = f"the file has {len(text):,} characters; at most {limits.characters:,} are read"
        start = Span(source=source, line=1, column=1, end_line=1, end_column=1)
        builder.fault("yaml-limit", most, start, help=DIVIDE)
        builder.refuse()
    if any(separator in text for separator in _SEPARATORS):
        _stop_at_stray_character(source, builder)
    takes: dict[type, Callable[[Any], None]] = {
        yaml.ScalarEvent: builder.scalar,
        yaml.MappingStartEvent: builder.mapping,
        yaml.MappingEndEvent: builder.end,
        yaml.SequenceStartEvent: builder.sequence,
        yaml.SequenceEndEvent: builder.end,
        yaml.AliasEvent: builder.alias,
        yaml.DocumentStartEvent: builder.document,
        yaml.DocumentEndEvent: _nothing,
        yaml.StreamStartEvent: _nothing,
        yaml.StreamEndEvent: _nothing,
    }
    try:
        loader = _LOADER(text)
        for event in iter(loader.get_event, None):
            takes[type(event)](event)
    except yaml.MarkedYAMLError as error:
        at, context_at = _place(error.problem_mark), _place(error.context_mark)
        if at is None or not builder.has_fault_in(at[0]):  # else it is that fault's consequence
            builder.report(explain(source, str(error.problem), at, context_at, builder.flow_start))
        builder.refuse()
    except (yaml.YAMLError, UnicodeEncodeError):
        _stop_at_stray_character(source, builder)
    if builder.faults:
        builder.refuse()
    root = builder.root
    if root is None or (isinstance(root, Scalar) and not root.text and root.style is Style.PLAIN):
        advice = "a file holds `key: value` lines; a storyboard begins with `storyboard: 1`"
        start = Span(source=source, line=1, column=1, end_line=1, end_column=1)
        builder.fault("empty-file", "the file is empty", start, help=advice)
        builder.refuse()
    return root


def _stop_at_stray_character(source: Source, builder: Builder) -> NoReturn:
    fault = stray_character(source)
    if fault is None:
        builder.stop("yaml-syntax", "the file is not YAML text")
    builder.report(fault)
    builder.refuse()


def _nothing(event: Any) -> None:
    """Streams and ends of documents say nothing."""


def _place(mark: Any) -> tuple[int, int] | None:
    return None if mark is None else (mark.line + 1, mark.column + 1)
