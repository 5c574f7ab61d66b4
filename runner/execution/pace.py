"""When to ask again: pure arithmetic of waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

SHARE_OF_REST = 0.8  # of a told rest, so that an estimate a third too long costs little
SHARE_OF_AGE = 0.1
FIFTH = 0.05
BEAT = (
    1.2  # of the floor: at the floor itself fifty tasks of two minutes would come to half a request each, and no less
)
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Between two polls of one task at least `floor_s` and at most `ceiling_s` seconds; a told estimate or a learned duration
    may put off the first poll beyond the ceiling.

    `beat_s`: polls fall on multiples of it, so that one query can ask about many tasks; 0 where each is asked about by itself.
    """

    floor_s: float
    ceiling_s: float
    beat_s: float = 0

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

    def on_beat(self, pause_s: float, now_s: float) -> float:
        """The pause, at `now_s` of a monotonic clock, brought to the nearest beat that is not yet now."""
        if not self.beat_s:
            return pause_s
        beat = round((now_s + pause_s) / self.beat_s)
        return max(beat, floor(now_s / self.beat_s) + 1) * self.beat_s - now_s


def fifth_percentile(durations: Sequence[float]) -> float | None:
    """The duration that one in twenty tasks stays below; None from fewer than five."""
    if len(durations) < 5:
        return None
    return sorted(durations)[int(FIFTH * len(durations))]


def pause(in_vain: int, told_s: float | None, chance: float) -> float:
    """Seconds without submissions after `in_vain` of them, from 1, that were not taken one behind the other.

    As told; else 1, 2, 4, ... up to a minute, less up to half of it by `chance` in [0, 1), so that many machines do not come
    back at once. A service that tells of shorter pauses than help is believed once.
    """
    own_s = min(FIRST_PAUSE_S * 2.0 ** min(in_vain - 1, 10), LONGEST_PAUSE_S) * (1 - chance / 2)
    if told_s is None:
        return own_s
    return told_s if in_vain < 2 else max(told_s, own_s / 2)
