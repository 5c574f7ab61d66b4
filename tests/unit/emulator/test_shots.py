"""Where a clip is cut: time marks of its prompt, or what `shot_type` asks for; and that the clip shows it."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import media
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from renders import ORDER, frames

from runner.emulator.card import Card
from runner.emulator.chance import Chance
from runner.emulator.footage import cuts
from runner.emulator.order import Order
from runner.emulator.palette import choose
from runner.emulator.planes import Planes
from runner.emulator.renderer import render
from runner.emulator.shots import SHARE, SHORTEST_S, Nearness, Shot, shots

CHANCE = Chance.of("m", "p", 1)
SIX = replace(ORDER, seconds=6, sound=False)


def shots_of(prompt: str, **changes: object) -> tuple[Shot, ...]:
    return shots(replace(SIX, prompt=prompt, **changes), CHANCE)  # type: ignore[arg-type]


def told(found: tuple[Shot, ...]) -> list[tuple[float, str]]:
    """When each begins, in seconds, and its words."""
    return [(shot.first / SIX.fps, shot.text) for shot in found]


@pytest.mark.parametrize(
    "prompt",
    [
        "Shot 1 [0-3s] the sea Shot 2 [3-5s] the pier",
        "35mm film. Shot 1 [0s-3s]: the sea Shot 2 [3s - 5s]: the pier",
        "shot 1 (0-3 sec) the sea SHOT 2 (3-5 seconds) the pier",
        "[0-3] the sea [3-6] the pier",
        "[00:00-00:03] the sea [00:03-00:05] the pier",
        "Scene 1 [0.0–3.0s] the sea, Scene 2 [3.0–5.0s] the pier".replace("sea,", "sea"),
        "镜头1【0-3秒】the sea 镜头2【3-5秒】the pier",
    ],
)
def test_time_marks_of_a_prompt_are_cuts(prompt: str) -> None:
    assert told(shots_of(prompt)) == [(0, "the sea"), (3, "the pier")]


def test_the_last_shot_lasts_to_the_clips_end_and_what_begins_after_it_is_not_there() -> None:
    found = shots_of("[0-2s] one [2-4s] two [4-6s] three [6-8s] four")
    assert [(shot.number, shot.count, shot.frames) for shot in found] == [(1, 3, 48), (2, 3, 48), (3, 3, 48)]
    assert told(shots_of("[0-1s] one [1-2s] two")) == [(0, "one"), (1, "two")]


@pytest.mark.parametrize(
    "prompt",
    [
        "A man (40-50) and a woman (18-25) at the pier",
        "[0-3s] only one",
        "[1-2s] begins late [2-3s] and goes on",
        "[0-3s] one [1-2s] inside the other",
        "[3-0s] backwards [0-3s] forwards",
        "Shot 1 of the sea. Shot 2 of the pier.",
        "",
    ],
)
def test_other_numbers_are_no_cuts(prompt: str) -> None:
    assert told(shots_of(prompt)) == [(0, prompt)]


@given(st.lists(st.floats(0, 9, allow_nan=False), max_size=9), st.sampled_from(["", "single", "multi"]), st.text())
def test_shots_follow_without_a_gap_whatever_the_prompt(times: list[float], kind: str, words: str) -> None:
    rising = sorted(times)
    marks = "".join(f"[{a:.2f}-{b:.2f}s] {words} " for a, b in zip([0.0, *rising], rising, strict=False))
    found = shots_of(marks + words, shot_type=kind)
    assert [shot.first for shot in found] == [sum(s.frames for s in found[:n]) for n in range(len(found))]
    assert sum(shot.frames for shot in found) == SIX.frames
    assert min(shot.frames for shot in found) >= SHORTEST_S * SIX.fps
    assert [(shot.number, shot.count) for shot in found] == [(n, len(found)) for n in range(1, len(found) + 1)]
    assert kind != "single" or len(found) == 1
    assert kind != "multi" or len(found) >= 2


def test_the_shot_type_wins_over_the_wording() -> None:
    marked = "[0-3s] the sea [3-6s] the pier"
    assert told(shots_of(marked, shot_type="single")) == [(0, marked)]
    assert told(shots_of(marked, shot_type="multi")) == [(0, "the sea"), (3, "the pier")]
    sentences = "He climbs. He waits. He lights the lamp."
    assert told(shots_of(sentences)) == [(0, sentences)]
    assert told(shots_of(sentences, shot_type="multi")) == [
        (0, "He climbs."),
        (2, "He waits."),
        (4, "He lights the lamp."),
    ]
    assert told(shots_of("One sentence", shot_type="multi")) == [
        (0, "One sentence"),
        (2, "One sentence"),
        (4, "One sentence"),
    ]
    assert [shot.frames for shot in shots_of("One sentence", shot_type="multi", seconds=2)] == [24, 24]


def test_a_shot_stands_as_near_as_its_words_say_else_elsewhere_than_the_one_before() -> None:
    found = shots_of("[0-1s] wide shot [1-2s] close-up of a face [2-3s] medium shot [3-4s] the sea [4-5s] the pier")
    near = [shot.nearness for shot in found]
    assert near[:3] == [Nearness.WIDE, Nearness.CLOSE, Nearness.MEDIUM]
    assert all(one is not other for one, other in pairwise(near))
    assert shots_of("wide close")[0].nearness is None


def changes(clip: Path) -> list[float]:
    """How much of the upper half, beside the mark, is another in each frame than in the one before."""
    seen = [frame[: frame.shape[0] // 2, frame.shape[1] // 3 :].astype(int) for frame in frames(clip)]
    return [float(np.abs(a - b).mean()) for a, b in pairwise(seen)]


def order(tmp_path: Path, kind: str) -> Order:
    plain = replace(
        SIX, seconds=3, prompt="Shot 1 [0-1s] the sea at dusk Shot 2 [1-2s] close-up Shot 3 [2-3s] at night, peaks"
    )
    if kind == "picture":
        Image.radial_gradient("L").convert("RGB").resize((640, 360)).save(tmp_path / "p.png")
        return replace(plain, image=tmp_path / "p.png")
    if kind == "clips":
        one = media.clip(tmp_path / "one.mp4", 3, size=(320, 180), colour=(200, 30, 30), audio=None)
        two = media.clip(tmp_path / "two.mp4", 3, size=(320, 180), colour=(30, 30, 200), audio=None)
        return replace(plain, videos=(one, two))
    return plain


@pytest.mark.parametrize("kind", ["scene", "picture", "clips"])
def test_a_cut_is_seen_at_its_frame_and_nowhere_else(tmp_path: Path, kind: str) -> None:
    clip = tmp_path / "clip.mp4"
    render(order(tmp_path, kind), clip)
    found = changes(clip)
    assert len(found) == 71
    assert sorted(np.argsort(found)[-2:].tolist()) == [23, 47]
    rest = [change for number, change in enumerate(found) if number not in (23, 47)]
    assert min(found[23], found[47]) > 2 * max(rest)


def test_the_card_of_a_shot_says_which_it_is_and_holds_its_own_words_alone() -> None:
    whole = replace(SIX, width_px=640, height_px=360, prompt="[0-3s] wx [3-6s] yz", label="")
    found, light = shots(whole, CHANCE), choose("", CHANCE)

    def written(number: int, of: tuple[Shot, ...]) -> np.ndarray:
        y, u, v = (np.full((360 // s, 640 // s), 128, np.uint8) for s in (1, 2, 2))
        frame = Planes(y=y, u=u, v=v)
        Card(whole, light, of, number).lay(71, frame)
        return frame.y[200:]

    first, second = written(1, found), written(2, found)
    assert (first != second).any()
    assert (first == written(1, (found[0], replace(found[1], text="other words")))).all()
    assert (first != written(1, (replace(found[0], text="other words"), found[1]))).any()
    same_words = tuple(replace(shot, text="wx") for shot in found)
    assert (written(1, same_words) != written(2, same_words)).any(), "it says which shot it is"


def test_every_shot_of_a_clip_has_its_card(tmp_path: Path) -> None:
    whole = replace(order(tmp_path, "scene"), width_px=640, height_px=360)
    found = shots(whole, Chance.of(whole.model, whole.prompt, whole.seed))
    render(whole, tmp_path / "clip.mp4")
    seen = frames(tmp_path / "clip.mp4")
    for shot in found:
        y, u, v = (np.full((360 // s, 640 // s), 110, np.uint8) for s in (1, 2, 2))
        Card(whole, choose("", CHANCE), found, shot.number).lay(shot.first, Planes(y=y, u=u, v=v))
        letters = y > 200
        assert letters.sum() > 300
        assert (seen[shot.first][letters] > 150).mean() > 0.9


@pytest.mark.parametrize(("count", "clips"), [(1, 1), (1, 3), (4, 1), (4, 3)])
def test_clips_take_turns_and_are_shown_nearer_where_the_shot_is(count: int, clips: int) -> None:
    text = "".join(f"[{n}-{n + 1}s] shot {n} " for n in range(count)) if count > 1 else "one"
    found = shots_of(text)
    plan = cuts(found, CHANCE, clips=clips, fps=24)
    assert plan[0].first == 0
    assert [cut.clip for cut in plan] == [turn % clips for turn in range(len(plan))]
    if count > 1:
        assert [cut.first for cut in plan] == [shot.first for shot in found]
        assert all(cut.share <= SHARE[shot.nearness or Nearness.WIDE] for cut, shot in zip(plan, found, strict=True))
    else:
        assert len(plan) == (1 if clips == 1 else 3)
