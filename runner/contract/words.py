"""What is wrong with a value a schema does not take, in our words."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.contract.coherence import PLACEHOLDER
from runner.contract.fault import Fault, Path, dotted, named, pointer
from runner.contract.phrases import bare, counted, quoted, takes
from runner.core.spelling import nearest

MOST_LISTED = 15  # names in a help line
_NAMED = re.compile(r"`(\w+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Whose rules they are: `who` takes a value or does not (model `x`); they stand in `schema`, shown as `origin`.

    `origin` may be empty, then no fault points to it; `code`, if any, is every fault's; `words` names the storyboard's word for a property that a medium fills; the rest
    is as in `Model`.
    """

    who: str
    origin: str
    schema: Mapping[str, Any]
    code: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    too_long: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One broken keyword of a schema.

    `value` stands at `path`; for `required` and `additionalProperties` the path ends in the missing or surplus name and
    the value is the mapping around it. `schema` is the one the keyword stands in, `place` the keyword's own path. `rule`
    leads to the closest schema around it that has a sentence of its own (`x-rule`), where one has.
    """

    path: Path
    value: Any
    keyword: str
    schema: Mapping[str, Any]
    place: Path
    rule: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    headline: str
    code: str = "bad-value"
    help: str = ""
    note: str = ""
    nearest: Any = None


def fault(breach: Breach, body: Mapping[str, Any], speaker: Speaker) -> Fault:
    """The fault in the words of its keyword, or of the rule it broke."""
    said = _SENTENCES.get(breach.keyword, _unfit)(breach, speaker)
    if breach.rule is None:
        place = (f"{speaker.origin}{pointer(breach.place)}",) if speaker.origin else ()
        return Fault(
            path=breach.path,
            code=speaker.code or said.code,
            headline=said.headline,
            notes=(said.note, *place) if said.note else place,
            help=said.help,
            nearest=said.nearest,
        )
    sentence = str(at(speaker.schema, breach.rule)["x-rule"])
    seen = {name: bare(body.get(name, speaker.defaults.get(name))) for name in PLACEHOLDER.findall(sentence)}
    joined: list[Path] = [(name,) for name in dict.fromkeys(_NAMED.findall(sentence)) if name in body]
    path = breach.path or (joined or [("model",)])[0]
    return Fault(
        path=path,
        code=speaker.code or "model-rule",
        headline=f"{speaker.who}: {PLACEHOLDER.sub(lambda found: seen[found[1]], sentence)}",
        notes=(f"{speaker.origin}{pointer(breach.rule)}",),
        help=said.help,
        others=tuple(other for other in joined if other != path[:1]),
        nearest=said.nearest,
    )


def _type(breach: Breach, speaker: Speaker) -> _Said:
    value, what = breach.value, takes(breach.schema)
    shown = f"the text {quoted(value)}" if isinstance(value, str) else quoted(value)
    return _Said(
        headline=f"{_name(breach)} is {shown}; {speaker.who} takes {what}",
        help=_number_in_text(value, breach.schema) if isinstance(value, str) else "",
    )


def _number_in_text(text: str, schema: Mapping[str, Any]) -> str:
    wanted = schema.get("type")
    if wanted in ("integer", "number") and text.strip().lstrip("+-").replace(".", "", 1).isdecimal():
        return f"write {text.strip()} without quotes; what a table or a variable gives as text, `| int` makes a number"
    if wanted == "boolean" and text.lower() in ("yes", "no", "on", "off", "true", "false"):
        return f"write {'true' if text.lower() in ('yes', 'on', 'true') else 'false'}, without quotes"
    return ""


def _choice(breach: Breach, speaker: Speaker) -> _Said:
    value = breach.value
    lawful = breach.schema.get("enum", [breach.schema.get("const")])
    near = _nearest(value, lawful)
    advice = ""
    if near is not None and len(lawful) > 1:
        advice = f"did you mean `{near}`?" if isinstance(value, str) else f"the nearest it takes is {near}"
    return _Said(
        headline=f"{_name(breach)} is {bare(value)}; {speaker.who} takes {takes(breach.schema)}",
        help=advice,
        nearest=near,
    )


def _nearest(value: Any, lawful: list[Any]) -> Any:
    if len(lawful) == 1:
        return lawful[0]
    if _is_number(value):
        numbers = [one for one in lawful if _is_number(one)]
        return min(numbers, key=lambda one: abs(one - value), default=None)
    texts = [one for one in lawful if isinstance(one, str)]
    return (nearest(value, texts) or None) if isinstance(value, str) else None


def _bound(breach: Breach, speaker: Speaker) -> _Said:
    bound = breach.schema[breach.keyword]
    return _Said(
        headline=f"{_name(breach)} is {bare(breach.value)}; {speaker.who} takes {takes(breach.schema)}",
        help=f"the nearest it takes is {bound}" if breach.keyword in ("minimum", "maximum") else "",
        nearest=bound if breach.keyword in ("minimum", "maximum") else None,
    )


def _length(breach: Breach, speaker: Speaker) -> _Said:
    length, bound = len(breach.value), breach.schema[breach.keyword]
    if length == 0:
        return _Said(headline=f"{_name(breach)} is empty; {speaker.who} needs some text")
    has = f"{_name(breach)} has {counted(length, 'character')}; {speaker.who} takes"
    if breach.keyword == "minLength":
        return _Said(headline=f"{has} {bound} or more")
    cut = speaker.too_long.get(str(breach.path[0])) == "cut"
    return _Said(
        headline=f"{has} {bound}: {length - bound} too many",
        note="the service would cut what is too much, without a word" if cut else "",
    )


def _count(breach: Breach, speaker: Speaker) -> _Said:
    word = speaker.words.get(str(breach.path[0]))
    low, high = breach.schema.get("minItems", 0), breach.schema.get("maxItems")
    lawful = f"{low} or more" if high is None else f"{low} to {high}" if low != high else str(low)
    has = (
        f"{_name(breach)} has {counted(len(breach.value), 'entry', 'entries')}"
        if breach.value
        else f"{_name(breach)} is empty"
    )
    return _Said(
        headline=f"{has}; {speaker.who} takes {lawful}",
        help=f"a shot's `{word}` fills it" if word and len(breach.path) == 1 else "",
    )


def _missing(breach: Breach, speaker: Speaker) -> _Said:
    name, around = str(breach.path[-1]), dotted(breach.path[:-1])
    word = speaker.words.get(str(name), str(name)) if not around else ""
    return _Said(
        code="missing-parameter",
        headline=f"{speaker.who} needs `{named(name)}`" + (f" in `{around}`" if around else ""),
        help=f"give the shot `{word}:`" if word and not speaker.code else "",
    )


def _surplus(breach: Breach, speaker: Speaker) -> _Said:
    name, around = str(breach.path[-1]), dotted(breach.path[:-1])
    known = breach.schema.get("properties", {})
    reason = "" if around else speaker.without.get(name, "")
    near = "" if reason else nearest(name, (one for one in known if one not in breach.value)) or nearest(name, known)
    whole = f"`{around}` of {speaker.who}" if around else speaker.who
    return _Said(
        code="unknown-parameter",
        headline=f"{whole} has no `{named(name)}`{': ' if reason else ''}{reason}",
        help=f"leave `{name}` out"
        if reason
        else f"did you mean `{near}`?"
        if near
        else f"it has {', '.join(known)}"
        if len(known) <= MOST_LISTED
        else "",
        nearest=near or None,
    )


def _unfit(breach: Breach, speaker: Speaker) -> _Said:
    return _Said(headline=f"{_name(breach)} is {quoted(breach.value)}; {speaker.who} takes {takes(breach.schema)}")


_SENTENCES: dict[str, Callable[[Breach, Speaker], _Said]] = {
    "type": _type,
    "enum": _choice,
    "const": _choice,
    "minimum": _bound,
    "maximum": _bound,
    "exclusiveMinimum": _bound,
    "exclusiveMaximum": _bound,
    "minLength": _length,
    "maxLength": _length,
    "minItems": _count,
    "maxItems": _count,
    "required": _missing,
    "additionalProperties": _surplus,
}


def at(schema: Any, path: Path) -> Any:
    for step in path:
        schema = schema[step]
    return schema


def _name(breach: Breach) -> str:
    return f"`{dotted(breach.path)}`" if breach.path else "the body"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
