"""The timeline of a film: its places in frames, every take as an alternative, files beside it."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from stage import Stage

FILM = """\
storyboard: 1
title: Sea
defaults: {model: wan2.7-text-to-video, params: {duration: 2}}
shots:
  - {id: sea, prompt: The sea at dawn, takes: 2, trim: {in: 0.5}}
  - {id: hill, prompt: A hill, transition: {dissolve: 0.5}}
  - {id: wood, prompt: A wood, transition: {wipe: 0.25, from: left}}
cuts:
  all: {}
  short: {order: [hill, {black: 1}, sea]}
"""
PIPELINE = """\
pipeline: 1
provider: animatic
steps:
  - generate: {}
  - assemble: {cut: all, output: film.mp4}
  - timeline: {output: edit/film.otio}
  - assemble: {cut: short, output: short.mp4}
  - timeline: {output: short.otio}
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stage = Stage(tmp_path_factory.mktemp("made") / "project")
    stage.write("film.yaml", FILM)
    stage.write("own.yaml", PIPELINE)
    ended = stage.shotrunner("run", "film.yaml", "--pipeline", "own.yaml")
    assert ended.code == 0, ended
    assert "out/film/own/edit/film.otio" in ended.out
    again = stage.shotrunner("run", "film.yaml", "--pipeline", "own.yaml")
    assert again.code == 0, again
    assert [s["made"] for s in stage.manifest("film", "own")["steps"]] == [False] * 4
    assert stage.shotrunner("audit", "out/film/own/manifest.json").code == 0
    return stage.folder / "out/film/own"


def track(file: Path, kind: str) -> list[dict[str, Any]]:
    document = json.loads(file.read_text(encoding="utf-8"))
    (found,) = [t for t in document["tracks"]["children"] if t["kind"] == kind]
    children: list[dict[str, Any]] = found["children"]
    return children


def frames(time: dict[str, Any]) -> int:
    assert time["rate"] == 24.0
    return int(time["value"])


def test_clips_meet_in_the_middle_of_what_they_overlap_and_come_to_the_films_length(out: Path) -> None:
    children = track(out / "edit/film.otio", "Video")
    told = [
        (c["OTIO_SCHEMA"], frames(c["source_range"]["start_time"]), frames(c["source_range"]["duration"]))
        if "source_range" in c
        else (c["transition_type"], frames(c["in_offset"]), frames(c["out_offset"]))
        for c in children
    ]
    assert told == [
        ("Clip.2", 12, 30),  # 36 frames from half a second on, less half of the dissolve
        ("SMPTE_Dissolve", 6, 6),
        ("Clip.2", 6, 39),
        ("Custom_Transition", 3, 3),
        ("Clip.2", 3, 45),
    ]
    steps = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["steps"]
    assert steps[0]["output"] == "film.mp4"
    assert Fraction(sum(length for schema, _, length in told if schema == "Clip.2"), 24) == Fraction(114, 24)


def test_every_take_is_an_alternative_and_lies_where_the_timeline_says(out: Path) -> None:
    clip = track(out / "edit/film.otio", "Video")[0]
    assert clip["active_media_reference_key"] == "sea.1" and sorted(clip["media_references"]) == ["sea.1", "sea.2"]
    for reference in clip["media_references"].values():
        assert (out / "edit" / unquote(reference["target_url"])).is_file()
        assert reference["metadata"]["shotrunner"]["prompt"] == "The sea at dawn"
        assert frames(reference["available_range"]["duration"]) == 48
    assert clip["markers"][0]["comment"] == "The sea at dawn"


def test_black_is_a_gap_and_sound_lies_under_its_picture(out: Path) -> None:
    pictures, sounds = (track(out / "short.otio", kind) for kind in ("Video", "Audio"))
    assert [c["OTIO_SCHEMA"] for c in pictures if "source_range" in c] == ["Clip.2", "Gap.1", "Clip.2"]
    assert sum(frames(c["source_range"]["duration"]) for c in pictures if "source_range" in c) == sum(
        frames(c["source_range"]["duration"]) for c in sounds if "source_range" in c
    )
