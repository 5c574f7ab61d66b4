"""What a run will upload, held before it buys to what the service's file host still takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.adapters.journal import Journal
from runner.adapters.keys import fingerprint
from runner.commands.balance import PATIENCE_S
from runner.commands.budgeting import NARROW
from runner.commands.deciding import Decided
from runner.core.errors import Refused
from runner.core.wire import NoReply
from runner.planning.plan import Plan
from runner.planning.service import Service
from runner.providers import evolink
from runner.screen.amounts import count
from runner.screen.clean import words
from runner.screen.terminal import Terminal

if TYPE_CHECKING:  # it loads an HTTP client, which a run that buys nothing does without
    from runner.adapters.uploads import Upload


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What earlier runs uploaded to a service, by the journal."""

    journal: Journal
    service: str
    account: str

    def recall(self, sha256: str) -> "Upload | None":
        from runner.adapters.uploads import Upload

        found = self.journal.uploaded(self.service, self.account, sha256)
        return Upload(url=found[0], expires_at=datetime.fromisoformat(found[1])) if found else None

    async def remember(self, sha256: str, upload: "Upload") -> None:
        if upload.expires_at is not None:
            until = upload.expires_at.astimezone(UTC).isoformat(timespec="seconds")
            await self.journal.note_upload(self.service, self.account, sha256, upload.url, until)


async def demand(
    decided: Decided, service: Service, key: str, journal: Journal, terminal: Terminal, *, narrow: str = NARROW
) -> None:
    """`narrow` says how to ask for less. Raises `Refused` where the file host takes fewer files than the plan would upload; a service that has no such number to
    tell is taken as it comes."""
    if service.base_url is None or service.files_url is None or service.provider.ephemeral:
        return
    from runner.adapters.uploads import good

    memory, now = Uploaded(journal, service.name, fingerprint(key)), datetime.now(UTC)
    new = [name for sha256, name in files(decided.plan).items() if not good(memory.recall(sha256), now)]
    if not new:
        return
    left = await _asked(service, key, terminal)
    if left is None or left >= len(new):
        return
    raise Refused(
        f"{count(len(new), 'file')} to be uploaded, but the file host of {service.name} takes {left} more",
        notes=(f"to be uploaded: {', '.join(new[:8])}{' ...' if len(new) > 8 else ''}",),
        help=f"wait until earlier uploads expire, delete some there, or {narrow}",
    )


def files(plan: Plan) -> Mapping[str, str]:
    """What the plan would have uploaded: by content, or what it is taken from, the name of the file or address."""
    from runner.adapters.uploads import named

    parts = [part for action in plan.to_buy if action.request for part in action.request.media]
    return {part.sha256 or part.identity: named(part) for part in parts if part.uploaded}


async def _asked(service: Service, key: str, terminal: Terminal) -> int | None:
    """How many files may still be uploaded; None where the service does not say, which is remarked on under -v."""
    from runner.adapters.client import Client

    assert service.base_url is not None and service.files_url is not None
    client = Client(base_url=service.base_url, files_url=service.files_url, key=key, poll_timeout_s=PATIENCE_S)
    reason = "it has no quota to tell"
    left = None
    async with client.opened():
        try:
            left = evolink.read_quota(await client.ask_files(evolink.quota()))
        except NoReply as fault:
            reason = fault.reason
    if left is None and terminal.verbose:
        terminal.talk(f"{service.name} was asked how many files it still takes: {words(reason)}")
    return left
