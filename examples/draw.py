# ruff: noqa: INP001  a script beside its package, run by hand
"""Draws and synthesises the media of the examples: `python examples/draw.py`, from the project's own environment.

Everything is made from this code alone and comes out the same each time, to the byte with the same versions of numpy,
Pillow and PyAV. The files are committed; nothing runs this by itself.
"""

from pathlib import Path

from drawing import files, keeper, music, products, walk, weather

HOME = Path(__file__).parent
LIGHTHOUSE, CATALOGUE = HOME / "lighthouse/media", HOME / "catalogue/media"


def main() -> None:
    keeper.portrait().save(LIGHTHOUSE / "keeper.png")
    seconds = walk.FRAMES / walk.FPS
    steps = [number * walk.STEP_FRAMES / 2 / walk.FPS for number in range(2 * walk.CYCLES)]
    heard = weather.path(seconds, steps)
    files.clip(LIGHTHOUSE / "gait.mp4", walk.frames(), (walk.WIDTH, walk.HEIGHT), walk.FPS, heard)
    for name, drawn in products.ALL.items():
        drawn().save(CATALOGUE / f"{name}.png")
    files.mp3(LIGHTHOUSE / "storm.mp3", weather.storm(7), 112)
    files.mp3(LIGHTHOUSE / "theme.mp3", music.theme(), 96)


if __name__ == "__main__":
    main()
