"""One request's work, and what becomes of it where it hangs on others."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from runner.core.lifecycle import ENDED
from runner.core.request import Request
from runner.planning.history import Purchase


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request's work: resume `purchase`, or buy `request`. `takes` share the request.

    `number` is the one that the next purchase of the request gets. A purchase to be resumed is open, without its clip, or an
    end to be asked about once more. `buys`: where the service does not give out the clip, it is bought again.

    `chained`: it is made from other takes' clips, so that `desk.follow` says what it comes to once the jobs that it comes `after`,
    by their marks, have ended. `known_as` is the mark of the job it was before that. With a `purchase` and `chained` both, its
    clip may be had for nothing, and what it comes to is asked once more where it is not.
    """

    takes: tuple[str, ...]
    request: Request | None = None
    number: int = 1
    purchase: Purchase | None = None
    buys: bool = False
    chained: bool = False
    after: frozenset[str] = frozenset()
    known_as: str = ""

    @property
    def mark(self) -> str:
        """By which other jobs name it: the key of what it makes, as it was known when the work was planned."""
        if self.known_as or self.request is not None:
            return self.known_as or (self.request.key if self.request else "")
        return self.purchase.key if self.purchase else ""

    @property
    def only_asks(self) -> bool:
        """Whether it is one question about an end, and nothing happens unless the answer is new."""
        return self.purchase is not None and self.purchase.state in ENDED and not self.buys


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Nothing is bought for a take that is made from others. `blocked`: for a reason of theirs, or of what was taken of their clips;
    else it waits for a later run. An empty `reason`: there is nothing to say, since its clip is there or under way, by the request
    that `key` names."""

    reason: str
    blocked: bool
    key: str = ""


# What the work for a take that is made from others comes to, once they have ended: a job that buys, or why none does.
Follow = Callable[[Job], Awaitable[Job | Held]]


async def unchained(job: Job) -> Job | Held:
    """For a run without chains."""
    return job
