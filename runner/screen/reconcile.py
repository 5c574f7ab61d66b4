"""What is unknown, with all that is known of it, and how to settle it: as text or JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from runner.core.lifecycle import Event
from runner.planning.history import Purchase
from runner.planning.settlement import Decision
from runner.providers.provider import Listed
from runner.screen import clean
from runner.screen.amounts import count, priced
from runner.screen.colour import Style, paint
from runner.screen.table import Column, table

SCHEMA = "shotrunner.reconcile.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One unknown purchase. `silent` says why there are no candidates to offer, or what to mind about them."""

    purchase: Purchase
    candidates: Sequence[Listed]
    silent: str = ""


def text(rows: Sequence[Row], *, colour: bool) -> str:
    """For people: each purchase with what is known, its candidates, and the commands that settle it."""
    if not rows:
        return "nothing is unknown\n"
    parts = [f"{count(len(rows), 'purchase')} of unknown outcome: each may have been taken, so none is bought again\n"]
    for row in rows:
        purchase = row.purchase
        intent = purchase.intent
        take = clean.words(intent.take)
        parts.append(
            f"\n{paint(take, Style.STRONG, colour=colour)} of {clean.words(intent.storyboard)}, {clean.words(intent.model)}\n"
        )
        known = [
            ("sent", purchase.at(Event.SEND) or ""),
            ("service", f"{intent.service}, account {intent.account}"),
            ("reserved", priced(purchase.reserved, intent.unit)),
            ("key", purchase.key),
            ("idempotency key", intent.idempotency_key),
            ("body sha256", purchase.body_sha256),
            ("heard", str((purchase.error or {}).get("message") or "")),
        ]
        parts.append(table([(f"  {name}", value) for name, value in known], (Column(), Column())))
        if row.candidates:
            columns = (
                Column(title="  CANDIDATE"),
                Column(title="STATUS"),
                Column(title="MADE AT"),
                Column(title="CREDITS"),
            )
            lines = [(f"  {c.task_id}", c.status, _time(c.created_s), str(c.charged or "")) for c in row.candidates]
            parts.append(table(lines, columns, colour=colour))
        if row.silent:
            parts.append(
                f"  no candidates: {clean.words(row.silent)}\n"
                if not row.candidates
                else f"  mind: {clean.words(row.silent)}\n"
            )
        name = clean.words(f"'{intent.take}'")
        first = row.candidates[0].task_id if row.candidates else "TASK_ID"
        parts.append(f"  it was taken:      shotrunner reconcile --attach {name}={first}\n")
        parts.append(f"  it was not taken:  shotrunner reconcile --not-taken {name}\n")
        parts.append(f"  buy it once more:  shotrunner reconcile --buy-again {name}\n")
    return "".join(parts)


def question(row: Row) -> str:
    """What a person is asked about one purchase."""
    attach = "a 1 attaches the first candidate, a TASK_ID another" if row.candidates else "a TASK_ID attaches a task"
    return f"{clean.words(row.purchase.intent.take)}: {attach}, n not taken, b buy again, Enter leaves it:"


def decided(decision: Decision, by: str) -> str:
    """One line on what was decided, and what happens now."""
    name = clean.words(decision.name)
    match decision.event:
        case Event.ATTACHED:
            return f"{name}: task {decision.task_id} attached by {clean.words(by)}; the next run or collect fetches it"
        case Event.DISCLAIMED:
            return f"{name}: declared not taken by {clean.words(by)}; the next run buys it"
        case _:
            return f"{name}: written off by {clean.words(by)}; its reservation stays counted, the next run buys it once more"


def as_json(rows: Sequence[Row]) -> str:
    """For programs: `schema` "shotrunner.reconcile.v1", `unknown`: storyboard, take, model, service, account, key, number, sent_at,
    reserved, idempotency_key, body_sha256, error, candidates (task_id, status, created_at, credits), note."""
    found = [
        {
            "storyboard": row.purchase.intent.storyboard,
            "take": row.purchase.intent.take,
            "model": row.purchase.intent.model,
            "service": row.purchase.intent.service,
            "account": row.purchase.intent.account,
            "key": row.purchase.key,
            "number": row.purchase.number,
            "sent_at": row.purchase.at(Event.SEND),
            "reserved": str(row.purchase.reserved),
            "idempotency_key": row.purchase.intent.idempotency_key,
            "body_sha256": row.purchase.body_sha256,
            "error": dict(row.purchase.error) if row.purchase.error else None,
            "candidates": [
                {
                    "task_id": c.task_id,
                    "status": c.status,
                    "created_at": _time(c.created_s),
                    "credits": None if c.charged is None else str(c.charged),
                }
                for c in row.candidates
            ],
            "note": row.silent,
        }
        for row in rows
    ]
    return json.dumps({"schema": SCHEMA, "unknown": found}, indent=2, ensure_ascii=False) + "\n"


def _time(seconds: float | None) -> str:
    if seconds is None or not 0 <= seconds < 1e11:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
