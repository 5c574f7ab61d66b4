"""A program of the user's own: run without a shell, without our keys, and ended with all it has started."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KEPT_BYTES = 64 * 1024  # of what it prints, the end
GRACE_S = 5  # between being asked to end and being ended
BEAT_S = 0.05
# What a program may need of the surroundings; nothing else is handed on, no key least of all.
HANDED_ON = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "TMPDIR", "XDG_RUNTIME_DIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`code` is its exit code, negative the signal it died of; `said` the end of what it printed on both streams.

    `why` is empty, or a clause that says why we ended it.
    """

    code: int
    said: str
    why: str = ""


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name in HANDED_ON or name.startswith("LC_")}


async def run(
    command: Sequence[str],
    folder: Path,
    *,
    environ: Mapping[str, str],
    timeout_s: float,
    stopped: Callable[[], bool] = lambda: False,
) -> Ended:
    """Run `command` in `folder`, its input empty, and wait for its end; `stopped` is asked several times a second.

    Raises OSError when it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=surroundings(environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # a Ctrl-C is ours to hand on, and its children end with it
    )
    tail = _Tail()
    reading = asyncio.ensure_future(tail.read(process.stdout))
    ends_at, why = asyncio.get_running_loop().time() + timeout_s, ""
    try:
        while process.returncode is None and not why:
            await asyncio.sleep(BEAT_S)
            if stopped():
                why = "the run was stopped"
            elif asyncio.get_running_loop().time() > ends_at:
                why = f"it was not done after {timeout_s:g} s"
    finally:
        code = await _end(process)
        await asyncio.wait([reading], timeout=1)
        reading.cancel()
    return Ended(code=code, said=tail.kept.decode("utf-8", "replace"), why=why)


class _Tail:
    """The end of what a stream gave so far."""

    def __init__(self) -> None:
        self.kept = b""

    async def read(self, stream: asyncio.StreamReader | None) -> None:
        while stream is not None and (block := await stream.read(KEPT_BYTES)):
            self.kept = (self.kept + block)[-KEPT_BYTES:]


async def _end(process: asyncio.subprocess.Process) -> int:
    """Its exit code; the program and all of its group are gone afterwards.

    The code is looked for, not waited for: a wait ends only when nobody holds the program's streams any more.
    """
    ends_at = asyncio.get_running_loop().time() + GRACE_S
    if process.returncode is None:
        _signal(process.pid, signal.SIGTERM)
    while process.returncode is None and asyncio.get_running_loop().time() < ends_at:  # noqa: ASYNC110
        await asyncio.sleep(BEAT_S)
    _signal(process.pid, signal.SIGKILL)
    while process.returncode is None:  # noqa: ASYNC110
        await asyncio.sleep(BEAT_S)
    return process.returncode


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return
