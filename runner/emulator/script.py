"""Mishaps on order: what an unlucky client meets, written down beforehand so that a test can name it. Pure matching."""

from dataclasses import dataclass
from typing import TypeVar

from runner.emulator.mishaps import (
    AmendCreate,
    AmendPoll,
    Callback,
    Cancel,
    Changes,
    Charge,
    Download,
    Drop,
    DropPoll,
    Fail,
    Hold,
    Jump,
    Length,
    Mishap,
    NoResults,
    OnCreate,
    OnPoll,
    Poll,
    Price,
    Reply,
    Reserve,
    Said,
    Settle,
    Spoiled,
    Stall,
    Upload,
    Which,
    Word,
)
from runner.emulator.tasks import Status

__all__ = [
    "AmendCreate",
    "AmendPoll",
    "Callback",
    "Cancel",
    "Changes",
    "Charge",
    "Download",
    "Drop",
    "DropPoll",
    "Fail",
    "Hold",
    "Jump",
    "Length",
    "Mishap",
    "NoResults",
    "OnCreate",
    "OnPoll",
    "Poll",
    "Price",
    "Reply",
    "Reserve",
    "Said",
    "Script",
    "Settle",
    "Spoiled",
    "Stall",
    "Upload",
    "Word",
]

_OnTask = TypeVar("_OnTask", Reserve, Charge, Settle, Length, Hold, Fail, Cancel, NoResults, Callback, Price, Jump)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """All mishaps of one emulator; where several fit, the first given strikes."""

    mishaps: tuple[Mishap, ...] = ()

    def over(self, other: "Script") -> "Script":
        """Both scripts, these mishaps first."""
        return Script(mishaps=self.mishaps + other.mishaps) if self.mishaps else other

    def on_create(self, number: int, label: str, number_of_label: int) -> OnCreate | None:
        """What strikes the create with this number and label, the `number_of_label`-th of its label; all from 1."""
        for mishap in self.mishaps:
            if not isinstance(mishap, OnCreate):
                continue
            match mishap.create:
                case None:
                    count = number
                case int(first):
                    count = number - first + 1
                case which if which == label:
                    count = number_of_label
                case _:
                    continue
            if _strikes(count, 0, mishap.times):
                return mishap
        return None

    def on_task(self, kind: type[_OnTask], number: int, label: str) -> _OnTask | None:
        """What of this kind is planned for the task."""
        return next((m for m in self.mishaps if isinstance(m, kind) and _means(m.task, number, label)), None)

    def on_poll(
        self, number: int, label: str, polls: int, status: Status = Status.PENDING, polls_so: int = 0
    ) -> OnPoll | None:
        """What strikes the `polls`-th poll of the task, the `polls_so`-th in its true `status`; both from 1."""
        for mishap in self.mishaps:
            if not isinstance(mishap, OnPoll) or not _means(mishap.task, number, label):
                continue
            if mishap.of not in (None, status):
                continue
            if _strikes(polls if mishap.of is None else polls_so, mishap.skip, mishap.times):
                return mishap
        return None

    def on_download(self, number: int, label: str, downloads: int) -> Download | None:
        """What strikes the `downloads`-th request, from 1, for the task's result."""
        planned = (m for m in self.mishaps if isinstance(m, Download) and _means(m.task, number, label))
        return next((m for m in planned if _strikes(downloads, m.skip, m.times)), None)

    def on_upload(self, number: int) -> Upload | None:
        """What strikes the upload with this number, from 1."""
        planned = (m for m in self.mishaps if isinstance(m, Upload))
        return next((m for m in planned if _strikes(number - (m.upload or 1) + 1, 0, m.times)), None)


def _means(which: Which, number: int, label: str) -> bool:
    return which is None or which in (number, label)


def _strikes(count: int, skip: int, times: int | None) -> bool:
    """Whether the `count`-th occasion, from 1, is struck; an occasion before the first is not."""
    return count > skip and (times is None or count <= skip + times)
