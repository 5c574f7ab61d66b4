"""What execution asks of the worlds outside, so that it knows no HTTP, no SQL and no clock of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from runner.core.media import ClipFacts
from runner.core.request import Request
from runner.planning.history import Entry, Purchase
from runner.providers.provider import Polled, Submitted


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall time, UTC; for records alone, no decision hangs on it."""

    def monotonic(self) -> float:
        """Seconds for deadlines and pauses."""

    async def sleep(self, seconds: float) -> None: ...


class Ledger(Protocol):
    """The journal as execution writes it: durable when a call returns."""

    async def record(self, *entries: Entry) -> None: ...

    async def note_duration(self, model: str, service: str, seconds: float) -> None: ...


class Api(Protocol):
    """The provider. `submit` answers with what is known, whatever happened on the wire; it is awaited to its end."""

    async def submit(self, *, path: str, body: bytes, idempotency_key: str, request: Request) -> Submitted: ...

    async def poll(self, task_id: str) -> Polled: ...

    async def upload(self, request: Request, told: Callable[[str, int], None]) -> Mapping[str, str]:
        """URLs by media identity for every medium whose content is known, good for as long as a submit may take; asked again it
        answers at once while they are. `told` hears a file's name and how much of it has left, in percent. Raises `NotUploaded`."""

    async def fetch(self, link: str, name: str) -> ClipFacts:
        """Download, check and store a clip. Raises `NotFetched`."""


class Disk(Protocol):
    """The disk that finished clips are written to."""

    def free_bytes(self) -> int:
        """Bytes this user may still write. Raises OSError."""


class What(StrEnum):
    UPLOADING = "uploading"
    SUBMITTED = "submitted"
    WAITING = "waiting"
    PAUSED = "paused"
    FETCHING = "fetching"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    EXPIRED = "expired"
    MISSING = "missing"
    OVERDUE = "overdue"
    UNFETCHED = "unfetched"
    UNKNOWN = "unknown"
    PENDING = "pending"
    BLOCKED = "blocked"
    STOPPED = "stopped"


ENDS = frozenset(set(What) - {What.UPLOADING, What.SUBMITTED, What.WAITING, What.PAUSED, What.FETCHING, What.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that happened to the takes of one request. `text` is foreign and uncleaned; `percent` of the task."""

    what: What
    takes: tuple[str, ...]
    text: str = ""
    percent: int | None = None
    purchase: Purchase | None = None


class Watcher(Protocol):
    def __call__(self, notice: Notice) -> None: ...
