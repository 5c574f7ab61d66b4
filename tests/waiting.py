"""Waiting for something to happen, and not for long."""

import time
from collections.abc import Callable


def until(met: Callable[[], object], seconds: float = 30) -> None:
    give_up = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.01)
