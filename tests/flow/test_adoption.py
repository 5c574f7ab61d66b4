"""Clips that lie in the out folder are taken in by their digest, instead of bought again."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from machines import LOCK, acts, forget, forget_tasks, plan, project, run
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


def test_a_clip_reached_through_a_link_is_not_taken_in(stage: Stage, api: PaidService, tmp_path: Path) -> None:
    assert run(stage, api).code == 0
    forget(stage)
    forget_tasks(stage)
    (stage.folder / "out").rename(tmp_path / "moved")
    (stage.folder / "out").symlink_to(tmp_path / "moved")
    assert acts(stage, api) == {"hill.1": "missing", "sea.1": "missing"}


def test_a_clip_gone_from_the_store_is_asked_for_once_and_then_missing(stage: Stage, api: PaidService) -> None:
    assert run(stage, api).code == 0
    shutil.rmtree(stage.folder / "out")
    shutil.rmtree(stage.folder / ".shotrunner/clips")
    assert acts(stage, api) == {"hill.1": "resume", "sea.1": "resume"}
    assert run(stage, api, budget="0").code == 0
    assert api.bought() == 2
