"""What the lock in git knows and the journal does not: purchases of other machines, taken in before anything is decided. Pure.

The journal alone knows what this machine sent; of everything else the lock is believed as far as it keeps something from
being bought twice, and never where it would let something be bought.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from runner.core.lifecycle import ENDED, OPEN, UNTAKEN, Event, State
from runner.planning.history import Entry, History, Intent, Purchase
from runner.planning.lockfile import Damaged, Known, Line

E, K, S = Event, Known, State
TOLD = {"code": "no-answer", "message": "the lock in git tells of it; another machine sent it"}
# The events that lead from a receipt to what the lock says.
_TO: dict[Known, tuple[Event, ...]] = {
    K.OPEN: (),
    K.FAILED: (E.FAILED,),
    K.CANCELLED: (E.CANCELLED,),
    K.LOST: (E.LOST,),
    K.EXPIRED: (E.COMPLETED, E.EXPIRED),
    K.DONE: (E.COMPLETED, E.FETCHED),
}
_GIVEN_UP = {K.DISCLAIMED: E.DISCLAIMED, K.WRITTEN_OFF: E.WRITTEN_OFF}
_IN_DOUBT = frozenset({S.UNKNOWN, S.DISCLAIMED, S.WRITTEN_OFF})


def entries(lines: Iterable[Line], history: History, *, storyboard: str, at: str) -> tuple[Entry, ...]:
    """Events to add, in the order to write them; `at` is now. Raises `Damaged` where a line's task is another purchase's."""
    held = {
        (p.intent.service, account, p.task_id): p.intent.idempotency_key
        for made in history.values()
        for p in made
        for account in {p.intent.account, p.account}
        if p.task_id
    }
    numbers = {key: {p.number for p in made} for key, made in history.items()}
    found: list[Entry] = []
    for line in sorted(lines, key=lambda line: (line.key, line.at, line.number, line.intent)):
        if line.task_id and held.setdefault((line.service, line.account, line.task_id), line.intent) != line.intent:
            raise Damaged(f"is damaged: task {line.task_id} of `{line.take}` belongs to another purchase")
        ours = [p for p in history.get(line.key, ()) if p.intent.idempotency_key == line.intent]
        taken = [p for p in ours if p.state not in UNTAKEN or p.state is S.DISCLAIMED]
        if taken:
            found.extend(_advance(taken[-1], line, at))
        elif not _our_own(ours, line):
            used = numbers.setdefault(line.key, set())
            number = line.number if line.number not in used else max(used) + 1
            used.add(number)
            found.extend(_new(line, number, storyboard))
    return tuple(found)


def named(lines: Iterable[Line], history: History) -> History:
    """The history with every digest by which the lock knows a clip: its task gave other bytes to another machine, and somebody
    may have picked it by those."""
    known = {line.intent: line.digests for line in lines if line.digests}

    def one(purchase: Purchase) -> Purchase:
        more = known.get(purchase.intent.idempotency_key, frozenset()) - purchase.digests
        return replace(purchase, earlier=purchase.earlier | more) if more and purchase.result else purchase

    return {key: tuple(one(p) for p in made) for key, made in history.items()} if known else history


def _our_own(ours: list[Purchase], line: Line) -> bool:
    """Whether the line tells of a sending of ours that certainly took nothing: the lock was written before the answer came, or
    a person says the same."""
    sent = {at for p in ours for at, event in p.timeline if event == E.SEND}
    return bool(ours) and (line.known is K.DISCLAIMED or (line.known is K.UNKNOWN and line.sent_at in sent))


def _new(line: Line, number: int, storyboard: str) -> Iterator[Entry]:
    intent = Intent(
        key=line.key,
        purchase=number,
        storyboard=line.storyboard or storyboard,
        take=line.take,
        model=line.model,
        service=line.service,
        account=line.account,
        idempotency_key=line.intent,
        body=b"",
        reserved=line.credits,
        unit=line.unit,
    )
    place = (line.key, number)
    yield Entry(at=line.at, event=E.SEND, key=line.key, purchase=number, intent=intent)
    if line.known in _TO:
        yield _event(line, place, E.RECEIPT, line.at)
        yield from (_event(line, place, event, line.at) for event in _TO[line.known])
    else:
        yield _event(line, place, E.UNANSWERED, line.at)
        if line.known in _GIVEN_UP:
            yield _event(line, place, _GIVEN_UP[line.known], line.at)


def _advance(known: Purchase, line: Line, at: str) -> Iterator[Entry]:
    """Events that bring a purchase as far as the lock says it got. A person's word that lets something be bought again counts
    only for purchases that other machines made."""
    place, state = (known.key, known.number), known.state
    if state is S.UNKNOWN and known.foreign and line.known in _GIVEN_UP:
        yield _event(line, place, _GIVEN_UP[line.known], at)
    elif state in _IN_DOUBT and line.known in _TO:
        yield _event(line, place, E.ATTACHED, at)
        yield from (_event(line, place, event, at) for event in _TO[line.known])
    elif line.known is K.DONE and known.result is None and (state in OPEN or state in ENDED):
        if state is S.OVERDUE:
            yield _event(line, place, E.RESUMED, at)
        yield from (_event(line, place, event, at) for event in _TO[K.DONE])
    elif state is S.WAITING and known.foreign and line.known in _TO:
        yield from (_event(line, place, event, at) for event in _TO[line.known])


def _event(line: Line, place: tuple[str, int], event: Event, at: str) -> Entry:
    """One event with what the lock knows of it."""
    detail: dict[str, object] = {"from": "lock"}
    match event:
        case E.FETCHED:
            detail["clip"] = {"sha256": line.sha256, "size_bytes": line.size_bytes}
            if line.first:
                detail["first"] = line.first
            if line.earlier:
                detail["earlier"] = list(line.earlier)
        case E.UNANSWERED:
            detail["error"] = TOLD
        case E.FAILED | E.CANCELLED | E.LOST | E.EXPIRED:
            detail["error"] = {"code": line.error or line.known.value, "message": "as the lock in git tells"}
            detail["released"] = line.credits == 0
    return Entry(
        at=at,
        event=event,
        key=place[0],
        purchase=place[1],
        task_id=line.task_id if event in (E.RECEIPT, E.ATTACHED) else None,
        charged=line.credits if event is E.COMPLETED and line.known is K.DONE else None,
        detail=detail,
    )
