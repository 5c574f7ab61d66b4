"""The cut is exact to the frame, and what cannot be cut is refused in plain words."""

from collections.abc import Generator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from runner.steps.cut import FPS, BadCut, CutPlan, Part, Piece, joined, plan_cut

CLIP = Path("clip.mp4")


def piece(name: str = "a", **fields: object) -> Piece:
    return Piece(name=name, clip=CLIP, **fields)  # type: ignore[arg-type]


@st.composite
def plans(draw: st.DrawFn) -> CutPlan:
    """Plans that hold, with trims, slates and dissolves."""
    pieces, lengths = [], []
    for number in range(draw(st.integers(1, 6))):
        length = draw(st.fractions(Fraction(1, 5), 20))
        cents = draw(st.tuples(st.integers(0, 60), st.integers(80, 200)))
        trim = {"in_s": Decimal(cents[0]) / 100, "out_s": Decimal(cents[1]) / 100} if length > 2 else {}
        dissolve = Decimal(draw(st.integers(0, 60))) / 100
        slate = draw(st.booleans())
        pieces.append(
            Piece(name=f"s{number}", clip=None, seconds=length, dissolve_s=dissolve)
            if slate
            else piece(f"s{number}", dissolve_s=dissolve, **trim)
        )
        lengths.append(None if slate else length)
    try:
        return plan_cut(pieces, lengths)
    except BadCut:
        return reject()


@given(plans())
def test_the_film_is_as_long_as_its_parts_less_their_overlaps(plan: CutPlan) -> None:
    assert plan.frames == sum(part.frames for part in plan.parts) - sum(part.overlap for part in plan.parts)
    assert plan.duration_s == Fraction(plan.frames, FPS)


@given(plans())
def test_every_frame_shows_one_part_or_the_two_that_dissolve(plan: CutPlan) -> None:
    on = [[part for part in plan.parts if part.start <= n < part.start + part.frames] for n in range(plan.frames)]
    assert {len(parts) for parts in on} <= {1, 2}
    assert sum(len(parts) == 2 for parts in on) == sum(part.overlap for part in plan.parts)


@given(plans())
def test_the_parts_are_joined_as_planned(plan: CutPlan) -> None:
    closed = []

    def read(part: Part) -> Generator[tuple[tuple[str, int], ...], None, None]:
        try:
            for number in range(part.frames):
                yield ((part.piece.name, number),)
        finally:
            closed.append(part.piece.name)

    mixed: list[tuple[int, int]] = []

    def mix(old: tuple[tuple[str, int], ...], new: tuple[tuple[str, int], ...], number: int, overlap: int) -> object:
        mixed.append((number, overlap))
        return old + new

    film = list(joined(plan.parts, read, mix))  # type: ignore[arg-type]
    assert film == [
        tuple((p.piece.name, n - p.start) for p in plan.parts if p.start <= n < p.start + p.frames)
        for n in range(plan.frames)
    ]
    assert mixed == [(n, part.overlap) for part in plan.parts for n in range(part.overlap)]
    assert closed == [part.piece.name for part in plan.parts]


@pytest.mark.parametrize(
    ("seconds", "frames"),
    [("1", 24), ("0.02", 1), ("0.0208333333", 1), ("0.0625", 2), ("0.0624", 1), ("5.04", 121), ("5.0208", 120)],
)
def test_times_are_rounded_to_the_nearest_frame_a_half_upwards(seconds: str, frames: int) -> None:
    assert plan_cut([piece()], [Fraction(seconds)]).frames == frames


def test_a_trim_takes_what_lies_between() -> None:
    [part] = plan_cut([piece(in_s=Decimal("0.5"), out_s=Decimal("5.5"))], [Fraction(6)]).parts
    assert (part.first, part.frames) == (12, 120)


def test_a_clip_a_little_shorter_than_ordered_still_fits_its_trim() -> None:
    ordered = plan_cut([piece(in_s=Decimal(1), out_s=Decimal(5))], [Fraction(5)])
    came = plan_cut([piece(in_s=Decimal(1), out_s=Decimal(5))], [Fraction(117, 24)])
    assert (ordered.frames, came.frames) == (96, 93)


def test_the_first_piece_has_nothing_to_dissolve_from() -> None:
    assert plan_cut([piece(dissolve_s=Decimal(3))], [Fraction(1)]).frames == 24


REFUSED = {
    "no pieces": ([], [], "nothing to assemble"),
    "trim past the end": ([piece(out_s=Decimal(7))], [5], "`a` is trimmed at 7 s, but its clip is 5 s long"),
    "trim begins past the end": ([piece(in_s=Decimal(6))], [5], "`a` is trimmed at 6 s, but its clip is 5 s long"),
    "trim before the start": ([piece(in_s=Decimal(-1))], [5], "`a` is trimmed at -1 s"),
    "trim of nothing": ([piece(in_s=Decimal(2), out_s=Decimal(1))], [5], "leaves nothing of its clip: in 2 s, out 1 s"),
    "dissolve beyond the piece": (
        [piece("long"), piece("short", dissolve_s=Decimal(2))],
        [5, 1],
        "the dissolve into `short` of 2 s is longer than `short`, which is 1 s in the cut",
    ),
    "dissolve beyond its forerunner": (
        [piece("short"), piece("long", dissolve_s=Decimal(2))],
        [1, 5],
        "the dissolve into `long` of 2 s is longer than `short`, which is 1 s in the cut",
    ),
    "two dissolves at once": (
        [piece("a"), piece("b", dissolve_s=Decimal("0.75")), piece("c", dissolve_s=Decimal("0.75"))],
        [5, 1, 5],
        "the dissolves into and out of `b` take 1.5 s together, but it is 1 s in the cut",
    ),
    "negative dissolve": ([piece("a"), piece("b", dissolve_s=Decimal(-1))], [5, 5], "is negative"),
    "slate of no length": ([Piece(name="a", clip=None)], [None], "the slate of `a` has no length"),
    "clip of no length": ([piece()], [0], "the clip of `a` has no length"),
}


@pytest.mark.parametrize(("pieces", "lengths", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_cut_is_refused(pieces: list[Piece], lengths: list[int | None], words: str) -> None:
    with pytest.raises(BadCut) as caught:
        plan_cut(pieces, [None if length is None else Fraction(length) for length in lengths])
    assert words in str(caught.value)
