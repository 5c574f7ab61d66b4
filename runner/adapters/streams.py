"""Videos and sounds, read with FFmpeg's decoders through PyAV. The probe does it in its child process."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import av.logging
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from runner.adapters import mp3
from runner.adapters.signature import Unreadable
from runner.core.media import ClipFacts, Kind, MediaFacts

DEMUXERS = {
    "mp4": "mov",
    "mov": "mov",
    "m4a": "mov",
    "webm": "matroska",
    "mp3": "mp3",
    "wav": "wav",
    "flac": "flac",
    "ogg": "ogg",
}
MAX_STREAMS = 16
MAX_PIXELS = 36_000_000  # of one frame; 8K is 33
MAX_CHANNELS = 16
MAX_RATE = 384_000
ALWAYS_DECODED = 8  # last packets of a clip; between the first and these, frames nothing refers to are passed over

Chosen = list[VideoStream | AudioStream]

av.logging.set_level(av.logging.PANIC)  # FFmpeg's own words go to nobody's terminal


def open_headers(path: Path, form: str) -> InputContainer:
    """Open one file with the demuxer of its format and no other, from the disk and nowhere else.

    Only headers are read: `codec_whitelist` names no decoder, so that none runs on a picture whose size is not yet
    known to be bounded; it binds the opening, not the decoding asked for later. Raises av.error.FFmpegError.
    """
    return _open(path, form, {"codec_whitelist": "none"})


def open_probed(path: Path, form: str) -> InputContainer:
    """The same for a file the probe has found good: the first frames are decoded to learn in which order they come."""
    return _open(path, form, {})


def _open(path: Path, form: str, options: dict[str, str]) -> InputContainer:
    options = {"protocol_whitelist": "file", "enable_drefs": "0"} | options
    return av.open(str(path.absolute()), format=DEMUXERS[form], options=options)


def pictures_of(container: InputContainer) -> VideoStream | None:
    """The first video that is not a cover picture."""
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    return next((s for s in container.streams.video if not s.disposition & covers), None)


def sound_of(container: InputContainer) -> AudioStream | None:
    return next(iter(container.streams.audio), None)


def exact(value: Fraction | None) -> Fraction:
    """A rate or time base of PyAV's, which from version 19 on are of a type of their own; 0 for none."""
    return Fraction(value.numerator, value.denominator) if value is not None and value.denominator else Fraction(0)


def look(path: Path, form: str, sha256: str, size_bytes: int) -> MediaFacts:
    """Decode pictures and sound to the end. Raises Unreadable."""
    try:
        with open_headers(path, form) as container:
            _bound(container)
            return _media(container, path, form, sha256, size_bytes)
    except (av.error.FFmpegError, MemoryError, UnicodeDecodeError) as error:
        raise Unreadable(_words(form, error)) from None


def look_at_clip(path: Path, form: str, sha256: str, size_bytes: int) -> ClipFacts:
    """Read every packet, decode the first and last frame. Raises Unreadable."""
    if DEMUXERS.get(form) != "mov":
        raise Unreadable(f"the file is {form.upper()}, not an MP4 or MOV clip")
    try:
        with open_headers(path, form) as container:
            _bound(container)
            return _clip(container, sha256, size_bytes)
    except (av.error.FFmpegError, MemoryError, UnicodeDecodeError) as error:
        raise Unreadable(_words(form, error)) from None


def _bound(container: InputContainer) -> None:
    if not 0 < len(container.streams) <= MAX_STREAMS:
        raise Unreadable(f"the file holds {len(container.streams)} streams; 1 to {MAX_STREAMS} are read")
    if any(stream.codec_context is None for stream in (*container.streams.video, *container.streams.audio)):
        raise Unreadable("the file is coded in a way that no decoder here knows")
    for stream in container.streams.video:
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > MAX_PIXELS:
            raise Unreadable(f"the video is {width} x {height} pixels; frames of at most {MAX_PIXELS:,} are decoded")
    for sound in container.streams.audio:
        if sound.codec_context.rate > MAX_RATE or sound.codec_context.channels > MAX_CHANNELS:
            raise Unreadable(
                f"the sound has {sound.codec_context.channels} channels of {sound.codec_context.rate:,} Hz"
            )


def _media(container: InputContainer, path: Path, form: str, sha256: str, size_bytes: int) -> MediaFacts:
    pictures, sound = pictures_of(container), sound_of(container)
    chosen: Chosen = [stream for stream in (pictures, sound) if stream]
    if not chosen:
        raise Unreadable("the file holds neither pictures nor sound")
    shown, heard = _Shown(), _Heard()
    for frame in _decoded(container, chosen, form):
        match frame:
            case VideoFrame():
                shown.add(frame)
            case AudioFrame():
                heard.add(frame)
    if pictures:
        if not shown.frames:
            raise Unreadable("the file holds no picture that can be decoded")
        rate = exact(pictures.average_rate) or (shown.frames / shown.seconds if shown.seconds else None)
        seconds = shown.seconds
        if form == "webm" and rate and abs(shown.frames / rate - seconds) < Fraction(1, 200):
            seconds = shown.frames / rate  # its times are rounded to milliseconds
        return MediaFacts(
            kind=Kind.VIDEO,
            format="mp4" if form == "m4a" else form,
            sha256=sha256,
            size_bytes=size_bytes,
            width_px=shown.width,
            height_px=shown.height,
            seconds=seconds,
            fps=rate,
            codec=pictures.codec.canonical_name,
            has_audio=sound is not None,
        )
    assert sound
    if not heard.samples:
        raise Unreadable("the file holds no sound that can be decoded")
    seconds = heard.seconds
    if sound.duration is not None and sound.time_base and form in ("mp4", "m4a", "mov", "flac"):
        announced = sound.duration * exact(sound.time_base)  # exact there; AAC decodes to whole blocks of 1,024 samples
        if seconds < announced - Fraction(1, 10):
            raise Unreadable(f"the file is cut short: {float(seconds):.2f} of {float(announced):.2f} seconds are there")
        seconds = min(seconds, announced)
    written = mp3.announced_seconds(path) if form == "mp3" else None
    if written and seconds < written - Fraction(1, 5):
        raise Unreadable(f"the file is cut short: {float(seconds):.2f} of {float(written):.2f} seconds are there")
    return MediaFacts(
        kind=Kind.AUDIO,
        format="m4a" if form == "mp4" else form,
        sha256=sha256,
        size_bytes=size_bytes,
        seconds=seconds,
        codec=sound.codec.canonical_name,
        has_audio=True,
    )


class _Shown:
    """What the frames of one video add up to."""

    def __init__(self) -> None:
        self.frames = self.width = self.height = 0
        self._first = self._end = Fraction(0)

    def add(self, frame: VideoFrame) -> None:
        if not self.frames:
            turned = frame.rotation % 180 != 0
            self.width, self.height = (frame.height, frame.width) if turned else (frame.width, frame.height)
        begin = (frame.pts or 0) * exact(frame.time_base)
        end = begin + (frame.duration or 0) * exact(frame.time_base)
        self._first = min(self._first, begin) if self.frames else begin
        self._end = max(self._end, end) if self.frames else end
        self.frames += 1

    @property
    def seconds(self) -> Fraction:
        return self._end - self._first


class _Heard:
    """What the blocks of one sound add up to, in samples: containers of MP3 only guess their length."""

    def __init__(self) -> None:
        self.samples, self.seconds = 0, Fraction(0)

    def add(self, frame: AudioFrame) -> None:
        self.samples += frame.samples
        if frame.sample_rate > 0:
            self.seconds += Fraction(frame.samples, frame.sample_rate)


def _decoded(container: InputContainer, chosen: Chosen, form: str) -> Iterator[VideoFrame | AudioFrame]:
    """All frames of the chosen streams; raises Unreadable at the first damage."""
    for stream in chosen:
        stream.codec_context.thread_count = 1
    failures = 0
    packets = _Count()
    for packet in container.demux(*chosen):
        packets.add(packet)
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            # Players skip what lies between MP3 frames, tags of many kinds, and so does every decoder of it.
            failures += 1
            if form != "mp3" or failures > 4:
                raise
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame | AudioFrame):
                _refuse_damage(frame)
                yield frame
    packets.compare(chosen, form)


class _Count:
    """Packets read against packets the index of an MP4 or MOV names."""

    def __init__(self) -> None:
        self.read: dict[int, int] = {}

    def add(self, packet: "Packet[Stream]") -> None:
        if packet.is_corrupt:
            raise Unreadable("the file is cut short or damaged: a packet is not whole")
        if packet.size:
            self.read[packet.stream_index] = self.read.get(packet.stream_index, 0) + 1

    def compare(self, streams: Chosen, form: str) -> None:
        if DEMUXERS[form] != "mov":
            return
        for stream in streams:
            read, named = self.read.get(stream.index, 0), len(stream.index_entries)
            if read != named:
                raise Unreadable(f"the file is cut short: {read:,} of {named:,} {stream.type} packets can be read")


def _clip(container: InputContainer, sha256: str, size_bytes: int) -> ClipFacts:
    pictures, sound = pictures_of(container), sound_of(container)
    if not pictures or not pictures.time_base:
        raise Unreadable("the file holds no pictures")
    context = pictures.codec_context
    context.thread_count = 1
    read: Chosen = [stream for stream in (pictures, sound) if stream]
    last = len(pictures.index_entries) - ALWAYS_DECODED
    packets, shown, times, decoded = _Count(), _Shown(), [], set()
    for packet in container.demux(*read):
        packets.add(packet)
        if packet.stream_index != pictures.index:
            continue
        number = packets.read.get(pictures.index, 0)
        context.skip_frame = "DEFAULT" if number <= 1 or number > last else "NONREF"
        if packet.size and not packet.is_discard:
            if packet.pts is None:
                raise Unreadable("the file is damaged: a picture has no time")
            times.append((packet.pts, packet.duration or 0))
        for frame in packet.decode():
            if isinstance(frame, VideoFrame):
                _refuse_damage(frame)
                shown.add(frame)
                decoded.add(frame.pts)
    packets.compare(read, "mp4")
    if not times:
        raise Unreadable("the file holds no pictures")
    (first, _), (latest, length) = min(times), max(times)
    if first not in decoded or latest not in decoded:
        raise Unreadable("the file is damaged: its first or last picture cannot be decoded")
    seconds = (latest + length - first) * exact(pictures.time_base)
    rate = exact(pictures.average_rate) or (len(times) / seconds if seconds else Fraction(0))
    return ClipFacts(
        sha256=sha256,
        size_bytes=size_bytes,
        width_px=shown.width,
        height_px=shown.height,
        duration_s=seconds,
        fps=rate,
        frames=len(times),
        codec=pictures.codec.canonical_name,
        audio_codec=sound.codec.canonical_name if sound else "",
    )


def _refuse_damage(frame: VideoFrame | AudioFrame) -> None:
    if frame.is_corrupt:
        known = frame.pts is not None and frame.time_base
        raise Unreadable(f"the file is damaged {f'at {frame.time:.2f} seconds' if known else 'somewhere'}")


def _words(form: str, error: Exception) -> str:
    if isinstance(error, MemoryError | av.error.MemoryError):
        return "the file needs more memory to decode than it is given"
    return f"the file begins like {form.upper()}, but is damaged or cut short"
