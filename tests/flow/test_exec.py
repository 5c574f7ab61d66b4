"""`exec` steps: a program of the user's own, run only when it was allowed, told what it may read, held to what it must make."""

import json
import os
import pty
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from stage import Stage

FILM = """\
storyboard: 1
shots:
  - {id: sea, model: wan2.5-text-to-video, prompt: The sea at dawn, params: {quality: 480p, duration: 5}}
"""
PIPELINE = """\
pipeline: 1
provider: animatic
steps:
  - generate: {}
  - assemble: {output: film.mp4}
"""
# Copies the film's size and what it was told of its surroundings to where it is told to.
PROGRAM = """\
import os, sys
film, target = sys.argv[1:]
with open(target, "a") as file:
    print(os.path.getsize(film), sorted(os.environ), file=file)
"""


def exec_step(*words: str, outputs: tuple[str, ...] = ("told.txt",), **more: object) -> str:
    return f"  - exec: {json.dumps({'command': words, 'outputs': list(outputs), **more})}\n"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path / "project")
    stage.write("film.yaml", FILM)
    stage.write("program.py", PROGRAM)
    return stage


def with_program(stage: Stage) -> Path:
    text = PIPELINE + exec_step(sys.executable, str(stage.folder / "program.py"), "{{ film }}", "told.txt")
    return stage.write("web.yaml", text)


RUN = ("run", "film.yaml", "--pipeline", "web.yaml")


def test_nothing_is_begun_before_somebody_allowed_its_commands(stage: Stage) -> None:
    with_program(stage)
    ended = stage.shotrunner(*RUN)
    assert ended.code == 2, ended
    assert "program.py film.mp4 told.txt" in ended.err and "--allow-exec" in ended.err
    assert not (stage.folder / "out").exists()
    assert stage.shotrunner("plan", "film.yaml", "--pipeline", "web.yaml").code == 0
    assert not (stage.folder / "out").exists()


def test_what_it_makes_is_ours_and_is_made_again_only_from_another_film_or_when_it_was_touched(stage: Stage) -> None:
    with_program(stage)
    told = stage.folder / "out/film/web/told.txt"
    ended = stage.shotrunner(*RUN, "--allow-exec", EVOLINK_API_KEY="sk-evo-secret-of-the-house")
    assert ended.code == 0, ended
    assert "out/film/web/told.txt" in ended.out
    assert "EVOLINK" not in told.read_text() and "PATH" in told.read_text()
    step = stage.manifest("film", "web")["steps"][-1]
    assert step["command"][2:] == ["film.mp4", "told.txt"] and step["made"] is True

    assert stage.shotrunner(*RUN, "--allow-exec").code == 0
    assert len(told.read_text().splitlines()) == 1
    assert stage.manifest("film", "web")["steps"][-1]["made"] is False
    assert stage.shotrunner("audit", "out/film/web/manifest.json").code == 0

    told.write_text("edited\n")
    assert stage.shotrunner("audit", "out/film/web/manifest.json").code == 1
    assert stage.shotrunner(*RUN, "--allow-exec").code == 0
    stage.write("film.yaml", FILM.replace("dawn", "dusk"))
    assert stage.shotrunner(*RUN, "--allow-exec").code == 0
    assert len(told.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("command", "more", "says"),
    [
        ((sys.executable, "-c", "import sys; sys.exit('no such codec')"), {}, "it ended with code 1: no such codec"),
        ((sys.executable, "-c", "pass"), {}, "ended well, but told.txt was not made"),
        (("no-such-program",), {}, "no-such-program cannot be started"),
        ((sys.executable, "-c", "import time; time.sleep(600)"), {"timeout_s": 1}, "it was not done after 1 s"),
        ((sys.executable, "-c", "import os; os.symlink('/etc/hostname', 'told.txt')"), {}, "lies outside"),
    ],
    ids=["fails", "makes nothing", "is not there", "hangs", "links away"],
)
def test_a_command_that_fails_costs_no_clip_and_no_film(
    stage: Stage, command: tuple[str, ...], more: dict[str, object], says: str
) -> None:
    stage.write("web.yaml", PIPELINE + exec_step(*command, **more) + exec_step("true", outputs=("other.txt",)))
    ended = stage.shotrunner(*RUN, "--allow-exec")
    assert ended.code == 1, ended
    assert says in ended.out and "other.txt" not in ended.out.replace("exec: not made: exec was not made", "")
    steps = stage.manifest("film", "web")["steps"]
    assert [step["status"] for step in steps] == ["done", "failed", "stopped"]
    assert (stage.folder / "out/film/web/film.mp4").is_file()


def test_a_yes_is_remembered_until_the_pipeline_is_changed(stage: Stage) -> None:
    path = with_program(stage)
    assert answered(stage, "n") == 2
    assert answered(stage, "y") == 0
    assert stage.shotrunner(*RUN).code == 0
    path.write_text(path.read_text() + exec_step("true", outputs=("other.txt",)))
    assert stage.shotrunner(*RUN).code == 2


def answered(stage: Stage, word: str) -> int:
    """Run at a terminal where a person types `word`; the exit code."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{word}\n".encode())
    environment = {k: v for k, v in stage.environment().items() if k != "CI"}
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", *RUN, "-q"],
        cwd=stage.folder,
        env=environment,
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = textwrap.dedent(read_all(ours))
    os.close(ours)
    code = process.wait(timeout=60)
    assert "[y/N]" in shown, shown
    return code


def read_all(terminal: int) -> str:
    said = b""
    while True:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            return said.decode()
        if not block:
            return said.decode()
        said += block
