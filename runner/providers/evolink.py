"""The codec of the Evolink video API: requests into calls, replies into what they mean. Pure.

Source: the vendor's API documents of 2026-10 (`POST /v1/videos/generations`, `GET /v1/tasks/{id}`, file upload) and, where they are
silent, its public clients: string error codes, `billing`, `result_data`. Whatever may be absent on the live service is
optional here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from runner.core.money import ZERO, amount
from runner.core.wire import Call, Reply
from runner.providers.provider import (
    Balance,
    Completed,
    Failure,
    Gone,
    Kept,
    Listed,
    Missed,
    NotTaken,
    Polled,
    Progress,
    Receipt,
    Refusal,
    Submitted,
    Unclear,
)

TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
UPLOAD_PATH = "/api/v1/files/upload/stream"

COMPLETED_WORDS = frozenset({"completed", "complete", "succeeded", "succeed", "success"})
FAILED_WORDS = frozenset({"failed", "fail", "failure", "error"})
CANCELLED_WORDS = frozenset({"cancelled", "canceled"})
EXPIRED_WORDS = frozenset({"expired"})

# Task errors that are the service's own and pass; everything else is the request's fault or not known.
TRANSIENT_CODES = frozenset(
    {"generation_timeout", "resource_exhausted", "service_error", "service_unavailable", "quota_exceeded"}
)
MODEL_CODES = frozenset({"key_model_not_allowed", "model_access_denied"})
# Codes that say, whatever the status, that somebody may have bought under this idempotency key.
UNCLEAR_CODES = frozenset({"paid_outcome_unknown", "idempotency_conflict"})
UNCLEAR_STATUSES = frozenset({408, 409, 425})
PASSING_STATUSES = frozenset({408, 425, 429})
LONGEST_TEXT = 2000  # code points of a message that are kept
LONGEST_WORD = 100  # of a code or a status
LONGEST_LINK = 8192


def submit(*, path: str, body: bytes, idempotency_key: str, extra: Mapping[str, str]) -> Call:
    """The POST that buys. `path` is the model's; `extra` are headers of a local emulator, none for a paid service."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key, **extra}
    return Call(method="POST", path=path, headers=headers, body=body)


def poll(task_id: str) -> Call:
    return Call(method="GET", path=f"/v1/tasks/{quote(task_id, safe='')}")


def poll_together(task_ids: Sequence[str]) -> Call:
    """One query about several tasks, 50 at most. It changes nothing, so it may be sent again."""
    body = json.dumps({"task_ids": list(task_ids)}).encode()
    return Call(method="POST", path="/v1/tasks/batch", headers={"Content-Type": "application/json"}, body=body)


def read_submit(reply: Reply) -> Submitted:
    """What a reply to the POST says about whether anything was taken; the error's code is read before the status."""
    body = _json(reply)
    error = _error(body)
    codes, message = _codes(error), _message(error, reply)
    status = reply.status
    code = codes[0] if codes else str(status)
    known = {word.lower() for word in codes}
    if known & UNCLEAR_CODES:
        return Unclear(reason=f"HTTP {status} {', '.join(codes)}: {message}", contested=True)
    if 200 <= status < 300:
        task_id = body.get("id") if body else None
        if not isinstance(task_id, str) or not TASK_ID.fullmatch(task_id):
            return Unclear(reason=f"HTTP {status} without a lawful task id")
        return Receipt(task_id=task_id, eta_s=_eta(body), reserved=_reserved(body))
    if status == 429 or (status == 503 and error is not None):
        told_s = retry_after(reply, error)
        return NotTaken(reason=f"HTTP {status}: {message}", retry_after_s=told_s, pressed=status == 429)
    if status in (401, 402):
        return Refusal(code=code, message=message, for_key=True)
    if status == 403:
        names_model = error is not None and (error.get("param") == "model" or known & MODEL_CODES)
        return Refusal(code=code, message=message, for_key=not names_model)
    if 400 <= status < 500 and error is not None and status not in UNCLEAR_STATUSES:
        return Refusal(code=code, message=message, for_key=False)
    return Unclear(reason=f"HTTP {status}: {message}")


def read_poll(reply: Reply) -> Polled:
    """What a reply to a poll says about the task; a poll that failed says nothing about it."""
    body = _json(reply)
    error = _error(body)
    if reply.status == 404:
        return Gone(message=_message(error, reply))
    if reply.status != 200 or body is None:
        for_key = reply.status in (401, 402, 403)
        reason = f"HTTP {reply.status}: {_message(error, reply)}"
        return Missed(reason=reason, retry_after_s=retry_after(reply, error), for_key=for_key)
    return _task(body)


def _task(body: Mapping[str, object]) -> Polled:
    """What the service says of one task."""
    error = _error(body)
    status = _text(body.get("status"), LONGEST_WORD).lower()
    charged, released = _billing(body)
    if status in COMPLETED_WORDS:
        return Completed(links=_links(body), charged=charged)
    if status in FAILED_WORDS or status in CANCELLED_WORDS:
        cancelled = status in CANCELLED_WORDS
        codes = _codes(error)
        code = codes[0] if codes else "cancelled" if cancelled else "unknown_error"
        message = _text((error or {}).get("message"), LONGEST_TEXT) or "the service gave no reason"
        return Failure(
            code=code,
            message=message,
            transient=code.lower() in TRANSIENT_CODES and not cancelled,
            cancelled=cancelled,
            released=released,
            charged=charged,
        )
    if status in EXPIRED_WORDS:
        return Gone(message="the service says the task has expired")
    return Progress(status=status or "unknown", percent=_percent(body.get("progress")))


def read_polls(reply: Reply) -> dict[str, Polled] | Missed | None:
    """What a reply to a query about several tasks says, by task id; None where the service has no such query.

    Only what needs no second look is told: tasks under way, and completed ones with their links. A task that is not in the
    answer may be another account's, or gone; whether one failed, and what became of its reservation, its own reply says best.
    """
    body = _json(reply)
    if reply.status in PASSING_STATUSES or (reply.status >= 500 and reply.status != 501):
        error = _error(body)
        reason = f"HTTP {reply.status}: {_message(error, reply)}"
        return Missed(reason=reason, retry_after_s=retry_after(reply, error), for_key=False)
    rows = body.get("data") if body and reply.status == 200 else None
    if not isinstance(rows, list):
        return None
    told = {str(row.get("id")): _task(row) for row in rows if isinstance(row, dict)}
    return {
        task_id: polled
        for task_id, polled in told.items()
        if isinstance(polled, Progress) or (isinstance(polled, Completed) and polled.links)
    }


def list_tasks(model: str, page: int) -> Call:
    """One page of the account's tasks of a model, newest first."""
    return Call(method="GET", path=f"/v1/tasks?model={quote(model, safe='')}&page={page}&page_size=50")


def read_list(reply: Reply) -> tuple[Listed, ...] | None:
    """The tasks of one page; None where the service has no such list or did not answer with one."""
    body = _json(reply)
    rows = body.get("data") if body and reply.status == 200 else None
    if not isinstance(rows, list):
        return None
    return tuple(
        Listed(
            task_id=row["id"],
            status=_text(row.get("status"), LONGEST_WORD),
            created_s=_seconds(row.get("created_at", row.get("created")), 1e11),
            charged=amount(row.get("credits_used")),
        )
        for row in rows
        if isinstance(row, dict) and isinstance(row.get("id"), str) and TASK_ID.fullmatch(row["id"])
    )


def balance() -> Call:
    return Call(method="GET", path="/v1/credits")


def read_balance(reply: Reply) -> Balance | None:
    """What the account holds; None where the service has no such page or did not answer with one."""
    body = _json(reply)
    told = body.get("data") if body and reply.status == 200 and body.get("success") is not False else None
    if not isinstance(told, dict):
        return None
    user, token = (part if isinstance(part, dict) else {} for part in (told.get("user"), told.get("token")))
    unlimited = token.get("unlimited_credits") is True
    limits = [_credits(part.get("remaining_credits")) for part in ((user,) if unlimited else (user, token))]
    used = [_credits(part.get("used_credits")) for part in (token, user)]
    found = Balance(
        remaining=min((limit for limit in limits if limit is not None), default=None),
        used=next((amount for amount in used if amount is not None), None),
        unlimited=unlimited,
    )
    return found if (found.remaining, found.used) != (None, None) else None


def _credits(value: object) -> Decimal | None:
    """As `amount`; an account that is in debt has nothing left."""
    overdrawn = isinstance(value, int | float) and not isinstance(value, bool) and value < 0
    return Decimal(0) if overdrawn else amount(value)


def quota() -> Call:
    """How many files the account may still upload, asked of the files host."""
    return Call(method="GET", path="/api/v1/files/quota")


def read_quota(reply: Reply) -> int | None:
    """Files that may still be uploaded; None where the service has no such page or did not answer with one."""
    described = _described(reply)
    left = described.get("remain_files") if described else None
    return max(left, 0) if isinstance(left, int) and not isinstance(left, bool) else None


def read_upload(reply: Reply) -> Kept | None:
    """The uploaded file; None where the reply holds no address of it."""
    described = _described(reply) or {}
    url = described.get("file_url")
    if not isinstance(url, str) or len(url) > LONGEST_LINK or not re.match(r"https?://", url):
        return None
    return Kept(
        url=url, uploaded_at=_moment(described.get("upload_time")), expires_at=_moment(described.get("expires_at"))
    )


def _described(reply: Reply) -> Mapping[str, object] | None:
    """What an answer of the files host is about."""
    body = _json(reply)
    if body is None or body.get("success") is False or not 200 <= reply.status < 300:
        return None
    described = body.get("data")
    return described if isinstance(described, dict) else None


def _moment(told: object) -> datetime | None:
    """A time in ISO 8601; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def upload_fault(reply: Reply) -> str:
    """Why an upload was not accepted, in the service's words."""
    body = _json(reply) or {}
    message = _text(body.get("msg"), LONGEST_TEXT) or _message(_error(body), reply)
    return f"HTTP {reply.status}: {message}"


def retry_after(reply: Reply, error: Mapping[str, object] | None) -> float | None:
    """Seconds to wait as the service asks: a Retry-After in seconds, else a number of seconds in its suggestion; capped at 300."""
    told = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", told):
        return min(float(told), 300.0)
    if told and "date" in reply.headers:
        wait = _until(told, reply.headers["date"])
        if wait is not None:
            return min(max(wait, 0.0), 300.0)
    suggestion = _text((error or {}).get("fallback_suggestion"), LONGEST_TEXT)
    match = re.search(r"\b([0-9]{1,6}) seconds?\b", suggestion)
    return min(float(match[1]), 300.0) if match else None


def _until(when: str, now: str) -> float | None:
    try:
        return (parsedate_to_datetime(when) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _json(reply: Reply) -> dict[str, object] | None:
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _text(value: object, most: int) -> str:
    """A word or sentence of the service: text or a number, bounded; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()[:most]


def _error(body: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """The error envelope, if there is one that says anything."""
    error = body.get("error") if body else None
    if not isinstance(error, dict):
        return None
    return error if any(_text(error.get(name), 1) for name in ("code", "message", "type")) else None


def _codes(error: Mapping[str, object] | None) -> list[str]:
    """What the envelope calls the error: its code, then its type. Documented codes are numbers, so the type may say more."""
    found = [_text((error or {}).get(name), LONGEST_WORD) for name in ("code", "type")]
    return [word for word in found if word]


def _message(error: Mapping[str, object] | None, reply: Reply) -> str:
    if error is not None:
        return _text(error.get("message"), LONGEST_TEXT) or ", ".join(reversed(_codes(error)))
    return "a reply without an error envelope" if reply.body else "an empty reply"


def _seconds(told: object, most: float) -> float | None:
    """A number from 0 to below `most`; None for anything else."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told < most:
        return None
    return float(told)


def _eta(body: Mapping[str, object] | None) -> float | None:
    task = (body or {}).get("task_info")
    told = _seconds(task.get("estimated_time"), 1e9) if isinstance(task, dict) else None
    return None if told is None else min(told, 86_400.0)


def _reserved(body: Mapping[str, object] | None) -> Decimal | None:
    usage = (body or {}).get("usage")
    return amount(usage.get("credits_reserved")) if isinstance(usage, dict) else None


def _billing(body: Mapping[str, object]) -> tuple[Decimal | None, bool]:
    """(charged, released) as far as `billing` or `usage` tell. What is said to be still reserved is no charge yet."""
    billing, usage = body.get("billing"), body.get("usage")
    charged = amount(usage.get("credits_used")) if isinstance(usage, dict) else None
    if not isinstance(billing, dict):
        return charged, False
    match billing.get("charge_status"):
        case "charged":
            told = amount(billing.get("charged_credits"))
            charged = charged if told is None else told
        case "released":
            return None, True
        case "reserved" | "unknown":
            charged = None
    if billing.get("refund_status") != "completed":
        return charged, False
    refunded, reserved = amount(billing.get("refunded_credits")), amount(billing.get("reserved_credits"))
    if refunded is not None and charged is not None and reserved is not None:
        # What gives back the part of a reservation that was never charged is not taken off the charge.
        refunded = max(refunded - max(reserved - charged, ZERO), ZERO)
    if refunded is None or charged is None or refunded >= charged > ZERO:
        return None, True
    return charged - refunded, False


def _links(body: Mapping[str, object]) -> tuple[str, ...]:
    results, described = body.get("results"), body.get("result_data")
    found = results if isinstance(results, list) else []
    if not any(_is_link(link) for link in found):
        rows = described if isinstance(described, list) else [described]
        found = [row.get("video_url") or row.get("url") for row in rows if isinstance(row, dict)]
    return tuple(link for link in found if isinstance(link, str) and _is_link(link))


def _is_link(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_LINK


def _percent(told: object) -> int | None:
    if isinstance(told, bool) or not isinstance(told, int | float) or told != told:
        return None
    return int(min(max(told, 0), 100))
