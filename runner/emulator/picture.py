"""A still picture as a plate: whatever its mode, turned as it is meant to be seen, cropped to the frame's shape."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from runner.adapters.signature import Unreadable, identify
from runner.emulator.lens import planes_of_rgb
from runner.emulator.order import BadMedia
from runner.emulator.palette import Palette
from runner.emulator.planes import Bytes, Planes

FORMATS = {"jpeg": "JPEG", "png": "PNG", "bmp": "BMP", "webp": "WEBP", "gif": "GIF"}
MOST_PIXELS = 64_000_000


def plate(path: Path, palette: Palette, width_px: int, height_px: int) -> Planes:
    """The picture filling width x height, what is too much cut off at both sides. Raises BadMedia."""
    rgb = _pixels(path, palette, width_px, height_px)
    rows, columns, _ = rgb.shape
    # The largest part of the picture in the plate's shape.
    if columns * height_px > rows * width_px:
        part = max(1, round(rows * width_px / height_px))
        left = (columns - part) // 2
        rgb = rgb[:, left : left + part]
    else:
        part = max(1, round(columns * height_px / width_px))
        top = (rows - part) * 2 // 5  # faces and skies stand above the middle
        rgb = rgb[top : top + part]
    return planes_of_rgb(rgb, width_px, height_px)


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
