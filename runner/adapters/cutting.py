"""What is taken of a finished clip for a take made from it: one frame as PNG, or its sound. Runs in the probe's child process."""

import io
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from runner.adapters.signature import Unreadable, identify
from runner.adapters.streams import exact, open_probed, pictures_of, sound_of

RATE_HZ = 48_000
HIGH_PX = 720  # lines of a picture from which colours are coded as in high definition
MOST_BYTES = 64 * 1024**2  # of what is taken
FIRST, LAST, SOUND = "frame:first", "frame:last", "sound"


def take(path: Path, selector: str, form: str) -> bytes:
    """The content of a file of format `form`: png for a frame, wav or mp3 for the sound. Equal bytes for equal clips, with the same
    libraries. Raises Unreadable."""
    try:
        with open_probed(path, identify(path)) as container:
            content = _sound(container, form) if selector == SOUND else _picture(container, selector)
    except (av.error.FFmpegError, MemoryError, UnicodeDecodeError) as fault:
        raise Unreadable(f"nothing can be taken of the clip: {getattr(fault, 'strerror', None) or fault}") from None
    if len(content) > MOST_BYTES:
        raise Unreadable(f"what is taken of the clip is larger than {MOST_BYTES // 1024**2} MiB")
    return content


def _picture(container: InputContainer, selector: str) -> bytes:
    pictures = pictures_of(container)
    if pictures is None:
        raise Unreadable("the clip has no pictures")
    frame, content = _frame(container, pictures, selector), io.BytesIO()
    image = frame.to_image(src_colorspace=_matrix(frame), dst_colorspace=_matrix(frame), threads=1)  # type: ignore[no-untyped-call]
    image.save(content, "PNG")
    return content.getvalue()


def _matrix(frame: VideoFrame) -> Colorspace:
    """By which its colours are coded; where the clip does not say so, as players take it by its size."""
    known = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601}.get(int(frame.colorspace))
    return known or (Colorspace.ITU709 if frame.height >= HIGH_PX else Colorspace.ITU601)


def _frame(container: InputContainer, pictures: VideoStream, selector: str) -> VideoFrame:
    """The frame that is shown first, last, or at a second of the clip."""
    begins = next(container.decode(pictures), None)
    if begins is None:
        raise Unreadable("the clip holds no picture that can be decoded")
    if selector == FIRST:
        return begins
    start = _time(begins)
    at = None if selector == LAST else start + Fraction(selector.removeprefix("frame:"))
    found = _shown(container, pictures, at, start) or _shown(container, pictures, at, None)
    if found is None or (at is not None and at >= _end(container, pictures, found, start)):
        raise Unreadable(f"the clip has no {selector.replace(':', ' at ')} s")
    return found


def _shown(
    container: InputContainer, pictures: VideoStream, at: Fraction | None, seek_from: Fraction | None
) -> VideoFrame | None:
    """The last frame that begins no later than `at`, of all where it is None; looked for from the picture before it on that stands
    by itself, or from the beginning where `seek_from` is None."""
    base = exact(pictures.time_base)
    if seek_from is None:
        container.seek(0, backward=True, any_frame=False)
    elif at is None:
        length = (pictures.duration or 0) * base
        container.seek(int((seek_from + length) / base), stream=pictures, backward=True)
    else:
        container.seek(int(at / base), stream=pictures, backward=True)
    found: VideoFrame | None = None
    for frame in container.decode(pictures):
        if at is not None and _time(frame) > at:
            if found is not None:
                break
            continue
        if found is None or _time(frame) >= _time(found):
            found = frame
    return found


def _end(container: InputContainer, pictures: VideoStream, last: VideoFrame, start: Fraction) -> Fraction:
    """When the clip ends, at the latest."""
    length = (pictures.duration or 0) * exact(pictures.time_base)
    return max(start + length, _time(last) + (last.duration or 0) * exact(last.time_base))


def _time(frame: VideoFrame) -> Fraction:
    return (frame.pts or 0) * exact(frame.time_base)


def _sound(container: InputContainer, form: str) -> bytes:
    sound = sound_of(container)
    if sound is None:
        raise Unreadable("the clip has no sound")
    layout = "mono" if sound.codec_context.channels == 1 else "stereo"
    resampler = AudioResampler(format="s16" if form == "wav" else "s16p", layout=layout, rate=RATE_HZ)
    blocks = _blocks(container, resampler)
    return _wav(blocks, 1 if layout == "mono" else 2) if form == "wav" else _mp3(blocks, layout)


def _blocks(container: InputContainer, resampler: AudioResampler) -> Iterator[AudioFrame]:
    taken = 0
    for frame in container.decode(container.streams.audio[0]):
        for block in resampler.resample(frame):
            taken += block.samples
            if taken * 4 > MOST_BYTES:
                raise Unreadable(f"the clip's sound is larger than {MOST_BYTES // 1024**2} MiB")
            yield block
    yield from resampler.resample(None)


def _wav(blocks: Iterator[AudioFrame], channels: int) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(2)
        written.setframerate(RATE_HZ)
        for block in blocks:
            written.writeframes(bytes(block.planes[0])[: block.samples * channels * 2])
    return content.getvalue()


def _mp3(blocks: Iterator[AudioFrame], layout: str) -> bytes:
    content = io.BytesIO()
    with av.open(content, "w", format="mp3", options={"fflags": "+bitexact", "id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=RATE_HZ, layout=layout, format="s16p")
        stream.bit_rate = 192_000
        for block in blocks:
            block.pts = None
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return content.getvalue()
