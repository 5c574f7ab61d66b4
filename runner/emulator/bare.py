"""Frames of animatics as they were before mark and card were laid on them, for what is made from one: else card lay on card.

A card lets a third of the picture through, so what is below it can be reckoned back; where letters and lines hide it, it is
filled from beside. Nothing but the pixels is asked: they come back as a picture or clip that anybody may have cut.
"""

from collections.abc import Sequence

import numpy as np

from runner.emulator import traces
from runner.emulator.planes import Bytes, Floats, Planes
from runner.emulator.traces import Box, Mask, Trace

LUMA = 0.2126, 0.7152, 0.0722  # of red, green, blue: BT.709
LETTER = 270  # no picture below a card can be so bright
GLYPH_PX = 2  # around a letter its edge runs into the card
NEW_LETTERS = 60  # pixels of them: another card lies there than before
ROOM_PX = 16  # around a card, for what is filled from outside of it


def picture(rgb: Bytes) -> Bytes:
    """A picture (height, width, 3) without mark and card where it is a frame of an animatic, else itself."""
    if not is_animatic(rgb):
        return rgb
    channels = [np.rint(np.clip(part, 0, 255)).astype(np.uint8) for part in _to_yuv(rgb)]
    laid = [channel.copy() for channel in channels]
    for lift in _lifts(channels, (1, 1, 1)):
        lift.off(channels)
    changed = np.any([one != other for one, other in zip(channels, laid, strict=True)], axis=0)
    return np.where(changed[:, :, None], _to_rgb(channels), rgb)


def is_animatic(rgb: Bytes) -> bool:
    """Whether the picture is a frame of an animatic, whole and in its own size."""
    return traces.is_marked(rgb[:, :, 1])  # green is nearest to brightness


def _to_yuv(rgb: Bytes) -> list[Floats]:
    """BT.709, limited range: a card was laid on in these, and a third of one is none of the others."""
    red, green, blue = (rgb[:, :, part].astype(np.float32) / np.float32(255) for part in range(3))
    y = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    u, v = (blue - y) / (2 - 2 * LUMA[2]), (red - y) / (2 - 2 * LUMA[0])
    return [16 + 219 * y, 128 + 224 * u, 128 + 224 * v]


def _to_rgb(yuv: Sequence[Bytes]) -> Bytes:
    y, u, v = (
        (part.astype(np.float32) - np.float32(zero)) / np.float32(span)
        for part, zero, span in zip(yuv, (16, 128, 128), (219, 224, 224), strict=True)
    )
    red, blue = y + (2 - 2 * LUMA[0]) * v, y + (2 - 2 * LUMA[2]) * u
    green = (y - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    rgb: Bytes = np.rint(np.clip(np.stack([red, green, blue], axis=2), 0, 1) * 255).astype(np.uint8)
    return rgb


class Clip:
    """The frames of one clip, one after the other."""

    def __init__(self) -> None:
        self._lifts: list[_Lift] | None = None

    def bare(self, frame: Planes) -> Planes:
        """The frame without mark and card where the clip is an animatic, else itself."""
        if self._lifts is None or any(lift.is_other(frame.y) for lift in self._lifts):
            self._lifts = _lifts(list(frame), (1, 2, 2))
        if not self._lifts:
            return frame
        planes = [plane.copy() for plane in frame]
        for lift in self._lifts:
            lift.off(planes)
        return Planes(y=planes[0], u=planes[1], v=planes[2])


def _lifts(channels: Sequence[Bytes], scales: Sequence[int]) -> "list[_Lift]":
    return [_Lift(channels, scales, trace) for trace in traces.traces(channels, scales)]


class _Lift:
    """One card or mark, with what is written on it; taken off frames alike."""

    def __init__(self, channels: Sequence[Bytes], scales: Sequence[int], trace: Trace) -> None:
        self._box, self._scales = trace.box, scales
        steps = np.arange(256, dtype=np.float32)
        below = [(steps - np.float32(trace.cover * ink)) / np.float32(1 - trace.cover) for ink in trace.ink]
        self._tables = [np.clip(np.rint(table), 0, 255).astype(np.uint8) for table in below]
        self._letter = int(np.searchsorted(below[0], LETTER))
        self._hidden = _grown(trace.opaque | (self._box.of(channels[0], 1) >= self._letter), GLYPH_PX)
        self._fills = [_Fill(self._box, self._hidden, c.shape, s) for c, s in zip(channels, scales, strict=True)]

    def is_other(self, bright: Bytes) -> bool:
        """Whether something else is written now."""
        return int(((self._box.of(bright, 1) >= self._letter) & ~self._hidden).sum()) > NEW_LETTERS

    def off(self, channels: Sequence[Bytes]) -> None:
        for channel, scale, table, fill in zip(channels, self._scales, self._tables, self._fills, strict=True):
            part = self._box.of(channel, scale)
            part[...] = table[part]
            fill.into(self._box.of(channel, scale, ROOM_PX))


class _Fill:
    """Fills hidden pixels of a part from the nearest seen ones to their left and right, above and below."""

    def __init__(self, box: Box, hidden: Mask, shape: tuple[int, ...], scale: int) -> None:
        whole = np.zeros((shape[0] * scale, shape[1] * scale), np.bool_)
        box.of(whole, 1)[...] = hidden
        mask = box.of(whole, 1, ROOM_PX)
        if scale > 1:
            mask = mask[::2, ::2] | mask[1::2, ::2] | mask[::2, 1::2] | mask[1::2, 1::2]
        self._at = np.flatnonzero(mask)
        rows, columns = mask.shape
        number = np.arange(mask.size).reshape(mask.shape)
        down, along = np.indices(mask.shape)
        near, far = [], []
        for axis, place, length in ((0, down, rows), (1, along, columns)):
            before = np.maximum.accumulate(np.where(mask, -1, place), axis=axis)
            flipped = np.flip(np.where(mask, length, place), axis)
            behind = np.flip(np.minimum.accumulate(flipped, axis=axis), axis)
            for side, is_there in ((before, before >= 0), (behind, behind < length)):
                shown = np.where(is_there, side, place)
                index = shown * columns + along if axis == 0 else down * columns + shown
                near.append(np.where(is_there, index, number).ravel()[self._at])
                far.append(np.where(is_there, 1 / np.maximum(1, np.abs(shown - place)) ** 2, 0).ravel()[self._at])
        self._near = np.stack(near)
        weights = np.stack(far).astype(np.float32)
        self._weights: Floats = weights / np.maximum(weights.sum(axis=0), np.float32(1e-9))

    def into(self, part: Bytes) -> None:
        seen = part.reshape(-1) if part.flags.c_contiguous else part.ravel()
        filled = (seen[self._near] * self._weights).sum(axis=0)
        part[np.unravel_index(self._at, part.shape)] = np.rint(filled).astype(np.uint8)


def _grown(mask: Mask, by: int) -> Mask:
    """With all pixels up to `by` from it."""
    grown = mask.copy()
    for axis in (0, 1):
        wide = grown.copy()
        for step in range(1, by + 1):
            low = [slice(None)] * 2
            high = [slice(None)] * 2
            low[axis], high[axis] = slice(None, -step), slice(step, None)
            wide[tuple(low)] |= grown[tuple(high)]
            wide[tuple(high)] |= grown[tuple(low)]
        grown = wide
    return grown
