"""Timelines for tests: films of so many clips, as Shotrunner writes them, and read by OpenTimelineIO."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
from hypothesis import strategies as st

from runner.core.diagnostics import Source, Span
from runner.core.media import Kind
from runner.language.cut import Music, Sound, Voice
from runner.language.take import Join, MediaUse, Side, Transition
from runner.steps import timeline
from runner.steps.cut import Piece, plan_cut
from runner.steps.interchange import Export
from runner.steps.lanes import lanes
from runner.steps.timeline import Heard, Medium, Place

FPS = Fraction(24)
RATES = tuple(Fraction(rate) for rate in ("24", "25", "30", "48", "60", "24000/1001", "30000/1001"))
SPAN = Span(source=Source(path="f", name="f", text=""), line=1, column=1, end_line=1, end_column=2)
READERS = {".otio": "otio_json", ".otioz": "otioz", ".xml": "fcp_xml", ".edl": "cmx_3600"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A place of a test's film: a clip of `seconds` with so many takes, of which one is chosen and some are there."""

    name: str = "sea"
    seconds: float = 2
    takes: int = 1
    chosen: int = 1
    here: Sequence[int] | None = None
    trim: tuple[float, float] | None = None
    join: Join = Join.DISSOLVE
    over: float = 0
    black: bool = False
    silent: bool = False
    path: str = ""
    fps: Fraction = FPS
    told: Mapping[str, object] = field(default_factory=dict)


SHOTS = st.builds(
    Shot,
    name=st.sampled_from(["sea", "hill@dawn", "Möwe über See"]),
    seconds=st.sampled_from([1, 2, 2.5, 5]),
    takes=st.integers(2, 3),
    chosen=st.integers(1, 2),
    here=st.sampled_from([None, (), (2,)]),
    trim=st.sampled_from([None, (0.25, 1), (0, 0.75)]),
    join=st.sampled_from(list(Join)),
    over=st.sampled_from([0, 0.125, 0.25]),
    silent=st.booleans(),
    black=st.booleans(),
)


def medium(shot: Shot, number: int) -> Medium:
    name = f"{shot.name}.{number}"
    return Medium(
        name=name,
        path=shot.path or f"clips/{name}.mp4",
        seconds=Fraction(str(shot.seconds)),
        fps=shot.fps,
        has_sound=not shot.silent,
        told={
            "key": name.encode().hex().ljust(64, "0")[:64],
            "sha256": name.encode().hex().rjust(64, "0")[-64:],
            "service": "animatic/2",
            "prompt": f"The {shot.name} at dawn",
            "model": "wan2.7-text-to-video",
            "seed": 7 + number,
            "width_px": 1280,
            "height_px": 720,
        },
    )


def text(*shots: Shot, fps: Fraction = FPS, heard: Heard | None = None, length_s: int | None = None) -> str:
    pieces, places = [], []
    for shot in shots:
        there = range(1, shot.takes + 1) if shot.here is None else shot.here
        clip = not shot.black and shot.chosen in there
        seconds = Decimal(str(shot.seconds))
        start, end = shot.trim or (None, None)
        pieces.append(
            Piece(
                name=shot.name,
                variant=shot.name,
                clip=Path(shot.name) if clip else None,
                seconds=None if clip else seconds,
                in_s=Decimal(str(start)) if clip and start is not None else None,
                out_s=Decimal(str(end)) if clip and end is not None else None,
                transition=Transition(
                    join=shot.join,
                    seconds=Decimal(str(shot.over)),
                    side=Side.LEFT if shot.join is Join.WIPE else None,
                ),
            )
        )
        places.append(
            Place(name=shot.name, black=True, told={})
            if shot.black
            else Place(
                name=shot.name,
                media=[medium(shot, number) for number in there],
                chosen=f"{shot.name}.{shot.chosen}",
                note=f"The {shot.name} at dawn",
                below=f"wan, seed {7 + shot.chosen}",
                noted={"seed": 7 + shot.chosen, "prompt": f"The {shot.name} at dawn"},
                told={"take": f"{shot.name}.{shot.chosen}", "shot": shot.name, "number": shot.chosen, **shot.told},
            )
        )
    lengths = [Fraction(str(shot.seconds)) if piece.clip else None for shot, piece in zip(shots, pieces, strict=True)]
    plan = plan_cut(pieces, lengths, fps=fps, length_s=None if length_s is None else Decimal(length_s))
    told = {"storyboard": "film.yaml", "width_px": 1280, "height_px": 720}
    return timeline.text("The Sea", plan, places, heard or Heard(told={"role": "clips"}, files={}), told)


def loaded(written: str) -> Any:
    return otio.adapters.read_from_string(written, "otio_json")


def exported(written: str, target: Path) -> Any:
    """What OpenTimelineIO reads of the export."""
    target.parent.mkdir(parents=True, exist_ok=True)
    Export(target=target, text=written).write(lambda: False)
    told = {"rate": loaded(written).duration().rate} if target.suffix == ".edl" else {}
    return otio.adapters.read_from_file(str(target), adapter_name=READERS[target.suffix], **told)


def track(read: Any, number: int = 0) -> list[Any]:
    return list(read.tracks[number])


def cut(items: Sequence[Any]) -> list[tuple[str, int, int]]:
    """(name, first frame, frames) of clips and gaps; of transitions how far they reach to either side."""
    return [
        (item.name, int(item.in_offset.value), int(item.out_offset.value))
        if isinstance(item, otio.schema.Transition)
        else (item.name, int(item.source_range.start_time.value), int(item.source_range.duration.value))
        for item in items
    ]


def stands(read: Any, number: int = 0) -> list[tuple[int, int, int]]:
    """Of each clip of a track, in frames: where it begins in the film, where it ends, and which of its own frames is first."""
    items = track(read, number)
    ranges = [read.tracks[number].range_of_child(item) for item in items]
    return [
        (
            int(place.start_time.value),
            int(place.end_time_exclusive().value),
            int(item.source_range.start_time.value),
        )
        for item, place in zip(items, ranges, strict=True)
        if isinstance(item, otio.schema.Clip)
    ]


# ---------------------------------------------------------------- sound


def music(**told: Any) -> Music:
    return Music(file=MediaUse(kind=Kind.AUDIO, path="theme", span=SPAN), span=SPAN, **told)


def voice(path: str, after_s: str, **told: Any) -> Voice:
    use = MediaUse(kind=Kind.AUDIO, path=path, span=SPAN)
    return Voice(file=use, span=SPAN, at=SPAN, after_s=Decimal(after_s), **told)


def sounding(sound: Sound, film_s: int = 5, fps: Fraction = FPS, **seconds: float) -> str:
    """A film of one clip with this sound; `seconds` are the files' lengths."""
    plan = plan_cut([Piece(name="sea", variant="sea", clip=Path("c"))], [Fraction(film_s)], fps=fps)
    lengths = {name: Fraction(str(length)) for name, length in seconds.items()}
    files = {
        name: Medium(name=name, path=f"{name}.wav", seconds=length, has_sound=True, told={})
        for name, length in lengths.items()
    }
    told = {"role": "clips", **({"mix_lufs": float(sound.loudness_lufs)} if sound.loudness_lufs is not None else {})}
    heard = Heard(clips=sound.clips_db is not None, told=told, lanes=lanes(sound, plan, lengths), files=files)
    return text(Shot(seconds=film_s), fps=fps, heard=heard)
