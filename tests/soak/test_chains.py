"""Shots made from one another: killed, killed twice and stopped at every point, bought once each and from the right clip."""

import json
import shutil
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from chains import PICKS, Chained, PlannedChain, at, moments
from crashes import KILLER, Told, census, sample, sweep, theatre
from stage import Stage

LEAST_POINTS = 150
PAIRS = 24
STOPS = 12  # of each signal
SEED = 20261


def test_a_chain_killed_at_every_point_is_bought_once_and_each_from_its_parents_clip(tmp_path: Path) -> None:
    points = moments(census(tmp_path / "census", Chained))
    assert len(points) >= LEAST_POINTS
    told = sweep([[point] for point in points], tmp_path, Chained)
    print(told)
    assert (told.points, len(told.finals)) == (len(points), 1)


def test_a_chain_killed_twice_is_bought_once_and_each_from_its_parents_clip(tmp_path: Path) -> None:
    points = moments(census(tmp_path / "census", Chained))
    first, second = (
        sample(points, PAIRS, SEED),
        sample(points[: len(points) // 2], PAIRS, SEED + 1),
    )  # less is left to do
    told = sweep(zip(first, second, strict=True), tmp_path, Chained)
    print(told)
    assert (told.points, len(told.finals)) == (PAIRS, 1)


def test_a_saved_plan_of_a_chain_killed_anywhere_is_carried_out_once(tmp_path: Path) -> None:
    points = sample(moments(census(tmp_path / "census", PlannedChain)), PAIRS, SEED)
    told = sweep([[point] for point in points], tmp_path, PlannedChain)
    print(told)
    assert (told.points, len(told.finals)) == (PAIRS, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_chain_that_is_stopped_anywhere_goes_on_where_it_was(tmp_path: Path, number: signal.Signals) -> None:
    points = sample(moments(census(tmp_path / "census", Chained)), STOPS, SEED + number)
    told = sweep([[at(number, point)] for point in points], tmp_path, Chained)
    print(number.name, told)
    assert (told.points, len(told.finals)) == (STOPS, 1)


def test_a_command_beside_the_run_leaves_the_old_or_the_new_wherever_it_is_killed(tmp_path: Path) -> None:
    with theatre(tmp_path / "whole", Told(), Chained) as played:
        played.finish()
        stage, base = played.stage, ("--base-url", played.api.base_url)
        picks, archive, copy = (stage.folder / name for name in ("film.picks.yaml", "film.zip", "copy"))
        killed(stage, ("pick", "film.yaml", "sea.1", *base), picks, picks.read_text)
        picks.write_text(PICKS)
        killed(stage, ("pack", "film.yaml", "-o", "film.zip", *base), archive, lambda: told_by(archive))
        killed(stage, ("unpack", "film.zip", "copy"), copy, lambda: bought_by(Stage(copy), *base))
        assert not list(stage.folder.glob(".copy.*"))
        bought = played.api.bought()
        assert played.play().code == 1 and played.api.bought() == bought
        played.check()


def killed(stage: Stage, words: tuple[str, ...], place: Path, seen: Callable[[], object]) -> None:
    """Kill the command at each of its points, with what is at `place` as it was before: what is seen there then is what was there
    or what the whole command leaves; and the command done once more is done."""
    before = place.read_bytes() if place.exists() else None
    old = seen() if before is not None else None
    log = stage.folder.parent / "points"
    new, points = None, ["-"]
    for point in points:
        remove(place)
        if before is not None:
            place.write_bytes(before)
        log.write_text("")
        ended = stage.shotrunner(point, log, *words, program=KILLER)
        now = seen() if place.exists() else None
        if point == "-":
            assert ended.code == 0, ended
            new = now
            points += log.read_text().splitlines()
        assert now in (old, new), (point, ended)
    print(f"{words[0]}: {len(points) - 1} points")
    remove(place)
    if before is not None:
        place.write_bytes(before)
    ended = stage.shotrunner(*words)
    assert ended.code == 0 and seen() == new, ended


def remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def told_by(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def bought_by(stage: Stage, *base: str) -> list[tuple[str, str]]:
    """What the project would do next."""
    ended = stage.shotrunner("plan", "film.yaml", *base, "--format", "json")
    found = [(take["take"], take["action"]) for take in json.loads(ended.out)["takes"]]
    assert not {act for _, act in found} & {"buy", "retry"}, ended
    return found
