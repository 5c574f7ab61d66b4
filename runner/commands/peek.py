"""The journal as a reader sees it: opened without a lock, and only if there is one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.adapters.journal import Journal

JOURNAL = "journal.sqlite"


@contextmanager
def peeked(state: Path) -> Iterator[Journal | None]:
    """The journal of a state folder, read only; None where nothing has been written yet. Raises `Refused`."""
    if not (state / JOURNAL).is_file():
        yield None
        return
    journal = Journal(state / JOURNAL, read_only=True)
    try:
        yield journal
    finally:
        journal.close()
