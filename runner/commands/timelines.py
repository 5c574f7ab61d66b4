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
from runner.language.take import Take
from runner.planning.edit import Slot
from runner.steps import film, timeline
from runner.steps.film import Film, Material
from runner.steps.timeline import Medium, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a timeline is made of. By take, `placed` is its clip in the out folder `out`, `results` what is known of it."""

    loaded: Loaded
    decided: Decided
    material: Material
    placed: Mapping[str, str]
    results: Mapping[str, Mapping[str, object]]
    out: Path


def name_of(output: str, wanted: Film, *, alone: bool) -> str:
    """The file of a film's timeline, where `output` is written: beside it, named as the film, if there are several."""
    path = PurePosixPath(output)
    return output if alone else str(path.with_name(PurePosixPath(wanted.output).stem + path.suffix))


def text(wanted: Film, name: str, known: Known) -> str:
    """The timeline, to lie at `name` below the out folder. Raises `Incomplete`, `BadCut`."""
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
    }
    return timeline.text(loaded.storyboard.title or loaded.identity, plan, places, told)


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
            return self._of_file(slot.name, slot.file.path)
        return Place(name=slot.name, black=True, told={})

    def _of_take(self, name: str, take: Take) -> Place:
        known = self._known
        takes = [t.id for t in known.loaded.storyboard.takes if t.variant == take.variant]
        media = tuple(self._medium(one) for one in takes if one in known.placed and one in known.results)
        here = any(medium.name == take.id for medium in media)
        request = self._requests.get(take.id)
        return Place(
            name=name,
            media=media if here else (),
            chosen=take.id if here else "",
            note=str(request.body.get("prompt") or "") if request else "",
            told={"take": take.id, "shot": take.shot, "title": take.title},
        )

    def _medium(self, take: str) -> Medium:
        known, request = self._known, self._requests[take]
        result = known.results[take]
        return Medium(
            name=take,
            path=posixpath.relpath(known.placed[take], self._folder or "."),
            seconds=Fraction(str(result["duration_s"])),
            has_sound=bool(result.get("audio_codec")),
            told={
                "key": request.key,
                "sha256": result.get("sha256"),
                "model": request.model,
                "service": request.service,
                "seed": request.seed,
                "seed_contract": request.seed_contract,
                "prompt": request.body.get("prompt"),
            },
        )

    def _of_file(self, name: str, path: str) -> Place:
        known, file = self._known, self._known.material.files[path]
        facts = known.loaded.facts[path]
        medium = Medium(
            name=path,
            path=os.path.relpath(file, known.out / self._folder).replace(os.sep, "/"),
            seconds=known.material.file_seconds[path],
            has_sound=isinstance(facts, MediaFacts) and facts.has_audio,
            told={"path": path, "sha256": known.material.digests.get(file)},
        )
        return Place(name=name, media=(medium,), chosen=path, told={"path": path})
