"""The MP4 itself: H.264 and AAC, written by one thread, with no time, path or library name in it."""

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from runner.emulator.lens import view_of
from runner.emulator.planes import Planes
from runner.emulator.sound import RATE, Track

# Constant quantiser: the rate control of x264 costs as much time as its ultrafast encoding, and a steady picture is wanted.
# Key frames are finer: where the camera only travels, all that follows is copied from them. Colour is finer too, or
# skies fall into blocks. Below 20 every frame would encode the grain anew, at a quarter more time.
# Reference clips bring new grain with every frame: there nothing is copied, and a plain quantiser is fine enough.
STILL, FILMED = "20", "23"
X264 = {
    "preset": "ultrafast",
    "x264-params": "keyint=120:min-keyint=120:scenecut=0:ipratio=2:chroma-qp-offset=-3",
}
# Constant quality by the encoder's fast search; to hit a bit rate it would encode each quiet frame several times.
# A sound without an upper end needs neither its bands nor their fineness.
AAC = {"aac_coder": "fast", "flags": "+qscale"}
FULL, LOW = "180", "60"
BT709 = 1


class Mp4:
    """An MP4 being written; one that is not finished is removed."""

    def __init__(
        self, target: Path, *, width_px: int, height_px: int, fps: int, sound: Track | None, filmed: bool = False
    ) -> None:
        """`sound` lasts as long as the clip, or is None for a clip without a sound track; `filmed`: its pictures move by
        themselves."""
        self._target, self._fps, self._sound = target, fps, sound
        options = {"fflags": "+bitexact", "movflags": "+faststart"}
        self._file = av.open(str(target), "w", format="mp4", options=options)
        self._video = self._file.add_stream("libx264", rate=fps, options=X264 | {"qp": FILMED if filmed else STILL})
        self._video.width, self._video.height, self._video.pix_fmt = width_px, height_px, "yuv420p"
        context = self._video.codec_context
        context.thread_count = 1
        context.color_range = context.colorspace = context.color_primaries = context.color_trc = BT709
        self._frame = av.VideoFrame(width_px, height_px, "yuv420p")
        self._audio = None
        if sound is not None:
            low = {"cutoff": str(sound.top_hz), "global_quality": LOW}
            options = AAC | (low if sound.top_hz else {"global_quality": FULL})
            self._audio = self._file.add_stream("aac", rate=RATE, layout="stereo", options=options)
            self._audio.codec_context.thread_count = 1
        self.picture: Planes = view_of(self._frame)  # to be drawn before each `add`

    def add(self, number: int) -> None:
        """Takes the picture as frame `number` from 0, in order; with each second also its sound."""
        self._frame.pts, self._frame.time_base = number, Fraction(1, self._fps)
        self._file.mux(self._video.encode(self._frame))
        if self._audio and self._sound and number % self._fps == 0:
            start = number // self._fps * RATE
            samples = np.ascontiguousarray(self._sound.samples[:, start : start + RATE])
            heard = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
            heard.sample_rate, heard.pts, heard.time_base = RATE, start, Fraction(1, RATE)
            self._file.mux(self._audio.encode(heard))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
                return
        except BaseException:
            self._drop()
            raise
        self._drop()

    def _finish(self) -> None:
        for stream in (self._video, self._audio):
            if stream:
                self._file.mux(stream.encode(None))
        self._file.close()

    def _drop(self) -> None:
        with suppress(av.FFmpegError):
            self._file.close()
        self._target.unlink(missing_ok=True)
