from hypothesis import given, settings
from hypothesis import strategies as st

from runner.core.diagnostics import Source, Span
from runner.screen.snippet import Snippet, snippet
from runner.screen.width import width

# What a line is made of, with the columns each piece takes: what a terminal draws, not what our tables say.
PIECES = {
    "a": 1,
    " ": 1,
    "{{": 2,
    "界": 2,
    "e\u0301": 1,
    "👩\u200d🚀": 2,
    "👍🏽": 2,
    "🇩🇪": 2,
    "❤\ufe0f": 2,
    "\t": 4,
    "\x1b": 1,
    "\u202e": 1,
    "\u2028": 1,
}
pieces = st.lists(st.sampled_from(sorted(PIECES)))


def at(
    text: str, column: int, end_column: int, *, line: int = 1, end_line: int | None = None, most: int = 120
) -> Snippet:
    source = Source(path="film.yaml", name="film.yaml", text=text)
    span = Span(source=source, line=line, column=column, end_line=end_line or line, end_column=end_column)
    return snippet(span, most)


@settings(deadline=None)
@given(pieces, pieces, pieces)
def test_the_caret_stands_under_its_token(before: list[str], token: list[str], after: list[str]) -> None:
    column = len("".join(before)) + 1
    shown = at("".join([*before, *token, *after]), column, column + len("".join(token)), most=10_000)
    assert shown.indent == sum(PIECES[piece] for piece in before)
    assert shown.length == max(sum(PIECES[piece] for piece in token), 1)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(sorted(PIECES)), max_size=150),
    st.integers(1, 60),
    st.lists(st.sampled_from(sorted(PIECES)), max_size=150),
    st.integers(20, 60),
)
def test_a_long_line_is_cut_around_its_token(before: list[str], length: int, after: list[str], most: int) -> None:
    column = len("".join(before)) + 1
    shown = at("".join(before) + "◆" * length + "".join(after), column, column + length, most=most)
    assert width(shown.line) <= most
    start = shown.line.index("◆")
    assert width(shown.line[:start]) == shown.indent
    assert shown.length == length or (shown.line.endswith("◆…") and shown.indent + shown.length == width(shown.line))
    assert shown.line.count("◆") >= min(length, most // 2 - 1)


def test_a_cut_is_marked_on_the_side_where_it_was_made() -> None:
    assert at("a" * 30 + "X" + "b" * 30, 31, 32, most=20) == Snippet(line="…aaaaaaaaaXbbbbbbbb…", indent=10, length=1)
    assert at("X" + "b" * 30, 1, 2, most=20) == Snippet(line="X" + "b" * 18 + "…", indent=0, length=1)
    assert at("a" * 30 + "X", 31, 32, most=20) == Snippet(line="…" + "a" * 18 + "X", indent=19, length=1)


def test_a_line_that_fits_exactly_is_whole() -> None:
    assert at("a" * 20, 1, 2, most=20).line == "a" * 20
    assert at("a" * 21, 1, 2, most=20).line == "a" * 19 + "…"


def test_several_lines_are_underlined_to_the_end_of_the_first() -> None:
    assert at("  - id: x  \n    prompt: y\n", 5, 1, end_line=3) == Snippet(line="  - id: x", indent=4, length=5)


def test_what_is_missing_behind_the_end_gets_one_caret_there() -> None:
    assert at("prompt:", 8, 8) == Snippet(line="prompt:", indent=7, length=1)
    assert at("prompt:", 40, 44) == Snippet(line="prompt:", indent=7, length=1)
    assert at("a" * 40, 41, 41, most=20) == Snippet(line="…" + "a" * 18, indent=19, length=1)
    assert at("", 1, 1, line=9) == Snippet(line="", indent=0, length=1)


def test_a_signed_link_is_masked_where_it_stands() -> None:
    text = "image: https://h.example/a.png?sig=abcdef"
    shown = at(text, 8, len(text) + 1)
    assert shown == Snippet(line="image: https://h.example/a.png?**********", indent=7, length=len(text) - 7)
