"""The cut as arithmetic: which frame of which clip stands where in the film. Pure."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

FPS = 24  # of every film
SAMPLE_RATE = 48_000
SHORTFALL = 6  # frames a clip may be shorter than was ordered, and a trim that counted on them still holds
FRAME_SAMPLES = SAMPLE_RATE // FPS  # sound and picture share this grid, so they can never drift


class Stopped(Exception):
    """The film was given up half-way because the run was stopped; nothing of it is left."""


class BadCut(ValueError):
    """The film cannot be cut as asked; the message is one plain sentence, `name` the piece it is about, if one."""

    def __init__(self, message: str, name: str = "") -> None:
        self.name = name
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One take's place in the film: its clip, or a slate of words where there is none.

    `name` is how messages call it. `slate`: the title, then lines below it; shown for `seconds`. `in_s` and `out_s` are
    seconds into the clip, None its own start or end. `dissolve_s` is the overlap with the piece before, 0 a plain cut;
    the first piece has nothing to dissolve from, so there it means nothing.
    """

    name: str
    clip: Path | None
    slate: tuple[str, ...] = ()
    seconds: Decimal | Fraction | None = None
    in_s: Decimal | None = None
    out_s: Decimal | None = None
    dissolve_s: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece in frames of 1/24 s: `frames` of its clip from frame `first` on stand in the film from frame `start` on.

    The first `overlap` of them stand together with the last ones of the part before.
    """

    piece: Piece
    first: int
    frames: int
    overlap: int
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPlan:
    parts: tuple[Part, ...]
    frames: int

    @property
    def duration_s(self) -> Fraction:
        return Fraction(self.frames, FPS)


def plan_cut(pieces: Sequence[Piece], lengths: Sequence[Fraction | None]) -> CutPlan:
    """Place the pieces one after the other. `lengths` are the seconds of their clips, None for slates.

    Every time is rounded to the nearest frame, a half upwards; a clip has at least one frame. An `out_s` up to a quarter
    of a second behind the clip's end means its end. Raises BadCut.
    """
    if not pieces:
        raise BadCut("there is nothing to assemble: no shot is left in the film")
    parts: list[Part] = []
    for piece, length in zip(pieces, lengths, strict=True):
        first, frames = _taken(piece, length)
        overlap = _to_frames(Fraction(piece.dissolve_s)) if parts else 0
        start = parts[-1].start + parts[-1].frames - overlap if parts else 0
        part = Part(piece=piece, first=first, frames=frames, overlap=overlap, start=start)
        if parts:
            _hold_dissolve(parts[-1], part)
        parts.append(part)
    return CutPlan(parts=tuple(parts), frames=parts[-1].start + parts[-1].frames)


def _taken(piece: Piece, length: Fraction | None) -> tuple[int, int]:
    """First frame and number of frames of a piece by itself."""
    if piece.clip is None:
        frames = _to_frames(Fraction(piece.seconds or 0))
        if frames < 1:
            raise BadCut(f"the slate of `{piece.name}` has no length", piece.name)
        return 0, frames
    if length is None or length <= 0:
        raise BadCut(f"the clip of `{piece.name}` has no length", piece.name)
    whole = max(1, _to_frames(length))
    first = 0 if piece.in_s is None else _to_frames(Fraction(piece.in_s))
    end = whole if piece.out_s is None else _to_frames(Fraction(piece.out_s))
    end = whole if whole < end <= whole + SHORTFALL else end
    if first < 0 or end > whole or first >= whole:
        asked = piece.out_s if piece.out_s is not None and end > whole else piece.in_s
        raise BadCut(f"`{piece.name}` is trimmed at {asked} s, but its clip is {float(length):.10g} s long", piece.name)
    if end <= first:
        raise BadCut(
            f"the trim of `{piece.name}` leaves nothing of its clip: in {piece.in_s} s, out {piece.out_s} s", piece.name
        )
    return first, end - first


def _hold_dissolve(before: Part, part: Part) -> None:
    dissolve = f"the dissolve into `{part.piece.name}` of {part.piece.dissolve_s} s"
    if part.overlap < 0:
        raise BadCut(f"{dissolve} is negative", part.piece.name)
    shorter = min(before, part, key=lambda p: p.frames)
    if part.overlap > shorter.frames:
        raise BadCut(
            f"{dissolve} is longer than `{shorter.piece.name}`, which is {_seconds(shorter.frames)} s in the cut",
            part.piece.name,
        )
    if before.overlap + part.overlap > before.frames:
        raise BadCut(
            f"the dissolves into and out of `{before.piece.name}` take {_seconds(before.overlap + part.overlap)} s"
            f" together, but it is {_seconds(before.frames)} s in the cut",
            before.piece.name,
        )


def _to_frames(seconds: Fraction) -> int:
    return int((seconds * FPS + Fraction(1, 2)) // 1)


def _seconds(frames: int) -> str:
    return f"{frames / FPS:.3f}".rstrip("0").rstrip(".")


StretchT = TypeVar("StretchT")  # what fills one frame's time: a picture, or 2,000 samples


def joined(
    parts: Sequence[Part],
    read: Callable[[Part], Generator[StretchT, None, None]],
    mix: Callable[[StretchT, StretchT, int, int], StretchT],
) -> Iterator[StretchT]:
    """The film from its parts, frame after frame: `read` gives a part's, `mix(old, new, n, overlap)` two at frame n of an overlap.

    At most two parts are open at a time. Pictures and sound both go through here, so that neither can slip.
    """
    with ExitStack() as opened:
        current = opened.enter_context(closing(read(parts[0])))
        for part, following in zip(parts, [*parts[1:], None], strict=True):
            shared = following.overlap if following else 0
            for _ in range(part.frames - part.overlap - shared):
                yield next(current)
            if following:
                coming = opened.enter_context(closing(read(following)))
                for number in range(shared):
                    yield mix(next(current), next(coming), number, shared)
                current.close()
                current = coming
