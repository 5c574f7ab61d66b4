"""The emulator's page as Chromium shows it: live, by keyboard, with a thousand tasks, and deaf to hostile prompts."""

import asyncio
import json
import re
import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from emulation import KEY, SEEDED, Client, emulated
from interop.browser import Tab, browsing
from interop.hostile import HOSTILE

from runner.emulator.order import Order
from runner.emulator.renderer import render
from runner.emulator.script import Fail, Hold, Script

Render = Callable[[Order, Path], None]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """A renderer that has only one small clip."""
    clip = tmp_path_factory.mktemp("clip") / "clip.mp4"
    render(Order(model="m", prompt="p", width_px=320, height_px=180, seconds=1, seed=1, sound=False), clip)
    return lambda order, target: target.write_bytes(clip.read_bytes()) and None


@asynccontextmanager
async def watched(folder: Path, **options: Any) -> AsyncIterator[tuple[Client, Tab]]:
    """An emulator, and a browser that has opened the address it prints."""
    async with emulated(folder, page=True, **options) as client, browsing(folder / "browser") as tab:
        await tab.look(width=1280, height=900)
        await tab.go(f"{client.emulator.base_url}/#token={client.emulator.control}")
        await tab.until("document.querySelector('#live.on') && true")
        yield client, tab


def assert_quiet(client: Client, tab: Tab) -> None:
    """Nothing went wrong in the page, and it wanted nothing from anywhere else."""
    assert tab.told == []
    elsewhere = [url for url in tab.asked if not url.startswith((client.emulator.base_url, "blob:", "data:", "about:"))]
    assert elsewhere == []


async def test_the_first_line_it_offers_makes_a_clip_that_comes_up_by_itself_and_plays(tmp_path: Path) -> None:
    async with watched(tmp_path) as (client, tab):
        offered = await tab.until(
            "!document.getElementById('empty').hidden && document.getElementById('first').innerText"
        )
        words = shlex.split(offered.replace("\\\n", " ").replace("$EVOLINK_API_KEY", KEY))
        headers = dict(word.split(": ", 1) for word in words if ": " in word and "{" not in word)
        body = json.loads(words[words.index("-d") + 1])
        made = await client.call("POST", words[1], key=None, data=json.dumps(body), headers=headers)
        assert made.status == 200, made.content
        await tab.until(
            "document.querySelector('.state.completed') && document.querySelector('.still img')?.naturalWidth > 100"
        )
        assert await tab.js("document.getElementById('empty').hidden")
        assert "12.75" in await tab.js("document.getElementById('figures').innerText")
        await tab.js("document.querySelector('.card').click()")
        await tab.until("document.querySelector('dialog[open] video')?.currentTime > 0.3")
        facts = await tab.js("document.getElementById('facts').innerText")
        assert made.json["id"] in facts
        await tab.key("Escape")
        await tab.until("!document.querySelector('dialog[open]') && document.activeElement.matches('.card')")
        assert_quiet(client, tab)


async def test_a_task_is_seen_waiting_at_work_failed_and_done(tmp_path: Path, copied: Render) -> None:
    script = Script(
        mishaps=(
            Hold(task="waits", queued=True),
            Hold(task="works"),
            Hold(task="ends", seconds=3600),
            Fail(task="fails", code="content_policy_violation", message="Not this."),
        )
    )
    async with watched(tmp_path, script=script, render=copied) as (client, tab):
        for label in ("waits", "works", "ends", "fails"):
            await client.create(SEEDED, X_Emulate_Label=label)
        await tab.until(
            "document.querySelectorAll('.card').length === 4 && document.querySelector('.state.failed') && true"
        )
        shown = await tab.js(
            "Object.fromEntries([...document.querySelectorAll('.card')].map(card =>"
            " [card.querySelector('.name').textContent, card.querySelector('.state').className.split(' ')[1]]))"
        )
        assert shown == {"waits": "pending", "works": "processing", "ends": "processing", "fails": "failed"}
        await tab.until("document.querySelector('.still.failed').innerText.includes('Not this.')")
        assert await tab.js("document.querySelector('.still.processing progress').value") == 10
        client.emulator.advance(3600)
        await tab.until("document.querySelector('.state.completed') && true")
        assert_quiet(client, tab)


async def test_a_hostile_prompt_is_only_ever_text(tmp_path: Path, copied: Render) -> None:
    async with watched(tmp_path, render=copied) as (client, tab):
        title = await tab.js("document.title")
        for prompt in HOSTILE:
            label = re.sub(r"[^ -~]", "", prompt)[:80].replace("%", "%25")
            await client.task({**SEEDED, "prompt": prompt}, X_Emulate_Label=label)
        await tab.until(f"document.querySelectorAll('.state.completed').length === {len(HOSTILE)}")
        cards = await tab.js("[...document.querySelectorAll('.card .prompt')].map(node => node.textContent)")
        hidden = re.compile(r"[\x00-\x08\x0b-\x1f\u2028-\u202e\u2066-\u2069]")
        assert set(cards) == {hidden.sub("\ufffd", prompt) for prompt in HOSTILE}
        await tab.key("i", "i")
        for number in range(len(HOSTILE)):
            await tab.js(f"document.querySelectorAll('#lines button')[{number}].click()")
            await tab.js("document.querySelector('details').open = true")
            await tab.key("Escape")
        assert await tab.js("document.title") == title
        assert await tab.js("document.querySelectorAll('script, iframe, link[rel=stylesheet], svg style').length") == 1
        assert_quiet(client, tab)


async def test_the_browser_itself_would_refuse_what_a_hostile_prompt_wants(tmp_path: Path) -> None:
    async with emulated(tmp_path) as other, watched(tmp_path) as (_, tab):
        refused = "() => 'refused'"
        assert (
            await tab.js(f"Promise.resolve().then(() => document.body.innerHTML = '<p>').catch({refused})") == "refused"
        )
        elsewhere = f"{other.emulator.base_url}/healthz"
        assert await tab.js(f"fetch('{elsewhere}', {{mode: 'no-cors'}}).catch({refused})") == "refused"
        await tab.js(
            "document.head.append(Object.assign(document.createElement('style'), {textContent: 'body{display:none}'}))"
        )
        assert await tab.js("getComputedStyle(document.body).display") == "block"
        assert len(tab.told) >= 2, "each breach of the policy is told"


async def test_a_thousand_tasks_are_found_walked_and_summed(tmp_path: Path, copied: Render) -> None:
    async with watched(tmp_path, render=copied) as (client, tab):
        for first in range(0, 1000, 50):
            numbers = range(first + 1, first + 51)
            bodies = [{**SEEDED, "prompt": f"Lighthouse-{n}", "seed": n} for n in numbers]
            await asyncio.gather(*(client.create(b, X_Emulate_Label=f"s{b['seed']}") for b in bodies))
        await tab.until("document.querySelectorAll('.state.completed').length === 1000")
        labels = await tab.js("[...document.querySelectorAll('.card .name')].map(node => node.textContent)")
        assert len(set(labels)) == 1000
        await tab.until("document.querySelectorAll('.still img').length >= 4")
        assert await tab.js("document.querySelectorAll('.still img').length") < 200, (
            "pictures are fetched where they are seen"
        )
        assert await tab.js("document.querySelectorAll('.card[tabindex=\"0\"]').length") == 1, "one stop for Tab"
        await tab.key("ArrowDown")
        await tab.key("ArrowDown")
        await tab.key("ArrowRight")
        assert (
            await tab.js("document.activeElement.querySelector('.name').textContent")
            == labels[
                await tab.js("getComputedStyle(document.getElementById('sheet')).gridTemplateColumns.split(' ').length")
                + 1
            ]
        )
        await tab.key("Enter", "\r")
        await tab.until("document.querySelector('dialog[open] video')?.currentTime > 0")
        await tab.key("Escape")
        await tab.key("/", "/")
        await tab.send("Input.insertText", text="lighthouse-77")
        await tab.until("document.querySelectorAll('.card').length === 11")  # 77 and 770 to 779
        await tab.key("Escape")
        await tab.key("i", "i")
        await tab.until("document.querySelectorAll('#lines tr').length === 1000")
        summed = await tab.js("document.getElementById('charged').innerText")
        assert Decimal(summed.replace(",", "")) == sum(line.charged or 0 for line in client.emulator.invoice)
        assert_quiet(client, tab)


async def test_the_token_is_in_no_address_and_asked_for_where_it_is_wrong(tmp_path: Path) -> None:
    async with watched(tmp_path) as (client, tab):
        token = client.emulator.control
        assert token not in await tab.js("location.href")
        assert await tab.js("localStorage.length + document.cookie.length") == 0
        assert not [url for url in tab.asked if token in url.partition("#")[0]]
        await tab.send("Page.reload")
        await tab.until("document.querySelector('#live.on') && true")
        await tab.js("location.hash = 'token=wrong'")
        await tab.until("!document.getElementById('ask').hidden && document.getElementById('board').hidden")
        await tab.js(f"document.getElementById('token').value = '{token}'; document.querySelector('.solid').click()")
        await tab.until("document.querySelector('#live.on') && !document.getElementById('board').hidden")


async def test_it_says_when_the_emulator_is_gone(tmp_path: Path) -> None:
    async with browsing(tmp_path / "browser") as tab:
        async with emulated(tmp_path, page=True) as client:
            await tab.go(f"{client.emulator.base_url}/#token={client.emulator.control}")
            await tab.until("document.querySelector('#live.on') && true")
        await tab.until("document.querySelector('#live.lost') && true")


@pytest.mark.parametrize("dark", [False, True])
async def test_every_word_can_be_read_in_light_and_in_dark_and_nothing_is_wider_than_a_telephone(
    tmp_path: Path, copied: Render, dark: bool
) -> None:
    script = Script(mishaps=(Fail(task="fails", code="c", message="Not this."), Hold(task="waits", queued=True)))
    async with watched(tmp_path, script=script, render=copied) as (client, tab):
        for label in ("fails", "waits", "x" * 80):
            await client.create({**SEEDED, "prompt": "word" * 90}, X_Emulate_Label=label)
        await tab.until("document.querySelector('.state.completed') && document.querySelector('.state.failed') && true")
        for width in (360, 1280):
            await tab.look(width=width, height=800, dark=dark)
            assert await tab.js("document.documentElement.scrollWidth") <= width
            for pressed in "ci":
                await tab.key(pressed, pressed)
                faint = await tab.js(CONTRAST)
                assert not faint
        assert_quiet(client, tab)


# Of all that stands on a plain ground: words below 4.5 to 1, by the formula of WCAG 2.
CONTRAST = """
(() => {
  const numbers = color => color.match(/[\\d.]+/g).map(Number);
  const linear = part => (part /= 255) <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = node => {
    for (; node; node = node.parentElement) {
      const [r, g, b, a = 1] = numbers(getComputedStyle(node).backgroundColor);
      if (a > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const words = [...document.querySelectorAll("body *")].filter(node => node.checkVisibility() && !node.closest(".length, svg, script, option")
    && [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()));
  return words.map(node => {
    const [one, other] = [light(numbers(getComputedStyle(node).color)), light(ground(node))].sort((a, b) => b - a);
    return [(one + 0.05) / (other + 0.05), node.className, node.textContent.trim().slice(0, 30)];
  }).filter(([ratio]) => ratio < 4.5);
})()
"""
