"""What was made, from what, by which model, for how much: the manifest as JSON values. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from runner.core.lifecycle import UNTAKEN, State
from runner.core.money import total
from runner.core.request import Cutting
from runner.language.take import Take
from runner.planning.bill import Bill
from runner.planning.history import History, Purchase, standing
from runner.planning.plan import Act, Action, Plan
from runner.planning.service import Service

SCHEMA = "shotrunner.manifest.v1"

# The word for each state of the purchase a take stands at; a take of which nothing was taken is pending.
STATUS: Mapping[State, str] = {
    State.INTENDED: "unknown",
    State.HELD: "pending",
    State.VOID: "pending",
    State.DISCLAIMED: "pending",
    State.WRITTEN_OFF: "pending",
    State.WAITING: "waiting",
    State.COMPLETED: "waiting",
    State.DONE: "done",
    State.MISSING: "missing",
    State.REFUSED: "refused",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.LOST: "lost",
    State.EXPIRED: "expired",
    State.OVERDUE: "overdue",
    State.UNFETCHED: "unfetched",
    State.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What stands at the head of a manifest. `versions` by program; `steps` as they have ended so far."""

    storyboard: str
    sha256: str
    title: str
    commit: str | None
    pipeline: str
    service: Service
    versions: Mapping[str, str]
    written_at: str
    prices: Mapping[str, object] = field(default_factory=dict)
    steps: Sequence[Mapping[str, object]] = ()


def build(
    film: Film, plan: Plan, history: History, clips: Mapping[str, str], bill: Bill | None = None
) -> dict[str, object]:
    """The manifest. `clips` is the clip file of each take that has one, relative to the manifest; `bill` is that of the run which
    writes it, None on a free service."""
    takes = [_take(action, history, film.service, clips) for action in plan.actions]
    statuses = [str(t["status"]) for t in takes]
    return {
        "schema": SCHEMA,
        "storyboard": {
            "path": film.storyboard,
            "sha256": film.sha256,
            "title": film.title,
            "commit": film.commit,
        },
        "pipeline": {"name": film.pipeline, "provider": film.service.provider.name, "service": film.service.name},
        "versions": dict(film.versions),
        "written_at": film.written_at,
        "prices": dict(film.prices),
        "takes": takes,
        "steps": [dict(step) for step in film.steps],
        "totals": {
            "takes": len(takes),
            "requests": len({t["key"] for t in takes if t["key"]}),
            "by_status": {status: statuses.count(status) for status in sorted(set(statuses))},
            "estimated": _sum(a.request.reserve for a in _firsts(plan) if a.request),
            "committed": _sum(p.committed for a in _firsts(plan) if a.request for p in history.get(a.request.key, ())),
            "unit": "credit",
            "bill": _bill(bill) if bill else None,
        },
    }


def _bill(bill: Bill) -> dict[str, object]:
    return {
        "ledger": _text(bill.ledger),
        "service": _text(bill.service),
        "apart": None if bill.service is None else _text(bill.apart),
        "estimated": _text(bill.estimated),
    }


def _firsts(plan: Plan) -> tuple[Action, ...]:
    """One action of each request: shared requests are paid once."""
    return tuple(a for a in plan.actions if a.request is not None and not a.shared_with)


def _take(action: Action, history: History, service: Service, clips: Mapping[str, str]) -> dict[str, object]:
    take, request = action.take, action.request
    made = history.get(request.key, ()) if request else ()
    latest = standing(made)
    charged = [p.charged for p in made if p.charged is not None]
    return {
        "id": take.id,
        "shot": take.shot,
        "title": take.title,
        "status": status(action, latest),
        "model": request.model if request else str(take.model.value),
        "provider": service.provider.name,
        "service": service.name,
        "seed": request.seed if request else None,
        "seed_contract": request.seed_contract if request else None,
        "request": dict(request.body) if request and request.body else None,
        "key": request.key if request and not request.awaited else None,
        "shared_with": action.shared_with or None,
        "prompt": request.body.get("prompt") if request else None,
        "references": [
            {
                "kind": part.kind.value,
                "path": part.path,
                "url": part.url,
                "sha256": part.cutting.known_as if part.cutting and not part.cutting.selector else part.sha256,
                "size_bytes": (part.facts.size_bytes or None) if part.facts else None,
                **_parent(part.cutting),
            }
            for part in (request.media if request else ())
        ],
        "task_id": latest.task_id if latest else None,
        "timeline": [{"at": at, "event": event} for p in made for at, event in p.timeline],
        "submissions": sum(1 for p in made for _, event in p.timeline if event == "send"),
        "error": dict(latest.error) if latest and latest.error and latest.state is not State.DONE else None,
        "cost": {
            "estimated": _text(request.reserve) if request else None,
            "reserved": _text(total(p.reserved for p in made)) if made else None,
            "charged": _text(total(charged)) if charged else None,
            "unit": request.unit if request else "credit",
        },
        "clip": _clip(take, latest, clips),
    }


def _parent(cutting: Cutting | None) -> dict[str, object]:
    """Whose clip the medium was taken of, and what of it."""
    if cutting is None:
        return {}
    return {"parent": {"take": cutting.take, "selector": cutting.selector or "clip", "sha256": cutting.known_as}}


def status(action: Action, latest: Purchase | None) -> str:
    """The manifest's word for a take."""
    if action.act is Act.SKIP and (latest is None or latest.state is not State.DONE):
        return "skipped"
    if latest.missing if latest is not None else action.act is Act.MISSING:
        return "missing"
    if action.act is Act.BLOCK and (latest is None or latest.state in UNTAKEN):
        return "blocked"
    return STATUS[latest.state] if latest else "pending"


def _clip(take: Take, latest: Purchase | None, clips: Mapping[str, str]) -> dict[str, object] | None:
    if latest is None or latest.result is None or take.id not in clips:
        return None
    facts = {name: value for name, value in latest.result.items() if name not in ("frames", "audio_codec")}
    return {"path": clips[take.id], **facts}


def _text(amount: Decimal | None) -> str | None:
    """At least two places, and never fewer than there are."""
    if amount is None:
        return None
    exponent = amount.as_tuple().exponent
    return f"{amount:f}" if isinstance(exponent, int) and exponent < -2 else f"{amount:.2f}"


def _sum(amounts: Iterable[Decimal | None]) -> str | None:
    found = list(amounts)
    return None if None in found else _text(total(a for a in found if a is not None))
