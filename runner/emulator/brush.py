"""Painting on a plate: soft fields, discs, bands of ground, grain. Fast enough to be done anew for every clip.

Luma is painted in full size, colour in half size, with one code for both: `_Sheet` knows its own scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from runner.emulator.chance import Chance
from runner.emulator.palette import Yuv
from runner.emulator.planes import Floats, Planes, halved

Places: TypeAlias = NDArray[np.intp]

SOFT = 4  # soft fields are computed for every fourth pixel of luma
GRAIN_PX = 512
FAINT = 0.2  # strokes weaker than this change the light alone, not the colour


def generator(chance: Chance, name: str) -> np.random.Generator:
    """A stream of draws of its own, for all that is too much for single ones."""
    return np.random.Generator(np.random.PCG64(chance.number(name)))


def smooth_noise(draw: np.random.Generator, rows: int, columns: int, cells_y: float, cells_x: float) -> Floats:
    """Value noise 0..1 with about `cells_y` x `cells_x` cells over the sheet."""
    grid = draw.random((int(cells_y) + 2, int(cells_x) + 2), np.float32)
    y0, y1, wy = _steps(rows, cells_y)
    x0, x1, wx = _steps(columns, cells_x)
    tall = grid[y0] + (grid[y1] - grid[y0]) * wy[:, None]
    left = tall[:, x0]
    field: Floats = left + (tall[:, x1] - left) * wx
    return field


def _steps(count: int, cells: float) -> tuple[Places, Places, Floats]:
    at = np.linspace(0, cells, count, endpoint=False, dtype=np.float32)
    low = at.astype(np.intp)
    part = at - low
    return low, low + 1, part * part * (3 - 2 * part)


def enlarged(field: Floats, factor: int) -> Floats:
    """Bilinear, to `factor` times as many rows and columns."""
    if factor == 1:
        return field
    rows, columns = field.shape
    rim = np.pad(field, 1, mode="edge")
    wide = np.empty((rows + 2, columns * factor), np.float32)
    for k in range(factor):
        low, part = divmod((k + 0.5) / factor + 0.5, 1)
        left, right = (rim[:, :-2], rim[:, 1:-1]) if low == 0 else (rim[:, 1:-1], rim[:, 2:])
        wide[:, k::factor] = left + (right - left) * np.float32(part)
    grown = np.empty((rows * factor, columns * factor), np.float32)
    for k in range(factor):
        low, part = divmod((k + 0.5) / factor + 0.5, 1)
        above, below = (wide[:-2], wide[1:-1]) if low == 0 else (wide[1:-1], wide[2:])
        line = grown[k::factor]
        np.subtract(below, above, out=line)
        line *= np.float32(part)
        line += above
    return grown


@lru_cache(maxsize=1024)
def _stroke(length: int) -> Floats:
    """The strength of a stroke along its length: full in the middle, nothing at the ends. Shared: not to be written to."""
    u = np.linspace(-1, 1, length, dtype=np.float32)
    strength: Floats = 1 - u * u
    return strength


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """One plane in floats; `scale` is its pixels per pixel of luma, `part` its place in a colour."""

    values: Floats
    scale: float
    part: int

    def rows(self, first: float, last: float) -> tuple[int, int]:
        count = self.values.shape[0]
        return max(0, int(first * self.scale)), min(count, int(last * self.scale) + 1)


class Canvas:
    """A plate in the making; every coordinate is in pixels of luma, from the upper left."""

    def __init__(self, soft: Sequence[Floats], width: int, height: int) -> None:
        """`soft` holds the three planes in soft size (a fourth, rounded up); it is cut to the plate's size."""
        self.width, self.height = width, height
        self._sheets = tuple(
            _Sheet(
                values=enlarged(field, SOFT if part == 0 else SOFT // 2)[
                    : height if part == 0 else height // 2, : width if part == 0 else width // 2
                ],
                scale=1.0 if part == 0 else 0.5,
                part=part,
            )
            for part, field in enumerate(soft)
        )

    @classmethod
    def plain(cls, color: Yuv, width: int, height: int) -> Self:
        rows, columns = -(-height // SOFT), -(-width // SOFT)
        return cls(tuple(np.full((rows, columns), c, np.float32) for c in color), width, height)

    def band(
        self,
        ridge: Floats,
        upper: Yuv,
        lower: Yuv,
        fade_px: float,
        *,
        until: float | None = None,
        soil: Floats | None = None,
    ) -> None:
        """Ground from the ridge (a row for each column) down to row `until`, all of it by default.

        It is shaded from `upper` to `lower` over `fade_px` below the soil, which is the ridge itself where no trees
        stand on it.
        """
        bottom = self.height if until is None else until
        soil = ridge if soil is None else soil
        for sheet in self._sheets:
            first, last = sheet.rows(float(ridge.min()) - 2, bottom)
            if first >= last:
                continue
            line, floor = (ridge, soil) if sheet.part == 0 else (ridge[::2] / 2, soil[::2] / 2)
            rows = np.arange(first, last, dtype=np.float32)[:, None]
            shade = np.clip((rows - floor) * np.float32(1 / (fade_px * sheet.scale)), 0, 1)
            depth = rows - line
            shade *= np.float32(lower[sheet.part] - upper[sheet.part])
            shade += np.float32(upper[sheet.part])
            depth += np.float32(0.5)
            np.clip(depth, 0, 1, out=depth)
            ground = sheet.values[first:last]
            shade -= ground
            shade *= depth
            ground += shade

    def disc(self, x: float, y: float, radius: float, color: Yuv, strength: float = 1.0, soft_px: float = 1.0) -> None:
        for sheet in self._sheets:
            r = radius * sheet.scale
            cut = self._cut(sheet, x, y, radius + soft_px)
            if cut is None:
                continue
            rows, columns, distance = cut
            edge = max(soft_px * sheet.scale, 1.0)
            alpha = np.clip((r - distance) * np.float32(1 / edge) + np.float32(0.5), 0, 1) * np.float32(strength)
            patch = sheet.values[rows, columns]
            patch += (np.float32(color[sheet.part]) - patch) * alpha

    def ring(self, x: float, y: float, radius: float, color: Yuv, strength: float, body: float) -> None:
        """A disc of light out of focus: a flat body and a brighter rim."""
        for sheet in self._sheets:
            cut = self._cut(sheet, x, y, radius + 2)
            if cut is None:
                continue
            rows, columns, distance = cut
            share = distance * np.float32(1 / max(radius * sheet.scale, 1.0))
            inside = np.clip((1 - share) * np.float32(radius * sheet.scale * 0.35), 0, 1)
            alpha = inside * (np.float32(body) + np.float32(1 - body) * share**4) * np.float32(strength)
            patch = sheet.values[rows, columns]
            patch += (np.float32(color[sheet.part]) - patch) * alpha

    def _cut(self, sheet: _Sheet, x: float, y: float, reach: float) -> tuple[slice, slice, Floats] | None:
        s = sheet.scale
        height, width = sheet.values.shape
        top, bottom = max(0, int((y - reach) * s) - 1), min(height, int((y + reach) * s) + 2)
        left, right = max(0, int((x - reach) * s) - 1), min(width, int((x + reach) * s) + 2)
        if top >= bottom or left >= right:
            return None
        dy = np.arange(top, bottom, dtype=np.float32) - np.float32(y * s)
        dx = np.arange(left, right, dtype=np.float32) - np.float32(x * s)
        return slice(top, bottom), slice(left, right), np.sqrt(dy[:, None] ** 2 + dx**2)

    def dashes(self, marks: Floats, color: Yuv) -> None:
        """Short level strokes as light on water makes them: rows of x, y, length, thickness, strength."""
        for x, y, length, thick, strength in marks.tolist():
            for sheet in self._sheets if strength > FAINT else self._sheets[:1]:
                s = sheet.scale
                top, left = int(y * s), int((x - length / 2) * s)
                bottom, right = top + max(1, round(thick * s)), left + max(2, int(length * s))
                if top < 0 or bottom > sheet.values.shape[0] or left < 0 or right > sheet.values.shape[1]:
                    continue
                patch = sheet.values[top:bottom, left:right]
                patch += (np.float32(color[sheet.part]) - patch) * (_stroke(right - left) * np.float32(strength))

    def stamp(self, x: int, y: int, cover: Floats, color: Yuv) -> None:
        """A mask 0..1 with its corner at even `x`, `y`; its sides are even, what lies outside is left out."""
        rows, columns = min(cover.shape[0], self.height - y), min(cover.shape[1], self.width - x)
        if x < 0 or y < 0 or rows < 2 or columns < 2:
            return
        cover = cover[:rows, :columns]
        half = halved(cover)
        for sheet, mask in zip(self._sheets, (cover, half, half), strict=True):
            top, left = int(y * sheet.scale), int(x * sheet.scale)
            patch = sheet.values[top : top + mask.shape[0], left : left + mask.shape[1]]
            patch += (np.float32(color[sheet.part]) - patch) * mask

    def points(self, xs: Places, ys: Places, lights: Floats) -> None:
        """Stars: luma alone."""
        self._sheets[0].values[ys, xs] += lights

    def veil(self, field: Floats, color: Yuv) -> None:
        """Light or mist over all: `field` in soft size, 0..1."""
        for sheet in self._sheets:
            height, width = sheet.values.shape
            alpha = enlarged(field, SOFT if sheet.part == 0 else SOFT // 2)[:height, :width]
            change = np.float32(color[sheet.part]) - sheet.values
            change *= alpha
            sheet.values[...] += change

    def finished(self, draw: np.random.Generator, grain: float) -> Planes:
        """Fine grain keeps gradients from banding; `grain` is its deviation in steps of luma."""
        noise = draw.random((GRAIN_PX, GRAIN_PX), np.float32)
        noise += np.roll(noise, (101, 67), (0, 1)) - np.float32(1)
        noise *= np.float32(grain * 2.45)  # two even draws: deviation 1 / 2.45
        for sheet in self._sheets:
            # A half, since what follows cuts; colour has less grain than light.
            tile = (noise if sheet.part == 0 else noise * np.float32(0.4)) + np.float32(0.5)
            height, width = sheet.values.shape
            for top in range(0, height, GRAIN_PX):
                for left in range(0, width, GRAIN_PX):
                    patch = sheet.values[top : top + GRAIN_PX, left : left + GRAIN_PX]
                    patch += tile[: patch.shape[0], : patch.shape[1]]
        y, u, v = (
            np.clip(sheet.values, 16, 235 if sheet.part == 0 else 240).astype(np.uint8) for sheet in self._sheets
        )
        return Planes(y=y, u=u, v=v)
