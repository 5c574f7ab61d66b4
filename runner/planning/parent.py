"""A take's clip as its children see it, before it is made and after; and what of it a child is given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from runner.contract import limits
from runner.contract.model import MediaRule
from runner.core.diagnostics import Diagnostic, Label
from runner.core.media import Kind, MediaFacts
from runner.core.request import Cutting, MediaPart, Request
from runner.language.take import Link, MediaUse, Take

SOUND = "sound"
NAMED = "first_sha256"  # in a clip, the digest by which it is named where its bytes were others at first
SAMPLE_BYTES = 4 * 48_000  # of a second of two channels, as a cutting of the sound has them


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A clip that other takes are made from. `sha256` None: it has still to be made, and the rest is what was asked for. `named` is
    the digest it goes by in their requests: that of its bytes as they were fetched first, whatever its task gives out later."""

    take: str
    shot: str
    key: str
    sha256: str | None
    named: str | None
    size_bytes: int
    seconds: Fraction
    width_px: int
    height_px: int
    sound: bool


def parent(take: Take, request: Request, clip: Mapping[str, object] | None) -> Parent:
    """`clip` is the finished clip as the journal has it, None where the take has none that counts."""
    clip = clip or {}
    length, sound = clip.get("duration_s"), clip.get("audio_codec")
    return Parent(
        take=take.id,
        shot=take.variant,
        key=request.key,
        sha256=str(clip["sha256"]) if "sha256" in clip else None,
        named=str(clip.get(NAMED) or clip["sha256"]) if "sha256" in clip else None,
        size_bytes=_whole(clip.get("size_bytes"), 0),
        seconds=Fraction(request.seconds) if length is None else Fraction(Decimal(str(length))),
        width_px=_whole(clip.get("width_px"), request.width_px),
        height_px=_whole(clip.get("height_px"), request.height_px),
        sound=request.sound if sound is None else bool(sound),
    )


def part(use: MediaUse, link: Link, found: Parent, rule: MediaRule, index: int | None) -> MediaPart:
    """The medium that a child is given."""
    cutting = Cutting(take=found.take, selector=selector(use), sha256=found.sha256, key=found.key, named=found.named)
    return MediaPart(
        parameter=rule.property,
        index=index,
        kind=use.kind,
        sha256=found.sha256 if not cutting.selector else None,
        facts=facts(use.kind, found, rule),
        cutting=cutting,
    )


def selector(use: MediaUse) -> str:
    if use.link is not None and use.link.frame is not None:
        return f"frame:{use.link.frame}"
    return SOUND if use.kind is Kind.AUDIO else ""


def facts(kind: Kind, found: Parent, rule: MediaRule) -> MediaFacts:
    """What the medium will be, as far as that can be told before it is made: its size in bytes counts as nothing."""
    match kind:
        case Kind.IMAGE:
            return MediaFacts(
                kind=kind, format="png", sha256="", size_bytes=0, width_px=found.width_px, height_px=found.height_px
            )
        case Kind.VIDEO:
            return MediaFacts(
                kind=kind,
                format="mp4",
                sha256=found.sha256 or "",
                size_bytes=found.size_bytes,
                width_px=found.width_px,
                height_px=found.height_px,
                seconds=found.seconds,
                has_audio=found.sound,
            )
        case Kind.AUDIO:
            form = "wav" if "wav" in rule.formats else "mp3"
            size = int(found.seconds * SAMPLE_BYTES) if form == "wav" else 0
            return MediaFacts(kind=kind, format=form, sha256="", size_bytes=size, seconds=found.seconds, has_audio=True)


def faults(use: MediaUse, link: Link, found: Parent, rule: MediaRule, take: Take) -> Iterator[Diagnostic]:
    """What keeps the clip, or what is taken of it, from being what the child's model takes."""
    said = []
    if link.frame not in (None, "first", "last") and Fraction(str(link.frame)) >= found.seconds:
        lasts = limits.seconds(found.seconds)
        said.append(("bad-frame", f"`{link.variant}` lasts {lasts} s: there is no frame at {link.frame} s"))
    if use.kind is Kind.AUDIO and not found.sound:
        said.append(("media-limit", f"the clip of `{link.variant}` has no sound"))
    else:
        told = facts(use.kind, found, rule)
        said += [("media-limit", headline) for headline in limits.faults(rule, told, named(use, link))]
    for code, headline in said:
        yield Diagnostic(
            code=code,
            headline=headline,
            span=use.span,
            others=(Label(span=take.model.span, text=f"for this model in shot `{take.shot}`"),),
            notes=() if found.sha256 else ("by what is asked for: the clip has still to be made",),
            group=f"{code} {headline} {use.span}",
            member=take.id,
        )


def named(use: MediaUse, link: Link) -> str:
    """`last frame of walk`, `sound of walk`, `clip of walk`."""
    if link.frame is not None:
        what = f"{link.frame} frame" if link.frame in ("first", "last") else f"frame at {link.frame} s"
        return f"{what} of {link.variant}"
    return f"{'sound' if use.kind is Kind.AUDIO else 'clip'} of {link.variant}"


def _whole(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
