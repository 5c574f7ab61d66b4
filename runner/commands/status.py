"""`shotrunner status`: what is where, what is owed, which links die first. Reads the journal alone, writes nothing."""

from datetime import UTC, datetime
from pathlib import Path

from runner.adapters.root import project_of
from runner.adapters.store import Store
from runner.commands.peek import peeked
from runner.core.errors import Exit, Refused
from runner.core.lifecycle import OPEN, State
from runner.providers.provider import PROVIDERS
from runner.screen import status as view_of
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal


def status(storyboard: Path | None, state: Path | None, view: Format, terminal: Terminal) -> Exit:
    """Print the state of all storyboards of the project, or of one. UNKNOWN and REMAINS as `run` would end. Raises `Refused`."""
    if storyboard is not None and not storyboard.is_file():
        raise Refused(f"there is no storyboard {storyboard}")
    place = project_of(storyboard or Path.cwd() / "storyboard.yaml", state)
    identity = None
    if storyboard is not None:
        path = storyboard.resolve().relative_to(place.root)
        identity = path.as_posix().removesuffix(path.suffix)
    with peeked(place.state) as journal:
        made = [p for purchases in (journal.history() if journal else {}).values() for p in purchases]
    mine = [p for p in made if identity in (None, p.intent.storyboard)]
    store = Store(place.state)
    ledger = view_of.Ledger(
        state=str(place.state),
        purchases=tuple(mine),
        missing=tuple(p for p in mine if p.missing or (p.state is State.DONE and not store.has(*p.clip))),
        free=frozenset(name for name, provider in PROVIDERS.items() if provider.free),
        link_life_s=max(provider.link_life_s for provider in PROVIDERS.values()),
        now=datetime.now(UTC),
    )
    terminal.out(view_of.as_json(ledger) if view is Format.JSON else view_of.text(ledger, colour=terminal.colour_out))
    live = [p for p in mine if not ledger.is_free(p)]
    if any(p.state in (State.UNKNOWN, State.INTENDED) for p in live):
        return Exit.UNKNOWN
    return Exit.REMAINS if any(p.state in OPEN for p in live) else Exit.DONE
