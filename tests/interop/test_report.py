"""The report as Chromium shows it: from disk, by keyboard, with a thousand takes, and deaf to hostile words."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from interop.browser import Tab, browsing
from interop.hostile import HOSTILE
from unit.planning.test_report import manifest, take

from runner.emulator.order import Order
from runner.emulator.renderer import render
from runner.language.picks import Picks
from runner.planning import report
from runner.planning.report import Known
from runner.screen.report import html
from runner.steps.poster import poster


def page(folder: Path, *takes: dict[str, Any], known: dict[str, Known] | None = None) -> str:
    """The page of these takes as a file's URL."""
    sheet = report.sheet(manifest(*takes), known or {}, Picks(), typed="films/my sea.yaml", free=False)
    (folder / "index.html").write_text(html(sheet), encoding="utf-8")
    return (folder / "index.html").as_uri()


@asynccontextmanager
async def shown(folder: Path, url: str, width: int = 1280, height: int = 900) -> AsyncIterator[Tab]:
    async with browsing(folder / "browser") as tab:
        await tab.look(width=width, height=height)
        await tab.go(url)
        await tab.until("document.querySelectorAll('.take').length > 0 && document.readyState === 'complete'")
        yield tab
        assert tab.told == []
        assert [asked for asked in tab.asked if not asked.startswith(("file:", "data:", "about:"))] == []


async def key(tab: Tab, name: str, text: str = "") -> None:
    for kind in ("keyDown", "keyUp"):
        await tab.send("Input.dispatchKeyEvent", type=kind, key=name, text=text if kind == "keyDown" else "")


async def test_takes_are_chosen_by_keyboard_one_of_a_variant_and_make_one_line(tmp_path: Path) -> None:
    takes = [take(name, clip=clip()) for name in ("a@x.1", "a@x.2", "b.1")]
    async with shown(tmp_path, page(tmp_path, *takes)) as tab:
        for name, text in (
            ("ArrowRight", ""),
            ("p", "p"),
            ("ArrowRight", ""),
            ("p", "p"),
            ("ArrowDown", ""),
            ("p", "p"),
        ):
            await key(tab, name, text)
        assert await tab.js("document.querySelector('#line').textContent") == (
            "shotrunner pick 'films/my sea.yaml' a@x.2 b.1"
        )
        assert await tab.js("document.querySelectorAll('#write, [data-do=reject], [data-do=unpick], .why').length") == 0
        await tab.js("document.querySelector('#clear').click()")
        assert await tab.js("document.querySelector('#tray').hidden")


def clip() -> dict[str, Any]:
    return {
        "path": "clips/a.mp4",
        "sha256": "0" * 64,
        "width_px": 320,
        "height_px": 180,
        "duration_s": 1,
        "fps": 24,
        "codec": "h264",
    }


async def test_a_clip_beside_it_plays_when_it_is_looked_at_or_by_key_and_is_let_go_after(tmp_path: Path) -> None:
    file = tmp_path / "clips" / "a@x.1.mp4"
    file.parent.mkdir()
    render(Order(model="m", prompt="p", width_px=320, height_px=180, seconds=1, seed=1, sound=False), file)
    uri = f"data:image/jpeg;base64,{encoded(poster(file, tmp_path / 'poster.jpg'))}"
    one = take("a@x.1", clip={**clip(), "path": "clips/a@x.1.mp4"})
    async with shown(tmp_path, page(tmp_path, one, known={"a@x.1": Known(poster=uri)})) as tab:
        assert await tab.until("document.querySelector('.still img').naturalWidth") == 320
        box = await tab.js("(r => [r.x + 20, r.y + 20])(document.querySelector('.still').getBoundingClientRect())")
        await tab.send("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
        await tab.until("document.querySelector('video')?.currentTime > 0")
        await tab.send("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
        await tab.until("!document.querySelector('video')")
        await key(tab, "ArrowRight")
        await key(tab, " ", " ")
        await tab.until("document.querySelector('video')?.currentTime > 0 && !document.querySelector('video').muted")
        await key(tab, " ", " ")
        await tab.until("!document.querySelector('video')")


def encoded(content: bytes) -> str:
    import base64

    return base64.b64encode(content).decode()


async def test_words_of_strangers_are_shown_and_never_obeyed(tmp_path: Path) -> None:
    takes = [
        take(
            f"a.{n}",
            prompt=words,
            title=words,
            error={"code": words, "message": words},
            references=[{"path": words, "url": None}],
        )
        for n, words in enumerate(HOSTILE, 1)
    ]
    known = {f"a.{n}": Known(before=words[::-1], reason=words) for n, words in enumerate(HOSTILE, 1)}
    async with shown(tmp_path, page(tmp_path, *takes, known=known)) as tab:
        await tab.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert await tab.js("document.title") == "films/sea.yaml: final"
        assert await tab.js("document.querySelectorAll('script, iframe, svg, link, img').length") == 1
        assert await tab.js("document.querySelectorAll('.take').length") == len(HOSTILE)
        shown_text = await tab.js("document.body.textContent")
        assert "onerror=" in shown_text and "\u202e" not in shown_text and "\x1b" not in shown_text


async def test_a_thousand_takes_are_filtered_by_status_model_and_words(tmp_path: Path) -> None:
    takes = [
        take(f"s{n}.1", status="failed" if n % 10 == 0 else "done", prompt=f"number {n} of many") for n in range(1000)
    ]
    async with shown(tmp_path, page(tmp_path, *takes)) as tab:
        await tab.js("document.querySelector('[data-status=failed]').click()")
        assert await tab.js("document.querySelectorAll('.take:not([hidden])').length") == 100
        await tab.js(
            "(s => { s.value = 'number 990 '; s.dispatchEvent(new Event('input')); })(document.querySelector('#search'))"
        )
        assert await tab.js("document.querySelectorAll('.take:not([hidden])').length") == 1
        assert await tab.js("document.querySelectorAll('.variant:not([hidden])').length") == 1
        await tab.js(
            "(s => { s.value = 'zzz'; s.dispatchEvent(new Event('input')); })(document.querySelector('#search'))"
        )
        assert await tab.js("document.querySelector('#none').hidden") is False


async def test_a_phone_shows_all_of_it_without_scrolling_sideways(tmp_path: Path) -> None:
    takes = [take("arrival@" + "dawn" * 15 + ".1", prompt="long" * 200, clip=clip()), take("b.1", title="x" * 300)]
    async with shown(tmp_path, page(tmp_path, *takes), width=360, height=740) as tab:
        assert await tab.js("document.documentElement.scrollWidth") <= 360


async def test_it_is_dark_where_the_reader_wants_it_dark(tmp_path: Path) -> None:
    async with shown(tmp_path, page(tmp_path, take("a.1"))) as tab:
        grounds = []
        for scheme in ("light", "dark"):
            await tab.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            colour = await tab.js("getComputedStyle(document.body).backgroundColor")
            grounds.append(sum(json.loads(colour.replace("rgb(", "[").replace(")", "]"))))
        assert grounds[0] > 600 > 150 > grounds[1]
