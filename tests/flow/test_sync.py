"""Sound and picture of a film stay together: clips of unlike rates with a flash and a click at known times, joined in every way.

What is measured is the film that a run has left, coded and decoded: where each flash is seen, where each click is heard.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import media
import numpy as np
import pytest
from stage import Stage

FRAME_S = 1 / 24
SIZE, GREY = (192, 108), (90, 90, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """`seconds` long with a flash and a click at each of `marks`; from `begin` to `end` of it is in the film, behind a `join`
    that takes `taken` seconds of the clip before."""

    seconds: float
    marks: tuple[float, ...]
    fields: dict[str, object]
    begin: float = 0
    end: float = 0
    join: str = ""
    taken: float = 0


# Marks lie outside of what is joined: a flash in a dissolve would be half a flash.
CLIPS = {
    "a": Clip(seconds=3, marks=(0.5, 1.25, 2), fields={}),
    "b": Clip(
        seconds=3, marks=(1, 2), fields={"fps": 30, "rate": 44_100, "layout": "mono"},
        begin=0.25, end=2.75, join="dissolve: 0.5", taken=0.5,
    ),
    "c": Clip(seconds=2.5, marks=(0.8, 1.6), fields={"fps": 25, "rate": 22_050}, end=2.5, join="fade: 1"),
    "d": Clip(
        seconds=4, marks=(1.5, 3), fields={"fps": Fraction(30000, 1001), "every": range(0, 120, 3)},
        begin=0.5, end=3.75, join="wipe: 0.75, from: right", taken=0.75,
    ),
    "e": Clip(seconds=2, marks=(0.75, 1.5), fields={"fps": 60, "audio": "libmp3lame"}, join="dissolve: 0.25", taken=0.25),
    "f": Clip(seconds=2, marks=(0.5, 1.5), fields={"fps": 12, "rate": 8_000, "layout": "mono"}, begin=0.25, join="dissolve: 0"),
}  # fmt: skip
BLACK_S = 0.5  # between d and e

BOARD = """\
storyboard: 1
references: {theme: theme.mp3}
shots:
  - {id: sea, model: wan2.7-text-to-video, prompt: The sea, params: {duration: 2}}
cuts:
  plain: {order: &order [ORDER], video: {size: 192x108}}
  mixed: {order: *order, video: {size: 192x108}, sound: {clips: -2, music: {file: theme, level: -30, loop: true}}}
  video: {order: *order, video: {size: 192x108, fps: 29.97}, sound: {}}
"""


def order() -> str:
    entries = []
    for name, clip in CLIPS.items():
        parts = [f"file: {name}.mp4", *([f"in: {clip.begin}"] if clip.begin else [])]
        parts += [f"out: {clip.end}"] if clip.end else []
        parts += [f"join: {{{clip.join}}}"] if clip.join else []
        entries.append(f"{{{', '.join(parts)}}}")
        if name == "d":
            entries.append(f"{{black: {BLACK_S}, join: {{dissolve: 0}}}}")
    return ", ".join(entries)


def expected() -> tuple[list[float], float]:
    """When each mark should come, and how long the film should be, in seconds."""
    marks, at = [], 0.0
    for name, clip in CLIPS.items():
        at -= clip.taken
        marks += [at + mark - clip.begin for mark in clip.marks]
        at += (clip.end or clip.seconds) - clip.begin + (BLACK_S if name == "d" else 0)
    return marks, at


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stage = Stage(tmp_path_factory.mktemp("film") / "project")
    stage.write("film.yaml", BOARD.replace("ORDER", order()))
    for name, clip in CLIPS.items():
        fields = {"size": SIZE, "colour": GREY, "tone": 0, "marks": clip.marks} | clip.fields
        media.clip(stage.folder / f"{name}.mp4", clip.seconds, **fields)  # type: ignore[arg-type]
    media.tone(stage.folder / "theme.mp3", 2, hz=110)
    ended = stage.shotrunner("run", "film.yaml")
    assert ended.code == 0, ended
    return stage.folder / "out/film/draft"


def flashes(film: Path) -> list[float]:
    """When each is first seen, by the times of the file."""
    lit: list[tuple[float, bool]] = []
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            assert frame.time is not None
            lit.append((frame.time, bool(np.median(frame.to_ndarray()[: frame.height]) > 180)))
    return [at for n, (at, on) in enumerate(lit) if on and not (n and lit[n - 1][1])]


def clicks(film: Path) -> list[float]:
    """When each is first heard, by the times of the file."""
    with av.open(str(film)) as container:
        stream = container.streams.audio[0]
        blocks = list(container.decode(stream))
        assert blocks[0].time is not None
        begins, rate = blocks[0].time, stream.rate
        wave = np.abs(np.concatenate([block.to_ndarray() for block in blocks], axis=1)).max(axis=0)
    loud = np.flatnonzero(wave > wave.max() * 0.4)
    return [begins + float(n) / rate for k, n in enumerate(loud) if k == 0 or n - loud[k - 1] > rate / 10]


@pytest.mark.parametrize("cut", ["plain", "mixed", "video"])
def test_every_click_is_heard_within_a_frame_of_its_flash_and_both_where_they_belong(cut: str, out: Path) -> None:
    wanted, _ = expected()
    seen, heard = flashes(out / f"{cut}.mp4"), clicks(out / f"{cut}.mp4")
    assert len(seen) == len(heard) == len(wanted), (seen, heard, wanted)
    apart = [round(h - s, 4) for h, s in zip(heard, seen, strict=True)]
    late = [round(s - w, 4) for s, w in zip(seen, wanted, strict=True)]
    assert max(map(abs, apart)) < FRAME_S, apart
    assert max(map(abs, late)) < FRAME_S, late


@pytest.mark.parametrize("cut", ["plain", "mixed", "video"])
def test_sound_is_as_long_as_the_picture(cut: str, out: Path) -> None:
    _, seconds = expected()
    with av.open(str(out / f"{cut}.mp4")) as container:
        lengths = [
            float((s.duration or 0) * Fraction(s.time_base or 0))
            for s in (container.streams.video[0], container.streams.audio[0])
        ]
        begins = [s.start_time for s in (container.streams.video[0], container.streams.audio[0])]
    assert begins == [0, 0]
    assert abs(lengths[0] - lengths[1]) < FRAME_S and abs(lengths[0] - seconds) < FRAME_S, (lengths, seconds)
