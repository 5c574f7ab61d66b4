"""Two accounts and two machines: what one bought waits for its key, is taken over, or is missing; none pays twice."""

from decimal import Decimal
from pathlib import Path

import pytest
from machines import LOCK, clone, commit, git, lock, project, run
from media import picture
from stage import KEY, Stage, paid, until

from runner.adapters.keys import fingerprint
from runner.emulator.holders import Holder, Key
from runner.emulator.script import Hold


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return project(tmp_path / "project")


OTHER = "sk-evo-other-9876543210"
ANOTHER = Holder(name="another", credits=Decimal(1000), keys=(Key(secret=OTHER),))
ONE = Holder(
    name="one", credits=Decimal(1000), keys=(Key(secret=KEY, name="a"), Key(secret=OTHER, name="b"))
)  # opened by both keys


def test_a_receipt_of_another_account_waits_for_its_key_and_is_never_lost(stage: Stage, tmp_path: Path) -> None:
    held = (Hold(task=1, seconds=3), Hold(task=2, seconds=3))
    with paid(tmp_path / "accounts", *held, accounts=(ANOTHER,)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
        until(lambda: api.bought() == 2)
        process.terminate()
        process.communicate(timeout=20)
        other = clone(stage)
        ended = run(other, api, key=OTHER)
        assert ended.code == 5, ended
        assert ended.out.count("waiting (other account)") == 2
        assert other.statuses() == {"hill.1": "waiting", "sea.1": "waiting"}
        assert api.bought() == 2
        assert {row["account"] for row in lock(other)} == {row["account"] for row in lock(stage)}
        ended = run(other, api, budget="0")  # with the key that bought them
        assert ended.code == 0, ended
        assert api.bought() == 2


def test_a_key_that_sees_the_task_takes_it_over(stage: Stage, tmp_path: Path) -> None:
    held = (Hold(task=1, seconds=2), Hold(task=2, seconds=2))
    with paid(tmp_path / "aliases", *held, key=None, accounts=(ONE,)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
        until(lambda: api.bought() == 2)
        process.terminate()
        process.communicate(timeout=20)
        ended = run(stage, api, key=OTHER, budget="0")
        assert ended.code == 0, ended
        assert [event for _, event in stage.events()].count("taken-over") == 2
        assert {row["account"] for row in lock(stage)} == {fingerprint(OTHER)}
        assert api.bought() == 2


def test_what_another_account_made_is_missing_and_never_fetched_with_a_foreign_key(
    stage: Stage, tmp_path: Path
) -> None:
    with paid(tmp_path / "accounts", accounts=(ANOTHER,)) as api:
        assert run(stage, api).code == 0
        other = clone(stage)
        ended = run(other, api, key=OTHER)
        assert ended.code == 1, ended
        assert set(other.statuses().values()) == {"missing"}
        bought = run(other, api, "--buy-missing", key=OTHER)
        assert bought.code == 0, bought
        assert api.bought() == 4
        assert {row["account"] for row in lock(other)} == {fingerprint(KEY), fingerprint(OTHER)}


def test_two_machines_at_the_same_moment_get_one_task(stage: Stage, tmp_path: Path) -> None:
    held = (Hold(task=1, seconds=2), Hold(task=2, seconds=2))
    with paid(tmp_path / "replays", *held) as api:
        machines = [stage, clone(stage)]
        words = ("run", "film.yaml", *api.arguments())
        processes = [machine.start(*words, EVOLINK_API_KEY=KEY) for machine in machines]
        for process in processes:
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, out + err
        assert api.bought() == 2
        ours, theirs = (lock(machine) for machine in machines)
        assert [(row["intent"], row["task"]) for row in ours] == [(row["intent"], row["task"]) for row in theirs]
        commit(stage)
        commit(machines[1])
        git(stage, "fetch", "-q", str(machines[1].folder), "main:other")
        git(stage, "merge", "-q", "--no-edit", "-X", "ours", "other")
        ended = run(stage, api, budget="0")
        assert ended.code == 0, ended


def test_two_machines_with_uploads_of_their_own_pay_once_and_the_second_is_told(stage: Stage, tmp_path: Path) -> None:
    picture(stage.folder / "a.png", (640, 480))
    shot = "  - id: face\n    model: wan2.6-image-to-video-flash\n    prompt: She turns\n    image: a.png\n"
    stage.write("film.yaml", "storyboard: 1\nshots:\n" + shot + "    params: {duration: 2}\n")
    with paid(tmp_path / "uploads", Hold(task=1, seconds=2)) as api:
        other = clone(stage)
        assert run(stage, api).code == 0
        ended = run(other, api)
        assert ended.code == 4, ended
        assert other.statuses() == {"face.1": "unknown"}
        assert api.bought() == 1
        (stage.folder / LOCK).replace(other.folder / LOCK)  # as pulled: it names the task, so nothing is left to settle
        ended = run(other, api, budget="0")
        assert ended.code == 0, ended
        assert api.bought() == 1
