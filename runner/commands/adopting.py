"""Clips that are not in the store and lie in the out folder: taken in, instead of bought again."""

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from runner.adapters.files import copy_whole
from runner.adapters.journal import Journal
from runner.adapters.media import Probe, Unreadable
from runner.adapters.store import Store
from runner.core.lifecycle import Event
from runner.core.media import ClipFacts
from runner.execution.desk import stamp
from runner.planning.history import Entry, Purchase

Adoption = tuple[Purchase, Path]  # a purchase whose digest journal or lock name, and where its bytes lie


async def adopt(adoptions: Iterable[Adoption], journal: Journal, store: Store, note: Callable[[str], None]) -> None:
    """Take each clip into the store, if it still has the very bytes; what does not stays missing and is told by `note`."""
    with Probe() as probe:
        for purchase, place in adoptions:
            shown = _shown(place)
            try:
                facts = await asyncio.to_thread(_taken_in, purchase, place, store, probe)
            except (OSError, Unreadable) as fault:
                reason = fault.reason if isinstance(fault, Unreadable) else fault.strerror or str(fault)
                note(f"{purchase.intent.take}: {shown} {reason}: it stays missing")
                continue
            told = {"clip": facts.as_result(), "from": shown}
            now = stamp(datetime.now(UTC))
            await journal.record(
                Entry(at=now, event=Event.ADOPTED, key=purchase.key, purchase=purchase.number, detail=told)
            )


def _taken_in(purchase: Purchase, place: Path, store: Store, probe: Probe) -> ClipFacts:
    wanted = str((purchase.result or {}).get("sha256"))
    if place == store.path(wanted):
        return _checked(probe, place, wanted)
    part = store.part(f"adopted.{wanted}")
    try:
        copy_whole(place, part)
        facts = _checked(probe, part, wanted)
        store.adopt(part, wanted)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return facts


def _checked(probe: Probe, clip: Path, wanted: str) -> ClipFacts:
    facts = probe.clip(clip)
    if facts.sha256 != wanted:
        raise Unreadable("has other bytes than were bought")
    return facts


def _shown(path: Path) -> str:
    return os.path.relpath(path)
