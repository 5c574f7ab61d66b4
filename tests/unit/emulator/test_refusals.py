"""Every documented error, word for word."""

from typing import Any

import pytest

from runner.emulator.refusals import Profile, Refusal, Side

CREATE = {
    400: ("Invalid request format", "invalid_request_error", None, None),
    401: ("Invalid authentication credentials", "authentication_error", None, None),
    403: ("Access denied for this model", "permission_error", "model", None),
    404: ("Specified model not found", "not_found_error", "model", None),
    429: ("Rate limit exceeded", "rate_limit_error", None, "retry after 60 seconds"),
    500: ("Internal server error", "internal_server_error", None, "try again later"),
    502: ("Bad gateway", "upstream_error", None, "try again later"),
    503: ("Service temporarily unavailable", "service_unavailable_error", None, "retry after 30 seconds"),
}
QUERY = {
    400: ("Invalid task ID format", "invalid_request_error", "task_id", None),
    401: ("Invalid or expired token", "authentication_error", None, None),
    402: ("Insufficient quota", "insufficient_quota_error", None, "https://evolink.ai/dashboard/billing"),
    403: ("Access denied", "permission_error", None, None),
    404: ("Task not found or expired", "not_found_error", "task_id", None),
    429: ("Rate limit exceeded", "rate_limit_error", None, "retry after 60 seconds"),
    500: ("Internal server error", "internal_server_error", None, "try again later"),
    502: ("Upstream service error", "upstream_error", None, "try again later"),
    503: ("Service temporarily unavailable", "service_unavailable_error", None, "retry after 30 seconds"),
}


def envelope(status: int, said: tuple[str, str, str | None, str | None]) -> dict[str, Any]:
    message, kind, param, suggestion = said
    error = {"code": status, "message": message, "type": kind, "param": param, "fallback_suggestion": suggestion}
    return {"error": {name: value for name, value in error.items() if value is not None}}


@pytest.mark.parametrize("status", CREATE)
def test_a_refused_create_is_the_documents_own_example(status: int) -> None:
    assert Refusal(status).body(Profile.DOCUMENTED) == envelope(status, CREATE[status])


@pytest.mark.parametrize("status", QUERY)
def test_a_refused_query_is_the_documents_own_example(status: int) -> None:
    assert Refusal(status, Side.QUERY).body(Profile.DOCUMENTED) == envelope(status, QUERY[status])


def test_today_codes_are_words() -> None:
    assert Refusal(402).body(Profile.CURRENT)["error"]["code"] == "insufficient_quota"
    assert Refusal(404, Side.QUERY).body(Profile.CURRENT)["error"]["code"] == "task_not_found"
    assert Refusal(400, Side.QUERY).body(Profile.CURRENT)["error"]["code"] == "invalid_task_id"


def test_only_limits_and_outages_say_when_to_come_back() -> None:
    assert {status: Refusal(status).headers for status in (400, 429, 500, 503)} == {
        400: {},
        429: {"Retry-After": "60"},
        500: {},
        503: {"Retry-After": "30"},
    }
