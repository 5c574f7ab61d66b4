"""A small order for the renderer's tests, and what is seen and heard in a finished clip."""

from pathlib import Path

import av
import numpy as np

from runner.emulator import camera
from runner.emulator.chance import Chance
from runner.emulator.renderer import Order

ORDER = Order(
    model="wan2.7-text-to-video",
    prompt="A keeper at dawn",
    width_px=320,
    height_px=180,
    seconds=1,
    seed=7,
    label="arrival@dawn.2",
)


def frames(clip: Path, form: str = "gray") -> list[np.ndarray]:
    """Every frame: luma, or `rgb24`."""
    with av.open(str(clip)) as file:
        return [frame.reformat(format=form).to_ndarray() for frame in file.decode(video=0)]


def heard(clip: Path) -> np.ndarray:
    """What a player plays: (2, samples), the encoder's run-in taken off as the edit list says."""
    with av.open(str(clip)) as file:
        return np.concatenate([f.to_ndarray() for f in file.decode(audio=0) if f.pts >= 0], axis=1)


def seed_of(move: camera.Move) -> int:
    return next(
        seed
        for seed in range(1, 1000)
        if camera.choose(Chance.of(ORDER.model, ORDER.prompt, seed), width_px=320, height_px=180) is move
    )
