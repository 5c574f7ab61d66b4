"""The error envelope: every HTTP answer that is no success, in the words of the API documents."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Profile(StrEnum):
    """Which of its two faces the service shows: what it answers today, or what its documents say."""

    CURRENT = "current"  # string codes, nothing can be cancelled, a billing block
    DOCUMENTED = "documented"  # codes are the HTTP status, `can_cancel` while pending, no billing block


class Lack(StrEnum):
    """What an older gateway does not have."""

    IDEMPOTENCY = "idempotency"  # its keys are read and mean nothing
    TASK_LIST = "task list"
    BATCH = "batch query"
    CREDITS = "credits"
    ESTIMATES = "estimates"


class Side(StrEnum):
    """The two endpoints word some refusals differently."""

    CREATE = "create"
    QUERY = "query"


# status: (type, code of the current profile, message)
_STANDARD: dict[int, tuple[str, str, str]] = {
    400: ("invalid_request_error", "invalid_parameters", "Invalid request format"),
    401: ("authentication_error", "invalid_api_key", "Invalid authentication credentials"),
    402: ("insufficient_quota_error", "insufficient_quota", "Insufficient quota"),
    403: ("permission_error", "model_access_denied", "Access denied for this model"),
    404: ("not_found_error", "model_not_found", "Specified model not found"),
    405: ("invalid_request_error", "method_not_allowed", "Method not allowed"),
    408: ("invalid_request_error", "request_timeout", "Request timed out"),
    409: ("invalid_request_error", "idempotency_conflict", "Idempotency key was used with another request body"),
    413: ("invalid_request_error", "request_too_large", "Request too large"),
    431: ("invalid_request_error", "headers_too_large", "Request headers too large"),
    429: ("rate_limit_error", "rate_limit_exceeded", "Rate limit exceeded"),
    500: ("internal_server_error", "internal_server_error", "Internal server error"),
    502: ("upstream_error", "upstream_error", "Bad gateway"),
    503: ("service_unavailable_error", "service_unavailable", "Service temporarily unavailable"),
    504: ("upstream_error", "upstream_timeout", "Gateway timeout"),
}
_QUERY: dict[int, tuple[str, str]] = {
    400: ("invalid_task_id", "Invalid task ID format"),
    401: ("invalid_api_key", "Invalid or expired token"),
    403: ("access_denied", "Access denied"),
    404: ("task_not_found", "Task not found or expired"),
    502: ("upstream_error", "Upstream service error"),
}
_PARAM = {
    (Side.CREATE, 403): "model",
    (Side.CREATE, 404): "model",
    (Side.QUERY, 400): "task_id",
    (Side.QUERY, 404): "task_id",
}
BILLING = "https://evolink.ai/dashboard/billing"
_SUGGESTION = {
    402: BILLING,
    429: "retry after 60 seconds",
    500: "try again later",
    502: "try again later",
    503: "retry after 30 seconds",
    504: "try again later",
}
_RETRY_AFTER_S = {429: 60, 503: 30}
STATUSES = frozenset(_STANDARD)


class Refusal(Exception):
    """An answer that is no success.

    What is not given is taken from the documents' own example for this status; `param=""` leaves the parameter out.
    `retry_after_s` becomes the header Retry-After. `extra` are further members that the current profile tells.
    """

    def __init__(
        self,
        status: int,
        side: Side = Side.CREATE,
        *,
        code: str | None = None,
        message: str | None = None,
        param: str | None = None,
        suggestion: str | None = None,
        retry_after_s: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.type, standard_code, standard_message = _STANDARD.get(status, _STANDARD[500])
        if side is Side.QUERY:
            standard_code, standard_message = _QUERY.get(status, (standard_code, standard_message))
        self.status, self.side = status, side
        self.code = code or standard_code
        self.message = message or standard_message
        self.param = _PARAM.get((side, status)) if param is None else param
        self.suggestion = suggestion or _SUGGESTION.get(status)
        self.retry_after_s = _RETRY_AFTER_S.get(status) if retry_after_s is None else retry_after_s
        self.extra = dict(extra or {})
        super().__init__(f"{status} {self.code}: {self.message}")

    def body(self, profile: Profile) -> dict[str, Any]:
        """`{"error": {"code", "message", "type", "param"?, "fallback_suggestion"?}}`"""
        error: dict[str, Any] = {
            "code": self.status if profile is Profile.DOCUMENTED else self.code,
            "message": self.message,
            "type": self.type,
        }
        if self.param:
            error["param"] = self.param
        if self.suggestion:
            error["fallback_suggestion"] = self.suggestion
        if profile is Profile.CURRENT:
            error |= self.extra
        return {"error": error}

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
