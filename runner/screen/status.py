"""What the journal knows of all purchases: as text or JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.core.lifecycle import OPEN, Event, State
from runner.core.money import total
from runner.planning.history import Purchase
from runner.screen import clean
from runner.screen.amounts import count, duration, in_credits
from runner.screen.colour import Style, paint
from runner.screen.table import Cell, Column, table

SCHEMA = "shotrunner.status.v1"
_ORDER = tuple(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """`missing` are purchases whose clip is not in the store; `free` names providers that cost nothing; `link_life_s` is how
    long a result's link lives from completion."""

    state: str
    purchases: Sequence[Purchase]
    missing: Sequence[Purchase]
    free: frozenset[str]
    link_life_s: float
    now: datetime

    def is_free(self, purchase: Purchase) -> bool:
        return purchase.intent.service.partition("/")[0] in self.free

    def dies_at(self, purchase: Purchase) -> datetime | None:
        """When the purchase's link dies, as far as is known."""
        completed = purchase.at(Event.COMPLETED)
        return datetime.fromisoformat(completed) + timedelta(seconds=self.link_life_s) if completed else None

    @property
    def owed(self) -> list[Purchase]:
        """What is paid and not here, what dies first on top."""
        some = [p for p in self.purchases if p.state in OPEN and not self.is_free(p)]
        return sorted(some, key=lambda p: (self.dies_at(p) is None, self.dies_at(p) or self.now, p.intent.take))

    @property
    def unknown(self) -> list[Purchase]:
        return [p for p in self.purchases if p.state in (State.UNKNOWN, State.INTENDED) and not self.is_free(p)]


def text(ledger: Ledger, *, colour: bool) -> str:
    """For people: a row a storyboard and service, then what is owed and what is unknown."""
    head = f"state in {clean.words(ledger.state)}: {count(len(ledger.purchases), 'purchase')}\n"
    if not ledger.purchases:
        return f"{head}nothing has been made here yet\n"
    columns = (Column(title="STORYBOARD"), Column(title="SERVICE"), Column(title="STATES"), Column(title="COMMITTED"))
    parts = [head, "\n", table(_storyboards(ledger), columns, colour=colour)]
    if owed := ledger.owed:
        columns = (Column(title="OWED"), Column(title="STATE"), Column(title="TASK"), Column(title="FETCH WITHIN"))
        rows = [(p.intent.take, p.state.value, p.task_id or "", _left(ledger, p)) for p in owed]
        parts += ["\n", table(rows, columns, colour=colour)]
    if unknown := ledger.unknown:
        columns = (Column(title="UNKNOWN"), Column(title="SENT"), Column(title="KEY"), Column(title="BODY SHA256"))
        rows = [(p.intent.take, p.at(Event.SEND) or "", p.key[:12], p.body_sha256[:12]) for p in unknown]
        parts += ["\n", table(rows, columns, colour=colour)]
    if ledger.missing:
        parts.append(
            f"\n{count(len(ledger.missing), 'clip')} bought before {'is' if len(ledger.missing) == 1 else 'are'} no longer in the store\n"
        )
    committed = total(p.committed for p in ledger.purchases)
    parts.append(f"\n{paint(in_credits(committed) + ' committed in all', Style.STRONG, colour=colour)}\n")
    return "".join(parts)


def _storyboards(ledger: Ledger) -> Iterator[tuple[str | Cell, ...]]:
    groups: dict[tuple[str, str], list[Purchase]] = {}
    for purchase in ledger.purchases:
        groups.setdefault((purchase.intent.storyboard, purchase.intent.service), []).append(purchase)
    for (storyboard, service), made in sorted(groups.items()):
        states = Counter(p.state for p in made)
        words = ", ".join(f"{states[state]} {state.value}" for state in _ORDER if states[state])
        cost = "free" if ledger.is_free(made[0]) else in_credits(total(p.committed for p in made))
        yield storyboard, service, words, cost


def _left(ledger: Ledger, purchase: Purchase) -> str:
    dies = ledger.dies_at(purchase)
    if dies is None:
        return "not finished yet"
    left = (dies - ledger.now).total_seconds()
    return duration(left) if left > 0 else "its link is dead; the task may give a fresh one"


def as_json(ledger: Ledger) -> str:
    """For programs: `schema` "shotrunner.status.v1", `state`, `purchases` (storyboard, take, service, model, key, number, state, task_id,
    sent_at, link_dies_at, committed, body_sha256, error), `missing` (keys), `committed` in all."""
    rows = [
        {
            "storyboard": p.intent.storyboard,
            "take": p.intent.take,
            "service": p.intent.service,
            "model": p.intent.model,
            "key": p.key,
            "number": p.number,
            "state": p.state.value,
            "task_id": p.task_id,
            "sent_at": p.at(Event.SEND),
            "link_dies_at": dies.strftime("%Y-%m-%dT%H:%M:%SZ") if (dies := ledger.dies_at(p)) else None,
            "committed": str(p.committed),
            "body_sha256": p.body_sha256,
            "error": dict(p.error) if p.error else None,
        }
        for p in ledger.purchases
    ]
    committed = str(total(p.committed for p in ledger.purchases))
    document = {
        "schema": SCHEMA,
        "state": ledger.state,
        "purchases": rows,
        "missing": [p.key for p in ledger.missing],
        "committed": committed,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
