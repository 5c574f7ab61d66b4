"""What is wrong where YAML cannot be read, in plain words and with the line as it should stand.

The parser's own words name its rules and seldom the mistake, so the line is looked at first.
"""

import re
import unicodedata

from runner.core.diagnostics import Diagnostic, Label, Source, Span

Place = tuple[int, int]  # line and column, from 1

_LONGEST_LINE = 1000  # longer lines are not mended: nobody reads them in a help line
_SHOWN = 100
_LINE = re.compile(
    r"""(?P<lead>\s*(?:-\s+)*)
        (?P<key>(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'\#{}\[\],&*!|>%@`:][^:]*?)\s*:\s+)?
        (?P<value>\S.*?)
        (?P<comment>\s+\#.*)?\s*""",
    re.VERBOSE,
)
_TEMPLATE = re.compile(r"\{[{%#]")
_FLOW_TEMPLATE = re.compile(r"""(?:[^\s"'\[\]{},:][^"'\[\]{},:]*)?\{\{[^"']*?\}\}(?:[^"'\[\]{},]|\{\{[^"']*?\}\})*""")
_QUOTED_FIRST = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*\S""")
_STRAY = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile("\r\n|\r|\n")


def short(text: str) -> str:
    """The text in one line, its middle left out where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:60]} ... {text[-30:]}"


def quoted(text: str) -> str:
    """One line of text as YAML that reads back as this text, with as few escapes as can be."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def mended(line: str, *, flow: bool = False) -> str:
    """The line with its value quoted, or in flow context with its templates quoted; empty where that is no help."""
    if len(line) > _LONGEST_LINE:
        return ""
    match = _LINE.fullmatch(line)
    if match is None:
        return ""
    lead, key, value, comment = (match[name] or "" for name in ("lead", "key", "value", "comment"))
    if flow or (value[0] in "[{" and not _TEMPLATE.match(value) and _FLOW_TEMPLATE.search(value)):
        changed = _FLOW_TEMPLATE.sub(lambda found: quoted(found[0].rstrip()) + _tail(found[0]), key + value)
        return (lead + changed + comment).strip() if changed != key + value else ""
    return f"{lead}{key}{quoted(_meant(value))}{comment}".strip()


def stray_character(source: Source) -> Diagnostic | None:
    """The fault of the first character that YAML does not allow, or that some programs take for a line's end."""
    text = source.text.removeprefix("\ufeff")
    found = _STRAY.search(text)
    if found is None:
        return None
    breaks = list(_BREAK.finditer(text, 0, found.start()))
    line, column = len(breaks) + 1, found.start() - (breaks[-1].end() if breaks else 0) + 1
    code = ord(found[0])
    name = unicodedata.name(found[0], "a control character").lower()
    return Diagnostic(
        code="yaml-syntax",
        headline=f"the character U+{code:04X} ({name}) cannot stand in a YAML file",
        span=Span(source=source, line=line, column=column, end_line=line, end_column=column + 1),
        help=f"delete it; a text that needs it is double-quoted and has `\\u{code:04x}` there"
        if code != 0
        else "delete it",
    )


def unquoted_template(source: Source, line: int, column: int, *, flow: bool = False) -> Diagnostic:
    """The fault of a template that YAML takes for a mapping; `flow`: it stands inside `[...]` or `{...}`."""
    text = source.line(line)
    end = text.find("}}", column) if flow else text.rfind("}}")
    end_column = end + 3 if end >= column else column + 2
    better = "" if _goes_on(source, line) else mended(text, flow=flow)
    return Diagnostic(
        code="unquoted-template",
        headline="a template that begins a value must be quoted: YAML reads `{` as a mapping",
        span=Span(source=source, line=line, column=column, end_line=line, end_column=end_column),
        help=f"quote the template: `{short(better)}`" if better else _as_block(text),
    )


def explain(
    source: Source, problem: str, at: Place | None, context: str, context_at: Place | None, *, flow: bool = False
) -> Diagnostic:
    """The fault where the parser stopped. `problem` and `context` are its words; `flow`: inside `[...]` or `{...}`."""
    at = at or context_at or (1, 1)
    for place in (at, context_at):
        column = _template_column(source.line(place[0]), flow=flow) if place else 0
        if place and column:
            return unquoted_template(source, place[0], column, flow=flow)
    if "tab" in problem.split() or source.line(at[0])[at[1] - 1 : at[1]] == "\t":
        return _fault(
            source,
            at,
            "a tab cannot indent",
            help="indent with spaces; most editors can be told to write them for the Tab key",
        )
    for words, explanation in _EXPLANATIONS:
        if words in problem:
            return explanation(source, at, context, context_at)
    return _fault(source, at, "the file cannot be read as YAML from here on", notes=(f"the parser says: {problem}",))


# --- one explanation for each way the parser stops ---


def _colon(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    line = source.line(at[0])
    match = _LINE.fullmatch(line) if len(line) <= _LONGEST_LINE else None
    if match and match["key"] and at[1] > match.end("key"):
        better = "" if _goes_on(source, at[0]) else mended(line)
        return _fault(
            source,
            at,
            "`: ` inside a text makes it look like a key",
            help=f"quote the text: `{short(better)}`" if better else _as_block(line),
        )
    above = _line_above(source, at[0])
    if above and _indentation(source.line(above)) == _indentation(line):
        text = short(source.line(above).strip())
        return _fault(
            source,
            (above, _indentation(line) + 1),
            f"`{text}` is no `key: value`",
            help="a key is followed by `:` and a space",
        )
    return _fault(
        source,
        (at[0], _indentation(line) + 1),
        "this line is indented as part of the value above, but looks like a key",
        help="a key begins in the column of the keys beside it; a text with `: ` in it is quoted, or written below a `|`",
    )


def _not_a_start(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    line = source.line(at[0])
    char = line[at[1] - 1 : at[1]]
    better = mended(line)
    return _fault(
        source,
        at,
        f"a text cannot begin with `{char}`",
        help=f"quote the text: `{short(better)}`" if better else "quote the text",
    )


def _word_after_mark(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    return _not_a_start(source, context_at or at, context, context_at)


def _list_on_key_line(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    better = mended(source.line(at[0]))
    return _fault(
        source,
        at,
        "a list begins on the line below its key",
        help=f"move `-` to a line of its own; a text that begins with `-` is quoted: `{short(better)}`",
    )


def _block_header(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    start = context_at or at
    char = source.line(start[0])[start[1] - 1 : start[1]]
    if char not in ("|", ">"):
        return _not_a_start(source, start, context, context_at)
    better = mended(source.line(start[0]))
    return _fault(
        source,
        at,
        f"the text of a `{char}` block begins on the line below",
        help=f"move the text down and indent it; a text that begins with `{char}` is quoted: `{short(better)}`",
    )


def _open_quote(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    start = context_at or at
    quote = source.line(start[0])[start[1] - 1 : start[1]]
    return _fault(source, start, "this quote is never closed", help=f"end the text with `{quote}`" if quote else "")


def _escape(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    better = mended(source.line(at[0]))
    return _fault(
        source,
        at,
        "`\\` in a double-quoted text begins an escape, and this is none",
        help=f"write `\\\\`, or use single quotes: `{short(better)}`" if better else "write `\\\\`",
    )


def _no_colon(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    start = context_at or at
    text = short(source.line(start[0])[start[1] - 1 :])
    return _fault(
        source,
        start,
        f"`{text}` is no `key: value`",
        help="a key is followed by `:` and a space; a text that goes on is indented deeper than its key",
    )


def _no_key(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    line = source.line(at[0])
    before = line[: at[1] - 1].strip()
    better = mended(line)
    if before and not before.startswith("#"):
        value = _value(line)
        if value[:1] in ("'", '"'):
            return _fault(
                source,
                at,
                "a quoted text ends with its closing quote; more stands behind it",
                help=f"quote the whole text: `{short(better)}`" if better else "quote the whole text",
            )
        if value[:1] in ("[", "{"):
            kind = "list" if value[0] == "[" else "mapping"
            return _fault(
                source,
                at,
                f"a {kind} ends with its closing bracket; more stands behind it",
                help=f"quote the text: `{short(better)}`" if better else "quote the text",
            )
        return _fault(
            source,
            at,
            "this does not belong to the value before it",
            help=f"quote the text: `{short(better)}`" if better else "",
        )
    others = (Label(span=_span(source, context_at), text="the block begun here"),) if context_at else ()
    if line.lstrip().startswith("- "):
        return _fault(
            source,
            at,
            "a list entry where a key must stand",
            others=others,
            help="indent `-` at least as deep as the key of its list",
        )
    column = f" (here {context_at[1]})" if context_at else ""
    return _fault(
        source,
        at,
        "this line fits neither the lines above it nor those around them",
        others=others,
        help=f"keys of one mapping, and dashes of one list, begin in the same column{column}",
    )


def _no_close(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    start = context_at or at
    open_ = source.line(start[0])[start[1] - 1 : start[1]]
    close = {"[": "]", "{": "}"}.get(open_, "")
    if not close:
        return _no_key(source, at, context, context_at)
    others = (Label(span=_span(source, at), text="here at the latest"),) if at != start else ()
    return _fault(source, start, f"`{open_}` is not closed by `{close}`, or a `,` is missing", others=others)


def _no_value(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    char = source.line(at[0])[at[1] - 1 : at[1]]
    if not char.strip():
        return _fault(source, at, "the file ends inside `[...]` or `{...}`", help="close every bracket")
    return _not_a_start(source, at, context, context_at)


def _tight_colon(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    return _fault(source, at, "a `:` must be followed by a space here", help="write `key: value`")


def _astray(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    return _fault(
        source,
        at,
        "this stands outside of everything above it",
        help="a file is one mapping: its keys begin in the first column as `key: value`",
    )


def _directive(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    return _fault(
        source,
        context_at or at,
        "a line that begins with `%` is a YAML directive, and this is none",
        help="take it out; a comment begins with `#`",
    )


def _tag(source: Source, at: Place, context: str, context_at: Place | None) -> Diagnostic:
    return _not_a_start(source, context_at or at, context, context_at)


# Words of libyaml and of PyYAML's own parser; the first that fits.
_EXPLANATIONS = (
    ("mapping values are not allowed", _colon),
    ("entries are not allowed", _list_on_key_line),
    ("mapping keys are not allowed", _not_a_start),
    ("cannot start any token", _not_a_start),
    ("alphabetic or numeric character", _word_after_mark),
    ("comment or line break", _block_header),
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
    ("tag", _tag),
    ("expected key", _no_key),
    ("'-' indicator", _no_key),
    ("<block end>", _no_key),
)


# --- reading one line ---


def _fault(
    source: Source,
    at: Place,
    headline: str,
    *,
    help: str = "",  # noqa: A002
    notes: tuple[str, ...] = (),
    others: tuple[Label, ...] = (),
) -> Diagnostic:
    return Diagnostic(
        code="yaml-syntax", headline=headline, span=_span(source, at), help=help, notes=notes, others=others
    )


def _span(source: Source, at: Place) -> Span:
    return Span(source=source, line=at[0], column=at[1], end_line=at[0], end_column=at[1] + 1)


def _value(line: str) -> str:
    match = _LINE.fullmatch(line) if len(line) <= _LONGEST_LINE else None
    return match["value"] if match else line.strip()


def _meant(value: str) -> str:
    """The text inside a value whose quotes are those of an attempt to quote it."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    first = _QUOTED_FIRST.match(value)
    if first and _TEMPLATE.match(first[1], 1):
        return first[1][1:-1] + value[first.end(1) :]
    return value


def _template_column(line: str, *, flow: bool) -> int:
    """The column from which an unquoted template makes the line unreadable, 0 if none does."""
    match = _LINE.fullmatch(line) if len(line) <= _LONGEST_LINE else None
    if match is None:
        return 0
    if _TEMPLATE.match(match["value"]):
        return match.start("value") + 1
    if flow or match["value"][0] in "[{":
        found = _FLOW_TEMPLATE.search(line)
        return line.index("{{", found.start()) + 1 if found else 0
    return 0


def _as_block(line: str) -> str:
    match = _LINE.fullmatch(line) if len(line) <= _LONGEST_LINE else None
    key = (match["key"] or "").strip() if match else ""
    return (
        f"quote the whole text, or write `{key} |` and the text on the lines below, indented"
        if key
        else "quote the whole text"
    )


def _goes_on(source: Source, line: int) -> bool:
    """Whether the next written line is indented deeper than this line's key: the value has more lines."""
    match = re.match(r"\s*(?:-\s+)*", source.line(line))
    assert match is not None
    following = next((n for n in range(line + 1, line + 20) if source.line(n).strip()), 0)
    return following > 0 and _indentation(source.line(following)) > match.end()


def _line_above(source: Source, line: int) -> int:
    return next((n for n in range(line - 1, 0, -1) if source.line(n).strip()), 0)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _tail(text: str) -> str:
    return text[len(text.rstrip()) :]
