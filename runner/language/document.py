"""YAML text -> located tree; the door to PyYAML.

The tree is built from the parser's events and not from its values: YAML 1.1 reads `16:9` as 969 and `no` as false, keeps
the last of two equal keys, and drops every place. Nothing here recurses on what the file holds.
"""

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from runner.core.diagnostics import Diagnostic, Label, Rejected, Source, Span, in_file_order
from runner.core.spelling import nearest
from runner.language import syntax
from runner.language.node import Entry, Mapping, Node, Scalar, Sequence, Style
from runner.language.place import comment_after, content_start, locate, trimmed
from runner.language.scalar import NotANumber, resolve, tagged

__all__ = ["DEFAULT_LIMITS", "Limits", "comment_after", "locate", "parse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one file may hold: characters, levels of nesting, aliases, and nodes counted as often as aliases repeat them."""

    characters: int = 32_000_000
    depth: int = 64
    aliases: int = 1000
    nodes: int = 3_000_000


DEFAULT_LIMITS = Limits()

# libyaml is absent from a PyYAML built without it; the slow parser gives the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_STYLES = {
    None: Style.PLAIN,
    "": Style.PLAIN,
    "'": Style.SINGLE,
    '"': Style.DOUBLE,
    "|": Style.LITERAL,
    ">": Style.FOLDED,
}


def parse(source: Source, limits: Limits = DEFAULT_LIMITS) -> Node:
    """The one document of `source` as a tree whose every node knows its place.

    Scalars are read as YAML 1.2 core: only `true`, `null`, `7`, `1.5`, `1e3` and their like are not text. An alias is the
    very node of its anchor. A merge key `<<` puts the keys of its mappings before the mapping's own; own keys win, then
    the earlier mapping. Plain keys are taken by their text: `1: x` has the key "1".

    Raises Rejected: with the syntax fault the parser stopped at, or with all other faults of the file.
    """
    collecting = gc.isenabled()
    gc.disable()  # hundreds of thousands of live nodes make each collection walk them all: 1.2 to 3 times slower
    try:
        return _Builder(source, limits).build()
    finally:
        if collecting:
            gc.enable()


def _events(text: str) -> Iterator[Any]:
    loader = _LOADER(text)
    try:
        while (event := loader.get_event()) is not None:
            yield event
    finally:
        loader.dispose()


class _Open:
    """A collection whose end has not come yet. `weight` and `height` count its nodes and levels with aliases unfolded."""

    __slots__ = ("alias_end", "anchor", "children", "flow", "height", "key", "merged", "seen", "start", "weight")

    def __init__(self, start: Any, anchor: str | None, *, mapping: bool, flow: bool) -> None:
        self.start, self.anchor, self.flow = start, anchor, flow
        self.children: list[Any] = []  # of a mapping: Entry; of a sequence: Node
        self.seen: dict[str, Scalar] | None = {} if mapping else None
        self.key: Scalar | None = None
        self.merged: list[Mapping] = []
        self.alias_end = (0, 0)
        self.weight = self.height = 1


class _Builder:
    def __init__(self, source: Source, limits: Limits) -> None:
        self.source, self.limits = source, limits
        self.faults: list[Diagnostic] = []
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int, int]] = {}
        self.root: Node | None = None
        self.aliases = 0
        self.nodes = 0
        self.dropped = Scalar(span=self._span(0, 0, 0, 0), value="", text="", style=Style.PLAIN)

    def build(self) -> Node:
        text = self.source.text
        if len(text) > self.limits.characters:
            self._stop(
                "yaml-limit", f"the file has {len(text):,} characters; at most {self.limits.characters:,} are read"
            )
        if any(separator in text for separator in "\x85\u2028\u2029"):  # ends of lines to the parser, to no editor
            self._stray_character()
        try:
            for event in _events(text):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            self._syntax_fault(error)
        except (yaml.YAMLError, UnicodeEncodeError):
            self._stray_character()
        if self.root is None or (_is_empty(self.root) and not self.faults):
            self._stop(
                "empty-file",
                "the file is empty",
                help="a file holds `key: value` lines; `shotrunner init` writes one to begin with",
            )
        if self.faults:
            raise Rejected(in_file_order(self.faults))
        return self.root

    # --- events ---

    def _take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._place(self._scalar(event), event.anchor, 1, 1)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            if len(self.open) >= self.limits.depth:
                self._stop("yaml-limit", f"nested deeper than {self.limits.depth} levels", event.start_mark)
            mapping = kind is yaml.MappingStartEvent
            self._check_collection_tag(event, "map" if mapping else "seq")
            self.open.append(_Open(event.start_mark, event.anchor, mapping=mapping, flow=bool(event.flow_style)))
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close(event.end_mark)
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent and self.root is not None:
            self._stop(
                "yaml-syntax",
                "a second document begins here",
                event.start_mark,
                event.end_mark,
                help="one file is one document: take out the `---`, or make it a file of its own",
            )

    def _scalar(self, event: Any) -> Scalar:
        start, end, style = event.start_mark, event.end_mark, _STYLES[event.style]
        span = self._span(start.line, start.column, end.line, end.column)
        text = event.value
        if event.anchor is not None or event.tag is not None:
            span = content_start(span)
        if style is Style.LITERAL or style is Style.FOLDED:
            span = trimmed(span)
        try:
            if event.tag is not None:
                value = tagged(event.tag, text)
            elif style is Style.PLAIN:
                value = resolve(text)
            else:
                value = text
        except NotANumber as error:
            self.faults.append(
                Diagnostic(
                    code="yaml-number",
                    headline=f"`{syntax.short(text)}` {error}",
                    span=span,
                    help=f'a text is quoted: `"{syntax.short(text)}"`',
                )
            )
            value = None
        except KeyError:
            self._tag_fault(event)
            value = None
        return Scalar(span=span, value=value, text=text, style=style)

    def _close(self, end: Any) -> None:
        frame = self.open.pop()
        last = frame.children[-1] if frame.children else None
        if frame.flow or last is None:
            end_line, end_column = end.line, end.column
        else:  # the end mark of a block stands at the next token, lines below
            behind = (last.value if isinstance(last, Entry) else last).span
            end_line, end_column = max((behind.end_line - 1, behind.end_column - 1), frame.alias_end)
        span = self._span(frame.start.line, frame.start.column, end_line, end_column)
        node: Node
        if frame.seen is None:
            node = Sequence(span=span, items=tuple(frame.children))
        else:
            node = Mapping(span=span, entries=(*_inherited(frame), *frame.children))
        if self.open:
            parent = self.open[-1]
            parent.height = max(parent.height, frame.height + 1)
        self._place(node, frame.anchor, frame.weight, frame.height)

    def _alias(self, event: Any) -> None:
        name = event.anchor
        self.aliases += 1
        if self.aliases > self.limits.aliases:
            self._stop(
                "yaml-limit", f"more than {self.limits.aliases} aliases in one file", event.start_mark, event.end_mark
            )
        if any(frame.anchor == name for frame in self.open):
            self._stop(
                "yaml-alias", f"`*{name}` stands inside its own anchor `&{name}`", event.start_mark, event.end_mark
            )
        if name not in self.anchors:
            self._unknown_alias(event)
            self._place(self.dropped, None, 1, 1)
            return
        node, weight, height = self.anchors[name]
        if len(self.open) + height - 1 > self.limits.depth:
            self._stop("yaml-limit", f"nested deeper than {self.limits.depth} levels", event.start_mark, event.end_mark)
        self.nodes += weight - 1
        if self.open:
            frame = self.open[-1]
            frame.height = max(frame.height, height + 1)
            frame.alias_end = (event.end_mark.line, event.end_mark.column)
        self._place(node, None, weight, height)

    # --- placing a finished node ---

    def _place(self, node: Node, anchor: str | None, weight: int, height: int) -> None:
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            self._stop(
                "yaml-limit",
                f"more than {self.limits.nodes:,} values in one file, counted as often as aliases repeat them",
            )
        if anchor is not None:
            self.anchors[anchor] = (node, weight, height)
        if not self.open:
            self.root = node
            return
        frame = self.open[-1]
        frame.weight += weight
        if frame.seen is None:
            frame.children.append(node)
        elif frame.key is None:
            frame.key = self._key(frame, node)
        else:
            key, frame.key = frame.key, None
            if key.text == "<<" and key.style is Style.PLAIN and key is not self.dropped:
                self._merge(frame, node)
            elif key is not self.dropped:
                frame.children.append(Entry(key=key, value=node))

    def _key(self, frame: _Open, node: Node) -> Scalar:
        assert frame.seen is not None
        if not isinstance(node, Scalar):
            self._complex_key(frame, node)
            return self.dropped
        if node is self.dropped:
            return node
        if not node.text and node.style is Style.PLAIN:
            self.faults.append(Diagnostic(code="yaml-key", headline="a key is missing before this `:`", span=node.span))
            return self.dropped
        first = frame.seen.get(node.text)
        if first is not None:
            self.faults.append(
                Diagnostic(
                    code="duplicate-key",
                    headline=f"`{syntax.short(node.text)}` is written twice in one mapping",
                    span=node.span,
                    label="again here",
                    others=(Label(span=first.span, text="first here"),),
                    help="keep one of them: which one was meant cannot be guessed",
                )
            )
            return self.dropped
        frame.seen[node.text] = node
        return node

    def _merge(self, frame: _Open, node: Node) -> None:
        for part in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(part, Mapping):
                frame.merged.append(part)
            elif part is not self.dropped:
                self.faults.append(
                    Diagnostic(
                        code="yaml-key",
                        headline="`<<` merges mappings; this is none",
                        span=part.span,
                        help="write `<<: *name`, where `&name` stands at a mapping",
                    )
                )

    # --- faults ---

    def _complex_key(self, frame: _Open, node: Node) -> None:
        start = frame.start
        line = self.source.line(start.line + 1)
        if frame.flow and line[start.column : start.column + 2] == "{{":
            flow = any(frame.flow for frame in self.open[:-1])
            self.faults.append(syntax.unquoted_template(self.source, start.line + 1, start.column + 1, flow=flow))
        else:
            self.faults.append(
                Diagnostic(code="yaml-key", headline="a key is a plain word, not a list or a mapping", span=node.span)
            )

    def _syntax_fault(self, error: yaml.MarkedYAMLError) -> NoReturn:
        at, context_at = _at(error.problem_mark), _at(error.context_mark)
        if not any(f.code == "unquoted-template" and f.span and at and f.span.line == at[0] for f in self.faults):
            flow = any(frame.flow for frame in self.open)
            problem, context = str(error.problem or ""), str(error.context or "")
            self.faults.append(syntax.explain(self.source, problem, at, context, context_at, flow=flow))
        raise Rejected(in_file_order(self.faults))

    def _stray_character(self) -> NoReturn:
        fault = syntax.stray_character(self.source)
        raise Rejected([fault or Diagnostic(code="yaml-syntax", headline="the file is not YAML text")])

    def _unknown_alias(self, event: Any) -> None:
        near = nearest(event.anchor, self.anchors)
        span = self._span(event.start_mark.line, event.start_mark.column, event.end_mark.line, event.end_mark.column)
        mended = syntax.mended(self.source.line(span.line))
        quote = f"; a text is quoted: `{mended}`" if mended else "; a text that begins with it is quoted"
        self.faults.append(
            Diagnostic(
                code="yaml-alias",
                headline=f"no anchor `&{event.anchor}` stands above this alias",
                span=span,
                help=f"did you mean `*{near}`?" if near else f"`*` begins an alias{quote}",
            )
        )

    def _check_collection_tag(self, event: Any, kind: str) -> None:
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{kind}"):
            self._tag_fault(event)

    def _tag_fault(self, event: Any) -> None:
        start = event.start_mark
        line = self.source.line(start.line + 1)
        word = line[start.column :].split(" ")[0] or event.tag
        mended = syntax.mended(line)
        self.faults.append(
            Diagnostic(
                code="yaml-tag",
                headline=f"the tag `{syntax.short(word)}` has no meaning here",
                span=self._span(start.line, start.column, start.line, start.column + len(word)),
                help=f"a text that begins with `!` is quoted: `{mended}`"
                if mended
                else "take the tag out, or quote the text that begins with `!`",
            )
        )

    def _stop(self, code: str, headline: str, start: Any = None, end: Any = None, *, help: str = "") -> NoReturn:  # noqa: A002
        span = None
        if start is not None:
            end = end or start
            span = self._span(start.line, start.column, end.line, end.column)
        raise Rejected(in_file_order([*self.faults, Diagnostic(code=code, headline=headline, span=span, help=help)]))

    def _span(self, line: int, column: int, end_line: int, end_column: int) -> Span:
        """From the parser's marks, which count from 0."""
        return Span(
            source=self.source, line=line + 1, column=column + 1, end_line=end_line + 1, end_column=end_column + 1
        )


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.text and node.style is Style.PLAIN


def _at(mark: Any) -> tuple[int, int] | None:
    return None if mark is None else (mark.line + 1, mark.column + 1)


def _inherited(frame: _Open) -> list[Entry]:
    """What `<<` brings: keys the mapping has not written itself, each from the first mapping that has it."""
    assert frame.seen is not None
    found: dict[str, Entry] = {}
    for mapping in frame.merged:
        for entry in mapping.entries:
            if entry.key.text not in frame.seen:
                found.setdefault(entry.key.text, entry)
    return list(found.values())
