"""The provider as execution sees it: codec, client, uploads and the clip store joined."""

import asyncio
from collections.abc import Mapping
from urllib.parse import quote

from runner.adapters import partial
from runner.adapters.client import Client, FetchFailed
from runner.adapters.media import Probe, Unreadable
from runner.adapters.questions import Questions
from runner.adapters.store import Store
from runner.adapters.uploads import Told, Uploads
from runner.core.errors import NotFetched
from runner.core.media import ClipFacts
from runner.core.request import Request
from runner.core.wire import NoReply, Silence
from runner.providers import evolink
from runner.providers.provider import NotTaken, Polled, Submitted, Unclear

DEAD = frozenset({401, 403, 404, 410})  # statuses of a link that will not answer again


class Service:
    """Fulfils `execution.ports.Api`. `emulated`: the service is our own in-process emulator, which understands control headers;
    `batch`: how many tasks it lets one query ask about."""

    def __init__(
        self, client: Client, uploads: Uploads, *, store: Store, probe: Probe, emulated: bool, batch: int = 0
    ) -> None:
        self._client, self._store, self._probe, self._emulated = client, store, probe, emulated
        self._questions = Questions(client, batch)
        self.uploads = uploads

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

    async def upload(self, request: Request, told: Told) -> Mapping[str, str]:
        return await self.uploads.urls(request, told)

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
