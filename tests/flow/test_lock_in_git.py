"""The lock in git: what is paid is known to every clone, and nothing that it names is bought again by itself."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from machines import HEAD, LOCK, TWO, acts, clone, commit, film, forget_tasks, git, lock, plan, project, run, states
from stage import KEY, QUICK, PaidService, Stage, paid, until

from runner.adapters import catalog
from runner.adapters.files import part_of
from runner.emulator.script import Drop, Fail, Hold, Mishap


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return project(tmp_path / "project")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[PaidService]:
    with paid(tmp_path / "service") as service:
        yield service


# What it holds


def test_a_paid_run_leaves_a_sorted_line_a_take_that_equals_the_invoice(stage: Stage, api: PaidService) -> None:
    ended = run(stage, api)
    assert ended.code == 0, ended
    rows = lock(stage)
    assert [row["take"] for row in rows] == ["hill.1", "sea.1"]
    assert sum(float(row["credits"]) for row in rows) == sum(float(line.charged or 0) for line in api.invoice)
    made = {take["id"]: take for take in stage.manifest(pipeline="clips")["takes"]}
    for row in rows:
        take = made[row["take"]]
        assert row["state"] == "done"
        assert (row["key"], row["sha256"], row["bytes"]) == (
            take["key"],
            take["clip"]["sha256"],
            take["clip"]["size_bytes"],
        )
        assert row["service"] == take["service"]
        assert re.fullmatch(r"[0-9a-f]{16}", row["account"])
        assert KEY not in json.dumps(row)
    jsonschema.validate(json.loads((stage.folder / LOCK).read_text()), catalog.schema("lock"))


def test_running_again_leaves_the_lock_as_it_is(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    before = (stage.folder / LOCK).stat().st_mtime_ns
    assert run(stage, api).code == 0
    assert (stage.folder / LOCK).stat().st_mtime_ns == before


def test_what_is_free_leaves_no_lock(stage: Stage) -> None:
    assert stage.shotrunner("run", "film.yaml", "--pipeline", "clips").code == 0
    assert not (stage.folder / LOCK).exists()


@pytest.mark.parametrize("place", [LOCK, part_of(Path(LOCK)).name])
def test_where_no_lock_can_be_written_nothing_is_bought(stage: Stage, api: PaidService, place: str) -> None:
    (stage.folder / place).mkdir()
    ended = run(stage, api)
    assert ended.code == 2, ended
    assert LOCK in ended.err
    assert api.bought() == 0


def test_a_run_that_is_killed_leaves_what_is_open_in_the_lock(stage: Stage, tmp_path: Path) -> None:
    with paid(tmp_path / "held", Hold(task=1), Hold(task=2)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
        until(lambda: (stage.folder / LOCK).exists() and list(states(stage).values()) == ["open", "open"])
        process.kill()
        process.communicate()
        assert {row["task"] for row in lock(stage)} == {line.task_id for line in api.invoice}


def test_a_lock_that_cannot_be_written_any_more_stops_submitting_and_keeps_no_clip_back(
    stage: Stage, tmp_path: Path
) -> None:
    with paid(tmp_path / "held", Hold(task=1, seconds=3)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), "-j", "1", EVOLINK_API_KEY=KEY)
        until(lambda: api.bought() == 1)
        (stage.folder / part_of(Path(LOCK)).name).mkdir()
        out, err = process.communicate(timeout=30)
        assert process.returncode == 1, out + err
        assert LOCK in err
        assert stage.statuses() == {"hill.1": "done", "sea.1": "pending"}
        assert (stage.folder / "out/film/clips/clips/hill.1.mp4").is_file()
        assert api.bought() == 1


def test_a_run_that_is_stopped_leaves_its_lock_up_to_date(stage: Stage, tmp_path: Path) -> None:
    with paid(tmp_path / "held", Hold(task=1), Hold(task=2)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
        until(lambda: api.bought() == 2)
        process.terminate()
        out, err = process.communicate(timeout=20)
        assert process.returncode == 143, out + err
        assert states(stage) == {"hill.1": "open", "sea.1": "open"}


BUG = """\
import sys
from runner.cli import main
from runner.commands import run

honest = run.execute

async def faulty(*given):
    await honest(*given)
    raise ZeroDivisionError("an injected fault")

run.execute = faulty
sys.exit(main(sys.argv[1:]))
"""


def test_a_bug_leaves_the_lock_up_to_date(stage: Stage, api: PaidService) -> None:
    program = stage.write("../faulty.py", BUG)
    words = ("run", "film.yaml", *api.arguments())
    ended = stage.shotrunner(*words, program=program, EVOLINK_API_KEY=KEY, TMPDIR=str(stage.folder.parent))
    assert ended.code == 3, ended
    assert states(stage) == {"hill.1": "done", "sea.1": "done"}


# Another machine


def test_a_clone_buys_nothing_that_its_lock_names(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    forget_tasks(stage)
    other = clone(stage)
    takes = plan(other, api)
    assert [(t["action"], t["price"]) for t in takes.values()] == [("missing", "12.75")] * 2
    assert all("--buy-missing" in take["reason"] for take in takes.values())
    ended = run(other, api)
    assert ended.code == 1, ended
    assert other.statuses() == {"hill.1": "missing", "sea.1": "missing"}
    assert "--buy-missing" in ended.out
    assert api.bought() == 2
    assert git(other, "status", "--porcelain") == ""  # the lock was read and not rewritten


def test_only_buy_missing_buys_what_is_missing_and_the_budget_holds(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    forget_tasks(stage)
    other = clone(stage)
    refused = run(other, api, "--buy-missing", budget="20")
    assert refused.code == 2, refused
    assert run(other, api, "--buy-missing", "--shots", "sea").code == 0
    assert api.bought() == 3
    assert acts(other, api) == {"hill.1": "missing", "sea.1": "reuse"}
    assert len(lock(other)) == 3
    assert run(other, api, "--buy-missing").code == 0
    assert api.bought() == 4


@pytest.mark.parametrize("words", [("collect",), ("run", "--budget", "500", "--buy-missing")])
def test_a_clip_that_its_task_still_gives_out_is_fetched_again_for_nothing(
    stage: Stage, api: PaidService, words: tuple[str, ...]
) -> None:
    assert run(stage, api).code == 0
    other = clone(stage)
    assert acts(other, api) == {"hill.1": "missing", "sea.1": "missing"}
    word, *more = words
    told = ("--pipeline", "clips", "--provider", "evolink", "--base-url", api.base_url, *QUICK)
    ended = other.shotrunner(word, "film.yaml", *told, *more, EVOLINK_API_KEY=KEY)
    assert ended.code == 0, ended
    assert "charged" not in ended.out  # it was charged once, in the run that bought it
    assert api.bought() == 2
    assert lock(other) == lock(stage)


@pytest.mark.parametrize("gone", [False, True])
def test_what_git_clean_took_is_fetched_again_for_nothing_or_missing(
    stage: Stage, api: PaidService, gone: bool
) -> None:
    assert run(stage, api).code == 0
    if gone:
        forget_tasks(stage)
    commit(stage)
    assert ".shotrunner" in git(stage, "clean", "-fdx")
    ended = run(stage, api)
    assert ended.code == (1 if gone else 0), ended
    assert set(stage.statuses().values()) == {"missing" if gone else "done"}
    assert api.bought() == 2


def test_what_is_unknown_may_be_settled_by_whoever_takes_it_in(stage: Stage, tmp_path: Path) -> None:
    with paid(tmp_path / "unlucky", Drop(create=1, accepted=False)) as api:
        assert run(stage, api, "-j", "1").code == 4
        other = clone(stage)
        ended = run(other, api)
        assert ended.code == 4, ended
        settled = other.shotrunner("reconcile", "--not-taken", "hill.1", EVOLINK_API_KEY=KEY)
        assert settled.code == 0, settled
        assert run(other, api).code == 0
        assert api.bought() == 2
        assert acts(stage, api)["hill.1"] == "keep"  # no file declares what this machine has sent


def test_play_money_in_the_lock_counts_nowhere_else(stage: Stage, api: PaidService, tmp_path: Path) -> None:
    stage.write("film.yaml", TWO.replace("storyboard: 1\n", "storyboard: 1\nbudget: 30\n"))
    with paid(tmp_path / "rehearsal") as rehearsal:
        assert run(stage, rehearsal, "--state", str(tmp_path / "apart")).code == 0
    ended = run(stage, api)
    assert ended.code == 0, ended
    assert (api.bought(), len(lock(stage))) == (2, 4)


def test_a_clone_waits_for_what_another_machine_has_bought(stage: Stage, tmp_path: Path) -> None:
    with paid(tmp_path / "held", Hold(task=1, seconds=2), Hold(task=2, seconds=2)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
        until(lambda: api.bought() == 2)
        process.terminate()
        process.communicate(timeout=20)
        other = clone(stage)
        assert acts(other, api) == {"hill.1": "resume", "sea.1": "resume"}
        ended = run(other, api, budget="0")
        assert ended.code == 0, ended
        assert api.bought() == 2
        assert set(states(other).values()) == {"done"}


@pytest.mark.parametrize(
    ("mishap", "state", "code"),
    [(Drop(create=1, accepted=True), "unknown", 4), (Fail(task=1, code="content_policy_violation"), "failed", 1)],
)
def test_what_is_unknown_or_ended_is_so_on_every_machine(
    stage: Stage, tmp_path: Path, mishap: Mishap, state: str, code: int
) -> None:
    with paid(tmp_path / "unlucky", mishap) as api:
        assert run(stage, api, "-j", "1").code == code
        forget_tasks(stage)
        other = clone(stage)
        [struck] = [name for name, known in states(stage).items() if known == state]
        assert acts(other, api)[struck] == "keep"
        ended = run(other, api)
        assert ended.code == code, ended
        assert other.statuses()[struck] == state
        assert api.bought() == 2


def test_what_colleagues_paid_counts_for_the_budget_of_the_storyboard(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    other = clone(stage)
    other.write(
        "film.yaml",
        TWO.replace("storyboard: 1\n", "storyboard: 1\nbudget: 30\n") + film(town="A town").removeprefix(HEAD),
    )
    ended = run(other, api)
    assert ended.code == 2, ended
    assert "budget of the storyboard leaves 4.50 credits" in ended.err


def test_a_storyboard_that_was_renamed_pays_nothing_twice_on_any_machine(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    stage.write("films/sea.yaml", film(only="The sea at dawn"))
    stage.write("any.lock.json", "{of another program")
    other = clone(stage)
    ended = other.shotrunner("run", "films/sea.yaml", *api.arguments("0"), EVOLINK_API_KEY=KEY)
    assert ended.code == 0, ended
    assert "cost      nothing" in ended.out
    assert api.bought() == 2


def test_a_key_that_another_storyboard_paid_for_is_in_this_ones_lock(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    stage.write("other.yaml", film(first="The sea at dawn"))
    ended = stage.shotrunner("run", "other.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
    assert ended.code == 0, ended
    [row] = [row for row in json.loads((stage.folder / "other.lock.json").read_text())["purchases"] if row]
    assert (row["take"], row["storyboard"]) == ("sea.1", "film")
    (stage.folder / LOCK).unlink()
    other = clone(stage)
    ended = other.shotrunner("run", "other.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
    assert ended.code == 0, ended
    assert api.bought() == 2
