"""Diagnostics as text, one line each, JSON or GitHub annotations: four views of the same values.

Every view shows diagnostics in file order, those of one group once, foreign words cleaned; no line begins with foreign
text. Each is "" or ends with a line break.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from runner.core.diagnostics import Diagnostic, Severity, Span, in_file_order
from runner.core.errors import Refused
from runner.screen import clean
from runner.screen.amounts import count
from runner.screen.colour import Style, paint
from runner.screen.snippet import snippet

SCHEMA = "shotrunner.diagnostics.v1"
_WIDTH = 120  # columns of a source line before it is cut around its caret
_MEMBERS = 5  # members of a group that are named
_FILES = 3  # files that the count line names

_STYLES = {Severity.ERROR: Style.ERROR, Severity.WARNING: Style.WARNING, Severity.NOTE: Style.NOTE}
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


class Format(StrEnum):
    """The values of `--format`."""

    TEXT = "text"
    CONCISE = "concise"
    JSON = "json"
    GITHUB = "github"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    """A diagnostic as shown: the first of its group, with the member of each."""

    first: Diagnostic
    members: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.first.notes, f"concerns {_named(self.members)}") if self.members else self.first.notes


def formatted(diagnostics: Iterable[Diagnostic], view: Format, *, colour: bool = False) -> str:
    """The diagnostics in one of the four views; only text has colour."""
    match view:
        case Format.TEXT:
            return text(diagnostics, colour)
        case Format.CONCISE:
            return concise(diagnostics)
        case Format.JSON:
            return as_json(diagnostics)
        case Format.GITHUB:
            return github(diagnostics)
    assert_never(view)


def text(diagnostics: Iterable[Diagnostic], colour: bool, width: int = _WIDTH) -> str:
    """For people: headline, source lines with carets, notes, help; at the end a line that counts.

    Source lines longer than `width` columns (20 or more) are cut around the caret.
    """
    faults = _faults(diagnostics)
    if not faults:
        return ""
    blocks = ["\n".join(_block(fault, colour, width)) for fault in faults]
    return "\n\n".join([*blocks, paint(_count_line(faults), Style.STRONG, colour=colour)]) + "\n"


def refusal(refused: Refused, colour: bool) -> str:
    """A command that stops before it spends anything, in the form of a diagnostic without code and place."""
    head = paint(Severity.ERROR, Style.ERROR, colour=colour)
    lines = [head + paint(f": {clean.words(refused.message)}", Style.STRONG, colour=colour)]
    return "\n".join(lines + _remarks(refused.notes, refused.help, colour=colour)) + "\n"


def concise(diagnostics: Iterable[Diagnostic]) -> str:
    """For editors and grep: `path:line:col: error[code]: headline`, one line each."""
    lines = []
    for fault in _faults(diagnostics):
        first = fault.first
        where = f"{place(first.span)}: " if first.span else ""
        members = f" ({_named(fault.members, 1)})" if fault.members else ""
        lines.append(f"{where}{first.severity}[{first.code}]: {clean.words(first.headline)}{members}\n")
    return "".join(lines)


def as_json(diagnostics: Iterable[Diagnostic]) -> str:
    """For programs: one JSON document in UTF-8; fields are only ever added to this schema.

    `schema`       "shotrunner.diagnostics.v1"
    `diagnostics`  each with `severity` (error warning note), `code`, `headline`, `place` or null, `label` (what stands
                   at the place, or ""), `others` (second places, each `place` and `label`), `notes`, `help` (or ""),
                   `members` (takes or rows that share the fault)
    `counts`       `error`, `warning`, `note`: how many of `diagnostics`

    A place is `path` (posix, from the project's root), `line`, `column`, `end_line`, `end_column`: from 1, in code
    points, the end behind the last character.
    """
    faults = _faults(diagnostics)
    document = {
        "schema": SCHEMA,
        "diagnostics": [
            {
                "severity": fault.first.severity.value,
                "code": fault.first.code,
                "headline": clean.words(fault.first.headline),
                "place": _json_place(fault.first.span) if fault.first.span else None,
                "label": clean.words(fault.first.label),
                "others": [
                    {"place": _json_place(other.span), "label": clean.words(other.text)} for other in fault.first.others
                ],
                "notes": [clean.words(note) for note in fault.first.notes],
                "help": clean.words(fault.first.help),
                "members": [clean.words(member) for member in fault.members],
            }
            for fault in faults
        ],
        "counts": _counts(faults),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """For GitHub Actions: one workflow command each, shown as an annotation at the line."""
    lines = []
    for fault in _faults(diagnostics):
        first = fault.first
        properties = {**(_github_place(first.span) if first.span else {}), "title": first.code}
        listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
        message = _message("\n".join([clean.words(first.headline), *_remarks(fault.notes, first.help, colour=False)]))
        lines.append(f"::{_GITHUB[first.severity]} {listed}::{message}\n")
    return "".join(lines)


def _faults(diagnostics: Iterable[Diagnostic]) -> tuple[_Fault, ...]:
    """In file order, each group at the place of its first; an error never hides behind a warning of its group."""
    groups: dict[object, list[Diagnostic]] = {}
    for number, diagnostic in enumerate(in_file_order(diagnostics)):
        key = (diagnostic.severity, diagnostic.code, diagnostic.group) if diagnostic.group else number
        groups.setdefault(key, []).append(diagnostic)
    return tuple(
        _Fault(first=group[0], members=tuple(dict.fromkeys(d.member for d in group if d.group and d.member)))
        for group in groups.values()
    )


def _block(fault: _Fault, colour: bool, width: int) -> list[str]:
    first = fault.first
    style = _STYLES[first.severity]
    head = paint(f"{first.severity}[{first.code}]", style, colour=colour)
    lines = [head + paint(f": {clean.words(first.headline)}", Style.STRONG, colour=colour)]
    places = [(other.span, other.text, ":::", "-", Style.GUTTER) for other in first.others]
    if first.span:
        places.insert(0, (first.span, first.label, "-->", "^", style))
    digits = max((len(str(span.line)) for span, *_ in places), default=0)
    bar = paint(f"{'':{digits}} |", Style.GUTTER, colour=colour)
    for span, label, arrow, mark, underline in places:
        shown = snippet(span, width)
        lines.append(f"{'':{digits}}{paint(arrow, Style.GUTTER, colour=colour)} {place(span)}")
        lines.append(bar)
        lines.append(f"{paint(f'{span.line:{digits}} |', Style.GUTTER, colour=colour)} {shown.line}".rstrip())
        marks = f"{mark * shown.length} {clean.words(label)}".rstrip()
        lines.append(f"{bar} {'':{shown.indent}}{paint(marks, underline, colour=colour)}")
    return lines + _remarks(fault.notes, first.help, colour=colour)


def _remarks(notes: Iterable[str], help: str, *, colour: bool) -> list[str]:  # noqa: A002
    lines = [f"{paint('note:', Style.NOTE, colour=colour)} {clean.words(note)}" for note in notes]
    if help:
        lines.append(f"{paint('help:', Style.HELP, colour=colour)} {clean.words(help)}")
    return lines


def _named(members: Sequence[str], most: int = _MEMBERS) -> str:
    """`a, b and c`, or `a, b and 37 more`."""
    named = [clean.words(member) for member in members[:most]]
    rest = len(members) - len(named)
    parts = [*named, f"{rest} more"] if rest else named
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _counts(faults: Sequence[_Fault]) -> dict[str, int]:
    counter = Counter(fault.first.severity for fault in faults)
    return {severity.value: counter[severity] for severity in Severity}


def _count_line(faults: Sequence[_Fault]) -> str:
    """`2 errors, 1 warning in film.yaml`."""
    counted = ", ".join(count(n, name) for name, n in _counts(faults).items() if n)
    files = list(dict.fromkeys(fault.first.span.source.name for fault in faults if fault.first.span))
    if not files:
        return counted
    return f"{counted} in {_named(files) if len(files) <= _FILES else f'{len(files)} files'}"


def place(span: Span) -> str:
    """`film.yaml:5:15`; a name that could be taken for a command at the start of a line gets `./` before it."""
    name = clean.words(span.source.name)
    safe = re.match(r"[\w./~<-]", name)
    return f"{'' if safe else './'}{name}:{span.line}:{span.column}"


def _json_place(span: Span) -> dict[str, object]:
    return {
        "path": clean.words(span.source.path),
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _github_place(span: Span) -> dict[str, object]:
    """Lines inclusive; GitHub refuses columns of a span over several lines."""
    file = clean.words(span.source.path)
    if span.line == span.end_line:
        columns = {"col": span.column, "endLine": span.end_line, "endColumn": span.end_column}
        return {"file": file, "line": span.line, **columns}
    return {"file": file, "line": span.line, "endLine": span.end_line - (span.end_column == 1)}


def _message(message: str) -> str:
    """Escaped for the message of a workflow command."""
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    """Escaped for a property of a workflow command."""
    return _message(value).replace(":", "%3A").replace(",", "%2C")
