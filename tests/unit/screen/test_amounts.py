from decimal import Decimal
from fractions import Fraction

import pytest

from runner.screen.amounts import amount, count, duration, in_credits, priced, size


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("6", "6"),
        ("6.00", "6"),
        ("25.5", "25.50"),
        ("409.30", "409.30"),
        ("0.05", "0.05"),
        ("-2.5", "-2.50"),
        ("1E+3", "1000"),
        ("1234567.89", "1234567.89"),
    ],
)
def test_a_whole_amount_stands_alone_and_others_have_two_places(value: str, shown: str) -> None:
    assert amount(Decimal(value)) == shown


def test_money_is_never_rounded_away() -> None:
    assert amount(Decimal("0.0040")) == "0.004"
    assert amount(Decimal("1E-7")) == "0.0000001"
    assert amount(Decimal("12345678901234567890123456789012345")) == "12345678901234567890123456789012345"


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_what_is_no_number_is_no_amount(value: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        amount(Decimal(value))


def test_credits_are_counted_in_words() -> None:
    assert in_credits(Decimal("1.00")) == "1 credit"
    assert in_credits(Decimal("0")) == "0 credits"
    assert in_credits(Decimal("25.5")) == "25.50 credits"


def test_another_unit_than_credits_keeps_its_own_name() -> None:
    assert priced(Decimal("25.5"), "credit") == "25.50 credits"
    assert priced(Decimal("3.2"), "USD") == "3.20 USD"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (0.04, "0 s"),
        (Decimal("0.05"), "0.1 s"),
        (Fraction(21, 5), "4.2 s"),
        (5, "5 s"),
        (9.96, "10 s"),
        (42.4, "42 s"),
        (59.5, "1 m"),
        (72, "1 m 12 s"),
        (3599.5, "1 h"),
        (7500, "2 h 5 m"),
        (7529, "2 h 5 m"),
        (7530, "2 h 6 m"),
        (86_399, "1 d"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: int | float | Decimal | Fraction, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (1_249, "1.2 kB"),
        (1_250, "1.3 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1 MB"),
        (15_000_000, "15 MB"),
        (16_240_000, "16.2 MB"),
        (2_147_483_648, "2.1 GB"),
        (5 * 10**18, "5000 PB"),
    ],
)
def test_sizes_are_of_a_thousand(size_bytes: int, shown: str) -> None:
    assert size(size_bytes) == shown


def test_one_is_singular() -> None:
    assert [count(n, "take") for n in (0, 1, 2)] == ["0 takes", "1 take", "2 takes"]
    assert [count(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]
