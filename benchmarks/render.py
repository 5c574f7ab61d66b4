"""How fast the emulator's renderer is: seconds of clip made by one core in one second, in whole fresh processes.

    python benchmarks/render.py [RUNS]

Every cell is the median of RUNS (5) processes, each making its clip of 5 seconds once to warm up and once measured, in
processor time. Three rows measure this machine at this hour: `the plain pan`, the least that a moving picture with a card
and sound can be (a still converted once, cut at even places, a flat card blended onto its planes, x264's ultrafast as it
comes), which is the yardstick of the goal "15 times real time at 1280x720"; `encoders alone`, for still pictures and
silence; `clip, codecs alone`, a reference clip decoded and encoded again with nothing drawn. Rounds go through all rows, so that a row's share of the plain pan (the last figure) is taken side by side.
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
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from runner.emulator import camera
from runner.emulator.chance import Chance
from runner.emulator.lens import view_of
from runner.emulator.mp4 import Mp4
from runner.emulator.renderer import Order, render
from runner.emulator.sound import RATE, Track

SECONDS = 5
SIZES = {"480p": (832, 480), "720p": (1280, 720), "1080p": (1920, 1080)}
PROMPT = "35mm film, soft grain. An old keeper in a yellow raincoat climbs to the lamp at dawn; the sea is heard below."
MODEL = "wan2.7-text-to-video"
PLAIN, CODECS, ENCODERS = "the plain pan", "clip, codecs alone", "encoders alone"


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


def codecs_alone(order: Order, target: Path) -> None:
    silence = Track(samples=np.zeros((2, order.seconds * RATE), np.float32))
    size = order.width_px, order.height_px
    with (
        av.open(str(order.videos[0])) as source,
        Mp4(target, width_px=size[0], height_px=size[1], fps=order.fps, sound=silence, filmed=True) as clip,
    ):
        stream = source.streams.video[0]
        stream.codec_context.thread_count = 1
        for number, frame in enumerate(source.decode(stream)):
            for into, plane in zip(clip.picture, view_of(frame), strict=True):
                into[: plane.shape[0], : plane.shape[1]] = plane[: into.shape[0], : into.shape[1]]
            clip.add(number)


def plain_pan(order: Order, target: Path) -> None:
    """The yardstick: see above. Its card covers what ours covers of a frame, a seventh."""
    width, height, frames = order.width_px, order.height_px, order.frames
    with Image.open(order.image or "") as file:
        wide, tall = round(width * 1.2) // 2 * 2, round(height * 1.2) // 2 * 2
        still = av.VideoFrame.from_image(file.resize((wide, tall), Image.Resampling.BICUBIC))
    plate = view_of(still.reformat(format="yuv420p"))
    left, top = round(width * 0.05), round(height * 0.7)
    card = slice(top, top + round(height * 0.24)), slice(left, left + round(width * 0.6))
    with av.open(str(target), "w", format="mp4", options={"fflags": "+bitexact"}) as clip:
        video = clip.add_stream("libx264", rate=order.fps, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.thread_count = 1
        audio = clip.add_stream("aac", rate=RATE, layout="stereo")
        tone = np.sin(np.arange(RATE, dtype=np.float32) * np.float32(220 * 2 * np.pi / RATE)) * np.float32(0.2)
        for number in range(frames):
            x = (wide - width) * number // (frames - 1) // 2 * 2
            y = (tall - height) * number // (frames - 1) // 2 * 2
            frame = av.VideoFrame(width, height, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, order.fps)
            into = view_of(frame)
            for plane, source, half in zip(into, plate, (1, 2, 2), strict=True):
                plane[:] = source[y // half : (y + height) // half, x // half : (x + width) // half]
            below = into.y[card]
            below[:] = (below.astype(np.uint16) * np.uint16(90) + np.uint16(40 * 166)) >> np.uint16(8)
            clip.mux(video.encode(frame))
            if number % order.fps == 0:
                heard = av.AudioFrame.from_ndarray(np.stack([tone, tone]), "fltp", "stereo")
                heard.sample_rate, heard.pts, heard.time_base = RATE, number // order.fps * RATE, Fraction(1, RATE)
                clip.mux(audio.encode(heard))
        for stream in (video, audio):
            clip.mux(stream.encode(None))


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
    if row == PLAIN:
        order, make = named["picture, travelling"], plain_pan
    elif row == ENCODERS:
        order, make = named["scene, travelling"], encoders_alone
    elif row == CODECS:
        order, make = named["clip 1280x720"], codecs_alone
    else:
        order, make = named[row], render
    make(order, target)
    begun = time.process_time()
    make(order, target)
    print(json.dumps([time.process_time() - begun, target.stat().st_size]))
    target.unlink()


def measured(rows: list[str], size: str, runs: int, folder: Path) -> dict[str, list[tuple[float, int]]]:
    """For each row of one size `runs` pairs of seconds and bytes, taken in rounds."""
    found: dict[str, list[tuple[float, int]]] = {row: [] for row in rows}
    for _ in range(runs):
        for row in rows:
            command = [sys.executable, __file__, "--one", size, row, str(folder)]
            spent, length = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            found[row].append((spent, length))
    return found


def main(runs: int) -> None:
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, Python {platform.python_version()}, PyAV {av.__version__}")
    print(f"seconds of clip per second of one core (seconds for {SECONDS} s, kB, of the plain pan); {runs} processes\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media(folder)
        for size in SIZES:
            rows = [PLAIN, *orders(SIZES[size], folder), CODECS, ENCODERS]
            found = measured(rows, size, runs, folder)
            print(size)
            for row in rows:
                spent = statistics.median(f[0] for f in found[row])
                share = statistics.median(a[0] / b[0] for a, b in zip(found[row], found[PLAIN], strict=True))
                length = found[row][0][1] // 1000
                print(f"  {row:30}{SECONDS / spent:8.1f} x ({spent:.2f} s, {length:5} kB, {share:.2f})", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 5)
