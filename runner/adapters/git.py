"""What git says of a checkout and keeps of its past; nothing of the repository's configuration is obeyed, and nothing is fetched."""

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PATIENCE_S = 30.0
LISTING_LIMIT = 64 * 1024 * 1024  # bytes of one folder's names
CHUNK = 1024 * 1024


class NotSaid(Exception):
    """Git has no answer; `reason` is one line for people."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def commit(root: Path) -> str | None:
    """The commit checked out at `root`, with `-dirty` when tracked files differ; None without git or a commit."""
    head = _git(root, "rev-parse", "--verify", "--end-of-options", "HEAD")
    if head is None:
        return None
    # What lies in a submodule is not looked at: its own configuration would be obeyed.
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
    return f"{head}-dirty" if changed else head


def revision(root: Path, word: str) -> str:
    """The full id of the commit that `word` names, however it is written. Raises `NotSaid`."""
    if any(ord(char) < 32 or ord(char) == 127 for char in word):
        raise NotSaid("a revision holds no control characters")
    try:
        done = _run(root, "rev-parse", "--verify", "--end-of-options", f"{word}^{{commit}}")
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise NotSaid(f"git cannot be run: {getattr(fault, 'strerror', None) or 'it does not answer'}") from fault
    found = done.stdout.decode("ascii", "replace").strip()
    if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", found):
        return found
    said = (
        done.stderr.decode("utf-8", "replace")
        .strip()
        .partition("\n")[0]
        .removeprefix("fatal: ")
        .removeprefix("error: ")
    )
    raise NotSaid(f"git does not know the revision `{word}`" if "single revision" in said or not said else said)


def tree(root: Path, oid: str) -> dict[str, tuple[str, str]]:
    """(mode, object) of every name in a tree. Raises `NotSaid`."""
    with _asked(root, "ls-tree", "-z", "--full-tree", oid) as process:
        assert process.stdout
        listed = process.stdout.read(LISTING_LIMIT + 1)
        if len(listed) > LISTING_LIMIT:
            raise NotSaid("a folder holds too many names")
        if process.wait() != 0:  # half a list would make files look as if they were not there
            raise NotSaid("git does not list its folder, which may not be in this clone")
    found = {}
    for row in listed.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        told, _, name = row.partition("\t")
        mode, _, blob = told.split(" ")
        found[name] = (mode, blob)
    return found


def copy_blob(root: Path, oid: str, target: IO[bytes], most_bytes: int) -> bool:
    """Write a file's content as git keeps it, no filter or text conversion applied; False where it is longer than `most_bytes`, and
    then nothing is written. Raises `NotSaid`, OSError from the target."""
    with _asked(root, "cat-file", "--batch") as process:
        assert process.stdin and process.stdout
        process.stdin.write(f"{oid}\n".encode())
        process.stdin.close()
        out = process.stdout
        words = out.readline(200).decode("ascii", "replace").split()
        if len(words) != 3 or words[1] != "blob" or not words[2].isdigit():
            raise NotSaid("its content is not in this clone")
        left = int(words[2])
        if left > most_bytes:
            return False
        while left:
            chunk = out.read(min(CHUNK, left))
            if not chunk:
                raise NotSaid("git broke off in the middle of it")
            target.write(chunk)
            left -= len(chunk)
    return True


@contextmanager
def _asked(root: Path, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A git process; it is ended when it is no longer listened to, or after `PATIENCE_S`. Raises `NotSaid`."""
    try:
        process = subprocess.Popen(  # noqa: S603
            _command(root, *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
    except OSError as fault:
        raise NotSaid(f"git cannot be run: {fault.strerror}") from fault
    assert process.stdout and process.stdin
    patience = threading.Timer(PATIENCE_S, process.kill)
    patience.start()
    try:
        yield process
    except BrokenPipeError:
        raise NotSaid("git broke off") from None
    finally:
        patience.cancel()
        process.kill()
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()


def _git(root: Path, *words: str) -> str | None:
    try:
        done = _run(root, *words)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def _run(root: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    command = _command(root, *words)
    return subprocess.run(command, capture_output=True, timeout=10, check=False, env=_environment())  # noqa: S603


def _command(root: Path, *words: str) -> list[str]:
    return ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", str(root), *words]


def _environment() -> dict[str, str]:
    """What git needs of the user's own, and nothing that would point it elsewhere. An object that a partial clone lacks stays
    missing: no protocol is allowed that could bring it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CONFIG_HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
    }
