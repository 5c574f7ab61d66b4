"""Who pays: accounts, the keys that open them, and what each has used up, reserved, and under way."""

import math
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from hmac import compare_digest
from typing import Any

from runner.core.money import ZERO
from runner.emulator.holders import Holder, Key, Limits, check
from runner.emulator.refusals import BILLING, Refusal, Side
from runner.emulator.switches import Switches
from runner.emulator.tasks import number

_DAY_S = 24 * 3600
_NOT_YOURS = "Access denied for this model"


class Meter:
    """How fast and how much at once is submitted; `scope` is whose limits these are, an account's or a key's."""

    def __init__(self, limits: Limits, scope: str) -> None:
        self.open = 0
        self._limits, self._scope, self._free_at = limits, scope, -math.inf

    def ask(self, elapsed: float) -> None:
        """Raises Refusal 429 if a submit at this reading of a clock that never falls is one too many."""
        most = self._limits.in_flight
        if most is not None and self.open >= most:
            raise self._slower("Concurrency limit reached", 1)
        if (early := self._early(elapsed)) > 1e-6:
            raise self._slower("Rate limit exceeded", math.ceil(early))

    def count(self, elapsed: float) -> None:
        if self._limits.submits_per_s is not None:
            self._free_at = max(self._free_at, elapsed) + 1 / self._limits.submits_per_s

    def _early(self, elapsed: float) -> float:
        if self._limits.submits_per_s is None:
            return 0
        gap = 1 / self._limits.submits_per_s
        # How much of the future this submit would use up, and how much of it may be.
        return max(self._free_at, elapsed) + gap - elapsed - gap * self._limits.burst

    def _slower(self, message: str, seconds: int) -> Refusal:
        return Refusal(
            429,
            message=message,
            retry_after_s=seconds,
            suggestion=f"retry after {seconds} seconds",
            extra={"limit_scope": self._scope},
        )


class Account:
    """A balance in credits; `number` counts the accounts of an emulator from 1."""

    def __init__(self, number: int, holder: Holder) -> None:
        self.number, self.holder, self.meter = number, holder, Meter(holder.limits, "account")
        self.used = self.reserved = ZERO

    @property
    def name(self) -> str:
        return self.holder.name

    @property
    def user_group(self) -> str:
        return self.holder.user_group

    @property
    def max_files(self) -> int:
        return self.holder.max_files

    @property
    def remaining(self) -> Decimal:
        return self.holder.credits - self.used - self.reserved


class Bearer:
    """A key and the account it opens: what was bought with this key. Every amount counts for both."""

    def __init__(self, account: Account, key: Key) -> None:
        self.account, self.key, self.meter = account, key, Meter(key.limits, "key")
        self.used = self.reserved = ZERO
        self._by_day: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)

    def admit(self, elapsed: float) -> None:
        """Counts a submit at this reading of a clock that never falls. Raises Refusal 429, and counts nothing then."""
        meters = (self.meter, self.account.meter)
        for meter in meters:
            meter.ask(elapsed)
        for meter in meters:
            meter.count(elapsed)

    def demand(self, model: str, switches: Switches) -> None:
        """Raises Refusal 402 or 403 for a model that is not for this key, or not for this account."""
        if self.key.models is not None and model not in self.key.models:
            extra = {"allowed_models": sorted(self.key.models)}
            status = 402 if switches.key_refusals == "402" else 403
            raise Refusal(status, code="key_model_not_allowed", message=_NOT_YOURS, param="model", extra=extra)
        if self.account.holder.models is not None and model not in self.account.holder.models:
            raise Refusal(403)

    def may(self, model: str) -> bool:
        return all(models is None or model in models for models in (self.key.models, self.account.holder.models))

    def reserve(self, amount: Decimal, at: float, switches: Switches) -> None:
        """For a new task, made at unix time `at`. Raises Refusal 402 where account or key cannot pay; where payment is
        asked for at the query, the balance falls below 0 instead."""
        if switches.payment == "create":
            self._demand(amount, at, switches)
        self.open(amount, at)

    def open(self, reserved: Decimal, at: float) -> None:
        """Counts the reserve of a task that is under way, without asking."""
        for one in (self, self.account):
            one.reserved += reserved
            one.meter.open += 1
        self._by_day[_day(at)] += reserved

    def ended(self) -> None:
        """A task has ended; what it costs may be settled later."""
        for one in (self, self.account):
            one.meter.open -= 1

    def settle(self, reserved: Decimal, charged: Decimal, at: float) -> None:
        """Gives the reserve back and takes the charge, which may be another amount; `at` is when the task was made."""
        for one in (self, self.account):
            one.reserved -= reserved
            one.used += charged
        self._by_day[_day(at)] += charged - reserved

    def body(self) -> dict[str, Any]:
        """The answer to GET /v1/credits."""
        remaining, quota = self.account.remaining, self.key.credits
        left = remaining if quota is None else min(remaining, quota - self.used - self.reserved)
        user = {"remaining_credits": number(remaining), "used_credits": number(self.account.used)}
        token = {"remaining_credits": number(left), "used_credits": number(self.used)}
        accounts = {"user": user, "token": {**token, "unlimited_credits": quota is None}}
        return {"success": True, "message": "", "data": accounts}

    def _demand(self, amount: Decimal, at: float, switches: Switches) -> None:
        if amount > self.account.remaining:
            raise self._unpaid(switches.no_credits, "Insufficient quota", amount, "account")
        if self.key.credits is not None and amount > (left := self.key.credits - self.used - self.reserved):
            code = "insufficient_token_quota" if left > 0 else "key_quota_exhausted"
            raise self._unpaid(code, "The key's quota does not cover this request", amount, "key")
        daily = self.key.credits_per_day
        if daily is not None and amount > daily - self._by_day[_day(at)]:
            code = "token_daily_quota_exceeded"
            raise self._unpaid(code, "The key's quota of this day does not cover this request", amount, "key")

    def _unpaid(self, code: str, message: str, amount: Decimal, scope: str) -> Refusal:
        extra = {
            "estimated_credits": number(amount),
            "account_balance_credits": number(self.account.remaining),
            "action_url": BILLING,
            "limit_scope": scope,
        }
        if code == "token_daily_quota_exceeded":
            extra["reset_timezone"] = "UTC"
        return Refusal(402, code=code, message=message, extra=extra)


class Accounts:
    """All accounts by their keys. Raises ValueError for holders that `check` refuses."""

    def __init__(self, holders: Sequence[Holder], switches: Switches) -> None:
        check(holders)
        self._switches = switches
        self._accounts = tuple(Account(n, holder) for n, holder in enumerate(holders, 1))
        self._closed: list[Bearer] = []
        self._bearers = {key.secret: Bearer(one, key) for one in self._accounts for key in one.holder.keys}

    def each(self) -> tuple[Account, ...]:
        """Every account once, by number."""
        return self._accounts

    def of(self, shown: str, now: float, side: Side) -> Bearer:
        """Whose key this is; as long to find out for every key. Raises Refusal 401, 402, 403."""
        found = None
        for secret, bearer in self._bearers.items():
            if compare_digest(shown.encode(errors="surrogateescape"), secret.encode()):
                found = bearer
        if found is None:
            raise Refusal(401, side)
        as_402 = self._switches.key_refusals == "402"
        if found.key.disabled:
            raise Refusal(402 if as_402 else 403, side, code="key_disabled", message="This key is disabled", param="")
        if found.key.expires_at is not None and found.key.expires_at <= now:
            raise Refusal(402 if as_402 else 401, side, code="key_expired", message="This key has expired")
        return found

    def named(self, account: str, key: str) -> Bearer:
        """The bearer of these names; one that no key opens, where account or key are not there any more."""
        own = {(one.account.name, one.key.name): one for one in (*self._bearers.values(), *self._closed)}
        if (account, key) in own:
            return own[account, key]
        found = next((one for one in self._accounts if one.name == account), None)
        if found is None:
            found = Account(len(self._accounts) + 1, Holder(name=account, keys=(), credits=ZERO))
            self._accounts = (*self._accounts, found)
        self._closed.append(Bearer(found, Key(secret="", name=key)))
        return self._closed[-1]


def _day(at: float) -> int:
    return int(at // _DAY_S)
