"""Disks that say no: whatever cannot be written, what is paid stays paid, and the same command goes on when there is room again."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stage import KEY, Ended, PaidService, Stage, paid

from runner.emulator.script import Hold, Mishap

SHOT = """\
storyboard: 1
shots:
  - id: sea
    model: wan2.5-text-to-video
    prompt: The sea at dawn
    params: {quality: 480p, duration: 5}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    stage.write("film.yaml", SHOT)
    return stage


@contextmanager
def service(stage: Stage, *mishaps: Mishap) -> Iterator[PaidService]:
    with paid(stage.folder.parent / "service", *mishaps) as found:
        yield found


def run(stage: Stage, api: PaidService, *more: str) -> Ended:
    return stage.shotrunner("run", "film.yaml", *api.arguments(), *more, EVOLINK_API_KEY=KEY)


BOUNDED = """\
import resource, sys
from runner.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))
sys.exit(main(sys.argv[1:]))
"""


def bounded(stage: Stage, api: PaidService, most_bytes: int) -> Ended:
    """A run in which no file grows beyond so many bytes."""
    program = stage.write("../bounded.py", BOUNDED.format(most_bytes))
    return stage.shotrunner("run", "film.yaml", *api.arguments(), program=program, EVOLINK_API_KEY=KEY)


def key(stage: Stage) -> str:
    db = sqlite3.connect(f"file:{stage.folder / '.shotrunner' / 'journal.sqlite'}?mode=ro", uri=True)
    try:
        [(found,)] = db.execute("SELECT key FROM intents").fetchall()
        return str(found)
    finally:
        db.close()


def a_file_for_a_folder(name: str) -> Callable[[Path, str], Path]:
    """Where a folder would be made stands a file: nothing can be written there, whoever tries."""

    def obstruct(state: Path, _: str) -> Path:
        (state / name).write_text("in the way", encoding="utf-8")
        return state / name

    return obstruct


def a_full_disk(state: Path, key: str) -> Path:
    (state / "parts").mkdir(exist_ok=True)
    part = state / "parts" / f"{key}.1.part"
    part.symlink_to("/dev/full")
    return part


def a_folder_for_a_file(state: Path, key: str) -> Path:
    part = state / "parts" / f"{key}.1.part"
    part.mkdir(parents=True)
    return part


@pytest.mark.parametrize(
    "obstacle",
    [
        pytest.param(a_full_disk, marks=pytest.mark.skipif(sys.platform != "linux", reason="no /dev/full")),
        a_folder_for_a_file,
        a_file_for_a_folder("parts"),
        a_file_for_a_folder("clips"),
    ],
    ids=["full", "open", "parts", "clips"],
)
def test_a_clip_that_cannot_be_written_is_fetched_by_the_same_command(
    stage: Stage, obstacle: Callable[[Path, str], Path]
) -> None:
    with service(stage, Hold(task=1, seconds=1)) as api:
        assert run(stage, api, "--deadline", "0.3").code == 5
        placed = obstacle(stage.folder / ".shotrunner", key(stage))
        ended = run(stage, api)
        assert ended.code == 5, ended
        assert stage.statuses() == {"sea.1": "unfetched"}
        [line] = [line for line in ended.out.splitlines() if "sea.1" in line and "unfetched" in line]
        assert "until " in line
        assert ended.out.splitlines()[-1].startswith("to go on: shotrunner run film.yaml")
        _remove(placed)
        again = run(stage, api)
        assert again.code == 0, again
        assert api.bought() == 1


def test_a_disk_that_fills_up_in_the_middle_of_a_clip_loses_nothing(stage: Stage) -> None:
    with service(stage) as api:
        ended = bounded(stage, api, 200_000)
        assert ended.code == 5, ended
        assert stage.statuses() == {"sea.1": "unfetched"}
        assert "it could not be written: File too large" in ended.err
        assert not list((stage.folder / ".shotrunner" / "parts").iterdir())
        assert run(stage, api).code == 0
        assert api.bought() == 1


def test_an_out_folder_that_cannot_be_written_keeps_no_clip_back(stage: Stage) -> None:
    with service(stage) as api:
        clips = stage.write("out/film/clips/clips", "in the way")
        ended = run(stage, api)
        assert ended.code == 1, ended
        assert "the clips are safe in .shotrunner" in ended.err
        clips.unlink()
        assert run(stage, api, "--budget", "0").code == 0
        assert api.bought() == 1
        assert (stage.folder / "out/film/clips/clips/sea.1.mp4").exists()


@pytest.mark.parametrize("most_bytes", [4_096, 30_000, 60_000, 70_000, 80_000, 90_000, 100_000])
def test_a_journal_that_fills_up_anywhere_buys_once_and_tells_what_it_could_not_write(
    stage: Stage, most_bytes: int
) -> None:
    with service(stage) as api:
        ended = bounded(stage, api, most_bytes)
        assert ended.code in (1, 2, 4, 5), ended
        assert "Traceback" not in ended.err
        if ended.code == 2:
            assert "make room" in ended.err and "backup" not in ended.err, ended
        if ended.code in (1, 2):
            assert api.bought() == 0
        if ended.code == 4:
            [line] = [line for line in ended.err.splitlines() if line.startswith("keep this:")]
            assert api.invoice[0].task_id in line
            assert "shotrunner reconcile" in ended.err
            assert stage.statuses() == {"sea.1": "unknown"}
        again = run(stage, api)
        assert again.code == (4 if ended.code == 4 else 0), again
        assert api.bought() == 1


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


SHARED = """\
import sys
from pathlib import Path
from runner.adapters import disk
from runner.cli import main
disk.MOUNTS = Path({0!r})
sys.exit(main(sys.argv[1:]))
"""


def test_a_paid_run_keeps_its_state_on_a_local_disk(stage: Stage) -> None:
    mounts = stage.write("../mountinfo", f"40 25 0:40 / {stage.folder} rw - nfs4 server:/films rw\n")
    program = stage.write("../shared.py", SHARED.format(str(mounts)))
    with service(stage) as api:
        words = ("run", "film.yaml", *api.arguments())
        refused = stage.shotrunner(*words, program=program, EVOLINK_API_KEY=KEY)
        assert refused.code == 2 and "network file system (nfs4)" in refused.err and "--state" in refused.err, refused
        assert api.bought() == 0 and not (stage.folder / ".shotrunner").exists()
        local = ("--state", str(stage.folder.parent / "state"))
        assert stage.shotrunner(*words, *local, program=program, EVOLINK_API_KEY=KEY).code == 0
        assert stage.shotrunner("run", "film.yaml", "--pipeline", "clips", program=program).code == 0


SCANT = """\
import sys
from runner.adapters.disk import Disk
from runner.cli import main
Disk.free_bytes = lambda disk: {0}
sys.exit(main(sys.argv[1:]))
"""


def test_a_gibibyte_of_the_disk_is_kept_free_and_as_much_as_is_asked_for(stage: Stage) -> None:
    program = stage.write("../scant.py", SCANT.format(1024**3))
    with service(stage) as api:
        words = ("run", "film.yaml", *api.arguments())
        ended = stage.shotrunner(*words, program=program, EVOLINK_API_KEY=KEY)
        assert (ended.code, api.bought()) == (5, 0), ended  # the same command goes on when there is room again
        assert "the disk has 1.00 GiB left" in ended.out
        assert stage.shotrunner(*words, "--min-free", "2GiB", program=program, EVOLINK_API_KEY=KEY).code == 5
        assert api.bought() == 0
        assert stage.shotrunner(*words, "--min-free", "100MiB", program=program, EVOLINK_API_KEY=KEY).code == 0
        assert api.bought() == 1
