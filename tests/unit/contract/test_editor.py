"""The editor's schemas follow the models, take what the language takes, and underline what it refuses by its shape."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bodies import MODELS, lawful, models
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from runner.adapters import catalog
from runner.contract import editor, editor_picks
from runner.contract.editor_parts import parameters
from runner.core.diagnostics import Rejected, Source
from runner.language.document import parse
from runner.language.node import plain
from runner.language.picks import load as load_picks

ROOT = Path(__file__).parents[3]
STORYBOARD = editor.storyboard_schema(MODELS)
PIPELINE = editor.pipeline_schema(MODELS)
PICKS = editor_picks.picks_schema()
SCHEMAS = {"storyboard": STORYBOARD, "pipeline": PIPELINE, "picks": PICKS}

# What needs no file, no template and no second look is underlined while it is typed.
BY_ITS_SHAPE = {
    "bad-id", "bad-name", "bad-path.output", "bad-type", "bad-type.clips", "bad-url", "bad-value", "bad-value.fps",
    "bad-value.loudness", "bad-value.size", "bad-value.takes", "bad-value.wipe", "bad-version", "misplaced-key", "misplaced-key.after",
    "misplaced-key.black", "misplaced-key.duck", "misplaced-key.seedless", "misplaced-key.transition",
    "misplaced-template", "misplaced-template.cut",
    "missing-key", "missing-key.entry", "missing-key.transition", "missing-key.voice", "one-of", "one-of.entry",
    "one-of.transition", "own-word", "seed-absent", "seed-range", "text-around-template", "unknown-key", "unknown-key.cut",
    "unknown-model", "unknown-parameter",
}  # fmt: skip


def written(path: Path) -> Any:
    try:
        return plain(parse(Source(path=path.name, name=path.name, text=path.read_text(encoding="utf-8"))))
    except Rejected:
        return None  # no YAML: the editor says so without a schema


def faults(document: Any) -> list[str]:
    schema = PIPELINE if document.keys() & {"provider", "steps"} else STORYBOARD
    return [f"{list(e.absolute_path)}: {e.message}" for e in Draft7Validator(schema).iter_errors(document)]


def documents(case: Path) -> Iterator[Any]:
    for file in [case] if case.is_file() else sorted(case.rglob("*.yaml")):
        found = written(file)
        if isinstance(found, dict) and found.keys() & {"storyboard", "pipeline", "shots"} and "picks" not in found:
            yield found


def shot(**words: Any) -> dict[str, Any]:
    return {"storyboard": 1, "shots": [{"id": "a", "prompt": "x", **words}]}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_files_are_what_the_models_make_of_them(name: str) -> None:
    assert (catalog.home() / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8") == editor.text(
        SCHEMAS[name]
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_they_are_draft_07_without_a_reference_to_elsewhere(name: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[name])
    text = json.dumps(SCHEMAS[name])
    assert text.count('"$ref": "#/definitions/') == text.count('"$ref"')
    assert "x-" not in text and "unevaluated" not in text


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_one_can_complete_is_described(name: str) -> None:
    definitions = SCHEMAS[name]["definitions"]

    def silent(node: Any) -> Iterator[str]:
        if isinstance(node, list):
            for one in node:
                yield from silent(one)
        if not isinstance(node, dict):
            return
        for key, one in node.get("properties", {}).items() if node.get("additionalProperties") is False else ():
            named = definitions[one["$ref"].removeprefix("#/definitions/")] if "$ref" in one else {}
            if "description" not in {**named, **one}:
                yield key
        for one in node.values():
            yield from silent(one)

    assert list(silent(SCHEMAS[name])) == []


DIGEST = "3f" * 32
PICK = f"take: 2, pipeline: preview, clip: {DIGEST}, also: {{draft: {DIGEST}}}, note: x"


@pytest.mark.parametrize("inside", [PICK, "take: 1"])
def test_a_lawful_picks_file_is_not_underlined(inside: str) -> None:
    source = picks_of(inside)
    load_picks(source)
    assert Draft7Validator(PICKS).is_valid(plain(parse(source)))


@pytest.mark.parametrize(
    "inside",
    [
        "take: 0",
        "take: two",
        "note: x",
        *(f"take: 1, {key}" for key in ("clip: abc", "also: [a]", "also: {draft: abc}", "tkae: 1")),
    ],
)
def test_a_picks_file_is_underlined_where_the_language_refuses_it(inside: str) -> None:
    source = picks_of(inside)
    with pytest.raises(Rejected):
        load_picks(source)
    assert not Draft7Validator(PICKS).is_valid(plain(parse(source)))


def picks_of(inside: str) -> Source:
    text = f"picks: 1\nshots:\n  a@b: {{{inside}}}\nrejected:\n  a.1: {{note: no}}\n"
    return Source(path="film.picks.yaml", name="film.picks.yaml", text=text)


@pytest.mark.parametrize("case", sorted((ROOT / "tests/cases/accepted").iterdir()), ids=lambda path: path.name)
def test_what_the_language_accepts_is_not_underlined(case: Path) -> None:
    for document in documents(case) if case.suffix != ".txt" else ():
        assert faults(document) == []


@pytest.mark.parametrize("path", sorted([*ROOT.glob("examples/**/*.yaml"), *ROOT.glob("pipelines/*.yaml")]), ids=str)
def test_examples_and_shipped_pipelines_are_not_underlined(path: Path) -> None:
    found = written(path)
    assert not found.keys() & {"storyboard", "pipeline"} or faults(found) == []


@pytest.mark.parametrize(
    "case",
    [
        c
        for c in sorted((ROOT / "tests/cases/refused").iterdir())
        if c.suffix != ".txt" and c.name.removesuffix(".yaml") in BY_ITS_SHAPE
    ],
    ids=lambda path: path.name,
)
def test_what_is_wrong_by_its_shape_is_underlined(case: Path) -> None:
    assert any(faults(document) for document in documents(case))


@given(st.data())
def test_lawful_parameters_are_not_underlined_wherever_the_model_is_named(data: st.DataObject) -> None:
    model = data.draw(models())
    body = data.draw(lawful(model))
    params = {name: body[name] for name in parameters(model) if name in body}
    assert faults(shot(model=model.name, params=params)) == []
    assert faults(shot(params=params)) == []
    assert faults({**shot(params=params), "defaults": {"model": model.name, "params": params}}) == []


@given(st.data())
def test_a_template_or_null_may_stand_for_any_parameter(data: st.DataObject) -> None:
    model = data.draw(models())
    name = data.draw(st.sampled_from(sorted(parameters(model))))
    assert faults(shot(model=model.name, params={name: None})) == []
    if parameters(model)[name]["type"] != "object":
        assert faults(shot(model=model.name, params={name: "{{ row.x | int }}"})) == []


@pytest.mark.parametrize(
    "words",
    [
        {"model": "wan2.5-text-to-video", "params": {"duration": 7}},
        {"model": "wan2.5-text-to-video", "params": {"seed": 7}},
        {"model": "wan2.6-image-to-video-flash", "params": {"aspect_ratio": "16:9"}},
        {"model": "wan2.6-image-to-video-flash", "params": {"image_urls": ["https://a/b"]}},
        {"model": "wan2.6-image-to-video-flash", "videos": ["gait"]},
        {"model": "wan2.5-text-to-video", "image": "keeper"},
        {"model": "wan2.5-text-to-video", "negative_prompt": "text"},
        {"model": "wan2.5-text-to-video", "seed": 3},
        {"model": "wan2.7-text-to-video", "seed": 0},
        {"model": "wan2.7-text-to-video", "params": {"duration": "{{ a }} s"}},
        {"model": "wan9"},
        {"params": {"durations": 5}},
        {"params": {"duration": 99}},
        {"takes": 0},
        {"transition": {"dissolve": -1}},
        {"trim": {}},
        {"colour": "red"},
    ],
)
def test_what_a_model_lacks_or_refuses_is_underlined(words: dict[str, Any]) -> None:
    assert faults(shot(**words))


def test_a_shot_is_offered_the_parameters_of_its_own_model_and_no_others() -> None:
    # A language server completes from every schema that applies: of those only the model's may list parameters.
    definitions = STORYBOARD["definitions"]
    assert "properties" not in definitions["shot"]["properties"]["params"]
    for model in MODELS.values():
        offered = definitions[f"shot-{model.name}"]["properties"]["params"]["$ref"].removeprefix("#/definitions/")
        assert definitions[offered]["properties"].keys() == parameters(model).keys()
        assert definitions[offered]["additionalProperties"] is False
    assert faults(shot(params={"durations": 5})) and faults(shot(params={"aspect_ratio": "16:9"})) == []


def test_shots_without_a_model_are_held_to_that_of_the_defaults_and_others_are_not() -> None:
    own = {"id": "b", "prompt": "x", "model": "wan2.7-text-to-video", "params": {"duration": 7}}
    film = {"storyboard": 1, "defaults": {"model": "wan2.5-text-to-video"}, "shots": [own]}
    assert faults(film) == []
    film["shots"] = [own, {"id": "a", "prompt": "x", "params": {"duration": 7}}]
    assert len(faults(film)) == 1
    assert "['shots', 1" in faults(film)[0]


def test_a_shot_may_take_away_a_default_that_its_model_lacks() -> None:
    assert (
        faults(shot(model="wan2.5-text-to-video", image=None, negative_prompt=None, audio=None, transition=None)) == []
    )


def test_a_pipeline_overrides_what_the_named_model_has() -> None:
    def film(override: dict[str, Any]) -> dict[str, Any]:
        return {"pipeline": 1, "provider": "animatic", "override": override, "steps": [{"generate": {}}]}

    assert faults(film({"*": {"quality": "480p"}, "wan2.5-text-to-video": {"duration": 10}})) == []
    assert faults(film({"wan2.5-text-to-video": {"duration": 7}}))
    assert faults(film({"wan2.6-image-to-video-flash": {"aspect_ratio": "16:9"}}))
    assert faults(film({"*": {"quality": "{{ q }}"}}))
    assert faults(film({"wan2.4": {}}))


def test_a_fifth_model_is_completed_like_the_others() -> None:
    from dataclasses import replace

    wan27 = MODELS["wan2.7-text-to-video"]
    schema = editor.storyboard_schema({**MODELS, "our-model": replace(wan27, name="our-model")})
    film = shot(model="our-model", params={"duration": 15})
    assert list(Draft7Validator(schema).iter_errors(film)) == []
    assert faults(film)
