"""Mishaps on order: what an unlucky client meets, written down beforehand so that a test can name it. Pure matching.

A mishap strikes a `create` or a `task` given by its number (from 1: the n-th POST with a valid key, the n-th accepted
task) or by its label (what the control header X-Emulate-Label said). `times` is how often it strikes, None for ever.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from runner.emulator.refusals import STATUSES, Refusal, Side

Which = int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Answer the create with `status` instead; `accepted` tells whether the task is made (and bought) all the same.

    `raw` is the whole body, sent as `content_type`, in place of the documents' envelope for this status; with a status
    that has no envelope it is needed. `param=""` leaves the envelope's parameter out.
    """

    create: Which
    status: int
    times: int | None = 1
    accepted: bool = False
    code: str | None = None
    message: str | None = None
    param: str | None = None
    retry_after_s: int | None = None
    raw: str | None = None
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.raw is None and self.status not in STATUSES:
            raise ValueError(f"status {self.status} has no envelope; give `raw`")

    @property
    def refusal(self) -> Refusal:
        return _refusal(self, Side.CREATE)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """Reserve other credits for the task than its price."""

    task: Which
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Keep the task in processing for `seconds` before its work begins; None: for ever."""

    task: Which
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """End the task as failed with this task error code, in place of its work."""

    task: Which
    code: str
    message: str = "The task failed as the emulator was told to let it fail."


@dataclass(frozen=True, slots=True, kw_only=True)
class NoResults:
    """Complete the task without results."""

    task: Which


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Say this status word in the task's polls in place of the true one."""

    task: Which
    status: str
    skip: int = 0
    times: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Answer polls of the task with `status`, after `skip` honest answers; 404 is a task that went away."""

    task: Which
    status: int
    skip: int = 0
    times: int | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
    retry_after_s: int | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status {self.status} has no envelope")

    @property
    def refusal(self) -> Refusal:
        return _refusal(self, Side.QUERY)


class Spoiled(StrEnum):
    """How a download goes wrong."""

    GONE = "404"
    FORBIDDEN = "403"
    TRUNCATED = "truncated"  # the announced length, half of the bytes, then the connection ends
    SHORT = "short"  # half of the file, announced as if it were the whole
    HTML = "html"  # 200 and a web page


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Spoil downloads of the task's result, after `skip` honest ones."""

    task: Which
    how: Spoiled
    skip: int = 0
    times: int | None = 1


OnCreate = Reply | Drop | Stall
OnTask = Reserve | Hold | Fail | NoResults
OnPoll = Word | Poll
Mishap = OnCreate | OnTask | OnPoll | Download

_OnTask = TypeVar("_OnTask", Reserve, Hold, Fail, NoResults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """All mishaps of one emulator; where several fit, the first given strikes."""

    mishaps: tuple[Mishap, ...] = ()

    def on_create(self, number: int, label: str, number_of_label: int) -> OnCreate | None:
        """What strikes the create with this number and label, the `number_of_label`-th of its label; all from 1."""
        for mishap in self.mishaps:
            match mishap:
                case Reply(create=int(first)) | Drop(create=int(first)) | Stall(create=int(first)):
                    count = number - first + 1
                case Reply(create=which) | Drop(create=which) | Stall(create=which) if which == label:
                    count = number_of_label
                case _:
                    continue
            if _strikes(count, 0, mishap.times):
                return mishap
        return None

    def on_task(self, kind: type[_OnTask], number: int, label: str) -> _OnTask | None:
        """What of this kind is planned for the task."""
        return next((m for m in self.mishaps if isinstance(m, kind) and m.task in (number, label)), None)

    def on_poll(self, number: int, label: str, polls: int) -> OnPoll | None:
        """What strikes the `polls`-th poll, from 1, of the task."""
        planned = (m for m in self.mishaps if isinstance(m, OnPoll) and m.task in (number, label))
        return next((m for m in planned if _strikes(polls, m.skip, m.times)), None)

    def on_download(self, number: int, label: str, downloads: int) -> Spoiled | None:
        """What strikes the `downloads`-th request, from 1, for the task's result."""
        planned = (m for m in self.mishaps if isinstance(m, Download) and m.task in (number, label))
        return next((m.how for m in planned if _strikes(downloads, m.skip, m.times)), None)


def _strikes(count: int, skip: int, times: int | None) -> bool:
    """Whether the `count`-th occasion, from 1, is struck; an occasion before the first is not."""
    return count > skip and (times is None or count <= skip + times)


def _refusal(said: Reply | Poll, side: Side) -> Refusal:
    return Refusal(
        said.status,
        side,
        code=said.code,
        message=said.message,
        param=said.param,
        retry_after_s=said.retry_after_s,
    )
