"""What a run may still commit: never more than its limit by what is known, and never less for what it does not owe."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from purchases import entry, purchase

from runner.core.lifecycle import Event, State
from runner.execution.purse import Purse
from runner.planning.history import Purchase, apply

A, B, C = ("a", 1), ("b", 1), ("c", 1)


def purse(limit: str | None = "100") -> Purse:
    return Purse(None if limit is None else Decimal(limit))


def bought(purse: Purse, key: str = "a", price: str = "25.5") -> Purchase:
    """A purchase of this run, its price set aside."""
    taken = purse.take((key, 1), "m", Decimal(price))
    assert taken is not None
    return purchase(State.INTENDED, key, reserved=str(taken))


def move(purse: Purse, before: Purchase, event: Event, **more: object) -> Purchase:
    after = apply(before, entry(event, before.key, before.number, **more))
    purse.moved(before, after)
    return after


def test_what_fits_to_the_last_hundredth_is_taken_and_nothing_beyond() -> None:
    one = purse("30")
    assert one.take(A, "m", Decimal("29.99")) == Decimal("29.99")
    assert one.take(B, "m", Decimal("0.02")) is None
    assert one.take(C, "m", Decimal("0.01")) == Decimal("0.01")
    assert one.gone == 30


def test_without_a_limit_everything_fits() -> None:
    one = purse(None)
    assert one.take(A, "m", Decimal(10) ** 9) is not None
    assert one.spares("m", Decimal(10) ** 9)


def test_what_was_not_taken_is_given_back() -> None:
    one = purse()
    bought(one)
    one.give_back(A)
    assert one.gone == 0
    one.give_back(A)
    assert one.gone == 0


@pytest.mark.parametrize(
    ("event", "more", "gone"),
    [
        (Event.REFUSED, {}, "0"),
        (Event.UNANSWERED, {}, "25.5"),
        (Event.RECEIPT, {"task_id": "t"}, "25.5"),
        (Event.RECEIPT, {"task_id": "t", "reserved": "30"}, "30"),
        (Event.RECEIPT, {"task_id": "t", "reserved": "20"}, "25.5"),
    ],
)
def test_the_answer_counts_at_once(event: Event, more: dict[str, object], gone: str) -> None:
    one = purse()
    move(one, bought(one), event, **more)
    assert one.gone == Decimal(gone)


@pytest.mark.parametrize(
    ("event", "more", "gone"),
    [
        (Event.COMPLETED, {}, "30"),
        (Event.COMPLETED, {"charged": Decimal(40)}, "40"),
        (Event.COMPLETED, {"charged": Decimal(20)}, "20"),
        (Event.FAILED, {}, "30"),
        (Event.FAILED, {"released": True}, "0"),
        (Event.FAILED, {"charged": Decimal(3)}, "3"),
        (Event.CANCELLED, {"released": True}, "0"),
        (Event.LOST, {}, "30"),
        (Event.OVERDUE, {}, "30"),
    ],
)
def test_a_purchase_counts_for_what_it_has_committed(event: Event, more: dict[str, object], gone: str) -> None:
    one = purse()
    waiting = move(one, bought(one), Event.RECEIPT, task_id="t", reserved="30")
    move(one, waiting, event, **more)
    assert one.gone == Decimal(gone)


def test_between_two_sends_of_the_same_bytes_the_price_stays_aside() -> None:
    one = purse("30")
    held = move(one, bought(one), Event.NOT_TAKEN)
    assert one.take(B, "m", Decimal(25)) is None
    again = move(one, held, Event.SEND)
    assert one.gone == Decimal("25.5")
    move(one, again, Event.REFUSED)
    assert one.gone == 0


def test_what_the_service_wants_more_it_wants_for_further_takes_too() -> None:
    one = purse()
    move(one, bought(one, "a", "10"), Event.RECEIPT, task_id="t", reserved="15")
    assert one.take(B, "m", Decimal(10)) == 15
    assert one.take(C, "n", Decimal(10)) == 10  # another model is another price


def test_takes_in_flight_together_do_not_multiply_one_surprise() -> None:
    one = purse("1000")
    flying = [bought(one, key, "10") for key in "abc"]
    for n, each in enumerate(flying):
        move(one, each, Event.RECEIPT, task_id=f"t{n}", reserved="20")
    assert one.gone == 60
    assert one.take(("d", 1), "m", Decimal(10)) == 20


def test_a_raised_price_that_is_met_raises_no_further() -> None:
    one = purse("1000")
    move(one, bought(one, "a", "10"), Event.RECEIPT, task_id="t", reserved="20")
    second = bought(one, "b", "10")
    assert second.reserved == 20
    move(one, second, Event.RECEIPT, task_id="u", reserved="20")
    assert one.take(C, "m", Decimal(10)) == 20


def test_a_charge_beyond_the_price_counts_like_a_reservation() -> None:
    one = purse()
    waiting = move(one, bought(one, "a", "10"), Event.RECEIPT, task_id="t")
    move(one, waiting, Event.COMPLETED, charged=Decimal(40))
    assert one.gone == 40
    assert one.take(B, "m", Decimal(10)) == 40
    assert one.take(C, "m", Decimal(10)) is None


def test_a_take_without_a_price_is_as_dear_as_the_dearest_one_seen() -> None:
    one = purse("50")
    move(one, bought(one, "a", "0"), Event.RECEIPT, task_id="t", reserved="30")
    assert one.gone == 30
    assert one.take(B, "m", Decimal(0)) is None


def test_an_earlier_runs_purchase_counts_only_for_what_it_turns_out_to_cost_more() -> None:
    one = purse()
    waiting = purchase(State.WAITING, "old")
    done = move(one, waiting, Event.COMPLETED, charged=Decimal("30.5"))
    assert one.gone == 5
    move(one, done, Event.FETCHED)
    assert one.gone == 5


def test_what_an_earlier_runs_purchase_gives_back_does_not_raise_the_limit() -> None:
    one = purse("10")
    move(one, purchase(State.WAITING, "old"), Event.FAILED, released=True)
    assert one.gone == 0
    assert one.take(A, "m", Decimal("10.01")) is None


def test_a_retry_leaves_what_is_promised() -> None:
    one = purse("30")
    one.promise({A: ("m", Decimal(10)), B: ("m", Decimal(10))})
    assert one.spares("m", Decimal(10))
    assert not one.spares("m", Decimal("10.01"))
    assert one.take(A, "m", Decimal(10)) == 10
    assert one.spares("m", Decimal(10))
    one.give_back(B)
    assert one.spares("m", Decimal(20))


PRICES = st.decimals(min_value=0, max_value=50, places=2)


@given(
    st.decimals(min_value=0, max_value=200, places=2),
    st.lists(
        st.tuples(
            PRICES, st.sampled_from(["refused", "unknown", "receipt", "held"]), st.none() | PRICES, st.none() | PRICES
        )
    ),
)
def test_nothing_is_taken_beyond_the_limit_whatever_the_service_says(
    limit: Decimal, told: list[tuple[Decimal, str, Decimal | None, Decimal | None]]
) -> None:
    one = Purse(limit)
    expected: dict[str, Decimal] = {}
    for n, (price, answer, reserved, charged) in enumerate(told):
        key = f"k{n}"
        before = one.gone
        taken = one.take((key, 1), "m", price)
        if taken is None:
            continue
        assert before + taken <= limit  # by all that is known when it is sent
        state = purchase(State.INTENDED, key, reserved=str(taken))
        if answer == "refused":
            state = move(one, state, Event.REFUSED)
        elif answer == "unknown":
            state = move(one, state, Event.UNANSWERED)
        elif answer == "held":
            state = move(one, state, Event.NOT_TAKEN)
            one.give_back((key, 1))
        else:
            state = move(one, state, Event.RECEIPT, task_id=key, reserved=None if reserved is None else str(reserved))
            state = move(one, state, Event.COMPLETED, charged=charged)
        expected[key] = state.committed
        assert one.gone == sum(expected.values())
