"""How many columns of a terminal text takes, from the Unicode tables of the standard library."""

import unicodedata
from bisect import bisect_right
from itertools import accumulate

_EMOJI_STYLE = "\ufe0f"  # the character before it is drawn as an emoji, two columns wide
_JOINER = "\u200d"
_ZERO = frozenset({"Mn", "Me", "Cf", "Cc", "Cs", "Zl", "Zp"})


def widths(text: str) -> list[int]:
    """Columns of each code point of cleaned text, in context: 0, 1 or 2.

    Marks and joiners take none; an emoji joined to the one before it, or its skin tone, takes none either.
    """
    if text.isascii():
        return [1] * len(text)
    columns: list[int] = []
    before, base = "", 0
    for character in text:
        width = _alone(character)
        if character == _EMOJI_STYLE:
            width = 1 if base == 1 else 0
        elif (before == _JOINER and unicodedata.category(character) == "So") or (base == 2 and _is_tone(character)):
            width = 0
        columns.append(width)
        base = width if width else base
        before = character
    return columns


def width(text: str) -> int:
    """Columns of the whole text."""
    return sum(widths(text))


def cut(text: str, columns: int) -> str:
    """`text` in at most `columns` (1 or more) columns; what was cut away leaves a `…`."""
    sizes = widths(text)
    if sum(sizes) <= columns:
        return text
    ends = list(accumulate(sizes))
    return text[: bisect_right(ends, columns - 1)] + "…"


def _alone(character: str) -> int:
    if unicodedata.category(character) in _ZERO or _is_inner_jamo(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def _is_inner_jamo(character: str) -> bool:
    """Vowels and finals of Hangul written in parts: drawn inside the syllable their first consonant opened."""
    return "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7fb"
