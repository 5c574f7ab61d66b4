"""`shotrunner schema NAME`: the JSON schemas for editors and for whoever reads our files."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runner.adapters import catalog
from runner.adapters.files import Checkout
from runner.adapters.root import project_of
from runner.contract import editor, editor_picks
from runner.contract.model import Model
from runner.core.errors import Exit, Refused
from runner.core.spelling import nearest
from runner.emulator import faults_schema
from runner.screen.terminal import Terminal

GENERATED: dict[str, Callable[[Mapping[str, Model]], dict[str, Any]]] = {
    "storyboard": editor.storyboard_schema,
    "pipeline": editor.pipeline_schema,
    "picks": lambda models: editor_picks.picks_schema(),
    "faults": lambda models: faults_schema.schema(),
}
STORED = ("plan", "manifest", "lock", "model")


def schema(name: str | None, terminal: Terminal) -> Exit:
    """Print one schema, or the names there are. Those of storyboards and pipelines know the project's own models. Raises `Refused`."""
    here = Path.cwd()
    models = catalog.models(Checkout(root=project_of(here / "storyboard.yaml").root, shown_from=here))
    names = (*GENERATED, *STORED, *models)
    if name is None:
        terminal.out("\n".join(names))
        return Exit.DONE
    if name in GENERATED:
        found = GENERATED[name](models)
    elif name in STORED:
        found = catalog.schema(name)
    elif name in models:
        found = models[name].schema
    else:
        meant = nearest(name, names)
        raise Refused(
            f"there is no schema `{name}`", help=f"did you mean `{meant}`?" if meant else f"schemas: {', '.join(names)}"
        )
    terminal.out(json.dumps(found, indent=2, ensure_ascii=False))
    return Exit.DONE
