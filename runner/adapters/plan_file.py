"""A saved plan's file: written whole, and read as what anybody may have written."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from runner.adapters.files import Unreadable, too_large, write_whole

SCHEMA = "shotrunner.plan.v1"
LARGEST_BYTES = 256 * 1024**2  # the most takes that a storyboard may have, three times over


def read(path: Path) -> dict[str, Any]:
    """The plan in a file: a mapping of the right schema with a member `saved`, of which nothing else is known yet. Raises `Unreadable`."""
    content = _content(path)
    try:
        found = json.loads(content, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise Unreadable("nests too deep") from None
    except ValueError as fault:
        raise Unreadable(f"is no JSON: {str(fault)[:200]}") from None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise Unreadable(f"is no plan: its `schema` is not {SCHEMA}")
    if not isinstance(found.get("saved"), dict):
        raise Unreadable("is the view of a plan, not a saved one: `plan -o` saves")
    return found


def write(path: Path, text: str) -> None:
    """Raises `OSError`."""
    write_whole(path, text.encode())


def free(path: Path) -> bool:
    """Whether a plan may be written at `path`: there is nothing, or an earlier plan."""
    if not path.is_symlink() and not path.exists():
        return True
    try:
        read(path)
    except Unreadable:
        return False
    return True


def _content(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Unreadable("does not exist") from None
    except (OSError, ValueError) as fault:
        link = path.is_symlink()
        raise Unreadable(
            "is a symbolic link" if link else f"cannot be read ({getattr(fault, 'strerror', fault)})"
        ) from None
    try:
        told = os.fstat(handle)
        if not stat.S_ISREG(told.st_mode):
            raise Unreadable("is not a regular file")
        if told.st_size > LARGEST_BYTES:
            raise too_large(LARGEST_BYTES)
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(LARGEST_BYTES)
    except OSError as fault:
        raise Unreadable(f"cannot be read ({fault.strerror})") from None
    finally:
        os.close(handle)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one place")
    return found


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
