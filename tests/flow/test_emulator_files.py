"""The file API over real sockets: uploads by base64 and by URL, list, receipts, quota, deletion, expiry, one account at a time."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from emulation import KEY, Answer, Client, emulated
from servers import said, serving

from runner.emulator.filing import BASE64_BYTES
from runner.emulator.holders import Holder, Key
from runner.emulator.script import Script, Upload
from runner.emulator.switches import Switches

HOURS = Switches()
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100
OTHER = "sk-evo-other"
FILES = "/api/v1/files"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with emulated(
        tmp_path, accounts=(Holder(name="other", keys=(Key(secret=OTHER),)),), allow_private=True
    ) as client:
        yield client


async def sent(client: Client, content: bytes = PNG, *, key: str = KEY, **fields: Any) -> Answer:
    body = {"base64_data": base64.b64encode(content).decode(), **fields}
    return await client.call("POST", f"{FILES}/upload/base64", key=key, json=body)


def on_disk(client: Client) -> list[str]:
    return [path.name for path in client.emulator._folder.glob("*/uploads/*")]


class TestBase64:
    @pytest.mark.parametrize(
        "prefix", ["", "data:image/png;base64,", "data:image/png;charset=x;base64,", "data:;base64,"]
    )
    async def test_a_file_comes_plain_or_as_a_data_url(self, client: Client, prefix: str) -> None:
        text = prefix + base64.b64encode(PNG).decode()
        answer = await sent(client, base64_data=text, file_name="Keeper of light.jpg", uploadPath="cast/a")
        assert (answer.status, answer.json["success"], answer.json["code"]) == (200, True, 200)
        kept = answer.json["data"]
        assert (kept["file_name"], kept["mime_type"], kept["upload_path"]) == (
            "Keeper_of_light.png",
            "image/png",
            "cast/a",
        )
        assert (await client.call("GET", kept["file_url"], key=None)).content == PNG

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 400),
            ({"base64_data": ""}, 400),
            ({"base64_data": 7}, 400),
            ({"base64_data": "not base64!"}, 400),
            ({"base64_data": "data:image/png,plain"}, 400),
            ({"base64_data": base64.b64encode(b"#!/bin/sh\n").decode()}, 415),
            ({"base64_data": base64.b64encode(PNG).decode(), "upload_path": "../up"}, 400),
            ({"base64_data": base64.b64encode(PNG).decode(), "file_name": "x" * 300}, 400),
            ({"base64_data": base64.b64encode(PNG + bytes(BASE64_BYTES)).decode()}, 413),
            ({"base64_data": "A" * (BASE64_BYTES * 3 // 2)}, 413),
            ([], 400),
        ],
    )
    async def test_what_is_not_taken_leaves_nothing(self, client: Client, body: object, status: int) -> None:
        answer = await client.call(
            "POST",
            f"{FILES}/upload/base64",
            data=io.BytesIO(json.dumps(body).encode()),
            headers={"Content-Type": "application/json"},
        )
        assert (answer.status, answer.json["success"], answer.json["code"]) == (status, False, status)
        assert answer.json["msg"]
        assert on_disk(client) == []


class TestUrl:
    async def upload(self, client: Client, url: object, **fields: str) -> Answer:
        return await client.call("POST", f"{FILES}/upload/url", json={"file_url": url, **fields})

    async def test_the_file_behind_a_url_is_fetched_and_kept(self, client: Client) -> None:
        async with serving(said(PNG)) as server:
            kept = (await self.upload(client, f"{server.url}/cast/Keeper%20one.png?w=3")).json["data"]
        assert (kept["original_name"], kept["file_name"], kept["file_size"]) == (
            "Keeper one.png",
            "Keeper_one.png",
            len(PNG),
        )
        assert (await client.call("GET", kept["file_url"], key=None)).content == PNG

    async def test_what_is_not_there_or_no_medium_is_refused(self, client: Client) -> None:
        async with serving(said(status=404), said(b"<html>")) as server:
            gone = await self.upload(client, f"{server.url}/a.png")
            assert (gone.status, gone.json["msg"]) == (400, "The file could not be fetched: HTTP 404")
            assert (await self.upload(client, f"{server.url}/a.png")).json["code"] == 415
        for url in (None, 7, "", "file:///etc/passwd", "x"):
            assert (await self.upload(client, url)).json["code"] == 400
        assert on_disk(client) == []

    async def test_no_url_leads_into_a_private_network(self, tmp_path: Path) -> None:
        async with emulated(tmp_path) as client, serving(said(PNG)) as server:
            for url in (server.url, "http://169.254.169.254/a.png", "http://10.0.0.1/a.png"):
                answer = await self.upload(client, url)
                assert (answer.status, "address" in answer.json["msg"]) == (400, True)
            assert server.connections == 0


class TestList:
    async def test_newest_first_in_pages(self, client: Client) -> None:
        names = [f"file{number}.png" for number in range(5)]
        for name in names:
            await sent(client, file_name=name)

        async def page(query: str) -> tuple[list[str], int]:
            found = (await client.call("GET", f"{FILES}/list?{query}")).json["data"]
            return [file["file_name"] for file in found["files"]], found["total"]

        assert await page("") == (names[::-1], 5)
        assert await page("page=2&pageSize=2") == (names[2:0:-1], 5)
        assert await page("page=9") == ([], 5)

    @pytest.mark.parametrize("query", ["page=0", "pageSize=0", "pageSize=51", "page=x"])
    async def test_no_page_is_refused_by_name(self, client: Client, query: str) -> None:
        answer = await client.call("GET", f"{FILES}/list?{query}")
        assert (answer.status, answer.error["param"]) == (400, query.partition("=")[0])


class TestLife:
    async def test_a_deleted_file_is_gone_and_its_place_free(self, client: Client) -> None:
        kept = (await sent(client)).json["data"]
        assert (await client.call("DELETE", f"{FILES}/{kept['file_id']}")).json["success"] is True
        assert (await client.call("GET", kept["file_url"])).status == 404
        assert (await client.call("GET", f"{FILES}/quota")).json["data"]["used_files"] == 0
        assert on_disk(client) == []
        again = await client.call("DELETE", f"{FILES}/{kept['file_id']}")
        assert (again.status, again.json["success"]) == (404, False)

    async def test_a_file_goes_after_72_hours(self, client: Client) -> None:
        kept = (await sent(client)).json["data"]
        client.emulator.advance(HOURS.file_s - 10)
        assert (await client.call("GET", kept["file_url"])).status == 200
        client.emulator.advance(10)
        assert (await client.call("GET", kept["file_url"])).status == 404
        assert (await client.call("GET", f"{FILES}/list")).json["data"]["total"] == 0
        assert on_disk(client) == []

    async def test_the_quota_is_an_accounts_own_and_full_at_a_hundred(self, client: Client) -> None:
        answers = await asyncio.gather(*(sent(client) for _ in range(103)))
        assert sorted(answer.status for answer in answers) == [200] * 100 + [403] * 3
        assert len(on_disk(client)) == 100
        assert (await client.call("GET", f"{FILES}/quota")).json["data"] == {
            "user_group": "default",
            "used_files": 100,
            "max_files": 100,
            "remain_files": 0,
        }
        assert (await sent(client, key=OTHER)).status == 200

    async def test_the_files_of_one_account_are_not_there_for_the_other(self, client: Client) -> None:
        receipt = {"X-Evo-Upload-Id": "upload-0123456789"}
        body = {"base64_data": base64.b64encode(PNG).decode()}
        kept = (await client.call("POST", f"{FILES}/upload/base64", json=body, headers=receipt)).json["data"]
        path = f"{FILES}/upload-receipts/upload-0123456789"
        assert (await client.call("GET", path)).json["data"] == kept
        for answer in (
            await client.call("GET", path, key=OTHER),
            await client.call("DELETE", f"{FILES}/{kept['file_id']}", key=OTHER),
            await client.call("GET", f"{FILES}/upload-receipts/another-0123456789"),
        ):
            assert (answer.status, answer.json["success"]) == (404, False)
        assert (await client.call("GET", f"{FILES}/list", key=OTHER)).json["data"]["files"] == []
        assert (await client.call("GET", kept["file_url"], key=None)).status == 200

    async def test_an_upload_id_has_its_form(self, client: Client) -> None:
        body = {"base64_data": base64.b64encode(PNG).decode()}
        answer = await client.call(
            "POST", f"{FILES}/upload/base64", json=body, headers={"X-Evo-Upload-Id": "too short"}
        )
        assert (answer.status, on_disk(client)) == (400, [])

    async def test_the_mishaps_of_uploads_strike_every_kind(self, tmp_path: Path) -> None:
        script = Script(mishaps=(Upload(upload=2, status=413, http=200),))
        async with emulated(tmp_path, script=script) as client:
            answers = [await sent(client) for _ in range(3)]
            assert [(a.status, a.json["code"]) for a in answers] == [(200, 200), (200, 413), (200, 200)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/upload/base64"),
        ("POST", "/upload/url"),
        ("GET", "/upload-receipts/upload-0123456789"),
        ("GET", "/list"),
        ("DELETE", "/file-x"),
    ],
)
async def test_401_without_a_key(client: Client, method: str, path: str) -> None:
    answer = await client.call(method, FILES + path, key="wrong")
    assert (answer.status, answer.error["type"]) == (401, "authentication_error")


async def test_the_log_holds_no_id_that_opens_a_file(tmp_path: Path) -> None:
    lines: list[str] = []
    async with emulated(tmp_path, log=lines.append) as client:
        identifier = (await sent(client)).json["data"]["file_id"]
        await client.call("DELETE", f"{FILES}/{identifier}")
    assert any(line.startswith(f"DELETE {FILES}/... 200") for line in lines)
    assert not any(identifier in line for line in lines)
