"""The card that stands for a shot without a clip: what it is called, what became of it, what was asked for."""

from collections.abc import Iterator
from importlib.resources import files
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

GROUND, STRIPE, BRIGHT, DULL = (22, 24, 28), (196, 134, 44), (236, 236, 236), (150, 154, 162)
FONTS = files("runner") / "emulator" / "fonts"


def drawn(words: tuple[str, ...], width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
    """RGB, (height, width, 3). The first word is the title, the second the state, the rest text that is broken and cut to fit."""
    image = Image.new("RGB", (width_px, height_px), GROUND)
    pen = ImageDraw.Draw(image)
    unit = max(
        4, min(width_px * 9 // 16, height_px) // 24
    )  # all sizes follow the frame's; a twenty-fourth of a 16:9 one
    margin, y = 2 * unit, 3 * unit
    room = width_px - 2 * margin
    pen.rectangle((0, 0, max(2, unit // 2), height_px), STRIPE)
    sizes = ((3 * unit, "DejaVuSans-Bold.ttf", BRIGHT), (unit * 3 // 2, "DejaVuSans.ttf", STRIPE))
    for words_, (size, name, colour) in zip(words[:2], sizes, strict=False):
        y = _set(pen, words_, font(name, size), colour, (margin, y), room, lines=2) + unit // 2
    text = font("DejaVuSans.ttf", max(8, unit * 5 // 4))
    for words_ in words[2:]:
        room_below = height_px - 2 * unit - y
        y = _set(pen, words_, text, DULL, (margin, y + unit // 2), room, lines=room_below // _line_px(text)) + unit // 2
    return np.asarray(image)


Font = ImageFont.FreeTypeFont


def font(name: str, size: int) -> Font:
    """One of the fonts that come with Shotrunner, in pixels."""
    return ImageFont.truetype(BytesIO((FONTS / name).read_bytes()), size)


def _line_px(font: Font) -> int:
    return int(font.size * 1.3)


def _set(
    pen: ImageDraw.ImageDraw,
    words: str,
    font: Font,
    colour: tuple[int, int, int],
    place: tuple[int, int],
    room: int,
    *,
    lines: int,
) -> int:
    """Draw at most `lines` lines from `place` (left, top) on; the place below the last."""
    left, top = place
    fitting = list(_broken(words, font, room, lines + 1))
    if len(fitting) > lines > 0:
        fitting = [*fitting[: lines - 1], _cut(fitting[lines - 1], font, room)]
    for line in fitting[: max(0, lines)]:
        pen.text((left, top), line, colour, font=font)
        top += _line_px(font)
    return top


def _broken(words: str, font: Font, room: int, most: int) -> Iterator[str]:
    """Lines of at most `room` pixels, no more than `most`; a word wider than a line is broken where it must be."""
    line, given = "", 0
    pending = "".join(c if c.isprintable() or c.isspace() else " " for c in words).split()
    while pending and given < most:
        word = pending.pop(0)
        longer = f"{line} {word}".strip()
        if font.getlength(longer) <= room:
            line = longer
        elif line:
            yield line
            line, given, pending = "", given + 1, [word, *pending]
        else:
            fits = next((n for n in range(len(word), 0, -1) if font.getlength(word[:n]) <= room), 1)
            yield word[:fits]
            given, pending = given + 1, [word[fits:], *pending] if word[fits:] else pending
    if line and given < most:
        yield line


def shortened(line: str, font: Font, room: int) -> str:
    """The line as far as it fits into `room` pixels."""
    plain = "".join(c if c.isprintable() else " " for c in line)
    return plain if font.getlength(plain) <= room else _cut(plain, font, room)


def _cut(line: str, font: Font, room: int) -> str:
    """The line with an ellipsis, without the words, or of a single word the letters, that leave no room for one."""
    while line and font.getlength(f"{line} …") > room:
        line = line.rpartition(" ")[0] or line[:-1]
    return f"{line} …"
