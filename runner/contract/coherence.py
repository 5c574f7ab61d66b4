"""What a metaschema cannot say of a model's schema file: names that must be properties, tables that must be whole."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, pairwise
from typing import Any

from runner.contract.fault import Fault, Path

# One slash, then plain segments: nothing that could change the host, climb, or add a query.
_PATH = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]+)+")
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def contradictions(document: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Every contradiction in a file that fits the metaschema, each with its path into the file."""
    properties, said = document["properties"], document["x-model"]
    return tuple(
        Fault(path=path, code="bad-model", headline=headline)
        for path, headline in chain(
            _schema(document, properties),
            _media(said["media"], properties, document["required"]),
            _output(said, properties),
            _remarks(said, properties),
            _offers(said, properties),
        )
    )


Finding = tuple[Path, str]


def _schema(document: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _names(("required",), document["required"], properties)
    for name in ("model", "prompt"):
        if name not in document["required"]:
            yield ("required",), f"`{name}` is not among the required properties"
    for number, rule in enumerate(document.get("allOf", ())):
        yield from _names(("allOf", number, "x-rule"), PLACEHOLDER.findall(rule["x-rule"]), properties)


def _media(media: Mapping[str, Any], properties: Mapping[str, Any], required: Sequence[str]) -> Iterator[Finding]:
    for kind, rule in media.items():
        path, name = ("x-model", "media", kind), rule["property"]
        if name not in properties:
            yield (*path, "property"), f"`{name}` is not a property"
            continue
        held = properties[name]
        match held.get("type"):
            case "array":
                count = [held.get("minItems", 1) if name in required else 0, held.get("maxItems")]
            case "string":
                count = [int(name in required), 1]
            case _:
                yield (*path, "property"), f"`{name}` is neither text nor a list"
                continue
        if rule["count"] != count:
            yield (*path, "count"), f"`count` is {rule['count']}; the property `{name}` takes {count}"
        for limit in ("side_px", "seconds"):
            if limit in rule and rule[limit][0] > rule[limit][1]:
                yield (*path, limit), f"`{limit}` ends before it begins"


def _output(said: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Finding]:
    path: Path = ("x-model", "output")
    table = "area_px" if "follows" in said["output"] else "px"
    if table == "area_px" and said["output"]["follows"] not in said["media"]:
        yield (*path, "follows"), f"the model takes no {said['output']['follows']} to follow"
    for name in ("quality",) if table == "area_px" else ("quality", "aspect_ratio"):
        if "enum" not in properties.get(name, {}) or "default" not in properties[name]:
            yield (*path, table), f"`{table}` needs a property `{name}` with an enum and a default"
    for tier in properties.get("quality", {}).get("enum", ()):
        if tier not in said["output"][table]:
            yield (*path, table), f"`{table}` lacks {tier}, which `quality` takes"


def _remarks(said: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Finding]:
    seed = properties.get("seed", {})
    match said["seed"]:
        case "absent" if "seed" in properties:
            yield ("x-model", "seed"), "the seed is called absent, but `seed` is a property"
        case "absent":
            pass
        case contract if not {"minimum", "maximum"} <= seed.keys():
            yield ("x-model", "seed"), f"a seed that is {contract} needs a property `seed` with minimum and maximum"
    sound = said["sound"]
    if isinstance(sound, str) and properties.get(sound, {}).get("type") != "boolean":
        yield ("x-model", "sound"), f"`{sound}`, said to switch the sound, is no property that is true or false"
    for name in said.get("too_long", ()):
        if "maxLength" not in properties.get(name, {}):
            yield ("x-model", "too_long", name), f"`{name}` is no property with a maxLength"
    for name in said.get("without", ()):
        if name in properties:
            yield ("x-model", "without", name), f"`{name}` is said to be missing, but is a property"
    for number, advice in enumerate(said.get("advice", ())):
        yield from _names(("x-model", "advice", number, "at"), [advice["at"]], properties)


def _offers(said: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Finding]:
    for provider, offer in said["providers"].items():
        path: Path = ("x-model", "providers", provider)
        if not _PATH.fullmatch(offer["path"]):
            yield (
                (*path, "path"),
                "`path` starts with one `/` and holds plain segments only: no `//`, `.`, `..`, `@`, `\\`, `?`, `#` or `%`",
            )
        for number, price in enumerate(offer["prices"]):
            yield from _price((*path, "prices", number), price, said["media"], properties)
        days = [price["from"] for price in offer["prices"]]
        if any(earlier >= later for earlier, later in pairwise(days)):
            yield (*path, "prices"), "prices stand in the order of their days, one a day"


def _price(path: Path, price: Any, media: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        date.fromisoformat(price["from"])
    except ValueError:
        yield (*path, "from"), f"{price['from']} is no day of the calendar"
    if "duration" not in properties:
        yield (*path, "per_second"), "a price a second needs a property `duration`"
    for number, times in enumerate(price.get("times", ())):
        yield from _names((*path, "times", number), (name for name in times if name != "by"), properties)
    if (seconds := price.get("input_seconds")) is None:
        return
    if (rule := media.get(seconds["media"])) is None:
        yield (*path, "input_seconds", "media"), f"the model takes no {seconds['media']}"
    elif missing := [str(n) for n in range(1, rule["count"][1] + 1) if str(n) not in seconds["cap_s"]]:
        yield (*path, "input_seconds", "cap_s"), f"`cap_s` lacks {', '.join(missing)} of the {rule['count'][1]} taken"


def _names(path: Path, names: Any, properties: Mapping[str, Any]) -> Iterator[Finding]:
    for name in names:
        if name not in properties:
            yield path, f"`{name}` is not a property"
