"""The lock in git: what it holds of the journal, how it is written, read and merged."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locks import line
from purchases import CLIP, entry, life

from runner.core.lifecycle import UNTAKEN, Event, State
from runner.planning.history import fold
from runner.planning.lockfile import KNOWN, RANK, SCHEMA, Damaged, Known, Line, build, merge, parse, text, updated


def locked(*entries: Any, storyboard: str = "film", asked: tuple[str, ...] = ()) -> tuple[Line, ...]:
    free = lambda service: service.startswith("animatic")  # noqa: E731
    return build(fold(entries), storyboard=storyboard, asked=asked, free=free, link_life_s=86_400)


# What of the journal it holds


@pytest.mark.parametrize("state", State)
def test_every_purchase_is_in_the_lock_unless_certainly_nothing_was_taken(state: State) -> None:
    lines = locked(*life(state))
    assert [one.known for one in lines] == ([KNOWN[state]] if state in KNOWN else [])
    assert (state in KNOWN) == (state not in UNTAKEN or state is State.DISCLAIMED)


def test_a_finished_take_says_what_a_clone_must_know() -> None:
    [one] = locked(*life(State.DONE))
    assert (one.take, one.key, one.sha256, one.size_bytes) == ("k.1", "k", CLIP["sha256"], CLIP["size_bytes"])
    assert (one.credits, one.service, one.day, one.account) == (Decimal("25.5"), "evolink", "2026-11-20", "a")


def test_an_open_receipt_says_its_task_and_until_when_its_link_lives() -> None:
    [waiting] = locked(*life(State.WAITING))
    assert (waiting.known, waiting.task_id, waiting.expires_at) == (
        Known.OPEN,
        "task-k-1",
        "2026-11-21T08:00:00Z",
    )
    [completed] = locked(*life(State.WAITING), entry(Event.COMPLETED, at="2026-11-20T09:30:00.000Z"))
    assert completed.expires_at == "2026-11-21T09:30:00Z"


def test_an_intent_on_its_way_is_unknown_until_its_answer_is_there() -> None:
    [one] = locked(*life(State.INTENDED))
    assert (one.known, one.sent_at, one.task_id) == (Known.UNKNOWN, "2026-11-20T08:00:00.000Z", None)


def test_a_clip_that_is_missing_here_is_done_for_everybody_else() -> None:
    assert locked(*life(State.MISSING)) == locked(*life(State.DONE))


def test_the_charge_counts_once_it_is_known() -> None:
    entries = [*life(State.WAITING), entry(Event.COMPLETED, charged=Decimal("20.4")), entry(Event.FETCHED, clip=CLIP)]
    assert locked(*entries)[0].credits == Decimal("20.4")


def test_other_storyboards_and_free_services_stay_out() -> None:
    assert locked(*life(State.DONE, storyboard="other")) == ()
    assert locked(*life(State.DONE, service="animatic/1")) == ()


def test_what_another_storyboard_paid_and_this_one_asks_for_is_in_it() -> None:
    [one] = locked(*life(State.DONE, storyboard="other"), asked=("k",))
    assert one.storyboard == "other"


def test_the_account_that_took_a_receipt_over_is_told() -> None:
    taken = [*life(State.WAITING), entry(Event.TAKEN_OVER, account="b" * 16)]
    assert locked(*taken)[0].account == "b" * 16


# The file


WORDS = st.text("ABCabc019_-", min_size=1, max_size=8).filter(lambda word: word[0] not in "_-")
HEX = st.integers(0, 16**16 - 1)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    known = draw(st.sampled_from(list(Known)))
    return line(
        f"{draw(WORDS)}@{draw(WORDS)}.{draw(st.integers(1, 9))}",
        known,
        f"{draw(HEX):064x}",
        number=draw(st.integers(1, 50)),
        intent=f"{draw(st.integers(0, 10)):040x}",
        credits=draw(st.decimals(0, 10**6, places=2)),
        error=draw(st.sampled_from([None, "service_error", "x y"])),
        sent_at=draw(st.sampled_from([None, "2026-11-20T08:00:00.000Z"])),
        expires_at=draw(st.sampled_from([None, "2026-11-20T08:00:00Z"])),
        storyboard=draw(st.sampled_from(["", "films/other", "films/é"])),
        earlier=draw(st.sampled_from([(), ("d" * 64,), ("d" * 64, "e" * 64)])) if known is Known.DONE else (),
    )


@given(st.lists(lines(), max_size=6, unique_by=lambda one: one.intent))
def test_what_is_written_is_read_back(some: list[Line]) -> None:
    ordered = merge((), some)
    assert parse(text(ordered)) == ordered


def test_a_purchase_is_a_line_and_every_line_ends_in_a_comma() -> None:
    written = text([line("a.1"), line("b.1", key="b" * 64, intent="b" * 40)]).splitlines()
    assert len(written) == 4
    assert all(row.endswith(",") for row in written[1:-1])
    assert json.loads(written[1].rstrip(","))["take"] == "a.1"


def test_lines_are_sorted_by_take_whatever_was_bought_first() -> None:
    history = [*life(State.DONE, "z", take="a.1"), *life(State.DONE, "a", take="b.1")]
    assert [one.take for one in locked(*history)] == ["a.1", "b.1"]


def test_an_empty_lock_is_lawful() -> None:
    assert parse(text([])) == ()


@given(st.text())
def test_any_text_is_a_lock_or_refused(content: str) -> None:
    try:
        parse(content)
    except Damaged:
        return
    assert SCHEMA in content


ROW = json.loads(text([line()]).splitlines()[1].rstrip(","))
OPEN_ROW = json.loads(text([line(known=Known.OPEN)]).splitlines()[1].rstrip(","))


@pytest.mark.parametrize(
    ("row", "change"),
    [
        (row, change)
        for row in (ROW, OPEN_ROW)
        for change in (
            *({name: value} for name in row for value in (None, [], {}, "", "\n", -1, True, "x" * 3000)),
            {"key": "A" * 64},
            {"task": ".."},
            {"task": "../v1"},
            {"service": "evolink@host/path"},
            {"service": "http://evil"},
            {"credits": "-1"},
            {"credits": "1e9"},
            {"credits": "NaN"},
            {"day": "2026-13-01"},
            {"sent_at": "2026-99-20T08:00:00.000Z"},
            {"number": 1.5},
            {"bytes": 2**60},
            {"take": "../../etc"},
            {"more": 1},
        )
    ],
)
def test_a_line_that_is_not_what_we_write_is_refused(row: dict[str, object], change: dict[str, object]) -> None:
    if change == {"bytes": 2**60} and "bytes" not in row:
        return
    content = json.dumps({"schema": SCHEMA, "purchases": [{**row, **change}, {}]})
    with pytest.raises(Damaged):
        parse(content)


@pytest.mark.parametrize("name", ["take", "state", "key", "number", "sha256", "bytes", "task", "account", "credits"])
def test_a_line_that_lacks_something_is_refused(name: str) -> None:
    row = {key: value for key, value in ROW.items() if key != name}
    with pytest.raises(Damaged):
        parse(json.dumps({"schema": SCHEMA, "purchases": [row]}))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is no JSON"),
        ("[]", "has no schema"),
        ('{"schema":"shotrunner.lock.v2","purchases":[]}', "newer shotrunner"),
        ('{"schema":"shotrunner.lock.v1"}', "something else"),
        ('{"schema":"shotrunner.lock.v1","purchases":[],"more":1}', "something else"),
        ('{"schema":"shotrunner.lock.v1","schema":"shotrunner.lock.v1","purchases":[]}', "twice"),
        ("[" * 100_000, "no lock"),
        ('{"schema":"shotrunner.lock.v1","purchases":[\n<<<<<<< HEAD\n{},\n', "conflict in line 2"),
        ("=======\n", "conflict"),
    ],
)
def test_what_is_no_lock_is_refused_and_says_why(content: str, words: str) -> None:
    with pytest.raises(Damaged, match=words):
        parse(content)


# Two locks of one storyboard


def test_of_a_purchase_that_both_know_the_one_that_got_further_stays() -> None:
    for lower, higher in zip(list(Known), list(Known)[1:], strict=False):
        ours, theirs = line(known=lower), line(known=higher)
        assert merge([ours], [theirs]) == merge([theirs], [ours]) == (theirs,)


def test_two_purchases_of_one_key_are_both_kept() -> None:
    one, two = line(account="1" * 16, intent="1" * 40), line(account="2" * 16, intent="2" * 40)
    assert merge([one], [two]) == (one, two)


@given(st.lists(lines(), max_size=6), st.lists(lines(), max_size=6))
def test_a_merge_loses_no_purchase(ours: list[Line], theirs: list[Line]) -> None:
    merged = {one.intent: one for one in merge(ours, theirs)}
    assert merged.keys() == {one.intent for one in (*ours, *theirs)}
    for one in (*ours, *theirs):
        assert RANK[merged[one.intent].known] >= RANK[one.known]


def test_the_lines_of_both_sides_of_a_conflict_are_a_lawful_lock() -> None:
    ours, theirs = line(known=Known.OPEN), line(known=Known.DONE)
    rows = [row for one in (ours, theirs, ours) for row in text([one]).splitlines()[1:-1]]
    head, *_, foot = text([]).splitlines()
    assert parse("\n".join([head, *rows, foot])) == (theirs,)


def test_every_digest_that_a_clip_had_is_kept_on_either_side_and_in_a_merge() -> None:
    ours, theirs = line(sha256="1" * 64), line(sha256="2" * 64, first="1" * 64, earlier=("3" * 64,))
    [one] = merge([ours], [theirs])
    assert (one.sha256, one.earlier) == ("1" * 64, ("2" * 64, "3" * 64))
    [other] = merge([theirs], [ours])
    assert (other.first, other.digests) == ("1" * 64, one.digests)
    assert parse(text([one])) == (one,)
    fetched = [entry(event) for event in (Event.MISPLACED, Event.COMPLETED)]
    again = [*fetched, entry(Event.FETCHED, clip={**CLIP, "sha256": "e" * 64})]
    history = fold([*life(State.DONE), *again, *fetched, entry(Event.FETCHED, clip={**CLIP, "sha256": "f" * 64})])
    [told] = build(history, storyboard="film", asked=(), free=lambda _: False, link_life_s=1)
    assert (told.sha256, told.first, told.earlier) == ("f" * 64, CLIP["sha256"], ("e" * 64,))


def test_a_line_of_another_machine_that_is_kept_learns_by_what_its_clip_is_known_here() -> None:
    foreign = fold(life(State.DONE, body=b""))
    [known] = build(foreign, storyboard="film", asked=(), free=lambda _: False, link_life_s=1)
    theirs = replace(known, sha256="1" * 64, day="2026-01-01")
    [kept] = updated([theirs], [known], foreign)
    assert (kept.day, kept.sha256, kept.earlier) == (theirs.day, theirs.sha256, (known.sha256,))
    assert updated([kept], [known], foreign) == (kept,)


@pytest.mark.parametrize("more", [(), (Event.UNFETCHED,), (Event.EXPIRED,)])
def test_a_clip_that_was_fetched_once_stays_done_whatever_came_of_asking_for_it_again(more: tuple[Event, ...]) -> None:
    asked = (Event.COMPLETED, *more)
    assert locked(*life(State.MISSING), *(entry(event) for event in asked)) == locked(*life(State.DONE))
