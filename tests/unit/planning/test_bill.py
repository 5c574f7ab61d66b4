"""What a run's ledger counts is held to what the service says it took meanwhile."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import purchases
import pytest

from runner.core.lifecycle import UNTAKEN, State
from runner.planning.bill import Bill, bill
from runner.planning.history import History, Purchase

PRICE = Decimal("25.5")


def purchase(
    state: State, key: str = "k", *, charged: Decimal | None = None, released: bool = False, **more: Any
) -> Purchase:
    return replace(purchases.purchase(state, key, **more), charged=charged, released=released)


def made(*purchases: Purchase) -> History:
    history: dict[str, tuple[Purchase, ...]] = {}
    for one in purchases:
        history[one.key] = (*history.get(one.key, ()), one)
    return history


def of(before: History, after: History, moved: str | None = None, **estimates: Decimal | None) -> Bill:
    return bill(before, after, service="evolink", estimates=estimates, moved=None if moved is None else Decimal(moved))


def test_what_the_service_charged_counts_and_else_what_it_reserved() -> None:
    found = of({}, made(purchase(State.DONE, "a", charged=Decimal(20)), purchase(State.WAITING, "b")))
    assert (found.charged, found.reserved, found.ledger, found.earlier) == (20, PRICE, Decimal("45.5"), 0)


def test_of_other_services_nothing_counts() -> None:
    assert of({}, made(purchase(State.DONE, service="evolink@example.org"))) == Bill()


def test_what_was_settled_before_is_not_this_runs() -> None:
    history = made(purchase(State.DONE, charged=PRICE))
    assert of(history, history) == Bill()


def test_what_earlier_runs_sent_counts_when_it_is_charged() -> None:
    before = made(purchase(State.WAITING))
    assert of(before, made(purchase(State.DONE, charged=PRICE))) == Bill(charged=PRICE, earlier=PRICE, estimated=PRICE)
    # It ended, and the service has not said for how much: what it reserved.
    assert of(before, made(purchase(State.DONE))) == Bill(reserved=PRICE, earlier=PRICE, estimated=PRICE)
    # Still under way: nothing yet.
    assert of(before, made(purchase(State.OVERDUE))) == Bill()


def test_a_charge_given_back_afterwards_counts_against() -> None:
    before = made(purchase(State.FAILED, charged=PRICE))
    found = of(before, made(purchase(State.FAILED, released=True)))
    assert (found.ledger, found.earlier) == (-PRICE, -PRICE)


@pytest.mark.parametrize("state", sorted(UNTAKEN))
def test_what_was_not_taken_was_never_sent(state: State) -> None:
    assert of({}, made(purchase(state))) == Bill()


def test_the_estimate_is_the_price_tables_also_of_what_was_given_back() -> None:
    history = made(purchase(State.DONE, "a", charged=Decimal(30)), purchase(State.FAILED, "b", released=True))
    found = of({}, history, a=Decimal("25.5"), b=Decimal("12.75"))
    assert (found.ledger, found.estimated) == (30, Decimal("38.25"))
    assert of({}, history, a=None).estimated is None


@pytest.mark.parametrize(
    ("ledger", "service", "apart", "pending"),
    [
        ({"charged": "38.25"}, "38.25", "0", "0"),
        ({"charged": "38.25"}, "40", "1.75", "0"),
        ({"charged": "38.25"}, "36", "2.25", "0"),
        ({"charged": "25.5", "reserved": "12.75"}, "38.25", "0", "0"),
        ({"charged": "25.5", "reserved": "12.75"}, "25.5", "0", "12.75"),  # not charged yet
        ({"charged": "25.5", "reserved": "12.75"}, "25", "13.25", "0"),
        ({"charged": "38.25", "earlier": "12.75"}, "25.5", "0", "12.75"),  # charged before this run began
        ({"charged": "38.25", "earlier": "12.75"}, "20", "18.25", "0"),
        ({"charged": "0", "earlier": "-12.75"}, "1", "1", "0"),
        ({"charged": "38.25"}, None, "0", "0"),
    ],
)
def test_only_a_difference_without_a_lawful_reason_is_one(
    ledger: dict[str, str], service: str | None, apart: str, pending: str
) -> None:
    found = Bill(
        **{name: Decimal(value) for name, value in ledger.items()},
        service=None if service is None else Decimal(service),
    )
    assert (found.apart, found.pending) == (Decimal(apart), Decimal(pending))
