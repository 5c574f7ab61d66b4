"""Examples and shipped pipelines are lawful together, and what the examples would buy has the keys it always had.

`tests/golden/keys.json` holds, for each take of each example under pipeline `clips` at `evolink`, the inputs of its key,
the key, and the price in credits on one day. Nothing writes that file but a hand: a key is a promise, since a take under
another key is bought again by everyone who has it. A failing comparison says how to read it.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.adapters import catalog
from runner.adapters.media import facts_to_json
from runner.commands import loading
from runner.commands.loading import Loaded
from runner.commands.options import Options
from runner.contract import price
from runner.core.media import Kind
from runner.core.request import Request, request_key
from runner.language.chain import links_of
from runner.screen.diagnostics import Format, formatted

HOME = Path(__file__).parents[2]
STORYBOARDS = sorted(
    path.relative_to(HOME).as_posix()
    for path in HOME.glob("examples/*/*.yaml")
    if "\nstoryboard: 1\n" in path.read_text(encoding="utf-8")
)
PIPELINES = sorted(path.stem for path in HOME.glob("pipelines/*.yaml"))
GOLDEN: Mapping[str, Any] = json.loads((HOME / "tests/golden/keys.json").read_text(encoding="utf-8"))
DAY = date.fromisoformat(GOLDEN["prices_on"])

READ = """\
The first differing line says which it is:
- `body` or `take` differs because the example itself was edited, or a medium was drawn anew: replace the take's entry in
  tests/golden/keys.json by the one below; nothing that anyone has is lost.
- `body` differs although no example was edited: the program sends something else than before. Either undo that, or give
  the new property an `x-key-default` at which the keys are what they were.
- `service`, `model` or `key` alone differs: the meaning of keys changed, and with it every user's every clip would be bought
  again. That needs a new key version with a function from the old inputs, never an edit of this file.
- `credits` alone differs: a tariff of that day was changed. A new price is a new tariff with its own first day.
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The examples alone, as a project of their own."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(HOME / "examples", folder / "examples", ignore=shutil.ignore_patterns("out", ".shotrunner"))
    (folder / ".git").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("SHOTRUNNER_BASE_URL", raising=False)
        yield folder


@pytest.fixture(scope="module")
def probed() -> dict[str, Mapping[str, object]]:
    """Facts of media that one test of this module has probed for all."""
    return {}


def loaded(
    checkout: Path, probed: dict[str, Mapping[str, object]], path: str, pipeline: str, provider: str | None
) -> Loaded:
    options = Options(pipeline=pipeline, provider=provider)
    place, within = loading.project(checkout / path, options)
    found = loading.load(place, within, options, lambda sha256, _: probed.get(sha256))
    probed.update({sha256: facts_to_json(facts) for sha256, facts in found.found.items()})
    return found


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("path", STORYBOARDS)
def test_every_example_is_lawful_under_every_pipeline(
    path: str, pipeline: str, checkout: Path, probed: dict[str, Mapping[str, object]]
) -> None:
    found = loaded(checkout, probed, path, pipeline, None)
    assert found.diagnostics == (), formatted(found.diagnostics, Format.TEXT)
    assert found.requests.keys() == {b.take.id for b in found.built} != set()


def test_the_film_shows_all_models_all_media_and_what_is_cut(
    checkout: Path, probed: dict[str, Mapping[str, object]]
) -> None:
    found = loaded(checkout, probed, "examples/lighthouse/film.yaml", "draft", None)
    requests = found.requests.values()
    assert {r.model for r in requests} == found.models.keys()
    assert {p.kind for r in requests for p in r.media} == set(Kind)
    assert [b.take.id for b in found.built if b.take.number == 1] == [
        "arrival@dawn.1", "arrival@dusk.1", "walk.1", "halt.1", "lamp.1", "portrait.1", "night.1", "morning.1", "home.1",
    ]  # fmt: skip
    assert {"arrival@dawn.2", "arrival@dusk.2"} <= found.requests.keys()
    assert any(b.take.trim for b in found.built)


def test_the_film_goes_on_where_a_shot_ended_and_knows_its_keeper_under_every_model(
    checkout: Path, probed: dict[str, Mapping[str, object]]
) -> None:
    found = loaded(checkout, probed, "examples/lighthouse/film.yaml", "draft", None)
    takes = {b.take.id: b.take for b in found.built}
    links = {name: [(link.variant, link.frame) for link in links_of(take)] for name, take in takes.items()}
    assert {name: led for name, led in links.items() if led} == {
        "halt.1": [("walk", "last")],
        "home.1": [("walk", None)],
    }
    asked = {name: request.body for name, request in found.requests.items()}
    words = "an old keeper in a yellow raincoat"
    assert words in str(asked["arrival@dawn.1"]["prompt"]) and words in str(asked["portrait.1"]["prompt"])
    assert str(asked["walk.1"]["prompt"]).startswith("character1 walks")
    media = {name: [Path(part.path or "").name for part in found.requests[name].media] for name in asked}
    assert (media["portrait.1"][0], media["walk.1"]) == ("keeper.png", ["gait.mp4"])
    assert len({asked[name]["model"] for name in ("arrival@dawn.1", "walk.1", "portrait.1")}) == 3


def test_the_film_is_cut_of_what_was_picked_dissolves_and_lies_over_music(
    checkout: Path, probed: dict[str, Mapping[str, object]]
) -> None:
    found = loaded(checkout, probed, "examples/lighthouse/film.yaml", "draft", None)
    (film,) = found.films
    assert [take.id for take in film.edit.takes] == [
        "arrival@dawn.2", "arrival@dusk.1", "walk.1", "halt.1", "lamp.1", "portrait.1", "night.1", "morning.1", "home.1",
    ]  # fmt: skip
    assert {"arrival@dawn", "arrival@dusk"} == found.picks.takes().keys()  # or `final` would ask which
    joins = [slot.transition.seconds for slot in film.edit.slots if slot.transition]
    assert 0 in joins and sum(seconds > 0 for seconds in joins) > 3
    assert film.output == "film.mp4" and film.edit.cut and film.edit.cut.sound and film.edit.cut.sound.music
    steps = [type(step).__name__ for step in found.pipeline.steps]
    assert steps == ["Generate", "Assemble", "Timeline", "Report"]


def test_every_example_stands_in_the_golden_file() -> None:
    assert sorted(GOLDEN["storyboards"]) == STORYBOARDS


@pytest.mark.parametrize("path", STORYBOARDS)
def test_what_an_example_buys_and_pays_is_what_it_always_was(
    path: str, checkout: Path, probed: dict[str, Mapping[str, object]]
) -> None:
    requests = loaded(checkout, probed, path, "clips", "evolink").requests
    found = {name: entry(request) for name, request in requests.items()}
    expected = GOLDEN["storyboards"][path]
    names = dict.fromkeys((*expected, *found))
    differing = [name for name in names if found.get(name) != expected.get(name)]
    if differing:
        lines = [line for name in differing for line in differences(name, expected.get(name), found.get(name))]
        now = json.dumps({name: found[name] for name in differing if name in found}, indent=2, ensure_ascii=False)
        report = "\n".join(lines)
        pytest.fail(f"{path}\n{report}\n\n{READ}\nThe entries as they are now:\n{now}", pytrace=False)


def test_golden_keys_follow_from_the_golden_inputs() -> None:
    """The function itself, apart from what the examples say today."""
    for takes in GOLDEN["storyboards"].values():
        for name, kept in takes.items():
            assert request_key(kept["inputs"]) == kept["key"], name


def entry(request: Request) -> dict[str, Any]:
    return {"key": request.key, "credits": price_of(request), "inputs": json.loads(json.dumps(request.inputs))}


def price_of(request: Request) -> str:
    """The price by the tariffs of one day; later tariffs do not change it."""
    models = catalog.shipped_models()
    seconds = [part.facts.seconds if part.facts else None for part in request.media if part.kind is Kind.VIDEO]
    found = price.estimate(models[request.model], "evolink", request.body, seconds, DAY)
    assert found is not None and found.unit == "credit"
    assert request.reserve is not None and request.reserve > 0
    return str(found.amount.quantize(Decimal("0.01")))


def differences(name: str, expected: Mapping[str, Any] | None, found: Mapping[str, Any] | None) -> Iterator[str]:
    if expected is None or found is None:
        yield f"{name}: {'is not in the golden file' if expected is None else 'is gone'}"
        return
    sides = [{"key": e["key"], "credits": e["credits"], **flat(e["inputs"])} for e in (expected, found)]
    # What is bought first, then what follows from it.
    for part in sorted(sides[0].keys() | sides[1].keys(), key=lambda p: (p == "key", p == "credits", p)):
        old, new = (side.get(part, "(absent)") for side in sides)
        if old != new:
            yield f"{name}: {part}: {old!r} -> {new!r}"


def flat(value: object, path: str = "") -> dict[str, object]:
    """Every leaf by its path: `body.audio_urls.0`."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if parts is None:
        return {path: value}
    return {k: v for name, part in parts for k, v in flat(part, f"{path}.{name}" if path else str(name)).items()}
