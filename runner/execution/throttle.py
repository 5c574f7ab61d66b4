"""What one provider is given at once and how fast: room for so many tasks, a gap between submissions, pauses it asks for."""

import asyncio
from collections.abc import Awaitable, Callable

from runner.execution.pace import pause
from runner.execution.ports import Clock
from runner.providers.provider import NotTaken, Receipt, Submitted

QUIET = 20  # submissions in a row without a 429, after which one task more may be under way
LATE = 0.1  # of a gap: so much of a timer's lateness is made up for, so that the rate holds and no burst comes of it
SLOWER = (
    1.1  # a gap after a 429, for the rest of the run: a rate just at the service's own meets its limit again and again
)
SHORTEST_S = 1e-6  # of a pause that is worth a timer

Wait = Callable[[Awaitable[object]], Awaitable[bool]]


class Throttle:
    """One provider's measure, for one event loop.

    At most `limit` tasks are under way; half as many after each 429, one more after every `QUIET` submissions without.
    Submissions leave one behind the other, `rate_per_s` of them a second (None: as they come) and none before a time the
    service named. After one that was not taken they leave one at a time, until one is answered otherwise: however many
    wait, a service in trouble hears of one of them. `random` gives numbers in [0, 1).
    """

    def __init__(self, clock: Clock, *, limit: int, rate_per_s: float | None, random: Callable[[], float]) -> None:
        self.limit, self._clock, self._random = limit, clock, random
        self._gap_s = 1 / rate_per_s if rate_per_s else 0.0
        self._longest_gap_s = 2 * self._gap_s
        self._allowed, self._under_way, self._sending = limit, 0, 0
        self._next_at = self._submit_from = self._ask_from = float("-inf")
        self._spell = self._quiet = self._in_vain = 0
        self._line, self._changed = asyncio.Lock(), asyncio.Event()

    async def turn(self, wait: Wait) -> int | None:
        """Wait, in line, until a submission may leave; then its task counts as under way. What it returns goes to `heard`.

        `wait` waits for what it is given, unless submitting stops; it says whether it goes on. None when it does not.
        """
        async with self._line:
            while True:
                self._changed.clear()
                early_s = max(self._next_at, self._submit_from) - self._clock.monotonic()
                if self._under_way >= self._allowed or (self._in_vain and self._sending):
                    goes_on = await wait(self._changed.wait())
                elif early_s > SHORTEST_S:
                    goes_on = await wait(self._clock.sleep(early_s))
                else:
                    break
                if not goes_on:
                    return None
            self._next_at = max(self._next_at, self._clock.monotonic() - LATE * self._gap_s) + self._gap_s
            self._under_way += 1
            self._sending += 1
            return self._spell

    def heard(self, turn: int, told: Submitted) -> None:
        """The answer to a submission. Only a receipt leaves its task under way, until `ended`."""
        self.dropped()
        if isinstance(told, Receipt):
            self._under_way += 1
        if isinstance(told, NotTaken):
            self._not_taken(turn, told)
        elif turn == self._spell:
            self._in_vain = 0
            self._quiet += 1
            if self._quiet >= QUIET:
                self._quiet, self._allowed = 0, min(self._allowed + 1, self.limit)

    def dropped(self) -> None:
        """A turn that came to nothing."""
        self._sending -= 1
        self.ended()

    def resumed(self) -> None:
        """A task that is under way already: it counts, whatever the limit."""
        self._under_way += 1

    def ended(self) -> None:
        """A task is no longer under way."""
        self._under_way -= 1
        self._changed.set()

    def put_off(self, seconds: float) -> None:
        """The service asks for peace: nothing is submitted and no task asked about before it is over."""
        self._ask_from = max(self._ask_from, self._clock.monotonic() + seconds)
        self._submit_from = max(self._submit_from, self._ask_from)

    @property
    def peace_s(self) -> float:
        """Seconds until a task may be asked about."""
        return max(self._ask_from - self._clock.monotonic(), 0.0)

    def _not_taken(self, turn: int, told: NotTaken) -> None:
        """Pause for all. Of many that were under way together only the first halves the room and lengthens the pause."""
        if turn == self._spell:
            self._spell += 1
            self._in_vain += 1
            if told.pressed:
                self._quiet, self._allowed = 0, max(self._allowed // 2, 1)
                if self._in_vain > 1 and self._under_way:
                    # One alone after a pause was too much, too: what is under way is all that the service takes at once.
                    self._allowed = min(self._allowed, self._under_way)
                self._gap_s = min(self._gap_s * SLOWER, self._longest_gap_s)
        elif told.retry_after_s is None:
            return
        wait_s = pause(self._in_vain, told.retry_after_s, self._random())
        self._submit_from = max(self._submit_from, self._clock.monotonic() + wait_s)
