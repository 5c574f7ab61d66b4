"""The garbage collector, kept out of work whose objects all stay: collections would walk them again and again and free nothing."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Up to three times faster where hundreds of thousands of values are made and kept; may be nested."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
