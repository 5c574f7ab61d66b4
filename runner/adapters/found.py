"""Clips that lie below an out folder, found by the digest of their bytes. Nothing here writes."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from runner.adapters.files import sha256_of

MOST = 200_000  # files that are looked at


class Found:
    """Looks for clips below these folders: regular files reached through no symbolic link. A folder is walked when something is
    first looked for, and a file is hashed only if it is as long as a clip that is looked for."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._by_size: dict[int, list[Path]] | None = None
        self._digests: dict[Path, str] = {}

    def clip(self, sha256: str, size_bytes: int) -> Path | None:
        """Where these bytes lie, the first in the order of folders and names."""
        if self._by_size is None:
            self._by_size = self._walked()
        return next((path for path in self._by_size.get(size_bytes, ()) if self._digest(path) == sha256), None)

    def _walked(self) -> dict[int, list[Path]]:
        found: dict[int, list[Path]] = {}
        seen = 0
        for top in dict.fromkeys(self._folders):
            if top.is_symlink():
                continue
            for folder, folders, names in os.walk(top):
                folders.sort()
                for name in sorted(names):
                    seen += 1
                    if seen > MOST:
                        return found
                    if name.endswith(".mp4") and (size := _size(Path(folder, name))) is not None:
                        found.setdefault(size, []).append(Path(folder, name))
        return found

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            try:
                self._digests[path] = sha256_of(path)
            except OSError:
                self._digests[path] = ""
        return self._digests[path]


def _size(path: Path) -> int | None:
    """The length of a regular file; None for anything else."""
    try:
        told = path.lstat()
    except OSError:
        return None
    return told.st_size if stat.S_ISREG(told.st_mode) else None
