"""Faults on order over real sockets: by a file for those it names, by a header for one request, with the invoice to tell."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from emulation import SEEDED, TEXT, Client, emulated, until
from servers import said, serving
from stage import Stage
from standins import stand_in

from runner.adapters.media import probe_clip
from runner.core.diagnostics import Source
from runner.emulator.faults_file import read
from runner.emulator.scenarios import Scenarios
from runner.emulator.switches import Switches

PRICE = Decimal("12.75")  # of TEXT
GONE = (aiohttp.ServerDisconnectedError, ConnectionResetError)


@asynccontextmanager
async def faulty(tmp_path: Path, text: str = "", **options: Any) -> AsyncIterator[Client]:
    scenarios = read(Source(path="f.yaml", name="f.yaml", text=text)) if text else Scenarios()
    async with emulated(tmp_path, scenarios=scenarios, render=stand_in, **options) as client:
        yield client


async def asked(client: Client, fault: object, body: object = TEXT) -> Any:
    header = fault if isinstance(fault, str) else json.dumps(fault)
    return await client.create(body, X_Emulate_Fault=header)


@pytest.mark.parametrize(
    ("fault", "status", "code", "bought"),
    [
        ("502-before-accept", 502, "upstream_error", 0),
        ("504-after-accept", 504, "upstream_timeout", 1),
        ("500-after-accept", 500, "internal_server_error", 1),
        ("unavailable", 503, "service_unavailable", 0),
        ("rate-limit", 429, "rate_limit_exceeded", 0),
        ("insufficient-quota", 402, "insufficient_quota", 0),
        ("too-large", 413, "request_too_large", 0),
        ("moderation-at-submit", 400, "content_filter", 0),
        ("key-disabled", 403, "key_disabled", 0),
        ("outcome-unknown", 409, "paid_outcome_unknown", 0),
        ({"fault": "answer", "status": 408, "code": "odd", "accepted": True}, 408, "odd", 1),
    ],
)
async def test_a_create_can_be_refused_with_or_without_a_purchase(
    tmp_path: Path, fault: object, status: int, code: str, bought: int
) -> None:
    async with faulty(tmp_path) as client:
        answer = await asked(client, fault)
        assert (answer.status, answer.error["code"]) == (status, code)
        assert len(client.emulator.invoice) == bought
        assert (await client.create(TEXT)).status == 200  # for one request alone


async def test_a_limit_says_when_to_come_back_or_says_nothing(tmp_path: Path) -> None:
    async with faulty(tmp_path) as client:
        told = await asked(client, {"fault": "rate-limit", "retry_after_s": 2})
        silent = await asked(client, {"fault": "rate-limit", "silent": True})
        assert told.headers["Retry-After"] == "2"
        assert "Retry-After" not in silent.headers
        assert "fallback_suggestion" not in silent.error


@pytest.mark.parametrize(("fault", "bought"), [("drop-before-accept", 0), ("accept-then-drop", 1)])
async def test_a_create_can_have_no_answer(tmp_path: Path, fault: str, bought: int) -> None:
    async with faulty(tmp_path) as client:
        with pytest.raises(GONE):
            await asked(client, fault)
        assert len(client.emulator.invoice) == bought


async def test_an_answer_can_be_unreadable_nameless_or_another_tasks(tmp_path: Path) -> None:
    async with faulty(tmp_path) as client:
        first = (await client.create(TEXT)).json["id"]
        assert (await asked(client, "unreadable-answer")).headers["Content-Type"] == "text/html"
        assert "id" not in (await asked(client, "no-id")).json
        assert (await asked(client, "id-reused")).json["id"] == first
        assert len(client.emulator.invoice) == 4


@pytest.mark.parametrize(
    ("fault", "status", "charged"),
    [
        ("failed", "failed", 0),
        ({"fault": "failed", "code": "resource_exhausted", "refunded": False}, "failed", PRICE),
        ("moderation-at-poll", "failed", 0),
        ("cancelled", "cancelled", 0),
        ("no-results", "completed", PRICE),
        ({"fault": "price-changed", "factor": 2}, "completed", 2 * PRICE),
        ({"fault": "charged-otherwise", "credits": 1}, "completed", 1),
        ("moderation-of-audio", "completed", PRICE),  # it brings no sound
    ],
)
async def test_a_task_can_end_otherwise_and_at_another_price(
    tmp_path: Path, fault: object, status: str, charged: Decimal
) -> None:
    async with faulty(tmp_path) as client:
        await asked(client, fault)
        await until(lambda: client.emulator.invoice[0].charged is not None)
        (line,) = client.emulator.invoice
        assert (line.status, line.charged) == (status, charged)


async def test_a_task_can_be_stuck_queued_or_slow_and_never_settled(tmp_path: Path) -> None:
    async with faulty(tmp_path) as client:
        ids = [
            (await asked(client, fault)).json["id"]
            for fault in ("stuck", "queued-forever", "slow-task", "never-settled")
        ]
        await client.ended(ids[3])
        assert [(await client.poll(one)).json["status"] for one in ids[:3]] == ["processing", "pending", "processing"]
        client.emulator.advance(60)
        assert (await client.ended(ids[2]))["status"] == "completed"
        assert [line.charged is None for line in client.emulator.invoice] == [True, True, False, True]


async def test_a_length_can_be_rounded_up_in_silence(tmp_path: Path) -> None:
    async with faulty(tmp_path) as client:
        made = await asked(client, {"fault": "duration-rounded", "to_s": 4}, {**SEEDED, "duration": 5})
        task = await client.ended(made.json["id"])
        (tmp_path / "clip.mp4").write_bytes((await client.call("GET", task["results"][0])).content)
        assert (await asyncio.to_thread(probe_clip, tmp_path / "clip.mp4")).duration_s == 8


async def test_the_clock_can_jump_and_links_are_dead(tmp_path: Path) -> None:
    async with faulty(tmp_path) as client:
        task = await client.task(SEEDED)
        await asked(client, "clock-jump")
        assert (await client.call("GET", task["results"][0])).status == 403


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ({"fault": "poll-error", "times": 2}, [503, 503, 200]),
        ({"fault": "poll-error", "status": 500, "times": 1, "skip": 1}, [200, 500, 200]),
        ("poll-page", [504, 200, 200]),
        ("task-lost", [404, 404, 404]),
    ],
)
async def test_polls_can_fail_and_come_back(tmp_path: Path, fault: object, statuses: list[int]) -> None:
    async with faulty(tmp_path) as client:
        task_id = (await asked(client, fault)).json["id"]
        assert [(await client.poll(task_id)).status for _ in range(3)] == statuses


@pytest.mark.parametrize(
    ("fault", "word"), [("expired", "expired"), ({"fault": "status-word", "word": "SUCCESS"}, "SUCCESS")]
)
async def test_a_status_can_be_said_in_another_word(tmp_path: Path, fault: object, word: str) -> None:
    async with faulty(tmp_path) as client:
        task_id = (await asked(client, fault, SEEDED)).json["id"]
        await until(lambda: client.emulator.invoice[0].status == "completed")
        assert (await client.poll(task_id)).json["status"] == word


@pytest.mark.parametrize(
    ("fault", "status"), [("result-gone", 404), ("result-504", 504), ("result-short", 200), ("result-html", 200)]
)
async def test_a_download_can_go_wrong_once(tmp_path: Path, fault: str, status: int) -> None:
    async with faulty(tmp_path) as client:
        link = (await client.ended((await asked(client, fault, SEEDED)).json["id"]))["results"][0]
        first, second = await client.call("GET", link), await client.call("GET", link)
        assert (first.status, second.status) == (status, 200)
        assert first.content != second.content


async def test_a_poll_a_download_and_an_upload_take_faults_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    async with faulty(tmp_path, "faults: [{fault: upload-refused, on: {nth: 2}}]") as client:
        task = await client.task(SEEDED)
        path, link = f"/v1/tasks/{task['id']}", task["results"][0]
        struck = {"X-Emulate-Fault": "poll-error"}
        assert [(await client.call("GET", path, headers=one)).status for one in (struck, {})] == [503, 200]
        struck = {"X-Emulate-Fault": "result-503"}
        assert [(await client.call("GET", link, headers=one)).status for one in (struck, {})] == [503, 200]
        wrong = await client.call("GET", path, headers={"X-Emulate-Fault": "result-503"})
        assert (wrong.status, wrong.error["param"]) == (400, "X-Emulate-Fault")
        assert [(await client.upload(tmp_path / "a.png")).status for _ in range(3)] == [200, 413, 200]


async def test_a_callback_can_be_lost_by_order(tmp_path: Path) -> None:
    switches = Switches(callbacks="loopback")
    async with serving(said()) as server, faulty(tmp_path, switches=switches) as client:
        for fault in ("callback-lost", "callback-twice"):
            await client.ended((await asked(client, fault, {**TEXT, "callback_url": server.url})).json["id"])
        await until(lambda: len(server.heard) == 2)
        assert len({json.loads(heard.body)["id"] for heard in server.heard}) == 1


async def test_a_file_strikes_whom_it_names_and_nobody_else(tmp_path: Path) -> None:
    text = """\
faults:
  - fault: insufficient-quota                   # 402 in the middle of a batch
    on: {model: wan2.5-text-to-video, nth: 3}
  - fault: moderation-at-poll
    on: {prompt: "(?i)blood"}
  - fault: unavailable
    on: {label: a.1}
"""
    async with faulty(tmp_path, text) as client:
        answers = [(await client.create(body)).status for body in (TEXT, SEEDED, TEXT, TEXT, TEXT)]
        assert answers == [200, 200, 200, 402, 200]
        assert (await client.task({**SEEDED, "prompt": "Blood on snow"}))["status"] == "failed"
        assert (await client.task({**SEEDED, "prompt": "snow"}))["status"] == "completed"
        assert [(await client.create(TEXT, X_Emulate_Label=label)).status for label in ("a.1", "a.2")] == [503, 200]


async def test_the_command_reads_its_faults_from_a_file_or_shows_where_it_is_wrong(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.write("wrong.yaml", "faults:\n  - accept-than-drop\n")
    ended = await asyncio.to_thread(stage.shotrunner, "emulate", "--faults", "wrong.yaml")
    assert ended.code == 2, ended
    told = ended.out + ended.err
    assert "wrong.yaml:2:5" in told
    assert "did you mean `accept-then-drop`?" in told
    stage.write("faults.yaml", "faults: [too-large]\n")
    process = stage.start("emulate", "--key", "sk-1", "--faults", "faults.yaml")
    try:
        assert process.stderr is not None
        line = await asyncio.to_thread(process.stderr.readline)
        base_url = line.partition(" is at ")[2].partition(";")[0]
        session = aiohttp.ClientSession(base_url, headers={"Authorization": "Bearer sk-1"})
        async with session, session.post("/v1/videos/generations", json=TEXT) as answer:
            assert answer.status == 413
    finally:
        process.terminate()
        await asyncio.to_thread(process.communicate)
