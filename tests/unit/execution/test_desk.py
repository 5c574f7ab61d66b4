"""What the workers of a run share: rest, reasons to stop, and work that nothing parts."""

import asyncio

import pytest
from fakes import world

from runner.execution.desk import Halt


async def test_a_rest_lasts_as_long_as_it_should() -> None:
    made = world()
    assert await made.desk.rest(60)
    assert made.clock.monotonic() == 60


async def test_a_rest_ends_at_once_when_the_run_leaves() -> None:
    made = world()
    resting = asyncio.create_task(made.desk.rest(1e9))
    await asyncio.sleep(0)
    made.desk.halt.leave.set()
    assert not await resting
    assert made.clock.monotonic() < 1e9
    assert not await made.desk.rest(1e9)


def test_the_first_reason_to_stop_stands() -> None:
    halt = Halt()
    assert halt.why() == ""
    halt.submitting("the first")
    halt.submitting("the second")
    assert halt.why() == "the first"
    assert halt.stop.is_set()
    assert not halt.leave.is_set()
    left = Halt()
    left.leaving("stopped by SIGINT")
    assert (left.why(), left.stop.is_set(), left.leave.is_set()) == ("stopped by SIGINT", True, True)


async def test_work_goes_on_when_whoever_waits_for_it_is_cancelled() -> None:
    made, release, ended = world(), asyncio.Event(), []

    async def work() -> int:
        await release.wait()
        ended.append(True)
        return 5

    waiting = asyncio.create_task(made.desk.uninterrupted(work()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    answered = asyncio.create_task(made.desk.answered())
    for _ in range(3):  # nor however often it is cancelled that others wait
        await asyncio.sleep(0)
        answered.cancel()
        await asyncio.sleep(0)
        assert not answered.done()
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await answered
    assert ended == [True]
    assert made.desk.in_flight == set()


async def test_a_fault_nobody_waited_for_is_kept() -> None:
    made, release = world(), asyncio.Event()

    async def work() -> None:
        await release.wait()
        raise ValueError("lost otherwise")

    waiting = asyncio.create_task(made.desk.uninterrupted(work()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    release.set()
    await made.desk.answered()
    assert [str(fault) for fault in made.desk.crashes] == ["lost otherwise"]


async def test_a_fault_somebody_waited_for_is_theirs() -> None:
    made = world()

    async def work() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await made.desk.uninterrupted(work())
    assert made.desk.crashes == []
