"""The step that runs a program of the user's own: what its outputs are made from, and what is said when it fails."""

import hashlib
from collections.abc import Mapping

from runner.adapters.program import Ended
from runner.core.request import canonical
from runner.language.exec_step import Exec

VERSION = 1  # of what a program is given; raised when equal words would make something else


def fingerprint(step: Exec, clips: Mapping[str, str], films: Mapping[str, str]) -> str:
    """64 hex digits: of the words, and of every clip (by take) and film (by name) that the program may read."""
    made_from = {"exec": VERSION, "command": list(step.command), "clips": dict(clips), "films": dict(films)}
    return hashlib.sha256(canonical(made_from)).hexdigest()


def said_of(step: Exec, ended: Ended) -> str:
    """One clause: how it ended, and the last line it printed."""
    how = ended.why or (f"it died of signal {-ended.code}" if ended.code < 0 else f"it ended with code {ended.code}")
    lines = [line.strip() for line in ended.said.splitlines() if line.strip()]
    return f"{step.command[0]}: {how}" + (f": {lines[-1][:500]}" if lines else "")
