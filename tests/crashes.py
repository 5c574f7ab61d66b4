"""One film at a paid service, killed where a test says and finished afterwards, and the books that must balance then."""

import hashlib
import json
import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from media import picture
from stage import KEY, QUICK, Ended, PaidService, Stage, paid
from standins import stand_in

from runner.adapters.journal import Journal
from runner.emulator.order import Order
from runner.emulator.refusals import Lack
from runner.emulator.script import Fail, Mishap
from runner.emulator.switches import Switches
from runner.planning.history import Purchase

KILLER = Path(__file__).parent / "soak/killer.py"
PLACES = ("commit", "rename", "sync", "submit", "ask", "upload", "fetch", "record")
SIDES = ("before", "after")
FILM = """\
storyboard: 1
title: A film that is cut short again and again
pipeline: paid
defaults: {model: wan2.7-text-to-video, params: {quality: 720p, aspect_ratio: 16:9, duration: 2}}
shots:
  - {id: sea, prompt: The sea at dawn, takes: 2}
  - {id: hill, prompt: A green hill}
  - {id: slope, prompt: A green hill, title: the request of `hill` under another name}
  - id: portrait
    model: wan2.6-image-to-video-flash
    prompt: He turns to the window
    image: media/keeper.png
  - {id: town, prompt: A town by the river}
"""
PIPELINE = """\
pipeline: 1
title: Everything a paid run can do, in the least pixels
provider: {name: evolink, concurrency: 2}
budget: 100
steps:
  - generate: {retries: 1}
  - assemble: {output: film.mp4, transition: {dissolve: 0.25}, missing: stop}
"""
TAKES = ("sea.1", "sea.2", "hill.1", "slope.1", "portrait.1", "town.1")
REQUESTS = 5
FORGETFUL = Switches(lacks=frozenset({Lack.IDEMPOTENCY}))  # what is sent twice is bought twice
FAILING = Fail(task=3, code="service_unavailable", message="try again later")  # transient: bought once more


def small(order: Order, target: Path) -> None:
    """Clips of a quarter of the width and height, drawn once for all."""
    stand_in(replace(order, width_px=order.width_px // 8 * 2, height_px=order.height_px // 8 * 2), target)


@dataclass(frozen=True, slots=True)
class Books:
    """What the journal knows, read beside it."""

    purchases: tuple[Purchase, ...]

    @classmethod
    def of(cls, stage: Stage) -> "Books":
        path = stage.folder / ".shotrunner/journal.sqlite"
        if not path.is_file():
            return cls(())
        journal = Journal(path, read_only=True)
        try:
            return cls(tuple(p for made in journal.history().values() for p in made))
        finally:
            journal.close()

    @property
    def ledger(self) -> Decimal:
        return sum((p.committed for p in self.purchases), Decimal(0))

    @property
    def keys(self) -> dict[str, str]:
        """The request that was bought under each idempotency key."""
        return {p.intent.idempotency_key: p.key for p in self.purchases}


def invoiced(api: PaidService) -> Decimal:
    """What the service counts as taken: the charge once a task has ended, its reservation until then."""
    return sum((line.reserved if line.charged is None else line.charged for line in api.invoice), Decimal(0))


def nothing_bought_twice(stage: Stage, api: PaidService) -> None:
    """Each task on the invoice belongs to an intent of its own, and no request has a second task that did not fail."""
    books, invoice = Books.of(stage), api.invoice
    assert max(Counter(line.idempotency_key for line in invoice).values(), default=0) <= 1
    known = books.keys
    strays = [line for line in invoice if line.idempotency_key not in known]
    assert not strays, f"tasks that the journal has no intent for: {strays}"
    keys = [known[line.idempotency_key] for line in invoice]
    alive = [key for key, line in zip(keys, invoice, strict=True) if line.status != "failed"]
    twice = [key for key, times in Counter(alive).items() if times > 1]
    assert not twice, f"bought twice: {twice}"
    assert books.ledger >= invoiced(api), f"the ledger says {books.ledger}, the invoice {invoiced(api)}"


def reconcile(stage: Stage, api: PaidService, *words: str) -> Ended:
    return stage.shotrunner("reconcile", "--base-url", api.base_url, *words, EVOLINK_API_KEY=KEY)


def unknown(stage: Stage, api: PaidService) -> list[dict[str, Any]]:
    """What `reconcile` lists."""
    ended = reconcile(stage, api, "--format", "json")
    found: list[dict[str, Any]] = json.loads(ended.out)["unknown"]
    assert ended.code == (4 if found else 0), ended
    return found


def settle(stage: Stage, api: PaidService) -> int:
    """Settle what is unknown as the service's own invoice says; how many that were."""
    open_ones = unknown(stage, api)
    tasks = {line.idempotency_key: line.task_id for line in api.invoice}
    words: list[str] = []
    for one in open_ones:
        task = tasks.get(one["idempotency_key"])
        words += ["--not-taken", one["key"]] if task is None else ["--attach", f"{one['key']}={task}"]
    ended = reconcile(stage, api, *words)
    assert ended.code == 0, ended
    return len(open_ones)


@dataclass(slots=True, kw_only=True)
class Told:
    """What was done, for a last line."""

    points: int = 0
    killed: int = 0
    runs: int = 0
    tasks: int = 0
    unknown: int = 0
    retried: int = 0
    finals: set[str] = field(default_factory=set)  # of what every end must come to, one and the same

    def __add__(self, other: "Told") -> "Told":
        counts = [one.name for one in fields(self) if one.name != "finals"]
        more = {name: getattr(self, name) + getattr(other, name) for name in counts}
        return Told(**more, finals=self.finals | other.finals)

    def __str__(self) -> str:
        return (
            f"{self.points} points, {self.killed} of them reached; {self.runs} runs, {self.tasks} tasks on the invoices, "
            f"{self.unknown} settled by reconcile, {self.retried} retried, 0 bought twice"
        )


class Theatre:
    """A project in `folder` and its paid service, for one kill and what comes after."""

    places: tuple[str, ...] = PLACES  # where a whole run passes
    ends: tuple[int, ...] = (0, 1, 4, -signal.SIGKILL)  # exit codes of a run that was killed or was not
    whole: int = 0  # the exit code of a run that nobody stops
    mishaps: tuple[Mishap, ...] = (FAILING,)

    def __init__(self, folder: Path, api: PaidService, told: Told) -> None:
        self.stage, self.api, self.told = Stage(folder), api, told
        self._log = folder.parent / "points"
        self.begin()

    @staticmethod
    def render(order: Order, target: Path) -> None:
        small(order, target)

    def begin(self) -> None:
        """Write the project."""
        self.stage.write("film.yaml", FILM)
        self.stage.write("pipelines/paid.yaml", PIPELINE)
        (self.stage.folder / "media").mkdir()
        picture(self.stage.folder / "media/keeper.png", (640, 360))

    @property
    def _words(self) -> tuple[str, ...]:
        return ("run", "film.yaml", *self._places)

    @property
    def _places(self) -> tuple[str, ...]:
        return ("--base-url", self.api.base_url, "--wait", "20", *QUICK)

    def play(self, *more: str) -> Ended:
        self.told.runs += 1
        return self.stage.shotrunner(*self._words, *more, EVOLINK_API_KEY=KEY)

    def settled(self) -> Ended:
        """Run again, and once more where an outcome was unknown, which a person has settled meanwhile."""
        ended = self.play()
        nothing_bought_twice(self.stage, self.api)
        if ended.code == 4:
            self.told.unknown += settle(self.stage, self.api)
            ended = self.play()
        return ended

    def save_plan(self) -> None:
        ended = self.stage.shotrunner(
            "plan", "film.yaml", "--base-url", self.api.base_url, "-o", "plan.json", EVOLINK_API_KEY=KEY
        )
        assert ended.code == 0, ended

    def play_until(self, point: str, *words: str) -> tuple[int, list[str]]:
        """Run, or do what `words` say, and die at `point`; the exit code and the points that were passed."""
        self.told.runs += 1
        self._log.write_text("")
        ended = self.stage.shotrunner(point, self._log, *(words or self._words), program=KILLER, EVOLINK_API_KEY=KEY)
        assert ended.code in self.ends, ended
        return ended.code, self._log.read_text().splitlines()

    def finish(self) -> None:
        """Run again until the film is there, each exit code as it is documented."""
        ended = self.play()
        nothing_bought_twice(self.stage, self.api)
        if ended.code == 4:
            assert "unknown" in self.stage.statuses("paid").values(), ended
            self.told.unknown += settle(self.stage, self.api)
            ended = self.play()
        if ended.code == 1:  # killed between a task's failure and its second purchase: an end is an end
            failed = [take for take, status in self.stage.statuses("paid").items() if status == "failed"]
            assert failed in ([name] for name in TAKES) or failed == ["hill.1", "slope.1"], ended
            self.told.retried += 1
            ended = self.play("--retry", failed[0])
        assert ended.code == 0, ended
        bought = self.api.bought()
        again = self.play()
        assert again.code == 0 and self.api.bought() == bought, again

    def check(self) -> None:
        """Nothing twice, nothing missing, nothing half written, and both books say the same."""
        nothing_bought_twice(self.stage, self.api)
        assert Books.of(self.stage).ledger == invoiced(self.api)
        lines = self.api.invoice
        assert Counter(line.status for line in lines)["completed"] == REQUESTS, lines
        manifest = self.stage.manifest(pipeline="paid")
        assert [(take["id"], take["status"]) for take in manifest["takes"]] == [(name, "done") for name in TAKES]
        out = self.stage.folder / "out/film/paid"
        for take in manifest["takes"]:
            clip = take["clip"]
            assert digest(out / clip["path"]) == clip["sha256"] == digest(self._stored(clip["sha256"])), take["id"]
        step = next(step for step in manifest["steps"] if step["step"] == "assemble")
        assert step["status"] == "done" and digest(out / "film.mp4") == step["sha256"]
        assert not half_written(self.stage.folder), half_written(self.stage.folder)
        self.told.tasks += len(lines)

    def _stored(self, sha256: str) -> Path:
        return self.stage.folder / ".shotrunner/clips" / sha256[:2] / f"{sha256}.mp4"


class Planned(Theatre):
    """The same, carried out by a saved plan."""

    def begin(self) -> None:
        super().begin()
        self.save_plan()

    @property
    def _words(self) -> tuple[str, ...]:
        return ("run", "--plan", "plan.json", *self._places)

    def finish(self) -> None:
        """Carry the plan out until it is finished; what ended without a clip is bought again without it."""
        ended = self.settled()
        if ended.code != 2:  # killed behind its last word it was finished already
            assert ended.code in (0, 1), ended
            ended = self.play()
        assert ended.code == 2 and "was finished at" in ended.err, ended
        plain = ("run", "film.yaml", *self._places)
        ended = self.stage.shotrunner(*plain, EVOLINK_API_KEY=KEY)
        if ended.code == 1:
            failed = [take for take, status in self.stage.statuses("paid").items() if status == "failed"]
            self.told.retried += 1
            ended = self.stage.shotrunner(*plain, "--retry", failed[0], EVOLINK_API_KEY=KEY)
        assert ended.code == 0, ended


def half_written(folder: Path) -> list[str]:
    """Files that no finished run leaves behind."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix == ".part"]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def theatre(folder: Path, told: Told, kind: type[Theatre] = Theatre) -> Iterator[Theatre]:
    (folder / "project").mkdir(parents=True)
    with paid(folder / "service", *kind.mishaps, render=kind.render, switches=FORGETFUL) as api:
        yield kind(folder / "project", api, told)
    shutil.rmtree(folder)


def census(folder: Path, kind: type[Theatre] = Theatre) -> list[str]:
    """The points of one whole run, in the order they are passed."""
    with theatre(folder, Told(), kind) as stage:
        code, points = stage.play_until("-")
        assert code == kind.whole
        stage.check()
    assert {place_of(point) for point in points} == {f"{place}.{side}" for place in kind.places for side in SIDES}
    return points


def kill_and_finish(points: Sequence[str], folder: Path, kind: type[Theatre]) -> Told:
    """Kills, each in a run of its own, and all that comes after. Raises AssertionError, which names the points."""
    told = Told(points=1)
    with theatre(folder, told, kind) as stage:
        reached = True
        for point in points:
            code, passed = stage.play_until(point)
            struck = code in (-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGTERM)
            reached &= struck
            assert (point.rpartition("@")[2] in passed) >= struck
            try:
                nothing_bought_twice(stage.stage, stage.api)
            except AssertionError as fault:
                raise AssertionError(f"killed at {' and '.join(points)}, after {passed[-6:]}: {fault}") from fault
        told.killed += reached
        try:
            stage.finish()
            stage.check()
        except AssertionError as fault:
            raise AssertionError(f"killed at {' and '.join(points)}: {fault}") from fault
    return told


def sweep(kills: Iterable[Sequence[str]], folder: Path, kind: type[Theatre] = Theatre) -> Told:
    """Each of the kills, on as many threads as there are cores. Raises AssertionError with every fault found."""
    told, faults = Told(), []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        ends = [threads.submit(kill_and_finish, points, folder / str(n), kind) for n, points in enumerate(kills)]
        for end in ends:
            try:
                told += end.result()
            except AssertionError as fault:
                faults.append(str(fault))
    assert not faults, "\n\n".join(faults)
    return told


def place_of(point: str) -> str:
    return point.partition("#")[0]


def sample(points: Sequence[str], number: int, seed: int) -> list[str]:
    """So many of the points, each place among them before any place comes a second time."""
    chance = random.Random(seed)
    by_place: dict[str, list[str]] = {}
    for point in points:
        by_place.setdefault(place_of(point), []).append(point)
    for found in by_place.values():
        chance.shuffle(found)
    chosen: list[str] = []
    while len(chosen) < min(number, len(points)):
        for found in by_place.values():
            if found and len(chosen) < number:
                chosen.append(found.pop())
    return chosen
