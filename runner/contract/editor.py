"""Schemas for editors: what a storyboard or a pipeline may hold, with each model's own parameters, in draft-07, which
every YAML language server knows. The judge of a file is the language; these complete and underline while one types."""

import json
from collections.abc import Mapping

from runner.contract.editor_cuts import cuts
from runner.contract.editor_parts import (
    DRAFT,
    ID,
    PLACE,
    Schema,
    any_params,
    mapping,
    models_by_name,
    or_template,
    params,
    ref,
    templated,
    transition,
)
from runner.contract.editor_pipeline import pipeline_schema
from runner.contract.model import Model
from runner.core.media import WORDS

__all__ = ["pipeline_schema", "storyboard_schema", "text"]

NAME = "^[A-Za-z][A-Za-z0-9_]*$"
DIGEST = "^[0-9a-fA-F]{64}$"
MOST_TAKES = 100_000


def text(schema: Schema) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def storyboard_schema(models: Mapping[str, Model]) -> Schema:
    """Of a storyboard whose shots use these models."""
    return {
        "$schema": DRAFT,
        "title": "Shotrunner storyboard",
        "description": "Defaults, variables, references and shots: one YAML file, kept in git, from which a film is made",
        "type": "object",
        "additionalProperties": False,
        "required": ["storyboard", "shots"],
        "properties": {
            "$schema": {"description": "This schema's place, for the editor", "type": "string"},
            "storyboard": {"description": "The version of this format", "const": 1},
            "title": {"description": "The film's title", "type": "string", "minLength": 1},
            "pipeline": {
                "description": "Who makes the clips and what is done with them: a name in pipelines/ or a path; draft if absent",
                "type": "string",
                "examples": ["draft", "preview", "final", "clips"],
            },
            "seed": {
                "description": "Take n uses this seed + n - 1, on models that have one; 1 if absent",
                "type": "integer",
            },
            "budget": {
                "description": "Credits ever committed for this storyboard, at most",
                "type": "number",
                "minimum": 0,
            },
            "include": {
                "description": "Files that hold only vars, references and include; this file's own names win",
                "type": "array",
                "minItems": 1,
                "items": {"type": "string"},
            },
            "vars": ref("vars"),
            "references": _references(),
            "defaults": mapping(
                "What holds for every shot that does not say otherwise; a parameter its model lacks is left out",
                {
                    "model": ref("model"),
                    "params": ref("params"),
                    **_media(removable=False),
                    "negative_prompt": {"description": "What is not to be seen", "type": "string", "minLength": 1},
                    "takes": ref("takes"),
                    "transition": ref("transition"),
                },
            ),
            "shots": {
                "description": "The shots in the order of the film",
                "type": "array",
                "minItems": 1,
                "items": ref("shot"),
            },
            "cuts": cuts(),
        },
        "allOf": [*(_default_model(model) for model in models.values()), _no_model()],
        "definitions": {
            "template": {
                "description": 'A template is the whole value, in quotes: "{{ name }}"',
                "type": "string",
                "pattern": "^\\s*\\{\\{[\\s\\S]*\\}\\}\\s*$",
            },
            **_links(),
            "model": models_by_name(models),
            "vars": {
                "description": "Names for templates: {{ name }}",
                "type": "object",
                "propertyNames": {"pattern": NAME},
            },
            "takes": {
                "description": "How many attempts are made of each variant, each with a seed of its own",
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_TAKES,
                "default": 1,
            },
            "seconds": templated({"type": "number", "minimum": 0}),
            "transition": or_template(transition("Into this shot from the one before", templates=True)),
            "shot": _shot(models),
            "params": any_params(models.values(), templates=True),
            **{f"params-{model.name}": params(model) for model in models.values()},
            **{f"shot-{model.name}": _shot_of(model) for model in models.values()},
        },
    }


# ---------------------------------------------------------------- shots


def _shot(models: Mapping[str, Model]) -> Schema:
    number = ref("seconds")
    shot = mapping(
        "One shot; with a matrix or a table it becomes several variants",
        {
            "id": {
                "description": "Names the shot and its clips",
                "anyOf": [{"type": "string", "pattern": ID}, {"type": "integer", "minimum": 0}],
            },
            "title": {"description": "Editorial: never part of what is bought", "type": "string", "minLength": 1},
            "model": ref("model"),
            "prompt": {"description": "What is to be seen and heard; a template", "type": "string", "minLength": 1},
            "negative_prompt": {
                "description": "What is not to be seen; null takes the default away",
                "type": ["string", "null"],
                "minLength": 1,
            },
            **_media(removable=True),
            # Which parameters there are, only the model tells: another list here would be completed as well.
            "params": {"description": "Parameters of the model, by its own names", "type": "object"},
            "seed": {"description": "Take n uses this seed + n - 1; only on models that have one", "type": "integer"},
            "takes": ref("takes"),
            "vars": ref("vars"),
            "matrix": {
                "description": "Variants: every combination of one value of each axis, named shot@label+label",
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": NAME},
                "additionalProperties": {
                    "description": "Values by their labels, or a list of values that are their own labels",
                    "anyOf": [
                        {"type": "object", "minProperties": 1, "propertyNames": {"pattern": ID}},
                        {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}},
                    ],
                },
            },
            "for_each": {
                "description": "A table: one variant a row, its cells in {{ row.column }}, its name in the column id",
                "anyOf": [
                    {"type": "string"},
                    mapping(
                        "A table that is not read as it stands",
                        {
                            "file": {"description": "A .csv, .jsonl or .yaml file", "type": "string"},
                            "id": {
                                "description": "The column that tells the rows apart",
                                "type": "string",
                                "default": "id",
                            },
                            "where": {
                                "description": "An expression over row; rows for which it is true are used",
                                "type": "string",
                            },
                            "delimiter": {
                                "description": "Between a CSV's cells",
                                "type": "string",
                                "minLength": 1,
                                "maxLength": 1,
                                "default": ",",
                            },
                        },
                        ["file"],
                    ),
                ],
            },
            "trim": or_template(
                {
                    **mapping(
                        "Editorial: the part of the clip that the cut uses, in seconds from its beginning",
                        {
                            "in": {**number, "description": "Where it begins"},
                            "out": {**number, "description": "Where it ends"},
                        },
                    ),
                    "minProperties": 1,
                }
            ),
            "transition": {
                "anyOf": [ref("transition"), {"type": "null"}],
                "description": "Into this shot; null takes the default away",
            },
            "skip": {"description": "Leaves the shot out", "type": "boolean", "default": False},
            "distinct": {
                "description": "Keeps this shot's request apart from equal ones, which are else bought once",
                "type": "boolean",
                "default": False,
            },
        },
        ["id", "prompt"],
    )
    shot["allOf"] = [
        {
            "if": {"required": ["model"], "properties": {"model": {"const": model.name}}},
            "then": ref(f"shot-{model.name}"),
        }
        for model in models.values()
    ]
    return shot


def _default_model(model: Model) -> Schema:
    """Shots without a model of their own take the defaults'."""
    written = {
        "required": ["defaults"],
        "properties": {"defaults": {"required": ["model"], "properties": {"model": {"const": model.name}}}},
    }
    shot = {"if": {"not": {"required": ["model"]}}, "then": ref(f"shot-{model.name}")}
    return {"if": written, "then": {"properties": {"shots": {"items": shot}}}}


def _no_model() -> Schema:
    """Without a model anywhere, any model's parameters."""
    written = {"required": ["defaults"], "properties": {"defaults": {"required": ["model"]}}}
    shot = {"if": {"not": {"required": ["model"]}}, "then": {"properties": {"params": ref("params")}}}
    return {"if": written, "else": {"properties": {"shots": {"items": shot}}}}


def _shot_of(model: Model) -> Schema:
    """What the model narrows of a shot. What a shot takes away with null may stand there for any model."""
    narrowed: Schema = {"params": ref(f"params-{model.name}")}
    narrowed |= {word: {"type": "null"} for word in WORDS.values() if word not in model.media}
    if "negative_prompt" not in model.properties:
        narrowed["negative_prompt"] = {"type": "null"}
    narrowed["seed"] = (
        {"minimum": model.seed.first, "maximum": model.seed.last} if "seed" in model.properties else False
    )
    return {"properties": narrowed}


def _media(*, removable: bool) -> dict[str, Schema]:
    place = {"anyOf": [PLACE, ref("clip")]}
    several = {"type": "array", "minItems": 1, "items": place}
    kinds = {
        "image": ("A picture: a reference's name, a path, a URL, or a frame of another shot", [PLACE, ref("frame")]),
        "videos": (
            "Clips: references' names, paths, URLs, or other shots, as the prompt counts them",
            [several, ref("template")],
        ),
        "audio": ("A sound: a reference's name, a path, a URL, or another shot's", [place]),
    }
    if not removable:
        return {word: {"description": said, "anyOf": takes} for word, (said, takes) in kinds.items()}
    return {
        word: {"description": f"{said}; null takes the default away", "anyOf": [*takes, {"type": "null"}]}
        for word, (said, takes) in kinds.items()
    }


def _links() -> dict[str, Schema]:
    """The clip of another shot, and a frame of it."""
    shot = {"description": "A shot's id, or one of its variants: arrival@dawn", "type": "string", "minLength": 1}
    frame = {
        "description": "Which picture of the clip: first, last, or a second into it",
        "anyOf": [{"enum": ["first", "last"]}, {"type": "number", "minimum": 0, "maximum": 3600}, ref("template")],
    }
    return {
        "clip": mapping("The clip of another shot", {"shot": shot}, ["shot"]),
        "frame": mapping("A frame of another shot's clip", {"shot": shot, "frame": frame}, ["shot", "frame"]),
    }


def _references() -> Schema:
    place = {**PLACE, "description": "A path from this file, or a URL"}
    digest = {"description": "The content's digest: other bytes are refused", "type": "string", "pattern": DIGEST}
    words = {"description": "What it is, as prompts read it by {{ ref.NAME }}; may hold templates", "type": "string"}
    one = mapping(
        "Words, media with their kinds said, or both; a medium may be pinned",
        {
            "words": words,
            "image": place,
            "video": place,
            "audio": place,
            "sha256": digest,
            "note": {"description": "For readers", "type": "string"},
        },
    )
    media = [{"required": [kind]} for kind in ("image", "video", "audio")]
    one["anyOf"] = [{"required": ["words"]}, *media]
    one["if"] = {"required": ["sha256"]}
    one["then"] = {"oneOf": media}
    return {
        "description": "Cast and media by name: a medium's kind is told by the file's suffix, or said",
        "type": "object",
        "propertyNames": {"pattern": ID},
        "additionalProperties": {"anyOf": [PLACE, one]},
    }
