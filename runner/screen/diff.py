"""What has become of every take between two states of a storyboard: as text, one line a take, or JSON.

Foreign words are cleaned and no line begins with them. Text and concise are "" or end with a line break.
"""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal

from runner.core.diagnostics import Span
from runner.planning.diff import Comparison, Difference, Kind, Sum
from runner.screen import clean
from runner.screen.colour import Style, paint
from runner.screen.diagnostics import place
from runner.screen.diff_words import (
    Side,
    counted,
    folded,
    in_all,
    made_by,
    notes,
    reason,
    row_price,
    shown_price,
    to_buy,
    values,
)
from runner.screen.table import Align, Cell, Column, table
from runner.screen.width import cut

SCHEMA = "shotrunner.diff.v1"
_VALUE = 60  # columns of an old or new value
_INDENT = 4  # of a field below its take

_STYLES = {
    Kind.ADDED: Style.WARNING,
    Kind.CHANGED: Style.WARNING,
    Kind.DROPPED: Style.BAD,
    Kind.RENAMED: Style.NOTE,
    Kind.EDITED: Style.NOTE,
    Kind.MOVED: Style.NOTE,
}


def text(found: Comparison, old: Side, new: Side, *, colour: bool) -> str:
    """For people: a row a take, below it each field with its place, what it was and what it is; then what is to be paid."""
    named = clean.words(f"{old.name} and {new.name}")
    parts = [f"{paint('diff of', Style.STRONG, colour=colour)} {named}: {made_by(old, new)}\n"]
    if found.differences:
        parts.append(_table(found, colour=colour))
    lines = [counted(found), paint(to_buy(found, old, new), Style.STRONG, colour=colour), in_all(found, old, new)]
    lines += [f"{paint('note:', Style.NOTE, colour=colour)} {note}" for note in notes(found, old, new)]
    parts.append("".join(f"{line}\n" for line in lines))
    return "\n".join(parts)


def concise(found: Comparison, new: Side) -> str:
    """For editors and grep: `film.yaml:12:9: changed arrival@dawn.1 45.42 credits: prompt`, one line a take."""
    lines = []
    for one in found.differences:
        cost = f" {shown_price(one, new)}" if one.kind in (Kind.ADDED, Kind.CHANGED) else ""
        said = ", ".join(clean.words(word) for word in (*(f.name for f in one.fields), "".join(reason(one))) if word)
        where = place(one.fields[0].new_span if one.fields else one.side.take.span)
        lines.append(f"{where}: {one.kind.value} {clean.words(one.take)}{cost}{f': {said}' if said else ''}\n")
    return "".join(lines)


def as_json(found: Comparison, old: Side, new: Side) -> str:
    """For programs: one JSON document in UTF-8; fields are only ever added to this schema.

    `schema`    "shotrunner.diff.v1"
    `old`, `new`  each `name`, `commit` (null for files on disk), `there`, `pipeline`, `service`, `free`, `takes`, `requests`, `price` (of
                all requests, each once; a decimal in a string, null where a price is unknown or units differ)
    `takes`     those that differ: `take`, `before` (its id on the old side, or null), `kind` (added dropped changed renamed edited
                moved), `moved`, `model`, `price` (what the new side newly asks for), `was` (what the old side asked for), both null where
                unknown, `unit`, `key`, `key_before`, `reason`, `fields` (each `name`, `old`, `new`, `place_before`, `place`), `place`
    `unchanged` how many do not
    `to_buy`    `requests`, `price`, `unpriced`: what the new side asks for and the old one does not

    A place is `path` (from the project's root), `line`, `column` from 1.
    """
    return (
        json.dumps(
            {
                "schema": SCHEMA,
                "old": {**_json_side(old), "takes": found.old_takes, **_json_sum(found.old)},
                "new": {**_json_side(new), "takes": found.new_takes, **_json_sum(found.new)},
                "takes": [_json_take(one) for one in found.differences],
                "unchanged": found.unchanged,
                "to_buy": {**_json_sum(found.to_buy), "unpriced": found.to_buy.unknown},
            },
            ensure_ascii=False,
            indent=2,
        )
        + "\n"
    )


# ---------------------------------------------------------------- text


def _table(found: Comparison, *, colour: bool) -> str:
    rows = folded(found.differences)
    cells: list[list[Cell | str]] = [
        [
            Cell(row.first.kind.value, _STYLES[row.first.kind]),
            row.first.take if len(row.members) == 1 else f"... and {len(row.members)} more like these",
            row_price(row, was=False),
            row_price(row, was=True),
            "".join(reason(row.first)),
        ]
        for row in rows
    ]
    columns = (
        Column(title="KIND"),
        Column(title="TAKE"),
        Column(title="PRICE", align=Align.RIGHT),
        Column(title="WAS", align=Align.RIGHT),
        Column(title=""),
    )
    head, *lines = table(cells, columns, colour=colour).splitlines()
    shown = [head]
    for line, row in zip(lines, rows, strict=True):
        shown += [line, *(_fields(row.first, colour=colour) if len(row.members) == 1 else ())]
    return "".join(f"{line}\n" for line in shown)


def _fields(one: Difference, *, colour: bool) -> Iterator[str]:
    old, new = (side.request if side else None for side in (one.old, one.new))
    rows: list[Sequence[Cell | str]] = []
    for field in one.fields:
        before, after = (cut(clean.words(value), _VALUE) for value in values(field, old, new))
        rows.append([Cell(field.name, Style.STRONG), place(field.new_span), f"{before} -> {after}"])
    lines = table(rows, [Column() for _ in range(3)], colour=colour).splitlines()
    yield from (f"{'':{_INDENT}}{line}" for line in lines)


# ---------------------------------------------------------------- JSON


def _json_side(side: Side) -> dict[str, object]:
    return {
        "name": clean.words(side.name),
        "commit": side.commit or None,
        "there": side.there,
        "pipeline": clean.words(side.pipeline),
        "service": clean.words(side.service),
        "free": side.free,
    }


def _json_sum(found: Sum) -> dict[str, object]:
    return {"requests": found.requests, "price": _json_amount(found.known)}


def _json_take(one: Difference) -> dict[str, object]:
    request = one.side.request
    assert request is not None
    return {
        "take": one.take,
        "before": one.old.take.id if one.old else None,
        "kind": one.kind.value,
        "moved": one.moved,
        "model": clean.words(request.model),
        "price": _json_amount(one.price),
        "was": _json_amount(one.was),
        "unit": clean.words(request.unit),
        "key": one.new.request.key if one.new and one.new.request else None,
        "key_before": one.old.request.key if one.old and one.old.request else None,
        "reason": clean.words("".join(reason(one))),
        "fields": [
            {
                "name": clean.words(field.name),
                "old": field.old,
                "new": field.new,
                "place_before": _json_place(field.old_span),
                "place": _json_place(field.new_span),
            }
            for field in one.fields
        ],
        "place": _json_place(one.side.take.span),
    }


def _json_place(span: Span) -> dict[str, object]:
    return {"path": clean.words(span.source.path), "line": span.line, "column": span.column}


def _json_amount(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
