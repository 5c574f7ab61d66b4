"""Runs that end before their work does: signals, --stop-after, limits, a bug. Nothing paid is dropped, and the last lines say what it is."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from stage import KEY, Ended, PaidService, Stage, paid
from waiting import until

from runner.emulator.holders import Limits
from runner.emulator.script import Download, Drop, Hold, Mishap, Spoiled, Stall

SHOT = """\
  - id: {0}
    model: wan2.5-text-to-video
    prompt: The {0} at dawn
    params: {{quality: 480p, duration: 5}}
"""
NAMES = ("sea", "hill", "town")


def storyboard(*names: str) -> str:
    return "storyboard: 1\nshots:\n" + "".join(SHOT.format(name) for name in names)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    stage.write("film.yaml", storyboard(*NAMES))
    return stage


@contextmanager
def service(stage: Stage, *mishaps: Mishap, **options: Any) -> Iterator[PaidService]:
    with paid(stage.folder.parent / "service", *mishaps, **options) as found:
        yield found


def run(stage: Stage, api: PaidService, *more: str) -> Ended:
    return stage.shotrunner("run", "film.yaml", *api.arguments(), *more, EVOLINK_API_KEY=KEY)


def stopped(
    stage: Stage, api: PaidService, when: Callable[[], bool], *signals: int, more: tuple[str, ...] = ()
) -> Ended:
    """A run that is sent signals once something has happened."""
    process = stage.start("run", "film.yaml", *api.arguments(), *more, EVOLINK_API_KEY=KEY)
    try:
        until(when)
        for number in signals:
            process.send_signal(number)
            until(lambda number=number: not _pending(process.pid, number))
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return Ended(code=process.returncode, out=out, err=err)


def _pending(pid: int, number: int) -> bool:
    """Whether the signal has not reached the process yet: a second one of its kind would be one with the first."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    return any(
        int(line.split()[1], 16) >> (number - 1) & 1
        for line in status.splitlines()
        if line.startswith(("ShdPnd:", "SigPnd:"))
    )


def happened(stage: Stage, *event: str) -> Callable[[], bool]:
    journal = stage.folder / ".shotrunner" / "journal.sqlite"
    return lambda: journal.exists() and event in stage.events()


def go_on(ended: Ended) -> str:
    last = ended.out.splitlines()[-1]
    assert last.startswith("to go on: shotrunner run film.yaml"), ended
    return last


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)],
    ids=lambda value: str(value),
)
def test_a_post_under_way_is_awaited_however_often_the_run_is_told_to_stop(
    stage: Stage, number: signal.Signals, code: int, times: int
) -> None:
    with service(stage, Stall(create=1, seconds=1.5)) as api:
        ended = stopped(stage, api, lambda: api.bought() == 1, *[number] * times, more=("-j", "1"))
        assert ended.code == code, ended
        assert stage.events() == [("sea.1", "send"), ("sea.1", "receipt")]
        assert stage.statuses() == {"sea.1": "waiting", "hill.1": "pending", "town.1": "pending"}
        assert api.invoice[0].task_id in ended.out
        go_on(ended)
        assert run(stage, api).code == 0
        assert api.bought() == 3


def test_the_first_signal_lets_downloads_end(stage: Stage) -> None:
    stage.write("film.yaml", storyboard("sea"))
    with service(stage, Download(task=1, how=Spoiled.SLOW, seconds=2)) as api:
        ended = stopped(stage, api, happened(stage, "sea.1", "completed"), signal.SIGINT)
        assert ended.code == 130, ended
        assert stage.statuses() == {"sea.1": "done"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_drops_downloads_and_says_until_when_they_can_be_fetched(
    stage: Stage, number: signal.Signals
) -> None:
    stage.write("film.yaml", storyboard("sea"))
    with service(stage, Download(task=1, how=Spoiled.SLOW, seconds=30)) as api:
        ended = stopped(stage, api, happened(stage, "sea.1", "completed"), number, number)
        assert ended.code == (130 if number is signal.SIGINT else 143), ended
        [line] = [line for line in ended.out.splitlines() if "sea.1" in line and "unfetched" in line]
        assert api.invoice[0].task_id in line
        assert "until " in line
        go_on(ended)
        again = run(stage, api, "--budget", "0")
        assert again.code == 0, again
        assert api.bought() == 1


def test_what_is_waited_for_is_named_with_the_time_it_can_be_fetched_until(stage: Stage) -> None:
    with service(stage, Hold(task=None, seconds=30)) as api:
        ended = stopped(stage, api, happened(stage, "town.1", "receipt"), signal.SIGTERM)
        assert ended.code == 143, ended
        for line in api.invoice:
            [told] = [row for row in ended.out.splitlines() if line.task_id in row]
            assert "until " in told
        go_on(ended)


CUT = """\
pipeline: 1
provider: evolink
steps:
  - generate: {}
  - assemble: {transition: {dissolve: 1}}
"""


def test_a_signal_while_the_film_is_cut_leaves_no_half_film_and_the_next_run_cuts_it(stage: Stage) -> None:
    stage.write("film.yaml", storyboard("sea", "hill", "town", "road").replace("480p", "720p"))
    stage.write("pipelines/cut.yaml", CUT)
    with service(stage) as api:
        words = ("film.yaml", *api.arguments(), "--pipeline", "cut")
        process = stage.start("run", *words, EVOLINK_API_KEY=KEY)
        assert process.stderr is not None
        said: list[str] = []
        for line in process.stderr:
            said.append(line)
            if "cutting film.mp4" in line:
                break
        out = stage.folder / "out/film/cut"
        until(lambda: bool(list(out.glob(".film.mp4*"))))
        process.send_signal(signal.SIGTERM)
        printed, rest = process.communicate(timeout=60)
        ended = Ended(code=process.returncode, out=printed, err="".join(said) + rest)
        assert ended.code == 143, ended
        assert sorted(path.name for path in out.iterdir()) == ["clips", "manifest.json"]
        assert set(stage.statuses("cut").values()) == {"done"}
        assert "film.mp4: not cut: the run was stopped" in ended.out
        go_on(ended)
        again = stage.shotrunner("run", *words, EVOLINK_API_KEY=KEY)
        assert again.code == 0, again
        assert (out / "film.mp4").exists()
        assert api.bought() == 4


def test_stop_after_submits_nothing_new_and_sees_the_rest_to_its_end(stage: Stage) -> None:
    with service(stage, Hold(task=1, seconds=3)) as api:
        ended = run(stage, api, "-j", "1", "--stop-after", "1.5")
        assert ended.code == 5, ended
        assert stage.statuses() == {"sea.1": "done", "hill.1": "pending", "town.1": "pending"}
        assert "--stop-after 1.5 s has passed" in ended.out
        assert "--stop-after 1.5" in go_on(ended)
        assert run(stage, api).code == 0
        assert api.bought() == 3


def test_stop_after_leaves_what_outlasts_its_own_deadline(stage: Stage) -> None:
    with service(stage, Hold(task=1)) as api:
        ended = run(stage, api, "-j", "1", "--stop-after", "1", "--deadline", "2.5")
        assert ended.code == 5, ended
        assert stage.statuses() == {"sea.1": "overdue", "hill.1": "pending", "town.1": "pending"}


def test_a_run_that_is_done_before_its_time_is_done(stage: Stage) -> None:
    with service(stage) as api:
        assert run(stage, api, "--stop-after", "5h").code == 0


def test_a_signal_after_stop_after_still_stops(stage: Stage) -> None:
    with service(stage, Hold(task=1)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), "-j", "1", "--stop-after", "1", EVOLINK_API_KEY=KEY)
        assert process.stderr is not None
        assert any("--stop-after" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, out + err
        assert "waiting" in out


def test_stop_after_ends_a_pause_that_the_service_asked_for(stage: Stage) -> None:
    with service(stage, limits=Limits(submits_per_s=0.001)) as api:
        ended = run(stage, api, "--stop-after", "2")
        assert ended.code == 5, ended
        assert api.bought() == 1


@pytest.mark.parametrize(("most", "bought"), [("1", 1), ("2", 2)])
def test_after_so_many_unknown_outcomes_nothing_new_is_submitted(stage: Stage, most: str, bought: int) -> None:
    with service(stage, Drop(create=None, accepted=True, times=None)) as api:
        ended = run(stage, api, "-j", "1", "--max-unknown", most)
        assert ended.code == 4, ended
        assert api.bought() == bought
        assert list(stage.statuses().values()).count("pending") == 3 - bought


def test_without_room_on_the_disk_nothing_is_bought_and_what_is_paid_is_fetched(stage: Stage) -> None:
    stage.write("film.yaml", storyboard("sea"))
    with service(stage, Hold(task=1, seconds=1)) as api:
        assert run(stage, api, "--deadline", "0.3").code == 5
        stage.write("film.yaml", storyboard(*NAMES))
        ended = run(stage, api, "--min-free", "900T")
        assert ended.code == 5, ended
        assert stage.statuses() == {"sea.1": "done", "hill.1": "pending", "town.1": "pending"}
        assert "--min-free" in ended.out
        assert api.bought() == 1
        assert run(stage, api, "--min-free", "0").code == 0


def test_tasks_under_way_together_are_asked_about_together(stage: Stage) -> None:
    log: list[str] = []
    with service(stage, Hold(task=None, seconds=2), log=log.append) as api:
        ended = run(stage, api, "--poll-interval", "0.5")
        assert ended.code == 0, ended
        together = [line for line in log if "POST /v1/tasks/batch 200" in line]
        assert len(together) >= 2
        assert len(together) > len([line for line in log if "GET /v1/tasks/" in line])


def test_a_service_that_takes_two_at_once_gets_its_six_takes(stage: Stage) -> None:
    stage.write("film.yaml", storyboard(*(f"s{n}" for n in range(6))))
    log: list[str] = []
    with service(stage, Hold(task=None, seconds=1), log=log.append, limits=Limits(in_flight=2)) as api:
        ended = run(stage, api, "-j", "6")
        assert ended.code == 0, ended
        assert api.bought() == 6
        assert len([line for line in log if "/generations 429" in line]) <= 4


def test_a_transfer_that_broke_off_goes_on_from_there(stage: Stage) -> None:
    stage.write("film.yaml", storyboard("sea"))
    log: list[str] = []
    with service(stage, Download(task=1, how=Spoiled.TRUNCATED), log=log.append) as api:
        assert run(stage, api).code == 0
        assert [line.split()[2] for line in log if line.startswith("GET /results/")] == ["200", "206"]


FAULT = """\
import sys
from runner.adapters.service import Service
from runner.cli import main
from runner.steps import film

def broken(*words, **more):
    raise ZeroDivisionError("an injected fault")

def faulty(honest, which):
    seen = []
    async def work(self, *words, **more):
        seen.append(words)
        if len(seen) == which:
            broken()
        return await honest(self, *words, **more)
    return work

{patch}
sys.exit(main(sys.argv[1:]))
"""


def injected(stage: Stage, patch: str, *words: str) -> Ended:
    """A run whose own code fails somewhere, as by a bug."""
    program = stage.write("../faulty.py", FAULT.format(patch=patch))
    return stage.shotrunner(
        "run", "film.yaml", *words, program=program, EVOLINK_API_KEY=KEY, TMPDIR=str(stage.folder.parent)
    )


@pytest.mark.parametrize(
    ("method", "at_once", "done", "left"),
    [("upload", 1, 1, "pending"), ("submit", 1, 1, "unknown"), ("poll", 3, 2, "waiting"), ("fetch", 3, 2, "unfetched")],
)
def test_a_bug_in_one_takes_work_leaves_the_others_running_and_the_last_lines_standing(
    stage: Stage, method: str, at_once: int, done: int, left: str
) -> None:
    with service(stage, Hold(task=None, seconds=1)) as api:
        patch = f"Service.{method} = faulty(Service.{method}, 2)"
        ended = injected(stage, patch, *api.arguments(), "-j", str(at_once))
        assert ended.code == 3, ended
        assert "a bug in shotrunner: ZeroDivisionError" in ended.err
        assert "Traceback" not in ended.err
        assert list(stage.statuses().values()).count("done") == done, ended
        if left == "unknown":
            assert "unknown: the answer was lost" in ended.out
        else:
            go_on(ended)
        if left in ("waiting", "unfetched"):
            [line] = [line for line in ended.out.splitlines() if f" {left} " in line and "task-unified" in line]
            assert "until " in line
        again = run(stage, api)
        assert again.code == (4 if left == "unknown" else 0), again
        assert len({line.idempotency_key for line in api.invoice}) == api.bought() <= 3


def test_a_bug_in_the_cutting_room_keeps_back_nothing_of_what_is_paid(stage: Stage) -> None:
    ended = injected(stage, "film.assemble = broken", "--pipeline", "draft")
    assert ended.code == 3, ended
    assert "a bug in shotrunner: ZeroDivisionError" in ended.err
    assert "3 made" in ended.out
    assert stage.shotrunner("run", "film.yaml").code == 0


def test_an_output_that_nobody_reads_any_more_drops_nothing(stage: Stage) -> None:
    with service(stage, Hold(task=None, seconds=1)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY)
        until(lambda: api.bought() >= 1)
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        process.stderr.close()
        process.wait(60)
        assert set(stage.statuses().values()) == {"done"}
        assert api.bought() == 3
        assert threading.active_count() < 10
