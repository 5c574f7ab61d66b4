"""Ends of a command that are no fault of a file: what to tell the user, and the exit code."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command; when several hold, the order is BUG, UNKNOWN, SIGINT/SIGTERM, REMAINS, INCOMPLETE."""

    DONE = 0
    INCOMPLETE = 1  # not every take of this run has its clip
    REFUSED = 2  # refused before anything was spent
    BUG = 3
    UNKNOWN = 4  # the outcome of a submission is unknown
    REMAINS = 5  # work remains: overdue, unfetched; something to buy under `plan --detailed-exitcode`
    SIGINT = 130
    SIGTERM = 143


class Refused(Exception):
    """The command stops before it spends anything. `message` is one sentence; `help` says what to type or change."""

    def __init__(self, message: str, *, help: str = "", notes: tuple[str, ...] = ()) -> None:  # noqa: A002
        self.message, self.help, self.notes = message, help, notes
        super().__init__(message)


class NotUploaded(Exception):
    """A medium could not be brought to the provider; nothing was bought. `reason` is one line."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NotFetched(Exception):
    """A result did not become a clip on disk. `dead`: the link will not answer again, a fresh one may; `local`: this machine's
    fault (disk full, read-only), so trying again at once is no use."""

    def __init__(self, reason: str, *, dead: bool = False, local: bool = False) -> None:
        self.reason, self.dead, self.local = reason, dead, local
        super().__init__(reason)


class NotRecorded(Exception):
    """An event could not be made durable; nothing of its transaction was kept."""


class TaskHeld(ValueError):
    """A receipt names a task that another purchase of the same account already holds; nothing of its transaction was kept."""
