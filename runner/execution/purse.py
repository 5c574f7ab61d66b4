"""What this run may still commit, as submissions and the service's own figures use it up."""

from collections.abc import Mapping
from decimal import Decimal

from runner.core.lifecycle import State
from runner.core.money import ZERO, rounded, total
from runner.planning.history import Purchase

Place = tuple[str, int]  # key and number of a purchase


class Purse:
    """`limit` in credits; None: no cap, as on a free service. Only the event loop's thread touches it.

    It counts what this run newly commits: its own purchases, and of earlier ones what they turn out to cost more. `dearer` is known
    of models from before: how many times our price the service has wanted.
    """

    def __init__(self, limit: Decimal | None, dearer: Mapping[str, Decimal] | None = None) -> None:
        self._limit = limit
        self._held: dict[Place, Decimal] = {}
        self._estimates: dict[Place, Decimal] = {}
        self._promised: dict[Place, tuple[str, Decimal]] = {}
        self._dearer = dict(dearer or {})
        self._least: dict[str, Decimal] = {}

    @property
    def gone(self) -> Decimal:
        return total(self._held.values())

    def promise(self, asked: Mapping[Place, tuple[str, Decimal]]) -> None:
        """What the plan is going to buy, by place: (model, estimate). A retry may not use up what it needs."""
        self._promised.update(asked)

    def spares(self, model: str, estimate: Decimal) -> bool:
        """Whether one more submission fits beside all that is promised."""
        promised = total(self._price(*asked) for asked in self._promised.values())
        return self._limit is None or self.gone + promised + self._price(model, estimate) <= self._limit

    def take(self, place: Place, model: str, estimate: Decimal) -> Decimal | None:
        """Set a submission's price aside and return it; None if it does not fit."""
        price = self._price(model, estimate)
        self._promised.pop(place, None)
        if self._limit is not None and self.gone + price > self._limit:
            return None
        self._held[place], self._estimates[place] = price, estimate
        return price

    def give_back(self, place: Place) -> None:
        """Certainly nothing was taken for it, or nothing will be."""
        self._promised.pop(place, None)
        self._held.pop(place, None)

    def moved(self, before: Purchase, after: Purchase) -> None:
        """An event has changed what a purchase counts for. What the service wants beyond our price counts at once, and for
        further takes of that model too."""
        if State.HELD in (before.state, after.state):
            return  # between two sends of the same bytes the price stays aside
        place = (after.key, after.number)
        change = after.committed - before.committed
        if change:
            self._held[place] = max(self._held.get(place, ZERO) + change, ZERO)
        estimate = self._estimates.get(place, after.intent.reserved)
        model, actual = after.intent.model, after.committed
        if actual > estimate > 0:
            self._dearer[model] = max(self._dearer.get(model, Decimal(1)), actual / estimate)
        elif actual > estimate:
            self._least[model] = max(self._least.get(model, ZERO), actual)

    def _price(self, model: str, estimate: Decimal) -> Decimal:
        """The estimate, raised by as much as the service has exceeded one of the same model; where there is none, the most
        that the service has wanted."""
        if estimate == 0:
            return self._least.get(model, ZERO)
        return rounded(estimate * self._dearer.get(model, Decimal(1)))
