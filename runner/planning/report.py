"""What a run came to, as one looks at it: its takes side by side, shot by shot. Pure."""

import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.language.picks import Picks, parts_of

Document = Mapping[str, Any]  # a manifest that fits schemas/manifest.schema.json
_WORDS = re.compile(r"\s+|[^\s]+")
MOST_WORDS = 2_000  # beyond which two prompts are shown whole, one after the other
_ALREADY_SAID = frozenset({"model", "prompt", "seed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A stretch of a prompt: `same` in both, `gone` from the one before, `new` in this one."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a take beside its manifest: `reason` of the last plan; `before`, the prompt of the clip that was made for
    it before this one, None if there was none or it had the same; `poster`, a link to a picture of its clip, "" without."""

    reason: str = ""
    before: str | None = None
    poster: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One take. `clip` is its file relative to the report and `sha256` its digest, "" if there is none; `cost` an amount as text, ""
    on a free service; `rejected` tells that it was turned down, and `note` why it was, or why it was picked."""

    id: str
    number: int
    status: str
    model: str
    seed: int | None
    seed_contract: str
    cost: str
    prompt: str
    changes: tuple[Change, ...]
    parameters: tuple[tuple[str, str], ...]
    references: tuple[str, ...]
    reason: str
    error: str
    clip: str
    sha256: str
    facts: str
    poster: str
    key: str
    picked: bool
    rejected: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """All takes of one variant, side by side. `mark` is another whenever something else is picked or rejected of them."""

    id: str
    title: str
    mark: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The report. `films` are files relative to it; `totals` name and amount, as text; `storyboard` is as one would type it, `sha256`
    its digest; `options` are those that name the run in a command. No time is in it: equal runs make equal reports."""

    title: str
    storyboard: str
    pipeline: str
    service: str
    sha256: str
    films: tuple[str, ...]
    totals: tuple[tuple[str, str], ...]
    statuses: Mapping[str, int]
    models: tuple[str, ...]
    options: tuple[str, ...]
    variants: tuple[Variant, ...] = field(repr=False)

    @property
    def takes(self) -> int:
        return sum(len(variant.cards) for variant in self.variants)


def sheet(
    manifest: Document,
    known: Mapping[str, Known],
    picks: Picks,
    *,
    typed: str,
    free: bool,
    options: Sequence[str] = (),
) -> Sheet:
    """`known` is by take; `typed` the storyboard as one would type it, and `options` what a command needs beside it to mean this run."""
    groups: dict[str, list[Card]] = {}
    titles: dict[str, str] = {}
    for take in manifest["takes"]:
        if take["status"] == "skipped" and take["clip"] is None:
            continue
        variant, _, number = str(take["id"]).rpartition(".")
        told = known.get(take["id"], Known())
        groups.setdefault(variant, []).append(_card(take, int(number), told, picks, free))
        titles.setdefault(variant, str(take["title"]))
    storyboard, totals, told_of = manifest["storyboard"], manifest["totals"], marks(picks)
    cards = [card for some in groups.values() for card in some]
    counted = [card.status for card in cards]
    sums = [("estimated", totals["estimated"]), ("committed", totals["committed"])]
    return Sheet(
        title=storyboard["title"] or storyboard["path"],
        storyboard=typed,
        pipeline=manifest["pipeline"]["name"],
        service=manifest["pipeline"]["service"],
        sha256=storyboard["sha256"],
        films=tuple(s["output"] for s in manifest["steps"] if s["step"] == "assemble" and s.get("status") == "done"),
        totals=() if free else tuple((name, f"{sum_} {totals['unit']}s") for name, sum_ in sums if sum_ is not None),
        statuses={status: counted.count(status) for status in dict.fromkeys(counted)},
        models=tuple(sorted({card.model for card in cards})),
        options=tuple(options),
        variants=tuple(
            Variant(id=v, title=titles[v], mark=told_of.get(v, ""), cards=tuple(some)) for v, some in groups.items()
        ),
    )


def marks(picks: Picks) -> dict[str, str]:
    """By variant a word for what is picked and rejected of it; none where nothing is. Two files that say the same have the same."""
    told: dict[str, list[str]] = {}
    for variant, pick in picks.shots.items():
        told.setdefault(variant, []).append(repr(("picked", pick.take, *pick.clips.items(), pick.note)))
    for take, rejection in sorted(picks.rejected.items()):
        told.setdefault(parts_of(take)[0], []).append(repr(("rejected", take, rejection.clip, rejection.note)))
    return {variant: hashlib.sha256("\n".join(all_).encode()).hexdigest()[:16] for variant, all_ in told.items()}


def _card(take: Document, number: int, known: Known, picks: Picks, free: bool) -> Card:
    request: Document = take["request"] or {}
    prompt = str(take["prompt"] or "")
    cost, error, clip = take["cost"], take["error"] or {}, take["clip"]
    pick, rejection = picks.shots.get(parts_of(take["id"])[0]), picks.rejected.get(take["id"])
    picked = pick is not None and pick.take == number
    charged = cost["charged"] or cost["reserved"] or cost["estimated"]
    return Card(
        id=take["id"],
        number=number,
        status=take["status"],
        model=take["model"],
        seed=take["seed"],
        seed_contract=take["seed_contract"] or "",
        cost="" if free or charged is None else f"{charged} {cost['unit']}s",
        prompt=prompt,
        changes=changes(known.before, prompt) if known.before is not None else (),
        parameters=tuple((n, _shown(v)) for n, v in request.items() if n not in _ALREADY_SAID and not _is_media(v)),
        references=tuple(str(used["path"] or used["url"]) for used in take["references"]),
        reason=known.reason,
        error=": ".join(str(error[part]) for part in ("code", "message") if error.get(part)),
        clip=clip["path"] if clip else "",
        sha256=clip["sha256"] if clip else "",
        facts=_facts(clip) if clip else "",
        poster=known.poster,
        key=take["key"] or "",
        picked=picked,
        rejected=rejection is not None,
        note=rejection.note if rejection else pick.note if pick and picked else "",
    )


def _facts(clip: Document) -> str:
    if "width_px" not in clip:
        return ""
    return f"{clip['width_px']} × {clip['height_px']}, {clip['duration_s']:g} s, {clip['fps']:g} fps"


def _shown(value: object) -> str:
    return {True: "true", False: "false", None: "null"}[value] if isinstance(value, bool | None) else str(value)


def _is_media(value: object) -> bool:
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, str) and first.startswith(("sha256:", "url:", "frame:"))


def changes(before: str, now: str) -> tuple[Change, ...]:
    """Word by word what became of a prompt; together the stretches that are not `gone` are the new one."""
    old, new = (_WORDS.findall(text) for text in (before, now))
    if max(len(old), len(new)) > MOST_WORDS:
        return (Change(kind="gone", text=before), Change(kind="new", text=now))
    found: list[Change] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            found.append(Change(kind="same", text="".join(new[new_from:new_to])))
            continue
        for name, words in (("gone", old[old_from:old_to]), ("new", new[new_from:new_to])):
            if words:
                found.append(Change(kind=name, text="".join(words)))
    return tuple(found)


def earlier_prompts(keys: Mapping[str, str], made: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    """By take the key of the clip made for it last before the one it has now. `keys` are the takes' own; `made` purchases as
    (take, key, sent at), in any order."""
    found: dict[str, tuple[str, str]] = {}
    for take, key, at in made:
        if take in keys and key != keys[take] and at >= found.get(take, ("", ""))[0]:
            found[take] = (at, key)
    return {take: key for take, (_, key) in found.items()}
