"""The timelines of a run: all formats of one film, its places in frames, every take as an alternative, files beside it."""

import hashlib
import json
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import media
import opentimelineio as otio
import pytest
from stage import Stage, paid
from timelines import READERS, cut, stands
from timelines import track as items_of

FILM = """\
storyboard: 1
title: Sea
references: {theme: media/theme.wav}
defaults: {model: wan2.7-text-to-video, params: {duration: 2}}
shots:
  - {id: sea, prompt: The sea at dawn, takes: 2, trim: {in: 0.5}}
  - {id: hill, prompt: A hill, transition: {dissolve: 0.5}}
  - {id: wood, prompt: A wood, transition: {wipe: 0.25, from: left}}
cuts:
  all:
    sound: {clips: -3, music: {file: theme, level: -8, loop: true}}
  short: {order: [hill, {black: 1}, {file: "media/a wave, été.mp4", in: 0.5}, sea]}
"""
PIPELINE = """\
pipeline: 1
provider: animatic
steps:
  - generate: {}
  - assemble: {cut: all, output: film.mp4}
  - timeline: {output: edit/film.otio}
  - timeline: {output: edit/film.otioz}
  - timeline: {output: edit/film.xml}
  - timeline: {output: edit/film.edl}
  - assemble: {cut: short, output: short.mp4}
  - timeline: {output: short.otio}
  - timeline: {output: short.otioz}
"""
BLOCKED = """\
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("opentimelineio", "otio_fcp_adapter", "otio_cmx3600_adapter"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in [name for name in sys.modules if name.startswith(("opentimelineio", "otio_"))]:
    del sys.modules[name]
sys.meta_path.insert(0, Blocked())
from runner.__main__ import main
sys.argv[0] = "shotrunner"
sys.exit(main())
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The out folder of the third run: nothing was left to do for the second, and before the third another take was picked."""
    stage = Stage(tmp_path_factory.mktemp("made") / "a project, à moi")
    stage.write("film.yaml", FILM)
    stage.write("own.yaml", PIPELINE)
    (stage.folder / "media").mkdir()
    media.tone(stage.folder / "media/theme.wav", 2, "wav")
    media.clip(stage.folder / "media/a wave, été.mp4", 1)
    ended = stage.shotrunner("run", "film.yaml", "--pipeline", "own.yaml")
    assert ended.code == 0, ended
    assert "out/film/own/edit/film.otio" in ended.out and "out/film/own/edit/film.otioz" in ended.out
    assert "edit/film.edl has no place for 1 other take, sound, wipes (written as dissolves)\n" in ended.err
    again = stage.shotrunner("run", "film.yaml", "--pipeline", "own.yaml")
    assert again.code == 0 and "no place" not in again.err, again
    assert [s["made"] for s in stage.manifest("film", "own")["steps"]] == [False] * 8
    assert stage.shotrunner("pick", "film.yaml", "sea.2", "--pipeline", "own.yaml").code == 0
    assert stage.shotrunner("run", "film.yaml", "--pipeline", "own.yaml").code == 0
    assert [s["made"] for s in stage.manifest("film", "own")["steps"]] == [True] * 8
    assert stage.shotrunner("audit", "out/film/own/manifest.json").code == 0
    return stage.folder / "out/film/own"


def track(file: Path, kind: str) -> list[dict[str, Any]]:
    document = json.loads(file.read_text(encoding="utf-8"))
    found = next(t for t in document["tracks"]["children"] if t["kind"] == kind)
    children: list[dict[str, Any]] = found["children"]
    return children


def frames(time: dict[str, Any]) -> int:
    assert time["rate"] == 24.0
    return int(time["value"])


def read(file: Path) -> Any:
    return otio.adapters.read_from_file(str(file), adapter_name=READERS[file.suffix])


def steps(out: Path) -> dict[str, dict[str, Any]]:
    listed = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["steps"]
    return {step["output"]: step for step in listed}


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
    assert Fraction(sum(length for schema, _, length in told if schema == "Clip.2"), 24) == Fraction(114, 24)


def test_every_take_is_an_alternative_and_lies_where_the_timeline_says(out: Path) -> None:
    clip = track(out / "edit/film.otio", "Video")[0]
    assert clip["active_media_reference_key"] == "sea.2" and sorted(clip["media_references"]) == ["sea.1", "sea.2"]
    takes = {t["id"]: t for t in json.loads((out / "manifest.json").read_text(encoding="utf-8"))["takes"]}
    for name, reference in clip["media_references"].items():
        file = out / "edit" / unquote(reference["target_url"])
        told = reference["metadata"]["shotrunner"]
        assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest() == takes[name]["clip"]["sha256"]
        assert [told[word] for word in ("key", "model", "seed", "service", "prompt")] == [
            takes[name][word] for word in ("key", "model", "seed", "service", "prompt")
        ]
        assert frames(reference["available_range"]["duration"]) == 48
    (marker,) = clip["markers"]
    assert marker["name"] == "The sea at dawn"
    assert marker["comment"] == "The sea at dawn\nwan2.7-text-to-video, seed 2"
    assert (
        marker["metadata"]["shotrunner"]["seed"] == 2
        and marker["metadata"]["shotrunner"]["prompt"] == "The sea at dawn"
    )


def test_black_is_a_gap_and_sound_lies_under_its_picture(out: Path) -> None:
    pictures, sounds = (track(out / "short.otio", kind) for kind in ("Video", "Audio"))
    assert [c["OTIO_SCHEMA"] for c in pictures if "source_range" in c] == ["Clip.2", "Gap.1", "Clip.2", "Clip.2"]
    assert sum(frames(c["source_range"]["duration"]) for c in pictures if "source_range" in c) == sum(
        frames(c["source_range"]["duration"]) for c in sounds if "source_range" in c
    )


def test_a_file_of_the_project_is_found_from_the_timelines_folder(out: Path) -> None:
    clip = track(out / "short.otio", "Video")[2]
    (reference,) = clip["media_references"].values()
    assert reference["target_url"] == "../../../media/a%20wave%2C%20%C3%A9t%C3%A9.mp4"
    assert (out / otio.url_utils.filepath_from_url(reference["target_url"])).is_file()
    told = reference["metadata"]["shotrunner"]
    assert told["path"] == "media/a wave, été.mp4"
    assert told["sha256"] == hashlib.sha256((out / unquote(reference["target_url"])).read_bytes()).hexdigest()


def test_every_format_is_the_same_film(out: Path) -> None:
    ours = read(out / "edit/film.otio")
    assert ours.name == "Sea - film" and [t.name for t in ours.tracks] == ["V1", "A1", "Music"]
    assert cut(items_of(ours, 2)) == [("theme", 0, 48), ("theme", 0, 48), ("theme", 0, 18)]
    for suffix in (".otioz", ".xml"):
        other = read(out / f"edit/film{suffix}")
        assert [stands(other, number) for number in range(3)] == [stands(ours, number) for number in range(3)]
        assert (other.name, other.duration()) == (ours.name, ours.duration())
    list_of = read(out / "edit/film.edl")
    assert [clip.name for clip in list_of.find_clips()] == ["sea.2.mp4", "hill.1.mp4", "wood.1.mp4"]
    assert list_of.duration() == ours.duration()
    for clip in list_of.find_clips():
        assert (out / "edit" / clip.media_reference.target_url).is_file()
    for clip in read(out / "edit/film.xml").find_clips():
        assert Path(otio.url_utils.filepath_from_url(clip.media_reference.target_url)).is_file()


def test_a_bundle_has_the_very_clips(out: Path) -> None:
    for name, names in (("edit/film", {"sea.1", "sea.2", "hill.1", "wood.1", "theme"}), ("short", {"a wave, été"})):
        with zipfile.ZipFile(out / f"{name}.otioz") as bundle:
            assert bundle.testzip() is None
            inside = {Path(each).stem: bundle.read(each) for each in bundle.namelist() if each.startswith("media/")}
        assert names <= inside.keys()
        for take in ("sea.1", "sea.2"):
            assert inside[take] == (out / f"clips/{take}.mp4").read_bytes()


def test_the_manifest_says_what_a_format_has_no_place_for(out: Path) -> None:
    known = steps(out)
    assert {name: step.get("left_out") for name, step in known.items() if step["step"] == "timeline"} == {
        "edit/film.otio": None,
        "edit/film.otioz": None,
        "edit/film.xml": ["1 other take", "the loudness of the mix"],
        "edit/film.edl": ["1 other take", "sound", "wipes (written as dissolves)"],
        "short.otio": None,
        "short.otioz": None,
    }
    for name, step in known.items():
        assert step["sha256"] == hashlib.sha256((out / name).read_bytes()).hexdigest()


# ---------------------------------------------------------------- the extra


ONE = "storyboard: 1\nshots: [{id: sea, model: wan2.7-text-to-video, prompt: Sea, params: {duration: 2}}]\n"
STEPS = "pipeline: 1\nprovider: evolink\nsteps:\n  - generate: {}\n  - assemble: {}\n"


@pytest.mark.parametrize("suffix", ["otioz", "xml", "edl"])
def test_without_its_library_a_format_is_refused_before_anything_is_bought(suffix: str, tmp_path: Path) -> None:
    with paid(tmp_path / "service") as service:
        stage = Stage(tmp_path / "project")
        stage.write("film.yaml", ONE)
        stage.write(
            "own.yaml", f"{STEPS}  - timeline: {{output: film.otio}}\n  - timeline: {{output: film.{suffix}}}\n"
        )
        program = stage.write("blocked.py", BLOCKED)
        words = ("film.yaml", "--pipeline", "own.yaml")
        bought = ("--base-url", service.base_url, "--budget", "500")
        for command in (("validate", *words), ("plan", *words), ("run", *words, *bought)):
            ended = stage.shotrunner(*command, program=program, EVOLINK_API_KEY=service.key)
            said = ended.out + ended.err
            assert ended.code == 2 and "error[missing-extra]: `film." + suffix in said, ended
            assert "pip install opentimelineio otio-cmx3600-adapter otio-fcp-adapter" in said and "own.yaml:7" in said
        assert service.bought() == 0 and not (stage.folder / "out").exists()


def test_an_otio_and_what_is_paid_need_no_library(tmp_path: Path) -> None:
    with paid(tmp_path / "service") as service:
        stage = Stage(tmp_path / "project")
        stage.write("film.yaml", ONE)
        stage.write("own.yaml", f"{STEPS}  - timeline: {{output: film.otio}}\n")
        program = stage.write("blocked.py", BLOCKED)
        words = ("film.yaml", "--pipeline", "own.yaml", "--base-url", service.base_url)
        ended = stage.shotrunner("run", *words, "--budget", "500", program=program, EVOLINK_API_KEY=service.key)
        assert ended.code == 0 and (stage.folder / "out/film/own/film.otio").is_file(), ended
        stage.write("own.yaml", f"{STEPS}  - timeline: {{output: film.edl}}\n")
        assert stage.shotrunner("collect", *words, program=program, EVOLINK_API_KEY=service.key).code == 0
