"""Streams that are closed, gone or full: nothing of ours lands in another file, and the exit code stays the command's."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from stage import KEY, Stage, paid

FILM = """\
storyboard: 1
shots:
  - id: sea
    model: wan2.7-text-to-video
    prompt: The sea at dawn
    params: {duration: 2}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.write("film.yaml", FILM)
    return stage


def shell(stage: Stage, line: str, **environment: str) -> int:
    """Unlike `stage.shotrunner` a process that begins from nothing."""
    command = line.replace("shotrunner", f"{sys.executable} -m runner")
    environment = stage.environment(**environment)
    return subprocess.run(
        ["bash", "-c", command], cwd=stage.folder, env=environment, check=False, timeout=120
    ).returncode


def test_a_paid_run_begins_from_nothing(stage: Stage) -> None:
    with paid(stage.folder / "service") as api:
        assert shell(stage, f"shotrunner run film.yaml {shlex.join(api.arguments())}", EVOLINK_API_KEY=KEY) == 0
        assert shell(stage, f"shotrunner reconcile --base-url {api.base_url}", EVOLINK_API_KEY=KEY) == 0
        assert (
            shell(
                stage,
                f"shotrunner collect film.yaml --pipeline clips --provider evolink --base-url {api.base_url}",
                EVOLINK_API_KEY=KEY,
            )
            == 0
        )
        assert api.bought() == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_nothing_and_its_number_goes_to_no_file_of_ours(stage: Stage, closed: str) -> None:
    assert shell(stage, f"shotrunner plan film.yaml {closed}") == 0
    assert shell(stage, f"shotrunner run film.yaml {closed}") == 0
    assert stage.statuses("draft") == {"sea.1": "done"}
    assert (stage.folder / ".shotrunner/journal.sqlite").read_bytes().startswith(b"SQLite format 3\x00")
    assert shell(stage, "shotrunner status film.yaml") == 0


@pytest.mark.parametrize("full", [">/dev/full", "2>/dev/full", ">/dev/full 2>&1"])
def test_a_full_disk_behind_a_stream_ends_in_2_only_what_was_for_stdout(stage: Stage, full: str) -> None:
    assert shell(stage, f"shotrunner plan film.yaml {full}") == (2 if full.startswith(">") else 0)
    assert shell(stage, f"shotrunner validate nosuch.yaml {full}") == 2


def test_what_stdout_could_not_take_is_told_and_what_was_made_is_made(stage: Stage) -> None:
    says = "error: standard output cannot be written: No space left on device"
    assert shell(stage, "shotrunner schema storyboard >/dev/full 2>schema.err") == 2
    assert (stage.folder / "schema.err").read_text().strip() == says
    assert shell(stage, "shotrunner plan --help >/dev/full 2>help.err") == 2
    assert (stage.folder / "help.err").read_text().strip() == says
    assert shell(stage, "shotrunner run film.yaml --pipeline clips --provider animatic >/dev/full 2>run.err") == 0
    assert says in (stage.folder / "run.err").read_text()


def test_a_reader_that_goes_changes_no_exit_code(stage: Stage) -> None:
    assert shell(stage, "set -o pipefail; shotrunner schema storyboard | head -c 1 >/dev/null") == 0
