"""`report --serve`: what is chosen in the page is written as `pick` writes it, and never over what somebody else has written."""

import asyncio
import json
import re
import shutil
import signal
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from stage import Stage

from runner.adapters.report_server import serving
from runner.commands.choices import choosing, write
from runner.commands.options import Options
from runner.commands.scene import Scene
from runner.commands.serving import Show
from runner.core.diagnostics import Source
from runner.core.errors import Refused
from runner.screen.colour import Choice
from runner.screen.terminal import Terminal

FILM = """\
storyboard: 1
title: Sea & <sons>
defaults: {model: wan2.7-text-to-video, params: {duration: 2}}
shots:
  - {id: sea, prompt: The sea at dawn, takes: 2}
  - {id: hill, prompt: A hill}
"""
PICKS = "film.picks.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after its run."""
    stage = Stage(tmp_path_factory.mktemp("made"))
    (stage.folder / ".git").mkdir()
    stage.write("film.yaml", FILM)
    assert stage.shotrunner("run", "film.yaml").code == 0
    return stage.folder


@pytest.fixture
def stage(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage(tmp_path / "project")
    shutil.copytree(made, stage.folder)
    monkeypatch.chdir(stage.folder)
    return stage


@dataclass(slots=True, kw_only=True)
class Tab:
    """A page that somebody has open: what it shows, and what comes of pressing its button."""

    url: str
    session: aiohttp.ClientSession
    text: str = ""

    async def load(self) -> int:
        async with self.session.get(self.url) as answer:
            self.text = await answer.text()
            return answer.status

    def wish(self, do: str, take: str, note: str = "") -> dict[str, str]:
        """As the page's script makes it of what is shown."""
        mark = re.search(rf'data-variant="{take.rpartition(".")[0]}" data-mark="(\w*)"', self.text)
        clip = re.search(rf'data-take="{take}"[^>]*data-sha256="(\w+)"', self.text)
        assert mark
        return {"do": do, "take": take, "note": note, "mark": mark[1], "clip": clip[1] if clip else ""}

    async def write(self, *wishes: dict[str, str]) -> tuple[int, Any]:
        async with self.session.post(f"{self.url}picks", json={"takes": wishes}) as answer:
            return answer.status, await answer.json()

    async def file(self, name: str) -> bytes:
        async with self.session.get(f"{self.url}{name}") as answer:
            assert answer.status == 200, name
            return await answer.read()


@asynccontextmanager
async def opened(tabs: int = 1) -> AsyncIterator[list[Tab]]:
    terminal = Terminal(colour=Choice.NEVER, environ={}, quiet=1)
    show = Show(file=Path("film.yaml"), options=Options(), terminal=terminal)
    async with serving(show.source, port=0, log=terminal.alarm) as url, aiohttp.ClientSession() as session:
        found = [Tab(url=url, session=session) for _ in range(tabs)]
        for tab in found:
            assert await tab.load() == 200
        yield found


async def test_the_page_shows_the_run_and_gives_its_clips_posters_film_and_sheet(stage: Stage) -> None:
    async with opened() as [tab]:
        assert "Sea &amp; &lt;sons&gt;" in tab.text and "data:image/jpeg" not in tab.text
        out = stage.folder / "out/film/draft"
        for name in ("clips/sea.1.mp4", "clips/hill.1.mp4", "film.mp4"):
            assert await tab.file(name) == (out / name).read_bytes()
        posters = re.findall(r'src="(posters/\w+\.jpg)"', tab.text)
        assert len(posters) == 3 and all([(await tab.file(name))[:2] == b"\xff\xd8" for name in posters])
        assert (await tab.file("contact.png"))[:4] == b"\x89PNG"


async def test_what_is_written_is_what_pick_and_reject_would_have_written(stage: Stage, tmp_path: Path) -> None:
    other = Stage(tmp_path / "other")
    shutil.copytree(stage.folder, other.folder)
    before = "picks: 1\nshots:\n  # the storm is seen here\n  hill: {take: 1}   # so far\n"
    for one in (stage, other):
        one.write(PICKS, before)
    async with opened() as [tab]:
        status, told = await tab.write(
            tab.wish("pick", "sea.2", "the light"),
            tab.wish("reject", "sea.1", 'he blinks: "twice"'),
            tab.wish("unpick", "hill.1"),
        )
    assert status == 200, told
    said = [
        other.shotrunner(*words, "film.yaml", *more)
        for words, *more in (
            (("unpick",), "hill"),
            (("reject",), "sea.1", "--note", 'he blinks: "twice"'),
            (("pick",), "sea.2", "--note", "the light"),
        )
    ]
    assert (stage.folder / PICKS).read_text("utf-8") == (other.folder / PICKS).read_text("utf-8")
    assert "# the storm is seen here" in (stage.folder / PICKS).read_text("utf-8")
    assert [line for one in said for line in one.out.splitlines()] == told["lines"] and told["file"] == PICKS


async def test_it_says_what_the_next_run_makes_anew(stage: Stage) -> None:
    async with opened() as [tab]:
        assert (await tab.write(tab.wish("pick", "sea.2")))[1]["lines"][-1] == "the next run cuts film.mp4 anew"
        stage.write("film.yaml", FILM.replace("dawn", "dusk"))
        await tab.load()
        assert "keep: picked, prompt differs" in tab.text
        _, told = await tab.write(tab.wish("unpick", "sea.2"))
        assert any(line.startswith("the next run makes sea.2 anew") for line in told["lines"]), told


async def test_a_pick_of_another_tab_or_hand_is_not_written_over_before_it_was_seen(stage: Stage) -> None:
    async with opened(tabs=2) as [first, second]:
        assert (await first.write(first.wish("pick", "sea.1", "mine")))[0] == 200
        written = (stage.folder / PICKS).read_text("utf-8")
        status, told = await second.write(second.wish("pick", "sea.2"))
        assert status == 409 and "somebody else has picked or rejected takes of sea" in told["error"]
        assert (stage.folder / PICKS).read_text("utf-8") == written
        assert (await second.write(second.wish("pick", "hill.1")))[0] == 200  # of which nobody has said anything
        by_hand = (stage.folder / PICKS).read_text("utf-8").replace("mine", "by hand") + "# and a remark\n"
        stage.write(PICKS, by_hand)
        assert (await first.write(first.wish("unpick", "sea.1")))[0] == 409
        await second.load()
        assert (await second.write(second.wish("pick", "sea.2")))[0] == 200
        text = (stage.folder / PICKS).read_text("utf-8")
        assert "sea: {take: 2" in text and "hill: {take: 1" in text and "# and a remark" in text


def test_what_is_written_by_hand_while_a_choice_is_worked_out_stays(stage: Stage) -> None:
    by_hand = "picks: 1\nshots:\n  hill: {take: 1}\n"
    choose = choosing(["sea.2"], None, "")

    def slowly(scene: Scene, source: Source | None) -> tuple[str, list[str]]:
        stage.write(PICKS, by_hand)
        return choose(scene, source)

    with pytest.raises(Refused, match="changed by somebody else meanwhile"):
        write(Path("film.yaml"), Options(), slowly)
    assert (stage.folder / PICKS).read_text("utf-8") == by_hand


async def test_tabs_that_write_at_once_lose_nothing(stage: Stage) -> None:
    async with opened(tabs=2) as [first, second]:
        answers = await asyncio.gather(
            first.write(first.wish("pick", "sea.2")), second.write(second.wish("pick", "hill.1"))
        )
        assert [status for status, _ in answers] == [200, 200]
        text = (stage.folder / PICKS).read_text("utf-8")
        assert "sea: {take: 2" in text and "hill: {take: 1" in text


async def test_a_clip_that_is_not_the_one_that_is_shown_is_not_picked(stage: Stage) -> None:
    async with opened() as [tab]:
        stage.write("film.yaml", FILM.replace("dawn", "noon"))
        assert stage.shotrunner("run", "film.yaml").code == 0
        for do in ("pick", "reject"):
            status, told = await tab.write(tab.wish(do, "sea.2"))
            assert status == 409 and "sea.2 has another clip now" in told["error"], told
        assert not (stage.folder / PICKS).exists()
        await tab.load()
        assert "<del>dawn</del><ins>noon</ins>" in tab.text
        assert (await tab.write(tab.wish("pick", "sea.2")))[0] == 200


async def test_a_picks_file_that_is_broken_or_a_link_stays_as_it_is(stage: Stage) -> None:
    async with opened() as [tab]:
        stage.write(PICKS, "picks: 1\nshots:\n<<<<<<< ours\n")
        status, told = await tab.write(tab.wish("pick", "sea.2"))
        assert status == 409 and f"{PICKS}:3" in told["error"], told
        assert await tab.load() == 409 and f"{PICKS}:3" in tab.text and "<script>" not in tab.text
        (stage.folder / PICKS).unlink()
        await tab.load()
        target = stage.write("target.yaml", "picks: 1\n")
        (stage.folder / PICKS).symlink_to(target)
        status, told = await tab.write(tab.wish("pick", "sea.2"))
        assert status == 409 and "is a symbolic link" in told["error"]
        assert target.read_text("utf-8") == "picks: 1\n"


MEANINGLESS: tuple[object, ...] = (
    None,
    [],
    {},
    {"takes": []},
    {"takes": {}},
    {"takes": [None]},
    {"takes": [{}], "more": 1},
    {"takes": [{"do": "pick", "take": "sea.2"}]},
    {"takes": [{"do": "retake", "take": "sea.2", "clip": "", "mark": "", "note": ""}]},
    {"takes": [{"do": "pick", "take": 2, "clip": "", "mark": "", "note": ""}]},
    {"takes": [{"do": "pick", "take": "../sea", "clip": "", "mark": "", "note": ""}]},
    {"takes": [{"do": "pick", "take": "sea.2", "clip": "", "mark": "", "note": "x" * 2001}]},
    {"takes": [{"do": d, "take": "sea.2", "clip": "", "mark": "", "note": ""} for d in ("pick", "reject")]},
    {"takes": [{"do": "pick", "take": t, "clip": "", "mark": "", "note": ""} for t in ("sea.1", "sea.2")]},
)


async def test_wishes_that_nobody_can_mean_are_refused_and_write_nothing(stage: Stage) -> None:
    kind = {"Content-Type": "application/json"}
    async with opened() as [tab]:
        for told in MEANINGLESS:
            async with tab.session.post(f"{tab.url}picks", data=json.dumps(told), headers=kind) as answer:
                assert answer.status == 400 and (await answer.json())["error"], told
        status, said = await tab.write({"do": "pick", "take": "see.9", "clip": "", "mark": "", "note": ""})
        assert status == 409 and "there is no take `see.9`" in said["error"]
        assert not (stage.folder / PICKS).exists()


async def test_notes_of_strangers_stay_words(stage: Stage) -> None:
    note = "</p><script>alert(1)</script> \u202e }\n- x: {y"
    async with opened() as [tab]:
        assert (await tab.write(tab.wish("reject", "sea.1", note)))[0] == 200
        await tab.load()
        assert "alert(1)&lt;/script&gt;" in tab.text and "\u202e" not in tab.text
    assert stage.shotrunner("validate", "film.yaml").code == 0


async def test_clips_that_a_run_has_not_brought_to_the_out_folder_yet_are_shown_too(stage: Stage) -> None:
    """As a run under way, or one that was killed, leaves the manifest."""
    out = stage.folder / "out/film/draft"
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    for take in manifest["takes"]:
        take.update(clip=None, status="waiting" if take["id"] == "sea.1" else take["status"])
    async with opened() as [tab]:
        async with tab.session.get(f"{tab.url}now") as answer:
            before = await answer.json()
        (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        bytes_ = (out / "clips/sea.1.mp4").read_bytes()
        shutil.rmtree(out / "clips")
        async with tab.session.get(f"{tab.url}now") as answer:
            assert await answer.json() != before
        await tab.load()
        assert 'data-take="sea.1" data-status="done"' in tab.text
        assert await tab.file("clips/sea.1.mp4") == bytes_
        assert (await tab.write(tab.wish("pick", "sea.1")))[0] == 200


async def test_a_manifest_that_somebody_wrote_leads_nowhere_else(stage: Stage) -> None:
    out = stage.folder / "out/film/draft"
    text = (out / "manifest.json").read_text("utf-8")
    (out / "link.mp4").symlink_to(stage.folder / "film.yaml")
    for path in ("../../../film.yaml", "/etc/passwd", "link.mp4"):
        (out / "manifest.json").write_text(
            text.replace("clips/sea.1.mp4", path).replace('"output": "film.mp4"', f'"output": "{path}"'), "utf-8"
        )
        async with opened() as [tab]:
            for name in (path, path.lstrip("/"), path.replace("/", "%2f"), "film.yaml"):
                async with tab.session.get(f"{tab.url}{name}") as answer:
                    assert answer.status in (403, 404), name


def written(project: Path) -> dict[Path, int]:
    """When each file was written last that is not kept for ourselves."""
    state = project / ".shotrunner"
    return {
        path: path.stat().st_mtime_ns for path in project.rglob("*") if path.is_file() and state not in path.parents
    }


def test_the_command_tells_its_address_serves_there_alone_and_ends_at_ctrl_c(stage: Stage) -> None:
    key = "sk-evo-never-shown-0123456789"
    before = written(stage.folder)
    process = stage.start("report", "film.yaml", "--serve", EVOLINK_API_KEY=key)
    line = process.stderr.readline()
    found = re.fullmatch(r"the report is at (http://127\.0\.0\.1:(\d+)/[\w-]{32}/); Ctrl-C ends it\n", line)
    assert found, line
    with urllib.request.urlopen(found[1], timeout=20) as answer:
        assert answer.status == 200 and key not in answer.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://127.0.0.1:{found[2]}/", timeout=20)
    taken = stage.shotrunner("report", "film.yaml", "--serve", "--port", found[2])
    assert taken.code == 2 and f"cannot serve at 127.0.0.1:{found[2]}" in taken.err, taken
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(20)
    assert (process.returncode, out, err) == (0, "", "stopped\n")
    assert written(stage.folder) == before


def test_options_that_do_not_go_with_it_and_a_film_without_a_run_are_refused(stage: Stage) -> None:
    for words, says in (
        (("--serve", "-o", "x.html"), "writes no page"),
        (("--serve", "--sheet", "x.png"), "writes no page"),
        (("--port", "8000"), "--port goes with --serve"),
        (("--serve", "--pipeline", "clips"), "there is no run of film.yaml under pipeline clips"),
    ):
        ended = stage.shotrunner("report", "film.yaml", *words)
        assert ended.code == 2 and says in ended.err, ended
    assert not [path for path in stage.folder.iterdir() if path.name.startswith("x.")]
