"""The editor's schema of pipelines."""

from collections.abc import Mapping

from runner.contract.editor_parts import DRAFT, ID, Schema, any_params, mapping, overrides, ref, transition
from runner.contract.model import Model

MOST_CONCURRENT = 1000
MOST_PER_S = 1000
MOST_RETRIES = 10
MOST_WORDS = 256
MOST_OUTPUTS = 64
MOST_SECONDS = 24 * 3600
TIMEOUT_S = 600
_BELOW = "^(?![/.-])(?!clips/)(?!.*/\\.{0,2}/).*[^/]"
OUTPUT, PAGE, PICTURE, TIMELINE = (f"{_BELOW}\\.{ending}$" for ending in ("mp4", "html", "png", "(otio|otioz|xml|edl)"))
MADE = "^(?![/.-])(?!clips(/|$))(?!manifest\\.json(/|$))(?!.*(^|/)\\.{0,2}/)(?!.*/\\.{0,2}$).+$"


def pipeline_schema(models: Mapping[str, Model]) -> Schema:
    """Of a pipeline that may override parameters of these models."""
    return {
        "$schema": DRAFT,
        "title": "Shotrunner pipeline",
        "description": "Who makes the clips, what it may cost, and what is done with them",
        "type": "object",
        "additionalProperties": False,
        "required": ["pipeline", "provider", "steps"],
        "properties": {
            "$schema": {"description": "This schema's place, for the editor", "type": "string"},
            "pipeline": {"description": "The version of this format", "const": 1},
            "title": {"description": "What the pipeline is for", "type": "string"},
            "provider": {
                "description": "animatic draws on this machine, for nothing; evolink generates and is paid",
                "anyOf": [ref("provider"), _provider()],
            },
            "override": mapping(
                "Parameters that win over the storyboard's; a model's own entry wins over \"*\"",
                {
                    "*": any_params(
                        models.values(),
                        templates=False,
                        description="Where the shot's model has the parameter and takes the value",
                    ),
                    **{model.name: overrides(model) for model in models.values()},
                },
            ),
            "budget": {"description": "Credits this run may newly commit, at most", "type": "number", "minimum": 0},
            "steps": {
                "description": "What is done, in this order",
                "type": "array",
                "minItems": 1,
                "items": {
                    "description": "One step",
                    "anyOf": [
                        mapping("", {"generate": _generate()}, ["generate"]),
                        mapping("", {"assemble": _assemble()}, ["assemble"]),
                        mapping("", {"exec": _exec()}, ["exec"]),
                        mapping("", {"report": _report()}, ["report"]),
                        mapping("", {"timeline": _timeline()}, ["timeline"]),
                    ],
                },
            },
        },
        "definitions": {
            "provider": {
                "description": "Who makes the clips",
                "oneOf": [
                    {
                        "const": "animatic",
                        "description": "Animatics of this machine: free, offline, the right length and size",
                    },
                    {"const": "evolink", "description": "The Evolink API; needs EVOLINK_API_KEY and a budget"},
                ],
            },
        },
    }


def _provider() -> Schema:
    seconds: Schema = {"type": "number", "exclusiveMinimum": 0}
    poll = {
        "floor_s": {**seconds, "description": "The shortest pause between two polls of a task"},
        "ceiling_s": {**seconds, "description": "The longest"},
    }
    within = {"within_s": {**seconds, "description": "For so many seconds after the answer was lost"}}
    chosen = mapping(
        "A provider with settings of its own",
        {
            "name": ref("provider"),
            "base_url": {
                "description": "Another server of the same API; not for animatic",
                "type": "string",
                "format": "uri",
            },
            "concurrency": {
                "description": "Takes in flight at once",
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_CONCURRENT,
            },
            "rate_per_s": {
                "description": "Submissions a second, at most",
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": MOST_PER_S,
            },
            "poll": mapping("How often a task is asked for", poll, [*poll]),
            "replay": mapping("Send a submission whose answer was lost once more, with its own key", within, [*within]),
        },
        ["name"],
    )
    local = {"required": ["name"], "properties": {"name": {"const": "animatic"}}}
    return {**chosen, "if": local, "then": {"properties": {"base_url": False}}}


def _generate() -> Schema:
    found = mapping(
        "Submit, wait, fetch and check every take",
        {
            "retries": {
                "description": "How often a take is bought anew after a passing fault of the service",
                "type": "integer",
                "minimum": 0,
                "maximum": MOST_RETRIES,
                "default": 0,
            },
            "takes": {
                "description": "Every take of a shot, or the picked one alone",
                "enum": ["all", "picked"],
                "default": "all",
            },
            "seedless": {
                "description": "Beside `takes: picked`, of a model without a seed: keep the clip that was picked under a pipeline below, or make another one",
                "enum": ["keep", "make"],
                "default": "keep",
            },
        },
    )
    picked = {"required": ["takes"], "properties": {"takes": {"const": "picked"}}}
    return {**found, "dependencies": {"seedless": picked}}


def _assemble() -> Schema:
    return mapping(
        "Cut the clips together",
        {
            "cut": {
                "description": "Which of the storyboard's cuts; all of them if absent, and without any one film of all shots",
                "anyOf": [{"type": "string", "pattern": ID}, {"type": "integer", "minimum": 0}],
            },
            "output": {
                "description": "The film's file below the out folder",
                "type": "string",
                "pattern": OUTPUT,
                "default": "film.mp4",
            },
            "transition": transition("Between shots that say nothing themselves", templates=False),
            "missing": {
                "description": "For a take without a clip: a slate in its place, or no film",
                "enum": ["slate", "stop"],
                "default": "stop",
            },
        },
    )


def _exec() -> Schema:
    word = {"type": ["string", "number", "boolean"]}
    return mapping(
        "Run a program of your own in the out folder, without a shell; only with --allow-exec or a yes at the prompt",
        {
            "command": {
                "description": "Its words; {{ film }}, {{ clips }} and {{ manifest }} are rendered in each",
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_WORDS,
                "items": word,
            },
            "outputs": {
                "description": "The files it makes below the out folder; while they are there it is not run again",
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_OUTPUTS,
                "uniqueItems": True,
                "items": {"type": "string", "pattern": MADE},
            },
            "timeout_s": {
                "description": "After so many seconds it is ended",
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_SECONDS,
                "default": TIMEOUT_S,
            },
        },
        ["command"],
    )


def _report() -> Schema:
    return mapping(
        "Show all takes side by side in one HTML file",
        {
            "output": {
                "description": "The page's file below the out folder",
                "type": "string",
                "pattern": PAGE,
                "default": "index.html",
            },
            "sheet": {
                "description": "A contact sheet of all takes as one picture",
                "type": "string",
                "pattern": PICTURE,
            },
        },
    )


def _timeline() -> Schema:
    return mapping(
        "Write the films of the assembly before it as timelines that an editor opens",
        {
            "output": {
                "description": "The timeline's file below the out folder; its ending says the format, of which .otio needs no extra",
                "type": "string",
                "pattern": TIMELINE,
                "default": "film.otio",
            },
        },
    )
