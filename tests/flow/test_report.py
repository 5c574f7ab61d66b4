"""The report of a run: a step of its pipeline, or made anew by its own command."""

from pathlib import Path

import pytest
from PIL import Image
from stage import Stage

FILM = """\
storyboard: 1
title: Sea & <sons>
shots:
  - {id: sea, model: wan2.5-text-to-video, prompt: The sea at dawn, params: {quality: 480p, duration: 5}}
"""
PIPELINE = """\
pipeline: 1
provider: animatic
steps:
  - generate: {}
  - report: {output: look/index.html, sheet: contact.png}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path / "project")
    stage.write("film.yaml", FILM)
    stage.write("look.yaml", PIPELINE)
    return stage


def test_a_run_leaves_a_page_and_a_sheet_and_leaves_equal_ones_alone(stage: Stage) -> None:
    ended = stage.shotrunner("run", "film.yaml", "--pipeline", "look.yaml")
    assert ended.code == 0, ended
    out = stage.folder / "out/film/look"
    page = (out / "look/index.html").read_text(encoding="utf-8")
    assert "Sea &amp; &lt;sons&gt;" in page and "data:image/jpeg;base64," in page
    with Image.open(out / "contact.png") as sheet:
        assert sheet.format == "PNG" and sheet.width > 320
    assert "out/film/look/look/index.html" in ended.out
    first, second = ((out / name).stat().st_mtime_ns for name in ("look/index.html", "contact.png"))
    assert stage.shotrunner("run", "film.yaml", "--pipeline", "look.yaml").code == 0
    assert stage.manifest("film", "look")["steps"][-1]["status"] == "done"
    again = stage.shotrunner("run", "film.yaml", "--pipeline", "look.yaml")
    assert stage.manifest("film", "look")["steps"][-1]["made"] is False, again
    assert (out / "contact.png").stat().st_mtime_ns >= second and first
    assert stage.shotrunner("audit", "out/film/look/manifest.json").code == 0

    stage.write("film.yaml", FILM.replace("dawn", "dusk"))
    assert stage.shotrunner("run", "film.yaml", "--pipeline", "look.yaml").code == 0
    page = (out / "look/index.html").read_text(encoding="utf-8")
    assert "<del>dawn</del><ins>dusk</ins>" in page


def test_the_command_makes_it_of_a_run_that_had_no_such_step_and_asks_for_one_without_a_run(stage: Stage) -> None:
    ended = stage.shotrunner("report", "film.yaml")
    assert ended.code == 2 and "shotrunner run film.yaml --pipeline draft" in ended.err, ended
    assert stage.shotrunner("run", "film.yaml").code == 0
    ended = stage.shotrunner("report", "film.yaml", "--sheet", "contact.png")
    assert ended.code == 0, ended
    assert ended.out.splitlines() == ["out/film/draft/index.html", "contact.png"]
    page = (stage.folder / "out/film/draft/index.html").read_text(encoding="utf-8")
    assert "reuse: " in page and "film.mp4" in page
    sheet = (stage.folder / "contact.png").read_bytes()
    assert stage.shotrunner("pick", "film.yaml", "sea.1").code == 0
    assert stage.shotrunner("report", "film.yaml", "--sheet", "contact.png").code == 0
    assert (stage.folder / "contact.png").read_bytes() != sheet  # it says which take is picked
    ended = stage.shotrunner("report", "film.yaml", "-o", "elsewhere.html")
    assert ended.code == 2 and "does not lie in out/film/draft" in ended.err, ended
