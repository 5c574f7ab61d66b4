"""An end whose reservation is kept is asked about once more by every run: a service that knows better by now is believed."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machines import acts, film, lock, project
from stage import KEY, Ended, PaidService, Stage, paid, until

from runner.adapters.journal import Journal
from runner.core.lifecycle import Event
from runner.emulator.script import Fail, Hold, Mishap, Poll, Settle
from runner.planning.history import Entry


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = project(tmp_path / "project")
    stage.write("film.yaml", film(sea="The sea at dawn"))
    yield stage


def command(stage: Stage, api: PaidService, word: str = "run", *more: str) -> Ended:
    told = [argument for argument in api.arguments() if word == "run" or argument not in ("--budget", "500")]
    return stage.shotrunner(word, "film.yaml", *told, *more, EVOLINK_API_KEY=KEY)


def committed(stage: Stage) -> str:
    known: dict[str, Any] = json.loads(stage.shotrunner("status", "--format", "json").out)
    return str(known["committed"])


def lost(stage: Stage, api: PaidService) -> None:
    """A run that was stopped while it waited, and a later one that found its task gone, three times a minute apart."""
    process = stage.start("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
    until(lambda: (stage.folder / ".shotrunner/journal.sqlite").exists() and ("sea.1", "receipt") in stage.events())
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 143

    async def write() -> None:
        journal = Journal(stage.folder / ".shotrunner/journal.sqlite")
        [[waiting]] = journal.history().values()
        gone = {"error": {"code": "lost", "message": "the service no longer knows the task"}}
        at = waiting.timeline[-1][0]
        await journal.record(Entry(at=at, event=Event.LOST, key=waiting.key, purchase=1, detail=gone))
        journal.close()

    asyncio.run(write())


def test_a_failure_that_was_given_back_since_counts_no_more(stage: Stage, tmp_path: Path) -> None:
    with paid(tmp_path / "api", Fail(task=1, code="content_policy_violation"), Settle(task=1, seconds=3600)) as api:
        assert command(stage, api).code == 1
        assert committed(stage) == "12.75"
        api.advance(3601)
        ended = command(stage, api)
        assert ended.code == 1, ended
        assert (committed(stage), api.bought()) == ("0", 1)
        assert [row["credits"] for row in lock(stage)] == ["0"]
        assert acts(stage, api) == {"sea.1": "keep"}


@pytest.mark.parametrize(("word", "more"), [("run", ()), ("collect", ()), ("run", ("--retry", "sea"))])
def test_a_lost_task_that_is_there_after_all_is_waited_for_and_not_bought_again(
    stage: Stage, tmp_path: Path, word: str, more: tuple[str, ...]
) -> None:
    with paid(tmp_path / "api", Hold(task=1, seconds=2)) as api:
        lost(stage, api)
        assert acts(stage, api) == {"sea.1": "keep"}
        ended = command(stage, api, word, *more)
        assert ended.code == 0, ended
        assert (stage.statuses(), api.bought()) == ({"sea.1": "done"}, 1)


@pytest.mark.parametrize(("more", "code", "bought"), [((), 1, 1), (("--retry", "sea"), 0, 2)])
def test_a_lost_task_that_stays_lost_is_bought_again_by_retry_alone(
    stage: Stage, tmp_path: Path, more: tuple[str, ...], code: int, bought: int
) -> None:
    mishaps: tuple[Mishap, ...] = (Hold(task=1), Poll(task=1, status=404))
    with paid(tmp_path / "api", *mishaps) as api:
        lost(stage, api)
        ended = command(stage, api, "run", *more)
        assert ended.code == code, ended
        assert api.bought() == bought
