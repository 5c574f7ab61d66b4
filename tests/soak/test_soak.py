"""What takes too long for every day: a kill at each point of a whole run, and 2,000 takes at a service in foul weather."""

import random
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crashes import (
    Books,
    Planned,
    Told,
    census,
    digest,
    half_written,
    invoiced,
    nothing_bought_twice,
    place_of,
    sample,
    settle,
    sweep,
    theatre,
    unknown,
)
from stage import KEY, QUICK, PaidService, Stage, paid
from standins import stand_in

from runner.emulator.mishaps import Download, Drop, DropPoll, Fail, Hold, Poll, Reply, Spoiled, Stall, Word
from runner.emulator.order import Order
from runner.emulator.script import Script

LEAST_POINTS = 200
TAKES = 2000
PAIRS = 60
SEED = 20261


def test_a_run_killed_at_every_point_and_run_again_buys_nothing_twice_and_misses_nothing(tmp_path: Path) -> None:
    points = census(tmp_path / "census")
    assert len(points) >= LEAST_POINTS
    told = sweep([[point] for point in points], tmp_path)
    print(told)
    assert told.points == len(points)


def test_a_saved_plan_killed_at_every_point_is_resumed_and_is_carried_out_once(tmp_path: Path) -> None:
    points = census(tmp_path / "census", Planned)
    told = sweep([[point] for point in points], tmp_path, Planned)
    print(told)
    assert told.points == len(points)


def test_a_run_killed_twice_and_run_again_buys_nothing_twice_and_misses_nothing(tmp_path: Path) -> None:
    points = census(tmp_path / "census")
    first, second = (sample(points, PAIRS, seed) for seed in (SEED, SEED + 1))
    told = sweep(zip(first, second, strict=True), tmp_path)  # the second run may be over before it is killed
    print(told)
    assert told.points == PAIRS


def test_a_reconcile_killed_anywhere_has_decided_or_has_not(tmp_path: Path) -> None:
    _, points = attached_until("-", tmp_path / "census")
    assert {place_of(point) for point in points} >= {"commit.before", "commit.after", "ask.before"}
    decided = [attached_until(point, tmp_path / str(number))[0] for number, point in enumerate(points)]
    print(f"{len(points)} points of reconcile, after {decided.count(True)} of them the decision stood")
    assert set(decided) == {True, False}


def attached_until(point: str, folder: Path) -> tuple[bool, list[str]]:
    """A lost answer's task is attached by a `reconcile` that dies at `point`: whether that stood, and the points it passed."""
    with theatre(folder, Told()) as stage:
        code, _ = stage.play_until("submit.after#1")
        assert code == -signal.SIGKILL
        assert stage.play().code == 4
        take, task = unknown(stage.stage, stage.api)[0]["take"], stage.api.invoice[0].task_id
        words = ("reconcile", "--base-url", stage.api.base_url, "--attach", f"{take}={task}")
        _, points = stage.play_until(point, *words)
        decided = not unknown(stage.stage, stage.api)
        stage.finish()
        stage.check()
    return decided, points


FILM = """\
storyboard: 1
title: A catalogue in foul weather
pipeline: paid
defaults: {model: wan2.7-text-to-video, params: {quality: 720p, duration: 2}}
shots:
  - id: product
    for_each: products.csv
    prompt: "{{ row.name }} on a rotating pedestal"
"""
PIPELINE = """\
pipeline: 1
title: As fast as this machine goes
provider: {name: evolink, concurrency: 16, rate_per_s: 1000}
budget: 1000000
steps:
  - generate: {retries: 1}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather(Script):
    """Anything, anywhere, by chance, until it is `calm`."""

    chance: random.Random
    calm: threading.Event = field(default_factory=threading.Event)
    seen: Counter[str] = field(default_factory=Counter)

    def _draw(self, odds: dict[Any, float]) -> Any:
        if self.calm.is_set():
            return None
        drawn = self.chance.random()
        for mishap, share in odds.items():
            if (drawn := drawn - share) < 0:
                self.seen[type(mishap).__name__ + str(getattr(mishap, "status", getattr(mishap, "how", "")))] += 1
                return mishap
        return None

    def on_create(self, number: int, label: str, number_of_label: int) -> Any:
        return self._draw(CREATES)

    def on_task(self, kind: type, number: int, label: str) -> Any:
        return self._draw({m: share for m, share in TASKS.items() if isinstance(m, kind)})

    def on_poll(self, *_: Any) -> Any:
        return self._draw(POLLS)

    def on_download(self, number: int, label: str, downloads: int) -> Any:
        return self._draw(DOWNLOADS)


CREATES = {
    Reply(create=None, status=429, retry_after_s=0): 0.004,
    Reply(create=None, status=503, retry_after_s=0): 0.004,
    Reply(create=None, status=500): 0.005,
    Reply(create=None, status=500, accepted=True): 0.005,
    Reply(create=None, status=502): 0.005,
    Reply(create=None, status=504, raw="<h1>504</h1>", content_type="text/html", accepted=True): 0.005,
    Reply(create=None, status=200, raw="{}", accepted=True): 0.005,
    Reply(create=None, status=302, raw="", headers=(("Location", "/v1/videos/generations"),)): 0.005,
    Drop(create=None, accepted=False): 0.005,
    Drop(create=None, accepted=True): 0.005,
    Stall(create=None, seconds=0.3): 0.02,
}
TASKS = {
    Fail(task=None, code="service_unavailable"): 0.02,
    Fail(task=None, code="content_policy_violation"): 0.01,
    Hold(task=None, seconds=0.5): 0.02,
}
POLLS = {
    Poll(task=None, status=500): 0.01,
    Poll(task=None, status=502): 0.01,
    Poll(task=None, status=503, retry_after_s=0): 0.002,
    Poll(task=None, status=429, retry_after_s=0): 0.002,
    Poll(task=None, status=404): 0.005,
    DropPoll(task=None): 0.01,
    Word(task=None, status="dreaming"): 0.01,
}
SPOILED = (
    Spoiled.GONE,
    Spoiled.FORBIDDEN,
    Spoiled.TRUNCATED,
    Spoiled.SHORT,
    Spoiled.HTML,
    Spoiled.ERROR,
    Spoiled.DAMAGED,
)
DOWNLOADS = {Download(task=None, how=how): 0.01 for how in SPOILED}


def tiny(order: Order, target: Path) -> None:
    stand_in(replace(order, width_px=160, height_px=160, seconds=1, sound=False), target)


class Catalogue:
    """2,000 takes, run again and again."""

    def __init__(self, folder: Path, api: PaidService) -> None:
        folder.mkdir()
        self.stage, self.api, self.codes = Stage(folder), api, []
        rows = "".join(f"p{n},product number {n}\n" for n in range(TAKES))
        self.stage.write("products.csv", "id,name\n" + rows)
        self.stage.write("film.yaml", FILM)
        self.stage.write("pipelines/paid.yaml", PIPELINE)

    def play(self, *more: str, kill_after_s: float | None = None) -> int:
        """Run; killed after some seconds if it has not ended by then."""
        words = ("run", "film.yaml", "--base-url", self.api.base_url, "--max-unknown", "1000", *QUICK, *more)
        process = self.stage.start(*words, EVOLINK_API_KEY=KEY)
        try:
            said = process.communicate(timeout=kill_after_s or 1800)
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()
        assert process.returncode in (0, 1, 4, 5, -signal.SIGKILL), said
        nothing_bought_twice(self.stage, self.api)
        self.codes.append(process.returncode)
        return process.returncode

    def standing(self) -> tuple[int, Counter[str]]:
        return self.api.bought(), Counter(self.stage.statuses("paid").values())


def test_2000_takes_in_foul_weather_are_bought_once_each(tmp_path: Path) -> None:
    weather, begun = Weather(chance=random.Random(SEED)), time.monotonic()
    with paid(tmp_path / "service", script=weather, render=tiny, workers=4) as api:
        catalogue = Catalogue(tmp_path / "project", api)
        for seconds in (7, 11, 13):
            catalogue.play(kill_after_s=seconds)
        before = None
        while before != (before := catalogue.standing()):
            catalogue.play()
        stuck = before[1]
        assert set(stuck) <= {"done", "failed", "unknown"}, stuck
        assert Books.of(catalogue.stage).ledger >= invoiced(api)
        settled = settle(catalogue.stage, api)
        weather.calm.set()
        while catalogue.play("--retry", "*") != 0:
            assert len(catalogue.codes) < 20, catalogue.codes
        nothing_bought_twice(catalogue.stage, api)
        ledger, lines = Books.of(catalogue.stage).ledger, api.invoice
        print(
            f"{TAKES} takes in {len(catalogue.codes)} runs {catalogue.codes} and {time.monotonic() - begun:.0f} s; "
            f"before reconcile {dict(stuck)}; {settled} settled; mishaps {dict(weather.seen)}; {len(lines)} tasks, "
            f"{sum(line.status == 'failed' for line in lines)} of them failed; ledger {ledger} = invoice {invoiced(api)}"
        )
        assert ledger == invoiced(api)
        assert Counter(line.status for line in lines)["completed"] == TAKES
        takes = catalogue.stage.manifest(pipeline="paid")["takes"]
        assert Counter(take["status"] for take in takes) == {"done": TAKES}
        assert len({take["clip"]["sha256"] for take in takes}) == TAKES
        for take in takes:
            path = catalogue.stage.folder / "out/film/paid" / take["clip"]["path"]
            assert digest(path) == take["clip"]["sha256"], take["id"]
        assert not half_written(catalogue.stage.folder)
