"""The film's sound: samples to every frame, silence where a clip has none, faded over transitions, coded."""

from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from runner.adapters.streams import exact, sound_of
from runner.steps.clip import Clip
from runner.steps.cut import SAMPLE_RATE, CutPlan, Part, joined, samples

BIT_RATE = 192_000
TOLERANCE = SAMPLE_RATE // 20  # a block this far from where it should stand is moved there; less is rounding

Samples = npt.NDArray[np.float32]  # (2, n): left and right, full scale 1


def add_stream(container: OutputContainer) -> AudioStream:
    stream: AudioStream = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo", bit_rate=BIT_RATE)
    stream.codec_context.thread_count = 1
    return stream


def packets(blocks: Iterator[Samples], stream: AudioStream) -> "Iterator[Packet[Any]]":
    """The sound, coded."""
    place = 0
    for block in blocks:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, place, Fraction(1, SAMPLE_RATE)
        place += block.shape[1]
        yield from stream.encode(frame)
    yield from stream.encode(None)


def of_clips(plan: CutPlan, clips: tuple[Clip | None, ...]) -> Iterator[Samples]:
    """The clips' own sound under each frame of the film. Raises Unreadable."""
    sources = dict(zip((id(part) for part in plan.parts), clips, strict=True))

    def silence(frame: int) -> Samples:
        return np.zeros((2, plan.samples_of(frame)), np.float32)

    def read(part: Part) -> Generator[Samples, None, None]:
        clip = sources[id(part)]
        if clip and clip.has_sound:
            return _of_clip(clip, part, plan)
        return (silence(part.start + number) for number in range(part.frames))

    def mix(old: Samples, new: Samples, number: int, part: Part) -> Samples:
        """Constant power: two sounds that have nothing to do with each other keep their loudness over the transition."""
        count = old.shape[1]
        steps = (number * count + np.arange(count) + 0.5) / (part.overlap * count)
        angle = (steps * (np.pi / 2)).astype(np.float32)
        mixed: Samples = np.clip(old * np.cos(angle) + new * np.sin(angle), -1, 1)
        return mixed

    def dim(block: Samples, begin: Fraction, end: Fraction) -> Samples:
        shares = np.linspace(float(begin), float(end), block.shape[1], dtype=np.float32)
        dimmed: Samples = block * np.sin(shares * np.float32(np.pi / 2))
        return dimmed

    return joined(plan, read, mix, dim, silence)


def _of_clip(clip: Clip, part: Part, plan: CutPlan) -> Generator[Samples, None, None]:
    """The samples under each of the part's frames; silence before the clip's sound begins and after it ends."""
    skip, frame, end = samples(part.first / plan.fps), part.start, part.start + part.frames
    pending: Samples = np.zeros((2, 0), np.float32)
    for block in _of_file(clip):
        dropped = min(skip, block.shape[1])
        skip -= dropped
        pending = np.concatenate((pending, block[:, dropped:]), axis=1)
        while pending.shape[1] >= (wanted := plan.samples_of(frame)):
            yield pending[:, :wanted]
            pending, frame = pending[:, wanted:], frame + 1
            if frame == end:
                return
    for number in range(frame, end):
        full = np.zeros((2, plan.samples_of(number)), np.float32)
        full[:, : pending.shape[1]] = pending
        pending = pending[:, :0]
        yield full


def _of_file(clip: Clip) -> Iterator[Samples]:
    """All sound of a clip, its first sample at the clip's first picture."""
    with clip.opened() as container:
        yield from decoded(container, clip.begins)


def decoded(container: InputContainer, begins: Fraction) -> Iterator[Samples]:
    """All sound of a file at 48 kHz, its first sample at the time `begins` of it."""
    stream = sound_of(container)
    assert stream
    # One channel stays one here and is doubled below: turned to two by the resampler it would lose 3 dB.
    layout = "mono" if stream.codec_context.channels == 1 else "stereo"
    resampler = AudioResampler(format="fltp", layout=layout, rate=SAMPLE_RATE)
    given = 0.0  # samples of the film's rate, those still in the resampler included
    surplus = 0
    for frame in container.decode(stream):
        if frame.pts is not None and frame.time_base:
            due = round((frame.pts * exact(frame.time_base) - begins) * SAMPLE_RATE)
            if due - given > (TOLERANCE if given else 0):
                yield np.zeros((2, round(due - given)), np.float32)
                given = due
            elif given - due > (TOLERANCE if given else 0):
                surplus, given = round(given - due), due
        given += frame.samples * SAMPLE_RATE / frame.sample_rate
        frame.pts = None  # the resampler fills no gaps of its own
        for block in resampler.resample(frame):
            both = _both(block)
            cut = min(surplus, both.shape[1])
            surplus -= cut
            yield both[:, cut:]
    for block in resampler.resample(None):
        yield _both(block)


def _both(block: AudioFrame) -> Samples:
    channels = block.to_ndarray().astype(np.float32, copy=False)
    return np.repeat(channels, 2, axis=0) if channels.shape[0] == 1 else channels
