"""Pixels as the encoder takes them: three planes, colour at half the size. Shapes are (rows, columns)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Words: TypeAlias = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """A picture in yuv420p, BT.709, limited range; sides are even, `u` and `v` have half of each."""

    y: Bytes
    u: Bytes
    v: Bytes

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    def __iter__(self) -> Iterator[Bytes]:
        return iter((self.y, self.u, self.v))


def halved(field: Floats) -> Floats:
    """Of even sides, in half of both: what four pixels of luma mean for one of colour."""
    mean: Floats = (field[::2, ::2] + field[1::2, ::2] + field[::2, 1::2] + field[1::2, 1::2]) * np.float32(0.25)
    return mean
