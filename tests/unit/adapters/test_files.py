"""The user's files: read below the root alone, written whole or not at all."""

import os
import sys
from pathlib import Path

import pytest

from runner.adapters import files
from runner.adapters.files import (
    Checkout,
    Unreadable,
    below,
    copy_whole,
    part_of,
    reader,
    resolve,
    sha256_of,
    write_whole,
)
from runner.core.diagnostics import Rejected


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("media", ".git", ".shotrunner", "sub/.git", "sub/.GIT"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in (
        "media/a.txt",
        ".git/config",
        ".shotrunner/journal.sqlite",
        ".env",
        ".env.local",
        "sub/.git/config",
        "../secret",
    ):
        (folder / name).write_text("content", encoding="utf-8")
    (folder / "sub/.GIT/config").write_text("content", encoding="utf-8")
    (folder / "sub/.ENV").write_text("content", encoding="utf-8")
    return folder


def refused(root: Path, path: str) -> str:
    with pytest.raises(Unreadable) as caught:
        resolve(root, path)
    return caught.value.reason


def test_a_file_below_the_root_is_found(root: Path) -> None:
    assert resolve(root, "media/a.txt") == root / "media/a.txt"
    assert resolve(root, "media/../media/a.txt") == root / "media/a.txt"


@pytest.mark.parametrize("path", ["../secret", "media/../../secret", "/etc/passwd", "..", "../project/../secret"])
def test_nothing_outside_the_root_is_read(root: Path, path: str) -> None:
    assert refused(root, path) in ("lies outside the project's root", "is not a regular file")


@pytest.mark.parametrize("target", ["../../secret", "../../project/../secret", "/etc/passwd"])
def test_no_symbolic_link_leads_out(root: Path, target: str) -> None:
    (root / "media" / "link").symlink_to(root / "media" / target)
    assert refused(root, "media/link") == "lies outside the project's root"


def test_no_linked_folder_leads_out(root: Path) -> None:
    (root / "elsewhere").symlink_to(root.parent)
    assert refused(root, "elsewhere/secret") == "lies outside the project's root"
    assert Checkout(root=root, shown_from=root).folder("elsewhere") == ()


def test_a_link_that_stays_inside_is_followed(root: Path) -> None:
    (root / "link").symlink_to("media/a.txt")
    assert resolve(root, "link") == root / "media/a.txt"


def test_a_root_that_is_reached_through_a_link_is_a_root(root: Path) -> None:
    (root.parent / "way").symlink_to(root)
    assert resolve(root.parent / "way", "media/a.txt") == root / "media/a.txt"


PRIVATE = [
    ".git/config",
    ".shotrunner/journal.sqlite",
    ".env",
    ".env.local",
    "sub/.git/config",
    "sub/.GIT/config",
    "sub/.ENV",
]


@pytest.mark.parametrize("path", PRIVATE)
def test_what_is_private_is_not_read_under_any_spelling(root: Path, path: str) -> None:
    assert "does not read" in refused(root, path)
    (root / "innocent").symlink_to(path)
    assert "does not read" in refused(root, "innocent")


@pytest.mark.parametrize("path", ["gone", "media/gone", "media/a.txt/x", "media/\x00", "x" * 5000, "media/" * 2000])
def test_a_path_that_leads_nowhere_is_a_reason(root: Path, path: str) -> None:
    assert refused(root, path)


def test_a_loop_of_links_is_a_reason(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    assert refused(root, "a")


def test_what_is_no_regular_file_is_never_opened(root: Path) -> None:
    os.mkfifo(root / "media" / "pipe")  # opening it would wait for ever
    assert refused(root, "media/pipe") == "is not a regular file"
    assert refused(root, "media") == "is not a regular file"
    if sys.platform == "linux":
        (root / "null").symlink_to("/dev/null")
        assert refused(root, "null") == "lies outside the project's root"


def test_text_is_utf8_of_bounded_size(root: Path) -> None:
    project = Checkout(root=root, shown_from=root / "media")
    (root / "marked").write_bytes(b"\xef\xbb\xbfk\xc3\xa4fer")
    (root / "latin").write_bytes(b"k\xe4fer")
    source = project.text("marked")
    assert (source.text, source.path, source.name) == ("käfer", "marked", "../marked")
    with pytest.raises(Unreadable, match=r"is not UTF-8 \(byte 1\)"):
        project.text("latin")
    with pytest.raises(Unreadable, match="is larger than 0 KiB"):
        project.text("media/a.txt", most_bytes=6)
    assert project.text("media/a.txt", most_bytes=7).text == "content"


def test_a_sparse_file_of_terabytes_is_refused_unread(root: Path) -> None:
    with (root / "huge.yaml").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(Unreadable, match="is larger than 64 MiB"):
        Checkout(root=root, shown_from=root).text("huge.yaml")


def test_the_reader_says_what_a_diagnostic_needs(root: Path) -> None:
    read = reader(Checkout(root=root, shown_from=root))
    assert read("media/a.txt").text == "content"
    for path, code in (("gone.yaml", "missing-file"), ("../secret", "unreadable-file"), (".env", "unreadable-file")):
        with pytest.raises(Rejected) as caught:
            read(path)
        [fault] = caught.value.diagnostics
        assert fault.code == code


# Writing


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_is_written_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "out" / "deep" / "manifest.json"
    write_whole(target, b"one")
    write_whole(target, b"two")
    assert target.read_bytes() == b"two"
    assert names(target.parent) == ["manifest.json"]


def test_a_copy_is_a_file_of_its_own(tmp_path: Path) -> None:
    source, target = tmp_path / "clip", tmp_path / "out" / "a.mp4"
    source.write_bytes(b"clip" * 1_000_000)
    copy_whole(source, target)
    assert sha256_of(target) == sha256_of(source)
    assert target.stat().st_ino != source.stat().st_ino
    target.write_bytes(b"edited")
    assert source.read_bytes()[:4] == b"clip"


def test_a_link_in_the_place_of_the_target_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / "manifest.json").symlink_to(precious)
    write_whole(tmp_path / "manifest.json", b"{}")
    assert precious.read_bytes() == b"precious"
    assert not (tmp_path / "manifest.json").is_symlink()


def test_a_link_in_the_place_of_the_part_is_not_followed(tmp_path: Path) -> None:
    """Its name can be guessed, so a stranger's repository may hold one."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    part_of(tmp_path / "manifest.json").symlink_to(precious)
    write_whole(tmp_path / "manifest.json", b"{}")
    copy_whole(precious, tmp_path / "copy")
    assert precious.read_bytes() == b"precious"
    assert (tmp_path / "manifest.json").read_bytes() == b"{}"


def test_what_fails_midway_leaves_the_old_file_and_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "manifest.json"
    write_whole(target, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    for attempt in (lambda: write_whole(target, b"new"), lambda: copy_whole(target, tmp_path / "copy")):
        with pytest.raises(OSError, match="No space left"):
            attempt()
    assert names(tmp_path) == ["manifest.json"]
    assert target.read_bytes() == b"old"


def test_a_source_that_is_gone_leaves_the_target_alone(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        copy_whole(tmp_path / "gone", tmp_path / "target")
    assert names(tmp_path) == ["target"]


def test_file_and_folder_are_synced_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []
    sync, replace = os.fsync, Path.replace

    def noted_sync(handle: int) -> None:
        did.append("sync of the folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "sync of the file")
        sync(handle)

    def noted_replace(self: Path, target: Path) -> Path:
        did.append("rename")
        return replace(self, target)

    if sys.platform != "linux":
        pytest.skip("handles have no names here")
    monkeypatch.setattr(files.os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    write_whole(tmp_path / "a", b"x")
    assert did == ["sync of the file", "rename", "sync of the folder"]


def test_a_long_name_is_written(tmp_path: Path) -> None:
    write_whole(tmp_path / ("x" * 250), b"x")
    assert names(tmp_path) == ["x" * 250]


@pytest.mark.parametrize("name", ["film.mp4", "x" * 200])
def test_what_a_killed_run_left_half_written_is_cleared_by_the_next(name: str, tmp_path: Path) -> None:
    for left in (part_of(tmp_path / name), part_of(tmp_path / "copy")):
        left.write_bytes(b"half")
    write_whole(tmp_path / name, b"whole")
    copy_whole(tmp_path / name, tmp_path / "copy")
    assert names(tmp_path) == sorted([name, "copy"])


def test_no_two_files_are_written_in_one_place(tmp_path: Path) -> None:
    assert part_of(tmp_path / ("x" * 150 + "a")) != part_of(tmp_path / ("x" * 150 + "b"))


def test_a_file_below_a_folder_is_one_that_nothing_leads_away_from(tmp_path: Path) -> None:
    folder = tmp_path / "real"
    (folder / "clips").mkdir(parents=True)
    (folder / "clips" / "a.mp4").write_text("a", encoding="utf-8")
    (tmp_path / "secret").write_text("s", encoding="utf-8")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "near").symlink_to("clips")
    os.mkfifo(folder / "pipe")
    shortcut = tmp_path / "shortcut"
    shortcut.symlink_to(folder)
    for top in (folder, shortcut):  # the folder itself is the user's own word
        assert below(top, "clips/a.mp4").read_text("utf-8") == "a"
        outside = ("../secret", "clips/../../secret", "link", "near/a.mp4", "clips", "", ".", "gone", "pipe", "a\0b")
        for name in (*outside, str(tmp_path / "secret"), str(folder / "clips/a.mp4")):
            with pytest.raises(Unreadable):
                below(top, name)
