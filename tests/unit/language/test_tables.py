import csv
import io
import json
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.diagnostics import Diagnostic, Rejected, Source
from runner.language import tables
from runner.language.tables import Table


def table(text: str, path: str = "t.csv", delimiter: str = ",") -> Table:
    return tables.read_table(Source(path=path, name=path, text=text), delimiter)


def cells(text: str, path: str = "t.csv", delimiter: str = ",") -> list[object]:
    return [row.cells for row in table(text, path, delimiter).rows]


def faults(text: str, path: str = "t.csv", delimiter: str = ",") -> tuple[Diagnostic, ...]:
    with pytest.raises(Rejected) as rejected:
        table(text, path, delimiter)
    return rejected.value.diagnostics


def line(fault: Diagnostic) -> int:
    assert fault.span is not None
    return fault.span.line


def test_cells_of_csv_are_text_and_keep_their_spaces() -> None:
    assert cells("id, n\nA-1, 7\nA-2,true\n") == [{"id": "A-1", "n": " 7"}, {"id": "A-2", "n": "true"}]


def test_a_byte_order_mark_blank_lines_and_carriage_returns_are_no_content() -> None:
    assert cells("\ufeffid,n\r\n\r\nA,1\r\n\r\n") == [{"id": "A", "n": "1"}]


def test_a_quoted_cell_holds_line_breaks_and_delimiters_and_lines_are_still_counted() -> None:
    found = table('id;n\nA;"one; two\nthree"\nB;"say ""no"""\n', delimiter=";")
    assert [(row.number, row.line, row.cells["n"]) for row in found.rows] == [
        (1, 2, "one; two\nthree"),
        (2, 4, 'say "no"'),
    ]


def test_lines_of_an_old_machine_are_lines() -> None:
    found = table("id,n\rA,1\rB,2\r")
    assert [(row.line, row.cells["n"], found.source.line(row.line)) for row in found.rows] == [
        (2, "1", "A,1"),
        (3, "2", "B,2"),
    ]


@pytest.mark.parametrize("number", [7, 7.0, True])
def test_a_cell_is_never_quietly_unequal_to_a_number(number: float) -> None:
    cell = table("id\n7\n").rows[0].cells["id"]
    for compare in (operator.eq, operator.ne):
        for pair in ((cell, number), (number, cell)):
            with pytest.raises(TypeError):
                compare(*pair)
    assert cell == "7"
    assert cell != "8"
    assert {cell: 1} == {"7": 1}


@pytest.mark.parametrize(
    ("header", "words"),
    [("id,,n", "column 2"), ("id,n,id", "`id` twice"), ("id, id", "`id` twice"), ("", "empty")],
)
def test_a_header_names_each_column_once(header: str, words: str) -> None:
    (fault,) = faults(f"{header}\nA,B,C\n" if header else "")
    assert words in fault.headline
    assert line(fault) == 1


def test_a_row_too_short_or_too_long_is_named_with_its_number_and_line() -> None:
    short, long = faults('id,n\n"A\nB",1\nC\nD,1,2\n')
    assert (short.headline, line(short), short.member) == ("row 2 has 1 cell, the header 2", 4, "row 2")
    assert (long.headline, line(long), long.member) == ("row 3 has 3 cells, the header 2", 5, "row 3")


def test_equal_faults_of_many_rows_are_one_group_and_not_without_end() -> None:
    found = faults("id,n\n" + "A\n" * 5000)
    assert len({fault.group for fault in found}) == 1
    assert len(found) == tables.MOST_FAULTS


@pytest.mark.parametrize(("text", "at"), [('id,n\nA,"open\n', 2), ('id,n\nA,1\nB,"x"y\n', 3)])
def test_csv_that_is_none_is_refused_where_it_breaks(text: str, at: int) -> None:
    (fault,) = faults(text)
    assert (fault.code, line(fault)) == ("bad-table", at)


def test_a_cell_larger_than_csv_allows_is_a_fault_and_no_crash() -> None:
    assert [fault.code for fault in faults("id,n\nA," + "x" * 200_000 + "\n")] == ["bad-table"]


def test_json_lines_keep_their_types_and_columns_in_order_of_use() -> None:
    found = table('{"id": "A", "n": 7}\n\n{"id": "B", "tags": ["x"], "n": null}\n', "t.jsonl")
    assert [row.cells for row in found.rows] == [{"id": "A", "n": 7}, {"id": "B", "tags": ["x"], "n": None}]
    assert found.columns == ("id", "n", "tags")
    assert [(row.number, row.line) for row in found.rows] == [(1, 1), (2, 3)]


@pytest.mark.parametrize(
    "text",
    [
        "{", "[1]", "7", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}', '{"a": "\\ud800"}', '{"a": ["\\uDFFF"]}',
        '{"a": ' + "[" * 100 + "]" * 100 + "}", "[" * 100_000, '{"a": ' + "9" * 5000 + "}", '{"a": {"b": 1, "b": 2}}',
    ],
)  # fmt: skip
def test_a_line_that_is_no_json_object_is_refused_with_its_row(text: str) -> None:
    (fault,) = faults('{"id": "A"}\n' + text + "\n", "t.jsonl")
    assert (fault.code, line(fault), fault.member) == ("bad-table", 2, "row 2")


def test_a_yaml_table_is_a_list_of_mappings() -> None:
    found = table("- {id: A, n: 7}\n- id: B\n  n: 16:9\n", "t.yaml")
    assert [row.cells for row in found.rows] == [{"id": "A", "n": 7}, {"id": "B", "n": "16:9"}]
    assert [row.line for row in found.rows] == [1, 2]
    assert [line(fault) for fault in faults("- {id: A}\n- B\n", "t.yml")] == [2]
    assert [fault.code for fault in faults("id: A\n", "t.yaml")] == ["bad-table"]
    assert [fault.code for fault in faults("- [\n", "t.yaml")] == ["yaml-syntax"]


def test_a_table_ends_at_a_million_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 3)
    assert len(table("id\n" + "A\n" * 3).rows) == 3
    for text, path in (("id\n" + "A\n" * 4, "t.csv"), ("{}\n" * 4, "t.jsonl"), ("- {}\n" * 4, "t.yaml")):
        assert [fault.code for fault in faults(text, path)] == ["too-many"]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(rows=st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=5), delimiter=st.sampled_from(",;\t|"))
def test_whatever_csv_writes_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["id", "n"], *rows])
    assert [list(row.cells.values()) for row in table(written.getvalue(), delimiter=delimiter).rows] == rows


@given(text=st.text(max_size=60), path=st.sampled_from(["t.csv", "t.jsonl", "t.yaml"]))
def test_any_text_is_a_table_or_our_fault(text: str, path: str) -> None:
    try:
        found = table(text, path)
    except Rejected as rejected:
        assert rejected.diagnostics
    else:
        assert json.dumps([row.cells for row in found.rows], allow_nan=False)
