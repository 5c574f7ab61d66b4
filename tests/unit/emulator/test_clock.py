"""The clock: skipped seconds count like real ones, and whoever waited for them is woken."""

import asyncio
import math
import time

import pytest

from runner.emulator.clock import FARTHEST_S, Clock


async def test_a_skip_moves_both_readings_and_nothing_else() -> None:
    clock = Clock(lambda: 1000.0)
    before = clock.elapsed()
    clock.advance(60)
    assert clock.now() == 1060
    assert 60 <= clock.elapsed() - before < 61
    clock.advance(0)
    assert clock.now() == 1060


@pytest.mark.parametrize("seconds", [-1, math.inf, math.nan, FARTHEST_S + 1])
async def test_time_moves_forward_by_a_bounded_step(seconds: float) -> None:
    with pytest.raises(ValueError, match="advances by"):
        Clock().advance(seconds)


async def test_alarms_due_by_a_skip_ring_at_once_in_their_order() -> None:
    clock, rung = Clock(lambda: 0.0), list[str]()
    for name, seconds in (("late", 90), ("early", 30), ("later", 91)):
        clock.after(seconds, lambda name=name: rung.append(name))  # type: ignore[misc]
    clock.advance(90)
    assert rung == ["early", "late"]
    clock.advance(1)
    assert rung == ["early", "late", "later"]
    clock.close()


async def test_an_alarm_set_by_an_alarm_counts_from_then() -> None:
    clock, rung = Clock(), list[str]()
    clock.after(10, lambda: clock.after(10, lambda: rung.append("second")))
    clock.advance(15)
    assert rung == []
    clock.advance(10)
    assert rung == ["second"]


async def test_waiting_lasts_as_long_as_it_says_whatever_the_base_reads() -> None:
    clock, began = Clock(lambda: 0.0), time.monotonic()
    await asyncio.gather(clock.sleep(0.06), clock.sleep(0.02))
    assert 0.06 <= time.monotonic() - began < 2


async def test_a_skip_ends_a_wait() -> None:
    clock = Clock()
    waiting = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    clock.advance(3600)
    async with asyncio.timeout(1):
        await waiting


async def test_a_closed_clock_rings_no_more() -> None:
    clock, rung = Clock(), list[str]()
    clock.after(0.01, lambda: rung.append("x"))
    clock.close()
    clock.advance(10)
    await asyncio.sleep(0.03)
    assert rung == []
