"""The actions of a plan as a table, a row a take in storyboard order, each with its reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from runner.core.money import ZERO
from runner.planning.plan import Act, Action
from runner.screen import clean
from runner.screen.amounts import amount
from runner.screen.colour import Style, paint
from runner.screen.table import Align, Cell, Column, table
from runner.screen.width import width as columns_of

_ALIKE = 60  # rows of equal action and reason up to which all are shown
_FIRST = 20  # of more than that
_REASON_LEAST = 16  # columns that REASON gets at least: other columns leave for it
_MODEL_LEAST = 16  # columns of a model's name that still tell it from another
_UNBOUND = 10**6  # columns of a file, where nothing is cut
_INDENT = 8  # of a reason below its row

STYLES = {
    Act.BUY: Style.WARNING,
    Act.RETRY: Style.WARNING,
    Act.REUSE: Style.GOOD,
    Act.RESUME: Style.NOTE,
    Act.KEEP: Style.BAD,
    Act.MISSING: Style.BAD,
    Act.BLOCK: Style.BAD,
    Act.SKIP: Style.FAINT,
}
_COLUMNS = {
    "ACTION": Column(title="ACTION"),
    "TAKE": Column(title="TAKE"),
    "MODEL": Column(title="MODEL", gives=True),
    "LENGTH": Column(title="LENGTH", align=Align.RIGHT),
    "SIZE": Column(title="SIZE", align=Align.RIGHT),
    "PRICE": Column(title="PRICE", align=Align.RIGHT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """`cells` by the title of their column; the reason stands behind them, or below."""

    cells: dict[str, Cell]
    reason: str


def takes(actions: Sequence[Action], *, free: bool, colour: bool, width: int) -> str:
    """A line a row with its reason behind it, or below it where `width` columns (0: any number) leave no room.

    On a narrow terminal SIZE, LENGTH and at last MODEL leave; takes and reasons are never cut. Of many alike beside others
    the first are shown and the rest is one row. At least one action is needed.
    """
    rows = [_row(rest, free=free) for rest in _folded(actions)]
    titles = list(_COLUMNS)
    widest = {
        title: max(columns_of(title), *(columns_of(clean.words(row.cells[title].text)) for row in rows))
        for title in titles
    }

    def taken() -> int:
        return sum(widest[title] + 2 for title in titles)

    width = width or _UNBOUND
    room = width - min(_REASON_LEAST, max(columns_of(row.reason) for row in rows))
    for title in ("SIZE", "LENGTH"):
        if taken() > room:
            titles.remove(title)
    if taken() > room and taken() - max(widest["MODEL"] - _MODEL_LEAST, 0) > room:
        titles.remove("MODEL")
    cells = [[row.cells[title] for title in titles] for row in rows]
    columns = [_COLUMNS[title] for title in titles]
    plain = table(cells, columns, width_columns=room - 2).splitlines()
    shown = table(cells, columns, width_columns=room - 2, colour=colour).splitlines()
    left = max(map(columns_of, plain))
    lines = []
    for bare, line, row in zip(plain, shown, [None, *rows], strict=True):
        reason = row.reason if row else paint("REASON", Style.STRONG, colour=colour)
        if row and left + 2 + columns_of(reason) > width:
            lines += [line, f"{'':{_INDENT}}{reason}"]
        else:
            lines.append(f"{line}{'':{left + 2 - columns_of(bare)}}{reason}".rstrip())
    return "".join(f"{line}\n" for line in lines)


def _folded(actions: Sequence[Action]) -> list[list[Action]]:
    """Rows as lists of the actions they stand for: one each, but many alike beside others have one row for their rest."""
    alike = Counter((action.act, action.reason) for action in actions)
    seen: Counter[tuple[Act, str]] = Counter()
    rests: dict[tuple[Act, str], list[Action]] = {}
    rows: list[list[Action]] = []
    for action in actions:
        kind = (action.act, action.reason)
        seen[kind] += 1
        if len(alike) == 1 or alike[kind] <= _ALIKE or seen[kind] <= _FIRST:
            rows.append([action])
        elif kind in rests:
            rests[kind].append(action)
        else:
            rests[kind] = [action]
            rows.append(rests[kind])
    return rows


def _row(actions: Sequence[Action], *, free: bool) -> _Row:
    """One action, or the rest of many alike."""
    first, request = actions[0], actions[0].request
    folded = len(actions) > 1
    cost = ""
    if first.spends or (first.act is Act.MISSING and not first.shared_with):
        known = [action.price for action in actions if action.price is not None]
        cost = "free" if free else amount(sum(known, ZERO)) if len(known) == len(actions) else "unknown"
    cells = {
        "ACTION": Cell(first.act.value, STYLES[first.act]),
        "TAKE": Cell(f"... and {len(actions)} more" if folded else first.take.id),
        "MODEL": Cell("" if folded else model(first)),
        "LENGTH": Cell("" if folded or request is None else f"{request.seconds} s"),
        "SIZE": Cell("" if folded or request is None else f"{request.width_px}x{request.height_px}"),
        "PRICE": Cell(cost, Style.BAD if cost == "unknown" else None),
    }
    return _Row(cells=cells, reason=clean.words(first.reason))


def model(action: Action) -> str:
    return action.request.model if action.request else str(action.take.model.value)
