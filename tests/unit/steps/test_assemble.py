"""One film from any clips: every frame where the cut puts it, and its sound with it."""

import hashlib
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import av
import media
import numpy as np
import pytest

from runner.adapters.inspection import look, look_at_clip
from runner.core.media import ClipFacts
from runner.language.cut import Sound, Video
from runner.language.take import Join, Side, Transition
from runner.steps.assemble import BadCut, Piece, Unreadable, assemble

SIZE = (192, 108)
GREY = (90, 90, 90)
FLASH = 150  # mean luma above it is a flash


def pictures(path: Path) -> list[np.ndarray]:
    """Luma of all frames, (height, width), times checked."""
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
        assert [frame.pts * frame.time_base * 24 for frame in frames] == list(range(len(frames)))
        return [frame.to_ndarray()[: frame.height] for frame in frames]


def sound(path: Path) -> np.ndarray:
    """(2, samples) from the film's beginning to its announced end."""
    with av.open(str(path)) as film:
        stream = film.streams.audio[0]
        assert (stream.rate, stream.layout.name, stream.start_time) == (48_000, "stereo", 0)
        announced = stream.duration
        return np.concatenate([frame.to_ndarray() for frame in film.decode(stream)], axis=1)[:, :announced]


def flashes(path: Path) -> list[int]:
    """Frames at which a flash begins."""
    on = [frame[frame.shape[0] // 2].max() > FLASH for frame in pictures(path)]
    return [n for n, lit in enumerate(on) if lit and not (n and on[n - 1])]


def beeps(path: Path) -> list[float]:
    """Film frames, with fractions, at which a beep begins."""
    loud = np.abs(sound(path)).max(axis=0) > 0.35
    starts = np.flatnonzero(loud & ~np.concatenate(([False], loud[:-1])))
    return [start / 2000 for n, start in enumerate(starts) if n == 0 or start - starts[n - 1] > 2000]


def hold_together(path: Path, expected: Sequence[int]) -> None:
    """Every flash at its frame, every beep less than half a frame from it."""
    seen, heard = flashes(path), beeps(path)
    assert seen == list(expected)
    assert len(heard) == len(seen)
    assert max(abs(beep - flash) for beep, flash in zip(heard, seen, strict=True)) < 0.5


def hold_facts(facts: ClipFacts, path: Path) -> None:
    """What is said of the film is what a probe finds in it; sound is as long as the picture, to the sample."""
    assert look_at_clip(path) == facts
    with av.open(str(path)) as film:
        assert film.streams.audio[0].duration == facts.frames * 2000
    assert len(pictures(path)) == facts.frames
    assert list(path.parent.glob(".*")) == []


def marked(path: Path, seconds: float = 2, marks: Sequence[float] = (0.5, 1.5), **fields: object) -> Path:
    return media.clip(path, seconds, **({"size": SIZE, "colour": GREY, "tone": 0, "marks": marks} | fields))  # type: ignore[arg-type]


def piece(path: Path, **fields: object) -> Piece:
    return Piece(name=path.stem, clip=path, **fields)  # type: ignore[arg-type]


# --- clips that are alike are joined as they are ------------------------------------------------------------------


def packets(path: Path, stream: int) -> list[bytes]:
    with av.open(str(path)) as film:
        return [bytes(packet) for packet in film.demux(film.streams[stream]) if packet.size]


def test_clips_that_are_alike_are_copied_and_stay_together_over_all_joints(tmp_path: Path) -> None:
    one = marked(tmp_path / "one.mp4", 47 / 24, marks=(0.5, 1.5))
    facts = assemble([piece(one)] * 20, tmp_path / "film.mp4")
    hold_facts(facts, tmp_path / "film.mp4")
    hold_together(tmp_path / "film.mp4", [47 * n + m for n in range(20) for m in (12, 36)])
    assert packets(tmp_path / "film.mp4", 0) == packets(one, 0) * 20
    assert set(packets(tmp_path / "film.mp4", 1)) <= set(packets(one, 1))


def test_a_copied_sound_has_no_click_at_the_joint(tmp_path: Path) -> None:
    one = media.clip(tmp_path / "one.mp4", 1, size=SIZE, tone=480)
    assemble([piece(one)] * 3, tmp_path / "film.mp4")
    wave = sound(tmp_path / "film.mp4")[0]
    assert set(packets(tmp_path / "film.mp4", 1)) <= set(packets(one, 1))
    assert np.abs(np.diff(wave)).max() < 2 * np.abs(np.diff(media.samples(1, 480))).max()
    assert np.abs(wave).max() < 0.36


def test_pictures_are_copied_where_only_the_sound_has_to_be_made(tmp_path: Path) -> None:
    mute = marked(tmp_path / "mute.mp4", audio=None, marks=())
    loud = marked(tmp_path / "loud.mp4", rate=44_100)
    facts = assemble([piece(mute), piece(loud)], tmp_path / "film.mp4")
    hold_facts(facts, tmp_path / "film.mp4")
    hold_together(tmp_path / "film.mp4", [48 + 12, 48 + 36])
    assert packets(tmp_path / "film.mp4", 0) == packets(mute, 0) + packets(loud, 0)


def test_a_trim_of_nothing_changes_nothing(tmp_path: Path) -> None:
    one = marked(tmp_path / "one.mp4")
    untouched = assemble([piece(one), piece(one)], tmp_path / "film.mp4")
    whole = {"in_s": Decimal(0), "out_s": Decimal(2)}
    assert assemble([piece(one, **whole), piece(one, **whole)], tmp_path / "film.mp4") == untouched


# --- everything else is coded anew --------------------------------------------------------------------------------

ODD: dict[str, dict[str, object]] = {
    "like": {},
    "30 fps": {"fps": 30},
    "23.976 fps": {"fps": Fraction(24000, 1001)},
    "12 fps": {"fps": 12},
    "60 fps": {"fps": 60},
    "mono 44.1 kHz": {"rate": 44_100, "layout": "mono"},
    "8 kHz": {"rate": 8000, "layout": "mono"},
    "vertical": {"size": (108, 192)},
    "odd sides": {"size": (191, 107), "codec": "libx264", "pix_fmt": "yuv444p"},
    "larger": {"size": (640, 360)},
    "variable rate": {"every": (0, 1, 2, 10, 11, 13, 30, 37, 40, 47)},
    "10 bits": {"codec": "libx265", "pix_fmt": "yuv420p10le", "options": {"x265-params": "log-level=none"}},
    "vp9 in mp4": {"codec": "libvpx-vp9"},
    "mp3 sound": {"audio": "libmp3lame"},
}


@pytest.mark.parametrize("fields", ODD.values(), ids=ODD)
def test_any_clip_fits_any_film(tmp_path: Path, fields: dict[str, object]) -> None:
    first = marked(tmp_path / "first.mp4")
    odd = marked(tmp_path / "odd.mp4", **fields)
    facts = assemble([piece(first, out_s=Decimal("1.75")), piece(odd), piece(first)], tmp_path / "film.mp4")
    assert (facts.width_px, facts.height_px, facts.frames) == (*SIZE, 42 + 48 + 48)
    hold_facts(facts, tmp_path / "film.mp4")
    starts = (0, 42, 90)
    hold_together(tmp_path / "film.mp4", [start + mark for start in starts for mark in (12, 36)])


def test_trims_and_dissolves_are_exact_to_the_frame(tmp_path: Path) -> None:
    a, b = marked(tmp_path / "a.mp4", 3, marks=(1.5,)), marked(tmp_path / "b.mp4", 3, marks=(1.5,), fps=30)
    facts = assemble(
        [
            piece(a, in_s=Decimal("0.75")),
            piece(b, transition=Transition(seconds=Decimal("0.5")), out_s=Decimal("2.5")),
            piece(a),
        ],
        tmp_path / "film.mp4",
    )
    assert facts.frames == 54 + 60 - 12 + 72
    hold_facts(facts, tmp_path / "film.mp4")
    hold_together(tmp_path / "film.mp4", [36 - 18, 42 + 36, 102 + 36])


def test_a_dissolve_runs_evenly_from_one_picture_to_the_other(tmp_path: Path) -> None:
    dark = media.clip(tmp_path / "dark.mp4", 1, size=SIZE, colour=(40, 40, 40), tone=0)
    light = media.clip(tmp_path / "light.mp4", 1, size=SIZE, colour=(200, 200, 200), tone=0)
    assemble([piece(dark), piece(light, transition=Transition(seconds=Decimal("0.5")))], tmp_path / "film.mp4")
    levels = [float(frame.mean()) for frame in pictures(tmp_path / "film.mp4")]
    assert len(levels) == 36
    low, high = levels[0], levels[-1]
    ideal = [low] * 12 + [low + (high - low) * (n + 1) / 13 for n in range(12)] + [high] * 12
    assert max(abs(found - wanted) for found, wanted in zip(levels, ideal, strict=True)) < 2


def of_two(tmp_path: Path, transition: Transition, dark: int = 40, light: int = 200) -> list[np.ndarray]:
    """The film of two seconds, one of each grey, so joined."""
    one = media.clip(tmp_path / "one.mp4", 1, size=SIZE, colour=(dark, dark, dark), tone=0)
    two = media.clip(tmp_path / "two.mp4", 1, size=SIZE, colour=(light, light, light), tone=0)
    assemble([piece(one), piece(two, transition=transition)], tmp_path / "film.mp4")
    return pictures(tmp_path / "film.mp4")


def test_a_fade_goes_through_black_and_comes_out_of_it(tmp_path: Path) -> None:
    film = of_two(tmp_path, Transition(join=Join.FADE, seconds=Decimal("0.5")), 120, 200)
    levels = [float(frame.mean()) for frame in film]
    assert len(levels) == 48
    out, into = levels[0] - 16, levels[-1] - 16
    ideal = [out] * 18 + [out * n / 6 for n in (5, 4, 3, 2, 1, 0)]
    ideal += [into * n / 6 for n in (0, 1, 2, 3, 4, 5)] + [into] * 18
    assert max(abs(found - 16 - wanted) for found, wanted in zip(levels, ideal, strict=True)) < 2


@pytest.mark.parametrize("side", Side)
def test_a_wipe_uncovers_the_new_picture_from_its_side(tmp_path: Path, side: Side) -> None:
    film = of_two(tmp_path, Transition(join=Join.WIPE, seconds=Decimal("0.5"), side=side))
    assert len(film) == 36
    for number in range(12):
        new = film[12 + number] > 128
        share = (number + 1) / 13
        across = side in (Side.LEFT, Side.RIGHT)
        along = new.mean(axis=0 if across else 1)
        if side in (Side.RIGHT, Side.BOTTOM):
            along = along[::-1]
        edge = 2 * round(len(along) * share / 2)
        assert along[: edge - 3].min() == 1 and along[edge + 3 :].max() == 0, number


def test_a_fade_quiets_both_sounds_where_they_meet(tmp_path: Path) -> None:
    one = media.clip(tmp_path / "one.mp4", 2, size=SIZE, tone=480)
    fade = Transition(join=Join.FADE, seconds=Decimal(1))
    assemble([piece(one), piece(one, transition=fade)], tmp_path / "film.mp4")
    wave = np.abs(sound(tmp_path / "film.mp4")[0])
    level = [float(wave[n : n + 2400].max()) for n in range(0, len(wave), 2400)]
    assert min(range(len(level)), key=level.__getitem__) in (39, 40) and level[40] < 0.04
    assert max(abs(found - 0.25) for found in level[2:29] + level[51:78]) < 0.03
    assert level[30:40] == sorted(level[30:40], reverse=True) and level[40:50] == sorted(level[40:50])


def test_a_dissolve_keeps_the_loudness_of_two_sounds(tmp_path: Path) -> None:
    low = media.clip(tmp_path / "low.mp4", 2, size=SIZE, tone=300)
    high = media.clip(tmp_path / "high.mp4", 2, size=SIZE, tone=1900)
    assemble([piece(low), piece(high, transition=Transition(seconds=Decimal(1)))], tmp_path / "film.mp4")
    wave = sound(tmp_path / "film.mp4")[0]
    loudness = [float(np.sqrt((wave[n : n + 4800] ** 2).mean())) for n in range(4800, len(wave) - 4800, 4800)]
    assert max(loudness) / min(loudness) < 1.06


@pytest.mark.parametrize(("rate", "layout"), [(48_000, "stereo"), (44_100, "mono"), (24_000, "mono")])
def test_sound_keeps_its_level(tmp_path: Path, rate: int, layout: str) -> None:
    one = media.clip(tmp_path / "one.mp4", 1, size=SIZE, rate=rate, layout=layout)
    assemble([piece(one, out_s=Decimal("0.9"))], tmp_path / "film.mp4")
    wave = sound(tmp_path / "film.mp4")[:, 9600:38400]
    assert np.abs(wave[0] - wave[1]).max() < 0.01
    assert np.sqrt((wave**2).mean()) == pytest.approx(0.25 / np.sqrt(2), rel=0.02)


def test_sound_is_placed_from_the_first_picture_on(tmp_path: Path) -> None:
    late = marked(tmp_path / "late.mp4", 2, marks=(1,), pictures_from=12)
    facts = assemble([piece(late), piece(late)], tmp_path / "film.mp4")
    hold_facts(facts, tmp_path / "film.mp4")
    hold_together(tmp_path / "film.mp4", [12, 36 + 12])


def test_sound_that_ends_before_its_pictures_delays_none_behind_it(tmp_path: Path) -> None:
    short = marked(tmp_path / "short.mp4", 1, marks=(0.25,), sound_s=0.5)
    facts = assemble([piece(short)] * 4, tmp_path / "film.mp4")
    hold_facts(facts, tmp_path / "film.mp4")
    hold_together(tmp_path / "film.mp4", [6, 30, 54, 78])


def test_silence_is_silent(tmp_path: Path) -> None:
    mute = media.clip(tmp_path / "mute.mp4", 1, size=SIZE, audio=None)
    loud = media.clip(tmp_path / "loud.mp4", 1, size=SIZE)
    assemble([piece(loud), piece(mute), piece(loud, in_s=Decimal("0.5"))], tmp_path / "film.mp4")
    wave = np.abs(sound(tmp_path / "film.mp4")[0])
    assert wave[50_000:94_000].max() < 0.001
    assert wave[4000:44_000].max() > 0.2 and wave[98_000:].max() > 0.2


def test_sound_that_begins_late_and_ends_early_is_filled_up(tmp_path: Path) -> None:
    path = tmp_path / "late.mp4"
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=24)
        video.width, video.height = SIZE
        heard = file.add_stream("aac", rate=48_000, layout="stereo")
        for number in range(48):
            frame = av.VideoFrame.from_ndarray(np.full((SIZE[1], SIZE[0], 3), 60, np.uint8), "rgb24")
            frame.pts = number
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(np.stack([media.samples(0.5, 440)] * 2), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 36_000, Fraction(1, 48_000)
        file.mux(heard.encode(frame))
        file.mux(heard.encode(None))
    hold_facts(assemble([piece(path)], tmp_path / "film.mp4"), tmp_path / "film.mp4")
    loud = np.flatnonzero(np.abs(sound(tmp_path / "film.mp4")[0]) > 0.1)
    assert (loud[0], loud[-1]) == (pytest.approx(36_000, abs=1100), pytest.approx(60_000, abs=1100))


# --- the frame ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((108, 108), (42, 0, 150, 108)),
        ((106, 108), (42, 0, 148, 108)),
        ((60, 108), (66, 0, 126, 108)),
        ((384, 54), (0, 40, 192, 68)),
        ((96, 54), None),
    ],
)
def test_other_shapes_are_centred_on_black(
    tmp_path: Path, size: tuple[int, int], box: tuple[int, int, int, int] | None
) -> None:
    first = media.clip(tmp_path / "first.mp4", 0.5, size=SIZE, colour=(10, 10, 10))
    other = media.clip(tmp_path / "other.mp4", 0.5, size=size, colour=(220, 220, 220))
    assemble([piece(first), piece(other)], tmp_path / "film.mp4")
    frame = pictures(tmp_path / "film.mp4")[18]
    lit = np.zeros(frame.shape, bool)
    left, top, right, bottom = box or (0, 0, *SIZE)
    lit[top:bottom, left:right] = True
    assert frame[lit].min() > 180 and (not (~lit).any() or frame[~lit].max() < 24)


def test_a_film_of_odd_sides_is_made_even(tmp_path: Path) -> None:
    odd = media.clip(tmp_path / "odd.mp4", 0.5, size=(191, 107), pix_fmt="yuv444p")
    facts = assemble([piece(odd)], tmp_path / "film.mp4")
    assert (facts.width_px, facts.height_px) == (190, 106)
    hold_facts(facts, tmp_path / "film.mp4")


def turned(path: Path, target: Path) -> Path:
    """The same video, shown a quarter clockwise: what a telephone writes."""
    content = path.read_bytes()
    upright = b"".join(n.to_bytes(4, "big") for n in (0x10000, 0, 0, 0, 0x10000))
    quarter = b"".join(n.to_bytes(4, "big", signed=True) for n in (0, 0x10000, 0, -0x10000, 0))
    place = content.index(upright, content.index(b"tkhd"))
    target.write_bytes(content[:place] + quarter + content[place + 20 :])
    return target


def test_turned_clips_stand_upright(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "lying.mp4"), "w") as file:
        video = file.add_stream("libx264", rate=24)
        video.width, video.height = SIZE
        pixels = np.full((SIZE[1], SIZE[0], 3), 30, np.uint8)
        pixels[:, :40] = 220  # on the left as stored, on top as shown
        for number in range(12):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts = number
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
    path = turned(tmp_path / "lying.mp4", tmp_path / "turned.mp4")
    shown = look(path)
    assert (shown.width_px, shown.height_px) == SIZE[::-1]
    facts = assemble([piece(path)] * 2, tmp_path / "film.mp4")
    assert (facts.width_px, facts.height_px) == SIZE[::-1]
    frame = pictures(tmp_path / "film.mp4")[3]
    assert frame[:36].min() > 180 and frame[44:].max() < 60


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    wide = media.clip(tmp_path / "wide.mp4", 0.5, size=(96, 108), pixel_aspect=2)
    facts = assemble([piece(wide)], tmp_path / "film.mp4")
    assert (facts.width_px, facts.height_px) == SIZE


def test_full_range_is_brought_into_the_films(tmp_path: Path) -> None:
    first = media.clip(tmp_path / "first.mp4", 0.5, size=SIZE, colour=(255, 255, 255))
    full = tmp_path / "full.mp4"
    with av.open(str(full), "w") as file:
        video = file.add_stream("libx264", rate=24)
        video.width, video.height, video.pix_fmt = *SIZE, "yuvj420p"
        video.codec_context.color_range = 2
        for number in range(12):
            frame = av.VideoFrame.from_ndarray(np.full((SIZE[1] * 3 // 2, SIZE[0]), 255, np.uint8), "yuvj420p")
            frame.planes[1].update(b"\x80" * frame.planes[1].buffer_size)
            frame.planes[2].update(b"\x80" * frame.planes[2].buffer_size)
            frame.pts = number
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
    assemble([piece(first), piece(full)], tmp_path / "film.mp4")
    film = pictures(tmp_path / "film.mp4")
    assert abs(float(film[4].mean()) - float(film[18].mean())) < 2


# --- size, rate, length, chapters ---------------------------------------------------------------------------------


def rate_and_frames(path: Path) -> tuple[Fraction, int]:
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        return Fraction(stream.average_rate), sum(1 for _ in film.decode(stream))


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60)])
@pytest.mark.parametrize("own", [24, 30])
def test_a_film_of_another_rate_keeps_its_times_and_its_sound(tmp_path: Path, fps: Fraction, own: int) -> None:
    one = marked(tmp_path / "one.mp4", 2, marks=(0.5, 1.5), fps=own)
    facts = assemble([piece(one), piece(one, in_s=Decimal(1))], tmp_path / "film.mp4", video=Video(fps=fps))
    assert rate_and_frames(tmp_path / "film.mp4") == (fps, facts.frames)
    assert facts.frames == sum(round(seconds * fps) for seconds in (2, 2)) - round(fps)
    with av.open(str(tmp_path / "film.mp4")) as film:
        lit = [f.to_ndarray()[50].max() > FLASH for f in film.decode(video=0)]
        assert film.streams.audio[0].duration == round(facts.frames * 48_000 / fps)
    seen = [n / float(fps) for n, on in enumerate(lit) if on and not lit[n - 1]]
    heard = [beep / 24 for beep in beeps(tmp_path / "film.mp4")]
    assert len(seen) == len(heard) == 3
    assert max(abs(a - b) for a, b in zip(seen, heard, strict=True)) <= 1 / fps
    assert max(abs(a - b) for a, b in zip(seen, (0.5, 1.5, 2.5), strict=True)) <= 1.5 / fps


def test_a_clip_at_the_films_own_rate_and_size_is_copied_and_else_coded_anew(tmp_path: Path) -> None:
    one = marked(tmp_path / "one.mp4", 2, fps=25)
    film = tmp_path / "film.mp4"
    assemble([piece(one)], film, video=Video(fps=Fraction(25), size=SIZE, length_s=Decimal(2)))
    assert packets(film, 0) == packets(one, 0) and packets(film, 1) == packets(one, 1)
    for other in (Video(), Video(fps=Fraction(25), size=(96, 54)), Video(fps=Fraction(25), length_s=Decimal(1))):
        assemble([piece(one)], film, video=other)
        assert packets(film, 0) != packets(one, 0)[: len(packets(film, 0))]


def test_a_film_of_a_size_of_its_own_has_its_clips_fitted_in(tmp_path: Path) -> None:
    one = media.clip(tmp_path / "one.mp4", 0.5, size=SIZE, colour=(220, 220, 220))
    facts = assemble([piece(one)], tmp_path / "film.mp4", video=Video(size=(108, 192)))
    assert (facts.width_px, facts.height_px) == (108, 192)
    frame = pictures(tmp_path / "film.mp4")[6]
    assert frame[70:120].min() > 180 and frame[:60].max() < 24 and frame[132:].max() < 24


@pytest.mark.parametrize(("length", "frames"), [("1.5", 36), ("3", 72)])
def test_a_film_of_a_length_of_its_own_is_cut_off_or_ends_in_black(tmp_path: Path, length: str, frames: int) -> None:
    one = media.clip(tmp_path / "one.mp4", 2, size=SIZE, colour=(220, 220, 220))
    facts = assemble([piece(one)], tmp_path / "film.mp4", video=Video(length_s=Decimal(length)))
    assert facts.frames == frames
    hold_facts(facts, tmp_path / "film.mp4")
    film, wave = pictures(tmp_path / "film.mp4"), sound(tmp_path / "film.mp4")
    assert all(frame.min() > 180 for frame in film[:48]) and all(frame.max() < 24 for frame in film[48:])
    assert np.abs(wave[:, 10_000:60_000]).max() > 0.2 and np.abs(wave[:, 98_000:]).max(initial=0) < 0.001


def test_black_is_black_and_silent(tmp_path: Path) -> None:
    one = media.clip(tmp_path / "one.mp4", 1, size=SIZE, colour=(220, 220, 220))
    black = Piece(name="black", clip=None, seconds=Decimal(1))
    facts = assemble([piece(one), black, piece(one)], tmp_path / "film.mp4")
    assert facts.frames == 72
    assert max(frame.max() for frame in pictures(tmp_path / "film.mp4")[24:48]) < 24
    assert np.abs(sound(tmp_path / "film.mp4")[:, 50_000:94_000]).max() < 0.001


def chaptered(path: Path) -> list[tuple[str, Fraction, Fraction]]:
    with av.open(str(path)) as film:
        return [
            (c["metadata"]["title"], c["start"] * c["time_base"], c["end"] * c["time_base"])  # type: ignore[operator]
            for c in film.chapters()
        ]


def test_a_film_has_a_chapter_for_each_shot_whether_copied_or_not(tmp_path: Path) -> None:
    one = marked(tmp_path / "one.mp4", 1, marks=())
    black = Piece(name="black", clip=None, seconds=Decimal("0.5"))
    film = tmp_path / "film.mp4"
    titled = [
        piece(one, title=title, variant=variant)
        for title, variant in (("Stairs", "a@x"), ("Stairs", "a@y"), ("b", "b"))
    ]
    assemble(titled, film)
    assert packets(film, 0) == packets(one, 0) * 3
    assert chaptered(film) == [("Stairs", 0, 2), ("b", 2, 3)]
    assemble([black, *titled, black], film)
    assert chaptered(film) == [("Stairs", 0, Fraction(5, 2)), ("b", Fraction(5, 2), 4)]
    assemble(titled, film, video=Video(length_s=Decimal("1.5")))
    assert chaptered(film) == [("Stairs", 0, Fraction(3, 2))]
    assemble([piece(one)], film)
    assert chaptered(film) == []


def test_a_mixed_film_copies_its_pictures_and_is_the_same_each_time(tmp_path: Path) -> None:
    one = marked(tmp_path / "one.mp4", 2)
    facts = [assemble([piece(one)], tmp_path / f"{n}.mp4", sound=Sound()) for n in range(2)]
    assert facts[0] == facts[1]
    assert packets(tmp_path / "0.mp4", 0) == packets(one, 0)
    assert packets(tmp_path / "0.mp4", 1) != packets(one, 1)
    hold_facts(facts[0], tmp_path / "0.mp4")
    hold_together(tmp_path / "0.mp4", [12, 36])


# --- slates -------------------------------------------------------------------------------------------------------


def test_a_slate_stands_where_a_clip_is_missing(tmp_path: Path) -> None:
    one = media.clip(tmp_path / "one.mp4", 1, size=SIZE, colour=(250, 250, 250))
    missing = Piece(
        name="b",
        clip=None,
        slate=("b", "failed", "a prompt"),
        seconds=Decimal(1),
        transition=Transition(seconds=Decimal("0.5")),
    )
    facts = assemble([piece(one), missing, piece(one)], tmp_path / "film.mp4")
    assert (facts.frames, facts.width_px) == (60, SIZE[0])
    hold_facts(facts, tmp_path / "film.mp4")
    film = pictures(tmp_path / "film.mp4")
    assert film[30].mean() < 70 and film[30].max() > 150 and film[40].mean() > 200
    assert np.abs(sound(tmp_path / "film.mp4")[:, 50_000:70_000]).max() < 0.001


def test_a_film_of_slates_alone_is_1280_by_720(tmp_path: Path) -> None:
    slates = [Piece(name=name, clip=None, slate=(name,), seconds=Fraction(1, 2)) for name in "ab"]
    facts = assemble(slates, tmp_path / "film.mp4")
    assert (facts.width_px, facts.height_px, facts.frames) == (1280, 720, 24)
    hold_facts(facts, tmp_path / "film.mp4")


# --- bytes and files ----------------------------------------------------------------------------------------------

AGAIN = """
import sys
from decimal import Decimal
from pathlib import Path
from runner.language.take import Transition
from runner.steps.assemble import Piece, assemble
clip = Path(sys.argv[1])
pieces = [Piece(name="a", clip=clip), Piece(name="b", clip=clip, transition=Transition(seconds=Decimal("0.25")))]
print(assemble(pieces, Path(sys.argv[2])).sha256)
"""


def test_equal_pieces_give_equal_bytes_in_every_process(tmp_path: Path) -> None:
    one = media.clip(tmp_path / "one.mp4", 0.75, size=(832, 480))
    runs = [
        subprocess.Popen([sys.executable, "-c", AGAIN, one, tmp_path / f"{n}.mp4"], stdout=subprocess.PIPE)
        for n in range(2)
    ]
    digests = {run.communicate()[0].decode().strip() for run in runs}
    facts = assemble([piece(one), piece(one, transition=Transition(seconds=Decimal("0.25")))], tmp_path / "film.mp4")
    settings = (tmp_path / "film.mp4").read_bytes()
    assert b" threads=1 " in settings and b" mbtree=0 " in settings  # else other machines give other bytes
    assert digests == {facts.sha256} == {hashlib.sha256((tmp_path / "0.mp4").read_bytes()).hexdigest()}


def test_what_fails_leaves_the_old_film_and_no_rest(tmp_path: Path) -> None:
    one = marked(tmp_path / "one.mp4")
    (tmp_path / "cut.mp4").write_bytes(one.read_bytes()[:3000])
    film = tmp_path / "film.mp4"
    film.write_bytes(b"the old film")
    with pytest.raises(Unreadable, match="the clip of `cut` cannot be"):
        assemble([piece(one), piece(tmp_path / "cut.mp4")], film)
    with pytest.raises(BadCut):
        assemble([piece(one), piece(one, transition=Transition(seconds=Decimal(9)))], film)
    assert film.read_bytes() == b"the old film"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.mp4", "film.mp4", "one.mp4"]


def test_a_clip_that_breaks_in_the_middle_is_named(tmp_path: Path) -> None:
    one = marked(tmp_path / "one.mp4")
    broken = tmp_path / "broken.mp4"
    content = bytearray(shutil.copy(media.clip(tmp_path / "x.mp4", 2, size=SIZE), broken).read_bytes())
    begin = content.index(b"mdat") + 4
    content[begin + 1000 : begin + 9000] = b"\xff" * 8000
    broken.write_bytes(content)
    with pytest.raises(Unreadable, match="the clip of `broken`"):
        assemble([piece(one), piece(broken, in_s=Decimal("0.25"))], tmp_path / "film.mp4")


def test_a_disk_that_refuses_is_an_error_of_the_system(tmp_path: Path) -> None:
    one = media.clip(tmp_path / "one.mp4", 2, size=SIZE)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, before[1]))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            assemble([piece(one), piece(one, transition=Transition(seconds=Decimal("0.5")))], tmp_path / "film.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(tmp_path / "film.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["one.mp4"]
