"""What git says of a checkout, with nothing of the repository's own configuration obeyed."""

import subprocess
from pathlib import Path

import pytest

from runner.adapters.git import commit


def git(folder: Path, *words: str) -> str:
    settings = (
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "protocol.file.allow=always",
    )
    done = subprocess.run(["git", *settings, "-C", str(folder), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init")
    (folder / "film.yaml").write_text("storyboard: 1\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "a film")
    return folder


def test_the_commit_is_named_and_marked_when_tracked_files_differ(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert commit(repository) == head
    (repository / "untracked").touch()
    assert commit(repository) == head
    (repository / "film.yaml").write_text("storyboard: 2\n", encoding="utf-8")
    assert commit(repository) == f"{head}-dirty"


def test_without_git_or_a_commit_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit(tmp_path) is None
    git(tmp_path, "init")
    assert commit(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(tmp_path) is None


def test_no_program_that_a_repository_names_is_started(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n", encoding="utf-8")
    trap.chmod(0o755)
    hooks = repository / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "fsmonitor-watchman", "post-checkout"):
        (hooks / hook).write_bytes(trap.read_bytes())
        (hooks / hook).chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand"):
        git(repository, "config", name, str(trap))
    (repository / "film.yaml").write_text("storyboard: 2\n", encoding="utf-8")
    assert str(commit(repository)).endswith("-dirty")
    assert not (tmp_path / "sprung").exists()


def test_the_configuration_of_a_submodule_is_not_obeyed(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init")
    (other / "a").touch()
    git(other, "add", ".")
    git(other, "commit", "-m", "a")
    git(repository, "submodule", "add", str(other), "inner")
    git(repository, "commit", "-m", "inner")
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n", encoding="utf-8")
    trap.chmod(0o755)
    head = commit(repository)
    git(repository / "inner", "config", "filter.trap.clean", str(trap))
    inside = Path(git(repository / "inner", "rev-parse", "--absolute-git-dir"))
    (inside / "info").mkdir(exist_ok=True)
    (inside / "info" / "attributes").write_text("* filter=trap\n", encoding="utf-8")
    (repository / "inner" / "a").write_text("changed", encoding="utf-8")
    assert commit(repository) == head
    assert not (tmp_path / "sprung").exists()
    git(repository / "inner", "-c", "filter.trap.clean=", "commit", "--allow-empty", "-m", "b")
    assert commit(repository) == f"{head}-dirty"
