"""Reference media are kept once by content, and nobody replaces what somebody reads."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from media import tone

from runner.adapters import catalog
from runner.adapters.media import probe
from runner.core.media import Kind, MediaFacts
from runner.emulator.disk import Disk
from runner.emulator.intake import Asked
from runner.emulator.references import BadReference, References

MODEL = catalog.shipped_models()["wan2.7-text-to-video"]
BODY: dict[str, Any] = {"model": MODEL.name, "prompt": "x", "audio_urls": ["http://127.0.0.1:1/a.mp3"]}


class Served:
    """A fetcher whose every answer is one file."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def fetch(self, url: str, target: Path, max_bytes: int) -> None:
        await asyncio.to_thread(target.write_bytes, self.content)


class Watched:
    """A probe that holds its file until it is told to look, and notes which file it was."""

    def __init__(self) -> None:
        self.go, self.looked = threading.Event(), list[tuple[int, int]]()

    def facts(self, path: Path) -> MediaFacts:
        before = path.stat().st_ino
        assert self.go.wait(10)
        self.looked.append((before, path.stat().st_ino))
        return probe(path)


def asked() -> Asked:
    return Asked(model=MODEL, body=BODY, digest="0" * 64)


async def test_equal_media_of_two_tasks_are_looked_at_once_and_the_file_stays_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "references"
    folder.mkdir()
    watched = Watched()
    references = References(folder, Served(tone(tmp_path / "a.mp3", 4).read_bytes()), watched, Disk())  # type: ignore[arg-type]
    both = [asyncio.ensure_future(references.gather(asked())) for _ in range(2)]
    await asyncio.sleep(0.2)  # both have fetched by now, the first is being looked at
    watched.go.set()
    one, other = await asyncio.gather(*both)
    assert one[Kind.AUDIO][0].path == other[Kind.AUDIO][0].path
    [(before, after)] = watched.looked
    assert before == after
    assert len(list(folder.iterdir())) == 1


async def test_what_cannot_be_read_fails_every_task_that_names_it(tmp_path: Path) -> None:
    folder = tmp_path / "references"
    folder.mkdir()
    watched = Watched()
    watched.go.set()
    references = References(folder, Served(b"no sound at all"), watched, Disk())  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(BadReference, match="cannot be read"):
            await references.gather(asked())
    assert list(folder.iterdir()) == []


async def test_a_medium_lies_there_as_long_as_a_task_needs_it(tmp_path: Path) -> None:
    folder = tmp_path / "references"
    folder.mkdir()
    content, disk, watched = tone(tmp_path / "a.mp3", 4).read_bytes(), Disk(), Watched()
    watched.go.set()
    references = References(folder, Served(content), watched, disk)  # type: ignore[arg-type]
    one, other = await references.gather(asked()), await references.gather(asked())
    assert disk.used == len(content)
    references.release(one)
    assert other[Kind.AUDIO][0].path.read_bytes() == content
    references.release(other)
    assert (list(folder.iterdir()), disk.used) == ([], 0)
    again = await references.gather(asked())
    assert again[Kind.AUDIO][0].path.read_bytes() == content
    assert len(watched.looked) == 1


async def test_a_medium_that_finds_no_room_fails_its_task(tmp_path: Path) -> None:
    folder = tmp_path / "references"
    folder.mkdir()
    disk, watched = Disk(100), Watched()
    watched.go.set()
    references = References(folder, Served(b"ID3" + bytes(98)), watched, disk)  # type: ignore[arg-type]
    with pytest.raises(BadReference) as caught:
        await references.gather(asked())
    assert caught.value.error.code == "resource_exhausted"
    assert (list(folder.iterdir()), disk.used) == ([], 0)
