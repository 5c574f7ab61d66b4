"""Amounts: Decimal credits, and what of a ledger is committed."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

CENT = Decimal("0.01")
ZERO = Decimal(0)


def rounded(amount: Decimal) -> Decimal:
    """To 0.01 credit, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def amount(value: object) -> Decimal | None:
    """A non-negative amount a service has told, clamped to below 10^9; None where it is no amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0:
        return None
    return min(number, Decimal(10) ** 9)


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
