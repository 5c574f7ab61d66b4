"""Which take of a variant is the film's, and which were turned down: a file beside the storyboard, made for git.

    picks: 1
    shots:
      arrival@dawn: {take: 2, pipeline: preview, clip: 3f2a..., note: the best light}
    rejected:
      arrival@dawn.1: {note: he blinks}

Clips of the same take that were approved under other pipelines before stand behind: `also: {draft: 99ab...}`.

A line a variant, so that git merges what two people chose. Commands change these lines alone; every other stays as it is written.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from runner.core.diagnostics import Rejected, Source, Span, in_file_order
from runner.language import fields, node
from runner.language.document import parse
from runner.language.faults import Faults
from runner.language.node import Entry, Node, Scalar
from runner.language.scalar import NotANumber, resolve

VERSION = 1
SUFFIX = ".picks.yaml"
HEAD = "# Which take of each shot is the film's: `shotrunner pick` and `reject` write here, and keep your comments.\n"
_KEYS = ("picks", "shots", "rejected")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_END = re.compile("(\r\n|\r|\n)")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@+-]*")
_TAKE = re.compile(r"(.+)\.([1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The take of a variant that the film is cut from. `clip`, if there is one, is the digest of the clip that was approved under
    `pipeline`: there it stays the film's whatever becomes of the prompt. `also`: digests of its clips that were approved before, by
    their pipelines, the latest first."""

    take: int
    pipeline: str = ""
    clip: str = ""
    also: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    span: Span | None = field(default=None, compare=False)

    @property
    def clips(self) -> dict[str, str]:
        """Digests of all its approved clips by pipeline, the latest first."""
        return {**({self.pipeline: self.clip} if self.pipeline and self.clip else {}), **self.also}

    def with_clips(self, clips: Mapping[str, str]) -> "Pick":
        """The pick with these for its clips, the latest first."""
        (pipeline, clip), *rest = list(clips.items()) or [("", "")]
        return replace(self, pipeline=pipeline, clip=clip, also=dict(rest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A take that was turned down."""

    note: str = ""
    clip: str = ""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picks:
    """`shots` are by variant, `rejected` by take id."""

    shots: Mapping[str, Pick] = field(default_factory=dict)
    rejected: Mapping[str, Rejection] = field(default_factory=dict)

    def takes(self) -> dict[str, int]:
        """The number of the picked take, by variant."""
        return {variant: pick.take for variant, pick in self.shots.items()}


def load(source: Source) -> Picks:
    """Raises Rejected with every fault of the file."""
    if _is_blank(source.text):
        return Picks()
    faults, found = Faults(), Picks()
    tree = parse(source)
    whole = fields.shaped(tree, "a picks file", _KEYS, faults)
    if whole is not None:
        version = whole.get("picks")
        if version is None:
            fields.missing(
                whole, "picks", faults, of="this file", help=f"it begins with its version: `picks: {VERSION}`"
            )
        elif fields.whole(version, "`picks`", faults) not in (None, VERSION):
            faults.add(
                "bad-version",
                f"this file is of another version; version {VERSION} is known here",
                version.span,
                help="use a Shotrunner that knows it",
            )
        found = Picks(
            shots=_section(whole.get("shots"), "shots", _pick, faults),
            rejected=_section(whole.get("rejected"), "rejected", _rejection, faults),
        )
    if faults or whole is None:
        raise Rejected(in_file_order(faults.found))
    return found


def _is_blank(text: str) -> bool:
    """Whether there is nothing but comments."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


T = TypeVar("T")


def _section(at: Node | None, name: str, read: Callable[[Entry, Faults], T | None], faults: Faults) -> dict[str, T]:
    if at is None or (isinstance(at, Scalar) and at.value is None):
        return {}
    tree = fields.mapping(at, f"`{name}`", faults)
    found = {entry.key.text: read(entry, faults) for entry in tree or ()}
    return {key: value for key, value in found.items() if value is not None}


def _pick(entry: Entry, faults: Faults) -> Pick | None:
    name = f"`{fields.clipped(entry.key.text)}`"
    tree = fields.shaped(entry.value, name, ("take", "pipeline", "clip", "also", "note"), faults)
    if tree is None:
        return None
    take = tree.get("take")
    if take is None:
        fields.missing(tree, "take", faults, of=name, help="write the number of the take: `{take: 2}`")
        return None
    number = fields.whole(take, "`take`", faults, least=1, most=999_999)
    texts = {key: _text(tree, key, faults) for key in ("pipeline", "clip", "note")}
    others = tree.get("also")
    listed = fields.mapping(others, "`also`", faults, takes="a mapping of pipelines to digests") if others else None
    also = {one.key.text: _digest(one.value, "also", faults) for one in listed or ()}
    if number is None:
        return None
    return Pick(
        take=number,
        pipeline=texts["pipeline"],
        clip=texts["clip"],
        also=also,
        note=texts["note"],
        span=entry.key.span,
    )


def _rejection(entry: Entry, faults: Faults) -> Rejection | None:
    tree = fields.shaped(entry.value, f"`{fields.clipped(entry.key.text)}`", ("clip", "note"), faults)
    if tree is not None and not _TAKE.fullmatch(entry.key.text):
        help_ = "for example `arrival@dawn.2`"
        faults.add("bad-id", f"`{fields.clipped(entry.key.text)}` is no take", entry.key.span, help=help_)
    if tree is None:
        return None
    return Rejection(clip=_text(tree, "clip", faults), note=_text(tree, "note", faults), span=entry.key.span)


def _text(tree: node.Mapping, key: str, faults: Faults) -> str:
    at = tree.get(key)
    if at is None:
        return ""
    return _digest(at, key, faults) if key == "clip" else fields.text(at, f"`{key}`", faults) or ""


def _digest(at: Node, name: str, faults: Faults) -> str:
    written = fields.text(at, f"`{name}`", faults) or ""
    if written and not _DIGEST.fullmatch(written):
        faults.add("bad-value", f"`{name}` is `{fields.clipped(written)}`; it takes a sha256, 64 hex digits", at.span)
    return written


def take_of(id_: str) -> tuple[str, int] | None:
    """Variant and number of a take id, None of anything else."""
    found = _TAKE.fullmatch(id_)
    return (found[1], int(found[2])) if found else None


def parts_of(take: str) -> tuple[str, int]:
    """Variant and number of what is a take's id."""
    found = take_of(take)
    assert found is not None
    return found


# ---------------------------------------------------------------- writing


def changed(source: Source | None, section: str, name: str, value: Pick | Rejection | None) -> str:
    """The file's text with the one line of `name` in `section` written anew, added, or, for None, taken out; every other line
    ends as it did.

    Raises Rejected where the section is not written a line an entry.
    """
    text = _changed(source, section, name, value)
    return _ended(text, source.text) if source else text


def _ended(text: str, before: str) -> str:
    """A text of plain line ends with those of what it was made of; a line that is new ends as the first one did."""
    parts = _END.split(before)
    old, ends, lines = parts[::2], [*parts[1::2], ""], text.split("\n")
    usual, both = ends[0] or "\n", range(min(len(old), len(lines)))
    head = next((n for n in both if old[n] != lines[n]), len(both))
    tail = next((n for n in both[: len(both) - head] if old[-1 - n] != lines[-1 - n]), len(both) - head)
    kept = [*ends[:head], *[usual] * (len(lines) - head - tail), *ends[len(ends) - tail :]]
    return "".join(f"{line}{end or usual}" for line, end in zip(lines[:-1], kept, strict=False)) + lines[-1]


def _changed(source: Source | None, section: str, name: str, value: Pick | Rejection | None) -> str:
    text = source.text.replace("\r\n", "\n").replace("\r", "\n") if source else ""
    lines = text.split("\n")
    if _is_blank(text):
        lines = [*(lines if text.strip() else HEAD.split("\n"))[:-1], f"picks: {VERSION}", ""]
    tree = parse(source) if source is not None and not _is_blank(text) else None
    whole = tree if isinstance(tree, node.Mapping) else None
    entry = whole.entry(section) if whole is not None else None
    if entry is None:
        if value is None:
            return text
        if lines[-1] == "":
            lines.pop()
        return "\n".join([*lines, f"{section}:", f"  {_line(name, value)}", ""])
    entries = _entries(entry, section)
    at = next((one for one in entries if one.key.text == name), None)
    if at is not None:
        first, last = at.key.span.line - 1, _last_line(at) - 1
        behind = lines[last][at.value.span.end_column - 1 :]
        indent = lines[first][: at.key.span.column - 1]
        lines[first : last + 1] = [] if value is None else [f"{indent}{_line(name, value)}{behind}"]
    elif value is not None:
        indent = " " * (entries[0].key.span.column - 1) if entries else "  "
        smaller = [one for one in entries if one.key.text < name]
        if not entries:
            lines[entry.key.span.line - 1] = f"{section}:"
        place = _last_line(smaller[-1]) if smaller else entry.key.span.line
        lines.insert(place, f"{indent}{_line(name, value)}")
    return "\n".join(lines)


def _entries(entry: Entry, section: str) -> tuple[Entry, ...]:
    """The section's entries, if each has its own lines."""
    match entry.value:
        case Scalar(value=None):
            return ()
        case node.Mapping(entries=()):
            return ()
        case node.Mapping(entries=entries) if entries[0].key.span.line > entry.key.span.line:
            return entries
    faults = Faults()
    faults.add(
        "bad-type", f"`{section}` is not written a line a shot", entry.key.span, help="give each its own line below"
    )
    raise Rejected(faults.found)


def _last_line(entry: Entry) -> int:
    """The line a value ends in; a block value's span reaches to the start of what follows it."""
    span = entry.value.span
    return span.end_line - 1 if span.end_column == 1 and span.end_line > span.line else span.end_line


def _line(name: str, value: Pick | Rejection) -> str:
    told: dict[str, object] = {"clip": _word(value.clip)}
    if isinstance(value, Pick):
        also = ", ".join(f"{_word(pipeline)}: {_word(clip)}" for pipeline, clip in value.also.items())
        told = {"take": value.take, "pipeline": _word(value.pipeline), **told, "also": f"{{{also}}}" if also else ""}
    words = "".join(c if c.isprintable() else " " for c in value.note).strip()
    note = {"note": json.dumps(words, ensure_ascii=False)} if words else {}
    parts = {**{key: part for key, part in told.items() if part}, **note}
    return f"{name}: {{{', '.join(f'{key}: {part}' for key, part in parts.items())}}}"


def _word(text: str) -> str:
    """As YAML takes it for a text: a pipeline may be called `true` or `12`."""
    try:
        is_plain = not text or (_PLAIN.fullmatch(text) and isinstance(resolve(text), str))
    except NotANumber:
        is_plain = False
    return text if is_plain else json.dumps(text, ensure_ascii=False)
