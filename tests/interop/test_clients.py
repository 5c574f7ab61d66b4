"""Clients of the service that others wrote, at the emulator: they need nothing of it but another address.

`evolink-media` is the vendor's own, a server of tools for assistants, written against the live service.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import media
from emulation import KEY, Client, emulated, until
from interop.judges import ROOT, judge
from interop.mcp import Tools, serving

from runner.adapters.media import probe_clip
from runner.emulator.script import Fail, Reply, Script

LOOPBACK = ROOT / "tests/interop/loopback.mjs"
SHOT = {"model": "wan2.5-text-to-video", "prompt": "Long waves at dawn", "quality": "480p", "duration": 5}


@asynccontextmanager
async def assisted(folder: Path, **options: Any) -> AsyncIterator[tuple[Client, Tools]]:
    """An emulator, and the vendor's tools that reach it."""
    async with emulated(folder, **options) as client:
        environment = {
            "NODE_OPTIONS": f"--import={LOOPBACK.as_uri()}",
            "LOOPBACK_URL": client.emulator.base_url,
            "EVOLINK_API_KEY": KEY,
        }
        async with serving([judge("evolink-media")], environment) as tools:
            yield client, tools


async def ended(client: Client, tools: Tools, text: str) -> str:
    """What the tools say of the task that this text names, once it has ended."""
    (identifier,) = set(re.findall(r"task-unified-\d+-\w+", text))
    await client.ended(identifier)
    return (await tools.call("check_task", task_id=identifier)).text


async def test_the_vendors_tools_make_a_clip(tmp_path: Path) -> None:
    async with assisted(tmp_path) as (client, tools):
        submitted = await tools.call("generate_video", aspect_ratio="16:9", **SHOT)
        assert not submitted.failed, submitted.text
        assert "Estimated cost: 12.75 credits (per_second)" in submitted.text
        told = await ended(client, tools, submitted.text)
        assert "Status: completed" in told
        assert "Progress: 100%" in told
        (link,) = re.findall(r"http://\S+", told)
        clip = tmp_path / "clip.mp4"
        clip.write_bytes((await client.call("GET", link, key=None)).content)
        facts = await asyncio.to_thread(probe_clip, clip)
        assert (facts.width_px, facts.height_px, facts.duration_s) == (832, 480, 5)


async def test_the_vendors_tools_upload_list_and_delete_a_file_in_each_of_their_ways(tmp_path: Path) -> None:
    picture = media.picture(tmp_path / "keeper.png", (600, 400))
    async with assisted(tmp_path, allow_private=True) as (client, tools):
        by_file = await tools.call("upload_file", file_path=str(picture), upload_path="cast", file_name="one.png")
        assert not by_file.failed, by_file.text
        (url,) = set(re.findall(r"http://\S+/files/\S+", by_file.text))
        assert (await client.call("GET", url, key=None)).content == picture.read_bytes()
        inline = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        by_text = await tools.call("upload_file", base64_data=f"data:image/png;base64,{inline}", file_name="two.png")
        assert not by_text.failed, by_text.text
        by_link = await tools.call("upload_file", file_url=url)
        assert not by_link.failed, by_link.text
        listed = (await tools.call("list_files")).text
        assert "Quota: 3/100 files used, 97 remaining [default]" in listed
        assert "one.png" in listed
        assert "two.png" in listed
        for identifier in set(re.findall(r"\[(\S+)\] uploaded", listed)):
            assert "deleted successfully" in (await tools.call("delete_file", file_id=identifier)).text
        assert "Quota: 0/100" in (await tools.call("list_files")).text


async def test_the_vendors_tools_understand_every_no(tmp_path: Path) -> None:
    script = Script(mishaps=(Fail(task=1, code="content_policy_violation", message="Not this."),))
    async with assisted(tmp_path, script=script, balance=Decimal(20)) as (client, tools):
        refused = await tools.call("generate_video", **{**SHOT, "duration": 7})
        assert refused.failed
        assert "[400] Invalid request format: `duration` is 7" in refused.text
        failed = await ended(client, tools, (await tools.call("generate_video", **SHOT)).text)
        assert "content_policy_violation" in failed
        assert "Not this." in failed
        await until(lambda: client.emulator.invoice[0].charged is not None)
        poor = await tools.call("generate_video", **{**SHOT, "duration": 10})
        assert "[402] Insufficient quota" in poor.text
        assert "[404] Specified model not found" in (await tools.call("generate_video", prompt="x")).text
        unknown = await tools.call("check_task", task_id="task-unified-1-abcdefgh")
        assert "[404] Task not found or expired" in unknown.text


async def test_a_client_that_repeats_an_unanswered_create_without_a_key_is_seen_to_have_bought_twice(
    tmp_path: Path,
) -> None:
    script = Script(mishaps=(Reply(create=1, status=502, accepted=True),))
    async with assisted(tmp_path, script=script) as (client, tools):
        assert not (await tools.call("generate_video", **SHOT)).failed
        assert [line.idempotency_key for line in client.emulator.invoice] == ["", ""]
        assert len({line.body_sha256 for line in client.emulator.invoice}) == 1
