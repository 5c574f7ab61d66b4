"""`status` and `why` over a journal that real runs wrote."""

import json
from pathlib import Path

import pytest
from stage import KEY, Stage, paid

from runner.emulator.script import Drop, Hold

FILM = """\
storyboard: 1
shots:
  - id: sea
    model: wan2.5-text-to-video
    prompt: The sea at dawn
    params: {quality: 480p, duration: 5}
  - id: hill
    model: wan2.5-text-to-video
    prompt: A green hill
    params: {quality: 480p, duration: 5}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    stage.write("film.yaml", FILM)
    return stage


def test_status_before_anything_was_made_writes_nothing(stage: Stage) -> None:
    ended = stage.shotrunner("status")
    assert ended.code == 0 and "nothing has been made" in ended.out, ended
    assert sorted(p.name for p in stage.folder.iterdir()) == ["film.yaml"]


def test_status_tells_what_is_owed_and_what_is_unknown(stage: Stage) -> None:
    with paid(stage.folder.parent / "service", Drop(create=1, accepted=True), Hold(task=2, seconds=30)) as api:
        run = stage.shotrunner(
            "run", "film.yaml", *api.arguments(), "-j", "1", "--deadline", "0.3", EVOLINK_API_KEY=KEY
        )
        assert run.code == 4, run
    ended = stage.shotrunner("status", "film.yaml", "--format", "json")
    assert ended.code == 4, ended
    found = {p["take"]: p for p in json.loads(ended.out)["purchases"]}
    assert found["sea.1"]["state"] == "unknown"
    assert found["hill.1"]["state"] == "overdue"
    assert found["hill.1"]["task_id"]
    assert json.loads(ended.out)["committed"] == "25.50"
    text = stage.shotrunner("status").out
    assert "UNKNOWN" in text and found["sea.1"]["key"][:12] in text and found["sea.1"]["body_sha256"][:12] in text


def test_why_names_the_field_its_old_and_new_value_its_line_and_the_cost(stage: Stage) -> None:
    with paid(stage.folder.parent / "service") as api:
        words = api.arguments()
        assert stage.shotrunner("run", "film.yaml", *words, EVOLINK_API_KEY=KEY).code == 0
        reused = stage.shotrunner("why", "film.yaml", "sea", *words)
        assert "sea.1: reuse, unchanged" in reused.out, reused
        stage.write("film.yaml", FILM.replace("The sea at dawn", "The sea at night"))
        ended = stage.shotrunner("why", "film.yaml", "sea.1", *words, "--format", "json")
    found = json.loads(ended.out)
    assert (found["action"], found["price"]) == ("buy", "12.75")
    assert found["changed"] == [
        {
            "name": "prompt",
            "old": "The sea at dawn",
            "new": "The sea at night",
            "place": {"path": "film.yaml", "line": 5, "column": 13},
        }
    ]


def test_why_of_a_take_there_is_not_suggests_one(stage: Stage) -> None:
    ended = stage.shotrunner("why", "film.yaml", "hil")
    assert ended.code == 2 and "did you mean `hill`?" in ended.err, ended
