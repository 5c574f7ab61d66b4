"""One writer per state folder: a flock that the kernel alone frees."""

import fcntl
import json
import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.core.errors import Refused


@contextmanager
def held(state: Path, *, wait_s: float) -> Iterator[None]:
    """Hold the state folder's lock. Raises `Refused` when another run holds it longer than `wait_s` seconds.

    What stands in the file is for the message alone; the lock is the kernel's and ends with the process, however it ends.
    """
    with (state / "lock").open("a+", encoding="utf-8") as file:
        give_up = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    raise Refused(
                        f"another run holds {state / 'lock'}: {_holder(file.name)}",
                        help="wait for it, or let this one wait with --wait SECONDS; the lock ends with its process",
                    ) from None
                time.sleep(0.1)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "command": shlex.join(sys.argv)}))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _holder(path: str) -> str:
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8"))
        return f"process {told['pid']} on {told['host']}, `{told['command']}`"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has not said which"
