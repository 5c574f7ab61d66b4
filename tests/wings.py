"""Commands that wait in the wings: whole processes of Shotrunner that begin with its imports done, and cost no more than their work.

One process a test worker loads the program and begins nothing. Each command is a fork of it: with its own folder, environment,
streams, signals and exit code, and with nothing of any command before it. That a command may also begin from nothing, as users
begin it, is held by `tests/flow/test_streams.py`.
"""

import atexit
import concurrent.futures
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

NUMBER = struct.Struct("i")
FIRST_MODULES = {"runner.__main__", "runner.adapters.probe_worker"}  # of a process: never loaded before it begins
EXTRAS = {
    "runner.steps.edl",
    "runner.steps.otioz",
    "runner.steps.xmeml",
}  # what a user may not have installed: left to each command
WAITING = {
    "OPENBLAS_NUM_THREADS": "1",  # a process of several threads must not fork
    "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",  # macOS would end a fork that uses its media frameworks
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`program` is run in the place of `python -m runner` if there is one."""

    words: tuple[str, ...]
    folder: str
    environment: Mapping[str, str]
    program: str | None


class Started:
    """A command under way, in the words of `subprocess.Popen`. Its end is told by `report`, since it is no child of ours."""

    def __init__(self, report: int, out: int, err: int) -> None:
        self.stdout, self.stderr = (os.fdopen(pipe, encoding="utf-8", errors="replace") for pipe in (out, err))
        self.returncode: int | None = None
        self._report = report
        self.pid = self._told()
        self._said: list[concurrent.futures.Future[str]] = []

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises `subprocess.TimeoutExpired` if it has none after so many seconds."""
        if self.returncode is None:
            if not select.select([self._report], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("shotrunner", timeout or 0)
            self.returncode = os.waitstatus_to_exitcode(self._told())
            os.close(self._report)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All it has said, (out, err), once it is over. Raises `subprocess.TimeoutExpired` and may be called again then."""
        if not self._said:
            readers = concurrent.futures.ThreadPoolExecutor(2)
            self._said = [readers.submit(stream.read) for stream in (self.stdout, self.stderr)]
            readers.shutdown(wait=False)
        if concurrent.futures.wait(self._said, timeout).not_done:
            raise subprocess.TimeoutExpired("shotrunner", timeout or 0)
        self.wait(timeout)
        out, err = (said.result() for said in self._said)
        self.stdout.close()
        self.stderr.close()
        return out, err

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _told(self) -> int:
        told = os.read(self._report, NUMBER.size)
        assert told, "nobody waits in the wings: what was said on stderr tells why"
        number: int = NUMBER.unpack(told)[0]
        return number


class Wings:
    """Our side: where commands are sent from."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                env={**os.environ, **WAITING},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def start(self, command: Command) -> Started:
        """Its standard input is empty."""
        (out, its_out), (err, its_err), (report, its_report) = os.pipe(), os.pipe(), os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        its_own = [nothing, its_out, its_err, its_report]
        asked = json.dumps(asdict(command)).encode()
        with self._one_at_a_time:
            socket.send_fds(self._ours, [NUMBER.pack(len(asked))], its_own)
            self._ours.sendall(asked)
        for number in its_own:
            os.close(number)
        return Started(report, out, err)

    def end(self) -> None:
        self._ours.close()
        self._process.wait()


@cache
def wings() -> Wings:
    made = Wings()
    atexit.register(made.end)
    return made


class Waiting:
    """The process in the wings. `await_commands` returns in the fork that a command is, and ends the process itself."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._reports: dict[int, int] = {}
        self._woken, self._wake = socket.socketpair()
        self._wake.settimeout(0)
        self._either = selectors.DefaultSelector()

    def await_commands(self) -> Command:
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno())
        for side in (self._control, self._woken):
            self._either.register(side, selectors.EVENT_READ)
        while True:
            for key, _ in self._either.select():
                if key.fileobj is self._woken:
                    self._woken.recv(4096)
                    self._tell_who_ended()
                elif command := self._fork():
                    return command

    def _fork(self) -> Command | None:
        """The command, in its fork; None beside it."""
        head, given, _, _ = socket.recv_fds(self._control, NUMBER.size, 4)
        if not head:
            for pid in self._reports:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)
        asked = b""
        while len(asked) < NUMBER.unpack(head)[0]:
            asked += self._control.recv(NUMBER.unpack(head)[0] - len(asked))
        *streams, report = given
        pid = os.fork()
        if pid:
            self._reports[pid] = report
            os.write(report, NUMBER.pack(pid))
            for stream in streams:
                os.close(stream)
            return None
        self._leave(streams, [report, *self._reports.values()])
        return Command(**json.loads(asked))

    def _tell_who_ended(self) -> None:
        while self._reports:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            report = self._reports.pop(pid)
            with suppress(BrokenPipeError):
                os.write(report, NUMBER.pack(status))
            os.close(report)

    def _leave(self, streams: Sequence[int], others: Sequence[int]) -> None:
        """Keep nothing of this process but what it has loaded."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._either.close()
        for side in (self._control, self._woken, self._wake):
            side.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        for number in (*streams, *others):
            os.close(number)


def load() -> None:
    """Everything a command may import."""
    import runner

    for module in pkgutil.walk_packages(runner.__path__, "runner."):
        if module.name not in FIRST_MODULES | EXTRAS:
            importlib.import_module(module.name)


def begin(command: Command) -> None:
    """As `python -m runner` begins, in a process whose first three descriptors are the command's."""
    os.environ.clear()
    os.environ.update(command.environment)
    os.chdir(command.folder)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False, buffering=buffering)  # noqa: SIM115
        for number, (mode, buffering) in enumerate((("r", -1), ("w", -1), ("w", 1)))
    )
    sys.argv[1:] = command.words
    if command.program:
        sys.argv[0] = command.program
        sys.path.insert(0, str(Path(command.program).parent))
        runpy.run_path(command.program, run_name="__main__")
    else:
        runpy.run_module("runner", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    waiting = Waiting(socket.socket(fileno=int(sys.argv[1])))
    load()
    gc.freeze()
    begin(waiting.await_commands())
