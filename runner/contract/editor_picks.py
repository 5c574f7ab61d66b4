"""The editor's schema of picks files."""

from runner.contract.editor_parts import DRAFT, Schema, mapping

MOST_TAKES = 999_999
TAKE = "^.+\\.[1-9][0-9]{0,5}$"


def picks_schema() -> Schema:
    digest: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    note: Schema = {"type": "string", "description": "For whoever asks why"}
    pick = mapping(
        "The take of this shot, or variant, that the film is cut from",
        {
            "take": {"description": "Its number", "type": "integer", "minimum": 1, "maximum": MOST_TAKES},
            "pipeline": {"description": "Where its clip was picked", "type": "string"},
            "clip": {
                **digest,
                "description": "That clip's sha256: there it stays the film's, whatever becomes of the prompt",
            },
            "also": {
                "description": "Clips of the same take that were picked under other pipelines before, by pipeline",
                "type": "object",
                "additionalProperties": digest,
            },
            "note": note,
        },
        ["take"],
    )
    clip: Schema = {**digest, "description": "The sha256 of the clip it had then"}
    rejection = mapping("A take that was turned down", {"clip": clip, "note": note})
    return {
        "$schema": DRAFT,
        "title": "Shotrunner picks",
        "description": "Which take of each shot is the film's; `shotrunner pick` and `reject` write it",
        **mapping(
            "",
            {
                "picks": {"description": "The version of this format", "const": 1},
                "shots": {
                    "description": "By shot, or by variant: `arrival@dawn`",
                    "type": ["object", "null"],
                    "additionalProperties": {"$ref": "#/definitions/pick"},
                },
                "rejected": {
                    "description": "By take: `arrival@dawn.1`",
                    "type": ["object", "null"],
                    "additionalProperties": False,
                    "patternProperties": {TAKE: {"$ref": "#/definitions/rejection"}},
                },
            },
            ["picks"],
        ),
        "definitions": {"pick": pick, "rejection": rejection},
    }
