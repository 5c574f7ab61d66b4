"""What this run may still commit, as submissions and the service's own figures use it up."""

from decimal import Decimal

from runner.core.money import ZERO, rounded


class Purse:
    """`limit` None: no cap, as on a free service. Only the event loop's thread touches it."""

    def __init__(self, limit: Decimal | None) -> None:
        self._limit = limit
        self._gone = ZERO
        self._dearer: dict[str, Decimal] = {}

    def fits(self, model: str, estimate: Decimal) -> bool:
        price = self._price(model, estimate)
        return self._limit is None or self._gone + price <= self._limit

    def take(self, model: str, estimate: Decimal) -> Decimal | None:
        """Set a submission's price aside and return it; None if it does not fit."""
        if not self.fits(model, estimate):
            return None
        price = self._price(model, estimate)
        self._gone += price
        return price

    def told(self, model: str, *, taken: Decimal, actual: Decimal) -> None:
        """The service has named its own figure for something set aside at `taken`; the higher one counts from now on."""
        if actual > taken:
            self._gone += actual - taken
            if taken > 0:
                self._dearer[model] = self._dearer.get(model, Decimal(1)) * actual / taken

    def give_back(self, taken: Decimal) -> None:
        """Certainly nothing was taken for it."""
        self._gone -= taken

    def _price(self, model: str, estimate: Decimal) -> Decimal:
        """The estimate, raised by as much as the service has exceeded an estimate of the same model."""
        return rounded(estimate * self._dearer.get(model, Decimal(1)))
