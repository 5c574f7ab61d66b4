"""The step that joins clips: which films it makes, of which pieces, and whether they are already made of just these."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath

from runner.adapters.outputs import Outputs
from runner.core import visible
from runner.core.request import Request, canonical
from runner.language.cut import FPS, Cut, Heard, Sound, Video
from runner.language.pipeline import Assemble, Missing, Timeline
from runner.language.take import Join, Layer, Setting, Take, Transition
from runner.planning.edit import Edit, Slot, edits
from runner.steps.cut import PLAIN, BadCut, CutPlan, Piece, Stopped, plan_cut
from runner.steps.score import score
from runner.steps.version import FILM_VERSION

__all__ = [
    "Film",
    "Incomplete",
    "Material",
    "Stopped",
    "assemble",
    "films",
    "made_already",
    "pieces",
    "plain",
    "rehearse",
    "timelines",
]

MENDS = "write times that fit, or ask for a longer clip: `duration` in the shot's `params`"
DEFAULT_SECONDS = 5  # of a take whose request was not made


class Incomplete(Exception):
    """Clips are missing and the step says to stop for that."""

    def __init__(self, takes: tuple[str, ...]) -> None:
        self.takes = takes
        super().__init__(", ".join(takes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One film of a step: its file below the out folder, and what stands in it."""

    output: str
    edit: Edit
    step: Assemble


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What films are cut from: `clips` and their real `seconds` by take id, `files` of the project and their seconds by path,
    `digests` of all of them by place; `words` say of a take without a clip what became of it. `size` is the film's frame, where that
    is not its first clip's."""

    requests: Mapping[str, Request]
    clips: Mapping[str, Path]
    seconds: Mapping[str, Decimal]
    words: Mapping[str, str]
    files: Mapping[str, Path]
    file_seconds: Mapping[str, Fraction]
    digests: Mapping[Path, str] = field(default_factory=dict)
    size: tuple[int, int] | None = None


def films(step: Assemble, cuts: Sequence[Cut], takes: Sequence[Take]) -> tuple[Film, ...]:
    """What the step makes of the chosen takes: the cut it names; without a name all there are, beside its output; without cuts one film."""
    wanted: Sequence[tuple[Cut | None, str]] = [(None, step.output)]
    if step.cut is not None:
        wanted = [(cut, step.output) for cut in cuts if cut.name == step.cut.value]
    elif cuts:
        wanted = [(cut, str(PurePosixPath(step.output).with_name(f"{cut.name}.mp4"))) for cut in cuts]
    return tuple(
        Film(output=edit.output(name), edit=edit, step=step) for cut, name in wanted for edit in edits(cut, takes)
    )


def timelines(step: Timeline, made: Sequence[Film]) -> Iterator[tuple[Film, str]]:
    """The films the step writes, of those the pipeline makes, and the file of each: where `output` says; of several beside it, named as
    the film."""
    wanted = [film for film in made if film.step is step.of]
    path = PurePosixPath(step.output)
    for film in wanted:
        alone = len(wanted) == 1
        yield film, step.output if alone else str(path.with_name(PurePosixPath(film.output).stem + path.suffix))


def plain(cut: Cut) -> Assemble:
    """A step that makes this cut and says nothing else."""
    name = Setting(value=cut.name, span=cut.span, layer=Layer.DEFAULT)
    return Assemble(output=f"{cut.name}.mp4", cut=name, transition=None, missing=Missing.SLATE, span=cut.span)


def rehearse(film: Film, requests: Mapping[str, Request], file_seconds: Mapping[str, Fraction]) -> Iterator[BadCut]:
    """Every fault of the film by the lengths that will be asked for, before anything is bought; one of each piece, then what its
    sound asks for. Nothing is said of a film with a file whose length is not known."""
    slots = film.edit.slots
    if any(slot.file and slot.file.path not in file_seconds for slot in slots):
        return
    plan: CutPlan | None = None
    while plan is None:
        material = Material(
            requests=requests,
            clips={slot.take.id: Path() for slot in slots if slot.take},
            seconds={},
            words={},
            files=dict.fromkeys(file_seconds, Path()),
            file_seconds=file_seconds,
        )
        found = _pieces(slots, film, material)
        lengths = [_whole(slot, material) if slot.black_s is None else None for slot in slots]
        try:
            plan = _planned(film, found, lengths)
        except BadCut as fault:
            yield fault
            if fault.number is None:
                return
            mended = replace(slots[fault.number], in_s=None, out_s=None, transition=PLAIN)
            if mended == slots[fault.number]:
                return
            slots = (*slots[: fault.number], mended, *slots[fault.number + 1 :])
    sound = film.edit.cut.sound if film.edit.cut else None
    if sound and all(heard.file.path in file_seconds for heard in sound.heard):
        try:
            score(sound, plan, file_seconds)
        except BadCut as fault:
            yield fault


def _planned(film: Film, found: Sequence[Piece], lengths: Sequence[Fraction | None]) -> CutPlan:
    video = film.edit.cut.video if film.edit.cut else None
    if video is None:
        return plan_cut(found, lengths)
    return plan_cut(found, lengths, fps=video.fps, length_s=video.length_s)


def planned(film: Film, found: Sequence[Piece], material: Material) -> CutPlan:
    """Where each piece stands, by what is known of the clips' lengths. Raises `BadCut`."""
    lengths = []
    for slot, piece in zip(film.edit.slots, found, strict=True):
        known = (
            material.seconds.get(slot.take.id)
            if slot.take
            else material.file_seconds.get((slot.file and slot.file.path) or "")
        )
        lengths.append(None if piece.clip is None or known is None else Fraction(known))
    return _planned(film, found, lengths)


def pieces(film: Film, material: Material) -> tuple[Piece, ...]:
    """The film's pieces. A service may make a clip a few frames shorter than it was asked for: a trim that ends behind it ends
    with it. Raises `Incomplete`.
    """
    takes = film.edit.takes
    missing = tuple(take.id for take in takes if take.id not in material.clips)
    if missing and (film.step.missing is Missing.STOP or len(missing) == len(takes)):
        raise Incomplete(missing)
    found = _pieces(film.edit.slots, film, material)
    return tuple(
        _held(piece, material.seconds.get(slot.take.id)) if slot.take else piece
        for slot, piece in zip(film.edit.slots, found, strict=True)
    )


def _held(piece: Piece, length: Decimal | None) -> Piece:
    if length is None or piece.out_s is None or piece.out_s < length:
        return piece
    return replace(piece, out_s=None)


async def made_already(film: Film, pieces: Sequence[Piece], material: Material, outputs: Outputs) -> str | None:
    """The digest of the film that lies there, if it is made of just these pieces."""
    known = await outputs.still(film.output, fingerprint(film, pieces, material))
    return known.sha256 if known else None


async def assemble(
    film: Film,
    pieces: Sequence[Piece],
    material: Material,
    outputs: Outputs,
    stopped: Callable[[], bool] = lambda: False,
) -> str:
    """Make the film; its digest. Raises `BadCut`, `Unreadable`, OSError, and `Stopped` soon after `stopped` is true."""
    from runner.steps import assemble as assembly  # loads decoders, which a run with nothing to do need not

    cut, video = film.edit.cut, film.edit.cut.video if film.edit.cut else None
    if material.size is not None and (video is None or video.size is None):
        video = replace(video or Video(), size=material.size)
    made = await asyncio.to_thread(
        assembly.assemble,
        pieces,
        outputs.path(film.output),
        stopped,
        video=video,
        sound=cut.sound if cut else None,
        files=material.files,
        file_seconds=material.file_seconds,
    )
    await outputs.note(film.output, made.sha256, fingerprint(film, pieces, material))
    return made.sha256


# ---------------------------------------------------------------- pieces


def _pieces(slots: Sequence[Slot], film: Film, material: Material) -> tuple[Piece, ...]:
    lengths = [_seconds(slot, material) for slot in slots]
    fps = film.edit.cut.video.fps if film.edit.cut else FPS
    given = film.step.transition
    found = []
    for number, slot in enumerate(slots):
        transition = PLAIN
        if slot.transition is not None:
            transition = slot.transition
        elif given is not None and number:
            # The pipeline's own transition gives way to short shots; a shot's is a fault where it does not fit.
            room = min(Fraction(given.seconds), *(length / 2 for length in lengths[number - 1 : number + 1]))
            frames = int(room * fps)
            transition = replace(given, seconds=Decimal(frames * fps.denominator) / fps.numerator)
        found.append(_piece(slot, material, lengths[number], transition))
    return tuple(found)


def _seconds(slot: Slot, material: Material) -> Fraction:
    """How long the slot is in the cut, by what is asked for."""
    whole = _whole(slot, material)
    return Fraction(slot.out_s if slot.out_s is not None else whole) - Fraction(slot.in_s or 0)


def _whole(slot: Slot, material: Material) -> Fraction:
    if slot.take is not None:
        request = material.requests.get(slot.take.id)
        return Fraction(request.seconds if request else DEFAULT_SECONDS)
    if slot.file is not None:
        return material.file_seconds[slot.file.path or ""]
    return Fraction(slot.black_s or 0)


def _piece(slot: Slot, material: Material, seconds: Fraction, transition: Transition) -> Piece:
    take = slot.take
    clip = material.clips.get(take.id) if take else material.files[slot.file.path or ""] if slot.file else None
    piece = Piece(
        name=slot.name,
        clip=clip,
        in_s=slot.in_s,
        out_s=slot.out_s,
        transition=transition,
        title=_title(slot),
        variant=take.variant if take else "",
    )
    if clip is not None:
        return piece
    slate: tuple[str, ...] = ()
    if take is not None:
        prompt = str(take.texts["prompt"].value) if "prompt" in take.texts else ""
        slate = (take.variant, *(line for line in (take.title, material.words.get(take.id, ""), prompt) if line))
    return replace(piece, slate=slate, seconds=seconds, in_s=None, out_s=None)


def _title(slot: Slot) -> str:
    """Its chapter's; black belongs to the chapter before it."""
    if slot.take is not None:
        return visible.one_line(slot.take.title) or visible.one_line(slot.take.variant)
    return visible.one_line(PurePosixPath(slot.file.path or "").stem) if slot.file else ""


# ---------------------------------------------------------------- what a film is made from


def fingerprint(film: Film, pieces: Sequence[Piece], material: Material) -> str:
    """A digest of everything the film depends on."""
    listed = [
        [
            p.name,
            material.digests.get(p.clip) if p.clip else None,
            list(p.slate),
            *(None if t is None else str(Fraction(t)) for t in (p.seconds, p.in_s, p.out_s, p.transition.seconds)),
            *([] if p.transition.join is Join.DISSOLVE else [p.transition.join, p.transition.side]),
        ]
        for p in pieces
    ]
    titles = [[p.title, p.variant] for p in pieces]
    inputs: dict[str, object] = {"version": FILM_VERSION, "pieces": listed, "titles": titles}
    if material.size is not None:
        inputs["frame"] = list(material.size)
    if film.edit.cut is not None:
        video, sound = film.edit.cut.video, film.edit.cut.sound
        inputs["video"] = [video.size, str(video.fps), str(video.length_s)]
        inputs["sound"] = _told(sound, material) if sound else None
    return hashlib.sha256(canonical(inputs)).hexdigest()


def _told(sound: Sound, material: Material) -> dict[str, object]:
    """Every word of it, files by their bytes."""

    def heard(one: Heard) -> dict[str, str | None]:
        words = {each.name: str(getattr(one, each.name)) for each in fields(one) if each.name not in ("file", "span")}
        return {**words, "file": material.digests.get(material.files[one.file.path or ""])}

    return {
        "clips": str(sound.clips_db),
        "music": heard(sound.music) if sound.music else None,
        "voice": [heard(voice) for voice in sound.voice],
        "duck": str(sound.duck),
        "loudness": str(sound.loudness_lufs),
    }
