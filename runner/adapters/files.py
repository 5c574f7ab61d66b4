"""The user's files: read below the project's root only, written whole or not at all."""

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from runner.core.diagnostics import Diagnostic, Rejected, Source

TEXT_LIMIT = 64 * 1024 * 1024
FICLONE = 0x40049409  # Linux: share the blocks of another file of the same file system
FORBIDDEN = (".git", ".shotrunner")


class Unreadable(Exception):
    """A file that may not or cannot be read; `reason` is a clause for the headline."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def resolve(root: Path, path: str) -> Path:
    """The real place of `path` (posix, from the root). Raises `Unreadable` unless it is a regular file strictly below the root."""
    try:
        real = (root / path).resolve(strict=True)
    except FileNotFoundError:
        raise Unreadable("does not exist") from None
    except (OSError, ValueError, RuntimeError) as fault:
        raise Unreadable(f"cannot be opened ({getattr(fault, 'strerror', None) or 'not a lawful path'})") from None
    if not real.is_relative_to(root.resolve()):
        raise Unreadable("lies outside the project's root")
    parts = real.relative_to(root.resolve()).parts
    if any(part in FORBIDDEN or part.startswith(".env") for part in parts):
        raise Unreadable("lies where Shotrunner does not read (.git, .shotrunner, .env)")
    if not stat.S_ISREG(real.stat().st_mode):
        raise Unreadable("is not a regular file")
    return real


def read_text(root: Path, path: str, name: str) -> Source:
    """A text file below the root as a Source. Raises `Unreadable`."""
    real = resolve(root, path)
    try:
        if real.stat().st_size > TEXT_LIMIT:
            raise Unreadable(f"is larger than {TEXT_LIMIT // 1024**2} MiB")
        text = real.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise Unreadable(f"is not UTF-8 (byte {fault.start})") from None
    except OSError as fault:
        raise Unreadable(f"cannot be read ({fault.strerror})") from None
    return Source(path=path, name=name, text=text)


def reader(root: Path, shown_from: Path) -> Callable[[str], Source]:
    """`read(path)` for the language: paths from the root in, Sources out; names are shown from `shown_from`.

    The reader raises `Rejected` with code `missing-file` or `unreadable-file`, without a place: whoever names the file adds it.
    """

    def read(path: str) -> Source:
        name = os.path.relpath(root / path, shown_from)
        try:
            return read_text(root, path, name)
        except Unreadable as fault:
            code = "missing-file" if fault.reason == "does not exist" else "unreadable-file"
            raise Rejected([Diagnostic(code=code, headline=f"`{name}` {fault.reason}")]) from None

    return read


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: temp file beside it, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def copy_whole(source: Path, target: Path) -> None:
    """A copy of its own at `target`, sharing blocks where the file system can; never a link. Replaces what is there whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with source.open("rb") as old, part.open("wb") as new:
            try:
                fcntl.ioctl(new.fileno(), FICLONE, old.fileno())
            except OSError:
                shutil.copyfileobj(old, new, 1024 * 1024)
            new.flush()
            os.fsync(new.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
