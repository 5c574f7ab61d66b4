"""Callbacks over real sockets, to the letter of the API documents: what is sent, when, how often, and never where."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult
from emulation import TEXT, Client, emulated, until
from servers import Server, hang, said, serving
from stage import Stage
from standins import stand_in

from runner.emulator.callbacks import Callbacks, callbacks
from runner.emulator.clock import Clock
from runner.emulator.script import Callback, Cancel, Fail, Mishap, Script, Settle
from runner.emulator.switches import Switches

LOOPBACK = Switches(callbacks="loopback")
OK = said(b"", 200)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def pem(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


class Unwaiting(Clock):
    """A clock whose sleepers are woken at once, and which remembers for how long they meant to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Names(AbstractResolver):
    """Every name has these addresses."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def calling(tmp_path: Path, *mishaps: Mishap, **options: Any) -> AsyncIterator[Client]:
    options = {"switches": LOOPBACK, "render": stand_in, "script": Script(mishaps=mishaps), **options}
    async with emulated(tmp_path, **options) as client:
        yield client


async def attempts(client: Client) -> list[dict[str, Any]]:
    shown = await client.call("GET", "/_emulate/callbacks", key=client.emulator.control)
    found: list[dict[str, Any]] = shown.json["attempts"]
    return found


async def posted(sender: Callbacks, url: str, tries: int) -> list[tuple[int | None, str]]:
    sender.post("task-unified-1-00000000", url, b"{}")
    await until(lambda: len(sender.attempts) == tries)
    await asyncio.sleep(0.05)
    assert [attempt.number for attempt in sender.attempts] == list(range(1, tries + 1))
    return [(attempt.status, attempt.fault) for attempt in sender.attempts]


async def test_an_end_is_posted_over_https_with_the_very_body_of_a_query(
    tmp_path: Path, tls: ssl.SSLContext, pem: str
) -> None:
    async with serving(OK, tls=tls) as server, calling(tmp_path, callback_authority=pem) as client:
        task = await client.task({**TEXT, "callback_url": f"{server.url}/done?x=1"})
        await until(lambda: len(server.heard) == 1)
        (heard,) = server.heard
        assert (heard.method, heard.path, heard.headers["content-type"]) == ("POST", "/done?x=1", "application/json")
        assert heard.body == (await client.poll(task["id"])).content
        assert "authorization" not in heard.headers
        assert "cookie" not in heard.headers
        await until(lambda: len(client.emulator._callbacks.attempts) == 1)
        (attempt,) = await attempts(client)
        assert (attempt["attempt"], attempt["status"], attempt["delivered"]) == (1, 200, True)


async def test_it_is_sent_after_billing_and_not_before(tmp_path: Path) -> None:
    async with serving(OK) as server, calling(tmp_path, Settle(task=1, seconds=3600)) as client:
        task = await client.task({**TEXT, "callback_url": server.url})
        await asyncio.sleep(0.1)
        assert server.heard == []
        client.emulator.advance(3600)
        await until(lambda: len(server.heard) == 1)
        told = json.loads(server.heard[0].body)
        assert (told["id"], told["billing"]["charge_status"]) == (task["id"], "charged")


@pytest.mark.parametrize(
    ("mishap", "status"), [(Fail(task=1, code="service_error"), "failed"), (Cancel(task=1), "cancelled")]
)
async def test_every_end_is_posted(tmp_path: Path, mishap: Mishap, status: str) -> None:
    async with serving(OK) as server, calling(tmp_path, mishap) as client:
        await client.create({**TEXT, "callback_url": server.url})
        await until(lambda: len(server.heard) == 1)
        assert json.loads(server.heard[0].body)["status"] == status


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_any_2xx_is_well(status: int) -> None:
    async with serving(said(b"", status)) as server, callbacks(Unwaiting(), print, loopback=True) as sender:
        assert await posted(sender, server.url, 1) == [(status, "")]


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_anything_else_is_tried_three_more_times_after_one_two_and_four_seconds_and_then_lost(
    status: int,
) -> None:
    clock = Unwaiting()
    async with serving(OK) as elsewhere, serving(said(b"", status, Location=elsewhere.url)) as server:
        async with callbacks(clock, print, loopback=True) as sender:
            assert await posted(sender, server.url, 4) == [(status, "")] * 4
        assert clock.slept == [1, 2, 4]
        assert len(server.heard) == 4
        assert len({heard.body for heard in server.heard}) == 1
        assert elsewhere.heard == []  # no redirect is followed


async def test_a_receiver_that_comes_back_is_not_called_again() -> None:
    async with serving(None, said(b"", 503), OK) as server, callbacks(Unwaiting(), print, loopback=True) as sender:
        assert [status for status, _ in await posted(sender, server.url, 3)] == [None, 503, 200]


async def test_who_has_not_answered_after_ten_seconds_has_not_answered() -> None:
    clock = Clock()
    async with serving(hang) as server, callbacks(clock, print, loopback=True) as sender:
        sender.post("task-unified-1-00000000", server.url, b"{}")
        await until(lambda: len(server.heard) == 1)
        clock.advance(9)
        await asyncio.sleep(0.05)
        assert not sender.attempts
        clock.advance(1)
        await until(lambda: len(sender.attempts) == 1)
        assert sender.attempts[0].fault == "no answer within 10 s"
        clock.advance(1)
        await until(lambda: len(server.heard) == 2)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.0.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)  # fmt: skip
async def test_a_name_that_means_an_internal_address_is_never_connected_to(address: str) -> None:
    async with callbacks(Unwaiting(), print, loopback=False, resolver=Names(address)) as sender:
        for status, fault in await posted(sender, "https://callbacks.example/", 4):
            assert status is None
            assert fault.startswith(f"{address} is a ")


async def test_with_loopback_allowed_a_private_address_stays_forbidden() -> None:
    async with callbacks(Unwaiting(), print, loopback=True, resolver=Names("192.168.0.1")) as sender:
        assert (await posted(sender, "https://callbacks.example/", 4))[0][1] == "192.168.0.1 is a private address"


async def test_a_certificate_nobody_vouches_for_is_not_trusted(tls: ssl.SSLContext) -> None:
    async with serving(OK, tls=tls) as server, callbacks(Unwaiting(), print, loopback=True) as sender:
        assert await posted(sender, server.url, 4) == [(None, "its certificate is not trusted")] * 4
        assert server.heard == []


@pytest.mark.parametrize(
    "url",
    [
        "http://callbacks.example/", "https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://127.1/",
        "https://localhost/", "https://a.localhost./", "https://10.1.2.3:8443/x", "https://172.16.0.1",
        "https://192.168.1.1/", "https://169.254.169.254/", "https://0.0.0.0/", "https://[::1]/", "https://[fd00::1]/",
        "https://[::ffff:192.168.0.1]/", "https://[64:ff9b::a00:1]/", "ftp://callbacks.example/", "https://",
        "https://callbacks.example:99999/", "https://callbacks.example/" + "x" * 2023,
    ],
)  # fmt: skip
async def test_what_a_url_betrays_by_itself_is_refused_at_submit(tmp_path: Path, url: str) -> None:
    async with calling(tmp_path, switches=None) as client:
        answer = await client.create({**TEXT, "callback_url": url})
        assert (answer.status, answer.error["param"]) == (400, "callback_url")
        assert client.emulator.invoice == ()


async def test_a_url_of_2048_characters_is_taken(tmp_path: Path) -> None:
    url = "https://callbacks.example/" + "x" * 2022
    assert len(url) == 2048
    async with calling(tmp_path, switches=Switches(callbacks="none")) as client:
        assert (await client.task({**TEXT, "callback_url": url}))["status"] == "completed"
        assert await attempts(client) == []


@pytest.mark.parametrize("url", ["http://callbacks.example/", "https://10.0.0.1/", "http://10.0.0.1/"])
async def test_loopback_allows_plain_http_to_this_machine_alone(tmp_path: Path, url: str) -> None:
    async with calling(tmp_path) as client:
        assert (await client.create({**TEXT, "callback_url": url})).error["param"] == "callback_url"


async def sent(server: Server, client: Client, count: int) -> None:
    await client.task({**TEXT, "callback_url": server.url})
    await until(lambda: len(server.heard) == count)
    await asyncio.sleep(0.05)
    assert len(server.heard) == count


@pytest.mark.parametrize("copies", [0, 2])
async def test_a_callback_can_be_lost_or_come_twice(tmp_path: Path, copies: int) -> None:
    async with serving(OK) as server, calling(tmp_path, Callback(task=1, copies=copies)) as client:
        await sent(server, client, copies)


async def test_a_callback_can_come_late(tmp_path: Path) -> None:
    async with serving(OK) as server, calling(tmp_path, Callback(task=1, seconds=600)) as client:
        await sent(server, client, 0)
        client.emulator.advance(600)
        await until(lambda: len(server.heard) == 1)


async def test_leaving_waits_for_no_callback(tmp_path: Path) -> None:
    async with serving(hang) as server:
        async with calling(tmp_path) as client:
            await client.task({**TEXT, "callback_url": server.url})
            await until(lambda: len(server.heard) == 1)
        assert len(asyncio.all_tasks()) <= 3


def test_the_command_refuses_a_file_without_certificates(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing\n")
    for name in ("empty.pem", "absent.pem"):
        ended = Stage(tmp_path).shotrunner("emulate", "--callback-ca", name)
        assert ended.code == 2, ended
        assert f"{name} holds no certificates" in ended.err
