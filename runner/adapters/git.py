"""What git says of a checkout; asked only when something is run, with nothing of the repository's configuration obeyed."""

import os
import subprocess
from pathlib import Path


def commit(root: Path) -> str | None:
    """The commit checked out at `root`, with `-dirty` when tracked files differ; None without git or a commit."""
    head = _git(root, "rev-parse", "--verify", "--end-of-options", "HEAD")
    if head is None:
        return None
    # What lies in a submodule is not looked at: its own configuration would be obeyed.
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
    return f"{head}-dirty" if changed else head


def _git(root: Path, *words: str) -> str | None:
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", str(root), *words]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False, env=environment)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
