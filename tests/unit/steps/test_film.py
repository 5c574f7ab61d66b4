"""Which films a step makes, what they are called, and which faults are told before anything is bought."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from boards import load

from runner.core.diagnostics import Span
from runner.core.request import Request
from runner.language.pipeline import Assemble, Missing
from runner.language.storyboard import Storyboard
from runner.language.take import Layer, Setting, Transition
from runner.planning.edit import chosen
from runner.steps import film
from runner.steps.film import Film, Incomplete, Material

HEAD = """\
storyboard: 1
references: {theme: theme.mp3}
defaults: {model: m}
shots:
  - {id: a, prompt: x, title: The a, matrix: {time: [dawn, dusk]}, takes: 2}
  - {id: b, prompt: x, trim: {in: 1, out: 3}}
"""
SECONDS = {"logo.mp4": Fraction(1), "theme.mp3": Fraction(8)}


def board(cuts: str = "") -> Storyboard:
    found = load(HEAD + (f"cuts:\n{cuts}" if cuts else ""))
    assert found.diagnostics == ()
    return found


def step(cut: str | None = None, **fields: Any) -> Assemble:
    span = cast("Span", None)
    named = Setting(value=cut, span=span, layer=Layer.OVERRIDE) if cut else None
    plain = Assemble(output="x/film.mp4", cut=named, transition=None, missing=Missing.SLATE, span=span)
    return replace(plain, **fields)


def made(cuts: str, **fields: Any) -> tuple[Film, ...]:
    found = board(cuts)
    return film.films(step(**fields), found.cuts, chosen(found.takes, {}))


def requests(seconds: int = 4) -> Mapping[str, Request]:
    """Of every take of the storyboard: all that is asked of one here is how long it will be."""
    one = cast("Request", SimpleNamespace(seconds=seconds))
    return {take.id: one for take in board().takes}


def material(**fields: Any) -> Material:
    clips = {take.id: Path(f"/clips/{take.id}.mp4") for take in board().takes}
    files = {name: Path("/project") / name for name in SECONDS}
    found = Material(
        requests=requests(), clips=clips, seconds={}, words={}, files=files, file_seconds=SECONDS,
        digests={path: path.name for path in (*clips.values(), *files.values())},
    )  # fmt: skip
    return replace(found, **fields)


CUTS = "  full: {}\n  short: {order: [b], for: time}\n  each: {order: [a, b], for: time}\n"


def test_a_step_makes_the_cut_it_names_or_all_there_are_or_one_film_of_all_shots() -> None:
    assert [one.output for one in made("")] == ["x/film.mp4"]
    assert [one.output for one in made(CUTS)] == ["x/full.mp4", "x/each@dawn.mp4", "x/each@dusk.mp4"]
    assert [one.output for one in made(CUTS, cut="each")] == ["x/film@dawn.mp4", "x/film@dusk.mp4"]
    assert [one.output for one in made(CUTS, cut="full")] == ["x/film.mp4"]


def rehearsed(cuts: str, **fields: Any) -> list[tuple[str, int | None]]:
    (one,) = made(f"  one: {cuts}\n", **fields)
    return [(str(fault), fault.number) for fault in film.rehearse(one, requests(), SECONDS)]


def test_every_fault_of_a_cut_is_told_at_its_piece_before_anything_is_bought() -> None:
    assert rehearsed("{order: [a, b, logo.mp4, {black: 1}], sound: {music: theme}}") == []
    found = rehearsed("{order: [{shot: a, in: 5}, {file: logo.mp4, out: 2}, {shot: b, join: {dissolve: 3}}]}")
    assert [number for _, number in found] == [0, 1, 2, 3]
    assert "`logo.mp4` is trimmed at 2 s, but its clip is 1 s long" in found[2][0]
    ((words, number),) = rehearsed("{order: [b], sound: {voice: [{file: theme, at: b, after: 2}]}}")
    assert (words, number) == ("the voice `theme` begins at 2 s, but the film is 2 s long", None)
    assert rehearsed("{order: [gone.mp4, {shot: a, in: 9}]}") == []  # nothing is known of a file that is not here


def test_the_pipelines_transition_gives_way_to_short_pieces_at_any_rate() -> None:
    given = Transition(seconds=Decimal(3))
    (one,) = made("  one: {order: [a@dawn, logo.mp4, {black: 0.5}], video: {fps: 29.97}}\n", transition=given)
    assert list(film.rehearse(one, requests(), SECONDS)) == []
    found = film.pieces(one, material())
    assert [float(p.transition.seconds) for p in found] == [
        0,
        pytest.approx(14 * 1.001 / 30),
        pytest.approx(7 * 1.001 / 30),
    ]


def test_pieces_carry_clip_part_and_chapter() -> None:
    (one,) = made("  one: {order: [{shot: b, out: 9.9}, b, {shot: a@dusk, in: 1}, logo.mp4, {black: 2}]}\n")
    found = film.pieces(one, material(seconds={"b.1": Decimal(4)}))
    assert [(p.name, str(p.clip), p.in_s, p.out_s, p.title, p.variant) for p in found] == [
        ("b", "/clips/b.1.mp4", None, None, "b", "b"),
        ("b", "/clips/b.1.mp4", 1, 3, "b", "b"),
        ("a@dusk", "/clips/a@dusk.1.mp4", 1, None, "The a", "a@dusk"),
        ("logo.mp4", "/project/logo.mp4", None, None, "logo", ""),
        ("black", "None", None, None, "", ""),
    ]
    assert (found[-1].seconds, found[-1].slate) == (2, ())


def test_a_film_without_cuts_has_a_chapter_for_each_shot_too() -> None:
    (one,) = made("")
    clips = {name: path for name, path in material().clips.items() if name != "b.1"}
    found = film.pieces(one, material(clips=clips))
    assert [(p.clip is None, p.title, p.variant) for p in found] == [
        (False, "The a", "a@dawn"),
        (False, "The a", "a@dusk"),
        (True, "b", "b"),
    ]
    renamed = [replace(piece, title="Another") for piece in found]
    assert film.fingerprint(one, renamed, material(clips=clips)) != film.fingerprint(one, found, material(clips=clips))


def test_a_chapters_name_holds_nothing_that_is_not_seen() -> None:
    (one,) = made("")
    titles = {"a@dawn.1": "The \x1b[31msea\a", "a@dusk.1": "\u202e\x9b ", "b.1": "two\u2028lines"}
    slots = [replace(s, take=replace(s.take, title=titles[s.take.id])) for s in one.edit.slots if s.take]
    found = film.pieces(replace(one, edit=replace(one.edit, slots=tuple(slots))), material())
    assert [piece.title for piece in found] == ["The [31msea", "a@dusk", "two lines"]


def test_a_shot_without_a_clip_is_a_slate_or_stops_the_film() -> None:
    (one,) = made("  one: {order: [{shot: b, in: 1, out: 2}, a@dawn, logo.mp4]}\n")
    clips = {name: path for name, path in material().clips.items() if name != "b.1"}
    slate, *_ = film.pieces(one, material(clips=clips, words={"b.1": "failed"}))
    assert (slate.clip, slate.seconds, slate.in_s, slate.slate) == (None, 1, None, ("b", "failed", "x"))
    with pytest.raises(Incomplete) as caught:
        film.pieces(replace(one, step=step(missing=Missing.STOP)), material(clips=clips))
    assert caught.value.takes == ("b.1",)
    with pytest.raises(Incomplete):
        film.pieces(one, material(clips={}))


BASE = "{order: [a@dawn, logo.mp4], video: {fps: 25}, sound: {clips: -3, music: {file: theme, level: -9}}}"


@pytest.mark.parametrize(
    "other",
    [
        BASE.replace("a@dawn, logo.mp4", "logo.mp4, a@dawn"),
        BASE.replace("a@dawn", "{shot: a@dawn, in: 1}"),
        BASE.replace("a@dawn, logo.mp4", "a@dawn, {file: logo.mp4, join: {fade: 0.5}}"),
        BASE.replace("fps: 25", "fps: 24"),
        BASE.replace("fps: 25", "fps: 25, size: 64x64"),
        BASE.replace("fps: 25", "fps: 25, length: 3"),
        BASE.replace("-3", "-4"),
        BASE.replace("-9", "-8"),
        BASE.replace("-9", "-9, fade: {out: 1}"),
        BASE.replace("-9", "-9, loop: true"),
        BASE.replace("}}}", "}, loudness: -20}}"),
        BASE.replace("}}}", "}, voice: [{file: theme, at: 1}]}}"),
        BASE.replace("}}}", "}, duck: {by: 3, under: clips}}}"),
        BASE.replace(", sound: {clips: -3, music: {file: theme, level: -9}}", ""),
    ],
)
def test_a_film_is_made_anew_when_anything_it_is_made_from_changes(other: str) -> None:
    def print_of(cut: str, **fields: Any) -> str:
        (one,) = made(f"  one: {cut}\n")
        used = material(**fields)
        return film.fingerprint(one, film.pieces(one, used), used)

    assert print_of(BASE) == print_of(BASE)
    assert print_of(other) != print_of(BASE)
    for path in material().digests:
        if path.name in ("a@dawn.1.mp4", "logo.mp4", "theme.mp3"):
            assert print_of(BASE, digests={**material().digests, path: "other bytes"}) != print_of(BASE)
