"""Why a take is bought, reused or kept: as text or JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.core.diagnostics import Span
from runner.core.lifecycle import Event
from runner.core.money import total
from runner.planning.history import Purchase
from runner.planning.plan import Action
from runner.planning.reason import Change
from runner.screen import clean
from runner.screen.actions import STYLES
from runner.screen.amounts import priced
from runner.screen.colour import Style, paint
from runner.screen.diagnostics import place
from runner.screen.plan import Heading
from runner.screen.table import Cell, Column, table
from runner.screen.width import cut

SCHEMA = "shotrunner.why.v1"
_VALUE = 100  # columns of an old or new value


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """`changed` against what the take was last made of, `places` by property of the body, `purchases` of the present
    request, `before` the key the take last had, None if it never had a clip here."""

    action: Action
    changed: Sequence[Change]
    places: Mapping[str, Span]
    purchases: Sequence[Purchase]
    before: str | None


def text(reasons: Reasons, heading: Heading, *, colour: bool) -> str:
    """For people: the action and its reason, what changed and where it is written, the purchases there were."""
    action = reasons.action
    head = f"{clean.words(action.take.id)}: {paint(action.act.value, STYLES[action.act], colour=colour)}"
    lines = [f"{head}, {clean.words(action.reason)}"]
    if action.spends:
        unit = action.request.unit if action.request else "credit"
        cost = "free" if heading.free else "price unknown" if action.price is None else priced(action.price, unit)
        lines.append(f"cost   {cost}")
    if action.request is not None:
        lines.append(f"key    {action.request.key}")
    if reasons.before and action.request is not None and reasons.before != action.request.key:
        lines.append(f"before {reasons.before}")
    found = "\n".join(lines) + "\n"
    if reasons.changed:
        rows = [
            (change.name, _value(change.old), _value(change.new), _place(reasons.places.get(change.name)))
            for change in reasons.changed
        ]
        columns = (Column(title="CHANGED"), Column(title="FROM"), Column(title="TO"), Column(title="WRITTEN AT"))
        found += "\n" + table(rows, columns, colour=colour)
    if reasons.purchases:
        found += "\n" + table(_purchases(reasons.purchases), _PURCHASES, colour=colour)
    return found


_PURCHASES = (
    Column(title="PURCHASE"),
    Column(title="STATE"),
    Column(title="SENT"),
    Column(title="TASK"),
    Column(title="COST"),
    Column(title="CLIP"),
)


def _purchases(purchases: Sequence[Purchase]) -> Iterator[tuple[str | Cell, ...]]:
    for purchase in purchases:
        sha256 = str((purchase.result or {}).get("sha256") or "")
        yield (
            str(purchase.number),
            purchase.state.value,
            purchase.at(Event.SEND) or "",
            purchase.task_id or "",
            priced(purchase.committed, purchase.intent.unit),
            Cell(sha256[:12], Style.FAINT),
        )


def as_json(reasons: Reasons) -> str:
    """For programs: `schema` "shotrunner.why.v1", `take`, `action`, `reason`, `price`, `key`, `before`, `changed` (name, old, new,
    place), `purchases` (number, state, timeline, task_id, committed, clip_sha256), `committed` in all."""
    action = reasons.action
    return (
        json.dumps(
            {
                "schema": SCHEMA,
                "take": action.take.id,
                "action": action.act.value,
                "reason": action.reason,
                "price": None if action.price is None else str(action.price),
                "key": action.request.key if action.request else None,
                "before": reasons.before,
                "changed": [
                    {"name": c.name, "old": c.old, "new": c.new, "place": _json_place(reasons.places.get(c.name))}
                    for c in reasons.changed
                ],
                "purchases": [
                    {
                        "number": p.number,
                        "state": p.state.value,
                        "task_id": p.task_id,
                        "committed": str(p.committed),
                        "clip_sha256": (p.result or {}).get("sha256"),
                        "timeline": [{"at": at, "event": event} for at, event in p.timeline],
                    }
                    for p in reasons.purchases
                ],
                "committed": str(total(p.committed for p in reasons.purchases)),
            },
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
    )


def _value(value: object) -> str:
    if value is None:
        return "-"
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return cut(clean.words(shown), _VALUE)


def _place(span: Span | None) -> str:
    return place(span) if span else ""


def _json_place(span: Span | None) -> dict[str, object] | None:
    return {"path": span.source.path, "line": span.line, "column": span.column} if span else None
