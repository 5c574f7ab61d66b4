"""When to ask again: pure arithmetic of waiting."""

from collections.abc import Sequence
from dataclasses import dataclass

SHARE_OF_REST = 0.8  # of a told rest, so that an estimate a third too long costs little
SHARE_OF_AGE = 0.1
FIFTH = 0.05
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Between two polls of one task at least `floor_s` and at most `ceiling_s` seconds; a told estimate or a learned duration
    may put off the first poll beyond the ceiling."""

    floor_s: float
    ceiling_s: float

    def next(self, age_s: float, eta_s: float | None, learned: Sequence[float]) -> float:
        """Seconds until the next poll of a task of this age.

        `eta_s` is the service's estimate of the whole time, `learned` what earlier tasks of the model took.
        """
        if eta_s is not None and eta_s > age_s:
            return max(self.floor_s, SHARE_OF_REST * (eta_s - age_s))
        first = fifth_percentile(learned)
        if eta_s is None and first is not None and first > age_s:
            return max(self.floor_s, first - age_s)
        return min(max(self.floor_s, SHARE_OF_AGE * age_s), self.ceiling_s)


def fifth_percentile(durations: Sequence[float]) -> float | None:
    """The duration that one in twenty tasks stays below; None from fewer than five."""
    if len(durations) < 5:
        return None
    return sorted(durations)[int(FIFTH * len(durations))]


def pause(attempt: int, told_s: float | None) -> float:
    """Seconds before a submission is sent again: as told, else 1, 2, 4, ... up to a minute."""
    return told_s if told_s is not None else min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S)
