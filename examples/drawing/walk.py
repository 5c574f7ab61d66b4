"""The keeper walks along the cliff against the wind: a clip that begins again where it ends."""

import math
from collections.abc import Iterator

import numpy as np

from drawing import coast, walker
from drawing.sheet import Shape, Sheet, box, down, ellipse, line, shape
from drawing.walker import STRIDE, wave

WIDTH, HEIGHT, FPS = 640, 360, 24
STEP_FRAMES, CYCLES = 28, 3  # frames of a left and a right step; such pairs in the clip
FRAMES = STEP_FRAMES * CYCLES
HORIZON, GROUND, AT_X = 186.0, 258.0, 318.0


def frames() -> Iterator[Sheet]:
    back = _coastline()
    for number in range(FRAMES):
        turn = number / FRAMES
        sheet = back.copy()
        _glints(sheet, turn)
        _beam(sheet, turn)
        _bank(sheet, turn)
        _path(sheet, turn)
        walker.figure(sheet, (AT_X, GROUND + 6), number / STEP_FRAMES, turn)
        _blades(sheet, turn)
        yield sheet


# ---------------------------------------------------------------- the coast, which is far and stands still


def _coastline() -> Sheet:
    sheet = coast.sky(WIDTH, HEIGHT, HORIZON)
    sheet.fill(box(0, HORIZON, WIDTH, HEIGHT), down(HORIZON, HEIGHT, *coast.SEA))
    coast.headland(sheet, 96, 208, 62)
    coast.lighthouse(sheet, 108, 147, 104)
    sheet.pixels = np.ascontiguousarray(sheet.pixels[:, ::-1])  # he walks towards it
    return sheet


LAMP = WIDTH - 108.0, 147 - 0.855 * 104


def _beam(sheet: Sheet, turn: float) -> None:
    """The light goes round once: a beam grows and shrinks to either side, and shines brightest towards us."""
    across = math.cos(2 * math.pi * turn)
    reach = 560 * abs(across)
    if reach > 40:
        coast.beam(sheet, LAMP, reach, 10 + 34 * abs(across), -2 if across > 0 else 182)
    towards = max(0.0, math.sin(2 * math.pi * turn))
    coast.halo(sheet, LAMP, 60 + 130 * towards**3)


def _glints(sheet: Sheet, turn: float) -> None:
    draw = np.random.default_rng(11)
    for _ in range(150):
        depth, x, offset, bright = draw.random(4)
        y = HORIZON + 3 + 70 * depth**1.5
        half = 3 + 14 * depth
        shine = 0.5 + 0.5 * wave(turn, 2, offset)
        place = ellipse(x * WIDTH + 5 * wave(turn, 1, offset), y, half, 0.5 + 0.6 * depth)
        sheet.fill(place, "#d6d8c8" if bright > 0.5 else "#12303d", cover=(0.4 if bright > 0.5 else 0.3) * shine)


# ---------------------------------------------------------------- the ground, in layers that pass at their own speeds


def _ridge(turn: float, period: float, base: float, swings: tuple[tuple[int, float, float], ...]) -> Shape:
    """The ground's edge after it has passed by one period times `turn`; swings are (times a period, height, offset)."""
    xs = np.arange(-8, WIDTH + 12, 4, dtype=np.float64)
    at = (xs + period * turn) / period
    ys = base - sum(h * np.sin(2 * np.pi * (n * at + o)) for n, h, o in swings)
    edge = np.stack([xs, ys], axis=1)
    return Shape(points=np.vstack([edge, [(WIDTH + 12, HEIGHT + 4), (-8, HEIGHT + 4)]]))


def _passing(period: float, turn: float, count: int, seed: int) -> Iterator[tuple[float, float, float]]:
    """Things strewn along a period, wherever they are seen: place, size 0..1 and swing 0..1 of each."""
    draw = np.random.default_rng(seed)
    for place, size, swing in draw.random((count, 3)).tolist():
        x = (place - turn) % 1 * period
        while x < WIDTH + 40:
            yield x, size, swing
            x += period


def _bank(sheet: Sheet, turn: float) -> None:
    """The cliff's far side, half as fast as the path."""
    period = STRIDE * CYCLES / 2
    edge = _ridge(turn, period, GROUND - 20, ((1, 5, 0.1), (2, 2.5, 0.4), (5, 1, 0.7)))
    sheet.fill(edge, down(GROUND - 32, GROUND + 16, (0, "#4a6a52"), (0.5, "#35534a"), (1, "#223c3c")))
    for x, size, swing in _passing(period, turn, 40, 3):
        bend = 2.5 + 2 * wave(turn, 3, swing)
        y = GROUND - 20 + 12 * size
        sheet.fill(
            line(f"M {x:.2f} {y:.2f} Q {x - 1:.2f} {y - 5:.2f} {x - bend:.2f} {y - 8:.2f}", 1.1), "#6b8a63", cover=0.7
        )


def _path(sheet: Sheet, turn: float) -> None:
    period = STRIDE * CYCLES
    edge = _ridge(turn, period, GROUND - 4, ((2, 1.6, 0.3), (5, 0.8, 0.1)))
    sheet.fill(edge, down(GROUND - 8, HEIGHT, (0, "#5c7450"), (0.2, "#3f5b47"), (1, "#152a2c")))
    trodden = _ridge(turn, period, GROUND + 1, ((3, 0.8, 0.2), (7, 0.5, 0.5)))
    trodden = Shape(points=np.vstack([trodden.points[:-2], trodden.points[-3::-1] + np.array((0, 13))]))
    sheet.fill(trodden, down(GROUND, GROUND + 16, (0, "#b59a6b"), (1, "#7d6a4c")), soft=1.2)
    for x, size, swing in _passing(period, turn, 16, 4):
        sheet.fill(ellipse(x, GROUND + 4 + 9 * swing, 1.5 + 2.5 * size, 1 + 1.2 * size), "#6a5a44", cover=0.8)
    for x, size, swing in _passing(period, turn, 140, 5):
        y, tall = GROUND + 17 + 74 * swing**1.3, 5 + 8 * size + 9 * swing
        bend = tall * (0.5 + 0.25 * wave(turn, 3, size + swing))
        blade = line(f"M {x:.2f} {y:.2f} Q {x:.2f} {y - tall * 0.6:.2f} {x - bend:.2f} {y - tall:.2f}", 1.6)
        sheet.fill(blade, ("#6f8c58", "#55744f", "#89a065")[int(size * 2.99)], cover=0.9 - 0.45 * swing)
        if size > 0.86:
            sheet.fill(ellipse(x - bend, y - tall, 2.6), ("#f3e6c8", "#e7b7a0")[int(swing * 1.99)], cover=0.95)


def _blades(sheet: Sheet, turn: float) -> None:
    """Grass close to the eye, out of focus, twice as fast as the path."""
    for x, size, swing in _passing(STRIDE * CYCLES * 2, turn, 26, 6):
        tall = 34 + 48 * size
        bend = tall * (0.45 + 0.16 * wave(turn, 3, swing))
        path = (
            f"M {x - 5:.2f} {HEIGHT + 6} Q {x - 2:.2f} {HEIGHT - tall * 0.6:.2f} {x - bend:.2f} {HEIGHT - tall:.2f}"
            f" Q {x + 4:.2f} {HEIGHT - tall * 0.5:.2f} {x + 5:.2f} {HEIGHT + 6}"
        )
        sheet.fill(shape(path), "#0d1f22", cover=0.9, soft=1.6)
