"""The video API over real sockets: a clip from prompt to file, and every error the documents know."""

import asyncio
import hashlib
import io
import json
import logging
import re
import threading
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from emulation import KEY, SEEDED, TEXT, Client, emulated

from runner.adapters.media import probe_clip
from runner.emulator.app import Emulator
from runner.emulator.refusals import Profile
from runner.emulator.script import Reply, Script
from runner.emulator.switches import Switches

HOURS = Switches()
IDEMPOTENT = {"Idempotency_Key": "0123456789abcdef"}
CREATE = "/v1/videos/generations"


class Clock:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with emulated(tmp_path) as client:
        yield client


async def raw(client: Client, text: bytes) -> bytes:
    """Everything the server says to these bytes until it closes."""
    parts = urlsplit(client.emulator.base_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(text)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


class TestClip:
    async def test_a_prompt_becomes_a_clip_of_the_size_and_length_asked_for(
        self, client: Client, tmp_path: Path
    ) -> None:
        made = await client.create(TEXT)
        assert made.status == 200
        assert re.fullmatch(r"task-unified-\d{10}-[0-9a-z]{8}", made.json["id"])
        assert (made.json["status"], made.json["progress"]) == ("pending", 0)
        task = await client.ended(made.json["id"])
        assert (task["status"], task["progress"], task["object"]) == ("completed", 100, "video.generation.task")
        clip = await client.call("GET", task["results"][0], key=None)
        assert clip.headers["Content-Type"] == "video/mp4"
        (tmp_path / "clip.mp4").write_bytes(clip.content)
        facts = await asyncio.to_thread(probe_clip, tmp_path / "clip.mp4")
        assert (facts.width_px, facts.height_px, facts.fps, facts.frames) == (832, 480, 24, 120)
        assert facts.duration_s == 5
        assert facts.audio_codec == "aac"

    async def test_equal_requests_give_equal_bytes_and_the_label_stands_on_the_card(self, client: Client) -> None:
        async def clip(**headers: str) -> bytes:
            task = await client.task(TEXT, **headers)
            return (await client.call("GET", task["results"][0])).content

        one, again, other = await asyncio.gather(
            clip(X_Emulate_Seed="1"), clip(X_Emulate_Seed="1"), clip(X_Emulate_Seed="1", X_Emulate_Label="a%40dawn.2")
        )
        assert one == again
        assert one != other

    async def test_the_control_seed_alone_makes_another_clip_where_the_model_has_no_seed(self, client: Client) -> None:
        one, other = await client.task(TEXT, X_Emulate_Seed="1"), await client.task(TEXT, X_Emulate_Seed="2")
        clips = [(await client.call("GET", task["results"][0])).content for task in (one, other)]
        assert clips[0] != clips[1]

    async def test_a_part_of_a_clip_can_be_asked_for(self, client: Client) -> None:
        link = (await client.task(SEEDED))["results"][0]
        whole = (await client.call("GET", link)).content
        part = await client.call("GET", link, headers={"Range": "bytes=10-19"})
        assert (part.status, part.content) == (206, whole[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
        assert (await client.call("GET", link, headers={"Range": "bytes=99999999-"})).status == 416
        assert (await client.call("HEAD", link)).headers["Content-Length"] == str(len(whole))

    async def test_a_link_cannot_be_guessed(self, client: Client) -> None:
        link = (await client.task(SEEDED))["results"][0]
        base, token, name = link.rsplit("/", 2)
        assert len(token) >= 32
        for wrong in (f"{base}/{token[:-1]}/{name}", f"{base}/{token}/x.mp4", f"{base}/%FF/{name}", f"{link}.mp4"):
            answer = await client.call("GET", wrong)
            assert (answer.status, answer.error["type"]) == (404, "not_found_error")

    async def test_there_is_no_link_before_the_clip_is_done(self, client: Client) -> None:
        made = await client.create(TEXT)
        assert "results" not in (await client.poll(made.json["id"])).json

    async def test_a_link_dies_after_a_day_and_the_task_after_two(self, tmp_path: Path) -> None:
        clock = Clock()
        async with emulated(tmp_path, clock=clock) as client:
            task = await client.task(SEEDED)
            clock.now += HOURS.link_s - 1
            assert (await client.call("GET", task["results"][0])).status == 200
            clock.now += 1
            assert (await client.call("GET", task["results"][0])).status == 403
            assert (await client.poll(task["id"])).status == 200
            clock.now += HOURS.task_s - HOURS.link_s
            gone = await client.poll(task["id"])
            assert (gone.status, gone.error["message"]) == (404, "Task not found or expired")


class TestMoney:
    @pytest.mark.parametrize(
        ("body", "credits_reserved"),
        [
            ({**TEXT, "quality": "720p"}, 25.5),
            (TEXT, 12.75),
            ({**SEEDED, "quality": "1080p", "duration": 5}, 45.42),
            (SEEDED, 10.88),
        ],
    )
    async def test_the_reserve_is_the_price_of_what_was_asked_for(
        self, client: Client, body: dict[str, Any], credits_reserved: float
    ) -> None:
        assert (await client.create(body)).json["usage"]["credits_reserved"] == credits_reserved

    async def test_what_is_done_is_charged_and_the_invoice_and_the_account_say_so(self, client: Client) -> None:
        before = (await client.call("GET", "/v1/credits")).json["data"]["user"]
        task = await client.task(TEXT, **IDEMPOTENT, X_Emulate_Label="arrival.1")
        assert task["usage"]["credits_used"] == 12.75
        assert task["billing"]["charge_status"] == "charged"
        after = (await client.call("GET", "/v1/credits")).json["data"]["user"]
        assert after["remaining_credits"] == before["remaining_credits"] - 12.75
        assert after["used_credits"] == 12.75
        (line,) = client.emulator.invoice
        assert (line.label, line.status, line.reserved, line.charged) == (
            "arrival.1",
            "completed",
            Decimal("12.75"),
            Decimal("12.75"),
        )
        shown = await client.call("GET", "/_emulate/invoice", key=client.emulator.control)
        assert shown.json == {
            "tasks": [
                {
                    "task_id": task["id"],
                    "account": 1,
                    "account_name": "default",
                    "key": "default",
                    "idempotency_key": "0123456789abcdef",
                    "seen": 1,
                    "body_sha256": hashlib.sha256(json.dumps(TEXT).encode()).hexdigest(),
                    "model": TEXT["model"],
                    "label": "arrival.1",
                    "created_at": task["created"],
                    "reserved": 12.75,
                    "charged": 12.75,
                    "status": "completed",
                }
            ],
            "seen": [{"account": 1, "idempotency_key": "0123456789abcdef", "times": 1}],
        }

    async def test_the_invoice_is_not_for_clients(self, client: Client) -> None:
        for key in (KEY, None, "x"):
            assert (await client.call("GET", "/_emulate/invoice", key=key)).status == 401

    async def test_an_account_that_cannot_pay_is_refused_and_nothing_is_made(self, tmp_path: Path) -> None:
        async with emulated(tmp_path, balance=Decimal(30)) as client:
            answers = [await client.create(TEXT) for _ in range(3)]
            assert [answer.status for answer in answers] == [200, 200, 402]
            assert answers[2].error == {
                "code": "insufficient_quota",
                "message": "Insufficient quota",
                "type": "insufficient_quota_error",
                "fallback_suggestion": "https://evolink.ai/dashboard/billing",
                "estimated_credits": 12.75,
                "account_balance_credits": 4.5,
                "action_url": "https://evolink.ai/dashboard/billing",
                "limit_scope": "account",
            }
            assert len(client.emulator.invoice) == 2

    async def test_an_estimate_grows_with_the_queue(self, client: Client) -> None:
        estimates = [
            (await client.create({**TEXT, "prompt": str(n)})).json["task_info"]["estimated_time"] for n in range(6)
        ]
        assert all(isinstance(estimate, int) and estimate >= 0 for estimate in estimates)
        assert estimates[-1] > estimates[0]


class TestIdempotency:
    async def test_the_same_key_and_body_are_one_task(self, client: Client) -> None:
        first = await client.create(TEXT, **IDEMPOTENT)
        again = await client.create(TEXT, **IDEMPOTENT, X_Emulate_Seed="5", X_Emulate_Label="other")
        assert "idempotency-replayed" not in {name.lower() for name in first.headers}
        assert {n.lower(): v for n, v in again.headers.items()}["idempotency-replayed"] == "true"
        assert again.json == first.json
        assert len(client.emulator.invoice) == 1

    async def test_the_same_key_with_another_body_is_a_conflict(self, client: Client) -> None:
        await client.create(TEXT, **IDEMPOTENT)
        other = await client.create({**TEXT, "prompt": "another"}, **IDEMPOTENT)
        assert (other.status, other.error["code"]) == (409, "idempotency_conflict")
        assert len(client.emulator.invoice) == 1

    async def test_without_a_key_equal_bodies_are_two_tasks(self, client: Client) -> None:
        assert (await client.create(TEXT)).json["id"] != (await client.create(TEXT)).json["id"]

    async def test_a_key_is_forgotten_after_a_day(self, tmp_path: Path) -> None:
        clock = Clock()
        async with emulated(tmp_path, clock=clock) as client:
            first = await client.create(TEXT, **IDEMPOTENT)
            clock.now += HOURS.key_s
            assert (await client.create(TEXT, **IDEMPOTENT)).json["id"] != first.json["id"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("method", "path", "message"),
        [
            ("POST", CREATE, "Invalid authentication credentials"),
            ("GET", "/v1/tasks/task-unified-1-00000000", "Invalid or expired token"),
            ("GET", "/v1/credits", "Invalid or expired token"),
            ("GET", "/v1/models", "Invalid or expired token"),
            ("GET", "/api/v1/files/quota", "Invalid or expired token"),
            ("POST", "/api/v1/files/upload/stream", "Invalid or expired token"),
            ("GET", "/_emulate/invoice", "Invalid or expired token"),
        ],
    )
    async def test_401_without_the_key(self, client: Client, method: str, path: str, message: str) -> None:
        keys = ("", "Bearer", "Bearer wrong", KEY, f"Basic {KEY}", f"Bearer {KEY}x", "Bearer \xe9")
        for authorization in keys:
            answer = await client.call(method, path, key=None, headers={"Authorization": authorization})
            assert answer.status == 401
            assert answer.error == {
                "code": "invalid_api_key",
                "message": message,
                "type": "authentication_error",
            }

    async def test_the_word_bearer_may_be_written_in_any_case(self, client: Client) -> None:
        answer = await client.call("GET", "/v1/models", key=None, headers={"Authorization": f"bearer {KEY}"})
        assert [model["id"] for model in answer.json["data"]] == [
            "wan2.5-text-to-video",
            "wan2.6-image-to-video-flash",
            "wan2.6-reference-video-flash",
            "wan2.7-text-to-video",
        ]

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            (b"", {"Content-Type": "application/json"}),
            (b"no json", {"Content-Type": "application/json"}),
            (b"\xff\xfe\x00", {"Content-Type": "application/json"}),
            (json.dumps(TEXT).encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"}),
            (json.dumps(TEXT).encode(), {"Content-Type": "text/plain"}),
            (json.dumps(TEXT).encode(), {}),
            (json.dumps(TEXT).encode(), {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
            (json.dumps(TEXT).encode(), {"Content-Type": "application/json", "Content-Encoding": "br"}),
        ],
    )
    async def test_400_for_what_is_no_json(self, client: Client, body: bytes, headers: dict[str, str]) -> None:
        answer = await client.call("POST", CREATE, data=body, headers=headers)
        assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
        assert "param" not in answer.error

    async def test_400_for_a_body_that_is_cut_into_no_chunks(self, client: Client) -> None:
        parts = urlsplit(client.emulator.base_url)
        head = f"POST {CREATE} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
        head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await raw(client, head.encode() + b"2\r\n{}\r\nzz\r\n")
        assert b" 400 " in answer.partition(b"\r\n")[0]
        assert b"Traceback" not in answer

    async def test_400_names_the_parameter(self, client: Client) -> None:
        answer = await client.create({**TEXT, "duration": 7})
        assert answer.status == 400
        assert answer.error["param"] == "duration"
        assert answer.error["message"].startswith("Invalid request format: ")
        assert (await client.create({"prompt": "x"})).error == {
            "code": "invalid_parameters",
            "message": "Invalid request format",
            "type": "invalid_request_error",
            "param": "model",
        }

    @pytest.mark.parametrize("identifier", ["x", "..%2f..", "task-unified-1-0000000G", "task-other-1-00000000", "%FF"])
    async def test_400_for_what_is_no_task_id(self, client: Client, identifier: str) -> None:
        answer = await client.poll(identifier)
        assert answer.status == 400
        assert answer.error == {
            "code": "invalid_task_id",
            "message": "Invalid task ID format",
            "type": "invalid_request_error",
            "param": "task_id",
        }

    async def test_404_for_an_unknown_model_suggests_one(self, client: Client) -> None:
        answer = await client.create({**TEXT, "model": "wan2.5-text-to-vidio"})
        assert answer.status == 404
        assert answer.error == {
            "code": "model_not_found",
            "message": "Specified model not found",
            "type": "not_found_error",
            "param": "model",
            "fallback_suggestion": "wan2.5-text-to-video",
        }

    async def test_404_for_an_unknown_task(self, client: Client) -> None:
        answer = await client.poll("task-unified-1795000000-zzzzzzzz")
        assert (answer.status, answer.error["code"], answer.error["param"]) == (404, "task_not_found", "task_id")

    @pytest.mark.parametrize("path", ["/", "/v1", "/v1/tasks/", "/v2/videos/generations", "/files/x/y", "/%00", "//x"])
    async def test_404_for_an_unknown_path(self, client: Client, path: str) -> None:
        answer = await client.call("GET", path)
        assert (answer.status, answer.error["type"]) == (404, "not_found_error")

    async def test_405_says_what_is_allowed(self, client: Client) -> None:
        answer = await client.call("DELETE", CREATE)
        assert (answer.status, answer.headers["Allow"], answer.error["code"]) == (405, "POST", "method_not_allowed")

    async def test_413_for_a_body_that_no_request_needs(self, client: Client) -> None:
        answer = await client.create({**TEXT, "prompt": "x" * 1_000_001})
        assert (answer.status, answer.error["message"]) == (413, "Request too large")

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 429, 500, 502, 503])
    async def test_every_documented_status_can_be_met(self, tmp_path: Path, status: int) -> None:
        script = Script(mishaps=(Reply(create=1, status=status),))
        async with emulated(tmp_path, script=script, switches=Switches(profile=Profile.DOCUMENTED)) as client:
            answer = await client.create(TEXT)
            assert (answer.status, answer.error["code"]) == (status, status)
            assert ("Retry-After" in answer.headers) == (status in (429, 503))
            assert client.emulator.invoice == ()
            assert (await client.create(TEXT)).status == 200

    async def test_a_bug_is_a_500_with_a_line_in_the_log_and_no_traceback(self, tmp_path: Path) -> None:
        lines: list[str] = []
        async with emulated(tmp_path, log=lines.append) as client:
            client.emulator._studio.models = None  # type: ignore[assignment]
            answer = await client.create(TEXT)
        assert (answer.status, answer.error["type"]) == (500, "internal_server_error")
        assert b"Traceback" not in answer.content
        assert any(re.fullmatch(r"bug: [A-Z]\w+: .+ \(\w+\.py:\d+\)", line) for line in lines), lines


class TestDoor:
    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil:{port}"])
    async def test_another_name_is_refused(self, client: Client, host: str) -> None:
        port = urlsplit(client.emulator.base_url).port
        for path in ("/healthz", "/v1/models"):
            answer = await client.call("GET", path, headers={"Host": host.format(port=port)})
            assert (answer.status, answer.error["type"]) == (403, "permission_error")

    async def test_no_or_several_names_are_refused(self, client: Client) -> None:
        port = urlsplit(client.emulator.base_url).port
        assert b" 403 " in await raw(client, b"GET /healthz HTTP/1.0\r\n\r\n")
        twice = f"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n\r\n".encode()
        assert b" 200 " not in await raw(client, twice)

    async def test_localhost_is_another_of_its_names(self, client: Client) -> None:
        port = urlsplit(client.emulator.base_url).port
        assert (await client.call("GET", "/healthz", headers={"Host": f"LOCALHOST:{port}"})).status == 200

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
    async def test_a_page_of_another_origin_is_refused(self, client: Client, origin: str) -> None:
        for method, path in (("GET", "/healthz"), ("POST", CREATE), ("OPTIONS", CREATE)):
            answer = await client.call(method, path, headers={"Origin": origin})
            assert answer.status == 403
            assert not any(name.lower().startswith("access-control") for name in answer.headers)

    @pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/v1/credits", "/v1/tasks/nosuch", "/nosuch"])
    async def test_no_answer_lets_a_page_of_another_origin_read_it(self, client: Client, path: str) -> None:
        for headers in ({}, {"Origin": client.emulator.base_url}, {"Origin": "https://evil.example"}):
            answer = await client.call("GET", path, headers=headers)
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]

    async def test_its_own_origin_is_not(self, client: Client) -> None:
        assert (await client.call("GET", "/healthz", headers={"Origin": client.emulator.base_url})).status == 200

    async def test_what_is_no_http_gets_no_traceback_and_the_terminal_nothing(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terminal = io.StringIO()
        monkeypatch.setattr(logging.getLogger(), "handlers", [])
        monkeypatch.setattr(logging, "lastResort", logging.StreamHandler(terminal))
        for text in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"X" * 20_000 + b"\r\n\r\n"):
            answer = await raw(client, text)
            assert b"Traceback" not in answer
            assert b" 200 " not in answer
        assert (await client.call("GET", "/healthz")).json == {"status": "ok"}
        assert terminal.getvalue() == ""

    async def test_log_lines_hold_no_control_characters_and_no_link(self, tmp_path: Path) -> None:
        lines: list[str] = []
        async with emulated(tmp_path, log=lines.append) as client:
            await client.call("GET", "/x%0A%1B%5B31m::error::%E2%80%AE")
            link = (await client.task(SEEDED))["results"][0]
            await client.call("GET", link)
        assert all(line.isprintable() for line in lines)
        assert any("::error::" in line and line.startswith("GET /x") for line in lines)
        token = link.split("/")[-2]
        assert not any(token in line for line in lines)
        assert any(line.startswith("GET /results/.../task-unified-") for line in lines)

    async def test_it_listens_on_loopback_only(self, tmp_path: Path) -> None:
        for host in ("0.0.0.0", "192.168.1.1", "8.8.8.8", "::"):
            with pytest.raises(ValueError, match="loopback"):
                Emulator({}, tmp_path, key=KEY, workers=1, host=host)

    async def test_it_can_listen_on_ipv6(self, tmp_path: Path) -> None:
        async with emulated(tmp_path, host="::1") as client:
            assert client.emulator.base_url.startswith("http://[::1]:")
            assert (await client.call("GET", "/healthz")).status == 200


class TestLife:
    async def test_nothing_is_left_behind_whatever_was_under_way(self, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("the caller's")
        async with emulated(tmp_path, workers=1) as client:
            made = [(await client.create({**TEXT, "prompt": str(number)})).json["id"] for number in range(4)]
            await client.rendering(made[1])
        assert not any(thread.name.startswith("render") for thread in threading.enumerate())
        assert [path.name for path in await asyncio.to_thread(lambda: [*tmp_path.iterdir()])] == ["mine.txt"]
        assert len(asyncio.all_tasks()) == 1

    async def test_a_taken_port_is_an_error_and_leaves_nothing(self, client: Client, tmp_path: Path) -> None:
        port = urlsplit(client.emulator.base_url).port
        folder = tmp_path / "second"
        folder.mkdir()
        with pytest.raises(OSError, match="in use"):
            async with Emulator({}, folder, key=KEY, workers=1, port=port or 0):
                pass
        assert await asyncio.to_thread(lambda: [*folder.iterdir()]) == []

    async def test_the_documented_profile_has_codes_that_are_numbers(self, tmp_path: Path) -> None:
        async with emulated(tmp_path, switches=Switches(profile=Profile.DOCUMENTED)) as client:
            assert (await client.create({})).error["code"] == 400
            made = await client.create(SEEDED)
            assert made.json["task_info"]["can_cancel"] is True
            task = await client.ended(made.json["id"])
            assert "billing" not in task
            assert "usage" not in task
