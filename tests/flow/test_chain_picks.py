"""Shots made from picked clips: another choice is another child, each paid once, and going back costs nothing."""

import signal
from pathlib import Path

import pytest
from machines import lock
from stage import KEY, Ended, PaidService, Stage, paid, until

from runner.emulator.refusals import Lack
from runner.emulator.script import Fail, Hold, Mishap
from runner.emulator.switches import Switches

FILM = """\
storyboard: 1
defaults: {{model: wan2.6-image-to-video-flash, params: {{duration: 2, quality: 720p, generate_audio: true}}}}
shots:
  - {{id: sea, model: wan2.7-text-to-video, prompt: {sea}, params: {{duration: 2}}, takes: {takes}}}
  - {{id: ship, prompt: A ship, image: {{shot: sea, frame: last}}}}
"""
SERVICE = ("--pipeline", "clips", "--provider", "evolink")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "project").mkdir()
    stage = Stage(tmp_path / "project")
    write(stage)
    return stage


def write(stage: Stage, sea: str = "The sea", takes: int = 1) -> None:
    stage.write("film.yaml", FILM.format(sea=sea, takes=takes))


def service(stage: Stage, *mishaps: Mishap):
    switches = Switches(lacks=frozenset({Lack.IDEMPOTENCY}))
    return paid(stage.folder.parent / "service", *mishaps, switches=switches)


def run(stage: Stage, api: PaidService, *more: str, code: int = 0) -> Ended:
    ended = stage.shotrunner("run", "film.yaml", *api.arguments(), *more, EVOLINK_API_KEY=KEY)
    assert ended.code == code, ended
    return ended


def choose(stage: Stage, api: PaidService, *words: str) -> Ended:
    command, *rest = words
    ended = stage.shotrunner(command, "film.yaml", *rest, *SERVICE, "--base-url", api.base_url)
    assert ended.code == 0, ended
    return ended


def clip(stage: Stage, take: str) -> str:
    (found,) = [one for one in stage.manifest(pipeline="clips")["takes"] if one["id"] == take]
    return str(found["clip"]["sha256"])


def parent(stage: Stage) -> str:
    """By which clip the ship was made."""
    (found,) = [one for one in stage.manifest(pipeline="clips")["takes"] if one["id"] == "ship.1"]
    return str(found["request"]["image_urls"][0])


def test_a_retake_while_the_child_is_made_pays_for_neither_twice_and_going_back_costs_nothing(stage: Stage) -> None:
    with service(stage, Hold(task=2, seconds=3600)) as api:
        run(stage, api, "--shots", "sea")
        first = clip(stage, "sea.1")
        choose(stage, api, "pick", "sea.1")
        write(stage, sea="A sea of ice")
        process = stage.start("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
        until(lambda: ("ship.1", "receipt") in stage.events(), 60)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        choose(stage, api, "retake", "sea")
        api.advance(7200)
        run(stage, api)
        second = clip(stage, "sea.1")
        assert second != first and parent(stage) == f"frame:last@{second}"
        assert api.bought() == 4  # two seas, and a ship from each
        assert [row["state"] for row in lock(stage)] == ["done"] * 4
        run(stage, api, "--budget", "0")
        choose(stage, api, "pick", "sea.1", "--clip", first[:12])
        run(stage, api, "--budget", "0")
        assert parent(stage) == f"frame:last@{first}"
        assert api.bought() == 4


def test_without_a_pick_the_first_take_is_gone_on_with_and_another_choice_pays_for_one_more_child(stage: Stage) -> None:
    write(stage, takes=2)
    with service(stage) as api:
        run(stage, api, code=1)
        assert api.bought() == 2
        run(stage, api, "--unpicked")
        assert (api.bought(), parent(stage)) == (3, f"frame:last@{clip(stage, 'sea.1')}")
        run(stage, api, "--budget", "0")  # what is bought needs no leave any more
        assert "the next run makes ship.1 anew" in choose(stage, api, "pick", "sea.2").out
        run(stage, api)
        assert (api.bought(), parent(stage)) == (4, f"frame:last@{clip(stage, 'sea.2')}")
        choose(stage, api, "pick", "sea.1")
        run(stage, api, "--budget", "0")
        choose(stage, api, "unpick", "sea")
        run(stage, api, "--budget", "0")
        assert api.bought() == 4


def test_a_first_take_that_failed_is_never_replaced_by_another_one(stage: Stage) -> None:
    write(stage, takes=2)
    with service(stage, Fail(task=1, code="content_policy_violation")) as api:
        run(stage, api, "-j", "1", "--unpicked", code=1)
        assert stage.statuses() == {"sea.1": "failed", "sea.2": "done", "ship.1": "blocked"}
        assert api.bought() == 2
        choose(stage, api, "pick", "sea.2")
        run(stage, api, code=1)
        assert (api.bought(), parent(stage)) == (3, f"frame:last@{clip(stage, 'sea.2')}")
        choose(stage, api, "unpick", "sea")
        run(stage, api, "--unpicked", "--retry", "sea")
        assert (api.bought(), parent(stage)) == (5, f"frame:last@{clip(stage, 'sea.1')}")
