"""A film as a timeline that an editor opens: OpenTimelineIO's own JSON, with every take of a shot as an alternative of its clip.

The schemas are those of OpenTimelineIO 0.18 (`Timeline.1`, `Track.1`, `Clip.2`, `Transition.1`, `Marker.2`), written as that library
writes them, so that nothing is added when it reads one and writes it. Times are in frames of the film.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any
from urllib.parse import quote

from runner.core import visible
from runner.language.take import Join
from runner.steps.cut import CutPlan, Part, to_frames
from runner.steps.lanes import Lane, Stretch

Json = dict[str, Any]
OWN = "shotrunner"  # where in metadata our own words stand
LONGEST_NAME = 80  # of a marker, in characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """A file that may stand in a clip's place: a take, or a file of the project. `path` is posix, relative to the timeline; `fps` its
    own, None for sounds; `told` is what is known of its making, JSON."""

    name: str
    path: str
    seconds: Fraction
    fps: Fraction | None = None
    has_sound: bool
    told: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place in the film: what stands there (`chosen`, the name of one of `media`, or of a medium that is missing) and what could.

    `black`: nothing stands there. `note` is what a marker says, "" for none, `below` in small, `noted` what it keeps in its metadata.
    """

    name: str
    media: Sequence[Medium] = ()
    chosen: str = ""
    black: bool = False
    note: str = ""
    below: str = ""
    noted: Mapping[str, object] | None = None
    told: Mapping[str, object]

    @property
    def heard(self) -> bool:
        return any(medium.has_sound for medium in self.media if medium.name == self.chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How the film sounds: whether the clips' own sound is heard in it (`told` of their track), and what else is, lane by lane."""

    clips: bool = True
    told: Mapping[str, object]
    lanes: Sequence[Lane] = ()
    files: Mapping[str, Medium]


def text(name: str, plan: CutPlan, places: Sequence[Place], heard: Heard, told: Mapping[str, object]) -> str:
    """The file. `places` are those of the plan's parts, in their order; `told` is JSON about the film as a whole."""
    own = [
        _track("V1", "Video", {}, _children("Video", plan, places)),
        _track("A1", "Audio", heard.told, _children("Audio", plan, places), enabled=heard.clips),
    ]
    others = [
        _track(lane.name, "Audio", lane.told, _laid(lane, plan, heard.files)) for lane in heard.lanes if lane.stretches
    ]
    timeline: Json = {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {OWN: dict(told)},
        "name": visible.one_line(name),
        "global_start_time": None,
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "metadata": {},
            "name": "tracks",
            "source_range": None,
            "effects": [],
            "markers": [],
            "enabled": True,
            "color": None,
            "children": own + others,
        },
    }
    rows = json.dumps(timeline, indent=2, ensure_ascii=False).split("\n")
    return "\n".join([*(visible.CONTROL.sub(_escape, row) for row in rows), ""])


def _escape(found: re.Match[str]) -> str:
    """A character of metadata that is not seen, as JSON writes it in ASCII."""
    return json.dumps(found[0])[1:-1]


def _track(name: str, kind: str, told: Mapping[str, object], children: Iterator[Json], *, enabled: bool = True) -> Json:
    return {
        "OTIO_SCHEMA": "Track.1",
        "metadata": {OWN: dict(told)} if told else {},
        "name": name,
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": enabled,
        "color": None,
        "kind": kind,
        "children": list(children),
    }


def _children(kind: str, plan: CutPlan, places: Sequence[Place]) -> Iterator[Json]:
    """Clips meet in the middle of what they overlap; the transition between them says how far it reaches to either side. Between two
    gaps there is none."""
    parts = [part for part in plan.parts if part.start + part.overlap // 2 < plan.frames]
    ends = [min(plan.frames, after.start + after.overlap // 2) for after in parts[1:]]
    ends.append(min(plan.frames, parts[-1].start + parts[-1].frames))
    was_empty = False
    for part, end, place in zip(parts, ends, places, strict=False):
        begin = part.start + part.overlap // 2
        is_empty = place.black or (kind == "Audio" and not place.heard)
        if part.overlap and not (is_empty and was_empty):
            yield _transition(part, end - begin, plan.fps)
        was_empty = is_empty
        if is_empty:
            yield _gap(end - begin, plan.fps)
        else:
            noted = kind == "Video"
            yield _clip(place, part, part.first + begin - part.start, end - begin, plan.fps, noted=noted)
    if ends[-1] < plan.frames:
        yield _gap(plan.frames - ends[-1], plan.fps)


def _laid(lane: Lane, plan: CutPlan, files: Mapping[str, Medium]) -> Iterator[Json]:
    """The stretches of a lane, silence between them, to the film's end."""
    at = 0
    for stretch in lane.stretches:
        if stretch.start > at:
            yield _gap(stretch.start - at, plan.fps)
        yield _sound(stretch, files[stretch.path], plan.fps)
        at = stretch.start + stretch.frames
    if at < plan.frames:
        yield _gap(plan.frames - at, plan.fps)


def _sound(stretch: Stretch, medium: Medium, fps: Fraction) -> Json:
    return _clip_of(
        stretch.name,
        _range(stretch.first, stretch.frames, fps),
        {medium.name: _reference(medium, fps)},
        medium.name,
        stretch.told,
    )


def _clip(place: Place, part: Part, first: int, frames: int, fps: Fraction, *, noted: bool) -> Json:
    media = {medium.name: _reference(medium, fps) for medium in place.media}
    media.setdefault(place.chosen, _missing(place.chosen))
    fades = {name: count for name, count in (("fade_in", part.fade_in), ("fade_out", part.fade_out)) if count}
    clip = _clip_of(place.name, _range(first, frames, fps), media, place.chosen, {**place.told, **fades})
    return {**clip, "markers": [_marker(place, first, fps)] if noted and place.note else []}


def _clip_of(name: str, source: Json, media: Json, chosen: str, told: Mapping[str, object]) -> Json:
    return {
        "OTIO_SCHEMA": "Clip.2",
        "metadata": {OWN: dict(told)},
        "name": visible.one_line(name),
        "source_range": source,
        "effects": [],
        "markers": [],
        "enabled": True,
        "color": None,
        "media_references": media,
        "active_media_reference_key": chosen,
    }


def _reference(medium: Medium, fps: Fraction) -> Json:
    """A picture's length is in frames of its own, with a part of one where the film's frames are not its own and reach behind it; a
    sound's is in frames of the film, its last one begun."""
    own = medium.fps or fps
    frames: int | Fraction = ceil(medium.seconds * fps)
    if medium.fps is not None:
        frames = max(Fraction(to_frames(medium.seconds, fps)) / fps, medium.seconds if own != fps else 0) * own
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {OWN: {**medium.told, "has_audio": medium.has_sound}},
        "name": visible.one_line(medium.name),
        "available_range": _range(0, frames, own),
        "available_image_bounds": None,
        "target_url": quote(medium.path, safe="/@+"),
    }


def _missing(name: str) -> Json:
    return {
        "OTIO_SCHEMA": "MissingReference.1",
        "metadata": {},
        "name": visible.one_line(name),
        "available_range": None,
        "available_image_bounds": None,
    }


def _transition(part: Part, room: int, fps: Fraction) -> Json:
    """Into a clip of which `room` frames are left in the film."""
    transition = part.piece.transition
    wipe = transition.join is Join.WIPE
    return {
        "OTIO_SCHEMA": "Transition.1",
        "metadata": {OWN: {"join": transition.join.value, **({"from": str(transition.side)} if wipe else {})}},
        "name": transition.join.value,
        "in_offset": _time(part.overlap // 2, fps),
        "out_offset": _time(min(part.overlap - part.overlap // 2, room), fps),
        "transition_type": "Custom_Transition" if wipe else "SMPTE_Dissolve",
    }


def _marker(place: Place, first: int, fps: Fraction) -> Json:
    name = " ".join(visible.one_line(place.note).split())
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {OWN: dict(place.noted or {})},
        "name": name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…",
        "color": "YELLOW",
        "marked_range": _range(first, 0, fps),
        "comment": visible.lines(f"{place.note}\n{place.below}").strip(),
    }


def _gap(frames: int, fps: Fraction) -> Json:
    return {
        "OTIO_SCHEMA": "Gap.1",
        "metadata": {},
        "name": "",
        "source_range": _range(0, frames, fps),
        "effects": [],
        "markers": [],
        "enabled": True,
        "color": None,
    }


def _range(first: int, frames: int | Fraction, fps: Fraction) -> Json:
    return {"OTIO_SCHEMA": "TimeRange.1", "duration": _time(frames, fps), "start_time": _time(first, fps)}


def _time(frames: int | Fraction, fps: Fraction) -> Json:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(fps), "value": float(frames)}
