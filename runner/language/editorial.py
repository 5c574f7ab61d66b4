"""What is editorial, never part of what is bought: where a clip is cut, and how the cut enters it."""

from typing import Literal

from runner.core.diagnostics import Label
from runner.language import fields
from runner.language.faults import Faults, suggested
from runner.language.node import Mapping, Node
from runner.language.take import Join, Side, Transition, Trim


def read_trim(at: Node, faults: Faults) -> Trim | None:
    """`{in: S, out: S}`: seconds into the clip, one of them at least, 0 <= in < out."""
    written = fields.mapping(at, "`trim`", faults, takes="a mapping, `{in: 0.5, out: 4}`")
    if written is None or not fields.known_keys(written, ("in", "out"), faults, of="`trim`"):
        return None
    if not written.entries:
        faults.add(
            "no-value",
            "`trim` is empty",
            at.span,
            help="write `{in: 0.5}`, `{out: 4}` or both, in seconds; or take the line out",
        )
        return None
    return trimmed(written, faults, name="`trim`")


def trimmed(written: Mapping, faults: Faults, *, name: str) -> Trim | None:
    """`in` and `out` of a mapping, one of them at least; `name` is what it is called."""
    ends = {key: written.get(key) for key in ("in", "out")}
    found = {
        key: fields.amount(at, f"`{key}` of {name}", faults, unit="seconds")
        for key, at in ends.items()
        if at is not None
    }
    if None in found.values():
        return None
    start, end = found.get("in"), found.get("out")
    if end is not None and end <= (start or 0):
        faults.add(
            "bad-value",
            f"{name} ends at {end} s and begins at {start or 0} s",
            (ends["out"] or written).span,
            help="`out` comes after `in`; both count from the clip's beginning",
        )
        return None
    return Trim(in_s=start, out_s=end)


def read_transition(at: Node, faults: Faults, *, name: str = "`transition`") -> Transition | None:
    """`{dissolve: S}`, `{fade: S}` or `{wipe: S, from: SIDE}`: seconds, 0 a plain cut."""
    written = fields.mapping(at, name, faults, takes="a mapping, `{dissolve: 0.5}`")
    if written is None or not fields.known_keys(written, (*Join, "from"), faults, of=name):
        return None
    joins = [entry for entry in written if entry.key.text in tuple(Join)]
    if not joins:
        fields.missing(
            written,
            "dissolve",
            faults,
            of=name,
            help="write `{dissolve: 0.5}`, `{fade: 0.5}` or `{wipe: 0.5, from: left}`, in seconds",
        )
        return None
    if len(joins) > 1:
        faults.add(
            "one-of",
            f"{name} is one of {', '.join(Join)}; it has `{joins[0].key.text}` and `{joins[1].key.text}`",
            joins[1].key.span,
            others=(Label(span=joins[0].key.span, text="first here"),),
        )
        return None
    join = Join(joins[0].key.text)
    seconds = fields.amount(joins[0].value, f"`{join}`", faults, unit="seconds")
    side = _side(written, join, name, faults)
    return None if seconds is None or side is None else Transition(join=join, seconds=seconds, side=side or None)


def _side(written: Mapping, join: Join, name: str, faults: Faults) -> Side | Literal[""] | None:
    """The side a wipe comes from, the left if none is written; "" for another join, None after reporting."""
    entry = written.entry("from")
    if join is not Join.WIPE and entry is not None:
        faults.add(
            "misplaced-key",
            f"`from` of {name} says where a wipe comes from; a {join} comes from nowhere",
            entry.key.span,
            help="take `from` out, or make it a wipe: `{wipe: 0.5, from: left}`",
        )
        return None
    if entry is None:
        return Side.LEFT if join is Join.WIPE else ""
    word = fields.fixed_text(entry.value, "`from`", faults, takes=", ".join(Side))
    if word is None or word in tuple(Side):
        return None if word is None else Side(word)
    faults.add(
        "bad-value",
        f"`from` is `{fields.clipped(word)}`; it is one of {', '.join(Side)}",
        entry.value.span,
        help=suggested(word, tuple(Side), words="sides"),
    )
    return None
