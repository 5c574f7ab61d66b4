"""What templates can do with values: operators, and the filters that are ours because Jinja's can grow without end.

Each result is bounded before it is made: a timer cannot stop `9 ** 999999999` once it has begun.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from runner.language.bounds import MOST_BITS, MOST_WEIGHT, Refusal, bits, characters, kind_of, weight

_FORMAT = re.compile(r"%(?:%|[-+ #0]{0,3}(?P<width>\d{1,2})?(?:\.\d{1,2})?(?P<kind>[sdifegxX]))")
_MOST_DIGITS = 300
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_AS_NUMBER = "`| int` makes a number of a text: `x | int`"

# --- operators ---

_ARITHMETIC: dict[str, Callable[[int | float, int | float], object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}

_COMPARISONS: dict[str, tuple[str, Callable[[object, object], object]]] = {
    "eq": ("==", operator.eq),
    "ne": ("!=", operator.ne),
    "lt": ("<", lambda left, right: left < right),  # type: ignore[operator]
    "lteq": ("<=", lambda left, right: left <= right),  # type: ignore[operator]
    "gt": (">", lambda left, right: left > right),  # type: ignore[operator]
    "gteq": (">=", lambda left, right: left >= right),  # type: ignore[operator]
    "in": ("in", lambda left, right: left in right),  # type: ignore[operator]
    "notin": ("not in", lambda left, right: left not in right),  # type: ignore[operator]
}


def calculated(sign: str, left: object, right: object) -> object:
    """`left sign right` of an arithmetic sign."""
    match sign, left, right:
        case _, int() | float(), int() | float():
            return _number(sign, left, right)
        case "+", str(), str():
            characters(len(left) + len(right))
            return left + right
        case "+", list(), list():
            weight(both := left + right)
            return both
        case ("*", str() as text, int() as times) | ("*", int() as times, str() as text):
            characters(len(text) * max(times, 0))
            return text * times
        case "%", str(), _:
            return formatted(left, *(right if isinstance(right, tuple) else (right,)))
    return _mismatch(sign, left, right)


def compared(word: str, left: object, right: object) -> bool:
    """`left word right`, where `word` is the parser's name of a comparison."""
    sign, comparison = _COMPARISONS[word]
    try:
        return bool(comparison(left, right))
    except TypeError:
        return _mismatch(sign, left, right)


def _number(sign: str, left: int | float, right: int | float) -> int | float:
    if sign == "**" and isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > 2 * MOST_BITS:
        raise Refusal("template-limit", "a number in the template grows too large")
    try:
        result = _ARITHMETIC[sign](left, right)
    except ZeroDivisionError:
        raise Refusal("template-value", f"`{sign}` divides by zero", word=sign) from None
    except OverflowError:
        raise Refusal("template-limit", "a number in the template grows too large") from None
    if isinstance(result, int):
        bits(result)
        return result
    if isinstance(result, float) and math.isfinite(result):
        return result
    raise Refusal("template-value", f"`{sign}` gives no number that a request can hold")


def _mismatch(sign: str, left: object, right: object) -> NoReturn:
    numbers = isinstance(left, int | float) or isinstance(right, int | float)
    texts = isinstance(left, str) or isinstance(right, str)
    advice = "`| int` makes a number of a text: `x | int + 1`" if numbers and texts else ""
    if sign == "+" and texts:
        advice = f"{advice}; `~` joins anything to a text" if advice else "`~` joins anything to a text"
    raise Refusal(
        "template-value", f"`{sign}` cannot stand between {kind_of(left)} and {kind_of(right)}", help=advice, word=sign
    )


# --- texts ---


def shown(value: object) -> str:
    """The value as it stands in a prompt: texts as they are, whole floats without `.0`, true and false as in YAML."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            bits(value)
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case list() | tuple():
            advice = "join its members: `{{ x | join(', ') }}`"
        case Mapping():
            advice = "name one of its keys: `{{ x.key }}`"
        case _:
            advice = "give a text to use instead: `{{ x | default('none', true) }}`"
    raise Refusal("template-value", f"{kind_of(value)} cannot stand in a text", help=advice)


def joined(values: object, separator: str = "") -> str:
    parts = [shown(value) for value in members(values)]
    between = shown(separator)
    characters(sum(map(len, parts)) + len(between) * max(len(parts) - 1, 0))
    return between.join(parts)


def replaced(text: object, old: object, new: object, count: int | None = None) -> str:
    whole, before, after = shown(text), shown(old), shown(new)
    times = whole.count(before) if count is None or count < 0 else min(count, whole.count(before))
    characters(len(whole) + times * (len(after) - len(before)))
    return whole.replace(before, after, -1 if count is None else count)


def formatted(pattern: object, *values: object) -> str:
    """`pattern % values` without stars, names and wide fields: what it gives is bounded by what it is given."""
    if not isinstance(pattern, str):
        _mismatch("%", pattern, values[0] if values else None)
    rest = _FORMAT.sub("", pattern)
    if "%" in rest:
        raise Refusal(
            "template-value",
            "a `%` in the text begins no format that is known here",
            help="known are `%s`, `%d`, `%05d`, `%.2f` and their like; `%%` is a percent sign",
        )
    texts = [shown(value) if isinstance(value, str | bool) else value for value in values]
    for value in texts:
        shown(value)
    characters(len(pattern) + sum(100 + len(value) if isinstance(value, str) else 500 for value in texts))
    try:
        return pattern % tuple(texts)
    except (TypeError, ValueError) as error:
        raise Refusal("template-value", f"the text cannot be formatted: {error}") from None


# --- numbers ---


def number(value: object, default: object = None) -> int | float:
    """The number that a text spells. Unlike Jinja's own, a text that spells none is refused unless a default is given."""
    match value:
        case int() | float():
            return value
        case str():
            text = value.strip()
            if len(text) <= _MOST_DIGITS and _NUMBER.fullmatch(text):
                result = int(text) if text.lstrip("+-").isdigit() else float(text)
                if math.isfinite(result):
                    return result
    if isinstance(default, int | float):
        return default
    what = f"the text `{value[:40]}`" if isinstance(value, str) else kind_of(value)
    raise Refusal("template-value", f"{what} is no number", help="give one to use instead: `x | int(0)`")


def whole(value: object, default: object = None) -> int:
    """As `number`, cut to a whole one."""
    return int(number(value, default))


def fractional(value: object, default: object = None) -> float:
    try:
        return float(number(value, default))
    except OverflowError:
        raise Refusal("template-limit", "a number in the template grows too large") from None


def integer(value: object) -> int:
    if isinstance(value, int):
        return value
    raise Refusal("template-value", f"{kind_of(value)} stands where a whole number is needed", help=_AS_NUMBER)


def rounded(value: object, precision: object = 0, method: object = "common") -> float:
    """`method`: common, ceil or floor, as Jinja's."""
    if not isinstance(value, int | float) or not isinstance(precision, int) or not 0 <= precision <= 15:
        raise Refusal("template-value", "`round` takes a number and 0 to 15 digits", help=_AS_NUMBER)
    match method:
        case "common":
            return float(round(value, precision))
        case "ceil" | "floor":
            scale = 10**precision
            return float((math.ceil if method == "ceil" else math.floor)(value * scale) / scale)
    raise Refusal("template-value", "`round` knows the methods `common`, `ceil` and `floor`")


def summed(values: object, start: object = 0) -> object:
    total = start
    for value in members(values):
        if not isinstance(value, int | float) or not isinstance(total, int | float):
            raise Refusal("template-value", f"`sum` takes numbers, not {kind_of(value)}", help=_AS_NUMBER)
        total = calculated("+", total, value)
    return total


# --- members ---


def members(value: object) -> list[object] | tuple[object, ...]:
    """What a loop over the value goes over: members, keys, characters."""
    match value:
        case list() | tuple():
            return value
        case Mapping() | str():
            return list(value)
    raise Refusal("template-value", f"a loop cannot go over {kind_of(value)}")


def cut(value: object, start: Any, stop: Any, step: Any) -> object:
    """`value[start:stop:step]`"""
    if not isinstance(value, str | list | tuple):
        raise Refusal("template-value", f"{kind_of(value)} has no part `[:]`", word="[")
    if step == 0 or any(not isinstance(bound, int | None) for bound in (start, stop, step)):
        raise Refusal("template-value", "`[:]` takes whole numbers, and steps other than 0", word="[")
    return value[slice(start, stop, step)]


def counted(*numbers: object) -> list[int]:
    """`range(...)` as a list."""
    if not all(type(number) is int for number in numbers) or not 1 <= len(numbers) <= 3:
        raise Refusal(
            "template-value", "`range` takes one to three whole numbers", help="`| int` makes a number of a text"
        )
    whole = [number for number in numbers if isinstance(number, int)]
    for number in whole:
        bits(number)
    if whole[2:] == [0]:
        raise Refusal("template-value", "`range` cannot step by 0")
    span = range(*whole)
    if span[MOST_WEIGHT:]:
        raise Refusal("template-limit", f"`range` gives more than {MOST_WEIGHT:,} numbers")
    return list(span)
