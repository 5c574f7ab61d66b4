"""What is made from an animatic shows its picture and no second card."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from renders import ORDER, frames

from runner.emulator import bare, palette, traces
from runner.emulator.card import Card
from runner.emulator.chance import Chance
from runner.emulator.lens import planes_of_rgb
from runner.emulator.order import Order
from runner.emulator.planes import Planes
from runner.emulator.renderer import render

SHORT = "Waves at dawn."
LONG = "Night over a black sea, the beam of the lighthouse passes over the waves; far out a small ship answers. " * 2
LEVELS = 7  # of 255, on average; a card changes its place by forty and more, and its letters by 200
SIZES = [(1280, 720), (640, 360), (832, 480), (480, 832), (960, 960), (1920, 1088)]


def land(width: int, height: int) -> np.ndarray:
    """A bright sky over dark hills with soft shapes, sRGB."""
    y, x = np.mgrid[0:height, 0:width] / height
    hills = y > 0.72 + 0.05 * np.sin(9 * x) + 0.02 * np.sin(23 * x)
    sky = np.stack([150 + 80 * y, 150 + 40 * y, 190 - 30 * y], axis=2)
    sun = np.exp(-((x - 0.9) ** 2 + (y - 0.3) ** 2) * 30)[:, :, None] * (40, 30, 0)
    ground = np.stack([60 + 30 * np.sin(12 * x), 80 + 20 * np.cos(17 * x + 5 * y), 50 + 0 * x], axis=2)
    return np.clip(np.where(hills[:, :, None], ground, sky + sun), 0, 255).astype(np.uint8)


def carded(order: Order, number: int = 20) -> tuple[Planes, Planes]:
    """A picture, and the same as a frame of this order."""
    plain = planes_of_rgb(land(order.width_px, order.height_px), order.width_px, order.height_px)
    frame = Planes(y=plain.y.copy(), u=plain.u.copy(), v=plain.v.copy())
    card = Card(order, palette.choose(order.prompt, Chance.of(order.model, order.prompt, order.seed)))
    for done in range(number):
        card.lay(done, Planes(y=plain.y.copy(), u=plain.u.copy(), v=plain.v.copy()))
    card.lay(number, frame)
    return plain, frame


def rgb(planes: Planes) -> np.ndarray:
    frame = av.VideoFrame.from_ndarray(
        np.concatenate([plane.reshape(-1, planes.width) for plane in planes]), format="yuv420p"
    )
    frame.colorspace, frame.color_range = 1, 1
    return frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("prompt", [SHORT, LONG])
@pytest.mark.parametrize("size", SIZES)
def test_what_lies_below_a_card_comes_back(size: tuple[int, int], prompt: str) -> None:
    order = replace(ORDER, width_px=size[0], height_px=size[1], prompt=prompt, seconds=2)
    plain, frame = carded(order)
    mark, card = traces.traces(list(frame), (1, 2, 2))
    found = bare.Clip().bare(frame)
    for trace in (mark, card):
        for was, now, scale in zip(plain, found, (1, 2, 2), strict=True):
            assert apart(trace.box.of(was, scale), trace.box.of(now, scale)) < LEVELS
    beside = np.ones(frame.y.shape, np.bool_)
    for trace in (mark, card):
        trace.box.of(beside, 1, 4)[...] = False
    assert (found.y[beside] == plain.y[beside]).all()


def test_a_picture_cut_out_of_a_clip_comes_back_likewise() -> None:
    plain, frame = carded(replace(ORDER, width_px=1280, height_px=720, prompt=LONG, seconds=1))
    laid = rgb(frame)
    assert bare.is_animatic(laid)
    assert apart(bare.picture(laid), rgb(plain)) < 0.15 * apart(laid, rgb(plain))
    assert not bare.is_animatic(bare.picture(laid))


def test_another_card_in_the_same_clip_is_noticed() -> None:
    one, other = (carded(replace(ORDER, width_px=1280, height_px=720, prompt=prompt)) for prompt in (SHORT, LONG))
    clip = bare.Clip()
    for plain, frame in (one, one, other, one):
        assert apart(clip.bare(frame).y, plain.y) < 1


@given(st.integers(0, 2**32 - 1), st.sampled_from([(320, 180), (1280, 720), (161, 90), (64, 48), (160, 1440)]))
def test_what_is_no_animatic_stays_as_it_is(seed: int, size: tuple[int, int]) -> None:
    chance = np.random.default_rng(seed)
    noise = chance.integers(0, 256, (size[1], size[0], 3), np.uint8)
    for picture in (noise, land(*size), np.full_like(noise, seed % 256)):
        assert bare.picture(picture) is picture


@given(st.integers(0, 2**32 - 1), st.sampled_from([(160, 160), (320, 180), (200, 300), (832, 480)]))
def test_a_forged_mark_on_anything_at_all_breaks_nothing(seed: int, size: tuple[int, int]) -> None:
    chance = np.random.default_rng(seed)
    _, frame = carded(replace(ORDER, width_px=size[0], height_px=size[1]))
    for plane in frame:
        below = plane[round(plane.shape[0] * chance.uniform(0.3, 0.9)) :]
        below[...] = chance.integers(0, 256, below.shape if seed % 2 else (1, 1), np.uint8)
    found = bare.Clip().bare(frame)
    assert found.y.shape == frame.y.shape


def last_of(clip: Path, target: Path) -> Path:
    Image.fromarray(frames(clip, "rgb24")[-1]).save(target)
    return target


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_clip_that_goes_on_from_another_begins_in_its_last_picture(seed: int, tmp_path: Path) -> None:
    order = replace(ORDER, width_px=640, height_px=360, prompt=LONG, sound=False)
    render(order, tmp_path / "one.mp4")
    still = last_of(tmp_path / "one.mp4", tmp_path / "last.png")
    on = replace(order, prompt="He stops at dusk.", seed=seed)
    render(replace(on, image=still), tmp_path / "two.mp4")
    ended = bare.picture(frames(tmp_path / "one.mp4", "rgb24")[-1])
    begun, later = (bare.picture(frames(tmp_path / "two.mp4", "rgb24")[number]) for number in (0, -1))
    assert apart(begun, ended) < 3
    assert apart(later, ended) > 2 * apart(begun, ended)  # and then it moves


def test_a_clip_made_from_another_has_one_card(tmp_path: Path) -> None:
    order = replace(ORDER, width_px=640, height_px=360, prompt=LONG, sound=False)
    render(order, tmp_path / "one.mp4")
    render(replace(order, prompt="He walks home.", videos=(tmp_path / "one.mp4",)), tmp_path / "two.mp4")
    for frame in frames(tmp_path / "two.mp4", "rgb24")[::6]:
        left = bare.picture(frame)
        assert (left[180:].max(axis=2) > 200).mean() < 0.001  # the night is dark, and letters are white
