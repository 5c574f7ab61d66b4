"""What can go wrong on order. Each mishap says whom it strikes, and how often.

Creates are told apart by their number (from 1: the n-th POST that a key opened and no limit turned away) or their label
(what the control header X-Emulate-Label said), tasks by their number (from 1: the n-th accepted task of all accounts) or
label, uploads by number. None is every one. `times` is how often a mishap strikes, None for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from runner.emulator.refusals import STATUSES, Refusal, Side
from runner.emulator.tasks import Status

Which = int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer in place of the honest one.

    The envelope is the documents' own for `status` but for what is given here; `without` names members of it, or headers,
    to be left out, such as "Retry-After". `raw` is the whole body, sent as `content_type`, in place of the envelope; with
    a status that has no envelope it is needed. `headers` come on top.
    """

    status: int
    code: str | None = None
    message: str | None = None
    param: str | None = None
    retry_after_s: int | None = None
    without: tuple[str, ...] = ()
    raw: str | None = None
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.raw is None and self.status not in STATUSES:
            raise ValueError(f"status {self.status} has no envelope; give `raw`")

    def refusal(self, side: Side) -> Refusal:
        return Refusal(
            self.status,
            side,
            code=self.code,
            message=self.message,
            param=self.param,
            retry_after_s=self.retry_after_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The honest answer, changed: `members` in place of its own, objects within objects member by member; members named
    in `without`, those of inner objects with dots, left out."""

    members: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()

    def applied(self, body: Mapping[str, Any]) -> dict[str, Any]:
        changed = _merged(body, self.members)
        for path in self.without:
            *way, last = path.split(".")
            inner: Any = changed
            for name in way:
                inner = inner.get(name, {})
            inner.pop(last, None)
        return changed


# ---------------------------------------------------------------------------------------------------- creates


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Said):
    """Answer the create so; `accepted` tells whether the task is made (and bought) all the same."""

    create: Which
    times: int | None = 1
    accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendCreate(Changes):
    """Change the answer to the create, whose task is made; `id_of` is the number of another task to name in its place."""

    create: Which
    times: int | None = 1
    id_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Close the connection without an answer, before the create is read or after its task was made (`accepted`)."""

    create: Which
    accepted: bool
    times: int | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """Answer the create `seconds` later; the task is made at once."""

    create: Which
    seconds: float
    times: int | None = 1


# ---------------------------------------------------------------------------------------------------- the course of a task


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """Reserve other credits for the task than its price."""

    task: Which
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Charge the completed task other credits than its price."""

    task: Which
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Settle the task only `seconds` after its end, None: never; until then its reserve stays where it is."""

    task: Which
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Reserve and charge so many times the task's price."""

    task: Which
    factor: Decimal

    def of(self, price: Decimal) -> Decimal:
        return (price * self.factor).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """Make the clip so many seconds long, whatever was asked for, 1 to 60; or, with `step`, the next multiple of it."""

    task: Which
    seconds: int = 0
    step: int = 0

    def of(self, asked_s: int) -> int:
        return -(-asked_s // self.step) * self.step if self.step else self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """Move the emulator's clock on by so many seconds as the task is made."""

    task: Which
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Keep the task in processing, or `queued` in pending, for `seconds` before its work begins; None: for ever."""

    task: Which
    seconds: float | None = None
    queued: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """End the task as failed with this task error code, in place of its work; `refunded=False`: charged in full."""

    task: Which
    code: str
    message: str = "The task failed as the emulator was told to let it fail."
    refunded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End the task as cancelled, in place of its work; `refunded=False`: charged in full."""

    task: Which
    refunded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NoResults:
    """Complete the task without results."""

    task: Which


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """Send the task's callback `copies` times, 0: never, each with its retries, and `seconds` later."""

    task: Which
    copies: int = 1
    seconds: float = 0.0


# ---------------------------------------------------------------------------------------------------- polls


@dataclass(frozen=True, kw_only=True)  # two bases with slots cannot be joined
class Occasion:
    """Polls of the task that are struck: after `skip` honest ones, `times` of them; only those made while its true status
    is `of`, if that is given, and then only these are counted."""

    task: Which
    of: Status | None = None
    skip: int = 0
    times: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Occasion):
    """Say this status word in place of the true one."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendPoll(Changes, Occasion):
    """Change what is said of the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll(Said, Occasion):
    """Answer polls of the task so; 404 is a task that went away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropPoll(Occasion):
    """Close the connection `seconds` later without an answer."""

    seconds: float = 0.0


# ---------------------------------------------------------------------------------------------------- files


class Spoiled(StrEnum):
    """How a download goes wrong; a number is the status of an error."""

    GONE = "404"
    FORBIDDEN = "403"
    TRUNCATED = "truncated"  # the announced length, half of the bytes, then the connection ends
    SHORT = "short"  # half of the file, announced as if it were the whole
    HTML = "html"  # 200 and a web page
    BUSY = "429"
    ERROR = "500"
    UNAVAILABLE = "503"
    TIMEOUT = "504"
    LONG = "long"  # the whole file and 64 bytes more, announced as if they belonged to it
    DAMAGED = "damaged"  # all bytes, but the second half is zeros
    WHOLE = "whole"  # all bytes, whatever part was asked for
    CHANGED = "changed"  # honest, but for an ETag and a date of its own
    SLOW = "slow"  # honest, spread over `seconds`
    STALLED = "stalled"  # half of the bytes, `seconds` of silence, then the connection ends
    MOVED = "moved"  # a redirect to `to`, to the link itself if that is empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Spoil downloads of the task's result, after `skip` honest ones."""

    task: Which
    how: Spoiled
    skip: int = 0
    times: int | None = 1
    seconds: float = 1.0
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Refuse the upload with `status`, in the file API's envelope; `http` is the HTTP status, if it is another."""

    upload: int | None
    status: int = 413
    message: str = "File too large"
    http: int | None = None
    times: int | None = 1


OnCreate = Reply | AmendCreate | Drop | Stall
OnTask = Reserve | Charge | Settle | Length | Hold | Fail | Cancel | NoResults | Callback | Price | Jump
OnPoll = Word | AmendPoll | Poll | DropPoll
Mishap = OnCreate | OnTask | OnPoll | Download | Upload


def _merged(body: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
    merged = {name: dict(value) if isinstance(value, dict) else value for name, value in body.items()}
    for name, value in members.items():
        own = merged.get(name)
        merged[name] = _merged(own, value) if isinstance(own, dict) and isinstance(value, dict) else value
    return merged
