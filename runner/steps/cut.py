"""The cut as arithmetic: which frame of which clip stands where in the film. Pure."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TypeVar

from runner.core.diagnostics import Span
from runner.language.take import Join, Transition

FPS = Fraction(24)  # of a film whose cut says no other
SAMPLE_RATE = 48_000
SHORTFALL_S = Fraction(
    1, 4
)  # a clip may be so much shorter than was ordered, and a trim that counted on it still holds
PLAIN = Transition(seconds=Decimal(0))


class Stopped(Exception):
    """The film was given up half-way because the run was stopped; nothing of it is left."""


class BadCut(ValueError):
    """The film cannot be cut as asked; the message is one plain sentence, `number` the piece it is about, if one, `span` where the
    sound it is about is written, `mend` what to do about that."""

    def __init__(self, message: str, number: int | None = None, span: Span | None = None, mend: str = "") -> None:
        self.number, self.span, self.mend = number, span, mend
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One entry's place in the film: its clip, or a slate of words where there is none, or black where there are no words.

    `name` is how messages call it. `slate`: the title, then lines below it; shown for `seconds`. `in_s` and `out_s` are
    seconds into the clip, None its own start or end. `transition` is how the film comes to it from the piece before. The
    first piece has none before it, so there only a fade means something: out of black. `title` is its chapter's, "" none of
    its own; `variant` the storyboard's, "" for what is no shot.
    """

    name: str
    clip: Path | None
    slate: tuple[str, ...] = ()
    seconds: Decimal | Fraction | None = None
    in_s: Decimal | None = None
    out_s: Decimal | None = None
    transition: Transition = PLAIN
    title: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece in frames of the film: `frames` of its clip from frame `first` on stand in the film from frame `start` on.

    The first `overlap` of them stand together with the last ones of the part before. `fade_in` frames at its beginning
    come out of black, `fade_out` at its end go into it.
    """

    piece: Piece
    first: int
    frames: int
    overlap: int
    start: int
    fade_in: int = 0
    fade_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPlan:
    """`frames` are as many as the parts come to, or as the cut asks for: then it ends early, or in black."""

    parts: tuple[Part, ...]
    frames: int
    fps: Fraction = FPS

    @property
    def duration_s(self) -> Fraction:
        return self.frames / self.fps

    @property
    def is_plain(self) -> bool:
        """Whether the film is nothing but its parts, one after the other."""
        last = self.parts[-1]
        whole = last.start + last.frames == self.frames
        return whole and not any(part.overlap or part.fade_in or part.fade_out for part in self.parts)

    def samples_to(self, frame: int) -> int:
        """How many samples of sound come before a frame: counted from the film's beginning, so that nothing adds up."""
        rate, per = self.fps.numerator, self.fps.denominator  # in whole numbers: it is asked of every frame, often
        return (2 * frame * SAMPLE_RATE * per + rate) // (2 * rate)

    def samples_of(self, frame: int) -> int:
        """How many samples sound under a frame: all frames' add up to the film's, so sound and picture never drift."""
        return self.samples_to(frame + 1) - self.samples_to(frame)


def samples(seconds: Fraction) -> int:
    return int((seconds * SAMPLE_RATE + Fraction(1, 2)) // 1)


def plan_cut(
    pieces: Sequence[Piece],
    lengths: Sequence[Fraction | None],
    *,
    fps: Fraction = FPS,
    length_s: Decimal | None = None,
) -> CutPlan:
    """Place the pieces one after the other. `lengths` are the seconds of their clips, None for slates and black.

    Every time is rounded to the nearest frame, a half upwards; a clip has at least one frame. An `out_s` up to a quarter
    of a second behind the clip's end means its end. With `length_s` the film is just so long. Raises BadCut.
    """
    if not pieces:
        raise BadCut("there is nothing to assemble: no shot is left in the film")
    parts: list[Part] = []
    for number, (piece, length) in enumerate(zip(pieces, lengths, strict=True)):
        first, frames = _taken(piece, number, length, fps)
        joint = to_frames(piece.transition.seconds, fps)
        is_fade = piece.transition.join is Join.FADE
        overlap = joint if parts and not is_fade else 0
        start = parts[-1].start + parts[-1].frames - overlap if parts else 0
        fade_in = joint - joint // 2 if is_fade else 0
        part = Part(piece=piece, first=first, frames=frames, overlap=overlap, start=start, fade_in=fade_in)
        if parts and is_fade:
            parts[-1] = replace(parts[-1], fade_out=joint // 2)
        _hold_transition(parts[-1] if parts else None, part, number, joint, fps)
        parts.append(part)
    return CutPlan(
        parts=tuple(parts),
        frames=parts[-1].start + parts[-1].frames if length_s is None else to_frames(length_s, fps),
        fps=fps,
    )


def chapters(plan: CutPlan) -> tuple[tuple[str, int, int], ...]:
    """(title, frames from, to): one of each shot, in whose order they stand in the film; they leave no gap. Pieces of one shot and
    one title in a row are one chapter, and what has no title belongs to the chapter before it."""
    begun: list[tuple[str, str, int]] = []
    for part in plan.parts:
        title, shot = part.piece.title, part.piece.variant.partition("@")[0]
        if title and part.start < plan.frames and (not begun or begun[-1][:2] != (title, shot)):
            begun.append((title, shot, part.start if begun else 0))
    ends = [*(start for _, _, start in begun[1:]), plan.frames]
    return tuple((title, start, end) for (title, _, start), end in zip(begun, ends, strict=False))


def _taken(piece: Piece, number: int, length: Fraction | None, fps: Fraction) -> tuple[int, int]:
    """First frame and number of frames of a piece by itself."""
    if piece.clip is None:
        frames = to_frames(piece.seconds or Decimal(0), fps)
        if frames < 1:
            raise BadCut(f"the slate of `{piece.name}` has no length", number)
        return 0, frames
    if length is None or length <= 0:
        raise BadCut(f"the clip of `{piece.name}` has no length", number)
    whole = max(1, to_frames(length, fps))
    first = 0 if piece.in_s is None else to_frames(piece.in_s, fps)
    end = whole if piece.out_s is None else to_frames(piece.out_s, fps)
    end = whole if whole < end <= whole + SHORTFALL_S * fps else end
    if first < 0 or end > whole or first >= whole:
        asked = piece.out_s if piece.out_s is not None and end > whole else piece.in_s
        raise BadCut(f"`{piece.name}` is trimmed at {asked} s, but its clip is {float(length):.10g} s long", number)
    if end <= first:
        raise BadCut(
            f"the trim of `{piece.name}` leaves nothing of its clip: in {piece.in_s} s, out {piece.out_s} s", number
        )
    return first, end - first


def _hold_transition(before: Part | None, part: Part, number: int, joint: int, fps: Fraction) -> None:
    """Whether both sides are long enough for the transition between them, and `before` for that into it as well."""
    transition = part.piece.transition
    named = f"the {transition.join} into `{part.piece.name}` of {transition.seconds} s"
    if joint < 0:
        raise BadCut(f"{named} is negative", number)
    sides = [(part, part.overlap + part.fade_in), *([(before, part.overlap + before.fade_out)] if before else [])]
    short, taken = min(sides, key=lambda side: side[0].frames - side[1])
    if taken > short.frames:
        longer = "is longer than" if transition.join is not Join.FADE else f"takes {_seconds(taken, fps)} s of"
        raise BadCut(
            f"{named} {longer} `{short.piece.name}`, which is {_seconds(short.frames, fps)} s in the cut", number
        )
    if before is None:
        return
    both = before.overlap + before.fade_in + part.overlap + before.fade_out
    if both > before.frames:
        alike = before.piece.transition.join is transition.join
        raise BadCut(
            f"the {f'{transition.join}s' if alike else 'transitions'} into and out of `{before.piece.name}` take"
            f" {_seconds(both, fps)} s together, but it is {_seconds(before.frames, fps)} s in the cut",
            number - 1,
        )


def to_frames(seconds: Fraction | Decimal, fps: Fraction = FPS) -> int:
    """The nearest frame, a half upwards; reckoned in integers, since thousands of takes are placed before anything is bought."""
    above, below = seconds.as_integer_ratio()
    above, below = above * fps.numerator, below * fps.denominator
    return (2 * above + below) // (2 * below)


def _seconds(frames: int, fps: Fraction) -> str:
    return f"{float(frames / fps):.3f}".rstrip("0").rstrip(".")


StretchT = TypeVar("StretchT")  # what fills one frame's time: a picture, or its samples


def joined(
    plan: CutPlan,
    read: Callable[[Part], Generator[StretchT, None, None]],
    mix: Callable[[StretchT, StretchT, int, Part], StretchT],
    dim: Callable[[StretchT, Fraction, Fraction], StretchT],
    black: Callable[[int], StretchT],
) -> Iterator[StretchT]:
    """The film from its parts, frame after frame. Pictures and sound both go through here, so that neither can slip.

    `read` gives a part's stretches; `mix(old, new, n, part)` those of two parts at frame n of the overlap into the second;
    `dim(stretch, a, b)` is on its way into black or out of it, a of its light left at its beginning and b at its end;
    `black(frame)` stands where the film goes on behind its last part. At most two parts are open at a time.
    """
    with closing(_parts(plan.parts, read, mix, dim)) as stretches:
        shown = 0
        for stretch in islice(stretches, plan.frames):
            yield stretch
            shown += 1
    for frame in range(shown, plan.frames):
        yield black(frame)


def _parts(
    parts: Sequence[Part],
    read: Callable[[Part], Generator[StretchT, None, None]],
    mix: Callable[[StretchT, StretchT, int, Part], StretchT],
    dim: Callable[[StretchT, Fraction, Fraction], StretchT],
) -> Generator[StretchT, None, None]:
    with ExitStack() as opened:
        current = opened.enter_context(closing(read(parts[0])))
        for part, following in zip(parts, [*parts[1:], None], strict=True):
            shared = following.overlap if following else 0
            for number in range(part.overlap, part.frames - shared):
                stretch = next(current)
                if number < part.fade_in:
                    stretch = dim(stretch, Fraction(number, part.fade_in), Fraction(number + 1, part.fade_in))
                elif (left := part.frames - number) <= part.fade_out:
                    stretch = dim(stretch, Fraction(left, part.fade_out), Fraction(left - 1, part.fade_out))
                yield stretch
            if following:
                coming = opened.enter_context(closing(read(following)))
                for number in range(shared):
                    yield mix(next(current), next(coming), number, following)
                current.close()
                current = coming
