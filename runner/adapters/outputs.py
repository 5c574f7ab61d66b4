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
        self._elsewhere: dict[str, list[tuple[str, Output]]] | None = (
            None  # by what they are made from; read once it is asked for
        )

    def path(self, name: str) -> Path:
        return self._folder / name

    def current(self, name: str, made_from: str) -> Output | None:
        """The file's record if it was made from just this and still has the bytes we wrote."""
        path = self.path(name)
        known = self._known.get(str(path))
        try:
            if known is None:
                return self._moved(name, made_from)
            if known.made_from == made_from and (stamp_of(path) == known.stamp or sha256_of(path) == known.sha256):
                return known
        except OSError:
            return None
        return None

    def _moved(self, name: str, made_from: str) -> Output | None:
        """The record of a file of that name that was written where the project lay before it was moved or copied, if the one here has its
        bytes. Raises OSError."""
        stamp_of(self.path(name))  # nothing is here: the usual case of a file that is yet to be made
        if self._elsewhere is None:
            self._elsewhere = {}
            for path, known in self._journal.outputs("").items():
                self._elsewhere.setdefault(known.made_from, []).append((path, known))
        likely = [known for path, known in self._elsewhere.get(made_from, ()) if path.endswith(f"/{name}")]
        found = sha256_of(self.path(name)) if likely else ""
        return next((known for known in likely if known.sha256 == found), None)

    async def still(self, name: str, made_from: str) -> Output | None:
        """As `current`; a file that had to be read for it, since it was touched or moved, need not be the next time."""
        known = self.current(name, made_from)
        path = self.path(name)
        if known is not None and (str(path) not in self._known or known.stamp != stamp_of(path)):
            await self.note(name, known.sha256, made_from)
        return known

    async def place(self, name: str, clip: Path, sha256: str) -> bool:
        """A copy of a finished clip at `name`, where it does not lie already; whether it has the very bytes. Nothing is left of
        one that has not."""
        if await self.still(name, sha256) is not None:
            return True
        path = self.path(name)
        copy_whole(clip, path)
        if sha256_of(path) != sha256:
            path.unlink()
            return False
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
