"""Films of cuts as ffprobe and ffmpeg see them: frames, rate, chapters, and loudness by another measure than ours."""

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import media
import pytest
from interop.judges import verdict
from stage import Stage

FILM = """\
storyboard: 1
references: {theme: theme.mp3, line: line.wav}
defaults: {model: wan2.7-text-to-video, params: {duration: 3}}
shots:
  - {id: sea, title: The sea, prompt: The sea}
  - {id: gull, prompt: A gull}
cuts:
  full:
    sound: {music: {file: theme, level: -6, loop: true}}
  tv:
    order: [gull, {shot: sea, in: 1, join: {wipe: 0.5}}, {shot: gull, out: 2, join: {fade: 0.5}}]
    video: {size: 640x360, fps: 29.97, length: 8}
    sound:
      music: {file: theme, fade: {in: 0.5, out: 1}, loop: true}
      voice: [{file: line, at: sea, level: 12}]
      duck: {by: 12}
      loudness: -23
"""
# (output, frames, rate, chapters, loudness); `draft` dissolves for a quarter of a second where nothing is said.
FILMS = [
    ("full.mp4", 6 * 24 - 6, Fraction(24), [("The sea", 0, 2.75), ("gull", 2.75, 5.75)], -16),
    (
        "tv.mp4",
        240,
        Fraction(30000, 1001),
        [("gull", 0, 2.5025), ("The sea", 2.5025, 4.5045), ("gull", 4.5045, 8.008)],
        -23,
    ),
]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stage = Stage(tmp_path_factory.mktemp("cuts"))
    stage.write("film.yaml", FILM)
    media.tone(stage.folder / "theme.mp3", 2)
    media.tone(stage.folder / "line.wav", 1, "wav", hz=1500)
    ended = stage.shotrunner("run", "film.yaml")
    assert ended.code == 0, ended
    return stage.folder / "out/film/draft"


def probed(film: Path, *words: str) -> Any:
    told = verdict("ffprobe", "-v", "error", "-of", "json", *words, film)
    assert (told.returncode, told.stderr) == (0, "")
    return json.loads(told.stdout)


@pytest.mark.parametrize(("name", "frames", "rate", "chapters", "loudness"), FILMS, ids=[one[0] for one in FILMS])
def test_ffprobe_and_ffmpeg_find_what_the_cut_asks_for(
    out: Path, name: str, frames: int, rate: Fraction, chapters: list[tuple[str, float, float]], loudness: float
) -> None:
    film = out / name
    picture, sound = probed(film, "-count_frames", "-show_streams")["streams"][:2]
    assert (int(picture["nb_read_frames"]), Fraction(picture["avg_frame_rate"])) == (frames, rate)
    assert float(sound["duration"]) == pytest.approx(float(frames / rate), abs=1e-3)
    found = probed(film, "-show_chapters")["chapters"]
    assert [one["tags"]["title"] for one in found] == [title for title, _, _ in chapters]
    for one, (_, begin, end) in zip(found, chapters, strict=True):
        assert (float(one["start_time"]), float(one["end_time"])) == (pytest.approx(begin, abs=1e-3), pytest.approx(end, abs=1e-3))  # fmt: skip
    told = verdict("ffmpeg", "-hide_banner", "-nostats", "-i", film, "-af", "ebur128=peak=true", "-f", "null", "-")
    summary = told.stderr.rpartition("Summary:")[2]
    measured, peak = (float(re.findall(pattern, summary)[0]) for pattern in (r"I:\s+(\S+) LUFS", r"Peak:\s+(\S+) dBFS"))
    assert abs(measured - loudness) <= 0.5
    assert peak <= -1


def test_ffmpeg_decodes_every_frame_without_a_complaint(out: Path) -> None:
    for film in out.glob("*.mp4"):
        told = verdict("ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i", film, "-map", "0:v", "-map", "0:a", "-f", "null", "-")  # fmt: skip
        assert (told.returncode, told.stderr) == (0, ""), film.name
