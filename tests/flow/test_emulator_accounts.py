"""Accounts and keys over real sockets: who may order what, how much and how fast, and in which words it is refused."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from emulation import SEEDED, TEXT, Answer, Client, emulated
from stage import Stage
from standins import stand_in

from runner.emulator.holders import Holder, Key, Limits
from runner.emulator.refusals import Profile
from runner.emulator.script import Fail, Hold, Script
from runner.emulator.switches import Switches

CREATE = "/v1/videos/generations"
LONG_AGO = 1_000_000_000.0

STUDIO = Holder(
    name="studio",
    credits=Decimal(60),
    user_group="vip",
    models=frozenset({"wan2.5-text-to-video", "wan2.7-text-to-video"}),
    limits=Limits(in_flight=4),
    keys=(
        Key(secret="sk-studio"),
        Key(secret="sk-quota", name="quota", credits=Decimal(20)),
        Key(secret="sk-daily", name="daily", credits_per_day=Decimal(15)),
        Key(secret="sk-model", name="model", models=frozenset({"wan2.5-text-to-video"})),
        Key(secret="sk-slow", name="slow", limits=Limits(submits_per_s=0.1)),
        Key(secret="sk-off", name="off", disabled=True),
        Key(secret="sk-old", name="old", expires_at=LONG_AGO),
    ),
)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with opened(tmp_path) as client:
        yield client


def opened(folder: Path, *mishaps: Any, **switches: Any) -> Any:
    options = {"key": None, "accounts": (STUDIO,), "render": stand_in, "switches": Switches(**switches)}
    return emulated(folder, script=Script(mishaps=mishaps or (Hold(task=None, seconds=3600),)), **options)


async def create(client: Client, key: str, body: object = TEXT, **headers: str) -> Answer:
    return await client.call("POST", CREATE, key=key, json=body, headers=headers)


async def test_a_keys_quota_ends_before_its_accounts_credits(client: Client) -> None:
    assert (await create(client, "sk-quota")).status == 200
    answer = await create(client, "sk-quota")
    assert (answer.status, answer.error["code"], answer.error["limit_scope"]) == (
        402,
        "insufficient_token_quota",
        "key",
    )
    assert (answer.error["estimated_credits"], answer.error["account_balance_credits"]) == (12.75, 47.25)
    assert (await create(client, "sk-studio")).status == 200
    told = (await client.call("GET", "/v1/credits", key="sk-quota")).json["data"]
    assert told == {
        "user": {"remaining_credits": 34.5, "used_credits": 0},
        "token": {"remaining_credits": 7.25, "used_credits": 0, "unlimited_credits": False},
    }


async def test_a_days_quota_is_whole_again_on_the_next_day(client: Client) -> None:
    assert (await create(client, "sk-daily")).status == 200
    answer = await create(client, "sk-daily")
    assert (answer.status, answer.error["code"]) == (402, "token_daily_quota_exceeded")
    assert answer.error["reset_timezone"] == "UTC"
    client.emulator.advance(86_400)
    assert (await create(client, "sk-daily")).status == 200


async def test_what_fails_gives_a_key_its_quota_back(tmp_path: Path) -> None:
    async with opened(tmp_path, Fail(task=1, code="service_error")) as client:
        made = await create(client, "sk-quota")
        while (await client.call("GET", f"/v1/tasks/{made.json['id']}", key="sk-quota")).json["status"] != "failed":  # noqa: ASYNC110 - polling is the API
            await asyncio.sleep(0.01)
        assert (await create(client, "sk-quota")).status == 200
        assert [(line.account_name, line.key) for line in client.emulator.invoice] == [("studio", "quota")] * 2


async def test_a_model_that_is_not_for_the_key_or_the_account_is_not_there_for_it(client: Client) -> None:
    answer = await create(client, "sk-model", SEEDED)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (403, "key_model_not_allowed", "model")
    assert answer.error["allowed_models"] == ["wan2.5-text-to-video"]
    body = {
        "model": "wan2.6-reference-video-flash",
        "prompt": "x",
        "duration": 2,
        "video_urls": ["http://127.0.0.1:9/a.mp4"],
    }
    answer = await create(client, "sk-studio", body)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (403, "model_access_denied", "model")
    for key, count in (("sk-model", 1), ("sk-studio", 2)):
        assert len((await client.call("GET", "/v1/models", key=key)).json["data"]) == count
    assert client.emulator.invoice == ()


async def test_a_key_that_is_off_or_old_opens_nothing(client: Client) -> None:
    for method, path in (
        ("POST", CREATE),
        ("GET", "/v1/tasks"),
        ("GET", "/v1/credits"),
        ("GET", "/api/v1/files/quota"),
    ):
        off = await client.call(method, path, key="sk-off", json=TEXT)
        old = await client.call(method, path, key="sk-old", json=TEXT)
        assert (off.status, off.error["code"], off.error["type"]) == (403, "key_disabled", "permission_error")
        assert (old.status, old.error["code"], old.error["type"]) == (401, "key_expired", "authentication_error")


async def test_every_refusal_of_a_key_can_be_a_402(tmp_path: Path) -> None:
    async with opened(tmp_path, key_refusals="402") as client:
        for key, code in (("sk-off", "key_disabled"), ("sk-old", "key_expired")):
            answer = await create(client, key)
            assert (answer.status, answer.error["code"]) == (402, code)
        answer = await create(client, "sk-model", SEEDED)
        assert (answer.status, answer.error["code"]) == (402, "key_model_not_allowed")


@pytest.mark.parametrize("word", ["insufficient_quota", "account_balance_insufficient"])
async def test_an_empty_account_has_the_word_it_is_set_to(tmp_path: Path, word: str) -> None:
    async with opened(tmp_path, no_credits=word) as client:
        body = {"model": "wan2.7-text-to-video", "prompt": "x", "quality": "1080p", "duration": 15}
        answer = await create(client, "sk-studio", body)
        assert (answer.status, answer.error["code"]) == (402, word)
        assert answer.error["fallback_suggestion"] == "https://evolink.ai/dashboard/billing"


async def test_the_documents_know_no_words_and_nothing_beside(tmp_path: Path) -> None:
    async with opened(tmp_path, profile=Profile.DOCUMENTED) as client:
        await create(client, "sk-quota")
        assert (await create(client, "sk-quota")).error == {
            "code": 402,
            "message": "The key's quota does not cover this request",
            "type": "insufficient_quota_error",
            "fallback_suggestion": "https://evolink.ai/dashboard/billing",
        }


async def test_limits_hold_for_the_key_and_for_all_keys_of_the_account(client: Client) -> None:
    assert [(await create(client, "sk-slow")).status for _ in range(2)] == [200, 429]
    for _ in range(3):
        assert (await create(client, "sk-studio")).status == 200
    answer = await create(client, "sk-studio")
    assert (answer.status, answer.error["limit_scope"], answer.headers["Retry-After"]) == (429, "account", "1")


async def test_the_group_of_an_account_is_told_and_makes_room_for_its_files(client: Client) -> None:
    assert (await create(client, "sk-studio")).json["usage"]["user_group"] == "vip"
    quota = (await client.call("GET", "/api/v1/files/quota", key="sk-quota")).json["data"]
    assert quota == {"user_group": "vip", "used_files": 0, "max_files": 500, "remain_files": 500}


async def test_an_idempotency_key_is_the_same_for_every_key_of_the_account(client: Client) -> None:
    named = {"Idempotency-Key": "0123456789abcdef"}
    first = await create(client, "sk-studio", **named)
    again = await create(client, "sk-quota", **named)
    assert again.json["id"] == first.json["id"]
    assert again.headers["idempotency-replayed"] == "true"


async def test_the_command_reads_accounts_from_a_file(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.write("accounts.yaml", "accounts:\n  - {credits: 13, keys: [sk-one]}\n  - {credits: 5, keys: [sk-two]}\n")
    process = stage.start("emulate", "--accounts", "accounts.yaml")
    try:
        assert process.stderr is not None
        lines = [await asyncio.to_thread(process.stderr.readline) for _ in range(2)]
        assert lines[1] == "  export EVOLINK_API_KEY=sk-one\n"
        async with aiohttp.ClientSession(lines[0].partition(" is at ")[2].partition(";")[0]) as session:
            for key, status in (("sk-one", 200), ("sk-two", 402), ("sk-three", 401)):
                async with session.post(CREATE, json=TEXT, headers={"Authorization": f"Bearer {key}"}) as answer:
                    assert answer.status == status
    finally:
        process.terminate()
        await asyncio.to_thread(process.communicate)
    assert process.returncode == 0


def test_the_command_shows_the_faults_of_the_file_and_takes_one_account_or_a_file(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.write("accounts.yaml", "accounts:\n  - {credit: 13, keys: [sk-one]}\n")
    ended = stage.shotrunner("emulate", "--accounts", "accounts.yaml")
    assert (ended.code, "error[unknown-key]" in ended.out, "accounts.yaml:2:6" in ended.out) == (2, True, True), ended
    ended = stage.shotrunner("emulate", "--accounts", "accounts.yaml", "--key", "k")
    assert (ended.code, "--accounts and one of" in ended.err) == (2, True), ended
    ended = stage.shotrunner("emulate", "--accounts", "nowhere.yaml")
    assert (ended.code, "nowhere.yaml" in ended.err) == (2, True), ended
