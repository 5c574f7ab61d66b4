"""From a result to a clip on disk: fetched while its link lives, and left where a later run goes on."""

import asyncio
from decimal import Decimal

import pytest
from fakes import CLIP, World, buy, crashes, resume, world
from purchases import life

from runner.core.errors import NotFetched, NotRecorded
from runner.core.lifecycle import Event, State
from runner.execution.ports import What
from runner.providers.provider import Completed, Gone, Missed, Polled, Progress

TASK = "task-a-1"
OLD, NEW = "https://cdn.example/a.mp4", "https://cdn.example/new.mp4"
FRESH = Completed(links=(NEW,), charged=None)
GONE = Gone(message="not found")
DEAD = NotFetched("HTTP 403", dead=True)
BROKEN = NotFetched("the connection broke off in the middle")
FULL = NotFetched("it could not be written: No space left on device", local=True)


def completed(state: State = State.COMPLETED, **more: object) -> World:
    return world(life(state, "a", **more))


async def brought(made: World, *fetched: object, polled: list[Polled] | None = None) -> State:
    made.api.fetched[OLD] = list(fetched)  # type: ignore[arg-type]
    made.api.polled[TASK] = list(polled or [FRESH])
    await made.run(resume(made.purchase()))
    assert made.api.posts == []
    return made.purchase().state


async def test_the_clip_is_kept_with_what_a_probe_found() -> None:
    made = completed()
    assert await brought(made, CLIP) is State.DONE
    assert made.purchase().result == {
        "sha256": "c" * 64,
        "size_bytes": 1000,
        "width_px": 1280,
        "height_px": 720,
        "duration_s": 5.0,
        "fps": 24.0,
        "frames": 120,
        "codec": "h264",
        "audio_codec": "",
    }
    assert made.api.polls == []  # the link at hand was good
    assert made.told(What.DONE) == [""]


async def test_a_dead_link_is_asked_for_afresh() -> None:
    made = completed()
    assert await brought(made, DEAD) is State.DONE
    assert [link for link, _ in made.api.fetches] == [OLD, NEW]
    assert [event for _, event in made.purchase().timeline[2:]] == ["completed", "completed", "fetched"]


async def test_a_download_that_broke_off_is_tried_again_with_the_same_link() -> None:
    made = completed()
    assert await brought(made, BROKEN, BROKEN, CLIP) is State.DONE
    assert [link for link, _ in made.api.fetches] == [OLD] * 3
    assert made.api.polls == []


async def test_after_three_tries_it_is_left_unfetched_for_a_later_run() -> None:
    made = completed()
    assert await brought(made, BROKEN) is State.UNFETCHED
    assert len(made.api.fetches) == 3
    assert made.purchase().error == {"code": "unfetched", "message": BROKEN.reason}
    assert made.told(What.UNFETCHED) == [BROKEN.reason]
    again = world(made.ledger.entries)
    again.api.polled[TASK] = [FRESH]
    await again.run(resume(again.purchase()))
    assert again.purchase().state is State.DONE


async def test_a_full_disk_is_not_tried_again_at_once() -> None:
    made = completed()
    assert await brought(made, FULL, CLIP) is State.UNFETCHED
    assert len(made.api.fetches) == 1
    assert made.desk.halt.why() == ""


@pytest.mark.parametrize("state", [State.UNFETCHED, State.DONE])
async def test_what_was_left_or_misplaced_is_fetched_again_by_a_fresh_link(state: State) -> None:
    made = completed(state)
    assert await brought(made) is State.DONE
    assert [link for link, _ in made.api.fetches] == [NEW]
    assert made.purchase().committed == Decimal("25.5")


async def test_a_completed_purchase_without_links_asks_for_them() -> None:
    entries = [*life(State.WAITING, "a"), *life(State.COMPLETED, "a")[2:]]
    made = world([*entries[:2], entries[2].__class__(at=entries[2].at, event=Event.COMPLETED, key="a", purchase=1)])
    assert await brought(made) is State.DONE


async def test_a_dead_link_and_a_task_gone_for_minutes_is_expired() -> None:
    made = completed()
    assert await brought(made, DEAD, polled=[GONE]) is State.EXPIRED
    at = [at for _, at in made.api.polls]
    assert len(at) == 3
    assert at[-1] - at[0] >= 120
    assert made.purchase().committed == Decimal("25.5")
    assert made.told(What.EXPIRED)


async def test_a_task_that_is_found_again_is_fetched() -> None:
    made = completed()
    assert await brought(made, DEAD, polled=[GONE, GONE, FRESH]) is State.DONE


@pytest.mark.parametrize(
    "answer",
    [
        Missed(reason="no answer", retry_after_s=None, for_key=False),
        Progress(status="processing", percent=1),
        Completed(links=(), charged=None),
    ],
)
async def test_without_a_fresh_link_it_is_left_unfetched(answer: Polled) -> None:
    made = completed()
    assert await brought(made, DEAD, polled=[answer]) is State.UNFETCHED
    assert len(made.api.polls) <= 3


@pytest.mark.parametrize("answer", [GONE, Missed(reason="HTTP 403", retry_after_s=None, for_key=True)])
@pytest.mark.parametrize("state", [State.COMPLETED, State.UNFETCHED])
async def test_another_accounts_clip_is_that_accounts_to_fetch_and_never_expired(state: State, answer: Polled) -> None:
    made = completed(state, account="another")
    assert await brought(made, DEAD, polled=[answer]) is State.UNFETCHED
    assert len(made.api.polls) == 1
    assert made.told(What.UNFETCHED) == ["its task belongs to another account"]


async def test_another_accounts_link_that_lives_is_fetched() -> None:
    made = completed(account="another")
    assert await brought(made, CLIP) is State.DONE


async def test_further_results_are_fetched_as_extras_and_cost_the_clip_nothing() -> None:
    made = world()
    made.api.polled[TASK] = [Completed(links=("https://x/1", "https://x/2", "https://x/3"), charged=None)]
    made.api.fetched["https://x/2"] = [BROKEN]
    await made.run(buy("a"))
    assert made.purchase().state is State.DONE
    [fetched] = [one for one in made.ledger.entries if one.event is Event.FETCHED]
    first, second = fetched.detail["extra"]  # type: ignore[misc]
    assert first == {"error": BROKEN.reason}
    assert second["sha256"] == CLIP.sha256
    assert [link for link, _ in made.api.fetches] == ["https://x/1", "https://x/2", "https://x/3"]


async def test_at_most_four_downloads_are_under_way_and_none_is_held_up_by_one_that_waits() -> None:
    keys = [f"k{n}" for n in range(12)]
    made = world([one for key in keys for one in life(State.COMPLETED, key)])
    made.api.fetch_s = 10
    for key in keys[:4]:  # these have nothing to fetch for minutes
        made.api.fetched[f"https://cdn.example/{key}.mp4"] = [DEAD]
        made.api.polled[f"task-{key}-1"] = [GONE]
    await made.run(*(resume(made.purchase(key)) for key in keys))
    assert made.api.most_under_way == 4
    assert max(at for link, at in made.api.fetches) <= 30
    assert {made.purchase(key).state for key in keys[4:]} == {State.DONE}
    assert {made.purchase(key).state for key in keys[:4]} == {State.EXPIRED}


async def test_the_first_stop_lets_a_download_finish() -> None:
    made = completed()
    made.api.fetch_s = 60

    async def leave() -> None:
        await made.clock.sleep(5)
        made.desk.halt.leaving("stopped by SIGINT")

    made.api.fetched[OLD] = [CLIP]
    await asyncio.gather(made.run(resume(made.purchase())), leave())
    assert made.purchase().state is State.DONE


async def test_a_stopped_run_does_not_try_again() -> None:
    made = completed()
    made.desk.halt.leaving("stopped by SIGINT")
    assert await brought(made, BROKEN) is State.UNFETCHED
    assert len(made.api.fetches) == 1


@pytest.mark.parametrize(("event", "state"), [(Event.FETCHED, State.COMPLETED), (Event.UNFETCHED, State.COMPLETED)])
async def test_a_clip_whose_record_cannot_be_written_stays_resumable(event: Event, state: State) -> None:
    made = completed()
    made.ledger.refuse = {event}
    made.api.fetched[OLD] = [CLIP if event is Event.FETCHED else FULL]
    with pytest.raises(ExceptionGroup) as caught:
        await made.run(resume(made.purchase()))
    assert [type(one) for one in crashes(caught.value)] == [NotRecorded]
    assert made.purchase().state is state
    again = world(made.ledger.entries)
    await again.run(resume(again.purchase()))
    assert again.purchase().state is State.DONE
    assert again.api.posts == []


async def test_a_misplaced_clip_whose_record_cannot_be_written_stays_done() -> None:
    made = completed(State.DONE)
    made.ledger.refuse = {Event.MISPLACED}
    with pytest.raises(ExceptionGroup):
        await made.run(resume(made.purchase()))
    assert made.purchase().state is State.DONE


@pytest.mark.parametrize("state", [State.COMPLETED, State.UNFETCHED])
async def test_our_clock_ends_no_link_and_no_task(state: State) -> None:
    made = completed(state)
    made.clock.skip(60 * 86400)
    assert await brought(made, CLIP) is State.DONE
    made = completed(state)
    made.clock.skip(60 * 86400)
    assert (
        await brought(made, DEAD, polled=[Missed(reason="HTTP 503", retry_after_s=None, for_key=False)])
        is State.UNFETCHED
    )
