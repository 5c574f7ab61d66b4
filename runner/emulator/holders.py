"""Who holds an account, with which keys, and what each may do; as it was told, before anything was bought. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

PLAY_MONEY = Decimal(1_000_000)
DEFAULT = "default"  # the name of the only account, and of the user group of most
FILES = {DEFAULT: 100, "vip": 500}  # uploads kept at once, by user group


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be submitted: `burst` creates at once and `submits_per_s` after that, `in_flight` tasks that have not ended.

    None is no limit.
    """

    submits_per_s: float | None = None
    burst: int = 1
    in_flight: int | None = None

    def __post_init__(self) -> None:
        if self.submits_per_s is not None and not (math.isfinite(self.submits_per_s) and self.submits_per_s > 0):
            raise ValueError("submits a second are more than 0")
        if self.burst < 1 or (self.in_flight is not None and self.in_flight < 1):
            raise ValueError("a burst and the tasks in flight are at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: `secret` is what clients show, `name` what it is called where secrets have no business.

    `credits` is what it may use up in all, `credits_per_day` on one day of UTC; `models` are those it may order. None is no
    bound. `expires_at` is in unix seconds.
    """

    secret: str
    name: str = DEFAULT
    credits: Decimal | None = None
    credits_per_day: Decimal | None = None
    models: frozenset[str] | None = None
    limits: Limits = field(default_factory=Limits)
    disabled: bool = False
    expires_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One account: `credits` is all it was ever given, `files` how many uploads it may keep at once."""

    name: str = DEFAULT
    keys: tuple[Key, ...]
    credits: Decimal = PLAY_MONEY
    user_group: str = DEFAULT
    limits: Limits = field(default_factory=Limits)
    models: frozenset[str] | None = None
    files: int | None = None

    @property
    def max_files(self) -> int:
        return FILES.get(self.user_group, FILES[DEFAULT]) if self.files is None else self.files


def check(holders: Sequence[Holder]) -> None:
    """Raises ValueError: there is a key, none is empty, none opens two accounts, no two accounts have one name."""
    secrets = [key.secret for holder in holders for key in holder.keys]
    if not secrets or not all(secrets):
        raise ValueError("an emulator needs a key, and a key is not empty")
    if len(set(secrets)) < len(secrets):
        raise ValueError("a key opens one account, and is told once")
    if len({holder.name for holder in holders}) < len(holders):
        raise ValueError("accounts have names of their own")
    for holder in holders:
        if len({key.name for key in holder.keys}) < len(holder.keys):
            raise ValueError("the keys of an account have names of their own")
