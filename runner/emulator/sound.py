"""The clip's sound: a file's own, cut and filled up, or a quiet chord in the mood of the picture."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from runner.emulator.brush import generator
from runner.emulator.chance import Chance
from runner.emulator.demux import opened
from runner.emulator.order import BadMedia
from runner.emulator.palette import Palette
from runner.emulator.planes import Floats

RATE = 48_000
MOST_CHANNELS, MOST_RATE = 16, 384_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """`samples` is (2, samples) at 48 kHz; `top_hz` is the highest that is heard in it, None for all of it."""

    samples: Floats
    top_hz: int | None = None


def decoded(path: Path, seconds: int, what: str) -> Track | None:
    """The first `seconds` of a file's sound, silence behind a shorter one; None where the file has no sound.

    Raises BadMedia.
    """
    with opened(path, what) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        if not 1 <= stream.channels <= MOST_CHANNELS or not 1 <= stream.rate <= MOST_RATE:
            raise BadMedia(f"{what} has {stream.channels} channels at {stream.rate} Hz")
        stream.codec_context.thread_count = 1
        wanted = seconds * RATE
        sound = np.zeros((2, wanted), np.float32)
        at = 0
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        try:
            for frame in container.decode(stream):
                for piece in resampler.resample(frame):
                    at = _append(sound, at, piece)
                if at >= wanted:
                    break
            else:
                for piece in resampler.resample(None):
                    at = _append(sound, at, piece)
        except (av.FFmpegError, ValueError, OSError):
            raise BadMedia(f"{what} cannot be decoded: it is damaged or cut short") from None
    if at == 0:
        raise BadMedia(f"{what} holds no sound")
    return Track(samples=np.nan_to_num(np.clip(sound, -1, 1), copy=False))


def _append(sound: Floats, at: int, piece: av.AudioFrame) -> int:
    samples = piece.to_ndarray()
    end: int = min(sound.shape[1], at + samples.shape[1])
    sound[:, at:end] = samples[:, : end - at]
    return end


COARSE = 8  # the chord has nothing above a kilohertz: it is made of every eighth sample
LEVEL = 0.11
MINOR = frozenset(("night", "storm", "fire", "space", "neon", "snow"))
CHORD_TOP_HZ = 4000
ROOTS_HZ = (98.0, 110.0, 123.5, 130.75, 146.75)


def ambience(palette: Palette, chance: Chance, seconds: int) -> Track:
    """A soft chord with a breath of wind, faded at both ends; peaks about -17 dBFS."""
    third = 6 / 5 if palette.name in MINOR else 5 / 4
    root = chance.pick("chord.root", ROOTS_HZ)
    voices = ((0.5, 0.30), (1.0, 0.34), (1.5, 0.22), (2.0, 0.16), (2 * third, 0.13), (3.0, 0.07), (4.5, 0.03))
    time = np.arange(seconds * RATE // COARSE) * (COARSE / RATE)
    sides = np.zeros((2, len(time)), np.float32)
    for number, (ratio, level) in enumerate(voices):
        swell = 0.7 + 0.3 * np.sin(time * (0.4 + 0.23 * number) + 6.28 * chance.unit(f"chord.swell.{number}"))
        for side, detune in ((0, 1.0), (1, 1.0012)):
            turns = time * (root * ratio * detune) + chance.unit(f"chord.turn.{number}.{side}")
            wave = np.sin(((turns % 1) * (2 * np.pi)).astype(np.float32))
            sides[side] += wave * (swell * level).astype(np.float32)
    sides += _wind(chance, len(time))
    sides *= np.float32(LEVEL)
    ends = np.minimum(1, np.minimum(time / 0.5, (seconds - time) / 0.8)).astype(np.float32)
    sides *= ends * ends * (3 - 2 * ends)
    return Track(samples=_finer(sides), top_hz=CHORD_TOP_HZ)


def _wind(chance: Chance, count: int) -> Floats:
    """Noise without its upper end, swelling slowly."""
    draw = generator(chance, "wind")
    raw = draw.random((2, count + 12), np.float32) - np.float32(0.5)
    sums = np.cumsum(raw, axis=1, dtype=np.float64)
    soft = (sums[:, 12:] - sums[:, :-12]).astype(np.float32) / np.float32(12)
    at = np.arange(count, dtype=np.float32) / np.float32(RATE / COARSE)
    swell = np.float32(0.6) + np.float32(0.4) * np.sin(
        at * np.float32(0.9) + np.float32(chance.unit("wind.turn") * 6.28)
    )
    wind: Floats = soft * swell * np.float32(chance.between("wind.level", 0.5, 1.6))
    return wind


def _finer(sides: Floats) -> Floats:
    """Straight lines between the coarse samples."""
    ahead = np.concatenate([sides[:, 1:], sides[:, -1:]], axis=1)
    fine = np.empty((2, sides.shape[1] * COARSE), np.float32)
    for k in range(COARSE):
        fine[:, k::COARSE] = sides + (ahead - sides) * np.float32(k / COARSE)
    return fine
