"""What `cuts` of a storyboard say, as values: which pieces make a film, how it is shown and what is heard in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from runner.core.diagnostics import Span
from runner.language.take import MediaUse, Transition

FPS = Fraction(24)
LOUDNESS = Decimal(-16)  # LUFS


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of `order`, exactly one of: `shot`, the id of a shot or of one variant; `file`, a video; `black_s`, seconds of
    black. `in_s` and `out_s` are seconds into the clip, in place of the shot's own trim where one of them is written."""

    shot: str | None = None
    file: MediaUse | None = None
    black_s: Decimal | None = None
    in_s: Decimal | None = None
    out_s: Decimal | None = None
    join: Transition | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """`size` is width and height in pixels, even; None the first clip's. `length_s` is how long the film is, None as its pieces."""

    size: tuple[int, int] | None = None
    fps: Fraction = FPS
    length_s: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A sound file, from `in_s` to `out_s` of it, at a level in dB; `span` is where the cut names it."""

    file: MediaUse
    span: Span
    in_s: Decimal | None = None
    out_s: Decimal | None = None
    level_db: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Music(Heard):
    """From the film's beginning on, once or over and over to its end; fades in seconds."""

    fade_in_s: Decimal = Decimal(0)
    fade_out_s: Decimal = Decimal(0)
    loop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice(Heard):
    """Begins `after_s` seconds after the first piece of `shot` does (a shot's or a variant's id), None after the film does.
    `at` is where that is written."""

    shot: str | None = None
    after_s: Decimal
    at: Span


class Under(StrEnum):
    """What music makes room for."""

    VOICE = "voice"
    CLIPS = "clips"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duck:
    """How far music goes down, how long before what it makes room for, and how long after that it takes to be back."""

    by_db: Decimal
    attack_s: Decimal = Decimal("0.2")
    release_s: Decimal = Decimal("0.8")
    under: tuple[Under, ...] = (Under.VOICE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """`clips_db` is the level of the clips' own sound, None without it; `loudness_lufs` of the whole mix, None as it comes."""

    clips_db: Decimal | None = Decimal(0)
    music: Music | None = None
    voice: tuple[Voice, ...] = ()
    duck: Duck | None = None
    loudness_lufs: Decimal | None = LOUDNESS

    @property
    def heard(self) -> tuple[Heard, ...]:
        return (*((self.music,) if self.music else ()), *self.voice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis of `for`: a film is made for each of its labels."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One film of a storyboard, or one of each label of `axes`. `order` None: every shot, in the storyboard's order.

    `sound` None leaves the clips' sound as it is.
    """

    name: str
    span: Span
    order: tuple[Entry, ...] | None = None
    axes: tuple[Axis, ...] = ()
    video: Video = Video()
    sound: Sound | None = None

    def files(self) -> Iterator[MediaUse]:
        """Every file the cut takes from the project."""
        yield from (entry.file for entry in self.order or () if entry.file)
        yield from (heard.file for heard in (self.sound.heard if self.sound else ()))
