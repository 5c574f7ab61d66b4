"""The lock in git: what was bought for a storyboard, by whom and what became of it, a line a purchase. Pure.

It stands beside the storyboard and is committed with it, so that a clone, a colleague and a CI runner know what is paid. Every
line ends in a comma and stands for itself: git merges lines that are apart, and where it cannot, the lines of both sides
together are the merged file.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from runner.core.lifecycle import Event, State
from runner.core.money import amount
from runner.planning.history import History, Purchase

SCHEMA = "shotrunner.lock.v1"
ADVICE = "keep the lines of both sides and remove those of the markers"
_MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")


class Known(StrEnum):
    """What the lock says became of a purchase, each word further than those above it."""

    UNKNOWN = "unknown"
    DISCLAIMED = "disclaimed"
    WRITTEN_OFF = "written-off"
    OPEN = "open"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    EXPIRED = "expired"
    DONE = "done"


K, S = Known, State
# What of the journal the lock holds; nothing was taken in the other states, so there is nothing to be known.
KNOWN: Mapping[State, Known] = {
    S.INTENDED: K.UNKNOWN,
    S.UNKNOWN: K.UNKNOWN,
    S.DISCLAIMED: K.DISCLAIMED,
    S.WRITTEN_OFF: K.WRITTEN_OFF,
    S.WAITING: K.OPEN,
    S.OVERDUE: K.OPEN,
    S.COMPLETED: K.OPEN,
    S.UNFETCHED: K.OPEN,
    S.FAILED: K.FAILED,
    S.CANCELLED: K.CANCELLED,
    S.LOST: K.LOST,
    S.EXPIRED: K.EXPIRED,
    S.DONE: K.DONE,
    S.MISSING: K.DONE,
}
RANK = {known: rank for rank, known in enumerate(Known)}
WITHOUT_TASK = frozenset({K.UNKNOWN, K.DISCLAIMED, K.WRITTEN_OFF})
_TAKEN = frozenset(Known) - WITHOUT_TASK
_LINK_LIVES = (Event.COMPLETED, Event.RECEIPT, Event.ATTACHED)  # from then on; it cannot be made before its receipt


class Damaged(ValueError):
    """A lock that cannot be read; the message is a clause that follows the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One purchase. `intent` is its idempotency key, which no other purchase has; `number` counts the purchases of a key where
    it was made; `credits` is what it is committed for; `day` is the day it was sent, `sent_at` the moment, told while its
    outcome is open. `first` is the digest of the clip as it was fetched first, if that was another one, `earlier` are further ones
    that it had, sorted. `expires_at` is when an open receipt's link dies, at the earliest. `storyboard` is "" for the lock's own."""

    take: str
    known: Known
    key: str
    number: int
    model: str
    service: str
    account: str
    intent: str
    day: str
    credits: Decimal
    unit: str
    sha256: str | None = None
    size_bytes: int | None = None
    first: str | None = None
    earlier: tuple[str, ...] = ()
    task_id: str | None = None
    sent_at: str | None = None
    expires_at: str | None = None
    error: str | None = None
    storyboard: str = ""

    @property
    def at(self) -> str:
        return self.sent_at or f"{self.day}T00:00:00.000Z"

    @property
    def digests(self) -> frozenset[str]:
        """All by which its clip may be known."""
        return frozenset(one for one in (self.sha256, self.first, *self.earlier) if one)

    def with_digests(self, digests: Collection[str]) -> "Line":
        """The line with these for its clip's too; of a purchase without a clip as it is."""
        if self.sha256 is None:
            return self
        return replace(self, earlier=tuple(sorted({*self.earlier, *digests} - {self.sha256, self.first})))

    @property
    def order(self) -> tuple[str, str, int, str]:
        return (self.take, self.key, self.number, self.intent)


def build(
    history: History, *, storyboard: str, asked: Collection[str], free: Callable[[str], bool], link_life_s: float
) -> tuple[Line, ...]:
    """The lines of a storyboard: every purchase made for it, and of every key it asks for now (`asked`), whoever paid; none
    at services that are `free`."""
    lines = []
    for key, made in history.items():
        for purchase in made:
            own = purchase.intent.storyboard == storyboard
            if (own or key in asked) and purchase.state in KNOWN and not free(purchase.intent.service):
                lines.append(_line(purchase, "" if own else purchase.intent.storyboard, link_life_s))
    return tuple(sorted(lines, key=lambda line: line.order))


def _line(purchase: Purchase, storyboard: str, link_life_s: float) -> Line:
    intent, result = purchase.intent, purchase.result
    # What was fetched once stays done for everybody else, whatever came of asking for it again.
    known = K.DONE if result else KNOWN[purchase.state]
    sent = purchase.at(Event.SEND) or ""
    since = next((at for event in _LINK_LIVES if (at := purchase.at(event))), None) if known is K.OPEN else None
    expires = datetime.fromisoformat(since) + timedelta(seconds=link_life_s) if since else None
    return Line(
        take=intent.take,
        known=known,
        key=purchase.key,
        number=intent.purchase,
        model=intent.model,
        service=intent.service,
        account=purchase.account,
        intent=intent.idempotency_key,
        day=sent[:10],
        credits=purchase.committed,
        unit=intent.unit,
        sha256=str(result["sha256"]) if result else None,
        size_bytes=int(str(result["size_bytes"])) if result else None,
        first=purchase.first_sha256 or None,
        earlier=tuple(sorted(purchase.digests - {purchase.clip[0], purchase.first_sha256})),
        task_id=None if known in WITHOUT_TASK else purchase.task_id,
        sent_at=sent if known in (K.UNKNOWN, K.OPEN) else None,
        expires_at=expires.strftime("%Y-%m-%dT%H:%M:%SZ") if expires else None,
        error=str((purchase.error or {}).get("code") or "")[:100] or None if known in _ENDS else None,
        storyboard=storyboard,
    )


def merge(ours: Iterable[Line], theirs: Iterable[Line]) -> tuple[Line, ...]:
    """Every purchase of both; of one that both know, what got further, else ours, with the digests of both."""
    found: dict[str, Line] = {}
    for line in (*ours, *theirs):
        known = found.get(line.intent)
        if known is None:
            found[line.intent] = line
        else:
            further = line if RANK[line.known] > RANK[known.known] else known
            found[line.intent] = further.with_digests(known.digests | line.digests)
    return tuple(sorted(found.values(), key=lambda line: line.order))


def updated(written: Iterable[Line], ours: Iterable[Line], history: History) -> tuple[Line, ...]:
    """What the file is to hold: our lines, and of those written in it what we do not know better. A purchase of another
    machine that got no further keeps its line as it is, so that two machines do not rewrite each other's. No digest is lost of
    those by which a clip was known anywhere: somebody may have picked it by that one."""
    made = {p.intent.idempotency_key: p for some in history.values() for p in some}
    file = {line.intent: line for line in written}
    known = {line.intent: line for line in ours}
    found: list[Line] = []
    for intent, line in known.items():
        before = file.get(intent)
        if before is not None:
            digests = before.digests | line.digests
            line = replace(line, number=before.number)
            if made[intent].foreign and RANK[before.known] >= RANK[line.known]:
                line = before
            line = line.with_digests(digests)
        found.append(line)
    # What the journal knows and does not tell was certainly not taken, unless another machine got further with it.
    found += [one for i, one in file.items() if i not in known and (i not in made or one.known in _TAKEN)]
    return tuple(sorted(found, key=lambda line: line.order))


def text(lines: Iterable[Line]) -> str:
    """The file: sorted, a line a purchase, each ending in a comma."""
    rows = [json.dumps(_written(line), ensure_ascii=True, separators=(",", ":")) for line in lines]
    return "\n".join(['{"schema":"' + SCHEMA + '","purchases":[', *(f"{row}," for row in rows), "{}]}", ""])


def _written(line: Line) -> dict[str, object]:
    optional = {
        "sha256": line.sha256,
        "bytes": line.size_bytes,
        "first": line.first,
        "earlier": list(line.earlier) or None,
        "task": line.task_id,
        "sent_at": line.sent_at,
        "expires_at": line.expires_at,
        "error": line.error,
        "storyboard": line.storyboard or None,
    }
    return {
        "take": line.take,
        "state": line.known.value,
        "key": line.key,
        "number": line.number,
        "model": line.model,
        "service": line.service,
        "account": line.account,
        "intent": line.intent,
        "day": line.day,
        "credits": f"{line.credits:f}",
        "unit": line.unit,
        **{name: value for name, value in optional.items() if value is not None},
    }


_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"
# What each field may be; a lock is a file of the repository and may have been written by anybody.
_FIELDS: Mapping[str, re.Pattern[str]] = {
    "take": re.compile(r"[A-Za-z0-9][A-Za-z0-9_@+.-]{0,1999}"),
    "key": _DIGEST,
    "model": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"),
    "service": re.compile(r"[a-z][a-z0-9]{0,31}(@[A-Za-z0-9.:\[\]_-]{1,300})?"),
    "account": re.compile(r"[0-9a-f]{16}"),
    "intent": re.compile(r"[0-9a-f]{40}"),
    "credits": re.compile(r"\d{1,10}(\.\d{1,4})?"),
    "unit": re.compile(r"[A-Za-z]{1,20}"),
    "sha256": _DIGEST,
    "first": _DIGEST,
    "task": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}"),
    "error": re.compile(r"[^\x00-\x1f\x7f]{1,100}"),
    "storyboard": re.compile(r"[^\x00-\x1f\x7f]{1,1000}"),
    "day": re.compile(r"\d{4}-\d\d-\d\d"),
    "sent_at": re.compile(_MOMENT),
    "expires_at": re.compile(_MOMENT),
}
_NEEDED = ("take", "key", "model", "service", "account", "intent", "day", "credits", "unit")
_ENDS = frozenset({K.FAILED, K.CANCELLED, K.LOST, K.EXPIRED})


def parse(content: str, also: Mapping[str, re.Pattern[str]] = MappingProxyType({})) -> tuple[Line, ...]:
    """The lines of a lock; of one purchase that stands there twice, as after a merge, the line that got further. `also`: what
    fields may be that a lock's may not. Raises `Damaged`."""
    for number, row in enumerate(content.split("\n"), 1):
        if row.startswith(_MARKERS):
            raise Damaged(f"holds the marker of a git conflict in line {number}")
    try:
        document = json.loads(content, object_pairs_hook=_once)
    except RecursionError:
        raise Damaged("is no lock: it nests too deep") from None
    except ValueError as fault:
        raise Damaged(f"is no JSON: {fault}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        told = document.get("schema") if isinstance(document, dict) else None
        newer = isinstance(told, str) and told.startswith("shotrunner.lock.")
        raise Damaged("was written by a newer shotrunner" if newer else f"is no lock: it has no schema {SCHEMA}")
    rows = document.get("purchases")
    if not isinstance(rows, list) or document.keys() != {"schema", "purchases"}:
        raise Damaged("is no lock: it holds something else than purchases")
    lawful = {**_FIELDS, **also}
    return merge((), [_parsed(row, number, lawful) for number, row in enumerate(rows, 2) if row != {}])


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one place")
    return found


def _parsed(row: object, number: int, lawful: Mapping[str, re.Pattern[str]]) -> Line:
    if not isinstance(row, dict):
        raise Damaged(f"is damaged: purchase {number - 1} is no mapping")

    def damaged(name: str) -> Damaged:
        return Damaged(f"is damaged: purchase {number - 1} has no lawful `{name}`")

    texts: dict[str, str] = {}
    for name, value in row.items():
        if name in lawful:
            if not isinstance(value, str) or not lawful[name].fullmatch(value):
                raise damaged(name)
            texts[name] = value
        elif name not in ("state", "number", "bytes", "earlier"):
            raise damaged(str(name)[:40])
    for name in _NEEDED:
        if name not in texts:
            raise damaged(name)
    try:
        date.fromisoformat(texts["day"])
        for name in ("sent_at", "expires_at"):
            datetime.fromisoformat(texts.get(name, "2026-01-01T00:00:00Z"))
        known = Known(row["state"])
    except (KeyError, ValueError, TypeError):
        raise damaged("state` or `day") from None
    size = row.get("bytes")
    if known is K.DONE and (not _counts(size) or "sha256" not in texts):
        raise damaged("sha256` or `bytes")
    if known not in WITHOUT_TASK and "task" not in texts:
        raise damaged("task")
    earlier = row.get("earlier", [])
    if not isinstance(earlier, list) or not all(isinstance(e, str) and _DIGEST.fullmatch(e) for e in earlier):
        raise damaged("earlier")
    if not _counts(row.get("number")):
        raise damaged("number")
    paid = amount(texts["credits"])
    assert paid is not None
    return Line(
        take=texts["take"],
        known=known,
        key=texts["key"],
        number=row["number"],
        model=texts["model"],
        service=texts["service"],
        account=texts["account"],
        intent=texts["intent"],
        day=texts["day"],
        credits=paid,
        unit=texts["unit"],
        sha256=texts.get("sha256"),
        size_bytes=size,
        first=texts.get("first"),
        earlier=tuple(sorted(set(earlier))),
        task_id=texts.get("task"),
        sent_at=texts.get("sent_at"),
        expires_at=texts.get("expires_at"),
        error=texts.get("error"),
        storyboard=texts.get("storyboard", ""),
    )


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**53
