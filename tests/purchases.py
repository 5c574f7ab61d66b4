"""Entries and purchases for tests, with what a test does not care about filled in."""

from decimal import Decimal
from typing import Any

from runner.core.lifecycle import Event, State
from runner.planning.history import Entry, Intent, Purchase, apply

AT = "2026-11-20T08:00:00.000Z"
CLIP = {"sha256": "c" * 64, "size_bytes": 5}


def intent(key: str = "k", purchase: int = 1, *, reserved: str = "25.5", **more: Any) -> Intent:
    told: dict[str, Any] = {
        "storyboard": "film",
        "take": f"{key}.1",
        "model": "m",
        "service": "evolink",
        "account": "a",
        "idempotency_key": f"{key}-{purchase}",
        "body": b"{}",
        "unit": "credit",
        **more,
    }
    return Intent(key=key, purchase=purchase, reserved=Decimal(reserved), **told)


def sent(key: str = "k", purchase: int = 1, **more: Any) -> Entry:
    return Entry(at=AT, event=Event.SEND, key=key, purchase=purchase, intent=intent(key, purchase, **more))


def entry(event: Event, key: str = "k", purchase: int = 1, **more: Any) -> Entry:
    top = {name: more.pop(name) for name in ("at", "task_id", "charged") if name in more}
    return Entry(**{"at": AT, **top}, event=event, key=key, purchase=purchase, detail=more)


ERROR = {"code": "service_error", "message": "it broke"}
# The events that lead to each state from nothing.
WAYS: dict[State, tuple[Event, ...]] = {
    State.INTENDED: (Event.SEND,),
    State.HELD: (Event.SEND, Event.NOT_TAKEN),
    State.REFUSED: (Event.SEND, Event.REFUSED),
    State.UNKNOWN: (Event.SEND, Event.UNANSWERED),
    State.WAITING: (Event.SEND, Event.RECEIPT),
    State.OVERDUE: (Event.SEND, Event.RECEIPT, Event.OVERDUE),
    State.FAILED: (Event.SEND, Event.RECEIPT, Event.FAILED),
    State.CANCELLED: (Event.SEND, Event.RECEIPT, Event.CANCELLED),
    State.LOST: (Event.SEND, Event.RECEIPT, Event.LOST),
    State.COMPLETED: (Event.SEND, Event.RECEIPT, Event.COMPLETED),
    State.UNFETCHED: (Event.SEND, Event.RECEIPT, Event.COMPLETED, Event.UNFETCHED),
    State.EXPIRED: (Event.SEND, Event.RECEIPT, Event.COMPLETED, Event.EXPIRED),
    State.DONE: (Event.SEND, Event.RECEIPT, Event.COMPLETED, Event.FETCHED),
    State.DISCLAIMED: (Event.SEND, Event.UNANSWERED, Event.DISCLAIMED),
    State.WRITTEN_OFF: (Event.SEND, Event.UNANSWERED, Event.WRITTEN_OFF),
    State.MISSING: (Event.SEND, Event.RECEIPT, Event.COMPLETED, Event.FETCHED, Event.MISPLACED),
    State.VOID: (Event.SEND, Event.VOIDED),
}


def life(state: State, key: str = "k", purchase: int = 1, **more: Any) -> tuple[Entry, ...]:
    """Entries that leave a purchase in `state`; keywords go to its intent."""
    told: dict[Event, dict[str, Any]] = {
        Event.RECEIPT: {"task_id": f"task-{key}-{purchase}"},
        Event.COMPLETED: {"links": [f"https://cdn.example/{key}.mp4"]},
        Event.FETCHED: {"clip": CLIP},
        Event.REFUSED: {"error": ERROR},
        Event.FAILED: {"error": ERROR},
        Event.LOST: {"error": {"code": "lost", "message": "gone"}},
    }
    _, *rest = WAYS[state]
    return (sent(key, purchase, **more), *(entry(event, key, purchase, **told.get(event, {})) for event in rest))


def purchase(state: State, key: str = "k", number: int = 1, **more: Any) -> Purchase:
    found: Purchase | None = None
    for one in life(state, key, number, **more):
        found = apply(found, one)
    assert found is not None
    return found
