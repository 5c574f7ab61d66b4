"""One writer thread for a SQLite file: whatever waits is committed together, and each writer is woken when it is durable."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from runner.core.errors import NotRecorded

# Work runs inside the transaction. What it raises undoes its own part and leaves the rest of the transaction standing, unless
# it is the file itself that fails.
Work = Callable[[sqlite3.Connection], None]


class GroupCommit:
    """After every transaction the writer thread calls `kept` when it is durable, `dropped` when nothing of it is."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], *, kept: Callable[[], None], dropped: Callable[[], None]
    ) -> None:
        self._connect, self._kept, self._dropped = connect, kept, dropped
        self._queue: queue.SimpleQueue[tuple[Work, Future[None]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def write(self, work: Work) -> None:
        """Return when `work` is durable. Raises `NotRecorded`, or what `work` raised.

        Cancelling the caller does not take back what is queued.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="journal", daemon=True)
            self._thread.start()
        done: Future[None] = Future()
        self._queue.put((work, done))
        await asyncio.wrap_future(done)

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
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            more = None not in batch
            waiting = [one for one in batch if one is not None]
            if not waiting:
                continue
            outcomes: list[Exception | None]
            try:
                db = db or self._connect()
                outcomes = _commit(db, [work for work, _ in waiting])
                self._kept()
            except Exception as fault:  # noqa: BLE001 - a thread that ends here would leave every writer waiting for ever
                outcomes = [NotRecorded(str(fault)) for _ in waiting]
                self._dropped()
                _let_go(db)
                db = None
            for (_, done), outcome in zip(waiting, outcomes, strict=True):
                if not done.set_running_or_notify_cancel():
                    continue
                if outcome is None:
                    done.set_result(None)
                else:
                    done.set_exception(outcome)
        _let_go(db)


def _let_go(db: sqlite3.Connection | None) -> None:
    """Close a connection, whose open transaction is undone by that."""
    if db is not None:
        with suppress(sqlite3.Error):
            db.close()


def _commit(db: sqlite3.Connection, works: list[Work]) -> list[Exception | None]:
    """One transaction; the outcome of each work in it. Raises what keeps the whole of it from being durable."""
    outcomes: list[Exception | None] = []
    db.execute("BEGIN IMMEDIATE")
    for work in works:
        db.execute("SAVEPOINT one")
        try:
            work(db)
            outcomes.append(None)
        except sqlite3.IntegrityError as fault:
            outcomes.append(NotRecorded(str(fault)))
        except sqlite3.Error:
            raise
        except Exception as fault:  # noqa: BLE001 - given to whoever waits for this work
            outcomes.append(fault)
        if outcomes[-1] is not None:
            db.execute("ROLLBACK TO one")
        db.execute("RELEASE one")
    db.execute("COMMIT")
    return outcomes
