"""Reference clips: decoded as they are needed, cut against each other, graded, begun again when they end.

The camera stands still before what moves by itself: each cut shows its own part of a clip, scaled to the frame in one step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from runner.emulator import bare
from runner.emulator.chance import Chance
from runner.emulator.demux import opened
from runner.emulator.lens import Scaler
from runner.emulator.order import BadMedia
from runner.emulator.palette import Palette
from runner.emulator.planes import Bytes, Planes, Words
from runner.emulator.shots import SHARE, Nearness, Shot

MOST_S = 30.0  # of each clip
MOST_SIDE_PX, MOST_PIXELS = 8192, 36_000_000
CUT_S = 2.0
HD_PX = 720
UNSAID_SPACE, UNSAID_RANGE = 2, 0  # ISO/IEC 23091-2, and libavutil's AVCOL_RANGE_UNSPECIFIED
NEAR = 1.0, 0.86  # the share of a clip's side that a cut shows, by seed
MUCH = 1.3  # enlarged so many times, a picture shows how its pixels are mixed; the finer way takes twice the time
ASIDE = 0.25  # how far from the middle a cut may stand, of the room there is


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """From frame `first` on: clip number `clip` from 0, of which a part is seen: `share` of the largest one in the frame's
    shape, `x` and `y` of the room beside it to its left and above it."""

    first: int
    clip: int
    share: float
    x: float
    y: float


def cuts(shots: Sequence[Shot], chance: Chance, *, clips: int, fps: int) -> tuple[Cut, ...]:
    """The clips in turn: one a shot, or every two seconds where there is only one shot. A clip is always framed alike."""
    if len(shots) == 1:
        every = max(1, min(round(CUT_S * fps), shots[0].frames // clips))
        firsts = range(0, shots[0].frames, every) if clips > 1 else range(1)
        turns = [(first, turn % clips, Nearness.WIDE, f"clip.{turn % clips}") for turn, first in enumerate(firsts)]
    else:
        turns = [
            (shot.first, turn % clips, shot.nearness or Nearness.WIDE, f"shot.{shot.number}")
            for turn, shot in enumerate(shots)
        ]
    return tuple(
        Cut(
            first=first,
            clip=clip,
            share=SHARE[near] * chance.between(f"{name}.share", *NEAR),
            x=0.5 + chance.between(f"{name}.x", -ASIDE, ASIDE),
            y=0.5 + chance.between(f"{name}.y", -ASIDE, 0),  # faces and skies stand above the middle
        )
        for first, clip, near, name in turns
    )


class Footage:
    """The clips of an order by its cuts, each shown where it was left."""

    def __init__(self, paths: tuple[Path, ...], plan: Sequence[Cut], *, fps: int) -> None:
        self._plan, self._fps = plan, fps
        self._shown = [0] * len(paths)
        self._turn = -1
        self._clips: list[_Clip] = []
        try:
            for number, file in enumerate(paths, 1):
                self._clips.append(_Clip(file, "the video" if len(paths) == 1 else f"video {number}"))
        except BaseException:
            self.close()
            raise

    def graded(self, palette: Palette) -> None:
        """From now on in the light of this palette."""
        self._grade = Grade(palette)

    def see(self, number: int, into: Planes) -> None:
        """Frame `number` of the whole clip from 0, in order. Raises BadMedia."""
        if self._turn + 1 < len(self._plan) and self._plan[self._turn + 1].first <= number:
            self._turn += 1
            self._window = _Window(self._plan[self._turn])
            self._seen: Planes | None = None
        cut = self._plan[self._turn]
        clip = self._clips[cut.clip]
        picture = clip.at(self._shown[cut.clip] / self._fps)
        self._shown[cut.clip] += 1
        if picture is not self._seen:
            self._seen = picture
            self._scaled = self._window.cut(picture, clip.aspect, into.width, into.height)
        self._grade.lay(self._scaled, into)

    def close(self) -> None:
        for clip in self._clips:
            clip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Grade:
    """A little contrast, colours drawn towards the palette's: a table for each plane, asked for two pixels at once."""

    def __init__(self, palette: Palette) -> None:
        steps = np.arange(256, dtype=np.float32)
        u = np.clip((steps - 16) / 219, 0, 1)
        curve = u + (u * u * (3 - 2 * u) - u) * np.float32(0.25)
        _, blue, red = palette.middle.yuv()
        colors = (128 + (steps - 128) * np.float32(0.92) + np.float32((tint - 128) * 0.14) for tint in (blue, red))
        self._single = [np.clip(np.rint(t), 0, 255).astype(np.uint8) for t in (16 + 219 * curve, *colors)]
        pairs = np.arange(1 << 16, dtype=np.uint32)
        self._double: list[Words] = [
            (table[pairs & 255].astype(np.uint16) | (table[pairs >> 8].astype(np.uint16) << 8))
            for table in self._single
        ]

    def lay(self, picture: Sequence[Bytes], into: Planes) -> None:
        """Onto planes of the same sizes. No index is out of range: clipping only spares a copy."""
        for plane, out, single, double in zip(picture, into, self._single, self._double, strict=True):
            if plane.shape[1] % 2:
                np.take(single, plane, out=out, mode="clip")
            else:
                np.take(double, plane.view(np.uint16), out=out.view(np.uint16), mode="clip")


class _Window:
    """What one cut shows of a clip's pictures, scaled to the frame; keeps its tables from picture to picture."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        color = VideoReformatter()
        self._scalers = VideoReformatter(), color, color

    def cut(self, picture: Planes, aspect: float, width: int, height: int) -> tuple[Bytes, ...]:
        """`aspect` is the width of a pixel, of its height."""
        wide = min(picture.width, picture.height * width / height / aspect) * self._cut.share
        tall = min(picture.height, picture.width * aspect * height / width) * self._cut.share
        left = _even((picture.width - wide) * self._cut.x)
        top = _even((picture.height - tall) * self._cut.y)
        right, bottom = left + max(2, _even(wide)), top + max(2, _even(tall))
        return tuple(
            self._fitted(part, plane[top // s : bottom // s, left // s : right // s], width // s, height // s)
            for part, (plane, s) in enumerate(zip(picture, (1, 2, 2), strict=True))
        )

    def _fitted(self, part: int, plane: Bytes, width: int, height: int) -> Bytes:
        if plane.shape == (height, width):
            return plane
        frame = av.VideoFrame.from_numpy_buffer(plane, format="gray")
        mixed = Interpolation.BICUBIC if width > plane.shape[1] * MUCH else Interpolation.BILINEAR
        scaled = self._scalers[part].reformat(frame, width, height, "gray", interpolation=mixed, threads=1).planes[0]
        rows = np.frombuffer(memoryview(scaled), np.uint8).reshape(-1, scaled.line_size)
        return rows[:height, :width]


def _even(value: float) -> int:
    return round(value / 2) * 2


class _Clip:
    """One file, read forward; after its end, or `MOST_S`, from its beginning."""

    def __init__(self, file: Path, what: str) -> None:
        self._what = what
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
        self._pixel = float(stream.sample_aspect_ratio or 1)
        self._picture: Planes | None = None
        self._bared = bare.Clip()

    @property
    def aspect(self) -> float:
        """A pixel's width of its height, as the picture is turned."""
        return 1 / self._pixel if _quarters(self._frame) % 2 else self._pixel

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
        """What is seen at this time, upright; times never go back. Raises BadMedia."""
        try:
            if self._next is None:
                self._next = next(self._frames)
            while self._next[0] <= time_s + 1e-6:
                self._frame, self._picture = self._next[1], None
                self._next = next(self._frames)
        except (av.FFmpegError, ValueError, OSError):
            raise BadMedia(f"{self._what} cannot be decoded: it is damaged or cut short") from None
        if self._picture is None:
            self._picture = self._bared.bare(self._upright(self._frame))
        return self._picture

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

    def _upright(self, frame: av.VideoFrame) -> Planes:
        """In the encoder's colours and its own size, even sides."""
        if frame.colorspace == UNSAID_SPACE and min(frame.width, frame.height) >= HD_PX:
            frame.colorspace = Colorspace.ITU709  # what is not said is BT.709 from 720 lines on, as players take it
        if frame.color_range == UNSAID_RANGE and not frame.format.name.startswith("yuvj"):
            frame.color_range = ColorRange.MPEG
        size = max(2, frame.width // 2 * 2), max(2, frame.height // 2 * 2)
        if size not in self._scalers:
            self._scalers[size] = Scaler(*size)
        seen, quarters = self._scalers[size].planes(frame), _quarters(frame)
        if not quarters:
            return seen
        y, u, v = (np.ascontiguousarray(np.rot90(plane, quarters)) for plane in seen)
        return Planes(y=y, u=u, v=v)


def _quarters(frame: av.VideoFrame) -> int:
    return round(frame.rotation / 90) % 4
