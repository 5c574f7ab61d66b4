"""A film whose shots are made from one another, killed where a test says: who is made from whom must hold whatever happened."""

import hashlib
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crashes import PLACES, Books, Theatre, digest, half_written, invoiced, nothing_bought_twice, place_of
from stage import KEY
from standins import stand_in

from runner.emulator.order import BadMedia, Order
from runner.emulator.script import Fail

FILM = """\
storyboard: 1
title: Shots made from one another
pipeline: paid
defaults:
  model: wan2.6-image-to-video-flash
  params: {quality: 720p, duration: 2, aspect_ratio: 16:9}
shots:
  - {id: sea, model: wan2.7-text-to-video, prompt: The sea, takes: 2}
  - {id: ship, prompt: A ship, image: {shot: sea, frame: last}, params: {duration: 5}}
  - {id: walk, model: wan2.6-reference-video-flash, prompt: character1 walks, videos: [{shot: ship}]}
  - {id: boat, prompt: A ship, image: {shot: sea, frame: last}, params: {duration: 5}, title: the request of `ship`}
  - {id: hill, model: wan2.5-text-to-video, prompt: A hill that never comes, params: {duration: 5}}
  - {id: slope, prompt: A slope, image: {shot: hill, frame: first}}
  - {id: foot, model: wan2.6-reference-video-flash, prompt: character1 at its foot, videos: [{shot: slope}]}
"""
PICKS = "picks: 1\nshots:\n  sea: {take: 2}\n"
PIPELINE = """\
pipeline: 1
title: Everything a paid run can do, step by step
provider: {name: evolink, concurrency: 2}
budget: 500
steps:
  - generate: {retries: 1}
  - assemble: {output: film.mp4, missing: slate}
  - timeline: {output: film.otio}
  - exec: {command: [cp, film.mp4, copy.mp4], outputs: [copy.mp4]}
  - report: {output: index.html}
"""
MADE = ("sea.1", "sea.2", "ship.1", "walk.1", "boat.1")
REQUESTS = 4  # that come to a clip: `boat` is the request of `ship`
NEVER = {"hill.1": "failed", "slope.1": "blocked", "foot.1": "blocked"}
POLLS = 12
STOPS = (signal.SIGINT, signal.SIGTERM)


def linked(order: Order, target: Path) -> None:
    """A stand-in of half the width and height whose bytes tell what it was made from; the hill never comes to be."""
    if "never" in order.prompt:
        raise BadMedia("there is no such hill")
    stand_in(replace(order, width_px=order.width_px // 4 * 2, height_px=order.height_px // 4 * 2), target)
    told = hashlib.sha256()
    for medium in (*([order.image] if order.image else []), *order.videos):
        told.update(hashlib.sha256(medium.read_bytes()).digest())
    with target.open("ab") as clip:
        clip.write((8 + told.digest_size).to_bytes(4, "big") + b"free" + told.digest())


class Chained(Theatre):
    """Parent, child and grandchild on three models; a pick among the parent's takes; a chain whose parent fails for good, and a
    parent that fails in passing."""

    places = (*PLACES, "cut")
    whole = 1  # the hill never comes
    ends = (
        1,
        4,
        -signal.SIGKILL,
        -signal.SIGTERM,
        *(128 + stop for stop in STOPS),
    )  # before anything is bought it just dies
    mishaps = (Fail(task=2, code="service_unavailable", message="try again later"),)
    render = staticmethod(linked)

    def begin(self) -> None:
        self.stage.write("film.yaml", FILM)
        self.stage.write("film.picks.yaml", PICKS)
        self.stage.write("pipelines/paid.yaml", PIPELINE)

    @property
    def _words(self) -> tuple[str, ...]:
        return ("run", "film.yaml", "--allow-exec", *self._places)

    def finish(self) -> None:
        """Run again until all is there that can be, each exit code as it is documented."""
        ended = self.settled()
        if self._of("failed") - NEVER.keys():  # killed between a parent's failure and its second purchase
            self.told.retried += 1
            ended = self.play("--retry", "sea")
        assert ended.code == 1, ended
        bought = self.api.bought()
        again = self.play()
        assert again.code == 1 and self.api.bought() == bought, again

    def check(self) -> None:
        """Each bought once, from the clip of the parent that was picked; the same clips and films as in every other run."""
        nothing_bought_twice(self.stage, self.api)
        assert Books.of(self.stage).ledger == invoiced(self.api)
        lines = self.api.invoice
        assert Counter(line.status for line in lines)["completed"] == REQUESTS, lines
        hills = [line.model.startswith("wan2.5") for line in lines]
        assert 1 <= sum(hills) <= 1 + hills[1], lines  # an end is an end; but the second task fails in passing
        manifest = self.stage.manifest(pipeline="paid")
        takes = {take["id"]: take for take in manifest["takes"]}
        assert {name: take["status"] for name, take in takes.items()} == {**dict.fromkeys(MADE, "done"), **NEVER}
        clips = {name: takes[name]["clip"]["sha256"] for name in MADE}
        self._lineage(takes, clips)
        out, state = self.stage.folder / "out/film/paid", self.stage.folder / ".shotrunner"
        for name in MADE:
            stored = state / "clips" / clips[name][:2] / f"{clips[name]}.mp4"
            assert digest(out / takes[name]["clip"]["path"]) == clips[name] == digest(stored), name
        assert [(step["step"], step["status"]) for step in manifest["steps"]] == [
            (name, "done") for name in ("assemble", "timeline", "exec", "report")
        ], manifest["steps"]
        for step in manifest["steps"][:2]:
            assert digest(out / step["output"]) == step["sha256"], step
        assert digest(out / "copy.mp4") == digest(out / "film.mp4")
        left = [*half_written(self.stage.folder), *map(str, (state / "parts").glob("*"))]
        assert not left, left
        self.told.finals.add(repr((sorted(clips.items()), digest(out / "film.mp4"))))
        self.told.tasks += len(lines)

    def _lineage(self, takes: dict[str, dict[str, Any]], clips: dict[str, str]) -> None:
        for name in ("ship.1", "boat.1"):
            assert takes[name]["request"]["image_urls"] == [f"frame:last@{clips['sea.2']}"], name
            assert takes[name]["references"][0]["parent"]["take"] == "sea.2"
        assert takes["walk.1"]["request"]["video_urls"] == [f"sha256:{clips['ship.1']}"]
        assert clips["boat.1"] == clips["ship.1"]

    def _of(self, status: str) -> set[str]:
        return {name for name, found in self.stage.statuses("paid").items() if found == status}


class PlannedChain(Chained):
    """The same, carried out by a saved plan."""

    def begin(self) -> None:
        super().begin()
        self.save_plan()

    @property
    def _words(self) -> tuple[str, ...]:
        return ("run", "--plan", "plan.json", "--allow-exec", *self._places)

    def finish(self) -> None:
        """Carry the plan out until it is finished; what ended without a clip in passing is bought again without it."""
        ended = self.settled()
        if ended.code != 2:  # killed behind its last word it was finished already
            assert ended.code == 1 and "is finished" in ended.err, ended
            ended = self.play()
        assert ended.code == 2 and "was finished at" in ended.err, ended
        plain = ("run", "film.yaml", "--allow-exec", *self._places)
        if self._of("failed") - NEVER.keys():
            self.told.retried += 1
            plain = (*plain, "--retry", "sea")
        ended = self.stage.shotrunner(*plain, EVOLINK_API_KEY=KEY)
        assert ended.code == 1, ended


def moments(points: Sequence[str]) -> list[str]:
    """The points but those that change nothing which a run could see: around a sync, and around most of the polls."""
    places = ((point, *point.replace(".", "#").split("#")) for point in points)
    return [point for point, place, _, number in places if place != "sync" and (place != "ask" or int(number) <= POLLS)]


def between(points: Sequence[str]) -> list[str]:
    """The points from a parent's clip to its child's receipt."""
    cut = points.index("cut.before#1")
    sent = next(n for n in range(cut, len(points)) if place_of(points[n]) == "submit.after")
    return moments(points[cut - 8 : sent + 6])


def at(number: signal.Signals, point: str) -> str:
    """That the run is sent a signal there, and not killed."""
    return f"{number.name}@{point}"
