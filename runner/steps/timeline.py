"""A film as a timeline that an editor opens: OpenTimelineIO's own JSON, with every take of a shot as an alternative of its clip.

The schemas are those of OpenTimelineIO 0.18 (`Timeline.1`, `Track.1`, `Clip.2`, `Transition.1`, `Marker.2`). Times are in frames of the
film.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import quote

from runner.language.take import Join
from runner.steps.cut import CutPlan, Part

Json = dict[str, Any]
ONLY = "DEFAULT_MEDIA"  # the library's own name for the one medium of a clip


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """A file that may stand in a clip's place: a take, or a file of the project. `path` is posix, relative to the timeline;
    `told` is what is known of its making, JSON."""

    name: str
    path: str
    seconds: Fraction
    has_sound: bool
    told: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place in the film: what stands there (`chosen`, the name of one of `media`; "" for a slate) and what could.

    `black`: nothing stands there. `note` is what a marker says, "" for none.
    """

    name: str
    media: Sequence[Medium] = ()
    chosen: str = ""
    black: bool = False
    note: str = ""
    told: Mapping[str, object]


def text(name: str, plan: CutPlan, places: Sequence[Place], told: Mapping[str, object]) -> str:
    """The file. `places` are those of the plan's parts, in their order; `told` is JSON about the film as a whole."""
    tracks = [_track(kind, plan, places) for kind in ("Video", "Audio")]
    timeline: Json = {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {"shotrunner": dict(told)},
        "name": name,
        "global_start_time": None,
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "metadata": {},
            "name": "tracks",
            "source_range": None,
            "effects": [],
            "markers": [],
            "enabled": True,
            "children": tracks,
        },
    }
    return json.dumps(timeline, indent=2, ensure_ascii=False) + "\n"


def _track(kind: str, plan: CutPlan, places: Sequence[Place]) -> Json:
    return {
        "OTIO_SCHEMA": "Track.1",
        "metadata": {},
        "name": kind[0] + "1",
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": True,
        "kind": kind,
        "children": list(_children(kind, plan, places)),
    }


def _children(kind: str, plan: CutPlan, places: Sequence[Place]) -> Iterator[Json]:
    """Clips meet in the middle of what they overlap; the transition between them says how far it reaches to either side."""
    parts = [part for part in plan.parts if part.start + part.overlap // 2 < plan.frames]
    ends = [min(plan.frames, after.start + after.overlap // 2) for after in parts[1:]]
    ends.append(min(plan.frames, parts[-1].start + parts[-1].frames))
    for part, end, place in zip(parts, ends, places, strict=False):
        begin = part.start + part.overlap // 2
        if part.overlap:
            yield _transition(part, plan.fps)
        heard = kind == "Video" or any(medium.has_sound for medium in place.media if medium.name == place.chosen)
        if place.black or not heard:
            yield _gap(end - begin, plan.fps)
        else:
            yield _clip(place, part, part.first + begin - part.start, end - begin, plan.fps)
    if ends[-1] < plan.frames:
        yield _gap(plan.frames - ends[-1], plan.fps)


def _clip(place: Place, part: Part, first: int, frames: int, fps: Fraction) -> Json:
    media = {medium.name: _reference(medium, fps) for medium in place.media} or {ONLY: _missing(place.name)}
    note = [_marker(place, first, fps)] if place.note else []
    fades = {name: count for name, count in (("fade_in", part.fade_in), ("fade_out", part.fade_out)) if count}
    return {
        "OTIO_SCHEMA": "Clip.2",
        "metadata": {"shotrunner": {**place.told, **fades}},
        "name": place.name,
        "source_range": _range(first, frames, fps),
        "effects": [],
        "markers": note,
        "enabled": True,
        "media_references": media,
        "active_media_reference_key": place.chosen or next(iter(media)),
    }


def _reference(medium: Medium, fps: Fraction) -> Json:
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {"shotrunner": dict(medium.told)},
        "name": medium.name,
        "available_range": _range(0, int(medium.seconds * fps + Fraction(1, 2)), fps),
        "available_image_bounds": None,
        "target_url": quote(medium.path, safe="/@+"),
    }


def _missing(name: str) -> Json:
    return {
        "OTIO_SCHEMA": "MissingReference.1",
        "metadata": {},
        "name": name,
        "available_range": None,
        "available_image_bounds": None,
    }


def _transition(part: Part, fps: Fraction) -> Json:
    transition = part.piece.transition
    wipe = transition.join is Join.WIPE
    return {
        "OTIO_SCHEMA": "Transition.1",
        "metadata": {"shotrunner": {"join": transition.join.value, **({"from": str(transition.side)} if wipe else {})}},
        "name": transition.join.value,
        "in_offset": _time(part.overlap // 2, fps),
        "out_offset": _time(part.overlap - part.overlap // 2, fps),
        "transition_type": "Custom_Transition" if wipe else "SMPTE_Dissolve",
    }


def _marker(place: Place, first: int, fps: Fraction) -> Json:
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {},
        "name": place.note[:80],
        "color": "YELLOW",
        "marked_range": _range(first, 0, fps),
        "comment": place.note,
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
    }


def _range(first: int, frames: int, fps: Fraction) -> Json:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": _time(first, fps), "duration": _time(frames, fps)}


def _time(frames: int, fps: Fraction) -> Json:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(fps), "value": float(frames)}
