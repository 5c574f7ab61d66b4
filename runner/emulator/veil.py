"""What lies over the picture: each pixel keeps a share of what is below and adds its own light.

Shares and lights are 16-bit words, so that a frame is veiled in three passes: `(below * keep + add) >> 8`.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np

from runner.emulator.palette import Yuv
from runner.emulator.phases import Phases
from runner.emulator.planes import Bytes, Floats, Planes, Words, halved


def lay(below: Bytes, keep: Words, add: Words) -> None:
    """Onto the plane itself; equal shapes."""
    mixed = np.multiply(below, keep, dtype=np.uint16)
    mixed += add
    mixed >>= np.uint16(8)
    below[...] = mixed


def words(alpha: Floats, color: Floats | float) -> tuple[Words, Words]:
    """Keep and add of a colour that covers by `alpha`, 0..1."""
    keep = (256 - np.rint(alpha * np.float32(256))).astype(np.uint16)
    add = (256 - keep) * np.asarray(color, np.float32)
    return keep, np.rint(add).astype(np.uint16)


class Veil:
    """A rectangle over the frame at even `x`, `y`; painted upwards from the picture, masks have its size (even)."""

    def __init__(self, x: int, y: int, width: int, height: int) -> None:
        self.x, self.y, self.width, self.height = x, y, width, height
        sizes = ((height, width), (height // 2, width // 2), (height // 2, width // 2))
        self._keep: list[Floats] = [np.ones(size, np.float32) for size in sizes]
        self._add: list[Floats] = [np.zeros(size, np.float32) for size in sizes]

    def paint(self, alpha: Floats, color: Yuv) -> Self:
        """Cover by `alpha`, 0..1."""
        half = halved(alpha)
        for part, cover in enumerate((alpha, half, half)):
            self._keep[part] *= 1 - cover
            self._add[part] += (np.float32(color[part]) - self._add[part]) * cover
        return self

    def part(self, x: int, y: int, width: int, height: int) -> "Veil":
        """A part of it, at even places, to be painted on its own."""
        part = Veil(self.x + x, self.y + y, width, height)
        for mine, own in ((self._keep, part._keep), (self._add, part._add)):
            for scale, source, target in zip((1, 2, 2), mine, own, strict=True):
                target[:] = source[y // scale : (y + height) // scale, x // scale : (x + width) // scale]
        return part

    def done(self) -> "Overlay":
        keep = [np.rint(k * np.float32(256)).astype(np.uint16) for k in self._keep]
        # Rounded so that the sum can never pass 16 bits: what is kept of 255, and the light.
        add = [
            np.minimum(np.rint(a * np.float32(256)), 65535 - k.astype(np.float32) * 255).astype(np.uint16)
            for a, k in zip(self._add, keep, strict=True)
        ]
        return Overlay(self.x, self.y, keep, add)


class Overlay:
    """A finished veil."""

    def __init__(self, x: int, y: int, keep: Sequence[Words], add: Sequence[Words]) -> None:
        self.x, self.y = x, y
        self._keep, self._add = keep, add

    def lay(self, frame: Planes) -> None:
        for plane, keep, add, scale in zip(frame, self._keep, self._add, (1, 2, 2), strict=True):
            rows, columns = keep.shape
            y, x = self.y // scale, self.x // scale
            lay(plane[y : y + rows, x : x + columns], keep, add)

    def insert(self, part: "Overlay") -> None:
        """Replace what lies under a smaller one; for what changes from frame to frame."""
        for mine, own in ((self._keep, part._keep), (self._add, part._add)):
            for target, source, scale in zip(mine, own, (1, 2, 2), strict=True):
                rows, columns = source.shape
                y, x = (part.y - self.y) // scale, (part.x - self.x) // scale
                target[y : y + rows, x : x + columns] = source

    def moved(self, x: int, y: int) -> "Overlay":
        """The same at another place."""
        return Overlay(x, y, self._keep, self._add)


class Foreground:
    """A strip of near ground that travels faster than the plate: an outline with sky above and solid ground below."""

    def __init__(self, strip: Planes, cover: Floats, top: int, steps: int) -> None:
        """`cover` is 0..1 for the first rows (even) of the strip, whose first row stands at `top` (even).

        `steps` is the number of places in a pixel of luma where it may stand; colour has twice as many.
        """
        self._top, self._edge, self._steps = top, cover.shape[0], steps
        self._solid = strip
        covers = cover, halved(cover), halved(cover)
        self._keep: list[Phases[np.uint16]] = []
        self._add: list[Phases[np.uint16]] = []
        for scale, alpha, plane in zip((1, 2, 2), covers, strip, strict=True):
            keep, add = words(alpha, plane[: alpha.shape[0]].astype(np.float32))
            self._keep.append(Phases(keep, steps * scale))
            self._add.append(Phases(add, steps * scale))

    def lay(self, frame: Planes, shift: tuple[float, float]) -> None:
        """`shift`: how many pixels the strip has moved to the left and up, from 0 to what the strip was made for."""
        at_x, at_y = (round(s * self._steps) for s in shift)
        for scale, plane, solid, keep, add in zip((1, 2, 2), frame, self._solid, self._keep, self._add, strict=True):
            height, width = plane.shape
            whole, part = divmod(at_y, self._steps * scale)
            first = self._top // scale - whole
            rows = min(self._edge // scale - 1, height - first)
            if rows <= 0:
                continue
            edge = plane[first : first + rows]
            lay(edge, keep.window(part, at_x, rows, width), add.window(part, at_x, rows, width))
            below, x = first + rows, at_x // (self._steps * scale)
            plane[below:] = solid[rows : rows + height - below, x : x + width]
