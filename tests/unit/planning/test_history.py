"""Purchases folded from events: what is committed, what is known, and what a key stands at."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from purchases import AT, CLIP, entry, life, purchase, sent

from runner.core.lifecycle import COMMITS, ENDED, OPEN, TABLE, UNTAKEN, Event, State, Unlawful
from runner.core.money import ZERO
from runner.planning.history import STANDING, Entry, Purchase, apply, fold, standing


@pytest.mark.parametrize("state", State)
def test_events_lead_to_their_state(state: State) -> None:
    assert fold(life(state)) == {"k": (purchase(state),)}
    assert purchase(state).state is state


def test_purchases_stand_by_key_in_the_order_of_their_numbers() -> None:
    entries = [
        *life(State.FAILED, "b", 2),
        *life(State.DONE, "a", 10),
        *life(State.REFUSED, "b", 1),
        *life(State.HELD, "a", 9),
    ]
    assert {key: [p.number for p in made] for key, made in fold(entries).items()} == {"a": [9, 10], "b": [1, 2]}


def test_events_of_several_purchases_may_be_written_in_any_mixture() -> None:
    lives = [life(State.DONE, "a"), life(State.FAILED, "b"), life(State.UNFETCHED, "a", 2)]
    mixed = [
        one
        for row in zip(*(list(made) + [None] * (5 - len(made)) for made in lives), strict=True)
        for one in row
        if one
    ]
    assert fold(mixed) == fold(one for made in lives for one in made)


@given(st.lists(st.sampled_from(list(Event)), max_size=12))
def test_a_fold_is_lawful_or_refused(events: list[Event]) -> None:
    """A history is never bent to fit: the fold of any events is the walk through the table, or Unlawful."""
    state: State | None = None
    lawful = True
    entries = []
    for event in events:
        entries.append(sent() if event is Event.SEND and not entries else entry(event))
        lawful = lawful and (state, event) in TABLE
        state = TABLE.get((state, event))
    if lawful:
        folded = fold(entries)
        assert [p.state for p in folded.get("k", ())] == ([state] if state else [])
    else:
        with pytest.raises(Unlawful):
            fold(entries)


def test_a_first_event_brings_its_intent() -> None:
    with pytest.raises(ValueError, match="without its intent"):
        fold([Entry(at=AT, event=Event.SEND, key="k", purchase=1)])


@pytest.mark.parametrize("state", State)
def test_what_was_reserved_is_committed_as_the_state_says(state: State) -> None:
    assert purchase(state).committed == (Decimal("25.5") if state in COMMITS else ZERO)


@pytest.mark.parametrize("state", State)
def test_a_free_service_commits_nothing_in_any_state(state: State) -> None:
    assert purchase(state, reserved="0").committed == ZERO


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_a_failed_task_gives_back_only_when_the_reply_says_so(state: State) -> None:
    event = Event(state.value)
    waiting = purchase(State.WAITING)
    assert apply(waiting, entry(event)).committed == Decimal("25.5")
    assert apply(waiting, entry(event, released=False)).committed == Decimal("25.5")
    assert apply(waiting, entry(event, released=True)).committed == ZERO
    assert apply(waiting, entry(event, charged=Decimal(3))).committed == Decimal(3)


def test_the_charge_counts_once_it_is_known() -> None:
    waiting = purchase(State.WAITING)
    assert apply(waiting, entry(Event.COMPLETED, charged=Decimal("20.4"))).committed == Decimal("20.4")
    assert apply(waiting, entry(Event.COMPLETED, charged=Decimal("30.1"))).committed == Decimal("30.1")
    done = apply(apply(waiting, entry(Event.COMPLETED, charged=Decimal("20.4"))), entry(Event.FETCHED))
    assert done.committed == Decimal("20.4")


def test_what_was_charged_and_later_given_back_counts_no_more() -> None:
    charged = apply(purchase(State.WAITING), entry(Event.FAILED, charged=Decimal(5)))
    assert apply(charged, entry(Event.FAILED, released=True)).committed == ZERO


def test_the_higher_reservation_counts() -> None:
    intended = purchase(State.INTENDED)
    assert apply(intended, entry(Event.RECEIPT, task_id="t", reserved="30")).committed == Decimal(30)
    assert apply(intended, entry(Event.RECEIPT, task_id="t", reserved="20")).committed == Decimal("25.5")
    assert apply(intended, entry(Event.RECEIPT, task_id="t", reserved=None)).committed == Decimal("25.5")
    assert apply(intended, entry(Event.RECEIPT, task_id="t", reserved="junk")).committed == Decimal("25.5")


def test_what_is_known_stays_known_and_is_renewed() -> None:
    one = purchase(State.COMPLETED)
    assert (one.task_id, one.links) == ("task-k-1", ("https://cdn.example/k.mp4",))
    one = apply(one, entry(Event.COMPLETED, links=["https://new.example/1"]))
    assert one.links == ("https://new.example/1",)
    one = apply(apply(one, entry(Event.UNFETCHED, error={"code": "unfetched"})), entry(Event.COMPLETED))
    assert (one.task_id, one.links, one.error) == ("task-k-1", ("https://new.example/1",), {"code": "unfetched"})
    one = apply(one, entry(Event.FETCHED, clip=CLIP, at="2026-11-20T09:00:00.000Z"))
    assert one.result == CLIP
    assert one.at(Event.FETCHED) == "2026-11-20T09:00:00.000Z"
    assert one.at(Event.LOST) is None


@pytest.mark.parametrize(
    "detail", [{"links": "x"}, {"eta_s": "1"}, {"clip": []}, {"error": "x"}, {"reserved": []}, {"released": 1}]
)
def test_a_detail_of_another_kind_than_it_was_written_is_left_aside(detail: dict[str, object]) -> None:
    assert apply(purchase(State.WAITING), entry(Event.COMPLETED, **detail)) is not None


# What a key stands at


def made(*states: State) -> tuple[Purchase, ...]:
    return tuple(purchase(state, number=n) for n, state in enumerate(states, 1))


def test_every_state_has_its_rank() -> None:
    assert sorted(state for states in STANDING for state in states) == sorted(State)


def test_nothing_was_ever_bought_of_a_new_key() -> None:
    assert standing(()) is None


@pytest.mark.parametrize(("first", "second"), list(product(State, State)))
def test_a_key_is_free_to_buy_only_if_nothing_was_taken_by_any_purchase(first: State, second: State) -> None:
    found = standing(made(first, second))
    assert found is not None
    assert (found.state in UNTAKEN) == (first in UNTAKEN and second in UNTAKEN)


@pytest.mark.parametrize("later", sorted(UNTAKEN))
@pytest.mark.parametrize("end", sorted(ENDED))
def test_a_retry_that_took_nothing_leaves_the_key_at_its_end(end: State, later: State) -> None:
    found = standing(made(end, later))
    assert found is not None
    assert found.number == 1


def test_a_clip_wins_over_everything_and_what_is_open_over_every_end() -> None:
    others = [state for state in State if state is not State.DONE]
    assert [standing(made(State.DONE, other)).number for other in others] == [1] * len(others)  # type: ignore[union-attr]
    for open_one, end in product(OPEN, ENDED):
        assert standing(made(open_one, end)).number == 1  # type: ignore[union-attr]


def test_of_equals_the_latest_counts() -> None:
    for state in State:
        assert standing(made(state, state)).number == 2  # type: ignore[union-attr]


def test_a_clip_that_is_fetched_again_with_other_bytes_keeps_the_name_it_had_first() -> None:
    again = [entry(event) for event in (Event.MISPLACED, Event.COMPLETED)]
    same = fold([*life(State.DONE), *again, entry(Event.FETCHED, clip=CLIP)])["k"][0]
    assert (same.first_sha256, same.digests) == ("", {CLIP["sha256"]})
    other = {**CLIP, "sha256": "cd" * 32}
    made = [*life(State.DONE), *again, entry(Event.FETCHED, clip=other)]
    assert fold(made)["k"][0].first_sha256 == CLIP["sha256"]
    (twice,) = fold([*made, *again, entry(Event.FETCHED, clip={**CLIP, "sha256": "ef" * 32})])["k"]
    assert (twice.first_sha256, twice.clip[0]) == (CLIP["sha256"], "ef" * 32)
    assert twice.digests == {CLIP["sha256"], "cd" * 32, "ef" * 32}  # somebody may have picked it by any of them
