import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.planning.bill import Bill
from runner.screen.summary import Failed, Owed, Report, Unknown, as_json, text

WHOLE = Report(
    takes=42,
    made=18,
    reused=24,
    statuses={"done": 42, "skipped": 1},
    charged=Decimal("459.00"),
    reserved=Decimal(0),
    free=False,
    manifest="out/film/final/manifest.json",
    clips="out/film/final/clips",
    film="out/film/final/film.mp4",
    seconds=724.5,
    go_on="shotrunner run film.yaml",
)
PARTIAL = replace(
    WHOLE,
    made=12,
    film="",
    statuses={"done": 36, "failed": 1, "unknown": 1, "unfetched": 1, "waiting": 1, "overdue": 1, "pending": 1},
    charged=Decimal("25.5"),
    reserved=Decimal(51),
    failed=[
        Failed(take="walk.1", words="content_policy_violation: no", help="shotrunner run film.yaml --retry walk.1")
    ],
    unknown=[Unknown(take="walk.2", key="ab" * 32, sent_at="2026-11-20T08:00:00.123Z", body_sha256="cd" * 32)],
    waiting=[Owed(take="dawn.1", task_id="task-unified-1")],
    overdue=[Owed(take="dusk.1", task_id="task-2")],
    unfetched=[
        Owed(take="b.1", task_id="task-3", until="2026-11-21T09:00:00.000Z"),
        Owed(take="a.1", task_id="task-4", until="2026-11-21T08:00:00.000Z"),
    ],
    stopped="stopped by SIGINT",
)


def shown(report: Report, width: int = 80) -> str:
    return text(report, colour=False, width=width)


def test_a_whole_run_has_a_few_lines() -> None:
    assert shown(WHOLE) == (
        "done in 12 m 5 s: 42 takes, 18 made, 24 reused, 1 skipped\n"
        "cost      459 credits charged\n"
        "film      out/film/final/film.mp4\n"
        "clips     out/film/final/clips\n"
        "manifest  out/film/final/manifest.json\n"
    )


def test_the_last_lines_say_what_is_paid_and_until_when_and_what_goes_on() -> None:
    assert shown(PARTIAL) == (
        "incomplete after 12 m 5 s: 42 takes, 12 made, 24 reused, 1 failed, 1 unknown, 1 unfetched, 1 waiting, "
        "1 overdue, 1 pending\n"
        "cost      25.50 credits charged, 51 credits reserved, not charged yet\n"
        "clips     out/film/final/clips\n"
        "manifest  out/film/final/manifest.json\n"
        "nothing new was submitted any more: stopped by SIGINT\n"
        "failed:\n"
        "  walk.1: content_policy_violation: no\n"
        "    help: shotrunner run film.yaml --retry walk.1\n"
        "unknown: the answer was lost, so the service may have taken and charged what was sent:\n"
        "  walk.2  sent 2026-11-20T08:00:00.123Z  key abababababab  body sha256 cdcdcdcdcdcd\n"
        "paid, and not here yet:\n"
        "  a.1     unfetched  task task-4          until 2026-11-21 08:00 UTC\n"
        "  b.1     unfetched  task task-3          until 2026-11-21 09:00 UTC\n"
        "  dawn.1  waiting    task task-unified-1\n"
        "  dusk.1  overdue    task task-2\n"
        "to be fetched before 2026-11-21 08:00 UTC\n"
        "to go on: shotrunner run film.yaml\n"
    )


@pytest.mark.parametrize(
    "left",
    [
        {"statuses": {"done": 41, "pending": 1}},
        {"failed": [Failed(take="film", words="ffmpeg is missing")]},
        {"unknown": PARTIAL.unknown},
        {"waiting": PARTIAL.waiting},
        {"overdue": PARTIAL.overdue},
        {"unfetched": PARTIAL.unfetched},
        {"stopped": "stopped by SIGINT"},
    ],
)
def test_whatever_is_left_makes_a_run_incomplete_and_says_what_goes_on(left: dict[str, object]) -> None:
    report = replace(WHOLE, **left)  # type: ignore[arg-type]
    assert shown(report).startswith("incomplete after")
    assert shown(report).endswith("to go on: shotrunner run film.yaml\n")
    assert json.loads(as_json(report))["complete"] is False


def test_a_free_service_owes_nothing_that_was_paid() -> None:
    made = shown(replace(WHOLE, free=True, waiting=PARTIAL.waiting))
    assert "cost      free\n" in made
    assert "paid" not in made
    assert "not here yet:\n  dawn.1  waiting  task task-unified-1\nto go on" in made


def test_a_run_that_bought_nothing_cost_nothing_and_an_unwritten_path_has_no_line() -> None:
    made = shown(replace(WHOLE, charged=Decimal(0), film="", clips="", outputs=["out/film.otio"]))
    assert made.splitlines()[1:] == [
        "cost      nothing",
        "output    out/film.otio",
        "manifest  out/film/final/manifest.json",
    ]


@pytest.mark.parametrize(
    ("bill", "line"),
    [
        (Bill(charged=Decimal("38.25"), estimated=Decimal("38.25"), service=Decimal("38.25")), "ledger 38.25 = service 38.25 credits"),
        (
            Bill(charged=Decimal("38.25"), estimated=Decimal("38.25"), service=Decimal(40)),
            "ledger 38.25, service 40 credits: 1.75 apart",
        ),
        (
            Bill(charged=Decimal(40), estimated=Decimal("38.25"), service=Decimal(40)),
            "ledger 40 = service 40 credits, estimated 38.25",
        ),
        (
            Bill(charged=Decimal("25.5"), reserved=Decimal("12.75"), estimated=None, service=Decimal("25.5")),
            "ledger 38.25, service 25.50 credits: 12.75 not charged yet",
        ),
        (
            Bill(charged=Decimal(40), earlier=Decimal(20), estimated=Decimal(40), service=Decimal(20)),
            "ledger 40, service 20 credits: 20 not charged in this run, but reserved, or charged before",
        ),
    ],
)  # fmt: skip
def test_the_ledger_is_held_to_the_services_own_figure(bill: Bill, line: str) -> None:
    made = shown(replace(WHOLE, bill=bill))
    assert made.splitlines()[1:3] == ["cost      459 credits charged", f"bill      {line}"]


def test_where_the_service_tells_no_figure_the_estimate_stands_beside_the_cost() -> None:
    made = shown(replace(WHOLE, bill=Bill(charged=Decimal(459), estimated=Decimal("450.5"))))
    assert made.splitlines()[1] == "cost      459 credits charged, estimated 450.50"
    assert "bill" not in made
    assert "bill" not in shown(replace(WHOLE, bill=Bill(charged=Decimal(459), estimated=Decimal(459))))


def test_the_bill_is_told_to_programs() -> None:
    bill = Bill(charged=Decimal("38.25"), estimated=Decimal("38.25"), service=Decimal(40))
    assert json.loads(as_json(replace(WHOLE, bill=bill)))["bill"] == {
        "ledger": "38.25",
        "service": "40",
        "apart": "1.75",
        "estimated": "38.25",
    }
    assert json.loads(as_json(WHOLE))["bill"] is None
    silent = json.loads(as_json(replace(WHOLE, bill=Bill(charged=Decimal(1), estimated=None))))["bill"]
    assert silent == {"ledger": "1", "service": None, "apart": None, "estimated": None}


def test_amounts_keep_their_unit() -> None:
    assert "cost      2.50 USD charged\n" in shown(replace(WHOLE, charged=Decimal("2.5"), unit="USD"))


def test_long_lists_are_cut_but_never_the_unknown() -> None:
    many = replace(
        PARTIAL,
        failed=[Failed(take=f"f.{n}", words="no") for n in range(23)],
        waiting=[Owed(take=f"w.{n}", task_id=f"task-{n}") for n in range(30)],
        unknown=[replace(PARTIAL.unknown[0], take=f"u.{n}") for n in range(30)],
    )
    made = shown(many)
    assert made.count("\n  f.") == 20
    assert "  ... and 3 more, in the manifest\nunknown" in made
    assert made.count("\n  u.") == 30
    assert made.count("\n  w.") == 18
    assert "  ... and 13 more, in the manifest\nto be fetched before" in made


def test_long_words_get_three_lines_of_the_terminal_and_all_of_a_file() -> None:
    report = replace(PARTIAL, failed=[Failed(take="walk.1", words="no " * 500)])
    assert len(shown(report, 40).split("walk.1: ")[1].split("\n")[0]) == 120
    assert "no " * 499 in shown(report, 0)


def test_a_time_that_is_none_is_shown_as_it_came() -> None:
    odd = replace(WHOLE, unfetched=[Owed(take="a.1", task_id="t", until="tomorrow\x1b")])
    assert "to be fetched before tomorrow\n" in shown(odd)


def test_colour_only_adds_colour() -> None:
    coloured = text(PARTIAL, colour=True, width=80)
    assert "\x1b[31munknown\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == shown(PARTIAL)


def test_json_holds_the_same_in_full() -> None:
    assert json.loads(as_json(WHOLE)) == {
        "schema": "shotrunner.run.v1",
        "complete": True,
        "seconds": 724.5,
        "takes": {"total": 42, "made": 18, "reused": 24, "by_status": {"done": 42, "skipped": 1}},
        "cost": {"charged": "459.00", "reserved": "0", "unit": "credit", "free": False},
        "bill": None,
        "manifest": "out/film/final/manifest.json",
        "clips": "out/film/final/clips",
        "film": "out/film/final/film.mp4",
        "outputs": [],
        "failed": [],
        "unknown": [],
        "owed": [],
        "stopped": None,
        "go_on": None,
    }
    made = json.loads(as_json(PARTIAL))
    assert made["film"] is None
    assert made["unknown"] == [
        {"take": "walk.2", "key": "ab" * 32, "sent_at": "2026-11-20T08:00:00.123Z", "body_sha256": "cd" * 32}
    ]
    assert made["owed"][0] == {
        "take": "a.1",
        "status": "unfetched",
        "task_id": "task-4",
        "until": "2026-11-21T08:00:00.000Z",
    }
    assert [one["status"] for one in made["owed"]] == ["unfetched", "unfetched", "waiting", "overdue"]
    assert (made["stopped"], made["go_on"]) == ("stopped by SIGINT", "shotrunner run film.yaml")


@settings(deadline=None, max_examples=50)
@given(st.text(min_size=1))
def test_no_line_begins_with_foreign_words(words: str) -> None:
    report = replace(
        PARTIAL,
        failed=[Failed(take="walk.1", words=words, help=words), Failed(take=f"::error::{words}", words="no")],
        waiting=[Owed(take="dawn.1", task_id=words, until=words)],
        film=words,
        manifest=words,
        stopped=words,
        go_on=words,
    )
    begins = r"incomplete|cost|film|clips|manifest|nothing|failed|unknown|paid|to |  (walk|dawn|dusk|[ab])\.|  \ufffd:error|    help:|$"
    assert all(re.match(begins, line) for line in shown(report).split("\n"))
