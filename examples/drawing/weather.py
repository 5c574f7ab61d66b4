"""What is heard on the coast: wind, surf, thunder far away, steps on a path. All of it is noise, shaped.

Sound is (2, samples) at 44.1 kHz, float32 within -1..1.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

RATE = 44_100
Samples = NDArray[np.float64]
Sound = NDArray[np.float32]
Bands = tuple[tuple[float, float], ...]  # (Hz, loudness), rising; between them straight lines over the logarithm


def storm(seconds: float) -> Sound:
    """Gusts over the sea, two waves that break, one long thunder; faded at both ends."""
    draw = np.random.default_rng(1886)
    time = _time(seconds)
    sides = []
    for side in range(2):
        sound = 0.55 * _gusts(draw, time, side)
        for at, size in ((0.2, 0.7), (3.6, 1.0)):
            sound += size * _breaker(draw, time, at + 0.06 * side)
        sound += 1.25 * _thunder(draw, time, 2.1, side)
        sides.append(sound)
    return _finished(sides, time, peak=0.55, fade_s=(0.35, 0.6))


def path(seconds: float, steps_s: Iterable[float]) -> Sound:
    """A quiet wind that joins its own beginning, and a step on gravel at each of these times."""
    draw = np.random.default_rng(1887)
    time = _time(seconds)
    steps = sum((_step(draw, time, at, 0.75 + 0.25 * (n % 2)) for n, at in enumerate(steps_s)), np.zeros(len(time)))
    sides = []
    for side in range(2):
        turns = 2 * math.pi * time / seconds
        swell = 0.6 + 0.25 * np.sin(turns + 0.8 * side) + 0.15 * np.sin(2 * turns + 2.1)
        wind = _noise(draw, time, ((60, 0.0), (140, 1.0), (420, 0.8), (1200, 0.12), (4000, 0.0))) * swell
        surf = _noise(draw, time, ((100, 0.0), (500, 0.5), (2500, 0.2), (7000, 0.0))) * (0.5 - 0.5 * np.cos(turns + 1))
        sides.append(0.34 * wind + 0.16 * surf + steps)
    return _finished(sides, time, peak=0.4, fade_s=(0.0, 0.0))


def _time(seconds: float) -> Samples:
    return np.arange(round(seconds * RATE)) / RATE


def _noise(draw: np.random.Generator, time: Samples, bands: Bands) -> Samples:
    """Noise of this spectrum, one on the mean; its end joins its beginning."""
    count = len(time)
    spectrum = np.fft.rfft(draw.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    shape = np.interp(
        np.log(np.maximum(hertz, 1)), [math.log(b[0]) for b in bands], [b[1] for b in bands], left=0, right=0
    )
    sound: Samples = np.fft.irfft(spectrum * shape, count)
    sound /= np.sqrt(np.mean(sound**2))
    return sound


def _gusts(draw: np.random.Generator, time: Samples, side: int) -> Samples:
    """Broad wind, and three whistling bands that come and go by themselves."""
    slow = 0.62 + 0.38 * np.sin(2 * math.pi * 0.23 * time - 0.9 + 0.3 * side)
    sound = 0.8 * slow * _noise(draw, time, ((50, 0.0), (110, 1.0), (350, 0.7), (1000, 0.1), (3500, 0.0)))
    for hertz, level, rate, turn in ((430, 0.30, 0.31, 0.4), (690, 0.22, 0.43, 2.2), (1040, 0.12, 0.37, 4.0)):
        whistle = _noise(draw, time, ((hertz * 0.9, 0.0), (hertz, 1.0), (hertz * 1.1, 0.0)))
        sound += level * whistle * np.clip(np.sin(2 * math.pi * rate * time + turn + 0.25 * side), 0, 1) ** 1.5
    return sound


def _breaker(draw: np.random.Generator, time: Samples, at_s: float) -> Samples:
    """A wave that rises for a second, breaks, and runs back over stones."""
    since = time - at_s
    rise = np.clip(since / 1.1, 0, 1) ** 2 * np.exp(-np.maximum(since - 1.1, 0) / 0.7)
    back = np.clip((since - 1.0) / 0.5, 0, 1) * np.exp(-np.maximum(since - 1.5, 0) / 0.9)
    roar = _noise(draw, time, ((40, 0.2), (120, 1.0), (600, 0.6), (2500, 0.25), (8000, 0.0)))
    hiss = _noise(draw, time, ((900, 0.0), (3000, 1.0), (7000, 0.6), (13000, 0.0)))
    return 0.75 * rise * roar + 0.16 * back * hiss + 0.10 * rise * hiss


def _thunder(draw: np.random.Generator, time: Samples, at_s: float, side: int) -> Samples:
    """Low, in rolls, each after the last; far away there is no crack in it."""
    rumble = _noise(draw, time, ((22, 0.0), (38, 1.0), (80, 0.8), (160, 0.3), (420, 0.06), (900, 0.0)))
    envelope = np.zeros(len(time))
    for after, size, length in (
        (0.0, 0.55, 0.5),
        (0.38, 1.0, 0.7),
        (0.95, 0.6, 0.5),
        (1.5, 0.85, 0.8),
        (2.4, 0.4, 1.1),
    ):
        since = time - at_s - after - 0.04 * side
        envelope += size * np.clip(since / 0.09, 0, 1) * np.exp(-np.maximum(since, 0) / length) * (since > 0)
    tremble = 0.75 + 0.25 * np.sin(2 * math.pi * 6.5 * time + 1.5 * np.sin(2 * math.pi * 1.7 * time))
    return rumble * np.minimum(envelope, 1.3) * tremble


def _step(draw: np.random.Generator, time: Samples, at_s: float, level: float) -> Samples:
    """Heel, then sole, then a few stones."""
    sound = np.zeros(len(time))
    for after, size, length, low in ((0.0, 1.0, 0.018, 55), (0.05, 0.55, 0.03, 300), (0.11, 0.35, 0.03, 700)):
        since = time - at_s - after
        shape = np.clip(since / 0.004, 0, 1) * np.exp(-np.maximum(since, 0) / length) * (since > 0)
        bands = ((low, 0.0), (low * 2.2, 1.0), (low * 7, 0.35), (low * 20, 0.0))
        sound += size * level * shape * _noise(draw, time, bands)
    return 2.2 * sound


def _finished(sides: list[Samples], time: Samples, *, peak: float, fade_s: tuple[float, float]) -> Sound:
    sound = np.stack(sides)
    sound = np.tanh(sound / np.quantile(np.abs(sound), 0.999) * 1.1)
    for length, away in zip(fade_s, (time, time[::-1]), strict=True):
        if length:
            sound *= np.sin(np.clip(away / length, 0, 1) * math.pi / 2) ** 2
    sound *= peak / np.abs(sound).max()
    loud: Sound = sound.astype(np.float32)
    return loud
