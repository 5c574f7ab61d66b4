"""A lock that git could not merge stops whatever is paid; what it merged is what both machines paid."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from machines import LOCK, clone, commit, film, forget, git, lock, project, run
from stage import KEY, PaidService, Stage, paid


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return project(tmp_path / "project")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[PaidService]:
    with paid(tmp_path / "service") as service:
        yield service


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


def test_another_storyboards_lock_stops_what_is_paid_only_where_it_names_it(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    lock = (stage.folder / LOCK).read_text(encoding="utf-8")
    (stage.folder / LOCK).rename(stage.folder / "old.lock.json")
    stage.write("old.lock.json", lock.replace("{}]}", "=======\n{}]}"))
    commit(stage)
    forget(stage, out=True)
    ended = run(stage, api)
    assert ended.code == 2, ended
    assert "old.lock.json" in ended.err
    stage.write("old.lock.json", "=======\n")
    stage.write(LOCK, lock)
    assert run(stage, api, budget="0").code == 0
    assert api.bought() == 2


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
