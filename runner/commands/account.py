"""What came of a run, drawn from the plan it began with and the history it ended with. Pure but for the names it shows."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from runner.commands.deciding import Decided
from runner.core.lifecycle import ENDED, OPEN, Event, State
from runner.core.money import ZERO, total
from runner.execution.desk import stamp
from runner.planning import manifest
from runner.planning.bill import Bill
from runner.planning.history import History, Purchase, standing
from runner.planning.plan import Act, said_of
from runner.planning.service import Service
from runner.screen import summary

IN_THE_DARK = frozenset(
    {State.UNKNOWN, State.INTENDED}
)  # of what is INTENDED after a run, the answer is not known either


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`pending` says of takes that were not bought why; `steps` are the manifest's; `account` is whose key was at hand, "" where
    none was needed."""

    decided: Decided
    history: History
    service: Service
    out: Path
    pending: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Mapping[str, object]] = ()
    bill: Bill | None = None
    account: str = ""

    @property
    def purchases(self) -> dict[str, Purchase | None]:
        """The latest purchase of every take this run was to see through, by name; open receipts no take asks for among them."""
        found: dict[str, Purchase | None] = {}
        for action in self.decided.plan.actions:
            never = action.act is Act.KEEP and action.purchase is None  # `collect` leaves it to a run
            if action.request is not None and action.act is not Act.SKIP and not never:
                found[action.take.id] = latest(action.request.key, self.history)
        for orphan in self.decided.orphans:
            found[f"{orphan.intent.take} ({orphan.key[:8]})"] = self._now(orphan)
        for end in self.decided.ends:
            now = self._now(end)
            if now.state not in ENDED and now not in found.values():  # it came back to life
                found[f"{end.intent.take} ({end.key[:8]})"] = now
        return found

    def _now(self, before: Purchase) -> Purchase:
        return next(p for p in self.history[before.key] if p.number == before.number)

    @property
    def states(self) -> dict[str, State | None]:
        return {name: purchase.state if purchase else None for name, purchase in self.purchases.items()}

    def report(self, *, seconds: float, stopped: str, go_on: str, retry: str, placed: bool) -> summary.Report:
        """The last lines. `go_on` is the command that goes on, `retry` the one that takes --retry; `placed`: there are clips in the out folder."""
        before = {(p.key, p.number): p for made in self.decided.history.values() for p in made}
        made_before = {place: p.state for place, p in before.items()}
        known = {name: purchase for name, purchase in self.purchases.items() if purchase is not None}
        moved = [p for made in self.history.values() for p in made if made_before.get((p.key, p.number)) is not p.state]
        done = [p for p in known.values() if p.state is State.DONE]
        made = [p for p in done if made_before.get((p.key, p.number)) is not State.DONE and not _adopted(p)]
        statuses = {name: word for name, word in words(self.decided, self.history).items() if name in self.purchases}
        done_steps = [step for step in self.steps if step.get("status") == "done"]
        films = [str(step["output"]) for step in done_steps if step["step"] == "assemble"]
        return summary.Report(
            takes=len(self.purchases),
            made=len(made),
            reused=len(done) - len(made),
            statuses={word: list(statuses.values()).count(word) for word in dict.fromkeys(statuses.values())},
            charged=total(_newly_charged(p, before.get((p.key, p.number))) for p in moved),
            reserved=total(p.committed for p in moved if p.charged is None),
            bill=self.bill,
            free=self.service.provider.free,
            manifest=self._shown("manifest.json"),
            clips=self._shown("clips") if placed else "",
            film=self._shown(films[0]) if films else "",
            outputs=[self._shown(name) for name in (*films[1:], *(n for step in done_steps for n in _outputs(step)))],
            seconds=seconds,
            unknown=[_unknown(name, p) for name, p in known.items() if p.state in IN_THE_DARK],
            unfetched=self._owed(known, State.UNFETCHED, State.COMPLETED),
            waiting=self._owed(known, State.WAITING),
            elsewhere=self._owed(known, *OPEN, foreign=True),
            overdue=self._owed(known, State.OVERDUE),
            failed=[*self._failures(known, statuses, retry), *self._stopped_steps()],
            stopped=stopped,
            go_on=self._go_on(go_on, known),
        )

    def _go_on(self, again: str, known: Mapping[str, Purchase]) -> str:
        """The same command while running again helps; what is unknown is settled by another."""
        if not any(p.state in IN_THE_DARK for p in known.values()):
            return again
        _, _, host = self.service.name.partition("@")
        settle = shlex.join(["shotrunner", "reconcile", *(["--base-url", self.service.base_url or ""] if host else [])])
        helped = any(state is not State.DONE and state not in IN_THE_DARK for state in self.states.values())
        return f"{settle}, then {again}" if helped else settle

    def _owed(self, known: Mapping[str, Purchase], *states: State, foreign: bool = False) -> list[summary.Owed]:
        life = timedelta(seconds=self.service.provider.link_life_s)
        owed = []
        for name, purchase in known.items():
            if purchase.state in states and foreign == (self.account not in ("", purchase.account)):
                # A link lives from its task's end, which cannot come before its receipt.
                since = purchase.at(Event.COMPLETED) or purchase.at(Event.RECEIPT)
                until = stamp(datetime.fromisoformat(since) + life) if since else None
                owed.append(summary.Owed(take=name, task_id=purchase.task_id or "", until=until))
        return owed

    def _failures(self, known: Mapping[str, Purchase], statuses: Mapping[str, str], again: str) -> list[summary.Failed]:
        found = []
        reasons = {a.take.id: a.reason for a in self.decided.plan.actions}
        for name, word in statuses.items():
            purchase = known.get(name)
            if purchase is not None and purchase.state in ENDED and not purchase.missing:
                advice = f"{again} --retry {shlex.quote(name)}"
                found.append(summary.Failed(take=name, words=f"{word}: {said_of(purchase)}", help=advice))
            elif word == "missing" and (
                purchase is None or name in self.decided.kept
            ):  # nothing is bought in its place
                found.append(summary.Failed(take=name, words=f"missing: {reasons.get(name, '')}"))
            elif purchase is not None and purchase.missing:
                text = "made before, and its clip is not here"
                found.append(summary.Failed(take=name, words=f"missing: {text}", help=f"{again} --buy-missing"))
            elif purchase is not None and purchase.state is State.REFUSED:
                found.append(summary.Failed(take=name, words=f"refused, nothing was taken: {said_of(purchase)}"))
            elif word == "blocked":
                found.append(summary.Failed(take=name, words=f"blocked: {reasons.get(name, '')}"))
            elif word == "pending" and name in self.pending:
                found.append(summary.Failed(take=name, words=f"not bought: {self.pending[name]}"))
        return found

    def _stopped_steps(self) -> list[summary.Failed]:
        return [
            summary.Failed(take=str(step.get("output") or step["step"]), words=_why_not(step))
            for step in self.steps
            if step.get("status") != "done"
        ]

    def _shown(self, name: str) -> str:
        return os.path.relpath(self.out / name)


def words(decided: Decided, history: History) -> dict[str, str]:
    """The manifest's word for every take."""
    return {
        a.take.id: manifest.status(a, latest(a.request.key if a.request else None, history))
        for a in decided.plan.actions
    }


def latest(key: str | None, history: History) -> Purchase | None:
    """The purchase that decides what has become of a key."""
    return standing(history.get(key, ())) if key else None


def _adopted(purchase: Purchase) -> bool:
    """Whether its clip was found, not made."""
    return purchase.timeline[-1][1] == Event.ADOPTED


def _unknown(name: str, purchase: Purchase) -> summary.Unknown:
    return summary.Unknown(
        take=name,
        key=purchase.key,
        sent_at=purchase.at(Event.SEND) or "",
        body_sha256=purchase.body_sha256,
    )


def _outputs(step: Mapping[str, object]) -> list[str]:
    """What a step made beside a film, each a name below the out folder."""
    made = step.get("outputs")
    own = [str(step["output"])] if step["step"] in ("report", "timeline") else []
    return own + ([str(one["output"]) for one in made] if isinstance(made, list) else [])


def _why_not(step: Mapping[str, object]) -> str:
    what = "cut" if step["step"] == "assemble" else "made"
    missing = step.get("missing")
    if isinstance(missing, list):
        return f"not {what}: {', '.join(missing[:8])} {'has' if len(missing) == 1 else 'have'} no clip"
    return f"not {what}: {step.get('error') or 'the run was stopped'}"


def _newly_charged(purchase: Purchase, before: Purchase | None) -> Decimal:
    """What a purchase was charged in this run: what was charged before, here or on another machine, is no cost of this one."""
    return (purchase.charged or ZERO) - (before.charged if before and before.charged is not None else ZERO)
