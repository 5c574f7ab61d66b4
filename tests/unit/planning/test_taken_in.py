"""What the lock in git knows and the journal does not is taken in, and never lets anything be bought twice."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locks import KEY, line
from purchases import AT, entry, life, purchase

from runner.core.lifecycle import ENDED, GIVEN_UP, OPEN, UNTAKEN, Event, State
from runner.core.request import idempotency_key
from runner.planning.budget import committed_for
from runner.planning.history import Entry, History, Purchase, fold, standing
from runner.planning.lockfile import KNOWN, RANK, Damaged, Known, Line, build
from runner.planning.recovery import applied
from runner.planning.taken_in import entries, named

NOW = "2026-11-21T09:00:00.000Z"
STATES = {
    Known.UNKNOWN: State.UNKNOWN,
    Known.DISCLAIMED: State.DISCLAIMED,
    Known.WRITTEN_OFF: State.WRITTEN_OFF,
    Known.OPEN: State.WAITING,
    Known.FAILED: State.FAILED,
    Known.CANCELLED: State.CANCELLED,
    Known.LOST: State.LOST,
    Known.EXPIRED: State.EXPIRED,
    Known.DONE: State.DONE,
}


def after(lines: Sequence[Line], history: History | None = None) -> dict[str, tuple[Purchase, ...]]:
    return applied(history or {}, entries(lines, history or {}, storyboard="film", at=NOW))


def rebuilt(history: History) -> tuple[Line, ...]:
    return build(history, storyboard="film", asked=(), free=lambda _: False, link_life_s=86_400)


def ours(state: State, told: Line, *, foreign: bool = False, number: int = 1) -> dict[str, tuple[Purchase, ...]]:
    """Our own purchase in a state, of the very intent that the line tells of."""
    body = b"" if foreign else b"{}"
    told_of = {"idempotency_key": told.intent, "account": told.account, "body": body, "take": told.take}
    history = fold(life(state, told.key, number, **told_of))
    [one] = history[told.key]
    task = told.task_id if one.task_id and told.task_id else one.task_id
    return {told.key: (replace(one, task_id=task),)}


# What the journal does not know


@pytest.mark.parametrize("known", Known)
def test_an_empty_journal_takes_in_every_purchase_as_the_lock_tells_it(known: Known) -> None:
    told = line(known=known, error="service_error" if known in (Known.FAILED, Known.LOST) else None)
    [found] = after([told])[KEY]
    assert found.state is STATES[known]
    assert found.foreign
    assert (found.intent.take, found.account, found.intent.idempotency_key) == ("a.1", told.account, told.intent)
    assert found.committed == (0 if known is Known.DISCLAIMED else told.credits)
    assert (found.task_id, found.intent.storyboard) == (told.task_id, "film")


@pytest.mark.parametrize("known", Known)
def test_the_lock_built_from_what_was_taken_in_is_the_same_lock(known: Known) -> None:
    sent = "2026-11-20T08:30:00.000Z" if known in (Known.UNKNOWN, Known.OPEN) else None
    error = known.value if known in (Known.FAILED, Known.CANCELLED, Known.LOST, Known.EXPIRED) else None
    paid = Decimal(0) if known is Known.DISCLAIMED else Decimal("12.75")
    expires = "2026-11-21T08:30:00Z" if known is Known.OPEN else None
    told = line(known=known, sent_at=sent, error=error, credits=paid, expires_at=expires)
    assert rebuilt(after([told])) == (told,)


def test_a_clip_is_known_by_its_digest_alone() -> None:
    [found] = after([line()])[KEY]
    assert found.result == {"sha256": "c" * 64, "size_bytes": 5}


def test_every_digest_that_the_lock_has_of_a_clip_is_one_it_may_be_picked_by() -> None:
    told = line(first="1" * 64, earlier=("2" * 64, "3" * 64))
    [found] = after([told])[KEY]
    assert found.digests == told.digests
    assert rebuilt({KEY: (found,)}) == (replace(told, credits=found.committed),)
    history = ours(State.DONE, told)
    [own] = named([told], history)[KEY]
    assert own.digests == told.digests | history[KEY][0].digests
    assert after([told], history) == history  # nothing of it is written into the journal


def test_what_was_given_back_commits_nothing_here_either() -> None:
    [found] = after([line(known=Known.FAILED, credits=Decimal(0))])[KEY]
    assert found.released
    assert found.committed == 0


def test_what_colleagues_paid_counts_for_the_storyboards_budget() -> None:
    history = after([line(), line("b.1", key="b" * 64, storyboard="films/other")])
    assert committed_for("film", history) == Decimal("12.75")
    assert committed_for("films/other", history) == Decimal("12.75")


@pytest.mark.parametrize("known", Known)
def test_taking_in_twice_adds_nothing(known: Known) -> None:
    history = after([line(known=known)])
    assert entries([line(known=known)], history, storyboard="film", at=NOW) == ()


def test_two_accounts_that_bought_the_same_are_two_purchases() -> None:
    history = after([line(account="1" * 16), line(account="2" * 16, task_id="other")])
    assert [p.number for p in history[KEY]] == [1, 2]
    assert {p.account for p in history[KEY]} == {"1" * 16, "2" * 16}


def test_a_purchase_keeps_its_number_where_it_is_free() -> None:
    assert [p.number for p in after([line(number=3)])[KEY]] == [3]


# What the journal knows, too


@pytest.mark.parametrize(("known", "state", "foreign"), list(product(Known, State, [True, False])))
def test_a_purchase_of_ours_never_goes_back_and_never_becomes_free_by_the_lock(
    known: Known, state: State, foreign: bool
) -> None:
    told = line(known=known)
    history = ours(state, told, foreign=foreign)
    if state is State.INTENDED:
        return  # recovered before the lock is read
    now = after([told], history)[KEY]
    before, found = standing(history[KEY]), standing(now)
    assert before is not None
    assert found is not None
    free = UNTAKEN | GIVEN_UP
    if before.state not in free:
        decided = foreign and state is State.UNKNOWN and known in (Known.DISCLAIMED, Known.WRITTEN_OFF)
        assert decided or found.state not in free
    if state in KNOWN and KNOWN[state] is not Known.UNKNOWN:
        assert max(RANK[KNOWN[p.state]] for p in now if p.state in KNOWN) >= RANK[KNOWN[state]]
    if known is Known.DONE:
        assert found.state in (State.DONE, State.MISSING)


def test_an_unknown_outcome_of_ours_is_settled_by_the_task_that_the_lock_names() -> None:
    told = line(known=Known.OPEN)
    [found] = after([told], ours(State.UNKNOWN, told))[KEY]
    assert (found.state, found.task_id) == (State.WAITING, told.task_id)


@pytest.mark.parametrize("known", [Known.DISCLAIMED, Known.WRITTEN_OFF])
def test_no_file_declares_an_unknown_outcome_of_ours_not_taken(known: Known) -> None:
    told = line(known=known)
    [found] = after([told], ours(State.UNKNOWN, told))[KEY]
    assert found.state is State.UNKNOWN


@pytest.mark.parametrize("state", sorted(OPEN | ENDED))
def test_what_a_colleague_has_fetched_is_done_here_too(state: State) -> None:
    told = line()
    [found] = after([told], ours(state, told))[KEY]
    assert found.state is State.DONE
    assert found.result == {"sha256": "c" * 64, "size_bytes": 5}


def test_what_was_fetched_here_once_and_is_asked_for_again_is_not_turned_back_by_its_own_line() -> None:
    told = line()
    about = {"idempotency_key": told.intent, "account": told.account, "take": told.take}
    history = fold([*life(State.MISSING, KEY, **about), entry(Event.COMPLETED, KEY), entry(Event.UNFETCHED, KEY)])
    assert entries([told], history, storyboard="film", at=NOW) == ()


@pytest.mark.parametrize("state", sorted(UNTAKEN - {State.DISCLAIMED}))
@pytest.mark.parametrize("known", [Known.OPEN, Known.DONE, Known.LOST, Known.UNKNOWN])
def test_a_refusal_of_ours_does_not_hide_what_a_colleague_bought_with_the_same_idempotency_key(
    state: State, known: Known
) -> None:
    told = line(known=known)
    first, second = after([told], ours(state, told))[KEY]
    assert (first.state, second.state, second.number) == (state, STATES[known], 2)
    assert after([told], after([told], ours(state, told)))[KEY] == (first, second)


def test_a_lock_written_before_our_own_answer_came_does_not_contradict_it() -> None:
    told = line(known=Known.UNKNOWN, sent_at=AT)
    history = ours(State.REFUSED, told)
    assert after([told], history) == history


def test_a_task_belongs_to_one_purchase() -> None:
    with pytest.raises(Damaged, match="belongs to another purchase"):
        after([line(task_id="one"), line("b.1", key="b" * 64, task_id="one")])
    other = {"k": (purchase(State.WAITING, "k"),)}
    with pytest.raises(Damaged):
        after([line(task_id="task-k-1", account="a", service="evolink")], other)


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Known)), st.integers(1, 3), st.sampled_from("12")),
        max_size=5,
        unique_by=lambda t: t[1:],
    ),
    st.lists(st.sampled_from([s for s in State if s is not State.INTENDED]), max_size=3),
)
def test_no_lock_opens_a_key_that_the_journal_holds_closed(
    told: list[tuple[Known, int, str]], states: list[State]
) -> None:
    accounts = {"1": "1" * 16, "2": "2" * 16}
    lines = [
        line(
            known=known,
            number=number,
            account=accounts[account],
            task_id=None if RANK[known] < 3 else f"t-{number}-{account}",
        )
        for known, number, account in told
    ]
    lived: list[Entry] = []
    for number, state in enumerate(states, 1):
        mine = idempotency_key(key=KEY, purchase=number, account=accounts["1"])
        lived += life(state, KEY, number, account=accounts["1"], idempotency_key=mine)
    history = fold(one for one in lived)
    now = after(lines, history)
    free = UNTAKEN | GIVEN_UP
    before, found = standing(history.get(KEY, ())), standing(now.get(KEY, ()))
    if before is not None and before.state not in free:
        assert found is not None
        # An end stays an end but where a later purchase was given up by a person.
        assert found.state not in free or (before.state in ENDED and found.foreign)
    if any(known in (Known.OPEN, Known.DONE, Known.UNKNOWN) for known, _, _ in told) and not states:
        assert found is not None
        assert found.state not in free
    for made in now.values():
        assert len({p.number for p in made}) == len(made)
    written = [e for e in entries(lines, history, storyboard="film", at=NOW) if e.event is Event.SEND]
    assert len({(e.key, e.purchase) for e in written}) == len(written)
    assert fold([*lived, *entries(lines, history, storyboard="film", at=NOW)]) == {k: v for k, v in now.items() if v}
