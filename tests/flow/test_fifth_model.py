"""A fifth model is one file: a project's own schema is judged, priced, shown, drawn by the emulator, and replaces none."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import media
import pytest
from stage import Stage

from runner.adapters import catalog
from runner.adapters.media import Probe

NAME = "tusche-2-sketch"
FILE = f"schemas/models/{NAME}.schema.json"


def tusche() -> dict[str, Any]:
    """A model like no shipped one: one picture by a plain URL, small and with transparency; strange sizes; its own parameters."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tusche 2, sketch",
        "description": "Ink drawings of 1 to 4 s that grow from a picture",
        "type": "object",
        "additionalProperties": False,
        "required": ["model", "prompt", "first_page"],
        "properties": {
            "model": {"type": "string", "const": NAME},
            "prompt": {"description": "What is drawn", "type": "string", "minLength": 3, "maxLength": 200},
            "first_page": {
                "description": "The page that the drawing begins on",
                "type": "string",
                "format": "uri",
                "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
                "x-takes": "an http or https URL",
            },
            "quality": {"description": "The sheet", "type": "string", "enum": ["A6", "A5"], "default": "A6"},
            "aspect_ratio": {"description": "Its shape", "type": "string", "enum": ["7:5", "5:7"], "default": "7:5"},
            "duration": {"description": "Seconds", "type": "integer", "minimum": 1, "maximum": 4, "default": 2},
            "ink": {"description": "The ink", "type": "string", "enum": ["black", "sepia", "gold"], "default": "black"},
            "wet": {"description": "Whether lines bleed", "type": "boolean", "default": False},
            "seed": {"description": "The hand", "type": "integer", "minimum": 0, "maximum": 999},
        },
        "allOf": [
            {
                "description": "Gold does not bleed",
                "x-rule": "`wet` true needs another `ink` than gold (it is {ink})",
                "if": {"required": ["ink"], "properties": {"ink": {"const": "gold"}}},
                "then": {"properties": {"wet": {"const": False}}},
            }
        ],
        "x-model": {
            "media": {
                "image": {
                    "property": "first_page",
                    "count": [1, 1],
                    "formats": ["png"],
                    "max_bytes": 100000,
                    "side_px": [32, 256],
                    "alpha": True,
                }
            },
            "output": {
                "fps": 24,
                "px": {"A6": {"7:5": [280, 200], "5:7": [200, 280]}, "A5": {"7:5": [392, 280], "5:7": [280, 392]}},
            },
            "seed": "honoured",
            "sound": False,
            "providers": {
                "evolink": {
                    "path": "/v1/videos/generations",
                    "prices": [
                        {
                            "from": "2026-01-01",
                            "unit": "credit",
                            "per_second": "1.25",
                            "times": [{"ink": "gold", "by": "4"}, {"ink": "gold", "quality": "A5", "by": "1.5"}],
                            "minimum": "2",
                        }
                    ],
                }
            },
        },
    }


FILM = f"""\
storyboard: 1
title: Ink
seed: 998
references: {{page: page.png}}
defaults: {{model: {NAME}, image: page}}
shots:
  - id: hare
    prompt: A hare, in four lines
    takes: 3
  - id: crane
    prompt: A crane at rest
    params: {{ink: gold, quality: A5, aspect_ratio: 5:7, duration: 3}}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    (tmp_path / ".git").mkdir()
    stage.write(FILE, json.dumps(tusche(), indent=2))
    stage.write("film.yaml", FILM)
    media.picture(tmp_path / "page.png", (140, 100), "RGBA")
    return stage


def test_it_becomes_clips_of_its_own_sizes_and_a_film(stage: Stage) -> None:
    ended = stage.shotrunner("run", "film.yaml")
    assert ended.code == 0, ended
    takes = {take["id"]: take for take in stage.manifest()["takes"]}
    assert {take["status"] for take in takes.values()} == {"done"}
    out = stage.folder / "out/film/draft"
    with Probe() as probe:
        clips = {name: probe.clip(out / take["clip"]["path"]) for name, take in takes.items()}
        film = probe.clip(out / "film.mp4")
    assert {(c.width_px, c.height_px, c.duration_s) for n, c in clips.items() if n != "crane.1"} == {(280, 200, 2)}
    assert (clips["crane.1"].width_px, clips["crane.1"].height_px, clips["crane.1"].duration_s) == (280, 392, 3)
    assert film.duration_s == 2 + 3 - Decimal("0.25")
    # Its seed is honoured from 0 to 999, and wraps there.
    assert [takes[f"hare.{n}"]["seed"] for n in (1, 2, 3)] == [998, 999, 0]
    assert len({takes[f"hare.{n}"]["clip"]["sha256"] for n in (1, 2, 3)}) == 3
    body = takes["crane.1"]["request"]
    assert (body["ink"], body["wet"], body["quality"]) == ("gold", False, "A5")
    assert body["first_page"].startswith("sha256:")


def test_its_price_is_its_own_and_the_plan_says_so(stage: Stage) -> None:
    plan = stage.shotrunner("plan", "film.yaml", "--pipeline", "clips", "--provider", "evolink", "--format", "json")
    assert plan.code == 0, plan
    prices = {take["take"]: Decimal(take["price"]) for take in json.loads(plan.out)["takes"]}
    # 2 s at 1.25 are above the minimum of 2; gold costs four times that, and on A5 half as much again.
    assert prices == {
        "hare.1": Decimal("2.5"),
        "hare.2": Decimal("2.5"),
        "hare.3": Decimal("2.5"),
        "crane.1": Decimal("22.5"),
    }
    assert f"model {NAME} and its prices come from this project: {FILE}" in json.loads(plan.out)["remarks"]


def test_it_is_listed_beside_the_shipped_ones(stage: Stage) -> None:
    listed = stage.shotrunner("models")
    assert listed.code == 0, listed
    assert {line.split()[0] for line in listed.out.splitlines()[1:]} == {*catalog.shipped_models(), NAME}
    page = stage.shotrunner("models", NAME)
    assert page.code == 0, page
    for word in ("first_page", "black, sepia or gold", "280x392 (5:7)", "Gold does not bleed", "0 to 999", FILE):
        assert word in page.out, page


WRONG = (
    FILM
    + """\
  - id: fox
    prompt: A fox, wet
    image: photo.jpg
    params: {ink: gold, wet: true}
  - id: owl
    prompt: An owl
    image: wall.png
    params: {ink: golden, duration: 5}
"""
)


def test_its_limits_are_its_own_and_all_faults_are_told_at_once(stage: Stage) -> None:
    media.picture(stage.folder / "photo.jpg", (140, 100))
    media.picture(stage.folder / "wall.png", (300, 100))
    stage.write("film.yaml", WRONG)
    ended = stage.shotrunner("validate", "film.yaml")
    assert ended.code == 2, ended
    for told in (
        "`photo.jpg` is jpeg; the model takes png",
        "`wall.png` is 300x100 px; the model takes sides of 32 to 256 px",
        "`wet` true needs another `ink` than gold (it is gold)",
        "`ink` is golden; model `tusche-2-sketch` takes black, sepia or gold",
        "`duration` is 5; model `tusche-2-sketch` takes 1 to 4",
    ):
        assert told in ended.out, ended
    assert "5 errors in film.yaml" in ended.out, ended


def test_a_file_that_would_replace_a_shipped_model_is_refused(stage: Stage) -> None:
    shipped = "schemas/models/wan2.7-text-to-video.schema.json"
    cheaper = (catalog.home() / shipped).read_text(encoding="utf-8").replace("5.44", "0.01")
    stage.write(shipped, cheaper)
    ended = stage.shotrunner("run", "film.yaml")
    assert ended.code == 2, ended
    assert f"error[shipped-name]: `{shipped}` would replace the shipped model `wan2.7-text-to-video`" in ended.out, (
        ended
    )
    assert not (stage.folder / "out").exists()


def test_the_shipped_file_itself_may_lie_in_the_project(stage: Stage) -> None:
    shipped = "schemas/models/wan2.7-text-to-video.schema.json"
    stage.write(shipped, (catalog.home() / shipped).read_text(encoding="utf-8"))
    assert stage.shotrunner("validate", "film.yaml").code == 0


def test_a_model_that_contradicts_itself_is_refused_at_its_place(stage: Stage) -> None:
    broken = tusche()
    broken["x-model"]["output"]["px"].pop("A5")
    stage.write(FILE, json.dumps(broken, indent=2))
    ended = stage.shotrunner("validate", "film.yaml")
    assert ended.code == 2, ended
    assert "error[bad-model]: `px` lacks A5, which `quality` takes" in ended.out, ended
    assert f"--> {FILE}:" in ended.out, ended
