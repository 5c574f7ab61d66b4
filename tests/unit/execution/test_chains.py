"""Jobs that hang on others: begun when these have ended, in whatever way, and never before."""

from dataclasses import replace
from decimal import Decimal

import pytest
from fakes import World, buy, failed, resume, world
from purchases import life, purchase

from runner.core.lifecycle import State
from runner.execution.job import Held, Job
from runner.execution.ports import What
from runner.providers.provider import Completed, Progress


def child(key: str, *after: str, price: str = "25.5") -> Job:
    return replace(buy(key, price=price), chained=True, after=frozenset(after))


def follows(made: World, *, blocked: bool = True) -> None:
    """The desk's own: a child is bought under a key of its own once each of its parents is done."""
    wanted: dict[str, frozenset[str]] = {}

    async def follow(job: Job) -> Job | Held:
        made.log.append(f"follow {job.mark}")
        for key in job.after:
            known = next((p for k in (key, f"{key}-real") for p in made.ledger.history().get(k, ())), None)
            if known is None or known.state is not State.DONE:
                return Held(reason=f"{key} has no clip", blocked=blocked)
        wanted[job.mark] = job.after
        assert job.request is not None
        return replace(job, request=replace(job.request, key=f"{job.mark}-real"), chained=False, known_as=job.mark)

    object.__setattr__(made.desk, "follow", follow)


async def test_a_child_is_bought_when_its_parents_have_their_clips_and_by_what_it_comes_to() -> None:
    made = world()
    follows(made)
    await made.run(buy("a"), buy("b"), child("c", "a", "b"), child("d", "c"))
    assert [post.key for post in made.api.posts] == ["a", "b", "c-real", "d-real"]
    posts = {key: made.log.index(f"post {key}") for key in ("c-real", "d-real")}
    assert max(made.log.index(f"fetched {key}") for key in ("a", "b")) < posts["c-real"]
    assert made.log.index("fetched c-real") < posts["d-real"]


async def test_a_child_goes_before_what_waits_for_room() -> None:
    made = world(slots=1)
    follows(made)
    await made.run(buy("a"), *(buy(f"x{n}") for n in range(3)), child("b", "a"))
    posts = [post.key for post in made.api.posts]
    assert posts[0] == "a" and posts.index("b-real") < posts.index("x2")
    assert sorted(posts) == ["a", "b-real", "x0", "x1", "x2"]


async def test_a_child_waits_for_a_parent_that_is_resumed() -> None:
    made = world(life(State.WAITING, "a"))
    follows(made)
    await made.run(resume(purchase(State.WAITING, "a")), child("b", "a"))
    assert made.log.index("fetched a") < made.log.index("post b-real")


@pytest.mark.parametrize("blocked", [True, False])
async def test_a_parent_that_fails_takes_its_descendants_with_it_and_nobody_else(blocked: bool) -> None:
    made = world(limit="110")
    follows(made, blocked=blocked)
    made.api.polled["task-a-1"] = [failed(transient=False)]
    await made.run(buy("a"), child("b", "a"), child("c", "b"), buy("x"))
    assert [post.key for post in made.api.posts] == ["a", "x"]
    told = [notice.takes for notice in made.notices if notice.what is (What.BLOCKED if blocked else What.PENDING)]
    assert told == [("b.1",), ("c.1",)]
    assert made.desk.purse.spares("m", Decimal(25))  # nothing stays promised for what is not bought


async def test_a_stopped_run_begins_no_child() -> None:
    made = world()
    follows(made)
    made.desk.halt.submitting("enough")
    await made.run(buy("a"), child("b", "a"))
    assert made.api.posts == [] and not any(line.startswith("follow") for line in made.log)
    assert made.told(What.PENDING) == ["enough", "enough"]


async def test_what_a_chain_still_needs_is_not_spent_on_anothers_retry() -> None:
    made = world(limit="76.5", retries=1)
    follows(made)
    made.api.polled["task-x-1"] = [failed(released=False)]
    await made.run(buy("x"), buy("a"), child("b", "a"))
    assert sorted(post.key for post in made.api.posts) == ["a", "b-real", "x"]


def comes_to(made: World, **keys: str) -> None:
    """The desk's own: what each child comes to; once that is bought or open, there is nothing to buy."""

    async def follow(job: Job) -> Job | Held:
        key = keys[job.mark]
        made.log.append(f"follow {job.mark}")
        known = made.ledger.history().get(key, ())
        if any(p.state not in (State.FAILED, State.REFUSED) for p in known):
            return Held(reason="", blocked=False, key=key)
        assert job.request is not None
        return replace(job, request=replace(job.request, key=key), chained=False, known_as=job.mark)

    object.__setattr__(made.desk, "follow", follow)


@pytest.mark.parametrize("slots", [1, 2])
async def test_children_that_come_to_one_request_are_bought_once_and_what_hangs_on_either_follows_its_clip(
    slots: int,
) -> None:
    made = world(slots=slots)
    comes_to(made, b="same", c="same", d="end")
    await made.run(buy("a"), child("b", "a"), child("c", "a"), child("d", "c"))
    assert [post.key for post in made.api.posts] == ["a", "same", "end"]
    assert made.log.index("fetched same") < made.log.index("follow d")
    assert not made.told(What.PENDING, What.BLOCKED)


@pytest.mark.parametrize("slots", [1, 2])
async def test_a_child_that_comes_to_a_request_in_the_queue_lets_that_go_before_it(slots: int) -> None:
    made = world(slots=slots)
    comes_to(made, b="x3", c="end")
    await made.run(buy("a"), *(buy(f"x{n}") for n in range(4)), child("b", "a"), child("c", "b"))
    assert sorted(post.key for post in made.api.posts) == ["a", "end", "x0", "x1", "x2", "x3"]
    assert made.log.index("fetched x3") < made.log.index("follow c")


async def test_a_child_that_comes_to_a_task_under_way_waits_for_it() -> None:
    made = world(life(State.WAITING, "open"))
    comes_to(made, b="open", c="end")
    made.api.polled["task-open-1"] = [Progress(status="processing", percent=1), Completed(links=("l",), charged=None)]
    await made.run(resume(purchase(State.WAITING, "open")), buy("a"), child("b", "a"), child("c", "b"))
    assert [post.key for post in made.api.posts] == ["a", "end"]
    assert made.log.index("fetched open") < made.log.index("follow c")


async def test_a_child_whose_twin_failed_is_not_bought_in_its_place() -> None:
    made = world()
    comes_to(made, b="same", c="same")
    made.api.polled["task-same-1"] = [failed(transient=False)]
    await made.run(buy("a"), child("b", "a"), child("c", "a"))
    assert [post.key for post in made.api.posts] == ["a", "same"]
    assert made.told(What.PENDING) == ["the same request as b.1"]
