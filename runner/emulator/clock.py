"""The emulator's time: real seconds, and those it was told to skip."""

import asyncio
import math
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

FARTHEST_S = 10 * 365 * 24 * 3600.0  # of one skip
_ALL_S = 100 * FARTHEST_S  # of all together: a calendar ends with the year 9999


class Clock:
    """For one event loop. `base` gives unix seconds and may be any clock; waiting is by real time alone.

    Who waits here waits real seconds, and no longer once time is moved past the moment.
    """

    def __init__(
        self,
        base: Callable[[], float] = time.time,
        *,
        skipped_s: float = 0.0,
        told: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """`skipped_s` were skipped before; `told` hears of all that were, whenever it is more."""
        self._base, self._skipped_s, self._told = base, skipped_s, told
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Unix seconds."""
        return self._base() + self._skipped_s

    def elapsed(self) -> float:
        """Seconds since some moment; never falls, whatever the base does."""
        return time.monotonic() + self._skipped_s

    def advance(self, seconds: float) -> None:
        """Skip so many seconds; alarms due by then ring at once, in their order. Raises ValueError outside [0, FARTHEST_S],
        and when a thousand years have been skipped."""
        if not (math.isfinite(seconds) and 0 <= seconds <= FARTHEST_S):
            raise ValueError(f"a clock advances by 0 to {FARTHEST_S:.0f} seconds")
        if self._skipped_s + seconds > _ALL_S:
            raise ValueError("a thousand years have been skipped")
        self._told(self._skipped_s + seconds)
        self._skipped_s += seconds
        self._ring()

    def after(self, seconds: float, ring: Callable[[], None]) -> None:
        heappush(self._alarms, (self.elapsed() + seconds, next(self._numbers), ring))
        self._wind()

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self.after(seconds, woken.set)
        await woken.wait()

    def close(self) -> None:
        """No alarm rings any more."""
        self._alarms.clear()
        self._wind()

    def _ring(self) -> None:
        while self._alarms and self._alarms[0][0] <= self.elapsed():
            heappop(self._alarms)[2]()
        self._wind()

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._alarms:
            wait = max(0.0, self._alarms[0][0] - self.elapsed())
            self._timer = asyncio.get_running_loop().call_later(wait, self._ring)
