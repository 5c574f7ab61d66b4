"""What a later run must say of purchases an earlier one left behind, before it decides anything."""

from collections.abc import Callable, Iterable

from runner.core.lifecycle import ENDED, IN_DOUBT, Event, State
from runner.core.money import ZERO
from runner.planning.history import Entry, History, Purchase, apply


def entries(
    history: History, *, at: str, ephemeral: Callable[[str], bool], here: Callable[[Purchase], bool]
) -> tuple[Entry, ...]:
    """Events to add. `ephemeral(service)`: the service died with its process and owes nothing; `here`: the clip's bytes are on this machine.

    An intent without an answer is unknown on a service that lives on. On an ephemeral one whatever is not a clip on this
    machine is void, and made again.
    """
    found: list[Entry] = []
    for made in history.values():
        for purchase in made:
            found.extend(_of(purchase, at, ephemeral(purchase.intent.service), here))
    return tuple(found)


def _of(purchase: Purchase, at: str, dead: bool, here: Callable[[Purchase], bool]) -> Iterable[Entry]:
    def entry(event: Event, **detail: object) -> Entry:
        return Entry(at=at, event=event, key=purchase.key, purchase=purchase.number, detail=detail)

    if dead and purchase.state in (State.VOID, State.REFUSED):
        return
    if dead and purchase.state is State.DONE:
        if not here(purchase):
            yield entry(Event.MISPLACED)
            yield entry(Event.VOIDED)
    elif dead:
        yield entry(Event.VOIDED)
    elif purchase.state in IN_DOUBT:
        reason = "the run ended before the answer to the POST was known"
        yield entry(Event.UNANSWERED, error={"code": "no-answer", "message": reason})


def misplaced(history: History, keys: Iterable[str], *, at: str, here: Callable[[Purchase], bool]) -> tuple[Entry, ...]:
    """Events for clips of these keys that were here once and are not any more."""
    return tuple(
        Entry(at=at, event=Event.MISPLACED, key=key, purchase=purchase.number)
        for key in dict.fromkeys(keys)
        for purchase in history.get(key, ())
        if purchase.state is State.DONE and not here(purchase)
    )


def applied(history: History, added: Iterable[Entry]) -> dict[str, tuple[Purchase, ...]]:
    """The history as it will be once `added` is recorded."""
    result = dict(history)
    for entry in added:
        made = {p.number: p for p in result.get(entry.key, ())}
        made[entry.purchase] = apply(made.get(entry.purchase), entry)
        result[entry.key] = tuple(made[number] for number in sorted(made))
    return result


def asked_again(history: History, service: str) -> tuple[Purchase, ...]:
    """Ends at a service whose reservation is still kept: every run asks about them once more, since the service may have
    found the task, made its clip or given the credits back."""
    return tuple(
        p
        for made in history.values()
        for p in made
        if p.state in ENDED and p.intent.service == service and p.task_id and p.charged is None and p.committed > ZERO
    )
