"""A clip as the film needs it: how long its pictures are, and whether its packets may stand in the film as they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from runner.adapters.mp4 import is_upright
from runner.adapters.signature import Unreadable, identify
from runner.adapters.streams import exact, open_headers, open_probed, pictures_of, sound_of
from runner.steps.cut import FPS, SAMPLE_RATE

AAC_BLOCK = 1024  # samples a packet of AAC-LC decodes to
COPIED_PROFILES = (66, 77, 100)  # H.264 baseline, main, high: 8 bits, 4:2:0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """`begins` is the time of the first picture in the file; sound is placed from there.

    `picture_recipe` and `sound_recipe`: clips with equal ones may be joined without coding them anew; None where a
    clip's packets do not stand on the film's grid of frames, or of 1,024 samples from one block before the first on.
    """

    name: str
    path: Path
    form: str
    begins: Fraction
    seconds: Fraction
    has_sound: bool
    picture_recipe: tuple[object, ...] | None
    sound_recipe: tuple[object, ...] | None

    @contextmanager
    def opened(self, *, headers_only: bool = False) -> Iterator[InputContainer]:
        """Raises Unreadable, also for what fails while it is open. Packets need the headers only."""
        opening = open_headers if headers_only else open_probed
        with _named(self.name), opening(self.path, self.form) as container:
            yield container


def survey(name: str, path: Path, fps: Fraction = FPS) -> Clip:
    """Read all packets of a clip for a film of `fps`, decode none. Raises Unreadable."""
    with _named(name):
        form = identify(path)
        with open_headers(path, form) as container:
            pictures, sound = pictures_of(container), sound_of(container)
            if not pictures or not pictures.time_base:
                raise Unreadable("the file holds no pictures")
            shown = _Track()
            heard = _Track()
            for packet in container.demux(*(stream for stream in (pictures, sound) if stream)):
                if packet.size:
                    track = shown if packet.stream_index == pictures.index else heard
                    track.add(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe, packet.is_discard)
            if not shown.times:
                raise Unreadable("the file holds no pictures")
            tick = exact(pictures.time_base)
            begins, seconds = shown.first * tick, (shown.end - shown.first) * tick
            still = shown.untimed or not seconds  # a rate of its own must do where times say nothing
            return Clip(
                name=name,
                path=path,
                form=form,
                begins=begins,
                seconds=len(shown.times) / (exact(pictures.average_rate) or FPS) if still else seconds,
                has_sound=sound is not None,
                picture_recipe=_picture_recipe(path, form, pictures, shown, fps),
                sound_recipe=_sound_recipe(sound, heard, begins, seconds) if sound else None,
            )


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except Unreadable as error:
        raise Unreadable(f"the clip of `{name}` cannot be used: {error.reason}") from None
    except av.error.FFmpegError as error:
        raise Unreadable(f"the clip of `{name}` cannot be decoded: {error.strerror}") from None


class _Track:
    """Times of one stream's packets, in its own ticks and in the order they are stored."""

    def __init__(self) -> None:
        self.times: list[tuple[int, int]] = []  # presentation, decoding
        self.first = self.end = 0
        self.untimed = self.discards = False
        self.begins_with_key = False

    def add(self, pts: int | None, dts: int | None, length: int, is_key: bool, is_discard: bool) -> None:
        if pts is None or dts is None:
            self.untimed = True
            pts = dts = pts if pts is not None else dts or 0
        self.begins_with_key |= is_key and not self.times
        self.discards |= is_discard and bool(self.times)
        if not is_discard:
            self.first = min(self.first, pts) if self.times else pts
            self.end = max(self.end, pts + length) if self.times else pts + length
        self.times.append((pts, dts))


def _picture_recipe(
    path: Path, form: str, stream: VideoStream, track: _Track, fps: Fraction
) -> tuple[object, ...] | None:
    context = stream.codec_context
    head = context.extradata or b""
    if (
        form not in ("mp4", "mov")
        or stream.codec.canonical_name != "h264"
        or len(head) < 7
        or head[0] != 1  # an AVC configuration record
        or head[1] not in COPIED_PROFILES
        or exact(stream.sample_aspect_ratio) not in (0, 1)
        or track.untimed
        or track.discards
        or not track.begins_with_key
    ):
        return None
    per_frame = 1 / (fps * exact(stream.time_base))  # ticks
    if per_frame.denominator != 1:
        return None
    frame = per_frame.numerator
    delay = (track.first - track.times[0][1]) // frame
    shown = sorted(pts - track.first for pts, _ in track.times)
    stored = [dts - track.first for _, dts in track.times]
    count = len(track.times)
    if shown != [n * frame for n in range(count)] or stored != [(n - delay) * frame for n in range(count)]:
        return None
    if track.end - track.first != count * frame or not is_upright(path):
        return None
    colours = (context.colorspace, context.color_range, context.color_primaries, context.color_trc)
    return ("h264", head, context.width, context.height, delay, colours)


def _sound_recipe(stream: AudioStream, track: _Track, begins: Fraction, seconds: Fraction) -> tuple[object, ...] | None:
    context = stream.codec_context
    head = context.extradata or b""
    if (
        stream.codec.canonical_name != "aac"
        or not head
        or head[0] >> 3 != 2  # AAC-LC
        or context.rate != SAMPLE_RATE
        or context.channels != 2
        or exact(stream.time_base) != Fraction(1, SAMPLE_RATE)
        or begins != 0
        or track.untimed
        or track.discards
    ):
        return None
    if [pts for pts, _ in track.times] != [(n - 1) * AAC_BLOCK for n in range(len(track.times))]:
        return None
    if (len(track.times) - 1) * AAC_BLOCK < seconds * SAMPLE_RATE:
        return None  # ends before its picture: silence has to be made
    return ("aac", head)
