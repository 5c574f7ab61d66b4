"""One writer thread for a SQLite file: whatever waits is committed together, and each writer is woken when it is durable."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future

from runner.core.errors import NotRecorded

# Work runs inside the transaction; what it returns runs once that is durable. It may raise ValueError or a subclass: then
# its own part is undone and the rest of the transaction stands.
Work = Callable[[sqlite3.Connection], Callable[[], None] | None]


class GroupCommit:
    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._queue: queue.SimpleQueue[tuple[Work, Future[None]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def write(self, work: Work) -> None:
        """Return when `work` is durable. Raises `NotRecorded`, or what `work` raised."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="journal", daemon=True)
            self._thread.start()
        done: Future[None] = Future()
        self._queue.put((work, done))
        await asyncio.shield(asyncio.wrap_future(done))

    def close(self) -> None:
        """Commit what is queued and end the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _serve(self) -> None:
        db: sqlite3.Connection | None = None
        more = True
        while more:
            first = self._queue.get()
            batch = []
            while first is not None:
                batch.append(first)
                if self._queue.empty():
                    break
                first = self._queue.get()
            more = first is not None
            try:
                db = db or self._connect()
                outcomes = _commit(db, [work for work, _ in batch])
            except sqlite3.Error as fault:
                outcomes = [NotRecorded(str(fault)) for _ in batch]
            for (_, done), outcome in zip(batch, outcomes, strict=True):
                if outcome is None:
                    done.set_result(None)
                else:
                    done.set_exception(outcome)
        if db is not None:
            db.close()


def _commit(db: sqlite3.Connection, works: list[Work]) -> list[Exception | None]:
    outcomes: list[Exception | None] = []
    hooks: list[Callable[[], None]] = []
    try:
        db.execute("BEGIN IMMEDIATE")
        for work in works:
            db.execute("SAVEPOINT one")
            try:
                hook = work(db)
            except ValueError as fault:
                db.execute("ROLLBACK TO one")
                outcomes.append(fault)
            else:
                outcomes.append(None)
                if hook is not None:
                    hooks.append(hook)
            db.execute("RELEASE one")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    for hook in hooks:
        hook()
    return outcomes
