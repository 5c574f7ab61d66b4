"""What the camera sees of a plate, frame by frame.

Travelling, it cuts frames out of the plate at whole, half and quarter pixels. Pushing and pulling, it scales with
swscale, which cuts at whole pixels only: so it scales a little more than the frame, to a size that brings the frame's
edges to whole pixels of the result, and cuts again. Both keep the picture within a few hundredths of a pixel of its
path where the eye would see it tremble.
"""

from dataclasses import dataclass

import av
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from runner.emulator.camera import Box, Path
from runner.emulator.phases import Phases
from runner.emulator.planes import Bytes, Floats, Planes

STEPS = 4  # places in a pixel of luma that a travelling camera stops at; colour has twice as many
MORE_PX, SKIP_PX = 32, 14  # how much larger the scaled cut may be, and how far inside it the frame may begin

EXACT = Interpolation.ACCURATE_RND | Interpolation.BITEXACT


class Travel:
    """A lens that neither nears nor parts."""

    def __init__(self, plate: Planes, path: Path) -> None:
        self._boxes = path.boxes
        self.turn_to(plate)

    def turn_to(self, plate: Planes) -> None:
        """Another plate of the same size, for pictures that move by themselves."""
        self._luma = Phases(plate.y, STEPS)
        self._color = Phases(plate.u, 2 * STEPS), Phases(plate.v, 2 * STEPS)

    def see(self, number: int, into: Planes) -> None:
        """Frame `number` from 0."""
        box = self._boxes[number]
        x, y = round(box.x * STEPS), round(box.y * STEPS)
        into.y[:] = self._luma.window(y, x, *into.y.shape)
        for phases, plane in zip(self._color, (into.u, into.v), strict=True):
            plane[:] = phases.window(y, x, *plane.shape)


class Zoom:
    """A lens that nears or parts."""

    def __init__(self, plate: Planes, path: Path, width_px: int, height_px: int) -> None:
        self.turn_to(plate)
        # A scaler keeps its tables while the sizes stay: both planes of colour share theirs.
        color = VideoReformatter()
        self._scalers = VideoReformatter(), color, color
        self._luma = _cuts(path.boxes, 1, width_px, height_px, plate.y)
        self._color = _cuts(path.boxes, 2, width_px // 2, height_px // 2, plate.u)

    def turn_to(self, plate: Planes) -> None:
        """Another plate of the same size."""
        self._planes = plate.y, plate.u, plate.v
        self._color_seen: tuple[Bytes, Bytes] | None = None

    def see(self, number: int, into: Planes) -> None:
        """Frame `number` from 0, in order: of one plate, colour follows every other frame; no eye can tell at these speeds."""
        into.y[:] = self._scaled(0, self._luma[number])
        if number % 2 == 0 or self._color_seen is None:
            cut = self._color[number]
            self._color_seen = self._scaled(1, cut), self._scaled(2, cut)
        into.u[:], into.v[:] = self._color_seen

    def _scaled(self, part: int, cut: "_Cut") -> Bytes:
        source = self._planes[part][cut.y.first : cut.y.first + cut.y.taken, cut.x.first : cut.x.first + cut.x.taken]
        frame = av.VideoFrame.from_numpy_buffer(source, format="gray")
        scaled = self._scalers[part].reformat(
            frame, cut.x.scaled, cut.y.scaled, "gray", interpolation=Interpolation.BILINEAR, threads=1
        )
        plane = scaled.planes[0]
        rows = _rows(plane)
        return rows[cut.y.skipped : cut.y.skipped + cut.y.out, cut.x.skipped : cut.x.skipped + cut.x.out]


def look(plate: Planes, path: Path, width_px: int, height_px: int) -> Travel | Zoom:
    """The lens that the path needs, for frames of this size."""
    if all(b.width == width_px and b.height == height_px for b in path.boxes):
        return Travel(plate, path)
    return Zoom(plate, path, width_px, height_px)


class Scaler:
    """Scales frames of any format and size without regard to their shape; keeps its tables from frame to frame."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self._width, self._height = width_px, height_px
        self._scaler = VideoReformatter()

    def planes(self, frame: av.VideoFrame, *, exact: bool = False) -> Planes:
        """`exact` is for stills: it takes twice the time."""
        scaled = self._scaler.reformat(
            frame,
            self._width,
            self._height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC | EXACT if exact else Interpolation.BICUBIC,
            threads=1,
        )
        return view_of(scaled)


def planes_of_rgb(rgb: Bytes, width_px: int, height_px: int) -> Planes:
    """A picture of shape (rows, columns, 3) in sRGB, scaled without regard to its shape."""
    frame = av.VideoFrame.from_numpy_buffer(rgb, format="rgb24")
    frame.color_range = ColorRange.JPEG
    return Scaler(width_px, height_px).planes(frame, exact=True)


def view_of(frame: av.VideoFrame) -> Planes:
    """The frame's own memory; it lives as long as the arrays do."""
    y, u, v = (_rows(p)[: p.height, : p.width] for p in frame.planes)
    return Planes(y=y, u=u, v=v)


def _rows(plane: VideoPlane) -> Bytes:
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """Along one axis: `taken` pixels of the plate from `first`, scaled to `scaled`, of which `out` after `skipped`."""

    first: int
    taken: int
    scaled: int
    skipped: int
    out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    x: _Span
    y: _Span


def _cuts(boxes: tuple[Box, ...], scale: int, width: int, height: int, plane: Bytes) -> tuple[_Cut, ...]:
    across = _spans([b.x / scale for b in boxes], [b.width / scale for b in boxes], width, plane.shape[1])
    down = _spans([b.y / scale for b in boxes], [b.height / scale for b in boxes], height, plane.shape[0])
    return tuple(_Cut(x=x, y=y) for x, y in zip(across, down, strict=True))


def _spans(starts: list[float], lengths: list[float], out: int, limit: int) -> list[_Span]:
    """Of all ways to scale whole pixels to whole pixels, the one whose `out` pixels lie nearest to the wanted span."""
    start, length = (np.array(v, np.float32)[:, None, None, None] for v in (starts, lengths))
    scaled = np.arange(out, out + MORE_PX + 1, dtype=np.float32)[None, :, None, None]
    skipped = np.arange(SKIP_PX + 1, dtype=np.float32)[None, None, :, None]
    taken = np.floor(scaled * (length / np.float32(out))) + np.arange(2, dtype=np.float32)
    ratio = taken / scaled
    first = np.rint(start - skipped * ratio)
    left = first + skipped * ratio - start
    right = left + out * ratio - length
    outside = (skipped + out > scaled) | (first < 0) | (first + taken > limit)
    error = np.maximum(np.abs(left), np.abs(right)) + outside * np.float32(limit)
    best = error.reshape(len(starts), -1).argmin(axis=1)
    chosen: list[Floats] = [
        np.broadcast_to(v, error.shape).reshape(len(starts), -1)[np.arange(len(starts)), best]
        for v in (first, taken, scaled, skipped)
    ]
    rows = np.stack(chosen, axis=1).astype(int).tolist()
    return [_Span(first=f, taken=t, scaled=s, skipped=k, out=out) for f, t, s, k in rows]
