"""What is wrong where YAML cannot be read, in plain words and with the line as it should stand.

The parser's own words name its rules and seldom the mistake, so the line is looked at as well.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from runner.core.diagnostics import Diagnostic, Label, Source, Span
from runner.language.line import TEMPLATE, flow_template, mended, parts, short

Place = tuple[int, int]  # line and column, from 1

_STRAY = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile("\r\n|\r|\n")
_SEPARATORS = {"\x85": "\\N", "\u2028": "\\L", "\u2029": "\\P"}  # and how a double-quoted text spells them


def stray_character(source: Source) -> Diagnostic | None:
    """The fault of the first character that YAML does not allow, or that its parser takes for a line's end."""
    text = source.text.removeprefix("\ufeff")
    found = _STRAY.search(text)
    if found is None:
        return None
    breaks = list(_BREAK.finditer(text, 0, found.start()))
    line, column = len(breaks) + 1, found.start() - (breaks[-1].end() if breaks else 0) + 1
    name = unicodedata.name(found[0], "no printable character").lower()
    spelt = _SEPARATORS.get(found[0])
    return Diagnostic(
        code="yaml-syntax",
        headline=f"the character U+{ord(found[0]):04X} ({name}) cannot stand in a YAML file",
        span=_span(source, (line, column)),
        help=f"delete it; a double-quoted text that needs it has `{spelt}` there" if spelt else "delete it",
    )


def unquoted_template(source: Source, line: int, column: int, *, flow: bool = False) -> Diagnostic:
    """The fault of a template that YAML takes for a mapping; `flow`: it stands inside `[...]` or `{...}`."""
    text = source.line(line)
    ends = [end + 2 for mark in ("}}", "%}", "#}") if (end := (text.find if flow else text.rfind)(mark, column)) >= 0]
    end = (min if flow else max)(ends, default=column + 1)
    better = "" if _goes_on(source, line) and not flow else mended(text, flow=flow)
    return Diagnostic(
        code="unquoted-template",
        headline="a template that begins a value must be quoted: YAML reads `{` as a mapping",
        span=Span(source=source, line=line, column=column, end_line=line, end_column=end + 1),
        help=f"quote the template: `{short(better)}`" if better else _as_block(text),
    )


def explain(source: Source, problem: str, at: Place | None, context_at: Place | None, flow: Place | None) -> Diagnostic:
    """The fault where the parser stopped.

    `problem` is what it says, `at` where, `context_at` where what it was reading began; `flow` where the outermost open
    `[` or `{` stands.
    """
    stop = _Stop(source=source, at=at or context_at or (1, 1), start=context_at or at or (1, 1))
    for line, _ in (stop.at, stop.start):
        found = parts(source.line(line))
        if found and TEMPLATE.match(found.value) and (flow is None or flow >= (line, found.start + 1)):
            return unquoted_template(source, line, found.start + 1)
        column = flow_template(source.line(line)) if flow else 0
        if column and flow != (line, column):
            return unquoted_template(source, line, column, flow=True)
    if "tab" in problem.split() or stop.char == "\t":
        return stop.fault(
            "a tab cannot indent", "indent with spaces; editors can be told to write them for the Tab key"
        )
    for words, explanation in _EXPLANATIONS:
        if words in problem:
            return explanation(stop)
    return stop.fault("the file cannot be read as YAML from here on", notes=(f"the parser says: {problem}",))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """Where the parser stopped, and where what it was reading began."""

    source: Source
    at: Place
    start: Place

    @property
    def line(self) -> str:
        return self.source.line(self.at[0])

    @property
    def char(self) -> str:
        return self.line[self.at[1] - 1 : self.at[1]]

    @property
    def first(self) -> str:
        """The character where what it was reading began."""
        return self.source.line(self.start[0])[self.start[1] - 1 : self.start[1]]

    @property
    def value(self) -> str:
        found = parts(self.line)
        return found.value if found else self.line.strip()

    @property
    def from_start(self) -> "_Stop":
        return _Stop(source=self.source, at=self.start, start=self.start)

    def fault(
        self, headline: str, advice: str = "", *, others: tuple[Label, ...] = (), notes: tuple[str, ...] = ()
    ) -> Diagnostic:
        span = _span(self.source, self.at)
        return Diagnostic(code="yaml-syntax", headline=headline, span=span, help=advice, others=others, notes=notes)

    def quoting(self, headline: str, advice: str = "quote the text") -> Diagnostic:
        """The fault that goes away when the line's value is quoted."""
        better = "" if _goes_on(self.source, self.at[0]) else mended(self.line)
        return self.fault(headline, f"{advice}: `{short(better)}`" if better else advice)


# --- one explanation for each way the parser stops ---


def _colon(stop: _Stop) -> Diagnostic:
    found = parts(stop.line)
    if found and found.key and stop.at[1] > found.start:
        if _goes_on(stop.source, stop.at[0]):
            return stop.fault("`: ` inside a text makes it look like a key", _as_block(stop.line))
        return stop.quoting("`: ` inside a text makes it look like a key")
    above = next((n for n in range(stop.at[0] - 1, 0, -1) if stop.source.line(n).strip()), 0)
    text, column = stop.source.line(above), _indentation(stop.line) + 1
    if above and _indentation(text) == _indentation(stop.line):
        missing = _Stop(source=stop.source, at=(above, column), start=stop.start)
        return missing.fault(f"`{short(text)}` is no `key: value`", "a key is followed by `:` and a space")
    return _Stop(source=stop.source, at=(stop.at[0], column), start=stop.start).fault(
        "this line is indented as part of the value above, but looks like a key",
        "a key begins in the column of the keys beside it; a text with `: ` in it is quoted, or written below a `|`",
    )


def _not_a_start(stop: _Stop) -> Diagnostic:
    char = "a backquote" if stop.char == "`" else f"`{stop.char}`"
    return stop.quoting(f"a text cannot begin with {char}")


def _mark(stop: _Stop) -> Diagnostic:
    return _not_a_start(stop.from_start)


def _list_on_key_line(stop: _Stop) -> Diagnostic:
    advice = "move `-` to a line of its own; a text that begins with it is quoted"
    return stop.quoting("a list begins on the line below its key", advice)


def _block_header(stop: _Stop) -> Diagnostic:
    if stop.first not in ("|", ">"):
        return _mark(stop)
    advice = f"move the text down and indent it; a text that begins with `{stop.first}` is quoted"
    return stop.quoting(f"the text of a `{stop.first}` block begins on the line below", advice)


def _open_quote(stop: _Stop) -> Diagnostic:
    if stop.first not in ("'", '"'):
        return stop.fault("the file ends in the middle of something", "close every quote and bracket")
    return stop.from_start.fault("this quote is never closed", f"end the text with `{stop.first}`")


def _escape(stop: _Stop) -> Diagnostic:
    advice = "write `\\\\`, or use single quotes"
    return stop.quoting("`\\` in a double-quoted text begins an escape, and this is none", advice)


def _no_colon(stop: _Stop) -> Diagnostic:
    start = stop.from_start
    text = short(start.line[start.at[1] - 1 :])
    advice = "a key is followed by `:` and a space; a text that goes on is indented deeper than its key"
    return start.fault(f"`{text}` is no `key: value`", advice)


def _no_key(stop: _Stop) -> Diagnostic:
    before = stop.line[: stop.at[1] - 1].strip()
    if before:
        match stop.value[:1]:
            case "'" | '"':
                return stop.quoting(
                    "a quoted text ends with its closing quote; more stands behind it", "quote it whole"
                )
            case "[":
                return stop.quoting("a list ends with its `]`; more stands behind it")
            case "{":
                return stop.quoting("a mapping ends with its `}`; more stands behind it")
        return stop.quoting("this does not belong to the value before it")
    if stop.char == ":":
        return stop.fault("a key is missing before this `:`")
    others = (Label(span=_span(stop.source, stop.start), text="the block begun here"),) if stop.start != stop.at else ()
    if stop.line.lstrip().startswith("- "):
        return stop.fault("a list entry where a key must stand", "indent `-` as deep as the key above", others=others)
    if stop.first == "-" and stop.at[1] <= stop.start[1]:
        return stop.fault(
            "a key among the entries of a list", "indent it deeper than the `-` it belongs to", others=others
        )
    advice = (
        f"keys of one mapping, and dashes of one list, begin in the same column; there it is column {stop.start[1]}"
    )
    return stop.fault("this line is indented like nothing above it", advice, others=others)


def _no_close(stop: _Stop) -> Diagnostic:
    close = {"[": "]", "{": "}"}.get(stop.first, "")
    if not close:
        return _no_key(stop)
    others = (Label(span=_span(stop.source, stop.at), text="here at the latest"),) if stop.at != stop.start else ()
    return stop.from_start.fault(f"`{stop.first}` is not closed by `{close}`, or a `,` is missing", others=others)


def _no_value(stop: _Stop) -> Diagnostic:
    if not stop.char.strip():
        return stop.fault("the file ends inside `[...]` or `{...}`", "close every bracket")
    if stop.value[:1] in ("[", "{") and stop.char != stop.value[:1]:
        return stop.fault(f"a value is missing before this `{stop.char}`", "take it out, or write the value")
    return _not_a_start(stop)


def _tight_colon(stop: _Stop) -> Diagnostic:
    return stop.fault("a `:` must be followed by a space here", "write `key: value`")


def _astray(stop: _Stop) -> Diagnostic:
    advice = "a file is one mapping: its keys begin in the first column as `key: value`"
    return stop.fault("this stands outside of everything above it", advice)


def _directive(stop: _Stop) -> Diagnostic:
    advice = "take it out; a comment begins with `#`"
    return stop.from_start.fault("a line that begins with `%` is a YAML directive, and this is none", advice)


# Words of libyaml and of PyYAML's own parser; the first that fits.
_EXPLANATIONS: tuple[tuple[str, Callable[[_Stop], Diagnostic]], ...] = (
    ("mapping values are not allowed", _colon),
    ("entries are not allowed", _list_on_key_line),
    ("mapping keys are not allowed", _not_a_start),
    ("cannot start any token", _not_a_start),
    ("alphabetic or numeric character", _mark),
    ("comment or", _block_header),
    ("chomping or indentation", _block_header),
    ("indentation indicator", _block_header),
    ("end of stream", _open_quote),
    ("document indicator", _open_quote),
    ("document separator", _open_quote),
    ("escape", _escape),
    ("hexdecimal", _escape),
    ("hexadecimal", _escape),
    ("expected ':'", _no_colon),
    ("unexpected ':'", _tight_colon),
    ("or ']'", _no_close),
    ("or '}'", _no_close),
    ("node content", _no_value),
    ("document start", _astray),
    ("directive", _directive),
    ("YAML document", _directive),
    ("version number", _directive),
    ("expected a digit", _directive),
    ("tag", _mark),
    ("expected key", _no_key),
    ("'-' indicator", _no_key),
    ("<block end>", _no_key),
)


# --- places ---


def _span(source: Source, at: Place) -> Span:
    return Span(source=source, line=at[0], column=at[1], end_line=at[0], end_column=at[1] + 1)


def _as_block(line: str) -> str:
    found = parts(line)
    key = found.key.strip() if found else ""
    return (
        f"quote the whole text, or write `{key} |` and the text on the lines below, indented"
        if key
        else "quote the text"
    )


def _goes_on(source: Source, line: int) -> bool:
    """Whether the next written line is indented deeper than this line's key: the value has more lines."""
    found = parts(source.line(line))
    following = next((text for n in range(line + 1, line + 20) if (text := source.line(n)).strip()), "")
    return found is not None and _indentation(following) > len(found.lead)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())
