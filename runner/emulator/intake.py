"""From the bytes and headers of a create to a lawful request, or the refusal. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote

from runner.contract import check
from runner.contract.model import Model
from runner.core.media import Kind
from runner.core.request import canonical
from runner.emulator import callback_url
from runner.emulator.clock import FARTHEST_S
from runner.emulator.refusals import Refusal, Side
from runner.emulator.switches import WAN25, Switches
from runner.emulator.tasks import FILTERS, TYPES, Task

CALLBACK = "callback_url"
FAULT_HEADER = "X-Emulate-Fault"
LABEL_CHARACTERS = 80
SEEDS = 2**31  # seeds lie in [0, SEEDS)
BATCH = 50  # tasks of one query, and of one page of the list
PAGE = 20  # if it is not said
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9._-]{16,96}")
_INTEGER = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the headers of a create ask for; no part of the body, nor of what an idempotency key stands for.

    `seed` tells takes apart on models without a seed of their own; `label` is shown on the clip's card; `faults` is
    what the header X-Emulate-Fault says.
    """

    idempotency_key: str = ""
    seed: int | None = None
    label: str = ""
    faults: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A lawful request: `body` with the model's defaults filled in, `digest` of the bytes that came."""

    model: Model
    body: dict[str, Any]
    digest: str
    wishes: Wishes = field(default_factory=Wishes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the task list, from 1; words not given do not choose."""

    number: int
    size: int
    status: str = ""
    type: str = ""
    model: str = ""

    def fits(self, task: Task) -> bool:
        return (
            (not self.status or task.status in FILTERS[self.status])
            and self.type in ("", "video")
            and self.model in ("", task.model)
        )


def wishes(headers: Mapping[str, str]) -> Wishes:
    """Reads Idempotency-Key, X-Emulate-Seed (an integer) and X-Emulate-Label (percent-encoded UTF-8, up to 80 printable
    characters). Raises Refusal 400 with the header's name as parameter."""
    key = headers.get("Idempotency-Key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise Refusal(400, message="Invalid idempotency key format", param="Idempotency-Key")
    said = headers.get("X-Emulate-Seed")
    if said is not None and not _INTEGER.fullmatch(said):
        raise Refusal(400, message="X-Emulate-Seed is no integer", param="X-Emulate-Seed")
    label = unquote(headers.get("X-Emulate-Label", ""))
    if len(label) > LABEL_CHARACTERS or not label.isprintable() or "\ufffd" in label:
        raise Refusal(400, message="X-Emulate-Label is no label", param="X-Emulate-Label")
    return Wishes(
        idempotency_key=key or "",
        seed=None if said is None else int(said) % SEEDS,
        label=label,
        faults=headers.get(FAULT_HEADER, ""),
    )


def read(raw: bytes, models: Mapping[str, Model], wished: Wishes, switches: Switches) -> Asked:
    """The request in these bytes. Raises Refusal 400 (with `param` where one property is at fault) or 404."""
    written = json_object(raw)
    model = _model(written.get("model"), models)
    for name, policy in model.too_long.items():
        most = longest(model, name, switches)
        if isinstance(text := written.get(name), str) and len(text) > most:
            if policy != "cut" and switches.long_prompt == "refuse":
                raise _unlawful(f"`{name}` has {len(text)} characters; model `{model.name}` takes {most}", name)
            written[name] = text[:most]
    if switches.unknown_fields == "ignore":
        written = {name: value for name, value in written.items() if name in model.properties}
    if switches.silent_audio == "ignore" and isinstance(model.sound, str) and written.get(model.sound) is False:
        sounds = {name for name, rule in model.by_property.items() if rule.kind is Kind.AUDIO}
        written = {name: value for name, value in written.items() if name not in sounds}
    body = {**model.defaults, **written}
    loopback, called = switches.callbacks == "loopback", body.get(CALLBACK)
    lawful = body
    if loopback and isinstance(called, str) and called.startswith("http://"):
        lawful = {**body, CALLBACK: f"https{called.removeprefix('http')}"}
    if faults := check.faults(model, lawful):
        first = faults[0]
        raise _unlawful(first.headline, str(first.path[0]))
    if called is not None and (reason := callback_url.fault(called, loopback=loopback)):
        raise _unlawful(f"`{CALLBACK}` is never called: {reason}", CALLBACK)
    return Asked(model=model, body=body, digest=hashlib.sha256(raw).hexdigest(), wishes=wished)


def page(query: Mapping[str, str]) -> Page:
    """Reads status, type, model, page and page_size. Raises Refusal 400 with the parameter's name."""
    for name, words in (("status", tuple(FILTERS)), ("type", TYPES)):
        if name in query and query[name] not in words:
            raise _unlisted(name, f"one of {', '.join(words)}")
    number, size = paging(query, size="page_size")
    status, kind = query.get("status", ""), query.get("type", "")
    return Page(number=number, size=size, status=status, type=kind, model=query.get("model", ""))


def paging(query: Mapping[str, str], *, size: str) -> tuple[int, int]:
    """The number of the page, from 1, and its size, whose parameter's name is `size`. Raises Refusal 400."""
    number, wished = query.get("page", "1"), query.get(size, str(PAGE))
    if not _NUMBER.fullmatch(number):
        raise _unlisted("page", "a number from 1")
    if not _NUMBER.fullmatch(wished) or int(wished) > BATCH:
        raise _unlisted(size, f"a number from 1 to {BATCH}")
    return int(number), int(wished)


def batch(raw: bytes) -> list[str]:
    """The ids in the body of a batch query, 1 to BATCH of them. Raises Refusal 400."""
    ids = json_object(raw).get("task_ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= BATCH or not all(isinstance(one, str) for one in ids):
        raise _unlisted("task_ids", f"a list of 1 to {BATCH} task ids")
    return ids


def skip(raw: bytes) -> float:
    """The seconds in the body of a call to the clock. Raises Refusal 400."""
    seconds = json_object(raw).get("advance_s")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= FARTHEST_S:
        raise _unlisted("advance_s", f"a number of seconds, 0 to {FARTHEST_S:.0f}")
    return float(seconds)


def seed(asked: Asked, identities: Mapping[str, str]) -> int:
    """The seed the clip is drawn with: the body's own, else the header's, else one made from the body.

    `identities` are the digests of the media by their URL: where a file was found is no part of what it shows.
    """
    if "seed" in asked.body:
        return int(asked.body["seed"])
    if asked.wishes.seed is not None:
        return asked.wishes.seed
    kept = {n: _identified(v, identities) for n, v in asked.body.items() if n not in asked.model.transport}
    return int.from_bytes(hashlib.sha256(canonical(kept)).digest()[:4]) % SEEDS


def seconds(asked: Asked) -> int:
    """How long the clip is; a model that leaves it to the service gets 5."""
    wished = asked.body.get("duration")
    return int(wished) if isinstance(wished, int | float) and wished >= 1 else 5


def shot_type(asked: Asked) -> str:
    """`single`, `multi`, or nothing where the request leaves it to the prompt; `multi` counts only where the prompt may be extended."""
    parameters = asked.body.get("model_params")
    said = parameters.get("shot_type") if isinstance(parameters, dict) else None
    if said == "multi" and asked.body.get("prompt_extend") is False:
        return "single"
    return said if isinstance(said, str) else ""


def media_urls(asked: Asked) -> dict[str, tuple[str, ...]]:
    """The URLs of reference media by the property that holds them, in their order."""
    found = {name: asked.body[name] for name in asked.model.by_property if name in asked.body}
    return {name: tuple(value) if isinstance(value, list) else (value,) for name, value in found.items()}


def _identified(value: Any, identities: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_identified(v, identities) for v in value]
    return identities.get(value, value) if isinstance(value, str) else value


def json_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in these bytes. Raises Refusal 400."""
    try:
        written = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        json.dumps(written, ensure_ascii=False).encode("utf-8")  # a lone surrogate is no text
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Refusal(400, message="Invalid request format: the body is no JSON", param="") from None
    if not isinstance(written, dict):
        raise Refusal(400, message="Invalid request format: the body is no JSON object", param="")
    return written


def longest(model: Model, name: str, switches: Switches) -> int:
    most: int = model.properties[name]["maxLength"]
    return min(most, switches.wan25_prompt) if (model.name, name) == (WAN25, "prompt") else most


def _unlawful(headline: str, param: str) -> Refusal:
    return Refusal(400, message=f"Invalid request format: {headline}", param=param)


def _unlisted(param: str, lawful: str) -> Refusal:
    return Refusal(400, Side.QUERY, code="invalid_parameters", message=f"`{param}` is {lawful}", param=param)


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _model(name: object, models: Mapping[str, Model]) -> Model:
    if not isinstance(name, str) or not name:
        raise Refusal(400, param="model")
    if name not in models:
        near = get_close_matches(name[:100], models, n=1, cutoff=0.0)
        raise Refusal(404, suggestion=near[0] if near else None)
    return models[name]
