"""Virtual time: an event loop whose clock jumps to the next timer whenever nothing else can be done, so that hours take moments."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

Ended = TypeVar("Ended")
START = datetime(2026, 11, 20, 8, tzinfo=UTC)


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting for time to pass it lets it have passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everything waits and nothing will ever happen")
        if not ready and timeout:
            self.now_s += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, selector: _Jumping) -> None:
        self._jumping = selector
        super().__init__(selector)

    def time(self) -> float:
        return self._jumping.now_s


def run(work: Coroutine[Any, Any, Ended]) -> Ended:
    """Run to the end; no threads and no sockets inside, since nobody waits for them."""
    with asyncio.Runner(loop_factory=lambda: _Loop(_Jumping())) as runner:
        return runner.run(work)


class LoopClock:
    """The loop's own time. Fulfils `execution.ports.Clock`."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
