"""Reference media of a task: fetched, probed in a child process, held to the model's limits."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.media import Probe, Unreadable, digest
from runner.contract import limits
from runner.contract.model import MediaRule
from runner.core.media import Kind, MediaFacts
from runner.emulator.disk import NO_ROOM, Disk, Full
from runner.emulator.fetch import Fetcher, Unfetchable
from runner.emulator.intake import Asked, media_urls
from runner.emulator.tasks import TaskError

MAX_BYTES = 500_000_000  # for a model that states no limit

# The task error that says a medium of this kind is no good.
CODES = {Kind.IMAGE: "image_processing_error", Kind.VIDEO: "video_probe_failed", Kind.AUDIO: "invalid_audio"}


class BadReference(Exception):
    """A medium the task fails over."""

    def __init__(self, error: TaskError) -> None:
        self.error = error
        super().__init__(error.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One medium that fits: `path` on this machine, content known by `facts.sha256`."""

    url: str
    path: Path
    facts: MediaFacts


class References:
    """Media of all tasks under way, kept once by content in `folder`, which exists and is its own."""

    def __init__(self, folder: Path, fetcher: Fetcher, probe: Probe, disk: Disk) -> None:
        self._folder, self._fetcher, self._probe, self._disk = folder, fetcher, probe, disk
        self._looked: dict[str, asyncio.Task[MediaFacts]] = {}
        self._sizes: dict[str, int] = {}  # of the contents on disk
        self._holds: Counter[str] = Counter()  # by how many media each is held

    async def gather(self, asked: Asked) -> Mapping[Kind, tuple[Medium, ...]]:
        """The media of a request by kind, in the body's order, on disk until they are released.

        Raises BadReference for the first that does not fit, and holds none then.
        """
        gathered: dict[Kind, tuple[Medium, ...]] = {}
        held: list[str] = []
        try:
            for name, urls in media_urls(asked).items():
                rule = asked.model.by_property[name]
                gathered[rule.kind] = tuple([await self._one(rule, name, url, held) for url in urls])
        except BaseException:
            self._let_go(held)
            raise
        return gathered

    def release(self, media: Mapping[Kind, tuple[Medium, ...]]) -> None:
        """The task that gathered these has ended."""
        self._let_go([medium.facts.sha256 for kind in media.values() for medium in kind])

    def _hold(self, sha256: str, part: Path, size: int) -> Path:
        """The file of this content, which is `part` if there is none yet. Raises Full."""
        path = self._folder / sha256
        if sha256 not in self._sizes:
            # The first to bring this content keeps it; nobody replaces a file that somebody may be reading.
            self._disk.take(size)
            part.rename(path)
            self._sizes[sha256] = size
        self._holds[sha256] += 1
        return path

    def _let_go(self, held: Iterable[str]) -> None:
        for sha256 in held:
            self._holds[sha256] -= 1
            if not self._holds[sha256]:
                del self._holds[sha256]
                self._disk.give(self._sizes.pop(sha256))
                (self._folder / sha256).unlink(missing_ok=True)

    async def _one(self, rule: MediaRule, name: str, url: str, held: list[str]) -> Medium:
        part = self._folder / f"{secrets.token_hex(8)}.part"
        try:
            await self._fetcher.fetch(url, part, rule.max_bytes or MAX_BYTES)
            sha256, size = await asyncio.to_thread(digest, part)
            path = self._hold(sha256, part, size)
            held.append(sha256)
            if sha256 not in self._looked:
                self._looked[sha256] = asyncio.create_task(asyncio.to_thread(self._probe.facts, path))
            facts = await asyncio.shield(self._looked[sha256])
        except Full:
            raise BadReference(TaskError(code="resource_exhausted", message=f"{name}: {NO_ROOM}")) from None
        except Unfetchable as fault:
            message = f"{name}: the file could not be fetched: {fault.reason}"
            if fault.gone:
                raise BadReference(TaskError(code="resource_not_found", message=message)) from None
            raise _bad(rule.kind, message) from None
        except Unreadable as fault:
            raise _bad(rule.kind, f"{name}: the file cannot be read: {fault}") from None
        finally:
            part.unlink(missing_ok=True)
        if found := limits.faults(rule, facts, name):
            message = "\n".join(found)
            if _wrong_size(rule, facts):
                raise BadReference(TaskError(code="image_dimension_mismatch", message=message))
            raise _bad(rule.kind, message)
        return Medium(url=url, path=path, facts=facts)


def _bad(kind: Kind, message: str) -> BadReference:
    return BadReference(TaskError(code=CODES[kind], message=message))


def _wrong_size(rule: MediaRule, facts: MediaFacts) -> bool:
    if rule.kind is not Kind.IMAGE or facts.kind is not Kind.IMAGE or rule.side_px is None:
        return False
    least, most = rule.side_px
    return not all(least <= (side or 0) <= most for side in (facts.width_px, facts.height_px))
