"""Order and concurrency: what is paid first, each job on its own, none in another's way."""

import asyncio
import gc
import sys

import pytest
from fakes import FakeDisk, buy, crashes, failed, resume, world
from purchases import life

from runner.core.errors import NotRecorded
from runner.core.lifecycle import Event, State
from runner.execution.ports import What
from runner.execution.room import Room
from runner.execution.submit import ReceiptUnwritten
from runner.providers.provider import Completed, NotTaken, Progress, Receipt, Refusal, Submitted, Unclear

RUNNING = Progress(status="processing", percent=1)


def keys(number: int) -> list[str]:
    return [f"k{n:02}" for n in range(number)]


async def test_nothing_to_do_is_done_at_once() -> None:
    made = world()
    await made.run()
    assert (made.log, made.clock.monotonic()) == ([], 0)


async def test_every_job_comes_to_its_end() -> None:
    made = world(slots=3)
    await made.run(*(buy(key) for key in keys(20)))
    assert {made.purchase(key).state for key in keys(20)} == {State.DONE}
    assert [post.key for post in made.api.posts] == keys(20)  # in the order of the plan


async def test_no_more_tasks_are_under_way_than_there_is_room_for() -> None:
    made = world(slots=3)
    under_way, most = set(), 0

    def watch() -> None:
        nonlocal most
        for line in made.log:
            what, key = line.split(" ")
            if what == "receipt":
                under_way.add(key)
            if what == "completed":
                under_way.discard(key)
            most = max(most, len(under_way))

    await made.run(*(buy(key) for key in keys(10)))
    watch()
    assert most == 3


async def test_no_intent_is_written_for_a_queue() -> None:
    """An intent stands only while its own POST is next: what waits for room leaves nothing behind."""
    made = world(slots=2)
    made.api.polled = {f"task-{key}-1": [RUNNING] for key in keys(10)}
    running = asyncio.create_task(made.run(*(buy(key) for key in keys(10))))
    for _ in range(200):
        await asyncio.sleep(0)
    assert set(made.ledger.history()) == set(keys(2))
    made.desk.halt.leaving("stopped by SIGINT")
    await running
    assert set(made.ledger.history()) == set(keys(2))
    assert {made.purchase(key).state for key in keys(2)} == {State.WAITING}
    assert len(made.told(What.PENDING)) == 8


async def test_resumed_tasks_take_the_room_of_new_ones() -> None:
    made = world([one for key in keys(3) for one in life(State.WAITING, key)], slots=2)
    for key in keys(3):
        made.api.polled[f"task-{key}-1"] = [RUNNING, Completed(links=("https://x/1",), charged=None)]
    await made.run(*(resume(made.purchase(key)) for key in keys(3)), buy("new"))
    assert {made.purchase(key).state for key in [*keys(3), "new"]} == {State.DONE}
    posted = made.log.index("post new")
    assert sum(f"completed {key}" in made.log[:posted] for key in keys(3)) >= 2
    assert all(made.log.index(f"resumed {key}") < posted for key in keys(3))


async def test_a_download_holds_no_room_at_the_service() -> None:
    made = world(slots=1)
    made.api.fetch_s = 1000
    await made.run(buy("a"), buy("b"))
    assert made.log.index("post b") < made.log.index("fetched a")


async def test_one_crash_leaves_the_others_running_and_is_told_at_the_end() -> None:
    made = world(slots=3)
    made.api.polled["task-k01-1"] = [RUNNING, RuntimeError("a bug")]
    for key in ("k00", "k02"):
        made.api.polled[f"task-{key}-1"] = [*[RUNNING] * 20, Completed(links=("https://x/1",), charged=None)]
    with pytest.raises(ExceptionGroup) as caught:
        await made.run(*(buy(key) for key in keys(6)))
    assert [str(one) for one in crashes(caught.value)] == ["a bug"]
    assert {made.purchase(key).state for key in ("k00", "k02")} == {State.DONE}
    assert made.purchase("k01").state is State.WAITING  # found by the next run
    assert made.posts("k05") == []
    assert set(made.told(What.PENDING)) == {"an internal fault"}


async def test_a_crash_of_a_download_leaves_its_clip_to_be_fetched() -> None:
    made = world()
    made.api.fetched["https://cdn.example/task-a-1.mp4"] = [RuntimeError("a bug")]
    with pytest.raises(ExceptionGroup):
        await made.run(buy("a"), buy("b"))
    assert made.purchase("a").state is State.COMPLETED
    assert made.purchase("b").state is State.DONE


async def test_a_crash_of_the_post_leaves_its_outcome_unknown() -> None:
    made = world(slots=1)
    made.api.posted["a"] = [RuntimeError("a bug")]
    with pytest.raises(ExceptionGroup):
        await made.run(buy("a"), buy("b"))
    assert made.purchase("a").state is State.UNKNOWN
    assert made.posts("b") == []


async def test_a_watcher_that_crashes_loses_no_receipt() -> None:
    made = world(slots=1)

    def broken(notice: object) -> None:
        raise RuntimeError("the screen is broken")

    object.__setattr__(made.desk, "watch", broken)
    with pytest.raises(ExceptionGroup):
        await made.run(buy("a"), buy("b"))
    assert made.purchase("a").state is State.WAITING
    assert made.purchase("a").task_id == "task-a-1"


async def test_a_retry_gets_the_next_number_whatever_else_was_made_of_the_key() -> None:
    """A lost task that was found again is waited for beside a second purchase that has ended since."""
    entries = [*life(State.LOST, "a", 1), *life(State.FAILED, "a", 2)]
    found = world(entries)
    found.api.polled["task-a-1"] = [RUNNING]
    found.api.polled["task-a-2"] = [RUNNING]

    async def leave() -> None:
        await found.clock.sleep(20)
        found.desk.halt.leaving("stopped")

    job = resume(found.purchase("a", 1))
    await asyncio.gather(
        found.run(type(job)(takes=job.takes, request=job.request, number=3, purchase=job.purchase)), leave()
    )
    assert found.purchase("a", 1).state is State.WAITING

    made = world(found.ledger.entries, retries=1)
    made.api.polled["task-a-1"] = [failed()]
    made.api.posted["a"] = [Receipt(task_id="task-a-3", eta_s=None, reserved=None)]
    job = resume(made.purchase("a", 1))
    await made.run(type(job)(takes=job.takes, request=job.request, number=3, purchase=job.purchase))
    assert [p.state for p in made.ledger.history()["a"]] == [State.FAILED, State.FAILED, State.DONE]


# Room on the disk


async def test_nothing_is_bought_that_might_find_no_place() -> None:
    disk = FakeDisk(free=1000)
    made = world(room=Room(disk, 1000))
    await made.run(buy("a"), buy("b"))
    assert made.api.posts == []
    assert "--min-free" in made.told(What.PENDING)[0]


async def test_what_is_paid_is_fetched_however_little_room_there_is() -> None:
    made = world(life(State.WAITING, "a"), room=Room(FakeDisk(free=0), 1000))
    await made.run(resume(made.purchase("a")), buy("b"))
    assert made.purchase("a").state is State.DONE
    assert made.posts("b") == []


# A cancelled run says what it knows


@pytest.mark.parametrize("event", [Event.RECEIPT, Event.REFUSED, Event.UNANSWERED, Event.NOT_TAKEN, Event.COMPLETED])
async def test_no_fault_is_dropped_wherever_the_run_is_cancelled(event: Event) -> None:
    """Wherever the cancel falls: what the journal could not keep is raised, and nothing is left for the loop to complain of."""
    answers: dict[Event, Submitted] = {
        Event.REFUSED: Refusal(code="c", message="m", for_key=False),
        Event.UNANSWERED: Unclear(reason="no answer"),
        Event.NOT_TAKEN: NotTaken(reason="busy", retry_after_s=None),
    }
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(str(told)))
    for step in range(1, 40):
        made = world()
        made.ledger.refuse = {event}
        made.api.posted["a"] = [answers.get(event, Receipt(task_id="t", eta_s=None, reserved=None))]
        running = asyncio.ensure_future(made.run(buy("a")))
        made.steps.at = {step: running.cancel}
        try:
            await running
        except asyncio.CancelledError:
            # Cancelled before the fault could happen: then it did not.
            assert made.desk.crashes == []
            assert made.purchase().state is not State.INTENDED if made.ledger.entries else True
        except ExceptionGroup as group:
            kind = ReceiptUnwritten if event is Event.RECEIPT else NotRecorded
            assert [type(one) for one in crashes(group)] == [kind]
        else:
            raise AssertionError("the fault is gone")
        del running
        gc.collect()
        if step > len(made.steps.names):
            break
    assert complaints == []


async def test_what_is_cancelled_before_it_begins_leaves_nothing_unawaited() -> None:
    unraised: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", lambda told: unraised.append(str(told.exc_value)))
        for step in range(1, 30):
            made = world([*life(State.COMPLETED, "a"), *life(State.DONE, "b"), *life(State.WAITING, "c")])
            jobs = [resume(made.purchase(key)) for key in "abc"]
            running = asyncio.ensure_future(made.run(*jobs, buy("d")))
            made.steps.at = {step: running.cancel}
            await asyncio.gather(running, return_exceptions=True)
            gc.collect()
    assert unraised == []
