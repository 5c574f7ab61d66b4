"""The film's sound as arithmetic: which part of which file sounds from when to when, and how far music goes down. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from runner.language.cut import Duck, Heard, Music, Sound, Voice
from runner.steps.cut import SHORTFALL_S, BadCut, CutPlan, samples

SHORT = "write times that fit the file, or take a longer one"
LATE = "let it begin earlier, by `at` or `after`, or make the film longer: `length` in the cut's `video`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """`length` samples of a file from its sample `first` on sound in the film from sample `start` to `end`, over and over where
    that is longer; all at 48 kHz. Fades are within `start` and `end`."""

    path: str
    first: int
    length: int
    start: int
    end: int
    gain: float
    fade_in: int = 0
    fade_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`clips_gain` None: without the clips' own sound. `loudness_lufs` None: as loud as it comes."""

    clips_gain: float | None
    music: Strip | None
    voices: tuple[Strip, ...]
    duck: Duck | None
    loudness_lufs: float | None


def score(sound: Sound, plan: CutPlan, seconds: Mapping[str, Fraction]) -> Score:
    """`seconds` are the files' lengths by path. A voice whose shot is not in this film is left out. Raises BadCut."""
    end = plan.samples_to(plan.frames)
    starts = {
        name: part.start
        for part in reversed(plan.parts)
        for name in (part.piece.variant.partition("@")[0], part.piece.variant)
        if name
    }
    spoken = [voice for voice in sound.voice if voice.shot is None or voice.shot in starts]
    return Score(
        clips_gain=None if sound.clips_db is None else linear(sound.clips_db),
        music=_music(sound.music, end, seconds) if sound.music else None,
        voices=tuple(_voice(voice, starts, plan, end, seconds) for voice in spoken),
        duck=sound.duck,
        loudness_lufs=None if sound.loudness_lufs is None else float(sound.loudness_lufs),
    )


def linear(level_db: Decimal | float) -> float:
    return float(10 ** (float(level_db) / 20))


def _music(music: Music, end: int, seconds: Mapping[str, Fraction]) -> Strip:
    first, length = _part(music, seconds)
    stop = end if music.loop else min(end, length)
    fades = [min(stop, samples(Fraction(fade))) for fade in (music.fade_in_s, music.fade_out_s)]
    return Strip(
        path=music.file.path or "",
        first=first,
        length=length,
        start=0,
        end=stop,
        gain=linear(music.level_db),
        fade_in=fades[0],
        fade_out=fades[1],
    )


def _voice(voice: Voice, starts: Mapping[str, int], plan: CutPlan, end: int, seconds: Mapping[str, Fraction]) -> Strip:
    first, length = _part(voice, seconds)
    begin = samples(Fraction(voice.after_s))
    if voice.shot is not None:
        begin += plan.samples_to(starts[voice.shot])
    if begin >= end:
        at = f"{float(Fraction(begin, 48_000)):.3f}".rstrip("0").rstrip(".")
        film_s = f"{float(plan.duration_s):.10g}"
        raise BadCut(
            f"the voice `{_named(voice)}` begins at {at} s, but the film is {film_s} s long", span=voice.at, mend=LATE
        )
    return Strip(
        path=voice.file.path or "",
        first=first,
        length=length,
        start=begin,
        end=min(end, begin + length),
        gain=linear(voice.level_db),
    )


def _part(heard: Heard, seconds: Mapping[str, Fraction]) -> tuple[int, int]:
    """First sample and number of samples of the part of a file that is heard."""
    whole = seconds[heard.file.path or ""]
    first = Fraction(heard.in_s or 0)
    last = whole if heard.out_s is None else Fraction(heard.out_s)
    last = whole if whole < last <= whole + SHORTFALL_S else last
    if last > whole or first >= whole:
        asked = heard.out_s if heard.out_s is not None and last > whole else heard.in_s
        raise BadCut(
            f"`{_named(heard)}` is trimmed at {asked} s, but it is {float(whole):.10g} s long",
            span=heard.span,
            mend=SHORT,
        )
    return samples(first), max(1, samples(last) - samples(first))


def _named(heard: Heard) -> str:
    return heard.file.name or heard.file.path or ""


def lowered(active: Sequence[bool], plan: CutPlan, duck: Duck) -> list[float]:
    """How far music is down, in dB, at the beginning of each frame and at the film's end. `active` tells of each frame whether
    it is to make room there: it is down by then, has begun to go before, and takes its time to come back."""
    frame_s = float(1 / plan.fps)
    far = len(active) * frame_s + float(duck.attack_s + duck.release_s) + 1
    until, since = far, far
    before = [far] * (len(active) + 1)
    for number in reversed(range(len(active))):
        until = 0 if active[number] else until + frame_s
        before[number] = until
    down = []
    for number in range(len(active) + 1):
        since = 0 if number and active[number - 1] else since + (frame_s if number else 0)
        share = max(_share(before[number], duck.attack_s), _share(since, duck.release_s))
        down.append(share * float(duck.by_db))
    return down


def _share(away_s: float, way_s: Decimal) -> float:
    if away_s <= 0:
        return 1.0
    return max(0.0, 1 - away_s / float(way_s)) if way_s else 0.0
