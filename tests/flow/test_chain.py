"""Shots made from other shots at a paid service: each bought once, from the very clip, and none for a parent that failed."""

import signal
from pathlib import Path

import pytest
from stage import KEY, PaidService, Stage, paid, until

from runner.emulator.script import Fail, Hold, Mishap

CHAIN = """\
storyboard: 1
defaults: {{model: wan2.6-image-to-video-flash, params: {{duration: 2, quality: 720p, generate_audio: true}}}}
shots:
  - {{id: sea, model: wan2.5-text-to-video, prompt: {sea}, params: {{duration: 5}}{more}}}
  - {{id: ship, prompt: A ship, image: {{shot: sea, frame: last}}}}
  - {{id: walk, model: wan2.6-reference-video-flash, prompt: character1 walks, videos: [{{shot: ship}}]}}
  - {{id: hill, model: wan2.5-text-to-video, prompt: A hill, params: {{duration: 5}}}}
"""
TAKES = ["sea.1", "ship.1", "walk.1", "hill.1"]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "project").mkdir()
    stage = Stage(tmp_path / "project")
    write(stage)
    return stage


def write(stage: Stage, sea: str = "The sea", more: str = "") -> None:
    stage.write("film.yaml", CHAIN.format(sea=sea, more=more))


def run(stage: Stage, service: PaidService, *more: str, budget: str = "500"):
    return stage.shotrunner("run", "film.yaml", *service.arguments(budget), *more, EVOLINK_API_KEY=KEY)


def service(stage: Stage, *mishaps: Mishap):
    return paid(stage.folder.parent / "service", *mishaps)


def models(api: PaidService) -> list[str]:
    return [line.model.removeprefix("wan2.") for line in api.invoice]


def test_a_chain_is_bought_link_by_link_each_from_the_clip_of_the_last_and_never_again(stage: Stage) -> None:
    with service(stage) as api:
        first = run(stage, api)
        assert first.code == 0, first
        assert stage.statuses() == dict.fromkeys(TAKES, "done")
        assert api.bought() == 4
        takes = {take["id"]: take for take in stage.manifest(pipeline="clips")["takes"]}
        sea, ship = (takes[name]["clip"]["sha256"] for name in ("sea.1", "ship.1"))
        assert takes["ship.1"]["request"]["image_urls"] == [f"frame:last@{sea}"]
        assert takes["ship.1"]["references"][0]["parent"] == {"take": "sea.1", "selector": "frame:last", "sha256": sea}
        assert takes["walk.1"]["request"]["video_urls"] == [f"sha256:{ship}"]
        again = run(stage, api)
        assert again.code == 0, again
        assert "4 reused" in again.out
        write(stage, sea="Another sea")
        planned = stage.shotrunner("plan", "film.yaml", *api.arguments()[:6])
        assert "stale, made from an earlier clip: ship.1, walk.1; anew" in planned.out
        assert "chains: up to 3 takes" in planned.out and "sea.1 -> ship.1 -> walk.1" in planned.out
        asked = stage.shotrunner("why", "film.yaml", "ship.1", *api.arguments()[:6])
        assert sea in asked.out
        retaken = run(stage, api)
        assert retaken.code == 0, retaken
        takes = {take["id"]: take for take in stage.manifest(pipeline="clips")["takes"]}
        new_sea, new_ship = (takes[name]["clip"]["sha256"] for name in ("sea.1", "ship.1"))
        assert takes["ship.1"]["request"]["image_urls"] == [f"frame:last@{new_sea}"]
        # A child is bought anew where its parent's clip is another, and the hill hangs on nobody.
        assert new_sea != sea
        assert api.bought() == 4 + 2 + (new_ship != ship)
        asked = stage.shotrunner("why", "film.yaml", "ship.1", *api.arguments()[:6])
        assert asked.code == 0, asked


def test_a_failed_parent_blocks_what_hangs_on_it_and_nothing_else(stage: Stage) -> None:
    with service(stage, Fail(task=3, code="content_policy_violation")) as api:
        ended = run(stage, api)
        assert ended.code == 1, ended
        assert stage.statuses() == {"sea.1": "done", "ship.1": "failed", "walk.1": "blocked", "hill.1": "done"}
        assert "blocked: its parent `ship.1`" in ended.out
        again = run(stage, api)
        assert (again.code, api.bought()) == (1, 3), again
        planned = stage.shotrunner("plan", "film.yaml", *api.arguments()[:6])
        assert "--retry 'ship.1'" in planned.out
        mended = run(stage, api, "--retry", "ship")
        assert mended.code == 0, mended
        assert stage.statuses() == dict.fromkeys(TAKES, "done")


def test_a_budget_that_does_not_reach_to_the_end_of_a_chain_buys_nothing(stage: Stage) -> None:
    with service(stage) as api:
        ended = run(stage, api, budget="60")
        assert (ended.code, api.bought()) == (2, 0), ended
        assert "these would fit: sea.1" in ended.err


def test_killed_between_parent_and_child_and_run_again_each_is_bought_once(stage: Stage) -> None:
    with service(stage, Hold(task=3, seconds=3600)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
        until((stage.folder / ".shotrunner" / "journal.sqlite").exists, 60)
        until(lambda: ("ship.1", "receipt") in stage.events(), 60)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        api.advance(7200)
        ended = run(stage, api)
        assert ended.code == 0, ended
        assert sorted(models(api)) == sorted(
            ["5-text-to-video", "5-text-to-video", "6-image-to-video-flash", "6-reference-video-flash"]
        )


def test_several_takes_without_a_pick_hold_the_children_back(stage: Stage) -> None:
    write(stage, more=", takes: 2")
    with service(stage) as api:
        ended = run(stage, api)
        assert (ended.code, api.bought()) == (1, 3), ended
        assert stage.statuses()["ship.1"] == stage.statuses()["walk.1"] == "blocked"
        assert "--unpicked" in ended.out
        assert run(stage, api, "--unpicked").code == 0
        takes = {take["id"]: take for take in stage.manifest(pipeline="clips")["takes"]}
        assert takes["ship.1"]["references"][0]["parent"]["take"] == "sea.1"
        assert api.bought() == 5


def test_a_child_alone_needs_the_clip_of_its_parent(stage: Stage) -> None:
    with service(stage) as api:
        ended = run(stage, api, "--shots", "ship")
        assert (ended.code, api.bought()) == (1, 0), ended
        assert "--shots 'sea.1'" in ended.out
        assert run(stage, api, "--shots", "sea").code == 0
        assert run(stage, api, "--shots", "ship").code == 0
        assert api.bought() == 2


def test_a_saved_plan_carries_a_chain_to_its_end_cut_short_or_not(stage: Stage) -> None:
    with service(stage, Hold(task=3, seconds=3600)) as api:
        told = [word for word in api.arguments() if word != "--budget"]
        told.remove("500")
        saved = stage.shotrunner("plan", "film.yaml", *told[:4], "--base-url", api.base_url, "-o", "p.json")
        assert saved.code == 0, saved
        words = ("run", "--plan", "p.json", "--base-url", api.base_url, "--budget", "500", "--poll-interval", "0.05")
        process = stage.start(*words, EVOLINK_API_KEY=KEY)
        until((stage.folder / ".shotrunner" / "journal.sqlite").exists, 60)
        until(lambda: ("ship.1", "receipt") in stage.events(), 60)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        api.advance(7200)
        ended = stage.shotrunner(*words, EVOLINK_API_KEY=KEY)
        assert ended.code == 0, ended
        assert (api.bought(), stage.statuses()) == (4, dict.fromkeys(TAKES, "done"))
        again = stage.shotrunner(*words, EVOLINK_API_KEY=KEY)
        assert (again.code, api.bought()) == (2, 4), again
        assert "finished" in again.err or "carried out" in again.err
