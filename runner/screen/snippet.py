"""A source line with its token underlined, cut to a width around the token."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from runner.core.diagnostics import Span
from runner.screen import clean
from runner.screen.width import widths

_TAB = "    "
_CUT = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """`line` as shown; the underline starts after `indent` columns and is `length` (1 or more) columns long."""

    line: str
    indent: int
    length: int


def snippet(span: Span, width: int) -> Snippet:
    """The first line of `span`, at most `width` columns (20 or more) of it.

    A span over several lines is underlined to the end of its first. A span behind the line's end, where something is
    missing, gets one caret there.
    """
    raw = span.source.line(span.line)
    cleaned = clean.line(raw)
    cells = [_TAB if was == "\t" else now for was, now in zip(raw, cleaned, strict=True)]
    sizes = [len(_TAB) if was == "\t" else size for was, size in zip(raw, widths(cleaned), strict=True)]
    starts = list(accumulate(sizes, initial=0))  # the column each cell starts at, then the end of the line

    first = min(max(span.column - 1, 0), len(cells))
    end = span.end_column - 1 if span.end_line == span.line else len(raw.rstrip())
    behind = min(max(end, first), len(cells))
    indent, length = starts[first], max(starts[behind] - starts[first], 1)

    total = max(starts[-1], indent + length)
    if total <= width:
        return Snippet(line="".join(cells).rstrip(), indent=indent, length=length)
    return _window(cells, starts, indent, length, width)


def _window(cells: Sequence[str], starts: Sequence[int], indent: int, length: int, width: int) -> Snippet:
    """The part of a long line that holds the token in its middle, or the start of a token longer than the width."""
    total = max(starts[-1], indent + length)
    left = min(max(indent + min(length, width // 2) // 2 - width // 2, 0), total - width)
    cut_left, cut_right = left > 0, left + width < starts[-1]
    lead, tail = (_CUT if cut_left else ""), (_CUT if cut_right else "")
    # Whole cells only: the first that starts behind the mark of the cut, the last that ends before the other one.
    low = bisect_left(starts, left + len(lead))
    while low < len(cells) and lead and starts[low + 1] == starts[low]:
        low += 1  # a combining mark whose letter was cut away
    high = max(bisect_right(starts, left + width - len(tail)) - 1, low)
    shift = len(lead) - starts[low]
    line = lead + "".join(cells[low:high]) + tail
    shown = starts[high] + shift + len(tail)
    return Snippet(line=line.rstrip(), indent=indent + shift, length=max(min(length, shown - indent - shift), 1))
