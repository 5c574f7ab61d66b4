"""What is heard beside the clips, as the tracks of a timeline: music and voices in whole frames of the film. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from runner.language.cut import Heard, Sound
from runner.steps.cut import SAMPLE_RATE, CutPlan
from runner.steps.score import Strip, linear, score


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """`frames` of a file from its frame `first` on sound in the film from its frame `start` on."""

    name: str
    path: str
    first: int
    start: int
    frames: int
    told: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Stretches that follow each other, in their order, and never overlap."""

    name: str
    told: Mapping[str, object]
    stretches: Sequence[Stretch]


def lanes(sound: Sound, plan: CutPlan, seconds: Mapping[str, Fraction]) -> tuple[Lane, ...]:
    """Music has a lane of its own; a voice the first one that is free. `seconds` are the files' lengths by path. Raises BadCut."""
    found = score(sound, plan, seconds)
    voices = {(voice.file.path, linear(voice.level_db)): voice for voice in sound.voice}
    free: list[tuple[int, list[Stretch]]] = []  # of each lane: its end, and what stands in it
    for strip in sorted(found.voices, key=lambda each: each.start):
        stretches = _stretches(strip, voices[strip.path, strip.gain], plan, seconds[strip.path])
        if not stretches:
            continue
        number = next((n for n, (end, _) in enumerate(free) if end <= stretches[0].start), len(free))
        if number == len(free):
            free.append((0, []))
        free[number][1].extend(stretches)
        free[number] = (stretches[-1].start + stretches[-1].frames, free[number][1])
    made = []
    if found.music is not None and sound.music is not None:
        made.append(Lane(name="Music", told=_of_music(sound), stretches=_music(found.music, sound, plan, seconds)))
    many = len(free) > 1
    for number, (_, stretches) in enumerate(free, 1):
        made.append(Lane(name=f"Voice {number}" if many else "Voice", told={"role": "voice"}, stretches=stretches))
    return tuple(made)


def _of_music(sound: Sound) -> dict[str, object]:
    told: dict[str, object] = {"role": "music"}
    if sound.duck is not None:
        told["duck"] = {
            "by_db": float(sound.duck.by_db),
            "attack_s": float(sound.duck.attack_s),
            "release_s": float(sound.duck.release_s),
            "under": [under.value for under in sound.duck.under],
        }
    return told


def _music(strip: Strip, sound: Sound, plan: CutPlan, seconds: Mapping[str, Fraction]) -> list[Stretch]:
    """Once, or over and over; its fades are told of the first and the last time."""
    assert sound.music is not None
    made = _stretches(strip, sound.music, plan, seconds[strip.path])
    fades = (("fade_in_s", sound.music.fade_in_s, 0), ("fade_out_s", sound.music.fade_out_s, -1))
    for key, length, number in fades:
        if length and made:
            made[number] = replace(made[number], told={**made[number].told, key: float(length)})
    return made


def _stretches(strip: Strip, heard: Heard, plan: CutPlan, seconds: Fraction) -> list[Stretch]:
    """One each time it is heard; frames are counted from the film's beginning, so that nothing adds up."""
    whole, first = ceil(seconds * plan.fps), _frame(strip.first, plan)
    made = []
    for begin in range(strip.start, strip.end, strip.length):
        start = _frame(begin, plan)
        frames = min(_frame(min(begin + strip.length, strip.end), plan), plan.frames) - start
        if frames > 0:
            made.append(
                Stretch(
                    name=heard.file.name or strip.path.rpartition("/")[2],
                    path=strip.path,
                    first=max(0, min(first, whole - frames)),
                    start=start,
                    frames=frames,
                    told={"level_db": float(heard.level_db)},
                )
            )
    return made


def _frame(sample: int, plan: CutPlan) -> int:
    """The frame of the film nearest to a sample."""
    return int(Fraction(sample) * plan.fps / SAMPLE_RATE + Fraction(1, 2))
