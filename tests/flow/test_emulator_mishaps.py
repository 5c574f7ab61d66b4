"""Every mishap a script can name, over real sockets; the invoice tells what it did to the money."""

import asyncio
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from emulation import SEEDED, TEXT, Client, emulated, until

from runner.emulator.script import (
    Download,
    Drop,
    Fail,
    Hold,
    Mishap,
    NoResults,
    Poll,
    Reply,
    Reserve,
    Script,
    Spoiled,
    Stall,
    Word,
)

KEYED = {"Idempotency_Key": "0123456789abcdef"}


def unlucky(folder: Path, *mishaps: Mishap, **options: Any) -> Any:
    return emulated(folder, script=Script(mishaps=mishaps), **options)


@pytest.mark.parametrize("accepted", [False, True])
async def test_a_dropped_create_has_no_answer_and_was_bought_only_if_accepted(tmp_path: Path, accepted: bool) -> None:
    async with unlucky(tmp_path, Drop(create=1, accepted=accepted)) as client:
        with pytest.raises((aiohttp.ServerDisconnectedError, ConnectionResetError)):
            await client.create(TEXT, **KEYED)
        assert len(client.emulator.invoice) == accepted
        again = await client.create(TEXT, **KEYED)
        assert again.status == 200
        assert len(client.emulator.invoice) == 1
        assert ("idempotency-replayed" in {name.lower() for name in again.headers}) == accepted


@pytest.mark.parametrize("accepted", [False, True])
async def test_an_error_may_hide_a_purchase(tmp_path: Path, accepted: bool) -> None:
    async with unlucky(tmp_path, Reply(create=1, status=500, accepted=accepted)) as client:
        assert (await client.create(TEXT)).status == 500
        assert len(client.emulator.invoice) == accepted


async def test_a_limit_strikes_as_often_as_it_is_told_and_says_when_to_come_back(tmp_path: Path) -> None:
    async with unlucky(tmp_path, Reply(create="a.1", status=429, times=2, retry_after_s=0)) as client:
        answers = [await client.create(TEXT, X_Emulate_Label=label) for label in ("a.1", "b.1", "a.1", "a.1")]
        assert [answer.status for answer in answers] == [429, 200, 429, 200]
        assert answers[0].headers["Retry-After"] == "0"
        assert answers[0].error["fallback_suggestion"] == "retry after 60 seconds"


async def test_an_answer_can_be_anything_at_all(tmp_path: Path) -> None:
    mishaps = (
        Reply(create=1, status=200, accepted=True, raw="<html>", content_type="text/html"),
        Reply(create=2, status=307, raw="", headers=(("Location", "http://127.0.0.1:9/"),)),
        Reply(create=3, status=200, raw='{"id": ".."}'),
        Reply(create=4, status=403, code="key_disabled", param=""),
        Reply(create=5, status=409, code="paid_outcome_unknown"),
    )
    async with unlucky(tmp_path, *mishaps) as client:
        page = await client.create(TEXT)
        assert (page.status, page.content, page.headers["Content-Type"]) == (200, b"<html>", "text/html")
        moved = await client.call("POST", "/v1/videos/generations", json=TEXT, allow_redirects=False)
        assert (moved.status, moved.headers["Location"]) == (307, "http://127.0.0.1:9/")
        assert (await client.create(TEXT)).json == {"id": ".."}
        disabled = await client.create(TEXT)
        assert (disabled.error["code"], "param" in disabled.error) == ("key_disabled", False)
        assert (await client.create(TEXT)).error["code"] == "paid_outcome_unknown"
        assert len(client.emulator.invoice) == 1


async def test_a_stalled_answer_comes_late_and_its_task_at_once(tmp_path: Path) -> None:
    async with unlucky(tmp_path, Stall(create=1, seconds=0.3)) as client:
        began = time.monotonic()
        waiting = asyncio.create_task(client.create(TEXT))
        await until(lambda: client.emulator.invoice != ())
        assert not waiting.done()
        assert (await waiting).status == 200
        assert time.monotonic() - began >= 0.3


async def test_leaving_does_not_wait_for_a_stalled_answer(tmp_path: Path) -> None:
    async with unlucky(tmp_path, Stall(create=1, seconds=600)) as client:
        waiting = asyncio.create_task(client.create(TEXT))
        await until(lambda: client.emulator.invoice != ())
        began = time.monotonic()
    assert time.monotonic() - began < 5
    with pytest.raises((aiohttp.ClientError, ConnectionResetError)):
        await waiting


async def test_a_failed_task_says_what_it_was_told_and_costs_nothing(tmp_path: Path) -> None:
    async with unlucky(tmp_path, Fail(task=1, code="content_policy_violation", message="no")) as client:
        task = await client.task(TEXT)
        assert (task["status"], task["error"]) == ("failed", {"code": "content_policy_violation", "message": "no"})
        assert client.emulator.invoice[0].charged == 0
        assert (await client.call("GET", "/v1/credits")).json["data"]["user"] == {
            "remaining_credits": 1_000_000,
            "used_credits": 0,
        }


async def test_a_task_can_complete_without_results_and_is_charged(tmp_path: Path) -> None:
    async with unlucky(tmp_path, NoResults(task="a.1")) as client:
        task = await client.task(TEXT, X_Emulate_Label="a.1")
        assert (task["status"], task["results"]) == ("completed", [])
        assert client.emulator.invoice[0].charged == Decimal("12.75")


async def test_another_amount_can_be_reserved_than_the_price(tmp_path: Path) -> None:
    async with unlucky(tmp_path, Reserve(task=1, amount=Decimal(99))) as client:
        made = await client.create(TEXT)
        assert made.json["usage"]["credits_reserved"] == 99
        task = await client.ended(made.json["id"])
        assert (task["usage"]["credits_used"], task["billing"]["refunded_credits"]) == (12.75, 86.25)


async def test_a_held_task_keeps_processing_and_holds_up_no_other(tmp_path: Path) -> None:
    async with unlucky(tmp_path, Hold(task=1), Hold(task=2, seconds=0.2), workers=1) as client:
        first, second = (await client.create(TEXT)).json["id"], (await client.create(SEEDED)).json["id"]
        began = time.monotonic()
        assert (await client.task(TEXT))["status"] == "completed"
        assert (await client.ended(second))["status"] == "completed"
        assert time.monotonic() - began >= 0.15
        held = (await client.poll(first)).json
        assert (held["status"], held["progress"]) == ("processing", 10)


async def test_a_status_word_can_be_one_nobody_knows(tmp_path: Path) -> None:
    async with unlucky(tmp_path, Word(task=1, status="archived", skip=1, times=1)) as client:
        task_id = (await client.create(TEXT)).json["id"]
        words = [(await client.poll(task_id)).json["status"] for _ in range(3)]
        assert words[1] == "archived"
        assert "archived" not in (words[0], words[2])


async def test_a_known_task_can_go_away_and_come_back(tmp_path: Path) -> None:
    async with unlucky(tmp_path, Poll(task=1, status=404, skip=1, times=2), Hold(task=1)) as client:
        task_id = (await client.create(TEXT)).json["id"]
        assert [(await client.poll(task_id)).status for _ in range(4)] == [200, 404, 404, 200]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 429, 500, 502, 503])
async def test_every_documented_status_of_a_query_can_be_met(tmp_path: Path, status: int) -> None:
    async with unlucky(tmp_path, Poll(task=1, status=status, retry_after_s=1 if status == 429 else None)) as client:
        answer = await client.poll((await client.create(TEXT)).json["id"])
        assert answer.status == status
        assert answer.error["message"]
        assert answer.headers.get("Retry-After") == {429: "1", 503: "30"}.get(status)


class TestDownloads:
    async def link(self, client: Client) -> str:
        return str((await client.task(SEEDED))["results"][0])

    async def test_a_spoiled_download_is_whole_the_next_time(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, *(Download(task=1, how=how, skip=n) for n, how in enumerate(Spoiled))) as client:
            link = await self.link(client)
            seen: list[object] = []
            for _ in range(len(Spoiled) + 1):
                try:
                    seen.append(await client.call("GET", link))
                except aiohttp.ClientPayloadError:
                    seen.append("broken off")
        gone, forbidden, truncated, short, page, whole = seen
        assert (gone.status, forbidden.status, page.status) == (404, 403, 200)  # type: ignore[attr-defined]
        assert truncated == "broken off"
        assert page.headers["Content-Type"].startswith("text/html")  # type: ignore[attr-defined]
        assert short.status == whole.status == 200  # type: ignore[attr-defined]
        assert len(short.content) == len(whole.content) // 2  # type: ignore[attr-defined]
        assert whole.content.startswith(short.content)  # type: ignore[attr-defined]
        assert json.loads(gone.content)["error"]["type"] == "not_found_error"  # type: ignore[attr-defined]
