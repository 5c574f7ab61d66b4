"""Runs one command of Shotrunner in this process and kills it, as a power loss would, at one chosen point of the money path.

    python killer.py POINT LOG WORD...

A point is a place and which time it is passed: `submit.before#2` is just before the second POST. `LOG` gets every point that
was passed, a line each; `POINT` is the one to die at, or `-` to pass them all. `SIGTERM@submit.before#2` sends that signal
there instead, and the run comes to its own end. Nothing of `runner` knows of this: the
points lie around what it calls.
"""

import functools
import os
import signal
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from runner.adapters.client import Client
from runner.adapters.media import Probe
from runner.cli import main
from runner.execution.desk import Desk


class Points:
    """Every point as it is passed; the chosen one is the last."""

    def __init__(self, chosen: str, log: int) -> None:
        name, _, self._chosen = chosen.rpartition("@")
        self._signal, self._log = signal.Signals[name or "SIGKILL"], log
        self._passed: Counter[str] = Counter()
        self._one_at_a_time = threading.Lock()

    def passed(self, place: str) -> None:
        with self._one_at_a_time:
            self._passed[place] += 1
            point = f"{place}#{self._passed[place]}"
            os.write(self._log, f"{point}\n".encode())
            if point == self._chosen:
                os.kill(os.getpid(), self._signal)
                if self._signal is signal.SIGKILL:
                    threading.Event().wait()  # it is on its way


def around(points: Points, place: str, owner: Any, name: str) -> None:
    """A point before and one after each call of a function; also after one that raises."""
    call: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(call)
    def surrounded(*given: Any, **named: Any) -> Any:
        points.passed(f"{place}.before")
        try:
            return call(*given, **named)
        finally:
            points.passed(f"{place}.after")

    setattr(owner, name, surrounded)


def around_await(points: Points, place: str, owner: Any, name: str) -> None:
    """The same for a function that is awaited."""
    call: Callable[..., Awaitable[Any]] = getattr(owner, name)

    @functools.wraps(call)
    async def surrounded(*given: Any, **named: Any) -> Any:
        points.passed(f"{place}.before")
        try:
            return await call(*given, **named)
        finally:
            points.passed(f"{place}.after")

    setattr(owner, name, surrounded)


def around_commits(points: Points) -> None:
    """Before and after each transaction of the journal is made durable."""

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            if sql != "COMMIT":
                return super().execute(sql, *rest)
            points.passed("commit.before")
            try:
                return super().execute(sql)
            finally:
                points.passed("commit.after")

    sqlite3.connect = functools.partial(sqlite3.connect, factory=Watched)  # type: ignore[assignment]


def watch(points: Points) -> None:
    around_commits(points)
    around(points, "rename", os, "replace")
    around(points, "rename", os, "rename")
    around(points, "sync", os, "fsync")
    for name in ("submit", "ask", "upload", "fetch"):
        around_await(points, name, Client, name)
    around_await(points, "record", Desk, "record")
    around(points, "cut", Probe, "cutting")


if __name__ == "__main__":
    chosen, log, *words = sys.argv[1:]
    watch(Points(chosen, os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)))
    sys.argv = ["shotrunner", *words]
    sys.exit(main())
