"""A diff as Markdown, fit for a comment on a pull request.

Whatever is not our own word stands in a code span: there `@name` calls nobody, `#1` links to nothing, and no picture or HTML of a
stranger is shown. GitHub takes 65,536 characters a comment; a longer table is cut at a row.
"""

import re

from runner.planning.diff import Comparison, Difference
from runner.screen import clean
from runner.screen.amounts import count
from runner.screen.diagnostics import place
from runner.screen.diff_words import (
    Rows,
    Side,
    counted,
    folded,
    in_all,
    made_by,
    notes,
    reason,
    row_price,
    to_buy,
    values,
)
from runner.screen.width import cut

MARK = "<!-- shotrunner diff -->"  # by which a bot finds the comment that it is to replace
_MOST = 60_000  # characters of the table
_VALUE = 160  # columns of an old or new value


def markdown(found: Comparison, old: Side, new: Side) -> str:
    """Headline, what is to be paid, and a table of the takes that differ. Ends with a line break."""
    lines = [
        MARK,
        f"### {code(old.name)} → {code(new.name)}",
        "",
        f"**{to_buy(found, old, new, code)}**",
        "",
        f"{counted(found)}; {in_all(found, old, new)}; {code(made_by(old, new))}",
        "",
    ]
    if found.differences:
        lines += ["| | take | price | was | what |", "|---|---|--:|--:|---|", *_rows(folded(found.differences)), ""]
    lines += [f"{note}\n" for note in notes(found, old, new, code)]
    return "\n".join(lines).rstrip("\n") + "\n"


def fenced(text: str) -> str:
    """Any text as a block of code, which nothing in it can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{MARK}\n{fence}text\n{text.rstrip(chr(10))}\n{fence}\n"


def code(text: str) -> str:
    """A code span that holds in a table's cell, too."""
    text = clean.words(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}" if text else ""


def _rows(rows: list[Rows]) -> list[str]:
    lines: list[str] = []
    left = _MOST
    for number, row in enumerate(rows):
        line = _row(row)
        left -= len(line) + 1
        if left < 0:
            rest = sum(len(other.members) for other in rows[number:])
            return [*lines, f"| | ... and {count(rest, 'more take', 'more takes')} | | | |"]
        lines.append(line)
    return lines


def _row(row: Rows) -> str:
    one, number = row.first, len(row.members)
    if number == 1:
        take, what = code(one.take), "<br>".join([*_reason(one), *_fields(one)])
    else:
        take, what = f"... and {number} more like these", ""
    price, was = row_price(row, was=False), row_price(row, was=True)
    return f"| {one.kind.value} | {take} | {price} | {was} | {what} |"


def _reason(one: Difference) -> list[str]:
    before, take, after = reason(one)
    said = f"{before}{code(take)}{after}"
    return [said] if said else []


def _fields(one: Difference) -> list[str]:
    old, new = (side.request if side else None for side in (one.old, one.new))
    lines = []
    for field in one.fields:
        before, after = (code(cut(clean.words(value), _VALUE)) for value in values(field, old, new))
        lines.append(f"{code(field.name)} {before} → {after} ({code(place(field.new_span))})")
    return lines
