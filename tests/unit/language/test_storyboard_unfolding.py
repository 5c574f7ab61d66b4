"""Matrix, tables and takes: which variants there are, what they are called, and how many may be."""

import pytest
from boards import HEAD, codes, load, places, shot, takes_of

from runner.language import tables

PRODUCTS = "id,name,n\nSKU-1,Lamp,7\nSKU-2,Chair,12\n"


def test_rows_stand_outside_the_matrix_inside_and_takes_innermost() -> None:
    words = "for_each: t.csv\nmatrix: {time: {dawn: x, dusk: y}, light: [low]}\ntakes: 2"
    assert takes_of(shot(words), {"t.csv": "id\nR1\nR2\n"}) == [
        f"a@{row}+{time}+low.{number}" for row in ("R1", "R2") for time in ("dawn", "dusk") for number in (1, 2)
    ]


def test_a_template_sees_the_axis_value_and_a_list_labels_itself() -> None:
    board = load(shot("prompt: '{{ time }} {{ n }}'\nmatrix: {time: {dawn: at dawn in fog}, n: [5, ten, true]}"))
    assert [(take.variant, take.texts["prompt"].value) for take in board.takes] == [
        ("a@dawn+5", "at dawn in fog 5"), ("a@dawn+ten", "at dawn in fog ten"), ("a@dawn+true", "at dawn in fog true"),
    ]  # fmt: skip


def test_a_label_may_stand_for_any_plain_value() -> None:
    board = load(
        shot(
            "matrix: {look: {warm: {style: amber, degrees: [1, 2]}}}\nprompt: '{{ look.style }} {{ look.degrees[1] }}'"
        )
    )
    assert [take.texts["prompt"].value for take in board.takes] == ["amber 2"]


@pytest.mark.parametrize(
    ("matrix", "code"),
    [
        ("{}", "no-value"),
        ("[time]", "bad-type"),
        ("{time: {}}", "no-value"),
        ("{time: []}", "no-value"),
        ("{time: dawn}", "bad-type"),
        ("{time: [at dawn]}", "bad-id"),
        ("{time: [0.5]}", "bad-id"),
        ("{time: [{a: 1}]}", "bad-type"),
        ("{time: [null]}", "no-value"),
        ("{time: {at dawn: x}}", "bad-id"),
        ("{time: {dawn: null}}", "no-value"),
        ("{time: {dawn: '{{ x }}'}}", "misplaced-template"),
        ("{time: {dawn: 1, Dawn: 2}}", "duplicate-id"),
        ("{time: [dawn, DAWN]}", "duplicate-id"),
        ("{time: [5, '5']}", "duplicate-id"),
        ("{my-time: [dawn]}", "bad-name"),
        ("{true: [dawn]}", "bad-name"),
        ("{_time: [dawn]}", "bad-name"),
    ],
)
def test_a_faulty_axis_is_reported_once(matrix: str, code: str) -> None:
    assert codes(load(shot(f"matrix: {matrix}"))) == [code]


def test_a_value_that_is_no_label_is_shown_the_mapping_that_gives_it_one() -> None:
    (fault,) = load(shot("matrix: {time: [at dawn]}")).diagnostics
    assert "{label: at dawn}" in fault.help


def test_a_repeated_alias_in_an_axis_is_a_repeated_label() -> None:
    assert codes(load(shot("matrix: {time: [&t dawn, *t]}"))) == ["duplicate-id"]


def test_a_table_is_one_variant_a_row_and_a_cell_is_text() -> None:
    board = load(shot("for_each: t.csv\nprompt: '{{ row.name }}, {{ row.n }}'"), {"t.csv": PRODUCTS})
    assert [(take.id, take.texts["prompt"].value) for take in board.takes] == [
        ("a@SKU-1.1", "Lamp, 7"),
        ("a@SKU-2.1", "Chair, 12"),
    ]
    assert [source.path for source in board.sources] == ["film.yaml", "t.csv"]


def test_a_table_stands_beside_the_file_that_names_it() -> None:
    board = load(shot("for_each: ../tables/t.csv"), {"films/tables/t.csv": PRODUCTS}, path="films/one/film.yaml")
    assert [take.id for take in board.takes] == ["a@SKU-1.1", "a@SKU-2.1"]


def test_the_id_column_delimiter_and_rows_can_be_said() -> None:
    words = 'for_each: {file: t.csv, id: sku, delimiter: ";", where: "row.n | int > 10"}'
    assert takes_of(shot(words), {"t.csv": "sku;n\nA;7\nB;12\nC;30\n"}) == ["a@B.1", "a@C.1"]


def test_json_lines_and_yaml_are_tables_too_and_keep_types() -> None:
    words = "for_each: {file: t.%s, where: row.n > 10}\nparams: {duration: '{{ row.n }}'}"
    lines = '{"id": 1, "n": 7}\n{"id": 2, "n": 12}\n'
    for kind, text in (("jsonl", lines), ("yaml", "- {id: 1, n: 7}\n- {id: 2, n: 12}\n")):
        board = load(shot(words % kind), {f"t.{kind}": text})
        assert [(take.id, take.params["duration"].value) for take in board.takes] == [("a@2.1", 12)]


@pytest.mark.parametrize("where", ["row.n > 10", "row.n == 7", "7 == row.n", "row.n in [7, 12]"])
def test_text_is_not_compared_with_numbers_and_the_help_says_how(where: str) -> None:
    board = load(shot(f'for_each: {{file: t.csv, where: "{where}"}}'), {"t.csv": PRODUCTS})
    assert board.takes == ()
    assert len({(fault.code, fault.group) for fault in board.diagnostics}) == 1
    assert "row.n | int" in board.diagnostics[0].help
    assert [fault.member for fault in board.diagnostics] == ["row 1", "row 2"]


@pytest.mark.parametrize(
    "where", ["row.name == 'Lamp'", "row['name'] == 'Lamp'", "row.n | int < 10", "row.name in ['Lamp']"]
)
def test_where_keeps_the_rows_it_is_true_of(where: str) -> None:
    assert takes_of(shot(f'for_each: {{file: t.csv, where: "{where}"}}'), {"t.csv": PRODUCTS}) == ["a@SKU-1.1"]


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("row.name", "bad-type"),
        ("1", "bad-type"),
        ("'{{ row.n }}'", "misplaced-template"),
        ("row.name == 'Table'", "empty-table"),
        ("''", "no-value"),
    ],
)
def test_a_where_that_is_no_condition_is_refused(where: str, code: str) -> None:
    assert set(codes(load(shot(f"for_each: {{file: t.csv, where: {where}}}"), {"t.csv": PRODUCTS}))) == {code}


@pytest.mark.parametrize(
    ("for_each", "text", "code"),
    [
        ("t.csv", None, "missing-file"),
        ("t.txt", "id\nA\n", "unknown-kind"),
        ("../t.csv", "id\nA\n", "bad-path"),
        ("/t.csv", "id\nA\n", "bad-path"),
        (".env.csv", "id\nA\n", "bad-path"),
        ("{file: t.csv, ids: sku}", "id\nA\n", "unknown-key"),
        ("{id: sku}", None, "missing-key"),
        ("{file: t.csv, delimiter: ab}", "id\nA\n", "bad-value"),
        ("{file: t.csv, delimiter: 7}", "id\nA\n", "bad-type"),
        ("{file: t.csv, delimiter: '\"'}", "id\nA\n", "bad-value"),
        ("[t.csv]", "id\nA\n", "bad-type"),
        ("t.csv", "sku\nA\n", "missing-column"),
        ("t.csv", "id;n\nA;1\n", "missing-column"),
        ("t.csv", "id\n", "empty-table"),
        ("t.csv", "", "bad-table"),
        ("t.csv", "id\na b\n", "bad-id"),
        ("t.csv", 'id,n\n"",1\n', "bad-id"),
        ("t.csv", "id\nA\na\n", "duplicate-id"),
        ("t.csv", "id,n\nA\n", "bad-table"),
    ],
)
def test_a_faulty_table_is_reported_once_and_makes_no_take(for_each: str, text: str | None, code: str) -> None:
    board = load(
        shot(f"for_each: {for_each}"), {} if text is None else {"t.csv": text, "t.txt": text, ".env.csv": text}
    )
    assert codes(board) == [code]
    assert board.takes == ()


def test_a_delimiter_is_for_csv() -> None:
    assert codes(load(shot('for_each: {file: t.jsonl, delimiter: ";"}'), {"t.jsonl": '{"id": 1}\n'})) == [
        "misplaced-key"
    ]


def test_a_header_in_one_piece_is_shown_its_delimiter() -> None:
    (fault,) = load(shot("for_each: t.csv"), {"t.csv": "id;n\nA;1\n"}).diagnostics
    assert 'delimiter: ";"' in fault.help


def test_a_row_of_a_fault_is_shown_with_its_line_in_the_table() -> None:
    board = load(shot("for_each: t.csv"), {"t.csv": 'id,n\n"A",1\nB,2\nb,3\n'})
    assert places(board) == [("duplicate-id", 4, 1)]
    assert board.diagnostics[0].others[0].span.line == 3


def test_one_faulty_table_of_many_shots_is_reported_once() -> None:
    text = f"{HEAD}shots:\n" + "".join(f"  - {{id: s{n}, prompt: x, for_each: t.csv}}\n" for n in range(3))
    assert codes(load(text, {"t.csv": "id\na b\n"})) == ["bad-id"]


def test_one_faulty_table_read_by_two_id_columns_is_reported_once() -> None:
    text = f"{HEAD}shots:\n" + "".join(
        f"  - {{id: s{n}, prompt: x, for_each: {{file: t.csv, id: {column}}}}}\n"
        for n, column in enumerate(("id", "n"))
    )
    assert codes(load(text, {"t.csv": "id,n\nA\n"})) == ["bad-table"]


def test_equal_faults_of_a_table_are_one_group_that_names_rows_and_lines() -> None:
    board = load(shot("for_each: t.csv\nprompt: '{{ row.nme }}'"), {"t.csv": PRODUCTS})
    assert len({(fault.code, fault.group) for fault in board.diagnostics}) == 1
    assert [fault.member for fault in board.diagnostics] == ["a@SKU-1", "a@SKU-2"]
    assert [fault.others[-1].span.line for fault in board.diagnostics] == [2, 3]


def test_a_faulty_row_leaves_the_other_variants_whole() -> None:
    board = load(shot("for_each: t.csv\ntrim: {in: '{{ row.n | int }}', out: 10}"), {"t.csv": PRODUCTS})
    assert codes(board) == ["bad-value"]
    assert [take.id for take in board.takes] == ["a@SKU-1.1"]


@pytest.mark.parametrize("place", ["head", "vars", "matrix", "option"])
def test_row_is_the_tables_row_and_nothing_else(place: str) -> None:
    head = f"{HEAD}vars: {{row: x}}\n" if place == "head" else HEAD
    words = {"vars": "vars: {row: x}\n", "matrix": "matrix: {row: [x]}\n"}.get(place, "") + "for_each: t.csv"
    options = {"row": "x"} if place == "option" else {}
    assert codes(load(shot(words, head), {"t.csv": PRODUCTS}, **options)) == ["reserved-name"]


def test_row_is_a_name_like_others_without_a_table() -> None:
    assert takes_of(shot("vars: {row: x}\nprompt: '{{ row }}'")) == ["a.1"]


def test_takes_are_counted_before_they_are_made() -> None:
    axes = ", ".join(f"x{n}: [{', '.join(f'v{v}' for v in range(100))}]" for n in range(20))
    board = load(shot(f"matrix: {{{axes}}}"))
    assert codes(board) == ["too-many"]
    assert board.takes == ()
    assert len(takes_of(shot("matrix: {x: [a, b]}\ntakes: 50"))) == 100


def test_many_shots_together_are_bounded_and_the_largest_is_shown() -> None:
    text = f"{HEAD}shots:\n" + "".join(f"  - {{id: s{n}, prompt: x, takes: {40000 + n}}}\n" for n in range(3))
    board = load(text)
    assert places(board) == [("too-many", 6, 10)]
    assert "120,003" in board.diagnostics[0].headline


def test_a_table_of_too_many_rows_makes_no_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 1)
    assert codes(load(shot("for_each: t.csv"), {"t.csv": PRODUCTS})) == ["too-many"]
