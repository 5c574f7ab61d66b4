"""What a model costs: its tariffs in words, and examples worked out with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from runner.contract import phrases
from runner.contract.model import Model, Tariff
from runner.contract.price import Price, estimate, tariff_on
from runner.core.media import Kind
from runner.screen import amounts

FILES = {Kind.IMAGE: "picture", Kind.VIDEO: "clip", Kind.AUDIO: "sound file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request in few words and its price with one provider."""

    provider: str
    says: str
    price: Price


def examples(model: Model, on: date) -> tuple[Example, ...]:
    """Of each provider with a price: the default request, then the other qualities and what else changes the price."""
    return tuple(example for provider in model.providers for example in _of(model, provider, on))


def default_price(model: Model, on: date) -> str:
    """`25.50 credits` for the default request, by the first provider with a price; `unknown` where none has one."""
    first = next(iter(examples(model, on)), None)
    return shown(first.price.amount, first.price.unit) if first else "unknown"


def rows(model: Model, on: date) -> Iterator[tuple[str, str, str]]:
    for example in examples(model, on):
        yield example.says, shown(example.price.amount, example.price.unit), example.provider


def sentences(model: Model, on: date) -> Iterator[str]:
    """One tariff a line, with the day it holds from."""
    for provider in model.providers:
        tariff = tariff_on(model, provider, on)
        if tariff is None:
            yield f"{provider}: unknown on {on}"
            continue
        parts = [f"{shown(tariff.per_second, tariff.unit)} a second"]
        for factor in tariff.factors:
            when = " and ".join(f"{name} {phrases.bare(value)}" for name, value in factor.when.items())
            parts.append(f"{when} x {factor.by.normalize():f}")
        if tariff.input_seconds is not None:
            caps = tariff.input_seconds.cap_s.items()
            counted = ", ".join(f"{cap.normalize():f} s each of {count}" for count, cap in sorted(caps))
            parts.append(f"seconds of reference {FILES[tariff.input_seconds.kind]}s count too, up to {counted}")
        if tariff.minimum:
            parts.append(f"at least {shown(tariff.minimum, tariff.unit)}")
        if tariff.per_usd is not None:
            parts.append(f"1 USD is {shown(tariff.per_usd, tariff.unit)}")
        if origin := model.providers[provider].origin:
            parts.append(f"by {origin} of this project")
        yield f"{provider} since {tariff.since}: {'; '.join([*parts, *([tariff.note] if tariff.note else [])])}"
    yield "animatic: free, an animatic drawn on this machine"


def as_json(model: Model, on: date) -> list[dict[str, Any]]:
    return [
        {
            "provider": provider,
            "origin": model.providers[provider].origin or model.origin,
            "since": tariff.since.isoformat() if tariff else None,
            "unit": tariff.unit if tariff else None,
            "per_usd": str(tariff.per_usd) if tariff and tariff.per_usd is not None else None,
            "per_second": str(tariff.per_second) if tariff else None,
            "minimum": str(tariff.minimum) if tariff else None,
            "times": [{**f.when, "by": str(f.by)} for f in tariff.factors] if tariff else [],
            "examples": [
                {"request": e.says, "amount": str(e.price.amount)}
                for e in examples(model, on)
                if e.provider == provider
            ],
        }
        for provider in model.providers
        for tariff in [tariff_on(model, provider, on)]
    ]


def shown(amount: Decimal, unit: str) -> str:
    """`25.50 credits`, in whatever unit."""
    return f"{amounts.amount(amount)} {unit}{'' if amount == 1 else 's'}"


def _of(model: Model, provider: str, on: date) -> Iterator[Example]:
    if (tariff := tariff_on(model, provider, on)) is None:
        return
    # As many files as the model needs, each as long as is paid at most.
    seconds = [None] * _files(model, tariff)
    for body in _bodies(model, tariff):
        if (price := estimate(model, provider, body, seconds, on)) is not None:
            yield Example(provider=provider, says=_said(model, tariff, body), price=price)


def _bodies(model: Model, tariff: Tariff) -> Iterator[dict[str, Any]]:
    qualities = model.properties.get("quality", {}).get("enum", ())
    default = model.defaults.get("quality")
    for quality in sorted(qualities, key=lambda quality: quality != default) or [None]:
        body = {} if quality is None else {"quality": quality}
        yield body
        yield from ({**body, **factor.when} for factor in tariff.factors if "quality" not in factor.when)


def _said(model: Model, tariff: Tariff, body: Mapping[str, Any]) -> str:
    words = [
        f"{model.defaults['duration']} s",
        *(str(v) if n == "quality" else f"{n} {phrases.bare(v)}" for n, v in body.items()),
    ]
    if tariff.input_seconds is not None and (count := _files(model, tariff)):
        cap = tariff.input_seconds.cap_s[count].normalize()
        words.append(f"{amounts.count(count, FILES[tariff.input_seconds.kind])} of {cap:f} s or more")
    return ", ".join(words)


def _files(model: Model, tariff: Tariff) -> int:
    """How many of the media that are paid by their seconds a request needs."""
    kind = tariff.input_seconds.kind if tariff.input_seconds else None
    return next((rule.count[0] for rule in model.media.values() if rule.kind is kind), 0)
