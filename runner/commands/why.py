"""`shotrunner why`: one take's action explained: what it is made of, what changed and where, what it costs. Writes nothing."""

from pathlib import Path

from runner.adapters.store import Store
from runner.commands import loading
from runner.commands.deciding import decide
from runner.commands.options import Options
from runner.commands.peek import peeked
from runner.core.errors import Exit, Refused
from runner.core.spelling import nearest
from runner.planning.reason import differences
from runner.screen import why as view_of
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal


def why(file: Path, take: str, options: Options, view: Format, terminal: Terminal) -> Exit:
    """Print why the take is bought, reused or kept. Raises `Rejected`, `Refused`."""
    place, path = loading.project(file, options)
    with peeked(place.state) as journal:
        loaded = loading.load(place, path, options, journal.probed if journal else lambda *_: None)
        loaded.demand()
        ids = [b.take.id for b in loaded.built]
        if take not in ids:
            # A variant or shot of one take is that take.
            named = [b.take.id for b in loaded.built if take in (b.take.variant, b.take.shot)]
            if len(named) != 1:
                meant = nearest(take, [name for b in loaded.built for name in (b.take.id, b.take.variant, b.take.shot)])
                advice = f"its takes: {', '.join(named[:8])}" if named else f"did you mean `{meant}`?" if meant else ""
                raise Refused(f"there is no take `{take}`", help=advice)
            take = named[0]
        decided = decide(loaded, options, journal, Store(place.state))
        loaded = decided.loaded
        action = next(a for a in decided.plan.actions if a.take.id == take)
        built = next(b for b in loaded.built if b.take.id == take)
        last = journal.last_keys(loaded.identity, loaded.service.name).get(take) if journal else None
        old = journal.inputs(last) if journal and last else None
    changed = differences(old, action.request.inputs) if old is not None and action.request is not None else ()
    made = decided.history.get(action.request.key, ()) if action.request else ()
    reasons = view_of.Reasons(action=action, changed=changed, places=built.places, purchases=made, before=last)
    terminal.out(
        view_of.as_json(reasons)
        if view is Format.JSON
        else view_of.text(reasons, decided.heading, colour=terminal.colour_out)
    )
    return Exit.DONE
