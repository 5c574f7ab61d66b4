"""Two clocks: one that is told to people, one that deadlines and pauses are counted by."""

import time
from datetime import UTC, datetime

from runner.adapters.clock import SystemClock


def test_pauses_and_deadlines_are_counted_by_the_clock_that_nobody_sets() -> None:
    before = time.monotonic()
    told = SystemClock().monotonic()
    assert before <= told <= time.monotonic()


def test_what_people_are_told_is_utc() -> None:
    before = datetime.now(UTC)
    told = SystemClock().now()
    assert before <= told <= datetime.now(UTC)
    assert told.tzinfo is UTC
