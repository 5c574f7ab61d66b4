"""Admission is all or nothing."""

from decimal import Decimal

import pytest
from actions import action
from hypothesis import given
from hypothesis import strategies as st
from purchases import purchase

from runner.core.lifecycle import COMMITS, State
from runner.core.money import Budget
from runner.planning.budget import Cap, NoRate, committed_for, fitting, over, spending, told
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


TEN = Budget(amount=Decimal(10), usd=True)


def test_a_budget_in_credits_asks_for_no_rate() -> None:
    assert told(Budget(amount=Decimal(25)), {"a": None, "b": Decimal(70)}) == Cap(name="--budget", limit=Decimal(25))


def test_dollars_are_worth_what_the_price_tables_say() -> None:
    rates: dict[str, Decimal | None] = {"a": Decimal(68), "b": Decimal("68.0")}
    assert told(TEN, rates) == Cap(name="--budget", limit=Decimal(680), per_usd=Decimal(68))


def test_dollars_never_buy_more_than_they_do() -> None:
    cap = told(Budget(amount=Decimal("0.1"), usd=True), {"a": Decimal("33.333333")})
    assert cap is not None and cap.limit == Decimal("3.33")


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ({"a": Decimal(68), "b": None}, "no price table says how many credits a dollar is for b"),
        (
            {"a": Decimal(68), "b": Decimal(70), "c": Decimal(68)},
            "the price tables differ in how many credits a dollar is: 68 for a, 70 for b",
        ),
    ],
)
def test_dollars_without_one_rate_are_no_budget(rates: dict[str, Decimal | None], words: str) -> None:
    with pytest.raises(NoRate) as caught:
        told(TEN, rates)
    assert str(caught.value) == words


def test_where_nothing_is_to_be_paid_dollars_limit_nothing() -> None:
    assert told(TEN, {}) is None


def test_a_model_may_be_paid_where_it_is_bought_or_may_be_bought_again() -> None:
    acts = {
        "buy": Act.BUY,
        "retry": Act.RETRY,
        "resume": Act.RESUME,
        "keep": Act.KEEP,
        "reuse": Act.REUSE,
        "skip": Act.SKIP,
    }
    actions = tuple(action(f"{name}.1", act, model=name) for name, act in acts.items())
    assert spending(Plan(actions=actions)) == {"buy", "retry", "resume"}
