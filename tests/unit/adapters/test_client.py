"""The HTTP client over real sockets: what it says of money, where the key goes, and where it does not go at all."""

import asyncio
import gzip
import hashlib
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import client_exceptions
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import Server, broken_off, dripping, hang, reset, said, serving

from runner.adapters import download
from runner.adapters.client import Client, FetchFailed
from runner.core.wire import Call, NoReply, Reply, Silence

KEY = "sk-evo-secret-0123456789"
POST = Call(method="POST", path="/v1/videos/generations", headers={"Idempotency-Key": "f" * 40}, body=b'{"a":1}')
GET = Call(method="GET", path="/v1/tasks/task-1")


@asynccontextmanager
async def client(base_url: str, **options: Any) -> AsyncIterator[Client]:
    options = {"submit_timeout_s": 0.5, "poll_timeout_s": 0.5, "stall_timeout_s": 0.5, **options}
    async with Client(base_url=base_url, files_url=base_url, key=KEY, **options).opened() as opened:
        yield opened


async def silence(server: Server, **options: Any) -> Silence:
    async with client(server.url, **options) as api:
        with pytest.raises(NoReply) as caught:
            await api.submit(POST)
    assert KEY not in caught.value.reason
    assert "\n" not in caught.value.reason
    return caught.value.silence


async def test_a_reply_comes_back_whole_and_the_call_goes_out_as_it_is() -> None:
    async with serving(said(b'{"id":"x"}', X_Request_Id="7")) as server, client(server.url) as api:
        reply = await api.submit(POST)
        assert (reply.status, reply.body, reply.headers["x-request-id"]) == (200, b'{"id":"x"}', "7")
        [heard] = server.heard
        assert (heard.method, heard.path, heard.body) == ("POST", POST.path, POST.body)
        assert heard.headers["authorization"] == f"Bearer {KEY}"
        assert heard.headers["idempotency-key"] == "f" * 40
        assert heard.headers["user-agent"].startswith("shotrunner/")


async def test_a_connection_that_was_never_made_sent_nothing() -> None:
    with socket.socket() as taken:  # bound, not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        server = Server(taken.getsockname()[1])
        assert await silence(server) is Silence.NOT_SENT


async def test_a_name_that_has_no_address_sent_nothing() -> None:
    async with client("https://no-such-host.invalid") as api:
        with pytest.raises(NoReply) as caught:
            await api.submit(POST)
    assert caught.value.silence is Silence.NOT_SENT


async def test_a_server_that_does_not_speak_tls_is_sent_nothing() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said(b"no TLS"))
        heard.append(await reader.read(5))
        writer.close()

    heard: list[bytes] = []
    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server, client(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as api:
        with pytest.raises(NoReply) as caught:
            await api.submit(POST)
    assert caught.value.silence is Silence.NOT_SENT
    assert heard[0].startswith(b"\x16\x03")  # a greeting of TLS and no call


@pytest.mark.parametrize(
    "answer",
    [
        None,
        hang,
        reset(),
        reset(b"HTTP/1.1 200 OK\r\nContent-Le"),
        reset(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id":'),
        broken_off(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id":"task-1"}'),
        broken_off(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        broken_off(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab"),
        broken_off(b"\x16\x03\x01 no HTTP at all\r\n\r\n"),
        broken_off(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n"),
        broken_off(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"),
        broken_off(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabcde"),
        broken_off(b"HTTP/1.1 2000 OK\r\n\r\n"),
        said(b"no gzip", Content_Encoding="gzip"),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n"),
    ],
    ids=lambda answer: getattr(answer, "__name__", str(answer)[:60]),
)
async def test_an_answer_that_was_lost_may_have_been_a_receipt(answer: Any) -> None:
    async with serving(answer) as server:
        assert await silence(server) is Silence.NO_ANSWER
        assert len(server.heard) == 1  # and is not asked for a second time


@given(answer=st.binary(max_size=200))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_of_a_server_give_a_reply_or_no_answer(answer: bytes) -> None:
    async def exchange() -> None:
        async with serving(broken_off(answer)) as server, client(server.url) as api:
            try:
                assert isinstance(await api.submit(POST), Reply)
            except NoReply as told:
                assert told.silence is Silence.NO_ANSWER
            assert len(server.heard) == 1

    asyncio.run(exchange())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_the_api_is_an_answer_and_never_followed(status: int) -> None:
    async with serving(said(b"elsewhere")) as trap, serving(said(status=status, Location=trap.url)) as server:
        async with client(server.url) as api:
            assert (await api.submit(POST)).status == status
            assert (await api.ask(GET)).status == status
        assert trap.heard == []


async def test_a_reply_of_more_than_8_mib_is_no_answer() -> None:
    async with serving(said(b" " * (8 * 1024**2 + 1))) as server:
        assert await silence(server, submit_timeout_s=20) is Silence.NO_ANSWER


async def test_a_reply_of_8_mib_is_read() -> None:
    async with serving(said(b" " * 8 * 1024**2)) as server, client(server.url, submit_timeout_s=20) as api:
        assert len((await api.submit(POST)).body) == 8 * 1024**2


async def test_every_submission_has_a_connection_of_its_own_and_polls_keep_theirs() -> None:
    async with serving(said(b"{}")) as server, client(server.url) as api:
        for _ in range(3):
            await api.submit(POST)
        assert [heard.connection for heard in server.heard] == [1, 2, 3]
        for _ in range(3):
            await api.ask(GET)
        assert [heard.connection for heard in server.heard[3:]] == [4, 4, 4]


@pytest.mark.parametrize("path", ["@evil.example/x", ".evil.example/x", ":1/x", "", "evil"])
async def test_a_path_that_leads_to_another_host_is_refused_before_a_key_is_attached(path: str) -> None:
    async with serving(said(b"{}")) as server, client(server.url) as api:
        with pytest.raises(NoReply) as caught:
            await api.submit(Call(method="POST", path=path, body=b"{}"))
        assert caught.value.silence is Silence.NOT_SENT
        assert server.heard == []


async def test_no_proxy_of_the_environment_sees_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(said(b"proxy")) as proxy, serving(said(b"{}")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with client(server.url) as api:
            assert (await api.submit(POST)).body == b"{}"
        assert proxy.heard == []


async def test_a_cookie_is_not_kept() -> None:
    async with serving(said(b"{}", Set_Cookie="a=b; Path=/")) as server, client(server.url) as api:
        await api.submit(POST)
        await api.ask(GET)
        await api.ask(GET)
        assert all("cookie" not in heard.headers for heard in server.heard)


def test_every_exception_of_the_library_is_translated() -> None:
    named = [
        value for value in vars(client_exceptions).values() if isinstance(value, type) and issubclass(value, Exception)
    ]
    foreign = [one for one in named if one.__module__.startswith("aiohttp")]
    assert len(foreign) > 20
    caught = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
    assert [one for one in foreign if not issubclass(one, caught) and one.__name__ != "WSMessageTypeError"] == []


def test_only_what_fails_before_a_connection_stands_was_not_sent() -> None:
    """What `_reply` calls NOT_SENT, by name: a new member wants to be looked at, since it would be sent again."""
    not_sent = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
    named = {
        name for name, one in vars(client_exceptions).items() if isinstance(one, type) and issubclass(one, not_sent)
    }
    assert named == {
        "ClientConnectorCertificateError",
        "ClientConnectorDNSError",
        "ClientConnectorError",
        "ClientConnectorSSLError",
        "ClientProxyConnectionError",
        "ClientSSLError",
        "ConnectionTimeoutError",
        "InvalidURL",
        "InvalidUrlClientError",
        "InvalidUrlRedirectClientError",
        "UnixClientConnectorError",
    }


# Uploads


async def test_an_upload_carries_the_key_the_bytes_and_tells_their_digest(tmp_path: Path) -> None:
    file = tmp_path / "keeper.png"
    file.write_bytes(b"picture" * 300_000)
    async with serving(said(b"{}")) as server, client(server.url) as api:
        reply, digest = await api.upload("/api/v1/files/upload/stream", file, "k.png", "image/png")
        assert reply.status == 200
        assert digest == hashlib.sha256(b"picture" * 300_000).hexdigest()
        [heard] = server.heard
        assert heard.headers["authorization"] == f"Bearer {KEY}"
        assert b"picture" * 300_000 in heard.body
        assert b'filename="k.png"' in heard.body


async def test_an_upload_that_nobody_answers_ends(tmp_path: Path) -> None:
    file = tmp_path / "keeper.png"
    file.write_bytes(b"x")
    async with serving(hang) as server, client(server.url, transfer_timeout_s=0.2) as api:
        with pytest.raises(NoReply):
            await api.upload("/files", file, "k.png", "image/png")
    assert len(server.heard) == 1


async def test_a_file_that_vanished_is_no_upload(tmp_path: Path) -> None:
    async with serving(said(b"{}")) as server, client(server.url) as api:
        with pytest.raises((NoReply, OSError)):
            await api.upload("/files", tmp_path / "gone.png", "k.png", "image/png")


# Downloads

CLIP = bytes(range(256)) * 8192  # 2 MiB


async def test_a_result_arrives_whole(tmp_path: Path) -> None:
    async with serving(said(CLIP)) as server, client(server.url) as api:
        fetched = await api.fetch(f"{server.url}/clip.mp4?Signature=s%2Fx", tmp_path / "part")
        assert (fetched.size_bytes, fetched.sha256) == (len(CLIP), hashlib.sha256(CLIP).hexdigest())
        assert (tmp_path / "part").read_bytes() == CLIP
        assert server.heard[0].path == "/clip.mp4?Signature=s%2Fx"  # a signed address is sent as it was told


async def test_no_cookie_of_a_host_that_has_a_name_is_kept(tmp_path: Path) -> None:
    """Of an address without a name the library would keep none anyway."""
    cookie = {"Set_Cookie": "a=b; Path=/"}
    async with serving(said(b"{}", **cookie), said(b"{}", **cookie), said(CLIP, **cookie)) as server:
        host = f"http://localhost:{server.port}"
        async with client(host) as api:
            for _ in range(2):
                await api.submit(Call(method="POST", path="/x", body=b"{}"))
                await api.ask(Call(method="GET", path="/x"))
                await api.fetch(f"{host}/a", tmp_path / "part")
        assert len(server.heard) == 6
        assert all("cookie" not in heard.headers for heard in server.heard)


async def test_a_result_host_gets_neither_key_nor_cookie_even_if_it_is_the_apis_own(tmp_path: Path) -> None:
    async with serving(said(b"{}", Set_Cookie="a=b"), said(CLIP)) as server, client(server.url) as api:
        await api.submit(POST)
        await api.fetch(f"{server.url}/clip.mp4", tmp_path / "part")
        headers = server.heard[1].headers
        assert KEY not in str(headers)
        assert not {"authorization", "cookie", "referer"} & headers.keys()
        assert headers["accept-encoding"] == "identity"
        assert headers["user-agent"].startswith("shotrunner/")


@pytest.mark.parametrize("announced", ["3", "99999999"])
async def test_a_result_of_another_length_than_announced_did_not_arrive(tmp_path: Path, announced: str) -> None:
    answer = broken_off(f"HTTP/1.1 200 OK\r\nContent-Length: {announced}\r\nConnection: close\r\n\r\n".encode() + CLIP)
    async with serving(answer) as server, client(server.url) as api:
        with pytest.raises(FetchFailed) as caught:
            await api.fetch(f"{server.url}/a", tmp_path / "part")
        assert caught.value.status is None


@pytest.mark.parametrize("answer", [None, reset(), reset(said(CLIP)[:-5]), hang, broken_off(b"junk\r\n\r\n")])
async def test_a_result_that_broke_off_did_not_arrive(tmp_path: Path, answer: Any) -> None:
    async with serving(answer) as server, client(server.url) as api:
        with pytest.raises(FetchFailed) as caught:
            await api.fetch(f"{server.url}/a?Signature=secret", tmp_path / "part")
        assert "secret" not in caught.value.reason


async def test_a_result_that_drips_for_ever_ends(tmp_path: Path) -> None:
    drip = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    async with serving(drip) as server, client(server.url, transfer_timeout_s=0.3) as api:
        with pytest.raises(FetchFailed, match="no answer in time"):
            await api.fetch(f"{server.url}/a", tmp_path / "part")


@pytest.mark.parametrize("status", [206, 304, 401, 403, 404, 410, 429, 500])
async def test_a_status_other_than_200_is_told(tmp_path: Path, status: int) -> None:
    async with serving(said(b"" if status == 304 else b"no", status=status)) as server, client(server.url) as api:
        with pytest.raises(FetchFailed) as caught:
            await api.fetch(f"{server.url}/a", tmp_path / "part")
        assert caught.value.status == status


async def test_a_result_too_large_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "CLIP_LIMIT", 1000)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n"
    for answer in (said(b"x" * 1001), chunked):
        async with serving(answer) as server, client(server.url) as api:
            with pytest.raises(FetchFailed, match="larger than"):
                await api.fetch(f"{server.url}/a", tmp_path / "part")


async def test_more_than_two_gibibytes_are_refused_when_they_are_announced(tmp_path: Path) -> None:
    head = said(Content_Length=str(2 * 1024**3 + 1))
    async with serving(head) as server, client(server.url, stall_timeout_s=1) as api:
        with pytest.raises(FetchFailed, match="larger than 2 GiB"):
            await api.fetch(f"{server.url}/a", tmp_path / "part")
        assert not (tmp_path / "part").exists()


async def test_a_compressed_result_is_refused(tmp_path: Path) -> None:
    async with serving(said(gzip.compress(CLIP), Content_Encoding="gzip")) as server, client(server.url) as api:
        with pytest.raises(FetchFailed, match="compressed"):
            await api.fetch(f"{server.url}/a", tmp_path / "part")


async def test_three_redirects_are_followed_without_a_key_and_a_fourth_is_not(tmp_path: Path) -> None:
    async with serving(said(CLIP)) as last:
        hops = [said(status=status, Location=f"/hop{n}") for n, status in enumerate((301, 302))]
        async with serving(*hops, said(status=307, Location=f"{last.url}/x")) as server, client(server.url) as api:
            assert (await api.fetch(f"{server.url}/a", tmp_path / "part")).size_bytes == len(CLIP)
            assert [heard.path for heard in server.heard] == ["/a", "/hop0", "/hop1"]
            assert "authorization" not in last.heard[0].headers
    async with serving(said(status=302, Location="/again")) as server, client(server.url) as api:
        with pytest.raises(FetchFailed, match="more than 3 redirects"):
            await api.fetch(f"{server.url}/a", tmp_path / "part")
        assert len(server.heard) == 4


async def test_a_redirect_without_an_address_ends(tmp_path: Path) -> None:
    async with serving(said(status=302)) as server, client(server.url) as api:
        with pytest.raises(FetchFailed):
            await api.fetch(f"{server.url}/a", tmp_path / "part")


@pytest.mark.parametrize(
    "link",
    [
        *("ftp://127.0.0.1/a", "file:///etc/passwd", "javascript:1", "//127.0.0.1/a", "/a", "", "http://", "http:///a"),
        *("http://user@127.0.0.1/a", "http://u:p@127.0.0.1/a", "http://[::1", "http://[/a", "http://127.0.0.1:99999/"),
        *(
            "http://\ud800/",
            "http://a\x00b/",
            "http://exa mple/",
            "http://%zz/",
            "http://127.0.0.1:port/",
            "http://" + "a" * 300,
        ),
        *("http://xn--\u00e9/", "http://.../", "http://-/", "http://a..b/"),
    ],
)
async def test_a_link_that_is_no_plain_address_is_refused(tmp_path: Path, link: str) -> None:
    async with client("http://127.0.0.1:1") as api:
        with pytest.raises(FetchFailed):
            await api.fetch(link, tmp_path / "part")


@given(link=st.text() | st.text().map("http://".__add__) | st.text().map("http://127.0.0.1:1/".__add__))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_link_is_fetched_or_refused(tmp_path: Path, link: str) -> None:
    async def attempt() -> None:
        async with client("https://api.example", resolver=Names({})) as api:
            with pytest.raises(FetchFailed):
                await api.fetch(link, tmp_path / "part")

    asyncio.run(attempt())


class Names(AbstractResolver):
    """Resolves just these names."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.addresses, self.asked = addresses, list[str]()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.addresses:
            raise OSError(None, "no such name")
        address = self.addresses[host]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
        ]

    async def close(self) -> None:
        pass


PRIVATE = [
    *(
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
    ),
    *("::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fd00::1", "64:ff9b::7f00:1", "2002:7f00:1::1", "::"),
]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_link_to_a_private_address_is_refused_at_the_connection(tmp_path: Path, address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    async with client("https://api.example") as api:
        with pytest.raises(FetchFailed) as caught:
            await api.fetch(f"http://{host}:1/a", tmp_path / "part")
        assert "the link leads to" in caught.value.reason


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_resolves_to_a_private_address_is_refused(tmp_path: Path, address: str) -> None:
    async with client("https://api.example", resolver=Names({"cdn.example": address})) as api:
        with pytest.raises(FetchFailed) as caught:
            await api.fetch("http://cdn.example:1/a", tmp_path / "part")
        assert "the link leads to" in caught.value.reason


@pytest.mark.parametrize("host", ["127.1", "2130706433", "017700000001", "0x7f.1", "0x7f000001", "0", "localhost"])
async def test_no_other_spelling_of_this_machine_is_reached(tmp_path: Path, host: str) -> None:
    async with serving(said(CLIP)) as server, client("https://api.example") as api:
        with pytest.raises(FetchFailed):
            await api.fetch(f"http://{host}:{server.port}/a", tmp_path / "part")
        assert server.connections == 0


@pytest.mark.parametrize("target", ["http://10.0.0.1:1/a", "http://cdn.example:1/a", "http://[::ffff:10.0.0.1]:1/"])
async def test_a_redirect_into_a_private_network_is_refused(tmp_path: Path, target: str) -> None:
    names = Names({"cdn.example": "192.168.0.7"})
    async with serving(said(status=302, Location=target)) as server, client(server.url, resolver=names) as api:
        with pytest.raises(FetchFailed, match="a private address"):
            await api.fetch(f"{server.url}/a", tmp_path / "part")


async def test_an_api_on_loopback_unlocks_loopback_and_nothing_else(tmp_path: Path) -> None:
    async with serving(said(CLIP)) as server, client(server.url) as api:
        assert await api.fetch(f"{server.url}/a", tmp_path / "part")
        for host in ("10.0.0.1", "169.254.169.254", "0.0.0.0"):
            with pytest.raises(FetchFailed):
                await api.fetch(f"http://{host}:{server.port}/a", tmp_path / "part")


async def test_https_never_becomes_http_on_any_hop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The middle hop stands for a TLS server: what matters is the scheme of the address a redirect came from."""
    async with (
        serving(said(CLIP)) as last,
        serving(said(status=302, Location=f"{last.url}/b")) as secure,
        serving(said(status=302, Location=f"https://127.0.0.1:{secure.port}/a")) as first,
        client(first.url) as api,
    ):
        get = api._downloads._session.get
        monkeypatch.setattr(
            api._downloads._session,
            "get",
            lambda url, **options: get(url.with_scheme("http") if url.scheme == "https" else url, **options),
        )
        with pytest.raises(FetchFailed, match="https to http"):
            await api.fetch(f"{first.url}/a", tmp_path / "part")
        assert last.heard == []


@pytest.mark.skipif(sys.platform != "linux", reason="no /dev/full")
async def test_a_disk_that_is_full_is_this_machines_fault() -> None:
    async with serving(said(CLIP)) as server, client(server.url) as api:
        with pytest.raises(OSError, match="No space left"):
            await api.fetch(f"{server.url}/a", Path("/dev/full"))


async def test_the_loop_is_not_held_up_by_a_large_result(tmp_path: Path) -> None:
    content = b"x" * 30_000_000
    async with serving(said(content)) as server, client(server.url, stall_timeout_s=10) as api:
        gaps = []

        async def watch() -> None:
            loop = asyncio.get_running_loop()
            last = loop.time()
            while True:
                await asyncio.sleep(0.001)
                now = loop.time()
                gaps.append(now - last)
                last = now

        watching = asyncio.create_task(watch())
        await api.fetch(f"{server.url}/a", tmp_path / "part")
        watching.cancel()
        assert sorted(gaps)[-1] < 0.5  # a machine under load is slow, a blocked loop is slower
