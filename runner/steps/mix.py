"""The mix: the clips' own sound, music that makes room, and voices, frame by frame and as loud as it is to be."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path

import av.error
import numpy as np

from runner.adapters.signature import Unreadable, identify
from runner.adapters.streams import exact, open_probed, sound_of
from runner.language.cut import Sound, Under
from runner.steps import loudness
from runner.steps.clip import Clip
from runner.steps.cut import CutPlan, Stopped
from runner.steps.score import Score, Strip, linear, lowered, score
from runner.steps.sound import Samples, decoded, of_clips

HEARD = linear(-40)  # a frame whose samples' root mean square is above it is one in which something is said

Blocks = Callable[[], Iterator[Samples]]  # the same sound again each time it is asked for


def mixed(
    sound: Sound,
    plan: CutPlan,
    clips: tuple[Clip | None, ...],
    files: Mapping[str, Path],
    seconds: Mapping[str, Fraction],
    stopped: Callable[[], bool],
) -> Iterator[Samples]:
    """The film's sound, as long as its pictures to the sample. `files` and their `seconds` by path.

    It is listened to before it is given: what is said, then how loud it is; so everything is decoded several times and nothing
    is kept. Raises BadCut, Unreadable, and Stopped once `stopped` says so.
    """
    asked = score(sound, plan, seconds)

    def own() -> Iterator[Samples]:
        return of_clips(plan, clips)

    def blocks() -> Iterator[Samples]:
        return _mix(asked, plan, own, files, down)

    def going(source: Blocks) -> Iterator[Samples]:
        for block in source():
            if stopped():
                raise Stopped
            yield block

    down = [0.0] * (plan.frames + 1)
    if asked.duck is not None and asked.music is not None:
        active = [False] * plan.frames
        if Under.VOICE in asked.duck.under:
            active = _heard(going(lambda: _voices(asked, plan, files)), 1, active)
        if Under.CLIPS in asked.duck.under and asked.clips_gain is not None:
            active = _heard(going(own), asked.clips_gain, active)
        down = lowered(active, plan, asked.duck)
    return loudness.levelled(lambda: going(blocks), asked.loudness_lufs, plan.samples_to(plan.frames))


def _heard(blocks: Iterator[Samples], gain: float, before: list[bool]) -> list[bool]:
    """Of each frame whether it was so before or is louder now than what is taken for silence."""
    levels = [float(np.sqrt(np.mean(np.square(block), dtype=np.float64))) * gain for block in blocks]
    return [was or level > HEARD for was, level in zip(before, levels, strict=True)]


def _mix(
    asked: Score, plan: CutPlan, own: Blocks, files: Mapping[str, Path], down: Sequence[float]
) -> Iterator[Samples]:
    with ExitStack() as opened:
        clips = iter(own()) if asked.clips_gain is not None else None
        music = opened.enter_context(closing(_played(asked.music, plan, files))) if asked.music else None
        voices = opened.enter_context(closing(_voices(asked, plan, files)))
        for frame in range(plan.frames):
            block = np.zeros((2, plan.samples_of(frame)), np.float32)
            if clips is not None and asked.clips_gain is not None:
                block += next(clips) * np.float32(asked.clips_gain)
            if music is not None and (played := next(music)) is not None:
                levels = np.linspace(-down[frame], -down[frame + 1], block.shape[1], dtype=np.float32)
                block += played * np.float32(10) ** (levels / np.float32(20))
            block += next(voices)
            yield block


def _voices(asked: Score, plan: CutPlan, files: Mapping[str, Path]) -> Generator[Samples, None, None]:
    with ExitStack() as opened:
        strips = [opened.enter_context(closing(_played(voice, plan, files))) for voice in asked.voices]
        for frame in range(plan.frames):
            block = np.zeros((2, plan.samples_of(frame)), np.float32)
            for strip in strips:
                if (played := next(strip)) is not None:
                    block += played
            yield block


def _played(strip: Strip, plan: CutPlan, files: Mapping[str, Path]) -> Generator[Samples | None, None, None]:
    """What sounds of the strip under each frame, None for nothing; its file is open only while it does."""
    for frame in range(plan.frames):
        if plan.samples_to(frame + 1) > strip.start:
            break
        yield None
    else:
        return
    with closing(_over_and_over(strip, files[strip.path])) as source:
        pending: Samples = np.zeros((2, 0), np.float32)
        for number in range(frame, plan.frames):
            begin, end = plan.samples_to(number), plan.samples_to(number + 1)
            first, last = max(begin, strip.start), min(end, strip.end)
            if first >= last:
                break
            while pending.shape[1] < last - first:
                pending = np.concatenate((pending, next(source)), axis=1)
            block = np.zeros((2, end - begin), np.float32)
            block[:, first - begin : last - begin] = pending[:, : last - first] * _gains(strip, first, last)
            pending = pending[:, last - first :]
            yield block
        else:
            return
    for _ in range(number, plan.frames):
        yield None


def _gains(strip: Strip, first: int, last: int) -> Samples | np.float32:
    """Level and fades of the strip for the film's samples from `first` to `last`."""
    fades = ((strip.fade_in, first - strip.start), (strip.fade_out, strip.end - last))
    if not any(away < fade for fade, away in fades):
        return np.float32(strip.gain)
    place = np.arange(first, last) + 0.5
    share = np.ones(last - first)
    for fade, away in ((strip.fade_in, place - strip.start), (strip.fade_out, strip.end - place)):
        if fade:
            share *= np.sin(np.clip(away / fade, 0, 1) * (np.pi / 2))
    gains: Samples = (share * strip.gain).astype(np.float32)
    return gains


def _over_and_over(strip: Strip, path: Path) -> Generator[Samples, None, None]:
    """The strip's part of its file without end, its beginning behind its end. Raises Unreadable."""
    while True:
        skip, left = strip.first, strip.length
        for block in _of_file(strip.path, path):
            dropped = min(skip, block.shape[1])
            skip -= dropped
            part = block[:, dropped : dropped + left]
            left -= part.shape[1]
            yield part
            if not left:
                break
        if left:
            yield np.zeros((2, left), np.float32)


def _of_file(name: str, path: Path) -> Iterator[Samples]:
    try:
        with open_probed(path, identify(path)) as container:
            stream = sound_of(container)
            if stream is None:
                raise Unreadable("the file holds no sound")
            late = max(0, stream.start_time or 0) * exact(stream.time_base)  # MP3 begins behind its encoder's run-in
            yield from decoded(container, late)
    except Unreadable as error:
        raise Unreadable(f"`{name}` cannot be used: {error.reason}") from None
    except av.error.FFmpegError as error:
        raise Unreadable(f"`{name}` cannot be decoded: {error.strerror}") from None
