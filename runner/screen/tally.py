"""What the notices of a run add up to: how many takes have ended, which are under way, how long the rest may take.

Pure arithmetic and words: no thread, no stream, no clock; `now` is in seconds of any monotonic clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil

from runner.execution.ports import ENDS, Notice, What
from runner.screen import clean
from runner.screen.amounts import duration
from runner.screen.width import cut

_LONGEST = 400  # columns of a stranger's words in one line
_SHORT = 60  # columns of them in the middle of one
_NAMED = 3  # takes under way that a summary names


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Nothing more comes of `takes` in this run. `number` is how many of `total` takes have ended with them.

    `text` is cleaned; `seconds` since the first notice of them, None where there was none.
    """

    number: int
    total: int
    what: What
    takes: tuple[str, ...]
    text: str
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request or step under way: whose it is, what is being done, since when."""

    takes: tuple[str, ...]
    doing: str
    since: float


class Tally:
    """Fed with every notice of a run of `total` takes that began at `now`."""

    def __init__(self, total: int, now: float) -> None:
        self._total, self._begun = total, now
        self._done = 0
        self._ready_at: float | None = None
        self._active: dict[tuple[str, ...], Row] = {}
        self._steps: dict[str, Row] = {}
        self.ended = 0

    @property
    def total(self) -> int:
        """Takes of the run; more than it began with where paid ones of other storyboards are fetched beside them."""
        return max(self._total, self.ended)

    def add(self, notice: Notice, now: float) -> tuple[End, ...]:
        """Take a notice in; an end for each take that ended by it."""
        takes = tuple(clean.words(take) for take in notice.takes)
        text = cut(clean.words(notice.text), _LONGEST)
        before = self._active.get(takes)
        since = before.since if before else now
        if notice.what not in ENDS and notice.what is not What.STOPPED:
            self._active[takes] = Row(takes=takes, doing=_doing(notice, text), since=since)
            return ()
        self._active.pop(takes, None)
        self.ended += len(takes)
        self._done += len(takes) if notice.what is What.DONE else 0
        if self._done:
            self._ready_at = now + (now - self._begun) / self._done * (self.total - self.ended)
        first = self.ended - len(takes) + 1
        return tuple(
            End(
                number=number,
                total=self.total,
                what=notice.what,
                takes=(take,),
                text=text,
                seconds=now - since if before else None,
            )
            for number, take in enumerate(takes, start=first)
        )

    def step(self, name: str, text: str, now: float) -> bool:
        """What a pipeline step is doing; nothing ends it. Whether it has only begun now."""
        name, text = clean.words(name), cut(clean.words(text), _LONGEST)
        before = self._steps.pop(name, None)
        if text:
            self._steps[name] = Row(takes=(name,), doing=text, since=before.since if before else now)
        return bool(text) and before is None

    def rows(self) -> list[Row]:
        """Steps, then requests under way, the oldest first."""
        return [*self._steps.values(), *self._active.values()]

    def left_s(self, now: float) -> float | None:
        """Seconds until all takes may have ended, from how fast takes were done so far; None while that says nothing."""
        if self._ready_at is None or self.ended >= self.total or now >= self._ready_at:
            return None
        return self._ready_at - now

    def times(self, now: float) -> str:
        """`4 m 10 s, about 12 m left`."""
        left = self.left_s(now)
        return duration(int(now - self._begun)) + (f", about {duration(ceil(left))} left" if left is not None else "")

    def summary(self, now: float) -> str:
        """`[12/300] after 4 m, about 12 m left; under way: arrival@dawn.1 processing 40%, walk.1 fetching and 3 more`."""
        rows = self.rows()
        some = ", ".join(f"{named(row.takes)} {cut(row.doing, _SHORT)}" for row in rows[:_NAMED])
        more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
        under_way = f"; under way: {some}{more}" if rows else ""
        return f"[{self.ended}/{self.total}] after {self.times(now)}{under_way}"


def together(lines: Iterable[End | str]) -> list[End | str]:
    """Takes that were never submitted, one behind the other for one reason, as one end: a stopped run has hundreds."""
    joined: list[End | str] = []
    for line in lines:
        match joined[-1] if joined else None, line:
            case End(what=What.PENDING) as last, End(what=What.PENDING) as end if last.text == end.text:
                joined[-1] = replace(end, takes=(*last.takes, *end.takes), seconds=None)
            case _:
                joined.append(line)
    return joined


def named(takes: tuple[str, ...]) -> str:
    """`arrival@dawn.1`, or `arrival@dawn.1 and 11 more`."""
    return takes[0] + (f" and {len(takes) - 1} more" if len(takes) > 1 else "") if takes else ""


def _doing(notice: Notice, text: str) -> str:
    """What is being done for a request; the service's own word for it while it waits."""
    match notice.what:
        case What.WAITING:
            percent = "" if notice.percent is None else f" {min(max(notice.percent, 0), 100)}%"
            return f"{text or notice.what.value}{percent}"
        case What.UPLOADING:
            return f"uploading {text} {min(max(notice.percent or 0, 0), 100)}%"
        case What.PAUSED:
            return f"paused: {text}" if text else "paused"
        case _:
            return notice.what.value
