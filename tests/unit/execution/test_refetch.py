"""A clip that is not here is asked of its task once more, for nothing; a receipt of another account by one poll."""

from dataclasses import replace
from decimal import Decimal

import pytest
from fakes import World, resume, world
from purchases import entry, life

from runner.core.errors import NotFetched
from runner.core.lifecycle import Event, State
from runner.execution.ports import What
from runner.planning.history import apply
from runner.providers.provider import Completed, Failure, Gone, Missed, Polled, Progress, Receipt

TASK = "task-a-1"
LINK = "https://cdn.example/new.mp4"
FRESH = Completed(links=(LINK,), charged=None)
GONE = Gone(message="not found")
BROKE = Failure(code="x", message="y", transient=False, cancelled=False, released=True, charged=None)
SILENT = Missed(reason="no answer", retry_after_s=None, for_key=False)
REFUSED = Missed(reason="HTTP 403", retry_after_s=None, for_key=True)
PROGRESS = Progress(status="processing", percent=1)


def missing(**more: object) -> World:
    return world(life(State.MISSING, "a", **more))


async def sought(made: World, *answers: Polled, buys: bool = False) -> State:
    made.api.polled[TASK] = list(answers)
    made.api.posted["a"] = [Receipt(task_id="task-a-new", eta_s=None, reserved=None)]
    await made.run(replace(resume(made.purchase()), buys=buys))
    return made.purchase().state


@pytest.mark.parametrize("buys", [True, False])
async def test_what_the_task_still_gives_out_is_fetched_and_nothing_is_bought(buys: bool) -> None:
    made = missing()
    assert await sought(made, FRESH, buys=buys) is State.DONE
    assert made.api.posts == []
    assert [link for link, _ in made.api.fetches] == [LINK]
    assert made.purchase().committed == Decimal("25.5")


@pytest.mark.parametrize("answer", [GONE, BROKE, Completed(links=(), charged=None)])
async def test_one_answer_that_it_is_gone_is_enough_and_ends_nothing(answer: Polled) -> None:
    made = missing()
    assert await sought(made, answer) is State.MISSING
    assert len(made.api.polls) == 1
    assert made.purchase().at(Event.UNAVAILABLE)
    assert made.purchase().askable  # a service may err once
    assert made.told(What.MISSING)
    assert made.api.posts == []
    assert made.purchase().committed == Decimal("25.5")


async def test_a_task_that_says_so_in_three_runs_is_left_alone() -> None:
    made = missing()
    for left in (True, True, False):
        assert await sought(made, GONE) is State.MISSING
        assert made.purchase().askable is left


async def test_it_is_bought_again_only_when_asked_for_and_only_after_the_task_was_asked() -> None:
    made = missing()
    assert await sought(made, GONE, buys=True) is State.MISSING
    assert made.purchase("a", 2).state is State.DONE
    assert len(made.api.posts) == 1
    assert made.log.index("unavailable a") < made.log.index("post a")


@pytest.mark.parametrize("answer", [SILENT, REFUSED, PROGRESS])
async def test_an_answer_that_says_nothing_of_the_clip_buys_nothing(answer: Polled) -> None:
    made = missing()
    assert await sought(made, answer, buys=True) is State.MISSING
    assert made.api.posts == []
    assert made.purchase().askable
    assert 1 <= len(made.api.polls) <= 3


async def test_it_is_waited_for_an_answer_and_then_fetched() -> None:
    made = missing()
    assert await sought(made, SILENT, SILENT, FRESH) is State.DONE


async def test_a_missing_clip_that_breaks_off_again_is_left_unfetched() -> None:
    made = missing()
    made.api.fetched[LINK] = [NotFetched("it broke off")]
    assert await sought(made, FRESH, buys=True) is State.UNFETCHED
    assert made.api.posts == []


async def test_a_bought_again_clip_fits_into_the_purse_or_is_left() -> None:
    made = world(life(State.MISSING, "a"), limit="20")
    assert await sought(made, GONE, buys=True) is State.MISSING
    assert made.api.posts == []
    assert made.told(What.PENDING)


# Another account


@pytest.mark.parametrize("answer", [GONE, REFUSED])
async def test_another_accounts_missing_clip_is_asked_for_once_and_may_be_asked_for_again(answer: Polled) -> None:
    made = missing(account="another")
    assert await sought(made, answer) is State.MISSING
    assert len(made.api.polls) == 1
    assert made.purchase().askable
    assert made.told(What.MISSING) == ["its task belongs to another account"]


async def test_another_accounts_missing_clip_is_bought_when_asked_for() -> None:
    made = missing(account="another")
    assert await sought(made, GONE, buys=True) is State.MISSING
    assert made.purchase("a", 2).state is State.DONE


@pytest.mark.parametrize("state", [State.WAITING, State.OVERDUE, State.UNFETCHED, State.MISSING])
async def test_a_task_that_answers_to_the_key_at_hand_is_taken_over_once(state: State) -> None:
    made = world(life(state, "a", account="another"))
    assert await sought(made, SILENT, PROGRESS, FRESH, FRESH) in (State.DONE, State.UNFETCHED)
    assert made.purchase().account == "a"
    assert made.purchase().intent.account == "another"
    assert [event for _, event in made.purchase().timeline].count("taken-over") == 1


@pytest.mark.parametrize("answer", [GONE, REFUSED])
@pytest.mark.parametrize("state", [State.WAITING, State.OVERDUE])
async def test_a_task_that_does_not_stays_that_accounts_and_is_never_lost(state: State, answer: Polled) -> None:
    made = world(life(state, "a", account="another"))
    assert await sought(made, answer) is State.WAITING
    assert len(made.api.polls) == 1
    assert made.purchase().account == "another"
    assert made.desk.halt.why() == ""  # the key is good for what it bought itself


async def test_our_own_task_is_not_taken_over() -> None:
    made = world(life(State.WAITING, "a"))
    assert await sought(made, FRESH) is State.DONE
    assert "taken-over" not in [event for _, event in made.purchase().timeline]


async def test_what_was_taken_over_is_ours_from_then_on() -> None:
    made = world([*life(State.WAITING, "a", account="another"), entry(Event.TAKEN_OVER, "a", account="a")])
    assert await sought(made, GONE) is State.LOST  # as for any task of ours, after three such answers


def test_who_took_it_over_last_has_it() -> None:
    one = apply(apply(None, life(State.WAITING)[0]), entry(Event.RECEIPT, task_id="t"))
    assert one.account == "a"
    assert apply(one, entry(Event.TAKEN_OVER, account="b")).account == "b"
