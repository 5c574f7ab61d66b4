"""Archives on disk: ZIP files, nothing compressed, equal members giving equal bytes; read without trusting a name or a number."""

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.files import replacing
from runner.planning.pack import Damaged

_MADE = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can tell; clips do not compress, and nothing depends on the clock
_BLOCK = 1024 * 1024
MOST_TEXT = 256 * 1024 * 1024


def write(target: Path, members: Iterable[tuple[str, bytes | Path]]) -> int:
    """Write an archive, whole or not at all; its length in bytes. Raises OSError, and whatever `members` raises."""
    with replacing(target) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, content in members:
                entry = zipfile.ZipInfo(name, _MADE)
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                entry.file_size = len(content) if isinstance(content, bytes) else content.stat().st_size
                with archive.open(entry, "w") as to:
                    if isinstance(content, bytes):
                        to.write(content)
                    else:
                        with content.open("rb") as source:
                            shutil.copyfileobj(source, to, _BLOCK)
        return file.tell()


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` to build it in. It is the same each time, so that the next try clears what one that was
    killed has left there. Raises OSError."""
    place = target.parent / f".{target.name}.unpacking"
    place.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(errno.EBUSY, "another `unpack` makes this folder", str(target)) from None
        whole = place / "project"
        shutil.rmtree(whole, ignore_errors=True)
        whole.mkdir()
        try:
            yield whole
        finally:
            shutil.rmtree(whole, ignore_errors=True)
            with suppress(OSError):
                place.rmdir()  # what else lies there is not ours
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive being read; every method raises `Damaged` where it is not what it says."""

    _zip: zipfile.ZipFile

    @property
    def names(self) -> list[str]:
        return self._zip.namelist()

    def text(self, name: str) -> str:
        entry = self._entry(name)
        if entry.file_size > MOST_TEXT:
            raise Damaged(f"is damaged: its {name} is too long")
        with _judged():
            try:
                return self._zip.read(entry).decode("utf-8")
            except UnicodeDecodeError:
                raise Damaged(f"is damaged: its {name} is not UTF-8") from None

    def extract(self, name: str, target: Path, *, sha256: str, size_bytes: int) -> None:
        """Make the file `target` of a member that has just these bytes. Raises OSError too, FileExistsError for one that is there."""
        entry = self._entry(name)
        if entry.file_size != size_bytes:
            raise Damaged(f"is damaged: `{name}` is not as long as its list says")
        found, length = hashlib.sha256(), 0
        with _judged(), self._zip.open(entry) as source, target.open("xb") as file:
            while block := source.read(_BLOCK):
                length += len(block)
                found.update(block)
                if length > size_bytes:
                    break
                file.write(block)
        if length != size_bytes or found.hexdigest() != sha256:
            raise Damaged(f"is damaged: `{name}` has other bytes than its list says")

    def _entry(self, name: str) -> zipfile.ZipInfo:
        """The member, if it is a plain file that is stored as it is."""
        try:
            entry = self._zip.getinfo(name)
        except KeyError:
            raise Damaged(f"is damaged: `{name}` is not in it") from None
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.is_dir() or kind not in (0, stat.S_IFREG) or entry.flag_bits & 1:
            raise Damaged(f"is damaged: `{name}` is no plain file")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise Damaged("was compressed anew by another program; `pack` writes files stored as they are")
        return entry


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Raises `Damaged` and OSError."""
    with _judged(), zipfile.ZipFile(path) as archive:
        yield Archive(archive)


@contextmanager
def _judged() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, RuntimeError) as fault:
        raise Damaged(f"is no archive: {fault}") from None
