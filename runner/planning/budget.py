"""Admission: all of a plan or nothing, under the caps that hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from runner.core.money import ZERO, total
from runner.planning.history import History
from runner.planning.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """One limit: `limit` credits, `committed` of which are gone already; `name` says where it was set."""

    name: str
    limit: Decimal
    committed: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        return max(self.limit - self.committed, ZERO)


def committed_for(storyboard: str, history: History) -> Decimal:
    """Credits ever committed for a storyboard, by the journal."""
    return total(p.committed for made in history.values() for p in made if p.intent.storyboard == storyboard)


def over(plan: Plan, caps: Iterable[Cap]) -> tuple[Cap, ...]:
    """The caps that the plan's worst case does not fit under; an unknown price fits under none but is judged elsewhere."""
    price = plan.price
    return () if price is None else tuple(cap for cap in caps if price > cap.left)


def fitting(plan: Plan, left: Decimal) -> tuple[str, ...]:
    """Takes, in storyboard order, that would fit together under `left` credits."""
    chosen, spent = [], ZERO
    for action in plan.to_buy:
        if action.price is not None and spent + action.price <= left:
            spent += action.price
            chosen.append(action.take.id)
    return tuple(chosen)
