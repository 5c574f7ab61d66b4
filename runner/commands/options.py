"""What was typed, as one value: everything a verb may be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from runner.core.money import Budget
from runner.language.take import Take


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of `validate`, `plan` and `run`; None is not told. Seconds, credits and bytes throughout."""

    pipeline: str | None = None
    provider: str | None = None
    base_url: str | None = None
    shots: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    out: Path | None = None
    state: Path | None = None
    budget: Budget | None = None
    concurrency: int | None = None
    poll_interval_s: float | None = None
    deadline_s: float | None = None
    wait_s: float = 0
    variables: Mapping[str, str] = field(default_factory=dict)
    allow_unpriced: bool = False
    unpicked: bool = False  # what is made from the first of several takes need not wait until one is picked
    buy_missing: bool = False
    allow_exec: bool = False
    collecting: bool = False  # `collect`: what is paid is fetched, nothing is bought
    stop_after_s: float | None = None
    max_unknown: int | None = None
    min_free_bytes: int | None = None


def named(take: Take, globs: tuple[str, ...]) -> bool:
    """Whether a glob names the take: by its id, its variant or its shot."""
    return any(fnmatchcase(name, glob) for glob in globs for name in (take.id, take.variant, take.shot))
