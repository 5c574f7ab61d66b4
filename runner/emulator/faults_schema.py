"""The schema of faults files for editors, made of the table that reads them. Pure."""

from typing import Any

from runner.contract.editor_parts import DRAFT, Schema
from runner.emulator.faults import FAULTS, At, Fault, Parameter, Type
from runner.emulator.faults_file import MOST

_COUNTED = {
    "nth": "The so many-th alone that fits",
    "first": "The first so many that fit",
    "every": "Each so many-th that fits",
}


def schema() -> Schema:
    names = {"oneOf": [{"const": name, "description": fault.says} for name, fault in FAULTS.items()]}
    return {
        "$schema": DRAFT,
        "title": "Shotrunner faults",
        "description": "What goes wrong at `shotrunner emulate --faults FILE`, and for whom",
        "type": "object",
        "additionalProperties": False,
        "required": ["faults"],
        "properties": {
            "$schema": {"description": "This schema's place, for the editor", "type": "string"},
            "seed": {"description": "Where chance starts", "type": "integer", "minimum": 0},
            "faults": {
                "type": "array",
                "items": {
                    "oneOf": [
                        {"type": "string", **names},
                        *(_mapping(name, fault) for name, fault in FAULTS.items()),
                    ]
                },
            },
        },
        "definitions": {
            "creates": _on({"model": "By name", "prompt": "A regular expression, found anywhere", "label": "By label"}),
            "uploads": _on({}),
        },
    }


def _mapping(name: str, fault: Fault) -> Schema:
    on = "uploads" if fault.at is At.UPLOAD else "creates"
    return {
        "type": "object",
        "description": fault.says,
        "additionalProperties": False,
        "required": ["fault"],
        "properties": {
            "fault": {"const": name},
            "on": {"$ref": f"#/definitions/{on}"},
            **{word: _parameter(parameter) for word, parameter in fault.parameters.items()},
        },
    }


def _on(texts: dict[str, str]) -> Schema:
    count = {"type": "integer", "minimum": 1, "maximum": MOST}
    pairs = [[one, other] for one in _COUNTED for other in _COUNTED if one < other]
    return {
        "description": "Whom it strikes: all of this holds",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{word: {"type": "string", "minLength": 1, "description": says} for word, says in texts.items()},
            **{word: {**count, "description": says} for word, says in _COUNTED.items()},
            "probability": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "description": "Of those that fit, by the seed",
            },
        },
        "not": {"anyOf": [{"required": pair} for pair in pairs]},
    }


def _parameter(parameter: Parameter) -> Schema:
    told: Schema = {"description": parameter.says, **_type(parameter)}
    if parameter.default is not None:
        told["default"] = _plain(parameter.default)
    return told


def _type(parameter: Parameter) -> Schema:
    whole = parameter.type in (Type.COUNT, Type.STATUS)
    if parameter.words:
        return {"enum": [int(word) if whole else word for word in parameter.words]}
    match parameter.type:
        case Type.TRUTH:
            return {"type": "boolean"}
        case Type.TEXT:
            return {"type": "string", "minLength": 1}
    bounds = {"minimum": parameter.least} | ({} if parameter.most is None else {"maximum": parameter.most})
    return {"type": "integer" if whole else "number", **bounds}


def _plain(value: Any) -> Any:
    """Decimals as JSON numbers."""
    return value if isinstance(value, bool | int | str) else int(value) if value == int(value) else float(value)
