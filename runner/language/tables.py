"""Tables: CSV, JSON lines or a YAML list, read into rows for `for_each`. Which rows are used is decided in `rows`."""

import csv
import io
import json
import math
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from runner.core.diagnostics import Rejected, Source, Span
from runner.language import node
from runner.language.document import parse
from runner.language.faults import Faults
from runner.language.node import plain

MOST_ROWS = 1_000_000

# One broken export has a fault in every row: it is shown once with its rows, and these are enough to name.
MOST_FAULTS = 1000
_MOST_LEVELS = 64


class Untyped(str):
    """A text from where nothing but texts comes: a cell of CSV, a `--var`.

    `row.n == 7` would be false of each row and never say why: compared with a number it raises TypeError.
    """

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int | float):
            raise TypeError("a text is compared with a number")
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`number` counts from 1, the header not counted; `line` is where the row begins in the file."""

    number: int
    line: int
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`columns` are those of a CSV header, else the keys of all rows, in the order of their first use."""

    source: Source
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(source: Source, delimiter: str) -> Table:
    """All rows of a `.csv`, `.jsonl`, `.yaml` or `.yml` file; cells of CSV are text. `delimiter` is CSV's.

    Raises Rejected with every faulty row.
    """
    faults = Faults()
    table = _READERS[suffix(source.path)](source, delimiter, faults)
    if faults:
        raise Rejected(faults.found)
    return table


def suffix(path: str) -> str:
    return posixpath.splitext(path)[1].lower()


def line_span(source: Source, line: int) -> Span:
    text = source.line(line)
    first = len(text) - len(text.lstrip()) + 1
    return Span(source=source, line=line, column=first, end_line=line, end_column=max(first, len(text.rstrip())) + 1)


def _csv(source: Source, delimiter: str, faults: Faults) -> Table:
    records = _csv_records(source, delimiter, faults)
    header_line, header = next(records, (1, []))
    columns = tuple(name.strip() for name in header)
    if not _header_is_lawful(source, header_line, columns, faults):
        return Table(source=source, columns=(), rows=())
    rows = []
    for number, (line, cells) in enumerate(records, 1):
        if len(cells) == len(columns):
            rows.append(Row(number=number, line=line, cells=dict(zip(columns, map(Untyped, cells), strict=True))))
        else:
            named = f"{len(cells)} cell{'' if len(cells) == 1 else 's'}, the header {len(columns)}"
            _row_fault(
                source,
                number,
                line,
                f"has {named}",
                faults,
                help="a cell that holds the delimiter or a line break stands in double quotes",
            )
        if _ends(source, number, line, faults):
            break
    return Table(source=source, columns=columns, rows=tuple(rows))


def _csv_records(source: Source, delimiter: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    """(line where it begins, cells) of each record; blank lines are none."""
    # The csv module ends a line where `Source.line` does only if it gets them untranslated.
    reader = csv.reader(io.StringIO(source.text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.add(
                "bad-table",
                f"the record that begins here is not CSV: {error}",
                line_span(source, line),
                help="a double quote within a quoted cell is doubled",
            )
            return
        if cells:
            yield line, cells


def _header_is_lawful(source: Source, line: int, columns: tuple[str, ...], faults: Faults) -> bool:
    span = line_span(source, line)
    if not columns:
        if not faults:
            faults.add("bad-table", "the table is empty", span, help="its first line names the columns: `id,name`")
        return False
    if "" in columns:
        faults.add("bad-table", f"column {columns.index('') + 1} of the header has no name", span)
        return False
    doubled = _first_doubled(columns)
    if doubled is not None:
        faults.add("bad-table", f"the header names the column `{doubled}` twice", span)
    return doubled is None


def _jsonl(source: Source, delimiter: str, faults: Faults) -> Table:
    rows: list[Row] = []
    columns: dict[str, None] = {}
    number = 0
    for line, text in enumerate(re.split(r"\r\n|\r|\n", source.text.removeprefix("\ufeff")), 1):
        if not text.strip():
            continue
        number += 1
        try:
            cells = _decoded(text)
        except (ValueError, RecursionError) as error:
            reason = (
                error.msg
                if isinstance(error, json.JSONDecodeError)
                else "nested too deep"
                if isinstance(error, RecursionError)
                else str(error)
            )
            _row_fault(
                source, number, line, f"is not JSON: {reason}", faults, help='one object a line: `{"id": "A-1"}`'
            )
        else:
            _add(cells, number, line, source, rows, columns, faults)
        if _ends(source, number, line, faults):
            break
    return Table(source=source, columns=tuple(columns), rows=tuple(rows))


def _yaml(source: Source, delimiter: str, faults: Faults) -> Table:
    tree = parse(source)
    rows: list[Row] = []
    columns: dict[str, None] = {}
    if not isinstance(tree, node.Sequence):
        faults.add(
            "bad-table",
            "the table is not a list",
            line_span(source, tree.span.line),
            help="a YAML table is a list of mappings: `- {id: A-1, name: ...}`",
        )
        return Table(source=source, columns=(), rows=())
    for number, member in enumerate(tree.items, 1):
        _add(plain(member), number, member.span.line, source, rows, columns, faults)
        if _ends(source, number, member.span.line, faults):
            break
    return Table(source=source, columns=tuple(columns), rows=tuple(rows))


_READERS: dict[str, Callable[[Source, str, Faults], Table]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".yaml": _yaml,
    ".yml": _yaml,
}
SUFFIXES = tuple(_READERS)


def _add(
    cells: object, number: int, line: int, source: Source, rows: list[Row], columns: dict[str, None], faults: Faults
) -> None:
    if not isinstance(cells, dict):
        _row_fault(source, number, line, "is no mapping of columns to values", faults)
        return
    columns.update(dict.fromkeys(cells))
    rows.append(Row(number=number, line=line, cells=cells))


def _ends(source: Source, number: int, line: int, faults: Faults) -> bool:
    if number > MOST_ROWS:
        faults.add(
            "too-many",
            f"the table has more than {MOST_ROWS:,} rows",
            line_span(source, line),
            help="split it over several storyboards",
        )
        return True
    return len(faults.found) >= MOST_FAULTS


def _row_fault(source: Source, number: int, line: int, what: str, faults: Faults, *, help: str = "") -> None:  # noqa: A002
    """Equal faults of one table are one, with the rows that have it."""
    faults.add("bad-table", f"row {number} {what}", line_span(source, line), help=help)
    faults.found[-1] = replace(faults.found[-1], group=f"{source.path} {what}", member=f"row {number}")


def _first_doubled(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _decoded(text: str) -> object:
    """The JSON value of one line. Raises ValueError, with words for people, and RecursionError."""
    value = _JSON.decode(text)
    if text.count("[") + text.count("{") > _MOST_LEVELS:
        _check_levels(value)
    if "\\ud" in text.lower():
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("half of a surrogate pair") from error
    return value


def _check_levels(value: object) -> None:
    level = [value]
    for _ in range(_MOST_LEVELS):
        level = [
            part
            for one in level
            if isinstance(one, dict | list)
            for part in (one.values() if isinstance(one, dict) else one)
        ]
    if level:
        raise ValueError(f"nested deeper than {_MOST_LEVELS} levels")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    cells = dict(pairs)
    if len(cells) < len(pairs):
        raise ValueError(f"`{_first_doubled(name for name, _ in pairs)}` is written twice")
    return cells


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is too large")
    return value


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_number)
