import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.screen.colour import Style
from runner.screen.table import Align, Cell, Column, table
from runner.screen.width import width

TAKE = Column(title="take")
PRICE = Column(title="price", align=Align.RIGHT)
REASON = Column(title="reason", gives=True)


def test_columns_stand_under_their_titles() -> None:
    rows = [["arrival@dawn.1", "25.50", "nothing is known of it"], ["walk.1", "6", "its clip is here"]]
    assert table(rows, [TAKE, PRICE, REASON]) == (
        "take            price  reason\n"
        "arrival@dawn.1  25.50  nothing is known of it\n"
        "walk.1              6  its clip is here\n"
    )


def test_without_titles_there_is_no_head() -> None:
    assert table([["a", "b"]], [Column(), Column()]) == "a  b\n"
    assert table([], [Column()]) == ""
    assert table([], [TAKE, PRICE]) == "take  price\n"


def test_alignment_is_by_display_width() -> None:
    assert (
        table([["界", "x"], ["e\u0301", "y"], ["🎬🎬", "z"]], [Column(), Column()])
        == "界    x\ne\u0301     y\n🎬🎬  z\n"
    )


def test_the_column_that_gives_is_cut_to_the_width() -> None:
    rows = [["arrival@dawn.1", "6", "a reason that goes on for longer than the line"]]
    assert table(rows, [TAKE, PRICE, REASON], width_columns=40) == (
        "take            price  reason\narrival@dawn.1      6  a reason that go…\n"
    )


def test_what_does_not_give_is_never_cut() -> None:
    rows = [["a" * 30, "6", "a reason that goes on"]]
    assert table(rows, [TAKE, PRICE, REASON], width_columns=20).splitlines()[1] == "a" * 30 + "      6  a reaso…"


def test_colour_does_not_move_the_columns() -> None:
    rows = [[Cell("a", Style.GOOD), Cell("1", Style.BAD), "x"], ["bb", "22", "y"]]
    columns = [Column(title="t"), Column(align=Align.RIGHT), Column()]
    coloured = table(rows, columns, colour=True)
    assert "\x1b[32ma\x1b[0m    \x1b[31m1\x1b[0m  x\n" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == table(rows, columns)


def test_a_row_has_a_cell_for_every_column() -> None:
    with pytest.raises(ValueError, match="a row has not 2 cells"):
        table([["a"]], [TAKE, PRICE])
    with pytest.raises(ValueError, match="a row has not 1 cells"):
        table([["a"], ["a", "b"]], [Column()])


def test_a_foreign_first_cell_is_no_command() -> None:
    assert table([["::error::x", "b"]], [Column(), Column()]) == "\ufffd:error::x  b\n"
    assert table([["", "::error::x"]], [Column(), Column()]) == "  \ufffd:error::x\n"


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(), st.text()), min_size=1), st.integers(20, 60))
def test_any_cells_give_one_clean_line_a_row(rows: list[tuple[str, str]], most: int) -> None:
    columns = [Column(gives=True), Column(gives=True)]
    lines = table(rows, columns, width_columns=most).split("\n")
    assert len(lines) == len(rows) + 1
    assert all(width(line) <= most for line in lines)
    assert not any(line.lstrip().startswith("::") or line != line.rstrip() for line in lines)
