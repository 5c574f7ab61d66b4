"""Who pays: accounts, the keys that open them, and how fast and how much at once each may submit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hmac import compare_digest
from typing import Any

from runner.core.money import ZERO
from runner.emulator.refusals import Refusal
from runner.emulator.tasks import number


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one account may submit: `burst` creates at once and `submits_per_s` after that, `in_flight` tasks that have not ended.

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


FILES = {"default": 100, "vip": 500}  # uploads kept at once, by user group


class Account:
    """A balance in credits; `number` counts the accounts of an emulator from 1."""

    def __init__(self, number: int, balance: Decimal, limits: Limits, *, user_group: str = "default") -> None:
        self.number, self.remaining, self.used, self.open = number, balance, ZERO, 0
        self.name, self.user_group = str(number), user_group
        self.max_files = FILES.get(user_group, FILES["default"])
        self._limits, self._free_at = limits, -math.inf

    def admit(self, elapsed: float) -> None:
        """Counts a submit at this reading of a clock that never falls. Raises Refusal 429, and counts nothing then."""
        most = self._limits.in_flight
        if most is not None and self.open >= most:
            raise _slower("Concurrency limit reached", 1)
        if self._limits.submits_per_s is None:
            return
        gap = 1 / self._limits.submits_per_s
        ahead = max(self._free_at, elapsed) + gap - elapsed  # how much of the future this submit would use up
        if (early := ahead - gap * self._limits.burst) > 1e-6:
            raise _slower("Rate limit exceeded", math.ceil(early))
        self._free_at = elapsed + ahead

    def reserve(self, amount: Decimal, *, on_credit: bool = False) -> None:
        """For a new task. Raises Refusal 402 where the balance does not reach; `on_credit` it falls below 0 instead."""
        if amount > self.remaining and not on_credit:
            raise Refusal(402)
        self.remaining -= amount
        self.open += 1

    def ended(self) -> None:
        """A task has ended; what it costs may be settled later."""
        self.open -= 1

    def settle(self, reserved: Decimal, charged: Decimal) -> None:
        """Gives the reserve back and takes the charge, which may be another amount."""
        self.remaining += reserved - charged
        self.used += charged

    def body(self) -> dict[str, Any]:
        """The answer to GET /v1/credits."""
        amounts = {"remaining_credits": number(self.remaining), "used_credits": number(self.used)}
        accounts = {"user": amounts, "token": {**amounts, "unlimited_credits": True}}
        return {"success": True, "message": "", "data": accounts}


class Accounts:
    """All accounts by their keys.

    `balances` are credits by key, an account each; `aliases` are further keys, each with the key whose account it opens.
    """

    def __init__(self, balances: Mapping[str, Decimal], aliases: Mapping[str, str], limits: Limits) -> None:
        own = {key: Account(n, balance, limits) for n, (key, balance) in enumerate(balances.items(), 1)}
        if unknown := sorted(set(aliases.values()) - set(own)):
            raise ValueError(f"{len(unknown)} further keys name no account")
        self._by_key = {**own, **{alias: own[key] for alias, key in aliases.items()}}
        if not all(self._by_key):
            raise ValueError("a key is not empty")

    def each(self) -> list[Account]:
        """Every account once, by number."""
        return sorted(set(self._by_key.values()), key=lambda account: account.number)

    def of(self, shown: str) -> Account | None:
        """The account this key opens; as long to find out for every key."""
        found = None
        for key, account in self._by_key.items():
            if compare_digest(shown.encode(errors="surrogateescape"), key.encode()):
                found = account
        return found


def _slower(message: str, seconds: int) -> Refusal:
    return Refusal(429, message=message, retry_after_s=seconds, suggestion=f"retry after {seconds} seconds")
