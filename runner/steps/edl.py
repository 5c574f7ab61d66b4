"""What an `.edl` wants of a timeline before OpenTimelineIO writes it, and of the text when it has: CMX 3600 knows one picture track,
reels of eight characters and no words but remarks. Timelines are the library's own, and changed in place."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import opentimelineio as otio

from runner.steps.timeline import OWN

CMX = "cmx_3600"  # where in metadata the library's writer looks
LONGEST_REEL = 8
LONGEST_REMARK = 60
_RESERVED = frozenset({"", "AX", "BL", "BLACK", "BARS"})


def left_out(tracks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What it has no place for, in words; `tracks` as JSON."""
    items = tracks[0]["children"]
    sounding = any(item["OTIO_SCHEMA"] == "Clip.2" for track in tracks[1:] for item in track["children"])
    if sounding:
        yield "sound"
    if any(item["OTIO_SCHEMA"] == "Transition.1" and item["name"] == "wipe" for item in items):
        yield "wipes (written as dissolves)"
    if items and items[0]["metadata"].get(OWN, {}).get("fade_in"):
        yield "the fade at the beginning"


def written(text: str, folder: Path) -> bytes:
    """`text` as an `.edl`; the `.otio` would lie in `folder`. Raises the library's errors."""
    timeline = otio.adapters.read_from_string(text, "otio_json")
    _prepare(timeline)
    return _mended(otio.adapters.write_to_string(timeline, "cmx_3600")).encode()


def _prepare(timeline: Any) -> None:
    """Leave the one picture track, with a reel for each file, remarks on what each clip was made of, fades through black, and black as
    events of its own."""
    picture = next(track for track in timeline.tracks if track.kind == otio.schema.TrackKind.Video)
    timeline.name = _line(timeline.name, LONGEST_REMARK)
    for track in [track for track in timeline.tracks if track is not picture]:
        timeline.tracks.remove(track)
    reels: dict[str, str] = {}
    events: list[Any] = []
    for item in list(picture):
        match item:
            case otio.schema.Clip():
                _name(item, reels)
                events += _faded(item, is_first=not events)
            case otio.schema.Gap():
                events.append(_event(item, events[-1] if events else None))
            case _:
                events.append(item)
    picture.clear()
    picture.extend(events)


def _name(clip: Any, reels: dict[str, str]) -> None:
    medium, own = clip.media_reference, clip.metadata.get(OWN, {})
    key, name = medium.name, medium.name
    told = {"TAKE": own.get("take")}
    if isinstance(medium, otio.schema.ExternalReference):
        file = PurePosixPath(unquote(medium.target_url))
        key, name, clip.name = medium.target_url, file.stem, _line(file.name, 80)
        made = medium.metadata.get(OWN, {})
        told.update({word.upper(): made.get(word) for word in ("model", "seed", "key", "sha256")})
    if key not in reels:
        reels[key] = _reel(name, set(reels.values()))
    remarks = [f"SHOTRUNNER {word}: {_line(str(value), 80)}" for word, value in told.items() if value is not None]
    clip.metadata[CMX] = {"reel": reels[key], "comments": remarks}
    for marker in clip.markers:
        seed = marker.metadata.get(OWN, {}).get("seed")
        marker.name = _line(f"seed {seed}: {marker.name}" if seed is not None else marker.name, LONGEST_REMARK)


def _reel(name: str, taken: set[str]) -> str:
    """Up to eight capital letters, digits and underscores, that no other file has."""
    plain = re.sub(r"[^A-Z0-9_]", "", name.upper())
    if plain not in _RESERVED and len(plain) <= LONGEST_REEL and plain not in taken:
        return plain
    number = 1
    while True:
        end = f"_{number}"
        found = (plain or "CLIP")[: LONGEST_REEL - len(end)] + end
        if found not in taken:
            return found
        number += 1


def _faded(clip: Any, *, is_first: bool) -> Iterator[Any]:
    """The clip, between what it dissolves from and into: a fade goes through black, which itself may have no length."""
    own, rate = clip.metadata.get(OWN, {}), clip.source_range.duration.rate
    none = otio.opentime.RationalTime(0, rate)
    came, gone = (otio.opentime.RationalTime(float(own.get(word, 0)), rate) for word in ("fade_in", "fade_out"))
    if came.value and not is_first:  # at the beginning of a list there is nothing to dissolve from
        yield otio.schema.Transition("fade", "SMPTE_Dissolve", none, came)
    yield clip
    if gone.value:
        yield otio.schema.Transition("fade", "SMPTE_Dissolve", gone, none)
        yield otio.schema.Gap(source_range=otio.opentime.TimeRange(gone, none))


def _event(gap: Any, before: Any) -> Any:
    """Black of some length as an event, so that it is not lost where the list begins or ends with it. What is dissolved into begins
    before its own start, which is late enough for that."""
    length = gap.source_range.duration
    start = (
        before.in_offset if isinstance(before, otio.schema.Transition) else otio.opentime.RationalTime(0, length.rate)
    )
    black = otio.schema.Clip("black", otio.schema.MissingReference(), otio.opentime.TimeRange(start, length))
    black.metadata[CMX] = {"reel": "BL"}
    return black


def _mended(text: str) -> str:
    """The list as the library wrote it, with how its frames are counted; of what a dissolve comes from only the name, since all else has
    been said at its own event; and with names of files under a word by which the library, too, reads them of a dissolve's second clip."""
    lines, leaving = [], False
    for line in text.splitlines():
        if re.match(r"\d{3,} ", line):
            leaving = bool(re.search(r" V +D \d+ ", line))
        elif line.startswith("* TO CLIP"):
            leaving = False
        if leaving and line.startswith("*") and not line.startswith("* FROM CLIP NAME:"):
            continue
        lines.append(re.sub(r"^\* (FROM|TO) CLIP: ", r"* OTIO REFERENCE \1: ", line))
    count = "DROP FRAME" if re.search(r"\d;\d\d\b", text) else "NON-DROP FRAME"
    at = 1 if lines and lines[0].startswith("TITLE:") else 0
    return "\n".join([*lines[:at], f"FCM: {count}", *lines[at:]]).rstrip("\n") + "\n"


def _line(text: str, most: int) -> str:
    """In one line, and not too long."""
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return words if len(words) <= most else f"{words[: most - 3]}..."
