"""Sky and light of a scene: gradient, clouds, sun or moon, stars, and the glow that they shed."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from runner.emulator.brush import SOFT, Canvas, generator, smooth_noise
from runner.emulator.chance import Chance
from runner.emulator.palette import Disc, Palette
from runner.emulator.planes import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What all painters of one plate share: its colours, its draws, its size, and where the light stands in it.

    `unit` is the short side of the frame; sizes are given in it, places in the plate's width and height.
    """

    palette: Palette
    chance: Chance
    width: int
    height: int
    unit: int
    horizon: float  # of the height; the sky has its last colour there
    light_x: float
    light_y: float
    light_radius: float

    @classmethod
    def of(cls, palette: Palette, chance: Chance, width: int, height: int, unit: int) -> Self:
        return cls(
            palette=palette,
            chance=chance,
            width=width,
            height=height,
            unit=unit,
            horizon=chance.between("horizon", 0.56, 0.66),
            light_x=width * chance.between("light.x", 0.2, 0.8),
            light_y=height * chance.between("light.y", 0.18, 0.42),
            light_radius=unit * chance.between("light.size", 0.045, 0.11),
        )

    def distance(self, squeeze: float = 1.0) -> Floats:
        """From the light, in units, in soft size; heights count `squeeze` times."""
        rows, columns = -(-self.height // SOFT), -(-self.width // SOFT)
        dy = (np.arange(rows, dtype=np.float32) * SOFT - np.float32(self.light_y)) * np.float32(squeeze / self.unit)
        dx = (np.arange(columns, dtype=np.float32) * SOFT - np.float32(self.light_x)) * np.float32(1 / self.unit)
        away: Floats = np.sqrt(dy[:, None] ** 2 + dx**2)
        return away


def sky(stage: Stage) -> Canvas:
    """A new canvas, all sky."""
    palette = stage.palette
    away = stage.distance(1.15)
    rows, columns = away.shape
    down = ((np.arange(rows) + 0.5) / rows).astype(np.float32)
    shine = np.clip(np.exp(away * -5) + np.exp(away * np.float32(-1.6)) * np.float32(0.35), 0, 1)
    shine *= np.float32({Disc.SUN: 0.75, Disc.MOON: 0.4, Disc.NONE: 0.0}[palette.disc])
    clouds = _clouds(stage, down, columns)
    lit = np.clip(shine * np.float32(1.6) + np.float32(0.25), 0, 1)
    bright = palette.disc_color.mixed(palette.low, 0.55).yuv()
    dim = palette.top.mixed(palette.low, 0.35).shifted(-0.05).yuv()
    glow = palette.disc_color.yuv()
    stops = (0.0, stage.horizon * 0.5, stage.horizon * 0.98, 1.0)
    colors = [c.yuv() for c in (palette.top, palette.middle, palette.low, palette.low)]
    fields = []
    for part in range(3):
        column = np.interp(down, stops, [c[part] for c in colors]).astype(np.float32)
        field = np.repeat(column[:, None], columns, axis=1)
        field += (np.float32(dim[part]) + np.float32(bright[part] - dim[part]) * lit - field) * clouds
        field += (np.float32(glow[part]) - field) * shine
        fields.append(field)
    canvas = Canvas(fields, stage.width, stage.height)
    if palette.stars:
        _stars(canvas, stage)
    return canvas


def _clouds(stage: Stage, down: Floats, columns: int) -> Floats:
    """How much cloud covers the sky, in soft size; long drawn layers, none at the horizon."""
    draw = generator(stage.chance, "clouds")
    aspect = stage.width / stage.unit
    total = np.zeros((len(down), columns), np.float32)
    for cells, height in ((2.2, 0.5), (4.6, 0.28), (9.5, 0.15), (21.0, 0.07)):
        total += smooth_noise(draw, len(down), columns, cells * 2.6, cells * aspect * 0.75) * np.float32(height)
    cover = stage.chance.between("clouds.cover", 0.42, 0.62)
    thick = stage.chance.between("clouds.thick", 0.25, 0.6)
    shape: Floats = np.clip((total - np.float32(cover)) * 5, 0, 1) * np.float32(thick)
    shape *= np.clip((np.float32(0.72) - down) * 4, 0, 1)[:, None]
    return shape


def _stars(canvas: Canvas, stage: Stage) -> None:
    draw = generator(stage.chance, "stars")
    count = stage.width * stage.height // 5200
    ys = (draw.random(count) ** 1.3 * (stage.height - 2) * stage.horizon).astype(np.intp)
    xs = (draw.random(count) * (stage.width - 2)).astype(np.intp)
    lights = (draw.random(count) ** 3 * 120 + 18).astype(np.float32)
    canvas.points(xs, ys, lights)
    if stage.unit >= 700:  # a single pixel would be lost
        canvas.points(xs + 1, ys, lights * np.float32(0.6))
        canvas.points(xs, ys + 1, lights * np.float32(0.6))


def disc(canvas: Canvas, stage: Stage) -> None:
    """Sun or moon."""
    palette, x, y, r = stage.palette, stage.light_x, stage.light_y, stage.light_radius
    match palette.disc:
        case Disc.SUN:
            canvas.disc(x, y, r, palette.disc_color.yuv(), 1 - palette.haze * 0.25, r * 0.06)
        case Disc.MOON:
            r *= 0.8
            canvas.disc(x, y, r, palette.disc_color.yuv(), 0.95, 1.5)
            shade = palette.disc_color.shifted(-0.09).yuv()
            for dx, dy, size in ((-0.25, -0.2, 0.22), (0.22, 0.12, 0.16), (-0.1, 0.32, 0.12), (0.3, -0.3, 0.1)):
                canvas.disc(x + dx * r, y + dy * r, size * r, shade, 0.5, r * 0.12)
        case Disc.NONE:
            pass


def bloom(canvas: Canvas, stage: Stage, strength: float) -> None:
    """The light spills over what has been painted so far."""
    power = strength * {Disc.SUN: 1.0, Disc.MOON: 0.5, Disc.NONE: 0.0}[stage.palette.disc]
    if power:
        canvas.veil(np.exp(stage.distance() * np.float32(-3.2)) * np.float32(power), stage.palette.disc_color.yuv())
