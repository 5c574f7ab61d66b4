"""What is editorial, never part of what is bought: where a clip is cut, and how the cut enters it."""

from decimal import Decimal

from runner.language import fields
from runner.language.faults import Faults
from runner.language.node import Node
from runner.language.take import Transition, Trim


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
    found: dict[str, Decimal | None] = {
        entry.key.text: fields.amount(entry.value, f"`{entry.key.text}` of `trim`", faults, unit="seconds")
        for entry in written
    }
    if None in found.values():
        return None
    start, end = found.get("in"), found.get("out")
    if end is not None and end <= (start or 0):
        last = written.get("out") or at
        faults.add(
            "bad-value",
            f"`trim` ends at {end} s and begins at {start or 0} s",
            last.span,
            help="`out` comes after `in`; both count from the clip's beginning",
        )
        return None
    return Trim(in_s=start, out_s=end)


def read_transition(at: Node, faults: Faults) -> Transition | None:
    """`{dissolve: S}`: seconds of overlap, 0 a plain cut."""
    written = fields.mapping(at, "`transition`", faults, takes="a mapping, `{dissolve: 0.5}`")
    if written is None or not fields.known_keys(written, ("dissolve",), faults, of="`transition`"):
        return None
    dissolve = written.get("dissolve")
    if dissolve is None:
        fields.missing(written, "dissolve", faults, of="`transition`", help="write `{dissolve: 0.5}`, in seconds")
        return None
    seconds = fields.amount(dissolve, "`dissolve`", faults, unit="seconds")
    return None if seconds is None else Transition(dissolve_s=seconds)
