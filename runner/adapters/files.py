"""The user's files: read below the project's root only, written whole or not at all."""

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from runner.core.diagnostics import Diagnostic, Rejected, Source

TEXT_LIMIT = 64 * 1024 * 1024
FICLONE = 0x40049409  # Linux: share the blocks of another file of the same file system
FORBIDDEN = (".git", ".shotrunner")
MISSING = "does not exist"
ELSEWHERE = "lies where Shotrunner does not read (.git, .shotrunner, .env)"


class Unreadable(Exception):
    """A file that may not or cannot be read; `reason` is a clause for the headline."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Files(Protocol):
    """The files of a project, wherever they are kept; paths are posix, from the project's root. All raise `Unreadable`.

    `past`: as they once were. A file there with the name of a shipped one is passed over: it is what shipped then, in
    Shotrunner's own history, and a fault of today's project anywhere else.
    """

    @property
    def past(self) -> bool: ...

    def text(self, path: str, *, most_bytes: int = TEXT_LIMIT) -> Source: ...

    def folder(self, path: str) -> tuple[str, ...]:
        """The names of what lies in a folder, "" for the root, sorted; none where there is no such folder."""

    def on_disk(self, path: str) -> AbstractContextManager[Path]:
        """The file's bytes on this disk, for as long as the context is open."""

    def shown(self, path: str) -> str:
        """How the user is shown the file."""


def resolve(root: Path, path: str) -> Path:
    """The real place of `path` (posix, from the root). Raises `Unreadable` unless it is a regular file strictly below the root."""
    try:
        real = (root / path).resolve(strict=True)
    except FileNotFoundError:
        raise Unreadable(MISSING) from None
    except (OSError, ValueError, RuntimeError) as fault:
        raise Unreadable(f"cannot be opened ({getattr(fault, 'strerror', None) or 'not a lawful path'})") from None
    if not real.is_relative_to(root.resolve()):
        raise Unreadable("lies outside the project's root")
    if private(real.relative_to(root.resolve()).parts):
        raise Unreadable(ELSEWHERE)
    if not stat.S_ISREG(real.stat().st_mode):
        raise Unreadable("is not a regular file")
    return real


def decoded(content: bytes) -> str:
    """UTF-8, with or without its mark. Raises `Unreadable`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise Unreadable(f"is not UTF-8 (byte {fault.start})") from None


def too_large(most_bytes: int) -> Unreadable:
    mib = 1024**2
    return Unreadable(
        f"is larger than {f'{most_bytes // mib} MiB' if most_bytes >= mib else f'{most_bytes // 1024} KiB'}"
    )


def private(parts: tuple[str, ...]) -> bool:
    """Whether a path of these parts leads where nothing is read."""
    folded = [part.casefold() for part in parts]  # on many disks `.GIT` is the same folder
    return any(part in FORBIDDEN or part.startswith(".env") for part in folded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """The files of a project as they lie on disk; names are shown from `shown_from`."""

    root: Path
    shown_from: Path

    @property
    def past(self) -> bool:
        return False

    def text(self, path: str, *, most_bytes: int = TEXT_LIMIT) -> Source:
        real = resolve(self.root, path)
        try:
            if real.stat().st_size > most_bytes:
                raise too_large(most_bytes)
            text = decoded(real.read_bytes())
        except OSError as fault:
            raise Unreadable(f"cannot be read ({fault.strerror})") from None
        return Source(path=path, name=self.shown(path), text=text)

    def folder(self, path: str) -> tuple[str, ...]:
        try:
            real = (self.root / path).resolve(strict=True)
            if not real.is_relative_to(self.root.resolve()):
                return ()
            return tuple(sorted(entry.name for entry in real.iterdir()))
        except OSError:
            return ()

    @contextmanager
    def on_disk(self, path: str) -> Iterator[Path]:
        yield resolve(self.root, path)

    def shown(self, path: str) -> str:
        return os.path.relpath(self.root / path, self.shown_from)


def reader(files: Files) -> Callable[[str], Source]:
    """`read(path)` for the language: paths from the root in, Sources out.

    The reader raises `Rejected` with code `missing-file` or `unreadable-file`, without a place: whoever names the file adds it.
    """

    def read(path: str) -> Source:
        try:
            return files.text(path)
        except Unreadable as fault:
            code = "missing-file" if fault.reason == MISSING else "unreadable-file"
            raise Rejected([Diagnostic(code=code, headline=f"`{files.shown(path)}` {fault.reason}")]) from None

    return read


def below(folder: Path, name: str) -> Path:
    """The regular file `name` (posix, relative) below a folder, if it is reached through no symbolic link. Raises `Unreadable`."""
    try:
        path = folder / name
        if Path(name).is_absolute() or path.resolve(strict=True) != folder.resolve() / name:
            raise Unreadable("is no file of this folder")
        if not stat.S_ISREG(path.lstat().st_mode):
            raise Unreadable("is not a regular file")
    except FileNotFoundError:
        raise Unreadable(MISSING) from None
    except (OSError, ValueError, RuntimeError) as fault:
        raise Unreadable(f"cannot be opened ({getattr(fault, 'strerror', None) or 'not a lawful path'})") from None
    return path


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp_of(path: Path) -> str:
    """Length and times of change of a regular file, as text: while it is the same, so are the bytes. Raises OSError for
    anything else in its place, a link above all."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(None, "not a regular file", str(path))
    return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def part_of(path: Path) -> Path:
    """Where a file is written until it is whole: beside it, and free to be made.

    Every run has the same place for it, so that the next one clears what one that was killed has left.
    """
    told = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]  # the name itself may be too long for more
    part = path.with_name(f".{path.name[:120]}.{told}.part")
    part.unlink(missing_ok=True)
    return part


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when the context ends well: made new beside it, so that no link somebody left
    there is followed; synced, renamed, and the folder synced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, whole or not at all."""
    with replacing(path) as file:
        file.write(content)


def copy_whole(source: Path, target: Path) -> None:
    """A copy of its own at `target`, sharing blocks where the file system can; never a link. Replaces what is there whole."""
    with source.open("rb") as old, replacing(target) as new:
        try:
            fcntl.ioctl(new.fileno(), FICLONE, old.fileno())
        except OSError:
            shutil.copyfileobj(old, new, 1024 * 1024)
