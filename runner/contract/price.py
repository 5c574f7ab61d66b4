"""What a request costs by the model's dated tariffs. Exact arithmetic, rounded once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from runner.contract.model import Factor, InputSeconds, Model, Tariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """An amount to 0.01 of `unit`, by the tariff that holds since that day."""

    amount: Decimal
    unit: str
    since: date


def estimate(
    model: Model, provider: str, body: Mapping[str, Any], input_seconds: Sequence[Fraction | None], on: date
) -> Price | None:
    """What the provider asks for this lawful body on that day; None where that is unknown, which is never free.

    `input_seconds` are the lengths of the media that the tariff counts, each as long as it is; None, a file only known by
    its URL, counts its cap. Other media's seconds must not be among them.
    """
    if (tariff := tariff_on(model, provider, on)) is None:
        return None
    seconds = model.value(body, "duration")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        return None
    paid = Fraction(seconds)
    if tariff.input_seconds is not None:
        if (more := _input_seconds(tariff.input_seconds, input_seconds)) is None:
            return None
        paid += more
    exact = Fraction(tariff.per_second) * paid
    for factor in tariff.factors:
        if _applies(factor, model, body):
            exact *= Fraction(factor.by)
    return Price(amount=_cents(max(exact, Fraction(tariff.minimum))), unit=tariff.unit, since=tariff.since)


def wanted(model: Model, provider: str, body: Mapping[str, Any], paid: Decimal, on: date) -> Decimal:
    """How many times today's price the service has wanted for a body like this one, 1 at least; its media count at their most."""
    tariff = tariff_on(model, provider, on)
    counted = tariff.input_seconds if tariff else None
    rule = next((r for r in model.media.values() if counted and r.kind is counted.kind), None)
    media = body.get(rule.property, ()) if rule else ()
    today = estimate(model, provider, body, [None] * (len(media) if isinstance(media, list) else 1 if media else 0), on)
    return max(Decimal(1), paid / today.amount) if today and today.amount else Decimal(1)


def tariff_on(model: Model, provider: str, on: date) -> Tariff | None:
    """The provider's newest tariff that does not begin after that day; None before the first."""
    offer = model.providers.get(provider)
    begun = [tariff for tariff in offer.tariffs if tariff.since <= on] if offer else []
    return max(begun, key=lambda tariff: tariff.since, default=None)


def _input_seconds(rule: InputSeconds, lengths: Sequence[Fraction | None]) -> Fraction | None:
    if not lengths:
        return Fraction(0)
    if (written := rule.cap_s.get(len(lengths))) is None:
        return None
    cap = Fraction(written)
    return sum((cap if length is None else min(length, cap) for length in lengths), Fraction(0))


def _applies(factor: Factor, model: Model, body: Mapping[str, Any]) -> bool:
    return all(_equal(model.value(body, name), value) for name, value in factor.when.items())


def _equal(found: object, wanted: object) -> bool:
    # 1 is not true here, though Python says so.
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _cents(exact: Fraction) -> Decimal:
    """Half up to 0.01; the amount is not negative."""
    return Decimal(int(exact * 100 + Fraction(1, 2))).scaleb(-2)
