"""A clip is its digest: taken in where it lies in the out folder, and gone where its bytes are others, whatever its length."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from machines import LOCK, acts, film, forget, forget_tasks, plan, project, run
from stage import PaidService, Stage, paid


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return project(tmp_path / "project")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[PaidService]:
    with paid(tmp_path / "service") as service:
        yield service


def test_clips_in_the_out_folder_are_taken_in_and_not_bought(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    forget(stage)
    forget_tasks(stage)
    takes = plan(stage, api)
    assert {name: (t["action"], t["reason"]) for name, t in takes.items()} == {
        name: ("reuse", f"found in out/film/clips/clips/{name}.mp4") for name in ("hill.1", "sea.1")
    }
    ended = run(stage, api, budget="0")
    assert ended.code == 0, ended
    assert "2 reused" in ended.out
    assert api.bought() == 2
    assert acts(stage, api) == {"hill.1": "reuse", "sea.1": "reuse"}
    clips = [take["clip"] for take in stage.manifest(pipeline="clips")["takes"]]
    assert all(clip["duration_s"] == 5 for clip in clips)


def test_an_out_folder_that_is_named_is_looked_through_too(stage: Stage, api: PaidService, tmp_path: Path) -> None:
    out = str(tmp_path / "elsewhere")
    assert run(stage, api, "--out", out).code == 0
    forget(stage)
    forget_tasks(stage)
    assert acts(stage, api) == {"hill.1": "missing", "sea.1": "missing"}
    assert acts(stage, api, "--out", out) == {"hill.1": "reuse", "sea.1": "reuse"}
    assert run(stage, api, "--out", out).code == 0
    assert api.bought() == 2


def test_other_bytes_of_the_same_length_are_not_taken_for_the_clip(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    forget(stage)
    forget_tasks(stage)
    clip = stage.folder / "out/film/clips/clips/sea.1.mp4"
    content = bytearray(clip.read_bytes())
    content[-1] ^= 1
    clip.write_bytes(content)
    assert acts(stage, api) == {"hill.1": "reuse", "sea.1": "missing"}


def test_a_manifest_alone_proves_nothing(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    forget(stage)
    (stage.folder / LOCK).unlink()
    assert acts(stage, api) == {"hill.1": "buy", "sea.1": "buy"}


@pytest.mark.parametrize(
    ("linked", "others"),
    [("out", "missing"), ("out/film/clips/clips", "missing"), ("out/film/clips/clips/sea.1.mp4", "reuse")],
)
def test_a_clip_reached_through_a_link_is_not_taken_in(
    stage: Stage, api: PaidService, tmp_path: Path, linked: str, others: str
) -> None:
    assert run(stage, api).code == 0
    forget(stage)
    forget_tasks(stage)
    (stage.folder / linked).rename(tmp_path / "moved")
    (stage.folder / linked).symlink_to(tmp_path / "moved")
    assert acts(stage, api) == {"hill.1": others, "sea.1": "missing"}


def test_a_clip_gone_from_the_store_is_asked_for_once_and_then_missing(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    shutil.rmtree(stage.folder / "out")
    shutil.rmtree(stage.folder / ".shotrunner/clips")
    assert acts(stage, api) == {"hill.1": "resume", "sea.1": "resume"}
    assert run(stage, api, budget="0").code == 0
    assert api.bought() == 2


# Damage


def damage(path: Path) -> bytes:
    """Other bytes of the same length, and the same time of change."""
    before, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return bytes(content)


def stored(stage: Stage) -> list[Path]:
    return sorted(stage.folder.glob(".shotrunner/clips/*/*.mp4"))


def digests(stage: Stage) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in stored(stage)]


def test_a_damaged_clip_in_the_store_is_fetched_again_and_not_copied_on(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    shutil.rmtree(stage.folder / "out")
    damage(stored(stage)[0])
    assert sorted(acts(stage, api).values()) == ["resume", "reuse"]
    assert run(stage, api, budget="0").code == 0
    assert digests(stage) == [path.stem for path in stored(stage)]
    clips = [take["clip"]["sha256"] for take in stage.manifest(pipeline="clips")["takes"]]
    copies = sorted((stage.folder / "out/film/clips/clips").iterdir())
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in copies] == clips
    assert api.bought() == 2


def test_a_damaged_clip_in_the_store_is_mended_from_the_out_folder(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    damage(stored(stage)[0])
    assert acts(stage, api) == {"hill.1": "reuse", "sea.1": "reuse"}
    assert run(stage, api, budget="0").code == 0
    assert digests(stage) == [path.stem for path in stored(stage)]


def test_a_damaged_clip_in_the_out_folder_is_mended_from_the_store(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    copy = stage.folder / "out/film/clips/clips/sea.1.mp4"
    whole = copy.read_bytes()
    assert damage(copy) != whole
    assert run(stage, api, budget="0").code == 0
    assert copy.read_bytes() == whole


def test_a_free_clip_that_is_damaged_is_made_again(stage: Stage) -> None:
    stage.write("film.yaml", film(sea="The sea at dawn"))
    assert stage.shotrunner("run", "film.yaml", "--pipeline", "clips").code == 0
    damage(stored(stage)[0])
    assert stage.shotrunner("run", "film.yaml", "--pipeline", "clips").code == 0
    assert digests(stage) == [path.stem for path in stored(stage)]
