from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from bodies import I2V, REFERENCE, WAN25, WAN27
from hypothesis import given
from hypothesis import strategies as st

from runner.contract.model import Factor, Model, Offer, Tariff
from runner.contract.price import Price, estimate

TODAY = date(2026, 11, 20)
FIRST = date(2026, 10, 10)


def credits_of(model: Model, body: dict[str, Any], seconds: list[Fraction | None] | None = None) -> str:
    price = estimate(model, "evolink", body, seconds or [], TODAY)
    assert price is not None
    return str(price.amount)


def with_tariffs(model: Model, *tariffs: Tariff) -> Model:
    return replace(model, providers={"evolink": Offer(path="/v1/x", tariffs=tariffs)})


@pytest.mark.parametrize(
    ("model", "body", "amount"),
    [
        (WAN25, {"duration": 5, "quality": "720p"}, "25.50"),
        (WAN25, {"duration": 10, "quality": "480p"}, "25.50"),
        (WAN25, {"duration": 5, "quality": "1080p"}, "42.59"),  # 42.585, half up
        (WAN25, {}, "25.50"),
        (WAN27, {"duration": 5, "quality": "1080p"}, "45.42"),
        (WAN27, {"duration": 2}, "10.88"),
        (WAN27, {"duration": 15, "quality": "1080p"}, "136.27"),
        (I2V, {"duration": 2, "generate_audio": False}, "6.00"),
        (I2V, {"duration": 5, "generate_audio": False}, "6.00"),
        (I2V, {"duration": 10, "generate_audio": False, "quality": "1080p"}, "19.87"),
        (I2V, {"duration": 15}, "35.70"),
    ],
)
def test_prices_are_those_of_the_contract(model: Model, body: dict[str, Any], amount: str) -> None:
    assert credits_of(model, body) == amount


@pytest.mark.parametrize(
    ("seconds", "amount"),
    [
        ([Fraction(30)], "23.80"),  # 5 + 5
        ([Fraction(3)], "19.04"),  # 3 + 5
        ([None], "23.80"),
        ([Fraction(30), Fraction(2)], "22.61"),  # 2.5 + 2 + 5
        ([None, Fraction(5, 2)], "23.80"),
        ([Fraction(30)] * 3, "23.68"),  # 4.95 + 5
        ([Fraction(10_001, 10_000)], "14.28"),
    ],
)
def test_reference_clips_are_paid_up_to_their_cap(seconds: list[Fraction | None], amount: str) -> None:
    assert credits_of(REFERENCE, {"duration": 5}, seconds) == amount


def test_factors_multiply_the_whole_quantity_and_the_minimum_is_not_multiplied() -> None:
    assert credits_of(REFERENCE, {"duration": 10, "quality": "1080p"}, [None]) == "59.62"  # 2.38 x 15 x 1.67
    assert credits_of(REFERENCE, {"duration": 2, "generate_audio": False}, [Fraction(2)]) == "9.00"


def test_more_clips_than_the_tariff_knows_have_no_known_price() -> None:
    assert estimate(REFERENCE, "evolink", {}, [None] * 4, TODAY) is None


def test_before_its_first_day_a_price_is_unknown_and_unknown_is_not_free() -> None:
    assert estimate(WAN25, "evolink", {}, [], date(2026, 10, 9)) is None
    assert estimate(WAN25, "evolink", {}, [], FIRST) == Price(amount=Decimal("25.50"), unit="credit", since=FIRST)


@pytest.mark.parametrize("provider", ["animatic", "evolink2", ""])
def test_a_provider_without_prices_has_none(provider: str) -> None:
    assert estimate(WAN25, provider, {}, [], TODAY) is None
    assert estimate(with_tariffs(WAN25), "evolink", {}, [], TODAY) is None


def test_the_newest_tariff_that_has_begun_holds() -> None:
    (old,) = WAN25.providers["evolink"].tariffs
    model = with_tariffs(
        WAN25,
        replace(old, since=date(2026, 11, 1), per_second=Decimal("6")),
        old,
        replace(old, since=date(2026, 11, 21), per_second=Decimal("7")),
    )
    found = estimate(model, "evolink", {}, [], TODAY)
    assert found == Price(amount=Decimal("30.00"), unit="credit", since=date(2026, 11, 1))


def test_a_factor_applies_only_where_all_it_names_is_so() -> None:
    (old,) = I2V.providers["evolink"].tariffs
    both = Factor(when={"quality": "1080p", "generate_audio": False}, by=Decimal("10"))
    model = with_tariffs(I2V, replace(old, factors=(both,)))
    assert credits_of(model, {"quality": "1080p"}) == "11.90"
    assert credits_of(model, {"generate_audio": False}) == "11.90"
    assert credits_of(model, {"quality": "1080p", "generate_audio": False}) == "119.00"


def test_one_is_not_true() -> None:
    (old,) = I2V.providers["evolink"].tariffs
    model = with_tariffs(I2V, replace(old, factors=(Factor(when={"generate_audio": True}, by=Decimal("2")),)))
    assert credits_of(model, {"generate_audio": 1}) == "11.90"


@pytest.mark.parametrize("duration", ["5", True, None, -1, [5]])
def test_a_length_that_is_no_number_has_no_price(duration: object) -> None:
    assert estimate(WAN25, "evolink", {"duration": duration}, [], TODAY) is None


@given(
    st.decimals("0.01", "99", places=4),
    st.decimals("0.01", "9", places=4),
    st.integers(0, 60),
    st.fractions(0, 60, max_denominator=90_000),
)
def test_an_amount_is_rounded_once_half_up(per_second: Decimal, by: Decimal, duration: int, length: Fraction) -> None:
    (old,) = REFERENCE.providers["evolink"].tariffs
    factor = Factor(when={"quality": "720p"}, by=by)
    model = with_tariffs(REFERENCE, replace(old, per_second=per_second, factors=(factor,), minimum=Decimal(0)))
    exact = Fraction(per_second) * Fraction(by) * (duration + min(length, Fraction(5)))
    found = Decimal(credits_of(model, {"duration": duration}, [length]))
    assert -Fraction(1, 200) < exact - Fraction(found) < Fraction(1, 200) or exact - Fraction(found) == -Fraction(
        1, 200
    )
    assert found == found.quantize(Decimal("0.01"), ROUND_HALF_UP)


@given(st.integers(2, 10), st.lists(st.none() | st.fractions(2, 30, max_denominator=600), min_size=1, max_size=3))
def test_not_knowing_a_length_never_makes_it_cheaper(duration: int, seconds: list[Fraction | None]) -> None:
    known = Decimal(credits_of(REFERENCE, {"duration": duration}, seconds))
    unknown = Decimal(credits_of(REFERENCE, {"duration": duration}, [None] * len(seconds)))
    assert known <= unknown
