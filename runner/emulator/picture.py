"""A still picture as a plate: whatever its mode, turned as it is meant to be seen, cropped to the frame's shape.

A frame of an animatic is taken without its card: what is filmed on from it begins in the very picture.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from runner.adapters.signature import Unreadable, identify
from runner.emulator import bare
from runner.emulator.lens import planes_of_rgb
from runner.emulator.order import SIDES_PX, BadMedia
from runner.emulator.palette import Palette
from runner.emulator.planes import Bytes, Planes

FORMATS = {"jpeg": "JPEG", "png": "PNG", "bmp": "BMP", "webp": "WEBP", "gif": "GIF"}
MOST_PIXELS = 64_000_000
LARGEST = SIDES_PX[1], SIDES_PX[1]  # of an animatic


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is shown of a picture: `share` of the largest part in the plate's shape, and where that stands in the room around
    it, 0..1 from the left and from above."""

    share: float = 1.0
    x: float = 0.5
    y: float = 0.4  # faces and skies stand above the middle


WHOLE = Part()


def goes_on(path: Path, palette: Palette) -> bool:
    """Whether the picture is a frame of an animatic. Raises BadMedia."""
    return bare.is_animatic(_pixels(path, palette, *LARGEST))


def plate(
    path: Path, palette: Palette, width_px: int, height_px: int, part: Part = WHOLE, *, around_px: int = 0
) -> Planes:
    """A part of the picture filling width x height, but for `around_px` (even) on each side, where its rim goes on. Raises
    BadMedia."""
    if around_px:
        inner = plate(path, palette, width_px - 2 * around_px, height_px - 2 * around_px, part)
        y, u, v = (np.pad(p, around_px // s, "edge") for p, s in zip(inner, (1, 2, 2), strict=True))
        return Planes(y=y, u=u, v=v)
    rgb = bare.picture(_pixels(path, palette, round(width_px / part.share), round(height_px / part.share)))
    rows, columns, _ = rgb.shape
    wide = max(1, round(min(columns, rows * width_px / height_px) * part.share))
    tall = max(1, round(min(rows, columns * height_px / width_px) * part.share))
    left, top = round((columns - wide) * part.x), round((rows - tall) * part.y)
    return planes_of_rgb(np.ascontiguousarray(rgb[top : top + tall, left : left + wide]), width_px, height_px)


def _pixels(path: Path, palette: Palette, width_px: int, height_px: int) -> Bytes:
    try:
        form = FORMATS.get(identify(path))
        if form is None:
            raise BadMedia("the image is no picture")
        with Image.open(path, formats=(form,)) as picture:
            width, height = picture.size
            if not 0 < width * height <= MOST_PIXELS:
                raise BadMedia(f"the image is {width} x {height} pixels; at most {MOST_PIXELS:,} in all are decoded")
            side = max(width_px, height_px)
            picture.draft("RGB", (side, side))  # a JPEG is made smaller while it is decoded
            picture.load()
            return np.ascontiguousarray(_rgb(ImageOps.exif_transpose(picture), palette))
    except BadMedia:
        raise
    except Unreadable as error:
        raise BadMedia(f"the image cannot be used: {error.reason}") from None
    except Exception:  # noqa: BLE001  a decoder of strangers' bytes may raise anything
        raise BadMedia("the image cannot be decoded: it is damaged or cut short") from None


def _rgb(picture: Image.Image, palette: Palette) -> Bytes:
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, np.float32)
        top = 65535.0 if values.max() > 255 else 255.0
        grey = np.clip(values * (255 / top), 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, tuple(round(c * 255) for c in palette.middle.rgb()))
        return np.asarray(Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB"))
    return np.asarray(picture.convert("RGB"))
