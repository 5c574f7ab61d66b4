"""The cut is exact to the frame, and what cannot be cut is refused in plain words."""

from collections.abc import Generator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from runner.language.take import Join, Transition
from runner.steps.cut import SAMPLE_RATE, BadCut, CutPlan, Part, Piece, joined, plan_cut

CLIP = Path("clip.mp4")
RATES = tuple(Fraction(rate) for rate in ("24", "25", "30", "60", "24000/1001", "30000/1001", "60000/1001"))
LENGTHS = st.none() | st.integers(1, 4000).map(lambda cents: Decimal(cents) / 100)


def piece(name: str = "a", **fields: object) -> Piece:
    return Piece(name=name, clip=CLIP, **fields)  # type: ignore[arg-type]


@st.composite
def plans(draw: st.DrawFn) -> CutPlan:
    """Plans that hold, with trims, slates and transitions, some of a length of their own."""
    pieces, lengths = [], []
    for number in range(draw(st.integers(1, 6))):
        length = draw(st.fractions(Fraction(1, 5), 20))
        cents = draw(st.tuples(st.integers(0, 60), st.integers(80, 200)))
        trim = {"in_s": Decimal(cents[0]) / 100, "out_s": Decimal(cents[1]) / 100} if length > 2 else {}
        joint = Transition(join=draw(st.sampled_from(Join)), seconds=Decimal(draw(st.integers(0, 60))) / 100)
        slate = draw(st.booleans())
        pieces.append(
            Piece(name=f"s{number}", clip=None, seconds=length, transition=joint)
            if slate
            else piece(f"s{number}", transition=joint, **trim)
        )
        lengths.append(None if slate else length)
    try:
        return plan_cut(pieces, lengths, fps=draw(st.sampled_from(RATES)), length_s=draw(LENGTHS))
    except BadCut:
        return reject()


def natural(plan: CutPlan) -> int:
    return plan.parts[-1].start + plan.parts[-1].frames


@given(plans())
def test_the_parts_are_as_long_as_they_are_together_less_their_overlaps(plan: CutPlan) -> None:
    assert natural(plan) == sum(part.frames for part in plan.parts) - sum(part.overlap for part in plan.parts)
    assert plan.duration_s == Fraction(plan.frames) / plan.fps


@given(plans())
def test_every_frame_shows_one_part_or_the_two_that_are_joined(plan: CutPlan) -> None:
    on = [[part for part in plan.parts if part.start <= n < part.start + part.frames] for n in range(natural(plan))]
    assert {len(parts) for parts in on} <= {1, 2}
    assert sum(len(parts) == 2 for parts in on) == sum(part.overlap for part in plan.parts)


@given(plans())
def test_sound_and_picture_never_drift(plan: CutPlan) -> None:
    total = 0
    for frame in range(plan.frames):
        assert abs(total - frame / plan.fps * SAMPLE_RATE) <= Fraction(1, 2)
        total += plan.samples_of(frame)
    assert total == plan.samples_to(plan.frames)


Shown = tuple[tuple[str, int, Fraction], ...]  # the parts of one frame: whose, which of its frames, how bright


@given(plans())
def test_the_parts_are_joined_as_planned(plan: CutPlan) -> None:
    closed = []

    def read(part: Part) -> Generator[Shown, None, None]:
        try:
            for number in range(part.frames):
                yield ((part.piece.name, number, Fraction(1)),)
        finally:
            closed.append(part.piece.name)

    mixed: list[tuple[int, Part]] = []

    def mix(old: Shown, new: Shown, number: int, part: Part) -> Shown:
        mixed.append((number, part))
        return old + new

    def dim(shown: Shown, begin: Fraction, end: Fraction) -> Shown:
        assert abs(begin - end) * max(part.fade_in + part.fade_out for part in plan.parts) >= 1
        ((name, number, _),) = shown
        return ((name, number, min(begin, end)),)

    def light(part: Part, number: int) -> Fraction:
        """Black are the last frame of a fade's first half and the first frame of its second."""
        if number < part.fade_in:
            return Fraction(number, part.fade_in)
        left = part.frames - number
        return Fraction(left - 1, part.fade_out) if left <= part.fade_out else Fraction(1)

    film = list(joined(plan, read, mix, dim, lambda _: ()))
    assert film == [
        tuple(
            (p.piece.name, n - p.start, light(p, n - p.start)) for p in plan.parts if p.start <= n < p.start + p.frames
        )
        for n in range(plan.frames)
    ]
    assert mixed == [(n, p) for p in plan.parts for n in range(p.overlap) if p.start + n < plan.frames]
    read_from = [part.piece.name for part in plan.parts if part.start < plan.frames]
    assert sorted(closed) == sorted(read_from)


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


@pytest.mark.parametrize("join", [Join.DISSOLVE, Join.WIPE])
def test_the_first_piece_has_nothing_to_come_from_but_black(join: Join) -> None:
    assert plan_cut([piece(transition=Transition(join=join, seconds=Decimal(3)))], [Fraction(1)]).is_plain
    [part] = plan_cut([piece(transition=Transition(join=Join.FADE, seconds=Decimal(1)))], [Fraction(1)]).parts
    assert (part.frames, part.fade_in, part.fade_out) == (24, 12, 0)


def test_a_fade_takes_half_of_each_side_and_shortens_nothing() -> None:
    fade = Transition(join=Join.FADE, seconds=Decimal("0.625"))
    plan = plan_cut([piece("a"), piece("b", transition=fade)], [Fraction(1), Fraction(1)])
    assert [(p.start, p.frames, p.fade_in, p.fade_out) for p in plan.parts] == [(0, 24, 0, 7), (24, 24, 8, 0)]


def test_a_film_of_a_length_of_its_own_is_that_long() -> None:
    for wanted in (Decimal(1), Decimal(3)):
        plan = plan_cut([piece()], [Fraction(2)], fps=Fraction(25), length_s=wanted)
        assert (plan.frames, plan.is_plain) == (wanted * 25, False)
    assert plan_cut([piece()], [Fraction(2)], length_s=Decimal(2)).is_plain


REFUSED = {
    "no pieces": ([], [], "nothing to assemble"),
    "trim past the end": ([piece(out_s=Decimal(7))], [5], "`a` is trimmed at 7 s, but its clip is 5 s long"),
    "trim begins past the end": ([piece(in_s=Decimal(6))], [5], "`a` is trimmed at 6 s, but its clip is 5 s long"),
    "trim before the start": ([piece(in_s=Decimal(-1))], [5], "`a` is trimmed at -1 s"),
    "trim of nothing": ([piece(in_s=Decimal(2), out_s=Decimal(1))], [5], "leaves nothing of its clip: in 2 s, out 1 s"),
    "dissolve beyond the piece": (
        [piece("long"), piece("short", transition=Transition(seconds=Decimal(2)))],
        [5, 1],
        "the dissolve into `short` of 2 s is longer than `short`, which is 1 s in the cut",
    ),
    "dissolve beyond its forerunner": (
        [piece("short"), piece("long", transition=Transition(seconds=Decimal(2)))],
        [1, 5],
        "the dissolve into `long` of 2 s is longer than `short`, which is 1 s in the cut",
    ),
    "two dissolves at once": (
        [
            piece("a"),
            piece("b", transition=Transition(seconds=Decimal("0.75"))),
            piece("c", transition=Transition(seconds=Decimal("0.75"))),
        ],
        [5, 1, 5],
        "the dissolves into and out of `b` take 1.5 s together, but it is 1 s in the cut",
    ),
    "a fade beyond the piece": (
        [piece("long"), piece("short", transition=Transition(join=Join.FADE, seconds=Decimal(3)))],
        [5, 1],
        "the fade into `short` of 3 s takes 1.5 s of `short`, which is 1 s in the cut",
    ),
    "a fade out of what comes in": (
        [
            piece("a"),
            piece("b", transition=Transition(join=Join.WIPE, seconds=Decimal("0.75"))),
            piece("c", transition=Transition(join=Join.FADE, seconds=Decimal(1))),
        ],
        [5, 1, 5],
        "the transitions into and out of `b` take 1.25 s together, but it is 1 s in the cut",
    ),
    "negative dissolve": ([piece("a"), piece("b", transition=Transition(seconds=Decimal(-1)))], [5, 5], "is negative"),
    "slate of no length": ([Piece(name="a", clip=None)], [None], "the slate of `a` has no length"),
    "clip of no length": ([piece()], [0], "the clip of `a` has no length"),
}


@pytest.mark.parametrize(("pieces", "lengths", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_cut_is_refused(pieces: list[Piece], lengths: list[int | None], words: str) -> None:
    with pytest.raises(BadCut) as caught:
        plan_cut(pieces, [None if length is None else Fraction(length) for length in lengths])
    assert words in str(caught.value)
