"""Every mishap a script can name, over real sockets; the invoice tells what it did to the money."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from emulation import SEEDED, TEXT, Client, emulated, until

from runner.emulator.script import (
    AmendCreate,
    AmendPoll,
    Download,
    Drop,
    DropPoll,
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
    Upload,
    Word,
)
from runner.emulator.tasks import Status

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


async def test_a_queued_task_stays_pending_until_its_hold_ends(tmp_path: Path) -> None:
    async with unlucky(tmp_path, Hold(task=1, queued=True, seconds=600)) as client:
        task_id = (await client.create(TEXT)).json["id"]
        await client.task(SEEDED)
        queued = (await client.poll(task_id)).json
        assert (queued["status"], queued["progress"]) == ("pending", 0)
        client.emulator.advance(600)
        assert (await client.ended(task_id))["status"] == "completed"


async def test_no_answer_can_be_had_twice_in_a_row_and_the_task_lives_on(tmp_path: Path) -> None:
    async with unlucky(tmp_path, DropPoll(task=1, times=2), Hold(task=1)) as client:
        task_id = (await client.create(TEXT)).json["id"]
        for _ in range(2):
            with pytest.raises((aiohttp.ServerDisconnectedError, ConnectionResetError)):
                # A kept connection that closes is tried once more by the client itself; a POST is not.
                await client.call("POST", "/v1/tasks/batch", json={"task_ids": [task_id]})
        assert (await client.poll(task_id)).json["status"] == "processing"


async def test_a_poll_can_be_a_page_of_a_gateway(tmp_path: Path) -> None:
    page = Poll(task=1, status=504, raw="<html>504 Gateway Time-out</html>", content_type="text/html", times=1)
    async with unlucky(tmp_path, page, Hold(task=1)) as client:
        task_id = (await client.create(TEXT)).json["id"]
        answer = await client.poll(task_id)
        assert (answer.status, answer.headers["Content-Type"]) == (504, "text/html")
        assert (await client.poll(task_id)).status == 200


@pytest.mark.parametrize("word", ["succeed", "success", "SUCCEEDED", "expired"])
async def test_an_end_can_be_spelt_in_another_way_while_the_course_is_told_honestly(tmp_path: Path, word: str) -> None:
    async with unlucky(tmp_path, Word(task=1, status=word, of=Status.COMPLETED)) as client:
        task_id = (await client.create(SEEDED)).json["id"]
        await until(lambda: client.emulator.invoice[0].status == "completed")
        task = (await client.poll(task_id)).json
        assert (task["status"], len(task["results"])) == (word, 1)


async def test_results_can_come_late_to_a_completed_task(tmp_path: Path) -> None:
    bare = AmendPoll(task=1, of=Status.COMPLETED, without=("results", "usage.credits_used"), times=2)
    async with unlucky(tmp_path, bare) as client:
        task_id = (await client.create(SEEDED)).json["id"]
        await until(lambda: client.emulator.invoice[0].status == "completed")
        told = [(await client.poll(task_id)).json for _ in range(3)]
        assert ["results" in task for task in told] == [False, False, True]
        assert ["credits_used" in task["usage"] for task in told] == [False, False, True]


async def test_a_result_can_lie_at_another_host(tmp_path: Path) -> None:
    elsewhere = "http://10.0.0.1/clip.mp4"
    async with unlucky(tmp_path, AmendPoll(task=1, of=Status.COMPLETED, members={"results": [elsewhere]})) as client:
        assert (await client.task(SEEDED))["results"] == [elsewhere]


async def test_a_create_can_be_answered_with_the_id_of_another_task(tmp_path: Path) -> None:
    async with unlucky(tmp_path, AmendCreate(create=2, id_of=1)) as client:
        first, second = await client.create(TEXT), await client.create(SEEDED)
        assert first.json["id"] == second.json["id"]
        assert len({line.task_id for line in client.emulator.invoice}) == 2


async def test_a_create_can_be_answered_with_an_unlawful_id_or_none(tmp_path: Path) -> None:
    mishaps = (AmendCreate(create=1, members={"id": ".."}), AmendCreate(create=2, without=("id", "usage")))
    async with unlucky(tmp_path, *mishaps) as client:
        assert (await client.create(TEXT)).json["id"] == ".."
        assert {"id", "usage"}.isdisjoint((await client.create(TEXT)).json)
        assert len(client.emulator.invoice) == 2


async def test_a_limit_need_not_say_when_to_come_back(tmp_path: Path) -> None:
    silent = Reply(create=1, status=429, without=("Retry-After", "fallback_suggestion"))
    dated = Reply(create=2, status=429, headers=(("Retry-After", "Fri, 20 Nov 2026 08:00:00 GMT"),))
    async with unlucky(tmp_path, silent, dated) as client:
        answer = await client.create(TEXT)
        assert (answer.status, "Retry-After" in answer.headers) == (429, False)
        assert "fallback_suggestion" not in answer.error
        assert (await client.create(TEXT)).headers["Retry-After"] == "Fri, 20 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(("status", "accepted"), [(504, True), (502, False), (413, False)])
async def test_a_gateways_error_may_stand_before_or_after_the_purchase(
    tmp_path: Path, status: int, accepted: bool
) -> None:
    async with unlucky(tmp_path, Reply(create=1, status=status, accepted=accepted)) as client:
        assert (await client.create(TEXT, **KEYED)).status == status
        assert len(client.emulator.invoice) == accepted
        assert client.emulator.seen == {(1, KEYED["Idempotency_Key"]): 1}


async def test_moderation_can_refuse_at_submit_and_nothing_is_bought(tmp_path: Path) -> None:
    refused = Reply(create=1, status=400, code="content_filter", message="The prompt was flagged", param="prompt")
    async with unlucky(tmp_path, refused) as client:
        answer = await client.create(TEXT)
        assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "content_filter", "prompt")
        assert client.emulator.invoice == ()


async def test_an_upload_can_be_refused_even_with_success_in_its_status(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100_000))
    async with unlucky(tmp_path, Upload(upload=1), Upload(upload=2, status=500, http=200)) as client:
        answers = [await client.upload(tmp_path / "a.png") for _ in range(3)]
        assert [answer.status for answer in answers] == [413, 200, 200]
        assert [answer.json["success"] for answer in answers] == [False, False, True]
        assert [answer.json["code"] for answer in answers] == [413, 500, 200]


class TestDownloads:
    """Each way a download can be spoiled, and that the next one is whole."""

    async def link(self, client: Client) -> str:
        return str((await client.task(SEEDED))["results"][0])

    async def spoiled(self, folder: Path, mishap: Download, **options: Any) -> tuple[Any, bytes]:
        """The first download, None if it broke off, and the honest bytes."""
        async with unlucky(folder, mishap) as client:
            link = await self.link(client)
            try:
                first = await client.call("GET", link, allow_redirects=False, **options)
            except aiohttp.ClientPayloadError:
                first = None
            whole = await client.call("GET", link)
            assert whole.status == 200
            assert whole.content[4:8] == b"ftyp"
            return first, whole.content

    @pytest.mark.parametrize("how", [how for how in Spoiled if how.isdigit()])
    async def test_an_error_in_the_apis_own_envelope(self, tmp_path: Path, how: Spoiled) -> None:
        answer, _ = await self.spoiled(tmp_path, Download(task=1, how=how))
        assert answer.status == int(how)
        assert answer.error["message"]

    async def test_a_web_page(self, tmp_path: Path) -> None:
        page, _ = await self.spoiled(tmp_path, Download(task=1, how=Spoiled.HTML))
        assert (page.status, page.headers["Content-Type"].split(";")[0]) == (200, "text/html")

    @pytest.mark.parametrize(
        "mishap", [Download(task=1, how=Spoiled.TRUNCATED), Download(task=1, how=Spoiled.STALLED, seconds=0.1)]
    )
    async def test_a_connection_that_ends_in_the_middle(self, tmp_path: Path, mishap: Download) -> None:
        first, _ = await self.spoiled(tmp_path, mishap)
        assert first is None

    async def test_half_a_film_that_says_it_is_whole(self, tmp_path: Path) -> None:
        short, whole = await self.spoiled(tmp_path, Download(task=1, how=Spoiled.SHORT))
        assert short.content == whole[: len(whole) // 2]
        assert short.headers["Content-Length"] == str(len(short.content))

    async def test_more_bytes_than_the_film_has(self, tmp_path: Path) -> None:
        long, whole = await self.spoiled(tmp_path, Download(task=1, how=Spoiled.LONG))
        assert long.content == whole + bytes(64)

    async def test_a_film_with_a_hole_in_its_end(self, tmp_path: Path) -> None:
        damaged, whole = await self.spoiled(tmp_path, Download(task=1, how=Spoiled.DAMAGED))
        half = len(whole) // 2
        assert damaged.content == whole[:half] + bytes(len(whole) - half)

    async def test_a_slow_one_is_honest_and_takes_its_time(self, tmp_path: Path) -> None:
        began = time.monotonic()
        slow, whole = await self.spoiled(tmp_path, Download(task=1, how=Spoiled.SLOW, seconds=0.4))
        assert slow.content == whole
        assert time.monotonic() - began >= 0.4

    async def test_a_server_that_gives_no_parts(self, tmp_path: Path) -> None:
        part = {"Range": "bytes=10-"}
        answer, whole = await self.spoiled(tmp_path, Download(task=1, how=Spoiled.WHOLE), headers=part)
        assert (answer.status, answer.content) == (200, whole)

    async def test_a_redirect_elsewhere_and_one_without_end(self, tmp_path: Path) -> None:
        elsewhere = "http://169.254.169.254/latest"
        async with unlucky(
            tmp_path, Download(task=1, how=Spoiled.MOVED, to=elsewhere), Download(task=1, how=Spoiled.MOVED, times=None)
        ) as client:
            link = await self.link(client)
            moved = await client.call("GET", link, allow_redirects=False)
            assert (moved.status, moved.headers["Location"]) == (302, elsewhere)
            with pytest.raises(aiohttp.TooManyRedirects):
                await client.call("GET", link)

    async def test_what_came_of_it_can_be_gone_on_with_where_it_broke_off(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, Download(task=1, how=Spoiled.TRUNCATED, times=2, skip=1)) as client:
            link = await self.link(client)
            whole = await client.call("GET", link)
            session, got, validator = client._session, bytearray(), whole.headers["ETag"]
            for expected in (200, 206, 206):
                headers = {"Range": f"bytes={len(got)}-", "If-Range": validator} if got else {}
                async with session.get(link, headers=headers) as answer:
                    assert answer.status == expected
                    try:
                        async for chunk in answer.content.iter_any():
                            got += chunk
                    except aiohttp.ClientPayloadError:
                        continue
            assert bytes(got) == whole.content

    async def test_a_part_of_what_has_changed_meanwhile_is_the_whole(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, Download(task=1, how=Spoiled.CHANGED, skip=1)) as client:
            link = await self.link(client)
            whole = await client.call("GET", link)
            for name in ("ETag", "Last-Modified"):
                validator = {"Range": "bytes=10-", "If-Range": whole.headers[name]}
                part = await client.call("GET", link, headers=validator)
                if name == "ETag":
                    assert (part.status, part.content) == (200, whole.content)
                    assert part.headers["ETag"] != whole.headers["ETag"]
                else:
                    assert (part.status, part.content) == (206, whole.content[10:])
                    assert part.headers["Content-Range"] == f"bytes 10-{len(whole.content) - 1}/{len(whole.content)}"
