"""The `cuts` section: which pieces make each film, in which order, at which size and rate."""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from runner.core.diagnostics import Label, Span
from runner.core.media import Kind
from runner.language import fields, node
from runner.language.cut import FPS, Axis, Cut, Entry, Video
from runner.language.cut_sound import read_sound
from runner.language.editorial import read_transition, trimmed
from runner.language.faults import Faults, suggested
from runner.language.node import Node, Scalar
from runner.language.references import References

RATES = {
    **{str(rate): Fraction(rate) for rate in (24, 25, 30, 48, 50, 60)},
    "23.976": Fraction(24000, 1001),
    "29.97": Fraction(30000, 1001),
    "59.94": Fraction(60000, 1001),
}
LEAST_SIDE, MOST_SIDE = 16, 4096
MOST_SECONDS = 24 * 60 * 60
_SIZE = re.compile(r"([0-9]{1,5})\s*[xX×]\s*([0-9]{1,5})")
_KEYS = ("order", "for", "video", "sound")
_ENTRY = ("shot", "file", "black", "in", "out", "join")
_WHAT = ("shot", "file", "black")


def read_cuts(section: Node, references: References, faults: Faults) -> tuple[Cut, ...]:
    """The lawful cuts in file order; names are unique without regard to case, since films are named after them."""
    entries = fields.mapping(section, "`cuts`", faults, takes="a mapping of names to cuts")
    found: list[Cut] = []
    first: dict[str, Scalar] = {}
    for entry in entries or ():
        name = entry.key.text
        lawful = fields.lawful_id(name, entry.key, "the cut's name", faults)
        if name.casefold() in first:
            fields.twice(faults, f"the name `{fields.clipped(name)}`", entry.key, first[name.casefold()])
            continue
        first[name.casefold()] = entry.key
        cut = _cut(entry, references, faults)
        if lawful and cut is not None:
            found.append(cut)
    if entries is not None and not entries.entries:
        faults.add("no-value", "`cuts` is empty", section.span, help="write a cut, or take the line out")
    return tuple(found)


def _cut(entry: node.Entry, references: References, faults: Faults) -> Cut | None:
    before = len(faults.found)
    tree = fields.mapping(entry.value, f"the cut `{entry.key.text}`", faults, takes="a mapping, `{order: [...]}`")
    if tree is None or not fields.known_keys(tree, _KEYS, faults, of="a cut"):
        return None
    parts = {key: tree.get(key) for key in _KEYS}
    order = _order(parts["order"], references, faults) if parts["order"] else None
    axes = _axes(parts["for"], faults) if parts["for"] else ()
    video = _video(parts["video"], faults) if parts["video"] else Video()
    sound = read_sound(parts["sound"], references, faults) if parts["sound"] else None
    if len(faults.found) > before or video is None:
        return None
    return Cut(name=entry.key.text, span=entry.key.span, order=order, axes=axes, video=video, sound=sound)


# ---------------------------------------------------------------- order


def _order(at: Node, references: References, faults: Faults) -> tuple[Entry, ...]:
    members = fields.listing(at, "`order`", faults, of="shots and files")
    found = [_entry(member, references, faults) for member in (members.items if members else ())]
    return tuple(entry for entry in found if entry is not None)


def _entry(at: Node, references: References, faults: Faults) -> Entry | None:
    if not isinstance(at, node.Mapping):
        written = _name(at, "an entry of `order`", faults)
        if written is None:
            return None
        if is_path(written):
            use = references.local(at, "file", Kind.VIDEO, faults)
            return None if use is None else Entry(file=use, span=at.span)
        return Entry(shot=written, span=at.span)
    tree = at
    if not fields.known_keys(tree, _ENTRY, faults, of="an entry of `order`"):
        return None
    what = [entry for entry in tree if entry.key.text in _WHAT]
    if len(what) != 1:
        _hold_to_one(tree, what, faults)
        return None
    before = len(faults.found)
    kind, value = what[0].key.text, what[0].value
    shot = _name(value, "`shot`", faults) if kind == "shot" else None
    use = references.local(value, "file", Kind.VIDEO, faults) if kind == "file" else None
    black = _more_than_nothing(value, "`black`", faults) if kind == "black" else None
    ends = tree.get("in"), tree.get("out")
    if kind == "black" and any(ends):
        for entry in tree:
            if entry.key.text in ("in", "out"):
                faults.add(
                    "misplaced-key",
                    f"`{entry.key.text}` is a place in a clip; `black` has none",
                    entry.key.span,
                    help="`black` itself says how many seconds it lasts",
                )
    trim = trimmed(tree, faults, name="the entry") if any(ends) else None
    join = tree.get("join")
    transition = read_transition(join, faults, name="`join`") if join else None
    if len(faults.found) > before or (shot is None and use is None and black is None):
        return None
    return Entry(
        shot=shot,
        file=use,
        black_s=black,
        in_s=trim.in_s if trim else None,
        out_s=trim.out_s if trim else None,
        join=transition,
        span=value.span,
    )


def _hold_to_one(tree: node.Mapping, what: Sequence[node.Entry], faults: Faults) -> None:
    if not what:
        advice = "write `shot: arrival`, `file: media/logo.mp4` or `black: 1`"
        fields.missing(tree, "shot", faults, of="an entry of `order`", help=advice)
        return
    faults.add(
        "one-of",
        f"an entry of `order` is one of {', '.join(_WHAT)}; it has `{what[0].key.text}` and `{what[1].key.text}`",
        what[1].key.span,
        others=(Label(span=what[0].key.span, text="first here"),),
        help="each is an entry of its own, with a `-` before it",
    )


def _name(at: Node, name: str, faults: Faults) -> str | None:
    """The id of a shot or variant; ids of digits alone are numbers to YAML."""
    if isinstance(at, Scalar) and isinstance(at.value, int) and not isinstance(at.value, bool):
        return at.text
    return fields.fixed_text(at, name, faults, takes="a shot, a variant or a file")


def is_path(written: str) -> bool:
    """`arrival.1` is none: it is a take, and told so."""
    return "/" in written or re.search(r"\.[A-Za-z]\w*$", written) is not None


# ---------------------------------------------------------------- for, video


def _axes(at: Node, faults: Faults) -> tuple[Axis, ...]:
    if isinstance(at, node.Sequence):
        members = fields.listing(at, "`for`", faults, of="axes")
        nodes = members.items if members else ()
    else:
        nodes = (at,)
    found: dict[str, Span] = {}
    for member in nodes:
        name = fields.fixed_text(member, "`for`", faults, takes="the name of an axis, or a list of them")
        if name is None:
            continue
        if name in found:
            faults.add(
                "one-of",
                f"`for` names the axis `{fields.clipped(name)}` twice",
                member.span,
                others=(Label(span=found[name], text="first here"),),
            )
        found.setdefault(name, member.span)
    return tuple(Axis(name=name, span=span) for name, span in found.items())


def _video(at: Node, faults: Faults) -> Video | None:
    tree = fields.shaped(at, "`video`", ("size", "fps", "length"), faults)
    if tree is None:
        return None
    before = len(faults.found)
    size, fps, length = tree.get("size"), tree.get("fps"), tree.get("length")
    found = Video(
        size=_size(size, faults) if size else None,
        fps=(_rate(fps, faults) if fps else None) or FPS,
        length_s=_more_than_nothing(length, "`length`", faults) if length else None,
    )
    return found if len(faults.found) == before else None


def _size(at: Node, faults: Faults) -> tuple[int, int] | None:
    written = fields.fixed_text(at, "`size`", faults, takes="a width and a height, `1280x720`")
    if written is None:
        return None
    match = _SIZE.fullmatch(written.strip())
    if match is None:
        faults.add(
            "bad-value",
            f"`size` is `{fields.clipped(written)}`; it is a width and a height in pixels",
            at.span,
            help="for example `1280x720`, or `1080x1920` upright",
        )
        return None
    width, height = int(match[1]), int(match[2])
    if all(side % 2 == 0 and LEAST_SIDE <= side <= MOST_SIDE for side in (width, height)):
        return width, height
    near = "x".join(str(min(max(side - side % 2, LEAST_SIDE), MOST_SIDE)) for side in (width, height))
    faults.add(
        "bad-value",
        f"`size` is {width}x{height}; its sides are even, from {LEAST_SIDE} to {MOST_SIDE:,} pixels",
        at.span,
        help=f"the nearest is `{near}`",
    )
    return None


def _rate(at: Node, faults: Faults) -> Fraction | None:
    written = fields.amount(at, "`fps`", faults, unit="frames a second")
    if written is None:
        return None
    rate = RATES.get(f"{written.normalize():f}")
    if rate is None:
        near = min(RATES, key=lambda known: abs(Decimal(known) - written))
        faults.add(
            "bad-value",
            f"`fps` is {written}; films have {', '.join(sorted(RATES, key=Decimal))} frames a second",
            at.span,
            help=f"the nearest is `fps: {near}`",
        )
    return rate


def _more_than_nothing(at: Node, name: str, faults: Faults) -> Decimal | None:
    seconds = fields.amount(at, name, faults, unit="seconds")
    if seconds is None or Decimal("0.02") <= seconds <= MOST_SECONDS:
        return seconds
    faults.add(
        "bad-value",
        f"{name} is {seconds} seconds; it lasts a frame at least, and {MOST_SECONDS:,} seconds at most",
        at.span,
    )
    return None


# ---------------------------------------------------------------- against the shots


def hold(cut: Cut, shots: Sequence[str], variants: Sequence[tuple[str, str]], faults: Faults) -> None:
    """Report what a cut names and the storyboard lacks. `shots` are the ids written there, `variants` pairs of a shot and a
    variant of it, without those of shots that were reported."""
    named = [(entry.shot, entry.span) for entry in cut.order or () if entry.shot]
    spoken = [(voice.shot, voice.span) for voice in (cut.sound.voice if cut.sound else ()) if voice.shot]
    sound = True
    for name, span in (*named, *spoken):
        sound &= _hold_name(name, span, shots, variants, faults)
    if not sound or cut.order is None:
        return
    inside = {shot for name, _ in named for shot in (name, name.partition("@")[0])}
    inside |= {variant for shot, variant in variants if shot in {name for name, _ in named}}
    for name, span in spoken:
        if name not in inside:
            faults.add(
                "unknown-shot",
                f"`{name}` is not in the cut `{cut.name}`, so a voice cannot begin with it",
                span,
                help=suggested(name, tuple(dict.fromkeys(n for n, _ in named)), words="in this cut"),
            )


def _hold_name(
    name: str, span: Span, shots: Sequence[str], variants: Sequence[tuple[str, str]], faults: Faults
) -> bool:
    shot = name.partition("@")[0]
    own = [variant for whose, variant in variants if whose == shot]
    if name in shots or name in own or (shot in shots and not own):
        return True
    base = name.rpartition(".")[0]
    if base and (base in shots or any(variant == base for _, variant in variants)):
        headline, advice = f"`{name}` is a take; a cut names shots and variants", f"write `{base}`"
    elif shot in shots:
        headline = f"shot `{shot}` has no variant `{fields.clipped(name)}`"
        advice = suggested(name, own, words=f"variants of `{shot}`")
    else:
        headline = f"there is no shot `{fields.clipped(name)}`"
        advice = suggested(name, shots, words="a path has a suffix or a `/`; shots")
    faults.add("unknown-shot", headline, span, help=advice)
    return False
