"""`for_each`: which table, which of its rows, and the id each row gives its variant."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from runner.core.diagnostics import Diagnostic, Label, Rejected, Source, Span
from runner.language import fields, paths, tables
from runner.language.bounds import kind_of
from runner.language.faults import Faults, suggested
from runner.language.node import Node, Scalar
from runner.language.tables import Row, Table
from runner.language.template import Templates

_KEYS = ("file", "id", "where", "delimiter")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForEach:
    """A shot's `for_each`: `path` from the project's root, `column` the one that holds the rows' ids."""

    path: str
    span: Span
    column: str
    column_span: Span
    delimiter: str
    where: Scalar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The rows a shot is unfolded over, by their ids, in the table's order."""

    source: Source
    rows: Mapping[str, Row]


def read_for_each(at: Node, faults: Faults) -> ForEach | None:
    if isinstance(at, Scalar):
        path = _path(at, "`for_each`", faults)
        return (
            ForEach(path=path, span=at.span, column="id", column_span=at.span, delimiter=",", where=None)
            if path
            else None
        )
    before = len(faults.found)
    tree = fields.mapping(at, "`for_each`", faults, takes="a table's path, or `{file: ..., id: ...}`")
    if tree is None:
        return None
    fields.known_keys(tree, _KEYS, faults, of="`for_each`")
    file, column, where, delimiter = (tree.get(key) for key in _KEYS)
    if file is None:
        fields.missing(tree, "file", faults, of="`for_each`", help="write the table's path: `file: products.csv`")
    path = _path(file, "`file` of `for_each`", faults) if file else None
    named = fields.fixed_text(column, "`id` of `for_each`", faults, takes="a column's name") if column else "id"
    if where is not None and fields.fixed_text(where, "`where`", faults, takes="an expression over `row`") is None:
        where = None
    mark = _delimiter(delimiter, path, faults) if delimiter else ","
    if len(faults.found) > before or not (path and file and named and mark):
        return None
    return ForEach(
        path=path,
        span=file.span,
        column=named,
        column_span=(column or file).span,
        delimiter=mark,
        where=where if isinstance(where, Scalar) else None,
    )


def _path(at: Node, named: str, faults: Faults) -> str | None:
    written = fields.fixed_text(at, named, faults, takes="a table's path")
    path = paths.resolved(written, at.span, faults) if written is not None else None
    if path is not None and tables.suffix(path) not in tables.SUFFIXES:
        faults.add(
            "unknown-kind",
            f"`{path}` is no table by its suffix",
            at.span,
            help=f"tables are {', '.join(tables.SUFFIXES)}",
        )
        return None
    return path


def _delimiter(at: Node, path: str | None, faults: Faults) -> str | None:
    if isinstance(at, Scalar) and isinstance(at.value, str) and len(at.value) == 1 and at.value not in '"\r\n':
        if path is None or tables.suffix(path) == ".csv":
            return at.value
        faults.add("misplaced-key", "only CSV has a delimiter", at.span, help="take the line out")
    elif isinstance(at, Scalar) and isinstance(at.value, str):
        faults.add(
            "bad-value",
            f"`delimiter` is {fields.shown(at)}; it is one character",
            at.span,
            help='for example `";"`, or `"\\t"` for a tab',
        )
    else:
        fields.text(at, "`delimiter`", faults, takes="one character")
    return None


class Tables:
    """Reads each table once, however many shots are unfolded over it."""

    def __init__(self, read: paths.Read, templates: Templates, faults: Faults) -> None:
        self._read, self._templates, self._faults = read, templates, faults
        self._tables: dict[tuple[str, str], Table | None] = {}
        self._identified: dict[tuple[str, str, str], Chosen | None] = {}

    def chosen(self, for_each: ForEach, shot: str) -> Chosen | None:
        """The rows that `for_each` keeps; None after reporting why there are none to trust."""
        key = (for_each.path, for_each.delimiter, for_each.column)
        if key not in self._identified:
            table = self._table(for_each)
            self._identified[key] = _identified(table, for_each, self._faults) if table else None
        chosen = self._identified[key]
        if chosen is None or for_each.where is None:
            return chosen
        kept = self._kept(chosen, for_each.where, shot)
        if kept is not None and not kept:
            self._faults.add("empty-table", f"`where` keeps none of {len(chosen.rows):,} rows", for_each.where.span)
        return Chosen(source=chosen.source, rows=kept) if kept else None

    def _table(self, for_each: ForEach) -> Table | None:
        key = (for_each.path, for_each.delimiter)
        if key not in self._tables:
            source = paths.opened(for_each.path, for_each.span, self._read, self._faults)
            try:
                self._tables[key] = tables.read_table(source, for_each.delimiter) if source else None
            except Rejected as rejected:
                self._faults.extend(rejected.diagnostics)
                self._tables[key] = None
        return self._tables[key]

    def _kept(self, chosen: Chosen, where: Scalar, shot: str) -> dict[str, Row] | None:
        """The rows for which `where` is true; a row for which it is neither true nor false is reported."""
        written = f"{{{{ {where.text} }}}}"
        expression = replace(where, text=written, value=written)
        before = len(self._faults.found)
        kept = {}
        for name, row in chosen.rows.items():
            faults = Faults()
            if self._holds(expression, row, f"`where` of shot `{shot}`", faults):
                kept[name] = row
            self._faults.extend(in_row(fault, chosen.source, name, row) for fault in faults.found)
            if len(self._faults.found) > before + tables.MOST_FAULTS:
                break
        return kept if len(self._faults.found) == before else None

    def _holds(self, expression: Scalar, row: Row, named: str, faults: Faults) -> bool:
        try:
            verdict = self._templates.value(expression, {"row": row.cells}, named)
        except Rejected as rejected:
            columns = re.findall(r"\brow\.([A-Za-z_]\w*)", expression.text)
            texts = [name for name in columns if isinstance(row.cells.get(name), tables.Untyped)]
            for fault in rejected.diagnostics:
                cast = texts and fault.code == "template-value"
                advice = f"cells of a CSV table are text: `row.{texts[0]} | int` makes a number" if cast else fault.help
                faults.extend([replace(fault, help=advice)])
            return False
        if not isinstance(verdict, bool):
            faults.add(
                "bad-type",
                f"`where` gives {kind_of(verdict)}; it gives true or false",
                expression.span,
                help="compare: `row.stock | int > 0`",
            )
        return verdict is True


def in_row(fault: Diagnostic, source: Source, name: str, row: Row) -> Diagnostic:
    """The fault as one of this row; equal ones of other rows are shown with it."""
    label = Label(span=tables.line_span(source, row.line), text=f"in row `{name}`")
    return replace(
        fault, others=(*fault.others, label), group=f"{source.path} {fault.span}", member=f"row {row.number}"
    )


def _identified(table: Table, for_each: ForEach, faults: Faults) -> Chosen | None:
    before = len(faults.found)
    column, name = for_each.column, table.source.path
    if not table.rows:
        faults.add("empty-table", f"`{name}` has no rows", for_each.span, help="a table without rows makes no shot")
        return None
    if column not in table.columns:
        faults.add(
            "missing-column",
            f"`{name}` has no column `{fields.clipped(column)}`",
            for_each.column_span,
            help=_column_help(table, column),
        )
        return None
    chosen: dict[str, Row] = {}
    taken: dict[str, Row] = {}
    for row in table.rows:
        own = row.cells.get(column)
        text = str(own) if isinstance(own, int) and not isinstance(own, bool) else own
        if not isinstance(text, str) or not fields.ID.fullmatch(text):
            written = f"the id `{fields.clipped(str(own))}`" if own not in (None, "") else "no id"
            _row_fault(
                "bad-id",
                f"row {row.number} has {written} in column `{column}`; an id is made of {fields.ID_RULE}",
                table,
                row,
                faults,
            )
        elif (first := taken.setdefault(text.casefold(), row)) is not row:
            _row_fault(
                "duplicate-id",
                f"the id `{text}` of row {row.number} is taken; ids are unique without regard to case",
                table,
                row,
                faults,
                first=first,
            )
        else:
            chosen[text] = row
        if len(faults.found) > before + tables.MOST_FAULTS:
            break
    return Chosen(source=table.source, rows=chosen) if len(faults.found) == before else None


def _row_fault(code: str, headline: str, table: Table, row: Row, faults: Faults, *, first: Row | None = None) -> None:
    others = (Label(span=tables.line_span(table.source, first.line), text="first here"),) if first else ()
    faults.add(code, headline, tables.line_span(table.source, row.line), others=others)
    faults.found[-1] = replace(faults.found[-1], group=f"{table.source.path} ids", member=f"row {row.number}")


def _column_help(table: Table, column: str) -> str:
    only = table.columns[0]
    mark = next((mark for mark in ";\t|" if mark in only), None) if len(table.columns) == 1 else None
    if mark:
        return f"its header is one column with `{mark}` in it: `{{file: ..., delimiter: {json.dumps(mark)}}}`"
    listed = suggested(column, table.columns, words=f"columns of `{table.source.path}`")
    return listed if column != "id" else f"say which column tells the rows apart: `{{file: ..., id: {only}}}`; {listed}"
