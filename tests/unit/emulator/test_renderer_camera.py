"""The camera moves without stutter, and never sees past its plate."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from renders import ORDER, frames, seed_of

from runner.emulator import camera, lens
from runner.emulator.camera import Move
from runner.emulator.phases import Phases
from runner.emulator.planes import Planes
from runner.emulator.renderer import render

WIDTH, HEIGHT, FRAMES = 320, 180, 72
WAVE = 2 * np.pi / 48


def wave(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A picture that is known between its pixels too."""
    return 126 + 50 * np.sin(WAVE * x) + 50 * np.sin(WAVE * y)


def blank(width: int, height: int) -> Planes:
    y, c = np.zeros((height, width), np.uint8), np.zeros((height // 2, width // 2), np.uint8)
    return Planes(y=y, u=c.copy(), v=c.copy())


def strayed(plane: np.ndarray, x: np.ndarray, y: np.ndarray, scale: float) -> tuple[float, float]:
    """How many pixels of the frame the picture lies beside where it should: right and down."""
    slope = np.stack([(50 * WAVE * scale * np.cos(WAVE * at)).ravel() for at in (x, y)], axis=1)
    found, *_ = np.linalg.lstsq(slope, (plane - wave(x, y)).ravel(), rcond=None)
    return float(found[0]), float(found[1])


@pytest.mark.parametrize("move", Move)
def test_every_frame_lies_where_the_path_says_within_a_fraction_of_a_pixel(move: Move) -> None:
    path = camera.path(move, width_px=WIDTH, height_px=HEIGHT, frames=FRAMES, fps=24)
    luma = np.rint(wave(*np.meshgrid(np.arange(path.width_px), np.arange(path.height_px)))).astype(np.uint8)
    color = np.rint(wave(*np.meshgrid(np.arange(0, path.width_px, 2), np.arange(0, path.height_px, 2)))).astype(
        np.uint8
    )
    seen = lens.look(Planes(y=luma, u=color, v=color), path, WIDTH, HEIGHT)
    frame = blank(WIDTH, HEIGHT)
    places = []
    for number, box in enumerate(path.boxes):
        seen.see(number, frame)
        scale = box.width / WIDTH
        inner_x, inner_y = np.meshgrid(np.arange(8, WIDTH - 8), np.arange(8, HEIGHT - 8))
        x, y = box.x + (inner_x + 0.5) * scale - 0.5, box.y + (inner_y + 0.5) * scale - 0.5
        places.append(strayed(frame.y[8:-8, 8:-8], x, y, scale))
        if number % 2 == 0:  # colour of a zoom follows every other frame
            inner_x, inner_y = np.meshgrid(np.arange(8, WIDTH // 2 - 8), np.arange(8, HEIGHT // 2 - 8))
            x, y = box.x + (2 * inner_x + 1) * scale - 1, box.y + (2 * inner_y + 1) * scale - 1
            assert max(map(abs, strayed(frame.u[8:-8, 8:-8], x, y, scale))) < 0.4
    assert np.abs(places).max() < 0.2
    assert np.abs(np.diff(places, axis=0)).max() < 0.25


@pytest.mark.parametrize("move", [Move.LEFT, Move.PUSH])
def test_what_was_laid_over_a_frame_is_gone_in_the_next(move: Move) -> None:
    path = camera.path(move, width_px=WIDTH, height_px=HEIGHT, frames=FRAMES, fps=24)
    seen = lens.look(blank(path.width_px, path.height_px), path, WIDTH, HEIGHT)
    frame = blank(WIDTH, HEIGHT)
    for number in range(4):
        for plane in frame:
            plane[:] = 200
        seen.see(number, frame)
        assert all((plane == 0).all() for plane in frame)


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("size", [(1280, 720), (480, 832), (1632, 1248)])
@pytest.mark.parametrize("seconds", [1, 2, 5, 10, 15])
def test_the_camera_never_sees_past_the_plate(move: Move, size: tuple[int, int], seconds: int) -> None:
    width, height = size
    path = camera.path(move, width_px=width, height_px=height, frames=seconds * 24, fps=24)
    assert len(path.boxes) == len(path.shifts) == seconds * 24
    assert path.width_px % 2 == path.height_px % 2 == 0
    assert path.width_px * path.height_px < 1.9 * width * height
    for box, (right, down) in zip(path.boxes, path.shifts, strict=True):
        assert 0 <= box.x <= box.x + box.width <= path.width_px
        assert 0 <= box.y <= box.y + box.height <= path.height_px
        assert box.width / box.height == pytest.approx(width / height, rel=0.01)
        assert 0 <= right <= path.strip_px[0]
        assert 0 <= down <= path.strip_px[1]


@pytest.mark.parametrize("move", [m for m in Move if m not in (Move.PUSH, Move.PULL)])
def test_a_travelling_camera_is_eased_at_both_ends_and_cruises_at_whole_pixels(move: Move) -> None:
    path = camera.path(move, width_px=1280, height_px=720, frames=120, fps=24)
    steps = np.hypot(np.diff([b.x for b in path.boxes]), np.diff([b.y for b in path.boxes]))
    assert all(box.x == int(box.x) and box.y == int(box.y) for box in path.boxes[20:100])
    assert np.ptp(steps[20:99]) < 1e-9
    assert steps[0] < steps[50] / 10
    assert steps[-1] < steps[50] / 10
    assert (np.diff(steps[:20]) > -1e-9).all()


def test_a_push_nears_by_an_equal_ratio_and_a_pull_is_its_mirror() -> None:
    push = camera.path(Move.PUSH, width_px=1280, height_px=720, frames=120, fps=24)
    pull = camera.path(Move.PULL, width_px=1280, height_px=720, frames=120, fps=24)
    widths = np.array([box.width for box in push.boxes])
    ratios = widths[1:] / widths[:-1]
    assert np.ptp(ratios[20:99]) < 1e-6
    assert widths[-1] < widths[0] * 0.9
    assert [box.width for box in pull.boxes] == pytest.approx(widths[::-1].tolist())


def test_a_zooming_camera_only_enlarges() -> None:
    for move in (Move.PUSH, Move.PULL):
        path = camera.path(move, width_px=WIDTH, height_px=HEIGHT, frames=FRAMES, fps=24)
        assert all(0.8 * WIDTH < b.width < WIDTH and 0.8 * HEIGHT < b.height < HEIGHT for b in path.boxes)


def test_a_part_of_a_pixel_is_a_mix_of_both_neighbours() -> None:
    plane = np.array([[0, 100, 200], [100, 200, 100]], np.uint8)
    assert Phases(plane, 4).window(0, 1, 2, 2).tolist() == [[25, 125], [125, 175]]
    assert Phases(plane, 4).window(2, 0, 1, 3).tolist() == [[50, 150, 150]]
    assert Phases(plane, 4).window(0, 4, 2, 2).tolist() == plane[:, 1:].tolist()
    assert Phases(np.array([[0, 1]], np.uint8), 4).window(0, 2, 1, 1).tolist() == [[1]], "rounded, not cut"


@pytest.mark.parametrize("move", [Move.LEFT, Move.PUSH, Move.SINK_RIGHT])
def test_a_finished_clip_changes_steadily_from_frame_to_frame(tmp_path: Path, move: Move) -> None:
    draw = np.random.Generator(np.random.PCG64(5)).integers(0, 256, (18, 32, 3), np.uint8)
    Image.fromarray(draw).resize((640, 360), Image.Resampling.BICUBIC).save(tmp_path / "image.png")
    order = replace(ORDER, seconds=4, seed=seed_of(move), sound=False, image=tmp_path / "image.png")
    render(order, tmp_path / "clip.mp4")
    upper = [frame[30:100].astype(int) for frame in frames(tmp_path / "clip.mp4")]  # above the card
    changes = np.array([np.abs(b - a).mean() for a, b in pairwise(upper)])
    cruise = changes[20:75]
    assert cruise.min() > np.median(cruise) * 0.6
    assert cruise.max() < np.median(cruise) * 1.6
    assert changes[0] < np.median(cruise)
