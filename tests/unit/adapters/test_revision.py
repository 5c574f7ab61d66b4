"""A commit is read as it is: bounded, no link followed, no filter run, nothing fetched and nothing written."""

import os
from pathlib import Path

import pytest
from repository import Repository, repository

from runner.adapters import git, revision
from runner.adapters.files import Unreadable
from runner.adapters.git import NotSaid
from runner.adapters.revision import Revision


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    made = repository(tmp_path / "repo")
    made.write("film.yaml", "storyboard: 1\n")
    made.write("media/a b.png", b"\x89PNG bytes \0 of a picture")
    made.write("sub/deep/x.txt", "ünï\r\n")
    made.commit()
    return made


def at(repo: Repository, name: str = "HEAD") -> Revision:
    return Revision(repo.folder, name)


def reason(repo: Repository, path: str) -> str:
    with pytest.raises(Unreadable) as caught:
        at(repo).text(path)
    return caught.value.reason


def test_files_are_those_of_the_commit_not_those_on_disk(repo: Repository) -> None:
    first = repo.git("rev-parse", "HEAD")
    repo.write("film.yaml", "storyboard: 2\n")
    repo.commit()
    repo.write("film.yaml", "storyboard: 3\n")
    assert at(repo, "HEAD~1").text("film.yaml").text == "storyboard: 1\n"
    found = at(repo, "main").text("film.yaml")
    assert (found.text, found.path, found.name) == ("storyboard: 2\n", "film.yaml", "main:film.yaml")
    assert at(repo, "HEAD~1").commit == first == at(repo, first[:8]).commit


def test_folders_and_media_are_read_whole(repo: Repository) -> None:
    found = at(repo)
    assert found.folder("") == ("film.yaml", "media", "sub")
    assert found.folder("sub/deep") == ("x.txt",)
    assert found.folder("film.yaml") == found.folder("sub/none") == found.folder("sub/deep/x.txt/y") == ()
    with found.on_disk("media/a b.png") as path:
        assert path.read_bytes() == (repo.folder / "media/a b.png").read_bytes()
    assert not path.exists()
    assert found.text("sub/deep/x.txt").text == "ünï\r\n"


@pytest.mark.parametrize(
    "name", ["nope", "--all", "-h", "", "HEAD^{tree}", "HEAD:film.yaml", "HEAD~7", "main..main", "a\nb", "a\0b"]
)
def test_what_is_no_commit_is_no_revision(repo: Repository, name: str) -> None:
    with pytest.raises(NotSaid):
        at(repo, name)


def test_an_option_is_never_taken_for_one(repo: Repository) -> None:
    repo.git("update-ref", "refs/heads/--output=x", "HEAD")
    assert at(repo, "--output=x").commit == repo.git("rev-parse", "HEAD")
    assert not (repo.folder / "x").exists()


def test_links_and_submodules_are_not_followed(repo: Repository, tmp_path: Path) -> None:
    (repo.folder / "link.yaml").symlink_to("film.yaml")
    (repo.folder / "out").symlink_to("/etc")
    other = repository(tmp_path / "other")
    other.write("x.yaml", "x: 1\n")
    other.commit()
    repo.git("submodule", "--quiet", "add", str(other.folder), "module")
    repo.commit()
    assert "symbolic link" in reason(repo, "link.yaml")
    assert "symbolic link" in reason(repo, "out/passwd")
    assert "submodule" in reason(repo, "module/x.yaml")
    assert at(repo).folder("out") == at(repo).folder("module") == ()


@pytest.mark.parametrize(
    "path", ["nope", "nope/film.yaml", "film.yaml/x", "media/../film.yaml", "./film.yaml", "sub//deep/x.txt"]
)
def test_what_is_not_there_does_not_exist(repo: Repository, path: str) -> None:
    assert reason(repo, path) == "does not exist"


def test_a_folder_is_no_file_and_private_places_are_not_read(repo: Repository) -> None:
    repo.write(".env", "EVOLINK_API_KEY=sk-1\n")
    repo.write("sub/.env.local", "x\n")
    repo.write(".shotrunner/journal", "x\n")
    repo.commit()
    assert reason(repo, "sub") == "is not a regular file"
    for path in (".env", "sub/.env.local", ".shotrunner/journal", ".git/config"):
        assert "does not read" in reason(repo, path)


def test_sizes_are_bounded(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("big.yaml", b"x" * 5000)
    repo.commit()
    with pytest.raises(Unreadable, match="larger than 4 KiB"):
        at(repo).text("big.yaml", most_bytes=4096)
    monkeypatch.setattr(revision, "MEDIUM_LIMIT", 4096)
    with pytest.raises(Unreadable, match="larger than 4 KiB"), at(repo).on_disk("big.yaml"):
        pass
    monkeypatch.setattr(git, "LISTING_LIMIT", 10)
    with pytest.raises(Unreadable, match="too many names"):
        at(repo).text("big.yaml")


def test_what_is_no_utf8_is_not_read_as_text(repo: Repository) -> None:
    assert reason(repo, "media/a b.png").startswith("is not UTF-8")


def test_neither_filter_nor_text_conversion_nor_hook_nor_monitor_is_run(repo: Repository, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    spring = repo.write("spring.sh", f"#!/bin/sh\ntouch {trap}\ncat\n")
    spring.chmod(0o755)
    repo.write(".gitattributes", "*.yaml filter=evil diff=evil\n")
    repo.commit()
    for name in (
        "filter.evil.smudge",
        "filter.evil.clean",
        "diff.evil.textconv",
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
    ):
        repo.git("config", name, str(spring))
    hooks = repo.folder / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-checkout", "pre-auto-gc", "reference-transaction"):
        (hooks / hook).write_text(spring.read_text())
        (hooks / hook).chmod(0o755)
    found = at(repo)
    assert found.text("film.yaml").text == "storyboard: 1\n"
    with found.on_disk("media/a b.png"):
        pass
    assert not trap.exists()


def test_a_replacement_replaces_nothing(repo: Repository) -> None:
    repo.write("film.yaml", "storyboard: 9\n")
    new = repo.git("hash-object", "-w", "film.yaml")
    repo.git("replace", repo.git("rev-parse", "HEAD:film.yaml"), new)
    assert at(repo).text("film.yaml").text == "storyboard: 1\n"


def test_what_a_partial_clone_lacks_is_not_fetched(repo: Repository, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    url = f"file://{repo.folder}"
    repo.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", url, str(tmp_path / "partial"))
    partial = Repository(tmp_path / "partial")
    partial.git("config", "protocol.file.allow", "always")
    assert at(partial).folder("") == ("film.yaml", "media", "sub")
    assert reason(partial, "film.yaml") == "cannot be read: its content is not in this clone"
    repo.git("clone", "--quiet", "--no-checkout", "--filter=tree:0", url, str(tmp_path / "treeless"))
    treeless = Repository(tmp_path / "treeless")
    treeless.git("config", "protocol.file.allow", "always")
    assert "may not be in this clone" in reason(treeless, "film.yaml")


def test_nothing_of_the_repository_changes(repo: Repository) -> None:
    def state() -> dict[str, tuple[int, int]]:
        return {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(repo.folder.rglob("*"))}

    before = state()
    found = at(repo)
    found.text("film.yaml")
    found.folder("media")
    assert state() == before


def test_without_git_the_reason_is_told(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repo.folder))
    with pytest.raises(NotSaid, match="git cannot be run"):
        at(repo)


def test_git_that_does_not_answer_is_not_waited_for_long(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = at(repo)
    slow = tmp_path / "bin/git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(git, "PATIENCE_S", 0.2)
    with pytest.raises(Unreadable, match="cannot be read"):
        found.text("film.yaml")
