"""The last lines of a run as text or JSON: what was made, what it cost, what is still owed and until when.

Foreign words are cleaned and no line begins with them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from runner.planning.bill import Bill
from runner.screen import clean
from runner.screen.amounts import amount, count, duration, priced
from runner.screen.colour import Style, paint
from runner.screen.table import Cell, Column, table
from runner.screen.width import cut

SCHEMA = "shotrunner.run.v1"
_NAMED = 20  # takes of one kind that are named; the manifest names all
_LINES = 3  # of the terminal, that a stranger's words get
_DIGITS = 12  # of a digest
ELSEWHERE = "waiting (other account)"
_WHOLE = frozenset({"done", "skipped"})  # statuses of takes that leave nothing to be done


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A submission whose answer was lost. `sent_at` ISO 8601; `key` and `body_sha256` in hex."""

    take: str
    key: str
    sent_at: str
    body_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A take that is paid, or was taken for nothing, and has no clip yet. `until`: until when it can be fetched for certain, ISO
    8601, None where nobody knows."""

    take: str
    task_id: str
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A take (or `film`) that ended without its file; `words` of the service or ours, `help` a command or ""."""

    take: str
    words: str
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a run.

    `takes` of the storyboard that this run was to see to an end: `made` newly, `reused`; `statuses` counts them by the
    manifest's words. `charged` is known, `reserved` counts beside it where no charge is known yet, both of this run; `bill` holds
    them to what the service says, None on a free one. Paths as
    the user is shown them, "" for what was not written. `stopped`: why nothing new was submitted any more, "" if nothing
    stopped it. `elsewhere` is owed to another account than the one whose key was at hand. `go_on`: the command that goes on with an incomplete run.
    """

    takes: int
    made: int
    reused: int
    statuses: Mapping[str, int]
    charged: Decimal
    reserved: Decimal
    unit: str = "credit"
    bill: Bill | None = None
    free: bool
    manifest: str
    clips: str = ""
    film: str = ""
    outputs: Sequence[str] = ()
    seconds: float
    unknown: Sequence[Unknown] = ()
    unfetched: Sequence[Owed] = ()
    waiting: Sequence[Owed] = ()
    overdue: Sequence[Owed] = ()
    elsewhere: Sequence[Owed] = ()
    failed: Sequence[Failed] = ()
    stopped: str = ""
    go_on: str = ""

    @property
    def owed(self) -> list[tuple[str, Owed]]:
        """What is at the service, each with its status; what dies first on top."""
        kinds = {
            "unfetched": self.unfetched,
            "waiting": self.waiting,
            "overdue": self.overdue,
            ELSEWHERE: self.elsewhere,
        }
        owed = [(status, one) for status, some in kinds.items() for one in some]
        return sorted(owed, key=lambda pair: (pair[1].until is None, pair[1].until or ""))

    @property
    def complete(self) -> bool:
        """Whether nothing is left: every take has its clip and every step its file."""
        left = any(number for status, number in self.statuses.items() if status not in _WHOLE)
        return not (left or self.unknown or self.failed or self.stopped or self.owed)


def text(report: Report, *, colour: bool, width: int) -> str:
    """For people. A complete run has a few lines; the last of another say what is paid, until when, and what goes on.

    A stranger's words are cut after three lines of `width` columns (0: never).
    """
    parts = [_head(report, colour=colour), _paths(report, colour=colour)]
    if report.stopped:
        parts.append(f"nothing new was submitted any more: {clean.words(report.stopped)}\n")
    parts += [_failed(report, colour, width), _unknown(report, colour), _owed(report, colour)]
    if report.go_on and not report.complete:
        parts.append(f"{paint('to go on:', Style.HELP, colour=colour)} {clean.words(report.go_on)}\n")
    return "".join(parts)


def as_json(report: Report) -> str:
    """For programs: one JSON document in UTF-8; fields are only ever added to this schema.

    `schema`    "shotrunner.run.v1"
    `complete`  whether every take has its clip and every step its file
    `seconds`   how long it took
    `takes`     `total`, `made`, `reused`, `by_status` (counts by the manifest's words)
    `cost`      `charged`, `reserved` (decimals in strings) of this run, `unit`, `free`
    `bill`      of this run: `ledger`, `service` (how far the account's used credits moved), `apart` (the part of their difference
                that has no lawful reason), both null where the service does not say, `estimated` or null; null on a free service
    `manifest`, `clips`, `film`  paths, null for what was not written; `outputs` a list of more
    `failed`    each `take`, `words`, `help` (a command, or "")
    `unknown`   each `take`, `key`, `sent_at`, `body_sha256`: submissions whose answer was lost
    `owed`      each `take`, `status` (unfetched, waiting, overdue, waiting (other account)), `task_id`, `until` (it can be fetched
                until then) or null
    `stopped`   why nothing new was submitted any more, or null
    `go_on`     the command that goes on, null for a complete run
    """
    document = {
        "schema": SCHEMA,
        "complete": report.complete,
        "seconds": round(report.seconds, 3),
        "takes": {
            "total": report.takes,
            "made": report.made,
            "reused": report.reused,
            "by_status": dict(report.statuses),
        },
        "cost": {
            "charged": f"{report.charged:f}",
            "reserved": f"{report.reserved:f}",
            "unit": clean.words(report.unit),
            "free": report.free,
        },
        "bill": _json_bill(report.bill) if report.bill else None,
        "manifest": clean.words(report.manifest) or None,
        "clips": clean.words(report.clips) or None,
        "film": clean.words(report.film) or None,
        "outputs": [clean.words(path) for path in report.outputs],
        "failed": [
            {"take": clean.words(one.take), "words": clean.words(one.words), "help": clean.words(one.help)}
            for one in report.failed
        ],
        "unknown": [
            {"take": clean.words(one.take), "key": one.key, "sent_at": one.sent_at, "body_sha256": one.body_sha256}
            for one in report.unknown
        ],
        "owed": [
            {"take": clean.words(one.take), "status": status, "task_id": clean.words(one.task_id), "until": one.until}
            for status, one in report.owed
        ],
        "stopped": clean.words(report.stopped) or None,
        "go_on": None if report.complete else clean.words(report.go_on) or None,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _head(report: Report, *, colour: bool) -> str:
    """`done in 12 m 4 s: 42 takes, 18 made, 24 reused`."""
    took = duration(report.seconds)
    if report.complete:
        outcome = paint("done", Style.GOOD, colour=colour) + f" in {took}"
    else:
        outcome = paint("incomplete", Style.WARNING, colour=colour) + f" after {took}"
    counted = [count(report.takes, "take"), f"{report.made} made", f"{report.reused} reused"]
    counted += [f"{number} {status}" for status, number in report.statuses.items() if number and status != "done"]
    return f"{outcome}: {', '.join(counted)}\n"


def _paths(report: Report, *, colour: bool) -> str:
    """What it cost and where things are, a line each."""
    rows = [("cost", _cost(report)), ("bill", _bill(report)), ("film", report.film), ("clips", report.clips)]
    rows += [("output", path) for path in report.outputs]
    rows.append(("manifest", report.manifest))
    return table([[Cell(name, Style.STRONG), value] for name, value in rows if value], [Column()] * 2, colour=colour)


def _cost(report: Report) -> str:
    if report.free:
        return "free"
    parts = [(report.charged, "charged"), (report.reserved, "reserved, not charged yet")]
    told = ", ".join(f"{priced(value, report.unit)} {word}" for value, word in parts if value)
    return told + ("" if _bill(report) else _estimated(report.bill)) if told else "nothing"


def _bill(report: Report) -> str:
    """`ledger 38.25 = service 38.25 credits`; nothing where the service does not say, or there is nothing to say."""
    bill = report.bill
    if bill is None or bill.service is None or not (bill.ledger or bill.service):
        return ""
    told = f"ledger {amount(bill.ledger)}, service {priced(bill.service, report.unit)}"
    if bill.apart:
        told += f": {amount(bill.apart)} apart"
    elif not bill.pending:
        told = f"ledger {amount(bill.ledger)} = service {priced(bill.service, report.unit)}"
    elif bill.earlier:
        told += f": {amount(bill.pending)} not charged in this run, but reserved, or charged before"
    else:
        told += f": {amount(bill.pending)} not charged yet"
    return told + _estimated(bill)


def _estimated(bill: Bill | None) -> str:
    """What the price table said, where it said otherwise."""
    if bill is None or bill.estimated is None or bill.estimated == bill.ledger:
        return ""
    return f", estimated {amount(bill.estimated)}"


def _json_bill(bill: Bill) -> dict[str, str | None]:
    return {
        "ledger": f"{bill.ledger:f}",
        "service": None if bill.service is None else f"{bill.service:f}",
        "apart": None if bill.service is None else f"{bill.apart:f}",
        "estimated": None if bill.estimated is None else f"{bill.estimated:f}",
    }


def _failed(report: Report, colour: bool, width: int) -> str:
    if not report.failed:
        return ""
    lines = [f"{paint('failed', Style.BAD, colour=colour)}:"]
    for one in report.failed[:_NAMED]:
        words = clean.words(one.words)
        words = cut(words, _LINES * width) if width else words
        lines.append(table([["", f"{one.take}: {words}"]], [Column()] * 2).rstrip("\n"))
        if one.help:
            lines.append(f"    {paint('help:', Style.HELP, colour=colour)} {clean.words(one.help)}")
    return _block(lines, len(report.failed))


def _unknown(report: Report, colour: bool) -> str:
    """Every one is named: each may have cost something."""
    if not report.unknown:
        return ""
    rows = [
        [
            "",
            one.take,
            f"sent {clean.words(one.sent_at)}",
            f"key {one.key[:_DIGITS]}",
            f"body sha256 {one.body_sha256[:_DIGITS]}" if one.body_sha256 else "sent by another machine",
        ]
        for one in report.unknown
    ]
    head = paint("unknown", Style.BAD, colour=colour)
    return f"{head}: the answer was lost, so the service may have taken and charged what was sent:\n" + table(
        rows, [Column()] * 5
    )


def _owed(report: Report, colour: bool) -> str:
    if not report.owed:
        return ""
    rows = [
        ["", one.take, status, f"task {one.task_id}", f"until {_moment(one.until)}" if one.until else ""]
        for status, one in report.owed[:_NAMED]
    ]
    head = paint("not here yet" if report.free else "paid, and not here yet", Style.WARNING, colour=colour)
    shown = _block([f"{head}:", *table(rows, [Column()] * 5).splitlines()], len(report.owed))
    if report.elsewhere:
        shown += f"{count(len(report.elsewhere), 'task')} of another account: run with its key to fetch\n"
    first = report.owed[0][1].until
    return shown + (f"to be fetched before {_moment(first)}\n" if first else "")


def _block(lines: list[str], number: int) -> str:
    if number > _NAMED:
        lines.append(f"  ... and {number - _NAMED} more, in the manifest")
    return "".join(f"{line}\n" for line in lines)


def _moment(at: str) -> str:
    """`2026-11-21 08:00 UTC` of an ISO 8601 time with Z; another text as it is."""
    known = len(at) > len("2026-11-21T08:00") and at[10] == "T" and at.endswith("Z")
    return f"{at[:10]} {at[11:16]} UTC" if known else clean.words(at)
