"""Words of strangers (prompts, provider messages, file names) made safe to show, secrets masked.

Cleaned text holds no control, bidi, line-break, surrogate or invisible format character, and no workflow command that a
CI log would obey in the middle of a line.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from runner.core import visible

# `##[error]`, `##vso[...]` and `##teamcity[...]` are obeyed anywhere in a line, `::error::` only at its start.
_WRAPPED = re.compile(r"(?<=[^\s.!?:]) ?\n(?=([^\W\d_]))")  # in the middle of a sentence, if a small letter follows
_COMMAND = re.compile(r"##(?=\w*\[)")

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s\"'`<>]+")
_USER = re.compile(r"(?<=://)[^/?#]+(?=@)")
_SIGNED = re.compile(
    r"[?&;#](?:x-[a-z]{2,5}-[a-z0-9-]+|q-[a-z-]+|[a-z-]*signature|sig|expires|policy|key-pair-id|[a-z]*accesskeyid|"
    r"googleaccessid|(?:[a-z]+[_-])?token|auth_key|api_?key|key|secret|password)=",
    re.IGNORECASE,
)
_SECRETS = (
    re.compile(r"(?P<lead>\b[Bb]earer +)(?P<secret>[A-Za-z0-9._~+/-]{16,}=*)"),
    re.compile(r"(?P<lead>\bsk-)(?P<secret>[A-Za-z0-9_-]{16,})"),
    re.compile(
        r"(?P<lead>\b(?:[A-Z0-9_]*_(?:API_KEY|SECRET|TOKEN|PASSWORD)|SHOTRUNNER_KEY_[A-Z0-9_]+) *[=:] *[\"']?)"
        r"(?P<secret>[A-Za-z0-9._~+/=-]{16,})"
    ),
)
_SHORTEST_SECRET = 8  # a shorter "secret" would mask ordinary words all over the text


def words(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` as one line to be shown behind words of ours: breaks become one space, control characters go, ends stripped.

    `secrets` are values known to this process; they, signed URLs and what looks like a key become `***`.
    """
    return _COMMAND.sub("#\ufffd", _masked(visible.one_line(text), secrets, same_length=False))


@lru_cache(maxsize=64)  # a thousand faults may lie in one very long line
def line(text: str) -> str:
    """A source line with as many code points as before: a tab is a space, other control characters are U+FFFD."""
    text = visible.CONTROL.sub("\ufffd", text.replace("\t", " "))
    return _COMMAND.sub("#\ufffd", _masked(text, (), same_length=True))


def passage(text: str) -> str:
    """Text of several lines to be shown in a place of its own: its breaks and blanks stay, other control characters go."""
    return _masked(visible.lines(text), (), same_length=False)


def prose(text: str) -> str:
    """As a passage, but a line that was broken within its sentence, before a small letter, runs on: the place has a width of its own."""
    return _WRAPPED.sub(lambda found: " " if found[1].islower() else found[0], passage(text))


def _masked(text: str, secrets: Iterable[str], *, same_length: bool) -> str:
    def stars(secret: str) -> str:
        return "*" * len(secret) if same_length else "***"

    def url(match: re.Match[str]) -> str:
        address = _USER.sub(lambda user: stars(user[0]), match[0])
        if signed := _SIGNED.search(address):
            first = re.search("[?#]", address)
            start = first.end() if first else signed.end()
            return address[:start] + stars(address[start:])
        return address

    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, stars(secret))
    if "://" in text:
        text = _URL.sub(url, text)
    for pattern in _SECRETS:
        text = pattern.sub(lambda match: match["lead"] + stars(match["secret"]), text)
    return text
