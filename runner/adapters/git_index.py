"""Which files git tracks, read from its index: git itself is not run, since a stranger's repository could tell it what to run.

Format: gitformat-index(5) of git 2.47, versions 2 to 4.
"""

import re
from collections.abc import Iterator
from pathlib import Path

STAT_BYTES = 40
EXTENDED = 0x4000


def git_folder(root: Path) -> Path | None:
    """The git folder of a checkout: `.git` itself, or where the file of that name leads in a worktree or submodule."""
    found = root / ".git"
    if found.is_dir():
        return found
    try:
        told = found.read_text(encoding="utf-8")[:4096]
    except (OSError, UnicodeDecodeError):
        return None
    return (root / told.removeprefix("gitdir:").strip()).resolve() if told.startswith("gitdir:") else None


def tracks(root: Path, path: str) -> bool:
    """Whether the index of the checkout at `root` holds `path` (posix, from there) or anything below it."""
    folder = git_folder(root)
    if folder is None:
        return False
    try:
        index = (folder / "index").read_bytes()
    except OSError:
        return False
    wanted = path.encode("utf-8", "surrogateescape")
    try:
        return any(name == wanted or name.startswith(wanted + b"/") for name in paths(index, _digest_bytes(folder)))
    except (ValueError, IndexError):
        return wanted in index  # an index of a form not known here: rather believe too much


def ending(root: Path, suffix: str) -> tuple[str, ...]:
    """Every path that the index of the checkout at `root` holds and that ends so, posix, from there; none without git."""
    folder = git_folder(root)
    try:
        index = (folder / "index").read_bytes() if folder else b""
        found = (
            {name for name in paths(index, _digest_bytes(folder)) if name.endswith(suffix.encode())} if folder else ()
        )
    except (OSError, ValueError, IndexError):
        return ()
    return tuple(name.decode("utf-8", "surrogateescape") for name in sorted(found))


def paths(index: bytes, digest_bytes: int = 20) -> Iterator[bytes]:
    """Every path in an index. Raises ValueError or IndexError for what is none."""
    version, count = int.from_bytes(index[4:8]), int.from_bytes(index[8:12])
    if index[:4] != b"DIRC" or not 2 <= version <= 4:
        raise ValueError("no index of git")
    at, name = 12, b""
    for _ in range(count):
        begun, at = at, at + STAT_BYTES + digest_bytes
        flags = int.from_bytes(index[at : at + 2])
        at += 4 if flags & EXTENDED and version > 2 else 2
        kept = b""
        if version == 4:  # each path is told by what it shares with the one before
            dropped, at = _number(index, at)
            kept = name[: len(name) - dropped]
        end = index.index(b"\0", at)
        name = kept + index[at:end]
        yield name
        at = end + 1
        if version < 4:
            at = begun + (at - begun + 7) // 8 * 8


def _number(index: bytes, at: int) -> tuple[int, int]:
    """A number of variable width, and where it ends; the format of offsets in a pack."""
    byte = index[at]
    number = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = index[at]
        number = (number + 1 << 7) + (byte & 0x7F)
    return number, at + 1


def _digest_bytes(folder: Path) -> int:
    try:
        config = (folder / "config").read_bytes()
    except OSError:
        return 20
    return 32 if re.search(rb"objectformat\s*=\s*sha256", config, re.IGNORECASE) else 20
