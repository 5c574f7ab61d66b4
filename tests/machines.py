"""Several machines that share a storyboard by git alone: clones, what each bought, and what its lock says."""

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from stage import KEY, Ended, PaidService, Stage

HEAD = "storyboard: 1\ndefaults: {model: wan2.5-text-to-video, params: {quality: 480p, duration: 5}}\nshots:\n"
LOCK = "film.lock.json"


def film(**shots: str) -> str:
    return HEAD + "".join(f"  - id: {name}\n    prompt: {prompt}\n" for name, prompt in shots.items())


TWO = film(hill="A green hill", sea="The sea at dawn")


def project(folder: Path) -> Stage:
    """The first machine: a storyboard of two shots, committed."""
    folder.mkdir()
    stage = Stage(folder)
    git(stage, "init", "-q", "-b", "main")
    stage.write("film.yaml", TWO)
    stage.write(".gitignore", "out/\n")
    commit(stage)
    return stage


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
