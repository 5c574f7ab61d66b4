"""Whether a reference file keeps the limits its model sets for such media."""

from collections.abc import Callable, Iterator
from fractions import Fraction

from runner.contract.model import MediaRule
from runner.contract.phrases import either
from runner.core.media import Kind, MediaFacts

MEGABYTE = 1_000_000

_ARTICLE = {Kind.IMAGE: "an image", Kind.VIDEO: "a video", Kind.AUDIO: "a sound file"}


def faults(rule: MediaRule, facts: MediaFacts, name: str) -> tuple[str, ...]:
    """Every limit the file breaks, each a sentence with the file's name, what was found and what is taken.

    The number of files is the schema's to judge. A limit on something the probe could not tell is taken as broken.
    """
    if facts.kind is not rule.kind:
        return (f"`{name}` is {_ARTICLE[facts.kind]}; `{rule.word}` takes {_ARTICLE[rule.kind]}",)
    return tuple(f"`{name}` {fault}" for find in _LIMITS for fault in find(rule, facts))


def _format(rule: MediaRule, facts: MediaFacts) -> Iterator[str]:
    if facts.format not in rule.formats:
        yield f"is {facts.format}; the model takes {either(rule.formats)}"


def _animated(rule: MediaRule, facts: MediaFacts) -> Iterator[str]:
    if rule.kind is Kind.IMAGE and facts.animated:
        yield "is an animated image; the model takes a still one"


def _bytes(rule: MediaRule, facts: MediaFacts) -> Iterator[str]:
    if rule.max_bytes is not None and facts.size_bytes > rule.max_bytes:
        yield f"has {megabytes(facts.size_bytes, rule.max_bytes)}; the model takes up to {megabytes(rule.max_bytes)}"


def _sides(rule: MediaRule, facts: MediaFacts) -> Iterator[str]:
    if rule.side_px is None:
        return
    least, most = rule.side_px
    if not all(side is not None and least <= side <= most for side in (facts.width_px, facts.height_px)):
        found = f"{facts.width_px}x{facts.height_px} px" if facts.width_px and facts.height_px else "of unknown size"
        yield f"is {found}; the model takes sides of {least} to {most} px"


def _transparency(rule: MediaRule, facts: MediaFacts) -> Iterator[str]:
    if facts.transparent and not rule.alpha:
        yield "has transparent pixels; the model takes opaque images only"


def _seconds(rule: MediaRule, facts: MediaFacts) -> Iterator[str]:
    if rule.seconds is None:
        return
    least, most = rule.seconds
    if facts.seconds is None:
        yield f"does not tell how long it is; the model takes {seconds(least)} to {seconds(most)} s"
    elif not least <= facts.seconds <= most:
        found = seconds(facts.seconds, *rule.seconds)
        yield f"lasts {found} s; the model takes {seconds(least)} to {seconds(most)} s"


_LIMITS: tuple[Callable[[MediaRule, MediaFacts], Iterator[str]], ...] = (
    _format,
    _animated,
    _bytes,
    _sides,
    _transparency,
    _seconds,
)


def megabytes(size_bytes: int, *limits: int) -> str:
    """`15 MB`, `10.4 MB`; bytes where the rounding would hide on which side of a limit it is."""
    rounded = Fraction(round(Fraction(size_bytes * 100, MEGABYTE)), 100)
    if any((rounded * MEGABYTE > limit) != (size_bytes > limit) for limit in limits) or (size_bytes and not rounded):
        return f"{size_bytes} bytes"
    return f"{float(rounded):.10g} MB"


def seconds(length: Fraction, *limits: Fraction) -> str:
    """`30`, `2.5`; with as many places, up to six, as it takes to show on which side of the limits it is."""
    for places in (2, 3, 6):
        rounded = Fraction(round(length * 10**places), 10**places)
        if all((rounded > limit) == (length > limit) and (rounded < limit) == (length < limit) for limit in limits):
            break
    else:
        return (
            "a moment more than " + seconds(max(limits))
            if length > max(limits)
            else "just short of " + seconds(min(limits))
        )
    return f"{float(rounded):.{places}f}".rstrip("0").rstrip(".")
