"""The two streams of a command: data to stdout, talk to stderr. A stream that is gone or full never raises."""

import errno
import shutil
import sys
from collections.abc import Mapping
from typing import TextIO

from runner.screen.colour import Choice, wanted


class Terminal:
    """`ask` is None-able: without a person at both ends nobody is asked. `lost`: why data could not be written, "" if all was."""

    def __init__(
        self,
        *,
        colour: Choice,
        environ: Mapping[str, str],
        quiet: int = 0,
        verbose: int = 0,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self.out_stream, self.err_stream = out or sys.stdout, err or sys.stderr
        self.quiet, self.verbose = quiet, verbose
        self.lost = ""
        self.colour_out = wanted(colour, environ, terminal=_is_terminal(self.out_stream))
        self.colour_err = wanted(colour, environ, terminal=_is_terminal(self.err_stream))
        self.live = _is_terminal(self.err_stream) and environ.get("TERM") != "dumb" and environ.get("CI") != "true"
        self.attended = _is_terminal(sys.stdin) and _is_terminal(self.err_stream) and environ.get("CI") != "true"

    @property
    def width(self) -> int:
        """Columns of the terminal; 0 where there is none, so that nothing is cut in a file."""
        return shutil.get_terminal_size().columns if _is_terminal(self.out_stream) else 0

    def out(self, text: str) -> None:
        fault = _write(self.out_stream, text)
        if fault is not None and fault.errno != errno.EPIPE:  # a reader that went had what it wanted
            self.lost = fault.strerror or str(fault)

    def talk(self, text: str) -> None:
        if not self.quiet:
            _write(self.err_stream, text)

    def alarm(self, text: str) -> None:
        """What must be said whatever `-q` says."""
        _write(self.err_stream, text)

    def choose(self, question: str) -> str:
        """The line a person answers, stripped; empty without one."""
        if not self.attended:
            return ""
        _write(self.err_stream, f"{question} ")
        return sys.stdin.readline().strip()

    def ask(self, question: str) -> bool:
        """A yes typed by a person; False without one."""
        return self.choose(f"{question} [y/N]").lower() in ("y", "yes")


def _write(stream: TextIO, text: str) -> OSError | None:
    """What the stream says against it: a closed pipe or a full disk must not end a run that holds money in flight."""
    try:
        stream.write(text if text.endswith(("\n", " ")) else text + "\n")
        stream.flush()
    except OSError as fault:
        return fault
    except ValueError:  # closed
        pass
    return None


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:
        return False
