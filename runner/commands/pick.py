"""`shotrunner pick`, `unpick`, `retake`, `reject`: which take of a shot is the film's. Writes the picks file beside the storyboard alone."""

from collections.abc import Sequence
from pathlib import Path

from runner.commands.choices import Change, choosing, letting_go, turning_down, undoing, write
from runner.commands.options import Options
from runner.core.errors import Exit
from runner.screen.clean import words
from runner.screen.terminal import Terminal


def pick(file: Path, takes: Sequence[str], clip: str | None, note: str, options: Options, terminal: Terminal) -> Exit:
    """Choose takes, each at the clip it has now, or at an earlier one that `clip` begins the digest of. Raises `Rejected`, `Refused`."""
    return _write(file, options, terminal, choosing(takes, clip, note))


def unpick(file: Path, shots: Sequence[str], options: Options, terminal: Terminal) -> Exit:
    """Take the choice of variants back: the first take is the film's again. Raises `Rejected`, `Refused`."""
    return _write(file, options, terminal, undoing(shots))


def retake(file: Path, shots: Sequence[str], options: Options, terminal: Terminal) -> Exit:
    """Keep the choice of the take and let go of its clip, so that the next run makes it as the storyboard says now. Raises
    `Rejected`, `Refused`."""
    return _write(file, options, terminal, letting_go(shots))


def reject(file: Path, takes: Sequence[str], note: str, options: Options, terminal: Terminal) -> Exit:
    """Turn takes down, with a note for whoever asks why. Raises `Rejected`, `Refused`."""
    return _write(file, options, terminal, turning_down(takes, note))


def _write(file: Path, options: Options, terminal: Terminal, change: Change) -> Exit:
    written = write(file, options, change)
    terminal.out("".join(f"{words(line)}\n" for line in written.lines))
    terminal.talk(words(written.file))
    return Exit.DONE
