"""The film's pictures: of clips and slates, brought to one size and rate, joined, coded."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from runner.adapters.streams import exact, pictures_of
from runner.language.take import Join, Side
from runner.steps import slate
from runner.steps.clip import Clip
from runner.steps.cut import FPS, CutPlan, Part, joined

CODEC = "libx264"
# One thread and no macroblock tree: with either, equal films differ in their bytes from machine to machine, run to run.
OPTIONS = {"preset": "veryfast", "crf": "18", "x264-params": "mbtree=0:keyint=48"}
SLATE_SIZE = (1280, 720)  # of a film of nothing but slates
SMOOTH = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
UNKNOWN = 2  # unspecified colour space, primaries, transfer: the same number in all three tables (H.273)
MATRICES = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 9: Colorspace.BT2020}


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """The film's frame: even sides in pixels, and the colours its numbers stand for (H.273, as the first clip has them)."""

    width_px: int
    height_px: int
    colorspace: int = UNKNOWN
    primaries: int = UNKNOWN
    transfer: int = UNKNOWN


def canvas_of(clip: Clip | None, size: tuple[int, int] | None = None) -> Canvas:
    """The frame a film has whose first clip this is, of `size` where one is asked for. Raises Unreadable."""
    if clip is None:
        width, height = size or SLATE_SIZE
        return Canvas(width_px=width, height_px=height, colorspace=1, primaries=1, transfer=1)
    with clip.opened() as container:
        stream = pictures_of(container)
        assert stream
        frame = next(container.decode(stream))
        width, height = size or _shown_size(frame, stream)
        return Canvas(
            width_px=max(2, width - width % 2),
            height_px=max(2, height - height % 2),
            colorspace=frame.colorspace if frame.colorspace in MATRICES else UNKNOWN,
            primaries=frame.color_primaries or UNKNOWN,
            transfer=frame.color_trc or UNKNOWN,
        )


def add_stream(container: OutputContainer, canvas: Canvas, fps: Fraction = FPS) -> VideoStream:
    stream: VideoStream = container.add_stream("libx264", rate=fps, options=OPTIONS)
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = canvas.width_px, canvas.height_px, "yuv420p"
    context.time_base = 1 / fps
    context.thread_count = 1
    context.color_range = ColorRange.MPEG
    context.colorspace, context.color_primaries, context.color_trc = (
        canvas.colorspace,
        canvas.primaries,
        canvas.transfer,
    )
    return stream


def packets(
    plan: CutPlan, clips: tuple[Clip | None, ...], canvas: Canvas, stream: VideoStream
) -> "Iterator[Packet[Any]]":
    """The coded film, frame by frame; never more than a few frames are held. Raises Unreadable."""
    sources = dict(zip((id(part) for part in plan.parts), clips, strict=True))
    night = _black(canvas)

    def read(part: Part) -> Generator[VideoFrame, None, None]:
        clip = sources[id(part)]
        return _of_clip(clip, part, canvas, plan.fps) if clip else _of_slate(part, canvas)

    def mix(old: VideoFrame, new: VideoFrame, number: int, part: Part) -> VideoFrame:
        transition = part.piece.transition
        if transition.join is Join.WIPE:
            return _wiped(old, new, transition.side or Side.LEFT, Fraction(number + 1, part.overlap + 1))
        return _mixed(old, new, round(256 * (number + 1) / (part.overlap + 1)))

    def dim(frame: VideoFrame, begin: Fraction, end: Fraction) -> VideoFrame:
        """By its darker end: where the two sides of a fade meet, both are black."""
        return _mixed(night, frame, round(256 * min(begin, end)))

    for number, frame in enumerate(joined(plan, read, mix, dim, lambda _: night)):
        frame.pts, frame.time_base = number, 1 / plan.fps
        frame.pict_type = PictureType.NONE  # else what the decoder found would rule the encoder
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _of_slate(part: Part, canvas: Canvas) -> Generator[VideoFrame, None, None]:
    frame = _black(canvas)
    if part.piece.slate:
        card = VideoFrame.from_ndarray(slate.drawn(part.piece.slate, canvas.width_px, canvas.height_px), "rgb24")
        frame = _coloured(card, canvas.width_px, canvas.height_px, canvas)
    for _ in range(part.frames):
        yield frame


def _of_clip(clip: Clip, part: Part, canvas: Canvas, fps: Fraction) -> Generator[VideoFrame, None, None]:
    """The frame shown in the middle of each frame's time: so times rounded to their container's ticks never slip a frame."""
    with clip.opened() as container, closing(_timed(container, clip)) as source:
        stream = pictures_of(container)
        assert stream
        shown: VideoFrame | None = None
        fitted: VideoFrame | None = None
        coming = next(source, None)
        for number in range(part.first, part.first + part.frames):
            middle = Fraction(2 * number + 1, 2) / fps
            while coming and (shown is None or coming[0] <= middle):
                shown, fitted = coming[1], None
                coming = next(source, None)
            assert shown
            fitted = fitted or _fitted(shown, stream, canvas)
            yield fitted


def _timed(container: InputContainer, clip: Clip) -> Generator[tuple[Fraction, VideoFrame], None, None]:
    """Frames with their seconds from the first on, in rising order."""
    stream = pictures_of(container)
    assert stream
    stream.codec_context.thread_count = 2
    latest = Fraction(-1)
    rate = exact(stream.average_rate) or FPS
    for number, frame in enumerate(container.decode(stream)):
        seconds = number / rate
        if frame.pts is not None and frame.time_base:
            seconds = frame.pts * exact(frame.time_base) - clip.begins
        if seconds > latest:
            latest = seconds
            yield seconds, frame


def _shown_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """In square pixels and upright."""
    aspect = exact(stream.sample_aspect_ratio) or Fraction(1)
    width, height = max(1, round(frame.width * aspect)), frame.height
    return (height, width) if frame.rotation % 180 else (width, height)


def _fitted(frame: VideoFrame, stream: VideoStream, canvas: Canvas) -> VideoFrame:
    """Upright, scaled to fit and centred on black, in the film's colours."""
    width, height = _shown_size(frame, stream)
    frame = _upright(frame)
    scale = min(Fraction(canvas.width_px, width), Fraction(canvas.height_px, height))
    inner_width = min(canvas.width_px, max(2, 2 * round(width * scale / 2)))
    inner_height = min(canvas.height_px, max(2, 2 * round(height * scale / 2)))
    frame = _coloured(frame, inner_width, inner_height, canvas)
    if (inner_width, inner_height) == (canvas.width_px, canvas.height_px):
        return frame
    left, top = (canvas.width_px - inner_width) // 4 * 2, (canvas.height_px - inner_height) // 4 * 2
    box = _black(canvas)
    for plane, source, half in zip(box.planes, frame.planes, (1, 2, 2), strict=True):
        pixels, inner = _pixels(plane), _pixels(source)
        y, x = top // half, left // half
        pixels[y : y + source.height, x : x + source.width] = inner[:, : source.width]
    return box


def _black(canvas: Canvas) -> VideoFrame:
    frame = VideoFrame(canvas.width_px, canvas.height_px, "yuv420p")
    for plane, level in zip(frame.planes, (16, 128, 128), strict=True):
        _pixels(plane)[:] = level
    return frame


def _pixels(plane: VideoPlane) -> npt.NDArray[np.uint8]:
    """The plane's own memory, (height, bytes of a line)."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)


def _upright(frame: VideoFrame) -> VideoFrame:
    turns = round(frame.rotation / 90) % 4
    if not turns:
        return frame
    planes = frame.reformat(format="yuv444p", threads=1).to_ndarray()
    turned = VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(planes, turns, (1, 2)), np.uint8), "yuv444p")
    turned.colorspace, turned.color_range = frame.colorspace, frame.color_range
    return turned


def _coloured(frame: VideoFrame, width: int, height: int, canvas: Canvas) -> VideoFrame:
    """As yuv420p of that size, of limited range, in the film's matrix; the frame itself where it is so already."""
    film = MATRICES.get(canvas.colorspace, Colorspace.ITU601)  # what FFmpeg takes for a colour space unknown
    own = film if frame.format.is_rgb else MATRICES.get(frame.colorspace, film)
    is_limited = frame.color_range != ColorRange.JPEG and not frame.format.name.startswith("yuvj")
    if (frame.width, frame.height, frame.format.name) == (width, height, "yuv420p") and own == film and is_limited:
        return frame
    return frame.reformat(
        width,
        height,
        "yuv420p",
        src_colorspace=own,
        dst_colorspace=film,
        interpolation=SMOOTH,
        src_color_range=ColorRange.MPEG if is_limited and not frame.format.is_rgb else ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        threads=1,
    )


def _mixed(old: VideoFrame, new: VideoFrame, weight: int) -> VideoFrame:
    """`weight` of 256 parts new, the rest old."""
    ending, beginning = (frame.to_ndarray().astype(np.uint16) for frame in (old, new))
    mixed = (ending * (256 - weight) + beginning * weight + 128) >> 8
    return VideoFrame.from_ndarray(mixed.astype(np.uint8), "yuv420p")


def _wiped(old: VideoFrame, new: VideoFrame, side: Side, share: Fraction) -> VideoFrame:
    """The share of the frame at that side new, the rest old; the edge between them stands on an even pixel."""
    wiped = VideoFrame.from_ndarray(old.to_ndarray(), "yuv420p")
    across = side in (Side.LEFT, Side.RIGHT)
    edge = round((old.width if across else old.height) * share / 2)
    for plane, source, pair in zip(wiped.planes, new.planes, (2, 1, 1), strict=True):
        pixels, coming = (_pixels(p)[:, : plane.width] for p in (plane, source))
        if not across:
            pixels, coming = pixels.T, coming.T
        begin, end = (0, edge * pair)
        if side in (Side.RIGHT, Side.BOTTOM):
            begin, end = pixels.shape[1] - end, pixels.shape[1]
        pixels[:, begin:end] = coming[:, begin:end]
    return wiped
