"""The video API for tests of programs that speak to it: free, on loopback, in a thread of this process.

    import pytest
    from runner.testing import emulator

    @pytest.fixture(scope="session")
    def video_api():
        with emulator() as api:
            yield api            # api.base_url, api.key, api.control

Faults are a file's text (docs/emulator.md), switches what `shotrunner emulate --set` takes.
"""

import asyncio
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

__all__ = ["Emulated", "emulator"]


@dataclass(frozen=True, slots=True)
class Emulated:
    """A running emulator. `key` is what clients show, `control` what the endpoints below /_emulate want."""

    base_url: str
    key: str
    control: str
    _running: Any
    _loop: asyncio.AbstractEventLoop

    def advance(self, seconds: float) -> None:
        """Skip time: a day takes no longer than a second. Raises ValueError below 0."""
        asyncio.run_coroutine_threadsafe(self._advance(seconds), self._loop).result()

    def invoice(self) -> tuple[Mapping[str, Any], ...]:
        """What each task cost, in the order of the creates, as GET /_emulate/invoice tells it."""
        return asyncio.run_coroutine_threadsafe(self._invoice(), self._loop).result()

    async def _advance(self, seconds: float) -> None:
        self._running.advance(seconds)

    async def _invoice(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(line.body() for line in self._running.invoice)


@contextmanager
def emulator(
    *,
    key: str = "sk-test",
    balance: float = 1_000_000,
    faults: str = "",
    switches: Mapping[str, str] | None = None,
    workers: int = 1,
) -> Iterator[Emulated]:
    """Serves the shipped models on a free port until the block ends. Raises ValueError for faults or switches that are none."""
    from runner.adapters.catalog import shipped_models
    from runner.core.diagnostics import Rejected, Source
    from runner.emulator import switches as switch
    from runner.emulator.app import Emulator
    from runner.emulator.faults_file import read

    try:
        scenarios = read(Source(path="faults", name="faults", text=faults)) if faults else None
    except Rejected as rejected:
        raise ValueError("; ".join(f"{one.span}: {one.headline}" for one in rejected.diagnostics)) from None
    turned = switch.read(f"{name}={value}" for name, value in (switches or {}).items())
    with tempfile.TemporaryDirectory(prefix="shotrunner-testing-") as folder, asyncio.Runner() as runner:
        loop, ready, ended = runner.get_loop(), threading.Event(), asyncio.Event()
        faults_of_start: list[BaseException] = []
        made = Emulator(
            shipped_models(),
            Path(folder),
            key=key,
            workers=workers,
            balance=Decimal(str(balance)),
            scenarios=scenarios,
            switches=turned,
        )

        async def serve() -> None:
            async with made:
                ready.set()
                await ended.wait()

        def run() -> None:
            try:
                loop.run_until_complete(serve())
            except BaseException as fault:  # noqa: BLE001 - raised again where the caller is
                faults_of_start.append(fault)
            finally:
                ready.set()

        thread = threading.Thread(target=run, name="video-api", daemon=True)
        thread.start()
        ready.wait()
        try:
            if faults_of_start:
                raise faults_of_start[0]
            yield Emulated(made.base_url, key, made.control, made, loop)
        finally:
            if loop.is_running():
                loop.call_soon_threadsafe(ended.set)
            thread.join()
