"""A sheet to paint on: smooth shapes in the notation of SVG paths, filled with flat colours and gradients.

Places and lengths are in pixels, y down; colours are `#rrggbb`; stops of a gradient go from 0 to 1.
"""

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float32]
Point = tuple[float, float]

FINE = 4  # masks are drawn so many times larger and reduced
CURVE_STEPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A closed outline, or with a `width` a stroke with round ends along it. `points` is (n, 2)."""

    points: NDArray[np.float64]
    width: float | None = None

    def moved(self, dx: float, dy: float) -> "Shape":
        return Shape(points=self.points + np.array((dx, dy)), width=self.width)

    def turned(self, degrees: float, about: Point) -> "Shape":
        """Clockwise on the sheet."""
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return Shape(points=(self.points - about) @ np.array([[c, s], [-s, c]]) + about, width=self.width)

    def scaled(self, factor: float, about: Point, factor_y: float | None = None) -> "Shape":
        factors = (factor, factor if factor_y is None else factor_y)
        width = None if self.width is None else self.width * abs(factor)
        return Shape(points=(self.points - about) * factors + about, width=width)


def shape(path: str) -> Shape:
    """From `M x y`, `L x y ...`, `Q x y x y ...`, `C x y x y x y ...`; absolute, one contour."""
    return Shape(points=np.array(_traced(path)))


def line(path: str, width: float) -> Shape:
    """A stroke along the path, with round ends."""
    return Shape(points=np.array(_traced(path)), width=width)


def ellipse(x: float, y: float, rx: float, ry: float | None = None, turn: float = 0.0) -> Shape:
    angles = np.linspace(0, 2 * math.pi, 96, endpoint=False)
    points = np.stack([x + rx * np.cos(angles), y + (rx if ry is None else ry) * np.sin(angles)], axis=1)
    return Shape(points=points).turned(turn, (x, y))


def box(left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> Shape:
    r = min(radius, (right - left) / 2, (bottom - top) / 2)
    if not r:
        return Shape(points=np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64))
    corners = (
        (right - r, top + r, -90),
        (right - r, bottom - r, 0),
        (left + r, bottom - r, 90),
        (left + r, top + r, 180),
    )
    points = [
        (x + r * math.cos(math.radians(start + step)), y + r * math.sin(math.radians(start + step)))
        for x, y, start in corners
        for step in range(0, 91, 10)
    ]
    return Shape(points=np.array(points))


def _traced(path: str) -> list[Point]:
    points: list[Point] = []
    for letter, numbers in re.findall(r"([MLQC])([^MLQCZ]*)", path):
        values = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", numbers)]
        places = list(zip(values[::2], values[1::2], strict=True))
        size = {"M": 1, "L": 1, "Q": 2, "C": 3}[letter]
        for start in range(0, len(places), size):
            points.extend(_bent([points[-1] if points else places[0], *places[start : start + size]]))
    return points


def _bent(knots: list[Point]) -> list[Point]:
    """A Bézier curve of any degree without its first point; one knot behind the first is a straight line to it."""
    if len(knots) == 2:
        return knots[1:]
    found = []
    for step in range(1, CURVE_STEPS + 1):
        u, row = step / CURVE_STEPS, knots
        while len(row) > 1:
            row = [(a[0] + (b[0] - a[0]) * u, a[1] + (b[1] - a[1]) * u) for a, b in pairwise(row)]
        found.append(row[0])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """A gradient: from `start` to `end`, or with a `radius` around `start`. Stops are (place, colour, cover), rising."""

    start: Point
    end: Point
    stops: tuple[tuple[float, str, float], ...]
    radius: Point | None = None

    def at(self, xs: Floats, ys: Floats) -> tuple[Floats, Floats]:
        """Colours (rows, columns, 3) and cover (rows, columns) at these columns and rows."""
        dx, dy = xs[None, :] - np.float32(self.start[0]), ys[:, None] - np.float32(self.start[1])
        if self.radius:
            place = np.hypot(dx / np.float32(self.radius[0]), dy / np.float32(self.radius[1]))
        else:
            ax, ay = self.end[0] - self.start[0], self.end[1] - self.start[1]
            place = (dx * np.float32(ax) + dy * np.float32(ay)) / np.float32(ax * ax + ay * ay)
        at = [s[0] for s in self.stops]
        parts = [np.interp(place, at, [rgb(s[1])[n] for s in self.stops]) for n in range(3)]
        cover = np.interp(place, at, [s[2] for s in self.stops])
        return np.stack(parts, axis=-1).astype(np.float32), cover.astype(np.float32)


Stop = tuple[float, str] | tuple[float, str, float]


def _stops(stops: tuple[Stop, ...]) -> tuple[tuple[float, str, float], ...]:
    return tuple((s[0], s[1], s[2] if len(s) == 3 else 1.0) for s in stops)


def linear(start: Point, end: Point, *stops: Stop) -> Paint:
    return Paint(start=start, end=end, stops=_stops(stops))


def down(top: float, bottom: float, *stops: Stop) -> Paint:
    return linear((0, top), (0, bottom), *stops)


def radial(x: float, y: float, radius: float, *stops: Stop, flat: float = 1.0) -> Paint:
    """Heights count 1 / `flat` times."""
    return Paint(start=(x, y), end=(x, y), radius=(radius, radius * flat), stops=_stops(stops))


def rgb(colour: str) -> tuple[float, float, float]:
    """0..255 each."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


class Sheet:
    """Opaque RGB in sRGB."""

    def __init__(self, width: int, height: int, ground: str | Paint = "#000000") -> None:
        self.width, self.height = width, height
        self.pixels = np.zeros((height, width, 3), np.float32)
        self.fill(box(0, 0, width, height), ground)

    def copy(self) -> Self:
        other = type(self).__new__(type(self))
        other.width, other.height, other.pixels = self.width, self.height, self.pixels.copy()
        return other

    def fill(
        self, form: Shape, paint: str | Paint, *, cover: float = 1.0, soft: float = 0.0, inside: Shape | None = None
    ) -> None:
        """Paint the shape; `soft` blurs its edge by so many pixels, `inside` cuts it to another shape."""
        region = self._region(form, soft)
        if region is None:
            return
        left, top, right, bottom = region
        mask = _mask(form, region, soft) * np.float32(cover)
        if inside is not None:
            mask *= _mask(inside, region, 0.0)
        xs, ys = np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32)
        if isinstance(paint, str):
            colours: Floats = np.array(rgb(paint), np.float32)
        else:
            colours, own = paint.at(xs + np.float32(0.5), ys + np.float32(0.5))
            mask *= own
        part = self.pixels[top:bottom, left:right]
        part += (colours - part) * mask[:, :, None]

    def _region(self, form: Shape, soft: float) -> tuple[int, int, int, int] | None:
        reach = 3 * soft + (form.width or 0) / 2 + 1
        left, top = (math.floor(v - reach) for v in form.points.min(axis=0))
        right, bottom = (math.ceil(v + reach) + 1 for v in form.points.max(axis=0))
        left, top, right, bottom = max(0, left), max(0, top), min(self.width, right), min(self.height, bottom)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def bytes(self) -> NDArray[np.uint8]:
        """(height, width, 3)."""
        return np.clip(np.rint(self.pixels), 0, 255).astype(np.uint8)

    def save(self, file: Path) -> None:
        Image.fromarray(self.bytes()).save(file, optimize=True)


def _mask(form: Shape, region: tuple[int, int, int, int], soft: float) -> Floats:
    """Cover 0..1 of the region's pixels. What is soft is drawn with room around it, or its edge would bend inwards."""
    room = math.ceil(3 * soft)
    left, top, right, bottom = region[0] - room, region[1] - room, region[2] + room, region[3] + room
    image = Image.new("L", ((right - left) * FINE, (bottom - top) * FINE), 0)
    pen = ImageDraw.Draw(image)
    points = [(float(x), float(y)) for x, y in (form.points - (left, top)) * FINE]
    if form.width is None:
        pen.polygon(points, fill=255)
    else:
        pen.line(points, fill=255, width=max(1, round(form.width * FINE)), joint="curve")
        r = form.width * FINE / 2
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    image = image.reduce(FINE)
    if soft:
        image = image.filter(ImageFilter.GaussianBlur(soft))
    mask = np.asarray(image, np.float32) * np.float32(1 / 255)
    return mask[room : mask.shape[0] - room, room : mask.shape[1] - room] if room else mask
