"""Links to other shots' clips, as their authors wrote them: `{shot: ID, frame: last}`."""

from decimal import Decimal, InvalidOperation

from runner.core.media import Kind
from runner.language import fields, node
from runner.language.faults import Faults
from runner.language.node import Node, Scalar
from runner.language.take import Link

FIRST, LAST = "first", "last"
LONGEST_S = 3600
_FRAMES = f"`{FIRST}`, `{LAST}` or a second into the clip"


def read_link(at: node.Mapping, word: str, kind: Kind, faults: Faults) -> Link | None:
    """A link as a value of the media word; None after reporting each of its faults. Which shot it names is judged later."""
    before = len(faults.found)
    keys = ("shot", "frame") if kind is Kind.IMAGE else ("shot",)
    for entry in at:
        if entry.key.text == "frame" and kind is not Kind.IMAGE:
            faults.add(
                "misplaced-key",
                f"`{word}` takes the whole clip; `frame` picks a picture for `image`",
                entry.key.span,
                help="take `frame` out",
            )
    fields.known_keys(at, ("shot", "frame"), faults, of="a link")
    shot = at.get("shot")
    name = fields.text(shot, "`shot` of a link", faults, takes="a shot's id") if shot is not None else None
    if shot is None:
        example = f"{{shot: ID, frame: {LAST}}}" if kind is Kind.IMAGE else "{shot: ID}"
        fields.missing(at, "shot", faults, of=f"the link in `{word}`", help=f"`{word}: {example}`")
    frame = None
    if "frame" in keys:
        written = at.get("frame")
        frame = _frame(written, faults) if written is not None else None
        if written is None and shot is not None:
            fields.missing(at, "frame", faults, of="the link in `image`", help=f"`frame: {LAST}`; it takes {_FRAMES}")
    if len(faults.found) > before or name is None or shot is None:
        return None
    return Link(shot=name.strip(), frame=frame, span=shot.span)


def _frame(at: Node, faults: Faults) -> str | None:
    text = at.text.strip() if isinstance(at, Scalar) else ""
    if text in (FIRST, LAST):
        return text
    try:
        second = Decimal(text)
    except InvalidOperation:
        second = Decimal("NaN")
    if isinstance(at, Scalar) and second.is_finite() and 0 <= second <= LONGEST_S and second == round(second, 3):
        return f"{second.normalize():f}" if second else FIRST
    shown = fields.clipped(text) if isinstance(at, Scalar) else "no single value"
    faults.add(
        "bad-value",
        f"`frame` is {f'`{shown}`' if text else shown}; it takes {_FRAMES}",
        at.span,
        help=f"seconds are 0 to {LONGEST_S}, in steps of 0.001: `frame: 2.5`",
    )
    return None
