"""Where each sound stands in the film, and how far music goes down for it."""

import itertools
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.diagnostics import Source, Span
from runner.core.media import Kind
from runner.language.cut import Duck, Music, Sound, Voice
from runner.language.take import MediaUse
from runner.steps.cut import BadCut, CutPlan, Piece, plan_cut
from runner.steps.score import Score, lowered, score

SPAN = Span(source=Source(path="f", name="f", text=""), line=1, column=1, end_line=1, end_column=2)
RATES = tuple(Fraction(rate) for rate in ("24", "25", "30", "30000/1001"))


def use(path: str) -> MediaUse:
    return MediaUse(kind=Kind.AUDIO, path=path, span=SPAN)


def music(**fields: Any) -> Music:
    return Music(file=use("theme"), span=SPAN, **fields)


def voice(after_s: Decimal | int = 0, **fields: Any) -> Voice:
    return Voice(file=use("line"), span=SPAN, at=SPAN, after_s=Decimal(after_s), **fields)


def plan(fps: Fraction = RATES[0], **pieces: int) -> CutPlan:
    """Of so many seconds each; `b_dusk` is `b@dusk`."""
    found = [
        Piece(name=name, variant=name.replace("_", "@"), clip=Path("c"), seconds=seconds)
        for name, seconds in pieces.items()
    ]
    return plan_cut(found, [Fraction(seconds) for seconds in pieces.values()], fps=fps)


def scored(sound: Sound, film: CutPlan, **seconds: float) -> Score:
    lengths: Mapping[str, Fraction] = {
        name: Fraction(length) for name, length in ({"theme": 3, "line": 1} | seconds).items()
    }
    return score(sound, film, lengths)


def test_music_sounds_once_or_to_the_films_end() -> None:
    film = plan(a=2, b=3)
    once = scored(Sound(music=music()), film).music
    looped = scored(Sound(music=music(in_s=Decimal(1), loop=True, level_db=Decimal(-20))), film).music
    cut = scored(Sound(music=music()), film, theme=60).music
    assert once and looped and cut
    assert (once.first, once.length, once.start, once.end, once.gain) == (0, 144_000, 0, 144_000, 1)
    assert (looped.first, looped.length, looped.end, looped.gain) == (48_000, 96_000, 240_000, pytest.approx(0.1))
    assert (cut.length, cut.end) == (60 * 48_000, 240_000)


def test_a_voice_begins_with_the_first_piece_of_its_shot() -> None:
    film = plan(a=2, b_dawn=3, b_dusk=2, a2=1)
    starts = [
        scored(Sound(voice=(voice(1, shot=shot),)), film).voices[0].start / 48_000 for shot in ("a", "b", "b@dusk")
    ]
    assert starts == [1, 3, 6]
    assert scored(Sound(voice=(voice(Decimal("7.5")),)), film).voices[0].end == 8 * 48_000
    assert scored(Sound(voice=(voice(shot="elsewhere"),)), film).voices == ()


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (Sound(voice=(voice(5),)), "the voice `line` begins at 5 s, but the film is 5 s long"),
        (Sound(voice=(voice(shot="b", after_s=3),)), "begins at 5 s"),
        (Sound(voice=(voice(in_s=Decimal(1)),)), "`line` is trimmed at 1 s, but it is 1 s long"),
        (Sound(music=music(out_s=Decimal(4))), "`theme` is trimmed at 4 s, but it is 3 s long"),
    ],
)
def test_what_has_no_place_is_refused_where_it_is_written(sound: Sound, words: str) -> None:
    with pytest.raises(BadCut) as caught:
        scored(sound, plan(a=2, b=3))
    assert words in str(caught.value)
    assert caught.value.span is SPAN


@st.composite
def ducked(draw: st.DrawFn) -> tuple[CutPlan, list[bool], Duck]:
    film = plan(draw(st.sampled_from(RATES)), a=draw(st.integers(1, 6)))
    runs = draw(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1))
    active = [on for length, on in runs for _ in range(length)]
    cents = st.integers(0, 150).map(lambda n: Decimal(n) / 100)
    duck = Duck(by_db=Decimal(draw(st.integers(0, 30))), attack_s=draw(cents), release_s=draw(cents))
    return film, (active * film.frames)[: film.frames], duck


@given(ducked())
def test_music_is_down_where_it_makes_room_and_nowhere_far_from_it(made: tuple[CutPlan, list[bool], Duck]) -> None:
    film, active, duck = made
    down = lowered(active, film, duck)
    assert len(down) == film.frames + 1
    frame_s = float(1 / film.fps)
    for edge, level in enumerate(down):
        assert 0 <= level <= duck.by_db
        before = next((n for n in range(film.frames - edge) if active[edge + n]), None)
        since = next((n for n in range(edge) if active[edge - 1 - n]), None)
        if 0 in (before, since):
            assert level == pytest.approx(float(duck.by_db))
        elif (before is None or before * frame_s >= duck.attack_s) and (
            since is None or since * frame_s >= duck.release_s
        ):
            assert level == pytest.approx(0, abs=1e-6)


@given(ducked())
def test_music_goes_down_and_comes_back_no_faster_than_it_is_told(made: tuple[CutPlan, list[bool], Duck]) -> None:
    film, active, duck = made
    down = lowered(active, film, duck)
    frame_s = float(1 / film.fps)
    for early, late in itertools.pairwise(down):
        way_s = float(duck.attack_s if late > early else duck.release_s)
        if way_s:
            assert abs(late - early) <= float(duck.by_db) * frame_s / way_s + 1e-6
