"""The invoice: by the emulator's own count, so that a client's ledger can be held against it. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from runner.emulator import tasks
from runner.emulator.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was reserved and charged for a task, in credits, and what it was bought with.

    `account` counts the emulator's accounts from 1; `account_name` and `key` are their names, never a secret. `seen` is how
    many creates of that account have borne this idempotency key so far, whatever became of them; 0 without a key.
    `body_sha256` is of the bytes that came. `charged` is None until the task is settled.
    """

    task_id: str
    account: int
    account_name: str
    key: str
    idempotency_key: str
    seen: int
    body_sha256: str
    model: str
    label: str
    created_at: float
    reserved: Decimal
    charged: Decimal | None
    status: str

    def body(self) -> dict[str, Any]:
        return {
            "task_id": self.task_id,
            "account": self.account,
            "account_name": self.account_name,
            "key": self.key,
            "idempotency_key": self.idempotency_key,
            "seen": self.seen,
            "body_sha256": self.body_sha256,
            "model": self.model,
            "label": self.label,
            "created_at": int(self.created_at),
            "reserved": tasks.number(self.reserved),
            "charged": None if self.charged is None else tasks.number(self.charged),
            "status": self.status,
        }


def line(job: Job, seen: int) -> Line:
    return Line(
        task_id=job.task.id,
        account=job.account.number,
        account_name=job.account.name,
        key=job.bearer.key.name,
        idempotency_key=job.task.idempotency_key,
        seen=seen,
        body_sha256=job.asked.digest,
        model=job.task.model,
        label=job.task.label,
        created_at=job.task.created_at,
        reserved=job.task.reserved,
        charged=job.task.charged,
        status=str(job.task.status),
    )
