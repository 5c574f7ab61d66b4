"""What the page at / is told: every task, what has changed since it last asked, and what all of it cost. Pure."""

from collections import Counter
from decimal import Decimal
from secrets import token_hex
from typing import Any

from runner.core.money import ZERO
from runner.emulator import intake
from runner.emulator.accounts import Accounts
from runner.emulator.clock import Clock
from runner.emulator.job import Job
from runner.emulator.studio import Studio
from runner.emulator.tasks import Status, Task, number

MOST_ROWS = 500  # of one answer; more are there for the asking


class Board:
    """All tasks of a studio by the order of their changes. For one event loop."""

    def __init__(self, studio: Studio, accounts: Accounts, clock: Clock) -> None:
        self._studio, self._accounts, self._clock = studio, accounts, clock
        self._epoch, self._revision = token_hex(8), 0
        self._seen: dict[str, Task] = {}
        self._changed: dict[str, int] = {}  # revisions by task, the latest last

    def since(self, epoch: str, revision: int) -> dict[str, Any]:
        """Tasks that changed after this revision, the longest unchanged first, and the whole sums.

        `epoch` is what the last answer said; another one has seen nothing. `more` says that not all changes are in it.
        """
        totals = self._look()
        jobs = {job.task.id: job for job in self._studio.jobs()}
        news = []
        for identifier, changed in reversed(self._changed.items()):
            if epoch == self._epoch and changed <= revision:
                break
            news.append((identifier, changed))
        told = news[::-1][:MOST_ROWS]
        return {
            "epoch": self._epoch,
            "revision": told[-1][1] if told else self._revision,
            "more": len(told) < len(news),
            "now": self._clock.now(),
            "tasks": [self._row(jobs[identifier]) for identifier, _ in told],
            **totals,
        }

    def _look(self) -> dict[str, Any]:
        """Notes what has changed since the last look; tasks are values, and another value is a change."""
        reserved: Counter[int] = Counter()
        charged: dict[str, Decimal] = {}
        states: Counter[str] = Counter()
        count: Counter[str] = Counter()
        held: dict[int, Decimal] = {}
        for job in self._studio.jobs():
            task = job.task
            if self._seen.get(task.id) is not task:
                self._revision += 1
                self._seen[task.id] = task
                self._changed.pop(task.id, None)
                self._changed[task.id] = self._revision
            states[str(task.status)] += 1
            count[task.model] += 1
            charged[task.model] = charged.get(task.model, ZERO) + (task.charged or ZERO)
            if task.charged is None:
                reserved[job.account.number] += 1
                held[job.account.number] = held.get(job.account.number, ZERO) + task.reserved
        return {
            "accounts": [
                {
                    "account": account.number,
                    "account_name": account.name,
                    "remaining": number(account.remaining),
                    "used": number(account.used),
                    "held": number(held.get(account.number, ZERO)),
                    "unsettled": reserved[account.number],
                }
                for account in self._accounts.each()
            ],
            "models": [
                {"model": name, "tasks": count[name], "charged": number(charged[name])} for name in sorted(count)
            ],
            "totals": {
                "tasks": states.total(),
                "states": {str(status): states[status] for status in Status},
                "charged": number(sum(charged.values(), ZERO)),
                "held": number(sum(held.values(), ZERO)),
            },
        }

    def _row(self, job: Job) -> dict[str, Any]:
        task = job.task
        return {
            "number": task.number,
            "task_id": task.id,
            "account": job.account.number,
            "account_name": job.account.name,
            "key": job.bearer.key.name,
            "model": task.model,
            "label": task.label,
            "status": str(task.status),
            "progress": task.progress,
            "created_at": task.created_at,
            "ended_at": task.ended_at,
            "estimated_s": task.estimated_s,
            "seconds": intake.seconds(job.asked),
            "reserved": number(task.reserved),
            "charged": None if task.charged is None else number(task.charged),
            "error": {"code": task.error.code, "message": task.error.message} if task.error else None,
            "idempotency_key": task.idempotency_key,
            "request": job.asked.body,
            "clip": task.status is Status.COMPLETED and self._studio.clip(task.id) is not None,
        }
