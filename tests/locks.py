"""Lines of a lock for tests, with what a test does not care about filled in."""

from decimal import Decimal
from typing import Any

from runner.core.request import idempotency_key
from runner.planning.lockfile import WITHOUT_TASK, Known, Line

KEY = "a" * 64


def line(take: str = "a.1", known: Known = Known.DONE, key: str = KEY, **more: Any) -> Line:
    told: dict[str, Any] = {
        "number": 1,
        "model": "wan2.5-text-to-video",
        "service": "evolink",
        "account": "0" * 16,
        "intent": idempotency_key(key=key, purchase=more.get("number", 1), account=more.get("account", "0" * 16)),
        "day": "2026-11-20",
        "credits": Decimal("12.75"),
        "unit": "credit",
    }
    if known not in WITHOUT_TASK:
        told["task_id"] = f"task-{key[:4]}-{told['number']}"
    if known is Known.DONE:
        told |= {"sha256": "c" * 64, "size_bytes": 5}
    return Line(take=take, known=known, key=key, **{**told, **more})
