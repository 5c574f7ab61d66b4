"""From a receipt to its end at the service, in virtual time."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from fakes import START, World, buy, crashes, failed, resume, world
from purchases import life

from runner.core.errors import NotRecorded
from runner.core.lifecycle import Event, State
from runner.execution.ports import What
from runner.planning.history import Entry, fold
from runner.providers.provider import Completed, Gone, Missed, Polled, Progress, Receipt

TASK = "task-a-1"
DONE = Completed(links=("https://cdn.example/1.mp4",), charged=None)
RUNNING = Progress(status="processing", percent=10)
EMPTY = Completed(links=(), charged=None)
GONE = Gone(message="not found")
KEY_REFUSED = Missed(reason="HTTP 401", retry_after_s=None, for_key=True)
SILENCE = Missed(reason="no answer in time", retry_after_s=None, for_key=False)


async def bought(*polls: Polled, made: World | None = None, eta_s: float | None = None) -> World:
    made = made or world()
    made.api.posted["a"] = [Receipt(task_id=TASK, eta_s=eta_s, reserved=None)]
    made.api.polled[TASK] = list(polls)
    await made.run(buy("a"))
    return made


def times(made: World) -> list[float]:
    return [at for _, at in made.api.polls]


# Pace


async def test_the_first_poll_waits_for_most_of_the_estimate() -> None:
    made = await bought(RUNNING, RUNNING, DONE, eta_s=100)
    assert times(made) == [80, 96, 101]


async def test_without_an_estimate_polls_grow_from_the_floor_to_the_ceiling() -> None:
    made = await bought(*[RUNNING] * 50, DONE)
    gaps = [round(later - earlier, 6) for earlier, later in pairwise(times(made))]
    assert times(made)[0] == 5
    assert gaps == sorted(gaps)
    assert (min(gaps), max(gaps)) == (5, 15)


async def test_what_the_model_took_before_puts_off_the_first_poll() -> None:
    made = await bought(DONE, made=world(learned={"m": [60.0] * 5}))
    assert times(made) == [60]
    assert made.ledger.durations == [("m", "evolink", 60)]


async def test_a_pause_the_service_asks_for_is_kept() -> None:
    made = await bought(Missed(reason="HTTP 429", retry_after_s=100, for_key=False), DONE)
    assert times(made) == [5, 105]


async def test_a_missed_poll_is_no_end_however_many_there_are() -> None:
    made = await bought(*[SILENCE] * 60, DONE)
    assert made.purchase().state is State.DONE


# Deadline


async def test_after_the_deadline_a_task_is_overdue_and_no_failure() -> None:
    made = await bought(RUNNING, made=world(deadline_s=100))
    assert made.purchase().state is State.OVERDUE
    assert made.clock.monotonic() == 100
    assert made.told(What.OVERDUE) == ["not finished after 100 s"]
    assert made.told(What.FAILED) == []
    assert made.desk.purse.gone == Decimal("25.5")


async def test_an_estimate_beyond_the_deadline_is_asked_about_at_the_deadline() -> None:
    made = await bought(DONE, made=world(deadline_s=100), eta_s=86_400)
    assert times(made) == [100]
    assert made.purchase().state is State.DONE


@pytest.mark.parametrize("state", [State.WAITING, State.OVERDUE])
async def test_a_resumed_task_is_asked_about_at_once_with_a_fresh_deadline(state: State) -> None:
    made = world(life(state, "a"), deadline_s=100)
    made.api.polled[TASK] = [RUNNING]
    await made.run(resume(made.purchase()))
    assert times(made)[0] == 0
    assert made.clock.monotonic() == 100
    assert [event for _, event in made.purchase().timeline[-2:]] == ["resumed", "overdue"]


async def test_how_long_a_resumed_task_took_is_not_learned() -> None:
    made = world(life(State.WAITING, "a"))
    await made.run(resume(made.purchase()))
    assert made.purchase().state is State.DONE
    assert made.ledger.durations == []


async def test_a_resumed_task_is_paced_by_its_age() -> None:
    entries = list(life(State.WAITING, "a"))
    ago = START.replace(hour=7, minute=58).strftime("%Y-%m-%dT%H:%M:%S.000Z")  # two minutes before the clock begins
    entries = [Entry(**{name: getattr(one, name) for name in one.__slots__} | {"at": ago}) for one in entries]
    made = world(entries)
    made.api.polled[TASK] = [RUNNING, RUNNING, DONE]
    await made.run(resume(made.purchase()))
    assert times(made) == pytest.approx([0, 12, 25.2])


# Ends


async def test_three_answers_a_minute_apart_make_a_task_lost() -> None:
    made = await bought(GONE)
    assert made.purchase().state is State.LOST
    counted = times(made)
    assert counted[-1] - counted[0] >= 120
    assert made.purchase().error == {"code": "lost", "message": "the service no longer knows the task"}
    assert made.desk.purse.gone == Decimal("25.5")
    assert made.told(What.LOST) == ["lost: the service no longer knows the task"]


async def test_answers_in_quick_succession_count_once() -> None:
    made = await bought(*[GONE] * 8, DONE)  # within a minute and a half
    assert made.purchase().state is State.DONE


async def test_any_answer_about_the_task_starts_the_count_anew() -> None:
    made = await bought(*[*[GONE] * 10, RUNNING] * 3, DONE)
    assert made.purchase().state is State.DONE


async def test_silence_between_two_answers_does_not_start_the_count_anew() -> None:
    made = await bought(*[GONE, SILENCE] * 30)
    assert made.purchase().state is State.LOST


async def test_a_task_completed_without_results_three_times_in_a_row_has_failed_and_keeps_its_reservation() -> None:
    made = world(retries=3)
    await bought(EMPTY, EMPTY, RUNNING, EMPTY, EMPTY, EMPTY, DONE, made=made)
    assert made.purchase().state is State.FAILED
    assert len(made.api.polls) == 6
    assert made.told(What.FAILED) == ["no-result: the task completed without a result"]
    assert made.desk.purse.gone == Decimal("25.5")
    assert len(made.posts()) == 1  # not bought again by itself


async def test_results_that_come_late_are_results() -> None:
    made = await bought(EMPTY, EMPTY, DONE)
    assert made.purchase().state is State.DONE


async def test_a_failure_is_kept_with_what_the_service_says() -> None:
    made = await bought(failed("content_policy_violation", transient=False, message="no\x1b[31m"))
    assert made.purchase().error == {"code": "content_policy_violation", "message": "no\x1b[31m", "transient": False}
    assert made.purchase().committed == Decimal("25.5")


async def test_a_failure_that_cost_nothing_is_given_back() -> None:
    made = await bought(failed(released=True))
    assert made.purchase().committed == 0
    assert made.desk.purse.gone == 0


async def test_a_cancelled_task_is_cancelled() -> None:
    made = await bought(failed("cancelled", cancelled=True))
    assert made.purchase().state is State.CANCELLED


async def test_the_charge_is_kept_and_counted() -> None:
    made = await bought(Completed(links=DONE.links, charged=Decimal("30.1")))
    assert made.purchase().charged == Decimal("30.1")
    assert made.desk.purse.gone == Decimal("30.1")


async def test_a_free_services_charge_is_none() -> None:
    made = await bought(Completed(links=DONE.links, charged=Decimal("30.1")), made=world(free=True))
    assert made.purchase().charged is None


# A refused key


async def test_a_key_refused_three_times_in_a_row_leaves_the_task_to_a_later_run() -> None:
    made = world(slots=1)
    made.api.polled[TASK] = [KEY_REFUSED]
    await made.run(buy("a"), buy("b"))
    assert made.purchase().state is State.WAITING
    assert len(made.api.polls) == 3
    assert made.posts("b") == []  # submitting stopped at the first
    assert made.told(What.STOPPED) == ["HTTP 401"]


async def test_a_key_refused_now_and_then_is_waited_for() -> None:
    made = await bought(*[KEY_REFUSED, KEY_REFUSED, RUNNING] * 4, DONE)
    assert made.purchase().state is State.DONE


# Another account's receipt


@pytest.mark.parametrize("answer", [GONE, KEY_REFUSED])
async def test_a_task_of_another_account_is_asked_about_once_and_left(answer: Polled) -> None:
    made = world(life(State.WAITING, "a", account="another"))
    made.api.polled[TASK] = [answer]
    await made.run(resume(made.purchase()))
    assert made.purchase().state is State.WAITING
    assert len(made.api.polls) == 1
    assert made.told(What.STOPPED) == ["its task belongs to another account"]
    assert made.desk.halt.why() == ""


async def test_silence_does_not_make_another_accounts_task_ours() -> None:
    made = world(life(State.WAITING, "a", account="another"))
    made.api.polled[TASK] = [SILENCE, SILENCE, GONE]
    await made.run(resume(made.purchase()))
    assert made.purchase().state is State.WAITING
    assert len(made.api.polls) == 3


async def test_a_task_of_another_account_that_this_key_sees_is_taken_over() -> None:
    made = world(life(State.WAITING, "a", account="another"))
    made.api.polled[TASK] = [SILENCE, RUNNING, GONE, GONE, DONE]
    await made.run(resume(made.purchase()))
    assert made.purchase().state is State.DONE


# Leaving


async def test_a_run_that_leaves_drops_its_waiting_at_once_and_nothing_else() -> None:
    made = world()
    made.api.polled[TASK] = [RUNNING]

    async def leave() -> None:
        await made.clock.sleep(42)
        made.desk.halt.leaving("stopped by SIGINT")

    await asyncio.gather(made.run(buy("a")), leave())
    assert made.clock.monotonic() == 42
    assert made.purchase().state is State.WAITING


# When the journal cannot be written, what is paid stays where a later run finds it


@pytest.mark.parametrize(
    ("event", "answer", "state"),
    [
        (Event.COMPLETED, DONE, State.WAITING),
        (Event.FAILED, failed(), State.WAITING),
        (Event.LOST, GONE, State.WAITING),
        (Event.OVERDUE, RUNNING, State.WAITING),
    ],
)
async def test_an_end_that_cannot_be_written_is_found_again(event: Event, answer: Polled, state: State) -> None:
    made = world(slots=1)
    made.ledger.refuse = {event}
    made.api.polled[TASK] = [answer]
    with pytest.raises(ExceptionGroup) as caught:
        await made.run(buy("a"), buy("b"))
    assert [type(one) for one in crashes(caught.value)] == [NotRecorded]
    assert made.purchase().state is state
    assert made.posts("b") == []
    again = world(made.ledger.entries)
    again.api.polled[TASK] = [DONE]
    await again.run(resume(again.purchase()))
    assert again.purchase().state is State.DONE
    assert again.api.posts == []


async def test_a_duration_that_cannot_be_noted_keeps_no_clip_back() -> None:
    made = world()

    async def full(*_: object) -> None:
        raise NotRecorded("database or disk is full")

    made.ledger.note_duration = full  # type: ignore[method-assign]
    assert (await bought(DONE, made=made)).purchase().state is State.DONE


# Ends that are asked about once more


async def asked_again(state: State, answer: Polled, **more: object) -> World:
    made = world(life(state, "a", **more))
    made.api.polled[TASK] = [answer]
    await made.run(resume(made.purchase()))
    return made


@pytest.mark.parametrize("state", [State.LOST, State.EXPIRED, State.FAILED, State.CANCELLED])
async def test_a_result_that_turned_up_after_the_end_is_fetched(state: State) -> None:
    made = await asked_again(state, DONE)
    assert made.purchase().state is State.DONE
    assert made.api.posts == []


@pytest.mark.parametrize("state", [State.LOST, State.EXPIRED, State.FAILED, State.CANCELLED])
@pytest.mark.parametrize("answer", [GONE, SILENCE, KEY_REFUSED, EMPTY])
async def test_the_same_answer_or_none_leaves_an_end_as_it_is(state: State, answer: Polled) -> None:
    made = await asked_again(state, answer)
    assert made.purchase().state is state
    assert len(made.api.polls) == 1
    assert made.notices == []
    assert made.desk.halt.why() == ""


async def test_a_lost_task_that_is_under_way_after_all_is_waited_for() -> None:
    made = world(life(State.LOST, "a"))
    made.api.polled[TASK] = [RUNNING, RUNNING, DONE]
    await made.run(resume(made.purchase()))
    assert made.purchase().state is State.DONE
    assert [event for _, event in made.purchase().timeline[2:]] == ["lost", "resumed", "completed", "fetched"]


@pytest.mark.parametrize("state", [State.FAILED, State.LOST])
async def test_what_was_given_back_since_counts_no_more(state: State) -> None:
    made = await asked_again(state, failed(released=True, transient=False))
    assert made.purchase().state is State.FAILED
    assert made.purchase().committed == 0


@pytest.mark.parametrize("answer", [DONE, RUNNING])
async def test_a_retry_of_what_is_found_again_buys_nothing(answer: Polled) -> None:
    made = world(life(State.LOST, "a"))
    made.api.polled[TASK] = [answer, DONE]
    await made.run(replace(resume(made.purchase()), buys=True))
    assert made.purchase().state is State.DONE
    assert made.api.posts == []


@pytest.mark.parametrize("answer", [GONE, SILENCE, failed(released=True)])
async def test_a_retry_of_what_stays_an_end_is_bought_after_it_was_asked_about(answer: Polled) -> None:
    made = world(life(State.LOST, "a"))
    made.api.polled[TASK] = [answer]
    made.api.posted["a"] = [Receipt(task_id="task-a-2", eta_s=None, reserved=None)]
    await made.run(replace(resume(made.purchase()), buys=True))
    assert (len(made.api.posts), made.purchase("a", 2).state) == (1, State.DONE)
    assert made.log.index(f"poll {TASK}") < made.log.index("post a")


async def test_an_end_that_is_only_asked_about_is_not_bought_however_passing_its_fault() -> None:
    made = world(life(State.LOST, "a"), retries=3)
    made.api.polled[TASK] = [failed(released=True, transient=True)]
    await made.run(resume(made.purchase()))
    assert made.purchase().state is State.FAILED
    assert made.api.posts == []


async def test_a_failure_without_news_is_written_once() -> None:
    made = await asked_again(State.FAILED, failed())
    assert len(made.ledger.entries) == len(life(State.FAILED, "a"))


async def test_the_answers_the_table_does_not_allow_are_left_aside() -> None:
    made = await asked_again(State.EXPIRED, failed(released=True))
    assert made.purchase().state is State.EXPIRED
    made = await asked_again(State.FAILED, failed(released=True, cancelled=True))
    assert made.purchase().state is State.FAILED


async def test_everything_that_happened_can_be_folded_again() -> None:
    made = await bought(*[GONE] * 3, RUNNING, failed(), made=world(retries=2))
    assert fold(made.ledger.entries) == made.ledger.history()
