"""Media brought to the provider's file host: each content once for as long as its address there is good."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from runner.adapters.client import Client, FetchFailed
from runner.adapters.files import Unreadable as NotReadable
from runner.adapters.files import resolve
from runner.adapters.media import Probe, Unreadable
from runner.adapters.store import Store
from runner.core.errors import NotUploaded
from runner.core.media import Kind
from runner.core.request import Cutting, MediaPart, Request
from runner.core.wire import NoReply
from runner.providers import evolink

TYPES = {
    "jpeg": "image/jpeg", "png": "image/png", "bmp": "image/bmp", "webp": "image/webp", "gif": "image/gif",
    "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "mp3": "audio/mpeg", "wav": "audio/wav",
    "flac": "audio/flac", "m4a": "audio/mp4", "ogg": "audio/ogg",
}  # fmt: skip

# How long an address must still be good when it is given to a request: its turn and the pauses of a throttled submit may take
# half an hour, and the service reads the file when it begins to work.
AHEAD = timedelta(hours=1)

Told = Callable[[str, int], None]  # a file's name, and how much of it has left, in percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A content at the file host. `expires_at` None: the service did not say until when its address is good."""

    url: str
    expires_at: datetime | None


class Memory(Protocol):
    """What earlier runs uploaded, to this service and account."""

    def recall(self, sha256: str) -> Upload | None: ...

    async def remember(self, sha256: str, upload: Upload) -> None: ...


def good(upload: Upload | None, now: datetime) -> bool:
    """Whether the address will be there for long enough to be given to a request."""
    return upload is not None and (upload.expires_at is None or upload.expires_at - AHEAD > now)


class Uploads:
    """The uploads of one run. `memory` None: what is uploaded dies with the service."""

    def __init__(
        self,
        client: Client,
        *,
        root: Path,
        store: Store,
        probe: Probe,
        memory: Memory | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client, self._root, self._store, self._probe = client, root, store, probe
        self._memory, self._now = memory, now
        self._under_way: dict[str, asyncio.Task[Upload]] = {}

    async def urls(self, request: Request, told: Told) -> Mapping[str, str]:
        """By identity the addresses of all media whose content is known; each content is uploaded once, however many takes use
        it. Raises `NotUploaded`."""
        found: dict[str, str] = {}
        for part in request.media:
            if part.sha256 is not None:  # a cutting has one once it is made
                found[part.identity] = (await self._upload(part, part.sha256, told)).url
        return found

    async def _upload(self, part: MediaPart, sha256: str, told: Told) -> Upload:
        task = self._under_way.get(sha256)
        if task is not None and task.done() and not task.cancelled() and task.exception() is None:
            task = task if good(task.result(), self._now()) else None
        if task is None:
            task = asyncio.create_task(self._bring_up(part, sha256, told))
            task.add_done_callback(_retrieved)
            self._under_way[sha256] = task
        return await asyncio.shield(task)

    async def _bring_up(self, part: MediaPart, sha256: str, told: Told) -> Upload:
        known = self._memory.recall(sha256) if self._memory else None
        if known is not None and good(known, self._now()) and await self._client.answers(known.url):
            return known
        upload = await self._sent(part, sha256, told)
        if self._memory is not None and upload.expires_at is not None:
            await self._memory.remember(sha256, upload)
        return upload

    async def _sent(self, part: MediaPart, sha256: str, told: Told) -> Upload:
        name = named(part)
        kind = TYPES.get(part.facts.format if part.facts else "", "application/octet-stream")
        if part.cutting is not None:
            return await self._stream(self._cut(part.cutting, part), kind, name, sha256, told)
        if part.path is not None:
            try:
                file = resolve(self._root, part.path)
            except NotReadable as fault:
                raise NotUploaded(f"{name} {fault.reason}") from None
            return await self._stream(file, kind, name, sha256, told)
        file = self._store.part(f"reference.{sha256}")
        try:
            kind = await self._pinned(part, sha256, file, name)
            return await self._stream(file, kind, name, sha256, told)
        finally:
            with suppress(OSError):
                file.unlink(missing_ok=True)

    def _cut(self, cutting: Cutting, part: MediaPart) -> Path:
        """Where the clip of another take lies, or what was taken of it."""
        if cutting.sha256 is None or part.facts is None:
            raise NotUploaded(f"{named(part)} is not made yet")
        if not cutting.selector:
            return self._store.path(cutting.sha256)
        return self._store.cutting(cutting.sha256, cutting.selector, part.facts.format)

    async def _stream(self, file: Path, kind: str, name: str, sha256: str, told: Told) -> Upload:
        suffix = kind.rpartition("/")[2]
        begun = self._now()
        try:
            size = max((await asyncio.to_thread(file.stat)).st_size, 1)
            reply, sent = await self._client.upload(
                evolink.UPLOAD_PATH,
                file,
                f"{sha256[:16]}.{suffix}",
                kind,
                lambda so_far: told(name, min(100 * so_far // size, 100)),
            )
        except NoReply as fault:
            raise NotUploaded(f"{name} could not be uploaded: {fault.reason}") from None
        except OSError as fault:
            raise NotUploaded(f"{name} cannot be read: {fault.strerror}") from None
        if sent != sha256:
            raise NotUploaded(f"{name} has changed since it was planned (sha256 {sent[:12]}, planned {sha256[:12]})")
        kept = evolink.read_upload(reply)
        if kept is None:
            raise NotUploaded(f"{name} was not accepted by the files service: {evolink.upload_fault(reply)}")
        life_s = kept.life_s(begun)
        return Upload(url=kept.url, expires_at=None if life_s is None else begun + timedelta(seconds=life_s))

    async def _pinned(self, part: MediaPart, sha256: str, target: Path, name: str) -> str:
        """A remote medium with a pinned digest: fetched under the rules of results and checked. Its media type."""
        assert part.url is not None
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fetched = await self._client.fetch(part.url, target)
            if fetched.sha256 != sha256:
                raise NotUploaded(f"{name} has other bytes than its reference says (sha256 {fetched.sha256[:12]})")
            facts = await asyncio.to_thread(self._probe.facts, target)
        except FetchFailed as fault:
            raise NotUploaded(f"{name} could not be fetched: {fault.reason}") from None
        except Unreadable as fault:
            raise NotUploaded(f"{name} {fault.reason}") from None
        except OSError as fault:
            raise NotUploaded(f"{name} could not be kept: {fault.strerror}") from None
        if facts.kind is not part.kind:
            raise NotUploaded(f"{name} is {_article(facts.kind)}, not {_article(part.kind)}")
        return TYPES.get(facts.format, "application/octet-stream")


def named(part: MediaPart) -> str:
    """A medium as people know it."""
    if part.cutting is not None:
        return f"{part.cutting.selector.replace(':', ' ') or 'clip'} of {part.cutting.take}"
    return part.path or (part.url or "").partition("?")[0]  # what follows may be a signature


def _retrieved(task: asyncio.Task[Upload]) -> None:
    """Look at the end of an upload that nobody may be waiting for any more."""
    if not task.cancelled():
        task.exception()


def _article(kind: Kind) -> str:
    return {Kind.IMAGE: "an image", Kind.VIDEO: "a video", Kind.AUDIO: "audio"}[kind]
