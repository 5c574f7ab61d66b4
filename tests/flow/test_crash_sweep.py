"""A run that is killed at any moment and run again buys nothing twice and loses nothing: a sample of all its moments.

`make soak` goes through every one of them.
"""

import signal
from pathlib import Path

from chains import Chained, at, between
from crashes import Planned, census, sample, sweep

SEED = 20261
POINTS = 24


def test_a_run_killed_anywhere_and_run_again_buys_nothing_twice_and_misses_nothing(tmp_path: Path) -> None:
    points = sample(census(tmp_path / "census"), POINTS, SEED)
    told = sweep([[point] for point in points], tmp_path)
    print(told)
    assert told.points == POINTS
    assert told.killed >= 0.8 * told.points  # how often is polled, and what is committed together, differs a little


def test_a_saved_plan_killed_anywhere_is_resumed_and_is_carried_out_once(tmp_path: Path) -> None:
    points = sample(census(tmp_path / "census", Planned), 6, SEED)
    told = sweep([[point] for point in points], tmp_path, Planned)
    print(told)
    assert told.killed >= 4


def test_a_chain_killed_or_stopped_between_parent_and_child_is_bought_once_from_the_right_clip(tmp_path: Path) -> None:
    points = between(census(tmp_path / "census", Chained))
    sent = next(point for point in points if point.startswith("submit.after"))  # the answer to the child's POST is lost
    kills = [sent, *sample(points, 3, SEED), at(signal.SIGTERM, "upload.before#1")]
    told = sweep([[point] for point in kills], tmp_path, Chained)
    print(told)
    assert told.killed >= 4 and len(told.finals) == 1
