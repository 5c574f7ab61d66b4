"""Places between pixels: a plane moved by a part of a pixel, each part computed once for a clip."""

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Whole = TypeVar("Whole", np.uint8, np.uint16)


class Phases(Generic[Whole]):
    """One plane, at places in steps of 1 / `steps` pixel; `steps` is a power of two."""

    def __init__(self, plane: NDArray[Whole], steps: int) -> None:
        self._steps = steps
        self._moved: dict[tuple[int, int], NDArray[Whole]] = {(0, 0): plane}

    def window(self, at_y: int, at_x: int, rows: int, columns: int) -> NDArray[Whole]:
        """`rows` x `columns` pixels whose corner lies `at_y`, `at_x` steps from the plane's; never to be written to."""
        y, part_y = divmod(at_y, self._steps)
        x, part_x = divmod(at_x, self._steps)
        return self._at(part_y, part_x)[y : y + rows, x : x + columns]

    def _at(self, part_y: int, part_x: int) -> NDArray[Whole]:
        found = self._moved.get((part_y, part_x))
        if found is None:
            found = self._moved[0, 0]
            found = _between(found, part_x, self._steps, axis=1)
            found = _between(found, part_y, self._steps, axis=0)
            self._moved[part_y, part_x] = found
        return found


def _between(plane: NDArray[Whole], part: int, steps: int, axis: int) -> NDArray[Whole]:
    """Each pixel mixed with the next one; the last of a line stays, and is seen only where the move ends whole."""
    if part == 0:
        return plane
    # Bytes are mixed in 16 bits, 16-bit values in 32.
    wide = np.uint16 if plane.dtype == np.uint8 else np.uint32
    low, high = (plane[:, :-1], plane[:, 1:]) if axis == 1 else (plane[:-1], plane[1:])
    mixed = low * wide(steps - part)
    mixed += high * wide(part)
    mixed += wide(steps // 2)
    mixed >>= wide(steps.bit_length() - 1)
    moved = plane.copy()
    if axis == 1:
        moved[:, :-1] = mixed
    else:
        moved[:-1] = mixed
    return moved
