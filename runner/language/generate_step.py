"""The step that makes clips: how often a take is bought again, which takes are made, and what is kept of the pipelines below."""

from dataclasses import dataclass
from enum import StrEnum

from runner.core.diagnostics import Span
from runner.language import fields
from runner.language.faults import Faults
from runner.language.node import Entry, Node

MOST_RETRIES = 10
KEYS = ("retries", "takes", "seedless")


class Takes(StrEnum):
    """Which takes of a shot a pipeline makes."""

    ALL = "all"
    PICKED = "picked"


class Seedless(StrEnum):
    """What becomes of a picked take whose model has no seed: the clip that was picked is the film's, or another is made."""

    KEEP = "keep"
    MAKE = "make"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    """Submit, wait, fetch, check. `retries`: how often a take is bought again after a transient task error, 0 to 10. `seedless` is
    of those pipelines alone that make picked takes."""

    retries: int
    takes: Takes = Takes.ALL
    seedless: Seedless = Seedless.KEEP
    span: Span


def read_generate(entry: Entry, faults: Faults) -> Generate | None:
    tree = fields.shaped(entry.value, "`generate`", KEYS, faults)
    if tree is None:
        return None
    before = len(faults.found)
    retries, takes, seedless = (tree.get(key) for key in KEYS)
    number = fields.whole(retries, "`retries`", faults, least=0, most=MOST_RETRIES) if retries else 0
    made = Takes(word) if takes and (word := _word(takes, "takes", Takes, faults)) else Takes.ALL
    kept = Seedless(word) if seedless and (word := _word(seedless, "seedless", Seedless, faults)) else Seedless.KEEP
    if seedless and made is not Takes.PICKED and len(faults.found) == before:
        faults.add(
            "misplaced-key",
            "`seedless` says what becomes of picked takes; this pipeline makes all",
            seedless.span,
            help="write `takes: picked` beside it, or take it out",
        )
    if len(faults.found) > before or number is None:
        return None
    return Generate(retries=number, takes=made, seedless=kept, span=entry.key.span)


def _word(at: Node, name: str, words: type[Takes] | type[Seedless], faults: Faults) -> str | None:
    takes = " or ".join(words)
    found = fields.fixed_text(at, f"`{name}`", faults, takes=takes)
    if found is not None and found not in tuple(words):
        faults.add("bad-value", f"`{name}` is `{fields.clipped(found)}`; it is {takes}", at.span, help=_MENDS[name])
        return None
    return found


_MENDS = {
    "takes": "`all` makes every take of a shot, `picked` the one that was picked",
    "seedless": "`keep` uses the clip that was picked, `make` makes another one",
}
