"""A contact sheet: every take's picture with its name, in one PNG."""

import math
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw

from runner.steps.slate import BRIGHT, DULL, GROUND, font, shortened

CELL_PX, PICTURE_PX, GAP_PX, LABEL_PX = 320, 180, 16, 44
MOST_COLUMNS = 6
MOST = 2_000  # takes; a picture of more nobody can open


def contact(takes: Sequence[tuple[str, str, bytes | None]]) -> bytes:
    """The sheet as PNG: of each take its id, its status, and its poster as JPEG, None without. Equal takes give equal bytes."""
    shown = takes[:MOST]
    columns = min(MOST_COLUMNS, max(1, math.ceil(math.sqrt(len(shown)))))
    rows = max(1, math.ceil(len(shown) / columns))
    size = (columns * (CELL_PX + GAP_PX) + GAP_PX, rows * (PICTURE_PX + LABEL_PX + GAP_PX) + GAP_PX)
    sheet = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(sheet)
    bold, plain = font("DejaVuSans-Bold.ttf", 15), font("DejaVuSans.ttf", 13)
    for number, (take, status, jpeg) in enumerate(shown):
        row, column = divmod(number, columns)
        left = GAP_PX + column * (CELL_PX + GAP_PX)
        top = GAP_PX + row * (PICTURE_PX + LABEL_PX + GAP_PX)
        pen.rectangle((left, top, left + CELL_PX - 1, top + PICTURE_PX - 1), (0, 0, 0))
        if jpeg is not None:
            with Image.open(BytesIO(jpeg)) as poster:
                poster.thumbnail((CELL_PX, PICTURE_PX))
                place = (left + (CELL_PX - poster.width) // 2, top + (PICTURE_PX - poster.height) // 2)
                sheet.paste(poster, place)
        pen.text((left, top + PICTURE_PX + 4), shortened(take, bold, CELL_PX), BRIGHT, font=bold)
        pen.text((left, top + PICTURE_PX + 24), shortened(status, plain, CELL_PX), DULL, font=plain)
    file = BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()
