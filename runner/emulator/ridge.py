"""Outlines of ground against sky: the height of the edge, in rows from above, for every column."""

from dataclasses import dataclass

import numpy as np

from runner.emulator.planes import Floats


def noise(draw: np.random.Generator, xs: Floats, cell_px: float) -> Floats:
    """Smooth noise 0..1 along a line."""
    at = xs / np.float32(cell_px)
    low = at.astype(np.intp)
    part = at - low
    grid = draw.random(int(low[-1]) + 2, np.float32)
    line: Floats = grid[low] + (grid[low + 1] - grid[low]) * part * part * (3 - 2 * part)
    return line


def hills(draw: np.random.Generator, xs: Floats, size_px: float) -> Floats:
    """0..1, rolling."""
    line = np.zeros_like(xs)
    for cell, height in ((1.0, 0.72), (0.37, 0.23), (0.13, 0.05)):
        line += noise(draw, xs, size_px * cell) * np.float32(height)
    return line


def peaks(draw: np.random.Generator, xs: Floats, size_px: float) -> Floats:
    """0..1, seldom more: summits with straight flanks, broken smaller and smaller."""
    line = np.zeros_like(xs)
    for cell, height in ((1.0, 0.60), (0.43, 0.24), (0.19, 0.11), (0.08, 0.05)):
        at = xs / np.float32(size_px * cell) + np.float32(draw.random())
        low = at.astype(np.intp)
        corners = draw.random(int(low[-1]) + 2, np.float32)  # straight from corner to corner, unlike smooth noise
        line += (corners[low] + (corners[low + 1] - corners[low]) * (at - low)) * np.float32(height)
    return line * line * np.float32(1.3)


def dunes(draw: np.random.Generator, xs: Floats, size_px: float) -> Floats:
    """0..1: long windward slopes, short steep lee sides."""
    bent = xs + noise(draw, xs, size_px * 1.3) * np.float32(size_px * 0.5)
    phase = (bent / np.float32(size_px)) % 1
    rise = np.where(phase < 0.72, phase / 0.72, (1 - phase) / 0.28).astype(np.float32)
    rise = rise * rise * (3 - 2 * rise)
    line: Floats = rise * (np.float32(0.5) + np.float32(0.5) * noise(draw, xs, size_px * 0.8))
    return line


def waves(draw: np.random.Generator, xs: Floats, size_px: float) -> Floats:
    """0..1: a swell with narrow crests."""
    bent = xs + noise(draw, xs, size_px * 1.7) * np.float32(size_px * 0.9)
    swell = 1 - np.abs(np.sin(bent * np.float32(np.pi / size_px)))
    chop = 1 - np.abs(np.sin(bent * np.float32(np.pi * 2.7 / size_px) + np.float32(draw.random() * 6)))
    crest = swell**1.5 * np.float32(0.75) + chop * np.float32(0.25)
    line: Floats = crest * (np.float32(0.4) + np.float32(0.6) * noise(draw, xs, size_px * 2.1))
    return line


TREE_POINTS, BRANCHES = 512, 7


def _tree() -> Floats:
    """Half a tree from its top outwards: heights 1..0, in steps as branches make them."""
    rise = (1 - np.arange(TREE_POINTS + 1, dtype=np.float64) / TREE_POINTS) * BRANCHES
    whole = np.floor(rise)
    line: Floats = ((whole + 0.9 * (rise - whole) ** 0.45) / BRANCHES).astype(np.float32)
    return line


TREE = _tree()


def pines(draw: np.random.Generator, xs: Floats, size_px: float) -> Floats:
    """Heights in pixels of a wood of pointed trees, the tallest about `size_px`; to be added to a hill."""
    width = len(xs)
    wood = np.zeros(width, np.float32)
    x = -size_px * 0.2
    while x < width + size_px * 0.2:
        tall = size_px * (0.35 + 0.65 * draw.random() ** 1.4)
        half = tall * (0.16 + 0.06 * draw.random())
        left, right = max(0, int(x - half)), min(width, int(x + half) + 1)
        if left < right:
            off = np.abs(np.arange(left, right, dtype=np.float32) - np.float32(x)) * np.float32(TREE_POINTS / half)
            outline = TREE[np.minimum(off.astype(np.intp), TREE_POINTS)] * np.float32(tall)
            wood[left:right] = np.maximum(wood[left:right], outline)
        x += half * (0.55 + 0.9 * draw.random())
    return wood


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """From column `left` up to, not including, `right`; `height` in pixels."""

    left: int
    right: int
    height: float


def skyline(draw: np.random.Generator, xs: Floats, wide_px: float, tall_px: float) -> tuple[Floats, tuple[House, ...]]:
    """Houses and towers, in pixels of height."""
    width = len(xs)
    line = np.zeros(width, np.float32)
    houses = []
    x = 0
    while x < width:
        wide = max(4, int(wide_px * (0.16 + 0.3 * draw.random())))
        tall = 0.18 + 0.5 * draw.random() + (0.32 * draw.random() if draw.random() < 0.22 else 0)
        line[x : x + wide] = tall * tall_px
        houses.append(House(left=x, right=min(width, x + wide), height=tall * tall_px))
        if tall > 0.62 and draw.random() < 0.6:
            mast = x + wide // 2
            line[mast : mast + max(2, int(wide_px * 0.012))] = min(1.0, tall + 0.16) * tall_px
        x += wide + (int(wide_px * 0.06 * draw.random()) if draw.random() < 0.3 else 0)
    return line, tuple(houses)
