"""The out folder: files a run wrote, known by the journal, and removed only by what the journal says."""

import stat
from datetime import UTC, datetime
from pathlib import Path

from runner.adapters.files import copy_whole, sha256_of, stamp_of, write_whole
from runner.adapters.journal import Journal, Output


class Outputs:
    """Files below one out folder. Paths are posix, relative to it; in the journal they stand absolute."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder = folder.absolute()
        self._journal = journal
        self._known = journal.outputs(str(self._folder))

    def path(self, name: str) -> Path:
        return self._folder / name

    def current(self, name: str, made_from: str) -> Output | None:
        """The file's record if it was made from just this and still has the bytes we wrote."""
        known = self._known.get(str(self.path(name)))
        if known is None or known.made_from != made_from:
            return None
        try:
            if stamp_of(self.path(name)) == known.stamp or sha256_of(self.path(name)) == known.sha256:
                return known
        except OSError:
            return None
        return None

    async def place(self, name: str, clip: Path, sha256: str) -> bool:
        """A copy of a finished clip at `name`, where it does not lie already; whether it has the very bytes. Nothing is left of
        one that has not."""
        path, known = self.path(name), self.current(name, sha256)
        if known is None:
            copy_whole(clip, path)
            if sha256_of(path) != sha256:
                path.unlink()
                return False
        if known is None or known.stamp != stamp_of(path):  # else a touched file would be read by every run
            await self.note(name, sha256, sha256)
        return True

    async def note(self, name: str, sha256: str, made_from: str) -> None:
        """Record that the file at `name` is ours."""
        path = self.path(name)
        output = Output(sha256=sha256, stamp=stamp_of(path), made_from=made_from)
        await self._journal.note_output(str(path), output, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        self._known[str(path)] = output

    async def sweep(self, folder: str, keep: frozenset[str]) -> None:
        """Remove what earlier runs wrote below `folder` and this one no longer has: regular files through no symbolic link,
        with the very bytes we wrote."""
        prefix = f"{self.path(folder)}/"
        for path, known in list(self._known.items()):
            if not path.startswith(prefix) or Path(path).relative_to(self._folder).as_posix() in keep:
                continue
            _remove(Path(path), self._folder, known.sha256)
            await self._journal.forget_output(path)
            del self._known[path]

    def write_manifest(self, content: bytes) -> None:
        write_whole(self.path("manifest.json"), content)


def _remove(path: Path, folder: Path, sha256: str) -> None:
    """Remove a regular file that is reached through no symbolic link and has these bytes; anything else stays."""
    try:
        direct = path.resolve(strict=True) == folder.resolve() / path.relative_to(folder)
        if direct and stat.S_ISREG(path.lstat().st_mode) and sha256_of(path) == sha256:
            path.unlink()
    except OSError:
        return
