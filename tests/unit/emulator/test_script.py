"""Mishaps strike what they were written for, and nothing else."""

from decimal import Decimal

import pytest

from runner.emulator.refusals import Side
from runner.emulator.script import (
    AmendPoll,
    Download,
    Drop,
    DropPoll,
    Fail,
    Hold,
    NoResults,
    Poll,
    Reply,
    Reserve,
    Script,
    Spoiled,
    Stall,
    Upload,
    Word,
)
from runner.emulator.tasks import Status


def creates(script: Script, labels: list[str]) -> list[object]:
    return [script.on_create(n, label, labels[:n].count(label)) for n, label in enumerate(labels, 1)]


def test_a_create_is_struck_by_its_number_among_all_creates() -> None:
    drop = Drop(create=2, accepted=True, times=2)
    assert creates(Script(mishaps=(drop,)), ["a", "b", "a", "c"]) == [None, drop, drop, None]


def test_a_create_is_struck_by_its_label_from_the_first_of_that_label() -> None:
    reply = Reply(create="b", status=503, times=2)
    assert creates(Script(mishaps=(reply,)), ["a", "b", "b", "b", "a"]) == [None, reply, reply, None, None]


def test_a_mishap_without_times_strikes_for_ever_but_not_before_its_first() -> None:
    stall = Stall(create=3, seconds=1, times=None)
    assert creates(Script(mishaps=(stall,)), [""] * 5) == [None, None, stall, stall, stall]


def test_of_several_that_fit_the_first_written_strikes() -> None:
    once, always = Reply(create=1, status=429), Reply(create=1, status=500, times=None)
    assert creates(Script(mishaps=(once, always)), ["", ""]) == [once, always]


def test_tasks_are_told_apart_by_number_or_label_and_by_kind() -> None:
    fail, hold = Fail(task=2, code="service_error"), Hold(task="x", seconds=1)
    script = Script(mishaps=(fail, hold, Reserve(task="x", amount=Decimal(1)), NoResults(task=3)))
    assert script.on_task(Fail, 2, "") is fail
    assert script.on_task(Fail, 1, "2") is None
    assert script.on_task(Hold, 9, "x") is hold
    assert script.on_task(NoResults, 2, "x") is None


def test_polls_and_downloads_are_struck_after_the_honest_ones() -> None:
    gone, word = Poll(task=1, status=404, skip=2), Word(task=1, status="queued_upstream", times=2)
    script = Script(mishaps=(gone, word))
    assert [script.on_poll(1, "", n) for n in range(1, 6)] == [word, word, gone, gone, gone]
    assert script.on_poll(2, "", 3) is None
    script = Script(mishaps=(Download(task="x", how=Spoiled.HTML, skip=1, times=1),))
    assert [script.on_download(1, "x", n) for n in (1, 2, 3)] == [None, script.mishaps[0], None]


def test_a_reply_without_an_envelope_needs_a_body() -> None:
    with pytest.raises(ValueError, match="no envelope"):
        Reply(create=1, status=200)
    with pytest.raises(ValueError, match="no envelope"):
        Poll(task=1, status=302)
    Reply(create=1, status=200, raw="<html>")


def test_a_reply_says_what_the_documents_say_unless_it_is_told_otherwise() -> None:
    told = Reply(create=1, status=403, code="key_disabled", message="no", param="").refusal(Side.CREATE)
    assert (told.code, told.message, told.param) == ("key_disabled", "no", "")
    plain = Reply(create=1, status=429, retry_after_s=0).refusal(Side.CREATE)
    assert (plain.code, plain.headers) == ("rate_limit_exceeded", {"Retry-After": "0"})
    assert Poll(task=1, status=404).refusal(Side.QUERY).message == "Task not found or expired"


def test_none_is_every_one() -> None:
    reply, hold, word = Reply(create=None, status=503, times=2), Hold(task=None), Word(task=None, status="x", times=1)
    script = Script(mishaps=(reply, hold, word))
    assert creates(script, ["a", "b", "a"]) == [reply, reply, None]
    assert script.on_task(Hold, 7, "a") is hold
    assert [script.on_poll(n, "", polls) for n in (1, 2) for polls in (1, 2)] == [word, None, word, None]


def test_a_poll_can_be_struck_by_the_state_the_task_is_in() -> None:
    bare = AmendPoll(task=1, of=Status.COMPLETED, members={"results": []}, skip=1, times=2)
    script = Script(mishaps=(bare, DropPoll(task=1, of=Status.PENDING)))
    told = [script.on_poll(1, "", polls, Status.COMPLETED, so) for polls, so in ((7, 1), (8, 2), (9, 3), (10, 4))]
    assert told == [None, bare, bare, None]
    assert script.on_poll(1, "", 1, Status.PROCESSING, 1) is None
    assert script.on_poll(1, "", 1, Status.PENDING, 1) is script.mishaps[1]


def test_an_upload_is_struck_by_its_number() -> None:
    one, every = Upload(upload=2), Upload(upload=None, times=None)
    assert [Script(mishaps=(one,)).on_upload(n) for n in (1, 2, 3)] == [None, one, None]
    assert [Script(mishaps=(every,)).on_upload(n) for n in (1, 9)] == [every, every]


def test_an_answer_is_changed_member_by_member_and_the_honest_one_stays_as_it_is() -> None:
    honest = {"id": "x", "usage": {"reserved": 1, "rule": "r"}, "results": ["a"]}
    changes = AmendPoll(
        task=1,
        members={"usage": {"reserved": 2}, "results": [], "more": {"a": 1}},
        without=("id", "usage.rule", "no.way"),
    )
    assert changes.applied(honest) == {"usage": {"reserved": 2}, "results": [], "more": {"a": 1}}
    assert honest == {"id": "x", "usage": {"reserved": 1, "rule": "r"}, "results": ["a"]}
