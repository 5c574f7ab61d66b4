"""Whether a body fits its model's schema. jsonschema-rs is the gate every body passes, jsonschema the judge that finds
every fault of those it stops; both are compiled once a model, and the judge is loaded only when it is needed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

from runner.contract.coherence import contradictions
from runner.contract.fault import Fault, Path, dotted
from runner.contract.model import Model
from runner.contract.phrases import BEYOND, quoted, takes
from runner.contract.words import Breach, Speaker, at, fault

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

__all__ = ["Fault", "advice", "document", "faults", "is_valid", "model_file"]

# Of several faults of one value the first of these is shown: a wrong type explains the rest.
_WEIGHT = ("type", "const", "enum", "additionalProperties", "required", "minLength", "format", "pattern")


def is_valid(model: Model, body: Mapping[str, Any]) -> bool:
    """Whether the service would take this body; JSON values only."""
    if not _passes(_gate(model), body, lambda: _judge(model)):
        return False
    return all(map(_plain, body.values())) or next(_unsendable(body), None) is None


def faults(model: Model, body: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Every fault of the body, in its order; one of each value, and of a rule across properties only where the values
    it joins are lawful by themselves. No faults and `is_valid` are the same verdict."""
    if is_valid(model, body):
        return ()
    speaker = _speaker(model)
    try:
        found = _words(_judge(model).iter_errors(body), body, speaker)
    except (RecursionError, ValueError):  # the judge writes the value out: nested too deep for that, or too many digits
        found = ()
    told = {fault.path for fault in found}  # a link with half a surrogate pair is no link already
    found += tuple(fault for fault in _unsendable(body) if fault.path not in told)
    return found or (_beyond_words(body, speaker),)


def advice(model: Model, body: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Remarks on a lawful body that stop nothing, code `model-advice`."""
    return tuple(
        Fault(
            path=(one.at,),
            code="model-advice",
            headline=f"model `{model.name}`: {one.says}",
            notes=(f"{model.origin}#/x-model/advice/{number}",),
        )
        for number, one in enumerate(model.advice)
        if _applies(model, number, body)
    )


def model_file(document: object, metaschema: dict[str, Any]) -> tuple[Fault, ...]:
    """Every fault of a model's schema file, with paths into it: against the metaschema; where that is kept, also what
    the file says against itself, and values it names but does not take."""
    speaker = Speaker(who="a model's file", origin="", schema=metaschema, code="bad-model")
    if found := _words(_compiled(metaschema).iter_errors(document), document, speaker):
        return found
    assert isinstance(document, dict)
    return contradictions(document) or tuple(_unlawful(document))


def document(value: object, schema: dict[str, Any], who: str) -> tuple[Fault, ...]:
    """Every fault of a JSON document that is no request, as a manifest; `who` names it in the words."""
    if _passes(_new_gate(schema), value, lambda: _compiled(schema)):
        return ()
    try:
        return _words(_compiled(schema).iter_errors(value), value, Speaker(who=who, origin="", schema=schema))
    except (RecursionError, ValueError):
        return (Fault(path=(), code="bad-value", headline=f"{who} holds values beyond any use"),)


# ---------------------------------------------------------------- the two engines

_PLAIN = r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_REST = rf"(?:\?(?:{_PLAIN}|[:@/?])*)?(?:#(?:{_PLAIN}|[:@/?])*)?"
# What may follow `scheme://`, in words that every dialect of regular expressions has.
AFTER_SCHEME = rf"(?:(?:{_PLAIN}|:)*@)?(?:\[[0-9A-Fa-fVv:.]+\]|{_PLAIN}+)(?::[0-9]*)?(?:/(?:{_PLAIN}|[:@/])*)?{_REST}"
_URI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:(?://{AFTER_SCHEME}|(?!//)(?:{_PLAIN}|[:@/])*{_REST})")


def is_uri(value: object) -> bool:
    """RFC 3986 with a scheme, and a host after `//`; both engines ask here, so that they cannot differ."""
    return not isinstance(value, str) or _URI.fullmatch(value) is not None


def _passes(gate: Any, body: object, judge: Callable[[], "Draft202012Validator"]) -> bool:
    try:
        return bool(gate.is_valid(body))
    except ValueError:  # half of a surrogate pair, a number beyond its range, nesting beyond its depth
        try:
            return judge().is_valid(body)
        except (RecursionError, ValueError):
            return False


def _applies(model: Model, number: int, body: Mapping[str, Any]) -> bool:
    return _passes(_advice_gate(model, number), body, lambda: _compiled(dict(model.advice[number].condition)))


def _new_gate(schema: dict[str, Any]) -> Any:
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(schema, formats={"uri": is_uri}, validate_formats=True)


@lru_cache(maxsize=256)
def _gate(model: Model) -> Any:
    return _new_gate(model.schema)


@lru_cache(maxsize=256)
def _advice_gate(model: Model, number: int) -> Any:
    return _new_gate(dict(model.advice[number].condition))


@lru_cache(maxsize=256)
def _judge(model: Model) -> "Draft202012Validator":
    return _compiled(model.schema)


def _compiled(schema: dict[str, Any]) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator, FormatChecker

    formats = FormatChecker(formats=())
    formats.checks("uri")(is_uri)
    return Draft202012Validator(schema, format_checker=formats)


# ---------------------------------------------------------------- errors of the judge -> faults


def _speaker(model: Model) -> Speaker:
    return Speaker(
        who=f"model `{model.name}`",
        origin=model.origin,
        schema=model.schema,
        defaults=model.defaults,
        without=model.without,
        words={name: rule.word for name, rule in model.by_property.items()},
        too_long=model.too_long,
    )


def _words(errors: Iterable["ValidationError"], body: Any, speaker: Speaker) -> tuple[Fault, ...]:
    breaches = [breach for error in errors for breach in _breaches(error, speaker.schema)]
    breaches.sort(key=lambda b: _WEIGHT.index(b.keyword) if b.keyword in _WEIGHT else len(_WEIGHT))
    plain: dict[Path, Breach] = {}
    for breach in breaches:
        if breach.rule is None:
            plain.setdefault(breach.path, breach)
    found = {path: fault(breach, body, speaker) for path, breach in plain.items()}
    rules: dict[Path, Fault] = {}
    for breach in breaches:
        if breach.rule is not None and breach.rule not in rules:
            broken = fault(breach, body, speaker)
            if not {path[:1] for path in (broken.path, *broken.others)} & {path[:1] for path in found}:
                rules[breach.rule] = broken
    order = {name: number for number, name in enumerate(body)} if isinstance(body, Mapping) else {}
    return tuple(
        sorted([*found.values(), *rules.values()], key=lambda f: order.get(str(f.path[0]) if f.path else "", -1))
    )


def _beyond_words(body: Mapping[str, Any], speaker: Speaker) -> Fault:
    """For a body that the judge finds nothing wrong with, or cannot name: both engines agree on every schema we ship;
    should they differ on a stranger's, nothing is bought."""
    name = next((name for name, value in body.items() if quoted(value) == BEYOND), "")
    said = f"`{name}` is {BEYOND}; {speaker.who} does not take it" if name else f"{speaker.who} does not take this body"
    return Fault(path=(name or "model",), code="bad-value", headline=said, notes=(f"{speaker.origin}#",))


DEEPEST = 64
_SURROGATE = re.compile("[\ud800-\udfff]")


def _plain(value: object) -> bool:
    """Whether a value can be sent, seen at a glance."""
    return value.isascii() if isinstance(value, str) else isinstance(value, int | float)


def _unsendable(body: Mapping[str, Any]) -> Iterator[Fault]:
    """Texts with half of a surrogate pair: lawful JSON, but nothing that can be sent."""
    left: list[tuple[Path, Any]] = [((), body)]
    while left:
        path, value = left.pop()
        if len(path) > DEEPEST:  # no schema goes so far down; what does is refused for that
            continue
        if isinstance(value, Mapping):
            left.extend(((*path, name), one) for name, one in value.items())
        elif isinstance(value, list):
            left.extend(((*path, number), one) for number, one in enumerate(value))
        elif isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
            headline = f"`{dotted(path)}` holds half of a surrogate pair, which no text in UTF-8 can hold"
            yield Fault(path=path, code="bad-value", headline=headline)


def _breaches(error: "ValidationError", schema: Mapping[str, Any]) -> Iterator[Breach]:
    path, place = tuple(error.absolute_path), tuple(error.absolute_schema_path)
    around: Any = error.schema
    rule = place[:2] if place[0] == "allOf" and "x-rule" in at(schema, place[:2]) else None
    value: Any = error.instance
    names: Iterable[Any] = (None,)
    match error.validator:
        case "required":
            names = (name for name in around["required"] if name not in value)
        case "additionalProperties":
            patterns = around.get("patternProperties", {})
            names = (
                name
                for name in value
                if name not in around.get("properties", {}) and not any(re.search(p, name) for p in patterns)
            )
    for name in names:
        yield Breach(
            path=path if name is None else (*path, name),
            value=value,
            keyword=str(error.validator),
            schema=around,
            place=place,
            rule=rule,
        )


# ---------------------------------------------------------------- values a model's file names


def _unlawful(document: Mapping[str, Any]) -> Iterator[Fault]:
    properties, said = document["properties"], document["x-model"]
    named: list[tuple[Path, str, Any]] = [
        (("properties", name, key), name, schema[key])
        for name, schema in properties.items()
        for key in ("default", "x-key-default")
        if key in schema
    ]
    for provider, offer in said["providers"].items():
        for number, price in enumerate(offer["prices"]):
            path: Path = ("x-model", "providers", provider, "prices", number, "times")
            named.extend(
                ((*path, n, name), name, value)
                for n, times in enumerate(price.get("times", ()))
                for name, value in times.items()
                if name != "by"
            )
    for path, name, value in named:
        if not _compiled(properties[name]).is_valid(value):
            headline = f"`{name}` does not take {quoted(value)}: it takes {takes(properties[name])}"
            yield Fault(path=path, code="bad-model", headline=headline)
    if "px" not in said["output"]:
        return
    # A picture's shape may be lawful in some sizes only: the schema itself says in which.
    judge = _compiled({key: value for key, value in document.items() if key != "required"})
    for tier, ratio in product(properties["quality"]["enum"], properties["aspect_ratio"]["enum"]):
        lawful = judge.is_valid({"quality": tier, "aspect_ratio": ratio})
        if lawful != (ratio in said["output"]["px"][tier]):
            headline = f"`px` {'lacks' if lawful else 'lists'} {ratio} at {tier}, which the model {'takes' if lawful else 'does not take'}"
            yield Fault(path=("x-model", "output", "px", tier), code="bad-model", headline=headline)
