"""What a template may cost: how much a value weighs, how many steps a rendering takes, and the refusal of more."""

import math
from collections.abc import Mapping
from typing import TypeGuard

MOST_CHARACTERS = 65_536  # of one text, and of all that a template gives
MOST_STEPS = 200_000  # of one rendering: nodes evaluated, and what the values they walk over weigh
MOST_CHARACTERS_IN_ALL = 500_000_000  # of what one storyboard's templates give
MOST_STEPS_IN_ALL = 50_000_000  # of one storyboard
MOST_WEIGHT = 20_000
_MOST_LEVELS = 80  # of lists in lists; YAML itself gives at most 64
MOST_BITS = 1_024  # of a whole number


class Refusal(Exception):
    """A template cannot be used. `word`: what the caret goes under; `line`: its line where that is known, from 1."""

    def __init__(self, code: str, headline: str, *, help: str = "", word: str = "", line: int = 0) -> None:  # noqa: A002
        self.code, self.headline, self.help, self.word, self.line = code, headline, help, word, line
        super().__init__(headline)


class Unknown(Refusal):
    """A name that nothing defines: of the template itself, or of `within`, the value it was looked up in."""

    def __init__(self, name: str, within: object = None, *, hint: str = "") -> None:
        super().__init__("undefined-variable", hint or f"`{name}` is not defined", word=name)
        self.name, self.within, self.hint = name, within, hint


class Meter:
    """Counts the steps of one rendering, and of all renderings of a storyboard."""

    __slots__ = ("_in_all", "_left")

    def __init__(self) -> None:
        self._in_all, self._left = 0, MOST_STEPS

    def begin(self) -> None:
        """The next rendering begins."""
        self._in_all += MOST_STEPS - self._left
        self._left = MOST_STEPS

    def charge(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0 or self._in_all > MOST_STEPS_IN_ALL:
            whose = "the template takes" if self._left < 0 else "all templates together take"
            raise Refusal("template-limit", f"{whose} too many steps", help="shorten its loops")


def weight(value: object) -> int:
    """Steps to walk over the value: one for each member down to the leaves, one for each 16 characters.

    Members that are shared count each time they are met, so that a list of lists of one list cannot hide its size.
    Refuses a value that is larger than a template may hold.
    """
    if isinstance(value, str):
        return 1 + characters(len(value)) // 16
    if isinstance(value, int):
        return 1 + bits(value) // 64
    total, level = 0, [value]
    for _ in range(_MOST_LEVELS):
        total += len(level) + sum(len(part) // 16 for part in level if isinstance(part, str))
        inner = [part.values() if isinstance(part, Mapping) else part for part in level if _holds(part)]
        if total + sum(map(len, inner)) > MOST_WEIGHT:
            break
        if not inner:
            return total
        level = [member for members in inner for member in members]
    raise Refusal("template-limit", "a list or mapping in the template grows too large")


def _holds(value: object) -> TypeGuard[Mapping[str, object] | list[object] | tuple[object, ...]]:
    return isinstance(value, Mapping | list | tuple)


def characters(count: int) -> int:
    """The length of a text about to be made. Refuses too long a one."""
    if count > MOST_CHARACTERS:
        raise Refusal("template-limit", f"a text in the template grows beyond {MOST_CHARACTERS:,} characters")
    return count


def bits(number: int) -> int:
    """The number's length in bits. Refuses too long a one."""
    if number.bit_length() > MOST_BITS:
        raise Refusal("template-limit", "a number in the template grows too large")
    return number.bit_length()


def kind_of(value: object) -> str:
    """The value's type in the words of a storyboard."""
    match value:
        case None:
            return "a null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a mapping"
    return "something that is no value"


def copied(value: object) -> object:
    """The value as JSON that nobody else holds. Refuses what JSON has no word for."""
    weight(value)
    return _copy(value)


def _copy(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case str():
            return str(value)
        case list() | tuple():
            return [_copy(member) for member in value]
        case Mapping():
            return {str(key): _copy(member) for key, member in value.items()}
    raise Refusal("template-value", f"the template gives {kind_of(value)}")
