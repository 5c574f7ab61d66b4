"""What the page at / is made of, over real sockets; tests/interop/test_page.py looks at it in a browser."""

import asyncio
import base64
import hashlib
import io
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from emulation import KEY, SEEDED, TEXT, Answer, Client, emulated
from PIL import Image

from runner.emulator.holders import Holder, Key
from runner.emulator.script import Download, Fail, NoResults, Script, Spoiled

OTHER = "sk-evo-other"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with emulated(
        tmp_path, page=True, accounts=(Holder(name="other", keys=(Key(secret=OTHER),), credits=Decimal(50)),)
    ) as client:
        yield client


async def told(client: Client, path: str) -> Answer:
    return await client.call("GET", path, key=client.emulator.control)


async def board(client: Client, epoch: str = "", since: int = 0) -> dict[str, object]:
    answer = await told(client, f"/_emulate/board?epoch={epoch}&since={since}")
    assert answer.status == 200
    found: dict[str, object] = answer.json
    return found


def ids(found: dict[str, object]) -> list[str]:
    rows = found["tasks"]
    assert isinstance(rows, list)
    return [row["task_id"] for row in rows]


def found(folder: Path, pattern: str) -> list[Path]:
    return list(folder.rglob(pattern))


async def test_the_page_needs_no_token_and_holds_nothing_that_wants_one(client: Client) -> None:
    task = await client.task({**SEEDED, "prompt": "a telling prompt"})
    answer = await client.call("GET", "/", key=None)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    text = answer.content.decode()
    for secret in (KEY, client.emulator.control, task["id"], "a telling prompt"):
        assert secret not in text


async def test_the_page_may_run_its_own_script_and_style_and_reach_this_server_alone(client: Client) -> None:
    answer = await client.call("GET", "/", key=None)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    for name in ("script", "style"):
        blocks = re.findall(rf"<{name}>(.*?)</{name}>", answer.content.decode(), re.DOTALL)
        (digest,) = [base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks]
        assert policy[f"{name}-src"] == f"'sha256-{digest}'"
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert (policy["default-src"], policy["connect-src"]) == ("'none'", "'self'")
    assert (policy["frame-ancestors"], policy["form-action"], policy["base-uri"]) == ("'none'", "'none'", "'none'")
    assert "http" not in re.sub(r"http://www.w3.org/2000/svg", "", answer.content.decode()).replace("httpx", "")
    assert not re.search(r"\son\w+=", answer.content.decode().split("<script>")[0])


async def test_what_the_page_asks_for_wants_the_control_token(client: Client) -> None:
    task = await client.task(SEEDED)
    for path in ("/_emulate/board", f"/_emulate/posters/{task['id']}", f"/_emulate/clips/{task['id']}"):
        assert (await told(client, path)).status == 200
        for key in (None, KEY, "x"):
            assert (await client.call("GET", path, key=key)).status == 401
        assert (await client.call("GET", f"{path}?token={client.emulator.control}", key=None)).status == 401
        foreign = await client.call("GET", path, key=client.emulator.control, headers={"Origin": "http://evil.example"})
        assert foreign.status == 403


async def test_the_emulator_inside_a_run_has_no_page(tmp_path: Path) -> None:
    async with emulated(tmp_path) as client:
        for path in ("/", "/_emulate/board", "/_emulate/posters/x", "/_emulate/clips/x"):
            assert (await told(client, path)).status == 404


async def test_the_board_tells_what_changed_and_to_a_stranger_everything(client: Client) -> None:
    first, second = [await client.task({**SEEDED, "seed": seed}) for seed in (1, 2)]
    whole = await board(client)
    assert ids(whole) == [first["id"], second["id"]]
    epoch, revision = str(whole["epoch"]), int(str(whole["revision"]))
    assert ids(await board(client, epoch, revision)) == []
    third = await client.task({**SEEDED, "seed": 3})
    later = await board(client, epoch, revision)
    assert ids(later) == [third["id"]]
    assert int(str(later["revision"])) > revision
    assert set(ids(await board(client, "another", 99))) == {first["id"], second["id"], third["id"]}
    assert (await told(client, "/_emulate/board?since=x")).status == 400


async def test_a_task_is_told_again_for_every_step_it_takes(client: Client) -> None:
    made = (await client.create(SEEDED)).json
    seen, epoch, revision = [], "", 0
    async with asyncio.timeout(30):
        while not seen or seen[-1][0] != "completed":
            now = await board(client, epoch, revision)
            epoch, revision = str(now["epoch"]), int(str(now["revision"]))
            rows = now["tasks"]
            assert isinstance(rows, list)
            seen += [(row["status"], row["progress"]) for row in rows if row["task_id"] == made["id"]]
            await asyncio.sleep(0.002)
    assert len(set(seen)) == len(seen) >= 2, "nothing is told twice"
    assert seen[-1] == ("completed", 100)


async def test_the_sums_of_the_board_are_those_of_the_invoice(tmp_path: Path) -> None:
    script = Script(mishaps=(Fail(task=2, code="service_error", message="no"),))
    async with emulated(
        tmp_path,
        page=True,
        accounts=(Holder(name="other", keys=(Key(secret=OTHER),), credits=Decimal(50)),),
        script=script,
    ) as client:
        for body in (TEXT, SEEDED, SEEDED):
            await client.task(body)
        await client.call("POST", "/v1/videos/generations", json=SEEDED, key=OTHER)
        async with asyncio.timeout(30):
            while not all(line.charged is not None for line in client.emulator.invoice):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        now, lines = await board(client), client.emulator.invoice
        totals, models, accounts = now["totals"], now["models"], now["accounts"]
        assert isinstance(totals, dict)
        assert isinstance(models, list)
        assert isinstance(accounts, list)
        charged = sum((line.charged or Decimal(0) for line in lines), Decimal(0))
        assert Decimal(str(totals["charged"])) == charged
        assert (totals["tasks"], totals["held"], totals["states"]["failed"]) == (4, 0, 1)
        assert {row["model"]: row["tasks"] for row in models} == {TEXT["model"]: 1, SEEDED["model"]: 3}
        assert sum((Decimal(str(row["charged"])) for row in models), Decimal(0)) == charged
        assert [row["account_name"] for row in accounts] == ["default", "other"]
        assert sum((Decimal(str(row["used"])) for row in accounts), Decimal(0)) == charged


async def test_a_poster_is_a_small_picture_of_the_clip_made_once(client: Client, tmp_path: Path) -> None:
    task = await client.task({**SEEDED, "aspect_ratio": "9:16"})
    answers = await asyncio.gather(*(told(client, f"/_emulate/posters/{task['id']}") for _ in range(4)))
    assert {answer.headers["Content-Type"] for answer in answers} == {"image/jpeg"}
    assert len({answer.content for answer in answers}) == 1
    picture = Image.open(io.BytesIO(answers[0].content))
    assert picture.size == (270, 480)
    assert len(picture.convert("L").getcolors() or ()) > 50, "a picture, and not a plain colour"
    (poster,) = found(tmp_path, "*.jpg")
    made = poster.stat().st_mtime_ns
    await told(client, f"/_emulate/posters/{task['id']}")
    assert poster.stat().st_mtime_ns == made


async def test_who_watches_is_no_client_and_meets_no_mishap(tmp_path: Path) -> None:
    script = Script(mishaps=(Download(task=None, how=Spoiled.TRUNCATED, times=1),))
    async with emulated(tmp_path, page=True, script=script) as client:
        task = await client.task(SEEDED)
        watched = await told(client, f"/_emulate/clips/{task['id']}")
        assert watched.headers["Content-Type"] == "video/mp4"
        with pytest.raises(Exception, match=r"(?i)payload|disconnected|reset"):
            await client.call("GET", task["results"][0])
        assert (await client.call("GET", task["results"][0])).content == watched.content


async def test_where_there_is_no_clip_there_is_nothing_to_see(tmp_path: Path) -> None:
    script = Script(mishaps=(NoResults(task=1), Fail(task=2, code="service_error", message="no")))
    async with emulated(tmp_path, page=True, script=script, render=lambda order, target: None) as client:
        tasks = [await client.task(SEEDED) for _ in range(3)]  # the third's renderer leaves no file
        for identifier in (*(task["id"] for task in tasks), "nobody", "..%2Fx"):
            for kind in ("posters", "clips"):
                assert (await told(client, f"/_emulate/{kind}/{identifier}")).status == 404
        rows = (await board(client))["tasks"]
        assert isinstance(rows, list)
        assert [row["clip"] for row in rows] == [False] * 3


async def test_a_clip_that_cannot_be_read_has_no_poster(tmp_path: Path) -> None:
    def spoiled(order: object, target: Path) -> None:
        target.write_bytes(b"\x00\x00\x00\x18ftypisom" + bytes(200))

    async with emulated(tmp_path, page=True, render=spoiled) as client:
        task = await client.task(SEEDED)
        assert (await told(client, f"/_emulate/posters/{task['id']}")).status == 404
        assert not found(tmp_path, "*.part")


async def test_asking_for_the_board_fills_no_log(tmp_path: Path) -> None:
    lines: list[str] = []
    async with emulated(tmp_path, page=True, log=lines.append) as client:
        await board(client)
        assert not lines
        await client.call("GET", "/_emulate/board", key="x")
        assert len(lines) == 1
