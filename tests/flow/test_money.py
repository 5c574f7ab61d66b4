"""Money at a paid service, whole commands over real sockets: what is bought, what is kept, what the exit code says.

Each fault of the service has its row in `test_fault_matrix`.
"""

import json
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from media import picture
from stage import KEY, QUICK, PaidService, Stage, paid, until

from runner.emulator.script import Download, Drop, Fail, Hold, Mishap, NoResults, Reply, Spoiled

ONE = """\
storyboard: 1
shots:
  - id: sea
    model: wan2.5-text-to-video
    prompt: The sea at dawn
    params: {quality: 480p, duration: 5}
"""
THREE = (
    ONE
    + """\
  - id: hill
    model: wan2.5-text-to-video
    prompt: A green hill
    params: {quality: 480p, duration: 5}
  - id: town
    model: wan2.5-text-to-video
    prompt: A town by the river
    params: {quality: 480p, duration: 5}
"""
)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    stage.write("film.yaml", THREE)
    return stage


@contextmanager
def service(stage: Stage, *mishaps: Mishap) -> Iterator[PaidService]:
    with paid(stage.folder.parent / "service", *mishaps) as found:
        yield found


def run(stage: Stage, service: PaidService, *more: str, budget: str = "500"):
    return stage.shotrunner("run", "film.yaml", *service.arguments(budget), *more, EVOLINK_API_KEY=KEY)


def test_each_take_is_bought_once_and_the_ledger_equals_the_invoice(stage: Stage) -> None:
    with service(stage) as api:
        first = run(stage, api)
        assert first.code == 0, first
        assert [line.reserved for line in api.invoice] == [12.75] * 3
        again = run(stage, api)
        assert again.code == 0, again
        assert api.bought() == 3
        totals = stage.manifest(pipeline="clips")["totals"]
        assert totals["committed"] == f"{sum(line.charged for line in api.invoice if line.charged):.2f}"


def test_the_key_stands_in_no_file_and_no_output(stage: Stage) -> None:
    with service(stage, Fail(task=2, code="content_policy_violation")) as api:
        ended = run(stage, api, "-v")
    assert KEY not in ended.out + ended.err
    for path in stage.folder.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_draft_spends_nothing_whatever_is_asked(stage: Stage) -> None:
    with service(stage) as api:
        words = [*api.arguments()]
        words[words.index("clips")] = "draft"
        ended = stage.shotrunner("run", "film.yaml", *words, EVOLINK_API_KEY=KEY)
        assert ended.code == 2, ended
        assert "budget of pipeline draft" in ended.err
        assert api.bought() == 0


def test_without_a_budget_nothing_is_sent(stage: Stage) -> None:
    with service(stage) as api:
        words = ("--pipeline", "clips", "--provider", "evolink", "--base-url", api.base_url, *QUICK)
        ended = stage.shotrunner("run", "film.yaml", *words, EVOLINK_API_KEY=KEY)
        assert ended.code == 2, ended
        assert "--budget 38.25" in ended.err
        assert api.bought() == 0


def test_a_plan_that_does_not_fit_sends_nothing_and_names_what_would(stage: Stage) -> None:
    with service(stage) as api:
        ended = run(stage, api, budget="26")
        assert ended.code == 2, ended
        assert "these would fit: sea.1, hill.1" in ended.err
        assert api.bought() == 0


def test_in_ci_a_budget_in_a_file_opens_nothing(stage: Stage) -> None:
    stage.write("film.yaml", THREE.replace("storyboard: 1\n", "storyboard: 1\nbudget: 1000\n"))
    with service(stage) as api:
        words = ("--pipeline", "clips", "--provider", "evolink", "--base-url", api.base_url, *QUICK)
        in_ci = stage.shotrunner("run", "film.yaml", *words, EVOLINK_API_KEY=KEY, CI="true")
        assert in_ci.code == 2, in_ci
        assert api.bought() == 0
        told = stage.shotrunner("run", "film.yaml", *words, EVOLINK_API_KEY=KEY, CI="true", SHOTRUNNER_BUDGET="40")
        assert told.code == 0, told


def test_the_storyboards_budget_counts_what_was_ever_committed(stage: Stage) -> None:
    stage.write("film.yaml", ONE.replace("storyboard: 1\n", "storyboard: 1\nbudget: 20\n"))
    with service(stage) as api:
        assert run(stage, api).code == 0
        stage.write("film.yaml", THREE.replace("storyboard: 1\n", "storyboard: 1\nbudget: 20\n"))
        ended = run(stage, api)
        assert ended.code == 2, ended
        assert "budget of the storyboard leaves 7.25 credits" in ended.err
        assert api.bought() == 1


def test_an_answer_that_was_lost_is_unknown_and_never_bought_again(stage: Stage) -> None:
    with service(stage, Drop(create=1, accepted=True)) as api:
        ended = run(stage, api, "-j", "1")
        assert ended.code == 4, ended
        manifest = stage.manifest(pipeline="clips")
        assert stage.statuses() == {"sea.1": "unknown", "hill.1": "done", "town.1": "done"}
        assert manifest["takes"][0]["key"][:12] in ended.out + ended.err
        again = run(stage, api)
        assert again.code == 4, again
        assert api.bought() == 3


@pytest.mark.parametrize("status", [429, 503])
def test_what_was_certainly_not_taken_is_sent_again(stage: Stage, status: int) -> None:
    stage.write("film.yaml", ONE)
    with service(stage, Reply(create=1, status=status, retry_after_s=0, times=2)) as api:
        ended = run(stage, api)
        assert ended.code == 0, ended
        assert api.bought() == 1
        assert [e for _, e in stage.events()].count("send") == 3


REPLAYING = """\
pipeline: 1
provider: {{name: evolink, base_url: "{base_url}", replay: {{within_s: 600}}}}
budget: 100
steps:
  - generate: {{}}
"""


def replaying(stage: Stage, api: PaidService):
    stage.write("pipelines/replaying.yaml", REPLAYING.format(base_url=api.base_url))
    port = api.base_url.rpartition(":")[2]
    keys = {f"SHOTRUNNER_KEY_127_0_0_1_{port}": KEY}
    return stage.shotrunner("run", "film.yaml", "--pipeline", "replaying", *QUICK, **keys)


def test_where_the_provider_replays_a_lost_answer_is_asked_for_once_more_under_the_same_key(stage: Stage) -> None:
    stage.write("film.yaml", ONE)
    with service(stage, Drop(create=1, accepted=True)) as api:
        ended = replaying(stage, api)
        assert ended.code == 0, ended
        assert api.bought() == 1
        assert [e for _, e in stage.events()][:3] == ["send", "replayed", "receipt"]


def test_a_replay_that_tells_nothing_leaves_it_unknown(stage: Stage) -> None:
    stage.write("film.yaml", ONE)
    with service(stage, Drop(create=1, accepted=True), Reply(create=2, status=429)) as api:
        ended = replaying(stage, api)
        assert ended.code == 4, ended
        assert [e for _, e in stage.events()] == ["send", "replayed", "unanswered"]
        assert replaying(stage, api).code == 4
        assert api.bought() == 1


def test_a_base_url_from_a_file_gets_no_other_key_than_its_own(stage: Stage) -> None:
    stage.write("film.yaml", ONE)
    with service(stage) as api:
        stage.write("pipelines/replaying.yaml", REPLAYING.format(base_url=api.base_url))
        ended = stage.shotrunner("run", "film.yaml", "--pipeline", "replaying", *QUICK, EVOLINK_API_KEY=KEY)
        assert ended.code == 2 and "SHOTRUNNER_KEY_127_0_0_1" in ended.err, ended
        assert api.bought() == 0


def test_one_failure_leaves_the_others_running_and_is_kept(stage: Stage) -> None:
    with service(stage, Fail(task=2, code="content_policy_violation", message="no")) as api:
        ended = run(stage, api, "-j", "1")
        assert ended.code == 1, ended
        assert stage.statuses() == {"sea.1": "done", "hill.1": "failed", "town.1": "done"}
        assert run(stage, api).code == 1
        assert api.bought() == 3
        retried = run(stage, api, "--retry", "hill")
        assert retried.code == 0, retried
        assert api.bought() == 4


def test_completed_without_results_is_a_failure_that_keeps_its_reservation(stage: Stage) -> None:
    stage.write("film.yaml", ONE)
    with service(stage, NoResults(task=1)) as api:
        assert run(stage, api).code == 1
        take = stage.manifest(pipeline="clips")["takes"][0]
        assert (take["status"], take["error"]["code"]) == ("failed", "no-result")


def test_a_deadline_is_no_failure(stage: Stage) -> None:
    stage.write("film.yaml", ONE)
    with service(stage, Hold(task=1, seconds=3600)) as api:
        ended = run(stage, api, "--deadline", "0.5")
        assert ended.code == 5, ended
        assert stage.statuses() == {"sea.1": "overdue"}
        api.advance(3600)
        again = run(stage, api, "--budget", "0")
        assert again.code == 0, again
        assert api.bought() == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_what_is_paid_to_the_next_run(stage: Stage, number: int, code: int) -> None:
    with service(stage, Hold(task=1, seconds=3600), Hold(task=2, seconds=3600)) as api:
        words = ("run", "film.yaml", *api.arguments(), "-j", "2")
        process = stage.start(*words, EVOLINK_API_KEY=KEY)
        until(lambda: api.bought() == 2)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert process.returncode == code, out + err
        assert "run again" in out + err or "shotrunner run" in out + err
        api.advance(3600)
        assert run(stage, api).code == 0
        assert api.bought() == 3


def test_a_kill_after_the_receipt_loses_nothing(stage: Stage) -> None:
    with service(stage, Hold(task=1, seconds=1)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), "-j", "1", EVOLINK_API_KEY=KEY)
        journal = stage.folder / ".shotrunner/journal.sqlite"
        until(lambda: journal.exists() and ("sea.1", "receipt") in stage.events())
        process.kill()
        process.communicate()
        ended = run(stage, api)
        assert ended.code == 0, ended
        assert api.bought() == 3


def test_a_clip_that_cannot_be_fetched_is_fetched_by_the_next_run(stage: Stage) -> None:
    stage.write("film.yaml", ONE)
    with service(stage, Download(task=1, how=Spoiled.HTML, times=3)) as api:
        ended = run(stage, api)
        assert ended.code == 5, ended
        assert stage.statuses() == {"sea.1": "unfetched"}
        assert run(stage, api, "--budget", "0").code == 0
        assert api.bought() == 1


def test_a_receipt_that_cannot_be_written_is_told_with_the_command_that_attaches_it(stage: Stage) -> None:
    with service(stage) as api:
        breaker = Path(__file__).parents[1] / "breaker.py"
        words = ("run", "film.yaml", *api.arguments(), "-j", "1")
        broken = stage.shotrunner(*words, program=breaker, EVOLINK_API_KEY=KEY)
        assert broken.code == 4, broken
        assert api.bought() == 1, "submitting has stopped"
        told = next(line for line in broken.err.splitlines() if "shotrunner reconcile --attach" in line)
        command = shlex.split(told.partition("shotrunner ")[2])
        assert api.invoice[0].task_id in command[-1]
        assert run(stage, api).code == 4, "an intent without a receipt is unknown"
        assert stage.shotrunner(*command).code == 0
        assert run(stage, api).code == 0
        assert api.bought() == 3


def test_without_a_key_nothing_is_sent(stage: Stage) -> None:
    with service(stage) as api:
        ended = stage.shotrunner("run", "film.yaml", *api.arguments())
        assert ended.code == 2, ended
        assert "EVOLINK_API_KEY" in ended.err
        assert api.bought() == 0


def test_a_key_the_service_refuses_stops_the_run(stage: Stage) -> None:
    with service(stage) as api:
        ended = stage.shotrunner("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY="sk-evo-wrong")
        assert ended.code == 1, ended
        assert set(stage.statuses().values()) <= {"refused", "pending"}


def test_local_references_reach_the_service_and_are_keyed_by_content(stage: Stage) -> None:
    (stage.folder / "media").mkdir()
    picture(stage.folder / "media/a.png", (640, 480))
    text = """\
storyboard: 1
shots:
  - id: portrait
    model: wan2.6-image-to-video-flash
    prompt: He turns
    image: media/a.png
    params: {duration: 2}
"""
    stage.write("film.yaml", text)
    with service(stage) as api:
        assert run(stage, api).code == 0
        take = stage.manifest(pipeline="clips")["takes"][0]
        assert take["request"]["image_urls"] == [f"sha256:{take['references'][0]['sha256']}"]
        (stage.folder / "media/a.png").rename(stage.folder / "media/b.png")
        stage.write("film.yaml", text.replace("a.png", "b.png"))
        assert run(stage, api).code == 0
        assert api.bought() == 1
        picture(stage.folder / "media/b.png", (650, 480))
        plan = stage.shotrunner("plan", "film.yaml", *api.arguments(), "--format", "json")
        assert [(t["action"], t["reason"]) for t in json.loads(plan.out)["takes"]] == [("buy", "changed: image_urls")]
