"""What every frame says: ANIMATIC, what it stands for, and the time. A translucent card in the lower third."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image, ImageDraw

from runner.emulator.lettering import Face, clean, drawing, font, shortened, wrapped
from runner.emulator.order import Order
from runner.emulator.palette import Lch, Palette
from runner.emulator.planes import Floats, Planes
from runner.emulator.shots import Shot
from runner.emulator.veil import Overlay, Veil

MARK = "ANIMATIC"
BETWEEN = "  \u00b7  "
DIGITS = "0123456789"
SMOOTH = 4  # shapes are drawn so many times larger and reduced
PAPER = Lch(light=0.97, chroma=0.008, hue=90)
CARD_COVER, MARK_COVER, MUTED, TRACK_COVER, CUT_COVER = 0.66, 0.55, 0.68, 0.22, 0.8


class Card:
    """The mark and the card of one order, laid over frame after frame."""

    def __init__(self, order: Order, palette: Palette, shots: Sequence[Shot] = (), number: int = 1) -> None:
        """For shot `number` from 1 of `shots`, if there are several: it tells which, its own words, and where the cuts are."""
        self._frames, self._fps = order.frames, order.fps
        several = len(shots) > 1
        text = shots[number - 1].text if several else order.prompt
        layout = Layout.of(order, text, f"shot {number} of {len(shots)}" if several else "")
        veil = _ground(layout, palette, [shot.first / order.frames for shot in shots[1:]])
        self._clock = _clock(veil, layout)
        self._line = _line(veil, layout, palette)
        self._reached, self._shown = 0, ""
        self._card = _written(veil, layout).done()
        self._mark = _mark(layout, palette)

    def lay(self, number: int, frame: Planes) -> None:
        """Frame `number` from 0, in order."""
        seconds, left = divmod(number, self._fps)
        time = f"{seconds // 60:02}:{seconds % 60:02}:{left:02}"
        for place, (letter, old) in enumerate(zip(time, self._shown.ljust(len(time)), strict=True)):
            if letter != old:
                self._card.insert(self._clock[place][letter])
        self._shown = time
        end = round(self._line.width * (number + 1) / self._frames / 2) * 2
        if end > self._reached:
            self._card.insert(self._line.part(self._reached, 0, end - self._reached, self._line.height).done())
            self._reached = end
        self._mark.lay(frame)
        self._card.lay(frame)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """All places and lengths in pixels; those that touch colour are even. Places are the card's own but `x`, `y`."""

    text: Face
    small: Face
    strong: Face
    em: int
    small_em: int
    margin: int
    pad: int
    bar: int
    line: int
    x: int
    y: int
    width: int
    height: int
    head: tuple[tuple[str, Face, bool], ...]  # with its font, and whether it is bright
    head_y: int
    rows: tuple[str, ...]
    rows_y: int
    leading: int
    digit: int
    colon: int
    clock_x: int

    @classmethod
    def of(cls, order: Order, prompt: str, shot: str) -> Self:
        """From the frame's short side; as wide as its words need, with at most three lines, four on an upright frame."""
        short = min(order.width_px, order.height_px)
        em = max(15, round(short * 0.0345))
        small_em = max(11, round(em * 0.64))
        text, small, strong = font(em), font(small_em), font(small_em, bold=True)
        margin, pad = round(short * 0.05) // 2 * 2, round(em * 0.85) // 2 * 2
        bar, line = max(2, round(em * 0.16) // 2 * 2), max(2, round(short / 240) // 2 * 2)
        leading = round(em * 1.36)
        widest = min(order.width_px - 2 * margin, 38 * em) // 2 * 2
        room = widest - 2 * pad - bar
        digit = int(max(small.getlength(d) for d in DIGITS) / 2 + 1) * 2
        colon = int(small.getlength(":") / 2 + 1) * 2
        clock = 6 * digit + 2 * colon
        head = _head(order, shot, small, strong, room - clock - pad)
        rows_y = pad + round(small_em * 1.2) + round(em * 0.5)
        lines = min(3 if order.width_px > order.height_px else 4, int(order.height_px * 0.55 - rows_y - pad) // leading)
        rows = wrapped(clean(prompt), text, room, lines)
        needed = max(
            [text.getlength(row) for row in rows] + [sum(f.getlength(t) for t, f, _ in head) + clock + 2 * pad]
        )
        width = min(widest, int(max(needed, em * 17) + 2 * pad + bar) // 2 * 2 + 2)
        height = (rows_y + len(rows) * leading + pad - (0 if rows else round(em * 0.5))) // 2 * 2 + line
        return cls(
            text=text,
            small=small,
            strong=strong,
            em=em,
            small_em=small_em,
            margin=margin,
            pad=pad,
            bar=bar,
            line=line,
            x=margin,
            y=(order.height_px - margin - height) // 2 * 2,
            width=width,
            height=height,
            head=tuple(head),
            head_y=pad + round(small_em * 0.6),
            rows=tuple(rows),
            rows_y=rows_y,
            leading=leading,
            digit=digit,
            colon=colon,
            clock_x=(width - pad - clock) // 2 * 2,
        )


def _head(order: Order, shot: str, small: Face, strong: Face, room: float) -> list[tuple[str, Face, bool]]:
    """Label, shot, model and quality, as far as they fit."""
    parts: list[tuple[str, Face, bool]] = []
    if shot and room > strong.getlength(shot):
        room -= strong.getlength(f"{shot}{BETWEEN}")
    else:
        shot = ""
    label, model = clean(order.label), BETWEEN.join(filter(None, (clean(order.model), clean(order.quality))))
    if label and room > strong.getlength("label\u2026"):
        label = shortened(label, strong, room)
        parts.append((label, strong, True))
        room -= strong.getlength(label)
        model = BETWEEN + model
    if shot:
        parts.append((f"{BETWEEN}{shot}" if label and parts else shot, strong, True))
        model = model if model.startswith(BETWEEN) else BETWEEN + model
    if room > small.getlength(f"{BETWEEN}model\u2026"):
        parts.append((shortened(model, small, room), small, False))
    return parts


def _ink(palette: Palette) -> Lch:
    """The card's own dark, in the hue of the picture's ground."""
    return Lch(light=min(0.17, palette.ridge.light), chroma=min(0.035, palette.ridge.chroma), hue=palette.ridge.hue)


def _ground(layout: Layout, palette: Palette, cuts: Sequence[float]) -> Veil:
    """The card without words: its dark, the bar at its left, the track of the hairline, on it the cuts still to come."""
    shape = rounded(layout.width, layout.height, layout.em * 0.32)
    bar, track = shape.copy(), shape.copy()
    bar[:, layout.bar :] = 0
    track[: -layout.line] = 0
    track[:, : layout.bar] = 0
    veil = Veil(layout.x, layout.y, layout.width, layout.height)
    veil.paint(shape * np.float32(CARD_COVER), _ink(palette).yuv())
    veil.paint(bar, palette.accent.yuv()).paint(track * np.float32(TRACK_COVER), PAPER.yuv())
    for cut in cuts:
        at = layout.bar + round((layout.width - layout.bar) * cut / 2) * 2
        mark = np.zeros_like(shape)
        mark[-layout.line :, at - layout.line : at] = 1
        veil.paint(mark * np.float32(CUT_COVER), PAPER.yuv())
    return veil


def _line(veil: Veil, layout: Layout, palette: Palette) -> Veil:
    """The hairline of progress in its full length."""
    width = layout.width - layout.bar
    line = veil.part(layout.bar, layout.height - layout.line, width, layout.line)
    shape = rounded(layout.width, layout.height, layout.em * 0.32)
    return line.paint(shape[-layout.line :, layout.bar :], palette.accent.yuv())


def _clock(veil: Veil, layout: Layout) -> list[dict[str, Overlay]]:
    """For each place of mm:ss:ff an overlay of every letter that may stand there. The card is plain below the clock."""
    widths = dict.fromkeys(DIGITS, layout.digit) | {":": layout.colon}
    height = layout.small_em * 2 // 2 * 2
    top = (layout.head_y - layout.small_em) // 2 * 2
    shapes = {}
    for letter, width in widths.items():
        mask, pen = drawing(width, height)
        pen.text((width / 2, layout.head_y - top), letter, font=layout.small, fill=255, anchor="mm")
        shapes[letter] = (
            veil.part(layout.clock_x, top, width, height).paint(_mask(mask) * np.float32(0.9), PAPER.yuv()).done()
        )
    places = []
    x = layout.clock_x
    for place in "dd:dd:dd":
        letters = ":" if place == ":" else DIGITS
        places.append({letter: shapes[letter].moved(layout.x + x, layout.y + top) for letter in letters})
        x += widths[letters[0]]
    return places


def _written(veil: Veil, layout: Layout) -> Veil:
    bright, bright_pen = drawing(layout.width, layout.height)
    muted, muted_pen = drawing(layout.width, layout.height)
    left = float(layout.bar + layout.pad)
    at = left
    for text, face, is_bright in layout.head:
        (bright_pen if is_bright else muted_pen).text((at, layout.head_y), text, font=face, fill=255, anchor="lm")
        at += face.getlength(text)
    for number, row in enumerate(layout.rows):
        middle = layout.rows_y + (number + 0.5) * layout.leading
        bright_pen.text((left, middle), row, font=layout.text, fill=255, anchor="lm")
    return veil.paint(_mask(muted) * np.float32(MUTED), PAPER.yuv()).paint(_mask(bright), PAPER.yuv())


def _mark(layout: Layout, palette: Palette) -> Overlay:
    """The word that no frame is without, in the upper left."""
    ground, letters, point = mark_shapes(layout)
    height, width = ground.shape
    veil = Veil(layout.margin, layout.margin, width, height)
    veil.paint(ground * np.float32(MARK_COVER), _ink(palette).yuv())
    return veil.paint(letters, PAPER.yuv()).paint(point, palette.accent.yuv()).done()


def mark_shapes(layout: Layout) -> tuple[Floats, Floats, Floats]:
    """Ground, letters and point of the mark."""
    em = layout.small_em
    face = font(round(em * 1.12), bold=True)
    gap, dot, side = em * 0.22, em * 0.62, layout.pad * 0.75
    lengths = [face.getlength(letter) + gap for letter in MARK]
    first = side + dot + em * 0.55
    width, height = int(first + sum(lengths) - gap + side) // 2 * 2 + 2, int(em * 2.3) // 2 * 2
    letters, pen = drawing(width, height)
    for place, letter in enumerate(MARK):
        pen.text((first + sum(lengths[:place]), height / 2), letter, font=face, fill=255, anchor="lm")
    point, large_pen = drawing(width * SMOOTH, height * SMOOTH)
    top = (height - dot) / 2
    large_pen.ellipse([v * SMOOTH for v in (side, top, side + dot, top + dot)], fill=255)
    return rounded(width, height, height / 2), _mask(letters), _mask(point.reduce(SMOOTH))


def rounded(width: int, height: int, radius: float) -> Floats:
    """A mask of a rectangle with round corners."""
    large = Image.new("L", (width * SMOOTH, height * SMOOTH), 0)
    box = (0, 0, width * SMOOTH - 1, height * SMOOTH - 1)
    ImageDraw.Draw(large).rounded_rectangle(box, radius * SMOOTH, fill=255)
    return _mask(large.reduce(SMOOTH))


def _mask(image: Image.Image) -> Floats:
    return np.asarray(image, np.float32) * np.float32(1 / 255)
