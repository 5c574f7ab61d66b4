"""Timelines of films: what stands in each place and which takes could, out of plan and cut."""

import hashlib
import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath

from runner.commands.deciding import Decided
from runner.commands.loading import Loaded
from runner.core.media import MediaFacts
from runner.core.request import Request
from runner.language.take import Take
from runner.planning.edit import Slot
from runner.steps import film, lanes, timeline
from runner.steps.cut import CutPlan
from runner.steps.film import Film, Material
from runner.steps.timeline import Heard, Medium, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a timeline is made of. By take, `placed` is its clip in the out folder `out`, `results` what is known of it."""

    loaded: Loaded
    decided: Decided
    material: Material
    placed: Mapping[str, str]
    results: Mapping[str, Mapping[str, object]]
    out: Path


def text(wanted: Film, name: str, known: Known) -> str:
    """The timeline as `.otio`, to lie at `name` below the out folder. Raises `Incomplete`, `BadCut`."""
    loaded, pieces = known.loaded, film.pieces(wanted, known.material)
    plan = film.planned(wanted, pieces, known.material)
    seen = _Media(name, known)
    places = [seen.place(slot) for slot in wanted.edit.slots]
    told: dict[str, object] = {
        "storyboard": loaded.storyboard.source.path,
        "sha256": hashlib.sha256(loaded.storyboard.source.text.encode("utf-8", "surrogatepass")).hexdigest(),
        "pipeline": loaded.pipeline.name,
        "service": loaded.service.name,
        "film": wanted.output,
        **_size(wanted, places, known.material),
    }
    title = loaded.storyboard.title or loaded.identity
    if wanted.edit.cut is not None:
        title = f"{title} - {PurePosixPath(wanted.output).stem}"
    return timeline.text(title, plan, places, _heard(wanted, plan, seen, known.material), told)


def _size(wanted: Film, places: list[Place], material: Material) -> dict[str, object]:
    """The film's, as it is cut: asked for, or that of its first picture."""
    video = wanted.edit.cut.video if wanted.edit.cut else None
    if size := (video and video.size) or material.size:
        return dict(zip(("width_px", "height_px"), size, strict=True))
    for place in places:
        for medium in place.media:
            if medium.name == place.chosen:
                return {name: medium.told.get(name) for name in ("width_px", "height_px")}
    return {}


def _heard(wanted: Film, plan: CutPlan, seen: "_Media", material: Material) -> Heard:
    sound = wanted.edit.cut.sound if wanted.edit.cut else None
    if sound is None:
        return Heard(told={"role": "clips"}, files={})
    level = {} if sound.clips_db is None else {"level_db": float(sound.clips_db)}
    loudness = {} if sound.loudness_lufs is None else {"mix_lufs": float(sound.loudness_lufs)}
    return Heard(
        clips=sound.clips_db is not None,
        told={"role": "clips", **level, **loudness},
        lanes=lanes.lanes(sound, plan, material.file_seconds),
        files={heard.file.path: seen.file(heard.file.path) for heard in sound.heard if heard.file.path},
    )


class _Media:
    """The media of a timeline's places; all paths are relative to its own folder."""

    def __init__(self, name: str, known: Known) -> None:
        self._folder, self._known = posixpath.dirname(name), known
        actions = known.decided.plan.actions
        self._requests = {a.take.id: a.request for a in actions if a.request is not None}

    def place(self, slot: Slot) -> Place:
        if slot.take is not None:
            return self._of_take(slot.name, slot.take)
        if slot.file is not None and slot.file.path:
            medium = self.file(slot.file.path)
            return Place(name=slot.name, media=(medium,), chosen=medium.name, told={"path": slot.file.path})
        return Place(name=slot.name, black=True, told={})

    def _of_take(self, name: str, take: Take) -> Place:
        known = self._known
        takes = [t.id for t in known.loaded.storyboard.takes if t.variant == take.variant]
        request = self._requests.get(take.id)
        made_of = _made_of(request) if request else {}
        return Place(
            name=name,
            media=tuple(self._medium(one) for one in takes if one in known.placed and one in known.results),
            chosen=take.id,
            note=str(made_of.get("prompt") or ""),
            below=f"{made_of['model']}, seed {made_of['seed']}" if made_of else "",
            noted={"take": take.id, **made_of},
            told={"take": take.id, "shot": take.shot, "number": take.number, "title": take.title},
        )

    def _medium(self, take: str) -> Medium:
        known, request = self._known, self._requests[take]
        result = known.results[take]
        fps = result.get("fps")
        return Medium(
            name=take,
            path=posixpath.relpath(known.placed[take], self._folder or "."),
            seconds=Fraction(str(result["duration_s"])),
            fps=Fraction(str(fps)).limit_denominator(1001) if fps else None,
            has_sound=bool(result.get("audio_codec")),
            told={
                "key": request.key,
                "sha256": result.get("sha256"),
                "service": request.service,
                **_made_of(request),
                **{name: result.get(name) for name in ("width_px", "height_px")},
            },
        )

    def file(self, path: str) -> Medium:
        """A file of the project."""
        known, file = self._known, self._known.material.files[path]
        facts = known.loaded.facts[path]
        assert isinstance(facts, MediaFacts)  # else the film could not be planned
        return Medium(
            name=path,
            path=os.path.relpath(file, (known.out / self._folder).resolve()).replace(os.sep, "/"),
            seconds=known.material.file_seconds[path],
            fps=facts.fps,
            has_sound=facts.has_audio,
            told={
                "path": path,
                "sha256": known.material.digests.get(file),
                **({"width_px": facts.width_px, "height_px": facts.height_px} if facts.width_px else {}),
            },
        )


def _made_of(request: Request) -> dict[str, object]:
    """What a clip was made of. A clip that was picked may be of another prompt and seed than the storyboard now says."""
    return {
        "prompt": request.body.get("prompt"),
        "model": request.model,
        "seed": request.body.get("seed", request.seed),
        "seed_contract": request.seed_contract,
    }
