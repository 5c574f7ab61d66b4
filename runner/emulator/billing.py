"""What tasks cost by the models' price tables, and the one account they are charged to."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from runner.contract.model import Model
from runner.contract.price import estimate, tariff_on
from runner.core.media import Kind
from runner.core.money import ZERO
from runner.emulator.refusals import Refusal
from runner.emulator.tasks import number

PROVIDER = "evolink"  # whose prices the emulator reads in the model schemas


def price(
    model: Model, body: Mapping[str, Any], seconds: Mapping[Kind, Sequence[Fraction | None]], at: float
) -> Decimal:
    """Credits for this lawful body at unix time `at`; 0 for a model without a price.

    `seconds` are the lengths of the body's media by kind, None where one is not known yet.
    """
    day = datetime.fromtimestamp(at, UTC).date()
    tariff = tariff_on(model, PROVIDER, day)
    counted = tariff.input_seconds if tariff else None
    found = estimate(model, PROVIDER, body, seconds.get(counted.kind, ()) if counted else (), day)
    return found.amount if found else ZERO


class Account:
    """The balance all keys of this emulator share, in credits."""

    def __init__(self, balance: Decimal) -> None:
        self.remaining, self.used = balance, ZERO

    def reserve(self, amount: Decimal) -> None:
        """Raises Refusal 402 where the balance does not reach."""
        if amount > self.remaining:
            raise Refusal(402)
        self.remaining -= amount

    def settle(self, reserved: Decimal, charged: Decimal) -> None:
        """Gives the reserve back and takes the charge, which may be another amount."""
        self.remaining += reserved - charged
        self.used += charged

    def body(self) -> dict[str, Any]:
        """The answer to GET /v1/credits."""
        amounts = {"remaining_credits": number(self.remaining), "used_credits": number(self.used)}
        accounts = {"user": amounts, "token": {**amounts, "unlimited_credits": True}}
        return {"success": True, "message": "", "data": accounts}
