"""Accounts: every credit is remaining, reserved or used, and limits hold one account at a time."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.accounts import Account, Accounts, Limits
from runner.emulator.refusals import Profile, Refusal

AMOUNTS = st.decimals(0, 100, places=2)


def account(**limits: object) -> Account:
    return Account(1, Decimal(100), Limits(**limits))  # type: ignore[arg-type]


def refused(account: Account, elapsed: float) -> int | None:
    """Seconds to wait, None for a submit that was taken."""
    try:
        account.admit(elapsed)
    except Refusal as refusal:
        assert refusal.status == 429
        assert (
            refusal.body(Profile.CURRENT)["error"]["fallback_suggestion"]
            == f"retry after {refusal.retry_after_s} seconds"
        )
        return refusal.retry_after_s
    return None


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=20))
def test_what_remains_and_what_was_used_are_what_there_was(tasks: list[tuple[Decimal, Decimal]]) -> None:
    one, reserved = account(), Decimal(0)
    for reserve, charge in tasks:
        try:
            one.reserve(reserve)
        except Refusal as refusal:
            assert (refusal.status, one.remaining < reserve) == (402, True)
            continue
        reserved += reserve
        assert one.remaining + one.used + reserved == 100
        one.settle(reserve, charge)
        reserved -= reserve
        assert one.remaining + one.used == 100


def test_no_limit_is_no_limit() -> None:
    one = account()
    assert [refused(one, 0) for _ in range(1000)] == [None] * 1000


def test_one_submit_a_second_is_one_a_second_and_a_refused_one_costs_no_time() -> None:
    one = account(submits_per_s=1)
    told = [refused(one, at) for at in (0, 0, 0.5, 0.99, 1, 1.5, 2, 9, 9.1)]
    assert told == [None, 1, 1, 1, None, 1, None, None, 1]


def test_a_burst_is_taken_at_once_and_then_the_rate_holds() -> None:
    one = account(submits_per_s=2, burst=3)
    assert [refused(one, 0) for _ in range(4)] == [None, None, None, 1]
    assert [refused(one, 0.5) for _ in range(2)] == [None, 1]
    assert [refused(one, 60) for _ in range(4)] == [None, None, None, 1]


def test_a_slow_limit_says_how_long() -> None:
    one = account(submits_per_s=0.1)
    assert [refused(one, at) for at in (0, 0, 3.5)] == [None, 10, 7]


@given(st.lists(st.floats(0, 20), min_size=1, max_size=60).map(sorted), st.integers(1, 5), st.sampled_from([0.5, 1, 3]))
def test_in_no_stretch_of_time_more_is_taken_than_burst_and_rate_allow(
    moments: list[float], burst: int, rate: float
) -> None:
    one = account(submits_per_s=rate, burst=burst)
    taken = [at for at in moments if refused(one, at) is None]
    for first, begin in enumerate(taken):
        for last, end in enumerate(taken[first:], first):
            assert last - first + 1 <= burst + (end - begin) * rate + 1e-3


def test_tasks_in_flight_are_those_that_have_not_ended() -> None:
    one = account(in_flight=2)
    for _ in range(2):
        one.admit(0)
        one.reserve(Decimal(1))
    assert refused(one, 0) == 1
    one.ended()
    assert refused(one, 0) is None


@pytest.mark.parametrize(
    "limits", [{"submits_per_s": 0}, {"submits_per_s": float("nan")}, {"burst": 0}, {"in_flight": 0}]
)
def test_a_limit_that_lets_nothing_through_is_no_limit(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"at least 1|more than 0"):
        account(**limits)


def test_a_key_opens_its_account_and_an_alias_the_same() -> None:
    accounts = Accounts({"a": Decimal(1), "b": Decimal(2)}, {"a2": "a"}, Limits())
    first, second = accounts.of("a"), accounts.of("b")
    assert first is not None and second is not None
    assert (first.number, second.number) == (1, 2)
    assert accounts.of("a2") is first
    for wrong in ("", "c", "ab", "A", "\udce9"):
        assert accounts.of(wrong) is None


@pytest.mark.parametrize(("balances", "aliases"), [({"": Decimal(1)}, {}), ({"a": Decimal(1)}, {"b": "c"})])
def test_a_key_that_opens_nothing_is_refused_beforehand(balances: dict[str, Decimal], aliases: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="key"):
        Accounts(balances, aliases, Limits())
