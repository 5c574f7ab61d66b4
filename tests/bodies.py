"""The shipped models, and bodies for them: lawful ones, and lawful ones with something wrong."""

import copy
from typing import Any

from hypothesis import strategies as st

from runner.adapters.catalog import shipped_models
from runner.contract.model import Model

MODELS = dict(shipped_models())
WAN25 = MODELS["wan2.5-text-to-video"]
WAN27 = MODELS["wan2.7-text-to-video"]
I2V = MODELS["wan2.6-image-to-video-flash"]
REFERENCE = MODELS["wan2.6-reference-video-flash"]

_URLS = st.sampled_from(
    [
        "https://media.example/a.png",
        "http://media.example:8080/a%20b.mp3?x=1#y",
        "HTTPS://m.example/~a",
        "https://[::1]/a",
    ]
)


def least(model: Model, **more: Any) -> dict[str, Any]:
    """The smallest lawful body, with what is added; `...` takes a property away."""
    body: dict[str, Any] = {"model": model.name, "prompt": "a door opens"}
    for rule in model.media.values():
        if rule.count[0]:
            body[rule.property] = ["https://media.example/a"] if rule.is_list else "https://media.example/a"
    return {name: value for name, value in {**body, **more}.items() if value is not ...}


def models() -> st.SearchStrategy[Model]:
    return st.sampled_from(list(MODELS.values()))


@st.composite
def lawful(draw: st.DrawFn, model: Model) -> dict[str, Any]:
    """Any body the model's service takes, written without asking a validator."""
    names = [name for name in model.properties if name in model.required or draw(st.booleans())]
    body = {name: draw(_value(model.properties[name])) for name in draw(st.permutations(names))}
    if model is WAN25 and body.get("quality") == "480p" and body.get("aspect_ratio") in ("4:3", "3:4"):
        body["aspect_ratio"] = draw(st.sampled_from(["16:9", "9:16", "1:1"]))
    if model is I2V and "audio_url" in body and "generate_audio" in body:
        body["generate_audio"] = True
    return body


def _value(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    match schema:
        case {"const": value}:
            return st.just(value)
        case {"enum": values}:
            return st.sampled_from(values)
        case {"type": "integer", "minimum": low, "maximum": high}:
            return st.integers(low, high)
        case {"type": "boolean"}:
            return st.booleans()
        case {"format": "uri", "maxLength": _}:
            return st.just("https://callback.example/done")
        case {"format": "uri"}:
            return _URLS
        case {"type": "string", "maxLength": high}:
            few = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
            return few | st.sampled_from(["x" * high, "\U0001f600" * high])
        case {"type": "array", "items": items, "minItems": low, "maxItems": high}:
            return st.lists(_value(items), min_size=low, max_size=high)
        case {"type": "object", "properties": properties}:
            return st.fixed_dictionaries({}, optional={name: _value(one) for name, one in properties.items()})
        case _:
            raise AssertionError(f"no values for {schema}")


_JUNK = st.sampled_from(
    [
        None, True, False, 0, -1, 1, 1.0, 5, 5.0, 5.5, 7, 10, 10.0, 10**30, -(10**30), 2**31, 2**53 + 1, 1e300, "", "5", "true",
        "720P", "720p", "480p", "4:3", "single", "multi", "x" * 501, "x" * 5001, "http://", "https://a b", "ftp://a/b",
        "https://a/\n", "https:a", "//a/b", "https://ä.example/", "https://a/%zz", "https://a/b", "http://a/b",
        "https://user@a/b", "https://a:b/c", "https://a/[", "https://@/", "https://a/" + "b" * 2048, [], {}, [None], [[]],
        ["https://a/b"], ["https://a/b"] * 2, ["https://a/b"] * 4, ["nope", 5], {"shot_type": "multi"}, {"shot_type": 1},
        {"generate_audio": False},
    ]
).map(copy.deepcopy) | st.text(max_size=5)  # fmt: skip


@st.composite
def mutants(draw: st.DrawFn, model: Model) -> dict[str, Any]:
    """A lawful body with up to four properties dropped, added or given another value; it may still be lawful."""
    body = copy.deepcopy(draw(lawful(model)))
    known = [*model.properties, "audio_url", "audio_urls", "seed", "fps", "Duration", ""]
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(known) | st.text(max_size=3))
        match draw(st.integers(0, 3)):
            case 0:
                body.pop(name, None)
            case 1 if isinstance(body.get(name), list):
                body[name].append(draw(_JUNK))
            case 2 if isinstance(body.get(name), dict):
                body[name][draw(st.sampled_from(["shot_type", "generate_audio", "x"]))] = draw(_JUNK)
            case _:
                body[name] = draw(_JUNK)
    return body
