"""The clip store: finished clips by the digest of their bytes, below the state folder."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from runner.adapters.files import sha256_of, stamp_of, sync_folder


class Store:
    """Clips are adopted by rename, so parts and the store share a file system; nothing here ever removes a clip."""

    def __init__(self, state: Path) -> None:
        self.folder = state
        self._clips = state / "clips"
        self._parts = state / "parts"
        self._judged: dict[str, str] = {}
        self._cuttings = state / "cuttings"

    def path(self, sha256: str) -> Path:
        return self._clips / sha256[:2] / f"{sha256}.mp4"

    def cutting(self, sha256: str, selector: str, form: str) -> Path:
        """Where what is taken of a clip is kept: a file like any other, made again where it is gone."""
        return self._cuttings / sha256[:2] / f"{sha256}.{selector.replace(':', '-')}.{form}"

    def has(self, sha256: str, size_bytes: int) -> bool:
        """Whether the clip is here with the right length; `intact` judges its bytes."""
        try:
            return self.path(sha256).stat().st_size == size_bytes
        except OSError:
            return False

    @property
    def judged(self) -> Mapping[str, str]:
        """Clips whose bytes were right, by digest, each with the stamp it had then."""
        return self._judged

    def trust(self, judged: Mapping[str, str]) -> None:
        """Take over what an earlier run judged: a clip is read again only if its stamp has changed since."""
        self._judged.update(judged)

    def intact(self, sha256: str) -> bool:
        """Whether the clip is here with the right bytes: as when it was judged last, or read to its end now."""
        path = self.path(sha256)
        try:
            stamp = stamp_of(path)
            if self._judged.get(sha256) != stamp:
                if sha256_of(path) != sha256:
                    return False
                self._judged[sha256] = stamp
        except OSError:
            return False
        return True

    def part(self, name: str) -> Path:
        """A place for a download that is not finished; the same for the same name. Its folder may not be there yet."""
        return self._parts / f"{name}.part"

    def clear_parts(self, owners: Collection[str]) -> None:
        """Remove what downloads left behind that nobody will go on with: `owners` are the beginnings of names still wanted."""
        for path in self._parts.glob("*"):
            if not any(path.name.startswith(f"{owner}.") for owner in owners):
                with suppress(OSError):
                    path.unlink()

    def adopt(self, part: Path, sha256: str) -> Path:
        """Move a checked and synced file into the store; durable when it returns, the folders made for it included."""
        target = self.path(sha256)
        new = [folder for folder in (target.parent, self._clips) if not folder.exists()]
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.replace(target)
        for folder in (target.parent, *(folder.parent for folder in new)):
            sync_folder(folder)
        self._judged[sha256] = stamp_of(target)
        return target
