from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.money import MOST, ZERO, amount, in_units, in_usd, rounded, total


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (0, "0"),
        (5, "5"),
        (5.1, "5.1"),
        ("45.42", "45.42"),
        ("1e3", "1000"),
        (10**30, "1000000000"),
        ("0.00001", "0.0001"),  # never rounded down to nothing
        ("1e-999999", "0.0001"),
        ("0e-999999", "0"),
        ("-0", "0"),
    ],
)
def test_an_amount_is_read_from_numbers_and_texts(told: object, read: str) -> None:
    assert amount(told) == Decimal(read)


@pytest.mark.parametrize(
    "told", [None, True, False, "", "five", "nan", "sNaN", "inf", float("nan"), float("inf"), -1, "-0.01", [], {}]
)
def test_what_is_no_amount_is_not_known(told: object) -> None:
    assert amount(told) is None


def test_a_number_too_long_to_print_is_an_amount_too() -> None:
    assert amount(10**5000) == MOST


@given(
    st.one_of(
        st.text(),
        st.integers(),
        st.floats(),
        st.decimals(),
        st.booleans(),
        st.none(),
        st.binary(),
        st.lists(st.integers()),
    )
)
def test_any_value_is_an_amount_in_range_or_none(told: Any) -> None:
    read = amount(told)
    assert read is None or (0 <= read <= MOST and len(f"{read:f}") <= 16 and not read.is_signed())


def test_amounts_are_rounded_once_half_up_to_a_hundredth() -> None:
    assert [rounded(Decimal(text)) for text in ("2.345", "2.344", "0.005")] == [
        Decimal("2.35"),
        Decimal("2.34"),
        Decimal("0.01"),
    ]


def test_a_sum_of_nothing_is_zero() -> None:
    assert total(()) == ZERO


RATES = st.decimals(min_value=1, max_value=1000, places=6)


@given(st.decimals(min_value=0, max_value=10**6, places=2), RATES)
def test_the_dollars_named_for_a_price_pay_it(price: Decimal, per_usd: Decimal) -> None:
    named = in_usd(price, per_usd)
    assert in_units(named, per_usd) >= price
    assert named == 0 or (named - Decimal("0.01")) * per_usd < price


@given(st.decimals(min_value=0, max_value=10**6, places=2), RATES)
def test_dollars_never_buy_more_than_they_are_worth(usd: Decimal, per_usd: Decimal) -> None:
    assert 0 <= usd * per_usd - in_units(usd, per_usd) < Decimal("0.01")
