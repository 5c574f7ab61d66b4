"""What nobody could settle about the service is a switch, and each does what its line in the documents says."""

import asyncio
import base64
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from emulation import SEEDED, TEXT, Client, emulated
from standins import stand_in

from runner.emulator.refusals import Lack, Profile
from runner.emulator.script import Hold, Poll, Script
from runner.emulator.switches import Switches

SILENT = {"model": "wan2.6-image-to-video-flash", "prompt": "x", "duration": 2, "generate_audio": False}
MEDIA = {"image_urls": ["http://127.0.0.1:9/a.png"], "audio_url": "http://127.0.0.1:9/a.mp3"}


def switched(folder: Path, *mishaps: Any, balance: Decimal = Decimal(100), **switches: Any) -> Any:
    script = Script(mishaps=mishaps)
    return emulated(folder, script=script, balance=balance, render=stand_in, switches=Switches(**switches))


async def long_prompt(client: Client, characters: int) -> int:
    return (await client.create({**TEXT, "prompt": "x" * characters})).status


async def test_the_older_limit_of_a_prompt_holds_where_it_is_set(tmp_path: Path) -> None:
    async with switched(tmp_path) as client:
        assert [await long_prompt(client, n) for n in (1001, 2000, 2001)] == [200, 200, 400]
    async with switched(tmp_path, wan25_prompt=1000) as client:
        answer = await client.create({**TEXT, "prompt": "x" * 1001})
        assert (answer.status, answer.error["param"]) == (400, "prompt")
        assert await long_prompt(client, 1000) == 200


async def test_a_prompt_that_is_too_long_can_be_cut(tmp_path: Path) -> None:
    async with switched(tmp_path, long_prompt="cut") as client:
        assert await long_prompt(client, 2001) == 200


async def test_what_no_model_knows_is_refused_or_passed_over(tmp_path: Path) -> None:
    body = {**TEXT, "watermark": True}
    async with switched(tmp_path) as client:
        assert (await client.create(body)).error["param"] == "watermark"
    async with switched(tmp_path, unknown_fields="ignore") as client:
        assert (await client.create(body)).status == 200


async def test_a_sound_for_a_silent_clip_is_refused_or_passed_over(tmp_path: Path) -> None:
    async with switched(tmp_path) as client:
        assert (await client.create({**SILENT, **MEDIA})).status == 400
    async with switched(tmp_path, silent_audio="ignore") as client:
        assert (await client.create({**SILENT, **MEDIA})).status == 200


async def test_the_word_for_the_kind_of_task_can_be_missing(tmp_path: Path) -> None:
    async with switched(tmp_path, object=False) as client:
        made = await client.create(SEEDED)
        assert "object" not in made.json
        assert "object" not in await client.ended(made.json["id"])


async def test_a_create_can_say_that_its_task_is_finished(tmp_path: Path) -> None:
    async with switched(tmp_path, finished_at_submit=True) as client:
        made = await client.create(SEEDED)
        assert (made.json["status"], made.json["progress"]) == ("completed", 100)
        assert (await client.poll(made.json["id"])).json["results"]


async def test_a_create_does_not_wait_for_ever_for_its_task(tmp_path: Path) -> None:
    async with switched(tmp_path, Hold(task=1), finished_at_submit=True) as client:
        waiting = asyncio.create_task(client.create(SEEDED))
        while client.emulator.invoice == ():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert not waiting.done()
        client.emulator.advance(60)
        assert (await waiting).json["status"] == "processing"


async def test_who_cannot_pay_can_learn_it_at_the_query(tmp_path: Path) -> None:
    async with switched(tmp_path, Hold(task=None), balance=Decimal(20), payment="query") as client:
        ids = [(await client.create(TEXT)).json["id"] for _ in range(2)]
        answer = await client.poll(ids[0])
        assert (answer.status, answer.error["code"]) == (402, "insufficient_quota")
        assert (await client.call("GET", "/v1/credits")).json["data"]["user"]["remaining_credits"] == -5.5


@pytest.mark.parametrize(
    ("profile", "word", "said"),
    [
        (Profile.CURRENT, "auto", "per_second"),
        (Profile.DOCUMENTED, "auto", "per_call"),
        (Profile.CURRENT, "per_call", "per_call"),
        (Profile.DOCUMENTED, "per_second", "per_second"),
    ],
)
async def test_the_billing_rule_is_a_word_of_its_own(tmp_path: Path, profile: Profile, word: str, said: str) -> None:
    async with switched(tmp_path, profile=profile, billing_rule=word) as client:
        assert (await client.create(TEXT)).json["usage"]["billing_rule"] == said


async def test_hints_when_to_come_back_can_be_missing(tmp_path: Path) -> None:
    mishap = Poll(task=1, status=503)
    async with switched(tmp_path, mishap, retry_after=False, query_suggestion=False) as client:
        answer = await client.poll((await client.create(TEXT)).json["id"])
        assert answer.status == 503
        assert "Retry-After" not in answer.headers
        assert "fallback_suggestion" not in answer.error


async def test_a_link_can_be_deaf_to_head(tmp_path: Path) -> None:
    async with switched(tmp_path, head=False) as client:
        link = (await client.task(SEEDED))["results"][0]
        answer = await client.call("HEAD", link)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")
        assert (await client.call("GET", link)).status == 200


async def test_lifetimes_are_what_they_are_set_to(tmp_path: Path) -> None:
    async with switched(tmp_path, link_hours=1, task_hours=2, key_hours=0.5, file_hours=3) as client:
        keyed = {"Idempotency_Key": "0123456789abcdef"}
        task = await client.task(SEEDED, **keyed)
        kept = (await upload(client, b"\xff\xd8\xff\xe0")).json["data"]
        client.emulator.advance(1800)
        assert (await client.create(SEEDED, **keyed)).json["id"] != task["id"]
        client.emulator.advance(1800)
        assert (await client.call("GET", task["results"][0])).status == 403
        client.emulator.advance(3600)
        assert (await client.poll(task["id"])).status == 404
        assert (await client.call("GET", kept["file_url"])).status == 200
        client.emulator.advance(3600)
        assert (await client.call("GET", kept["file_url"])).status == 404


async def test_uploads_can_be_pictures_alone_and_failures_answered_with_200(tmp_path: Path) -> None:
    async with switched(tmp_path, upload_types="images", file_errors="200") as client:
        assert (await upload(client, b"\xff\xd8\xff\xe0")).json["success"] is True
        answer = await upload(client, b"ID3\x04")
        assert (answer.status, answer.json["success"], answer.json["code"]) == (200, False, 415)


async def upload(client: Client, content: bytes) -> Any:
    body = {"base64_data": base64.b64encode(content + bytes(50)).decode()}
    return await client.call("POST", "/api/v1/files/upload/base64", json=body)


class TestCatalogue:
    async def test_everybody_may_read_what_there_is_and_what_it_costs(self, tmp_path: Path) -> None:
        async with switched(tmp_path) as client:
            listed = (await client.call("GET", "/v1/catalog/models", key=None)).json["data"]
            assert {model["id"] for model in listed} == set(client.emulator._studio.models)
            assert (await client.call("GET", "/v1/catalog/health", key=None)).json == {"status": "ok", "models": 4}
            rules = (await client.call("GET", "/v1/catalog/pricing-rules", key=None)).json["data"]
            assert (await client.call("GET", "/web/api/models/pricing", key=None)).json["data"] == rules
            (rule,) = (
                await client.call("GET", "/v1/catalog/models/wan2.5-text-to-video/pricing-rules", key=None)
            ).json["data"]
            assert rule in rules
            assert rule == {
                "model": "wan2.5-text-to-video",
                "unit": "credit",
                "units_per_usd": 68,
                "per_second": 5.1,
                "multipliers": [{"when": {"quality": "480p"}, "by": 0.5}, {"when": {"quality": "1080p"}, "by": 1.67}],
                "minimum": 5.1,
                "input_seconds": None,
                "effective_from": "2026-10-10",
            }
            gone = await client.call("GET", "/v1/catalog/models/x/pricing-rules", key=None)
            assert (gone.status, gone.error["code"]) == (404, "model_not_found")

    async def test_who_has_it_already_gets_no_body(self, tmp_path: Path) -> None:
        async with switched(tmp_path) as client, aiohttp.ClientSession(client.emulator.base_url) as session:
            for path in ("/v1/catalog/models", "/v1/catalog/pricing-rules", "/web/api/models/pricing"):
                async with session.get(path) as first:
                    tag = first.headers["ETag"]
                for condition, status in ((tag, 304), (f'W/{tag}, "x"', 304), ("*", 304), ('"x"', 200)):
                    async with session.get(path, headers={"If-None-Match": condition}) as again:
                        assert (again.status, again.headers["ETag"]) == (status, tag)
                        assert (await again.read() == b"") == (status == 304)


class TestEstimate:
    PATH = "/v1/agent-estimates"

    @pytest.mark.parametrize("body", [TEXT, SEEDED, {**TEXT, "quality": "1080p", "duration": 10}])
    async def test_it_is_what_the_create_reserves_and_reserves_nothing(
        self, tmp_path: Path, body: dict[str, Any]
    ) -> None:
        async with switched(tmp_path) as client:
            told = (await client.call("POST", self.PATH, json=body)).json
            assert (told["model"], told["account_balance_credits"]) == (body["model"], 100)
            assert client.emulator.invoice == ()
            made = await client.create(body)
            assert made.json["usage"]["credits_reserved"] == told["estimated_credits"]

    async def test_what_no_create_could_be_has_no_price(self, tmp_path: Path) -> None:
        async with switched(tmp_path) as client:
            bad = await client.call("POST", self.PATH, json={**TEXT, "duration": 7})
            assert (bad.status, bad.error["code"], bad.error["param"]) == (400, "unsupported_parameters", "duration")
            assert (await client.call("POST", self.PATH, json={**TEXT, "model": "x"})).status == 404
            assert (await client.call("POST", self.PATH, key=None, json=TEXT)).status == 401

    async def test_an_older_gateway_has_none(self, tmp_path: Path) -> None:
        async with switched(tmp_path, lacks=frozenset({Lack.ESTIMATES})) as client:
            assert (await client.call("POST", self.PATH, json=TEXT)).status == 404


def test_an_older_gateway_is_a_set_of_lacks() -> None:
    assert Switches(lacks=frozenset(Lack)).lacks == frozenset(Lack)
