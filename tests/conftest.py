"""Guards of every test in this process: no socket but loopback, no write outside the folders of tests.

They stand from the import of this file to the end of the last test; what pytest itself writes then is its own affair.

Whole commands run as processes of their own; what they may touch is theirs to prove (`tests/stage.py` gives them a bare environment).
"""

import gc
import os
import sys
import tempfile
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
WRITABLE = (
    Path(tempfile.gettempdir()).resolve(),
    Path("/dev"),
    Path("/proc/self"),
    ROOT / ".hypothesis",
    ROOT / "tests" / "cases" / "refused",  # UPDATE_CASES=1 alone writes there
    ROOT / "tests" / "cases" / "accepted",
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Forbidden(AssertionError):
    """A test did what no test may do."""


_standing = True


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    match event:
        case _ if not _standing:
            return
        case "socket.connect" if isinstance(arguments[1], tuple) and not _loopback(str(arguments[1][0])):
            raise Forbidden(f"a test connects to {arguments[1][0]}")
        case "open" if isinstance(arguments[2], int) and arguments[2] & WRITING and not _writable(arguments[0]):
            raise Forbidden(f"a test writes {arguments[0]}")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


def _writable(path: object) -> bool:
    if not isinstance(path, str | bytes | os.PathLike):
        return True  # a descriptor: its opening was judged
    place = Path(os.fsdecode(path))
    if "__pycache__" in place.parts:
        return True
    place = place if place.is_absolute() else Path.cwd() / place
    return any(place.is_relative_to(folder) or place.resolve().is_relative_to(folder) for folder in WRITABLE)


sys.addaudithook(_guard)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """The tests are over, and pytest writes its cache: into a folder of any name beside this checkout's files, when there was none."""
    global _standing
    _standing = False


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: tests that collect what they left need not look through it each time."""
    gc.freeze()


# `--hypothesis-profile=thorough` looks longer.
settings.register_profile("everyday", max_examples=40, deadline=None)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile("everyday")
