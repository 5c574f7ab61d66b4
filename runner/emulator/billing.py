"""What tasks cost, by the models' price tables. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from runner.contract.model import Model
from runner.contract.price import estimate, tariff_on
from runner.core.media import Kind
from runner.core.money import ZERO

PROVIDER = "evolink"  # whose prices the emulator reads in the model schemas


def price(
    model: Model,
    body: Mapping[str, Any],
    seconds: Mapping[Kind, Sequence[Fraction | None]],
    at: float,
    made_s: int | None = None,
) -> Decimal:
    """Credits for this lawful body at unix time `at`; 0 for a model without a price.

    `seconds` are the lengths of the body's media by kind, None where one is not known yet; `made_s` is the length of the
    clip, once there is one: what was made is paid, not what was asked for.
    """
    day = datetime.fromtimestamp(at, UTC).date()
    tariff = tariff_on(model, PROVIDER, day)
    counted = tariff.input_seconds if tariff else None
    if made_s is not None and model.value(body, "duration") is not None:
        body = {**body, "duration": made_s}
    found = estimate(model, PROVIDER, body, seconds.get(counted.kind, ()) if counted else (), day)
    return found.amount if found else ZERO
