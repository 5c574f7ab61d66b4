"""What every view of a diff says: its sentences, its prices, and old and new values side by side."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runner.core.money import ZERO
from runner.core.request import Request
from runner.planning.diff import Comparison, Difference, Field, Kind, Sum
from runner.screen import clean
from runner.screen.amounts import amount, count, priced

Named = Callable[[str], str]

_CUTTINGS = {"": "clip", "sound": "sound", "frame:first": "first frame", "frame:last": "last frame"}
_CONTEXT = 3  # words that are shown on either side of what differs in a text
_ALIKE = 12  # takes with equal differences of which all are shown
_FIRST = 6  # of more than that


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One state of a storyboard: `name` as the user is shown it, `commit` the full id or "" for files on disk, `there` False where
    there is no such file yet, or no more."""

    name: str
    commit: str
    pipeline: str
    service: str
    free: bool
    there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Takes with equal differences: all of them, or the rest of many."""

    members: tuple[Difference, ...]

    @property
    def first(self) -> Difference:
        return self.members[0]


def made_by(old: Side, new: Side) -> str:
    """`pipeline final, service evolink`."""
    pipeline = new.pipeline if old.pipeline == new.pipeline else f"{old.pipeline} -> {new.pipeline}"
    service = new.service if old.service == new.service else f"{old.service} -> {new.service}"
    return clean.words(f"pipeline {pipeline}, service {service}")


def counted(found: Comparison) -> str:
    """`9 takes, 8 before: 2 changed, 1 added; 6 unchanged`."""
    takes = count(found.new_takes, "take")
    takes += f", {found.old_takes} before" if found.old_takes != found.new_takes else ""
    kinds = ", ".join(f"{number} {kind.value}" for kind, number in found.counts.items())
    return f"{takes}: {kinds}; {found.unchanged} unchanged" if kinds else f"{takes}, none of them changed"


def to_buy(found: Comparison, old: Side, new: Side, named: Named = clean.words) -> str:
    """What is newly asked for, the old side taken as bought. `named` shows a side's name."""
    if not found.to_buy.requests:
        return "nothing to buy"
    after = f" beyond those of {named(old.name)}" if old.there and found.old.requests else ""
    return f"{count(found.to_buy.requests, 'request')} to buy: {shown_sum(found.to_buy, free=new.free)}{after}"


def in_all(found: Comparison, old: Side, new: Side) -> str:
    before, after = shown_sum(found.old, free=old.free), shown_sum(found.new, free=new.free)
    return f"in all {before}, as before" if before == after else f"in all {before} before, {after} now"


def notes(found: Comparison, old: Side, new: Side, named: Named = clean.words) -> list[str]:
    lines = [f"{named(side.name)} does not exist" for side in (old, new) if not side.there]
    if old.free and new.free:
        lines.append("nothing costs anything under this pipeline; `--pipeline final` shows what the real models would")
    elif any(
        side and side.request and side.request.cuttings for one in found.differences for side in (one.old, one.new)
    ):
        lines.append("what is made from other shots is priced at its most, as if none of their clips were made yet")
    return lines


def reason(one: Difference) -> tuple[str, str, str]:
    """Why it is as it is: our words, another take's id, our words again; all empty where there is nothing to say."""
    if one.kept and one.kind in (Kind.ADDED, Kind.CHANGED):
        return "picked: the clip it has stays the film's", "", ""
    if one.same_as:
        return "the same request as ", one.same_as, " before" if one.same_before else ""
    if one.kind is Kind.RENAMED and one.old:
        return "was ", one.old.take.id, ""
    return ("skipped now" if one.skipped else "", "", "")


def shown_price(one: Difference, side: Side) -> str:
    """What a take newly costs, with its unit."""
    request = (one.new or one.side).request
    if side.free:
        return "free"
    return "price unknown" if one.price is None else priced(one.price, request.unit if request else "credit")


def shown_sum(found: Sum, *, free: bool) -> str:
    """`90.84 credits`; one unknown price makes it unknown."""
    if free or not found.requests:
        return "free" if found.requests else "nothing"
    if found.unknown:
        return f"price unknown for {count(found.unknown, 'request')}"
    return " and ".join(priced(value, clean.words(unit)) for unit, value in found.amounts)


def values(field: Field, old: Request | None, new: Request | None) -> tuple[str, str]:
    """Old and new value as one line each, `-` for none; of two texts what differs, with some words around it; media by their
    paths, or by the take they come from. Not cleaned of what Markdown or a terminal would take for its own."""
    media = {part.identity for side in (old, new) if side for part in side.media}
    if isinstance(field.old, str) and isinstance(field.new, str) and not {field.old, field.new} & media:
        return excerpts(field.old, field.new)
    before, after = _value(field.old, old), _value(field.new, new)
    return before, f"{after}, made anew" if before == after else after


def excerpts(old: str, new: str) -> tuple[str, str]:
    """The words that differ, with up to three equal ones before and behind them; what is left out is a `…`."""
    before, after = old.split(), new.split()
    if before == after:  # only spaces differ
        return repr(old), repr(new)
    head = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    most = min(len(before), len(after)) - head
    tail = next((n for n in range(most) if before[-1 - n] != after[-1 - n]), most)
    return _excerpt(before, head, tail), _excerpt(after, head, tail)


def folded(differences: Sequence[Difference]) -> list[Rows]:
    """Takes one by one; of many that differ in the same way the first, and the rest as one."""
    groups: dict[str, list[Difference]] = {}
    for number, one in enumerate(differences):
        groups.setdefault(_alike(one) or str(number), []).append(one)
    rests: dict[str, list[Difference]] = {}
    rows = []
    seen = dict.fromkeys(groups, 0)
    for number, one in enumerate(differences):
        group = _alike(one) or str(number)
        seen[group] += 1
        if len(groups[group]) <= _ALIKE or seen[group] <= _FIRST:
            rows.append([one])
        elif group in rests:
            rests[group].append(one)
        else:
            rests[group] = [one]
            rows.append(rests[group])
    return [Rows(members=tuple(row)) for row in rows]


def _alike(one: Difference) -> str:
    """Equal for takes that differ in the same way; empty where nothing but the take itself is to be told."""
    fields = [(field.name, repr(field.old), repr(field.new)) for field in one.fields]
    return repr((one.kind, reason(one), fields)) if fields else ""


def row_price(row: Rows, *, was: bool) -> str:
    """The price of a row's takes without its unit; nothing where nothing is asked for."""
    amounts = [one.was if was else one.price for one in row.members]
    if None in amounts:
        return "unknown"
    total = sum((value for value in amounts if value is not None), ZERO)
    asked = row.first.kind in ((Kind.DROPPED, Kind.CHANGED) if was else (Kind.ADDED, Kind.CHANGED))
    if not asked:
        return ""
    return amount(total)


def _excerpt(words: Sequence[str], head: int, tail: int) -> str:
    first, last = max(head - _CONTEXT, 0), min(len(words) - tail + _CONTEXT, len(words))
    shown = " ".join(words[first:last])
    return f"{'… ' if first else ''}{shown}{' …' if last < len(words) else ''}" or "-"


def _at(selector: str) -> str:
    """`frame:2.5` as one says it."""
    return f"frame at {selector.partition(':')[2]} s"


def _value(value: object, request: Request | None) -> str:
    media = {part.identity: part for part in request.media} if request else {}
    match value:
        case None:
            return "-"
        case list():
            return ", ".join(_value(member, request) for member in value) or "-"
        case str() if value in media:
            part = media[value]
            if part.cutting is not None:
                return f"{_CUTTINGS.get(part.cutting.selector) or _at(part.cutting.selector)} of {part.cutting.take}"
            digest = f" (sha256 {part.sha256[:12]})" if part.sha256 else ""
            return f"{part.path or part.url}{digest}"
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)
