"""Clips and film as ffprobe and ffmpeg see them: what the manifest says of them is so, and every frame decodes."""

import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import media
import pytest
from interop.judges import verdict
from stage import Stage

# All four models, with and without sound, in four shapes; takes, a trim, a dissolve and plain cuts.
FILM = """\
storyboard: 1
title: Judged
defaults: {model: wan2.7-text-to-video, params: {duration: 2}}
shots:
  - id: sea
    prompt: The sea at dawn
    takes: 2
  - id: square
    prompt: A square in Lisbon
    params: {aspect_ratio: 1:1, duration: 3}
    audio: storm.mp3
    trim: {in: 0.25, out: 2.5}
  - id: lamp
    model: wan2.5-text-to-video
    prompt: A lamp wakes
    params: {quality: 480p, aspect_ratio: 9:16, duration: 5}
    transition: {dissolve: 0.5}
  - id: portrait
    model: wan2.6-image-to-video-flash
    prompt: He turns to the window
    image: keeper.png
    params: {generate_audio: false}
  - id: walk
    model: wan2.6-reference-video-flash
    prompt: character1 walks along the cliff
    videos: [gait.mp4]
    params: {aspect_ratio: 4:3}
    transition: {dissolve: 0}
"""
# Of the first takes; `draft` dissolves for 0.25 s where a shot does not say otherwise.
FILM_S = 2 + (2.25 - 0.25) + (5 - 0.5) + (2 - 0.25) + 2
SILENT = {"portrait.1"}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The out folder of one run under `draft`."""
    stage = Stage(tmp_path_factory.mktemp("film"))
    stage.write("film.yaml", FILM)
    media.picture(stage.folder / "keeper.png", (600, 400))
    media.clip(stage.folder / "gait.mp4", 3, size=(640, 360))
    media.tone(stage.folder / "storm.mp3", 4)
    ended = stage.shotrunner("run", "film.yaml")
    assert ended.code == 0, ended
    return stage.folder / "out/film/draft"


@pytest.fixture(scope="module")
def manifest(out: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    return found


def seen(file: Path) -> dict[str, Any]:
    """ffprobe's account of a file: its container, its one video and at most one audio stream by kind, and its chapters, whose names
    are a stream of data."""
    words = ("-v", "error", "-count_packets", "-show_format", "-show_streams", "-show_chapters", "-of", "json")
    told = verdict("ffprobe", *words, file)
    assert (told.returncode, told.stderr) == (0, "")
    account = json.loads(told.stdout)
    kinds = [stream["codec_type"] for stream in account["streams"]]
    chapters = [one["tags"]["title"] for one in account["chapters"]]
    assert kinds in ((["video", "audio", "data"],) if chapters else (["video"], ["video", "audio"]))
    return {"format": account["format"], "chapters": chapters, **dict(zip(kinds, account["streams"], strict=True))}


def assert_lasts(account: Mapping[str, Any], seconds: float, fps: float) -> None:
    for part in ("format", "video", "audio"):
        if part in account:
            assert abs(float(account[part]["duration"]) - seconds) <= 1 / fps, part


def test_ffprobe_and_the_manifest_agree_on_every_clip(out: Path, manifest: Mapping[str, Any]) -> None:
    assert len(manifest["takes"]) == 6
    for take in manifest["takes"]:
        clip, account = take["clip"], seen(out / take["clip"]["path"])
        picture = account["video"]
        assert (picture["codec_name"], picture["width"], picture["height"]) == (
            clip["codec"],
            clip["width_px"],
            clip["height_px"],
        )
        assert picture["pix_fmt"] == "yuv420p"
        assert Fraction(picture["avg_frame_rate"]) == Fraction(picture["r_frame_rate"]) == Fraction(clip["fps"])
        assert int(picture["nb_read_packets"]) == round(clip["duration_s"] * clip["fps"])
        assert_lasts(account, clip["duration_s"], clip["fps"])
        assert clip["duration_s"] == take["request"]["duration"]
        assert int(account["format"]["size"]) == clip["size_bytes"]
        assert ("audio" not in account) == (take["id"] in SILENT)


def test_ffprobe_and_the_manifest_agree_on_the_film(out: Path, manifest: Mapping[str, Any]) -> None:
    step, *_ = manifest["steps"]
    film = out / step["output"]
    assert hashlib.sha256(film.read_bytes()).hexdigest() == step["sha256"]
    account, first = seen(film), manifest["takes"][0]["clip"]
    picture, sound = account["video"], account["audio"]
    assert account["chapters"] == list(dict.fromkeys(take["shot"] for take in manifest["takes"]))
    assert (picture["codec_name"], sound["codec_name"], sound["sample_rate"]) == ("h264", "aac", "48000")
    assert (picture["width"], picture["height"]) == (first["width_px"], first["height_px"])
    assert Fraction(picture["avg_frame_rate"]) == 24
    assert int(picture["nb_read_packets"]) == FILM_S * 24
    assert_lasts(account, FILM_S, 24)


def test_ffmpeg_decodes_every_frame_of_clips_and_film_without_a_complaint(out: Path) -> None:
    files = sorted(out.rglob("*.mp4"))
    assert len(files) == 7
    for file in files:
        told = verdict("ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i", file, "-f", "null", "-")
        assert (told.returncode, told.stderr) == (0, ""), file.name


def test_a_clip_cut_short_would_be_complained_of(out: Path, tmp_path: Path) -> None:
    whole = next(out.rglob("sea.1.mp4")).read_bytes()
    short = tmp_path / "short.mp4"
    short.write_bytes(whole[: len(whole) * 2 // 3])
    assert verdict("ffmpeg", "-v", "error", "-xerror", "-i", short, "-f", "null", "-").returncode != 0
