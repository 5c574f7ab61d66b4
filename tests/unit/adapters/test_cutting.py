"""What is taken of a finished clip: the very frame, the whole sound, equal bytes each time."""

import hashlib
import io
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from runner.adapters.cutting import take
from runner.adapters.media import Probe
from runner.adapters.signature import Unreadable

FPS, FRAMES = 24, 60


def grey(number: int) -> int:
    return 30 + 3 * number


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty frames, each a little lighter, with frames that refer to later ones, and a tone."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "1", "g": "20", "bf": "3", "threads": "1"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="stereo")
        for number in range(FRAMES):
            picture = np.full((48, 64, 3), grey(number), dtype=np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        for start in range(0, 48_000 * FRAMES // FPS, 1024):
            block = av.AudioFrame.from_ndarray(np.zeros((2, 1024), dtype=np.float32), format="fltp", layout="stereo")
            block.sample_rate, block.pts = 48_000, start
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return path


def shade(content: bytes) -> int:
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.size, image.mode) == ("PNG", (64, 48), "RGB")
    pixel = image.getpixel((32, 24))
    assert isinstance(pixel, tuple)
    return int(pixel[1])


@pytest.mark.parametrize(
    ("selector", "number"),
    [
        ("frame:first", 0),
        ("frame:last", FRAMES - 1),
        ("frame:0.001", 0),
        ("frame:0.041", 0),
        ("frame:0.042", 1),
        ("frame:1", 24),
        ("frame:1.5", 36),
        ("frame:2.499", 59),
    ],
)
def test_the_frame_is_the_one_that_is_shown_then(clip: Path, selector: str, number: int) -> None:
    assert abs(shade(take(clip, selector, "png")) - grey(number)) <= 1


def test_there_is_no_frame_behind_the_end(clip: Path) -> None:
    with pytest.raises(Unreadable, match=r"no frame at 2\.6 s"):
        take(clip, "frame:2.6", "png")


@pytest.mark.parametrize(("selector", "form"), [("frame:last", "png"), ("sound", "wav"), ("sound", "mp3")])
def test_equal_clips_give_equal_bytes_in_the_child_and_here(clip: Path, selector: str, form: str) -> None:
    with Probe() as probe:
        found = probe.cutting(clip, selector, form)
    assert hashlib.sha256(found).digest() == hashlib.sha256(take(clip, selector, form)).digest()


def test_the_sound_is_whole(clip: Path, tmp_path: Path) -> None:
    with wave.open(io.BytesIO(take(clip, "sound", "wav"))) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 48_000)
        assert abs(Fraction(sound.getnframes(), 48_000) - Fraction(FRAMES, FPS)) < Fraction(1, 20)
    (tmp_path / "sound.mp3").write_bytes(take(clip, "sound", "mp3"))
    with Probe() as probe:
        facts = probe.facts(tmp_path / "sound.mp3")
    assert facts.format == "mp3" and facts.seconds is not None
    assert abs(facts.seconds - Fraction(FRAMES, FPS)) < Fraction(1, 10)


def test_a_silent_clip_has_no_sound_to_take(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), dtype=np.uint8), format="rgb24")))
        container.mux(video.encode(None))
    with pytest.raises(Unreadable, match="no sound"):
        take(path, "sound", "wav")
    assert shade(take(path, "frame:last", "png")) == shade(take(path, "frame:first", "png"))
