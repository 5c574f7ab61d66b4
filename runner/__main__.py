"""`python -m runner` and the `shotrunner` script."""

import os
import sys
from contextlib import suppress

MODES = {0: "r", 1: "w", 2: "w"}


def main() -> None:
    _hold_streams()
    from runner.cli import main as run  # opens files, so not before the three streams are held

    code = run()
    _let_go()
    sys.exit(code)


def _hold_streams() -> None:
    """Put nothing in the place of a stream that is closed: the journal, opened next, would get its number and our words."""
    for number, mode in MODES.items():
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
        name = ("stdin", "stdout", "stderr")[number]
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _let_go() -> None:
    """Flush what is left; a reader that is gone or a full disk is no fault of the run and must not change its exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
