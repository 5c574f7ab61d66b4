"""The files of one git commit, read out of git's own store: nothing is checked out, and no link is followed."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from runner.adapters import git
from runner.adapters.files import ELSEWHERE, MISSING, TEXT_LIMIT, Unreadable, decoded, private, too_large
from runner.core.diagnostics import Source

MEDIUM_LIMIT = 1024**3  # bytes of one reference
FOLDER, LINK, SUBMODULE = "040000", "120000", "160000"  # modes of a tree's entries; all else is a file


class Revision:
    """Fulfils `files.Files`. `commit` is the full id, `name` the revision as the user wrote it."""

    past = True

    def __init__(self, root: Path, name: str) -> None:
        """Raises `git.NotSaid` for a revision that git does not know."""
        self._root, self.name = root, name
        self.commit = git.revision(root, name)
        self._trees: dict[str, dict[str, tuple[str, str]]] = {}

    def text(self, path: str, *, most_bytes: int = TEXT_LIMIT) -> Source:
        content = io.BytesIO()
        self._copy(path, content, most_bytes)
        return Source(path=path, name=self.shown(path), text=decoded(content.getvalue()))

    def folder(self, path: str) -> tuple[str, ...]:
        mode, oid = FOLDER, self.commit
        try:
            for part in path.split("/") if path else ():
                mode, oid = self._tree(oid).get(part, ("", "")) if mode == FOLDER else ("", "")
            return tuple(sorted(self._tree(oid))) if mode == FOLDER else ()
        except git.NotSaid:
            return ()

    @contextmanager
    def on_disk(self, path: str) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile(prefix="shotrunner-") as file:
            self._copy(path, file.file, MEDIUM_LIMIT)
            file.flush()
            yield Path(file.name)

    def shown(self, path: str) -> str:
        return f"{self.name}:{path}"

    def _copy(self, path: str, target: IO[bytes], most_bytes: int) -> None:
        try:
            if not git.copy_blob(self._root, self._file(path), target, most_bytes):
                raise too_large(most_bytes)
        except git.NotSaid as fault:
            raise Unreadable(f"cannot be read: {fault.reason}") from None

    def _file(self, path: str) -> str:
        """The object that holds the file. Raises `Unreadable` unless it is a regular file of this repository."""
        *folders, name = parts = path.split("/")
        if private(tuple(parts)):
            raise Unreadable(ELSEWHERE)
        oid = self.commit
        for folder in folders:
            oid = self._step(oid, folder, wanted=FOLDER)
        return self._step(oid, name, wanted="")

    def _step(self, tree: str, name: str, *, wanted: str) -> str:
        mode, oid = self._tree(tree).get(name, ("", ""))
        if mode == LINK:
            raise Unreadable("is, or lies behind, a symbolic link, which is not followed in a revision")
        if mode == SUBMODULE:
            raise Unreadable("lies in a submodule, which is not read in a revision")
        if not mode or (wanted == FOLDER and mode != FOLDER):
            raise Unreadable(MISSING)
        if mode == FOLDER and wanted != FOLDER:
            raise Unreadable("is not a regular file")
        return oid

    def _tree(self, oid: str) -> dict[str, tuple[str, str]]:
        if oid not in self._trees:
            self._trees[oid] = git.tree(self._root, oid)
        return self._trees[oid]
