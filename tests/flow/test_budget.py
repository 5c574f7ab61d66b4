"""Admission is all or nothing, under every limit there is, in credits and in dollars."""

import json
from pathlib import Path

import pytest
from stage import KEY, QUICK, Stage

from runner.adapters import catalog

SHOT = """\
  - id: {id}
    model: {model}
    prompt: {id} at dawn
    params: {{quality: 720p, duration: {seconds}}}
"""
FILM = "storyboard: 1\nshots:\n" + "".join(
    SHOT.format(id=name, model="wan2.5-text-to-video", seconds=seconds) for name, seconds in (("sea", 5), ("hill", 10), ("town", 5))
)  # fmt: skip
PAID = ("--pipeline", "clips", "--provider", "evolink", "--base-url", "http://127.0.0.1:9", *QUICK)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.write("film.yaml", FILM)
    return stage


def own_model(stage: Stage, **price: str | None) -> None:
    """A model of the project's own beside the shipped ones; `price` changes its tariff, None takes a field out."""
    document = json.loads((catalog.home() / catalog.MODELS / "wan2.5-text-to-video.schema.json").read_text())
    document["properties"]["model"]["const"] = "our-model"
    tariff = document["x-model"]["providers"]["evolink"]["prices"][0]
    tariff.update(price)
    for name in [name for name, value in tariff.items() if value is None]:
        del tariff[name]
    stage.write("schemas/models/our-model.schema.json", json.dumps(document))
    stage.write("film.yaml", FILM + SHOT.format(id="ours", model="our-model", seconds=5))


def test_dollars_are_turned_into_credits_by_the_price_table(stage: Stage) -> None:
    ended = stage.shotrunner("plan", "film.yaml", *PAID, "--budget", "1.5usd")
    assert ended.code == 0 and "--budget 102 credits (1.50 USD): fits" in ended.out, ended
    ended = stage.shotrunner("plan", "film.yaml", *PAID, "--format", "json", SHOTRUNNER_BUDGET="1USD")
    (cap,) = json.loads(ended.out)["caps"]
    assert (cap["limit"], cap["per_usd"], cap["fits"]) == ("68.00", "68", False)


def test_a_refusal_in_dollars_shows_both_amounts_and_what_would_do(stage: Stage) -> None:
    ended = stage.shotrunner("run", "film.yaml", *PAID, EVOLINK_API_KEY=KEY, SHOTRUNNER_BUDGET="1usd")
    assert ended.code == 2, ended
    assert "3 takes to buy for 102 credits (1.50 USD), but --budget leaves 68 credits (1 USD)" in ended.err
    assert "these would fit: sea.1, town.1" in ended.err
    assert "add --budget 1.50usd" in ended.err


def test_dollars_are_refused_for_a_model_without_a_rate(stage: Stage) -> None:
    own_model(stage, per_usd=None)
    ended = stage.shotrunner("plan", "film.yaml", *PAID, "--budget", "10usd")
    assert ended.code == 2, ended
    assert "--budget 10usd: no price table says how many credits a dollar is for our-model" in ended.err
    assert "--budget N" in ended.err
    only = stage.shotrunner("plan", "film.yaml", *PAID, "--budget", "10usd", "--shots", "sea")
    assert only.code == 0, only


def test_dollars_are_refused_where_rates_differ(stage: Stage) -> None:
    own_model(stage, per_usd="70")
    ended = stage.shotrunner("plan", "film.yaml", *PAID, "--budget", "10usd")
    assert ended.code == 2 and "68 for wan2.5-text-to-video, 70 for our-model" in ended.err, ended


@pytest.mark.parametrize("told", ["ten", "-1", "10 usd", "10eur", "$10", "1e3", "nan", "", "1_000", "١٠"])
def test_what_is_no_budget_is_refused(stage: Stage, told: str) -> None:
    ended = stage.shotrunner("plan", "film.yaml", *PAID, "--budget", told)
    assert ended.code == 2 and "write 1500 for credits, 10usd for dollars" in ended.err, ended


def test_both_limits_hold_and_both_are_named(stage: Stage) -> None:
    stage.write("film.yaml", FILM.replace("storyboard: 1\n", "storyboard: 1\nbudget: 60\n"))
    ended = stage.shotrunner("run", "film.yaml", *PAID, "--budget", "80", EVOLINK_API_KEY=KEY)
    assert ended.code == 2, ended
    assert "3 takes to buy for 102 credits, but budget of the storyboard leaves 60 credits" in ended.err
    assert "note: --budget: 80 credits, committed 0 credits" in ended.err
    assert "note: budget of the storyboard: 60 credits, committed 0 credits" in ended.err
    # What would fit, fits under both.
    assert "these would fit: sea.1, town.1" in ended.err
    ended = stage.shotrunner("run", "film.yaml", *PAID, "--budget", "30", EVOLINK_API_KEY=KEY)
    assert "but --budget leaves 30 credits" in ended.err and "these would fit: sea.1\n" in ended.err, ended


def test_a_run_is_refused_whose_media_are_git_lfs_pointers(stage: Stage) -> None:
    oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
    stage.write("gait.mp4", f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 123456\n")
    walk = "  - {id: walk, model: wan2.6-reference-video-flash, prompt: character1 walks, videos: [gait.mp4]}\n"
    stage.write("film.yaml", f"storyboard: 1\nshots:\n{walk}")
    plan = stage.shotrunner("plan", "film.yaml", *PAID, "--format", "json")
    (take,) = json.loads(plan.out)["takes"]
    assert take["price"] == "23.80", "its length is counted as the most that is paid"
    for words in (("--pipeline", "draft"), (*PAID, "--budget", "100")):
        ended = stage.shotrunner("run", "film.yaml", *words, EVOLINK_API_KEY=KEY)
        assert ended.code == 2, ended
        assert "1 reference to be sent, only Git LFS pointers here: gait.mp4" in ended.err
        assert "git lfs pull" in ended.err
