"""A saved plan: every difference is found, and what it has bought or does not buy is not bought under it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from actions import action
from purchases import purchase

from runner.core.lifecycle import ENDED, GIVEN_UP, OPEN, UNTAKEN, State
from runner.planning.history import History
from runner.planning.plan import Act, Plan
from runner.planning.saved import Change, changes, confined, finished
from runner.screen.saved import lines

KEY = "k"


def document(**more: Any) -> dict[str, Any]:
    """A saved plan of one take; keywords are fields of the take."""
    take = {
        "take": "sea.1",
        "action": "buy",
        "price": "12.75",
        "unit": "credit",
        "key": KEY,
        "shared_with": None,
        **more,
    }
    bound = {"files": {"film.yaml": "aa"}, "service": {"name": "evolink"}, "run": {"out": "out", "account": "me"}}
    return {"takes": [take], "saved": {"bound": bound, "states": {}}}


def differing(old: dict[str, Any], new: dict[str, Any], *, begun: bool = False, bought: Any = ()) -> tuple[Change, ...]:
    made_of = {KEY: {"body": {"duration": 5}}, "other": {"body": {"duration": 10}}}
    return changes(old, new, begun=begun, bought=frozenset(bought), inputs=made_of.get)


def with_states(document: dict[str, Any], **made: dict[str, str]) -> dict[str, Any]:
    return {**document, "saved": {**document["saved"], "states": made}}


def with_bound(section: str, **more: Any) -> dict[str, Any]:
    found = document()
    found["saved"]["bound"] = {**found["saved"]["bound"], section: {**found["saved"]["bound"].get(section, {}), **more}}
    return found


@pytest.mark.parametrize("begun", [False, True])
def test_equal_plans_do_not_differ(begun: bool) -> None:
    assert differing(document(), document(), begun=begun) == ()


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize(
    ("section", "name"),
    [("files", "film.yaml"), ("service", "name"), ("run", "out"), ("run", "account"), ("media", "new")],
)
def test_whatever_it_is_bound_to_is_named_when_it_differs(section: str, name: str, begun: bool) -> None:
    (found,) = differing(document(), with_bound(section, **{name: "other"}), begun=begun)
    assert (found.kind, found.name, found.new) == (section, name, "other")
    (back,) = differing(with_bound(section, **{name: "other"}), document(), begun=begun)
    assert (back.kind, back.name, back.old) == (section, name, "other")


def test_an_account_that_is_not_known_on_one_side_is_no_difference() -> None:
    assert differing(document(), with_bound("run", account=None)) == ()
    assert differing(with_bound("run", account=None), document()) == ()


@pytest.mark.parametrize("begun", [False, True])
def test_another_request_is_told_by_the_inputs_that_changed(begun: bool) -> None:
    assert differing(document(), document(key="other"), begun=begun) == (
        Change(kind="takes", name="sea.1", what="duration", old=5, new=10),
    )
    assert differing(document(), document(key="unheard"), begun=begun) == (
        Change(kind="takes", name="sea.1", what="key", old=KEY, new="unheard"),
    )


def test_another_request_that_hangs_on_a_clip_still_to_be_made_is_told_by_what_it_is_without_that_clip() -> None:
    def waiting(stand_in: str, key: str | None = None) -> dict[str, Any]:
        return document(key=key, stand_in=stand_in)

    for old, new in ((waiting("a" * 64), waiting("b" * 64)), (waiting("a" * 64, KEY), waiting("b" * 64))):
        (found,) = differing(old, new)
        assert found == Change(kind="takes", name="sea.1", what="request", old="a" * 64, new="b" * 64)
        assert "nothing -> nothing" not in "".join(lines([found]))
    assert differing(waiting(KEY), waiting("other")) == (
        Change(kind="takes", name="sea.1", what="duration", old=5, new=10),
    )
    assert differing(waiting("a" * 64), waiting("a" * 64)) == ()


@pytest.mark.parametrize(
    ("field", "value"), [("action", "reuse"), ("price", "13"), ("price", None), ("shared_with", "b.1")]
)
def test_another_action_or_price_is_a_difference(field: str, value: object) -> None:
    (found,) = differing(document(), document(**{field: value}))
    assert found.name == "sea.1"
    assert found.old == "buy for 12.75 credit"
    assert found.new != found.old


def test_a_take_that_is_gone_or_new_is_a_difference() -> None:
    none = {**document(), "takes": []}
    assert [c.new for c in differing(document(), none)] == [None]
    assert [c.old for c in differing(none, document())] == [None]


def test_another_state_of_the_same_action_is_a_difference() -> None:
    (found,) = differing(document(), with_states(document(), k={"1": "refused"}))
    assert (found.old, found.new) == ("never bought", "refused")


def test_a_take_that_the_plan_skips_is_none_of_its_business() -> None:
    skipped = document(action="skip", price="0")
    assert differing(skipped, with_states(document(action="reuse", price="0"), k={"1": "done"})) == ()


def test_once_begun_its_own_purchases_are_no_difference_and_those_of_others_are() -> None:
    bought = with_states(document(action="reuse", price="0"), k={"1": "done"})
    assert differing(document(), bought, begun=True, bought=[(KEY, 1)]) == ()
    (found,) = differing(document(), bought, begun=True)
    assert (found.old, found.new) == ("never bought", "done")
    (twice,) = differing(
        document(), with_states(document(), k={"1": "failed", "2": "done"}), begun=True, bought=[(KEY, 1)]
    )
    assert twice.new == "done"


def test_once_begun_another_price_of_what_is_still_to_be_bought_is_a_difference() -> None:
    (found,) = differing(document(), document(price="13"), begun=True)
    assert found.new == "buy for 13 credit"


def plan(act: Act = Act.BUY) -> Plan:
    made = action("sea.1", act)
    assert made.request is not None
    return Plan(actions=(replace(made, request=replace(made.request, key=KEY), price=Decimal("12.75")),))


def history(*states: State) -> History:
    return {KEY: tuple(purchase(state, KEY, number) for number, state in enumerate(states, start=1))}


def bought(number: int) -> frozenset[tuple[str, int]]:
    return frozenset((KEY, n) for n in range(1, number + 1))


def test_what_the_plan_buys_and_has_not_bought_is_bought() -> None:
    assert confined(plan(), document(), {}, frozenset()) == plan()


@pytest.mark.parametrize("act", [Act.BUY, Act.RETRY])
@pytest.mark.parametrize("saved", ["reuse", "resume", "keep", "skip"])
def test_what_the_plan_does_not_buy_is_kept_as_it_is(saved: str, act: Act) -> None:
    (kept,) = confined(plan(act), document(action=saved), {}, frozenset()).actions
    assert (kept.act, kept.price) == (Act.KEEP, 0)


@pytest.mark.parametrize("state", sorted(set(State)))
def test_it_buys_once_more_only_what_was_certainly_not_taken(state: State) -> None:
    (kept,) = confined(plan(), document(), history(state), bought(1)).actions
    assert kept.spends is (state in UNTAKEN)
    (again,) = confined(plan(), document(), history(state, State.REFUSED), bought(2)).actions
    assert again.spends is (state in UNTAKEN)


@pytest.mark.parametrize("state", sorted(set(State)))
def test_what_was_bought_before_the_plan_does_not_count_as_its_own(state: State) -> None:
    (found,) = confined(plan(Act.RETRY), document(action="retry"), history(state), frozenset()).actions
    assert found.act is Act.RETRY


@pytest.mark.parametrize("state", sorted(set(State)))
def test_a_plan_is_finished_when_all_it_buys_has_an_answer(state: State) -> None:
    over = state in {State.DONE, State.MISSING, State.REFUSED} | ENDED | GIVEN_UP
    assert finished(document(), history(state), bought(1)) is over
    assert finished(document(action="retry"), history(State.FAILED, state), frozenset({(KEY, 2)})) is over


@pytest.mark.parametrize("state", sorted(set(State)))
def test_what_failed_and_was_begun_again_in_the_same_run_is_finished_unless_that_may_still_come(state: State) -> None:
    comes = OPEN | {State.UNKNOWN, State.INTENDED}
    assert finished(document(), history(State.FAILED, state), bought(2)) is (state not in comes)


@pytest.mark.parametrize("state", sorted(set(State)))
def test_a_plan_is_finished_when_nothing_it_resumes_is_open(state: State) -> None:
    assert finished(document(action="resume"), history(state), frozenset()) is (state not in OPEN)


@pytest.mark.parametrize("act", ["reuse", "keep", "skip"])
def test_a_plan_that_buys_nothing_is_finished_by_its_run(act: str) -> None:
    assert finished(document(action=act), history(State.UNKNOWN), frozenset())
    assert finished({**document(), "takes": []}, {}, frozenset())


def test_a_plan_of_which_nothing_was_bought_yet_is_not_finished() -> None:
    assert not finished(document(), {}, frozenset())
    assert not finished(document(action="retry"), history(State.FAILED), frozenset())


def test_a_clip_that_came_after_all_need_not_be_bought() -> None:
    assert finished(document(), history(State.DONE), frozenset())


@pytest.mark.parametrize("begun", [False, True])
def test_a_plan_is_stale_once_another_take_is_picked(begun: bool) -> None:
    for old, new in (("buy", "skip"), ("skip", "buy"), ("retry", "skip")):
        (found,) = differing(document(action=old), document(action=new), begun=begun)
        assert (found.kind, found.name) == ("takes", "sea.1")
    assert differing(document(action="skip"), document(action="reuse"), begun=begun) == ()
