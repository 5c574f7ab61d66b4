"""From a cut and the takes there are to films: which take, file or black stands where, before any clip is there. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from runner.core.diagnostics import Diagnostic, Severity, Span
from runner.core.media import Kind, MediaFacts, Pointer
from runner.core.spelling import nearest
from runner.language.cut import Cut, Entry
from runner.language.take import MediaUse, Take, Transition

MOST_FILMS = 100  # of one cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One piece of a film: a take, a file of the project, or `black_s` seconds of black. `transition` None: nothing was said."""

    name: str
    take: Take | None = None
    file: MediaUse | None = None
    black_s: Decimal | None = None
    in_s: Decimal | None = None
    out_s: Decimal | None = None
    transition: Transition | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One film. `cut` None: all shots in the storyboard's order, with nothing said of picture and sound. `label`: of which
    labels of the cut's axes it is, joined by `+`, "" without axes."""

    cut: Cut | None = None
    label: str = ""
    slots: tuple[Slot, ...]

    @property
    def takes(self) -> tuple[Take, ...]:
        """Each once, in the order they first stand in the film."""
        return tuple({slot.take.id: slot.take for slot in self.slots if slot.take}.values())

    def output(self, name: str) -> str:
        """The film's file where the cut's is `name`: `film.mp4`, `film@dawn.mp4`."""
        return f"{name.removesuffix('.mp4')}@{self.label}.mp4" if self.label else name


def chosen(takes: Sequence[Take], picks: Mapping[str, int]) -> tuple[Take, ...]:
    """The take of every variant that films are cut from, in storyboard order; skipped shots are left out. It is the picked one
    (`picks`: its number, by variant), else, or if there is no such take, the first."""
    there = {take.id for take in takes}
    wanted = {v: number for v, number in picks.items() if f"{v}.{number}" in there}
    return tuple(take for take in takes if take.number == wanted.get(take.variant, 1) and not take.skip)


def edits(cut: Cut | None, takes: Sequence[Take]) -> tuple[Edit, ...]:
    """The films of a cut, one for each combination of its axes' labels, in the order their labels first stand in it. `takes` are
    the chosen ones."""
    if cut is None:
        return (Edit(slots=tuple(_of_take(take, None) for take in takes)),)
    slots = tuple(_all_slots(cut, takes))
    labels = [
        dict.fromkeys(slot.take.labels[axis.name] for slot, _ in slots if slot.take and axis.name in slot.take.labels)
        for axis in cut.axes
    ]
    return tuple(
        Edit(
            cut=cut,
            label="+".join(wanted),
            slots=tuple(
                slot
                for slot, entry in slots
                if _belongs(slot, entry, dict(zip((axis.name for axis in cut.axes), wanted, strict=True)))
            ),
        )
        for wanted in product(*labels)
    )


def _all_slots(cut: Cut, takes: Sequence[Take]) -> Iterator[tuple[Slot, Entry]]:
    """What each entry of the order comes to; without an order, each shot is one."""
    by_name: dict[str, list[Take]] = {}
    for take in takes:
        for name in dict.fromkeys((take.shot, take.variant)):
            by_name.setdefault(name, []).append(take)
    order = cut.order or tuple(Entry(shot=take.shot, span=take.span) for take in {t.shot: t for t in takes}.values())
    for entry in order:
        if entry.shot is None:
            yield _other(entry), entry
        for take in by_name.get(entry.shot or "", ()):
            yield _of_take(take, entry), entry


def _other(entry: Entry) -> Slot:
    return Slot(
        name=entry.file.name or entry.file.path or "" if entry.file else "black",
        file=entry.file,
        black_s=entry.black_s,
        in_s=entry.in_s,
        out_s=entry.out_s,
        transition=entry.join,
        span=entry.span,
    )


def _of_take(take: Take, entry: Entry | None) -> Slot:
    """What the entry says of its part and its joint stands in place of what the shot says."""
    own = entry if entry and (entry.in_s is not None or entry.out_s is not None) else take.trim
    return Slot(
        name=take.variant,
        take=take,
        in_s=own.in_s if own else None,
        out_s=own.out_s if own else None,
        transition=entry.join if entry and entry.join else take.transition,
        span=entry.span if entry else take.span,
    )


def _belongs(slot: Slot, entry: Entry, wanted: Mapping[str, str]) -> bool:
    """Whether the slot is in the film of these labels: what has none of the axes is in all, and so is a variant that the order
    names itself."""
    if slot.take is None or (entry.shot == slot.take.variant and slot.take.variant != slot.take.shot):
        return True
    return all(slot.take.labels.get(axis, label) == label for axis, label in wanted.items())


# ---------------------------------------------------------------- faults


def axis_faults(cut: Cut, takes: Sequence[Take]) -> Iterator[Diagnostic]:
    """What `for` asks of the cut's shots and they do not have; `takes` are the chosen ones."""
    inside = [slot.take for slot, _ in _all_slots(cut, takes) if slot.take]
    if not inside:
        return
    known = tuple(dict.fromkeys(axis for take in inside for axis in take.labels))
    found = list(cut.axes)
    for axis in cut.axes:
        if axis.name not in known:
            meant = nearest(axis.name, known)
            listed = f"axes of its shots: {', '.join(known)}" if known else "none of its shots has a `matrix`"
            yield Diagnostic(
                code="unknown-axis",
                headline=f"no shot of the cut `{cut.name}` has an axis `{axis.name}`",
                span=axis.span,
                help=f"did you mean `{meant}`? {listed}" if meant else listed,
            )
            found.remove(axis)
    for axis in found:
        labels = dict.fromkeys(take.labels[axis.name] for take in inside if axis.name in take.labels)
        for shot in dict.fromkeys(take.shot for take in inside if axis.name in take.labels):
            own = {take.labels[axis.name] for take in inside if take.shot == shot}
            lacking = [label for label in labels if label not in own]
            if lacking:
                yield Diagnostic(
                    code="unknown-axis",
                    headline=f"shot `{shot}` has no `{lacking[0]}` on its axis `{axis.name}`, and so no part in that film",
                    span=axis.span,
                    help=f"give all shots of the cut the same labels: {', '.join(labels)}; or name the variant in `order`",
                )
    films = len(edits(cut, takes)) if len(found) == len(cut.axes) else 0
    if films > MOST_FILMS:
        yield Diagnostic(
            code="too-many",
            headline=f"the cut `{cut.name}` makes {films:,} films; at most {MOST_FILMS} are made of one",
            span=cut.axes[0].span,
            help="name fewer axes in `for`",
        )


def file_faults(cut: Cut, facts: Mapping[str, MediaFacts | Pointer | str]) -> Iterator[Diagnostic]:
    """What keeps a cut's files from being used. `facts` by path: what a probe found, or why it found nothing."""
    shown = {id(entry.file) for entry in cut.order or () if entry.file}
    for use in cut.files():
        assert use.path is not None
        found = facts.get(use.path, "was not probed")
        if isinstance(found, str):
            code = "missing-file" if found == "does not exist" else "unreadable-media"
            advice = "paths start from the file they stand in" if code == "missing-file" else ""
            yield Diagnostic(code=code, headline=f"`{use.path}` {found}", span=use.span, help=advice)
            continue
        if use.sha256 and found.sha256 != use.sha256:
            yield Diagnostic(
                code="pinned-differs",
                headline=f"`{use.path}` has other bytes than its reference says"
                f" (sha256 {found.sha256[:12]}, pinned {use.sha256[:12]})",
                span=use.span,
            )
        known = found.facts if isinstance(found, Pointer) else found
        if isinstance(found, Pointer):
            yield Diagnostic(
                severity=Severity.WARNING,
                code="lfs-pointer",
                headline=f"`{use.path}` is a Git LFS pointer: the file itself is not here",
                span=use.span,
                notes=(f"the cut `{cut.name}` cannot be made without it",),
                help="`git lfs pull` brings the file",
            )
        if known is None:
            continue
        if id(use) in shown and known.kind is not Kind.VIDEO:
            yield _wrong(use, f"`order` takes videos; `{use.path}` is {_ARTICLES[known.kind]}")
        elif id(use) not in shown and not known.has_audio:
            yield _wrong(use, f"`{use.path}` is {_ARTICLES[known.kind]} without sound")


_ARTICLES = {Kind.IMAGE: "a picture", Kind.VIDEO: "a video", Kind.AUDIO: "a sound"}


def _wrong(use: MediaUse, headline: str) -> Diagnostic:
    return Diagnostic(code="wrong-kind", headline=headline, span=use.span)
