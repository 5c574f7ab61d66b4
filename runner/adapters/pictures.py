"""Pictures: decoded whole, measured as they are shown. Runs in the probe's child process."""

import struct
import sys
from array import array
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from runner.adapters.signature import Unreadable
from runner.core.media import Kind, MediaFacts

MAX_PIXELS = 64_000_000  # of one picture
MAX_PIXELS_ALL = 4_000_000_000  # of all pictures of one animation together
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)  # EXIF: 5 to 8 lie on their side

BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, ZeroDivisionError)
# What Pillow is known to let out of a broken file, beside its own UnidentifiedImageError (an OSError).


def look(path: Path, form: str, sha256: str, size_bytes: int) -> MediaFacts:
    """Raises Unreadable. `form` is what the first bytes say; no other decoder is tried."""
    try:
        with Image.open(path, formats=(form.upper(),)) as picture:
            width, height = picture.size
            if not 0 < width * height <= MAX_PIXELS:
                raise Unreadable(f"the picture is {width} x {height} pixels; at most {MAX_PIXELS:,} in all are decoded")
            if form == "png":
                _whole_png(path)
            frames = getattr(picture, "n_frames", 1)
            if frames * width * height > MAX_PIXELS_ALL:
                raise Unreadable(
                    f"the animation has {frames:,} pictures of {width} x {height} pixels, too many to decode"
                )
            picture.load()
            transparent = _is_transparent(picture)
            turned = _orientation(picture) in TURNED
            if form in ("gif", "webp", "png") and frames > 1:
                for number in range(1, frames):
                    picture.seek(number)
                    picture.load()
            return MediaFacts(
                kind=Kind.IMAGE,
                format=form,
                sha256=sha256,
                size_bytes=size_bytes,
                width_px=height if turned else width,
                height_px=width if turned else height,
                codec=form,
                transparent=transparent,
                animated=form in ("gif", "webp", "png") and frames > 1,
            )
    except UnidentifiedImageError:
        raise Unreadable(f"the file begins like a {form.upper()} picture, but is damaged or cut short") from None
    except Image.DecompressionBombError:
        raise Unreadable("the picture unfolds to more pixels than are decoded") from None
    except BROKEN as error:
        cut = "truncated" in str(error).lower()
        raise Unreadable(f"the {form.upper()} picture is {'cut short' if cut else 'damaged'}") from None


def _whole_png(path: Path) -> None:
    """Pillow stops at the last pixel; what `verify` reads goes on to the end mark, checksums included."""
    with Image.open(path, formats=("PNG",)) as picture:
        picture.verify()


def _is_transparent(picture: Image.Image) -> bool:
    if not picture.has_transparency_data:
        return False
    if picture.mode.startswith(
        "I;16"
    ):  # grey of 16 bits with one value declared clear, which Pillow does not turn to alpha
        greys = array("H", picture.tobytes())
        if picture.mode.endswith("B") != (sys.byteorder == "big"):
            greys.byteswap()
        return picture.info.get("transparency") in greys
    return picture.convert("RGBA").getchannel("A").getextrema() != (255, 255)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except BROKEN:  # broken EXIF does not break a picture: it is shown as it lies
        return 1
