"""The picks file of a storyboard, read with it; its faults and what it names in vain."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from runner.adapters import catalog
from runner.adapters.files import MISSING, Files, Unreadable
from runner.core.diagnostics import Diagnostic, Rejected, Severity, Source
from runner.language import pipeline as pipelines
from runner.language.picks import SUFFIX, Picks, load
from runner.language.provider_choice import FREE
from runner.language.take import Take


def name_of(storyboard: str) -> str:
    """The picks file's path from the root."""
    return storyboard.removesuffix(Path(storyboard).suffix) + SUFFIX


def source(files: Files, storyboard: str) -> Source | None:
    """The file, None where there is none. Raises Rejected."""
    name = name_of(storyboard)
    try:
        return files.text(name)
    except Unreadable as fault:
        if fault.reason == MISSING:
            return None
        headline = f"`{files.shown(name)}` {fault.reason}"
        raise Rejected([Diagnostic(code="unreadable-file", headline=headline)]) from None


def read(files: Files, storyboard: str) -> Picks:
    """The takes that were picked. Raises Rejected with every fault of the file."""
    found = source(files, storyboard)
    return load(found) if found is not None else Picks()


def free(picks: Picks, files: Files) -> frozenset[str]:
    """The pipelines in the picks that cost nothing as they are written; one that is not there, or broken, counts as paid."""
    found = set()
    for name in {name for pick in picks.shots.values() for name in pick.clips}:
        with suppress(Unreadable, Rejected):
            if (source := catalog.pipeline(name, files)) and pipelines.load(source).provider.name == FREE:
                found.add(name)
    return frozenset(found)


def takes(picks: Picks, there: Sequence[Take]) -> dict[str, int]:
    """The numbers of the picked takes by variant, of those that there are."""
    known = {take.id for take in there}
    return {variant: number for variant, number in picks.takes().items() if f"{variant}.{number}" in known}


def unknown(picks: Picks, takes: Sequence[Take]) -> Iterator[Diagnostic]:
    """Picks of takes that there are no more; nothing is lost by them."""
    there = {take.id for take in takes}
    for variant, pick in picks.shots.items():
        if f"{variant}.{pick.take}" not in there:
            yield Diagnostic(
                severity=Severity.WARNING,
                code="unknown-pick",
                headline=f"there is no take `{variant}.{pick.take}`: the first one is cut instead, if there is one",
                span=pick.span,
                help=f"`shotrunner unpick STORYBOARD {variant}` takes the line out",
            )
