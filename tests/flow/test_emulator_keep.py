"""What an emulator keeps: a restart loses nothing that was answered, whatever ended it, and disk is bounded."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from emulation import KEY, SEEDED, TEXT, Answer, Client, emulated, until
from stage import Stage
from standins import stand_in

from runner.emulator import keep
from runner.emulator.holders import Holder, Key
from runner.emulator.script import Cancel, Fail, Hold, Mishap, NoResults, Script, Settle
from runner.emulator.store import NAME, Store, Unusable
from runner.emulator.switches import Switches

KEYED = {"Idempotency_Key": "0123456789abcdef"}
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100_000
PRICE = Decimal("12.75")  # of TEXT


@asynccontextmanager
async def kept(folder: Path, *mishaps: Mishap, **options: Any) -> AsyncIterator[Client]:
    """One start of an emulator that keeps what it knows in the folder."""
    options = {"render": stand_in, "balance": Decimal(100), **options}
    with keep.opened(folder) as store:
        async with emulated(folder, store=store, script=Script(mishaps=mishaps), **options) as client:
            yield client


async def told(client: Client) -> list[Any]:
    """All that clients and the invoice say, but for links, which name the port."""
    tasks = (await client.call("GET", "/v1/tasks?page_size=50")).json["data"]
    bodies = [(await client.poll(task["id"])).json for task in tasks]
    money = (await client.call("GET", "/v1/credits")).json
    files = (await client.call("GET", "/api/v1/files/list")).json["data"]["files"]
    plain = json.dumps([tasks, bodies, money, files]).replace(client.emulator.base_url, "")
    return [json.loads(plain), client.emulator.invoice, client.emulator.seen]


def form(content: bytes = PNG) -> aiohttp.FormData:
    filled = aiohttp.FormData()
    filled.add_field("file", content, filename="a.png")
    return filled


async def upload(client: Client, content: bytes = PNG) -> Answer:
    return await client.call("POST", "/api/v1/files/upload/stream", data=form(content))


def files(folder: Path) -> list[str]:
    return sorted(path.name for name in ("clips", "uploads") for path in (folder / name).iterdir())


async def test_after_a_restart_everything_is_as_it_was(tmp_path: Path) -> None:
    mishaps = (Fail(task=2, code="service_error"), Cancel(task=3, refunded=False), NoResults(task=4))
    async with kept(tmp_path, *mishaps) as client:
        done = await client.task(SEEDED, **KEYED, X_Emulate_Label="sea.1")
        for number in range(3):
            await client.create({**TEXT, "prompt": str(number)})
        await until(lambda: all(line.charged is not None for line in client.emulator.invoice))
        clip = (await client.call("GET", done["results"][0])).content
        await upload(client)
        file = (await client.call("GET", "/api/v1/files/list")).json["data"]["files"][0]["file_url"]
        client.emulator.advance(3600)
        before, old = await told(client), client.emulator.base_url
    async with kept(tmp_path) as client:
        assert await told(client) == before
        here = client.emulator.base_url
        assert (await client.call("GET", done["results"][0].replace(old, here), key=None)).content == clip
        assert (await client.call("GET", file.replace(old, here), key=None)).content == PNG
        again = await client.create(SEEDED, **KEYED)
        assert (again.json["id"], again.headers["idempotency-replayed"]) == (done["id"], "true")
        assert (await client.create(TEXT, **KEYED)).error["code"] == "idempotency_conflict"
        # The hour that was skipped stays skipped, and links live on from there.
        client.emulator.advance(23 * 3600 + 60)
        assert (await client.call("GET", done["results"][0].replace(old, here))).status == 403
        assert (await client.create(TEXT)).status == 200
        assert [line.status for line in client.emulator.invoice][:4] == [
            "completed",
            "failed",
            "cancelled",
            "completed",
        ]


async def test_what_was_under_way_is_rendered_anew_and_paid_once(tmp_path: Path) -> None:
    async with kept(tmp_path, Hold(task=1), Hold(task=2, queued=True)) as client:
        ids = [(await client.create(body)).json["id"] for body in (SEEDED, TEXT)]
        await until(lambda: client.emulator.invoice[0].status == "processing")
        assert (await client.call("GET", "/v1/credits")).json["data"]["user"]["remaining_credits"] == 76.37
    async with kept(tmp_path) as client:
        for task_id in ids:
            task = await client.ended(task_id)
            assert (await client.call("GET", task["results"][0])).status == 200
        user = (await client.call("GET", "/v1/credits")).json["data"]["user"]
        assert user == {"remaining_credits": 76.37, "used_credits": 23.63}


async def test_a_reference_that_was_uploaded_is_there_for_what_is_rendered_anew(tmp_path: Path) -> None:
    from media import picture

    picture(tmp_path / "a.png", (640, 360))
    content = await asyncio.to_thread((tmp_path / "a.png").read_bytes)
    folder = tmp_path / "kept"
    async with kept(folder, Hold(task=1)) as client:
        url = (await upload(client, content)).json["data"]["file_url"]
        body = {"model": "wan2.6-image-to-video-flash", "prompt": "x", "image_urls": [url], "duration": 2}
        task_id = (await client.create(body)).json["id"]
        port = int(url.split(":")[2].split("/")[0])
    async with kept(folder, port=port) as client:
        assert (await client.ended(task_id))["status"] == "completed"


async def test_what_was_not_settled_is_settled_when_it_is_due(tmp_path: Path) -> None:
    late = Settle(task=1, seconds=3600)
    async with kept(tmp_path, late) as client:
        await client.task(TEXT)
        client.emulator.advance(1800)
        assert client.emulator.invoice[0].charged is None
    async with kept(tmp_path, late) as client:
        assert client.emulator.invoice[0].charged is None
        assert (await client.call("GET", "/v1/credits")).json["data"]["user"]["used_credits"] == 0
        client.emulator.advance(1800)
        assert client.emulator.invoice[0].charged == PRICE
    async with kept(tmp_path) as client:
        assert (await client.call("GET", "/v1/credits")).json["data"]["user"]["used_credits"] == 12.75


async def test_credits_are_what_is_given_now_less_what_was_used_ever(tmp_path: Path) -> None:
    async with kept(tmp_path) as client:
        await client.task(TEXT)
    async with kept(tmp_path, balance=Decimal(20)) as client:
        user = (await client.call("GET", "/v1/credits")).json["data"]["user"]
        assert user == {"remaining_credits": 7.25, "used_credits": 12.75}
        assert (await client.create(TEXT)).status == 402


async def test_an_account_that_is_gone_is_still_in_the_invoice_and_comes_back_whole(tmp_path: Path) -> None:
    other = Holder(name="other", keys=(Key(secret="sk-other"),), credits=Decimal(50))

    async def used(client: Client) -> Answer:
        return await client.call("GET", "/v1/credits", key="sk-other")

    async with kept(tmp_path, accounts=(other,)) as client:
        await client.call("POST", "/v1/videos/generations", key="sk-other", json=TEXT)
        await until(lambda: client.emulator.invoice[0].charged is not None)
    async with kept(tmp_path) as client:
        assert (await used(client)).status == 401
        assert [line.account_name for line in client.emulator.invoice] == ["other"]
    async with kept(tmp_path, accounts=(other,)) as client:
        assert (await used(client)).json["data"]["user"] == {"remaining_credits": 37.25, "used_credits": 12.75}


async def test_a_days_quota_outlives_a_restart(tmp_path: Path) -> None:
    daily = Holder(name="other", keys=(Key(secret="sk-other", credits_per_day=Decimal(15)),))

    async def create(client: Client) -> int:
        return (await client.call("POST", "/v1/videos/generations", key="sk-other", json=TEXT)).status

    for expected in (200, 402):
        async with kept(tmp_path, accounts=(daily,), clock=lambda: 1_795_000_000.0) as client:
            assert await create(client) == expected


async def test_nothing_but_what_the_books_name_stays_on_disk(tmp_path: Path) -> None:
    async with kept(tmp_path) as client:
        task = await client.task(SEEDED)
        kept_file = (await upload(client)).json["data"]["file_id"]
    for name in ("clips/task-unified-1-00000000.mp4.part", "clips/x.mp4", "uploads/file-half"):
        (tmp_path / name).write_bytes(b"x")
    async with kept(tmp_path):
        assert files(tmp_path) == [kept_file, f"{task['id']}.mp4"]


async def test_a_clip_that_was_taken_away_is_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    async with kept(tmp_path) as client:
        task = await client.task(SEEDED)
    (tmp_path / "clips" / f"{task['id']}.mp4").unlink()
    async with kept(tmp_path) as client:
        found = (await client.poll(task["id"])).json
        gone = await client.call("GET", found["results"][0])
        assert (gone.status, gone.error["code"]) == (404, "result_not_found")


async def test_a_model_that_is_gone_stops_the_start(tmp_path: Path) -> None:
    from runner.emulator.app import Emulator

    async with kept(tmp_path) as client:
        await client.task(SEEDED)
    with keep.opened(tmp_path) as store, pytest.raises(Unusable, match="not there any more"):
        async with Emulator({}, tmp_path, key=KEY, workers=1, store=store):
            pass


class Failing(Store):
    """Books that can be written so many times, and then never again."""

    left = 0

    def _write(self, sql: str, row: tuple[object, ...]) -> None:
        if not self.left:
            raise Unusable("cannot be used: the disk is full")
        self.left -= 1
        super()._write(sql, row)


@pytest.mark.parametrize("writes", range(12))
async def test_where_the_books_end_creates_are_refused_and_what_was_taken_is_whole_after_a_restart(
    tmp_path: Path, writes: int
) -> None:
    (tmp_path / "kept").mkdir()
    store = Failing(tmp_path / "kept" / NAME)
    store.left = writes
    keys = [f"key-{number:016}" for number in range(3)]
    options: dict[str, Any] = {"render": stand_in, "balance": Decimal(100), "store": store}
    async with emulated(tmp_path / "kept", **options) as client:
        answers = {key: await client.create({**TEXT, "prompt": key}, Idempotency_Key=key) for key in keys}
        assert {answer.status for answer in answers.values()} <= {200, 503}
        await until(lambda: all(line.charged is not None for line in client.emulator.invoice))
        taken = {key: answer.json["id"] for key, answer in answers.items() if answer.status == 200}
        assert [line.task_id for line in client.emulator.invoice] == [*taken.values()]
        user = (await client.call("GET", "/v1/credits")).json["data"]["user"]
        assert Decimal(str(user["remaining_credits"])) == 100 - PRICE * len(taken)
    store.close()
    async with kept(tmp_path / "kept") as client:
        assert {line.idempotency_key: line.task_id for line in client.emulator.invoice} == taken
        for task_id in taken.values():
            task = await client.ended(task_id)
            assert (await client.call("GET", task["results"][0])).status == 200
        user = (await client.call("GET", "/v1/credits")).json["data"]["user"]
        assert Decimal(str(user["remaining_credits"])) == 100 - PRICE * len(taken)
        assert Decimal(str(user["used_credits"])) == PRICE * len(taken)


class TestDisk:
    async def test_clips_go_with_their_tasks_and_files_with_their_time(self, tmp_path: Path) -> None:
        async with kept(tmp_path) as client:
            old = await client.task(SEEDED)
            await upload(client)
            client.emulator.advance(Switches().file_s)
            new = await client.task(SEEDED)
            await client.call("GET", "/api/v1/files/quota")
            assert files(tmp_path) == [f"{new['id']}.mp4"]
            assert (await client.poll(old["id"])).status == 404

    async def test_the_oldest_clip_with_a_dead_link_goes_for_a_new_one(self, tmp_path: Path) -> None:
        async with kept(tmp_path) as client:
            first = await client.task(SEEDED)
            size = (tmp_path / "clips" / f"{first['id']}.mp4").stat().st_size
        async with kept(tmp_path, max_disk=int(size * 2.5)) as client:
            second = await client.task(SEEDED)
            client.emulator.advance(Switches().link_s)
            third = await client.task(SEEDED)
            assert files(tmp_path) == sorted(f"{task['id']}.mp4" for task in (second, third))
            assert (await client.poll(first["id"])).json["status"] == "completed"

    async def test_a_full_disk_takes_no_creates_and_no_files_and_says_so(self, tmp_path: Path) -> None:
        async with kept(tmp_path, max_disk=len(PNG)) as client:
            assert (await upload(client)).status == 200
            refused = await client.create(TEXT)
            assert (refused.status, refused.error["type"]) == (503, "service_unavailable_error")
            assert refused.error["message"].endswith("the emulator's disk is full (--max-disk)")
            answer = await upload(client)
            assert (answer.status, answer.json["msg"]) == (503, "Not taken: the emulator's disk is full (--max-disk)")
            assert client.emulator.invoice == ()
            assert len(files(tmp_path)) == 1
            client.emulator.advance(Switches().file_s)
            assert (await client.create(TEXT)).status == 200

    async def test_a_clip_that_finds_no_room_fails_and_costs_nothing(self, tmp_path: Path) -> None:
        async with kept(tmp_path, max_disk=1000) as client:
            task = await client.task(TEXT)
            assert (task["status"], task["error"]["code"]) == ("failed", "resource_exhausted")
            assert client.emulator.invoice[0].charged == 0
            assert files(tmp_path) == []


class Started:
    """`shotrunner emulate --keep`, as a process."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._process = Stage(folder).start("emulate", "-q", "--keep", "kept", *words)
        assert self._process.stderr is not None
        lines = [self._process.stderr.readline() for _ in range(4)]
        assert " is at " in lines[0], lines
        self.base_url = lines[0].partition(" is at ")[2].partition(";")[0]
        self.key = lines[1].strip().partition("=")[2]
        self.token = lines[3].split()[-1]

    def end(self, number: signal.Signals) -> int:
        self._process.send_signal(number)
        self._process.communicate(timeout=60)
        return self._process.returncode

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        headers = {"Authorization": f"Bearer {self.key}"}
        async with aiohttp.ClientSession(self.base_url, headers=headers) as session:
            yield session

    async def invoice(self) -> Any:
        async with (
            aiohttp.ClientSession(self.base_url, headers={"Authorization": f"Bearer {self.token}"}) as session,
            session.get("/_emulate/invoice") as answer,
        ):
            return await answer.json()


async def test_a_kill_loses_nothing_that_was_answered_and_buys_nothing_twice(tmp_path: Path) -> None:
    """Creates and uploads go on until the kill; then every answer given must hold, and every sum."""
    first = await asyncio.to_thread(Started, tmp_path, "--balance", "500")
    answered: dict[str, str] = {}  # task ids by idempotency key
    uploaded: list[str] = []
    async with first.session() as session:
        asked = [f"key-{number:016}" for number in range(30)]

        async def buy(key: str) -> None:
            body = {**TEXT, "prompt": key}
            async with session.post("/v1/videos/generations", json=body, headers={"Idempotency-Key": key}) as answer:
                answered[key] = (await answer.json())["id"]
            async with session.post("/api/v1/files/upload/stream", data=form()) as answer:
                uploaded.append((await answer.json())["data"]["file_url"])

        buying = [asyncio.create_task(buy(key)) for key in asked]
        before = await first.invoice()
        async with asyncio.timeout(60):
            while len(uploaded) < 12 or not any(line["charged"] is not None for line in before["tasks"]):
                await asyncio.sleep(0.05)
                before = await first.invoice()
        assert await asyncio.to_thread(first.end, signal.SIGKILL) == -signal.SIGKILL
        await asyncio.gather(*buying, return_exceptions=True)
    assert len(answered) >= 12
    again = await asyncio.to_thread(Started, tmp_path)
    try:
        assert (again.base_url, again.key, again.token) == (first.base_url, first.key, first.token)
        lines = {line["idempotency_key"]: line for line in (await again.invoice())["tasks"]}
        assert answered.items() <= {key: line["task_id"] for key, line in lines.items()}.items()
        ended = [line for line in before["tasks"] if line["charged"] is not None]
        assert ended
        assert all(lines[line["idempotency_key"]] == line for line in ended)
        async with again.session() as session:
            for url in uploaded:
                async with session.get(url) as answer:
                    assert await answer.read() == PNG
            for key in asked:
                body = {**TEXT, "prompt": key}
                async with session.post(
                    "/v1/videos/generations", json=body, headers={"Idempotency-Key": key}
                ) as answer:
                    assert (await answer.json())["id"] == answered.get(key, (await answer.json())["id"])
            async with session.get("/v1/credits") as answer:
                user = (await answer.json())["data"]["user"]
            invoice = (await again.invoice())["tasks"]
            assert len(invoice) == len(asked)
            spent = sum(PRICE if line["charged"] is None else Decimal(str(line["charged"])) for line in invoice)
            assert Decimal(str(user["remaining_credits"])) == 500 - spent
    finally:
        assert await asyncio.to_thread(again.end, signal.SIGTERM) == 0
    assert not list((tmp_path / "kept").glob("*-wal"))


def test_the_command_refuses_a_folder_it_cannot_keep_anything_in(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.write("mine/film.yaml", "storyboard: 1")
    ended = stage.shotrunner("emulate", "--keep", "mine")
    assert (ended.code, "mine holds other files" in ended.err) == (2, True), ended
    with keep.opened(tmp_path / "kept"):
        ended = stage.shotrunner("emulate", "--keep", "kept")
    assert (ended.code, "in use by another emulator" in ended.err) == (2, True), ended
