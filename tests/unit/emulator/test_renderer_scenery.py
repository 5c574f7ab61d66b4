"""Scenes: chosen by words and seeds, painted in every size, with ground in front that moves faster than the rest."""

from collections import Counter

import numpy as np
import pytest

from runner.emulator import camera, palette, scenery
from runner.emulator.brush import Canvas, enlarged, generator
from runner.emulator.camera import Move
from runner.emulator.chance import Chance
from runner.emulator.planes import Planes, halved
from runner.emulator.scenery import Scene
from runner.emulator.sky import Stage
from runner.emulator.veil import Foreground

CHANCE = Chance.of("m", "p", 1)


@pytest.mark.parametrize(
    ("prompt", "scene"),
    [
        ("A ship on the ocean", Scene.SEA),
        ("alpine peaks", Scene.PEAKS),
        ("Tokyo street in rain", Scene.CITY),
        ("deep in the woods", Scene.FOREST),
        ("a dune in the Sahara", Scene.DUNES),
        ("a product on a pedestal", Scene.LIGHTS),
        ("green fields", Scene.HILLS),
    ],
)
def test_words_of_the_prompt_lead_the_scene(prompt: str, scene: Scene) -> None:
    assert all(scenery.choose(prompt, Chance.of("m", prompt, seed)) is scene for seed in range(5))


def test_without_telling_words_the_seed_chooses() -> None:
    found = Counter(scenery.choose("zzz", Chance.of("m", "zzz", seed)) for seed in range(120))
    assert len(found) >= 5
    moves = Counter(camera.choose(Chance.of("m", "zzz", seed), width_px=1280, height_px=720) for seed in range(200))
    assert set(moves) == set(Move)


@pytest.mark.parametrize("scene", Scene)
@pytest.mark.parametrize("size", [(320, 180), (176, 320), (166, 166)])
@pytest.mark.parametrize("move", [Move.LEFT, Move.SINK, Move.PULL])
@pytest.mark.parametrize("prompt", ["night", "storm"])
def test_every_scene_can_be_seen_in_every_shape_light_and_move(
    scene: Scene, size: tuple[int, int], move: Move, prompt: str
) -> None:
    width, height = size
    path = camera.path(move, width_px=width, height_px=height, frames=24, fps=24)
    view = scenery.View(scene, palette.choose(prompt, CHANCE), CHANCE, path, width, height)
    frame = plain(width, height, 0)
    for number in range(24):
        frame.y[:] = 0
        view.see(number, frame)
        assert 16 <= frame.y.min() < frame.y.max() <= 235


def plain(width: int, height: int, luma: int) -> Planes:
    y = np.full((height, width), luma, np.uint8)
    u, v = (np.full((height // 2, width // 2), 128, np.uint8) for _ in "uv")
    return Planes(y=y, u=u, v=v)


def test_the_near_ground_moves_left_and_up_by_its_shift() -> None:
    rows, columns = np.mgrid[0:80, 0:120]
    cover = np.clip(rows - np.abs(columns - 60) * 0.5 + 0.5, 0, 1).astype(np.float32)[:32]
    near = Foreground(plain(120, 80, 200), cover, 40, 4)

    def seen(x: float, y: float) -> np.ndarray:
        frame = plain(100, 100, 50)
        near.lay(frame, (x, y))
        return frame.y.astype(float)

    still = seen(0, 0)
    assert (still[:40] == 50).all()
    assert (still[80:] == 200).all()
    assert still[44, 60] == 200
    assert still[44, 40] == 50
    assert np.array_equal(seen(6, 4)[10:80, 10:80], still[14:84, 16:86])
    half = seen(0.5, 0)
    assert np.abs(half[45:60, 10:80] - (still[45:60, 10:80] + still[45:60, 11:81]) / 2).max() <= 1


def test_enlarging_and_halving_keep_the_light() -> None:
    assert np.allclose(enlarged(np.full((3, 3), 0.4, np.float32), 4), 0.4)
    assert np.allclose(enlarged(np.arange(5, dtype=np.float32)[None, :], 2)[0, 1:-1], np.arange(0.25, 4, 0.5))
    assert np.allclose(halved(np.full((4, 6), 0.4, np.float32)), 0.4)


def test_ground_is_painted_below_its_ridge_alone() -> None:
    canvas = Canvas.plain((50.0, 110.0, 150.0), 64, 64)
    ridge = np.linspace(20, 40, 64, dtype=np.float32)
    canvas.band(ridge, (200.0, 130.0, 120.0), (100.0, 130.0, 120.0), 10, until=60)
    painted = canvas.finished(generator(CHANCE, "grain"), 0)
    rows = np.arange(64)[:, None]
    assert (painted.y[rows < ridge - 1] == 50).all()
    assert (painted.y[62:] == 50).all()
    assert abs(int(painted.y[22, 2]) - 186) < 8
    assert (painted.y[(rows > ridge + 11) & (rows < 60)] == 100).all()
    assert abs(int(painted.u[26, 16]) - 130) <= 1
    assert abs(int(painted.v[5, 16]) - 150) <= 1


def test_grain_is_fine_and_leaves_the_mean() -> None:
    flat = Canvas.plain((100.0, 120.0, 140.0), 256, 128).finished(generator(CHANCE, "grain"), 0.9)
    assert 0.7 < flat.y.std() < 1.2
    assert abs(flat.y.mean() - 100) < 0.1
    assert abs(flat.u.mean() - 120) < 0.1
    assert abs(flat.v.mean() - 140) < 0.1


def test_a_stage_has_its_light_in_the_sky() -> None:
    for seed in range(30):
        chance = Chance.of("m", "p", seed)
        stage = Stage.of(palette.choose("day", chance), chance, 1280, 720, 720)
        assert 0 < stage.light_x < 1280
        assert stage.light_y + stage.light_radius < stage.horizon * 720
