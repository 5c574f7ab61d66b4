"""Plain text tables: columns two spaces apart, aligned by display width, cells cleaned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from runner.screen import clean
from runner.screen.colour import Style, paint
from runner.screen.width import cut, width

_GAP = "  "
_LEAST = 8  # columns below which a cell says nothing any more


class Align(StrEnum):
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`gives`: the column whose cells are cut when the table is wider than allowed."""

    title: str = ""
    align: Align = Align.LEFT
    gives: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with a style; a plain string is a cell without."""

    text: str
    style: Style | None = None


def table(
    rows: Iterable[Sequence[Cell | str]],
    columns: Sequence[Column],
    *,
    width_columns: int | None = None,
    colour: bool = False,
) -> str:
    """One line a row, the titles first if any column has one; "" or ended by a line break, no trailing spaces.

    Every row has as many cells as there are columns (ValueError). Without `width_columns` nothing is cut; with it the
    columns that give are cut, the widest first and none below 8 or its title: a table that still does not fit stays wide.
    """
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    if any(len(row) != len(columns) for row in cells):
        raise ValueError(f"a row has not {len(columns)} cells")
    if any(column.title for column in columns):
        cells.insert(0, [Cell(column.title, Style.STRONG) for column in columns])
    cleaned = [[clean.words(cell.text) for cell in row] for row in cells]
    sizes = [max(map(width, texts)) for texts in zip(*cleaned, strict=True)]
    sizes = _fitted(sizes, columns, width_columns)
    lines = []
    for row, texts in zip(cells, cleaned, strict=True):
        line = ""
        for cell, text, column, size in zip(row, texts, columns, sizes, strict=True):
            shown = cut(text, size)
            space = " " * (size - width(shown))
            painted = paint(shown, cell.style, colour=colour)
            line += (space + painted if column.align is Align.RIGHT else painted + space) + _GAP
        lines.append(_safe(line.rstrip()) + "\n")
    return "".join(lines)


def _fitted(sizes: Sequence[int], columns: Sequence[Column], most: int | None) -> list[int]:
    """The columns' sizes after those that give have given."""
    fitted = list(sizes)
    least = [max(_LEAST, width(clean.words(column.title))) for column in columns]
    while most is not None and sum(fitted) + len(_GAP) * (len(fitted) - 1) > most:
        giving = [n for n, column in enumerate(columns) if column.gives and fitted[n] > least[n]]
        if not giving:
            break
        fitted[max(giving, key=lambda n: fitted[n])] -= 1
    return fitted


def _safe(line: str) -> str:
    """A first cell is often foreign: it must not be a workflow command."""
    start = line.lstrip()
    return line[: len(line) - len(start)] + "\ufffd" + start[1:] if start.startswith("::") else line
