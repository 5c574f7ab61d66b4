"""Where a project begins and its state lives, found without git and without trust."""

import subprocess
from pathlib import Path

import pytest

from runner.adapters import root as roots
from runner.adapters.git_index import ending
from runner.adapters.root import make_state, project_of, tracked_by_git
from runner.core.errors import Refused


def git(folder: Path, *words: str) -> None:
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *settings, "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = (tmp_path / "repository").resolve()
    (folder / "films").mkdir(parents=True)
    (folder / "films" / "film.yaml").write_text("storyboard: 1\n", encoding="utf-8")
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "a film")
    return folder


def test_the_root_is_gits_top_level_and_the_state_is_made_there(repository: Path) -> None:
    found = project_of(repository / "films" / "film.yaml")
    assert (found.root, found.state) == (repository, repository / ".shotrunner")


def test_without_git_the_root_is_the_storyboards_folder(tmp_path: Path) -> None:
    (tmp_path / "film.yaml").touch()
    found = project_of(tmp_path / "film.yaml")
    assert (found.root, found.state) == (tmp_path.resolve(), tmp_path.resolve() / ".shotrunner")


def test_the_nearest_state_folder_upwards_counts(repository: Path) -> None:
    (repository / "films" / ".shotrunner").mkdir()
    assert project_of(repository / "films" / "film.yaml").state == repository / "films" / ".shotrunner"


def test_no_state_folder_beyond_the_root_is_taken(repository: Path) -> None:
    (repository.parent / ".shotrunner").mkdir()
    assert project_of(repository / "films" / "film.yaml").state == repository / ".shotrunner"


def test_a_named_state_folder_is_taken(repository: Path, tmp_path: Path) -> None:
    assert project_of(repository / "films" / "film.yaml", tmp_path / "state").state == tmp_path / "state"


def test_a_storyboard_behind_a_link_belongs_to_where_it_lies(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to(repository / "films" / "film.yaml")
    assert project_of(tmp_path / "link.yaml").root == repository


def test_a_worktree_shares_the_main_checkouts_state(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", str(tmp_path / "tree"), "-b", "other")
    found = project_of(tmp_path / "tree" / "films" / "film.yaml")
    assert found.root == (tmp_path / "tree").resolve()
    assert found.state == repository / ".shotrunner"


@pytest.mark.parametrize(
    "content",
    [b"", b"gitdir: \n", b"gitdir: ../repository/.git\n", b"gitdir: /\n", b"\xff\xfe", b"gitdir: " + b"x" * 9000],
)
def test_a_stranger_file_named_git_does_not_move_the_state(repository: Path, tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    (folder / "film.yaml").touch()
    (folder / ".git").write_bytes(content)
    assert project_of(folder / "film.yaml").state == folder.resolve() / ".shotrunner"


def test_a_worktrees_files_copied_elsewhere_do_not_lead_to_its_checkout(repository: Path, tmp_path: Path) -> None:
    """The way back from git's own folder leads to the worktree and not to the copy."""
    git(repository, "worktree", "add", str(tmp_path / "tree"), "-b", "other")
    folder = tmp_path / "unpacked"
    folder.mkdir()
    (folder / "film.yaml").touch()
    (folder / ".git").write_bytes((tmp_path / "tree" / ".git").read_bytes())
    assert project_of(folder / "film.yaml").state == folder.resolve() / ".shotrunner"


# What cannot be trusted


def test_a_state_folder_that_is_a_link_is_refused(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repository / ".shotrunner").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="symbolic link"):
        project_of(repository / "films" / "film.yaml")
    (repository / ".shotrunner").unlink()
    (repository / ".shotrunner").symlink_to(tmp_path / "gone")
    with pytest.raises(Refused, match="symbolic link"):
        project_of(repository / "films" / "film.yaml")


def test_a_state_folder_that_is_a_file_is_refused(repository: Path) -> None:
    (repository / ".shotrunner").touch()
    with pytest.raises(Refused, match="is not a folder"):
        project_of(repository / "films" / "film.yaml")


def test_a_state_folder_of_another_user_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / ".shotrunner").mkdir()
    monkeypatch.setattr(roots.os, "getuid", lambda: 12345)
    with pytest.raises(Refused, match="belongs to another user"):
        project_of(repository / "films" / "film.yaml")


@pytest.mark.parametrize("version", ["2", "4"])
def test_a_state_folder_that_git_tracks_is_found_in_any_form_of_index(repository: Path, version: str) -> None:
    state = repository / "films" / ".shotrunner"
    assert not tracked_by_git(repository, state)
    make_state(state)
    (state / "journal.sqlite").touch()
    (repository / ".shotrunnerx").mkdir()
    (repository / ".shotrunnerx" / "file").touch()
    git(repository, "update-index", "--index-version", version)
    git(repository, "add", ".shotrunnerx/file")
    assert not tracked_by_git(repository, repository / ".shotrunner")
    git(repository, "add", "-f", "films/.shotrunner/journal.sqlite")
    assert tracked_by_git(repository, state)
    assert not tracked_by_git(repository, repository / ".shotrunner")  # another folder of that name
    assert not tracked_by_git(repository, repository.parent / "state")


def test_tracked_files_are_found_by_how_they_end(repository: Path, tmp_path: Path) -> None:
    for name in ("film.lock.json", "films/sea.lock.json", "films/untracked.lock.json", "package-lock.json"):
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).touch()
    git(repository, "add", "film.lock.json", "films/sea.lock.json", "package-lock.json")
    assert ending(repository, ".lock.json") == ("film.lock.json", "films/sea.lock.json")
    assert ending(tmp_path, ".lock.json") == ()
    (repository / ".git/index").write_bytes(b"something else")
    assert ending(repository, ".lock.json") == ()


def test_a_worktrees_own_index_is_asked(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", str(tmp_path / "tree"), "-b", "other")
    tree = (tmp_path / "tree").resolve()
    (tree / ".shotrunner").mkdir()
    (tree / ".shotrunner" / "journal.sqlite").touch()
    git(tree, "add", "-f", ".shotrunner/journal.sqlite")
    assert tracked_by_git(tree, tree / ".shotrunner")


# Making it


def test_it_is_private_and_git_ignores_it(repository: Path) -> None:
    state = repository / ".shotrunner"
    make_state(state)
    make_state(state)
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / ".gitignore").read_text(encoding="utf-8") == "*\n"
    status = subprocess.run(["git", "-C", str(repository), "status", "--porcelain"], check=True, capture_output=True)
    assert status.stdout == b""


def test_a_state_folder_that_others_could_look_into_is_closed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    make_state(state)
    assert state.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_other_things_is_left_as_it_is(repository: Path) -> None:
    before = repository.stat().st_mode
    with pytest.raises(Refused, match="holds other files"):
        make_state(repository)
    assert repository.stat().st_mode == before
    assert not (repository / ".gitignore").exists()


def test_an_empty_folder_and_one_of_an_earlier_run_are_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    make_state(tmp_path / "empty")
    (tmp_path / "empty" / "lock").touch()
    make_state(tmp_path / "empty")
    (tmp_path / "restored").mkdir()
    (tmp_path / "restored" / "journal.sqlite").touch()
    make_state(tmp_path / "restored")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot be written"):
        make_state(tmp_path / "file" / "state")


def test_a_new_folder_is_durable_before_anything_is_bought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(roots, "sync_folder", synced.append)
    make_state(tmp_path / "state")
    assert synced == [tmp_path]
