"""Pictures and sound become files: H.264 with AAC, and MP3, without time, path or library name in them."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from drawing.sheet import Sheet
from drawing.weather import RATE, Sound

BT709 = 1
BITEXACT = {"fflags": "+bitexact"}


def clip(file: Path, frames: Iterable[Sheet], size_px: tuple[int, int], fps: int, sound: Sound) -> None:
    """An MP4 of all frames; the sound is as long as they are."""
    with av.open(str(file), "w", format="mp4", options=BITEXACT | {"movflags": "+faststart"}) as container:
        video = container.add_stream(
            "libx264", rate=fps, options={"preset": "veryslow", "crf": "25", "tune": "animation"}
        )
        (video.width, video.height), video.pix_fmt = size_px, "yuv420p"
        context = video.codec_context
        context.thread_count, context.color_range = 1, BT709
        context.colorspace = context.color_primaries = context.color_trc = BT709
        audio = container.add_stream("aac", rate=RATE, layout="stereo", options={"b": "80k", "flags": "+bitexact"})
        for number, sheet in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(sheet.bytes(), format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        container.mux(audio.encode(_heard(sound, "fltp")))
        container.mux(audio.encode(None))


def mp3(file: Path, sound: Sound, kilobits: int) -> None:
    with av.open(
        str(file), "w", format="mp3", options=BITEXACT | {"write_xing": "1", "id3v2_version": "0"}
    ) as container:
        audio = container.add_stream(
            "libmp3lame", rate=RATE, layout="stereo", options={"b": f"{kilobits}k", "flags": "+bitexact"}
        )
        container.mux(audio.encode(_heard(sound, "fltp")))
        container.mux(audio.encode(None))


def _heard(sound: Sound, form: str) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), form, "stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    return frame
