"""A model as its schema file describes it: what may be sent, which media it takes, what comes out, what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import sqrt
from typing import Any

from runner.contract.coherence import contradictions
from runner.contract.fault import Fault
from runner.core.media import WORDS, Kind, MediaFacts

JSON = Any  # what json.loads gives: dict list str int float bool None

MULTIPLE_PX = 16  # sides of a picture whose shape follows an image


class SeedContract(StrEnum):
    HONOURED = "honoured"  # the same request and seed give the same clip
    BEST_EFFORT = "best effort"  # they give clips that are more alike
    ABSENT = "absent"  # the model takes no seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """The seed's contract, and the range of lawful seeds; both bounds are 0 where there is no seed."""

    contract: SeedContract
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRule:
    """What the model takes of one kind of medium, and which property of the body holds it.

    `count` is least and most; `is_list` whether the property is a list of URLs or one URL. Limits are inclusive, None
    is no limit: `max_bytes`, `side_px` for width and for height, `seconds` of each file. `formats` are the names a
    probe gives (`MediaFacts.format`). `alpha` tells whether transparency is taken.
    """

    kind: Kind
    word: str
    property: str
    is_list: bool
    count: tuple[int, int]
    formats: tuple[str, ...]
    max_bytes: int | None
    side_px: tuple[int, int] | None
    seconds: tuple[Fraction, Fraction] | None
    alpha: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The finished clip: either `px`, pixels by quality and aspect ratio, or `area_px` by quality with an image's shape."""

    fps: int
    px: Mapping[str, Mapping[str, tuple[int, int]]]
    area_px: Mapping[str, int]
    follows: Kind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """Multiplies a price where every property named in `when` has the value given there."""

    when: Mapping[str, JSON]
    by: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSeconds:
    """Seconds of reference media are paid like seconds made, each file up to `cap_s[number of files]`."""

    kind: Kind
    cap_s: Mapping[int, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """One provider's price from a day on: `per_second` of `unit`, times the factors that apply, never below `minimum`.

    `per_usd` is how many units one US dollar is, None where nobody says so.
    """

    since: date
    unit: str
    per_usd: Decimal | None
    per_second: Decimal
    factors: tuple[Factor, ...]
    input_seconds: InputSeconds | None
    minimum: Decimal
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Where a provider takes requests for the model, and its tariffs, oldest first; none: the price is unknown.

    `origin` is the file of a project that states the tariffs, as shown to users; "" where the model's own file does.
    """

    path: str
    tariffs: tuple[Tariff, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A remark that stops nothing: `says` it of the property `at` where the body fits the schema `condition`."""

    condition: Mapping[str, JSON]
    at: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """One generator; compared by identity.

    `origin` is the schema file as shown to users. `schema` judges a whole body and is free of `x-model`; `properties`
    are its top-level properties in file order, `model` included. `defaults` holds what is sent where nothing is
    written; `transport` names properties that are no part of what is bought; `key_defaults` holds, for properties added
    later, the value at which a request's key is what it was before. `media` is keyed by the storyboard's word (image,
    videos, audio), `by_property` by the model's own name for the same rules. `calls` is how its prompts call what such a word
    gives it, as `character{n}`, n from 1.

    `too_long` says what the service does with a text that is too long, `refused` or `cut`; we refuse either.
    `without` says why a property that other models have is missing here.
    """

    name: str
    title: str
    description: str
    origin: str
    schema: dict[str, JSON]
    properties: Mapping[str, dict[str, JSON]]
    required: frozenset[str]
    defaults: Mapping[str, JSON]
    transport: frozenset[str]
    key_defaults: Mapping[str, JSON]
    media: Mapping[str, MediaRule]
    by_property: Mapping[str, MediaRule]
    calls: Mapping[str, str]
    output: Output
    seed: Seed
    too_long: Mapping[str, str]
    sound: bool | str
    without: Mapping[str, str]
    advice: tuple[Advice, ...]
    providers: Mapping[str, Offer]

    def value(self, body: Mapping[str, JSON], name: str) -> JSON:
        """What the service sees under `name`: the body's own value, else the default, else None."""
        return body.get(name, self.defaults.get(name))

    def sounds(self, body: Mapping[str, JSON]) -> bool:
        """Whether the clip of this body has a sound track."""
        return self.sound if isinstance(self.sound, bool) else bool(self.value(body, self.sound))

    def bought(self, body: Mapping[str, JSON]) -> dict[str, JSON]:
        """What of a body is bought, and so is in its key: no transport, nothing at the value it had before there was a property for it."""
        return {
            name: value
            for name, value in body.items()
            if name not in self.transport and not (name in self.key_defaults and self.key_defaults[name] == value)
        }

    def size(self, body: Mapping[str, JSON], image: MediaFacts | None) -> tuple[int, int]:
        """Width and height in pixels of the clip of this lawful body.

        `image` is the picture whose shape the clip takes, where it takes one; None, as for a picture that only its URL
        tells of, counts as 16:9.
        """
        tier = self.value(body, "quality")
        if self.output.follows is None:
            return self.output.px[tier][self.value(body, "aspect_ratio")]
        width, height = (image.width_px or 16, image.height_px or 9) if image else (16, 9)
        area = self.output.area_px[tier]
        return _multiple(sqrt(area * width / height)), _multiple(sqrt(area * height / width))


class BrokenModel(ValueError):
    """A schema file that contradicts itself; `faults` have paths into the file."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(f.headline for f in faults))


def load(document: Mapping[str, JSON], origin: str) -> Model:
    """The model of a schema file that fits the metaschema; raises BrokenModel where the file contradicts itself.

    A file of unknown make goes through `check.model_file` first, which finds every fault.
    """
    if found := contradictions(document):
        raise BrokenModel(found)
    said = document["x-model"]
    schema = {key: value for key, value in document.items() if key != "x-model"}
    properties: Mapping[str, dict[str, JSON]] = schema["properties"]
    rules = [_media_rule(Kind(kind), rule, properties) for kind, rule in said["media"].items()]
    return Model(
        name=properties["model"]["const"],
        title=schema["title"],
        description=schema["description"],
        origin=origin,
        schema=schema,
        properties=properties,
        required=frozenset(schema["required"]),
        defaults={name: value["default"] for name, value in properties.items() if "default" in value},
        transport=frozenset(name for name, value in properties.items() if value.get("x-transport")),
        key_defaults={n: value["x-key-default"] for n, value in properties.items() if "x-key-default" in value},
        media={rule.word: rule for rule in rules},
        by_property={rule.property: rule for rule in rules},
        calls=said.get("calls", {}),
        output=_output(said["output"]),
        seed=_seed(SeedContract(said["seed"]), properties),
        too_long=said.get("too_long", {}),
        sound=said["sound"],
        without=said.get("without", {}),
        advice=tuple(Advice(condition=a["if"], at=a["at"], says=a["says"]) for a in said.get("advice", ())),
        providers={name: _offer(offer) for name, offer in said["providers"].items()},
    )


def _media_rule(kind: Kind, rule: JSON, properties: Mapping[str, JSON]) -> MediaRule:
    seconds = rule.get("seconds")
    return MediaRule(
        kind=kind,
        word=WORDS[kind],
        property=rule["property"],
        is_list=properties[rule["property"]]["type"] == "array",
        count=(rule["count"][0], rule["count"][1]),
        formats=tuple(rule["formats"]),
        max_bytes=rule.get("max_bytes"),
        side_px=tuple(rule["side_px"]) if "side_px" in rule else None,
        # By way of its digits: 1.65 means 1.65, not the binary fraction beside it.
        seconds=(Fraction(str(seconds[0])), Fraction(str(seconds[1]))) if seconds else None,
        alpha=rule.get("alpha", True),
    )


def _output(output: JSON) -> Output:
    return Output(
        fps=output["fps"],
        px={tier: {ratio: (w, h) for ratio, (w, h) in row.items()} for tier, row in output.get("px", {}).items()},
        area_px=output.get("area_px", {}),
        follows=Kind(output["follows"]) if "follows" in output else None,
    )


def _seed(contract: SeedContract, properties: Mapping[str, JSON]) -> Seed:
    if contract is SeedContract.ABSENT:
        return Seed(contract=contract)
    return Seed(contract=contract, first=properties["seed"]["minimum"], last=properties["seed"]["maximum"])


def _offer(offer: JSON) -> Offer:
    return Offer(path=offer["path"], tariffs=tuple(_tariff(price) for price in offer["prices"]))


def _tariff(price: JSON) -> Tariff:
    seconds = price.get("input_seconds")
    return Tariff(
        since=date.fromisoformat(price["from"]),
        unit=price["unit"],
        per_usd=Decimal(price["per_usd"]) if "per_usd" in price else None,
        per_second=Decimal(price["per_second"]),
        factors=tuple(
            Factor(when={key: value for key, value in times.items() if key != "by"}, by=Decimal(times["by"]))
            for times in price.get("times", ())
        ),
        input_seconds=seconds
        and InputSeconds(
            kind=Kind(seconds["media"]), cap_s={int(n): Decimal(cap) for n, cap in seconds["cap_s"].items()}
        ),
        minimum=Decimal(price.get("minimum", 0)),
        note=price.get("note", ""),
    )


def _multiple(length_px: float) -> int:
    return max(1, int(length_px / MULTIPLE_PX + 0.5)) * MULTIPLE_PX
