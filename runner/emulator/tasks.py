"""Tasks: their states as one table, and the JSON in which the API speaks of them. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from runner.core.money import ZERO
from runner.emulator.refusals import Profile
from runner.emulator.switches import Switches

ID = re.compile(r"task-unified-[0-9]{1,12}-[0-9a-z]{8}")
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
ID_SPACE = 36**8


class Status(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.PROCESSING, Status.FAILED, Status.CANCELLED}),
    Status.PROCESSING: frozenset({Status.PROCESSING, Status.COMPLETED, Status.FAILED, Status.CANCELLED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}
# The words a task list can be filtered by, and the states each stands for.
FILTERS: dict[str, frozenset[Status]] = {
    "processing": frozenset({Status.PENDING, Status.PROCESSING}),
    "completed": frozenset({Status.COMPLETED}),
    "failed": frozenset({Status.FAILED}),
    "cancelled": frozenset({Status.CANCELLED}),
}
TYPES = ("text", "image", "audio", "video")  # the service's; tasks here are videos


class Ended(ValueError):
    """A move the table does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskError:
    """Why a task failed: `code` is a word of the vendor's task error list, `message` prose that may have several lines."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task. Times are unix seconds by the emulator's clock; `number` counts accepted tasks from 1.

    `label` is what the control header X-Emulate-Label said. `estimated_s` was told at submit. `charged` is None until
    the task is settled, at its end or later; 0 when nothing was to be paid.
    """

    id: str
    number: int
    created_at: float
    model: str
    estimated_s: int
    reserved: Decimal
    idempotency_key: str = ""
    label: str = ""
    user_group: str = "default"
    status: Status = Status.PENDING
    progress: int = 0
    ended_at: float | None = None
    charged: Decimal | None = None
    settled_at: float | None = None
    error: TaskError | None = None

    @property
    def ended(self) -> bool:
        return not MOVES[self.status]


def task_id(created_at: float, number: int) -> str:
    """`task-unified-<unix seconds>-<8 base36 characters>`; `number` lies in [0, ID_SPACE)."""
    letters = ""
    for _ in range(8):
        number, digit = divmod(number, 36)
        letters = _BASE36[digit] + letters
    return f"task-unified-{int(created_at)}-{letters}"


def processing(task: Task, progress: int) -> Task:
    """At work, `progress` percent; it never falls."""
    return _moved(task, Status.PROCESSING, progress=max(task.progress, progress))


def completed(task: Task, at: float) -> Task:
    return _moved(task, Status.COMPLETED, progress=100, ended_at=at)


def failed(task: Task, at: float, error: TaskError) -> Task:
    """Failed tasks show no progress."""
    return _moved(task, Status.FAILED, progress=0, ended_at=at, error=error)


def cancelled(task: Task, at: float) -> Task:
    return _moved(task, Status.CANCELLED, progress=0, ended_at=at)


def settled(task: Task, at: float, charged: Decimal) -> Task:
    """What a task that has ended costs, once and for all."""
    if not task.ended or task.charged is not None:
        raise Ended(f"{task.id} is {task.status} and cannot be settled")
    return replace(task, charged=charged, settled_at=at)


def created_body(task: Task, switches: Switches) -> dict[str, Any]:
    """The answer to the POST: the task as it was accepted, also when it is asked for again by its idempotency key."""
    if not switches.finished_at_submit:
        task = replace(task, status=Status.PENDING, progress=0)
    can_cancel = task.status is Status.PENDING and switches.profile is Profile.DOCUMENTED
    return {
        **_head(task, switches),
        "task_info": {"can_cancel": can_cancel, "estimated_time": task.estimated_s},
        "usage": _usage(task, switches, settled=False),
    }


def query_body(task: Task, switches: Switches, results: Sequence[str]) -> dict[str, Any]:
    """The answer to GET /v1/tasks/{id}; `results` are links and stand there only when the task is completed."""
    body = _head(task, switches)
    pending = task.status is Status.PENDING
    body["task_info"] = {"can_cancel": pending and switches.profile is Profile.DOCUMENTED}
    if task.status is Status.COMPLETED:
        body["results"] = list(results)
    if task.error:
        body["error"] = {"code": task.error.code, "message": task.error.message}
    if switches.profile is Profile.CURRENT:
        body["usage"] = _usage(task, switches, settled=True)
        body["billing"] = _billing(task)
        if task.ended_at is not None:
            body["duration"] = round(task.ended_at - task.created_at, 3)
    return body


def listed_body(task: Task, *, has_results: bool) -> dict[str, Any]:
    """One row of the answer to GET /v1/tasks; there are no links in it."""
    return {
        "id": task.id,
        "status": str(task.status),
        "model": task.model,
        "type": "video",
        "progress": task.progress,
        "created_at": int(task.created_at),
        "has_results": has_results,
        "has_error": task.error is not None,
        "credits_used": None if task.charged is None else number(task.charged),
    }


def number(amount: Decimal) -> int | float:
    """An amount as a JSON number."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _moved(task: Task, status: Status, **changes: Any) -> Task:
    if status not in MOVES[task.status]:
        raise Ended(f"{task.id} is {task.status} and cannot become {status}")
    return replace(task, status=status, **changes)


def _head(task: Task, switches: Switches) -> dict[str, Any]:
    return {
        "created": int(task.created_at),
        "id": task.id,
        "model": task.model,
        **({"object": "video.generation.task"} if switches.object else {}),
        "progress": task.progress,
        "status": str(task.status),
        "type": "video",
    }


def _usage(task: Task, switches: Switches, *, settled: bool) -> dict[str, Any]:
    # The documents' examples say per_call and count seconds all the same; today's answers say per_second.
    own_word = "per_second" if switches.profile is Profile.CURRENT else "per_call"
    usage: dict[str, Any] = {
        "billing_rule": own_word if switches.billing_rule == "auto" else switches.billing_rule,
        "credits_reserved": number(task.reserved),
        "user_group": task.user_group,
    }
    if settled and task.charged is not None:
        usage["credits_used"] = number(task.charged)
    return usage


def _billing(task: Task) -> dict[str, Any]:
    charged = task.charged or ZERO
    back = max(task.reserved - charged, ZERO) if task.charged is not None else ZERO
    block: dict[str, Any] = {
        "refund_scope": "account_balance",
        "charge_status": _charge_status(task),
        "refund_status": _refund_status(task, back),
        "reserved_credits": number(task.reserved),
        "charged_credits": number(charged),
        "refunded_credits": number(back),
    }
    if back and task.settled_at is not None:
        block["refunded_at"] = int(task.settled_at)
    return block


def _charge_status(task: Task) -> str:
    if task.charged is None:
        return "reserved"
    return "charged" if task.charged or task.status is Status.COMPLETED else "released"


def _refund_status(task: Task, back: Decimal) -> str:
    if task.charged is not None:
        return "completed" if back else "not_required"
    return "pending" if task.status in (Status.FAILED, Status.CANCELLED) else "unknown"
