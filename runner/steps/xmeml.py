"""What an `.xml` of Final Cut Pro 7 wants of a timeline before OpenTimelineIO writes it: the words of that format, in metadata where the
library's writer looks for them. Timelines are the library's own, and changed in place."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import opentimelineio as otio

from runner.core import visible
from runner.steps.score import linear
from runner.steps.timeline import OWN

FCP = "fcp_xml"  # where in metadata the library's writer looks
LOUDEST = 3.98107  # twelve decibels, the most of that format
_UNTOLD = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_FADES = ("fade_in_s", "fade_out_s")
_SQUARE = {"anamorphic": "FALSE", "pixelaspectratio": "square", "fielddominance": "none"}
_SOUND = {"samplecharacteristics": {"depth": 16, "samplerate": 48000}, "channelcount": 2}
_WIPES = {
    "left": (1, False),
    "right": (1, True),
    "top": (2, False),
    "bottom": (2, True),
}  # SMPTE's number, and whether reversed


def left_out(tracks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What it has no place for, in words; `tracks` as JSON."""
    for track in tracks:
        told = track["metadata"].get(OWN, {})
        if "mix_lufs" in told:
            yield "the loudness of the mix"
        if "duck" in told:
            yield "the music's ducking"
        if any(word in _FADES for clip in track["children"] for word in clip["metadata"].get(OWN, {})):
            yield "the music's fades"


def written(text: str, folder: Path) -> bytes:
    """`text` as an `.xml`; the `.otio` would lie in `folder`. Raises the library's errors."""
    timeline = otio.adapters.read_from_string(json.dumps(_tellable(json.loads(text))), "otio_json")
    _prepare(timeline, folder)
    made: str = otio.adapters.write_to_string(timeline, "fcp_xml")
    return made.encode()


def _tellable(value: Any) -> Any:
    """Without what is not seen, and without the characters that no XML may have."""
    match value:
        case str():
            return _UNTOLD.sub(" ", visible.lines(value))
        case list():
            return [_tellable(one) for one in value]
        case dict():
            return {_tellable(name): _tellable(one) for name, one in value.items()}
        case _:
            return value


def _prepare(timeline: Any, folder: Path) -> None:
    """Files by their place on this machine, where the timeline lies in `folder`; sizes, levels, fades and wipes; what each clip was made
    of where a cutting room notes it; and a number for each clip, else equal ones are taken for one."""
    timeline.metadata[FCP] = {"media": _format(timeline)}
    number = 0
    for track in timeline.tracks:
        if not track.enabled:
            track.metadata[FCP] = {"enabled": "FALSE"}
        sounds = track.kind == otio.schema.TrackKind.Audio
        old = list(track)
        _lean(old)
        items: list[Any] = []
        for item in old:
            match item:
                case otio.schema.Clip():
                    number += 1
                    _place(item, folder)
                    item.metadata[FCP] = {"@id": f"clipitem-{number}", **_notes(item)}
                    if sounds:
                        item.metadata[FCP].update(_channel(item, track))
                    items += _faded(item, sounds)
                case otio.schema.Transition():
                    item.metadata[FCP] = {"effect": _effect(item.metadata.get(OWN, {}), sounds)}
                    items.append(item)
                case _ if item is old[-1] and not sounds and item.duration().value:
                    items.append(_slug(item))
                case _:
                    items.append(item)
        track.clear()
        track.extend(items)


def _format(timeline: Any) -> dict[str, object]:
    own, rate = timeline.metadata.get(OWN, {}), timeline.duration().rate
    whole = round(rate + 0.49)
    counted = {"rate": {"timebase": whole, "ntsc": "FALSE" if whole == rate else "TRUE"}}
    size = {"width": own.get("width_px"), "height": own.get("height_px")}
    size = {word: value for word, value in size.items() if value}
    return {
        "video": {"format": {"samplecharacteristics": {**counted, **size, **_SQUARE}}},
        "audio": {"format": {"samplecharacteristics": _SOUND["samplecharacteristics"]}},
    }


def _lean(items: Sequence[Any]) -> None:
    """Where a transition has nothing on one side, the clip on the other reaches as far as it does, and it lies on that clip alone."""
    for before, joint, after in zip(items, items[1:], items[2:], strict=False):
        if not isinstance(joint, otio.schema.Transition):
            continue
        whole, none = joint.in_offset + joint.out_offset, otio.opentime.RationalTime(0, joint.in_offset.rate)
        if isinstance(before, otio.schema.Gap):
            _stretch(before, none, -joint.in_offset)
            _stretch(after, joint.in_offset, none)
            joint.in_offset, joint.out_offset = none, whole
        elif isinstance(after, otio.schema.Gap):
            _stretch(before, none, joint.out_offset)
            _stretch(after, -joint.out_offset, none)
            joint.in_offset, joint.out_offset = whole, none


def _stretch(item: Any, before: Any, after: Any) -> None:
    old = item.source_range
    item.source_range = otio.opentime.TimeRange(old.start_time - before, old.duration + before + after)


def _slug(gap: Any) -> Any:
    """Black of its own, so that a film that ends in it keeps its length."""
    black = otio.schema.GeneratorReference("Slug", "Slug", available_range=gap.source_range)
    black.metadata[FCP] = {"media": {"video": None}}
    return otio.schema.Clip("black", black, gap.source_range)


def _place(clip: Any, folder: Path) -> None:
    """Each reference of its own: the writer asks the one in use."""
    medium = clip.media_reference
    if not isinstance(medium, otio.schema.ExternalReference):
        return
    own = medium.metadata.get(OWN, {})
    file = (folder / unquote(medium.target_url)).resolve()
    medium.target_url = f"file://localhost{quote(str(file), safe='/@+')}"
    media: dict[str, object] = {}
    if own.get("width_px"):
        media["video"] = {"samplecharacteristics": {"width": own["width_px"], "height": own["height_px"]}}
    if own.get("has_audio"):
        media["audio"] = _SOUND
    medium.metadata[FCP] = {"media": media}
    clip.media_reference = medium


def _notes(clip: Any) -> dict[str, object]:
    """As a logger would write them: scene, take and remarks."""
    own, made = clip.metadata.get(OWN, {}), clip.media_reference.metadata.get(OWN, {})
    for marker in clip.markers:
        marker.metadata[FCP] = {"comment": marker.comment}
        start = marker.marked_range.start_time
        marker.marked_range = type(marker.marked_range)(
            start, type(start)(-1 - start.value, start.rate)
        )  # to -1: a point
    if "take" not in own:
        return {}
    words = [f"{word} {made[word]}" for word in ("model", "seed", "service") if made.get(word) is not None]
    logged = {"description": made.get("prompt") or "", "scene": own.get("shot"), "shottake": own.get("number")}
    told = {"logginginfo": {**logged, "lognote": ", ".join(words)}}
    kept = [f"{word} {made[word]}" for word in ("key", "sha256") if made.get(word)]
    return {**told, "comments": {f"mastercomment{n}": line for n, line in enumerate(kept, 1)}} if kept else {**told}


def _channel(clip: Any, track: Any) -> dict[str, object]:
    """Which channel of the file sounds, and how loud."""
    source = {"sourcetrack": {"mediatype": "audio", "trackindex": 1}}
    db = clip.metadata.get(OWN, {}).get("level_db", track.metadata.get(OWN, {}).get("level_db", 0.0))
    if not db:
        return {**source}
    level = {
        "parameterid": "level",
        "name": "Level",
        "valuemin": 0,
        "valuemax": LOUDEST,
        "value": f"{min(linear(db), LOUDEST):.5f}",
    }
    word = {"name": "Audio Levels", "effectid": "audiolevels", "effectcategory": "audiolevels"}
    return {
        **source,
        "filter": {"effect": {**word, "effecttype": "audiolevels", "mediatype": "audio", "parameter": level}},
    }


def _effect(own: Mapping[str, Any], sounds: bool) -> dict[str, object]:
    if sounds:
        told: dict[str, object] = {"name": "Cross Fade (+3dB)", "effectid": "KGAudioTransCrossFade3dB"}
        return {**told, "effecttype": "transition", "mediatype": "audio"}
    wipe = _WIPES.get(str(own.get("from"))) if own.get("join") == "wipe" else None
    name = "Edge Wipe" if wipe else "Cross Dissolve"
    told = {"name": name, "effectid": name, "effectcategory": "Wipe" if wipe else "Dissolve"}
    told |= {"effecttype": "transition", "mediatype": "video"}
    if wipe:
        told |= {"wipecode": wipe[0], "wipeaccuracy": 100, "reverse": "TRUE" if wipe[1] else "FALSE"}
    return {**told, "startratio": 0, "endratio": 1}


def _faded(clip: Any, sounds: bool) -> Iterator[Any]:
    """The clip, and its way out of black and into it: dissolves with one side only."""
    own, rate = clip.metadata.get(OWN, {}), clip.source_range.duration.rate
    none = otio.opentime.RationalTime(0, rate)
    came, gone = (otio.opentime.RationalTime(float(own.get(word, 0)), rate) for word in ("fade_in", "fade_out"))
    effect = {FCP: {"effect": _effect({}, sounds)}}
    if came.value:
        yield otio.schema.Transition("fade", "SMPTE_Dissolve", none, came, effect)
    yield clip
    if gone.value:
        yield otio.schema.Transition("fade", "SMPTE_Dissolve", gone, none, effect)
