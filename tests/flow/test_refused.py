"""What a paid run is refused for before anything is sent: an address no key may go to, a price nobody knows."""

import json
from pathlib import Path
from typing import Any

import pytest
from repository import repository
from stage import KEY, Stage, paid

from runner.adapters import catalog

FILM = """\
storyboard: 1
shots:
  - {id: sea, model: %s, prompt: The sea at dawn, params: {quality: 480p, duration: 5}}
"""
SHIPPED = "wan2.5-text-to-video"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    stage.write("film.yaml", FILM % SHIPPED)
    return stage


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--provider", "animatic", "--base-url", "http://127.0.0.1:9"), "takes no base URL"),
        (("--provider", "evolink", "--base-url", "http://service.example"), "unencrypted"),
        (("--provider", "evolink", "--base-url", "http://127.0.0.1.service.example"), "unencrypted"),
        (("--provider", "evolink", "--base-url", "https://me:word@service.example"), "is no base URL"),
        (("--provider", "evolink", "--base-url", "https://service.example?to=evil"), "is no base URL"),
        (("--provider", "evolink", "--base-url", "ftp://service.example"), "is no base URL"),
    ],
)
def test_no_key_goes_to_such_an_address(stage: Stage, words: tuple[str, ...], reason: str) -> None:
    ended = stage.shotrunner("run", "film.yaml", "--pipeline", "clips", "--budget", "99", *words, EVOLINK_API_KEY=KEY)
    assert (ended.code, reason in ended.err) == (2, True), ended
    assert not (stage.folder / ".shotrunner").exists()


def unpriced() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((catalog.home() / f"schemas/models/{SHIPPED}.schema.json").read_text())
    document["properties"]["model"] = {**document["properties"]["model"], "const": "sketch"}
    document["x-model"]["providers"] = {"evolink": {**document["x-model"]["providers"]["evolink"], "prices": []}}
    return document


def test_a_price_nobody_knows_is_no_price_of_nothing(stage: Stage) -> None:
    stage.write("film.yaml", FILM % "sketch")
    stage.write("schemas/models/sketch.schema.json", json.dumps(unpriced()))
    with paid(stage.folder.parent / "service") as api:
        ended = stage.shotrunner("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
        assert ended.code == 2 and "the price of 1 take is not known (sketch)" in ended.err, ended
        allowed = stage.shotrunner("run", "film.yaml", *api.arguments(), "--allow-unpriced", EVOLINK_API_KEY=KEY)
        assert "is not known" not in allowed.err, allowed
        assert stage.statuses() == {"sea.1": "refused"}, "the service has no such model"
        assert api.bought() == 0


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_a_state_folder_that_git_tracks_is_refused(tmp_path: Path, command: str) -> None:
    made = repository(tmp_path / "project")
    made.write("film.yaml", FILM % SHIPPED)
    made.write(".shotrunner/journal.sqlite", b"what a stranger bought")
    made.commit()
    before = (made.folder / ".shotrunner/journal.sqlite").stat().st_mtime_ns
    ended = Stage(made.folder).shotrunner(command, "film.yaml")
    assert ended.code == 2 and "is tracked by git" in ended.err and "git rm -r --cached" in ended.err, ended
    assert (made.folder / ".shotrunner/journal.sqlite").stat().st_mtime_ns == before


def test_a_key_file_that_git_tracks_is_refused_and_what_it_holds_not_sent(tmp_path: Path) -> None:
    made = repository(tmp_path / "project")
    made.write("film.yaml", FILM % SHIPPED)
    made.write(".env", f"EVOLINK_API_KEY={KEY}\n")
    stage = Stage(made.folder)
    with paid(tmp_path / "service") as api:
        made.git("add", ".env")
        refused = stage.shotrunner("run", "film.yaml", *api.arguments())
        assert refused.code == 2 and ".env is tracked by git" in refused.err and KEY not in refused.err, refused
        assert api.bought() == 0
        made.git("rm", "--cached", "-q", ".env")
        assert stage.shotrunner("run", "film.yaml", *api.arguments()).code == 0
        assert api.bought() == 1
