"""Every limit of the contract's table of media, from both of its sides: what fits makes a clip, what does not fails the
task with its documented code and costs nothing."""

from pathlib import Path
from typing import Any

import media
import pytest
from emulation import Client, emulated
from PIL import Image
from standins import stand_in

I2V = "wan2.6-image-to-video-flash"
REFERENCE = "wan2.6-reference-video-flash"
T2V = "wan2.7-text-to-video"
IMAGE, VIDEO, SOUND, SIZE = "image_processing_error", "video_probe_failed", "invalid_audio", "image_dimension_mismatch"

# model, property, file, its task error code or None
CASES = [
    (I2V, "image_urls", "least.png", None),
    (I2V, "image_urls", "most.jpg", None),
    (I2V, "image_urls", "plain.bmp", None),
    (I2V, "image_urls", "plain.webp", None),
    (I2V, "image_urls", "opaque.png", None),
    (I2V, "image_urls", "359.png", SIZE),
    (I2V, "image_urls", "2001.png", SIZE),
    (I2V, "image_urls", "clear.png", IMAGE),
    (I2V, "image_urls", "large.png", IMAGE),
    (I2V, "image_urls", "cut.png", IMAGE),
    (I2V, "image_urls", "three.mp3", IMAGE),
    (I2V, "audio_url", "three.mp3", None),
    (I2V, "audio_url", "two.mp3", SOUND),
    (I2V, "audio_url", "long.mp3", SOUND),
    (I2V, "audio_url", "four.wav", SOUND),
    (T2V, "audio_urls", "four.wav", None),
    (T2V, "audio_urls", "three.mp3", None),
    (T2V, "audio_urls", "one.mp3", SOUND),
    (T2V, "audio_urls", "four.flac", SOUND),
    (REFERENCE, "video_urls", "two.mp4", None),
    (REFERENCE, "video_urls", "two.mov", None),
    (REFERENCE, "video_urls", "one.mp4", VIDEO),
    (REFERENCE, "video_urls", "long.mp4", VIDEO),
    (REFERENCE, "video_urls", "cut.mp4", VIDEO),
    (REFERENCE, "video_urls", "least.png", VIDEO),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    for name, size in (("least", (360, 360)), ("359", (359, 400)), ("2001", (2001, 400))):
        media.picture(folder / f"{name}.png", size)
    media.picture(folder / "most.jpg", (2000, 2000))
    media.picture(folder / "plain.bmp", (400, 400))
    media.picture(folder / "plain.webp", (400, 400))
    media.picture(folder / "opaque.png", (400, 400), "RGBA")  # a channel of transparency that says nothing
    Image.new("RGBA", (400, 400), (9, 9, 9, 0)).save(folder / "clear.png")
    content = (folder / "least.png").read_bytes()
    (folder / "large.png").write_bytes(content + bytes(10_000_001 - len(content)))
    (folder / "cut.png").write_bytes(content[: len(content) // 2])
    for name, seconds in (("one", 1), ("two", 2.5), ("three", 3.2), ("long", 31)):
        media.tone(folder / f"{name}.mp3", seconds)
    media.tone(folder / "four.wav", 4, "wav")
    media.tone(folder / "four.flac", 4, "flac")
    for name, seconds in (("one.mp4", 1), ("two.mp4", 2), ("two.mov", 2), ("long.mp4", 31)):
        media.clip(folder / name, seconds, size=(64, 64), fps=8)
    (folder / "cut.mp4").write_bytes((folder / "two.mp4").read_bytes()[:2000])
    return folder


async def made(client: Client, files: Path, model: str, name: str, file: str) -> dict[str, Any]:
    url = await client.uploaded(files / file)
    body: dict[str, Any] = {"model": model, "prompt": "x", "duration": 2, name: url if name == "audio_url" else [url]}
    if model == I2V and name != "image_urls":
        body["image_urls"] = [await client.uploaded(files / "least.png")]
    return await client.task(body)


async def test_what_fits_is_taken_and_what_does_not_fails_with_its_code(tmp_path: Path, files: Path) -> None:
    async with emulated(tmp_path, render=stand_in) as client:
        for model, name, file, code in CASES:
            if file == "plain.bmp":  # lawful for the model, not for an upload
                continue
            task = await made(client, files, model, name, file)
            assert (task["status"], task.get("error", {}).get("code")) == (
                ("completed", None) if code is None else ("failed", code)
            ), (file, task)
            assert (task["usage"]["credits_used"] > 0) == (code is None)
            assert code is None or name in task["error"]["message"]
        assert (await client.call("GET", "/healthz")).status == 200


@pytest.mark.parametrize(
    ("model", "name", "count", "lawful"),
    [(I2V, "image_urls", 0, False), (I2V, "image_urls", 2, False), (REFERENCE, "video_urls", 3, True),
     (REFERENCE, "video_urls", 4, False), (REFERENCE, "video_urls", 0, False), (T2V, "audio_urls", 2, False)],
)  # fmt: skip
async def test_a_count_is_judged_at_submit(tmp_path: Path, model: str, name: str, count: int, lawful: bool) -> None:
    async with emulated(tmp_path, render=stand_in) as client:
        urls = [f"{client.emulator.base_url}/files/x/{number}.mp4" for number in range(count)]
        answer = await client.create({"model": model, "prompt": "x", "duration": 2, name: urls})
        assert answer.status == (200 if lawful else 400)
        assert lawful or answer.error["param"] == name
