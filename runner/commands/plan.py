"""`shotrunner plan`: what a run would do and what it would cost, without network or key, and without a write unless it is saved."""

import asyncio
from dataclasses import replace
from pathlib import Path

from runner.adapters import lock, root
from runner.adapters.journal import Journal
from runner.adapters.store import Store
from runner.commands import extras, loading, saved
from runner.commands.deciding import Decided, decide
from runner.commands.loading import Loaded
from runner.commands.options import Options
from runner.commands.peek import JOURNAL, peeked
from runner.core.errors import Exit
from runner.planning.plan import Act, Plan
from runner.screen import plan as view_of
from runner.screen.diagnostics import Format, formatted
from runner.screen.terminal import Terminal


def plan(
    file: Path,
    options: Options,
    view: Format,
    terminal: Terminal,
    *,
    detailed: bool = False,
    save_as: Path | None = None,
) -> Exit:
    """Print the plan, and write it to `save_as`. Under `detailed` REMAINS says that there is something to buy. Raises `Rejected`, `Refused`."""
    place, path = loading.project(file, options)
    if save_as is not None:
        saved.demand_target(save_as)
    with peeked(place.state) as journal:
        loaded = loading.load(place, path, options, journal.probed if journal else lambda *_: None)
        loaded.demand()
        extras.demand(loaded.pipeline)
        decided = decide(loaded, options, journal, Store(place.state))
        anew = None
        if any(action.act is Act.MISSING for action in decided.plan.actions):
            bought = replace(options, buy_missing=True, budget=None)
            anew = decide(loaded, bought, journal, Store(place.state)).plan
    if save_as is not None:
        decided = _saved(save_as, loaded, options)  # anew, since a run may have ended meanwhile
        terminal.talk(f"saved as {save_as}: `{saved.command(save_as, options)}` carries it out, once")
    if loaded.diagnostics and view in (Format.TEXT, Format.GITHUB):
        terminal.talk(formatted(loaded.diagnostics, view, colour=terminal.colour_err))
    terminal.out(shown(decided, view, terminal, anew))
    return Exit.REMAINS if detailed and decided.plan.to_buy else Exit.DONE


def _saved(file: Path, loaded: Loaded, options: Options) -> Decided:
    """The plan, decided and written down while nobody else writes the journal."""
    place = loaded.project
    root.make_state(place.state)
    with lock.held(place.state, wait_s=options.wait_s):
        journal = Journal(place.state / JOURNAL)
        try:
            decided = decide(loaded, options, journal, Store(place.state))
            asyncio.run(saved.save(file, decided.loaded, decided, options, journal))
        finally:
            journal.close()
    return decided


def shown(decided: Decided, view: Format, terminal: Terminal, anew: Plan | None) -> str:
    """The plan in one of the views; GitHub shows the text, since a plan has no annotations of its own. `anew` is the plan with
    --buy-missing, where something is missing."""
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
                anew=anew,
            )
