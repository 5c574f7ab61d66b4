"""Credits, durations, sizes and counts as people read them."""

from decimal import Decimal
from fractions import Fraction

from runner.core.money import in_usd

_SIZES = ("kB", "MB", "GB", "TB", "PB")  # of 1000, as the model schemas count
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def amount(value: Decimal) -> str:
    """`6` or `25.50`: whole amounts as such, others with two places.

    Places beyond the second are shown, not rounded away: what was charged is what stands there. ValueError unless finite.
    """
    if not value.is_finite():
        raise ValueError(f"{value} is no amount")
    if value == value.to_integral_value():
        return f"{value.to_integral_value():f}" if value else "0"  # never `-0`
    plain = f"{value:f}".rstrip("0")
    places = len(plain.partition(".")[2])
    return plain + "0" * (2 - places)


def in_credits(value: Decimal) -> str:
    """`1 credit`, `25.50 credits`."""
    return f"{amount(value)} credit{'' if value == 1 else 's'}"


def priced(value: Decimal, unit: str) -> str:
    """An amount in the unit a tariff names: `25.50 credits`, `3.20 USD`."""
    return in_credits(value) if unit == "credit" else f"{amount(value)} {unit}"


def in_both(value: Decimal, per_usd: Decimal | None) -> str:
    """Credits, and behind them the dollars where they were spoken of: `680 credits (10 USD)`."""
    usd = "" if per_usd is None else f" ({amount(in_usd(value, per_usd))} USD)"
    return f"{in_credits(value)}{usd}"


def duration(seconds: int | float | Decimal | Fraction) -> str:
    """`0.4 s`, `42 s`, `1 m 12 s`, `2 h 5 m`, `3 d 4 h`: two units at most, rounded half up; below zero is `0 s`."""
    exact = max(Fraction(seconds), Fraction(0))
    tenths = int(exact * 10 + Fraction(1, 2))
    if tenths < 100:
        return f"{_tenths(tenths)} s"
    whole = int(exact + Fraction(1, 2))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(*divmod(whole, _MINUTE), "m", "s")
    minutes = int(exact / _MINUTE + Fraction(1, 2))
    if minutes * _MINUTE < _DAY:
        return _two(*divmod(minutes, _HOUR // _MINUTE), "h", "m")
    return _two(*divmod(int(exact / _HOUR + Fraction(1, 2)), _DAY // _HOUR), "d", "h")


def size(size_bytes: int) -> str:
    """`812 B`, `1.2 kB`, `15 MB`, `2.1 GB`: units of 1000, one place at most, rounded half up."""
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    for power, unit in enumerate(_SIZES, start=1):
        tenths = (size_bytes * 20 // 1_000**power + 1) // 2
        if tenths < 10_000 or unit == _SIZES[-1]:
            return f"{_tenths(tenths)} {unit}"
    raise AssertionError("the last unit takes every size")


def count(number: int, word: str, plural: str = "") -> str:
    """`1 take`, `2 takes`, `0 takes`; `plural` where it is not the word with an s."""
    return f"{number} {word if number == 1 else plural or f'{word}s'}"


def _tenths(tenths: int) -> str:
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}" if rest else f"{whole}"


def _two(large: int, small: int, large_unit: str, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
