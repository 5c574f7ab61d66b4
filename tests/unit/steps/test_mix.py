"""What is heard: every sound in its place and at its level, all of it as loud as it is to be."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest

from runner.adapters.media import Unreadable
from runner.core.diagnostics import Source, Span
from runner.core.media import Kind
from runner.language.cut import Duck, Music, Sound, Under, Voice
from runner.language.take import MediaUse
from runner.steps import loudness
from runner.steps.clip import survey
from runner.steps.cut import Piece, Stopped, plan_cut
from runner.steps.mix import mixed
from runner.steps.sound import Samples

RATE = 48_000
SPAN = Span(source=Source(path="f", name="f", text=""), line=1, column=1, end_line=1, end_column=2)
AS_IT_COMES: Mapping[str, Any] = {"loudness_lufs": None}


def use(path: str) -> MediaUse:
    return MediaUse(kind=Kind.AUDIO, path=path, span=SPAN)


def music(path: str = "theme.wav", **fields: Any) -> Music:
    return Music(file=use(path), span=SPAN, **fields)


def voice(after_s: str, path: str = "line.wav", **fields: Any) -> Voice:
    return Voice(file=use(path), span=SPAN, at=SPAN, after_s=Decimal(after_s), **fields)


def heard(
    folder: Path, sound: Sound, seconds: int = 4, *, fps: Fraction = Fraction(24), clip: Path | None = None
) -> np.ndarray:
    """The left side of a film of black, or of one clip, with this sound."""
    piece = Piece(name="a", clip=clip, seconds=seconds)
    clips = (survey("a", clip, fps) if clip else None,)
    plan = plan_cut([piece], [clips[0].seconds if clips[0] else None], fps=fps)
    files = {path.name: path for path in folder.iterdir()}
    lengths = dict.fromkeys(files, Fraction(3)) | {"line.wav": Fraction(1)}
    found = np.concatenate(list(mixed(sound, plan, clips, files, lengths, lambda: False)), axis=1)
    assert found.shape == (2, plan.samples_to(plan.frames))
    return found[0]


def level(wave: np.ndarray, begin: float, end: float) -> float:
    """The peak between two seconds."""
    return float(np.abs(wave[round(begin * RATE) : round(end * RATE)]).max(initial=0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of music and one of voice, each at a quarter of full scale."""
    found = tmp_path_factory.mktemp("sounds")
    for form in ("wav", "mp3", "m4a", "ogg", "flac"):
        media.tone(found / f"theme.{form}", 3, form, hz=440)
    media.tone(found / "line.wav", 1, "wav", rate=48_000, hz=1000)
    return found


@pytest.mark.parametrize("form", ["wav", "mp3", "m4a", "ogg", "flac"])
def test_music_of_any_format_begins_with_the_film_and_ends_with_itself(folder: Path, form: str) -> None:
    wave = heard(folder, Sound(music=music(f"theme.{form}"), **AS_IT_COMES))
    ideal = media.samples(3, 440)
    begin = wave[2000:100_000]
    assert np.abs(begin - ideal[2000:100_000]).max() < 0.02  # in its place to the sample: else a sine is far off
    assert level(wave, 0.01, 2.99) == pytest.approx(0.25, abs=0.02)
    assert level(wave, 3.05, 4) < 0.001


def test_music_goes_on_from_its_beginning_without_a_gap(folder: Path) -> None:
    wave = heard(folder, Sound(music=music(loop=True, in_s=Decimal("0.5"), out_s=Decimal("1.5")), **AS_IT_COMES))
    assert min(level(wave, at, at + 0.01) for at in np.arange(0, 4, 0.01)) > 0.2
    assert np.abs(wave[1000:40_000] - wave[49_000:88_000]).max() < 0.01


def test_music_fades_and_has_its_level(folder: Path) -> None:
    fades = {"fade_in_s": Decimal(1), "fade_out_s": Decimal("0.5"), "level_db": Decimal(-6)}
    wave = heard(folder, Sound(music=music(loop=True, **fades), **AS_IT_COMES))
    half = 0.25 * 10 ** (-6 / 20)
    assert level(wave, 1.1, 3.4) == pytest.approx(half, rel=0.05)
    rising = [level(wave, at, at + 0.1) for at in np.arange(0, 1, 0.1)]
    falling = [level(wave, at, at + 0.1) for at in np.arange(3.5, 4, 0.1)]
    assert rising == sorted(rising) and rising[0] < 0.05
    assert falling == sorted(falling, reverse=True) and level(wave, 3.99, 4) < 0.01


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001)])
def test_voices_begin_at_their_sample_and_sound_together(folder: Path, fps: Fraction) -> None:
    sound = Sound(voice=(voice("0.51234"), voice("2"), voice("2.5"), voice("3.75")), **AS_IT_COMES)
    wave = heard(folder, sound, fps=fps)
    begin = round(0.51234 * RATE)
    assert np.abs(wave[:begin]).max() == 0 < level(wave, 0.513, 0.514)
    ideal = media.samples(1, 1000)
    assert np.abs(wave[begin : begin + RATE] - ideal).max() < 0.001
    assert np.abs(wave[2 * RATE : 2 * RATE + 24_000] - ideal[:24_000]).max() < 0.001
    assert level(wave, 2.6, 2.9) == pytest.approx(0.5, abs=0.01)
    assert level(wave, 3.76, 4) == pytest.approx(0.25, abs=0.01)


def test_music_makes_room_for_a_voice_before_it_begins(folder: Path) -> None:
    duck = Duck(by_db=Decimal(20), attack_s=Decimal("0.5"), release_s=Decimal(1))
    quiet = voice("1", level_db=Decimal(-20))
    with_voice = heard(folder, Sound(music=music(loop=True), voice=(quiet,), duck=duck, **AS_IT_COMES))
    wave = with_voice - heard(folder, Sound(voice=(quiet,), **AS_IT_COMES))
    assert level(wave, 0, 0.4) == pytest.approx(0.25, rel=0.05)
    assert level(wave, 1.05, 1.95) == pytest.approx(0.025, rel=0.1)
    assert level(wave, 3.1, 4) == pytest.approx(0.25, rel=0.05)
    falling, rising = ([level(wave, a, a + 0.1) for a in np.arange(*ends, 0.1)] for ends in ((0.5, 0.9), (2.1, 2.9)))
    assert falling == sorted(falling, reverse=True) and rising == sorted(rising)


def test_music_makes_room_for_what_is_heard_in_the_clips(folder: Path, tmp_path: Path) -> None:
    clip = media.clip(tmp_path / "a.mp4", 4, size=(64, 64), tone=0, marks=(2.0,))
    duck = Duck(by_db=Decimal(40), attack_s=Decimal("0.1"), release_s=Decimal("0.1"), under=(Under.CLIPS,))
    wave = heard(folder, Sound(music=music(loop=True), duck=duck, **AS_IT_COMES), clip=clip)
    alone = heard(folder, Sound(**AS_IT_COMES), clip=clip)
    assert level(alone, 2.0, 2.03) > 0.8
    assert level(wave - alone, 2.0, 2.03) < 0.02 and level(wave - alone, 2.5, 4) == pytest.approx(0.25, rel=0.05)


def test_the_clips_own_sound_has_a_level_or_is_off(folder: Path, tmp_path: Path) -> None:
    clip = media.clip(tmp_path / "a.mp4", 2, size=(64, 64), tone=440)
    levels = [
        level(heard(folder, Sound(clips_db=db, **AS_IT_COMES), clip=clip), 0.5, 1.5)
        for db in (Decimal(0), Decimal(-6), None)
    ]
    assert levels == [pytest.approx(0.25, abs=0.01), pytest.approx(0.125, abs=0.01), 0]


# ---------------------------------------------------------------- loudness


def blocks(wave: np.ndarray) -> Iterator[Samples]:
    for begin in range(0, wave.shape[1], 2000):
        yield wave[:, begin : begin + 2000]


def noise(seconds: float, level: float, *, clicks: float = 0) -> np.ndarray:
    wave = np.random.default_rng(7).standard_normal((2, round(seconds * RATE))).astype(np.float32) * level
    if clicks:
        wave[:, ::9600] = clicks
    return wave


def test_loudness_is_that_of_the_standard() -> None:
    """EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS is -23 LUFS."""
    wave = np.stack([media.samples(20, 1000, level=10 ** (-23 / 20))] * 2)
    measured, peak = loudness.measure(blocks(wave))
    assert measured == pytest.approx(-23, abs=0.1)
    assert 20 * np.log10(peak) == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("target", [-16.0, -23.0])
@pytest.mark.parametrize(
    "wave",
    [noise(6, 0.003), noise(6, 0.3), noise(6, 0.02, clicks=0.9), noise(6.0123, 0.6)],
    ids=["faint", "loud", "with clicks", "overloaded"],
)
def test_a_mix_is_brought_to_its_loudness_and_its_peaks_are_held(wave: np.ndarray, target: float) -> None:
    made = list(loudness.levelled(lambda: blocks(wave), target, wave.shape[1]))
    measured, peak = loudness.measure(made)
    assert sum(block.shape[1] for block in made) == wave.shape[1]
    assert measured == pytest.approx(target, abs=0.3)
    assert 20 * np.log10(peak) <= -1.3


def test_a_mix_that_needs_no_limiter_is_changed_by_one_gain_alone() -> None:
    wave = noise(4, 0.01)
    made = np.concatenate(list(loudness.levelled(lambda: blocks(wave), -23, wave.shape[1])), axis=1)
    assert np.ptp(made / wave) < 1e-4


def test_silence_stays_silent_and_a_mix_may_stay_as_loud_as_it_comes() -> None:
    silence = np.zeros((2, 48_000), np.float32)
    assert not np.concatenate(list(loudness.levelled(lambda: blocks(silence), -16, 48_000))).any()
    wave = noise(2, 0.05)
    assert np.array_equal(
        np.concatenate(list(loudness.levelled(lambda: blocks(wave), None, wave.shape[1])), axis=1), wave
    )


# ---------------------------------------------------------------- faults


def test_a_file_that_breaks_is_named(folder: Path, tmp_path: Path) -> None:
    for name, content in (("theme.wav", b"no sound"), ("line.wav", (folder / "line.wav").read_bytes()[:40])):
        (tmp_path / name).write_bytes(content)
        sound = Sound(music=music(name), **AS_IT_COMES)
        with pytest.raises(Unreadable, match=f"`{name}` cannot be"):
            heard(tmp_path, sound)


def test_listening_ends_where_the_run_is_stopped(folder: Path) -> None:
    plan = plan_cut([Piece(name="a", clip=None, seconds=4)], [None])
    asked = iter([False] * 10 + [True])
    files = {"theme.wav": folder / "theme.wav"}
    with pytest.raises(Stopped):
        list(mixed(Sound(music=music()), plan, (None,), files, {"theme.wav": Fraction(3)}, lambda: next(asked)))
