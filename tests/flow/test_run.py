"""`run` from a storyboard to clips, film and manifest, over real sockets to the emulator it starts itself."""

import json
import os
import signal
import time
from pathlib import Path

import jsonschema
import pytest
from stage import Stage

from runner.adapters import catalog
from runner.adapters.files import sha256_of
from runner.adapters.media import Probe

FILM = """\
storyboard: 1
title: Two Views
defaults:
  model: wan2.7-text-to-video
  params: {duration: 2}
shots:
  - id: sea
    prompt: The sea at dawn
    takes: 2
  - id: hill
    prompt: A green hill
    transition: {dissolve: 0.5}
  - id: again
    prompt: A green hill
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.write("film.yaml", FILM)
    return stage


def test_a_storyboard_becomes_clips_a_film_and_a_manifest(stage: Stage) -> None:
    ended = stage.shotrunner("run", "film.yaml")
    assert ended.code == 0, ended
    manifest = stage.manifest()
    jsonschema.validate(manifest, catalog.schema("manifest"))
    assert [t["id"] for t in manifest["takes"]] == ["sea.1", "sea.2", "hill.1", "again.1"]
    assert {t["status"] for t in manifest["takes"]} == {"done"}
    out = stage.folder / "out/film/draft"
    with Probe() as probe:
        for take in manifest["takes"]:
            facts = probe.clip(out / take["clip"]["path"])
            assert (facts.sha256, facts.size_bytes) == (take["clip"]["sha256"], take["clip"]["size_bytes"])
            assert (facts.width_px, facts.height_px, facts.duration_s) == (1280, 720, 2)
        film = probe.clip(out / "film.mp4")
    # Three clips of 2 s, one overlap of 0.5 s and, by the pipeline, one of 0.25 s.
    assert film.duration_s == 6 - 0.5 - 0.25
    takes = {t["id"]: t for t in manifest["takes"]}
    assert takes["sea.1"]["clip"]["sha256"] != takes["sea.2"]["clip"]["sha256"]
    assert takes["again.1"]["shared_with"] == "hill.1"
    assert takes["again.1"]["clip"]["sha256"] == takes["hill.1"]["clip"]["sha256"]


def test_intent_and_receipt_are_durable_in_the_order_of_the_flow(stage: Stage) -> None:
    assert stage.shotrunner("run", "film.yaml", "--shots", "hill").code == 0
    assert stage.events() == [("hill.1", e) for e in ("send", "receipt", "completed", "fetched")]


def test_running_again_buys_and_renders_nothing(stage: Stage) -> None:
    assert stage.shotrunner("run", "film.yaml").code == 0
    events = stage.events()
    film = (stage.folder / "out/film/draft/film.mp4").stat()
    ended = stage.shotrunner("run", "film.yaml")
    assert ended.code == 0, ended
    assert stage.events() == events
    assert (stage.folder / "out/film/draft/film.mp4").stat().st_mtime_ns == film.st_mtime_ns


def test_two_fresh_runs_give_equal_manifests_but_for_what_is_volatile(tmp_path: Path) -> None:
    def volatile(schema: object) -> object:
        return schema.get("x-volatile") if isinstance(schema, dict) else None

    def without(value: object, schema: dict[str, object]) -> object:
        if isinstance(value, dict):
            known = schema.get("properties", {})
            assert isinstance(known, dict)
            return {k: without(v, known.get(k, {})) for k, v in value.items() if not volatile(known.get(k))}
        if isinstance(value, list):
            items = schema.get("items", {})
            assert isinstance(items, dict)
            return [without(v, items) for v in value]
        return value

    found = []
    for name in ("one", "two"):
        stage = Stage(tmp_path / name)
        stage.write("film.yaml", FILM)
        assert stage.shotrunner("run", "film.yaml").code == 0
        manifest = stage.manifest()
        found.append(
            (without(manifest, catalog.schema("manifest")), sha256_of(stage.folder / "out/film/draft/film.mp4"))
        )
    assert found[0] == found[1]


def test_a_killed_run_is_finished_by_running_again(stage: Stage) -> None:
    process = stage.start("run", "film.yaml")
    journal = stage.folder / ".shotrunner/journal.sqlite"
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        if journal.exists() and ("sea.1", "receipt") in stage.events():
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ended = stage.shotrunner("run", "film.yaml")
    assert ended.code == 0, ended
    assert {t["status"] for t in stage.manifest()["takes"]} == {"done"}
    assert not list(stage.folder.rglob("*.part"))
    assert not list((stage.folder / ".shotrunner/emulator").iterdir())


def test_the_clip_of_a_shot_that_is_gone_is_swept_and_a_strangers_file_stays(stage: Stage) -> None:
    assert stage.shotrunner("run", "film.yaml").code == 0
    clips = stage.folder / "out/film/draft/clips"
    (clips / "mine.mp4").write_bytes(b"a film of my own")
    (clips / "sea.2.mp4").write_bytes(b"changed by hand")
    stage.write(
        "film.yaml", FILM.replace("    takes: 2\n", "").replace("  - id: again\n    prompt: A green hill\n", "")
    )
    assert stage.shotrunner("run", "film.yaml").code == 0
    assert sorted(p.name for p in clips.iterdir()) == ["hill.1.mp4", "mine.mp4", "sea.1.mp4", "sea.2.mp4"]


def test_json_on_stdout_is_json_alone(stage: Stage) -> None:
    plan = stage.shotrunner("plan", "film.yaml", "--format", "json")
    assert [t["action"] for t in json.loads(plan.out)["takes"]] == ["buy", "buy", "buy", "reuse"]
    ended = stage.shotrunner("run", "film.yaml", "--format", "json")
    assert json.loads(ended.out)["schema"] == "shotrunner.run.v1"


def test_plan_and_validate_write_nothing(stage: Stage) -> None:
    before = sorted(stage.folder.rglob("*"))
    assert stage.shotrunner("validate", "film.yaml").code == 0
    assert stage.shotrunner("plan", "film.yaml").code == 0
    assert stage.shotrunner("plan", "film.yaml", "--detailed-exitcode").code == 5
    assert sorted(stage.folder.rglob("*")) == before


def test_plan_and_validate_run_no_git_and_run_runs_none_of_the_repositorys_own(stage: Stage) -> None:
    (stage.folder / ".git").mkdir()
    stub = stage.write("bin/git", f'#!/bin/sh\necho "$@" >> {stage.folder}/asked\nexit 1\n')
    stub.chmod(0o755)
    path = f"{stub.parent}:{os.environ['PATH']}"
    assert stage.shotrunner("validate", "film.yaml", PATH=path).code == 0
    assert stage.shotrunner("plan", "film.yaml", PATH=path).code == 0
    assert not (stage.folder / "asked").exists()
    assert stage.shotrunner("run", "film.yaml", "--shots", "hill", PATH=path).code in (0, 1)
    asked = (stage.folder / "asked").read_text(encoding="utf-8").splitlines()
    assert asked and all(line.startswith("-c core.fsmonitor=false -c core.hooksPath=/dev/null ") for line in asked)


def test_the_second_run_is_refused_while_the_first_holds_the_lock_and_waits_if_told(stage: Stage) -> None:
    first = stage.start("run", "film.yaml")
    give_up = time.monotonic() + 20
    lock = stage.folder / ".shotrunner/lock"
    while time.monotonic() < give_up and not (lock.exists() and lock.read_text()):
        time.sleep(0.005)
    refused = stage.shotrunner("run", "film.yaml")
    waited = stage.shotrunner("run", "film.yaml", "--wait", "60")
    first.communicate()
    assert refused.code == 2 and "another run holds" in refused.err, refused
    assert waited.code == 0, waited


KEYS = """\
import sys
from runner.cli import main
from runner.emulator import app

def begun(emulator, *given, key, **more):
    with open("keys", "a") as file:
        print(key, file=file)
    raise ZeroDivisionError("this is all there is to be seen")

app.Emulator.__init__ = begun
sys.exit(main(sys.argv[1:]))
"""


def test_the_server_that_a_free_run_starts_has_a_key_that_nobody_guesses(stage: Stage) -> None:
    program = stage.write("keys.py", KEYS)
    for _ in range(2):
        assert stage.shotrunner("run", "film.yaml", program=program, TMPDIR=str(stage.folder)).code == 3
    one, other = (stage.folder / "keys").read_text(encoding="utf-8").split()
    assert one != other and min(len(one), len(other)) >= 32
