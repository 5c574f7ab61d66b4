"""The lock in git: what is paid is known to every clone, and nothing that it names is bought again by itself."""

import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from media import picture
from stage import KEY, Ended, PaidService, Stage, paid

from runner.adapters import catalog
from runner.adapters.files import part_of
from runner.adapters.keys import fingerprint
from runner.emulator.script import Drop, Fail, Hold, Mishap

HEAD = "storyboard: 1\ndefaults: {model: wan2.5-text-to-video, params: {quality: 480p, duration: 5}}\nshots:\n"
LOCK = "film.lock.json"


def film(**shots: str) -> str:
    return HEAD + "".join(f"  - id: {name}\n    prompt: {prompt}\n" for name, prompt in shots.items())


TWO = film(hill="A green hill", sea="The sea at dawn")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    git(stage, "init", "-q", "-b", "main")
    stage.write("film.yaml", TWO)
    stage.write(".gitignore", "out/\n")
    commit(stage)
    return stage


@pytest.fixture
def api(tmp_path: Path) -> Iterator[PaidService]:
    with paid(tmp_path / "service") as service:
        yield service


def git(stage: Stage, *words: str, check: bool = True) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", *words],
        cwd=stage.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commit(stage: Stage, words: str = "Go on") -> None:
    git(stage, "add", "-A")
    git(stage, "commit", "-q", "-m", words)


def clone(stage: Stage, name: str = "clone") -> Stage:
    """Another machine: what is committed, and nothing else."""
    commit(stage) if git(stage, "status", "--porcelain") else None
    target = stage.folder.parent / name
    subprocess.run(["git", "clone", "-q", str(stage.folder), str(target)], check=True)
    return Stage(target)


def run(stage: Stage, api: PaidService, *more: str, key: str = KEY, budget: str = "500") -> Ended:
    return stage.shotrunner("run", "film.yaml", *api.arguments(budget), *more, EVOLINK_API_KEY=key)


def plan(stage: Stage, api: PaidService, *more: str) -> dict[str, dict[str, Any]]:
    """The takes of a plan, by name; made without a key."""
    ended = stage.shotrunner("plan", "film.yaml", *api.arguments(), *more, "--format", "json")
    assert ended.code == 0, ended
    return {take["take"]: take for take in json.loads(ended.out)["takes"]}


def acts(stage: Stage, api: PaidService, *more: str) -> dict[str, str]:
    return {name: take["action"] for name, take in plan(stage, api, *more).items()}


def lock(stage: Stage) -> list[dict[str, Any]]:
    text = (stage.folder / LOCK).read_text(encoding="utf-8")
    return [row for row in json.loads(text)["purchases"] if row]


def states(stage: Stage) -> dict[str, str]:
    return {row["take"]: row["state"] for row in lock(stage)}


def forget_tasks(stage: Stage) -> None:
    """The lock with tasks that the service does not know any more."""
    path = stage.folder / LOCK
    numbers = itertools.count(1)
    gone = lambda _: f'"task":"task-unified-1700000000-{next(numbers):08d}"'  # noqa: E731
    path.write_text(re.sub(r'"task":"[^"]*"', gone, path.read_text()))


def forget(stage: Stage, *, out: bool = False) -> None:
    """As `git clean` leaves a checkout."""
    shutil.rmtree(stage.folder / ".shotrunner")
    if out:
        shutil.rmtree(stage.folder / "out")


def until(met: Any, seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.01)


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


def test_a_clip_that_its_task_still_gives_out_is_fetched_again_for_nothing(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    other = clone(stage)
    assert acts(other, api) == {"hill.1": "missing", "sea.1": "missing"}
    ended = run(other, api, "--buy-missing")
    assert ended.code == 0, ended
    assert api.bought() == 2
    assert lock(other) == lock(stage)


def test_what_git_clean_took_is_fetched_again_for_nothing(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    forget(stage, out=True)
    ended = run(stage, api, budget="0")
    assert ended.code == 0, ended
    assert api.bought() == 2


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


# A lock that cannot be read


CONFLICT = '{{"schema":"shotrunner.lock.v1","purchases":[\n<<<<<<< HEAD\n{0}\n=======\n{0}\n>>>>>>> other\n{{}}]}}\n'


@pytest.mark.parametrize("content", ["", CONFLICT.format("")])
def test_a_lock_that_cannot_be_read_stops_everything_that_is_paid(stage: Stage, api: PaidService, content: str) -> None:
    (stage.folder / LOCK).write_bytes(content.encode("latin-1"))
    for command in ("plan", "run"):
        ended = stage.shotrunner(command, "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
        assert ended.code == 2, ended
        assert LOCK in ended.err
    assert api.bought() == 0
    assert (stage.folder / LOCK).read_bytes() == content.encode("latin-1")
    assert stage.shotrunner("run", "film.yaml", "--pipeline", "clips").code == 0  # what is free needs no lock


def test_a_lock_is_no_symbolic_link(stage: Stage, api: PaidService, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text('{"schema":"shotrunner.lock.v1","purchases":[\n{}]}\n')
    (stage.folder / LOCK).symlink_to(tmp_path / "elsewhere.json")
    ended = run(stage, api)
    assert ended.code == 2, ended
    assert api.bought() == 0


# Two branches


def branches(stage: Stage, api: PaidService, ours: str, theirs: str) -> None:
    """Two machines that bought on branches of their own and committed their locks; `theirs` is on the branch `other`."""
    other = clone(stage)
    git(other, "checkout", "-q", "-b", "other")
    for machine, text in ((stage, ours), (other, theirs)):
        machine.write("film.yaml", text)
        ended = run(machine, api)
        assert ended.code == 0, ended
        git(machine, "commit", "-q", "-m", "bought", LOCK)
    git(stage, "fetch", "-q", str(other.folder), "other:other")


def with_shots(**shots: str) -> str:
    return film(**dict(sorted({"hill": "A green hill", "sea": "The sea at dawn", **shots}.items())))


def nothing_is_bought_for(stage: Stage, api: PaidService, text: str) -> None:
    """What both machines paid for is known after the merge."""
    stage.write("film.yaml", text)
    bought = api.bought()
    ended = run(stage, api)
    assert ended.code == 0, ended
    assert api.bought() == bought
    assert len(lock(stage)) == 4


@pytest.fixture
def begun(stage: Stage, api: PaidService) -> Stage:
    assert run(stage, api).code == 0
    commit(stage, "begun")
    return stage


def test_git_merges_lines_that_are_apart_by_itself(begun: Stage, api: PaidService) -> None:
    branches(begun, api, with_shots(beach="A beach"), with_shots(town="A town"))
    git(begun, "merge", "-q", "other")
    assert [row["take"] for row in lock(begun)] == ["beach.1", "hill.1", "sea.1", "town.1"]
    nothing_is_bought_for(begun, api, with_shots(beach="A beach", town="A town"))


def test_the_lines_of_both_sides_resolve_a_conflict(begun: Stage, api: PaidService) -> None:
    branches(begun, api, with_shots(tower="A tower"), with_shots(town="A town"))
    git(begun, "merge", "-q", "other", check=False)
    text = (begun.folder / LOCK).read_text()
    assert "<<<<<<<" in text
    ended = run(begun, api)
    assert ended.code == 2, ended
    assert "keep the lines of both sides" in ended.err
    assert (begun.folder / LOCK).read_text() == text
    resolved = [line for line in text.splitlines() if not line.startswith(("<<<<<<<", "=======", ">>>>>>>"))]
    begun.write(LOCK, "\n".join(resolved) + "\n")
    nothing_is_bought_for(begun, api, with_shots(tower="A tower", town="A town"))


def test_a_union_merge_needs_no_hand(begun: Stage, api: PaidService) -> None:
    begun.write(".gitattributes", "*.lock.json merge=union\n")
    commit(begun, "attributes")
    branches(begun, api, with_shots(tower="A tower"), with_shots(town="A town"))
    git(begun, "merge", "-q", "--no-edit", "other")
    nothing_is_bought_for(begun, api, with_shots(tower="A tower", town="A town"))


# Clips that lie in the out folder


def test_clips_in_the_out_folder_are_taken_in_and_not_bought(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    forget(stage)
    forget_tasks(stage)
    takes = plan(stage, api)
    assert {name: (t["action"], t["reason"]) for name, t in takes.items()} == {
        name: ("reuse", f"found in out/film/clips/clips/{name}.mp4") for name in ("hill.1", "sea.1")
    }
    ended = run(stage, api, budget="0")
    assert ended.code == 0, ended
    assert "2 reused" in ended.out
    assert api.bought() == 2
    assert acts(stage, api) == {"hill.1": "reuse", "sea.1": "reuse"}
    clips = [take["clip"] for take in stage.manifest(pipeline="clips")["takes"]]
    assert all(clip["duration_s"] == 5 for clip in clips)


def test_an_out_folder_that_is_named_is_looked_through_too(stage: Stage, api: PaidService, tmp_path: Path) -> None:
    out = str(tmp_path / "elsewhere")
    assert run(stage, api, "--out", out).code == 0
    forget(stage)
    forget_tasks(stage)
    assert acts(stage, api) == {"hill.1": "missing", "sea.1": "missing"}
    assert acts(stage, api, "--out", out) == {"hill.1": "reuse", "sea.1": "reuse"}
    assert run(stage, api, "--out", out).code == 0
    assert api.bought() == 2


def test_other_bytes_of_the_same_length_are_not_taken_for_the_clip(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    forget(stage)
    forget_tasks(stage)
    clip = stage.folder / "out/film/clips/clips/sea.1.mp4"
    content = bytearray(clip.read_bytes())
    content[-1] ^= 1
    clip.write_bytes(content)
    assert acts(stage, api) == {"hill.1": "reuse", "sea.1": "missing"}


def test_a_manifest_alone_proves_nothing(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    forget(stage)
    (stage.folder / LOCK).unlink()
    assert acts(stage, api) == {"hill.1": "buy", "sea.1": "buy"}


def test_a_clip_reached_through_a_link_is_not_taken_in(stage: Stage, api: PaidService, tmp_path: Path) -> None:
    assert run(stage, api).code == 0
    forget(stage)
    forget_tasks(stage)
    (stage.folder / "out").rename(tmp_path / "moved")
    (stage.folder / "out").symlink_to(tmp_path / "moved")
    assert acts(stage, api) == {"hill.1": "missing", "sea.1": "missing"}


def test_a_clip_gone_from_the_store_is_asked_for_once_and_then_missing(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    shutil.rmtree(stage.folder / "out")
    shutil.rmtree(stage.folder / ".shotrunner/clips")
    assert acts(stage, api) == {"hill.1": "resume", "sea.1": "resume"}
    assert run(stage, api, budget="0").code == 0
    assert api.bought() == 2


# Two accounts, two machines


OTHER = "sk-evo-other-9876543210"


def test_a_receipt_of_another_account_waits_for_its_key_and_is_never_lost(stage: Stage, tmp_path: Path) -> None:
    held = (Hold(task=1, seconds=3), Hold(task=2, seconds=3))
    with paid(tmp_path / "accounts", *held, accounts={OTHER: Decimal(1000)}) as api:
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
    with paid(tmp_path / "aliases", *held, aliases={OTHER: KEY}) as api:
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
    with paid(tmp_path / "accounts", accounts={OTHER: Decimal(1000)}) as api:
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
