"""What a person says of takes, and what comes of it: the picks file beside the storyboard, changed by lines, and nothing else."""

import os
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.adapters.files import Checkout, write_whole
from runner.adapters.store import Store
from runner.commands import loading, manifests, picked
from runner.commands.deciding import decide, out_folder
from runner.commands.options import Options
from runner.commands.peek import peeked
from runner.commands.scene import Scene
from runner.core.diagnostics import Source
from runner.core.errors import Refused
from runner.core.spelling import instead
from runner.language.picks import Pick, Rejection, changed, load, parts_of, take_of
from runner.planning.history import Purchase
from runner.providers.provider import PROVIDERS
from runner.screen.amounts import count, priced
from runner.steps.film import Film

DIGITS = 12  # of a digest where people read it
LEAST_DIGITS = 6  # that name a clip


Change = Callable[[Scene, Source | None], tuple[str, list[str]]]  # the file's new text, and what is said of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The picks file as one would type it, and what became of it: what was chosen, then what the next run does about it."""

    file: str
    lines: tuple[str, ...]


def choosing(takes: Sequence[str], clip: str | None, note: str) -> Change:
    """Takes are the film's, each at the clip it has now, or at an earlier one that `clip` begins the digest of."""

    def choose(scene: Scene, source: Source | None) -> tuple[str, list[str]]:
        text, lines = source, []
        for take in _one_each(scene, takes):
            found = _earlier(scene, take, clip) if clip else scene.clip(take)
            variant, number = parts_of(take)
            before = scene.picks.shots.get(variant)
            digest = str(found.result["sha256"]) if found is not None and found.result else ""
            again = before if before and before.take == number else Pick(take=number)
            under = scene.loaded.pipeline.name
            # What is protected already stays so, here and under every other pipeline.
            held = again.with_clips({under: digest} | {**again.clips, under: digest}) if digest else again
            chosen = replace(held, note=note or again.note)
            digest = chosen.clips.get(under, "")
            text = _with(text, changed(text, "shots", variant, chosen), scene)
            if f"{variant}.{number}" in scene.picks.rejected:
                text = _with(text, changed(text, "rejected", take, None), scene)
            at = f"clip {digest[:DIGITS]}, pipeline {under}" if digest else f"no clip of it under {under} yet"
            was = f"; was take {before.take}" if before and before.take != number else ""
            lines += [f"picked {take} ({at}){was}", *_elsewhere(scene, take, chosen)]
        return text.text if text else "", lines

    return choose


def undoing(shots: Sequence[str]) -> Change:
    """The choice of variants is taken back: the first take is the film's again."""

    def undo(scene: Scene, source: Source | None) -> tuple[str, list[str]]:
        text, lines = source, []
        for name in shots:
            variant = _picked(scene, name)
            text = _with(text, changed(text, "shots", variant, None), scene)
            lines.append(f"{variant} is picked no more")
        return text.text if text else "", lines

    return undo


def letting_go(shots: Sequence[str]) -> Change:
    """The take stays chosen and its clip does not, so that the next run makes it as the storyboard says now."""

    def let_go(scene: Scene, source: Source | None) -> tuple[str, list[str]]:
        text, lines = source, []
        for name in shots:
            variant = _picked(scene, name)
            known = scene.picks.shots[variant]
            freed = known.with_clips({name: clip for name, clip in known.clips.items() if not scene.holds(name, clip)})
            text = _with(text, changed(text, "shots", variant, freed), scene)
            lines.append(f"{variant}.{freed.take} stays picked, and is made as its prompt says now")
        return text.text if text else "", lines

    return let_go


def turning_down(takes: Sequence[str], note: str) -> Change:
    """Takes are turned down, with a note for whoever asks why."""

    def turn_down(scene: Scene, source: Source | None) -> tuple[str, list[str]]:
        text, lines = source, []
        for name in takes:
            take = scene.known(name)
            variant, number = parts_of(take)
            found = scene.clip(take)
            digest = str(found.result["sha256"]) if found is not None and found.result else ""
            text = _with(text, changed(text, "rejected", take, Rejection(note=note, clip=digest)), scene)
            if (known := scene.picks.shots.get(variant)) and known.take == number:
                text = _with(text, changed(text, "shots", variant, None), scene)
                lines.append(f"rejected {take}, which was picked")
            else:
                lines.append(f"rejected {take}")
        return text.text if text else "", lines

    return turn_down


def together(changes: Sequence[Change]) -> Change:
    """Several changes, each of what the one before it has left, and written at once."""

    def change(scene: Scene, source: Source | None) -> tuple[str, list[str]]:
        text, lines = source, []
        for one in changes:
            became, said = one(scene, text)
            text = _with(text, became, scene) if became else text
            lines += said
        return text.text if text else "", lines

    return change


def file_of(file: Path, options: Options) -> Path:
    """The picks file of a storyboard. Raises `Refused`."""
    place, path = loading.project(file, options)
    return place.root / picked.name_of(path)


def write(file: Path, options: Options, change: Change) -> Written:
    """Change the file, and say what becomes of the plan with it. Raises `Rejected`, `Refused`."""
    place, path = loading.project(file, options)
    files = Checkout(root=place.root, shown_from=Path.cwd())
    target = place.root / picked.name_of(path)
    shown, store = os.path.relpath(target), Store(place.state)
    with peeked(place.state) as journal:

        def seen() -> Scene:
            loaded = loading.load(place, path, options, journal.probed if journal else lambda *_: None)
            loaded.demand()
            decided = decide(loaded, options, journal, store)
            return Scene(loaded=loaded, decided=decided, journal=journal, left=_left(out_folder(loaded, options)))

        source = picked.source(files, path)
        before = seen()
        text, lines = change(before, source)
        load(Source(path=picked.name_of(path), name=files.shown(picked.name_of(path)), text=text))
        if target.is_symlink():
            raise Refused(f"{shown} is a symbolic link", help="make it a file of its own")
        if source is None or text != source.text:
            if _text(picked.source(files, path)) != _text(source):
                raise Refused(f"{shown} was changed by somebody else meanwhile", help="look at it, and try again")
            try:
                marked = source is not None and target.read_bytes().startswith(BOM_UTF8)
                write_whole(target, text.encode("utf-8-sig" if marked else "utf-8"))
            except OSError as fault:
                raise Refused(f"{shown} cannot be written: {fault.strerror}") from fault
        lines += _stale(before, seen())
    return Written(file=shown, lines=tuple(lines))


def _left(out: Path, *, paid: bool = False) -> dict[str, str]:
    """Digests of the clips that the last run left there, by take; `paid`: only if they cost something."""
    try:
        found = manifests.read(out / "manifest.json")
    except Refused:
        return {}
    provider = PROVIDERS.get(found["pipeline"]["provider"])
    if paid and (provider is None or provider.free):
        return {}
    return {take["id"]: take["clip"]["sha256"] for take in found["takes"] if take["clip"]}


def _text(source: Source | None) -> str | None:
    return source.text if source is not None else None


def _stale(before: Scene, after: Scene) -> list[str]:
    """What the next run does that it would not have done before."""
    was = {a.take.id: a for a in before.decided.plan.actions}
    lines = []
    for action in after.decided.plan.actions:
        old = was.get(action.take.id)
        if action.spends and not (old and old.spends and old.request == action.request):
            price = (
                "at an unknown price"
                if action.price is None or action.request is None
                else priced(action.price, action.request.unit)
            )
            cost = "" if after.loaded.service.provider.free else f": {price}"
            anew = " anew" if after.clip(action.take.id) else ""
            lines.append(f"the next run makes {action.take.id}{anew}{cost}, {action.reason}")
    cuts = [
        film.output
        for film, old in zip(after.loaded.films, before.loaded.films, strict=False)
        if _ids(film) != _ids(old)
    ]
    if cuts:
        more = f" and {count(len(cuts) - 4, 'film')} more" if len(cuts) > 4 else ""
        lines.append(f"the next run cuts {', '.join(cuts[:4])} anew{more}")
    return lines


def _ids(film: Film) -> list[str]:
    return [take.id for take in film.edit.takes]


def _with(before: Source | None, text: str, scene: Scene) -> Source:
    name = picked.name_of(scene.loaded.storyboard.source.path)
    return Source(path=name, name=before.name if before else name, text=text)


def _picked(scene: Scene, name: str) -> str:
    """The picked variant of this name, or of this take. Raises `Refused`."""
    told = take_of(name)
    for variant in (name, *([told[0]] if told else [])):
        if variant in scene.picks.shots:
            return variant
    advice = instead(name, scene.picks.shots) or "nothing is picked yet: `shotrunner pick STORYBOARD TAKE` does that"
    raise Refused(f"nothing is picked of `{name}`", help=advice)


def _elsewhere(scene: Scene, take: str, chosen: Pick) -> list[str]:
    """What was picked at a service that is free protects no clip that was paid for; the pipelines that have one are named."""
    if not scene.loaded.service.provider.free:
        return []
    lines = []
    for manifest in sorted((scene.loaded.project.root / "out" / scene.loaded.identity).glob("*/manifest.json")):
        clip = _left(manifest.parent, paid=True).get(take)
        if clip is not None and clip not in chosen.clips.values():
            name = manifest.parent.name
            lines.append(f"its clip {clip[:DIGITS]} of {name} is picked by --pipeline {name}")
    return lines


def _one_each(scene: Scene, names: Sequence[str]) -> list[str]:
    """The takes of these names. Raises `Refused` where two of one variant are to be the film's."""
    first: dict[str, str] = {}
    for take in dict.fromkeys(scene.known(name) for name in names):
        variant, _ = parts_of(take)
        if variant in first:
            raise Refused(
                f"{first[variant]} and {take} are takes of `{variant}`, and one is the film's", help="pick one"
            )
        first[variant] = take
    return list(first.values())


def _earlier(scene: Scene, take: str, clip: str) -> Purchase:
    found = [p for p in scene.ever(take) if p.clip[0].startswith(clip.lower())]
    digests: Mapping[str, Purchase] = {p.clip[0]: p for p in found}
    if len(clip) < LEAST_DIGITS or len(digests) != 1:
        which = f"several clips of {take} begin" if len(digests) > 1 else f"no clip of {take} begins"
        raise Refused(
            f"{which} with {clip}" if len(clip) >= LEAST_DIGITS else f"{clip} is too short to name a clip",
            help=f"`shotrunner history STORYBOARD {take}` lists them",
        )
    chosen, service = next(iter(digests.values())), scene.loaded.service.name
    if chosen.intent.service != service:
        raise Refused(
            f"the clip {clip} is of {chosen.intent.service}; pipeline {scene.loaded.pipeline.name} runs at {service}",
            help="name by --pipeline one of that service",
        )
    return chosen
