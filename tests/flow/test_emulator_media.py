"""Reference media and uploads over real sockets: what is given by URL is fetched, looked at, and held to its limits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import media
import pytest
from aiohttp import web
from emulation import KEY, Client, emulated, until

from runner.adapters.media import probe_clip
from runner.emulator.fetch import Unfetchable, fetcher

I2V = "wan2.6-image-to-video-flash"
REFERENCE = "wan2.6-reference-video-flash"
T2V = "wan2.7-text-to-video"
UPLOAD = "/api/v1/files/upload/stream"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with emulated(tmp_path) as client:
        yield client


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    media.picture(folder / "wide.png", (640, 360))
    media.picture(folder / "small.png", (200, 200))
    media.picture(folder / "bright.gif", (640, 360))
    media.clip(folder / "three.mp4", 3, size=(128, 72))
    media.clip(folder / "two.mp4", 2, size=(128, 72))
    media.clip(folder / "one.mp4", 1, size=(128, 72))
    media.tone(folder / "four.mp3", 4)
    media.tone(folder / "one.mp3", 1)
    media.tone(folder / "four.wav", 4, "wav")
    (folder / "broken.mp4").write_bytes((folder / "three.mp4").read_bytes()[:2000])
    return folder


@asynccontextmanager
async def serving(route: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Another server on this machine; its base URL."""
    app = web.Application()
    app.router.add_get("/{path:.*}", route)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def uploaded(client: Client) -> list[Path]:
    return [*client.emulator._folder.glob("*/uploads/*")]


class TestUploads:
    async def test_an_upload_comes_back_under_its_url_without_a_key(self, client: Client, files: Path) -> None:
        answer = await client.upload(files / "wide.png", uploadPath="cast", fileName="Keeper of light.png")
        assert answer.status == 200
        assert answer.json["success"] is True
        kept = answer.json["data"]
        assert kept["file_name"] == "Keeper_of_light.png"
        assert (kept["original_name"], kept["upload_path"], kept["mime_type"]) == ("wide.png", "cast", "image/png")
        assert kept["file_url"].startswith(client.emulator.base_url + "/files/")
        assert kept["file_size"] == (files / "wide.png").stat().st_size
        back = await client.call("GET", kept["file_url"], key=None)
        assert back.content == await asyncio.to_thread((files / "wide.png").read_bytes)
        assert back.headers["Content-Type"] == "image/png"

    async def test_both_spellings_of_the_fields_are_taken_behind_the_file_too(
        self, client: Client, files: Path
    ) -> None:
        form = aiohttp.FormData()
        content = await asyncio.to_thread((files / "one.mp3").read_bytes)
        form.add_field("file", content, filename="s.mp3")
        form.add_field("upload_path", "a/b")
        form.add_field("file_name", "storm")
        kept = (await client.call("POST", UPLOAD, data=form)).json["data"]
        assert (kept["upload_path"], kept["file_name"], kept["mime_type"]) == ("a/b", "storm.mp3", "audio/mpeg")

    async def test_the_quota_counts(self, client: Client, files: Path) -> None:
        await client.upload(files / "one.mp4")
        quota = await client.call("GET", "/api/v1/files/quota")
        assert quota.json["data"] == {"user_group": "default", "used_files": 1, "max_files": 100, "remain_files": 99}

    @pytest.mark.parametrize(
        ("parts", "status"),
        [
            ([("file", b"#!/bin/sh\n", "a.png")], 415),
            ([("file", b"BM" + b"\x00" * 60, "a.bmp")], 415),
            ([("uploadPath", b"x", None)], 400),
            ([("file", b"ID3" + b"x" * 50, "a.mp3"), ("file", b"ID3", "b.mp3")], 400),
            ([("file", b"ID3" + b"x" * 50, "a.mp3"), ("uploadPath", b"../up", None)], 400),
            ([("file", b"ID3" + b"x" * 50, "a.mp3"), ("uploadPath", b"\xff", None)], 400),
            ([("fileName", b"x" * 5000, None), ("file", b"ID3", "a.mp3")], 400),
            ([(f"field{n}", b"x", None) for n in range(30)], 400),
        ],
    )
    async def test_what_is_not_taken_is_said_in_the_file_apis_own_shape(
        self, client: Client, parts: list[tuple[str, bytes, str | None]], status: int
    ) -> None:
        form = aiohttp.MultipartWriter("form-data")
        for name, content, filename in parts:
            named = {"name": name} | ({"filename": filename} if filename else {})
            form.append(content).set_content_disposition("form-data", **named)
        answer = await client.call("POST", UPLOAD, data=form)
        assert (answer.status, answer.json["success"], answer.json["code"]) == (status, False, status)
        assert (await client.call("GET", "/api/v1/files/quota")).json["data"]["used_files"] == 0

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/json", b"{}"),
            ("multipart/form-data", b"no boundary"),
            ("multipart/form-data; boundary=x", b"no parts at all"),
            ("multipart/form-data; boundary=x", b"--x\r\nno header\r\n\r\n--x--\r\n"),
            ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nID3'),
            (
                "multipart/form-data; boundary=x",
                b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\nz\r\n--y--\r\n--x--\r\n",
            ),
        ],
    )
    async def test_a_broken_form_is_refused(self, client: Client, content_type: str, body: bytes) -> None:
        answer = await client.call("POST", UPLOAD, data=body, headers={"Content-Type": content_type})
        assert (answer.status, answer.json["success"]) == (400, False)
        assert uploaded(client) == []

    async def test_an_upload_that_breaks_off_leaves_nothing(self, client: Client) -> None:
        host, port = client.emulator.base_url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {UPLOAD} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {KEY}\r\n"
        head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n"
        part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nID3'
        writer.write((head + part).encode())
        await writer.drain()
        await until(lambda: uploaded(client) != [])
        writer.transport.abort()
        await until(lambda: uploaded(client) == [])
        assert (await client.call("GET", "/api/v1/files/quota")).json["data"]["used_files"] == 0


class TestReferences:
    async def test_an_uploaded_picture_gives_the_clip_its_shape(
        self, client: Client, files: Path, tmp_path: Path
    ) -> None:
        url, sound = await client.uploaded(files / "wide.png"), await client.uploaded(files / "four.mp3")
        body = {"model": I2V, "prompt": "he turns", "image_urls": [url], "audio_url": sound, "duration": 2}
        task = await client.task(body)
        assert task["status"] == "completed", task
        clip = await client.call("GET", task["results"][0])
        (tmp_path / "clip.mp4").write_bytes(clip.content)
        facts = await asyncio.to_thread(probe_clip, tmp_path / "clip.mp4")
        assert (facts.width_px, facts.height_px, facts.duration_s) == (1280, 720, 2)

    async def test_a_clip_made_silent_has_no_sound(self, client: Client, files: Path, tmp_path: Path) -> None:
        url = await client.uploaded(files / "wide.png")
        body = {"model": I2V, "prompt": "x", "image_urls": [url], "duration": 2, "generate_audio": False}
        task = await client.task(body)
        (tmp_path / "clip.mp4").write_bytes((await client.call("GET", task["results"][0])).content)
        assert (await asyncio.to_thread(probe_clip, tmp_path / "clip.mp4")).audio_codec == ""
        assert task["usage"]["credits_used"] == 6

    async def test_the_same_picture_under_another_address_is_the_same_request(
        self, client: Client, files: Path
    ) -> None:
        async def clip(file: str) -> bytes:
            url = await client.uploaded(files / file)
            task = await client.task({"model": I2V, "prompt": "x", "image_urls": [url], "duration": 2})
            return (await client.call("GET", task["results"][0])).content

        assert await clip("wide.png") == await clip("wide.png")

    async def test_reference_clips_are_charged_by_their_real_seconds(self, client: Client, files: Path) -> None:
        urls = [await client.uploaded(files / name) for name in ("three.mp4", "two.mp4")]
        task = await client.task({"model": REFERENCE, "prompt": "character1 walks", "video_urls": urls, "duration": 2})
        assert task["status"] == "completed", task
        # Reserved with the cap of 2.5 s each, settled with 2.5 and 2 s: both below the minimum of 9 but for 5 + 2 s.
        assert task["usage"]["credits_reserved"] == float(round(Fraction("2.38") * 7, 2))
        assert task["usage"]["credits_used"] == float(round(Fraction("2.38") * Fraction("6.5"), 2))
        assert task["billing"]["refunded_credits"] > 0

    @pytest.mark.parametrize(
        ("model", "name", "file", "code", "said"),
        [
            (I2V, "image_urls", "small.png", "image_dimension_mismatch", "200x200"),
            (I2V, "image_urls", "bright.gif", "image_processing_error", "gif"),
            (I2V, "image_urls", "four.mp3", "image_processing_error", "sound"),
            (I2V, "audio_url", "one.mp3", "invalid_audio", "3 to 30 s"),
            (I2V, "audio_url", "four.wav", "invalid_audio", "wav"),
            (T2V, "audio_urls", "wide.png", "invalid_audio", "image"),
            (REFERENCE, "video_urls", "one.mp4", "video_probe_failed", "2 to 30 s"),
            (REFERENCE, "video_urls", "broken.mp4", "video_probe_failed", "cannot be read"),
        ],
    )
    async def test_a_medium_that_does_not_fit_fails_the_task_and_costs_nothing(
        self, client: Client, files: Path, model: str, name: str, file: str, code: str, said: str
    ) -> None:
        body: dict[str, Any] = {"model": model, "prompt": "x", "duration": 2}
        if model == I2V and name != "image_urls":
            body["image_urls"] = [await client.uploaded(files / "wide.png")]
        url = await client.uploaded(files / file)
        body[name] = url if name == "audio_url" else [url]
        task = await client.task(body)
        assert task["status"] == "failed"
        assert task["error"]["code"] == code
        assert said in task["error"]["message"]
        assert name in task["error"]["message"]
        assert task["usage"]["credits_used"] == 0
        assert client.emulator.invoice[0].charged == 0

    async def test_a_picture_that_is_not_there_fails_the_task(self, client: Client) -> None:
        url = f"{client.emulator.base_url}/files/file-x/a.png"
        task = await client.task({"model": I2V, "prompt": "x", "image_urls": [url], "duration": 2})
        assert task["error"]["code"] == "resource_not_found"
        assert "HTTP 404" in task["error"]["message"]

    @pytest.mark.parametrize(
        "url",
        [
            "http://10.255.255.1/a.png",
            "http://169.254.169.254/latest/meta-data",
            "http://[::ffff:10.0.0.1]/a.png",
            "http://[64:ff9b::a00:1]/a.png",
            "http://127.0.0.1:9/a.png",
            "http://localhost:9/a.png",
            "http://2130706433/a.png",
            "http://0/a.png",
            "http://user:secret@127.0.0.1/a.png",
        ],
    )
    async def test_no_url_leads_into_a_private_network(self, client: Client, url: str) -> None:
        task = await client.task({"model": I2V, "prompt": "x", "image_urls": [url], "duration": 2})
        assert task["status"] == "failed"
        said = task["error"]["message"]
        assert "address" in said, said
        assert "secret" not in said


class TestFetching:
    """The fetcher alone, against a server that does what servers do."""

    OWN = ("127.0.0.1", 1)

    async def fetched(self, tmp_path: Path, url: str, *, allow_private: bool = True, most: int = 1000) -> bytes:
        async with fetcher(self.OWN, allow_private=allow_private) as fetching:
            await fetching.fetch(url, tmp_path / "part", most)
        return await asyncio.to_thread((tmp_path / "part").read_bytes)

    async def refused(self, tmp_path: Path, url: str, **options: Any) -> str:
        with pytest.raises(Unfetchable) as caught:
            await self.fetched(tmp_path, url, **options)
        return caught.value.reason

    async def test_redirects_are_followed_three_times(self, tmp_path: Path) -> None:
        async def route(request: web.Request) -> web.Response:
            left = int(request.match_info["path"])
            return (
                web.Response(text="done")
                if left == 0
                else web.Response(status=302, headers={"Location": f"/{left - 1}"})
            )

        async with serving(route) as base:
            assert await self.fetched(tmp_path, f"{base}/3") == b"done"
            assert await self.refused(tmp_path, f"{base}/4") == "more than 3 redirects"

    @pytest.mark.parametrize(
        "target", ["http://169.254.169.254/", "file:///etc/passwd", "ftp://a/", "//[::ffff:a9fe:a9fe]/"]
    )
    async def test_every_hop_is_judged(self, tmp_path: Path, target: str) -> None:
        async def route(_: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": target})

        async with serving(route) as base:
            assert "address" in await self.refused(tmp_path, base)

    async def test_another_server_of_this_machine_is_private(self, tmp_path: Path) -> None:
        seen: list[str] = []

        async def route(request: web.Request) -> web.Response:
            seen.append(request.path)
            return web.Response(text="x")

        async with serving(route) as base:
            said = await self.refused(tmp_path, base, allow_private=False)
            assert said == "127.0.0.1 is a loopback address"
            named = base.replace("127.0.0.1", "localhost")
            assert "loopback address" in await self.refused(tmp_path, named, allow_private=False)
            assert seen == []

    async def test_too_much_is_too_much_announced_or_not(self, tmp_path: Path) -> None:
        async def route(request: web.Request) -> web.StreamResponse:
            if request.path == "/announced":
                return web.Response(body=b"x" * 1001)
            answer = web.StreamResponse()
            await answer.prepare(request)
            for _ in range(100):
                await answer.write(b"x" * 100)
            return answer

        async with serving(route) as base:
            for path in ("/announced", "/streamed"):
                assert await self.refused(tmp_path, base + path) == "it is larger than 1000 bytes"

    async def test_what_does_not_arrive_whole_or_plain_is_no_medium(self, tmp_path: Path) -> None:
        async def route(request: web.Request) -> web.StreamResponse:
            if request.path == "/compressed":
                return web.Response(body=b"x", headers={"Content-Encoding": "gzip"})
            if request.path == "/missing":
                return web.Response(status=410)
            answer = web.StreamResponse(headers={"Content-Length": "500"})
            await answer.prepare(request)
            await answer.write(b"x" * 100)
            assert request.transport
            request.transport.abort()
            return answer

        async with serving(route) as base:
            assert await self.refused(tmp_path, f"{base}/compressed") == "the answer is compressed"
            assert await self.refused(tmp_path, f"{base}/missing") == "HTTP 410"
            assert "broke off" in await self.refused(tmp_path, f"{base}/cut")
        assert await self.refused(tmp_path, base) == "no connection to its host"

    async def test_what_is_announced_as_too_much_is_not_waited_for(self, tmp_path: Path) -> None:
        async def route(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(headers={"Content-Length": "1001"})
            await answer.prepare(request)
            await asyncio.sleep(60)
            return answer

        async with asyncio.timeout(5), serving(route) as base:
            assert await self.refused(tmp_path, base) == "it is larger than 1000 bytes"

    async def test_a_name_and_password_are_not_taken_along(self, tmp_path: Path) -> None:
        async def route(_: web.Request) -> web.Response:
            return web.Response(text="x")

        async with serving(route) as base:
            said = await self.refused(tmp_path, base.replace("://", "://user:secret@"))
        assert said == "not a plain http or https address"

    async def test_no_cookie_and_no_key_goes_along(self, tmp_path: Path) -> None:
        seen: list[Any] = []

        async def route(request: web.Request) -> web.Response:
            seen.append(request.headers)
            if request.path == "/":
                return web.Response(status=302, headers={"Location": "/next", "Set-Cookie": "a=b"})
            return web.Response(text="x")

        async with serving(route) as base:
            # By name: cookies are never kept for a host given by its address.
            await self.fetched(tmp_path, base.replace("127.0.0.1", "localhost") + "/")
        assert len(seen) == 2
        for headers in seen:
            assert "Cookie" not in headers
            assert "Authorization" not in headers
            assert headers["Accept-Encoding"] == "identity"

    @pytest.mark.parametrize("url", ["", "x", "http://", "http://a b/", "http://[::1", "http://a:99999/", "http:///x"])
    async def test_what_is_no_address_is_said_to_be_none(self, tmp_path: Path, url: str) -> None:
        assert await self.refused(tmp_path, url)
