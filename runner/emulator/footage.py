"""Reference clips as moving plates: decoded as they are needed, cut against each other, begun again when they end."""

import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from runner.emulator.camera import Path as CameraPath
from runner.emulator.demux import opened
from runner.emulator.lens import Scaler, Travel, Zoom, look
from runner.emulator.order import BadMedia
from runner.emulator.palette import Palette
from runner.emulator.planes import Bytes, Planes

MOST_S = 30.0  # of each clip
MOST_SIDE_PX, MOST_PIXELS = 8192, 36_000_000
CUT_S = 2.0


class Footage:
    """The clips of an order in turn, each shown where it was left."""

    def __init__(self, paths: tuple[Path, ...], palette: Palette, path: CameraPath, *, fps: int, frames: int) -> None:
        self._path, self._fps = path, fps
        self._lens: Travel | Zoom | None = None
        self._plate: Planes | None = None
        self._cut = max(1, min(round(CUT_S * fps), frames // len(paths)))
        self._tables = _grade(palette)
        self._clips: list[_Clip] = []
        try:
            for number, file in enumerate(paths, 1):
                what = "the video" if len(paths) == 1 else f"video {number}"
                self._clips.append(_Clip(file, what, path.width_px, path.height_px))
        except BaseException:
            self.close()
            raise
        self._shown = [0] * len(paths)

    def see(self, number: int, into: Planes) -> None:
        """Frame `number` from 0, in order. Raises BadMedia."""
        turn = number // self._cut % len(self._clips)
        plate = self._clips[turn].at(self._shown[turn] / self._fps)
        self._shown[turn] += 1
        if self._lens is None:
            self._lens = look(plate, self._path, into.width, into.height)
        elif plate is not self._plate:
            self._lens.turn_to(plate)
        self._plate = plate
        self._lens.see(number, into)
        for plane, table in zip(into, self._tables, strict=True):
            np.take(table, plane, out=plane, mode="clip")  # no index is out of range; the default would copy

    def close(self) -> None:
        for clip in self._clips:
            clip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _grade(palette: Palette) -> tuple[Bytes, Bytes, Bytes]:
    """A table for each plane: a little contrast, colours drawn towards the palette's."""
    steps = np.arange(256, dtype=np.float32)
    u = np.clip((steps - 16) / 219, 0, 1)
    curve = u + (u * u * (3 - 2 * u) - u) * np.float32(0.25)
    _, blue, red = palette.middle.yuv()
    colors = (128 + (steps - 128) * np.float32(0.92) + np.float32((tint - 128) * 0.14) for tint in (blue, red))
    y, cb, cr = (np.clip(np.rint(t), 0, 255).astype(np.uint8) for t in (16 + 219 * curve, *colors))
    return y, cb, cr


class _Clip:
    """One file, read forward; after its end, or `MOST_S`, from its beginning."""

    def __init__(self, file: Path, what: str, width_px: int, height_px: int) -> None:
        self._what, self._width, self._height = what, width_px, height_px
        self._container = opened(file, what)
        try:
            stream = self._checked()
        except BaseException:
            self.close()
            raise
        self._frames = self._run(stream)
        self._next: tuple[float, av.VideoFrame] | None = None
        self._frame: av.VideoFrame
        self._scalers: dict[tuple[int, int], Scaler] = {}
        self._aspect = float(stream.sample_aspect_ratio or 1)
        self._plate: Planes | None = None

    def _checked(self) -> av.VideoStream:
        if not self._container.streams.video:
            raise BadMedia(f"{self._what} holds no pictures")
        stream = self._container.streams.video[0]
        width, height = stream.codec_context.width, stream.codec_context.height
        if max(width, height) > MOST_SIDE_PX or not 0 < width * height <= MOST_PIXELS:
            raise BadMedia(f"{self._what} is {width} x {height} pixels")
        stream.codec_context.thread_count = 1
        return stream

    def close(self) -> None:
        self._container.close()

    def at(self, time_s: float) -> Planes:
        """What is seen at this time; times never go back. Raises BadMedia."""
        try:
            if self._next is None:
                self._next = next(self._frames)
            while self._next[0] <= time_s + 1e-6:
                self._frame, self._plate = self._next[1], None
                self._next = next(self._frames)
        except (av.FFmpegError, ValueError, OSError):
            raise BadMedia(f"{self._what} cannot be decoded: it is damaged or cut short") from None
        if self._plate is None:
            self._plate = self._covering(self._frame)
        return self._plate

    def _run(self, stream: av.VideoStream) -> Iterator[tuple[float, av.VideoFrame]]:
        """Frames with their times from 0, over and over."""
        rate = float(stream.average_rate or stream.guessed_rate or 24)
        step = 1 / min(240.0, max(1.0, rate))
        begin = 0.0
        while True:
            first: float | None = None
            time = 0.0
            for frame in self._container.decode(stream):
                at = (first or 0.0) + time + step if frame.pts is None else frame.time
                first = at if first is None else first
                time = at - first
                if time >= MOST_S:
                    break
                yield begin + time, frame
            if first is None:
                raise BadMedia(f"{self._what} holds no pictures")
            begin += time + step
            self._container.seek(0)

    def _covering(self, frame: av.VideoFrame) -> Planes:
        """Scaled to fill the plate in the shape it is meant to be shown, upright, and cut to the plate's size."""
        quarters = round(frame.rotation / 90) % 4
        width, height = frame.width * self._aspect, float(frame.height)
        wanted = (self._height, self._width) if quarters % 2 else (self._width, self._height)
        factor = max(wanted[0] / width, wanted[1] / height)
        # Very long pictures are squeezed to three times what is shown of them.
        across, down = (
            math.ceil(min(3 * side, max(side, length * factor)) / 2) * 2
            for side, length in zip(wanted, (width, height), strict=True)
        )
        if (across, down) not in self._scalers:
            self._scalers[across, down] = Scaler(across, down)
        scaled = self._scalers[across, down].planes(frame)
        return Planes(
            **{
                name: _middle(np.rot90(plane, quarters), self._height // scale, self._width // scale)
                for name, plane, scale in (("y", scaled.y, 1), ("u", scaled.u, 2), ("v", scaled.v, 2))
            }
        )


def _middle(plane: Bytes, rows: int, columns: int) -> Bytes:
    top, left = (plane.shape[0] - rows) // 2, (plane.shape[1] - columns) // 2
    return np.ascontiguousarray(plane[top : top + rows, left : left + columns])
