"""Whatever is cut short wherever: the invoice equals the ledger, and no take is bought twice.

The sweep cuts one eventful run at every single step; the property cuts any run anywhere.
"""

from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market import (
    BREAKS,
    BUSY,
    COURSES,
    DEAD,
    DONE,
    GONE,
    LOST,
    POSTS,
    PRICE,
    RECEIPT,
    REFUSED,
    SPOILT,
    UNSURE,
    Cuts,
    Ended,
    Market,
    judge,
    run,
)

from runner.core.lifecycle import ENDED, State
from runner.planning.history import Entry, fold, standing

KEYS = ("a", "b", "c", "d")
EVENTFUL = ([BUSY, RECEIPT, RECEIPT, LOST, BUSY, RECEIPT, UNSURE, RECEIPT], [BREAKS, DEAD, DONE, DONE, SPOILT])


def market() -> Market:
    posts, courses = EVENTFUL
    return Market(posts=list(posts), courses=list(courses))


def settled(service: Market, entries: list[Entry], *, retries: int = 0) -> dict[str, State]:
    """What two more runs over the same journal come to, when nothing goes wrong any more."""
    service.heal()
    for _ in range(2):
        entries = run(service, entries, KEYS, retries=retries).entries
        judge(service, entries, retries=retries)
    known = fold(entries)
    return {key: found.state for key in KEYS if (found := standing(known[key]))}


def check(first: Ended, service: Market, *, retries: int = 0) -> None:
    judge(service, first.entries, retries=retries)
    for key, state in settled(service, first.entries, retries=retries).items():
        # What is known to be taken has its clip; what may have been taken is left to a person; an end stays an end.
        assert state in {State.DONE, State.UNKNOWN} | ENDED, f"{key} is {state}"


@cache
def steps_of_an_eventful_run() -> tuple[str, ...]:
    ended = run(market(), [], KEYS, retries=1)
    return tuple(ended.steps)


def sweep(*whats: str) -> None:
    for step in range(1, len(steps_of_an_eventful_run()) + 1):
        service = market()
        cuts: Cuts = {step + n: what for n, what in enumerate(whats)}
        first = run(service, [], KEYS, cuts=cuts, retries=1)
        check(first, service, retries=1)


def test_the_eventful_run_is_eventful() -> None:
    service = market()
    ended = run(service, [], KEYS, retries=1)
    judge(service, ended.entries, retries=1)
    states = {p.state for made in fold(ended.entries).values() for p in made}
    assert states >= {State.FAILED, State.UNKNOWN, State.DONE}
    assert len(ended.steps) > 60


def test_killed_at_every_step() -> None:
    sweep("kill")


def test_cancelled_at_every_step() -> None:
    sweep("cancel")


def test_cancelled_again_and_again_from_every_step() -> None:
    sweep("cancel", "cancel", "cancel", "cancel")


def test_stopped_and_then_cancelled_at_every_step() -> None:
    sweep("leave", "cancel")


def test_stopped_at_every_step() -> None:
    sweep("leave")


def test_cancelled_and_then_killed_at_every_step() -> None:
    sweep("cancel", "kill")


@pytest.mark.parametrize("again", ["cancel", "leave"])
def test_a_cancelled_run_has_the_answer_to_every_post_it_sent(again: str) -> None:
    """Nothing was killed: then nothing may be in doubt, neither in the journal nor in anybody's mind."""
    for step in range(1, len(steps_of_an_eventful_run()) + 1):
        service = market()
        first = run(service, [], KEYS, cuts={step: "cancel", step + 1: again, step + 2: "cancel"}, retries=1)
        states = {p.intent.idempotency_key: p.state for made in fold(first.entries).values() for p in made}
        assert State.INTENDED not in states.values(), f"cut at {step}, {first.steps[step - 1]}"
        last = {idempotency_key: fate for idempotency_key, _, fate in service.sent}
        for idempotency_key, fate in last.items():
            assert (states[idempotency_key] is State.UNKNOWN) == (fate in (LOST, UNSURE))


CUTS = st.dictionaries(st.integers(1, 150), st.sampled_from(["cancel", "leave", "kill"]), max_size=4)


@given(
    posts=st.lists(st.sampled_from(POSTS), max_size=12),
    courses=st.lists(st.sampled_from(COURSES), max_size=8),
    cuts=CUTS,
    more_cuts=CUTS,
    keys=st.integers(1, 4),
    retries=st.integers(0, 2),
)
@settings(max_examples=150, deadline=None)
def test_no_take_is_bought_twice_whatever_happens(
    posts: list[str], courses: list[str], cuts: Cuts, more_cuts: Cuts, keys: int, retries: int
) -> None:
    service = Market(posts=posts, courses=courses)
    names = KEYS[:keys]
    first = run(service, [], names, cuts=cuts, retries=retries)
    second = run(service, first.entries, names, cuts=more_cuts, retries=retries)
    service.heal()
    entries = second.entries
    for _ in range(2):
        ended = run(service, entries, names, retries=retries)
        judge(service, ended.entries, retries=retries * 3)  # each of the runs may have had its retries
        entries = ended.entries
    finished = {p.state for made in fold(entries).values() for p in made}
    assert finished <= {State.DONE, State.UNKNOWN, State.HELD, State.REFUSED} | ENDED
    for task in service.tasks.values():
        purchase = next(p for p in fold(entries)[task.key] if p.intent.idempotency_key == task.idempotency_key)
        if task.course == DONE:  # paid, and still to be had: it is here, unless nobody knows of it
            assert purchase.state in (State.DONE, State.UNKNOWN)


@given(
    courses=st.lists(st.sampled_from([DONE, BREAKS, GONE]), max_size=6),
    posts=st.lists(st.sampled_from([RECEIPT, BUSY, REFUSED, LOST]), max_size=8),
    limit=st.integers(0, 6),
    cuts=CUTS,
    retries=st.integers(0, 2),
)
@settings(max_examples=60, deadline=None)
def test_no_run_commits_more_than_its_limit(
    courses: list[str], posts: list[str], limit: int, cuts: Cuts, retries: int
) -> None:
    service = Market(posts=posts, courses=courses)
    cap = PRICE * limit + Decimal("0.01")
    first = run(service, [], KEYS, cuts=cuts, retries=retries, limit=cap)
    assert sum(task.owed for task in service.tasks.values()) <= cap
    before = len(service.tasks)
    run(service, first.entries, KEYS, retries=retries, limit=cap)
    assert sum(task.owed for task in list(service.tasks.values())[before:]) <= cap


@given(
    courses=st.lists(st.sampled_from(COURSES), max_size=6),
    posts=st.lists(st.sampled_from([RECEIPT, REFUSED, BUSY]), max_size=30),
    cuts=CUTS,
)
@settings(max_examples=80, deadline=None)
def test_what_is_asked_for_is_bought_again_once_and_only_when_it_is_asked_for(
    courses: list[str], posts: list[str], cuts: Cuts
) -> None:
    service = Market(courses=courses)
    first = run(service, [], KEYS)
    ended = {key for key, made in fold(first.entries).items() if made[-1].state in ENDED}
    service.posts = posts
    again = run(service, first.entries, KEYS, cuts=cuts, retry=True)
    service.heal()
    bought = {key: len(service.bought(key)) for key in KEYS}
    last = run(service, again.entries, KEYS)
    judge(service, last.entries, retried=1)
    assert all(len(service.bought(key)) == bought[key] for key in ended)  # a retry that took nothing opens nothing
    once_more = run(service, last.entries, KEYS, retry=True)
    judge(service, once_more.entries, retried=2)
