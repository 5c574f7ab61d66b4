"""What has changed since a plan was saved, a line a change."""

import json
from collections.abc import Sequence

from runner.planning.saved import Change
from runner.screen import clean

MOST = 20  # changes that are named
LONGEST = 60  # characters of a value
KINDS = {"files": "", "media": "", "models": "model ", "pipeline": "pipeline ", "takes": "take ", "service": "service "}
NAMES = {"out": "out folder", "account": "account", "base_url": "service at"}
DIGESTS = frozenset({"files", "media", "models", "pipeline"})


def lines(changes: Sequence[Change]) -> tuple[str, ...]:
    """The first changes, and how many more there are."""
    shown = tuple(_line(change) for change in changes[:MOST])
    return shown if len(changes) <= MOST else (*shown, f"and {len(changes) - MOST} more")


def _line(change: Change) -> str:
    name = NAMES.get(change.name, KINDS.get(change.kind, "") + ("" if change.kind == "service" else change.name))
    name = clean.words(name).strip()
    if change.what:
        return f"{name}: {clean.words(change.what)} {value(change.old)} -> {value(change.new)}"
    if change.old is None:
        return f"{name} was not in the plan" + ("" if change.kind in DIGESTS else f": now {value(change.new)}")
    if change.new is None:
        return f"{name} is not there any more" + ("" if change.kind in DIGESTS else f": was {value(change.old)}")
    if change.kind in DIGESTS:
        return f"{name} has changed: sha256 {str(change.old)[:8]} -> {str(change.new)[:8]}"
    return f"{name}: {value(change.old)} -> {value(change.new)}"


def value(found: object) -> str:
    """A JSON value in one short line; of what holds others only how many."""
    if isinstance(found, dict | list):
        return f"{len(found)} {'entries' if isinstance(found, dict) else 'elements'}"
    text = "nothing" if found is None else clean.words(found if isinstance(found, str) else json.dumps(found))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
