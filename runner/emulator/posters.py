"""A small still of every clip that somebody looks at, made when it is first wanted and kept beside the clip."""

import asyncio
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av

WIDE_PX, TALL_PX = 640, 480  # at most
QUALITY = 5  # of the encoder, 2 the best to 31


class Posters:
    """For one event loop; one still is made at a time, since clips want the processor more."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def of(self, clip: Path) -> Path | None:
        """The JPEG of this clip's first picture; None where the clip shows none."""
        poster = clip.with_suffix(".jpg")
        async with self._turn:
            if not poster.is_file() and not await asyncio.to_thread(_draw, clip, poster):
                return None
        return poster


def _draw(clip: Path, poster: Path) -> bool:
    part = poster.with_suffix(".part")
    try:
        with av.open(str(clip), format="mp4", container_options={"protocol_whitelist": "file"}) as file:
            video = file.streams.video[0]
            video.codec_context.thread_count = 1
            frame = next(file.decode(video))
        factor = min(1.0, WIDE_PX / frame.width, TALL_PX / frame.height)
        width, height = (max(2, round(side * factor / 2) * 2) for side in (frame.width, frame.height))
        still = av.CodecContext.create("mjpeg", "w")
        assert isinstance(still, av.VideoCodecContext)
        still.width, still.height, still.pix_fmt, still.time_base = width, height, "yuvj420p", Fraction(1)
        still.options = {"qmin": str(QUALITY), "qmax": str(QUALITY)}
        scaled = frame.reformat(width, height, "yuvj420p")
        scaled.pts = 0
        packets = [*still.encode(scaled), *still.encode(None)]
        part.write_bytes(b"".join(bytes(packet) for packet in packets))
        part.replace(poster)
    except (av.FFmpegError, OSError, IndexError, StopIteration, ValueError):
        with suppress(OSError):
            part.unlink(missing_ok=True)
        return False
    return True
