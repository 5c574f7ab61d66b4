"""Every frame says what it is: the mark, the card, the time. Text is shown as far as the font goes."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from renders import ORDER, frames

from runner.emulator import palette
from runner.emulator.card import Card
from runner.emulator.chance import Chance
from runner.emulator.lettering import ELLIPSIS, MISSING, clean, font, shortened, wrapped
from runner.emulator.order import Order
from runner.emulator.palette import Lch, yuv
from runner.emulator.planes import Planes
from runner.emulator.renderer import render

GREY = 110


def grey(order: Order) -> Planes:
    rows, columns = order.height_px, order.width_px
    y = np.full((rows, columns), GREY, np.uint8)
    u, v = (np.full((rows // 2, columns // 2), 128, np.uint8) for _ in "uv")
    return Planes(y=y, u=u, v=v)


def laid(order: Order, numbers: range) -> list[np.ndarray]:
    """Luma of the card's frames on plain grey."""
    card = Card(order, palette.choose(order.prompt, Chance.of(order.model, order.prompt, order.seed)))
    found = []
    for number in numbers:
        frame = grey(order)
        card.lay(number, frame)
        found.append(frame.y)
    return found


HD = replace(ORDER, width_px=1280, height_px=720, seconds=5)


def test_the_mark_stands_on_every_frame(tmp_path: Path) -> None:
    order = replace(ORDER, width_px=640, height_px=360, sound=False)
    (mark,) = (frame[18:44, 18:130] for frame in laid(order, range(1)))
    letters = mark > 200
    assert letters.sum() > 150
    render(order, tmp_path / "clip.mp4")
    for frame in frames(tmp_path / "clip.mp4"):
        assert (frame[18:44, 18:130][letters] > 150).mean() > 0.9


@pytest.mark.parametrize(
    "size", [(1280, 720), (720, 1280), (832, 480), (480, 832), (960, 960), (1920, 1080), (160, 1440)]
)
def test_the_card_stands_in_the_lower_part_and_inside_the_frame(size: tuple[int, int]) -> None:
    width, height = size
    order = replace(ORDER, width_px=width, height_px=height, prompt="A keeper climbs the stairs. " * 30)
    (frame,) = laid(order, range(1))
    rows, columns = np.nonzero(frame != GREY)
    margin = round(min(size) * 0.05) // 2 * 2
    assert rows.max() < height - margin + 1
    assert margin <= columns.min()
    assert columns.max() < width - margin
    below_mark = rows[rows > margin + max(40, 0.1 * min(size))]
    assert below_mark.min() > height * 0.42


def test_the_clock_counts_seconds_and_frames() -> None:
    found = laid(HD, range(HD.frames))
    rows, columns = slice(560, 640), slice(60, 1200)
    clocks = [frame[rows, columns] for frame in found]
    assert all(not np.array_equal(a, b) for a, b in pairwise(clocks)), "each frame has its own time"
    # Frames 0 and 24 differ in the seconds alone, 0 and 1 in the last digit alone: at different places.
    second = np.nonzero((clocks[0] != clocks[24]).any(axis=0))[0]
    frame = np.nonzero((clocks[0] != clocks[1]).any(axis=0))[0]
    assert second.max() < frame.min()


def test_the_hairline_grows_from_nothing_to_the_whole_width() -> None:
    found = laid(HD, range(HD.frames))
    line = np.nonzero((found[-1] != found[0]).any(axis=1))[0].max()  # the card's last row
    lengths = [int((frame[line] != found[0][line]).sum()) for frame in found]
    assert lengths == sorted(lengths)
    assert lengths[-1] > 0.3 * HD.width_px
    assert max(b - a for a, b in pairwise(lengths)) < 0.03 * HD.width_px


def test_label_and_model_and_prompt_change_what_is_written() -> None:
    (plain,) = laid(HD, range(1))
    for other in (
        replace(HD, label="other@dusk.1"),
        replace(HD, model="wan2.5-text-to-video"),
        replace(HD, quality="480p"),
        replace(HD, label=""),
    ):
        (frame,) = laid(other, range(1))
        assert not np.array_equal(frame, plain)


def test_text_is_one_clean_line() -> None:
    assert clean("  a\r\n\tb\u2028c\x00\x1b[31m  ") == "a b c [31m"
    assert clean("\u202eevil\u202c \u2066x\u2069\u200b\ufeff") == "evil x"
    assert clean(
        "e\u0301 \u00c5ngstr\u00f6m \u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac \u041f\u0440\u0438\u0432\u0435\u0442"
    ) == (
        "\u00e9 \u00c5ngstr\u00f6m \u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac \u041f\u0440\u0438\u0432\u0435\u0442"
    )


def test_what_the_font_lacks_is_replaced_letter_by_letter() -> None:
    assert clean("\u591c\u306e tokyo") == f"{MISSING}{MISSING} tokyo"
    assert clean("\U0001f9d1\U0001f3fd\u200d\U0001f680 go") == f"{MISSING}{MISSING} go", (
        "skin tones and joiners say nothing alone"
    )
    assert clean("\ud800\ue000\U000e0041") == MISSING * 2
    assert clean(MISSING) == MISSING


@example("000\u0656", 20, 4)
@given(st.text(max_size=300), st.integers(20, 600), st.integers(1, 4))
def test_wrapped_text_fits_its_lines_and_loses_nothing_unsaid(text: str, width: int, lines: int) -> None:
    face = font(20)
    shown = clean(text)
    rows = wrapped(shown, face, width, lines)
    assert len(rows) <= lines
    one = max(map(face.getlength, shown), default=0)  # a letter stands in a line even if it is wider
    assert all(face.getlength(row) <= max(width, one + face.getlength(ELLIPSIS)) for row in rows)
    joined = "".join(rows).replace(" ", "")
    if not joined.endswith(ELLIPSIS):
        assert joined == shown.replace(" ", "")


def test_a_cut_prefers_the_end_of_a_word() -> None:
    face = font(20)
    assert shortened("one two three", face, 500) == "one two three"
    assert shortened("one two, three", face, face.getlength("one two, thr")) == f"one two{ELLIPSIS}"
    assert shortened("x" * 100, face, 100).endswith(f"x{ELLIPSIS}")


WORDS = {
    "dawn": (20, 110),
    "the sea": (180, 300),
    "a forest": (90, 190),
    "snow": (200, 290),
    "fire": (10, 70),
    "pink blossom": (-40, 60),
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("prompt", WORDS)
def test_words_of_the_prompt_lead_the_light(prompt: str, seed: int) -> None:
    low, high = WORDS[prompt]
    found = palette.choose(prompt, Chance.of("m", prompt, seed))
    assert low <= (found.low.hue + 180) % 360 - 180 <= high or low <= found.low.hue % 360 <= high


def test_night_is_dark_and_has_stars_and_fog_hides_them() -> None:
    clear, foggy, noon = (palette.choose(p, Chance.of("m", "", 1)) for p in ("night", "night in fog", "noon"))
    assert clear.top.light < 0.3 < 0.5 < noon.top.light
    assert clear.stars
    assert not foggy.stars
    assert foggy.haze > clear.haze


def test_a_prompt_without_telling_words_is_lit_by_the_seed() -> None:
    assert len({palette.choose("zzz", Chance.of("m", "zzz", seed)).name for seed in range(40)}) >= 5


def test_colours_are_those_of_the_standards() -> None:
    assert [round(c) for c in yuv(1, 1, 1)] == [235, 128, 128]
    assert [round(c) for c in yuv(0, 0, 0)] == [16, 128, 128]
    assert [round(c) for c in yuv(1, 0, 0)] == [63, 102, 240]
    red = Lch(light=0.62796, chroma=0.25768, hue=29.234).rgb()  # sRGB red in OKLCH
    assert red == pytest.approx((1, 0, 0), abs=0.01)
