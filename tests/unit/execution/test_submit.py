"""The POST: intent before it, its answer after it, sent again only when it certainly was not taken."""

import asyncio
from decimal import Decimal
from itertools import pairwise

import pytest
from fakes import World, buy, crashes, failed, world

from runner.core.errors import NotRecorded, NotUploaded
from runner.core.lifecycle import Event, State, Unlawful
from runner.core.request import idempotency_key
from runner.execution.ports import What
from runner.execution.submit import ReceiptUnwritten
from runner.planning.history import Entry
from runner.providers.provider import NotTaken, Receipt, Refusal, Submitted, Unclear

BUSY = NotTaken(reason="HTTP 429: slow down", retry_after_s=None)
FOR_KEY = Refusal(code="insufficient_quota", message="no credits left", for_key=True)
FOR_SHOT = Refusal(code="content_filter", message="not this", for_key=False)
UNSURE = Unclear(reason="no answer in time")


def receipt(task_id: str = "t", reserved: str | None = None, eta_s: float | None = None) -> Receipt:
    return Receipt(task_id=task_id, eta_s=eta_s, reserved=None if reserved is None else Decimal(reserved))


async def states(made: World, *answers: Submitted, key: str = "a") -> State:
    made.api.posted[key] = list(answers)
    await made.run(buy(key))
    return made.purchase(key).state


async def test_intent_is_durable_before_the_post_and_the_receipt_before_the_first_poll() -> None:
    made = world()
    await made.run(buy())
    assert made.log == ["send a", "post a", "receipt a", "poll task-a-1", "completed a", "fetched a"]


async def test_the_intent_holds_all_that_a_later_run_must_know() -> None:
    made = world(storyboard="films/keeper", account="acc", service="evolink@x")
    await made.run(buy())
    intent = made.purchase().intent
    [post] = made.posts()
    assert (intent.storyboard, intent.take, intent.account, intent.unit) == ("films/keeper", "a.1", "acc", "credit")
    request = buy("a").request
    assert request is not None and intent.body == post.body == request.sent({})  # a replay needs the very bytes
    assert intent.idempotency_key == post.idempotency_key == idempotency_key(key="a", purchase=1, account="acc")
    assert intent.reserved == Decimal("25.5")


@pytest.mark.parametrize("times", [1, 3, 5])
async def test_what_was_not_taken_is_sent_again_with_equal_bytes_and_key(times: int) -> None:
    made = world()
    assert await states(made, *[BUSY] * times, receipt()) is State.DONE
    posts = made.posts()
    assert len(posts) == times + 1
    assert len({(post.body, post.idempotency_key) for post in posts}) == 1
    assert made.log[: 3 * times] == ["send a", "post a", "not-taken a"] * times  # each is journalled before its pause
    assert len(made.ledger.history()["a"]) == 1


async def test_it_is_sent_again_at_most_five_times_and_then_left_for_another_run() -> None:
    made = world()
    assert await states(made, BUSY) is State.HELD
    assert len(made.posts()) == 6
    assert made.told(What.PENDING) == ["not taken: HTTP 429: slow down"]
    assert made.desk.purse.gone == 0
    assert made.desk.halt.why() == ""  # the others go on


async def test_the_pause_is_the_services_own_else_it_doubles() -> None:
    made = world()
    told = NotTaken(reason="busy", retry_after_s=7.5)
    assert await states(made, BUSY, BUSY, told, BUSY, receipt()) is State.DONE
    at = [post.at_s for post in made.posts()]
    assert [round(later - earlier, 3) for earlier, later in pairwise(at)] == [1, 2, 7.5, 8]


async def test_a_connection_never_made_is_sent_again() -> None:
    made = world()
    assert await states(made, NotTaken(reason="no connection to api", retry_after_s=None), receipt()) is State.DONE


async def test_an_outcome_that_is_unknown_is_never_sent_again() -> None:
    made = world(retries=5)
    assert await states(made, UNSURE) is State.UNKNOWN
    assert len(made.posts()) == 1
    assert made.api.polls == []
    assert made.purchase().error == {"code": "no-answer", "message": "no answer in time"}
    assert made.desk.purse.gone == Decimal("25.5")  # it may have been taken
    assert made.told(What.UNKNOWN) == ["no answer in time"]


async def test_an_outcome_that_becomes_unknown_at_a_repeat_is_not_sent_a_third_time() -> None:
    made = world()
    assert await states(made, BUSY, UNSURE, receipt()) is State.UNKNOWN
    assert len(made.posts()) == 2


async def test_a_refusal_costs_nothing_and_stops_nobody() -> None:
    made = world()
    made.api.posted["a"] = [FOR_SHOT]
    await made.run(buy("a"), buy("b"))
    assert (made.purchase("a").state, made.purchase("b").state) == (State.REFUSED, State.DONE)
    assert made.told(What.REFUSED) == ["content_filter: not this"]
    assert made.desk.purse.gone == Decimal("25.5")


async def test_five_unknown_outcomes_stop_submitting() -> None:
    made = world(slots=1)
    for n in range(8):
        made.api.posted[f"k{n}"] = [UNSURE]
    await made.run(*(buy(f"k{n}") for n in range(8)))
    assert len(made.api.posts) == 5
    assert made.desk.unknown == [f"k{n}.1" for n in range(5)]
    assert made.told(What.PENDING) == ["5 outcomes of this run are unknown"] * 3
    assert set(made.ledger.history()) == {f"k{n}" for n in range(5)}  # no intent without its POST


async def test_a_refused_key_stops_new_submissions_while_paid_ones_are_awaited() -> None:
    made = world(slots=1)
    made.api.posted["b"] = [FOR_KEY]
    await made.run(buy("a"), buy("b"), buy("c"), buy("d"))
    assert {key: made.purchase(key).state for key in "ab"} == {"a": State.DONE, "b": State.REFUSED}
    assert [post.key for post in made.api.posts] == ["a", "b"]
    assert "refuses this key" in made.told(What.PENDING)[0]
    assert len(made.told(What.PENDING)) == 2


async def test_a_medium_that_did_not_arrive_buys_nothing() -> None:
    made = world(limit="30")
    made.api.uploaded["a.1"] = [NotUploaded("keeper.png has changed")]
    await made.run(buy("a"), buy("b"))
    assert made.told(What.PENDING) == ["keeper.png has changed"]
    assert [post.key for post in made.api.posts] == ["b"]
    assert "a" not in made.ledger.history()


async def test_media_are_sent_by_the_address_of_the_upload() -> None:
    made = world()
    made.api.uploaded["a.1"] = [{"sha256:x": "https://files/1"}]
    await made.run(buy("a"))
    assert made.purchase().state is State.DONE


# The purse


async def test_what_does_not_fit_is_left_and_nothing_is_sent_for_it() -> None:
    made = world(limit="60", slots=1)
    await made.run(buy("a"), buy("b"), buy("c"), buy("d", price="1"))
    assert [post.key for post in made.api.posts] == ["a", "b"]
    assert set(made.ledger.history()) == {"a", "b"}
    assert made.told(What.PENDING) == ["the rest of the budget does not cover the next take"] * 2


async def test_a_service_dearer_than_its_price_list_stops_submitting_in_time() -> None:
    made = world(limit="102", slots=1)
    made.api.posted["a"] = [receipt("t", reserved="40")]
    await made.run(*(buy(key) for key in "abcd"))
    assert [post.key for post in made.api.posts] == ["a", "b"]
    assert made.purchase("b").intent.reserved == 40
    assert made.desk.purse.gone == 80


async def test_an_unknown_price_is_bought_when_it_may_be_and_counts_when_it_is_told() -> None:
    made = world(limit="50", slots=1)
    made.api.posted["a"] = [receipt("t", reserved="30")]
    await made.run(buy("a", price=None), buy("b", price=None))
    assert [post.key for post in made.api.posts] == ["a"]
    assert made.desk.purse.gone == 30


async def test_a_free_services_play_money_counts_nothing() -> None:
    made = world(free=True)
    made.api.posted["a"] = [receipt("t", reserved="40")]
    await made.run(buy("a", price="0"))
    assert made.purchase().committed == 0


# When the journal cannot be written


async def test_without_a_durable_intent_nothing_is_sent() -> None:
    made = world(slots=1)
    made.ledger.refuse = {Event.SEND}
    with pytest.raises(ExceptionGroup) as caught:
        await made.run(buy("a"), buy("b"))
    assert [type(one) for one in crashes(caught.value)] == [NotRecorded]
    assert made.api.posts == []
    assert "the journal cannot be written" in made.told(What.PENDING)[0]


async def test_a_receipt_that_cannot_be_written_is_told_at_once_and_stops_submitting() -> None:
    made = world(slots=1)
    made.ledger.refuse = {Event.RECEIPT}
    with pytest.raises(ExceptionGroup) as caught:
        await made.run(buy("a"), buy("b"))
    [crash] = crashes(caught.value)
    assert isinstance(crash, ReceiptUnwritten)
    assert (crash.task_id, crash.take, crash.key) == ("task-a-1", "a.1", "a")
    [told] = made.told(What.UNKNOWN)
    assert "task-a-1" in told
    assert "a.1" in told
    assert [post.key for post in made.api.posts] == ["a"]
    assert made.desk.halt.why() == "the journal cannot be written"  # said of all that is not bought therefore
    assert made.purchase().state is State.INTENDED  # found unknown by the next run


async def test_a_receipt_the_journal_takes_for_unlawful_is_told_and_never_dropped() -> None:
    made = world(slots=1)
    record = made.ledger.record

    async def confused(*entries: Entry) -> None:
        if entries[0].event is Event.RECEIPT:
            raise Unlawful(State.DONE, Event.RECEIPT)
        await record(*entries)

    made.ledger.record = confused  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup) as caught:
        await made.run(buy("a"))
    assert [type(one) for one in crashes(caught.value)] == [ReceiptUnwritten]
    assert made.purchase().state is State.INTENDED


@pytest.mark.parametrize(
    ("answer", "event"), [(FOR_SHOT, Event.REFUSED), (BUSY, Event.NOT_TAKEN), (UNSURE, Event.UNANSWERED)]
)
async def test_an_answer_that_cannot_be_written_leaves_the_intent_in_doubt(answer: Submitted, event: Event) -> None:
    made = world(slots=1)
    made.api.posted["a"] = [answer]
    made.ledger.refuse = {event}
    with pytest.raises(ExceptionGroup):
        await made.run(buy("a"), buy("b"))
    assert len(made.posts("a")) == 1
    assert made.posts("b") == []
    assert made.purchase().state is State.INTENDED
    assert bool(made.told(What.UNKNOWN)) == (answer is UNSURE)


async def test_a_repeat_that_cannot_be_journalled_is_not_sent() -> None:
    made = world()
    made.api.posted["a"] = [BUSY, receipt()]
    record = made.ledger.record

    async def once(*entries: Entry) -> None:
        await record(*entries)
        made.ledger.refuse = {Event.SEND}

    made.ledger.record = once  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup):
        await made.run(buy("a"))
    assert len(made.posts()) == 1
    assert made.purchase().state is State.HELD


async def test_a_task_that_another_purchase_holds_is_unknown() -> None:
    made = world(slots=1)
    made.api.posted["b"] = [receipt("task-a-1")]
    await made.run(buy("a"), buy("b"))
    assert made.purchase("a").state is State.DONE
    assert made.purchase("b").state is State.UNKNOWN
    assert made.purchase("b").task_id is None
    assert "task-a-1" in made.told(What.UNKNOWN)[0]


# A stop between intent and POST


async def test_a_stop_while_the_intent_is_written_is_journalled_as_not_sent() -> None:
    made = world()
    made.steps.at = {made_at: lambda: made.desk.halt.submitting("stopped by SIGINT") for made_at in (3,)}
    await made.run(buy("a"))
    assert made.steps.names[2] == "after send"
    assert made.api.posts == []
    assert made.purchase().state is State.HELD
    assert made.desk.purse.gone == 0


async def test_a_stop_during_the_pause_sends_nothing_more() -> None:
    made = world()
    made.api.posted["a"] = [NotTaken(reason="busy", retry_after_s=300)]

    async def leave() -> None:
        await made.clock.sleep(10)
        made.desk.halt.submitting("stopped by SIGINT")
        made.desk.halt.leave.set()

    await asyncio.gather(made.run(buy("a")), leave())
    assert made.clock.monotonic() < 300
    assert len(made.posts()) == 1
    assert made.purchase().state is State.HELD
    assert made.told(What.PENDING) == ["stopped by SIGINT"]


# Bought again by itself


async def test_a_passing_fault_is_bought_again_as_often_as_the_pipeline_says() -> None:
    for retries in (0, 1, 2):
        made = world(retries=retries, slots=1)
        for n in range(1, 5):
            made.api.polled[f"task-a-{n}"] = [failed()]
        await made.run(buy("a"))
        assert len(made.posts()) == retries + 1
        assert [p.state for p in made.ledger.history()["a"]] == [State.FAILED] * (retries + 1)
        assert len({post.idempotency_key for post in made.posts()}) == retries + 1
        assert made.told(What.FAILED) == ["service_error: it broke"]


@pytest.mark.parametrize(
    "fault", [failed("content_policy_violation", transient=False), failed("service_error", cancelled=True)]
)
async def test_refused_content_and_a_cancelled_task_are_not_bought_again(fault: object) -> None:
    made = world(retries=3)
    made.api.polled["task-a-1"] = [fault]  # type: ignore[list-item]
    await made.run(buy("a"))
    assert len(made.posts()) == 1


async def test_a_retry_keeps_the_failed_reservation_within_the_purse() -> None:
    made = world(retries=5, limit="60")
    made.api.polled = {f"task-a-{n}": [failed()] for n in range(1, 9)}
    await made.run(buy("a"))
    assert len(made.posts()) == 2
    assert made.desk.purse.gone == 51


async def test_a_reservation_that_was_released_is_there_for_the_retry() -> None:
    made = world(retries=5, limit="60")
    made.api.polled = {f"task-a-{n}": [failed(released=True)] for n in range(1, 5)}
    await made.run(buy("a"))
    assert len(made.posts()) == 5
    assert made.purchase("a", 5).state is State.DONE


async def test_a_retry_takes_nothing_from_the_takes_of_the_plan() -> None:
    made = world(retries=1, limit="51", slots=1)
    made.api.polled["task-a-1"] = [failed()]
    await made.run(buy("a"), buy("b"))
    assert [post.key for post in made.api.posts] == ["a", "b"]
    assert made.purchase("b").state is State.DONE


async def test_nothing_is_bought_again_once_submitting_has_stopped() -> None:
    made = world(retries=3)
    made.api.polled["task-a-1"] = [failed()]
    made.api.posted["b"] = [FOR_KEY]
    await made.run(buy("a"), buy("b"))
    assert len(made.posts("a")) == 1
    assert made.told(What.FAILED) == ["service_error: it broke"]  # told as the end it is


async def test_an_unknown_price_is_not_bought_again_by_itself() -> None:
    made = world(retries=3)
    made.api.polled["task-a-1"] = [failed()]
    await made.run(buy("a", price=None))
    assert len(made.posts()) == 1


async def test_a_place_at_the_service_is_given_back_however_a_submission_ends() -> None:
    made = world(slots=1, replay_within_s=600)
    receipt = Receipt(task_id="task-a", eta_s=None, reserved=None)
    made.api.posted["a"] = [Unclear(reason="no answer"), receipt]  # had by sending the same once more
    made.api.posted["b"] = [receipt]  # of a task that another holds
    made.api.posted["c"] = [NotTaken(reason="busy", retry_after_s=0, pressed=True)]
    made.api.posted["d"] = [Unclear(reason="no answer")]
    made.api.posted["e"] = [Refusal(code="no", message="no", for_key=False)]
    await made.run(*map(buy, "abcdef"))
    assert made.purchase("a").state is State.DONE
    assert made.purchase("f").state is State.DONE
    assert made.desk.throttle._under_way == 0
    assert made.desk.throttle._sending == 0
