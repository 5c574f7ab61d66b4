"""Accounts are what their file says, and each of its faults is shown at its place."""

from decimal import Decimal

import pytest

from runner.core.diagnostics import Rejected, Source
from runner.emulator import accounts_file
from runner.emulator.holders import Holder, Key, Limits

WHOLE = """
accounts:
  - name: studio
    credits: 500.5
    user_group: vip
    files: 20
    models: [wan2.5-text-to-video]
    rate_per_s: 0.5
    burst: 3
    in_flight: 5
    keys:
      - sk-studio
      - key: sk-intern
        name: intern
        credits: 50
        credits_per_day: 20
        models: [wan2.5-text-to-video, wan2.7-text-to-video]
        rate_per_s: 1
        burst: 2
        in_flight: 1
        disabled: false
        expires_at: 2026-12-31T18:00:00Z
  - keys: [sk-guest]
"""


def read(text: str) -> tuple[Holder, ...]:
    return accounts_file.read(Source(path="accounts.yaml", name="accounts.yaml", text=text))


def faults(text: str) -> list[tuple[str, int]]:
    """(code, line) of each."""
    with pytest.raises(Rejected) as caught:
        read(text)
    return [(fault.code, fault.span.line if fault.span else 0) for fault in caught.value.diagnostics]


def test_what_is_written_holds_and_what_is_not_has_its_default() -> None:
    intern = Key(
        secret="sk-intern",
        name="intern",
        credits=Decimal(50),
        credits_per_day=Decimal(20),
        models=frozenset({"wan2.5-text-to-video", "wan2.7-text-to-video"}),
        limits=Limits(submits_per_s=1, burst=2, in_flight=1),
        expires_at=1798740000.0,
    )
    studio = Holder(
        name="studio",
        keys=(Key(secret="sk-studio"), intern),
        credits=Decimal("500.5"),
        user_group="vip",
        files=20,
        models=frozenset({"wan2.5-text-to-video"}),
        limits=Limits(submits_per_s=0.5, burst=3, in_flight=5),
    )
    assert read(WHOLE) == (studio, Holder(name="account 2", keys=(Key(secret="sk-guest"),)))


@pytest.mark.parametrize(
    ("moment", "seconds"), [("2027-01-01", 1798761600.0), ("2027-01-01T01:00:00+01:00", 1798761600.0)]
)
def test_a_moment_without_a_zone_is_in_utc(moment: str, seconds: float) -> None:
    (holder,) = read(f"accounts: [{{keys: [{{key: a, expires_at: '{moment}'}}]}}]")
    assert holder.keys[0].expires_at == seconds


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [("empty-file", 1)]),
        ("[]", [("bad-type", 1)]),
        ("{}", [("missing-key", 1)]),
        ("accounts: []", [("no-value", 1)]),
        ("accounts:\n  - {name: a}", [("missing-key", 2)]),
        ("accounts:\n  - {name: a, keys: []}", [("no-value", 2)]),
        ("accounts:\n  - {keys: [a], credit: 5}", [("unknown-key", 2)]),
        ("accounts:\n  - {keys: [{name: x}]}", [("missing-key", 2)]),
        ("accounts:\n  - {keys: [7]}", [("bad-type", 2)]),
        ("accounts:\n  - {keys: [a], credits: -1}", [("bad-value", 2)]),
        ("accounts:\n  - {keys: [a], credits: lots}", [("bad-type", 2)]),
        ("accounts:\n  - {keys: [a], rate_per_s: 0}", [("bad-value", 2)]),
        ("accounts:\n  - {keys: [a], in_flight: 0}", [("bad-value", 2)]),
        ("accounts:\n  - {keys: [a], models: wan}", [("bad-type", 2)]),
        ("accounts:\n  - {keys: [{key: a, expires_at: soon}]}", [("bad-value", 2)]),
        ("accounts:\n  - {keys: [{key: a, disabled: yes}]}", [("bad-type", 2)]),
        ("accounts:\n  - {name: a, keys: [a]}\n  - {name: a, keys: [b]}", [("duplicate-id", 3)]),
        ("accounts:\n  - {keys: [a]}\n  - {keys: [a]}", [("duplicate-id", 3)]),
        ("accounts:\n  - keys: [{key: a, name: x}, {key: b, name: x}]", [("duplicate-id", 2)]),
        ("accounts:\n  - {keys: [a], burst: 0}\n  - {keys: [b], files: x}", [("bad-value", 2), ("bad-type", 3)]),
    ],
)
def test_every_fault_has_its_place(text: str, found: list[tuple[str, int]]) -> None:
    assert faults(text) == found
