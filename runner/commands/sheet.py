"""The report of a storyboard under a pipeline: what its page and its contact sheet show, out of plan, manifest and journal."""

import base64
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.adapters import catalog
from runner.adapters.files import Unreadable as NotReadable
from runner.adapters.files import below
from runner.adapters.journal import Journal
from runner.adapters.signature import Unreadable
from runner.adapters.store import Store
from runner.commands.deciding import Decided
from runner.commands.loading import Loaded
from runner.core.lifecycle import Event, State
from runner.planning import report
from runner.planning.history import History, standing
from runner.planning.report import Known, Sheet
from runner.steps import contact
from runner.steps.poster import kept, poster

POSTERS = "posters"  # in the state folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A report's values. `posters` are JPEGs by take, `clips` their files."""

    sheet: Sheet
    posters: Mapping[str, bytes]
    clips: Mapping[str, Path]

    @property
    def contact(self) -> bytes:
        """The contact sheet, a PNG."""
        cards = [card for variant in self.sheet.variants for card in variant.cards]
        told = [f"{card.status}, picked" if card.picked else card.status for card in cards]
        return contact.contact([(c.id, words, self.posters.get(c.id)) for c, words in zip(cards, told, strict=True)])


Document = Mapping[str, Any]  # a manifest


def placed(document: Document, out: Path) -> dict[str, Path]:
    """The clip of each take that has one in the out folder: a manifest that somebody wrote by hand leads nowhere else."""
    found = {}
    for take in document["takes"]:
        if take["clip"]:
            with suppress(NotReadable):
                found[take["id"]] = below(out, take["clip"]["path"])
    return found


def up_to_date(document: Document, history: History, store: Store) -> tuple[Document, dict[str, Path]]:
    """The manifest with the clips that have come since it was written, and where these lie: a run brings them to the out folder
    at its end."""
    takes, clips = [], {}
    for take in document["takes"]:
        made = standing(history.get(take["key"] or "", ()))
        if take["clip"] is None and made is not None and made.state is State.DONE and store.has(*made.clip):
            clips[take["id"]] = store.path(made.clip[0])
            clip = {**(made.result or {}), "path": f"clips/{take['id']}.mp4"}
            take = {**take, "status": "done", "error": None, "clip": clip}
        takes.append(take)
    return {**document, "takes": takes}, clips


def as_data(sha256: str, jpeg: bytes) -> str:
    """A poster within the page."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def look(
    loaded: Loaded,
    decided: Decided,
    history: History,
    journal: Journal | None,
    document: Document,
    clips: Mapping[str, Path],
    link: Callable[[str, bytes], str] = as_data,
) -> Look:
    """`document` is the manifest that stands, or will stand, in the out folder, `clips` the files of its takes; `link` makes of a clip's
    digest and its poster what the page shows. Blocking: it decodes a picture of each new clip."""
    folder = loaded.project.state / POSTERS
    posters, links = {}, {}
    for take in document["takes"]:
        if take["id"] in clips:
            sha256 = take["clip"]["sha256"]
            try:
                posters[take["id"]] = poster(clips[take["id"]], kept(folder, sha256))
            except (Unreadable, OSError):
                continue  # the card says so by showing none
            links[take["id"]] = link(sha256, posters[take["id"]])
    before = _earlier(loaded, history, journal)
    reasons = {action.take.id: f"{action.act.value}: {action.reason}" for action in decided.plan.actions}
    known = {
        take["id"]: Known(
            reason=reasons.get(take["id"], ""), before=before.get(take["id"]), poster=links.get(take["id"], "")
        )
        for take in document["takes"]
    }
    typed = os.path.relpath(loaded.project.root / loaded.storyboard.source.path)
    free, options = loaded.service.provider.free, _options(loaded)
    sheet = report.sheet(document, known, loaded.picks, typed=typed, free=free, options=options)
    return Look(sheet=sheet, posters=posters, clips=clips)


def _options(loaded: Loaded) -> list[str]:
    """What a command needs to mean the clips that are shown, and not those of another pipeline or service."""
    pipeline, service, setting = loaded.pipeline, loaded.service, loaded.storyboard.pipeline
    named = pipeline.source.path == f"{catalog.PIPELINES}/{pipeline.name}.yaml"
    name = pipeline.name if named else os.path.relpath(loaded.project.root / pipeline.source.path)
    usual = str(setting.value) if setting else "draft"
    words = [] if usual in (pipeline.name, pipeline.source.path) else ["--pipeline", name]
    words += ["--provider", service.provider.name] if service.provider.name != pipeline.provider.name else []
    return [*words, *(["--base-url", service.base_url] if service.named_by_user and service.base_url else [])]


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
