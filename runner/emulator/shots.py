"""The shots within one clip: where a prompt with time marks cuts, what each shot shows, and how near it stands. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from runner.emulator.chance import Chance
from runner.emulator.order import Order
from runner.emulator.palette import listed, words_of

SHORTEST_S = 0.5  # a shot of less belongs to the one before it
MOST = 8  # shots that a prompt without time marks is cut into
EACH_S = 2  # of those, about


class Nearness(StrEnum):
    """How near the camera stands; the value is the share of a side that it shows of what a wide shot shows."""

    WIDE = "wide"
    MEDIUM = "medium"
    CLOSE = "close"


SHARE = {Nearness.WIDE: 1.0, Nearness.MEDIUM: 0.72, Nearness.CLOSE: 0.5}
# The first row with a word of the shot says how near it is.
_NEAR_WORDS: tuple[tuple[Nearness, str], ...] = (
    (Nearness.CLOSE, "close close-up closeup macro detail face faces eye eyes hand hands portrait insert"),
    (Nearness.WIDE, "wide establishing aerial panorama panoramic landscape drone overhead long"),
    (Nearness.MEDIUM, "medium waist bust two-shot over-the-shoulder cowboy"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """`frames` frames of the clip from frame `first`; shot `number` of `count`, from 1. `text` is its own part of the prompt,
    `nearness` None where it is the only one."""

    number: int
    count: int
    first: int
    frames: int
    text: str
    nearness: Nearness | None = None

    def chance(self, whole: Chance) -> Chance:
        """The draws of this shot; those of the clip where it is the only one."""
        return whole if self.count == 1 else whole.part(f"shot.{self.number}")


_GAP = r"\s{0,3}"
_TIME = rf"(?:(\d{{1,2}}):)?(\d{{1,3}}(?:\.\d{{1,3}})?){_GAP}(?:s|secs?|seconds?|秒)?"
_NAME = rf"(?:\b(?:shot|scene|cut|clip){_GAP}\#?\d{{1,2}}|第?\d{{0,2}}个?镜头{_GAP}\d{{0,2}}){_GAP}[:：,]?{_GAP}"
_MARK = re.compile(
    rf"(?:{_NAME})?[\[(（【]{_GAP}{_TIME}{_GAP}(?:-|–|—|~|to|至|到){_GAP}{_TIME}{_GAP}[\])）】]{_GAP}[:：,;.\-–—]?\s*",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)|(?<=[。！？])\s*(?=\S)")


def shots(order: Order, chance: Chance) -> tuple[Shot, ...]:
    """The shots of a clip, at least one, without a gap: `shot_type` wins over the prompt's wording."""
    if order.shot_type == "single":
        return (_only(order),)
    found = _marked(order)
    if len(found) < 2 and order.shot_type == "multi":
        found = _parted(order)
    if len(found) < 2:
        return (_only(order),)
    ends = [first for first, _ in found[1:]] + [order.frames]
    near: Nearness | None = None
    made = []
    for number, ((first, text), end) in enumerate(zip(found, ends, strict=True), 1):
        near = _nearness(text, number, near, chance)
        made.append(Shot(number=number, count=len(found), first=first, frames=end - first, text=text, nearness=near))
    return tuple(made)


def _only(order: Order) -> Shot:
    return Shot(number=1, count=1, first=0, frames=order.frames, text=order.prompt)


def _marked(order: Order) -> list[tuple[int, str]]:
    """First frame and words of every shot that a time mark begins; none where the marks are no cuts of a clip."""
    marks = list(_MARK.finditer(order.prompt))
    times = [(_seconds(*mark.group(1, 2)), _seconds(*mark.group(3, 4))) for mark in marks]
    rising = all(start < end for start, end in times) and all(
        one[1] <= other[0] + 0.5 for one, other in pairwise(times)
    )
    if not times or times[0][0] != 0 or not rising:
        return []
    texts = [
        order.prompt[a.end() : b].strip() for a, b in zip(marks, [m.start() for m in marks[1:]] + [None], strict=True)
    ]
    shortest = round(SHORTEST_S * order.fps)
    found: list[tuple[int, str]] = []
    for (start, _), text in zip(times, texts, strict=True):
        first = round(start * order.fps)
        if first + shortest <= order.frames and (not found or first - found[-1][0] >= shortest):
            found.append((first, text))
    return found


def _parted(order: Order) -> list[tuple[int, str]]:
    """Shots of equal length: a sentence or more each, or the whole prompt for each where it has only one."""
    sentences = [part.strip() for part in _SENTENCE.split(order.prompt) if part.strip()]
    fitting = max(2, min(MOST, order.seconds // EACH_S))
    count = min(fitting, len(sentences)) if len(sentences) > 1 else min(fitting, 3)
    if order.seconds < 2:
        return []
    firsts = [order.frames * number // count for number in range(count)]
    if len(sentences) < 2:
        return [(first, order.prompt) for first in firsts]
    return [(first, " ".join(_share(sentences, number, count))) for number, first in enumerate(firsts)]


def _share(sentences: Sequence[str], number: int, count: int) -> Sequence[str]:
    return sentences[len(sentences) * number // count : len(sentences) * (number + 1) // count]


def _seconds(minutes: str | None, seconds: str) -> float:
    return 60 * int(minutes or 0) + float(seconds)


def _nearness(text: str, number: int, before: Nearness | None, chance: Chance) -> Nearness:
    """What the shot's words say, else another than the shot before."""
    words = words_of(text)
    said = next((near for near, row in _NEAR_WORDS if words & listed(row)), None)
    others = [near for near in Nearness if near is not before]
    return said or (Nearness.WIDE if number == 1 else chance.pick(f"nearness.{number}", others))
