"""From draft to final: what was approved below is made, or kept, above, and each clip is bought once."""

import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest
from stage import KEY, PaidService, Stage, paid

from runner.commands import diff, pick, plan, report, run, status, why
from runner.commands.options import Options
from runner.core.diagnostics import Rejected
from runner.core.errors import Exit, Refused
from runner.core.money import ZERO, Budget
from runner.emulator.script import Hold
from runner.screen.colour import Choice
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal

SEEDLESS = "wan2.5-text-to-video"
FILM = """\
storyboard: 1
seed: 7
defaults: {model: wan2.7-text-to-video, params: {duration: 2, quality: 720p}}
shots:
  - id: sea
    prompt: The sea at dawn
    takes: 2
  - id: boat
    model: wan2.5-text-to-video
    params: {duration: 5}
    prompt: A boat
    takes: 2
  - id: ship
    model: wan2.6-image-to-video-flash
    prompt: A ship
    image: {shot: boat, frame: last}
"""
ROUGH = """\
pipeline: 1
provider: evolink
override: {wan2.5-text-to-video: {quality: 480p}, wan2.7-text-to-video: {duration: 3}}
steps: [{generate: {}}]
"""
FINE = """\
pipeline: 1
provider: evolink
override: {wan2.6-image-to-video-flash: {quality: 1080p}, wan2.7-text-to-video: {duration: 2}}
steps: [{generate: {takes: picked}}]
"""
FILE = Path("film.yaml")


@dataclass(slots=True)
class Here:
    """Commands in this process, in the folder of a project, at a service that is paid."""

    api: PaidService
    folder: Path
    said: io.StringIO = field(default_factory=io.StringIO)

    def options(self, pipeline: str, **more: Any) -> Options:
        return Options(
            pipeline=pipeline,
            base_url=self.api.base_url,
            budget=Budget(amount=ZERO + 500),
            poll_interval_s=0.05,
            **more,
        )

    def terminal(self) -> Terminal:
        self.said = io.StringIO()
        return Terminal(colour=Choice.NEVER, environ={}, out=self.said, err=io.StringIO())

    def run(self, pipeline: str, **more: Any) -> Exit:
        return run.run(FILE, self.options(pipeline, **more), Format.TEXT, self.terminal())

    def plan(self, pipeline: str, **more: Any) -> dict[str, Any]:
        plan.plan(FILE, self.options(pipeline, **more), Format.JSON, self.terminal())
        return {take["take"]: take for take in json.loads(self.said.getvalue())["takes"]}

    def acts(self, pipeline: str, **more: Any) -> dict[str, str]:
        return {name: take["action"] for name, take in self.plan(pipeline, **more).items()}

    def pick(self, pipeline: str, *takes: str, clip: str | None = None) -> str:
        options = Options(pipeline=pipeline) if pipeline == "draft" else self.options(pipeline)
        pick.pick(FILE, takes, clip, "", options, self.terminal())
        return self.said.getvalue()

    def retake(self, pipeline: str, *shots: str) -> str:
        pick.retake(FILE, shots, self.options(pipeline), self.terminal())
        return self.said.getvalue()

    def takes(self, pipeline: str) -> dict[str, Any]:
        manifest = json.loads((self.folder / "out/film" / pipeline / "manifest.json").read_text())
        return {take["id"]: take for take in manifest["takes"]}

    def bought(self) -> list[tuple[str, str]]:
        """Model and price of each purchase on the service's invoice."""
        return [(line.model, str(line.charged)) for line in self.api.invoice]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    folder = tmp_path / "project"
    (folder / "pipelines").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name, text in (("film.yaml", FILM), ("pipelines/rough.yaml", ROUGH), ("pipelines/fine.yaml", FINE)):
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("EVOLINK_API_KEY", KEY)
    with paid(tmp_path / "service") as api:
        yield Here(api, folder)


def edit(here: Here, old: str, new: str) -> None:
    text = (here.folder / "film.yaml").read_text()
    assert old in text
    (here.folder / "film.yaml").write_text(text.replace(old, new))


def test_what_was_picked_below_is_made_with_its_seed_or_kept_and_each_clip_is_bought_once(here: Here) -> None:
    assert here.run("fine") is Exit.INCOMPLETE
    assert here.bought() == []  # nothing is picked, so nothing is bought
    assert here.acts("fine") == {
        "sea.1": "block",
        "sea.2": "skip",
        "boat.1": "block",
        "boat.2": "skip",
        "ship.1": "block",
    }
    assert here.acts("fine", unpicked=True) == {
        "sea.1": "buy", "sea.2": "skip", "boat.1": "buy", "boat.2": "skip", "ship.1": "buy"
    }  # fmt: skip

    assert here.run("rough", unpicked=True) is Exit.DONE
    here.pick("rough", "sea.2", "boat.2")
    assert here.run("rough") is Exit.DONE  # the ship is made anew, from the boat that was picked
    here.pick("rough", "ship.1")
    rough = here.takes("rough")
    before = len(here.bought())

    told = here.plan("fine")
    assert {name: take["action"] for name, take in told.items()} == {
        "sea.1": "skip", "sea.2": "buy", "boat.1": "skip", "boat.2": "keep", "ship.1": "keep"
    }  # fmt: skip
    assert "picked in rough, made with the same seed (8, best effort)" in told["sea.2"]["reason"]
    assert f"picked in rough; {SEEDLESS} has no seed, fine would be another clip" in told["boat.2"]["reason"]
    assert here.run("fine") is Exit.DONE
    assert here.bought()[before:] == [("wan2.7-text-to-video", "10.88")]
    fine = here.takes("fine")
    assert fine["sea.2"]["request"]["seed"] == rough["sea.2"]["request"]["seed"] == 8
    assert fine["boat.2"]["clip"]["sha256"] == rough["boat.2"]["clip"]["sha256"]
    assert fine["ship.1"]["clip"]["sha256"] == rough["ship.1"]["clip"]["sha256"]
    assert [fine[name]["status"] for name in ("sea.1", "boat.1")] == ["skipped"] * 2
    assert fine["boat.2"]["cost"]["estimated"] == rough["boat.2"]["cost"]["estimated"]

    assert here.run("fine") is Exit.DONE
    assert here.run("rough") is Exit.DONE
    assert len(here.bought()) == before + 1
    why.why(FILE, "boat.2", here.options("fine"), Format.TEXT, here.terminal())
    assert "boat.2: keep, picked in rough" in here.said.getvalue()
    report.report(FILE, None, None, here.options("fine"), here.terminal())
    page = (here.folder / "out/film/fine/index.html").read_text()
    assert 'data-take="boat.2"' in page and 'data-take="boat.1"' not in page
    assert f'data-pick="shotrunner pick film.yaml --pipeline fine --base-url {here.api.base_url}"' in page


def test_a_later_pick_takes_nothing_from_what_was_picked_elsewhere(here: Here) -> None:
    edit(here, FILM[FILM.index("  - id: ship") :], "")
    assert here.run("rough", unpicked=True) is Exit.DONE
    here.pick("rough", "sea.2", "boat.2")
    assert "no clip of it under draft" in here.pick("draft", "boat.2")
    assert "of rough" not in here.said.getvalue()  # that one is picked already
    said = here.pick("draft", "sea.1")
    assert (
        f"its clip {here.takes('rough')['sea.1']['clip']['sha256'][:12]} of rough is picked by --pipeline rough" in said
    )
    here.pick("rough", "sea.2")
    assert here.run("fine") is Exit.DONE
    # Before it has a clip of its own, this pipeline never takes the one of other settings for it.
    assert "clip" in here.pick("fine", "sea.2")
    assert here.takes("fine")["sea.2"]["clip"]["sha256"][:12] in here.said.getvalue()
    bought = here.bought()
    edit(here, "dawn", "dusk")
    edit(here, "A boat", "A red boat")
    for pipeline in ("rough", "fine"):
        told = here.plan(pipeline)
        assert (told["sea.2"]["action"], told["boat.2"]["action"]) == ("keep", "keep")
        assert "prompt differs film.yaml:6" in told["sea.2"]["reason"]
        assert "prompt differs film.yaml:11" in told["boat.2"]["reason"]
    assert here.run("fine") is Exit.DONE
    assert here.bought() == bought

    # `retake` here lets go of both, and of nothing that others stand at.
    said = here.retake("fine", "boat")
    assert "the next run makes boat.2 anew: 25.50 credits" in said and "another clip" in said
    assert here.acts("fine")["boat.2"] == "buy"
    here.pick("rough", "boat.2")
    assert here.acts("fine")["boat.2"] == here.acts("rough")["boat.2"] == "keep"
    assert here.pick("rough", "boat.1").startswith("picked boat.1") and here.acts("fine")["boat.2"] == "skip"


def test_before_it_was_made_here_a_pick_names_no_clip_of_other_settings(here: Here) -> None:
    edit(here, FILM[FILM.index("  - id: boat") :], "")
    assert here.run("rough") is Exit.DONE
    assert "no clip of it under fine yet" in here.pick("fine", "sea.2")
    assert here.acts("fine") == {"sea.1": "skip", "sea.2": "buy"}


def test_seedless_make_buys_another_clip_and_says_so_first(here: Here) -> None:
    edit(here, FILM[FILM.index("  - id: ship") :], "")
    (here.folder / "pipelines/fine.yaml").write_text(FINE.replace("takes: picked", "takes: picked, seedless: make"))
    assert here.run("rough") is Exit.DONE
    here.pick("rough", "sea.1", "boat.1")
    told = here.plan("fine")["boat.1"]
    assert told["action"] == "buy"
    assert f"picked in rough, and {SEEDLESS} has no seed: another clip than that one" in told["reason"]
    assert here.run("fine") is Exit.DONE
    # What was bought stays: a pipeline that keeps would not leave it for the one below.
    (here.folder / "pipelines/fine.yaml").write_text(FINE)
    assert here.acts("fine")["boat.1"] == "reuse"


def test_a_clip_of_the_drawing_service_is_never_a_paid_pipelines_own(here: Here) -> None:
    edit(here, FILM[FILM.index("  - id: ship") :], "")
    edit(here, "    takes: 2\n", "")
    draft = Options(pipeline="cards", poll_interval_s=0.05)
    (here.folder / "pipelines/cards.yaml").write_text("pipeline: 1\nprovider: animatic\nsteps: [{generate: {}}]\n")
    assert run.run(FILE, draft, Format.TEXT, here.terminal()) is Exit.DONE
    pick.pick(FILE, ["boat.1"], None, "", draft, here.terminal())
    told = here.plan("fine")["boat.1"]
    assert told["action"] == "buy" and "picked in cards, whose clip is of animatic/" in told["reason"]
    with_clip = here.pick("rough", "boat.1")
    assert "no clip of it under rough yet" in with_clip


def test_a_saved_plan_is_stale_once_another_take_was_picked(here: Here) -> None:
    edit(here, FILM[FILM.index("  - id: boat") :], "")
    here.pick("fine", "sea.2")
    saved, told = Path("p.json"), here.options("fine")
    plan.plan(FILE, told, Format.TEXT, here.terminal(), save_as=saved)
    here.pick("fine", "sea.1")
    bare = Options(base_url=told.base_url, budget=told.budget, poll_interval_s=0.05)
    with pytest.raises(Refused, match="stale: 2 things changed"):
        run.run_plan(saved, FILE, bare, Format.TEXT, here.terminal())
    assert here.bought() == []
    here.pick("fine", "sea.2")
    assert run.run_plan(saved, FILE, bare, Format.TEXT, here.terminal()) is Exit.DONE
    assert len(here.bought()) == 1
    assert here.takes("fine")["sea.2"]["status"] == "done"


def test_diff_counts_what_the_pipeline_makes_and_leaves_out_what_is_kept(here: Here) -> None:
    edit(here, FILM[FILM.index("  - id: ship") :], "")
    picked = f"{{take: 2, pipeline: rough, clip: {'3f' * 32}}}"
    picks = f"picks: 1\nshots:\n  sea: {picked}\n  boat: {picked}\n"
    (here.folder / "film.picks.yaml").write_text(picks)
    (here.folder / "next.yaml").write_text((here.folder / "film.yaml").read_text().replace("A boat", "A red boat"))
    (here.folder / "next.picks.yaml").write_text(picks)
    diff.diff(
        "film.yaml", "next.yaml", Options(pipeline="fine", base_url=here.api.base_url), Format.JSON, here.terminal()
    )
    found = json.loads(here.said.getvalue())
    assert (found["old"]["takes"], found["new"]["takes"]) == (2, 2)
    assert [(take["take"], take["price"]) for take in found["takes"]] == [("boat.2", "0")]
    assert found["to_buy"]["requests"] == 0


BOAT_FIRST = """\
storyboard: 1
shots:
  - {id: boat, model: wan2.5-text-to-video, prompt: A boat, params: {duration: 5}, trim: {out: 0.5}}
  - {id: sea, model: wan2.7-text-to-video, prompt: The sea, params: {duration: 2, quality: 720p}, trim: {out: 0.5}}
"""
ONE_BOAT = (
    FILM[: FILM.index("  - id: sea")]
    + "  - {id: boat, model: wan2.5-text-to-video, prompt: A boat, params: {duration: 5}}\n"
)
FILES = ("film.yaml", "film.picks.yaml", "pipelines/rough.yaml", "pipelines/fine.yaml")


def test_on_another_machine_the_kept_clip_is_fetched_for_nothing_or_called_missing(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "project")
    stage.write("film.yaml", BOAT_FIRST)
    stage.write("pipelines/rough.yaml", ROUGH.replace("duration: 3", "duration: 2"))
    steps = "[{generate: {takes: picked}}, {assemble: {output: film.mp4}}, {timeline: {}}]"
    stage.write("pipelines/fine.yaml", FINE.replace("[{generate: {takes: picked}}]", steps))
    with paid(tmp_path / "service") as api:
        at = ("--base-url", api.base_url)
        words = (*at, "--budget", "500", "--poll-interval", "0.05")
        first = stage.shotrunner("run", "film.yaml", "--pipeline", "rough", *words, EVOLINK_API_KEY=KEY)
        assert first.code == 0, first
        assert stage.shotrunner("pick", "film.yaml", "boat.1", "sea.1", "--pipeline", "rough", *at).code == 0

        other = copied(stage, tmp_path / "other", *FILES, "film.lock.json")
        ended = other.shotrunner("run", "film.yaml", "--pipeline", "fine", *words, EVOLINK_API_KEY=KEY)
        assert ended.code == 0 and "cost      nothing" in ended.out, ended
        clip = other.manifest(pipeline="fine")["takes"][0]["clip"]
        assert (clip["width_px"], clip["height_px"]) == (832, 480)
        with av.open(str(other.folder / "out/film/fine/film.mp4")) as film:  # as large as the pipeline makes it
            assert (film.streams.video[0].width, film.streams.video[0].height) == (1280, 720)
        timeline = json.loads((other.folder / "out/film/fine/film.otio").read_text())
        assert timeline["metadata"]["shotrunner"]["width_px"] == 1280
        assert other.shotrunner("audit", "out/film/fine/manifest.json").code == 0

        third = copied(stage, tmp_path / "third", *FILES)
        ended = third.shotrunner("run", "film.yaml", "--pipeline", "fine", *words, EVOLINK_API_KEY=KEY)
        assert ended.code == 1 and "nothing is known here of its clip" in ended.out, ended
        assert third.statuses("fine") == {"boat.1": "missing", "sea.1": "done"}
        assert api.bought() == 2


def lose_the_clips_and_let_the_service_pack_its_own_anew(here: Here) -> None:
    shutil.rmtree(here.folder / ".shotrunner/clips")
    shutil.rmtree(here.folder / "out")
    for clip in (here.folder.parent / "service").rglob("*.mp4"):
        with clip.open("ab") as file:
            file.write((16).to_bytes(4, "big") + b"free" + b"anew....")


def test_a_pick_stays_known_however_often_its_clip_is_fetched_again_with_other_bytes(here: Here) -> None:
    (here.folder / "film.yaml").write_text(ONE_BOAT, encoding="utf-8")
    assert here.run("rough") is Exit.DONE
    fetched = [here.takes("rough")["boat.1"]["clip"]["sha256"]]
    here.pick("rough", "boat.1")
    for _ in range(2):
        lose_the_clips_and_let_the_service_pack_its_own_anew(here)
        assert here.run("rough") is Exit.DONE
        fetched.append(here.takes("rough")["boat.1"]["clip"]["sha256"])
        if len(fetched) == 2:
            here.pick("rough", "boat.1")
    assert len({*fetched}) == 3
    picks = (here.folder / "film.picks.yaml").read_text()
    assert fetched[1] in picks and fetched[0] not in picks
    assert here.acts("fine") == {"boat.1": "keep"}
    lock = here.folder / "film.lock.json"  # a colleague got other bytes again, and picked those
    lock.write_text(lock.read_text().replace('"earlier":[', f'"earlier":["{"e" * 64}",'), encoding="utf-8")
    (here.folder / "film.picks.yaml").write_text(picks.replace(fetched[1], "e" * 64), encoding="utf-8")
    assert here.acts("fine") == {"boat.1": "keep"}
    assert here.run("rough") is Exit.DONE
    assert "e" * 64 in lock.read_text()
    assert here.acts("fine") == {"boat.1": "keep"}
    shutil.rmtree(here.folder / ".shotrunner")  # another machine has the lock in git alone
    assert "nothing is known here" not in here.plan("fine")["boat.1"]["reason"]
    assert here.run("fine") is Exit.DONE
    assert here.acts("fine") == {"boat.1": "keep"}
    assert len(here.bought()) == 1


CONFLICT = "picks: 1\nshots:\n<<<<<<< ours\n  boat: {take: 2}\n=======\n  boat: {take: 1}\n>>>>>>> theirs\n"


@pytest.mark.parametrize("broken", [CONFLICT, "picks: [\n", "picks: 2\nshots: 7\n"])
@pytest.mark.parametrize("pipeline", ["rough", "fine"])
def test_what_is_paid_is_fetched_whatever_became_of_the_picks(here: Here, broken: str, pipeline: str) -> None:
    (here.folder / "film.yaml").write_text(FILM[: FILM.index("  - id: ship")], encoding="utf-8")
    with paid(here.folder.parent / "slow", Hold(task=4, seconds=3600)) as api:
        there = Here(api, here.folder)
        assert there.run("rough", deadline_s=0.5) is Exit.REMAINS
        picks = here.folder / "film.picks.yaml"
        picks.write_text(broken, encoding="utf-8")
        api.advance(7200)
        with pytest.raises(Rejected):
            there.run(pipeline)
        assert status.status(FILE, None, Format.TEXT, there.terminal()) is Exit.REMAINS
        terminal = there.terminal()
        assert run.run(FILE, there.options(pipeline, collecting=True), Format.TEXT, terminal) is Exit.DONE
        said = terminal.err_stream.getvalue()  # type: ignore[attr-defined]
        assert "film.picks.yaml:" in said and "collect goes on without picks" in said
        assert status.status(FILE, None, Format.TEXT, there.terminal()) is Exit.DONE
        assert picks.read_text(encoding="utf-8") == broken
        picks.unlink()
        assert set(there.acts("rough").values()) == {"reuse"}
        assert len(there.bought()) == 4


@pytest.mark.parametrize("pipeline", ["draft", "rough", "clips"])
def test_a_clip_that_is_not_the_one_that_was_picked_is_told_and_nothing_is_bought_for_it(
    here: Here, pipeline: str
) -> None:
    (here.folder / "film.yaml").write_text(ONE_BOAT, encoding="utf-8")
    options = here.options(pipeline, provider="evolink") if pipeline == "clips" else here.options(pipeline)
    if pipeline == "draft":
        options = Options(pipeline="draft")
    assert run.run(FILE, options, Format.TEXT, here.terminal()) is Exit.DONE
    pick.pick(FILE, ("boat.1",), None, "", options, here.terminal())
    bought, picks = len(here.bought()), here.folder / "film.picks.yaml"

    def told() -> str:
        plan.plan(FILE, options, Format.JSON, here.terminal())
        [take] = json.loads(here.said.getvalue())["takes"]
        assert take["action"] == "reuse"
        return str(take["reason"])

    assert "picked at clip" not in told()
    picks.write_text(re.sub(r"clip: \w{64}", f"clip: {'0' * 64}", picks.read_text()), encoding="utf-8")
    assert "picked at clip 000000000000, and this is another one" in told()
    terminal = here.terminal()
    assert run.run(FILE, options, Format.TEXT, terminal) is Exit.DONE
    assert "boat.1: picked at clip 000000000000" in terminal.err_stream.getvalue()  # type: ignore[attr-defined]
    assert len(here.bought()) == bought


def test_the_sum_with_buy_missing_is_what_the_plan_with_buy_missing_says(here: Here) -> None:
    assert here.run("rough", unpicked=True) is Exit.DONE
    shutil.rmtree(here.folder / ".shotrunner")
    shutil.rmtree(here.folder / "out")
    edit(here, "prompt: A ship", "prompt: A white ship")

    def said(**more: Any) -> str:
        plan.plan(FILE, here.options("rough", unpicked=True, **more), Format.TEXT, here.terminal())
        return here.said.getvalue()

    without = re.search(r"with --buy-missing ([\d.]+) credits", said())
    bought = re.search(r"to buy: ([\d.]+) credits", said(buy_missing=True))
    assert without and bought and without[1] == bought[1]
    assert here.acts("rough", unpicked=True)["ship.1"] == "block"
    (here.folder / "film.lock.json").unlink()
    assert "--buy-missing" not in said()


def copied(stage: Stage, folder: Path, *names: str) -> Stage:
    other = Stage(folder)
    (folder / ".git").mkdir(parents=True)
    for name in names:
        other.write(name, (stage.folder / name).read_text())
    return other
