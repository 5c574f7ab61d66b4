"""A folder in which an emulator keeps what it knows: its books, clips and uploads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.emulator.store import NAME, Store, Unusable


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """The books in this folder, which is made if it is not there; nobody else can open them meanwhile. Raises Unusable.

    Whatever no book names is removed from it, so it must be empty or have been kept by an emulator before.
    """
    books = folder / NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not books.is_file() and any(folder.iterdir()):
            raise Unusable("holds other files; give an empty folder, or one that is not there yet")
        books.touch(mode=0o600)  # it holds a key
    except OSError as fault:
        raise Unusable(f"cannot be used: {fault.strerror}") from None
    store = Store(books)
    try:
        yield store
    finally:
        store.close()
