"""The provider as execution sees it: codec, client, uploads and the clip store joined."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from runner.adapters import partial
from runner.adapters.client import Client, FetchFailed
from runner.adapters.files import Unreadable as NotReadable
from runner.adapters.files import resolve
from runner.adapters.media import Probe, Unreadable
from runner.adapters.questions import Questions
from runner.adapters.store import Store
from runner.core.errors import NotFetched, NotUploaded
from runner.core.media import ClipFacts, Kind
from runner.core.request import MediaPart, Request
from runner.core.wire import NoReply, Silence
from runner.providers import evolink
from runner.providers.provider import NotTaken, Polled, Submitted, Unclear

DEAD = frozenset({401, 403, 404, 410})  # statuses of a link that will not answer again
TYPES = {
    "jpeg": "image/jpeg", "png": "image/png", "bmp": "image/bmp", "webp": "image/webp", "gif": "image/gif",
    "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "mp3": "audio/mpeg", "wav": "audio/wav",
    "flac": "audio/flac", "m4a": "audio/mp4", "ogg": "audio/ogg",
}  # fmt: skip


class Service:
    """Fulfils `execution.ports.Api`. `emulated`: the service is our own in-process emulator, which understands control headers;
    `batch`: how many tasks it lets one query ask about."""

    def __init__(
        self, client: Client, *, root: Path, store: Store, probe: Probe, emulated: bool, batch: int = 0
    ) -> None:
        self._client, self._root, self._store, self._probe, self._emulated = client, root, store, probe, emulated
        self._questions = Questions(client, batch)
        self._uploads: dict[str, asyncio.Task[str]] = {}

    async def submit(self, *, path: str, body: bytes, idempotency_key: str, request: Request) -> Submitted:
        extra: dict[str, str] = {}
        if self._emulated:
            # Takes of a model without seed are told apart by their key, which says all that was asked for.
            extra["X-Emulate-Label"] = quote(request.label[:80])
            extra["X-Emulate-Seed"] = str(int(request.key[:7], 16) + 1)
        call = evolink.submit(path=path, body=body, idempotency_key=idempotency_key, extra=extra)
        try:
            return evolink.read_submit(await self._client.submit(call))
        except NoReply as fault:
            if fault.silence is Silence.NOT_SENT:
                return NotTaken(reason=fault.reason, retry_after_s=None)
            return Unclear(reason=fault.reason)

    async def poll(self, task_id: str) -> Polled:
        return await self._questions.poll(task_id)

    async def upload(self, request: Request) -> Mapping[str, str]:
        """Every medium whose content is known, each content once a run however many takes use it."""
        urls: dict[str, str] = {}
        for part in request.media:
            if part.sha256 is None:
                continue
            if part.sha256 not in self._uploads:
                task = asyncio.create_task(self._bring_up(part, part.sha256))
                task.add_done_callback(_retrieved)
                self._uploads[part.sha256] = task
            urls[part.identity] = await asyncio.shield(self._uploads[part.sha256])
        return urls

    async def _bring_up(self, part: MediaPart, sha256: str) -> str:
        name = part.path or (part.url or "").partition("?")[0]  # what follows may be a signature
        if part.path is not None:
            try:
                file = resolve(self._root, part.path)
            except NotReadable as fault:
                raise NotUploaded(f"{name} {fault.reason}") from None
            kind = TYPES.get(part.facts.format if part.facts else "", "application/octet-stream")
            return await self._upload(file, kind, name, sha256)
        file = self._store.part(f"reference.{sha256}")
        try:
            kind = await self._pinned(part, sha256, file, name)
            return await self._upload(file, kind, name, sha256)
        finally:
            with suppress(OSError):
                file.unlink(missing_ok=True)

    async def _upload(self, file: Path, kind: str, name: str, sha256: str) -> str:
        suffix = kind.rpartition("/")[2]
        try:
            reply, sent = await self._client.upload(evolink.UPLOAD_PATH, file, f"{sha256[:16]}.{suffix}", kind)
        except NoReply as fault:
            raise NotUploaded(f"{name} could not be uploaded: {fault.reason}") from None
        except OSError as fault:
            raise NotUploaded(f"{name} cannot be read: {fault.strerror}") from None
        if sent != sha256:
            raise NotUploaded(f"{name} has changed since it was planned (sha256 {sent[:12]}, planned {sha256[:12]})")
        url = evolink.read_upload(reply)
        if url is None:
            raise NotUploaded(f"{name} was not accepted by the files service: {evolink.upload_fault(reply)}")
        return url

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

    async def fetch(self, link: str, name: str) -> ClipFacts:
        part = self._store.part(name)
        try:
            part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fetched = await self._client.fetch(link, part, resume=True)
            facts = await asyncio.to_thread(self._probe.clip, part)
            if facts.sha256 != fetched.sha256:
                raise NotFetched("the disk gives back other bytes than were written", local=True)
            await asyncio.to_thread(self._store.adopt, part, facts.sha256)
        except FetchFailed as fault:
            if fault.status in DEAD:
                partial.drop(part)
            raise NotFetched(fault.reason, dead=fault.status in DEAD) from None
        except Unreadable as fault:
            raise NotFetched(f"what arrived is no clip: {fault.reason}") from None
        except OSError as fault:
            partial.drop(part)
            raise NotFetched(f"it could not be written: {fault.strerror or fault}", local=True) from None
        finally:
            # What broke off is gone on with; whatever else was not adopted begins again at its first byte.
            if not partial.kept(part):
                partial.drop(part)
        return facts


def _retrieved(task: asyncio.Task[str]) -> None:
    """Look at the end of an upload that nobody may be waiting for any more."""
    if not task.cancelled():
        task.exception()


def _article(kind: Kind) -> str:
    return {Kind.IMAGE: "an image", Kind.VIDEO: "a video", Kind.AUDIO: "audio"}[kind]
