"""Jobs that hang on others: begun when these have ended, in whatever way, and never before."""

from dataclasses import replace
from decimal import Decimal

import pytest
from fakes import World, buy, failed, resume, world
from purchases import life, purchase

from runner.core.lifecycle import State
from runner.execution.job import Held, Job
from runner.execution.ports import What


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
