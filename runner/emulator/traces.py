"""What an animatic leaves in its frames' pixels: whether the mark stands there, where the card lies, and in which ink."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from runner.emulator.card import CARD_COVER, MARK_COVER, Layout, mark_shapes
from runner.emulator.order import SIDES_PX, Order
from runner.emulator.planes import Bytes, Floats

Mask: TypeAlias = NDArray[np.bool_]
T = TypeVar("T", np.uint8, np.bool_)

WHITE, DARKER, ALIKE = (
    165,
    60,
    0.85,
)  # a mark's letters: so bright, by so much more than around them, so like their shapes
BAR_NOISE = 14  # how far the pixels of a card's bar may lie apart
TELLING, DARK = 1, 36  # levels: by which a veil explains an edge better than none, below which it can hardly be told
EDGE_PX = 3  # beside an edge its two sides run into each other
BAND_PX = 4  # what is looked at on each side of an edge
INKS = (18, 30), (121, 137), (119, 137)  # between which a card's own dark lies, as `card` chooses it


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A part of a frame, in its pixels."""

    x: int
    y: int
    width: int
    height: int

    def of(self, plane: NDArray[T], scale: int, room: int = 0) -> NDArray[T]:
        """This part of a plane, with `room` around it, as far as the plane goes; colour has scale 2."""
        top, left = max(0, self.y - room), max(0, self.x - room)
        bottom, right = self.y + self.height + room, self.x + self.width + room
        return plane[top // scale : bottom // scale, left // scale : right // scale]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A mark or a card: its place, how much it covers, in which ink (Y, U, V), and what on it is opaque (of the box's shape)."""

    box: Box
    cover: float
    ink: tuple[float, ...]
    opaque: Mask


def is_marked(bright: Bytes) -> bool:
    """Whether a frame of this brightness is one of an animatic, whole and in its own size."""
    stamp = _stamp(bright.shape[1], bright.shape[0])
    return stamp is not None and _is_marked(bright, stamp)


def traces(channels: Sequence[Bytes], scales: Sequence[int]) -> tuple[Trace, ...]:
    """Mark and card of a frame in Y, U and V; none where it is not an animatic's."""
    height, width = channels[0].shape
    stamp = _stamp(width, height)
    if stamp is None or not _is_marked(channels[0], stamp):
        return ()
    rows, columns = stamp.mark.shape
    pill = Box(x=stamp.margin, y=stamp.margin, width=columns, height=rows)
    full = [c.repeat(s, axis=0).repeat(s, axis=1) if s > 1 else c for c, s in zip(channels, scales, strict=True)]
    box = _card(full, stamp)
    seen = [_by_mark(c, pill) for c in full]
    if box is not None:
        # Both are of one ink: it is told best where the picture beside is plainest.
        seen = [min(one, _by_card(c, box), key=lambda ink: ink.spread) for one, c in zip(seen, full, strict=True)]
    ink = tuple(min(max(one.value, low), high) for one, (low, high) in zip(seen, INKS, strict=True))
    mark = Trace(box=pill, cover=MARK_COVER, ink=ink, opaque=(stamp.signs > 0.02) | (stamp.mark < 0.99))
    return (mark,) if box is None else (mark, Trace(box=box, cover=CARD_COVER, ink=ink, opaque=_struts(box, stamp)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamp:
    """What all cards and marks on frames of one size have in common, in pixels: `mark` the ground of the mark, `signs` what stands
    on it, both 0..1; `heights` of a card by its lines, `narrowest` and `widest` what it may be wide; the clock's place from the card's top and right."""

    margin: int
    bar: int
    line: int
    radius: float
    heights: tuple[int, ...]
    narrowest: int
    widest: int
    mark: Floats
    letters: Floats
    signs: Floats
    clock_top: int
    clock_height: int
    clock_right: int
    clock_width: int


@lru_cache(maxsize=8)
def _stamp(width_px: int, height_px: int) -> _Stamp | None:
    """None for a size that no animatic has."""
    if not all(SIDES_PX[0] <= side <= SIDES_PX[1] and side % 2 == 0 for side in (width_px, height_px)):
        return None
    layout = Layout.of(Order(model="", prompt="", width_px=width_px, height_px=height_px, seconds=1, seed=0), "", "")
    ground, letters, point = mark_shapes(layout)
    return _Stamp(
        margin=layout.margin,
        bar=layout.bar,
        line=layout.line,
        radius=layout.em * 0.32,
        heights=tuple(
            (layout.rows_y + n * layout.leading + layout.pad - (0 if n else round(layout.em * 0.5))) // 2 * 2
            + layout.line
            for n in range(5)
        ),
        narrowest=min(layout.em * 17, width_px - 2 * layout.margin) // 2 * 2,
        widest=min(width_px - 2 * layout.margin, 38 * layout.em) // 2 * 2 + 2,
        mark=ground,
        letters=letters,
        signs=np.maximum(letters, point),
        clock_top=(layout.head_y - layout.small_em) // 2 * 2,
        clock_height=layout.small_em * 2 // 2 * 2,
        clock_right=layout.pad - 2,
        clock_width=6 * layout.digit + 2 * layout.colon + 4,
    )


def _is_marked(bright: Bytes, stamp: _Stamp) -> bool:
    rows, columns = stamp.mark.shape
    seen = bright[stamp.margin : stamp.margin + rows, stamp.margin : stamp.margin + columns].astype(np.float32)
    if seen.shape != stamp.mark.shape:
        return False
    inside, letters = stamp.mark > 0.99, stamp.letters > 0.9
    written = float(seen[letters].mean())
    if written < WHITE or written - float(seen[inside & (stamp.signs < 0.02)].mean()) < DARKER:
        return False
    return float(np.corrcoef(seen[inside], stamp.letters[inside])[0, 1]) > ALIKE


def _card(full: Sequence[Bytes], stamp: _Stamp) -> Box | None:
    """Where the card lies: as high as its bar is of one colour and the picture veiled, as wide as it is veiled."""
    bottom, left = full[0].shape[0] - stamp.margin, stamp.margin + stamp.bar
    bar, round_ = slice(stamp.margin + stamp.bar // 4, left - stamp.bar // 4), round(stamp.radius)
    sure, columns = stamp.narrowest - stamp.bar, slice(left, stamp.margin + stamp.widest)
    shown: dict[int, Floats] = {}
    for height in stamp.heights:
        rows = slice(bottom - height + round_, bottom - round_ - stamp.line)
        if bottom - height < EDGE_PX + BAND_PX or max(float(channel[rows, bar].std()) for channel in full) > BAR_NOISE:
            break
        shown[height] = _veiled(full, bottom - height, columns, sure)
    if not shown:
        return None
    # The tallest that may be: in one taken for too low, letters stand where its edge is looked for.
    height = next(
        (h for h in reversed(shown) if _may_be(full[0], bottom - h, shown[h][:sure], columns.start)), min(shown)
    )
    width = stamp.bar + sure + int(np.argmax(np.concatenate(([0], np.cumsum(shown[height][sure:])))))
    y = bottom - height
    return Box(x=stamp.margin, y=y, width=_width(full, stamp, y, width), height=height)


def _may_be(bright: Bytes, y: int, veiled: Floats, left: int) -> bool:
    """Whether a veil may begin at `y`: it explains the middle column better, or in the dark it would change too little to tell."""
    above = float(np.median(bright[y - EDGE_PX - BAND_PX : y - EDGE_PX, left : left + len(veiled)]))
    return above < DARK or float(np.median(veiled)) > TELLING


def _veiled(full: Sequence[Bytes], y: int, columns: slice, sure: int) -> Floats:
    """For each column how much better a card from `y` on explains the picture there than none; it has the first `sure` ones."""
    out = np.stack([c[y - EDGE_PX - BAND_PX : y - EDGE_PX, columns].mean(axis=0) for c in full])
    within = np.stack([c[y + EDGE_PX : y + EDGE_PX + BAND_PX, columns].mean(axis=0) for c in full])
    veiled = within - (1 - CARD_COVER) * out
    ink = np.median(veiled[:, :sure], axis=1) / CARD_COVER
    low, high = np.array(INKS, np.float32).T
    veiled -= CARD_COVER * np.clip(ink, low, high)[:, None]
    better: Floats = np.abs(within - out).sum(axis=0) - np.abs(veiled).sum(axis=0)
    return better


def _width(full: Sequence[Bytes], stamp: _Stamp, y: int, near: int) -> int:
    """Near this one, that at which the picture changes most from one side to the other; even."""
    rows = slice(y + round(stamp.radius), full[0].shape[0] - stamp.margin - round(stamp.radius) - stamp.line)
    change = {}
    least, most = stamp.bar + 8 * EDGE_PX, stamp.widest
    for width in range(max(least, near - 12) // 2 * 2, min(most, near + 13) + 1, 2):
        x = stamp.margin + width
        change[width] = sum(
            float(np.abs(c[rows, x - 2].astype(np.float32) - c[rows, x + 1]).mean()) for c in full if x + 2 < c.shape[1]
        )
    return max(change, key=lambda width: change[width])


def _struts(box: Box, stamp: _Stamp) -> Mask:
    """The opaque parts of every card: bar, line, clock, and its rim, where a pixel is half within."""
    struts = np.ones((box.height, box.width), np.bool_)
    struts[EDGE_PX - 1 : -stamp.line - EDGE_PX + 1, stamp.bar + EDGE_PX - 1 : -EDGE_PX + 1] = False
    top, right = stamp.clock_top, box.width - stamp.clock_right
    struts[top : top + stamp.clock_height, right - stamp.clock_width : right] = True
    return struts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ink:
    """What one channel tells of the card's own colour, and how far its pixels disagree."""

    value: float
    spread: float


def _by_mark(channel: Bytes, pill: Box) -> _Ink:
    columns = slice(pill.x + pill.height // 2, pill.x + pill.width - pill.height // 2)
    return _ink(channel, MARK_COVER, [(pill.y, 1, columns), (pill.y + pill.height, -1, columns)])


def _by_card(channel: Bytes, box: Box) -> _Ink:
    columns = slice(box.x + 4 * EDGE_PX, box.x + box.width - 4 * EDGE_PX)
    rows = slice(box.y + 4 * EDGE_PX, box.y + box.height - 4 * EDGE_PX)
    aside = _ink(channel.T, CARD_COVER, [(box.x + box.width, -1, rows)])
    return min(aside, _ink(channel, CARD_COVER, [(box.y, 1, columns)]), key=lambda ink: ink.spread)


def _ink(channel: Bytes, cover: float, edges: Sequence[tuple[int, int, slice]]) -> _Ink:
    """By what a cover makes of the picture across its edges: a row, whether it lies below (1) or above (-1), its columns."""
    inks = []
    for row, side, columns in edges:
        within, out = (
            channel[slice(*sorted((row + s * EDGE_PX, row + s * (EDGE_PX + BAND_PX)))), columns].mean(axis=0)
            for s in (side, -side)
        )
        inks.append((within - (1 - cover) * out) / cover)
    found = np.concatenate(inks)
    middle = float(np.median(found))
    return _Ink(value=middle, spread=float(np.median(np.abs(found - middle))))
