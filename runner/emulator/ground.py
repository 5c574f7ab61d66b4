"""What stands below the sky: ridges fading into the air, water, woods, streets, or lights out of focus."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from runner.emulator import ridge
from runner.emulator.brush import Canvas, generator
from runner.emulator.palette import Disc, Yuv
from runner.emulator.planes import Floats
from runner.emulator.sky import Stage, bloom

BANDS = 5
DARK = 0.2  # ground darker than this is lit by windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Heights above the foot of a band of ground, in pixels, a column each: its edge, and the soil without trees."""

    edge: Floats
    soil: Floats
    houses: tuple[ridge.House, ...] = ()


class Kind(Protocol):
    """Draws one band: `depth` is 0 for the farthest, 1 for the nearest."""

    def __call__(self, draw: np.random.Generator, xs: Floats, unit: float, depth: float, /) -> Outline: ...


def hills(draw: np.random.Generator, xs: Floats, unit: float, depth: float) -> Outline:
    line = ridge.hills(draw, xs, unit * (0.5 + 0.25 * depth)) * np.float32(unit * (0.20 - 0.05 * depth))
    return Outline(edge=line, soil=line)


def peaks(draw: np.random.Generator, xs: Floats, unit: float, depth: float) -> Outline:
    line = ridge.peaks(draw, xs, unit * (0.62 - 0.2 * depth)) * np.float32(unit * (0.42 - 0.26 * depth))
    return Outline(edge=line, soil=line)


def dunes(draw: np.random.Generator, xs: Floats, unit: float, depth: float) -> Outline:
    line = ridge.dunes(draw, xs, unit * (0.5 + 0.7 * depth)) * np.float32(unit * (0.10 + 0.06 * depth))
    return Outline(edge=line, soil=line)


def forest(draw: np.random.Generator, xs: Floats, unit: float, depth: float) -> Outline:
    soil = ridge.hills(draw, xs, unit * 0.9) * np.float32(unit * 0.1)
    return Outline(edge=soil + ridge.pines(draw, xs, unit * (0.05 + 0.17 * depth)), soil=soil)


def city(draw: np.random.Generator, xs: Floats, unit: float, depth: float) -> Outline:
    line, houses = ridge.skyline(draw, xs, unit * (0.16 + 0.2 * depth), unit * (0.34 - 0.06 * depth))
    return Outline(edge=line, soil=line, houses=houses)


def shore(draw: np.random.Generator, xs: Floats, unit: float, depth: float) -> Outline:
    line = ridge.waves(draw, xs, unit * 0.33) * np.float32(unit * 0.05 * depth)
    return Outline(edge=line, soil=line)


def near_wood(draw: np.random.Generator, xs: Floats, unit: float, depth: float) -> Outline:
    soil = ridge.hills(draw, xs, unit * 1.1) * np.float32(unit * 0.07)
    return Outline(edge=soil + ridge.pines(draw, xs, unit * 0.2 * depth), soil=soil)


def _air(stage: Stage, depth: float) -> tuple[Yuv, Yuv]:
    """Edge and foot of a band of ground."""
    palette = stage.palette
    share = (0.14 + 0.80 * depth) ** (0.85 + palette.haze * 0.7)
    edge = palette.air.mixed(palette.ridge, share)
    foot = edge.mixed(palette.air, (0.15 + 0.5 * palette.haze) * (1 - 0.55 * depth))
    return edge.yuv(), foot.yuv()


def land(canvas: Canvas, stage: Stage, kind: Kind) -> None:
    """Bands of ground one before the other, from the horizon down."""
    xs = np.arange(stage.width, dtype=np.float32)
    bands = []
    for number in range(BANDS):
        depth = number / BANDS
        foot = np.float32(stage.height * (stage.horizon - 0.01 + 0.28 * depth) + stage.unit * 0.02)
        bands.append((foot, kind(generator(stage.chance, f"band.{number}"), xs, stage.unit, depth)))
    for number, (foot, outline) in enumerate(bands):
        depth = number / BANDS
        upper, lower = _air(stage, depth)
        until = None
        if number + 1 < BANDS:
            next_foot, following = bands[number + 1]
            until = float(next_foot - following.edge.min()) + 2
        canvas.band(foot - outline.edge, upper, lower, stage.unit * 0.2, until=until, soil=foot - outline.soil)
        if depth > 0.3:
            windows(canvas, stage, outline.houses, float(foot), number)
        if number == 0 or (number == 1 and stage.palette.haze > 0.4):
            bloom(canvas, stage, 0.5 - 0.2 * number)


def windows(canvas: Canvas, stage: Stage, houses: tuple[ridge.House, ...], foot: float, number: int) -> None:
    """Lit panes in a band of houses, where it is dark enough for them; larger in nearer bands."""
    if stage.palette.ridge.light >= DARK:
        return
    draw = generator(stage.chance, f"windows.{number}")
    cell = max(4, round(stage.unit * 0.007 * (1 + number * 0.35)) // 2 * 2)
    pane = np.zeros((cell * 2, cell * 2), np.float32)
    pane[cell // 2 : cell // 2 + cell, cell // 2 : cell // 2 + max(2, round(cell * 0.7))] = 1
    warm = stage.palette.disc_color.mixed(stage.palette.accent, 0.35).yuv()
    for house in houses:
        columns, rows = (house.right - house.left) // (2 * cell), int(house.height) // (2 * cell)
        if columns < 1 or rows < 1:
            continue
        lit = (draw.random((rows, columns)) < 0.24) * (0.25 + 0.55 * draw.random((rows, columns)))
        canvas.stamp(
            house.left // 2 * 2, int(foot - house.height) // 2 * 2 + 2, np.kron(lit, pane).astype(np.float32), warm
        )


def sea(canvas: Canvas, stage: Stage) -> None:
    """A cape at the horizon, water, and the light's path on it."""
    palette, unit = stage.palette, stage.unit
    xs = np.arange(stage.width, dtype=np.float32)
    horizon = round(stage.height * (stage.horizon - 0.04)) + 0.5
    cape = ridge.peaks(generator(stage.chance, "cape"), xs, unit * 0.8) * np.float32(unit * 0.11)
    upper, lower = _air(stage, 0.1)
    canvas.band(np.float32(horizon + 1) - cape, upper, lower, unit * 0.12, until=horizon + 4)
    bloom(canvas, stage, 0.35)
    near = palette.low.mixed(palette.ridge, 0.25 + 0.15 * (1 - palette.haze))
    deep = palette.ridge.mixed(palette.top, 0.35)
    canvas.band(np.full_like(xs, horizon), near.yuv(), deep.yuv(), stage.height * 0.38)
    canvas.dashes(_swell(stage, horizon), palette.low.yuv())
    if palette.disc is not Disc.NONE:
        canvas.dashes(_glitter(stage, horizon), palette.disc_color.yuv())


def _swell(stage: Stage, horizon: float) -> Floats:
    """Rows of x, y, length, thickness, strength: longer and thicker towards the viewer."""
    count = 260
    draw = generator(stage.chance, "swell").random((3, count), np.float32)
    near = draw[0] ** np.float32(1.3)
    rows = (
        draw[1] * stage.width,
        horizon + 3 + near * (stage.height - horizon),
        stage.unit * (0.05 + 0.3 * near),
        1 + near * stage.unit / 180,
        0.10 + 0.1 * draw[2],
    )
    return np.stack(rows, axis=1).astype(np.float32)


def _glitter(stage: Stage, horizon: float) -> Floats:
    """The same for the light's path, which widens towards the viewer."""
    count = 420
    draw = generator(stage.chance, "glitter").random((6, count), np.float32)
    near = draw[0] ** np.float32(1.6)
    aside = (draw[1] + draw[2] + draw[3] - np.float32(1.5)) * 2  # a bell, deviation 1
    rows = (
        stage.light_x + stage.unit * (0.03 + 0.22 * near) * aside,
        horizon + 3 + near * (stage.height - horizon),
        stage.unit * (0.02 + 0.10 * near) * (0.5 + draw[4]),
        1 + near * stage.unit / 205,
        0.55 * (1 - 0.55 * near) * (0.4 + 0.6 * draw[5]),
    )
    return np.stack(rows, axis=1).astype(np.float32)


def lights(canvas: Canvas, stage: Stage) -> None:
    """Lights out of focus before the dark, for rooms, faces and things."""
    palette = stage.palette
    dark = palette.ridge.mixed(palette.top, 0.25)
    canvas.veil(np.clip(stage.distance() * np.float32(0.55) + np.float32(0.32), 0, 0.92), dark.yuv())
    draw = generator(stage.chance, "lights").random((34, 4))
    colors = (palette.accent, palette.disc_color, palette.low, palette.accent.shifted(0, 35))
    for across, down, size, color in sorted(draw.tolist(), key=lambda row: -row[2]):
        canvas.ring(
            across * stage.width,
            down**0.85 * stage.height * 0.95,
            stage.unit * (0.025 + 0.13 * size**1.5),
            colors[int(color * len(colors))].yuv(),
            0.60 - 0.42 * size,
            0.55,
        )
