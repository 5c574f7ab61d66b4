from dataclasses import replace
from fractions import Fraction

import pytest
from bodies import I2V, REFERENCE, WAN27
from hypothesis import given
from hypothesis import strategies as st

from runner.contract import limits
from runner.core.media import Kind, MediaFacts

IMAGE, SOUND, CLIPS = I2V.media["image"], I2V.media["audio"], REFERENCE.media["videos"]
PICTURE = MediaFacts(kind=Kind.IMAGE, format="png", sha256="", size_bytes=10_000_000, width_px=360, height_px=2000)
TRACK = MediaFacts(kind=Kind.AUDIO, format="mp3", sha256="", size_bytes=15_000_000, seconds=Fraction(30))
CLIP = MediaFacts(
    kind=Kind.VIDEO, format="mov", sha256="", size_bytes=100_000_000, width_px=4, height_px=4, seconds=Fraction(2)
)


def test_what_keeps_every_limit_to_the_last_byte_is_taken() -> None:
    assert limits.faults(IMAGE, PICTURE, "a.png") == ()
    assert limits.faults(SOUND, TRACK, "a.mp3") == ()
    assert limits.faults(SOUND, replace(TRACK, seconds=Fraction(3)), "a.mp3") == ()
    assert limits.faults(CLIPS, CLIP, "a.mov") == ()
    assert limits.faults(CLIPS, replace(CLIP, format="mp4", seconds=Fraction(30)), "a.mp4") == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "gif"}, "`a.png` is gif; the model takes jpeg, png, bmp or webp"),
        ({"animated": True}, "`a.png` is an animated image; the model takes a still one"),
        ({"size_bytes": 10_000_001}, "`a.png` has 10000001 bytes; the model takes up to 10 MB"),
        ({"size_bytes": 10_400_000}, "`a.png` has 10.4 MB; the model takes up to 10 MB"),
        ({"size_bytes": 10 * 1024**2}, "`a.png` has 10.49 MB; the model takes up to 10 MB"),
        ({"width_px": 359}, "`a.png` is 359x2000 px; the model takes sides of 360 to 2000 px"),
        ({"height_px": 2001}, "`a.png` is 360x2001 px; the model takes sides of 360 to 2000 px"),
        ({"height_px": None}, "`a.png` is of unknown size; the model takes sides of 360 to 2000 px"),
        ({"transparent": True}, "`a.png` has transparent pixels; the model takes opaque images only"),
        ({"kind": Kind.VIDEO}, "`a.png` is a video; `image` takes an image"),
    ],
)
def test_a_picture_outside_its_limits_says_what_was_found_and_what_is_taken(
    change: dict[str, object], sentence: str
) -> None:
    assert limits.faults(IMAGE, replace(PICTURE, **change), "a.png") == (sentence,)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (Fraction(31), "`a.mp3` lasts 31 s; the model takes 3 to 30 s"),
        (Fraction(5, 2), "`a.mp3` lasts 2.5 s; the model takes 3 to 30 s"),
        (Fraction(30_024, 1000), "`a.mp3` lasts 30.02 s; the model takes 3 to 30 s"),
        (Fraction(30_004, 1000), "`a.mp3` lasts 30.004 s; the model takes 3 to 30 s"),
        (Fraction(30) + Fraction(1, 48_000), "`a.mp3` lasts 30.000021 s; the model takes 3 to 30 s"),
        (Fraction(30) + Fraction(1, 10**9), "`a.mp3` lasts a moment more than 30 s; the model takes 3 to 30 s"),
        (Fraction(3) - Fraction(1, 10**9), "`a.mp3` lasts just short of 3 s; the model takes 3 to 30 s"),
        (None, "`a.mp3` does not tell how long it is; the model takes 3 to 30 s"),
    ],
)
def test_a_length_is_shown_so_that_one_sees_on_which_side_it_is(seconds: Fraction | None, sentence: str) -> None:
    assert limits.faults(SOUND, replace(TRACK, seconds=seconds), "a.mp3") == (sentence,)


def test_every_broken_limit_is_told() -> None:
    broken = replace(PICTURE, format="gif", animated=True, size_bytes=2 * 10**7, width_px=10, transparent=True)
    assert len(limits.faults(IMAGE, broken, "a.gif")) == 5


def test_limits_are_each_models_own() -> None:
    two_seconds = replace(TRACK, seconds=Fraction(2))
    assert limits.faults(WAN27.media["audio"], two_seconds, "a.mp3") == ()
    assert limits.faults(SOUND, two_seconds, "a.mp3") != ()
    wav = replace(TRACK, format="wav")
    assert limits.faults(WAN27.media["audio"], wav, "a.wav") == ()
    assert limits.faults(SOUND, wav, "a.wav") == ("`a.wav` is wav; the model takes mp3",)


def test_transparency_passes_where_it_is_taken() -> None:
    assert limits.faults(replace(IMAGE, alpha=True), replace(PICTURE, transparent=True), "a.png") == ()


@given(st.integers(0, 3 * 10**7))
def test_a_size_is_never_shown_on_the_wrong_side_of_its_limit(size_bytes: int) -> None:
    found = limits.faults(IMAGE, replace(PICTURE, size_bytes=size_bytes), "a.png")
    assert (found != ()) is (size_bytes > 10_000_000)
    assert not any("has 10 MB" in sentence for sentence in found)
