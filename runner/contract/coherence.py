"""What a metaschema cannot say of a model's schema file: names that must be properties, tables that must be whole."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain, pairwise
from typing import Any

from runner.contract.fault import Fault, Path
from runner.core.media import WORDS, Kind

# One slash, then plain segments: nothing that could change the host, climb, or add a query.
_PATH = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]+)+")
# What matches without ever trying much twice, and alike in both engines: a stranger's file must not choose how long it is
# read. One character, escaped sign or class after another, each perhaps optional.
_PLAIN_PATTERN = re.compile(r"\^?(?:(?:[\w /:@,;=%&!~#<>\"'.-]|\\[^\w\s]|\[\^?[\w /:@,;=%!#.-]+\])\??)*", re.ASCII)
MOST_OPTIONAL = 4
_NUMBERS, _TEXT, _LIST, _MAPPING = ("integer", "number"), ("string",), ("array",), ("object",)
_SPEAKS_OF = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _NUMBERS),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), _TEXT),
    **dict.fromkeys(("items", "minItems", "maxItems", "uniqueItems"), _LIST),
    **dict.fromkeys(("properties", "required", "additionalProperties"), _MAPPING),
}
UNIT = "credit"
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def contradictions(document: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Every contradiction in a file that fits the metaschema, each with its path into the file."""
    properties, said = document["properties"], document["x-model"]
    return tuple(
        Fault(path=path, code="bad-model", headline=headline)
        for path, headline in chain(
            _schema(document, properties),
            _media(said["media"], properties, document["required"]),
            _calls(said.get("calls", {}), said["media"]),
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
    for name, schema in properties.items():
        yield from _dialect(("properties", name), schema)
    for number, rule in enumerate(document.get("allOf", ())):
        yield from _names(("allOf", number, "x-rule"), PLACEHOLDER.findall(rule["x-rule"]), properties)
        yield from _dialect(("allOf", number), rule)
    for number, advice in enumerate(document["x-model"].get("advice", ())):
        yield from _dialect(("x-model", "advice", number, "if"), advice["if"])


def _dialect(path: Path, schema: Mapping[str, Any]) -> Iterator[Finding]:
    """Keywords that say nothing of the schema's type, and patterns that could keep a reader busy for ever."""
    kind = schema.get("type")
    for keyword in schema:
        if kind and kind not in _SPEAKS_OF.get(keyword, (kind,)):
            yield (*path, keyword), f"`{keyword}` says nothing of a value whose type is {kind}"
    if "pattern" in schema and not _is_plain(schema["pattern"]):
        yield (
            (*path, "pattern"),
            (
                "a pattern here is made of characters, escaped signs and classes such as [a-z], "
                f"up to {MOST_OPTIONAL} of them with `?`; nothing else but a first `^`"
            ),
        )
    for key in ("items", "not", "if", "then", "else"):
        if key in schema:
            yield from _dialect((*path, key), schema[key])
    for name, one in schema.get("properties", {}).items():
        yield from _dialect((*path, "properties", name), one)
    for number, one in enumerate(schema.get("anyOf", ())):
        yield from _dialect((*path, "anyOf", number), one)


def _is_plain(pattern: str) -> bool:
    if not _PLAIN_PATTERN.fullmatch(pattern) or pattern.count("?") > MOST_OPTIONAL:
        return False
    try:
        re.compile(pattern)
    except re.error:  # a class that runs backwards
        return False
    return True


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


def _calls(calls: Mapping[str, str], media: Mapping[str, Any]) -> Iterator[Finding]:
    for word in calls:
        if word not in {WORDS[Kind(kind)] for kind in media}:
            yield ("x-model", "calls", word), f"the model takes no `{word}`"


def _output(said: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Finding]:
    path: Path = ("x-model", "output")
    table = "area_px" if "follows" in said["output"] else "px"
    if said["output"].keys() - {"fps", "follows"} != {table}:
        yield path, "the clip's size is either `px`, or `follows` with `area_px`"
        return
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
            if price["unit"] != UNIT:
                yield (
                    (*path, "prices", number, "unit"),
                    f"prices are in {UNIT}s, as budgets are; `per_usd` says what a dollar is",
                )
            if Decimal(price["per_second"]) == 0 and Decimal(price.get("minimum", 0)) == 0:
                yield (
                    (*path, "prices", number, "per_second"),
                    "a price is never nothing; without `prices` it is unknown",
                )
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
