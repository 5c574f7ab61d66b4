"""`shotrunner models [MODEL]`: what each model takes, makes and costs."""

from datetime import UTC, datetime
from pathlib import Path

from runner.adapters import catalog, prices
from runner.adapters.files import Checkout
from runner.adapters.root import project_of
from runner.core.errors import Exit, Refused
from runner.core.spelling import nearest
from runner.screen import models as view_of
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal


def models(name: str | None, view: Format, terminal: Terminal) -> Exit:
    """Print the list of models, or one in full; the project's own are those of the folder one stands in. Raises `Refused`."""
    here = Path.cwd()
    files = Checkout(root=project_of(here / "storyboard.yaml").root, shown_from=here)
    found = prices.priced(catalog.models(files), files)
    if name is not None and name not in found:
        meant = nearest(name, found)
        advice = f"did you mean `{meant}`?" if meant else f"models: {', '.join(found)}"
        raise Refused(f"there is no model `{name}`", help=advice)
    today = datetime.now(UTC).date()
    if view is Format.JSON:
        terminal.out(view_of.listing_json(found, today) if name is None else view_of.page_json(found[name], today))
    elif name is None:
        terminal.out(view_of.listing(found, today, width_columns=terminal.width or None, colour=terminal.colour_out))
    else:
        terminal.out(view_of.page(found[name], today, colour=terminal.colour_out))
    return Exit.DONE
