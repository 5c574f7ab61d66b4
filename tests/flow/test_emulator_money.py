"""The money of the emulator over real sockets: accounts, reserve, charge and release, lists, limits, and time that is skipped."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from emulation import KEY, SEEDED, TEXT, Client, emulated, until
from stage import Stage, paid
from standins import stand_in

from runner.adapters.media import probe_clip
from runner.emulator.holders import Holder, Key, Limits
from runner.emulator.refusals import Lack, Profile
from runner.emulator.script import (
    Cancel,
    Charge,
    Drop,
    Fail,
    Hold,
    Length,
    Mishap,
    NoResults,
    Poll,
    Reply,
    Reserve,
    Script,
    Settle,
    Stall,
)
from runner.emulator.switches import Switches

HOURS = Switches()
KEYED = {"Idempotency_Key": "0123456789abcdef"}
OTHER = "sk-evo-other"
SECOND = "sk-evo-second"
PRICE = 12.75  # of TEXT


def unlucky(folder: Path, *mishaps: Mishap, **options: Any) -> Any:
    return emulated(folder, script=Script(mishaps=mishaps), **options)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with emulated(tmp_path, balance=Decimal(100)) as client:
        yield client


async def balance(client: Client, key: str = KEY) -> tuple[float, float]:
    """(remaining, used)"""
    data = (await client.call("GET", "/v1/credits", key=key)).json["data"]
    assert data["user"] == {name: data["token"][name] for name in data["user"]}
    return data["user"]["remaining_credits"], data["user"]["used_credits"]


async def create_as(client: Client, key: str, body: object, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.call("POST", "/v1/videos/generations", key=key, json=body, headers=named)


async def skip(client: Client, seconds: float) -> Any:
    return await client.call("POST", "/_emulate/clock", key=client.emulator.control, json={"advance_s": seconds})


class TestCredits:
    async def test_a_create_takes_the_reserve_and_the_end_settles_it(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, Hold(task=1, seconds=600), balance=Decimal(100)) as client:
            assert await balance(client) == (100, 0)
            task_id = (await client.create(TEXT)).json["id"]
            assert await balance(client) == (87.25, 0)
            client.emulator.advance(600)
            await client.ended(task_id)
            assert await balance(client) == (87.25, 12.75)

    async def test_what_was_reserved_too_much_comes_back(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, Reserve(task=1, amount=Decimal(40)), balance=Decimal(100)) as client:
            task_id = (await client.create(TEXT)).json["id"]
            assert (await balance(client))[0] == 60
            await client.ended(task_id)
            assert await balance(client) == (87.25, 12.75)

    async def test_another_amount_can_be_charged_than_the_price(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, Charge(task=1, amount=Decimal("20.5")), balance=Decimal(100)) as client:
            task = await client.task(TEXT)
            assert (task["usage"]["credits_reserved"], task["usage"]["credits_used"]) == (PRICE, 20.5)
            assert await balance(client) == (79.5, 20.5)

    @pytest.mark.parametrize("mishap", [Fail(task=1, code="service_error"), Cancel(task=1)])
    async def test_what_failed_or_was_cancelled_is_released(self, tmp_path: Path, mishap: Mishap) -> None:
        async with unlucky(tmp_path, mishap, balance=Decimal(100)) as client:
            task_id = (await client.create(TEXT)).json["id"]
            await until(lambda: client.emulator.invoice[0].charged is not None)
            task = (await client.poll(task_id)).json
            assert task["status"] == ("cancelled" if isinstance(mishap, Cancel) else "failed")
            assert (task["billing"]["charge_status"], task["billing"]["refund_status"]) == ("released", "completed")
            assert await balance(client) == (100, 0)

    @pytest.mark.parametrize(
        ("mishap", "options"),
        [
            (Fail(task=1, code="service_error"), {"switches": Switches(refunds=False)}),
            (Cancel(task=1), {"switches": Switches(refunds=False)}),
            (Fail(task=1, code="service_error", refunded=False), {}),
            (Cancel(task=1, refunded=False), {}),
        ],
    )
    async def test_a_service_can_keep_what_a_failure_cost(
        self, tmp_path: Path, mishap: Mishap, options: Mapping[str, Any]
    ) -> None:
        async with unlucky(tmp_path, mishap, balance=Decimal(100), **options) as client:
            task_id = (await client.create(TEXT)).json["id"]
            await until(lambda: client.emulator.invoice[0].charged is not None)
            assert (await client.poll(task_id)).json["billing"]["charged_credits"] == PRICE
            assert await balance(client) == (87.25, 12.75)

    @pytest.mark.parametrize(("mishap", "used"), [(None, 12.75), (Fail(task=1, code="service_error"), 0)])
    async def test_settling_can_come_later_than_the_end(
        self, tmp_path: Path, mishap: Mishap | None, used: float
    ) -> None:
        mishaps = [m for m in (mishap, Settle(task=1, seconds=3600)) if m]
        async with unlucky(tmp_path, *mishaps, balance=Decimal(100)) as client:
            task = await client.task(TEXT)
            assert task["billing"]["charge_status"] == "reserved"
            assert task["billing"]["refund_status"] == ("pending" if mishap else "unknown")
            assert "credits_used" not in task["usage"]
            assert client.emulator.invoice[0].charged is None
            assert await balance(client) == (87.25, 0)
            client.emulator.advance(3600)
            assert (await client.poll(task["id"])).json["usage"]["credits_used"] == used
            assert await balance(client) == (100 - used, used)

    async def test_settling_can_never_come(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, Settle(task=1, seconds=None), balance=Decimal(100)) as client:
            task = await client.task(TEXT)
            client.emulator.advance(HOURS.link_s)
            assert (await client.poll(task["id"])).json["billing"]["charge_status"] == "reserved"
            assert await balance(client) == (87.25, 0)

    @pytest.mark.parametrize(("made_s", "charged"), [(4, 10.2), (10, 25.5)])
    async def test_the_seconds_that_were_made_are_paid_not_those_asked_for(
        self, tmp_path: Path, made_s: int, charged: float
    ) -> None:
        async with unlucky(tmp_path, Length(task=1, seconds=made_s), balance=Decimal(100)) as client:
            task = await client.task(TEXT)
            assert (task["usage"]["credits_reserved"], task["usage"]["credits_used"]) == (PRICE, charged)
            assert await balance(client) == (100 - charged, charged)
            (tmp_path / "clip.mp4").write_bytes((await client.call("GET", task["results"][0])).content)
            assert (await asyncio.to_thread(probe_clip, tmp_path / "clip.mp4")).duration_s == made_s

    async def test_the_documents_know_no_billing(self, tmp_path: Path) -> None:
        async with emulated(tmp_path, switches=Switches(profile=Profile.DOCUMENTED)) as client:
            task = await client.task(TEXT)
            assert {"usage", "billing"}.isdisjoint(task)


class TestAccounts:
    @pytest.fixture
    async def client(self, tmp_path: Path) -> AsyncIterator[Client]:
        script = Script(mishaps=(Hold(task=None),))
        pair = Holder(name="pair", keys=(Key(secret=OTHER), Key(secret=SECOND, name="second")), credits=Decimal(20))
        options = {"accounts": (pair,), "balance": Decimal(100)}
        async with emulated(tmp_path, script=script, **options) as client:
            yield client

    async def test_each_pays_for_its_own(self, client: Client) -> None:
        assert (await create_as(client, KEY, TEXT)).status == 200
        assert (await create_as(client, OTHER, TEXT)).status == 200
        assert await balance(client) == (87.25, 0)
        assert await balance(client, OTHER) == (7.25, 0)
        assert (await create_as(client, OTHER, TEXT)).status == 402
        assert (await create_as(client, KEY, TEXT)).status == 200

    async def test_the_tasks_of_one_are_not_there_for_the_other(self, client: Client) -> None:
        mine = (await create_as(client, KEY, TEXT)).json["id"]
        theirs = (await create_as(client, OTHER, TEXT)).json["id"]
        for key, own, foreign in ((KEY, mine, theirs), (OTHER, theirs, mine), (SECOND, theirs, mine)):
            assert (await client.call("GET", f"/v1/tasks/{own}", key=key)).status == 200
            gone = await client.call("GET", f"/v1/tasks/{foreign}", key=key)
            assert (gone.status, gone.error["code"]) == (404, "task_not_found")
            both = await client.call("POST", "/v1/tasks/batch", key=key, json={"task_ids": [foreign, own]})
            assert [task["id"] for task in both.json["data"]] == [own]
            listed = await client.call("GET", "/v1/tasks", key=key)
            assert [task["id"] for task in listed.json["data"]] == [own]

    async def test_an_idempotency_key_belongs_to_its_account(self, client: Client) -> None:
        mine = await create_as(client, KEY, TEXT, **KEYED)
        theirs = await create_as(client, OTHER, {**TEXT, "prompt": "another"}, **KEYED)
        again = await create_as(client, SECOND, {**TEXT, "prompt": "another"}, **KEYED)
        assert theirs.status == 200
        assert again.json["id"] == theirs.json["id"]
        assert mine.json["id"] != theirs.json["id"]

    async def test_the_invoice_holds_every_account_and_how_often_a_key_was_seen(self, client: Client) -> None:
        for key in (KEY, KEY, SECOND, OTHER, OTHER):
            await create_as(client, key, TEXT, **KEYED)
        await create_as(client, OTHER, {**TEXT, "prompt": "another"}, **KEYED)
        digest = hashlib.sha256(json.dumps(TEXT).encode()).hexdigest()
        assert [(line.account, line.seen, line.body_sha256) for line in client.emulator.invoice] == [
            (1, 2, digest),
            (2, 4, digest),
        ]
        shown = await client.call("GET", "/_emulate/invoice", key=client.emulator.control)
        assert [(line["account"], line["account_name"], line["key"]) for line in shown.json["tasks"]] == [
            (1, "default", "default"),
            (2, "pair", "second"),
        ]
        assert [(row["account"], row["times"]) for row in shown.json["seen"]] == [(1, 2), (2, 4)]
        assert not any(key in shown.content for key in (KEY.encode(), OTHER.encode(), SECOND.encode()))

    async def test_a_link_needs_no_key_of_any_account(self, tmp_path: Path) -> None:
        async with emulated(tmp_path, accounts=(Holder(name="other", keys=(Key(secret=OTHER),)),)) as client:
            task = await client.task(SEEDED)
            assert (await client.call("GET", task["results"][0], key=None)).status == 200

    async def test_a_key_that_was_seen_in_vain_is_told_of_too(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, Reply(create=1, status=503)) as client:
            await client.create(TEXT, **KEYED)
            assert client.emulator.invoice == ()
            assert client.emulator.seen == {(1, KEYED["Idempotency_Key"]): 1}


class TestList:
    async def test_newest_first_with_what_each_cost_and_no_link(self, tmp_path: Path) -> None:
        mishaps = (Fail(task=2, code="service_error"), Hold(task=3), Cancel(task=4), NoResults(task=5))
        async with unlucky(tmp_path, *mishaps) as client:
            ids = [(await client.create(TEXT)).json["id"] for _ in range(5)]
            await until(lambda: [line.status for line in client.emulator.invoice].count("processing") == 1)
            found = (await client.call("GET", "/v1/tasks")).json
            assert [row["id"] for row in found["data"]] == ids[::-1]
            assert (found["page"], found["page_size"], found["total"]) == (1, 20, 5)
            by_id = {row["id"]: row for row in found["data"]}
            told = [
                (by_id[i]["status"], by_id[i]["has_results"], by_id[i]["has_error"], by_id[i]["credits_used"])
                for i in ids
            ]
            assert told == [
                ("completed", True, False, PRICE),
                ("failed", False, True, 0),
                ("processing", False, False, None),
                ("cancelled", False, False, 0),
                ("completed", False, False, PRICE),
            ]
            names = {
                "id",
                "status",
                "model",
                "type",
                "progress",
                "created_at",
                "has_results",
                "has_error",
                "credits_used",
            }
            assert all(set(row) == names for row in found["data"])

            async def ids_of(query: str) -> list[str]:
                return [row["id"] for row in (await client.call("GET", f"/v1/tasks?{query}")).json["data"]]

            assert await ids_of("status=completed") == [ids[4], ids[0]]
            assert await ids_of("status=processing") == [ids[2]]
            assert await ids_of("status=failed&type=video") == [ids[1]]
            assert await ids_of("status=cancelled&model=" + TEXT["model"]) == [ids[3]]  # type: ignore[operator]
            assert await ids_of("model=wan2.7-text-to-video") == []
            assert await ids_of("type=image") == []
            assert await ids_of("page_size=2") == [ids[4], ids[3]]
            assert await ids_of("page_size=2&page=3") == [ids[0]]
            assert await ids_of("page_size=50&page=2") == []

    async def test_what_waits_in_the_queue_counts_as_processing(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, Hold(task=1, queued=True)) as client:
            await client.create(TEXT)
            (row,) = (await client.call("GET", "/v1/tasks?status=processing")).json["data"]
            assert (row["status"], row["progress"]) == ("pending", 0)

    @pytest.mark.parametrize(
        "query", ["status=done", "type=film", "page=0", "page=-1", "page=x", "page_size=51", "page_size=0", "page=1e3"]
    )
    async def test_what_cannot_be_asked_for_is_refused_by_name(self, client: Client, query: str) -> None:
        answer = await client.call("GET", f"/v1/tasks?{query}")
        assert (answer.status, answer.error["param"]) == (400, query.partition("=")[0])


class TestBatch:
    async def ask(self, client: Client, ids: object) -> Any:
        return await client.call("POST", "/v1/tasks/batch", json={"task_ids": ids})

    async def test_it_says_what_each_query_says_and_leaves_out_what_is_not_there(self, client: Client) -> None:
        done = await client.task(SEEDED)
        other = (await client.task(TEXT))["id"]
        unknown = "task-unified-1795000000-zzzzzzzz"
        answer = await self.ask(client, [unknown, done["id"], "..", "", other, done["id"]])
        assert answer.json == {"data": [done, (await client.poll(other)).json]}

    @pytest.mark.parametrize("ids", [None, [], ["x"] * 51, [1], "x", {"a": 1}])
    async def test_what_is_no_list_of_ids_is_refused(self, client: Client, ids: object) -> None:
        answer = await self.ask(client, ids)
        assert (answer.status, answer.error["param"]) == (400, "task_ids")

    async def test_a_task_that_goes_away_is_left_out_and_an_outage_is_everybodys(self, tmp_path: Path) -> None:
        mishaps = (Poll(task=1, status=404, times=1), Poll(task=2, status=503, skip=1), Hold(task=None))
        async with unlucky(tmp_path, *mishaps) as client:
            ids = [(await client.create(TEXT)).json["id"] for _ in range(2)]
            assert [task["id"] for task in (await self.ask(client, ids)).json["data"]] == ids[1:]
            assert (await self.ask(client, ids)).status == 503
            assert [task["id"] for task in (await self.ask(client, ids[:1])).json["data"]] == ids[:1]


class TestTime:
    async def test_a_day_passes_in_a_moment_links_die_and_then_tasks_go(self, client: Client) -> None:
        task = await client.task(SEEDED)
        assert (await skip(client, HOURS.link_s - 60)).status == 200
        assert (await client.call("GET", task["results"][0])).status == 200
        await skip(client, 60)
        assert (await client.call("GET", task["results"][0])).status == 403
        assert (await client.poll(task["id"])).json["results"] == task["results"]
        await skip(client, HOURS.task_s - HOURS.link_s)
        assert (await client.poll(task["id"])).status == 404
        assert (await client.call("GET", "/v1/tasks")).json["total"] == 0
        assert len(client.emulator.invoice) == 1

    async def test_a_query_can_give_a_fresh_link_once_the_old_one_is_dead(self, tmp_path: Path) -> None:
        async with emulated(tmp_path, switches=Switches(fresh_links=True)) as client:
            task = await client.task(SEEDED)
            (old,) = task["results"]
            await skip(client, HOURS.link_s - 60)
            assert (await client.poll(task["id"])).json["results"] == [old]
            await skip(client, 60)
            (new,) = (await client.poll(task["id"])).json["results"]
            assert new != old
            assert (await client.call("GET", old)).status == 403
            assert (await client.call("GET", new)).status == 200

    async def test_holds_and_stalls_end(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, Hold(task=1, seconds=80_000), Stall(create=1, seconds=80_000)) as client:
            waiting = asyncio.create_task(client.create(SEEDED))
            await until(lambda: [line.status for line in client.emulator.invoice] == ["processing"])
            await skip(client, 86_400)
            made = await waiting
            assert (await client.ended(made.json["id"]))["status"] == "completed"

    async def test_idempotency_keys_are_forgotten(self, client: Client) -> None:
        first = await client.create(SEEDED, **KEYED)
        await skip(client, HOURS.key_s - 60)
        assert (await client.create(SEEDED, **KEYED)).json["id"] == first.json["id"]
        await skip(client, 60)
        assert (await client.create(SEEDED, **KEYED)).json["id"] != first.json["id"]

    async def test_the_clock_is_not_for_clients(self, client: Client) -> None:
        for key in (KEY, None, "x"):
            answer = await client.call("POST", "/_emulate/clock", key=key, json={"advance_s": 1})
            assert answer.status == 401

    @pytest.mark.parametrize("body", ["{}", "[]", '{"advance_s": "1"}', '{"advance_s": -1}', '{"advance_s": true}',
                                      '{"advance_s": 1e300}', '{"advance_s": NaN}', "no json"])  # fmt: skip
    async def test_only_seconds_to_come_can_be_skipped(self, client: Client, body: str) -> None:
        headers = {"Content-Type": "application/json"}
        answer = await client.call("POST", "/_emulate/clock", key=client.emulator.control, data=body, headers=headers)
        assert answer.status == 400

    async def test_the_answer_says_what_time_it_is(self, client: Client) -> None:
        before = (await skip(client, 0)).json["now"]
        after = (await skip(client, 1000)).json["now"]
        assert 1000 <= after - before < 1010


class TestLimits:
    async def test_more_submits_than_the_rate_are_turned_away_and_are_no_creates(self, tmp_path: Path) -> None:
        options = {"limits": Limits(submits_per_s=0.1), "accounts": (Holder(name="other", keys=(Key(secret=OTHER),)),)}
        async with unlucky(tmp_path, Reply(create=2, status=500), **options) as client:
            answers = [await client.create(TEXT, **KEYED) for _ in range(2)]
            assert [answer.status for answer in answers] == [200, 429]
            assert 9 <= int(answers[1].headers["Retry-After"]) <= 10
            assert answers[1].error["fallback_suggestion"] == f"retry after {answers[1].headers['Retry-After']} seconds"
            assert client.emulator.seen == {(1, KEYED["Idempotency_Key"]): 1}
            assert (await create_as(client, OTHER, TEXT)).status == 500
            await skip(client, 10)
            assert (await client.create(TEXT)).status == 200

    async def test_polls_are_free(self, tmp_path: Path) -> None:
        async with emulated(tmp_path, limits=Limits(submits_per_s=0.1)) as client:
            task_id = (await client.create(TEXT)).json["id"]
            assert [(await client.poll(task_id)).status for _ in range(5)] == [200] * 5

    async def test_more_tasks_than_may_run_at_once_are_turned_away(self, tmp_path: Path) -> None:
        async with unlucky(tmp_path, Hold(task=None, seconds=600), limits=Limits(in_flight=2)) as client:
            answers = [await client.create(TEXT) for _ in range(3)]
            assert [answer.status for answer in answers] == [200, 200, 429]
            assert answers[2].headers["Retry-After"] == "1"
            assert len(client.emulator.invoice) == 2
            await skip(client, 600)
            await client.ended(answers[0].json["id"])
            assert (await client.create(TEXT)).status == 200


class TestOlderGateway:
    @pytest.mark.parametrize(
        ("lack", "method", "path"),
        [
            (Lack.TASK_LIST, "GET", "/v1/tasks"),
            (Lack.BATCH, "POST", "/v1/tasks/batch"),
            (Lack.CREDITS, "GET", "/v1/credits"),
        ],
    )
    async def test_what_it_lacks_is_not_found(self, tmp_path: Path, lack: Lack, method: str, path: str) -> None:
        async with emulated(tmp_path, switches=Switches(lacks=frozenset({lack}))) as client:
            answer = await client.call(method, path)
            assert (answer.status, answer.error["code"]) == (404, "not_found")
            assert (await client.create(TEXT)).status == 200

    async def test_idempotency_keys_can_mean_nothing(self, tmp_path: Path) -> None:
        async with emulated(tmp_path, switches=Switches(lacks=frozenset({Lack.IDEMPOTENCY}))) as client:
            for _ in range(2):
                assert (await client.create(TEXT, **KEYED)).status == 200
            assert [line.seen for line in client.emulator.invoice] == [2, 2]


class TestSlowClients:
    """Somebody who takes his time holds up nobody, and what did not arrive whole buys nothing."""

    async def half_a_create(self, client: Client) -> asyncio.StreamWriter:
        parts, body = urlsplit(client.emulator.base_url), json.dumps(TEXT).encode()
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = f"POST /v1/videos/generations HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body[:20])
        await writer.drain()
        return writer

    async def test_a_create_that_never_ends_buys_nothing(self, client: Client) -> None:
        writers = [await self.half_a_create(client) for _ in range(20)]
        assert (await client.task(SEEDED))["status"] == "completed"
        for writer in writers:
            writer.close()
        assert (await client.create(TEXT)).status == 200
        assert len(client.emulator.invoice) == 2
        assert await balance(client) == (100 - 10.88 - PRICE, 10.88)

    async def test_a_download_nobody_reads_holds_up_no_other(self, client: Client) -> None:
        link = (await client.task(SEEDED))["results"][0]
        parts = urlsplit(link)
        readers = []
        for _ in range(10):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1)
            writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
            readers.append(writer)
        assert (await client.call("GET", link)).status == 200
        for writer in readers:
            writer.close()


@pytest.mark.parametrize("accepted", [False, True])
async def test_the_ledger_of_creates_adds_up_whatever_went_wrong(tmp_path: Path, accepted: bool) -> None:
    """Remaining, used and reserved are the balance at every moment."""
    mishaps = (
        Drop(create=2, accepted=accepted),
        Reply(create=3, status=504, accepted=accepted),
        Fail(task=2, code="service_error"),
        Cancel(task=3, refunded=False),
        Settle(task=1, seconds=60),
        Reserve(task=4, amount=Decimal(50)),
        Length(task=4, seconds=3),
    )
    async with unlucky(tmp_path, *mishaps, balance=Decimal(200)) as client:

        async def adds_up() -> bool:
            remaining, used = await balance(client)
            open_ones = sum(line.reserved for line in client.emulator.invoice if line.charged is None)
            charged = sum(line.charged for line in client.emulator.invoice if line.charged is not None)
            return (Decimal(str(remaining)) + charged + open_ones, Decimal(str(used))) == (200, charged)

        for number in range(6):
            with suppress(aiohttp.ClientError):  # a dropped connection
                await client.create({**TEXT, "prompt": str(number)})
            assert await adds_up()
        await until(lambda: all(line.status not in ("pending", "processing") for line in client.emulator.invoice))
        assert await adds_up()
        await skip(client, 60)
        assert all(line.charged is not None for line in client.emulator.invoice)
        assert await adds_up()


async def test_the_command_takes_balance_and_rate_and_says_the_control_token(tmp_path: Path) -> None:
    process = Stage(tmp_path).start(
        "emulate", "--key", KEY, "--balance", "13", "--rate", "0.01", "--set", "object=false"
    )
    try:
        assert process.stderr is not None
        lines = [await asyncio.to_thread(process.stderr.readline) for _ in range(5)]
        base_url = lines[0].partition(" is at ")[2].partition(";")[0]
        token = lines[3].split()[-1]
        assert lines[3] == f"control endpoints below /_emulate want the token {token}\n"
        assert lines[4] == f"watch it in a browser: {base_url}/#token={token}\n"
        bearer = {"Authorization": f"Bearer {KEY}"}
        async with aiohttp.ClientSession(base_url) as session:

            async def said(method: str, path: str, **options: Any) -> tuple[int, Any]:
                async with session.request(method, path, **options) as answer:
                    return answer.status, await answer.json()

            creates = [await said("POST", "/v1/videos/generations", json=TEXT, headers=bearer) for _ in range(2)]
            assert [status for status, _ in creates] == [200, 429]
            assert "object" not in creates[0][1]
            control = {"Authorization": f"Bearer {token}"}
            assert (await said("POST", "/_emulate/clock", json={"advance_s": 100}, headers=control))[0] == 200
            assert (await said("POST", "/v1/videos/generations", json=TEXT, headers=bearer))[0] == 402
            account = (await said("GET", "/v1/credits", headers=bearer))[1]["data"]["user"]
            assert account["remaining_credits"] == 0.25
    finally:
        process.terminate()
        out, _ = await asyncio.to_thread(process.communicate)
    assert (process.returncode, out) == (0, "")


@pytest.mark.parametrize("words", [("--rate", "0"), ("--balance", "-1"), ("--balance", "all"), ("--set", "object=yes")])
def test_the_command_refuses_what_is_no_balance_no_rate_and_no_switch(tmp_path: Path, words: tuple[str, str]) -> None:
    ended = Stage(tmp_path).shotrunner("emulate", *words)
    assert ended.code == 2, ended
    assert words[0] in ended.err


def test_a_service_in_a_thread_of_its_own_can_be_asked_and_its_time_moved_on(tmp_path: Path) -> None:
    with paid(tmp_path, Hold(task=1, seconds=3600), balance=Decimal(100)) as service:
        service.call("POST", "/v1/videos/generations", TEXT)
        assert service.credits() == (87.25, 0)
        service.advance(3600)
        give_up = time.monotonic() + 30
        while service.credits() != (87.25, 12.75):
            assert time.monotonic() < give_up
            time.sleep(0.05)


async def test_a_stand_in_is_a_clip_of_its_order_and_no_two_are_alike(tmp_path: Path) -> None:
    async with emulated(tmp_path, render=stand_in) as client:
        orders = (TEXT, {**TEXT, "prompt": "another"}, SEEDED)
        tasks = await asyncio.gather(*(client.task(body) for body in orders))
        clips = [(await client.call("GET", task["results"][0])).content for task in tasks]
    assert len(set(clips)) == 3
    for number, (clip, size, seconds) in enumerate(
        zip(clips, [(832, 480)] * 2 + [(1280, 720)], (5, 5, 2), strict=True)
    ):
        (tmp_path / f"{number}.mp4").write_bytes(clip)
        facts = await asyncio.to_thread(probe_clip, tmp_path / f"{number}.mp4")
        assert ((facts.width_px, facts.height_px), facts.duration_s, facts.audio_codec) == (size, seconds, "aac")
