"""Tasks: the table of their states holds, and the JSON says what the documents say."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.emulator import tasks
from runner.emulator.refusals import Profile
from runner.emulator.switches import Switches
from runner.emulator.tasks import ID, ID_SPACE, Ended, Status, Task, TaskError

CURRENT, DOCUMENTED = Switches(), Switches(profile=Profile.DOCUMENTED)
NOW = 1_795_000_000.25
LINK = "http://127.0.0.1:1/results/x/y.mp4"
ERROR = TaskError(code="invalid_audio", message="too short\nby far")

MOVES = {
    "processing": lambda task: tasks.processing(task, 40),
    "completed": lambda task: tasks.completed(task, NOW + 9),
    "failed": lambda task: tasks.failed(task, NOW + 9, ERROR),
    "cancelled": lambda task: tasks.cancelled(task, NOW + 9),
}


def new() -> Task:
    return Task(
        id=tasks.task_id(NOW, 7), number=1, created_at=NOW, model="m", estimated_s=12, reserved=Decimal("25.50")
    )


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=6))
def test_a_final_state_is_never_left_and_progress_never_falls_before_it(moves: list[str]) -> None:
    task = new()
    for move in moves:
        before = task
        try:
            task = MOVES[move](task)
        except Ended:
            assert before.ended or (before.status, move) == (Status.PENDING, "completed")
            assert task is before
        else:
            assert not before.ended
            assert task.progress >= before.progress or task.status in (Status.FAILED, Status.CANCELLED)


@pytest.mark.parametrize("number", [0, 35, 36, ID_SPACE - 1])
def test_an_id_has_the_documented_shape(number: int) -> None:
    made = tasks.task_id(NOW, number)
    assert ID.fullmatch(made)
    assert made.startswith("task-unified-1795000000-")


@given(st.integers(0, ID_SPACE - 1), st.integers(0, ID_SPACE - 1))
def test_two_numbers_make_two_ids(one: int, other: int) -> None:
    assert (tasks.task_id(NOW, one) == tasks.task_id(NOW, other)) == (one == other)


def test_the_answer_to_a_create_has_every_documented_field() -> None:
    assert tasks.created_body(new(), DOCUMENTED) == {
        "created": 1795000000,
        "id": "task-unified-1795000000-00000007",
        "model": "m",
        "object": "video.generation.task",
        "progress": 0,
        "status": "pending",
        "task_info": {"can_cancel": True, "estimated_time": 12},
        "type": "video",
        "usage": {"billing_rule": "per_call", "credits_reserved": 25.5, "user_group": "default"},
    }


def test_today_nothing_can_be_cancelled_and_seconds_are_billed() -> None:
    body = tasks.created_body(new(), CURRENT)
    assert body["task_info"]["can_cancel"] is False
    assert body["usage"]["billing_rule"] == "per_second"


def test_a_replayed_create_tells_of_the_task_as_it_was_accepted() -> None:
    done = MOVES["completed"](MOVES["processing"](new()))
    assert tasks.created_body(done, CURRENT) == tasks.created_body(new(), CURRENT)


def test_the_documented_query_has_nothing_that_the_documents_do_not_list() -> None:
    done = MOVES["completed"](MOVES["processing"](new()))
    listed = {"created", "id", "model", "object", "progress", "results", "status", "task_info", "type"}
    assert set(tasks.query_body(done, DOCUMENTED, [LINK])) == listed


@pytest.mark.parametrize("switches", [CURRENT, DOCUMENTED])
def test_results_stand_only_in_a_completed_task(switches: Switches) -> None:
    working = MOVES["processing"](new())
    for task in (new(), working, MOVES["failed"](working)):
        assert "results" not in tasks.query_body(task, switches, [LINK])
    done = tasks.query_body(MOVES["completed"](working), switches, [LINK])
    assert (done["results"], done["progress"], done["status"]) == ([LINK], 100, "completed")


def ended(word: str, charged: str | None) -> Task:
    task = MOVES[word](MOVES["processing"](new()))
    return task if charged is None else tasks.settled(task, NOW + 60, Decimal(charged))


def test_a_failed_task_says_why_and_what_came_back_when() -> None:
    body = tasks.query_body(ended("failed", "0"), CURRENT, [])
    assert body["status"] == "failed"
    assert body["progress"] == 0
    assert body["error"] == {"code": "invalid_audio", "message": "too short\nby far"}
    assert body["usage"]["credits_used"] == 0
    assert body["billing"] == {
        "refund_scope": "account_balance",
        "charge_status": "released",
        "refund_status": "completed",
        "reserved_credits": 25.5,
        "charged_credits": 0,
        "refunded_credits": 25.5,
        "refunded_at": 1795000060,
    }


@pytest.mark.parametrize(
    ("word", "charged", "said"),
    [
        ("completed", None, ("reserved", "unknown", 0, 0)),
        ("completed", "25.50", ("charged", "not_required", 25.5, 0)),
        ("completed", "20", ("charged", "completed", 20, 5.5)),
        ("completed", "0", ("charged", "completed", 0, 25.5)),
        ("completed", "51", ("charged", "not_required", 51, 0)),
        ("failed", None, ("reserved", "pending", 0, 0)),
        ("failed", "25.50", ("charged", "not_required", 25.5, 0)),
        ("cancelled", None, ("reserved", "pending", 0, 0)),
        ("cancelled", "0", ("released", "completed", 0, 25.5)),
        ("cancelled", "25.50", ("charged", "not_required", 25.5, 0)),
    ],
)
def test_billing_says_what_was_charged_and_what_came_back(
    word: str, charged: str | None, said: tuple[str, str, float, float]
) -> None:
    body = tasks.query_body(ended(word, charged), CURRENT, [LINK])
    names = ("charge_status", "refund_status", "charged_credits", "refunded_credits")
    assert tuple(body["billing"][name] for name in names) == said
    assert ("refunded_at" in body["billing"]) == (said[3] > 0)
    assert body["usage"].get("credits_used") == (None if charged is None else said[2])


def test_a_task_is_settled_once_and_not_before_its_end() -> None:
    for task in (new(), MOVES["processing"](new()), ended("completed", "1"), ended("failed", "0")):
        with pytest.raises(Ended):
            tasks.settled(task, NOW, Decimal(1))


def test_a_row_of_the_list_says_how_a_task_stands_and_has_no_link() -> None:
    assert tasks.listed_body(ended("completed", "25.50"), has_results=True) == {
        "id": "task-unified-1795000000-00000007",
        "status": "completed",
        "model": "m",
        "type": "video",
        "progress": 100,
        "created_at": 1795000000,
        "has_results": True,
        "has_error": False,
        "credits_used": 25.5,
    }
    broken = tasks.listed_body(ended("failed", None), has_results=False)
    assert (broken["has_error"], broken["credits_used"]) == (True, None)


def test_a_word_of_the_lists_filter_stands_for_every_state() -> None:
    words = [word for word, states in tasks.FILTERS.items() for _ in states]
    assert sorted(state for states in tasks.FILTERS.values() for state in states) == sorted(Status)
    assert len(words) == len(Status)


def test_an_open_task_has_reserved_and_used_nothing() -> None:
    body = tasks.query_body(new(), CURRENT, [])
    assert (body["billing"]["charge_status"], body["billing"]["refund_status"]) == ("reserved", "unknown")
    assert "credits_used" not in body["usage"]
    assert "duration" not in body
