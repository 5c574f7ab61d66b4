"""The theme of the lighthouse: four slow bars in D minor that join their own beginning, strings and a harp.

Sound is (2, samples) at 44.1 kHz, float32 within -1..1.
"""

import numpy as np
from numpy.typing import NDArray

from drawing.weather import RATE, Sound

Samples = NDArray[np.float64]

BAR_S = 4.0
# Of each bar: the bass, the strings' chord, the harp's eight notes; in half tones above A of 110 Hz.
BARS = (
    (-7, (5, 8, 12, 17), (17, 20, 24, 29, 24, 20, 24, 20)),  # D minor
    (-11, (1, 8, 13, 17), (13, 17, 20, 25, 20, 17, 20, 25)),  # B flat
    (-4, (3, 8, 12, 15), (15, 20, 24, 27, 32, 27, 24, 20)),  # F
    (-9, (3, 7, 10, 15), (15, 19, 22, 27, 22, 19, 15, 10)),  # C
)


def theme() -> Sound:
    length = round(len(BARS) * BAR_S * RATE)
    sides = []
    for side in range(2):
        sound = np.zeros(length)
        for number, (bass, chord, harp) in enumerate(BARS):
            begin_s = number * BAR_S
            _lay(sound, begin_s - 0.6, 0.9 * _string(_hertz(bass), side))
            for note in chord:
                _lay(sound, begin_s - 0.6, 0.42 * _string(_hertz(note), side))
            for step, note in enumerate(harp):
                pan = 0.75 + 0.25 * (-1) ** (step + side)
                _lay(sound, begin_s + step * BAR_S / len(harp), 0.7 * pan * _pluck(_hertz(note)))
        echo = sum(
            level * np.roll(sound, round((late + 0.013 * side) * RATE)) for late, level in ((0.31, 0.3), (0.74, 0.18))
        )
        sides.append(sound + echo)
    stereo = np.tanh(np.stack(sides) * 0.35)
    loud: Sound = (stereo * (0.6 / np.abs(stereo).max())).astype(np.float32)
    return loud


def _hertz(half_tones: int) -> float:
    return float(110 * 2 ** (half_tones / 12))


def _lay(sound: Samples, at_s: float, part: Samples) -> None:
    """Add a part; what goes beyond the end sounds at the beginning."""
    sound[(round(at_s * RATE) + np.arange(len(part))) % len(sound)] += part


def _string(hertz: float, side: int) -> Samples:
    """A bar and a bit of several players, none of whom is quite in tune."""
    time = np.arange(round((BAR_S + 1.2) * RATE)) / RATE
    swell = np.sin(np.clip(time / (BAR_S + 1.2), 0, 1) * np.pi) ** 0.8
    tone = np.zeros(len(time))
    for player, cents in enumerate((-5, 0, 6)):
        own = hertz * 2 ** ((cents + 2 * side) / 1200)
        trembling = 0.9 * np.sin(2 * np.pi * (4.6 + 0.3 * player) * time + player + side)
        for partial in range(1, 7):
            tone += np.sin(2 * np.pi * own * partial * time + partial * trembling * 0.12) / partial**1.9
    return tone / 3 * swell


def _pluck(hertz: float) -> Samples:
    time = np.arange(round(2.5 * RATE)) / RATE
    attack = np.clip(time / 0.004, 0, 1)
    return attack * sum(
        np.sin(2 * np.pi * hertz * partial * time) * np.exp(-time * (1.4 + 0.9 * partial)) / partial**1.5
        for partial in range(1, 6)
    )
