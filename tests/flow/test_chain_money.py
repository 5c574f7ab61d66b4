"""Shots made from other shots, on several machines and with clips gone: no way leads to a second charge for what is paid."""

import json
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest
from machines import acts, clone, commit, forget_tasks, git
from stage import KEY, Ended, PaidService, Stage, paid, until
from standins import stand_in

from runner.adapters import catalog
from runner.emulator.order import Order
from runner.emulator.refusals import Lack
from runner.emulator.script import Drop, Fail, Hold, Mishap, Reply
from runner.emulator.switches import Switches

CHAIN = """\
storyboard: 1
defaults: {model: wan2.6-image-to-video-flash, params: {duration: 2, quality: 720p, generate_audio: true}}
shots:
  - {id: sea, model: wan2.5-text-to-video, prompt: The sea, params: {duration: 5}}
  - {id: ship, prompt: A ship, image: {shot: sea, frame: last}}
  - {id: walk, model: wan2.6-reference-video-flash, prompt: character1 walks, videos: [{shot: ship}]}
"""
PICKED = """\
storyboard: 1
defaults: {{model: wan2.6-image-to-video-flash, params: {{duration: 2, quality: 720p, generate_audio: true}}}}
shots:
  - {{id: sea, model: wan2.5-text-to-video, prompt: {sea}, params: {{duration: 5}}}}
  - {{id: ship, prompt: A ship, image: {{shot: sea, frame: last}}}}
"""
TAKES = ("sea.1", "ship.1", "walk.1")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    stage.write("film.yaml", CHAIN)
    stage.write(".gitignore", "out/\n")
    git(stage, "init", "-q", "-b", "main")
    commit(stage)
    return stage


Render = Callable[[Order, Path], None]


def never_the_same(order: Order, target: Path) -> None:
    """A clip with other bytes each time, as of a model without a seed."""
    stand_in(order, target)
    with target.open("ab") as clip:
        clip.write((40).to_bytes(4, "big") + b"free" + secrets.token_bytes(32))


@contextmanager
def service(stage: Stage, *mishaps: Mishap, render: Render = stand_in) -> Iterator[PaidService]:
    """One that knows no idempotency: what is sent twice is bought twice."""
    switches = Switches(lacks=frozenset({Lack.IDEMPOTENCY}))
    with paid(stage.folder.parent / "service", *mishaps, switches=switches, render=render) as api:
        yield api


def run(stage: Stage, api: PaidService, *more: str, film: str = "film.yaml", budget: str = "500") -> Ended:
    return stage.shotrunner("run", film, *api.arguments(budget), *more, EVOLINK_API_KEY=KEY)


def test_a_clone_that_may_buy_asks_first_for_every_link_of_a_chain(stage: Stage) -> None:
    with service(stage) as api:
        assert run(stage, api).code == 0
        other = clone(stage)
        ended = run(other, api, "--buy-missing")
        assert ended.code == 0, ended
        assert api.bought() == len(TAKES)
        assert other.statuses() == dict.fromkeys(TAKES, "done")


def test_a_clip_gone_with_its_parents_is_asked_for_before_it_is_bought(stage: Stage) -> None:
    with service(stage) as api:
        assert run(stage, api).code == 0
        shutil.rmtree(stage.folder / ".shotrunner/clips")
        shutil.rmtree(stage.folder / "out")
        ended = run(stage, api, "--buy-missing")
        assert ended.code == 0, ended
        assert api.bought() == len(TAKES)


def test_what_another_storyboard_has_paid_is_known_behind_a_missing_parent(stage: Stage) -> None:
    with service(stage) as api:
        assert run(stage, api).code == 0
        other = clone(stage)
        git(other, "mv", "film.yaml", "trailer.yaml")
        ended = run(other, api, "--buy-missing", film="trailer.yaml")
        assert ended.code == 0, ended
        assert api.bought() == len(TAKES)


def killed_while_the_child_is_made(stage: Stage, api: PaidService) -> None:
    """A run that dies when its parent is done and its child's task is known to the lock."""
    process = stage.start("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
    lock = stage.folder / "film.lock.json"
    until(lambda: lock.is_file() and '"ship.1","state":"open"' in lock.read_text(), 60)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("film", ["film.yaml", "trailer.yaml"])
def test_a_child_under_way_elsewhere_is_fetched_and_not_bought_where_its_parent_is_missing(
    stage: Stage, film: str
) -> None:
    with service(stage, Hold(task=2, seconds=3600)) as api:
        killed_while_the_child_is_made(stage, api)
        other = clone(stage)
        if film != "film.yaml":
            git(other, "mv", "film.yaml", film)
        api.advance(7200)
        ended = run(other, api, "--buy-missing", film=film)
        assert ended.code == 0, ended
        assert api.bought() == len(TAKES)


@pytest.mark.parametrize("film", ["film.yaml", "trailer.yaml"])
def test_a_child_of_unknown_outcome_elsewhere_is_not_bought_where_its_parent_is_missing(
    stage: Stage, film: str
) -> None:
    with service(stage, Drop(create=2, accepted=True)) as api:
        assert run(stage, api).code == 4
        other = clone(stage)
        if film != "film.yaml":
            git(other, "mv", "film.yaml", film)
        ended = run(other, api, "--buy-missing", film=film)
        assert ended.code == 4, ended
        assert api.bought() == 2


def test_a_chain_that_the_service_gives_out_no_more_is_bought_again_once_where_that_is_asked_for(stage: Stage) -> None:
    with service(stage) as api:
        assert run(stage, api).code == 0
        forget_tasks(stage)
        other = clone(stage)
        ended = run(other, api, "--buy-missing")
        assert ended.code == 0, ended
        assert api.bought() == 2 * len(TAKES)
        assert run(other, api, "--buy-missing").code == 0
        assert api.bought() == 2 * len(TAKES)


TWINS = """\
storyboard: 1
defaults: {model: wan2.6-image-to-video-flash, params: {duration: 2, quality: 720p, generate_audio: true}}
shots:
  - {id: sea, model: wan2.5-text-to-video, prompt: The sea, distinct: true, params: {duration: 5}}
  - {id: tide, model: wan2.5-text-to-video, prompt: The sea, distinct: true, params: {duration: 5}}
  - {id: ship, prompt: A ship, image: {shot: sea, frame: last}}
  - {id: boat, prompt: A ship, image: {shot: tide, frame: last}}
  - {id: walk, model: wan2.6-reference-video-flash, prompt: character1 walks, videos: [{shot: boat}]}
"""


@pytest.mark.parametrize("workers", ["1", "4"])
def test_what_hangs_on_the_second_of_two_children_that_turn_out_equal_is_made_in_the_same_run(
    stage: Stage, workers: str
) -> None:
    stage.write("film.yaml", TWINS)
    with service(stage) as api:
        ended = run(stage, api, "-j", workers)
        assert ended.code == 0, ended
        takes = {take["id"]: take for take in stage.manifest(pipeline="clips")["takes"]}
        assert takes["ship.1"]["key"] == takes["boat.1"]["key"]
        assert api.bought() == 4
        assert run(stage, api).code == 0
        assert api.bought() == 4


def test_a_child_whose_twin_was_not_taken_waits_with_it(stage: Stage) -> None:
    stage.write("film.yaml", TWINS)
    with service(stage, Reply(create=3, status=400)) as api:
        ended = run(stage, api, "-j", "4")
        assert (ended.code, api.bought()) == (1, 2), ended
        assert stage.statuses()["ship.1"] == stage.statuses()["boat.1"] == "refused"
        assert "walk.1" in ended.out
        assert run(stage, api).code == 0
        assert api.bought() == 4


def test_another_clip_of_a_parent_that_a_colleague_bought_makes_nothing_stale_where_the_first_one_is(
    stage: Stage,
) -> None:
    with service(stage, render=never_the_same) as api:
        assert run(stage, api).code == 0
        commit(stage)
        other = clone(stage)
        forget_tasks(other)
        assert run(other, api, "--buy-missing").code == 0
        assert api.bought() == 2 * len(TAKES)
        commit(other)
        git(stage, "pull", "-q", "--no-rebase", str(other.folder), check=False)
        git(stage, "checkout", "-q", "--theirs", "film.lock.json", check=False)
        assert set(acts(stage, api).values()) == {"reuse"}
        ended = run(stage, api, budget="0")
        assert (ended.code, api.bought()) == (0, 2 * len(TAKES)), ended
        assert set(acts(other, api).values()) == {"reuse"}


def lose_all_clips_and_let_the_service_pack_its_own_anew(stage: Stage) -> None:
    shutil.rmtree(stage.folder / ".shotrunner/clips")
    shutil.rmtree(stage.folder / "out")
    for clip in (stage.folder.parent / "service").rglob("*.mp4"):
        with clip.open("ab") as file:
            file.write((16).to_bytes(4, "big") + b"free" + b"anew....")


def test_a_parent_that_is_fetched_again_with_other_bytes_makes_no_child_anew(stage: Stage) -> None:
    with service(stage) as api:
        assert run(stage, api).code == 0
        before = {take["id"]: take["key"] for take in stage.manifest(pipeline="clips")["takes"]}
        lose_all_clips_and_let_the_service_pack_its_own_anew(stage)
        assert run(stage, api, budget="0").code == 0
        assert set(acts(stage, api).values()) == {"reuse"}
        ended = run(stage, api, budget="0")
        assert (ended.code, api.bought()) == (0, len(TAKES)), ended
        assert {take["id"]: take["key"] for take in stage.manifest(pipeline="clips")["takes"]} == before
        assert stage.shotrunner("audit", "out/film/clips/manifest.json").code == 0
        jsonschema.validate(json.loads((stage.folder / "film.lock.json").read_text()), catalog.schema("lock"))
        other = clone(stage)
        ended = run(other, api, "--buy-missing")
        assert (ended.code, api.bought()) == (0, len(TAKES)), ended
        assert set(acts(other, api).values()) == {"reuse"}


def test_a_pick_protects_a_clip_that_is_fetched_again_with_other_bytes(stage: Stage) -> None:
    stage.write("film.yaml", PICKED.format(sea="The sea"))
    with service(stage) as api:
        assert run(stage, api).code == 0
        words = ("--pipeline", "clips", "--provider", "evolink", "--base-url", api.base_url)
        assert stage.shotrunner("pick", "film.yaml", "sea.1", *words).code == 0
        stage.write("film.yaml", PICKED.format(sea="A sea of ice"))
        lose_all_clips_and_let_the_service_pack_its_own_anew(stage)
        run(stage, api)
        ended = run(stage, api)
        assert (ended.code, api.bought()) == (0, 2), ended
        assert acts(stage, api) == {"sea.1": "keep", "ship.1": "reuse"}


# Saved plans


def save(stage: Stage, api: PaidService, *more: str) -> Ended:
    words = ("--pipeline", "clips", "--provider", "evolink", "--base-url", api.base_url)
    return stage.shotrunner("plan", "film.yaml", *words, "-o", "p.json", *more, EVOLINK_API_KEY=KEY)


def carry_out(stage: Stage, api: PaidService, *more: str, budget: str = "500") -> Ended:
    words = ("--base-url", api.base_url, "--budget", budget, "--poll-interval", "0.05")
    return stage.shotrunner("run", "--plan", "p.json", *words, *more, EVOLINK_API_KEY=KEY)


def test_a_plan_whose_parents_clip_is_another_one_since_is_stale(stage: Stage) -> None:
    stage.write("film.yaml", PICKED.format(sea="The sea"))
    picked = ("film.yaml", "sea.1", "--pipeline", "clips", "--provider", "evolink")
    with service(stage) as api:
        assert run(stage, api, "--shots", "sea").code == 0
        first = stage.manifest(pipeline="clips")["takes"][0]["clip"]["sha256"]
        stage.write("film.yaml", PICKED.format(sea="A sea of ice"))
        assert run(stage, api, "--shots", "sea").code == 0
        assert stage.shotrunner("pick", *picked, "--base-url", api.base_url, EVOLINK_API_KEY=KEY).code == 0
        assert save(stage, api).code == 0
        back = stage.shotrunner("pick", *picked, "--base-url", api.base_url, "--clip", first[:12], EVOLINK_API_KEY=KEY)
        assert back.code == 0, back
        ended = carry_out(stage, api)
        assert (ended.code, api.bought()) == (2, 2), ended
        assert "is stale" in ended.err and "ship.1" in ended.err


def test_a_plan_whose_parent_failed_is_finished_with_it(stage: Stage) -> None:
    with service(stage, Fail(task=1, code="content_policy_violation")) as api:
        assert save(stage, api).code == 0
        ended = carry_out(stage, api)
        assert ended.code == 1 and "is finished" in ended.err, ended
        again = carry_out(stage, api)
        assert (again.code, api.bought()) == (2, 1), again
        assert "finished at" in again.err


def test_a_plan_whose_children_turn_out_equal_is_finished_with_one_purchase(stage: Stage) -> None:
    stage.write("film.yaml", TWINS)
    with service(stage) as api:
        assert save(stage, api).code == 0
        ended = carry_out(stage, api)
        assert (ended.code, api.bought()) == (0, 4), ended
        assert "is finished" in ended.err


def test_a_plan_over_its_budget_advises_what_can_be_done_with_it(stage: Stage) -> None:
    with service(stage) as api:
        assert save(stage, api).code == 0
        ended = carry_out(stage, api, budget="30")
        assert (ended.code, api.bought()) == (2, 0), ended
        assert "--budget" in ended.err and "narrow" in ended.err
        (advised,) = [line for line in ended.err.splitlines() if line.startswith("help:")]
        assert "shotrunner plan film.yaml" in advised and "--shots" in advised and "-o p.json" in advised, advised
