"""Which work a plan comes to: what is paid first, and nothing bought before what may stand in its place was asked about."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from actions import request, take
from purchases import purchase

from runner.core.lifecycle import ENDED, State
from runner.execution.execute import Job
from runner.planning import plan as plans
from runner.planning.history import Purchase
from runner.planning.plan import Facts, Wishes
from runner.planning.recovery import asked_again
from runner.steps.generate import jobs

KEY = "key of a.1"


def work(*made: Purchase, retry: bool = False, takes: Sequence[str] = ("a.1",)) -> tuple[Job, ...]:
    history = {key: tuple(p for p in made if p.key == key) for key in {p.key for p in made}}
    plan = plans.make(
        [take(name) for name in takes],
        {name: request(name, price=Decimal(1)) for name in takes},
        history,
        Facts(
            wishes=Wishes(selected=lambda _: True, retried=lambda _: retry),
            here=lambda _: True,
            last_inputs=lambda _: None,
        ),
    )
    return jobs(plan, (), asked_again(history, "evolink"))


@pytest.mark.parametrize("state", sorted(ENDED))
def test_an_end_that_is_kept_is_asked_about_and_not_bought(state: State) -> None:
    [job] = work(purchase(state, KEY))
    assert (job.purchase, job.buys, job.only_asks, job.takes) == (purchase(state, KEY), False, True, ("a.1",))


@pytest.mark.parametrize("state", sorted(ENDED))
def test_an_end_that_is_retried_is_asked_about_before_it_is_bought(state: State) -> None:
    [job] = work(purchase(state, KEY), retry=True)
    assert (job.purchase, job.buys, job.only_asks, job.number) == (purchase(state, KEY), True, False, 2)


def test_an_end_that_no_take_asks_for_is_asked_about_by_itself() -> None:
    asked, bought = work(purchase(State.LOST, "key of old.1"))
    assert (asked.purchase, asked.request, asked.only_asks) == (purchase(State.LOST, "key of old.1"), None, True)
    assert (bought.purchase, bought.takes) == (None, ("a.1",))


def test_an_end_behind_a_clip_that_is_here_is_asked_about_all_the_same() -> None:
    [job] = work(purchase(State.LOST, KEY), purchase(State.DONE, KEY, 2))
    assert (job.purchase, job.only_asks) == (purchase(State.LOST, KEY), True)
