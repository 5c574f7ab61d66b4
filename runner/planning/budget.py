"""Admission: all of a plan or nothing, under the caps that hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from runner.core.money import ZERO, Budget, in_units, total
from runner.planning.history import History
from runner.planning.plan import Act, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """One limit: `limit` credits, `committed` of which are gone already; `name` says where it was set.

    `per_usd`: it was told in dollars, at so many credits each.
    """

    name: str
    limit: Decimal
    committed: Decimal = ZERO
    per_usd: Decimal | None = None

    @property
    def left(self) -> Decimal:
        return max(self.limit - self.committed, ZERO)


class NoRate(ValueError):
    """A budget in dollars for models whose price tables do not agree on what a dollar is; the message says how."""


def spending(plan: Plan) -> frozenset[str]:
    """The models that a run of the plan may spend on: of what it buys, and of what it resumes and may have to buy again."""
    found = (action for action in plan.actions if action.spends or action.act is Act.RESUME)
    return frozenset(action.request.model for action in found if action.request)


def told(budget: Budget, rates: Mapping[str, Decimal | None]) -> Cap | None:
    """The limit set by `--budget`. `rates` holds for each model that may be paid how many credits its price table gives for a
    dollar; a budget in dollars is no limit where there is none to be paid. Raises `NoRate`."""
    if not budget.usd:
        return Cap(name="--budget", limit=budget.amount)
    if without := sorted(model for model, rate in rates.items() if rate is None):
        raise NoRate(f"no price table says how many credits a dollar is for {', '.join(without)}")
    by_rate = {rate: model for model, rate in sorted(rates.items(), reverse=True) if rate is not None}
    if len(by_rate) > 1:
        named = (f"{rate.normalize():f} for {model}" for rate, model in sorted(by_rate.items()))
        raise NoRate(f"the price tables differ in how many credits a dollar is: {', '.join(named)}")
    return next((Cap(name="--budget", limit=in_units(budget.amount, r), per_usd=r) for r in by_rate), None)


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
