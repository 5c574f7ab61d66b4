"""Programs that others wrote, found or missed: a missing judge is a failure, never a skipped test."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PLACES = (str(Path(sys.executable).parent), str(ROOT / ".venv/judges/node_modules/.bin"))


def judge(name: str) -> str:
    """The program's path: of this Python's environment, of .venv/judges, else of the system."""
    for place in (*_PLACES, None):
        found = shutil.which(name, path=place)
        if found:
            return found
    pytest.fail(f"there is no {name} here: run .ci/judges", pytrace=False)


def verdict(name: str, *words: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """What the program said; it is at its end."""
    return subprocess.run(
        [judge(name), *map(str, words)], capture_output=True, text=True, timeout=timeout_s, check=False
    )
