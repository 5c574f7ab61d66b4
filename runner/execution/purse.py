"""What this run may still commit, as submissions and the service's own figures use it up."""

from decimal import Decimal

from runner.core.money import ZERO


class Purse:
    """`limit` None: no cap, as on a free service. Only the event loop's thread touches it."""

    def __init__(self, limit: Decimal | None) -> None:
        self._limit = limit
        self._gone = ZERO
        self._dearer: dict[str, Decimal] = {}

    def price(self, model: str, estimate: Decimal) -> Decimal:
        """The estimate, raised by as much as the service has exceeded an estimate of the same model."""
        return estimate * self._dearer.get(model, Decimal(1))

    def take(self, model: str, estimate: Decimal) -> bool:
        """Set the price aside if it fits."""
        price = self.price(model, estimate)
        if self._limit is not None and self._gone + price > self._limit:
            return False
        self._gone += price
        return True

    def told(self, model: str, estimate: Decimal, actual: Decimal) -> None:
        """The service has named its own figure for something taken at `estimate`; the higher one counts from now on."""
        taken = self.price(model, estimate)
        if actual > taken:
            self._gone += actual - taken
            if estimate > 0:
                self._dearer[model] = actual / estimate

    def give_back(self, model: str, estimate: Decimal) -> None:
        """Certainly nothing was taken for it."""
        self._gone -= self.price(model, estimate)
