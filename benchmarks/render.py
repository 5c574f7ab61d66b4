"""How fast the emulator's renderer is: seconds of clip made by one core in one second, in whole fresh processes.

    python benchmarks/render.py [RUNS]

Every row is the median of RUNS (5) processes, each rendering its clip of 5 seconds once to warm up and once measured,
in processor time. The last row is what the encoders alone take for still pictures and silence: the rest is drawing.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from PIL import Image

from runner.emulator import camera
from runner.emulator.chance import Chance
from runner.emulator.mp4 import Mp4
from runner.emulator.renderer import Order, render
from runner.emulator.sound import RATE, Track

SECONDS = 5
SIZES = {"480p": (832, 480), "720p": (1280, 720), "1080p": (1920, 1080)}
PROMPT = "35mm film, soft grain. An old keeper in a yellow raincoat climbs to the lamp at dawn; the sea is heard below."
MODEL = "wan2.7-text-to-video"


def seed_of(move: camera.Move, size: tuple[int, int]) -> int:
    seeds = range(1, 10_000)
    return next(
        s for s in seeds if camera.choose(Chance.of(MODEL, PROMPT, s), width_px=size[0], height_px=size[1]) is move
    )


def orders(size: tuple[int, int], folder: Path) -> dict[str, Order]:
    image, video = folder / "image.jpg", folder / "video.mp4"
    order = Order(
        model=MODEL,
        prompt=PROMPT,
        width_px=size[0],
        height_px=size[1],
        seconds=SECONDS,
        seed=seed_of(camera.Move.LEFT, size),
        label="a.1",
    )
    push = replace(order, seed=seed_of(camera.Move.PUSH, size))
    return {
        "scene, travelling": order,
        "scene, diagonal": replace(order, seed=seed_of(camera.Move.RISE_LEFT, size)),
        "scene, push": push,
        "scene, travelling, no sound": replace(order, sound=False),
        "picture, travelling": replace(order, image=image),
        "picture, push": replace(push, image=image),
        "clip 1280x720": replace(order, videos=(video,)),
        "clip 1280x720, two in turn": replace(order, videos=(video, video)),
        "three shots": replace(order, prompt=f"[0-2s] {PROMPT} [2-3s] Close-up. [3-5s] The sea at night."),
    }


def encoders_alone(order: Order, target: Path) -> None:
    silence = Track(samples=np.zeros((2, order.seconds * RATE), np.float32))
    with Mp4(target, width_px=order.width_px, height_px=order.height_px, fps=order.fps, sound=silence) as clip:
        for plane in clip.picture:
            plane[:] = 128
        for number in range(order.frames):
            clip.add(number)


def media(folder: Path) -> None:
    draw = np.random.Generator(np.random.PCG64(1))
    total = np.zeros((1080, 1620, 3), np.float32)
    for cells in (4, 9, 20, 45, 100, 220):
        rough = Image.fromarray(draw.integers(0, 256, (cells, cells * 3 // 2, 3), np.uint8))
        total += np.asarray(rough.resize((1620, 1080), Image.Resampling.BICUBIC), np.float32) / cells**0.6
    picture = Image.fromarray((total * (255 / total.max())).astype(np.uint8))
    picture.save(folder / "image.jpg", quality=92)
    with av.open(str(folder / "video.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(SECONDS * 24):
            frame = av.VideoFrame.from_image(picture.crop((number, number, 1280 + number, 720 + number)))
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def one(size: str, row: str, folder: Path) -> None:
    """In the child: prints processor seconds of one clip, and its bytes."""
    target = folder / f"{os.getpid()}.mp4"
    named = orders(SIZES[size], folder)
    order = named.get(row, next(iter(named.values())))
    make = render if row in named else encoders_alone
    make(order, target)
    begun = time.process_time()
    make(order, target)
    print(json.dumps([time.process_time() - begun, target.stat().st_size]))
    target.unlink()


def main(runs: int) -> None:
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, PyAV {av.__version__}"
    )
    print(f"seconds of clip per second of one core (seconds for {SECONDS} s, kB); median of {runs} processes\n")
    print(f"{'':30}" + "".join(f"{size:>26}" for size in SIZES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media(folder)
        for row in [*orders(SIZES["720p"], folder), "encoders alone"]:
            cells = []
            for size in SIZES:
                command = [sys.executable, __file__, "--one", size, row, name]
                found = [
                    json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(runs)
                ]
                spent, length = statistics.median(f[0] for f in found), found[0][1]
                cells.append(f"{SECONDS / spent:8.1f} x ({spent:.2f}, {length // 1000:5})")
            print(f"{row:30}" + "".join(f"{cell:>26}" for cell in cells), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 5)
