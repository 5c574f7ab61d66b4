"""How long a new task will take: the pixels waiting before it, at the pace of the renders so far."""

import math

FIRST_GUESS = 80e6  # pixels a second and thread, before anything was rendered


class Pace:
    """Counts pixels of all frames of the clips not yet done."""

    def __init__(self, workers: int) -> None:
        self._workers, self._rate, self._waiting = workers, FIRST_GUESS, 0

    def put(self, pixels: int) -> int:
        """Takes a clip into the queue; whole seconds until it is expected to be done, 0 if less than half of one."""
        self._waiting += pixels
        ahead = max(self._waiting / self._workers, pixels)
        return math.floor(ahead / self._rate + 0.5)

    def done(self, pixels: int, seconds: float | None) -> None:
        """A clip has left the queue; `seconds` it was rendered for, None if it was not."""
        self._waiting -= pixels
        if seconds:
            self._rate += 0.3 * (pixels / seconds - self._rate)
