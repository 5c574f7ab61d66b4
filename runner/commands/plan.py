"""`shotrunner plan`: what a run would do and what it would cost, without network, key or write."""

from pathlib import Path

from runner.adapters.store import Store
from runner.commands import loading
from runner.commands.deciding import Decided, decide
from runner.commands.options import Options
from runner.commands.peek import peeked
from runner.core.errors import Exit
from runner.screen import plan as view_of
from runner.screen.diagnostics import Format, formatted
from runner.screen.terminal import Terminal


def plan(file: Path, options: Options, view: Format, terminal: Terminal, *, detailed: bool = False) -> Exit:
    """Print the plan. Under `detailed` REMAINS says that there is something to buy. Raises `Rejected`, `Refused`."""
    place, path = loading.project(file, options)
    with peeked(place.state) as journal:
        loaded = loading.load(place, path, options, journal.probed if journal else lambda *_: None)
        loaded.demand()
        decided = decide(loaded, options, journal, Store(place.state))
    if loaded.diagnostics and view in (Format.TEXT, Format.GITHUB):
        terminal.talk(formatted(loaded.diagnostics, view, colour=terminal.colour_err))
    terminal.out(shown(decided, view, terminal))
    return Exit.REMAINS if detailed and decided.plan.to_buy else Exit.DONE


def shown(decided: Decided, view: Format, terminal: Terminal) -> str:
    """The plan in one of the views; GitHub shows the text, since a plan has no annotations of its own."""
    plan, heading, caps, remarks = decided.plan, decided.heading, decided.caps, decided.remarks
    resumed, elsewhere = decided.orphans, decided.elsewhere
    match view:
        case Format.JSON:
            return view_of.as_json(plan, heading, caps=caps, remarks=remarks, resumed=resumed, elsewhere=elsewhere)
        case Format.CONCISE:
            return view_of.concise(plan)
        case Format.TEXT | Format.GITHUB:
            return view_of.text(
                plan,
                heading,
                caps=caps,
                remarks=remarks,
                resumed=resumed,
                elsewhere=elsewhere,
                colour=terminal.colour_out,
                width=terminal.width,
            )
