"""One action for each take, and never one that buys what was or may have been bought."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest
from actions import request, take
from hypothesis import given
from hypothesis import strategies as st
from purchases import entry, purchase

from runner.core.lifecycle import ENDED, GIVEN_UP, OPEN, UNTAKEN, Event, State
from runner.core.request import Request
from runner.language.take import Take
from runner.planning.history import History, Purchase, apply, standing
from runner.planning.plan import Act, Action, Facts, Plan, Wishes, make

PRICE = Decimal("25.5")


def requests(takes: Sequence[Take], **keys: str) -> dict[str, Request]:
    return {t.id: request(t.id, key=keys.get(t.shot, f"key of {t.id}"), price=PRICE) for t in takes}


def planned(
    history: History | None = None,
    *names: str,
    keys: Mapping[str, str] | None = None,
    retry: Sequence[str] = (),
    shots: Sequence[str] = (),
    here: bool = True,
    missing: bool = False,
    found: str = "",
    last: Callable[[str], Mapping[str, object] | None] = lambda _: None,
) -> Plan:
    takes = [take(name) for name in names or ("a.1",)]
    return make(
        takes,
        requests(takes, **(keys or {})),
        history or {},
        Facts(
            wishes=Wishes(
                selected=lambda t: not shots or t.id in shots, retried=lambda t: t.id in retry, missing=missing
            ),
            here=lambda _: here,
            last_inputs=last,
            found=lambda _: found,
        ),
    )


def made(*states: State, key: str = "key of a.1") -> dict[str, tuple[Purchase, ...]]:
    return {key: tuple(purchase(state, key, n) for n, state in enumerate(states, 1))}


def only(plan: Plan) -> Action:
    [action] = plan.actions
    return action


def test_what_was_never_bought_is_bought() -> None:
    action = only(planned())
    assert (action.act, action.reason, action.price, action.purchase) == (Act.BUY, "new", PRICE, None)


def test_the_reason_names_what_changed_since_the_take_last_had_a_clip() -> None:
    plan = planned(last=lambda _: {"body": {"prompt": "old"}})
    assert only(plan).reason.startswith("changed: ")


ACTS: dict[State, Act] = {
    State.INTENDED: Act.KEEP,
    State.UNKNOWN: Act.KEEP,
    State.DONE: Act.REUSE,
    State.MISSING: Act.RESUME,  # its task may still give it out
    **dict.fromkeys(OPEN, Act.RESUME),
    **dict.fromkeys(ENDED, Act.KEEP),
    **dict.fromkeys(UNTAKEN, Act.BUY),
    **dict.fromkeys(GIVEN_UP, Act.BUY),  # a person decided so
}


def free(*states: State) -> bool:
    """Whether nothing was taken, or a person gave up what may have been and nothing has ended since."""
    ends = [state for state in states if state in ENDED | GIVEN_UP]
    return set(states) <= UNTAKEN | ENDED | GIVEN_UP and (not ends or ends[-1] in GIVEN_UP)


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_action(state: State) -> None:
    action = only(planned(made(state)))
    assert action.act is ACTS[state]
    assert action.reason
    assert action.price == (PRICE if action.spends else 0)
    assert action.purchase == purchase(state, "key of a.1")


@pytest.mark.parametrize("state", State)
def test_retry_buys_ended_takes_again_and_nothing_else(state: State) -> None:
    action = only(planned(made(state), retry=["a.1"]))
    assert action.act is (Act.RETRY if state in ENDED else ACTS[state])
    assert action.price == (PRICE if action.spends else 0)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_an_end_that_is_kept_says_why_and_what_buys_it_again(state: State) -> None:
    reason = only(planned(made(state))).reason
    assert reason.startswith(f"{state.value}: ")
    assert "--retry 'a.1'" in reason


def test_a_clip_that_is_not_here_is_fetched_again_for_nothing() -> None:
    action = only(planned(made(State.DONE), here=False))
    assert (action.act, action.price) == (Act.RESUME, 0)


@pytest.mark.parametrize(("first", "second"), list(product(State, State)))
def test_no_pair_of_purchases_lets_a_key_be_bought_that_something_was_taken_for(first: State, second: State) -> None:
    history = made(first, second)
    action = only(planned(history))
    assert action.spends == free(first, second)
    assert action.purchase == standing(history["key of a.1"])
    assert action.number == 3  # whatever decided


@pytest.mark.parametrize("later", sorted(UNTAKEN))
@pytest.mark.parametrize("end", sorted(ENDED))
def test_a_retry_that_took_nothing_does_not_open_the_key(end: State, later: State) -> None:
    history = made(end, later)
    assert only(planned(history)).act is Act.KEEP
    again = only(planned(history, retry=["a.1"]))
    assert again.act is Act.RETRY
    assert again.number == 3


@given(st.lists(st.sampled_from(list(State)), max_size=5), st.booleans(), st.booleans())
def test_nothing_that_may_have_been_taken_is_bought_without_being_asked_for(
    states: list[State], retry: bool, here: bool
) -> None:
    action = only(planned(made(*states) if states else {}, retry=["a.1"] if retry else [], here=here))
    if action.spends:
        assert free(*states) or (retry and set(states) <= UNTAKEN | ENDED | GIVEN_UP | {State.MISSING})
        assert action.act is (Act.BUY if free(*states) else Act.RETRY)


# Clips that were made once and are not here


def gone(*events: Event, foreign: bool = False) -> dict[str, tuple[Purchase, ...]]:
    """One purchase that is missing its clip, after further events."""
    found = purchase(State.MISSING, "key of a.1", body=b"" if foreign else b"{}")
    for event in events:
        found = apply(found, entry(event, "key of a.1", error={"code": "x"}))
    return {"key of a.1": (found,)}


UNAVAILABLE = (Event.UNAVAILABLE,)
EXPIRED = (Event.COMPLETED, Event.EXPIRED)


@pytest.mark.parametrize(
    ("history", "act"),
    [
        (gone(), Act.RESUME),
        (gone(foreign=True), Act.MISSING),
        (gone(*UNAVAILABLE), Act.MISSING),
        (gone(*EXPIRED), Act.MISSING),
    ],
)
def test_a_missing_clip_is_never_bought_by_itself_and_says_what_it_would_cost(history: History, act: Act) -> None:
    plan = planned(history, retry=["a.1"])
    action = only(plan)
    assert (action.act, action.spends, plan.price) == (act, False, 0)
    assert action.price == (PRICE if act is Act.MISSING else 0)
    assert ("--buy-missing" in action.reason) == (act is Act.MISSING)


@pytest.mark.parametrize(
    ("events", "sought"), [((), True), (UNAVAILABLE, True), (3 * UNAVAILABLE, False), (EXPIRED, False)]
)
def test_buy_missing_buys_it_and_asks_its_task_first_while_that_may_answer(
    events: tuple[Event, ...], sought: bool
) -> None:
    action = only(planned(gone(*events), missing=True))
    assert (action.act, action.price, action.number, action.sought) == (Act.BUY, PRICE, 2, sought)


@pytest.mark.parametrize("state", sorted(set(State) - {State.MISSING}))
def test_buy_missing_buys_nothing_else(state: State) -> None:
    assert only(planned(made(state), missing=True)).act is only(planned(made(state))).act


@pytest.mark.parametrize("missing", [True, False])
@pytest.mark.parametrize("events", [(), UNAVAILABLE, EXPIRED])
def test_what_lies_in_the_out_folder_is_reused(events: tuple[Event, ...], missing: bool) -> None:
    action = only(planned(gone(*events), missing=missing, found="out/film/clips/a.1.mp4"))
    assert (action.act, action.reason, action.price) == (Act.REUSE, "found in out/film/clips/a.1.mp4", 0)


def test_a_purchase_that_was_given_up_frees_no_key_whose_clip_is_missing() -> None:
    assert only(planned(made(State.MISSING, State.WRITTEN_OFF))).act is Act.RESUME


# Takes that share a request


def test_equal_requests_are_bought_once() -> None:
    plan = planned({}, "a.1", "b.1", "c.1", keys={"a": "k", "b": "k"})
    assert [a.act for a in plan.actions] == [Act.BUY, Act.REUSE, Act.BUY]
    assert [a.shared_with for a in plan.actions] == ["", "a.1", ""]
    assert (plan.price, plan.requests, plan.shared, plan.wanted) == (2 * PRICE, 2, 1, 3)


@pytest.mark.parametrize("state", State)
def test_whoever_shares_a_request_shares_its_fate(state: State) -> None:
    first, second = planned(made(state, key="k"), "a.1", "b.1", keys={"a": "k", "b": "k"}).actions
    assert second.act is (Act.REUSE if first.spends else first.act)
    assert second.price == 0
    assert second.shared_with == "a.1"


@pytest.mark.parametrize("named", ["a.1", "b.1"])
def test_a_retry_may_name_any_take_of_a_shared_request(named: str) -> None:
    plan = planned(made(State.FAILED, key="k"), "a.1", "b.1", keys={"a": "k", "b": "k"}, retry=[named])
    assert [a.act for a in plan.actions] == [Act.RETRY, Act.REUSE]


def test_a_take_that_is_left_out_decides_nothing_for_those_that_are_not() -> None:
    plan = planned({}, "a.1", "b.1", keys={"a": "k", "b": "k"}, shots=["b.1"])
    assert [a.act for a in plan.actions] == [Act.SKIP, Act.BUY]
    assert plan.actions[1].shared_with == ""
    assert plan.price == PRICE


# Left out


@pytest.mark.parametrize("state", State)
def test_a_take_that_is_not_selected_keeps_its_clip_and_does_nothing(state: State) -> None:
    action = only(planned(made(state), shots=["other.1"], retry=["a.1"]))
    assert action.act is (Act.REUSE if state is State.DONE else Act.SKIP)
    assert action.price == 0


def test_a_skipped_take_is_skipped_whatever_is_known_of_it() -> None:
    takes = [replace(take("a.1"), skip=True)]
    wishes = Wishes(selected=lambda _: True, retried=lambda _: True)
    facts = Facts(wishes=wishes, here=lambda _: True, last_inputs=lambda _: None)
    plan = make(takes, requests(takes), made(State.FAILED), facts)
    assert only(plan).act is Act.SKIP
    assert (plan.wanted, plan.requests, plan.price) == (0, 0, 0)


# Prices


def test_one_unknown_price_makes_the_sum_unknown() -> None:
    takes = [take("a.1"), take("b.1")]
    asked = {"a.1": request("a.1", price=PRICE), "b.1": request("b.1", price=None)}
    wishes = Wishes(selected=lambda _: True, retried=lambda _: False)
    plan = make(takes, asked, {}, Facts(wishes=wishes, here=lambda _: True, last_inputs=lambda _: None))
    assert [a.price for a in plan.actions] == [PRICE, None]
    assert plan.price is None


def test_a_plan_of_nothing_to_buy_costs_nothing() -> None:
    assert planned(made(State.DONE)).price == 0
