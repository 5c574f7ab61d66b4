"""`reconcile` and `collect`: what is unknown is settled by a person alone, what is paid is fetched without buying."""

import json
from pathlib import Path

import pytest
from stage import KEY, PaidService, Stage, paid

from runner.emulator.script import Drop, Hold, Reply

FILM = """\
storyboard: 1
shots:
  - id: sea
    model: wan2.5-text-to-video
    prompt: The sea at dawn
    params: {quality: 480p, duration: 5}
"""
TWO = (
    FILM
    + """\
  - id: hill
    model: wan2.5-text-to-video
    prompt: A green hill
    params: {quality: 480p, duration: 5}
"""
)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    stage.write("film.yaml", FILM)
    return stage


def run(stage: Stage, api: PaidService, *more: str, budget: str = "100"):
    return stage.shotrunner("run", "film.yaml", *api.arguments(budget), *more, EVOLINK_API_KEY=KEY)


def reconcile(stage: Stage, api: PaidService, *words: str):
    return stage.shotrunner("reconcile", "--base-url", api.base_url, *words, EVOLINK_API_KEY=KEY)


def decisions(stage: Stage) -> list[str]:
    return [event for _, event in stage.events() if event in ("attached", "disclaimed", "written-off")]


def test_nothing_to_settle(stage: Stage) -> None:
    assert stage.shotrunner("reconcile").code == 0


def test_an_unknown_purchase_is_listed_with_all_that_is_known(stage: Stage) -> None:
    with paid(stage.folder.parent / "service", Drop(create=1, accepted=True)) as api:
        assert run(stage, api).code == 4
        ended = reconcile(stage, api, "--format", "json")
        assert ended.code == 4, ended
        found = json.loads(ended.out)["unknown"]
        line = api.invoice[0]
        assert [(u["take"], u["reserved"], u["idempotency_key"]) for u in found] == [
            ("sea.1", "12.75", line.idempotency_key)
        ]
        assert len(found[0]["body_sha256"]) == 64 and found[0]["sent_at"]


def test_the_providers_list_offers_the_lost_task_and_attaching_it_buys_nothing(stage: Stage) -> None:
    with paid(stage.folder.parent / "service", Drop(create=1, accepted=True)) as api:
        assert run(stage, api).code == 4
        found = json.loads(reconcile(stage, api, "--format", "json").out)["unknown"]
        assert [c["task_id"] for c in found[0]["candidates"]] == [api.invoice[0].task_id]
        ended = reconcile(stage, api, "--attach", f"sea.1={api.invoice[0].task_id}")
        assert ended.code == 0, ended
        assert run(stage, api, budget="0").code == 0
        assert api.bought() == 1
        assert stage.statuses() == {"sea.1": "done"}
        assert decisions(stage) == ["attached"]


def test_a_task_that_the_service_does_not_know_is_not_attached(stage: Stage) -> None:
    with paid(stage.folder.parent / "service", Drop(create=1, accepted=True)) as api:
        assert run(stage, api).code == 4
        ended = reconcile(stage, api, "--attach", "sea.1=task-unified-1757169743-aaaaaaaa")
        assert ended.code == 2 and "does not know" in ended.err, ended
        assert decisions(stage) == []


@pytest.mark.parametrize("task_id", ["..", "a/b", "-x", "x" * 129])
def test_an_unlawful_task_id_is_not_attached(stage: Stage, task_id: str) -> None:
    with paid(stage.folder.parent / "service", Drop(create=1, accepted=True)) as api:
        assert run(stage, api).code == 4
        ended = reconcile(stage, api, f"--attach=sea.1={task_id}")
        assert ended.code == 2 and "no lawful task id" in ended.err, ended


def test_a_task_that_another_take_holds_is_not_attached(stage: Stage) -> None:
    stage.write("film.yaml", TWO)
    with paid(stage.folder.parent / "service", Drop(create=1, accepted=True)) as api:
        assert run(stage, api, "-j", "1").code == 4
        ended = reconcile(stage, api, "--attach", f"sea.1={api.invoice[1].task_id}")
        assert ended.code == 2 and "already belongs" in ended.err, ended


def test_attaching_the_lost_task_buys_nothing(stage: Stage) -> None:
    with paid(stage.folder.parent / "service", Drop(create=1, accepted=True)) as api:
        assert run(stage, api).code == 4
        ended = reconcile(stage, api, "--attach", f"sea.1={api.invoice[0].task_id}")
        assert ended.code == 0, ended
        assert run(stage, api, budget="0").code == 0
        assert api.bought() == 1
        assert stage.statuses() == {"sea.1": "done"}
        assert decisions(stage) == ["attached"]


def test_a_wrong_task_that_nobody_could_check_is_told_and_replaced_by_the_right_one(stage: Stage) -> None:
    with paid(stage.folder.parent / "service", Drop(create=1, accepted=True)) as api:
        assert run(stage, api).code == 4
        wrong = "task-unified-1795181855-typotypo"
        ended = stage.shotrunner("reconcile", "--attach", f"sea.1={wrong}")  # nobody says where the service is
        assert ended.code == 0 and "was not asked whether it knows task" in ended.err, ended
        assert run(stage, api, "--deadline", "1").code == 5
        ended = reconcile(stage, api, "--attach", f"sea.1={api.invoice[0].task_id}")
        assert ended.code == 0, ended
        assert run(stage, api, budget="0").code == 0
        assert api.bought() == 1 and decisions(stage) == ["attached", "attached"]


def test_declared_not_taken_is_bought_and_frees_its_reservation(stage: Stage) -> None:
    with paid(stage.folder.parent / "service", Reply(create=1, status=500)) as api:
        assert run(stage, api).code == 4
        assert reconcile(stage, api, "--not-taken", "sea.1").code == 0
        assert run(stage, api, budget="12.75").code == 0
        assert api.bought() == 1
        assert stage.manifest(pipeline="clips")["totals"]["committed"] == "12.75"


def test_bought_again_keeps_the_first_reservation_counted(stage: Stage) -> None:
    with paid(stage.folder.parent / "service", Drop(create=1, accepted=True)) as api:
        assert run(stage, api).code == 4
        assert reconcile(stage, api, "--buy-again", "sea.1").code == 0
        assert run(stage, api).code == 0
        assert api.bought() == 2
        assert len({line.idempotency_key for line in api.invoice}) == 2
        assert stage.manifest(pipeline="clips")["totals"]["committed"] == "25.50"


def test_a_decision_on_what_is_not_unknown_is_refused(stage: Stage) -> None:
    with paid(stage.folder.parent / "service") as api:
        assert run(stage, api).code == 0
        ended = reconcile(stage, api, "--buy-again", "sea.1")
        assert ended.code == 2 and "is done" in ended.err, ended
        assert reconcile(stage, api, "--not-taken", "hill.1").code == 2


def test_without_a_key_the_list_still_tells_what_is_known(stage: Stage) -> None:
    with paid(stage.folder.parent / "service", Drop(create=1, accepted=True)) as api:
        assert run(stage, api).code == 4
    ended = stage.shotrunner("reconcile")
    assert ended.code == 4, ended
    assert "no candidates" in ended.out and "--attach" in ended.out


def test_collect_fetches_what_is_paid_and_buys_nothing(stage: Stage) -> None:
    stage.write("film.yaml", TWO)
    with paid(stage.folder.parent / "service", Hold(task=1, seconds=3600)) as api:
        words = api.arguments()
        first = stage.shotrunner("run", "film.yaml", *words, "--shots", "sea", "--deadline", "0.2", EVOLINK_API_KEY=KEY)
        assert first.code == 5, first
        told = [w for w in words if w not in ("--budget", "500")]
        early = stage.shotrunner("collect", "film.yaml", *told, "--deadline", "0.1", EVOLINK_API_KEY=KEY)
        assert early.code == 5, early
        api.advance(3600)
        ended = stage.shotrunner("collect", "film.yaml", *told, EVOLINK_API_KEY=KEY)
        assert ended.code == 0, ended
        assert api.bought() == 1
        assert stage.statuses() == {"sea.1": "done", "hill.1": "pending"}
        assert (stage.folder / "out/film/clips/clips/sea.1.mp4").is_file()
        again = stage.shotrunner("collect", "film.yaml", *told, EVOLINK_API_KEY=KEY)
        assert again.code == 0, again
