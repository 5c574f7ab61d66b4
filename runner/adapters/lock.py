"""One writer per state folder: a flock that the kernel alone frees."""

import fcntl
import json
import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runner.core.errors import Refused

ELSEWHERE = "name a state folder on a local disk by --state"


@contextmanager
def held(state: Path, *, wait_s: float) -> Iterator[None]:
    """Hold the state folder's lock. Raises `Refused` when another run holds it longer than `wait_s` seconds.

    What stands in the file is for the message alone; the lock is the kernel's and ends with the process, however it ends.
    """
    path = state / "lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as fault:
        raise Refused(f"the lock {path} cannot be opened: {fault.strerror}", help=ELSEWHERE) from fault
    try:
        _take(handle, path, time.monotonic() + wait_s)
        _say(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "command": shlex.join(sys.argv)}))
        try:
            yield
        finally:
            _say(handle, "")
    finally:
        os.close(handle)


def _take(handle: int, path: Path, give_up: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise Refused(
                    f"another run holds {path}: {_holder(path)}",
                    help="wait for it, or let this one wait with --wait SECONDS; the lock ends with its process",
                ) from None
            time.sleep(0.1)
        except OSError as fault:
            raise Refused(f"{path} cannot be locked: {fault.strerror}", help=ELSEWHERE) from fault
        else:
            return


def _say(handle: int, text: str) -> None:
    """Write who holds the lock; it is no less held on a disk that is full."""
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)


def _holder(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return f"process {told['pid']} on {told['host']}, `{told['command']}`"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has not said which"
