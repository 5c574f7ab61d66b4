"""The life of a purchase as one table: what is lawful, and nothing else."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.lifecycle import COMMITS, ENDED, GIVEN_UP, IN_DOUBT, OPEN, TABLE, UNTAKEN, Event, State, Unlawful, step

S, E = State, Event
PAIRS = [*product([None, *State], Event)]


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_every_pair_is_in_the_table_or_unlawful(state: State | None, event: Event) -> None:
    if (state, event) in TABLE:
        assert step(state, event) is TABLE[state, event]
    else:
        with pytest.raises(Unlawful):
            step(state, event)


def test_a_later_run_does_one_thing_with_every_state() -> None:
    groups = [IN_DOUBT, OPEN, ENDED, UNTAKEN, GIVEN_UP, {S.DONE}, {S.MISSING}, {S.UNKNOWN}]
    assert sorted(state for group in groups for state in group) == sorted(State)


def test_what_was_reserved_counts_unless_certainly_nothing_was_taken() -> None:
    assert set(State) - UNTAKEN == COMMITS


def test_everything_begins_with_a_send() -> None:
    assert [event for state, event in TABLE if state is None] == [E.SEND]


def test_only_an_intent_or_what_was_certainly_not_taken_is_sent() -> None:
    """No other way leads to a POST, so none leads to a second charge."""
    assert {state for state, event in TABLE if event is E.SEND} == {None, S.HELD}
    assert {state for (state, _), after in TABLE.items() if after is S.HELD} == {S.INTENDED}


LEFT_BY = {
    S.DONE: {E.MISPLACED, E.ADOPTED},  # its file is gone, or its facts are read again
    # Its bytes turn up in the out folder, or its task still answers: all of it for nothing. Older journals say that it expired.
    S.MISSING: {E.VOIDED, E.ADOPTED, E.COMPLETED, E.UNAVAILABLE, E.TAKEN_OVER, E.EXPIRED},
    S.REFUSED: set(),
    S.VOID: set(),
    # Its service died with its process; everything else is a person's decision.
    S.UNKNOWN: {E.VOIDED, E.ATTACHED, E.DISCLAIMED, E.WRITTEN_OFF},
    S.DISCLAIMED: {E.VOIDED, E.ATTACHED},  # its task turned up after all
    S.WRITTEN_OFF: {E.VOIDED, E.ATTACHED},
    S.FAILED: {E.VOIDED, E.COMPLETED, E.FAILED},
    S.CANCELLED: {E.VOIDED, E.COMPLETED, E.CANCELLED},
    S.LOST: {E.VOIDED, E.COMPLETED, E.FAILED, E.CANCELLED, E.RESUMED},
    S.EXPIRED: {E.VOIDED, E.COMPLETED, E.ADOPTED},
}


@pytest.mark.parametrize("state", sorted(LEFT_BY))
def test_an_end_is_left_only_as_the_rules_say(state: State) -> None:
    assert {event for (before, event) in TABLE if before is state} == LEFT_BY[state]


def test_nothing_but_a_resume_or_a_result_leads_out_of_an_end_into_work() -> None:
    ways = {(before, event) for (before, event), after in TABLE.items() if before in ENDED and after in OPEN}
    assert {event for _, event in ways} == {E.COMPLETED, E.RESUMED}


def test_a_refusal_can_only_follow_an_intent() -> None:
    assert {before for (before, event) in TABLE if event in (E.REFUSED, E.NOT_TAKEN, E.UNANSWERED, E.RECEIPT)} == {
        S.INTENDED
    }


def test_every_state_can_be_reached() -> None:
    assert set(TABLE.values()) == set(State)


def test_what_a_dead_service_leaves_can_be_voided_from_any_state_but_a_clip_and_a_refusal() -> None:
    assert {before for before, event in TABLE if event is E.VOIDED} == set(State) - {S.DONE, S.REFUSED, S.VOID}


@given(st.lists(st.sampled_from(list(Event)), max_size=30))
def test_a_life_holds_at_most_one_receipt(events: list[Event]) -> None:
    state, lived = None, []
    for event in events:
        try:
            state = step(state, event)
        except Unlawful:
            continue
        lived.append(event)
    assert lived.count(E.RECEIPT) <= 1
    assert lived.count(E.UNANSWERED) + lived.count(E.RECEIPT) + lived.count(E.REFUSED) <= 1


def test_the_message_names_state_and_event() -> None:
    assert str(Unlawful(None, E.FETCHED)) == "a purchase that is new cannot take the event fetched"
    assert str(Unlawful(S.DONE, E.SEND)) == "a purchase that is done cannot take the event send"
