"""A project pays its own prices: stated in a file of its own, shown as its own, and no way round a budget."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from stage import KEY, Ended, Stage, paid

from runner.emulator.mishaps import Stall

FILE = "schemas/prices/wan2.7-text-to-video.json"
FILM = """\
storyboard: 1
defaults: {model: wan2.7-text-to-video, params: {duration: 5}}
shots:
  - {id: a, prompt: A lamp}
  - {id: b, prompt: A ship}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.write("film.yaml", FILM)
    return stage


def own(stage: Stage, per_second: str = "2", **more: object) -> None:
    tariff = {"from": "2026-01-01", "unit": "credit", "per_second": per_second, **more}
    stage.write(FILE, json.dumps({"evolink": [tariff]}, indent=2))


def plan(stage: Stage) -> Ended:
    return stage.shotrunner("plan", "film.yaml", "--provider", "evolink", "--pipeline", "clips")


def test_the_plan_goes_by_the_projects_prices_and_names_their_file(stage: Stage) -> None:
    assert "buy: 54.40 credits" in plan(stage).out
    own(stage)
    planned = plan(stage)
    assert "buy: 20 credits" in planned.out
    assert f"prices of wan2.7-text-to-video come from this project: {FILE}" in planned.out


def test_the_models_page_names_the_file(stage: Stage) -> None:
    own(stage, minimum="7")
    page = stage.shotrunner("models", "wan2.7-text-to-video").out
    assert f"evolink since 2026-01-01: 2 credits a second; at least 7 credits; by {FILE} of this project" in page
    (price,) = json.loads(stage.shotrunner("models", "wan2.7-text-to-video", "--format", "json").out)["prices"]
    assert (price["origin"], price["per_second"]) == (FILE, "2")


def test_a_price_that_is_too_low_is_found_out_by_one_purchase(stage: Stage) -> None:
    stage.write("film.yaml", FILM + "".join(f"  - {{id: more-{n}, prompt: A gull {n}}}\n" for n in range(6)))
    own(stage)
    slowly = [Stall(create=number, seconds=0.5) for number in range(1, 9)]
    with paid(stage.folder, *slowly) as service:
        ended = stage.shotrunner("run", "film.yaml", *service.arguments("80"), "-j", "8", EVOLINK_API_KEY=KEY)
        assert ended.code == 1, ended
        charged = [line.charged or 0 for line in service.invoice]
        assert charged and sum(charged) <= 80, ended  # eight at once would have been 217.60
        one = ("--shots", "more-5", *service.arguments("20"))
        again = stage.shotrunner("run", "film.yaml", *one, EVOLINK_API_KEY=KEY)
        assert again.code == 1 and len(service.invoice) == len(charged), (
            again
        )  # what was learned holds in every later run


def test_a_saved_plan_is_bound_to_the_prices(stage: Stage) -> None:
    own(stage)
    with paid(stage.folder) as service:
        words = [word for word in service.arguments() if word not in ("--budget", "500")]
        assert stage.shotrunner("plan", "film.yaml", *words, "-o", "plan.json", EVOLINK_API_KEY=KEY).code == 0
        own(stage, "2.5")
        refused = stage.shotrunner("run", "--plan", "plan.json", "--budget", "500", EVOLINK_API_KEY=KEY)
        assert (refused.code, service.bought()) == (2, 0)
    assert "wan2.7-text-to-video" in refused.err


def test_a_packed_project_brings_its_prices_from_wherever_it_was_packed(stage: Stage) -> None:
    stage.write(".git/HEAD", "ref: refs/heads/main\n")
    own(stage)
    stage.write("films/film.yaml", FILM)
    inside = Stage(stage.folder / "films")
    packed = inside.shotrunner("pack", "film.yaml", "-o", "film.zip")
    assert packed.code == 0, packed.err
    with ZipFile(inside.folder / "film.zip") as archive:
        assert f"project/{FILE}" in archive.namelist()


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ('{\n  "evolink": [{"from": "2026-01-01", "unit": "credit"}]\n}', ":2:3", "needs `per_second`"),
        ('{\n  "evolnik": []\n}', ":2:3", "has no `evolnik`"),
        (
            (
                '{\n  "evolink": [\n    {"from": "2026-01-01", "unit": "credit", "per_second": "1",\n'
                '     "times": [{"qualty": "1080p", "by": "2"}]}\n  ]\n}'
            ),
            ":4:",
            "qualty",
        ),
        ('{"evolink": []}', ":1:", "evolink"),
        (
            '{"evolink": [\n  {"from": "2026-01-01", "unit": "usd", "per_second": "0.08"}]}',
            ":2:34",
            "prices are in credits, as budgets are",
        ),
        (
            '{"evolink": [\n  {"from": "2026-01-01", "unit": "credit", "per_second": "0"}]}',
            ":2:",
            "a price is never nothing",
        ),
        ("{}", ":1:1", "a file of prices"),
        ("[", ":1:", "is no JSON"),
    ],
)
def test_a_fault_in_the_prices_is_shown_where_it_stands(stage: Stage, text: str, place: str, told: str) -> None:
    stage.write(FILE, text)
    ended = stage.shotrunner("validate", "film.yaml")
    assert ended.code == 2
    assert "error[bad-prices]" in ended.out and told in ended.out and f"{FILE}{place}" in ended.out, ended.out


def test_prices_are_named_after_a_model(stage: Stage) -> None:
    stage.write("schemas/prices/wan2.7-text-to-vide.json", "{}")
    ended = stage.shotrunner("validate", "film.yaml")
    assert ended.code == 2
    assert "did you mean `wan2.7-text-to-video.json`?" in ended.out
