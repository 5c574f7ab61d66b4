"""The lock in git on disk: beside its storyboard, read below the root only, written whole or not at all."""

from pathlib import Path

from runner.adapters.files import TEXT_LIMIT, Unreadable, resolve, write_whole
from runner.adapters.git_index import ending

SUFFIX = ".lock.json"
LIMIT = 8 * TEXT_LIMIT  # a million purchases


class LockFile:
    """The lock of the storyboard `identity`, its path from the root without suffix."""

    def __init__(self, root: Path, identity: str) -> None:
        self._root, self.name = root, identity + SUFFIX

    @property
    def path(self) -> Path:
        return self._root / self.name

    def read(self) -> str | None:
        """Its text; None where there is none. Raises `Unreadable`."""
        if not self.path.is_symlink() and not self.path.exists():
            return None
        if self.path.is_symlink():
            raise Unreadable("is a symbolic link")
        file = resolve(self._root, self.name)
        try:
            if file.stat().st_size > LIMIT:
                raise Unreadable(f"is larger than {LIMIT // 1024**2} MiB")
            return file.read_bytes().decode("utf-8")
        except UnicodeDecodeError as fault:
            raise Unreadable(f"is not UTF-8 (byte {fault.start})") from None
        except OSError as fault:
            raise Unreadable(f"cannot be read ({fault.strerror})") from None

    def others(self) -> tuple[str, ...]:
        """Identities of other files of such a name that git tracks; another program may have written them."""
        return tuple(name.removesuffix(SUFFIX) for name in ending(self._root, SUFFIX) if name != self.name)

    def write(self, content: str) -> None:
        """Raises `OSError`."""
        write_whole(self.path, content.encode("utf-8"))
