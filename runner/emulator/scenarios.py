"""Faults on order: which create, by what it asks for and as which of its kind, meets which fault. Deterministic by seed."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runner.contract.model import Model
from runner.core.media import Kind
from runner.emulator.faults import At, Fault
from runner.emulator.mishaps import Mishap, OnCreate


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a create asks for, as far as it can be read. `sound` tells whether it brings a sound file."""

    model: str = ""
    prompt: str = ""
    label: str = ""
    sound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One fault with all its parameters."""

    fault: Fault
    values: Mapping[str, Any]

    def mishap(self) -> Mishap:
        return self.fault.make(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Whom a fault strikes: creates (or uploads) for which all of this holds.

    `prompt` is found anywhere in the prompt. Of those that fit, counted from 1: the `nth`, the `first` so many, or `every`
    so many-th; each with this `probability`.
    """

    chosen: Chosen
    model: str | None = None
    prompt: re.Pattern[str] | None = None
    label: str | None = None
    nth: int | None = None
    first: int | None = None
    every: int | None = None
    probability: float = 1.0

    def fits(self, facts: Facts) -> bool:
        return (
            self.model in (None, facts.model)
            and self.label in (None, facts.label)
            and (self.prompt is None or self.prompt.search(facts.prompt) is not None)
            and (facts.sound or not self.chosen.fault.sound)
        )

    def strikes(self, count: int, chance: float) -> bool:
        """Whether the `count`-th that fits is struck; `chance` lies in [0, 1)."""
        return (
            self.nth in (None, count)
            and (self.first is None or count <= self.first)
            and (self.every is None or count % self.every == 0)
            and chance < self.probability
        )


@dataclass(slots=True, kw_only=True)
class Scenarios:
    """All scenarios of one emulator, and how often each has been fitted so far."""

    scenarios: tuple[Scenario, ...] = ()
    seed: int = 0
    _counts: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._counts = [0] * len(self.scenarios)

    def on_create(self, facts: Facts) -> tuple[Mishap, ...]:
        """What strikes this create, in the order of the file; every create is asked for once."""
        return self._struck(facts, uploads=False)

    def on_upload(self) -> tuple[Mishap, ...]:
        return self._struck(Facts(), uploads=True)

    def _struck(self, facts: Facts, *, uploads: bool) -> tuple[Mishap, ...]:
        struck = []
        for number, scenario in enumerate(self.scenarios):
            if (scenario.chosen.fault.at is At.UPLOAD) is not uploads or not scenario.fits(facts):
                continue
            self._counts[number] += 1
            if scenario.strikes(self._counts[number], self._chance(number)):
                struck.append(scenario.chosen.mishap())
        return tuple(struck)

    def _chance(self, number: int) -> float:
        drawn = hashlib.sha256(f"{self.seed}:{number}:{self._counts[number]}".encode()).digest()
        return int.from_bytes(drawn[:7], "big") / (1 << 56)


def facts(raw: bytes, label: str, models: Mapping[str, Model]) -> Facts:
    """Of the bytes of a create, which may be no lawful one."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return Facts(label=label)
    if not isinstance(body, dict):
        return Facts(label=label)
    model, prompt = body.get("model"), body.get("prompt")
    known = models.get(model) if isinstance(model, str) else None
    sounds = {name for name, rule in known.by_property.items() if rule.kind is Kind.AUDIO} if known else set()
    return Facts(
        model=model if isinstance(model, str) else "",
        prompt=prompt if isinstance(prompt, str) else "",
        label=label,
        sound=bool(sounds & body.keys()),
    )


def of_create(mishaps: Iterable[Mishap], number: int) -> tuple[Mishap, ...]:
    """Mishaps of a single create, which has this number; those of its task need none."""
    return tuple(replace(one, create=number) if isinstance(one, OnCreate) else one for one in mishaps)
