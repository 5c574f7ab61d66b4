"""Admission is all or nothing."""

from decimal import Decimal

import pytest
from actions import action
from hypothesis import given
from hypothesis import strategies as st
from purchases import purchase

from runner.core.lifecycle import COMMITS, State
from runner.planning.budget import Cap, committed_for, fitting, over
from runner.planning.plan import Act, Plan


def plan(*prices: str | None) -> Plan:
    return Plan(actions=tuple(action(f"t{n}.1", price=price) for n, price in enumerate(prices)))


def test_what_is_left_is_never_below_nothing() -> None:
    assert Cap(name="b", limit=Decimal(10), committed=Decimal(3)).left == 7
    assert Cap(name="b", limit=Decimal(10), committed=Decimal(30)).left == 0


def test_a_plan_fits_to_the_last_hundredth() -> None:
    assert over(plan("10.00", "0.01"), [Cap(name="b", limit=Decimal("10.01"))]) == ()
    cap = Cap(name="b", limit=Decimal("10.00"))
    assert over(plan("10.00", "0.01"), [cap]) == (cap,)


def test_every_cap_that_does_not_hold_it_is_named() -> None:
    caps = [
        Cap(name="run", limit=Decimal(5)),
        Cap(name="big", limit=Decimal(50)),
        Cap(name="all", limit=Decimal(50), committed=Decimal(45)),
    ]
    assert [cap.name for cap in over(plan("6"), caps)] == ["run", "all"]


def test_a_plan_that_buys_nothing_fits_under_everything() -> None:
    nothing = Plan(actions=(action("a.1", Act.KEEP), action("b.1", Act.REUSE)))
    assert over(nothing, [Cap(name="b", limit=Decimal(0))]) == ()


def test_an_unknown_price_is_judged_elsewhere() -> None:
    assert over(plan("5", None), [Cap(name="b", limit=Decimal(0))]) == ()


def test_what_would_fit_is_named_in_storyboard_order() -> None:
    assert fitting(plan("5", "20", None, "5", "1"), Decimal(11)) == ("t0.1", "t3.1", "t4.1")


@given(
    st.lists(st.decimals(min_value=0, max_value=100, places=2), max_size=8),
    st.decimals(min_value=0, max_value=300, places=2),
)
def test_what_is_said_to_fit_does(prices: list[Decimal], left: Decimal) -> None:
    whole = plan(*(str(price) for price in prices))
    names = fitting(whole, left)
    assert sum(a.price or 0 for a in whole.actions if a.take.id in names) <= left
    if not over(whole, [Cap(name="b", limit=left)]):
        assert len(names) == len(prices)


@pytest.mark.parametrize("state", State)
def test_the_storyboards_own_purchases_count_by_state(state: State) -> None:
    mine, other = purchase(state, "a"), purchase(state, "b", storyboard="other")
    expected = Decimal("25.5") if state in COMMITS else 0
    assert committed_for("film", {"a": (mine,), "b": (other,)}) == expected


def test_every_attempt_at_a_key_counts() -> None:
    history = {"k": (purchase(State.FAILED), purchase(State.DONE, number=2), purchase(State.REFUSED, number=3))}
    assert committed_for("film", history) == 51
