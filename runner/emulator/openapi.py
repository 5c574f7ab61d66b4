"""The OpenAPI 3.1 document of one emulator, made of the very model schemas that judge its requests. Pure."""

from collections.abc import Mapping
from typing import Any

import runner
from runner.contract.check import AFTER_SCHEME
from runner.contract.model import Model
from runner.emulator import intake
from runner.emulator.answers import Schema, answers, ref
from runner.emulator.catalogue_operations import PAGE
from runner.emulator.operation import Key, described
from runner.emulator.operations import OPERATIONS
from runner.emulator.switches import Switches


def document(models: Mapping[str, Model], base_url: str, switches: Switches, *, page: bool = True) -> dict[str, Any]:
    """Everything that is served at `base_url`, with or without the page to watch it."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS if page else (one for one in OPERATIONS if one not in PAGE):
        paths.setdefault(operation.path, {})[operation.method.lower()] = described(operation)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "The video API, emulated",
            "version": runner.__version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": {
                **answers(switches),
                "CreateVideo": _create(models),
                **{f"model.{name}": _request(model, switches) for name, model in models.items()},
            },
            "securitySchemes": {
                str(Key.API): {"type": "http", "scheme": "bearer", "description": "The account's API key"},
                str(Key.CONTROL): {"type": "http", "scheme": "bearer", "description": "The token of the start line"},
            },
        },
    }


def _create(models: Mapping[str, Model]) -> Schema:
    named = {name: f"#/components/schemas/model.{name}" for name in models}
    return {
        "type": "object",
        "required": ["model"],
        "oneOf": [ref(f"model.{name}") for name in models],
        "discriminator": {"propertyName": "model", "mapping": named},
    }


def _request(model: Model, switches: Switches) -> Schema:
    """The model's own schema, as far as the switches leave it; what is cut to its length is lawful at any."""
    schema = _exact({key: value for key, value in model.schema.items() if key != "$schema"})
    assert isinstance(schema, dict)
    properties = schema["properties"]
    for word, policy in model.too_long.items():
        most = intake.longest(model, word, switches)
        properties[word]["maxLength"] = most
        if policy == "cut" or switches.long_prompt == "cut":
            del properties[word]["maxLength"]
            said = properties[word].get("description")
            properties[word]["description"] = "; ".join(filter(None, [said, f"cut to {most} characters"]))
    if switches.callbacks == "loopback" and (called := properties.get(intake.CALLBACK)):
        called["pattern"] = called["pattern"].replace("^https:", "^https?:")
    if switches.unknown_fields == "ignore":
        del schema["additionalProperties"]
    return schema


def _exact(schema: Any) -> Any:
    """A copy whose patterns of links say all that their format says, in its place: readers of formats differ."""
    if isinstance(schema, list):
        return [_exact(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    exact = {key: _exact(value) for key, value in schema.items()}
    begins = exact.get("pattern")
    if exact.get("format") == "uri" and isinstance(begins, str) and begins.endswith("://"):
        exact["pattern"] = f"{begins}{AFTER_SCHEME}$"
        del exact["format"]
    return exact
