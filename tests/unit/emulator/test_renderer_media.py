"""Reference pictures, clips and sounds are what is seen and heard."""

import struct
from dataclasses import replace
from pathlib import Path

import media
import numpy as np
import pytest
from PIL import Image
from renders import ORDER, frames, heard, seed_of

from runner.emulator import sound
from runner.emulator.camera import Move
from runner.emulator.chance import Chance
from runner.emulator.palette import choose
from runner.emulator.renderer import render

FRAME = replace(ORDER, width_px=320, height_px=240, sound=False)
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 180, 30), (30, 30, 220), (255, 255, 255)


def quarters(size: tuple[int, int]) -> Image.Image:
    """Red and green above, blue and white below."""
    picture = Image.new("RGB", (2, 2))
    picture.putdata([RED, GREEN, BLUE, WHITE])
    return picture.resize(size, Image.Resampling.NEAREST)


def corners(clip: Path, number: int = 12) -> list[np.ndarray]:
    """RGB beside the mark and above the card: upper left, upper right, lower left, lower right."""
    frame = frames(clip, "rgb24")[number].astype(int)
    height, width, _ = frame.shape
    rows, columns = (int(height * 0.25), int(height * 0.47)), (int(width * 0.15), int(width * 0.85))
    return [frame[r - 5 : r + 5, c - 5 : c + 5].mean(axis=(0, 1)) for r in rows for c in columns]


def is_like(found: np.ndarray, wanted: tuple[int, int, int], within: float = 32) -> bool:
    return bool(np.abs(found - wanted).max() < within)


def still(tmp_path: Path, image: Path) -> list[np.ndarray]:
    render(replace(FRAME, image=image, seed=seed_of(Move.PUSH)), tmp_path / "clip.mp4")
    return corners(tmp_path / "clip.mp4")


def upper_half(tmp_path: Path, size: tuple[int, int]) -> Image.Image:
    """Red and green, blue and white fall below the middle of the frame: the card leaves the upper half to be seen."""
    picture = Image.new("RGB", size, WHITE)
    picture.paste(quarters((size[0], size[1] * 7 // 10)), (0, 0))
    return picture


@pytest.mark.parametrize("form", ["jpeg", "png", "bmp", "webp", "gif"])
def test_a_picture_is_shown_in_its_colours_and_the_right_way_up(tmp_path: Path, form: str) -> None:
    upper_half(tmp_path, (640, 480)).save(tmp_path / "image", form)
    for found, wanted in zip(still(tmp_path, tmp_path / "image"), (RED, GREEN, BLUE, WHITE), strict=True):
        assert is_like(found, wanted)


def test_a_turned_picture_is_shown_upright(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    upper_half(tmp_path, (640, 480)).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "image", "jpeg", exif=turned)
    assert is_like(still(tmp_path, tmp_path / "image")[0], RED)


def test_print_colours_and_sixteen_bits_are_shown(tmp_path: Path) -> None:
    upper_half(tmp_path, (640, 480)).convert("CMYK").save(tmp_path / "cmyk", "jpeg")
    assert is_like(still(tmp_path, tmp_path / "cmyk")[0], RED)
    grey = np.full((480, 640), 40000, np.uint16)
    Image.fromarray(grey).save(tmp_path / "grey", "png")
    assert is_like(still(tmp_path, tmp_path / "grey")[0], (156, 156, 156), 12)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_clear_in_a_picture_shows_a_ground(tmp_path: Path, mode: str) -> None:
    picture = upper_half(tmp_path, (640, 480)).convert("RGBA")
    clear = Image.new("L", picture.size, 255)
    clear.paste(0, (0, 0, 320, 480))
    picture.putalpha(clear)
    picture.convert(mode).save(tmp_path / "image", "png")
    left, right, *_ = still(tmp_path, tmp_path / "image")
    assert not is_like(left, RED)
    assert mode == "LA" or is_like(right, GREEN)


@pytest.mark.parametrize("size", [(1200, 200), (200, 1200), (40, 30)])
def test_a_picture_of_any_shape_fills_the_frame_undistorted(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    middle = (columns - width / 2) ** 2 + (rows - height * 0.42) ** 2 < (min(size) * 0.12) ** 2
    Image.fromarray(np.where(middle[:, :, None], WHITE, BLUE).astype(np.uint8)).save(tmp_path / "image", "png")
    render(
        replace(FRAME, width_px=400, height_px=400, image=tmp_path / "image", seed=seed_of(Move.PUSH)),
        tmp_path / "clip.mp4",
    )
    frame = frames(tmp_path / "clip.mp4", "rgb24")[12].astype(int)
    assert (frame.max(axis=2) > 25).all(), "no black bars"
    disc = (frame[60:290] > 150).all(axis=2)
    tall, wide = disc.any(axis=1).sum(), disc.any(axis=0).sum()
    assert 0.85 < wide / tall < 1.18


def test_clips_are_cut_against_each_other_and_begin_again(tmp_path: Path) -> None:
    one = media.clip(tmp_path / "one.mp4", 0.5, size=(160, 120), colour=RED, audio=None)
    two = media.clip(tmp_path / "two.mp4", 0.5, size=(160, 120), colour=BLUE, audio=None)
    render(replace(FRAME, videos=(one, two), seconds=5), tmp_path / "clip.mp4")
    shown = ["red" if f[60, 100, 0] > f[60, 100, 2] else "blue" for f in frames(tmp_path / "clip.mp4", "rgb24")]
    assert shown == ["red"] * 48 + ["blue"] * 48 + ["red"] * 24


def test_a_clip_is_shown_at_its_own_speed(tmp_path: Path) -> None:
    clip = media.clip(
        tmp_path / "fast.mp4", 1, size=(160, 120), fps=60, marks=(0.25, 0.5), colour=(60, 60, 60), audio=None
    )
    source = [frame.mean() > 150 for frame in frames(clip)]
    render(replace(FRAME, videos=(clip,), seconds=2), tmp_path / "clip.mp4")
    shown = [frame[60:100, 150:].mean() > 150 for frame in frames(tmp_path / "clip.mp4")]
    assert shown == [source[number * 60 // 24 % 60] for number in range(48)]
    assert 0 < sum(shown) < 12


def test_a_clip_that_lies_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    """By the matrix of its track header, as telephones write it: a quarter turn to the right brings the left side up."""
    plain = media.clip(tmp_path / "plain.mp4", 0.5, size=(120, 96), audio=None)  # brighter towards the right
    content = bytearray(plain.read_bytes())
    at = content.index(b"tkhd") + 4 + 40
    content[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    (tmp_path / "turned.mp4").write_bytes(content)
    for clip, axis in ((plain, 1), (tmp_path / "turned.mp4", 0)):
        render(replace(FRAME, videos=(clip,)), tmp_path / "clip.mp4")
        seen = frames(tmp_path / "clip.mp4")[0][50:150, 60:260].astype(int)
        assert np.diff(seen, axis=axis).sum() > 10 * abs(np.diff(seen, axis=1 - axis).sum())


LOUD = 0.02


def test_driving_audio_is_heard_without_a_gap_and_cut_at_the_end(tmp_path: Path) -> None:
    audio = media.tone(tmp_path / "audio.wav", 3, "wav", hz=500)
    render(replace(FRAME, sound=True, audio=audio, seconds=2), tmp_path / "clip.mp4")
    found = heard(tmp_path / "clip.mp4")[0, 4_800:91_200]
    turns = 2 * np.pi * 500 * np.arange(len(found)) / sound.RATE
    wave = np.stack([np.sin(turns), np.cos(turns)], axis=1)
    fitted, *_ = np.linalg.lstsq(wave, found, rcond=None)
    assert np.hypot(*fitted) == pytest.approx(0.25, rel=0.05)
    assert np.abs(found - wave @ fitted).max() < 0.03


def test_a_sound_is_heard_to_its_last_sample(tmp_path: Path) -> None:
    track = sound.decoded(media.tone(tmp_path / "audio.wav", 1, "wav", rate=44_100), 2, "the audio")
    assert track
    assert sound.RATE - 12 <= np.flatnonzero(track.samples[0]).max() <= sound.RATE + 12


@pytest.mark.parametrize("form", ["mp3", "wav", "flac", "m4a", "ogg"])
def test_silence_follows_a_shorter_sound(tmp_path: Path, form: str) -> None:
    audio = media.tone(tmp_path / "audio", 1, form, hz=500)
    render(replace(FRAME, sound=True, audio=audio, seconds=2), tmp_path / "clip.mp4")
    found = np.abs(heard(tmp_path / "clip.mp4"))
    assert found[:, 10_000:46_000].max() > 0.15
    assert found[:, 54_000:96_000].max() < LOUD


def test_a_reference_clip_brings_its_sound_and_a_mute_one_a_chord(tmp_path: Path) -> None:
    loud = media.clip(tmp_path / "loud.mp4", 1, size=(160, 120), rate=44_100, layout="mono", tone=500)
    mute = media.clip(tmp_path / "mute.mp4", 1, size=(160, 120), audio=None)
    for clip, level in ((loud, (0.15, 1.0)), (mute, (0.01, 0.15))):
        render(replace(FRAME, sound=True, videos=(clip,)), tmp_path / "clip.mp4")
        assert level[0] < np.abs(heard(tmp_path / "clip.mp4")[:, 12_000:36_000]).max() < level[1]


def test_the_chord_is_quiet_and_fades_at_both_ends_and_follows_the_seed() -> None:
    chords = [
        sound.ambience(choose("dawn", chance), chance, 3) for chance in (Chance.of("m", "dawn", s) for s in (1, 2))
    ]
    for chord in chords:
        assert chord.samples.shape == (2, 3 * sound.RATE)
        assert 0.03 < np.abs(chord.samples).max() < 0.2
        assert np.abs(chord.samples[:, :200]).max() < 0.001
        assert np.abs(chord.samples[:, -200:]).max() < 0.001
        assert np.abs(chord.samples[0] - chord.samples[1]).max() > 0.005, "both ears"
    assert np.abs(chords[0].samples - chords[1].samples).max() > 0.01
