"""Amounts: Decimal credits, and what of a ledger is committed."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Decimal, InvalidOperation

CENT = Decimal("0.01")
ZERO = Decimal(0)
MOST = Decimal(10) ** 9
FINEST = Decimal("0.0001")  # services count in ten-thousandths; what is finer is noise, or meant to fill a page


def rounded(amount: Decimal) -> Decimal:
    """To 0.01 credit, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def amount(value: object) -> Decimal | None:
    """A non-negative amount a service has told, at most 10^9 and rounded up to 0.0001; None where it is no amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(value) if isinstance(value, int) else Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0:
        return None
    number = min(abs(number), MOST)
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and -4 <= exponent <= 0 else number.quantize(FINEST, ROUND_UP)


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit as it was told: in credits, or in US dollars."""

    amount: Decimal
    usd: bool = False


def in_units(usd: Decimal, per_usd: Decimal) -> Decimal:
    """What so many dollars buy, to 0.01 and never more than they do."""
    return (usd * per_usd).quantize(CENT, ROUND_FLOOR)


def in_usd(units: Decimal, per_usd: Decimal) -> Decimal:
    """The dollars that buy so many units, to 0.01 and never too few."""
    return (units / per_usd).quantize(CENT, ROUND_CEILING)
