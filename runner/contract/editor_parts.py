"""The parts of editor schemas that come from the models: parameters with their templates, and small pieces."""

from collections.abc import Iterable, Mapping
from typing import Any

from runner.contract.model import Model
from runner.contract.phrases import takes

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
ID = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
# A path, a name or a template; or a URL, and then of http.
PLACE: Schema = {
    "type": "string",
    "minLength": 1,
    "pattern": "^([Hh][Tt][Tt][Pp][Ss]?://|(?![A-Za-z][A-Za-z0-9+.-]*://))",
}

_KEPT = (
    "type", "const", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "pattern", "format", "minItems", "maxItems", "uniqueItems", "required", "additionalProperties", "default",
)  # fmt: skip
_OWN_WORDS = ("model", "prompt", "negative_prompt", "seed")


def models_by_name(models: Mapping[str, Model]) -> Schema:
    return {
        "description": "The generator",
        "oneOf": [
            {"const": model.name, "description": f"{model.title}: {model.description}"} for model in models.values()
        ],
    }


def parameters(model: Model) -> dict[str, Schema]:
    """The properties of the model that stand in `params`: all but those with a word of their own."""
    return {
        name: schema
        for name, schema in model.properties.items()
        if name not in _OWN_WORDS and name not in model.by_property
    }


def params(model: Model) -> Schema:
    shown = {
        name: or_more(templated(_converted(schema)), {"type": "null"}) for name, schema in parameters(model).items()
    }
    return mapping(f"Parameters of {model.name}; null takes a default away", shown)


def overrides(model: Model) -> Schema:
    return mapping(
        f"For shots of {model.name}", {name: _converted(schema) for name, schema in parameters(model).items()}
    )


def any_params(
    models: Iterable[Model], *, templates: bool, description: str = "Parameters of the model, by its own names"
) -> Schema:
    """For a shot whose model is not known here: every parameter any of the models has, each with all it may be."""
    found: dict[str, Schema] = {}
    for model in models:
        for name, schema in parameters(model).items():
            one = _converted(schema)
            one = or_more(templated(one), {"type": "null"}) if templates else or_more(one)
            known = found.setdefault(name, {"description": schema["description"], "anyOf": []})["anyOf"]
            known.extend(variant for variant in one["anyOf"] if variant not in known)
    return mapping(description, found)


def _converted(schema: Mapping[str, Any]) -> Schema:
    """A property of a 2020-12 body schema as draft-07 has it; the dialect of models uses nothing that differs."""
    found = {key: schema[key] for key in _KEPT if key in schema}
    if "description" in schema:
        found["description"] = (
            f"{schema['description']} ({takes(schema)})" if schema.get("type") != "object" else schema["description"]
        )
    for key in ("items", "not"):
        if key in schema:
            found[key] = _converted(schema[key])
    if "anyOf" in schema:
        found["anyOf"] = [_converted(one) for one in schema["anyOf"]]
    if "properties" in schema:
        found["properties"] = {name: _converted(one) for name, one in schema["properties"].items()}
    return found


def templated(schema: Schema) -> Schema:
    """The schema, or a template in its place; within a mapping, in place of each value."""
    if schema.get("type") == "object":
        return {**schema, "properties": {name: templated(one) for name, one in schema.get("properties", {}).items()}}
    free = schema.get("type") == "string" and not {"enum", "const", "pattern", "format", "minLength"} & schema.keys()
    return schema if free else or_template(schema)


def or_template(schema: Schema) -> Schema:
    return or_more(schema, ref("template"))


def or_more(schema: Schema, *more: Schema) -> Schema:
    """The schema and further alternatives; what describes it stays outside."""
    outer: Schema = {key: schema[key] for key in ("description", "default") if key in schema}
    inner: Schema = {key: value for key, value in schema.items() if key not in outer}
    return {**outer, "anyOf": [*(inner["anyOf"] if inner.keys() == {"anyOf"} else [inner]), *more]}


def mapping(description: str, properties: dict[str, Schema], required: list[str] | None = None) -> Schema:
    found: Schema = {"description": description} if description else {}
    found |= {"type": "object", "additionalProperties": False, "properties": properties}
    return found | ({"required": required} if required else {})


def ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def transition(description: str, *, templates: bool) -> Schema:
    """How one shot comes to the next."""
    seconds: Schema = ref("seconds") if templates else {"type": "number", "minimum": 0}
    side: Schema = {"enum": ["left", "right", "top", "bottom"]}
    found = mapping(
        description,
        {
            "dissolve": {**seconds, "description": "Seconds in which both are seen together; 0 is a plain cut"},
            "fade": {**seconds, "description": "Seconds through black, half of them out and half in"},
            "wipe": {**seconds, "description": "Seconds in which the new picture uncovers itself over the old"},
            "from": {**(templated(side) if templates else side), "description": "Where a wipe comes from"},
        },
    )
    found["oneOf"] = [{"required": [join]} for join in ("dissolve", "fade", "wipe")]
    found["dependencies"] = {"from": ["wipe"]}
    return found
