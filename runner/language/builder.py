"""Builds the located tree from the parser's events: iteratively, within limits, and with a word for each pitfall."""

from dataclasses import dataclass
from typing import Any, NoReturn

from runner.core.diagnostics import Diagnostic, Label, Rejected, Source, Span, in_file_order
from runner.core.spelling import nearest
from runner.language.line import mended, short
from runner.language.node import Entry, Mapping, Node, Scalar, Sequence, Style
from runner.language.place import content_start, trimmed
from runner.language.quick import quick_entry, quick_scalar, quick_span
from runner.language.scalar import STARTS, NotANumber, Value, resolve, tagged
from runner.language.syntax import unquoted_template

_STYLES = {
    None: Style.PLAIN,
    "": Style.PLAIN,
    "'": Style.SINGLE,
    '"': Style.DOUBLE,
    "|": Style.LITERAL,
    ">": Style.FOLDED,
}
DIVIDE = "divide the file: several storyboards, or the rows of a table as `.csv` or `.jsonl`"
_MOST_FAULTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one file may hold: characters, levels of nesting, aliases, and nodes counted as often as aliases repeat them."""

    characters: int = 32_000_000
    depth: int = 64
    aliases: int = 1000
    nodes: int = 3_000_000


class _Open:
    """A collection whose end has not come. `weight` and `height` count its nodes and levels, aliases unfolded."""

    __slots__ = ("alias_end", "anchor", "children", "flow", "height", "key", "merged", "seen", "start", "weight")

    def __init__(self, event: Any, *, mapping: bool) -> None:
        self.start, self.anchor, self.flow = event.start_mark, event.anchor, bool(event.flow_style)
        self.children: list[Any] = []  # of a mapping: Entry; of a sequence: Node
        self.seen: dict[str, Scalar] | None = {} if mapping else None
        self.key: Scalar | None = None
        self.merged: list[Mapping] = []
        self.alias_end = (0, 0)
        self.weight = self.height = 1


class Builder:
    """Takes a document's events in order; `root` is its tree, `faults` what was found wrong on the way.

    Every method raises Rejected where there is no use in going on.
    """

    def __init__(self, source: Source, limits: Limits) -> None:
        self.root: Node | None = None
        self.faults: list[Diagnostic] = []
        self._source, self._limits = source, limits
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._aliases = self._nodes = 0
        # Stands where a faulty key or alias stood; what it leads to is left out.
        nowhere = Span(source=source, line=1, column=1, end_line=1, end_column=1)
        self._dropped = Scalar(span=nowhere, value="", text="", style=Style.PLAIN)

    @property
    def flow_start(self) -> tuple[int, int] | None:
        """Where the outermost open `[` or `{` stands."""
        return next(((f.start.line + 1, f.start.column + 1) for f in self._open if f.flow), None)

    def has_fault_in(self, line: int) -> bool:
        return any(fault.span is not None and fault.span.line == line for fault in self.faults)

    # --- events ---

    def document(self, event: Any) -> None:
        if self.root is not None:
            advice = "one file is one document: take out the `---`, or make it a file of its own"
            self.stop("yaml-syntax", "a second document begins here", event, help=advice)

    def scalar(self, event: Any) -> None:
        start, end, style, text = event.start_mark, event.end_mark, _STYLES[event.style], event.value
        span = quick_span(self._source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        if event.tag is not None or event.anchor is not None:
            span = content_start(span)
        if style is Style.LITERAL or style is Style.FOLDED:
            span = trimmed(span)
        value: Value = text
        if event.tag is not None or (style is Style.PLAIN and text[:1] in STARTS):
            value = self._value(event, span)
        self._place(quick_scalar(span, value, text, style), event.anchor, 1)

    def mapping(self, event: Any) -> None:
        self._begin(event, "map")

    def sequence(self, event: Any) -> None:
        self._begin(event, "seq")

    def _begin(self, event: Any, tag: str) -> None:
        if len(self._open) >= self._limits.depth:
            self.stop("yaml-limit", f"nested deeper than {self._limits.depth} levels", event)
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{tag}"):
            self._tag_fault(event)
        self._open.append(_Open(event, mapping=tag == "map"))

    def end(self, event: Any) -> None:
        frame = self._open.pop()
        start = frame.start
        if frame.flow or not frame.children:
            end_line, end_column = event.end_mark.line + 1, event.end_mark.column + 1
        else:  # the end mark of a block stands at the next token, lines below
            last = frame.children[-1]
            behind = (last.value if frame.seen is not None else last).span
            end_line, end_column = max((behind.end_line, behind.end_column), frame.alias_end)
        span = quick_span(self._source, start.line + 1, start.column + 1, end_line, end_column)
        node: Node
        if frame.seen is None:
            node = Sequence(span=span, items=tuple(frame.children))
        else:
            node = Mapping(span=span, entries=(*_inherited(frame.merged, frame.seen), *frame.children))
        self._place(node, frame.anchor, frame.weight, frame.height)

    def alias(self, event: Any) -> None:
        name = event.anchor
        self._aliases += 1
        if self._aliases > self._limits.aliases:
            self.stop("yaml-limit", f"more than {self._limits.aliases} aliases in one file", event)
        if any(frame.anchor == name for frame in self._open):
            self.stop("yaml-alias", f"`*{name}` stands inside its own anchor `&{name}`", event)
        if name not in self._anchors:
            self._unknown_alias(event)
            self._place(self._dropped, None, 1)
            return
        node, weight, height = self._anchors[name]
        if len(self._open) + height - 1 > self._limits.depth:
            self.stop("yaml-limit", f"nested deeper than {self._limits.depth} levels", event)
        self._nodes += weight - 1
        if self._open:
            self._open[-1].alias_end = (event.end_mark.line + 1, event.end_mark.column + 1)
        self._place(node, None, weight, height)

    # --- placing a finished node ---

    def _place(self, node: Node, anchor: str | None, weight: int, height: int = 1) -> None:
        self._nodes += 1
        if self._nodes > self._limits.nodes:
            most = f"more than {self._limits.nodes:,} values in one file"
            self.fault("yaml-limit", f"{most}, counted as often as aliases repeat them", node.span, help=DIVIDE)
            self.refuse()
        if anchor is not None:
            self._anchors[anchor] = (node, weight, height)
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        frame.weight += weight
        if height >= frame.height:
            frame.height = height + 1
        if frame.seen is None:
            frame.children.append(node)
        elif frame.key is None:
            frame.key = self._key(frame, frame.seen, node)
        else:
            key, frame.key = frame.key, None
            if key.text == "<<" and key.style is Style.PLAIN:
                self._merge(frame, node)
            elif key is not self._dropped:
                frame.children.append(quick_entry(key, node))

    def _key(self, frame: _Open, seen: dict[str, Scalar], node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            self._complex_key(frame, node)
        elif not node.text and node.style is Style.PLAIN:
            if node is not self._dropped:
                self.fault("yaml-key", "a key is missing before this `:`", node.span)
        elif node.text in seen:
            self.fault(
                "duplicate-key",
                f"`{short(node.text)}` is written twice in one mapping",
                node.span,
                label="again here",
                others=(Label(span=seen[node.text].span, text="first here"),),
                help="keep one of them: which one was meant cannot be guessed",
            )
        else:
            seen[node.text] = node
            return node
        return self._dropped

    def _merge(self, frame: _Open, node: Node) -> None:
        for part in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(part, Mapping):
                frame.merged.append(part)
            elif part is not self._dropped:
                advice = "write `<<: *name`, where `&name` stands at a mapping"
                self.fault("yaml-key", "`<<` merges mappings; this is none", part.span, help=advice)

    # --- faults ---

    def fault(
        self,
        code: str,
        headline: str,
        span: Span | None,
        *,
        label: str = "",
        others: tuple[Label, ...] = (),
        help: str = "",  # noqa: A002
    ) -> None:
        self.report(Diagnostic(code=code, headline=headline, span=span, label=label, others=others, help=help))

    def report(self, fault: Diagnostic) -> None:
        if not any(fault.code == other.code and fault.span == other.span for other in self.faults[-3:]):
            self.faults.append(fault)
        if len(self.faults) >= _MOST_FAULTS:
            self.refuse()

    def stop(self, code: str, headline: str, event: Any = None, *, help: str = "") -> NoReturn:  # noqa: A002
        self.fault(code, headline, self._span_of(event) if event else None, help=help)
        self.refuse()

    def refuse(self) -> NoReturn:
        raise Rejected(in_file_order(self.faults))

    def _value(self, event: Any, span: Span) -> Value:
        text = event.value
        try:
            return resolve(text) if event.tag is None else tagged(event.tag, text)
        except NotANumber as error:
            advice = f'a text is quoted: `"{short(text)}"`'
            self.fault("yaml-number", f"`{short(text)}` {error}", span, help=advice)
        except KeyError:
            self._tag_fault(event)
        return None

    def _complex_key(self, frame: _Open, node: Node) -> None:
        line, column = frame.start.line + 1, frame.start.column + 1
        if frame.flow and self._source.line(line).startswith("{{", column - 1):
            within = any(frame.flow for frame in self._open[:-1])
            self.report(unquoted_template(self._source, line, column, flow=within))
        else:
            self.fault("yaml-key", "a key is a plain word, not a list or a mapping", node.span)

    def _unknown_alias(self, event: Any) -> None:
        near, span = nearest(event.anchor, self._anchors), self._span_of(event)
        better = mended(self._source.line(span.line))
        quote = f"a text is quoted: `{better}`" if better else "a text that begins with it is quoted"
        advice = f"did you mean `*{near}`?" if near else f"`*` begins an alias; {quote}"
        self.fault("yaml-alias", f"no anchor `&{event.anchor}` stands above this alias", span, help=advice)

    def _tag_fault(self, event: Any) -> None:
        start = self._span_of(event)
        line = self._source.line(start.line)
        word = line[start.column - 1 :].split(" ")[0]
        better = mended(line)
        span = quick_span(self._source, start.line, start.column, start.line, start.column + len(word))
        advice = f"a text that begins with `!` is quoted: `{better}`" if better else "take the tag out"
        self.fault("yaml-tag", f"the tag `{short(word)}` has no meaning here", span, help=advice)

    def _span_of(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return quick_span(self._source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _inherited(merged: list[Mapping], own: dict[str, Scalar]) -> list[Entry]:
    """What `<<` brings: keys the mapping has not written itself, each from the first mapping that has it."""
    found: dict[str, Entry] = {}
    for mapping in merged:
        for entry in mapping.entries:
            if entry.key.text not in own:
                found.setdefault(entry.key.text, entry)
    return list(found.values())
