"""How a person settles purchases whose outcome is unknown: what may be chosen, and what it writes. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.core.lifecycle import Event, State
from runner.planning.history import Entry, History, Purchase
from runner.providers.provider import Listed

BEFORE_S = 120  # the service's clock may be as much behind ours
AFTER_S = 900
TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


class Unsettled(ValueError):
    """A decision that cannot be carried out; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to become of one purchase: ATTACHED with a task id, DISCLAIMED (not taken) or WRITTEN_OFF (buy again)."""

    name: str
    event: Event
    task_id: str | None = None


def unsettled(history: History) -> tuple[Purchase, ...]:
    """Purchases of unknown outcome, the oldest first."""
    found = [p for made in history.values() for p in made if p.state is State.UNKNOWN]
    return tuple(sorted(found, key=lambda p: p.at(Event.SEND) or ""))


def candidates(purchase: Purchase, listed: Iterable[Listed], held: set[str]) -> tuple[Listed, ...]:
    """Tasks of the account that may be this purchase: made around its POST and held by no other purchase."""
    sent = purchase.at(Event.SEND)
    if sent is None:
        return ()
    at = datetime.fromisoformat(sent).timestamp()
    near = [
        task
        for task in listed
        if task.task_id not in held and (task.created_s is None or at - BEFORE_S <= task.created_s <= at + AFTER_S)
    ]
    return tuple(sorted(near, key=lambda task: abs((task.created_s or at) - at)))


def settle(history: History, decisions: Sequence[Decision], *, at: str, by: str, held: set[str]) -> tuple[Entry, ...]:
    """The events of these decisions, all or none. `by` is who decides; `held` are task ids of other purchases. Raises `Unsettled`."""
    entries, chosen, tasks = [], set(), set(held)
    for decision in decisions:
        purchase = _named(history, decision)
        if (purchase.key, purchase.number) in chosen:
            raise Unsettled(f"`{decision.name}` is settled twice in one go")
        chosen.add((purchase.key, purchase.number))
        if decision.task_id is not None:
            if not TASK_ID.fullmatch(decision.task_id):
                raise Unsettled(f"`{decision.task_id}` is no lawful task id")
            if decision.task_id in tasks:
                raise Unsettled(f"task {decision.task_id} already belongs to another purchase")
            tasks.add(decision.task_id)
        entries.append(
            Entry(
                at=at,
                event=decision.event,
                key=purchase.key,
                purchase=purchase.number,
                task_id=decision.task_id,
                detail={"by": by},
            )
        )
    return tuple(entries)


def _named(history: History, decision: Decision) -> Purchase:
    """The purchase a take's id, or at least 8 digits of a key, names."""
    lawful = {State.UNKNOWN}
    if decision.event is Event.ATTACHED:
        lawful |= {State.WRITTEN_OFF, State.DISCLAIMED}
    of_name = [
        p
        for made in history.values()
        for p in made
        if p.intent.take == decision.name or (len(decision.name) >= 8 and p.key.startswith(decision.name))
    ]
    found = [p for p in of_name if p.state in lawful or (decision.event is Event.ATTACHED and _on_a_word(p))]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(p.key[:12] for p in found)
        raise Unsettled(f"`{decision.name}` names {len(found)} purchases; name one by its key: {keys}")
    if of_name:
        raise Unsettled(f"`{decision.name}` is {of_name[-1].state.value}, there is nothing to settle")
    raise Unsettled(f"`{decision.name}` names no purchase")


def _on_a_word(purchase: Purchase) -> bool:
    """Whether a purchase waits for a task that only a person's word gave it: a wrong one may be replaced."""
    return purchase.state in (State.WAITING, State.OVERDUE) and purchase.at(Event.ATTACHED) is not None
