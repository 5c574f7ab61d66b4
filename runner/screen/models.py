"""The models there are, and all that one of them takes, makes and costs."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from runner.contract import limits, phrases
from runner.contract.model import MediaRule, Model, SeedContract
from runner.core.media import Kind
from runner.screen import clean, tariffs
from runner.screen.colour import Style, paint
from runner.screen.table import Align, Column, table

_SEEDS = {
    SeedContract.HONOURED: "the same request and seed give the same clip",
    SeedContract.BEST_EFFORT: "the same request and seed give clips that are more alike, not equal",
    SeedContract.ABSENT: "takes are recorded, not reproducible",
}
_TYPES = {"string": "text", "object": "mapping", "array": "list"}


# ---------------------------------------------------------------- the list


def listing(models: Mapping[str, Model], on: date, *, width_columns: int | None = None, colour: bool = False) -> str:
    """One line a model: name, what its default request costs on that day, what its seed promises, what it makes."""
    rows = [(m.name, tariffs.default_price(m, on), m.seed.contract.value, m.description) for m in models.values()]
    columns = (
        Column(title="Model"),
        Column(title="By default", align=Align.RIGHT),
        Column(title="Seed"),
        Column(title="Makes", gives=True),
    )
    return table(rows, columns, width_columns=width_columns, colour=colour)


def listing_json(models: Mapping[str, Model], on: date) -> str:
    return _dumped({"models": [{**_head(m), "prices": tariffs.as_json(m, on)} for m in models.values()]})


# ---------------------------------------------------------------- one model


def page(model: Model, on: date, *, colour: bool = False) -> str:
    """Everything a storyboard's author wants to know of the model, in sections of aligned columns; nothing is cut."""
    sections = {
        "Parameters": table(_parameters(model), _PARAMETERS, colour=colour),
        "Rules": _lines(_rules(model)),
        "Media": table(_media(model), (Column(), Column(), Column())),
        "Clip": table(_clip(model), (Column(), Column())),
        "Seed": _lines([_seed(model)]),
        "Prices": _lines(tariffs.sentences(model, on)),
        "Examples": table(tariffs.rows(model, on), (Column(), Column(align=Align.RIGHT), Column())),
    }
    head = f"{paint(clean.words(model.name), Style.STRONG, colour=colour)}  {clean.words(model.title)}\n"
    head += table([("makes", model.description), ("schema", model.origin)], (Column(), Column()))
    body = (
        f"\n{paint(title, Style.STRONG, colour=colour)}\n{_indented(text)}" for title, text in sections.items() if text
    )
    return head + "".join(body)


def page_json(model: Model, on: date) -> str:
    return _dumped(
        {
            **_head(model),
            "parameters": [
                {
                    "name": name,
                    "type": schema["type"],
                    "takes": phrases.takes(schema),
                    "required": name in model.required,
                    "default": model.defaults.get(name),
                    "word": _word(model, name),
                    "transport": name in model.transport,
                    "description": schema.get("description", ""),
                }
                for name, schema in model.properties.items()
                if name != "model"
            ],
            "rules": list(_rules(model)),
            "media": {word: _limits(rule) for word, rule in model.media.items()},
            "fps": model.output.fps,
            "sound": model.sound,
            "sizes": {quality: dict(row) for quality, row in _sizes(model)},
            "prices": tariffs.as_json(model, on),
        }
    )


def _head(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "title": model.title,
        "description": model.description,
        "schema": model.origin,
        "seed": {"contract": model.seed.contract.value, "first": model.seed.first, "last": model.seed.last},
    }


# ---------------------------------------------------------------- parameters and media

_PARAMETERS = (
    Column(title="Name"),
    Column(title="Type"),
    Column(title="Takes"),
    Column(title="Default"),
    Column(title="In a shot"),
    Column(title="Meaning"),
)


def _parameters(model: Model) -> Iterator[tuple[str, ...]]:
    for name, schema in model.properties.items():
        if name == "model":
            continue
        default = "required" if name in model.required else _default(schema)
        yield name, *_row(schema, default), _word(model, name), schema.get("description", "")
        for inner, held in schema.get("properties", {}).items():
            yield f"{name}.{inner}", *_row(held, _default(held)), "params", held.get("description", "")


def _row(schema: Mapping[str, Any], default: str) -> tuple[str, str, str]:
    kind = str(schema.get("type", ""))
    return _TYPES.get(kind, kind), "" if kind == "object" else phrases.takes(schema), default


def _default(schema: Mapping[str, Any]) -> str:
    return phrases.bare(schema["default"]) if "default" in schema else "-"


def _word(model: Model, name: str) -> str:
    """The word of a shot that holds it."""
    if name in model.by_property:
        return model.by_property[name].word
    return name if name in ("prompt", "negative_prompt", "seed") else "params"


def _rules(model: Model) -> Iterator[str]:
    for rule in model.schema.get("allOf", ()):
        yield rule["description"]
    for name, what in model.too_long.items():
        if what == "cut":
            yield f"A `{name}` that is too long is refused here; the service would cut it without a word"
    for advice in model.advice:
        yield f"{advice.says[:1].upper()}{advice.says[1:]} (a warning)"
    for name, reason in model.without.items():
        yield f"No `{name}`: {reason}"


def _media(model: Model) -> Iterator[tuple[str, str, str]]:
    for word, rule in model.media.items():
        least, most = rule.count
        count = str(most) if least == most else f"{least} to {most}" if least else f"up to {most}"
        yield word, f"{count} {tariffs.FILES[rule.kind]}{'s' if most > 1 else ''}", "; ".join(_limit_words(rule))


def _limit_words(rule: MediaRule) -> Iterator[str]:
    yield phrases.either(rule.formats)
    if rule.max_bytes is not None:
        yield f"up to {limits.megabytes(rule.max_bytes)}"
    if rule.side_px is not None:
        yield f"sides of {rule.side_px[0]} to {rule.side_px[1]} px"
    if rule.seconds is not None:
        yield f"{limits.seconds(rule.seconds[0])} to {limits.seconds(rule.seconds[1])} s"
    if rule.kind is Kind.IMAGE:
        yield "still" if rule.alpha else "still, without transparency"


def _limits(rule: MediaRule) -> dict[str, Any]:
    return {
        "property": rule.property,
        "count": list(rule.count),
        "formats": list(rule.formats),
        "max_bytes": rule.max_bytes,
        "side_px": list(rule.side_px) if rule.side_px else None,
        "seconds": [float(bound) for bound in rule.seconds] if rule.seconds else None,
        "alpha": rule.alpha,
    }


# ---------------------------------------------------------------- the clip


def _clip(model: Model) -> Iterator[tuple[str, str]]:
    yield "fps", str(model.output.fps)
    if isinstance(model.sound, str):
        yield "sound", f"as `{model.sound}` says"
    else:
        yield "sound", "always" if model.sound else "never"
    for quality, row in _sizes(model):
        yield quality, ", ".join(f"{width}x{height} ({ratio})" for ratio, (width, height) in row)
    if model.output.follows is not None:
        yield "shape", f"the {model.output.follows}'s, sides to multiples of 16 px"


def _sizes(model: Model) -> Iterator[tuple[str, list[tuple[str, tuple[int, int]]]]]:
    for quality in model.output.area_px or model.output.px:
        if model.output.follows is not None:
            yield quality, [("from 16:9", model.size({"quality": quality}, None))]
        else:
            yield quality, list(model.output.px[quality].items())


def _seed(model: Model) -> str:
    seed = model.seed
    span = "" if seed.contract is SeedContract.ABSENT else f", {seed.first} to {seed.last}"
    return f"{seed.contract.value}{span}: {_SEEDS[seed.contract]}"


# ---------------------------------------------------------------- lines


def _lines(sentences: Iterable[str]) -> str:
    """One a line, and none at its beginning: a stranger's words there could be a command to a CI runner."""
    return "".join(f"- {clean.words(sentence)}\n" for sentence in sentences)


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def _dumped(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
