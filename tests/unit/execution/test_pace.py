"""When to ask again: pure arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.execution.pace import Poll, fifth_percentile, pause

POLL = Poll(floor_s=5, ceiling_s=15)
seconds = st.floats(0, 1e6)


@pytest.mark.parametrize(
    ("age", "eta", "learned", "wait"),
    [
        (0, 100, [], 80),  # most of what is told to be left
        (80, 100, [], 16),
        (96, 100, [], 5),  # never below the floor
        (100, 100, [], 10),  # past the estimate: a tenth of the age
        (300, 100, [], 15),  # never above the ceiling
        (0, None, [], 5),
        (0, None, [60] * 5, 60),  # nothing told: what the model took before
        (50, None, [60] * 5, 10),
        (70, None, [60] * 5, 7),
        (0, None, [60] * 4, 5),  # four are no experience
        (0, 100, [60] * 5, 80),  # what is told wins over what was learned
        (0, 0, [60] * 5, 5),
    ],
)
def test_the_wait_follows_what_is_known(age: float, eta: float | None, learned: list[float], wait: float) -> None:
    assert POLL.next(age, eta, learned) == pytest.approx(wait)


@given(seconds, st.none() | seconds, st.lists(seconds, max_size=30))
def test_the_service_is_never_asked_faster_than_the_floor(age: float, eta: float | None, learned: list[float]) -> None:
    assert POLL.next(age, eta, learned) >= 5


@given(seconds, st.none() | seconds, st.lists(seconds, max_size=30))
def test_past_every_estimate_the_ceiling_holds(age: float, eta: float | None, learned: list[float]) -> None:
    age = max([age, eta or 0, *learned])
    assert POLL.next(age, eta, learned) <= 15


@given(st.floats(1, 10_000))
def test_an_honest_estimate_needs_few_polls(eta: float) -> None:
    age, polls = 0.0, 0
    while age < eta:
        age += POLL.next(age, eta, [])
        polls += 1
    assert polls <= 8
    assert age <= max(eta * 1.02, eta + 5)


def test_the_fifth_percentile_is_what_one_in_twenty_stays_below() -> None:
    assert fifth_percentile([]) is None
    assert fifth_percentile([5, 3, 4, 2, 1]) == 1
    assert fifth_percentile([float(n) for n in range(100)]) == 5


def test_a_pause_doubles_to_a_minute_less_up_to_half_by_chance() -> None:
    assert [pause(n, None, 0) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [pause(n, None, 0.5) for n in range(1, 4)] == [0.75, 1.5, 3]


def test_a_pause_that_is_told_is_believed_once() -> None:
    assert pause(1, 7.5, 0) == 7.5
    assert pause(1, 0, 0) == 0
    assert pause(5, 0, 0) == 8
    assert pause(5, 300, 0) == 300


@given(st.integers(1, 10**6), st.none() | st.floats(0, 300), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_longer_than_told_or_a_minute(in_vain: int, told: float | None, chance: float) -> None:
    assert 0 <= pause(in_vain, told, chance) <= max(told or 0, 60)


@given(seconds, seconds, st.floats(0.01, 100))
def test_a_beat_is_near_the_pause_and_never_now(pause_s: float, now: float, beat: float) -> None:
    waited = Poll(floor_s=1, ceiling_s=2, beat_s=beat).on_beat(pause_s, now)
    assert waited > -1e-6
    assert abs(waited - pause_s) <= beat + 1e-6
