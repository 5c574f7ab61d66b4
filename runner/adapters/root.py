"""Where a project begins and where its state lives, found without running git."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.files import sync_folder
from runner.adapters.git_index import git_folder, tracks
from runner.core.errors import Refused

STATE = ".shotrunner"
IGNORED = "*\n"  # what the state folder's .gitignore says


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """`root`: git top level, else the storyboard's folder; every file read lies below it. `state`: the state folder, which may not exist yet."""

    root: Path
    state: Path


def project_of(storyboard: Path, state: Path | None = None) -> Project:
    """The project a storyboard belongs to. Raises `Refused` for a state folder that cannot be trusted."""
    folder = storyboard.resolve().parent
    root = git_top(folder) or folder
    found = state.absolute() if state else _state(folder, root)
    _trust(found)
    return Project(root=root, state=found)


def read_only(folder: Path) -> Project:
    """The project around a folder, for a command that has no use for its state and does not ask whether it can be trusted."""
    root = git_top(folder.resolve()) or folder.resolve()
    return Project(root=root, state=root / STATE)


def git_top(folder: Path) -> Path | None:
    """The git checkout that a folder lies in."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def _state(folder: Path, root: Path) -> Path:
    """The nearest state folder upwards to the root, else where one would be made: the root; a worktree shares the main checkout's."""
    for place in (folder, *folder.parents):
        if (place / STATE).exists() or (place / STATE).is_symlink():
            return place / STATE
        if place == root:
            break
    return (_main_checkout(root) or root) / STATE


def _main_checkout(root: Path) -> Path | None:
    """The main checkout of a git worktree, by the files git itself keeps there; the way back must lead here, or anybody's
    file named `.git` could send the state wherever it likes."""
    link = root / ".git"
    gitdir = git_folder(root) if link.is_file() else None
    if gitdir is None:
        return None
    try:
        common = (gitdir / (gitdir / "commondir").read_text(encoding="utf-8")[:4096].strip()).resolve()
        back = Path((gitdir / "gitdir").read_text(encoding="utf-8")[:4096].strip())
        if (gitdir / back).resolve() != link.resolve():
            return None
    except (OSError, UnicodeDecodeError, ValueError):
        return None
    return common.parent if common.name == ".git" and common.is_dir() else None


def _trust(state: Path) -> None:
    try:
        found = state.lstat()
    except FileNotFoundError:
        return
    except OSError as fault:
        raise Refused(f"the state folder {state} cannot be read: {fault.strerror}") from fault
    if stat.S_ISLNK(found.st_mode):
        raise Refused(
            f"the state folder {state} is a symbolic link", help="make it a real folder, or name one by --state"
        )
    if not stat.S_ISDIR(found.st_mode):
        raise Refused(
            f"the state folder {state} is not a folder", help="move that file away, or name a folder by --state"
        )
    if found.st_uid != os.getuid():
        raise Refused(f"the state folder {state} belongs to another user", help="name a folder of your own by --state")


def make_state(state: Path) -> None:
    """Make the state folder: private, and ignored by git. Raises `Refused` when it cannot be made, or is a folder of other things."""
    try:
        new = not state.exists()
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not new and not _ours(state):
            raise Refused(
                f"{state} holds other files and is no state folder",
                help="name a new or empty folder by --state: it is made private, and git is told to ignore all of it",
            )
        state.chmod(0o700)
        ignore = state / ".gitignore"
        if not ignore.exists():
            ignore.write_text(IGNORED, encoding="utf-8")
        if new:
            sync_folder(state.parent)
    except OSError as fault:
        raise Refused(
            f"the state folder {state} cannot be written: {fault.strerror}",
            help="without it nothing is bought, since nothing could be remembered; name another by --state",
        ) from fault


def _ours(state: Path) -> bool:
    """Whether a folder is empty, or one that an earlier run made."""
    names = {entry.name for entry in state.iterdir()}
    if not names or "journal.sqlite" in names:
        return True
    return ".gitignore" in names and (state / ".gitignore").read_bytes() == IGNORED.encode()


def tracked_by_git(root: Path, state: Path) -> bool:
    """Whether git's index holds a file of the state folder."""
    try:
        inside = state.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return False
    return inside != "." and tracks(root, inside)
