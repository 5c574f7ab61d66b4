"""What is refused in a model's schema file: whatever an author may get wrong says so, and where."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bodies import MODELS
from jsonschema import Draft202012Validator

from runner.adapters import catalog
from runner.contract import check
from runner.contract.fault import Path

METASCHEMA = catalog.schema("model")
FILES: dict[str, dict[str, Any]] = {
    model.name: json.loads((catalog.home() / model.origin).read_text()) for model in MODELS.values()
}
I2V, REFERENCE = FILES["wan2.6-image-to-video-flash"], FILES["wan2.6-reference-video-flash"]
WAN25, WAN27 = FILES["wan2.5-text-to-video"], FILES["wan2.7-text-to-video"]


def faults(document: object) -> list[tuple[Path, str]]:
    return [(fault.path, fault.headline) for fault in check.model_file(document, METASCHEMA)]


def test_the_metaschema_is_lawful_by_the_standard() -> None:
    Draft202012Validator.check_schema(METASCHEMA)


@pytest.mark.parametrize("name", FILES)
def test_every_shipped_model_keeps_the_metaschema_and_itself(name: str) -> None:
    assert faults(FILES[name]) == []


# Of these the keys are names that the author chooses.
_NAMES = {"properties", "without", "too_long", "px", "area_px", "providers", "times", "cap_s", "media"}


def _keywords(node: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(node, dict):
        for key, value in node.items():
            if not path or (path[-1] not in _NAMES and (len(path) < 2 or path[-2] not in ("px", "times"))):
                yield (*path, key)
            yield from _keywords(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _keywords(value, (*path, number))


@pytest.mark.parametrize("name", FILES)
def test_no_misspelt_keyword_is_overlooked(name: str) -> None:
    paths = list(_keywords(FILES[name]))
    assert len(paths) > 70
    for path in paths:
        document = copy.deepcopy(FILES[name])
        around = document
        for step in path[:-1]:
            around = around[step]
        around[f"{path[-1]}x"] = around.pop(path[-1])
        found = check.model_file(document, METASCHEMA)
        assert found, path
        assert any(fault.path[: len(path) - 1] == path[:-1] for fault in found), (path, found)


@pytest.mark.parametrize("target", ["https://example.org/a.json", "other.json#/duration", "#/properties/model"])
def test_no_part_of_a_model_stands_elsewhere(target: str) -> None:
    document = copy.deepcopy(WAN25)
    document["properties"]["duration"] = {"$ref": target}
    assert any(path[:2] == ("properties", "duration") for path, _ in faults(document))


def _put(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


def _drop(*path: str | int) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return change


_X = "x-model"
_PRICE = (_X, "providers", "evolink", "prices", 0)
BROKEN: list[tuple[dict[str, Any], Callable[[Any], None], Path, str]] = [
    (WAN25, _put("required", value=["model", "prompt", "size"]), ("required",), "`size` is not a property"),
    (WAN25, _put("required", value=["model"]), ("required",), "`prompt` is not among the required properties"),
    (
        WAN25,
        _put("properties", "duration", "default", value=7),
        ("properties", "duration", "default"),
        "`duration` does not take 7: it takes 5 or 10",
    ),
    (
        WAN25,
        _put("properties", "duration", "$ref", value="http://evil.example/x.json"),
        ("properties", "duration", "$ref"),
        "`properties.duration` of a model's file has no `$ref`",
    ),
    (
        WAN25,
        _put("properties", "prompt", "minimum", value=3),
        ("properties", "prompt", "minimum"),
        "`minimum` says nothing of a value whose type is string",
    ),
    (
        WAN25,
        _put("allOf", 0, "x-rule", value="{ratio} is narrow"),
        ("allOf", 0, "x-rule"),
        "`ratio` is not a property",
    ),
    (WAN25, _drop("allOf", 0, "x-rule"), ("allOf", 0, "x-rule"), "a model's file needs `x-rule` in `allOf[0]`"),
    (
        I2V,
        _put(_X, "media", "image", "property", value="images"),
        (_X, "media", "image", "property"),
        "`images` is not a property",
    ),
    (
        I2V,
        _put(_X, "media", "image", "property", value="duration"),
        (_X, "media", "image", "property"),
        "`duration` is neither text nor a list",
    ),
    (
        I2V,
        _put(_X, "media", "image", "count", value=[0, 1]),
        (_X, "media", "image", "count"),
        "`count` is [0, 1]; the property `image_urls` takes [1, 1]",
    ),
    (
        I2V,
        _put(_X, "media", "audio", "count", value=[1, 1]),
        (_X, "media", "audio", "count"),
        "`count` is [1, 1]; the property `audio_url` takes [0, 1]",
    ),
    (
        I2V,
        _put(_X, "media", "audio", "seconds", value=[30, 3]),
        (_X, "media", "audio", "seconds"),
        "`seconds` ends before it begins",
    ),
    (
        I2V,
        _put(_X, "media", "image", "formats", value=["jpg"]),
        (_X, "media", "image", "formats", 0),
        "`x-model.media.image.formats[0]` is jpg; a model's file takes jpeg, png, bmp, webp or gif",
    ),
    (
        I2V,
        _put(_X, "output", "follows", value="video"),
        (_X, "output", "follows"),
        "the model takes no video to follow",
    ),
    (
        I2V,
        _drop(_X, "output", "follows"),
        (_X, "output"),
        "the clip's size is either `px`, or `follows` with `area_px`",
    ),
    (
        I2V,
        _drop(_X, "output", "area_px", "1080p"),
        (_X, "output", "area_px"),
        "`area_px` lacks 1080p, which `quality` takes",
    ),
    (
        WAN27,
        _drop(_X, "output", "px", "720p", "4:3"),
        (_X, "output", "px", "720p"),
        "`px` lacks 4:3 at 720p, which the model takes",
    ),
    (
        WAN25,
        _put(_X, "output", "px", "480p", "4:3", value=[640, 480]),
        (_X, "output", "px", "480p"),
        "`px` lists 4:3 at 480p, which the model does not take",
    ),
    (
        WAN27,
        _drop("properties", "quality", "default"),
        (_X, "output", "px"),
        "`px` needs a property `quality` with an enum and a default",
    ),
    (
        WAN25,
        _put(_X, "seed", value="honoured"),
        (_X, "seed"),
        "a seed that is honoured needs a property `seed` with minimum and maximum",
    ),
    (WAN27, _put(_X, "seed", value="absent"), (_X, "seed"), "the seed is called absent, but `seed` is a property"),
    (
        WAN27,
        _put(_X, "sound", value="generate_audio"),
        (_X, "sound"),
        "`generate_audio`, said to switch the sound, is no property that is true or false",
    ),
    (
        WAN27,
        _put(_X, "too_long", "quality", value="cut"),
        (_X, "too_long", "quality"),
        "`quality` is no property with a maxLength",
    ),
    (
        WAN27,
        _put(_X, "without", "seed", value="none"),
        (_X, "without", "seed"),
        "`seed` is said to be missing, but is a property",
    ),
    (WAN25, _put(_X, "advice", 0, "at", value="size"), (_X, "advice", 0, "at"), "`size` is not a property"),
    (WAN25, _put(*_PRICE, "from", value="2026-02-30"), (*_PRICE, "from"), "2026-02-30 is no day of the calendar"),
    (
        WAN25,
        _put(*_PRICE, "per_second", value=5.1),
        (*_PRICE, "per_second"),
        (
            "`x-model.providers.evolink.prices[0].per_second` is 5.1; "
            'a model\'s file takes an amount as text, such as "5.44"'
        ),
    ),
    (
        WAN25,
        _put(*_PRICE, "times", value=[{"quality": "2k", "by": "3"}]),
        (*_PRICE, "times", 0, "quality"),
        '`quality` does not take "2k": it takes 480p, 720p or 1080p',
    ),
    (
        WAN25,
        _put(*_PRICE, "times", value=[{"size": "2k", "by": "3"}]),
        (*_PRICE, "times", 0),
        "`size` is not a property",
    ),
    (
        REFERENCE,
        _drop(*_PRICE, "input_seconds", "cap_s", "3"),
        (*_PRICE, "input_seconds", "cap_s"),
        "`cap_s` lacks 3 of the 3 taken",
    ),
    (
        REFERENCE,
        _put(*_PRICE, "input_seconds", "media", value="audio"),
        (*_PRICE, "input_seconds", "media"),
        "the model takes no audio",
    ),
]


@pytest.mark.parametrize(("document", "change", "path", "headline"), BROKEN)
def test_a_contradiction_is_told_at_its_place(
    document: dict[str, Any], change: Callable[[Any], None], path: Path, headline: str
) -> None:
    broken = copy.deepcopy(document)
    change(broken)
    assert (path, headline) in faults(broken)


@pytest.mark.parametrize(
    "pattern",
    ["^(a+)+$", "a*", "a+", "a{2}", "a?b?c?d?e?", "[a", "[z-a]", "(?i)a", "a|b", "[[a]]", "a$", "\\d", "\\1", "é"],
)
def test_no_pattern_may_take_long_or_mean_two_things(pattern: str) -> None:
    broken = copy.deepcopy(WAN25)
    broken["properties"]["prompt"]["pattern"] = pattern
    ((path, headline),) = faults(broken)
    assert path == ("properties", "prompt", "pattern") and headline.startswith("a pattern here is made of")


@pytest.mark.parametrize("pattern", ["^https?://", "^[Hh][Tt][Tt][Pp][Ss]?://", "^[A-Za-z_-]", "\\.mp4", "a.b"])
def test_plain_patterns_are_taken(pattern: str) -> None:
    kept = copy.deepcopy(WAN25)
    kept["properties"]["prompt"]["pattern"] = pattern
    assert faults(kept) == []


def test_prices_stand_in_the_order_of_their_days() -> None:
    broken = copy.deepcopy(WAN25)
    prices = broken[_X]["providers"]["evolink"]["prices"]
    prices.append(dict(prices[0]))
    assert faults(broken) == [(_PRICE[:-1], "prices stand in the order of their days, one a day")]
    prices[1]["from"] = "2027-01-01"
    assert faults(broken) == []


@pytest.mark.parametrize(
    "path",
    ["", "v1", "//evil.example", "/@evil", "/v1//x", "/v1/../x", "/..", "/./x", "/a/..", "/v1\\x", "/v1?x", "/v1#x", "/%2e%2e/x",
     "/v1/x\n", "/v1/", "/", "https://evil.example/v1", "/v1 x", "/v1:80"],
)  # fmt: skip
def test_no_path_of_a_model_leads_away_from_its_provider(path: str) -> None:
    broken = copy.deepcopy(WAN25)
    broken[_X]["providers"]["evolink"]["path"] = path
    assert [fault.path for fault in check.model_file(broken, METASCHEMA)] == [(_X, "providers", "evolink", "path")]


@pytest.mark.parametrize(
    "document", [None, [], 5, "x", {}, {"$schema": 3, "x-model": []}, {"properties": {"model": 1}}]
)
def test_anything_that_is_json_is_judged(document: object) -> None:
    assert faults(document)


def test_a_model_with_an_alternative_says_both() -> None:
    document = copy.deepcopy(WAN27)
    document["properties"]["duration"] = {
        "description": "Seconds; -1 lets the model choose",
        "type": "integer",
        "anyOf": [{"minimum": 2, "maximum": 30}, {"const": -1}],
        "default": 5,
    }
    assert faults(document) == []
    from runner.contract.model import load

    (fault,) = check.faults(load(document, "f"), {"model": "wan2.7-text-to-video", "prompt": "x", "duration": 40})
    assert fault.headline == "`duration` is 40; model `wan2.7-text-to-video` takes 2 to 30 or -1"


def test_a_rule_against_two_properties_together_points_to_one_and_names_the_other() -> None:
    document = copy.deepcopy(WAN27)
    document["allOf"] = [
        {
            "description": "No sound file with a negative prompt",
            "x-rule": "`audio_urls` and `negative_prompt` do not go together",
            "not": {"required": ["audio_urls", "negative_prompt"]},
        }
    ]
    assert faults(document) == []
    from runner.contract.model import load

    body = {"model": "wan2.7-text-to-video", "prompt": "x", "negative_prompt": "y", "audio_urls": ["https://a/b"]}
    (fault,) = check.faults(load(document, "f"), body)
    assert (fault.path, fault.others) == (("audio_urls",), (("negative_prompt",),))
