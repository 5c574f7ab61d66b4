"""Films of `cuts`: each in its file and in the manifest, made anew only when something it is made from has changed."""

from pathlib import Path
from typing import Any

import av
import media
from stage import Stage

SMALL = "{quality: 480p, aspect_ratio: '1:1', duration: 5}"
FILM = f"""\
storyboard: 1
references: {{theme: theme.mp3}}
defaults: {{model: wan2.5-text-to-video, params: {SMALL}}}
shots:
  - {{id: sea, title: The sea, prompt: The sea, matrix: {{time: [dawn, dusk]}}}}
  - {{id: gull, prompt: A gull}}
cuts:
  whole: {{}}
  short:
    for: time
    order:
      - {{shot: sea, in: 1, out: 2}}
      - {{shot: gull, in: 1, out: 2, join: {{fade: 0.5}}}}
      - {{file: logo.mp4, join: {{dissolve: 0.25}}}}
      - {{shot: gull, in: 3, out: 4}}
    video: {{size: 320x180, fps: 25}}
    sound: {{clips: -6, music: {{file: theme, loop: true}}}}
"""
OUTPUTS = ["whole.mp4", "short@dawn.mp4", "short@dusk.mp4"]


def opened(path: Path) -> tuple[int, int, list[str]]:
    """Frames, width and the chapters' titles of a film."""
    with av.open(str(path)) as film:
        titles = [chapter["metadata"]["title"] for chapter in film.chapters()]  # type: ignore[index]
        return sum(1 for _ in film.decode(video=0)), film.streams.video[0].width, titles


def films(stage: Stage) -> list[dict[str, Any]]:
    """What the manifest says of each."""
    return [step for step in stage.manifest()["steps"] if step["step"] == "assemble"]


def test_every_cut_is_a_film_that_is_made_anew_only_when_it_changes(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.write("film.yaml", FILM)
    media.tone(stage.folder / "theme.mp3", 2)
    media.clip(stage.folder / "logo.mp4", 1, size=(160, 90), fps=30)
    ended = stage.shotrunner("run", "film.yaml")
    assert ended.code == 0, ended
    out = stage.folder / "out/film/draft"
    assert [opened(out / name) for name in OUTPUTS] == [
        (3 * 120 - 2 * 6, 624, ["The sea", "gull"]),
        (4 * 25 - 2 * 6, 320, ["The sea", "gull", "logo", "gull"]),
        (4 * 25 - 2 * 6, 320, ["The sea", "gull", "logo", "gull"]),
    ]
    first = films(stage)
    assert [(s["cut"], s["output"], s["status"], s["made"]) for s in first] == [
        ("whole", "whole.mp4", "done", True),
        ("short", "short@dawn.mp4", "done", True),
        ("short", "short@dusk.mp4", "done", True),
    ]
    media.tone(stage.folder / "theme.mp3", 2, hz=700)
    again = stage.shotrunner("run", "film.yaml")
    assert again.code == 0, again
    second = films(stage)
    assert [step["made"] for step in second] == [False, True, True]
    assert [a["sha256"] == b["sha256"] for a, b in zip(first, second, strict=True)] == [True, False, False]
    assert "3 reused" in again.out


def test_a_pipeline_names_its_cut_and_a_file_that_is_gone_is_told_before_anything_is_bought(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.write("film.yaml", FILM)
    own = "pipeline: 1\nprovider: animatic\nsteps: [{generate: {}}, {assemble: {cut: whole, output: a/film.mp4}}]\n"
    stage.write("own.yaml", own)
    media.tone(stage.folder / "theme.mp3", 2)
    ended = stage.shotrunner("run", "film.yaml", "--pipeline", "./own.yaml")
    assert (ended.code, "missing-file" in ended.out + ended.err) == (2, True), ended
    assert not (stage.folder / "out").exists()
    media.clip(stage.folder / "logo.mp4", 1, size=(160, 90))
    ended = stage.shotrunner("run", "film.yaml", "--pipeline", "./own.yaml")
    assert ended.code == 0, ended
    out = stage.folder / "out/film/own"
    assert [path.relative_to(out).as_posix() for path in out.rglob("*.mp4") if path.parent.name != "clips"] == [
        "a/film.mp4"
    ]
