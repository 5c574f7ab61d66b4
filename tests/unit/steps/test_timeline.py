"""Our own `.otio`, read by OpenTimelineIO: what stands where, what else could, and what is known of it."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timelines import FPS, RATES, SHOTS, Shot, cut, loaded, music, sounding, text, track, voice

from runner.core import visible
from runner.language.cut import Sound


def within(used: Any, there: Any) -> bool:
    """To a millionth of a second, since rates are not the same."""
    return (
        there.start_time <= used.start_time
        and used.end_time_exclusive().to_seconds() <= there.end_time_exclusive().to_seconds() + 1e-6
    )


@given(st.lists(SHOTS, min_size=1, max_size=5), st.sampled_from(RATES))
def test_what_the_library_reads_it_writes_again_word_for_word(shots: list[Shot], fps: Fraction) -> None:
    written = text(*shots, fps=fps)
    again = otio.adapters.write_to_string(loaded(written), "otio_json")
    assert json.loads(again) == json.loads(written)
    assert loaded(again).is_equivalent_to(loaded(written))


@given(st.lists(SHOTS, min_size=1, max_size=5), st.sampled_from(RATES), st.sampled_from([None, 1, 2, 9]))
def test_every_part_and_every_transition_lies_within_its_medium(
    shots: list[Shot], fps: Fraction, length_s: int | None
) -> None:
    read = loaded(text(*shots, fps=fps, length_s=length_s))
    assert len({child.duration().value for child in read.tracks}) == 1
    for items in map(list, read.tracks):
        for before, item, after in zip([None, *items[:-1]], items, [*items[1:], None], strict=True):
            if isinstance(item, otio.schema.Transition):
                assert isinstance(before, otio.core.Item) and isinstance(after, otio.core.Item)
                assert item.in_offset <= before.duration() and item.out_offset <= after.duration()
            elif isinstance(item, otio.schema.Clip) and item.media_reference.available_range:
                used, there = item.trimmed_range(), item.available_range()
                if isinstance(before, otio.schema.Transition):
                    used = otio.opentime.TimeRange(used.start_time - before.in_offset, used.duration + before.in_offset)
                if isinstance(after, otio.schema.Transition):
                    used = used.duration_extended_by(after.out_offset)
                assert within(used, there)


def test_no_name_and_no_line_of_the_file_holds_what_is_not_seen() -> None:
    nasty = "sea\x1b[31m\a\x9b\u202e\u2028\U000e0041gull"
    written = text(Shot(name=nasty, takes=2), Shot(name=nasty, here=(), told={"title": nasty}))
    assert visible.CONTROL.search(written.replace("\n", "")) is None
    read = loaded(written)
    first, second = read.find_clips()[:2]
    assert (first.name, second.name) == ("sea[31m gull",) * 2
    assert {medium.name for medium in first.media_references().values()} == {"sea[31m gull.1", "sea[31m gull.2"}
    assert second.media_reference.name == "sea[31m gull.1"
    assert {(marker.name, marker.comment.splitlines()[0]) for marker in first.markers} == {
        ("The sea[31m gull at dawn", "The sea[31m")
    }
    assert second.metadata["shotrunner"]["title"] == nasty


def test_a_transition_reaches_no_further_than_the_film() -> None:
    """Three seconds and three quarters, of which three are shown: the dissolve's middle is two frames before their end."""
    read = loaded(text(Shot(seconds=2.96), Shot(name="hill", over=0.25), length_s=3))
    assert cut(track(read)) == [("sea", 0, 68), ("dissolve", 3, 3), ("hill", 3, 4)]
    read = loaded(text(Shot(seconds=3.04), Shot(name="hill", over=0.25), length_s=3))
    assert cut(track(read)) == [("sea", 0, 70), ("dissolve", 3, 2), ("hill", 3, 2)]


def test_a_trim_leaves_handles() -> None:
    (clip,) = track(loaded(text(Shot(seconds=5, trim=(1, 3)))))
    assert cut([clip]) == [("sea", 24, 48)]
    assert (clip.available_range().start_time.value, clip.available_range().duration.value) == (0, 120)


def test_clips_have_frames_of_their_own_where_the_films_are_others() -> None:
    (clip,) = track(loaded(text(Shot(seconds=5), fps=Fraction(30))))
    there = clip.available_range().duration
    assert (clip.source_range.duration.rate, there.rate, there.value) == (30, 24, 120)


def test_all_takes_are_alternatives_of_the_one_that_was_picked() -> None:
    (clip,) = track(loaded(text(Shot(takes=3, chosen=2))))
    assert clip.active_media_reference_key == "sea.2"
    assert {name: medium.target_url for name, medium in clip.media_references().items()} == {
        f"sea.{number}": f"clips/sea.{number}.mp4" for number in (1, 2, 3)
    }


def test_of_a_take_without_a_clip_the_others_are_still_alternatives() -> None:
    (clip,) = track(loaded(text(Shot(takes=3, here=(2, 3)))))
    assert isinstance(clip.media_reference, otio.schema.MissingReference)
    assert clip.active_media_reference_key == "sea.1" and sorted(clip.media_references()) == ["sea.1", "sea.2", "sea.3"]
    assert cut([clip]) == [("sea", 0, 48)]


def test_a_medium_tells_how_it_was_made_and_a_marker_prompt_and_seed() -> None:
    read = loaded(text(Shot(takes=2)))
    (clip,) = track(read)
    known = clip.media_references()["sea.2"].metadata["shotrunner"]
    assert {"key", "sha256", "model", "seed", "service", "prompt"} <= set(known) and known["seed"] == 9
    (marker,) = clip.markers
    assert marker.comment == "The sea at dawn\nwan, seed 8" and marker.metadata["shotrunner"]["seed"] == 8
    assert marker.marked_range.start_time == clip.source_range.start_time
    assert not track(read, 1)[0].markers, "once is enough"


@pytest.mark.parametrize("path", ["../media/a wave, at sea.mp4", "clips/été 100%#1?.mp4", "clips/波.mp4"])
def test_a_place_on_disk_is_told_relative_and_escaped(path: str) -> None:
    (clip,) = track(loaded(text(Shot(path=path))))
    url = clip.media_reference.target_url
    assert url.isascii() and " " not in url
    assert otio.url_utils.filepath_from_url(url) == path


# ---------------------------------------------------------------- sound


def tracks(sound: Sound, fps: Fraction = FPS, **seconds: float) -> Any:
    """The tracks of sound, the clips' first."""
    return loaded(sounding(sound, fps=fps, **seconds)).tracks[1:]


def test_music_sounds_over_and_over_to_the_films_end() -> None:
    looped = music(loop=True, in_s=Decimal(1), level_db=Decimal(-8), fade_in_s=Decimal(1), fade_out_s=Decimal(2))
    _, track = tracks(Sound(music=looped), theme=3)
    assert cut(track) == [("theme", 24, 48), ("theme", 24, 48), ("theme", 24, 24)]
    assert [dict(clip.metadata["shotrunner"]) for clip in track] == [
        {"level_db": -8.0, "fade_in_s": 1.0},
        {"level_db": -8.0},
        {"level_db": -8.0, "fade_out_s": 2.0},
    ]
    _, once = tracks(Sound(music=music()), theme=3)
    assert cut(once) == [("theme", 0, 72), ("", 0, 48)]


def test_a_sounds_first_frame_is_the_one_nearest_to_where_it_begins() -> None:
    _, track = tracks(Sound(music=music(in_s=Decimal("0.03"))), theme=1.02)
    assert cut(track) == [("theme", 1, 24), ("", 0, 96)]


def test_voices_that_overlap_lie_on_tracks_of_their_own() -> None:
    sound = Sound(voice=(voice("b", "0.5"), voice("a", "0"), voice("b", "2", level_db=Decimal(3))))
    _, first, second = tracks(sound, a=1, b=1)
    assert cut(first) == [("a", 0, 24), ("", 0, 24), ("b", 0, 24), ("", 0, 48)]
    assert cut(second) == [("", 0, 12), ("b", 0, 24), ("", 0, 84)]
    assert first[2].metadata["shotrunner"]["level_db"] == 3.0


def test_clips_that_are_not_heard_are_there_and_off() -> None:
    clips, _ = tracks(Sound(clips_db=None, music=music()), theme=9)
    assert not clips.enabled and cut(clips) == [("sea", 0, 120)]


@given(
    st.sampled_from(RATES),
    st.integers(100, 9000),
    st.booleans(),
    st.integers(0, 50),
    st.lists(st.integers(0, 4900), max_size=4),
)
def test_every_sound_lies_within_its_file_and_its_track_is_as_long_as_the_film(
    fps: Fraction, length_ms: int, loop: bool, in_ms: int, after_ms: list[int]
) -> None:
    voices = tuple(voice("line", str(Decimal(at) / 1000)) for at in after_ms)
    sound = Sound(music=music(loop=loop, in_s=Decimal(in_ms) / 1000), voice=voices)
    for found in tracks(sound, fps=fps, theme=length_ms / 1000, line=0.7):
        assert found.duration().value == round(5 * fps)
        for clip in found.find_clips():
            assert within(clip.source_range, clip.available_range())
