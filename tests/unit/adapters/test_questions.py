"""Polls of many tasks in few queries, over real sockets; and what that comes to, in virtual time."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import virtual
from hypothesis import given
from hypothesis import strategies as st
from servers import Heard, Say, Server, hang, serving

from runner.adapters.client import Client
from runner.adapters.questions import Questions
from runner.core.wire import Call, Reply
from runner.execution.pace import BEAT, Poll
from runner.providers import evolink
from runner.providers.provider import Completed, Failure, Gone, Missed, Polled, Progress

LINK = "https://cdn.example/1.mp4"


def task(task_id: str, status: str = "processing", **more: Any) -> dict[str, Any]:
    return {"id": task_id, "status": status, "progress": 10, **more}


def done(task_id: str) -> dict[str, Any]:
    return task(task_id, "completed", results=[LINK])


def service(*tasks: dict[str, Any], status: int = 200, raw: bytes | None = None, **headers: str) -> Say:
    """Knows these tasks. `status` and `raw` are the answer to queries about several."""

    async def say(heard: Heard, writer: asyncio.StreamWriter) -> None:
        known = {one["id"]: one for one in tasks}
        code = 200
        if heard.path == "/v1/tasks/batch":
            code = status
            wanted = json.loads(heard.body)["task_ids"]
            body = raw if raw is not None else json.dumps({"data": [known[w] for w in wanted if w in known]}).encode()
        else:
            found = known.get(heard.path.removeprefix("/v1/tasks/"))
            code, body = (200, json.dumps(found).encode()) if found else (404, b"{}")
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        writer.write(
            f"HTTP/1.1 {code} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n".encode() + body
        )
        await writer.drain()

    return say


@asynccontextmanager
async def questions(server: Server, most: int = 50) -> AsyncIterator[Questions]:
    async with Client(base_url=server.url, files_url=server.url, key="k", poll_timeout_s=0.5).opened() as client:
        yield Questions(client, most)


async def ask(asked: Questions, *task_ids: str) -> list[Polled]:
    return list(await asyncio.gather(*(asked.poll(task_id) for task_id in task_ids)))


def queries(server: Server) -> list[str]:
    return sorted(heard.path.removeprefix("/v1/tasks/") for heard in server.heard)


PROGRESS = Progress(status="processing", percent=10)
COMPLETED = Completed(links=(LINK,), charged=None)


async def test_tasks_due_together_are_asked_about_together() -> None:
    async with serving(service(task("a"), done("b"), task("c"))) as server, questions(server) as asked:
        assert await ask(asked, "a", "b", "c") == [PROGRESS, COMPLETED, PROGRESS]
        assert queries(server) == ["batch"]
        assert json.loads(server.heard[0].body) == {"task_ids": ["a", "b", "c"]}
        assert server.heard[0].headers["authorization"] == "Bearer k"


async def test_one_query_asks_about_fifty_and_no_more() -> None:
    names = [f"t{n}" for n in range(120)]
    async with serving(service(*map(task, names))) as server, questions(server) as asked:
        assert await ask(asked, *names) == [PROGRESS] * 120
        assert sorted(len(json.loads(heard.body)["task_ids"]) for heard in server.heard) == [20, 50, 50]


async def test_one_alone_is_asked_about_by_itself() -> None:
    async with serving(service(task("a"))) as server, questions(server) as asked:
        assert await ask(asked, "a") == [PROGRESS]
        assert queries(server) == ["a"]


async def test_two_that_ask_about_the_same_task_hear_the_same() -> None:
    async with serving(service(task("a"), task("b"))) as server, questions(server) as asked:
        assert await ask(asked, "a", "a", "b") == [PROGRESS] * 3
        assert queries(server) == ["batch"]


async def test_a_task_that_is_not_in_the_answer_is_asked_about_by_itself() -> None:
    async with serving(service(task("a"), task("b"))) as server, questions(server) as asked:
        told = await ask(asked, "a", "gone", "b")
        assert isinstance(told[1], Gone)
        assert queries(server) == ["batch", "gone"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (task("b", "failed", error={"code": "service_error", "message": "no"}), Failure),
        (task("b", "cancelled"), Failure),
        (task("b", "expired"), Gone),
        (task("b", "completed"), Completed),  # without results: a list may leave them out
    ],
)
async def test_an_end_is_heard_from_the_task_itself(body: dict[str, Any], kind: type[Polled]) -> None:
    async with serving(service(task("a"), body)) as server, questions(server) as asked:
        told = await ask(asked, "a", "b")
        assert isinstance(told[1], kind)
        assert queries(server) == ["b", "batch"]


@pytest.mark.parametrize("status", [404, 405, 501, 400, 401, 402, 403, 302])
async def test_a_service_without_such_a_query_is_asked_one_by_one_for_the_rest_of_the_run(status: int) -> None:
    async with serving(service(task("a"), done("b"), status=status, raw=b"{}")) as server, questions(server) as asked:
        assert await ask(asked, "a", "b") == [PROGRESS, COMPLETED]
        assert await ask(asked, "a", "b") == [PROGRESS, COMPLETED]
        assert queries(server) == ["a", "a", "b", "b", "batch"]


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b"{}", b'{"data": null}', b'{"data": {}}'])
async def test_an_answer_that_is_no_list_is_none(raw: bytes) -> None:
    async with serving(service(task("a"), done("b"), raw=raw)) as server, questions(server) as asked:
        assert await ask(asked, "a", "b") == [PROGRESS, COMPLETED]
        assert queries(server) == ["a", "b", "batch"]


@pytest.mark.parametrize("raw", [b'{"data": [1, null, [], {}, {"id": 7}, {"id": "c"}]}', b'{"data": []}'])
async def test_rows_nobody_asked_for_say_nothing(raw: bytes) -> None:
    async with serving(service(task("a"), done("b"), raw=raw)) as server, questions(server) as asked:
        assert await ask(asked, "a", "b") == [PROGRESS, COMPLETED]
        assert queries(server) == ["a", "b", "batch"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_an_error_is_a_missed_poll_of_each(status: int) -> None:
    say = service(task("a"), done("b"), status=status, raw=b"{}", Retry_After="7")
    async with serving(say) as server, questions(server) as asked:
        for told in await ask(asked, "a", "b"):
            assert isinstance(told, Missed)
            assert (told.retry_after_s, told.for_key) == (7, False)
        assert queries(server) == ["batch"]
        assert all(isinstance(told, Missed) for told in await ask(asked, "a", "b"))
        assert queries(server) == ["batch", "batch"]


@pytest.mark.parametrize("answer", [None, hang])
async def test_no_answer_is_a_missed_poll_of_each(answer: Any) -> None:
    async with serving(answer) as server, questions(server) as asked:
        assert all(isinstance(told, Missed) for told in await ask(asked, "a", "b"))


async def test_whoever_no_longer_waits_leaves_the_others_theirs() -> None:
    async with serving(service(task("a"), done("b"))) as server, questions(server) as asked:
        leaving = asyncio.create_task(asked.poll("a"))
        staying = asyncio.create_task(asked.poll("b"))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == COMPLETED


async def test_without_such_a_query_nobody_is_kept_waiting_for_others() -> None:
    async with serving(service(task("a"), done("b"))) as server, questions(server, most=0) as asked:
        assert await ask(asked, "a", "b") == [PROGRESS, COMPLETED]
        assert queries(server) == ["a", "b"]


@given(
    st.integers(100, 599),
    st.binary(max_size=100)
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["data", "id", "status"]), inner),
    ).map(lambda d: json.dumps(d).encode()),
)
def test_any_reply_means_something(status: int, body: bytes) -> None:
    evolink.read_polls(Reply(status=status, headers={}, body=body))


class Slow:
    """A client of a service whose tasks take their time; counts the queries."""

    def __init__(self, *, batch: bool) -> None:
        self.ends: dict[str, float] = {}
        self.calls = 0
        self._batch = batch

    async def ask(self, call: Call) -> Reply:
        self.calls += 1
        await asyncio.sleep(0.1)
        if call.path != "/v1/tasks/batch":
            return self._reply(self._body(call.path.removeprefix("/v1/tasks/")))
        if not self._batch:
            return Reply(status=404, headers={}, body=b"{}")
        assert call.body is not None
        return self._reply({"data": [self._body(one) for one in json.loads(call.body)["task_ids"]]})

    def _body(self, task_id: str) -> dict[str, Any]:
        over = asyncio.get_running_loop().time() >= self.ends[task_id]
        return done(task_id) if over else task(task_id)

    def _reply(self, body: dict[str, Any]) -> Reply:
        return Reply(status=200, headers={}, body=json.dumps(body).encode())


def measured(*, batch: bool, eta: Callable[[float], float | None], takes: int) -> tuple[float, float, float]:
    """(requests, polls a take; lateness as a part of what a task takes): 50 tasks of 60 to 180 s under way."""
    chance = random.Random(7)

    async def work() -> tuple[float, float, float]:
        client, clock = Slow(batch=batch), virtual.LoopClock()
        asked = Questions(cast("Client", client), 50 if batch else 0)
        poll = Poll(floor_s=5, ceiling_s=15, beat_s=BEAT * 5 if batch else 0)
        left = iter(range(takes))
        polls, late, took = 0, 0.0, 0.0
        durations: list[float] = []

        async def worker() -> None:
            nonlocal polls, late, took
            for number in left:
                await asyncio.sleep(chance.uniform(0, 2))
                begun, lasts_s = clock.monotonic(), chance.uniform(60, 180)
                client.ends[f"t{number}"] = begun + lasts_s
                told_eta = eta(lasts_s)
                while True:
                    pause = poll.next(clock.monotonic() - begun, told_eta, durations[-200:])
                    await asyncio.sleep(poll.on_beat(pause, clock.monotonic()))
                    polls += 1
                    if isinstance(await asked.poll(f"t{number}"), Completed):
                        break
                durations.append(clock.monotonic() - begun)
                late, took = late + clock.monotonic() - begun - lasts_s, took + lasts_s

        await asyncio.gather(*(worker() for _ in range(50)))
        return client.calls / takes, polls / takes, late / took

    return virtual.run(work())


@pytest.mark.parametrize("eta", [lambda lasts_s: None, lambda lasts_s: lasts_s], ids=["none", "honest"])
def test_with_batches_half_a_request_a_take_is_enough(eta: Callable[[float], float | None]) -> None:
    requests, polls, late = measured(batch=True, eta=eta, takes=500)
    assert requests <= 0.5
    assert polls <= 9  # the first takes of a model, of which nothing is learned yet, want most
    assert late <= 0.06


def test_one_by_one_eight_polls_a_take_are_enough() -> None:
    requests, _, late = measured(batch=False, eta=lambda lasts_s: None, takes=1000)
    assert requests <= 8
    assert late <= 0.05


def test_an_honest_estimate_finds_a_task_within_two_parts_in_a_hundred_of_its_time() -> None:
    requests, _, late = measured(batch=False, eta=lambda lasts_s: lasts_s, takes=500)
    assert requests <= 4
    assert late <= 0.025
