import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.core.diagnostics import Diagnostic, Label, Severity, Source, Span
from runner.core.errors import Refused
from runner.screen.diagnostics import Format, as_json, concise, formatted, github, refusal, text

FILM = Source(
    path="films/film.yaml",
    name="film.yaml",
    text="\n".join(
        [
            *["storyboard: 1"] * 4,
            "    duration: 7",
            *["shots:"] * 9,
            "    model: wan2.5-text-to-video",
            "    prompt: |",
            "",
            "      Slowly, {{ heroe }} crosses the bridge.",
        ]
    ),
)


def span(line: int, column: int, end_column: int, end_line: int | None = None, source: Source = FILM) -> Span:
    return Span(source=source, line=line, column=column, end_line=end_line or line, end_column=end_column)


DURATION = Diagnostic(
    code="bad-value",
    headline="`duration` is 7; model `wan2.5-text-to-video` takes 5 or 10",
    span=span(5, 15, 16),
    label="this default",
    others=(Label(span=span(15, 12, 32), text="used with this model in shot `crossing`"),),
    notes=("schemas/models/wan2.5-text-to-video.schema.json#/properties/duration/enum",),
    help="set `params: {duration: 5}` in shot `crossing`, or change the default",
)
HEROE = Diagnostic(
    code="undefined-variable",
    headline="`heroe` is not defined for shot `crossing`",
    span=span(18, 18, 23),
    help="did you mean `hero`? In scope here: hero, city, weather",
)
PLAIN = Diagnostic(code="bad-value", headline="h")

HOUSE_FORM = """\
error[bad-value]: `duration` is 7; model `wan2.5-text-to-video` takes 5 or 10
  --> film.yaml:5:15
   |
 5 |     duration: 7
   |               ^ this default
  ::: film.yaml:15:12
   |
15 |     model: wan2.5-text-to-video
   |            -------------------- used with this model in shot `crossing`
note: schemas/models/wan2.5-text-to-video.schema.json#/properties/duration/enum
help: set `params: {duration: 5}` in shot `crossing`, or change the default

error[undefined-variable]: `heroe` is not defined for shot `crossing`
  --> film.yaml:18:18
   |
18 |       Slowly, {{ heroe }} crosses the bridge.
   |                  ^^^^^
help: did you mean `hero`? In scope here: hero, city, weather

2 errors in film.yaml
"""


def test_text_has_the_form_of_the_house_in_file_order() -> None:
    assert text([HEROE, DURATION], colour=False) == HOUSE_FORM


def test_colour_only_adds_colour() -> None:
    coloured = text([HEROE, DURATION], colour=True)
    assert "\x1b[1;31merror[bad-value]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == HOUSE_FORM


def test_the_gutter_is_as_wide_as_its_widest_line_number() -> None:
    assert text([replace(PLAIN, span=span(1, 1, 11))], colour=False) == (
        "error[bad-value]: h\n --> film.yaml:1:1\n  |\n1 | storyboard: 1\n  | ^^^^^^^^^^\n\n1 error in film.yaml\n"
    )


def test_an_empty_source_line_leaves_no_trailing_space() -> None:
    assert "\n17 |\n   | ^\n" in text([replace(PLAIN, span=span(17, 1, 1))], colour=False)


def test_a_fault_without_a_place_comes_first_and_has_no_snippet() -> None:
    shown = text([HEROE, replace(PLAIN, notes=("a", "b"), help="c")], colour=False)
    assert shown.startswith("error[bad-value]: h\nnote: a\nnote: b\nhelp: c\n\nerror[undefined-variable]")


def test_a_second_place_shows_its_own_file() -> None:
    table = Source(path="films/products.csv", name="products.csv", text="id,name\nSKU-1,Chair")
    other = Label(span=span(2, 1, 6, source=table), text="this row")
    assert text([replace(HEROE, others=(other,), help="")], colour=False) == (
        "error[undefined-variable]: `heroe` is not defined for shot `crossing`\n"
        "  --> film.yaml:18:18\n"
        "   |\n"
        "18 |       Slowly, {{ heroe }} crosses the bridge.\n"
        "   |                  ^^^^^\n"
        "  ::: products.csv:2:1\n"
        "   |\n"
        " 2 | SKU-1,Chair\n"
        "   | ----- this row\n"
        "\n"
        "1 error in film.yaml\n"
    )


def grouped(members: int, **fields: object) -> list[Diagnostic]:
    return [replace(PLAIN, group="g", member=f"SKU-{n}", **fields) for n in range(1, members + 1)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("members", "note"),
    [
        (1, "concerns SKU-1"),
        (2, "concerns SKU-1 and SKU-2"),
        (5, "concerns SKU-1, SKU-2, SKU-3, SKU-4 and SKU-5"),
        (6, "concerns SKU-1, SKU-2, SKU-3, SKU-4, SKU-5 and 1 more"),
        (42, "concerns SKU-1, SKU-2, SKU-3, SKU-4, SKU-5 and 37 more"),
    ],
)
def test_equal_faults_of_a_table_are_one_fault_with_its_rows(members: int, note: str) -> None:
    assert text(grouped(members), colour=False) == f"error[bad-value]: h\nnote: {note}\n\n1 error\n"


def test_a_group_stands_where_its_first_member_stands() -> None:
    later = [replace(d, span=span(18, n, n + 1)) for n, d in enumerate(grouped(3), start=3)]
    shown = concise([*reversed(later), DURATION])
    assert [line.split(": ")[0] for line in shown.splitlines()] == ["film.yaml:5:15", "film.yaml:18:3"]


def test_a_member_seen_twice_is_named_once() -> None:
    assert "concerns SKU-1 and SKU-2\n" in text(grouped(2) + grouped(2), colour=False)


def test_faults_without_a_group_are_never_joined() -> None:
    assert text([PLAIN, PLAIN], colour=False).endswith("\n2 errors\n")


def test_an_error_never_hides_behind_a_warning_of_its_group() -> None:
    shown = text(grouped(2, severity=Severity.WARNING) + grouped(2), colour=False)
    assert shown.endswith("\n1 error, 1 warning\n")


def test_the_count_names_severities_that_occur_and_a_few_files() -> None:
    sources = [Source(path=name, name=name, text="") for name in ("a.yaml", "b.yaml", "c.yaml", "d.yaml")]
    faults = [replace(PLAIN, span=span(1, 1, 1, source=source)) for source in sources]
    note = replace(PLAIN, severity=Severity.NOTE)
    assert text([*faults[:2], note], colour=False).endswith("\n2 errors, 1 note in a.yaml and b.yaml\n")
    assert text(faults[:3], colour=False).endswith("\n3 errors in a.yaml, b.yaml and c.yaml\n")
    assert text(faults, colour=False).endswith("\n4 errors in 4 files\n")


def test_nothing_to_say_is_nothing() -> None:
    assert [text([], colour=True), concise([]), github([])] == ["", "", ""]
    assert json.loads(as_json([]))["diagnostics"] == []


def test_a_very_long_line_is_shown_around_its_caret() -> None:
    source = Source(path="f", name="f", text="prompt: " + "so " * 4_000 + "{{ heroe }}" + " and on" * 4_000)
    column = source.text.index("heroe") + 1
    lines = text([replace(PLAIN, span=span(1, column, column + 5, source=source))], colour=False, width=80).splitlines()
    assert lines[3].startswith("1 | …")
    assert lines[3].endswith("…")
    assert len(lines[3]) == len("1 | ") + 80
    assert lines[4].index("^^^^^") == lines[3].index("heroe")


def test_concise_is_a_line_a_fault() -> None:
    assert concise([HEROE, DURATION, PLAIN, *grouped(42)]) == (
        "error[bad-value]: h\n"
        "error[bad-value]: h (SKU-1 and 41 more)\n"
        "film.yaml:5:15: error[bad-value]: `duration` is 7; model `wan2.5-text-to-video` takes 5 or 10\n"
        "film.yaml:18:18: error[undefined-variable]: `heroe` is not defined for shot `crossing`\n"
    )


def test_json_says_everything_with_its_place() -> None:
    def place(line: int, column: int, end_column: int) -> dict[str, object]:
        lines = {"line": line, "column": column, "end_line": line, "end_column": end_column}
        return {"path": "films/film.yaml", **lines}

    assert json.loads(as_json([DURATION, *grouped(2, severity=Severity.WARNING)])) == {
        "schema": "shotrunner.diagnostics.v1",
        "diagnostics": [
            {
                "severity": "warning",
                "code": "bad-value",
                "headline": "h",
                "place": None,
                "label": "",
                "others": [],
                "notes": [],
                "help": "",
                "members": ["SKU-1", "SKU-2"],
            },
            {
                "severity": "error",
                "code": "bad-value",
                "headline": DURATION.headline,
                "place": place(5, 15, 16),
                "label": "this default",
                "others": [{"place": place(15, 12, 32), "label": "used with this model in shot `crossing`"}],
                "notes": list(DURATION.notes),
                "help": DURATION.help,
                "members": [],
            },
        ],
        "counts": {"error": 1, "warning": 1, "note": 0},
    }


def test_github_annotates_the_line() -> None:
    assert github([HEROE, replace(PLAIN, severity=Severity.WARNING), replace(PLAIN, severity=Severity.NOTE)]) == (
        "::warning title=bad-value::h\n"
        "::notice title=bad-value::h\n"
        "::error file=films/film.yaml,line=18,col=18,endLine=18,endColumn=23,title=undefined-variable::"
        "`heroe` is not defined for shot `crossing`%0Ahelp: did you mean `hero`? In scope here: hero, city, weather\n"
    )


@pytest.mark.parametrize(("end_line", "end_column", "last"), [(18, 5, 18), (18, 1, 17)])
def test_github_takes_no_columns_of_several_lines(end_line: int, end_column: int, last: int) -> None:
    fault = replace(PLAIN, span=span(16, 5, end_column, end_line))
    assert github([fault]) == f"::error file=films/film.yaml,line=16,endLine={last},title=bad-value::h\n"


def test_github_properties_and_messages_are_escaped() -> None:
    source = Source(path="a,b:c%.yaml", name="x", text="")
    shown = github([replace(PLAIN, headline="50%: a, b", span=span(1, 1, 1, source=source), notes=("x",))])
    assert shown.startswith("::error file=a%2Cb%3Ac%25.yaml,line=1,")
    assert shown.endswith("::50%25: a, b%0Anote: x\n")


def test_a_file_name_at_the_start_of_a_line_is_no_command() -> None:
    source = Source(path="x", name="::error::x.yaml", text="")
    assert concise([replace(PLAIN, span=span(1, 1, 1, source=source))]).startswith("./::error::x.yaml:1:1: error")


@pytest.mark.parametrize("name", ["film.yaml", "../film.yaml", "/a/film.yaml", "~/film.yaml", "<stdin>", "фильм.yaml"])
def test_an_ordinary_file_name_is_shown_as_it_is(name: str) -> None:
    source = Source(path="x", name=name, text="")
    assert concise([replace(PLAIN, span=span(1, 1, 1, source=source))]).startswith(f"{name}:1:1: ")


def test_a_refusal_speaks_like_a_diagnostic() -> None:
    refused = Refused("the lock is\nheld", help="wait with `--wait 60`", notes=("by process 7",))
    assert (
        refusal(refused, colour=False) == "error: the lock is held\nnote: by process 7\nhelp: wait with `--wait 60`\n"
    )
    assert refusal(refused, colour=True).startswith("\x1b[1;31merror\x1b[0m\x1b[1m: the lock is held\x1b[0m\n")


NASTY = [
    "\n",
    "\r",
    "\x1b[2J",
    "\u2028",
    "\u202e",
    "\udc80",
    "::error::",
    "##[error]",
    "%0A",
    ",",
    ":",
    "\t",
    "界",
    "  ",
]
foreign = st.lists(st.one_of(st.characters(), st.sampled_from(NASTY)), max_size=12).map("".join)
sources = st.builds(Source, path=foreign, name=foreign, text=foreign)
spans = st.builds(
    Span,
    source=sources,
    line=st.integers(1, 4),
    column=st.integers(1, 14),
    end_line=st.integers(1, 4),
    end_column=st.integers(1, 14),
)
diagnostics = st.lists(
    st.builds(
        Diagnostic,
        severity=st.sampled_from(Severity),
        code=st.just("bad-value"),
        headline=foreign,
        span=st.none() | spans,
        label=foreign,
        others=st.lists(st.builds(Label, span=spans, text=foreign), max_size=2).map(tuple),
        notes=st.lists(foreign, max_size=2).map(tuple),
        help=foreign,
        group=st.sampled_from(["", "g"]),
        member=foreign,
    ),
    max_size=3,
)
CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
WORD = r"(?:error|warning|note)"
BEGINS = {
    Format.TEXT: rf"{WORD}\[bad-value\]: | *(?:-->|:::) | *\d* \||note: |help: |\d+ {WORD}|$",
    Format.CONCISE: rf"{WORD}\[bad-value\]: |[\w./~<-][^\n]*:\d+:\d+: {WORD}\[bad-value\]: ",
    Format.JSON: r" *[]\"{}[]|$",
    Format.GITHUB: r"::(?:error|warning|notice) (?:file=[^,:]*,line=\d+,(?:col=\d+,)?endLine=\d+,(?:endColumn=\d+,)?)?title=bad-value::",
}


@settings(deadline=None)
@given(faults=diagnostics)
def test_no_foreign_text_controls_a_terminal_or_begins_a_line(faults: list[Diagnostic]) -> None:
    for view in Format:
        shown = formatted(faults, view)
        assert not CONTROL.search(shown)
        assert not re.search(r"##\w*\[", shown)
        for line in shown.removesuffix("\n").split("\n") if shown else []:
            assert re.match(BEGINS[view], line), line
        if view is Format.JSON:
            assert json.loads(shown)["schema"] == "shotrunner.diagnostics.v1"
        if view is Format.GITHUB:
            assert shown.count("\n") == len(json.loads(as_json(faults))["diagnostics"])
