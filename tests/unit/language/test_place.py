from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.diagnostics import Source, Span
from runner.language.document import comment_after, locate, parse
from runner.language.node import Mapping, Scalar
from runner.language.place import readable


def scalar(text: str) -> Scalar:
    tree = parse(Source(path="film.yaml", name="film.yaml", text=text))
    assert isinstance(tree, Mapping)
    found = tree.entries[0].value
    assert isinstance(found, Scalar)
    return found


def shown(span: Span) -> str:
    assert span.line == span.end_line
    return span.source.line(span.line)[span.column - 1 : span.end_column - 1]


def where(found: Scalar, word: str) -> Span:
    """The place in the file of a word of the scalar's text."""
    before, _, _ = found.text.partition(word)
    return locate(found, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1, len(word))


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: x {{ heroe }} y\n", 1, 9),
        ("a: 'x {{ heroe }}' # heroe\n", 1, 10),
        ("a: 'it''s {{ heroe }}'\n", 1, 14),
        ('a: "say \\"{{ heroe }}\\""\n', 1, 14),
        ('a: "\\u00e9\\x41\\t\\n {{ heroe }}"\n', 1, 23),
        ('a: "x \\\n    y {{ heroe }}"\n', 2, 10),
        ("a: |\n    one\n\n      two\n    {{ heroe }}\n", 5, 8),
        ("a: |2-\n     one\n    {{ heroe }}\n", 3, 8),
        ("a: &x !!str |  # c\n  {{ heroe }}\n", 2, 6),
        ("a: >\n  one\n  two {{ heroe }}\n\n  three\n", 3, 10),
        ("a: one\n  two\n\n  {{ heroe }} three\n", 4, 6),
        ("a: |\r\n  😀\r\n  😀 {{ heroe }}\r\n", 3, 8),
        ("\ufeffa: 😀 {{ heroe }}\n", 1, 9),
        ("? |\n  k\n: |\n  {{ heroe }}\n", 4, 6),
    ],
)
def test_a_word_is_found_where_it_is_written_in_every_style(text: str, line: int, column: int) -> None:
    span = where(scalar(text), "heroe")
    assert (span.line, span.column, shown(span)) == (line, column, "heroe")


_WORDS = st.lists(st.text("ab{}é😀'\"\\", min_size=1, max_size=4), min_size=1, max_size=12)


@given(
    _WORDS,
    st.sampled_from(["|", ">", "'", '"', "plain"]),
    st.lists(st.sampled_from([" ", "\n"]), min_size=12, max_size=12),
)
def test_each_character_of_a_text_is_found_at_its_own_in_the_file(
    words: list[str], style: str, gaps: list[str]
) -> None:
    escaped = {"'": {"'": "''"}, '"': {'"': '\\"', "\\": "\\\\"}}.get(style, {})
    written = ["".join(escaped.get(char, char) for char in word) for word in words]
    lines = "".join(word + gap for word, gap in zip(written, gaps, strict=False)).rstrip().replace("\n", "\n   ")
    match style:
        case "|" | ">":
            found = scalar(f"k: {style}\n   {lines}\nz: 1\n")
        case "plain":
            found = scalar(f"k: x{lines}\nz: 1\n")
        case _:
            found = scalar(f"k: {style}{lines}{style} # c\nz: 1\n")
    line, column = 1, 0
    for char in found.text:
        column += 1
        if char == "\n":
            line, column = line + 1, 0
        elif char != " ":
            assert shown(locate(found, line, column, 1)) == escaped.get(char, char)


def test_a_place_behind_the_text_is_right_behind_its_last_character() -> None:
    found = scalar("a: |\n  {{ hero\n")
    span = locate(found, 2, 1, 1)
    assert (span.line, span.column) == (2, 10)
    assert locate(found, 1, 8, 1) == span


@pytest.mark.parametrize(("line", "column"), [(0, 1), (1, 0), (9, 1), (1, 99)])
def test_a_place_that_is_none_is_the_whole_scalar(line: int, column: int) -> None:
    found = scalar("a: one two\n")
    assert locate(found, line, column, 1) is found.span


def test_a_text_that_is_not_written_as_it_reads_is_the_whole_scalar() -> None:
    found = scalar("a: one two\n")
    other = Scalar(span=found.span, value="{{ one two }}", text="{{ one two }}", style=found.style)
    assert locate(other, 1, 4, 3) is found.span


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("prompt: #noon\n", "#noon"),
        ("prompt:    #noon, from afar  \n", "#noon, from afar"),
        ("prompt: &co\n", "&co"),
        ("prompt: !!null # c\n", "# c"),
        ("prompt: ! # c\n", None),
        ("prompt:\n", None),
        ("prompt: ~ # c\n", None),
        ("prompt: null # c\n", None),
        ("prompt: '' # c\n", None),
        ("prompt: x # c\n", None),
        ("prompt:\n  # c\nb: 1\n", None),
    ],
)
def test_what_yaml_took_from_an_empty_value_is_told(text: str, taken: str | None) -> None:
    assert comment_after(scalar(text)) == taken


@given(st.text("ab\r\n\ufeff", max_size=20))
def test_readable_text_has_the_lines_of_its_source(text: str) -> None:
    source = Source(path="f", name="f", text=text)
    lines = readable(source).split("\n")
    assert [source.line(number) for number in range(1, len(lines) + 1)] == lines
    assert list(accumulate(map(len, lines)))[-1] == len(readable(source)) - len(lines) + 1
