"""Values and what a schema takes, in words for people."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST_SHOWN = 60  # characters of a value quoted in a sentence
BEYOND = "beyond showing"  # in place of such a value

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


def takes(schema: Mapping[str, Any]) -> str:
    """`5 or 10`, `2 to 15`, `true or false`, `text of up to 1500 characters`, `a list of 1 to 3 URLs`."""
    if "x-takes" in schema:
        return str(schema["x-takes"])
    if "const" in schema:
        return bare(schema["const"])
    if "enum" in schema:
        return either(bare(value) for value in schema["enum"])
    if "anyOf" in schema:
        return either(takes({"type": schema.get("type"), **one}) for one in schema["anyOf"])
    match schema.get("type"):
        case "integer" | "number" as kind:
            return _range(schema, _KINDS[kind])
        case "string" if schema.get("format") == "uri":
            return "a URL"
        case "string" if "maxLength" in schema:
            return f"text of up to {schema['maxLength']} characters"
        case "array":
            return _list(schema)
        case str() as kind:
            return _KINDS[kind]
        case list() as kinds:
            return either(_KINDS[kind] for kind in kinds)
        case _:
            return "another value"


def _range(schema: Mapping[str, Any], kind: str) -> str:
    bounds = {word: schema[key] for key, word in _BOUNDS.items() if key in schema}
    if bounds.keys() == {"from", "up to"}:
        span = f"{bounds['from']} to {bounds['up to']}"
        return span if schema["type"] == "integer" else f"{kind} from {span}"
    return " ".join([kind, *(f"{word} {bound}" for word, bound in bounds.items())])


_BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}


def _list(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    # "an http or https URL" is counted without its article.
    one = takes(schema.get("items", {})).removeprefix("an ").removeprefix("a ")
    what = one if one.endswith("URL") else "value"
    if low == high:
        return f"a list of {counted(low, what)}"
    if high is None:
        return f"a list of {low} or more {what}s" if low else f"a list of {what}s"
    return f"a list of {low} to {high} {what}s"


def either(words: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def quoted(value: Any) -> str:
    """The value as JSON, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):  # more digits than Python writes, or deeper than it nests
        return BEYOND
    # A lone surrogate, lawful in a JSON string, could not be printed.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 4]} ..."


def bare(value: Any) -> str:
    """Like `quoted`, a plain word without its quotes."""
    text = quoted(value)
    word = isinstance(value, str) and value != "" and all(c.isalnum() or c in ":._-/" for c in value)
    return text.strip('"') if word else text
