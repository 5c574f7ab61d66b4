"""What a run's ledger counts beside what the service says it took meanwhile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from runner.core.lifecycle import UNTAKEN, State
from runner.core.money import ZERO
from runner.planning.history import History, Purchase

_AT_WORK = frozenset({State.WAITING, State.OVERDUE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One run's credits at one service.

    `charged` as the service has told of each task; `reserved` counts where it has not. `earlier` is what of both belongs to
    purchases that runs before sent: the service may have taken it before this run began. `estimated` is what the price table
    said of the same purchases, None where it did not know one. `service` is by how much the account's used credits
    moved while the run worked, None where the service does not say.
    """

    charged: Decimal = ZERO
    reserved: Decimal = ZERO
    earlier: Decimal = ZERO
    estimated: Decimal | None = ZERO
    service: Decimal | None = None

    @property
    def ledger(self) -> Decimal:
        return self.charged + self.reserved

    @property
    def pending(self) -> Decimal:
        """What the ledger counts and the service has not taken in this run, as far as that is lawful: it may not have charged yet
        what it reserved, and may have charged before what runs before had sent."""
        gap = ZERO if self.service is None else self.ledger - self.service
        return gap if ZERO < gap <= self.reserved + max(self.earlier, ZERO) else ZERO

    @property
    def apart(self) -> Decimal:
        """By how much ledger and service differ without a lawful reason."""
        return ZERO if self.service is None or self.pending else abs(self.ledger - self.service)


def bill(
    before: History,
    after: History,
    *,
    service: str,
    estimates: Mapping[str, Decimal | None],
    moved: Decimal | None,
) -> Bill:
    """The bill of the run that made `after` of `before`. `estimates` are the price table's by key; `moved` is the movement of the
    account's used credits."""
    found = Bill(service=moved)
    known = {(p.key, p.number): p for p in _at(service, before)}
    for purchase in _at(service, after):
        old = known.get((purchase.key, purchase.number))
        charged, reserved = _moved(old, purchase)
        # What was given back cost nothing in the end, and was estimated all the same; what was not taken was never sent.
        new = old is None and purchase.state not in UNTAKEN
        if not (charged or reserved or new):
            continue
        estimate = estimates.get(purchase.key, purchase.intent.reserved)
        found = replace(
            found,
            charged=found.charged + charged,
            reserved=found.reserved + reserved,
            earlier=found.earlier + (ZERO if old is None else charged + reserved),
            estimated=None if found.estimated is None or estimate is None else found.estimated + estimate,
        )
    return found


def _moved(old: Purchase | None, now: Purchase) -> tuple[Decimal, Decimal]:
    """(charged, reserved without a charge) that this run has added."""
    if old is None:
        return (ZERO, now.committed) if now.charged is None else (now.charged, ZERO)
    if old.charged is not None or now.charged is not None:
        return (now.charged or ZERO) - (old.charged or ZERO), ZERO
    ended = old.state in _AT_WORK and now.state not in _AT_WORK
    return ZERO, now.committed if ended else ZERO


def _at(service: str, history: History) -> Iterator[Purchase]:
    return (purchase for made in history.values() for purchase in made if purchase.intent.service == service)
