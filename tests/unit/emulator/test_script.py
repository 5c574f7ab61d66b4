"""Mishaps strike what they were written for, and nothing else."""

from decimal import Decimal

import pytest

from runner.emulator.script import (
    Download,
    Drop,
    Fail,
    Hold,
    NoResults,
    Poll,
    Reply,
    Reserve,
    Script,
    Spoiled,
    Stall,
    Word,
)


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
    assert [script.on_download(1, "x", n) for n in (1, 2, 3)] == [None, Spoiled.HTML, None]


def test_a_reply_without_an_envelope_needs_a_body() -> None:
    with pytest.raises(ValueError, match="no envelope"):
        Reply(create=1, status=200)
    with pytest.raises(ValueError, match="no envelope"):
        Poll(task=1, status=302)
    Reply(create=1, status=200, raw="<html>")


def test_a_reply_says_what_the_documents_say_unless_it_is_told_otherwise() -> None:
    told = Reply(create=1, status=403, code="key_disabled", message="no", param="").refusal
    assert (told.code, told.message, told.param) == ("key_disabled", "no", "")
    plain = Reply(create=1, status=429, retry_after_s=0).refusal
    assert (plain.code, plain.headers) == ("rate_limit_exceeded", {"Retry-After": "0"})
    assert Poll(task=1, status=404).refusal.message == "Task not found or expired"
