"""The clip itself: sizes, lengths, tracks, and that nothing but the order decides its bytes."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import av
import media
import numpy as np
import pytest
from renders import ORDER, frames, seed_of

from runner.emulator import camera
from runner.emulator.renderer import BadMedia, render
from runner.emulator.sound import RATE

HOSTILE = (
    "",
    "\x00\x1b[31m\r\n\u2028\u202eabc\u2066 \ud800 \U000f0000",
    "夜の東京 😀👨‍👩‍👧🏽 العربية עברית e\u0301\u0336",
    "x" * 5000,
    "Ünïcode Ελληνικά Привет " * 90,
)


def boxes(clip: bytes) -> list[bytes]:
    names, at = [], 0
    while at < len(clip):
        names.append(clip[at + 4 : at + 8])
        at += int.from_bytes(clip[at : at + 4], "big")
    return names


@pytest.mark.parametrize(
    ("width", "height", "seconds", "fps"), [(320, 180, 2, 24), (180, 320, 1, 24), (208, 176, 3, 30)]
)
def test_a_clip_has_the_pixels_the_frames_and_the_length_that_were_ordered(
    tmp_path: Path, width: int, height: int, seconds: int, fps: int
) -> None:
    clip = tmp_path / "clip.mp4"
    render(replace(ORDER, width_px=width, height_px=height, seconds=seconds, fps=fps), clip)
    with av.open(str(clip)) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        assert (video.codec_context.name, video.pix_fmt, video.width, video.height) == (
            "h264",
            "yuv420p",
            width,
            height,
        )
        assert (video.average_rate, video.frames, video.duration * video.time_base) == (fps, seconds * fps, seconds)
        assert (audio.codec_context.name, audio.rate, audio.layout.name) == ("aac", RATE, "stereo")
        assert audio.duration * audio.time_base == seconds
        assert file.duration == seconds * av.time_base
        assert (video.start_time, audio.start_time) == (0, 0)
    assert len(frames(clip)) == seconds * fps


def test_a_clip_can_be_played_while_it_is_fetched_and_names_nobody(tmp_path: Path) -> None:
    clip = tmp_path / "some-telling-name.mp4"
    render(ORDER, clip)
    content = clip.read_bytes()
    assert boxes(content)[:2] == [b"ftyp", b"moov"]
    assert b"some-telling-name" not in content
    assert b"Lavf" not in content
    assert b" threads=1 " in content, "what x264 says of itself: more threads make other bytes on other machines"
    assert content[content.index(b"mvhd") + 8 :][:8] == bytes(8), "no time of making"


def test_without_sound_there_is_no_sound_track(tmp_path: Path) -> None:
    render(replace(ORDER, sound=False), tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as file:
        assert [stream.type for stream in file.streams] == ["video"]


@pytest.mark.parametrize("prompt", HOSTILE)
def test_any_text_can_be_rendered(tmp_path: Path, prompt: str) -> None:
    render(replace(ORDER, prompt=prompt, label=prompt, model=prompt, sound=False), tmp_path / "clip.mp4")
    assert len(frames(tmp_path / "clip.mp4")) == 24


def test_the_smallest_frame_has_room_for_its_card(tmp_path: Path) -> None:
    render(replace(ORDER, prompt="word " * 400, width_px=160, height_px=160), tmp_path / "clip.mp4")


@pytest.mark.parametrize("fault", [{"width_px": 321}, {"height_px": 158}, {"seconds": 0}, {"fps": 0}])
def test_an_order_that_cannot_be_rendered_cannot_be_made(fault: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"px|seconds|fps"):
        replace(ORDER, **fault)


def test_bad_media_is_said_in_one_line_and_leaves_no_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    clip = tmp_path / "clip.mp4"
    whole = media.picture(tmp_path / "whole.jpg", (400, 300)).read_bytes()
    video = media.clip(tmp_path / "whole.mp4", 1).read_bytes()
    sound = media.tone(tmp_path / "whole.mp3", 1)
    silent = media.clip(tmp_path / "silent.mp4", 1, audio=None)
    for content in (
        b"",
        b"ffconcat version 1.0\nfile whole.mp4\n",
        whole[: len(whole) // 2],
        video[: len(video) // 3],
        bytes(999),
    ):
        broken.write_bytes(content)
        for order in (
            replace(ORDER, image=broken),
            replace(ORDER, videos=(tmp_path / "whole.mp4", broken)),
            replace(ORDER, audio=broken),
        ):
            with pytest.raises(BadMedia) as fault:
                render(order, clip)
            assert "\n" not in fault.value.reason
            assert str(tmp_path) not in fault.value.reason
            assert not clip.exists()
    late = bytearray(media.clip(tmp_path / "late.mov", 1, audio=None, codec="png", pix_fmt="rgb24").read_bytes())
    at = late.rindex(b"IHDR")
    late[at : at + 40] = bytes(40)
    (tmp_path / "late.mov").write_bytes(late)
    with pytest.raises(BadMedia):
        render(replace(ORDER, videos=(tmp_path / "late.mov",), sound=False), clip)
    assert not clip.exists(), "broken only when half the clip was written"
    for order in (replace(ORDER, image=sound), replace(ORDER, videos=(sound,)), replace(ORDER, audio=silent)):
        with pytest.raises(BadMedia):
            render(order, clip)


FRESH = """
import hashlib, sys
from pathlib import Path
from runner.emulator.renderer import Order, render
folder, image, video, audio, *seeds = sys.argv[1:]
image, video, audio = Path(image), Path(video), Path(audio)
several = {"prompt": "Shot 1 [0-0.5s] The sea at dusk. Shot 2 [0.5-1s] Close-up: a face.", "videos": (video, video)}
for number, (seed, extra) in enumerate(zip(seeds, ({}, {}, {"image": image, "audio": audio}, {"videos": (video,)}, several))):
    target = Path(folder) / f"{number}.mp4"
    order = {"prompt": "A keeper at dawn", "width_px": 320, "height_px": 180, "seconds": 1, "seed": int(seed), **extra}
    render(Order(model="wan2.7-text-to-video", **order), target)
    print(hashlib.sha256(target.read_bytes()).hexdigest())
"""


def test_ten_fresh_processes_make_the_same_bytes(tmp_path: Path) -> None:
    image = media.picture(tmp_path / "image.jpg", (500, 400))
    video = media.clip(tmp_path / "video.mp4", 0.5, size=(192, 108))
    audio = media.tone(tmp_path / "audio.mp3", 0.5)
    moves = camera.Move.PUSH, camera.Move.RISE_LEFT, camera.Move.PULL, camera.Move.SINK, camera.Move.LEFT
    seeds = [str(seed_of(move)) for move in moves]
    running = []
    for number in range(10):
        folder = tmp_path / f"process-{number}"
        folder.mkdir()
        # Other hash orders, other rests in fresh memory, another clock and another folder.
        surroundings = {
            "PYTHONHASHSEED": str(number),
            "MALLOC_PERTURB_": str(number * 25),
            "TZ": ("Asia/Tokyo", "UTC")[number % 2],
            "LC_ALL": ("C", "C.UTF-8")[number % 2],
        }
        command = [sys.executable, "-c", FRESH, str(folder), str(image), str(video), str(audio), *seeds]
        running.append(
            subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | surroundings | {"PYTHONPATH": os.pathsep.join(sys.path)},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        if len(running) % 3 == 0:
            running[-3].wait()
    answers = {process.communicate(timeout=60)[0] for process in running}
    assert all(process.returncode == 0 for process in running)
    assert len(answers) == 1
    assert len(set(answers.pop().split())) == 5


def test_another_seed_is_visibly_another_clip(tmp_path: Path) -> None:
    pictures = []
    for seed in range(1, 7):
        render(replace(ORDER, width_px=640, height_px=360, seed=seed, sound=False), tmp_path / "clip.mp4")
        pictures.append(frames(tmp_path / "clip.mp4", "rgb24")[12].astype(int))
    for one, other in combinations(pictures, 2):
        assert np.abs(one - other).mean() > 6


def test_the_label_alone_leaves_the_picture_as_it_is(tmp_path: Path) -> None:
    plain, labelled = tmp_path / "plain.mp4", tmp_path / "labelled.mp4"
    render(replace(ORDER, label=""), plain)
    render(ORDER, labelled)
    assert np.abs(frames(plain)[3][:100].astype(int) - frames(labelled)[3][:100]).mean() < 0.5
