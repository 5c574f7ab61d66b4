"""Accounts: every credit is remaining, reserved or used, and limits hold one account and one key at a time."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.accounts import Account, Accounts, Bearer
from runner.emulator.holders import Holder, Key, Limits
from runner.emulator.refusals import Profile, Refusal, Side
from runner.emulator.switches import Switches

AMOUNTS = st.decimals(0, 100, places=2)
NOW = 1_795_000_000.0
DAY_S = 86_400


def bearer(holder: dict[str, Any] | None = None, **key: Any) -> Bearer:
    own = Key(secret="k", **key)
    return Bearer(Account(1, Holder(**{"keys": (own,), "credits": Decimal(100), **(holder or {})})), own)


def limited(**limits: Any) -> Bearer:
    return bearer({"limits": Limits(**limits)})


def refused(one: Bearer, elapsed: float) -> int | None:
    """Seconds to wait, None for a submit that was taken."""
    try:
        one.admit(elapsed)
    except Refusal as refusal:
        assert refusal.status == 429
        assert (
            refusal.body(Profile.CURRENT)["error"]["fallback_suggestion"]
            == f"retry after {refusal.retry_after_s} seconds"
        )
        return refusal.retry_after_s
    return None


def paid(one: Bearer, amount: str | Decimal, at: float = NOW, **switches: Any) -> str:
    """The code of the refusal, empty if the amount was reserved."""
    try:
        one.reserve(Decimal(amount), at, Switches(**switches))
    except Refusal as refusal:
        assert refusal.status == 402
        return refusal.code
    return ""


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=20))
def test_what_remains_and_what_was_used_are_what_there_was(tasks: list[tuple[Decimal, Decimal]]) -> None:
    one = bearer()
    for reserve, charge in tasks:
        if paid(one, reserve):
            assert one.account.remaining < reserve
            continue
        assert one.account.remaining + one.account.used + one.account.reserved == 100
        one.settle(reserve, charge, NOW)
        assert one.account.remaining + one.account.used == 100
    assert one.used == one.account.used


def test_no_limit_is_no_limit() -> None:
    one = bearer()
    assert [refused(one, 0) for _ in range(1000)] == [None] * 1000


def test_one_submit_a_second_is_one_a_second_and_a_refused_one_costs_no_time() -> None:
    one = limited(submits_per_s=1)
    told = [refused(one, at) for at in (0, 0, 0.5, 0.99, 1, 1.5, 2, 9, 9.1)]
    assert told == [None, 1, 1, 1, None, 1, None, None, 1]


def test_a_burst_is_taken_at_once_and_then_the_rate_holds() -> None:
    one = limited(submits_per_s=2, burst=3)
    assert [refused(one, 0) for _ in range(4)] == [None, None, None, 1]
    assert [refused(one, 0.5) for _ in range(2)] == [None, 1]
    assert [refused(one, 60) for _ in range(4)] == [None, None, None, 1]


def test_a_slow_limit_says_how_long() -> None:
    one = limited(submits_per_s=0.1)
    assert [refused(one, at) for at in (0, 0, 3.5)] == [None, 10, 7]


@given(st.lists(st.floats(0, 20), min_size=1, max_size=60).map(sorted), st.integers(1, 5), st.sampled_from([0.5, 1, 3]))
def test_in_no_stretch_of_time_more_is_taken_than_burst_and_rate_allow(
    moments: list[float], burst: int, rate: float
) -> None:
    one = limited(submits_per_s=rate, burst=burst)
    taken = [at for at in moments if refused(one, at) is None]
    for first, begin in enumerate(taken):
        for last, end in enumerate(taken[first:], first):
            assert last - first + 1 <= burst + (end - begin) * rate + 1e-3


def test_tasks_in_flight_are_those_that_have_not_ended() -> None:
    one = limited(in_flight=2)
    for _ in range(2):
        one.admit(0)
        assert paid(one, "1") == ""
    assert refused(one, 0) == 1
    one.ended()
    assert refused(one, 0) is None


def test_the_limits_of_a_key_are_its_own_and_those_of_the_account_everybodys() -> None:
    slow, quick = Key(secret="a", limits=Limits(in_flight=1)), Key(secret="b", name="b")
    account = Account(1, Holder(keys=(slow, quick), limits=Limits(in_flight=2)))
    one, other = Bearer(account, slow), Bearer(account, quick)

    def scope(who: Bearer) -> str:
        try:
            who.admit(0)
        except Refusal as refusal:
            found: str = refusal.extra["limit_scope"]
            return found
        assert paid(who, "1") == ""
        return ""

    assert [scope(who) for who in (one, one, other, other)] == ["", "key", "", "account"]


def test_a_submit_that_one_limit_turns_away_counts_for_no_other() -> None:
    own = Key(secret="a", limits=Limits(submits_per_s=1))
    account = Account(1, Holder(keys=(own,), limits=Limits(submits_per_s=1, burst=3)))
    one, other = Bearer(account, own), Bearer(account, Key(secret="b"))
    assert [refused(one, 0) for _ in range(5)] == [None, 1, 1, 1, 1]
    assert [refused(other, 0) for _ in range(3)] == [None, None, 1]


@pytest.mark.parametrize(
    "limits", [{"submits_per_s": 0}, {"submits_per_s": float("nan")}, {"burst": 0}, {"in_flight": 0}]
)
def test_a_limit_that_lets_nothing_through_is_no_limit(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"at least 1|more than 0"):
        limited(**limits)


class TestQuotas:
    def test_an_account_that_cannot_pay_is_told_in_the_word_it_is_set_to(self) -> None:
        assert [paid(bearer(), amount) for amount in ("100", "100.01")] == ["", "insufficient_quota"]
        assert paid(bearer(), "101", no_credits="quota_not_enough") == "quota_not_enough"

    def test_a_keys_quota_is_spent_by_what_it_buys_and_given_back_by_what_fails(self) -> None:
        one = bearer(credits=Decimal(20))
        assert [paid(one, amount) for amount in ("12", "12", "8", "1")] == [
            "",
            "insufficient_token_quota",
            "",
            "key_quota_exhausted",
        ]
        one.settle(Decimal(12), Decimal(0), NOW)
        assert (paid(one, "12"), one.account.remaining) == ("", 80)

    def test_a_days_quota_is_whole_again_the_next_day_of_utc(self) -> None:
        one, midnight = bearer(credits_per_day=Decimal(20)), NOW - NOW % DAY_S + DAY_S
        assert paid(one, "15", midnight - 1) == ""
        assert paid(one, "15", midnight - 1) == "token_daily_quota_exceeded"
        assert paid(one, "15", midnight) == ""
        one.settle(Decimal(15), Decimal(5), midnight - 1)  # what was bought yesterday frees nothing today
        assert paid(one, "6", midnight) == "token_daily_quota_exceeded"

    def test_a_refusal_says_what_it_would_have_cost_and_what_there_is(self) -> None:
        one = bearer({"credits": Decimal("10.5")}, credits_per_day=Decimal(5))
        with pytest.raises(Refusal) as caught:
            one.reserve(Decimal("7.25"), NOW, Switches())
        assert caught.value.body(Profile.CURRENT)["error"] == {
            "code": "token_daily_quota_exceeded",
            "message": "The key's quota of this day does not cover this request",
            "type": "insufficient_quota_error",
            "fallback_suggestion": "https://evolink.ai/dashboard/billing",
            "estimated_credits": 7.25,
            "account_balance_credits": 10.5,
            "action_url": "https://evolink.ai/dashboard/billing",
            "limit_scope": "key",
            "reset_timezone": "UTC",
        }
        assert set(caught.value.body(Profile.DOCUMENTED)["error"]) == {
            "code",
            "message",
            "type",
            "fallback_suggestion",
        }

    def test_who_pays_at_the_query_falls_below_nothing(self) -> None:
        one = bearer(credits=Decimal(1))
        assert paid(one, "120", payment="query") == ""
        assert one.account.remaining == -20

    def test_credits_are_the_accounts_and_the_keys(self) -> None:
        one = bearer(credits=Decimal(30))
        one.reserve(Decimal(12), NOW, Switches())
        one.settle(Decimal(12), Decimal(10), NOW)
        assert one.body()["data"] == {
            "user": {"remaining_credits": 90, "used_credits": 10},
            "token": {"remaining_credits": 20, "used_credits": 10, "unlimited_credits": False},
        }


class TestModels:
    def test_a_model_is_for_those_that_have_it(self) -> None:
        everything, some = bearer(), bearer(models=frozenset({"a", "b"}))
        everything.demand("c", Switches())
        some.demand("a", Switches())
        with pytest.raises(Refusal) as caught:
            some.demand("c", Switches())
        assert (caught.value.status, caught.value.code) == (403, "key_model_not_allowed")
        assert caught.value.extra == {"allowed_models": ["a", "b"]}
        with pytest.raises(Refusal) as caught:
            bearer({"models": frozenset({"a"})}).demand("c", Switches())
        assert (caught.value.status, caught.value.code) == (403, "model_access_denied")
        assert [some.may(model) for model in "abc"] == [True, True, False]


class TestKeys:
    def accounts(self, *keys: Key, **switches: Any) -> Accounts:
        return Accounts(
            (Holder(name="one", keys=keys), Holder(name="two", keys=(Key(secret="z"),))), Switches(**switches)
        )

    def refused(self, accounts: Accounts, key: str) -> tuple[int, str]:
        with pytest.raises(Refusal) as caught:
            accounts.of(key, NOW, Side.QUERY)
        return caught.value.status, caught.value.code

    def test_each_key_opens_its_account(self) -> None:
        accounts = self.accounts(Key(secret="a"), Key(secret="b", name="b"))
        found = [accounts.of(key, NOW, Side.QUERY).account.number for key in "abz"]
        assert found == [1, 1, 2]
        for wrong in ("", "c", "ab", "A", "\udce9"):
            assert self.refused(accounts, wrong) == (401, "invalid_api_key")

    def test_a_key_can_be_disabled_and_can_expire(self) -> None:
        keys = (
            Key(secret="a", disabled=True),
            Key(secret="b", name="b", expires_at=NOW),
            Key(secret="c", name="c", expires_at=NOW + 1),
        )
        accounts = self.accounts(*keys)
        assert self.refused(accounts, "a") == (403, "key_disabled")
        assert self.refused(accounts, "b") == (401, "key_expired")
        assert accounts.of("c", NOW, Side.QUERY).key.name == "c"
        accounts = self.accounts(*keys, key_refusals="402")
        assert [self.refused(accounts, key) for key in "ab"] == [(402, "key_disabled"), (402, "key_expired")]

    @pytest.mark.parametrize(
        "holders",
        [
            (),
            (Holder(keys=()),),
            (Holder(keys=(Key(secret=""),)),),
            (Holder(keys=(Key(secret="a"), Key(secret="a", name="b"))),),
            (Holder(keys=(Key(secret="a"), Key(secret="b"))),),
            (Holder(keys=(Key(secret="a"),)), Holder(keys=(Key(secret="b"),))),
        ],
    )
    def test_keys_that_open_nothing_or_two_things_are_refused_beforehand(self, holders: Sequence[Holder]) -> None:
        with pytest.raises(ValueError, match=r"key|names"):
            Accounts(holders, Switches())
