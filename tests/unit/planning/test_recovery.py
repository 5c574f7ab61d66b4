"""What a later run says first of what an earlier one left behind."""

import pytest
from purchases import AT, entry, life, purchase

from runner.core.lifecycle import ENDED, Event, State
from runner.core.money import ZERO
from runner.planning.history import Entry, Purchase, apply, fold
from runner.planning.recovery import applied, asked_again, entries, misplaced


def recovered(history: dict[str, tuple[Purchase, ...]], *, here: bool = True) -> tuple[Entry, ...]:
    return entries(history, at=AT, ephemeral=lambda service: service.startswith("animatic/"), here=lambda _: here)


def after(state: State, service: str = "evolink", *, here: bool = True) -> State:
    history = fold(life(state, service=service))
    [found] = applied(history, recovered(history, here=here))["k"]
    return found.state


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("here", [True, False])
def test_on_a_service_that_lives_on_only_an_intent_without_an_answer_becomes_unknown(state: State, here: bool) -> None:
    assert after(state, here=here) is (State.UNKNOWN if state is State.INTENDED else state)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("here", [True, False])
def test_on_a_service_that_died_only_a_clip_that_is_here_counts(state: State, here: bool) -> None:
    expected = {State.REFUSED: State.REFUSED, State.DONE: State.DONE if here else State.VOID}.get(state, State.VOID)
    assert after(state, "animatic/1", here=here) is expected


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("service", ["evolink", "animatic/1"])
def test_recovering_twice_adds_nothing(state: State, service: str) -> None:
    history = fold(life(state, service=service))
    once = applied(history, recovered(history, here=False))
    assert recovered(once, here=False) == ()


def test_the_events_are_lawful_for_the_journal_in_the_order_given() -> None:
    lives = [
        one
        for n, state in enumerate(State)
        for one in life(state, f"k{n}", service="animatic/1" if n % 2 else "evolink")
    ]
    history = fold(lives)
    added = recovered(history, here=False)
    assert fold([*lives, *added]) == applied(history, added)


def test_every_purchase_of_a_key_is_recovered() -> None:
    history = fold([*life(State.INTENDED, "k", 1), *life(State.INTENDED, "k", 2)])
    assert [p.state for p in applied(history, recovered(history))["k"]] == [State.UNKNOWN] * 2


def test_a_clip_that_is_not_here_any_more_is_missing() -> None:
    history = fold([*life(State.DONE, "k"), *life(State.FAILED, "k", 2), *life(State.DONE, "other")])
    added = misplaced(history, ["k", "k", "new"], at=AT, here=lambda _: False)
    assert [(e.key, e.purchase, e.event) for e in added] == [("k", 1, Event.MISPLACED)]
    assert [p.state for p in applied(history, added)["k"]] == [State.MISSING, State.FAILED]
    assert misplaced(history, ["k"], at=AT, here=lambda _: True) == ()


# Ends that are asked about once more


def asked(*purchases: Purchase) -> list[str]:
    history: dict[str, tuple[Purchase, ...]] = {}
    for one in purchases:
        history[one.key] = (*history.get(one.key, ()), one)
    return [p.key for p in asked_again(history, "evolink")]


@pytest.mark.parametrize("state", State)
def test_an_end_whose_reservation_is_kept_is_asked_about_once_more(state: State) -> None:
    assert bool(asked(purchase(state))) == (state in ENDED)


def test_an_end_that_is_settled_is_left_alone() -> None:
    waiting = purchase(State.WAITING)
    assert asked(apply(waiting, entry(Event.FAILED))) == ["k"]
    assert asked(apply(waiting, entry(Event.FAILED, released=True))) == []
    assert asked(apply(waiting, entry(Event.FAILED, charged=ZERO))) == []
    assert asked(purchase(State.LOST, reserved="0")) == []  # a free service keeps nothing


def test_another_service_is_not_asked() -> None:
    assert asked(purchase(State.LOST, service="evolink@elsewhere")) == []


def test_an_end_is_asked_about_though_its_key_was_bought_again() -> None:
    assert asked(purchase(State.LOST), purchase(State.DONE, number=2)) == ["k"]
