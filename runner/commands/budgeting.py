"""Whether a plan may spend what it would spend: all of it or nothing."""

import json
from collections.abc import Mapping
from decimal import Decimal
from itertools import chain

from runner.adapters.journal import Journal
from runner.commands.deciding import Decided
from runner.commands.loading import Loaded
from runner.commands.options import Options
from runner.contract.price import wanted
from runner.core.errors import Refused
from runner.core.money import ZERO, in_usd, total
from runner.planning.budget import Cap, fitting, over
from runner.planning.plan import Plan
from runner.screen.amounts import amount, count, in_both, in_credits
from runner.screen.terminal import Terminal

NARROW = "narrow the run by --shots"


def dearer(loaded: Loaded, journal: Journal) -> dict[str, Decimal]:
    """Of models with prices of the project's own, how many times as much the service has wanted until now."""
    found: dict[str, Decimal] = {}
    own = loaded.unshipped()
    if not own or loaded.service.provider.free:
        return found
    for purchase in chain.from_iterable(journal.history().values()):
        intent = purchase.intent
        if intent.model in own and intent.service == loaded.service.name:
            model, asked = loaded.models[intent.model], loaded.service.provider.name
            times = wanted(model, asked, json.loads(intent.body), purchase.committed, loaded.context.today)
            found[intent.model] = max(times, found.get(intent.model, times))
    return found


def admit(
    loaded: Loaded,
    decided: Decided,
    options: Options,
    environment: Mapping[str, str],
    terminal: Terminal,
    *,
    narrow: str = NARROW,
) -> Decimal | None:
    """Credits this run may newly commit, None on a free service. `narrow` says how to ask for less. Raises `Refused` when the
    plan's worst case does not fit, or what it would send is not here."""
    _demand_media(decided)
    if loaded.service.provider.free:
        return None
    plan, caps = decided.plan, decided.caps
    left = min((cap.left for cap in caps), default=ZERO)
    in_ci = environment.get("CI") == "true"
    opened = options.budget is not None or (bool(caps) and not in_ci)
    if not plan.to_buy:
        return left if opened else ZERO  # a task that fails in passing is bought again only by a run that may buy
    unpriced = [a for a in plan.to_buy if a.price is None]
    if unpriced and not options.allow_unpriced:
        models = sorted({str(a.request.model) for a in unpriced if a.request})
        raise Refused(
            f"the price of {count(len(unpriced), 'take')} is not known ({', '.join(models)})",
            help="put a price into the model's schema, or add --allow-unpriced to buy without one",
        )
    if over(plan, caps):
        raise _unfit(loaded, decided, narrow)
    if opened:
        return left if caps else ZERO
    price = plan.price
    cost = in_credits(price) if price is not None else "an unknown price"
    if terminal.ask(f"buy {count(len(plan.to_buy), 'take')} at {loaded.service.name} for {cost}?"):
        return left if caps else total(a.price for a in plan.to_buy if a.price is not None)
    told = "in CI only --budget or SHOTRUNNER_BUDGET opens a paid run" if in_ci else "a paid run needs a budget"
    need = amount(price) if price is not None else "N"
    raise Refused(
        f"{count(len(plan.to_buy), 'take')} to buy at {loaded.service.name} for {cost}, and no budget is given",
        notes=(told,),
        help=f"add --budget {need}",
    )


def _unfit(loaded: Loaded, decided: Decided, narrow: str) -> Refused:
    """The tightest cap in the headline, every cap that does not hold the plan in the notes, and what would fit under all."""
    plan, caps = decided.plan, decided.caps
    price = plan.price
    assert price is not None
    unfit = over(plan, caps)
    tightest = min(unfit, key=lambda cap: cap.left)
    fits = would_fit(plan, min(cap.left for cap in caps))
    return Refused(
        f"{count(len(plan.to_buy), 'take')} to buy for {in_both(price, tightest.per_usd)}, "
        f"but {tightest.name} leaves {in_both(tightest.left, tightest.per_usd)}",
        notes=(*(f"{c.name}: {in_both(c.limit, c.per_usd)}, committed {in_credits(c.committed)}" for c in unfit), fits),
        help=_advice(loaded, tightest, price, narrow),
    )


def would_fit(plan: Plan, left: Decimal) -> str:
    """One line that names the takes which so many credits would buy together."""
    names = fitting(plan, left)
    return (
        f"these would fit: {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}" if names else "no take would fit"
    )


def _demand_media(decided: Decided) -> None:
    """Raises `Refused` where something to buy has a medium that Git LFS has not brought."""
    requests = [action.request for action in decided.plan.to_buy if action.request]
    absent = list(dict.fromkeys(part.path or "" for request in requests for part in request.media if not part.here))
    if absent:
        named = f"{', '.join(absent[:8])}{' ...' if len(absent) > 8 else ''}"
        raise Refused(
            f"{count(len(absent), 'reference')} to be sent, only Git LFS pointers here: {named}", help="`git lfs pull`"
        )


def _advice(loaded: Loaded, cap: Cap, price: Decimal, narrow: str) -> str:
    if cap.name.startswith("budget of pipeline"):
        if loaded.pipeline.budget == 0:
            return f"pipeline {loaded.pipeline.name} spends nothing; use one without a budget: --pipeline clips --budget {amount(price)}"
        return f"raise `budget` in {loaded.pipeline.source.name}, or {narrow}"
    if cap.name == "--budget":
        need = amount(price) if cap.per_usd is None else f"{amount(in_usd(price, cap.per_usd))}usd"
        return f"add --budget {need}, or {narrow}"
    return f"raise `budget` in {loaded.storyboard.source.name}, or {narrow}"
