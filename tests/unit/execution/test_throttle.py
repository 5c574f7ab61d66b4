"""What one provider is given at once and how fast, in virtual time."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest
import virtual

from runner.execution.throttle import QUIET, Throttle
from runner.providers.provider import NotTaken, Receipt, Refusal, Unclear

RECEIPT = Receipt(task_id="t", eta_s=None, reserved=None)
REFUSAL = Refusal(code="no", message="no", for_key=False)


def too_many(retry_after_s: float | None = 1.0) -> NotTaken:
    return NotTaken(reason="HTTP 429", retry_after_s=retry_after_s, pressed=True)


def out_of_order(retry_after_s: float | None = None) -> NotTaken:
    return NotTaken(reason="HTTP 503", retry_after_s=retry_after_s)


async def patiently(waited: Awaitable[object]) -> bool:
    await waited
    return True


class LateClock(virtual.LoopClock):
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds + 0.009)


class Case:
    """A throttle, and what is asked of it without a service."""

    def __init__(self, limit: int = 8, rate_per_s: float | None = None, chance: float = 0.0) -> None:
        self.clock = virtual.LoopClock()
        self.throttle = Throttle(self.clock, limit=limit, rate_per_s=rate_per_s, random=lambda: chance)

    async def turn(self) -> int:
        turn = await self.throttle.turn(patiently)
        assert turn is not None
        return turn

    async def room(self) -> int:
        """How many more submissions may leave now."""
        found = 0
        while True:
            try:
                async with asyncio.timeout(0.001):
                    await self.turn()
            except TimeoutError:
                break
            found += 1
        for _ in range(found):
            self.throttle.dropped()
        return found


def law(work: Callable[[], Any]) -> Callable[[], None]:
    """A test in virtual time."""

    def test() -> None:
        virtual.run(work())

    test.__name__ = work.__name__
    return test


@law
async def test_no_more_are_under_way_than_the_limit_and_an_end_makes_room() -> None:
    case = Case(limit=3)
    for _ in range(3):
        case.throttle.heard(await case.turn(), RECEIPT)
    assert await case.room() == 0
    case.throttle.ended()
    assert await case.room() == 1


@law
async def test_what_was_not_taken_makes_room_at_once() -> None:
    case = Case(limit=1)
    for told in (REFUSAL, Unclear(reason="?"), out_of_order(0)):
        case.throttle.heard(await case.turn(), told)
    assert await case.room() == 1


@law
async def test_resumed_tasks_count_whatever_the_limit() -> None:
    case = Case(limit=2)
    for _ in range(5):
        case.throttle.resumed()
    assert await case.room() == 0
    for _ in range(4):
        case.throttle.ended()
    assert await case.room() == 1


@law
async def test_a_429_halves_the_room_and_never_below_one() -> None:
    case = Case(limit=8)
    for expected in (4, 2, 1, 1):
        case.throttle.heard(await case.turn(), too_many(0))
        case.throttle.heard(await case.turn(), REFUSAL)  # taken or not, it was answered in peace
        assert await case.room() == expected


@law
async def test_a_service_that_takes_only_so_many_at_once_is_asked_again_when_one_has_ended() -> None:
    case = Case(limit=1000)
    for _ in range(5):
        case.throttle.heard(await case.turn(), RECEIPT)
    for _ in range(2):
        case.throttle.heard(await case.turn(), too_many(1))
    waiting = asyncio.create_task(case.turn())
    await asyncio.sleep(1000)
    assert not waiting.done()
    case.throttle.ended()
    case.throttle.heard(await waiting, RECEIPT)
    assert await case.room() == 0


@law
async def test_twenty_quiet_submissions_make_room_for_one_more_up_to_the_limit() -> None:
    case = Case(limit=4)
    case.throttle.heard(await case.turn(), too_many(0))
    for expected in (3, 4, 4):
        for _ in range(QUIET - 1):
            case.throttle.heard(await case.turn(), REFUSAL)
        assert await case.room() < expected or expected == 4
        case.throttle.heard(await case.turn(), REFUSAL)
        assert await case.room() == expected


@law
async def test_many_429s_of_one_moment_halve_once() -> None:
    case = Case(limit=8)
    turns = [await case.turn() for _ in range(8)]
    for turn in turns:
        case.throttle.heard(turn, too_many(0))
    case.throttle.heard(await case.turn(), REFUSAL)
    assert await case.room() == 4


@law
async def test_submissions_leave_one_behind_the_other_at_the_rate_and_never_in_a_burst() -> None:
    case = Case(limit=1000, rate_per_s=5)
    at = []
    for pause in (0, 0, 0, 10, 0, 0, 0.1, 0.1, 0.1, 0.5, 0, 0):
        await asyncio.sleep(pause)
        await case.turn()
        at.append(case.clock.monotonic())
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert min(gaps) >= 0.2 * 0.89  # a tenth of a gap is what a late one is made up for
    assert all(sum(first <= moment < first + 1 for moment in at) <= 6 for first in at)


@law
async def test_a_timer_that_is_late_does_not_lower_the_rate() -> None:
    throttle = Throttle(LateClock(), limit=1000, rate_per_s=10, random=lambda: 0.0)
    for _ in range(101):
        await throttle.turn(patiently)
    assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.02)


@pytest.mark.parametrize("told_s", [7.0, 300.0])
def test_nobody_submits_before_the_time_the_service_named(told_s: float) -> None:
    async def work() -> None:
        case = Case()
        case.throttle.heard(await case.turn(), too_many(told_s))
        await asyncio.gather(*(case.turn() for _ in range(1)))
        assert case.clock.monotonic() == told_s

    virtual.run(work())


@law
async def test_the_service_may_ask_for_peace_by_way_of_a_poll() -> None:
    case = Case()
    case.throttle.put_off(40)
    assert case.throttle.peace_s == 40
    await case.turn()
    assert case.clock.monotonic() == 40
    assert case.throttle.peace_s == 0


@pytest.mark.parametrize(("chance", "least", "most"), [(0.0, 1.0, 1.0), (0.5, 0.75, 0.75), (0.999, 0.5, 0.51)])
def test_an_own_pause_is_drawn_shorter_by_chance(chance: float, least: float, most: float) -> None:
    async def work() -> None:
        case = Case(chance=chance)
        case.throttle.heard(await case.turn(), out_of_order())
        await case.turn()
        assert least <= case.clock.monotonic() <= most

    virtual.run(work())


@law
async def test_after_what_was_not_taken_one_goes_at_a_time_until_one_is_taken() -> None:
    case = Case(limit=8)
    case.throttle.heard(await case.turn(), out_of_order(0))
    alone = await case.turn()
    assert await case.room() == 0
    case.throttle.heard(alone, RECEIPT)
    assert await case.room() == 7


@law
async def test_a_late_success_of_before_does_not_open_the_gate() -> None:
    case = Case(limit=8)
    early, late = await case.turn(), await case.turn()
    case.throttle.heard(early, out_of_order(0))
    case.throttle.heard(late, RECEIPT)
    await case.turn()
    assert await case.room() == 0


@pytest.mark.parametrize("told", [too_many(None), too_many(0), out_of_order(), out_of_order(0)], ids=str)
def test_a_service_in_trouble_hears_ever_less_however_many_wait(told: NotTaken) -> None:
    async def work() -> None:
        case = Case(limit=50)
        at: list[float] = []

        async def knock() -> None:
            while True:
                turn = await case.turn()
                at.append(case.clock.monotonic())
                await asyncio.sleep(0.05)
                case.throttle.heard(turn, told)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.gather(*(knock() for _ in range(50)))
        together = sum(1 for moment in at if moment == 0)
        assert together == 50  # nothing was known yet
        assert len(at) - together < 140
        assert all(later - earlier >= 25 for earlier, later in pairwise(at[-20:]))

    virtual.run(work())


@law
async def test_every_wait_is_left_at_once_when_submitting_stops() -> None:
    case = Case(limit=1, rate_per_s=0.01)
    stop = asyncio.Event()

    async def unless_stopped(waited: Awaitable[object]) -> bool:
        waiting = [asyncio.ensure_future(waited), asyncio.ensure_future(stop.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        return not stop.is_set()

    await case.turn()
    waiting = [asyncio.create_task(case.throttle.turn(unless_stopped)) for _ in range(100)]
    await asyncio.sleep(1)
    stop.set()
    assert await asyncio.gather(*waiting) == [None] * 100
    assert case.clock.monotonic() == 1


class Limited:
    """A service that allows 30 submissions a second, by the clock's seconds or by the last second, and says when to come back."""

    def __init__(self, clock: virtual.LoopClock, *, sliding: bool, chance: random.Random) -> None:
        self._clock, self._sliding, self._chance = clock, sliding, chance
        self._counted: Counter[int] = Counter()
        self._last: deque[float] = deque()
        self.refusals = 0

    async def submit(self) -> Receipt | NotTaken:
        await asyncio.sleep(self._chance.uniform(0.02, 0.08))
        allowed = self._allows(self._clock.monotonic())
        await asyncio.sleep(self._chance.uniform(0.02, 0.08))
        if allowed:
            return RECEIPT
        self.refusals += 1
        return too_many(1)

    def _allows(self, now: float) -> bool:
        if not self._sliding:
            self._counted[int(now)] += 1
            return self._counted[int(now)] <= 30
        while self._last and self._last[0] <= now - 1:
            self._last.popleft()
        if len(self._last) < 30:
            self._last.append(now)
            return True
        return False


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sliding", [False, True], ids=["fixed", "sliding"])
@pytest.mark.parametrize(("rate_per_s", "most"), [(5.0, 0), (30.0, 2)])
def test_fifty_workers_meet_hardly_a_429_in_a_thousand_takes(
    rate_per_s: float, most: int, sliding: bool, seed: int
) -> None:
    chance = random.Random(seed)

    async def work() -> int:
        clock = virtual.LoopClock()
        throttle = Throttle(clock, limit=50, rate_per_s=rate_per_s, random=chance.random)
        service = Limited(clock, sliding=sliding, chance=chance)
        takes = iter(range(1000))

        async def worker() -> None:
            for _ in takes:
                told: Receipt | NotTaken = too_many()
                while isinstance(told, NotTaken):
                    turn = await throttle.turn(patiently)
                    assert turn is not None
                    told = await service.submit()
                    throttle.heard(turn, told)
                await asyncio.sleep(chance.uniform(0.5, 2))
                throttle.ended()

        await asyncio.gather(*(worker() for _ in range(50)))
        return service.refusals

    assert virtual.run(work()) <= most
