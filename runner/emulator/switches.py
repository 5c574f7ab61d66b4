"""What nobody could settle about the service, or what differs between its ages: each a switch with a careful default. Pure.

`--set NAME=VALUE` turns them; docs/emulator.md lists them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from runner.core.spelling import nearest
from runner.emulator.refusals import Lack, Profile

WAN25 = "wan2.5-text-to-video"
WAN25_PROMPT = 2000  # characters; one of its documents says 1000
LONGEST_HOURS = 24 * 365 * 10

WORDS: dict[str, tuple[str, ...]] = {
    "profile": tuple(Profile),
    "long_prompt": ("refuse", "cut"),
    "unknown_fields": ("refuse", "ignore"),
    "silent_audio": ("refuse", "ignore"),
    "payment": ("create", "query"),
    "no_credits": (
        "insufficient_quota",
        "insufficient_user_quota",
        "quota_not_enough",
        "account_balance_insufficient",
    ),
    "key_refusals": ("status", "402"),
    "billing_rule": ("auto", "per_call", "per_second"),
    "upload_types": ("media", "images"),
    "file_errors": ("status", "200"),
    "callbacks": ("public", "loopback", "none"),
    "lacks": tuple(Lack),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """`wan25_prompt` is in characters. Names that end in `_hours` are lifetimes, of a result link from its making, of a task
    from its end, of a file and an idempotency key from their coming."""

    profile: Profile = Profile.CURRENT
    object: bool = True
    finished_at_submit: bool = False
    wan25_prompt: int = WAN25_PROMPT
    long_prompt: Literal["refuse", "cut"] = "refuse"
    unknown_fields: Literal["refuse", "ignore"] = "refuse"
    silent_audio: Literal["refuse", "ignore"] = "refuse"
    payment: Literal["create", "query"] = "create"
    no_credits: str = "insufficient_quota"
    key_refusals: Literal["status", "402"] = "status"
    refunds: bool = True
    billing_rule: Literal["auto", "per_call", "per_second"] = "auto"
    query_suggestion: bool = True
    retry_after: bool = True
    head: bool = True
    fresh_links: bool = False
    link_hours: float = 24
    task_hours: float = 48
    key_hours: float = 24
    file_hours: float = 72
    upload_types: Literal["media", "images"] = "media"
    file_errors: Literal["status", "200"] = "status"
    callbacks: Literal["public", "loopback", "none"] = "public"
    lacks: frozenset[Lack] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if not 1 <= self.wan25_prompt <= WAN25_PROMPT:
            raise ValueError(f"`wan25_prompt` is a number of characters, 1 to {WAN25_PROMPT}")
        for name in ("link_hours", "task_hours", "key_hours", "file_hours"):
            hours = getattr(self, name)
            if not (math.isfinite(hours) and 0 < hours <= LONGEST_HOURS):
                raise ValueError(f"`{name}` is a number of hours, more than 0")

    @property
    def link_s(self) -> float:
        return self.link_hours * 3600

    @property
    def task_s(self) -> float:
        return self.task_hours * 3600

    @property
    def key_s(self) -> float:
        return self.key_hours * 3600

    @property
    def file_s(self) -> float:
        return self.file_hours * 3600


def read(pairs: Iterable[str]) -> Switches:
    """The switches of texts `name=value`, the last of each counts. Raises ValueError, whose text says what is lawful."""
    defaults = {one.name: getattr(Switches(), one.name) for one in fields(Switches)}
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip()
        if name not in defaults:
            meant = nearest(name, tuple(defaults))
            raise ValueError(f"there is no switch `{name}`" + (f"; did you mean `{meant}`?" if meant else ""))
        if not equals:
            raise ValueError(f"`{pair}` is not NAME=VALUE")
        found[name] = _value(name, text.strip(), defaults[name])
    return Switches(**found)


def _value(name: str, text: str, default: object) -> object:
    match default:
        case frozenset():
            return frozenset(Lack(_word(name, word.strip())) for word in text.split(",") if word.strip())
        case Profile():
            return Profile(_word(name, text))
        case str():
            return _word(name, text)
        case bool():
            if text not in ("true", "false"):
                raise ValueError(f"`{name}` is true or false")
            return text == "true"
        case _:
            try:
                return int(text) if name == "wan25_prompt" else float(text)
            except ValueError:
                raise ValueError(f"`{name}` is a number") from None


def _word(name: str, text: str) -> str:
    if text not in WORDS[name]:
        raise ValueError(f"`{name}` is {', '.join(WORDS[name][:-1])} or {WORDS[name][-1]}")
    return text
