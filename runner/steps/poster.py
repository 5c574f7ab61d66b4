"""A small picture of a clip, for those who look at many."""

from fractions import Fraction
from pathlib import Path

import av
import av.error

from runner.adapters.files import write_whole
from runner.adapters.signature import Unreadable, identify
from runner.adapters.streams import exact, open_probed, pictures_of

WIDE_PX, TALL_PX = 320, 320  # at most
QUALITY = 6  # of the encoder: 2 the best, 31 the worst
VERSION = 1  # of these settings, in the names of kept posters


def kept(folder: Path, sha256: str) -> Path:
    """Where the poster of a clip is kept."""
    return folder / sha256[:2] / f"{sha256}.{VERSION}.jpg"


def poster(clip: Path, target: Path) -> bytes:
    """A JPEG of a picture a third into the clip, at most 320 pixels wide or high; kept at `target` and made only once.

    Raises Unreadable, OSError.
    """
    if target.is_file():
        return target.read_bytes()
    try:
        with open_probed(clip, identify(clip)) as container:
            pictures = pictures_of(container)
            if pictures is None:
                raise Unreadable("the file holds no pictures")
            pictures.codec_context.thread_count = 1
            wanted = _third(container.duration)
            frame = next(f for f in container.decode(pictures) if f.pts is None or _at(f) >= wanted)
        jpeg = _encoded(frame)
    except (av.error.FFmpegError, StopIteration, ValueError) as fault:
        raise Unreadable("shows no picture") from fault
    write_whole(target, jpeg)
    return jpeg


def _third(duration_us: int | None) -> Fraction:
    return Fraction(duration_us or 0, 3 * av.time_base)


def _at(frame: av.VideoFrame) -> Fraction:
    return (frame.pts or 0) * exact(frame.time_base)


def _encoded(frame: av.VideoFrame) -> bytes:
    factor = min(1.0, WIDE_PX / frame.width, TALL_PX / frame.height)
    width, height = (max(2, round(side * factor / 2) * 2) for side in (frame.width, frame.height))
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuvj420p", Fraction(1)
    encoder.options = {"qmin": str(QUALITY), "qmax": str(QUALITY)}
    scaled = frame.reformat(width, height, "yuvj420p")
    scaled.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(scaled), *encoder.encode(None)))
