"""The out folder: copies of clips, and nothing removed but what the journal says we wrote."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.adapters.files import stamp_of
from runner.adapters.journal import Journal
from runner.adapters.outputs import Outputs

CLIP, OTHER = b"a clip", b"another clip"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    (tmp_path / "state").mkdir()
    found = Journal(tmp_path / "state" / "journal.sqlite")
    yield found
    found.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "film" / "clips"


def outputs(out: Path, journal: Journal) -> Outputs:
    """As another run finds them."""
    return Outputs(out, journal)


async def place(found: Outputs, name: str, content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "state" / digest(content)
    source.write_bytes(content)
    await found.place(name, source, digest(content))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


async def test_a_clip_is_copied_and_known_to_the_next_run(out: Path, journal: Journal, tmp_path: Path) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    assert (out / "clips/a.1.mp4").read_bytes() == CLIP
    again = outputs(out, journal)
    known = again.current("clips/a.1.mp4", digest(CLIP))
    assert known is not None
    assert known.sha256 == digest(CLIP)
    assert again.current("clips/a.1.mp4", digest(OTHER)) is None
    assert again.current("clips/b.1.mp4", digest(CLIP)) is None


async def test_what_lies_there_already_is_not_written_again(out: Path, journal: Journal, tmp_path: Path) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    before = (out / "clips/a.1.mp4").stat()
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    after = (out / "clips/a.1.mp4").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_damage_in_the_store_is_not_copied_on(out: Path, journal: Journal, tmp_path: Path) -> None:
    source = tmp_path / "state" / digest(CLIP)
    source.write_bytes(CLIP[::-1])
    found = outputs(out, journal)
    assert not await found.place("clips/a.1.mp4", source, digest(CLIP))
    assert names(out) == []
    assert found.current("clips/a.1.mp4", digest(CLIP)) is None
    source.write_bytes(CLIP)
    assert await found.place("clips/a.1.mp4", source, digest(CLIP))


async def test_damage_in_the_out_folder_is_mended_from_the_store(out: Path, journal: Journal, tmp_path: Path) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    before = (out / "clips/a.1.mp4").stat()
    (out / "clips/a.1.mp4").write_bytes(CLIP[::-1])
    os.utime(out / "clips/a.1.mp4", ns=(before.st_atime_ns, before.st_mtime_ns))
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    assert (out / "clips/a.1.mp4").read_bytes() == CLIP


async def test_a_touched_file_is_read_once_and_then_known_again(out: Path, journal: Journal, tmp_path: Path) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    os.utime(out / "clips/a.1.mp4", (1, 1))
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    known = outputs(out, journal).current("clips/a.1.mp4", digest(CLIP))
    assert known is not None
    assert known.stamp == stamp_of(out / "clips/a.1.mp4")


async def test_a_file_that_was_only_touched_is_still_ours(out: Path, journal: Journal, tmp_path: Path) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    os.utime(out / "clips/a.1.mp4", (1, 1))
    assert outputs(out, journal).current("clips/a.1.mp4", digest(CLIP)) is not None


@pytest.mark.parametrize("how", ["moved", "copied"])
async def test_what_was_moved_or_copied_with_its_folder_is_read_once_and_still_ours(
    out: Path, journal: Journal, tmp_path: Path, how: str
) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    await place(outputs(out, journal), "film.mp4", OTHER, tmp_path)
    here = tmp_path / "elsewhere" / "film"
    shutil.copytree(out, here, copy_function=shutil.copyfile)
    if how == "moved":
        shutil.rmtree(out)
    before = (here / "clips/a.1.mp4").stat()
    found = outputs(here, journal)
    assert await found.still("film.mp4", digest(CLIP)) is None  # made from something else
    assert await found.still("clips/film.mp4", digest(OTHER)) is None
    known = await found.still("film.mp4", digest(OTHER))
    assert known is not None
    assert known.sha256 == digest(OTHER)
    await place(found, "clips/a.1.mp4", CLIP, tmp_path)
    assert (here / "clips/a.1.mp4").stat().st_mtime_ns == before.st_mtime_ns
    assert {path: kept.stamp for path, kept in journal.outputs(str(here)).items()} == {
        str(here / name): stamp_of(here / name) for name in ("clips/a.1.mp4", "film.mp4")
    }
    (here / "film.mp4").write_bytes(CLIP)
    assert outputs(here, journal).current("film.mp4", digest(OTHER)) is None


async def test_what_was_edited_after_its_folder_was_moved_is_made_anew(
    out: Path, journal: Journal, tmp_path: Path
) -> None:
    await place(outputs(out, journal), "film.mp4", CLIP, tmp_path)
    here = Path(shutil.move(out, tmp_path / "elsewhere"))
    (here / "film.mp4").write_bytes(b"graded")
    assert await outputs(here, journal).still("film.mp4", digest(CLIP)) is None


@pytest.mark.parametrize("what", ["edited", "gone", "link", "folder"])
async def test_a_file_that_is_no_longer_as_we_wrote_it_is_written_again(
    out: Path, journal: Journal, tmp_path: Path, what: str
) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    target = out / "clips/a.1.mp4"
    if what == "edited":
        target.write_bytes(b"A CLIP")
    else:
        target.unlink()
    if what == "link":
        (tmp_path / "same").write_bytes(CLIP)
        target.symlink_to(tmp_path / "same")
    assert outputs(out, journal).current("clips/a.1.mp4", digest(CLIP)) is None
    if what == "folder":
        return
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    assert target.read_bytes() == CLIP
    assert not target.is_symlink()


async def test_a_take_that_has_a_new_clip_gets_it(out: Path, journal: Journal, tmp_path: Path) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    await place(outputs(out, journal), "clips/a.1.mp4", OTHER, tmp_path)
    assert (out / "clips/a.1.mp4").read_bytes() == OTHER


# Sweeping


async def test_what_earlier_runs_wrote_and_this_one_has_not_is_removed(
    out: Path, journal: Journal, tmp_path: Path
) -> None:
    first = outputs(out, journal)
    for name in ("clips/a.1.mp4", "clips/b.1.mp4", "film.mp4"):
        await place(first, name, CLIP, tmp_path)
    (out / "clips" / "mine.mp4").write_bytes(b"the user's own")
    await outputs(out, journal).sweep("clips", frozenset({"clips/a.1.mp4"}))
    assert names(out) == ["clips/a.1.mp4", "clips/mine.mp4", "film.mp4"]
    assert set(journal.outputs(str(out))) == {str(out / "clips/a.1.mp4"), str(out / "film.mp4")}


async def test_another_out_folder_of_a_like_name_is_left_alone(out: Path, journal: Journal, tmp_path: Path) -> None:
    near = out.with_name("clips2")
    await place(outputs(near, journal), "clips/a.1.mp4", CLIP, tmp_path)
    await place(outputs(out, journal), "clips2/a.1.mp4", CLIP, tmp_path)
    await outputs(out, journal).sweep("clips", frozenset())
    assert names(near) == ["clips/a.1.mp4"]
    assert names(out) == ["clips2/a.1.mp4"]


async def test_a_file_that_was_edited_since_is_left_to_its_editor(out: Path, journal: Journal, tmp_path: Path) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    (out / "clips/a.1.mp4").write_bytes(b"graded")
    await outputs(out, journal).sweep("clips", frozenset())
    assert (out / "clips/a.1.mp4").read_bytes() == b"graded"


async def test_nothing_is_removed_through_a_link(out: Path, journal: Journal, tmp_path: Path) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    await place(outputs(out, journal), "clips/b.1.mp4", CLIP, tmp_path)
    precious = tmp_path / "precious"
    (out / "clips").rename(precious)
    (out / "clips").symlink_to(precious)
    await outputs(out, journal).sweep("clips", frozenset())
    assert names(precious) == ["a.1.mp4", "b.1.mp4"]


async def test_a_link_in_the_place_of_a_clip_is_left_alone(out: Path, journal: Journal, tmp_path: Path) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    (tmp_path / "precious.mp4").write_bytes(CLIP)
    (out / "clips/a.1.mp4").unlink()
    (out / "clips/a.1.mp4").symlink_to(tmp_path / "precious.mp4")
    await outputs(out, journal).sweep("clips", frozenset())
    assert (tmp_path / "precious.mp4").read_bytes() == CLIP
    assert (out / "clips/a.1.mp4").is_symlink()


async def test_what_is_no_regular_file_is_not_even_read(
    out: Path, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading a pipe would wait for a writer for ever."""
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    (out / "clips/a.1.mp4").unlink()
    os.mkfifo(out / "clips/a.1.mp4")
    monkeypatch.setattr("runner.adapters.outputs.sha256_of", lambda _: digest(CLIP))
    await outputs(out, journal).sweep("clips", frozenset())
    assert (out / "clips/a.1.mp4").is_fifo()


async def test_an_out_folder_that_is_gone_is_no_fault(out: Path, journal: Journal, tmp_path: Path) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    (out / "clips/a.1.mp4").unlink()
    await outputs(out, journal).sweep("clips", frozenset())
    assert journal.outputs(str(out)) == {}


async def test_the_store_is_never_touched_by_what_happens_to_a_copy(
    out: Path, journal: Journal, tmp_path: Path
) -> None:
    await place(outputs(out, journal), "clips/a.1.mp4", CLIP, tmp_path)
    with (out / "clips/a.1.mp4").open("r+b") as file:
        file.write(b"X")
    assert (tmp_path / "state" / digest(CLIP)).read_bytes() == CLIP


def test_the_manifest_is_replaced_whole(out: Path, journal: Journal) -> None:
    found = outputs(out, journal)
    for content in (b"{}", b'{"takes": []}'):
        found.write_manifest(content)
        assert (out / "manifest.json").read_bytes() == content
    assert names(out) == ["manifest.json"]
