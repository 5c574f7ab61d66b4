"""The editor's schema of a storyboard's `cuts`."""

from runner.contract.editor_parts import ID, Schema, mapping, transition

# What is no URL and no template.
WORD: Schema = {"type": "string", "minLength": 1, "pattern": "^(?!.*\\{\\{)(?![A-Za-z][A-Za-z0-9+.-]*://)"}
PATH: Schema = {**WORD, "description": "A reference's name, or a path"}
SIDE = "(?:1[6-9]|[2-9][0-9]|[1-9][0-9]{2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-6])"
EVEN = f"(?=[0-9]*[02468](?![0-9])){SIDE}"
RATES = [23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60]
LEVEL: Schema = {"type": "number", "minimum": -60, "maximum": 20}
SECONDS: Schema = {"type": "number", "minimum": 0}
LASTING: Schema = {"type": "number", "minimum": 0.02, "maximum": 86400}


def cuts() -> Schema:
    return {
        "description": "Films by name, each of its own pieces in its own order; without cuts one film of all shots",
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": ID},
        "additionalProperties": mapping(
            "One film, or one of each label of an axis",
            {
                "order": {
                    "description": "What stands in the film, one behind the other; all shots if absent",
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "anyOf": [
                            {**WORD, "description": "A shot, a variant or a file's path"},
                            {"type": "integer"},
                            _entry(),
                        ]
                    },
                },
                "for": {
                    "description": "Axes of the shots' matrix: a film is made for each label",
                    "anyOf": [
                        WORD,
                        {"type": "array", "minItems": 1, "uniqueItems": True, "items": WORD},
                    ],
                },
                "video": _video(),
                "sound": _sound(),
            },
        ),
    }


def _entry() -> Schema:
    found = mapping(
        "A piece that is not used as it is",
        {
            "shot": {"description": "A shot or one of its variants", "anyOf": [WORD, {"type": "integer"}]},
            "file": {**PATH, "description": "A video of the project: a reference's name, or a path"},
            "black": {**LASTING, "description": "Seconds of black and silence"},
            "in": {**SECONDS, "description": "Where the piece begins in its clip, in seconds"},
            "out": {**SECONDS, "description": "Where it ends"},
            "join": transition("Into this piece from the one before", templates=False),
        },
    )
    found["oneOf"] = [{"required": ["shot"]}, {"required": ["file"]}, {"required": ["black"]}]
    found["dependencies"] = {key: {"properties": {"black": False}} for key in ("in", "out")}
    return found


def _video() -> Schema:
    return mapping(
        "How the film is shown",
        {
            "size": {
                "description": "Width and height in pixels, even; the first clip's if absent",
                "type": "string",
                "pattern": f"^\\s*{EVEN}\\s*[xX×]\\s*{EVEN}\\s*$",
                "examples": ["1280x720", "1920x1080", "1080x1920"],
            },
            "fps": {"description": "Frames a second", "enum": RATES, "default": 24},
            "length": {
                **LASTING,
                "description": "How long the film is, in seconds: cut off there, or filled up with black",
            },
        },
    )


def _sound() -> Schema:
    level: Schema = {**LEVEL, "description": "In dB", "default": 0}
    part: dict[str, Schema] = {
        "file": PATH,
        "in": {**SECONDS, "description": "Where it begins in the file, in seconds"},
        "out": {**SECONDS, "description": "Where it ends"},
        "level": level,
    }
    fade = mapping(
        "Seconds",
        {"in": {**SECONDS, "description": "At the beginning"}, "out": {**SECONDS, "description": "At the end"}},
    )
    music = mapping(
        "Music from the film's beginning on",
        {
            **part,
            "fade": fade,
            "loop": {"description": "Over and over to the film's end", "type": "boolean", "default": False},
        },
        ["file"],
    )
    voice = mapping(
        "A voice",
        {
            **part,
            "at": {
                "description": "Begins with this shot, or at this second",
                "anyOf": [WORD, SECONDS],
            },
            "after": {**SECONDS, "description": "So many seconds after its shot has begun"},
        },
        ["file", "at"],
    )
    voice["dependencies"] = {"after": {"properties": {"at": {"type": "string"}}}}
    under: Schema = {"enum": ["voice", "clips"]}
    duck = mapping(
        "How music makes room",
        {
            "by": {"description": "How far it goes down, in dB", "type": "number", "minimum": 0, "maximum": 60},
            "attack": {**SECONDS, "description": "Seconds it takes to go down, before", "default": 0.2},
            "release": {**SECONDS, "description": "Seconds it takes to come back, after", "default": 0.8},
            "under": {
                "description": "What it makes room for; voice if absent",
                "anyOf": [under, {"type": "array", "minItems": 1, "items": under}],
            },
        },
        ["by"],
    )
    found = mapping(
        "The mix; without it the clips' own sound stands as it is",
        {
            "clips": {"description": "The clips' own sound in dB, or off", "anyOf": [LEVEL, {"const": "off"}]},
            "music": {"anyOf": [WORD, music], "description": "A reference's name, a path, or more than that"},
            "voice": {"description": "Voices, each in its place", "type": "array", "minItems": 1, "items": voice},
            "duck": duck,
            "loudness": {
                "description": "Of the whole mix in LUFS, or off; -16 if absent",
                "anyOf": [{"type": "number", "minimum": -40, "maximum": -8}, {"const": "off"}],
                "default": -16,
            },
        },
    )
    found["dependencies"] = {"duck": ["music"]}
    return found
