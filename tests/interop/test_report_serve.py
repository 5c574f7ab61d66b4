"""The served report as Chromium shows it: takes are chosen and written, and what others do comes up by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from interop.browser import Tab, browsing
from stage import Stage

FILM = """\
storyboard: 1
title: Sea
defaults: {model: wan2.7-text-to-video, params: {duration: 2}}
shots:
  - {id: sea, prompt: The sea at dawn, takes: 2}
  - {id: hill, prompt: A hill}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path / "project")
    stage.write("film.yaml", FILM)
    assert stage.shotrunner("run", "film.yaml").code == 0
    return stage


@asynccontextmanager
async def served(stage: Stage) -> AsyncIterator[Tab]:
    """A browser that has opened the address that the command prints; it asks nobody else for anything."""
    process = stage.start("report", "film.yaml", "--serve")
    try:
        url = process.stderr.readline().removeprefix("the report is at ").partition(";")[0]
        async with browsing(stage.folder.parent / "browser") as tab:
            await tab.look(width=1280, height=900)
            await tab.go(url)
            await tab.until("document.querySelectorAll('.take').length === 3 && document.readyState === 'complete'")
            yield tab
            assert [asked for asked in tab.asked if not asked.startswith((url, "data:", "about:"))] == []
    finally:
        process.terminate()
        process.communicate(20)


async def press(tab: Tab, what: str) -> None:
    """A click of the mouse on the middle of it."""
    place = await tab.js(
        f"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();"
        f" return [r.x + r.width / 2, r.y + r.height / 2]; }})(document.querySelector({what!r}))"
    )
    for kind in ("mousePressed", "mouseReleased"):
        await tab.send("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)


def of(take: str, what: str = "") -> str:
    return f'[data-take="{take}"] {what}'.strip()


async def test_takes_are_chosen_rejected_and_written_and_what_comes_of_it_is_said(stage: Stage) -> None:
    picks = stage.folder / "film.picks.yaml"
    async with served(stage) as tab:
        assert await tab.until("document.querySelector('.still img').naturalWidth") > 100
        await press(tab, of("sea.2", "[data-do=pick]"))
        await press(tab, of("sea.2", ".why"))
        await tab.send("Input.insertText", text="the light")
        await tab.js(f"document.querySelector('{of('sea.1')}').focus()")
        await tab.key("x", "x")
        line = await tab.js("document.querySelector('#line').textContent")
        assert line == "1 to pick: sea.2 · 1 to reject: sea.1" and not picks.exists()
        await press(tab, "#write")
        await tab.until(f"document.querySelector('{of('sea.2')}').matches('.picked')")
        said = await tab.js("document.querySelector('#words').textContent")
        assert "picked sea.2 (clip" in said and "rejected sea.1" in said and "cuts film.mp4 anew" in said
        written = picks.read_text("utf-8")
        assert "sea: {take: 2, pipeline: draft, clip: " in written and 'note: "the light"' in written
        assert "the light" in await tab.js(f"document.querySelector('{of('sea.2')}').textContent")
        assert await tab.js(f"document.querySelector('{of('sea.1')}').matches('.rejected')")
        await press(tab, of("sea.2", "[data-do=unpick]"))
        await press(tab, "#write")
        await tab.until("!document.querySelector('.picked')")
        assert "sea: {take: 2" not in picks.read_text("utf-8")
        assert tab.told == []


async def test_what_others_do_comes_up_by_itself_and_leaves_what_is_being_chosen(stage: Stage) -> None:
    async with served(stage) as tab:
        await tab.js(f"document.querySelector('{of('sea.2')}').focus()")
        await tab.key("p", "p")
        await tab.js("window.here = true")  # gone, if the page were loaded anew
        assert stage.shotrunner("pick", "film.yaml", "hill").code == 0
        await tab.until(f"document.querySelector('{of('hill.1')}').matches('.picked')")
        assert await tab.js(f"window.here && document.activeElement.matches('{of('sea.2')}.chosen')")
        assert stage.shotrunner("pick", "film.yaml", "sea.1").code == 0
        await tab.until(f"document.querySelector('{of('sea.1')}').matches('.picked')")
        assert await tab.js(f"window.here && document.activeElement.matches('{of('sea.2')}.chosen')")
        stage.write("film.yaml", FILM.replace("dawn", "dusk"))
        assert stage.shotrunner("run", "film.yaml").code == 0
        await tab.until(f"document.querySelector('{of('sea.2')} del')?.textContent === 'dawn'")
        assert tab.told == []
        stage.write("film.yaml", FILM.replace("prompt", "promt"))
        await tab.until("document.querySelector('#words').textContent.includes('film.yaml:5')")
        stage.write("film.yaml", FILM)
        await tab.until("document.querySelector('#told').hidden && window.here")


async def test_the_clips_of_a_shot_play_side_by_side_and_are_chosen_there(stage: Stage) -> None:
    async with served(stage) as tab:
        await tab.js(f"document.querySelector('{of('sea.1')}').focus()")
        await tab.key("c", "c")
        await tab.until(
            "[...document.querySelectorAll('#clips video')].filter((v) => v.currentTime > 0.1).length === 2"
        )
        await tab.key("2", "2")
        assert await tab.js("[...document.querySelectorAll('#clips input')].map((box) => box.checked)") == [False, True]
        await tab.key("Escape")
        await tab.until("!document.querySelector('#side').open && !document.querySelector('#clips video')")
        assert await tab.js("document.querySelector('#line').textContent") == "1 to pick: sea.2"
        assert tab.told == []
