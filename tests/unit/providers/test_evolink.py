"""The codec against the whole table of replies, against hostile ones, and against any bytes at all."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.core.wire import Reply
from runner.providers import evolink
from runner.providers.provider import (
    Completed,
    Failure,
    Gone,
    Kept,
    Missed,
    NotTaken,
    Polled,
    Progress,
    Receipt,
    Refusal,
    Submitted,
    Unclear,
)

TASK = "task-unified-1757156493-imcg5zqt"
HTML = b"<html><body>502 Bad Gateway</body></html>"
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_quota_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "internal_server_error",
    502: "upstream_error",
    503: "service_unavailable_error",
}


def reply(status: int = 200, body: object = b"", **headers: str) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=content
    )


def envelope(status: int, code: object = None, **more: object) -> dict[str, object]:
    told = {"code": status if code is None else code, "message": "as it is", "type": TYPES.get(status, "an_error")}
    return {"error": {**told, **more}}


def submitted(status: int, body: object = b"", **headers: str) -> Submitted:
    return evolink.read_submit(reply(status, body, **headers))


# What a reply to a POST means for money, by status: with the error envelope and without it.
KEY, SHOT, AGAIN, UNSURE = "refused for the key", "refused", "not taken", "unknown"
TABLE: dict[int, tuple[str, str]] = {
    **dict.fromkeys(range(100, 600), (UNSURE, UNSURE)),
    **dict.fromkeys(range(400, 500), (SHOT, UNSURE)),
    **dict.fromkeys((401, 402, 403), (KEY, KEY)),
    **dict.fromkeys((408, 409, 425), (UNSURE, UNSURE)),
    429: (AGAIN, AGAIN),
    503: (AGAIN, UNSURE),
}


def meaning(told: Submitted) -> str:
    match told:
        case Refusal():
            return KEY if told.for_key else SHOT
        case NotTaken():
            return AGAIN
        case Unclear():
            return UNSURE
        case Receipt():
            return "taken"


EMPTY = [
    b'{"error": "text"}',
    b'{"error": {}}',
    b'{"error": {"code": null, "message": ""}}',
    b'{"error": {"code": []}}',
]


def test_a_reply_to_a_post_means_what_the_table_says() -> None:
    for status, (with_envelope, without) in TABLE.items():
        assert meaning(submitted(status, envelope(status))) == with_envelope, status
        assert meaning(submitted(status, envelope(status, code="some_code"))) == with_envelope, status
        for body in (b"", HTML, b"null", b"[]", *EMPTY):
            assert meaning(submitted(status, body)) == without, (status, body)


@pytest.mark.parametrize("code", ["paid_outcome_unknown", "idempotency_conflict", "Idempotency_Conflict"])
def test_the_code_is_read_before_the_status(code: str) -> None:
    for status in TABLE:
        assert meaning(submitted(status, envelope(status, code=code))) == UNSURE
        assert meaning(submitted(status, envelope(status, type=code))) == UNSURE  # beside a number as code
        assert meaning(submitted(status, {**envelope(status, code=code), "id": TASK})) == UNSURE
        told = submitted(status, envelope(status, code=code))
        assert (
            isinstance(told, Unclear) and told.contested
        )  # somebody bought under this key: nothing more is sent under it


@pytest.mark.parametrize(
    "told", [{"param": "model"}, {"code": "key_model_not_allowed"}, {"code": "model_access_denied"}]
)
def test_a_403_that_names_the_model_is_about_the_shot(told: dict[str, str]) -> None:
    assert meaning(submitted(403, envelope(403, **told))) == SHOT


def test_a_403_that_names_something_else_is_about_the_key() -> None:
    assert meaning(submitted(403, envelope(403, code="ip_restricted", param="prompt"))) == KEY


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
def test_a_lawful_task_id_in_a_success_is_a_receipt(status: int) -> None:
    assert submitted(status, {"id": TASK}) == Receipt(task_id=TASK, eta_s=None, reserved=None)


@pytest.mark.parametrize("status", [100, 300, 302, 400, 404, 500, 503])
def test_a_task_id_elsewhere_is_no_receipt(status: int) -> None:
    assert not isinstance(submitted(status, {"id": TASK}), Receipt)


@pytest.mark.parametrize("task_id", [TASK, "a", "0", "A.b_c:d-e", "x" * 128, "a..b", "1.."])
def test_task_ids_that_are_lawful(task_id: str) -> None:
    assert meaning(submitted(200, {"id": task_id})) == "taken"


@pytest.mark.parametrize(
    "task_id",
    [
        *(
            "",
            ".",
            "..",
            ".a",
            "-a",
            "_a",
            ":a",
            "x" * 129,
            "a/b",
            "../x",
            "a b",
            " a",
            "a ",
            "a\n",
            "a\r\nX: y",
            "a\x00",
            "é",
        ),
        *("a%2f..", "a?b", "a#b", "a\\b", "\u202ea", "a\u0661", None, 5, 5.0, True, [], ["a"], {"id": "a"}),
    ],
)
def test_task_ids_that_are_unlawful_leave_the_outcome_unknown(task_id: object) -> None:
    assert meaning(submitted(200, {"id": task_id})) == UNSURE


@given(st.from_regex(evolink.TASK_ID, fullmatch=True))
def test_a_poll_stays_below_the_tasks_path(task_id: str) -> None:
    call = evolink.poll(task_id)
    assert call.method == "GET"
    assert call.path.startswith("/v1/tasks/")
    assert call.path.removeprefix("/v1/tasks/").strip("." if set(task_id) == {"."} else "") != ""
    assert not set(call.path.removeprefix("/v1/tasks/")) & set("/?#\\@ ")


@pytest.mark.parametrize(("task_id", "path"), [("a:b", "/v1/tasks/a%3Ab"), ("../x?y#z", "/v1/tasks/..%2Fx%3Fy%23z")])
def test_a_task_id_is_one_segment_of_the_path(task_id: str, path: str) -> None:
    """Whatever a journal or a person brings, beside what the service may answer."""
    assert evolink.poll(task_id).path == path


def test_a_post_carries_the_body_and_its_idempotency_key() -> None:
    call = evolink.submit(path="/v1/videos/generations", body=b"{}", idempotency_key="f" * 40, extra={})
    assert (call.method, call.path, call.body) == ("POST", "/v1/videos/generations", b"{}")
    assert call.headers == {"Content-Type": "application/json", "Idempotency-Key": "f" * 40}


def test_a_receipt_says_how_long_and_how_much() -> None:
    told = submitted(200, {"id": TASK, "task_info": {"estimated_time": 165}, "usage": {"credits_reserved": 25.5}})
    assert told == Receipt(task_id=TASK, eta_s=165.0, reserved=Decimal("25.5"))


@pytest.mark.parametrize("eta", [-1, "165", None, True, [], 1e300, float("nan"), float("inf")])
def test_an_estimate_that_is_none_is_not_believed(eta: object) -> None:
    told = submitted(200, {"id": TASK, "task_info": {"estimated_time": eta}})
    assert isinstance(told, Receipt)
    assert told.eta_s is None


def test_an_estimate_is_clamped_to_a_day() -> None:
    told = submitted(200, {"id": TASK, "task_info": {"estimated_time": 9e8}})
    assert isinstance(told, Receipt)
    assert told.eta_s == 86_400


DATE = "Fri, 20 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "suggestion", "seconds"),
    [
        ({"retry_after": "7"}, "retry after 60 seconds", 7),
        ({"retry_after": " 1.5 "}, None, 1.5),
        ({"retry_after": "0"}, None, 0),
        ({"retry_after": "999999"}, None, 300),
        ({}, "retry after 60 seconds", 60),
        ({}, "retry after 1 second", 1),
        ({}, "retry after 9999 seconds", 300),
        ({}, "try again later", None),
        ({}, "https://evolink.ai/dashboard/billing", None),
        ({}, None, None),
        ({}, 30, None),
        ({"retry_after": "Fri, 20 Nov 2026 08:00:12 GMT", "date": DATE}, None, 12),
        ({"retry_after": "Fri, 20 Nov 2026 07:00:00 GMT", "date": DATE}, None, 0),
        ({"retry_after": "Sat, 21 Nov 2026 08:00:00 GMT", "date": DATE}, None, 300),
        ({"retry_after": "Fri, 20 Nov 2026 08:00:12 GMT"}, None, None),  # against no clock of ours
        ({"retry_after": "Fri, 20 Nov 2026 08:00:12", "date": DATE}, None, None),
        ({"retry_after": "soon", "date": DATE}, "retry after 60 seconds", 60),
        ({"retry_after": "-5"}, None, None),
        ({"retry_after": "1e9"}, None, None),
        ({"retry_after": "٣"}, None, None),
        ({"retry_after": "Mon, 01 Jan 99999999999 00:00:00 GMT", "date": DATE}, None, None),
        ({"retry_after": "Mon, 01 Jan 2026 00:00:00 +9999999999", "date": DATE}, None, None),
    ],
)
def test_the_pause_is_the_services_own_as_far_as_it_is_lawful(
    headers: dict[str, str], suggestion: object, seconds: float | None
) -> None:
    told = submitted(429, envelope(429, fallback_suggestion=suggestion), **headers)
    assert isinstance(told, NotTaken)
    assert told.retry_after_s == seconds


@given(st.text(), st.text())
@example("Mon, 01 Jan 0000 00:00:00 GMT", DATE)
def test_any_header_gives_a_pause_in_range_or_none(header: str, date: str) -> None:
    found = evolink.retry_after(reply(429, retry_after=header, date=date), None)
    assert found is None or 0 <= found <= 300


# Polls


def polled(body: object, status: int = 200, **headers: str) -> Polled:
    return evolink.read_poll(reply(status, body, **headers))


@pytest.mark.parametrize(
    "word", ["pending", "processing", "queued", "Running", "in-progress", "", "something new", "null"]
)
def test_a_word_that_is_no_end_is_progress(word: str) -> None:
    assert isinstance(polled({"status": word}), Progress)


@pytest.mark.parametrize(
    "body", [{}, {"status": None}, {"status": ["completed"]}, {"status": {"completed": 1}}, {"status": True}]
)
def test_no_word_at_all_is_progress(body: object) -> None:
    assert polled(body) == Progress(status="unknown", percent=None)


@pytest.mark.parametrize(
    ("told", "percent"),
    [(0, 0), (42, 42), (42.9, 42), (-3, 0), (1000, 100), (None, None), ("42", None), (True, None), (1e300, 100)],
)
def test_progress_is_clamped(told: object, percent: int | None) -> None:
    assert polled({"status": "processing", "progress": told}) == Progress(status="processing", percent=percent)


def test_not_a_number_of_percent_is_none() -> None:
    assert polled(b'{"status": "processing", "progress": NaN}') == Progress(status="processing", percent=None)
    assert polled(b'{"status": "processing", "progress": Infinity}') == Progress(status="processing", percent=100)


@pytest.mark.parametrize("word", ["completed", "complete", "COMPLETED", " succeeded ", "succeed", "success"])
def test_a_completed_task_has_its_links(word: str) -> None:
    assert polled({"status": word, "results": ["https://a/1.mp4"]}) == Completed(
        links=("https://a/1.mp4",), charged=None
    )


@pytest.mark.parametrize(
    ("body", "links"),
    [
        ({"results": ["https://a/1", "https://a/2"]}, ("https://a/1", "https://a/2")),
        ({"results": ["https://a/1"], "result_data": {"video_url": "https://b/1"}}, ("https://a/1",)),
        ({"result_data": {"video_url": "https://b/1"}}, ("https://b/1",)),
        ({"result_data": [{"video_url": "https://b/1"}, {"url": "https://b/2"}]}, ("https://b/1", "https://b/2")),
        ({"results": [], "result_data": [{"url": "https://b/1"}]}, ("https://b/1",)),
        ({"results": [None, ""], "result_data": [{"url": "https://b/1"}]}, ("https://b/1",)),
        ({"results": None}, ()),
        ({"results": []}, ()),
        ({"results": "https://a/1"}, ()),
        ({"results": [5, None, {"url": "x"}]}, ()),
        ({"results": ["https://a/" + "x" * 9000]}, ()),
        ({"result_data": "https://b/1"}, ()),
        ({"result_data": [["https://b/1"], {"video_url": 5}]}, ()),
        ({}, ()),
    ],
)
def test_links_are_read_in_their_order_and_an_end_without_them_is_still_an_end(
    body: dict[str, object], links: tuple[str, ...]
) -> None:
    assert polled({"status": "completed", **body}) == Completed(links=links, charged=None)


@pytest.mark.parametrize(
    ("body", "charged", "released"),
    [
        ({}, None, False),
        ({"usage": {"credits_used": 25.5}}, "25.5", False),
        ({"usage": {"credits_used": 25.5}, "billing": {"charge_status": "charged"}}, "25.5", False),
        ({"usage": {"credits_used": 1}, "billing": {"charge_status": "charged", "charged_credits": 25}}, "25", False),
        # What is only reserved is no charge yet, whatever else stands there.
        ({"usage": {"credits_used": 0}, "billing": {"charge_status": "reserved"}}, None, False),
        ({"usage": {"credits_used": 0}, "billing": {"charge_status": "unknown"}}, None, False),
        ({"billing": {"charge_status": "released"}}, None, True),
        ({"billing": {"charge_status": "charged", "charged_credits": 25, "refund_status": "completed"}}, None, True),
        ({"billing": {"charge_status": "charged", "charged_credits": 25, "refund_status": "pending"}}, "25", False),
        ({"billing": {"refund_status": "completed"}}, None, True),
        (
            {
                "billing": {
                    "charge_status": "charged",
                    "charged_credits": 25,
                    "refund_status": "completed",
                    "refunded_credits": 25,
                }
            },
            None,
            True,
        ),
        (
            {
                "billing": {
                    "charge_status": "charged",
                    "charged_credits": 25,
                    "refund_status": "completed",
                    "refunded_credits": 10,
                }
            },
            "15",
            False,
        ),
        (
            {
                "billing": {
                    "charge_status": "charged",
                    "reserved_credits": 30,
                    "charged_credits": 12,
                    "refund_status": "completed",
                    "refunded_credits": 18,
                }
            },
            "12",
            False,
        ),
        (
            {
                "billing": {
                    "charge_status": "charged",
                    "reserved_credits": 30,
                    "charged_credits": 30,
                    "refund_status": "completed",
                    "refunded_credits": 30,
                }
            },
            None,
            True,
        ),
        # The rest of a reservation was given back: that is no refund of the charge.
        *[
            (
                {
                    "billing": {
                        "charge_status": "charged",
                        "reserved_credits": 20,
                        "charged_credits": charged,
                        "refund_status": "completed",
                        "refunded_credits": refunded,
                    }
                },
                left,
                left is None,
            )
            for charged, refunded, left in [
                (12.75, 7.25, "12.75"),
                (12.75, 10.25, "9.75"),
                (5, 15, "5"),
                (5, 20, None),
                (20, 20, None),
                (20, 5, "15"),
                (0, 20, "0"),
            ]
        ],
        ({"billing": {"charge_status": "charged", "charged_credits": "much"}}, None, False),
        ({"billing": {"charge_status": ["released"]}}, None, False),
        ({"billing": "released", "usage": [1]}, None, False),
        ({"usage": {"credits_used": -5}}, None, False),
    ],
)
def test_a_failed_task_says_what_it_cost(body: dict[str, object], charged: str | None, released: bool) -> None:
    told = polled({"status": "failed", "error": {"code": "service_error", "message": "m"}, **body})
    assert isinstance(told, Failure)
    assert (told.charged, told.released) == (None if charged is None else Decimal(charged), released)
    done = polled({"status": "completed", "results": ["https://a/1"], **body})
    assert isinstance(done, Completed)
    assert done.charged == told.charged


@pytest.mark.parametrize("code", sorted(evolink.TRANSIENT_CODES))
def test_the_services_own_passing_faults_are_transient(code: str) -> None:
    assert polled({"status": "failed", "error": {"code": code, "message": "m"}}) == Failure(
        code=code, message="m", transient=True, cancelled=False, released=False, charged=None
    )


@pytest.mark.parametrize(
    "code",
    [
        *("content_policy_violation", "invalid_parameters", "image_dimension_mismatch", "image_processing_error"),
        *("invalid_audio", "video_probe_failed", "request_cancelled", "resource_not_found"),
        *("generation_failed_no_content", "unknown_error", "something_new", "service_error_2", "503"),
    ],
)
def test_everything_else_is_never_bought_again_by_itself(code: str) -> None:
    told = polled({"status": "failed", "error": {"code": code, "message": "m"}})
    assert isinstance(told, Failure)
    assert told.code == code
    assert not told.transient


@pytest.mark.parametrize("word", ["failed", "fail", "failure", "Error"])
@pytest.mark.parametrize(
    "error", [None, {}, "text", [], {"code": None}, {"code": ["service_error"]}, {"code": {"a": 1}}]
)
def test_a_failure_without_a_reason_is_not_transient(word: str, error: object) -> None:
    told = polled({"status": word, "error": error})
    assert told == Failure(
        code="unknown_error",
        message="the service gave no reason",
        transient=False,
        cancelled=False,
        released=False,
        charged=None,
    )


@pytest.mark.parametrize("word", ["cancelled", "canceled", "CANCELED"])
def test_a_cancelled_task_is_told_from_a_failed_one(word: str) -> None:
    told = polled({"status": word, "error": {"code": "service_error"}})
    assert isinstance(told, Failure)
    assert told.cancelled
    assert not told.transient


def test_a_failure_keeps_at_most_so_much_of_what_is_said() -> None:
    told = polled({"status": "failed", "error": {"code": "c" * 10_000, "message": "m" * 1_000_000}})
    assert isinstance(told, Failure)
    assert (len(told.code), len(told.message)) == (100, 2000)


def test_a_task_that_is_not_known_is_gone() -> None:
    assert isinstance(polled(envelope(404), 404), Gone)
    assert isinstance(polled(HTML, 404), Gone)
    assert isinstance(polled({"status": "expired"}), Gone)


def test_any_other_status_says_nothing_about_the_task() -> None:
    for status in {*TABLE} - {200, 404}:
        for body in (
            b"",
            HTML,
            envelope(status),
            {"status": "completed", "results": ["https://a/1"]},
            {"status": "failed"},
        ):
            told = polled(body, status)
            assert isinstance(told, Missed)
            assert told.for_key == (status in (401, 402, 403))


@pytest.mark.parametrize(
    "body", [b"", HTML, b"null", b"[]", b'"completed"', b"{", b"\xff\xfe", b'{"status": "completed"']
)
def test_an_unreadable_200_says_nothing_about_the_task(body: bytes) -> None:
    assert isinstance(polled(body), Missed)


def test_a_poll_that_is_held_back_says_until_when() -> None:
    told = polled(envelope(429), 429, retry_after="9")
    assert isinstance(told, Missed)
    assert told.retry_after_s == 9


# Uploads


def kept(**more: object) -> Kept | None:
    return evolink.read_upload(reply(200, {"success": True, "data": {"file_url": "https://files/1.png", **more}}))


def test_an_upload_says_where_the_file_lies() -> None:
    assert kept() == Kept(url="https://files/1.png", uploaded_at=None, expires_at=None)


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "life_s"),
    [
        ({"expires_at": "2026-11-20T13:00:00Z"}, 3600),
        ({"expires_at": "2026-11-20T13:00:00"}, 3600),
        ({"expires_at": "2026-11-20T08:00:00-05:00"}, 3600),
        ({"upload_time": "2026-11-20T10:00:00Z", "expires_at": "2026-11-20T12:30:00Z"}, 9000),  # its clock, not ours
        ({"expires_at": "2036-01-01T00:00:00Z"}, 72 * 3600),
        ({"expires_at": "2026-11-20T11:00:00Z"}, 0),
        ({"expires_at": "soon"}, None),
        ({"expires_at": 7}, None),
        ({}, None),
    ],
)
def test_how_long_an_upload_lies_there_goes_by_the_services_own_times(
    told: dict[str, object], life_s: float | None
) -> None:
    found = kept(**told)
    assert found is not None and found.life_s(NOON) == life_s


def test_how_many_files_it_still_takes_is_known_or_not() -> None:
    told = {"success": True, "data": {"remain_files": 7, "max_files": 100}}
    assert evolink.read_quota(reply(200, told)) == 7
    assert evolink.read_quota(reply(200, {"data": {"remain_files": -3}})) == 0
    for status, body in ((404, told), (200, {"data": {}}), (200, {**told, "success": False}), (200, HTML)):
        assert evolink.read_quota(reply(status, body)) is None
    assert evolink.read_quota(reply(200, {"data": {"remain_files": True}})) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"success": False, "data": {"file_url": "https://files/1.png"}}),
        (500, {"success": True, "data": {"file_url": "https://files/1.png"}}),
        (200, {"success": True, "data": {"file_url": "javascript:1"}}),
        (200, {"success": True, "data": {"file_url": None}}),
        (200, {"success": True, "data": [1]}),
        (200, {"success": True}),
        (200, b""),
    ],
)
def test_anything_else_is_no_upload(status: int, body: object) -> None:
    assert evolink.read_upload(reply(status, body)) is None


def test_why_an_upload_failed_is_said_in_the_services_words() -> None:
    assert evolink.upload_fault(reply(200, {"success": False, "msg": "quota used up"})) == "HTTP 200: quota used up"
    assert evolink.upload_fault(reply(401, envelope(401))) == "HTTP 401: as it is"
    assert evolink.upload_fault(reply(502, HTML)) == "HTTP 502: a reply without an error envelope"


# The account's tasks


def test_tasks_of_the_account_are_listed_as_far_as_they_are_lawful() -> None:
    rows = [
        {"id": TASK, "status": "completed", "created_at": 1757156493, "credits_used": 25.5},
        {"id": "b", "created": 1757156493.5},
        {"id": "c", "created_at": 10**400, "status": ["x"]},
        {"id": "d", "created_at": "2025-09-06"},
        {"id": ".."},
        {"id": 5},
        "e",
    ]
    found = evolink.read_list(reply(200, {"data": rows}))
    assert found is not None
    assert [(one.task_id, one.created_s) for one in found] == [
        (TASK, 1757156493),
        ("b", 1757156493.5),
        ("c", None),
        ("d", None),
    ]
    assert (found[0].status, found[0].charged, found[2].status) == ("completed", Decimal("25.5"), "")


@pytest.mark.parametrize(
    "answer", [reply(404, {"data": []}), reply(200, {"data": {}}), reply(200, {}), reply(200, HTML), reply(200, [])]
)
def test_no_list_is_no_list(answer: Reply) -> None:
    assert evolink.read_list(answer) is None


# Anything at all

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["completed", "failed", "expired", "cancelled", "charged", "released", "model", "idempotency_conflict", TASK]
    )
)
names = st.sampled_from(
    [
        "id",
        "status",
        "error",
        "code",
        "message",
        "type",
        "param",
        "fallback_suggestion",
        "usage",
        "billing",
        "results",
        "result_data",
        "video_url",
        "url",
        "task_info",
        "estimated_time",
        "credits_reserved",
        "credits_used",
        "progress",
        "charge_status",
        "charged_credits",
        "refund_status",
        "refunded_credits",
        "data",
        "file_url",
        "success",
        "msg",
    ]
)
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=20,
)
bodies = st.binary() | documents.map(lambda value: json.dumps(value).encode())
headers = st.dictionaries(st.sampled_from(["retry-after", "date", "content-type"]), st.text())
DEEP = b"[" * 100_000 + b"]" * 100_000
DEEP_CODE = b'{"status": "failed", "error": {"code": ' + b"[" * 900 + b"]" * 900 + b"}}"


@given(st.integers(0, 999), bodies, headers)
@example(200, b'{"data": [{"id": "a", "created_at": 1' + b"0" * 4000 + b"}]}", {})
@example(200, DEEP, {})
@example(400, DEEP_CODE, {})
@example(200, DEEP_CODE, {})
@example(200, b'{"id": ' + b"9" * 10_000 + b"}", {})
@example(200, b'{"id": "\\ud800", "status": "failed", "error": {"message": "\\ud800"}}', {})
def test_any_reply_gives_a_value_and_never_an_exception(status: int, body: bytes, told: Mapping[str, str]) -> None:
    answer = Reply(status=status, headers=told, body=body)
    taken = evolink.read_submit(answer)
    assert isinstance(taken, Receipt | Refusal | NotTaken | Unclear)
    if isinstance(taken, Receipt):
        assert 200 <= status < 300
        assert evolink.TASK_ID.fullmatch(taken.task_id)
    assert isinstance(evolink.read_poll(answer), Progress | Completed | Failure | Gone | Missed)
    listed = evolink.read_list(answer)
    assert listed is None or all(evolink.TASK_ID.fullmatch(one.task_id) for one in listed)
    kept = evolink.read_upload(answer)
    assert kept is None or kept.url.startswith(("http://", "https://"))
    assert kept is None or 0 <= (kept.life_s(NOON) or 0) <= 72 * 3600
    assert (evolink.read_quota(answer) or 0) >= 0
    assert evolink.upload_fault(answer)


@given(st.integers(0, 999), bodies)
def test_what_may_have_been_taken_is_never_called_untaken(status: int, body: bytes) -> None:
    """Only the statuses of the table set a request free to be bought again."""
    told: Any = evolink.read_submit(Reply(status=status, headers={}, body=body))
    if isinstance(told, NotTaken):
        assert status in (429, 503)
    if isinstance(told, Refusal):
        assert 400 <= status < 500
        assert status not in (408, 409, 425)


# ---------------------------------------------------------------- the account


def credits(user: object = None, token: object = None, **more: object) -> dict[str, object]:  # noqa: A001
    return {"success": True, "message": "", "data": {"user": user, "token": token}, **more}


@pytest.mark.parametrize(
    ("user", "token", "remaining", "used"),
    [
        ({"remaining_credits": 500.5, "used_credits": 12}, {"remaining_credits": 80, "used_credits": 3}, "80", "3"),
        ({"remaining_credits": 50, "used_credits": 12}, {"remaining_credits": 80, "used_credits": 3}, "50", "3"),
        # An allowance without limit is none; what it says remains is not read.
        ({"remaining_credits": 50}, {"remaining_credits": 0, "used_credits": 3, "unlimited_credits": True}, "50", "3"),
        ({"remaining_credits": 50, "used_credits": 12}, None, "50", "12"),
        ({"remaining_credits": -4.2, "used_credits": 12}, None, "0", "12"),
        (None, {"remaining_credits": "80.25", "used_credits": None}, "80.25", None),
    ],
)
def test_an_account_is_read_as_what_may_be_spent_and_what_was(
    user: object, token: object, remaining: str, used: str | None
) -> None:
    found = evolink.read_balance(reply(200, credits(user, token)))
    assert found is not None
    assert found.remaining == Decimal(remaining)
    assert found.used == (None if used is None else Decimal(used))


@pytest.mark.parametrize(
    "answer",
    [
        reply(404, envelope(404)),
        reply(401, envelope(401)),
        reply(200, HTML),
        reply(200, b"[]"),
        reply(200, {"success": False, "data": {"user": {"remaining_credits": 5}}}),
        reply(200, {"success": True, "data": None}),
        reply(200, credits([], 3)),
        reply(200, credits({"remaining_credits": True, "used_credits": "much"}, {"used_credits": []})),
    ],
)
def test_what_tells_of_no_account_is_none(answer: Reply) -> None:
    assert evolink.read_balance(answer) is None


@given(st.binary(max_size=200), st.integers(100, 599))
def test_any_bytes_are_an_account_or_none(content: bytes, status: int) -> None:
    evolink.read_balance(Reply(status=status, headers={}, body=content))


def test_the_account_is_asked_about_and_nothing_is_sent_with_it() -> None:
    call = evolink.balance()
    assert (call.method, call.path, call.body) == ("GET", "/v1/credits", None)
