"""The report of a storyboard under a pipeline: what its page and its contact sheet show, out of plan, manifest and journal."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.adapters.journal import Journal
from runner.adapters.signature import Unreadable
from runner.commands.deciding import Decided
from runner.commands.loading import Loaded
from runner.core.lifecycle import Event
from runner.planning import report
from runner.planning.history import History
from runner.planning.report import Known, Sheet
from runner.steps import contact
from runner.steps.poster import kept, poster

POSTERS = "posters"  # in the state folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A report's values. `posters` are JPEGs by take."""

    sheet: Sheet
    posters: Mapping[str, bytes]

    def contact(self, target: Path) -> None:
        """Draw the contact sheet. Raises OSError."""
        cards = [card for variant in self.sheet.variants for card in variant.cards]
        contact.contact([(card.id, card.status, self.posters.get(card.id)) for card in cards], target)


def look(
    loaded: Loaded, decided: Decided, history: History, journal: Journal | None, document: Mapping[str, Any], out: Path
) -> Look:
    """`document` is the manifest that stands, or will stand, in `out`. Blocking: it decodes a picture of each new clip."""
    folder = loaded.project.state / POSTERS
    posters = {}
    for take in document["takes"]:
        if clip := take["clip"]:
            try:
                posters[take["id"]] = poster(out / clip["path"], kept(folder, clip["sha256"]))
            except (Unreadable, OSError):
                continue  # the card says so by showing none
    before = _earlier(loaded, history, journal)
    reasons = {action.take.id: f"{action.act.value}: {action.reason}" for action in decided.plan.actions}
    known = {
        take["id"]: Known(
            reason=reasons.get(take["id"], ""), before=before.get(take["id"]), poster=_as_uri(posters.get(take["id"]))
        )
        for take in document["takes"]
    }
    typed = os.path.relpath(loaded.project.root / loaded.storyboard.source.path)
    sheet = report.sheet(document, known, loaded.picks.takes(), typed=typed, free=loaded.service.provider.free)
    return Look(sheet=sheet, posters=posters)


def _earlier(loaded: Loaded, history: History, journal: Journal | None) -> dict[str, str]:
    """By take the prompt of the clip that was made for it before the one it has now."""
    keys = {take: request.key for take, request in loaded.requests.items()}
    made = [
        (p.intent.take, p.key, p.at(Event.SEND) or "")
        for some in history.values()
        for p in some
        if p.intent.storyboard == loaded.identity and p.intent.service == loaded.service.name
    ]
    found = {}
    for take, key in report.earlier_prompts(keys, made).items():
        body = (journal.inputs(key) if journal else None) or {}
        prompt = _prompt(body.get("body"))
        if prompt is not None and prompt != _prompt(loaded.requests[take].body):
            found[take] = prompt
    return found


def _prompt(body: object) -> str | None:
    prompt = body.get("prompt") if isinstance(body, Mapping) else None
    return prompt if isinstance(prompt, str) else None


def _as_uri(jpeg: bytes | None) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" if jpeg else ""
