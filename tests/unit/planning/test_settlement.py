"""How a person settles what is unknown: what may be chosen and what it writes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from runner.core.lifecycle import Event, State
from runner.planning.history import Entry, Intent, Purchase, apply, fold, standing
from runner.planning.settlement import Decision, Unsettled, candidates, settle, unsettled
from runner.providers.provider import Listed

SENT = "2026-11-20T09:00:00.000Z"
SENT_S = 1795165200.0
ONE, TWO = "1" * 64, "2" * 64


def entries(take: str, key: str, *events: Event) -> list[Entry]:
    intent = Intent(
        key=key,
        purchase=1,
        storyboard="film",
        take=take,
        model="wan2.7-text-to-video",
        service="evolink",
        account="a" * 16,
        idempotency_key="i" * 40,
        body=b"{}",
        reserved=Decimal("12.75"),
        unit="credit",
    )
    first = Entry(at=SENT, event=Event.SEND, key=key, purchase=1, intent=intent)
    return [
        first,
        *(
            Entry(at=SENT, event=e, key=key, purchase=1, task_id="task-1" if e is Event.RECEIPT else None)
            for e in events
        ),
    ]


def history(*made: list[Entry]) -> dict[str, tuple[Purchase, ...]]:
    return fold([entry for some in made for entry in some])


UNKNOWN = history(entries("sea.1", ONE, Event.UNANSWERED), entries("hill.1", TWO, Event.UNANSWERED))


@pytest.mark.parametrize(
    ("event", "task_id", "state", "committed"),
    [
        (Event.ATTACHED, "task-9", State.WAITING, "12.75"),
        (Event.DISCLAIMED, None, State.DISCLAIMED, "0"),
        (Event.WRITTEN_OFF, None, State.WRITTEN_OFF, "12.75"),
    ],
)
def test_a_decision_settles_one_purchase_and_says_who(
    event: Event, task_id: str | None, state: State, committed: str
) -> None:
    (entry,) = settle(UNKNOWN, [Decision(name="sea.1", event=event, task_id=task_id)], at=SENT, by="me", held=set())
    after = apply(UNKNOWN[ONE][0], entry)
    assert (after.state, after.committed, after.task_id) == (state, Decimal(committed), task_id)
    assert entry.detail == {"by": "me"}


def test_all_decisions_or_none() -> None:
    decisions = [Decision(name="sea.1", event=Event.DISCLAIMED), Decision(name="town.1", event=Event.DISCLAIMED)]
    with pytest.raises(Unsettled, match=r"`town.1` names no purchase"):
        settle(UNKNOWN, decisions, at=SENT, by="me", held=set())


def test_one_task_is_attached_once() -> None:
    decisions = [Decision(name=name, event=Event.ATTACHED, task_id="task-9") for name in ("sea.1", "hill.1")]
    with pytest.raises(Unsettled, match="already belongs"):
        settle(UNKNOWN, decisions, at=SENT, by="me", held=set())
    with pytest.raises(Unsettled, match="already belongs"):
        settle(UNKNOWN, decisions[:1], at=SENT, by="me", held={"task-9"})


@pytest.mark.parametrize("task_id", ["..", "a/b", "", "-x", "x" * 129])
def test_an_unlawful_task_id_is_refused(task_id: str) -> None:
    with pytest.raises(Unsettled, match="no lawful task id"):
        settle(UNKNOWN, [Decision(name="sea.1", event=Event.ATTACHED, task_id=task_id)], at=SENT, by="me", held=set())


def test_a_purchase_is_settled_once_in_one_go() -> None:
    decisions = [Decision(name="sea.1", event=Event.DISCLAIMED), Decision(name=ONE[:8], event=Event.WRITTEN_OFF)]
    with pytest.raises(Unsettled, match="twice"):
        settle(UNKNOWN, decisions, at=SENT, by="me", held=set())


def test_a_name_of_several_purchases_must_be_a_key() -> None:
    both = history(entries("sea.1", ONE, Event.UNANSWERED), entries("sea.1", TWO, Event.UNANSWERED))
    with pytest.raises(Unsettled, match="name one by its key"):
        settle(both, [Decision(name="sea.1", event=Event.DISCLAIMED)], at=SENT, by="me", held=set())
    (entry,) = settle(both, [Decision(name=TWO[:8], event=Event.DISCLAIMED)], at=SENT, by="me", held=set())
    assert entry.key == TWO


def test_only_what_is_unknown_is_settled() -> None:
    waiting = history(entries("sea.1", ONE, Event.RECEIPT))
    with pytest.raises(Unsettled, match="is waiting"):
        settle(waiting, [Decision(name="sea.1", event=Event.WRITTEN_OFF)], at=SENT, by="me", held=set())
    assert unsettled(waiting) == ()
    assert [p.intent.take for p in unsettled(UNKNOWN)] == ["sea.1", "hill.1"]


def test_candidates_were_made_around_the_post_and_belong_to_nobody() -> None:
    def listed(name: str, seconds: float | None) -> Listed:
        return Listed(task_id=name, status="completed", created_s=seconds, charged=None)

    tasks = [
        listed("before", SENT_S - 1000),
        listed("near", SENT_S + 3),
        listed("nearest", SENT_S + 1),
        listed("held", SENT_S),
        listed("later", SENT_S + 5000),
    ]
    assert [c.task_id for c in candidates(UNKNOWN[ONE][0], tasks, {"held"})] == ["nearest", "near"]


def test_what_was_given_up_is_bought_again_until_a_later_purchase_ends() -> None:
    (off,) = settle(UNKNOWN, [Decision(name="sea.1", event=Event.WRITTEN_OFF)], at=SENT, by="me", held=set())
    first = apply(UNKNOWN[ONE][0], off)
    assert standing([first]) is first
    failed = apply(
        apply(None, replace(entries("sea.1", ONE)[0], purchase=2)), replace(entries("x", ONE, Event.RECEIPT)[1])
    )
    failed = apply(failed, Entry(at=SENT, event=Event.FAILED, key=ONE, purchase=2))
    assert standing([first, failed]) is failed
    assert standing([failed, first]) is first
