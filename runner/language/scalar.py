"""What a YAML scalar's text means: the core schema of YAML 1.2, without its hexadecimal and octal spellings.

`16:9`, `no`, `010`, `1_0`, `0x1F`, `2024-01-02` and `2.` are text.
"""

import re
from math import isinf

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(\.[0-9]+)?|(\.[0-9]+))([eE][-+]?[0-9]+)?")
_ENDLESS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_STARTS = frozenset("0123456789+-.")
# A plain scalar that begins otherwise is text.
STARTS = _NUMBER_STARTS | {word[:1] for word in _WORDS}
_MOST_DIGITS = 300
_KINDS: dict[str, type] = {
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:null": type(None),
}

Value = None | bool | int | float | str


class NotANumber(Exception):
    """Written like a number, but none that JSON can carry; the message ends a sentence begun with the text."""


def resolve(text: str) -> Value:
    """The value of a plain scalar. Raises NotANumber for infinities, not-a-number and numbers too large to hold."""
    if text[:1] not in _NUMBER_STARTS:
        return _WORDS.get(text, text)
    if _ENDLESS.fullmatch(text):
        raise NotANumber("is no number a request can hold")
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    if len(text) > _MOST_DIGITS:
        raise NotANumber(f"has more than {_MOST_DIGITS} digits")
    if any(match.groups()):
        number = float(text)
        if isinf(number):
            raise NotANumber("is larger than any number a request can hold")
        return number
    return int(text)


def tagged(tag: str, text: str) -> Value:
    """The value of a scalar with an explicit tag. Raises KeyError for a tag without meaning or one its text does not fit."""
    if tag in ("!", "tag:yaml.org,2002:str"):
        return text
    kind, value = _KINDS[tag], resolve(text)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise KeyError(tag)
    return value
