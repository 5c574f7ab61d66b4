"""A plan as text, one line a take, or JSON: three views of the same values.

Foreign words are cleaned and no line begins with them. Text and concise are "" or end with a line break.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from runner.contract.model import SeedContract
from runner.core.lifecycle import Event
from runner.core.money import ZERO
from runner.planning.budget import Cap, over
from runner.planning.history import Purchase
from runner.planning.plan import Act, Action, Plan
from runner.screen import clean
from runner.screen.actions import STYLES, model, takes
from runner.screen.amounts import amount, count, in_both, priced
from runner.screen.colour import Style, paint
from runner.screen.diagnostics import place
from runner.screen.table import Cell, Column, table

SCHEMA = "shotrunner.plan.v1"
_ON_A_PATH = 8  # takes of a chain that are named
_ORPHANS = 20  # purchases of other takes that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What a plan was made for. Paths as the user is shown them; `service` is its name; `free`: it costs nothing.

    `journal` False: there is none yet, so it was planned from nothing but the `lock` in git, "" where that told nothing.
    `account_note`: one line on the account, or "".
    """

    storyboard: str
    title: str
    pipeline: str
    service: str
    free: bool
    state: str
    journal: bool
    lock: str = ""
    account_note: str = ""


def text(
    plan: Plan,
    heading: Heading,
    *,
    caps: Sequence[Cap],
    remarks: Sequence[str],
    resumed: Sequence[Purchase],
    elsewhere: Sequence[str],
    colour: bool,
    width: int,
    anew: Plan | None = None,
) -> str:
    """For people: what it was made for, a row a take in storyboard order, totals, caps, what else there is to know.

    `remarks` are single lines; `resumed` are open purchases of no take of this plan, which are fetched first;
    `elsewhere` are lines on purchases of other services. A reason that does not fit into `width` columns (0: any
    number) stands below its row. `anew` is the plan that `--buy-missing` makes, where something is missing.
    """
    parts = [headline(heading, colour=colour) + "\n"]
    if plan.actions:
        parts.append(takes(plan.actions, free=heading.free, colour=colour, width=width))
    lines = [paint(totals(plan, free=heading.free, anew=anew), Style.STRONG, colour=colour)]
    lines += _chains(plan, free=heading.free)
    lines += [_cap(cap, plan, colour=colour) for cap in caps]
    lines += [f"{paint('note:', Style.NOTE, colour=colour)} {clean.words(line)}" for line in (*_seeds(plan), *remarks)]
    parts.append("".join(f"{line}\n" for line in lines))
    if resumed:
        parts.append(_orphans(resumed, colour=colour))
    if elsewhere:
        parts.append(
            "".join(f"{paint('note:', Style.NOTE, colour=colour)} {clean.words(line)}\n" for line in elsewhere)
        )
    return "\n".join(parts)


def headline(heading: Heading, *, colour: bool) -> str:
    """Pipeline, service and state folder on one line, without its break; below it the account's line if there is one."""
    title = f" ({heading.title})" if heading.title else ""
    service = f"service {heading.service}" + (", free" if heading.free else "")
    known = clean.words(heading.lock) or "nothing"
    state = f"state {heading.state}" + ("" if heading.journal else f" (no journal yet: planned from {known})")
    named = f"{heading.storyboard}{title}: pipeline {heading.pipeline}, {service}, {state}"
    line = f"{paint('plan of', Style.STRONG, colour=colour)} {clean.words(named)}"
    if heading.account_note:
        line += f"\n{paint('note:', Style.NOTE, colour=colour)} {clean.words(heading.account_note)}"
    return line


def totals(plan: Plan, *, free: bool, anew: Plan | None = None) -> str:
    """`42 takes, 30 requests, 12 shared; 18 to buy: 459 credits; reuse 24`: one line, without its break."""
    counted = f"{count(plan.wanted, 'take')}, {count(plan.requests, 'request')}"
    if plan.shared:
        counted += f", {plan.shared} shared"
    buying = f"{len(plan.to_buy)} to buy: {_total(plan.to_buy, free=free)}" if plan.to_buy else "nothing to buy"
    acts = Counter(action.act for action in plan.actions if not action.spends)
    rest = ", ".join(f"{act.value} {acts[act]}" for act in Act if acts[act])
    # What is made from the missing is bought then too, so that the missing alone are no sum.
    again = f"with --buy-missing {_total(anew.to_buy, free=free)}" if anew and anew.to_buy else ""
    return "; ".join(filter(None, (counted, buying, rest, again)))


def concise(plan: Plan) -> str:
    """For editors and grep: `film.yaml:12:9: buy arrival@dawn.1 25.50 credits: new`, one line a take."""
    lines = []
    for action in plan.actions:
        told = action.spends or (action.act is Act.MISSING and not action.shared_with)
        cost = f" {_total([action], free=False)}" if told else ""
        named = clean.words(action.take.id)
        lines.append(f"{place(action.take.span)}: {action.act.value} {named}{cost}: {clean.words(action.reason)}\n")
    return "".join(lines)


def as_json(
    plan: Plan,
    heading: Heading,
    *,
    caps: Sequence[Cap],
    remarks: Sequence[str],
    resumed: Sequence[Purchase],
    elsewhere: Sequence[str],
) -> str:
    """For programs: one JSON document in UTF-8; fields are only ever added to this schema.

    `schema`     "shotrunner.plan.v1"
    `heading`    the fields of `Heading`
    `takes`      in storyboard order: `take`, `shot`, `model`, `action` (buy reuse resume retry keep missing block skip), `reason`,
                 `price` (what it newly commits, or would with --buy-missing, a decimal in a string, null where it is unknown) and its `unit`, `key`, `seed`,
                 `seed_contract` (honoured, best effort, absent), `shared_with` (a take) or null, `parents` (takes whose clips it is
                 made from; while one has still to be made, `key` is null), `stand_in` (its key as if none were made, or null),
                 `stale` (it has a clip, made from an earlier one of theirs), `duration_s`, `width_px`,
                 `height_px`, `place` (`path` from the project's root, `line`, `column` from 1). What only a request has
                 is null for a take without one.
    `totals`     `takes` (without those skipped), `requests`, `shared`, `to_buy`, `price` (null as soon as one price is
                 unknown), `unit` (null where units differ or nothing is bought), `unpriced`, `actions` (takes by action)
    `chains`     `depth` (takes of the longest chain), `critical_path` (takes still to be made, each from the one before, that take
                 longest) and `stale` (takes bought anew because their parents are)
    `caps`       each `name`, `limit`, `committed`, `left`, `per_usd` (credits a dollar, where the limit was told in dollars, else
                 null), `fits` (null where a price is unknown)
    `remarks`, `elsewhere`  lines
    `resumed`    open purchases of no take of this plan: `take`, `storyboard`, `service`, `state`, `task_id`, `key`
    """
    unfit = over(plan, caps)
    acts = Counter(action.act.value for action in plan.actions)
    units = _units(plan.to_buy)
    document = {
        "schema": SCHEMA,
        "heading": {
            "storyboard": clean.words(heading.storyboard),
            "title": clean.words(heading.title),
            "pipeline": clean.words(heading.pipeline),
            "service": clean.words(heading.service),
            "free": heading.free,
            "state": clean.words(heading.state),
            "journal": heading.journal,
            "lock": clean.words(heading.lock),
            "account_note": clean.words(heading.account_note),
        },
        "takes": [_json_take(action) for action in plan.actions],
        "totals": {
            "takes": plan.wanted,
            "requests": plan.requests,
            "shared": plan.shared,
            "to_buy": len(plan.to_buy),
            "price": _json_amount(plan.price) if len(units) < 2 else None,
            "unit": units[0] if len(units) == 1 else None,
            "unpriced": sum(1 for action in plan.to_buy if action.price is None),
            "actions": {act.value: acts[act.value] for act in Act},
        },
        "chains": {
            "depth": plan.depth,
            "critical_path": [action.take.id for action in plan.critical_path],
            "stale": [action.take.id for action in plan.stale],
        },
        "caps": [
            {
                "name": clean.words(cap.name),
                "limit": _json_amount(cap.limit),
                "committed": _json_amount(cap.committed),
                "left": _json_amount(cap.left),
                "per_usd": _json_amount(cap.per_usd),
                "fits": None if plan.price is None else cap not in unfit,
            }
            for cap in caps
        ],
        "remarks": [clean.words(remark) for remark in remarks],
        "resumed": [
            {
                "take": clean.words(purchase.intent.take),
                "storyboard": clean.words(purchase.intent.storyboard),
                "service": clean.words(purchase.intent.service),
                "state": purchase.state.value,
                "task_id": purchase.task_id,
                "key": purchase.key,
            }
            for purchase in resumed
        ],
        "elsewhere": [clean.words(line) for line in elsewhere],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _chains(plan: Plan, *, free: bool) -> list[str]:
    """How deep takes are made from others, what of that takes longest, and which clips are of earlier parents."""
    lines = []
    if plan.depth > 1:
        path = plan.critical_path
        line = f"chains: up to {plan.depth} takes, each made from the one before"
        if len(path) > 1:
            some = [action.take.id for action in path]
            shown = some if len(some) <= _ON_A_PATH else [*some[: _ON_A_PATH - 1], "...", some[-1]]
            seconds = sum(action.request.seconds for action in path if action.request)
            line += f"; the longest still to be made: {' -> '.join(shown)}, {seconds} s of clips"
        lines.append(clean.words(line))
    if stale := plan.stale:
        named = ", ".join(action.take.id for action in stale[:_ORPHANS])
        more = f" and {len(stale) - _ORPHANS} more" if len(stale) > _ORPHANS else ""
        lines.append(clean.words(f"stale, made from an earlier clip: {named}{more}; anew {_total(stale, free=free)}"))
    return lines


def _json_take(action: Action) -> dict[str, object]:
    take, request = action.take, action.request
    return {
        "take": take.id,
        "shot": take.shot,
        "model": clean.words(model(action)),
        "action": action.act.value,
        "reason": clean.words(action.reason),
        "price": _json_amount(action.price),
        "unit": request.unit if request else None,
        "key": request.key if request and not request.awaited else None,
        "parents": list(action.parents),
        "stand_in": action.stand_in or None,
        "stale": action.stale,
        "seed": request.seed if request else None,
        "seed_contract": request.seed_contract if request else None,
        "shared_with": action.shared_with or None,
        "duration_s": request.seconds if request else None,
        "width_px": request.width_px if request else None,
        "height_px": request.height_px if request else None,
        "place": {"path": clean.words(take.span.source.path), "line": take.span.line, "column": take.span.column},
    }


def _json_amount(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _units(actions: Sequence[Action]) -> list[str]:
    return list(dict.fromkeys(action.request.unit for action in actions if action.request))


def _total(actions: Sequence[Action], *, free: bool) -> str:
    """`459 credits`; units are never added up; one unknown price makes the total unknown."""
    if free:
        return "free"
    if unknown := sum(1 for action in actions if action.price is None):
        return "price unknown" if len(actions) == 1 else f"price unknown for {count(unknown, 'take')}"
    sums = dict.fromkeys(_units(actions), ZERO)
    for action in actions:
        if action.request and action.price is not None:
            sums[action.request.unit] += action.price
    return " and ".join(priced(value, clean.words(unit)) for unit, value in sums.items())


def _cap(cap: Cap, plan: Plan, *, colour: bool) -> str:
    """`budget of this run 1500 credits: does not fit: 120.50 over`."""
    gone = f", {amount(cap.committed)} committed before" if cap.committed else ""
    line = f"{clean.words(cap.name)} {in_both(cap.limit, cap.per_usd)}{gone}: "
    if plan.price is None:
        return line + paint("cannot be judged while a price is unknown", Style.BAD, colour=colour)
    if over(plan, [cap]):
        return line + paint(f"does not fit: {amount(plan.price - cap.left)} over", Style.BAD, colour=colour)
    return line + paint("fits", Style.GOOD, colour=colour)


def _seeds(plan: Plan) -> list[str]:
    """A line for each model that takes no seed."""
    models = Counter(
        action.request.model
        for action in plan.actions
        if action.request and action.act is not Act.SKIP and action.request.seed_contract == SeedContract.ABSENT
    )
    return [
        f"{count(takes, 'take')} of {model} {'is' if takes == 1 else 'are'} recorded, not reproducible: "
        "the model takes no seed"
        for model, takes in models.items()
    ]


def _orphans(resumed: Sequence[Purchase], *, colour: bool) -> str:
    """Open purchases of no take of this plan."""
    rows: list[list[Cell | str]] = [
        [
            "",
            Cell("resume", STYLES[Act.RESUME]),
            purchase.intent.take,
            f"task {purchase.task_id}, {purchase.state.value} since {purchase.at(Event.RECEIPT)}",
            f"of {purchase.intent.storyboard}",
        ]
        for purchase in resumed[:_ORPHANS]
    ]
    if rest := len(resumed) - len(rows):
        rows.append(["", Cell("resume", STYLES[Act.RESUME]), f"... and {rest} more", "", ""])
    head = f"{count(len(resumed), 'open purchase')} of no take above, fetched first:\n"
    return head + table(rows, [Column() for _ in range(5)], colour=colour)
