"""Shots made from other shots' clips: which variant each link names, and that none is made from itself."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from runner.core.diagnostics import Diagnostic, Label
from runner.core.spelling import nearest
from runner.language.faults import Faults
from runner.language.take import Link, Take

_LISTED = 8


def linked(takes: Sequence[Take], written: frozenset[str], faults: Faults) -> tuple[Take, ...]:
    """The takes with every link led to its variant; those with a link that leads nowhere, or back, are left out.

    `written` are the ids of all shots of the storyboard, case folded: one that has no take here was faulty, and is reported
    where it is written.
    """
    if not any(links_of(take) for take in takes):
        return tuple(takes)
    variants: dict[str, list[str]] = {}
    for take in takes:
        if take.number == 1:
            variants.setdefault(take.shot, []).append(take.variant)
    known = {variant for found in variants.values() for variant in found}
    kept = [led for take in takes if (led := _led(take, variants, known, written, faults)) is not None]
    broken = _cycles(kept, faults)
    return tuple(take for take in kept if take.variant not in broken)


def _led(
    take: Take, variants: Mapping[str, list[str]], known: set[str], written: frozenset[str], faults: Faults
) -> Take | None:
    media = {}
    lawful = True
    for word, setting in take.media.items():
        uses = []
        for use in setting.uses:
            variant = _variant(use.link, take, variants, known, written, faults) if use.link else ""
            lawful &= variant is not None
            uses.append(replace(use, link=replace(use.link, variant=variant or "")) if use.link else use)
        media[word] = replace(setting, uses=tuple(uses))
    return replace(take, media=media) if lawful else None


def _variant(
    link: Link, take: Take, variants: Mapping[str, list[str]], known: set[str], written: frozenset[str], faults: Faults
) -> str | None:
    """The variant that a link names; None after reporting, or where its shot was faulty."""
    name = link.shot
    if name in known:
        return name
    of_shot = variants.get(name, [])
    if len(of_shot) == 1:
        return of_shot[0]
    shot, _, label = name.partition("@")
    if not of_shot and shot not in variants and shot.casefold() in written and shot != "":
        return None
    if of_shot:
        headline = f"shot `{name}` has {len(of_shot)} variants; a clip is of one of them"
        advice = f"name one: {', '.join(of_shot[:_LISTED])}{', ...' if len(of_shot) > _LISTED else ''}"
    else:
        headline = f"there is no shot `{name}`"
        variant, _, number = name.rpartition(".")
        meant = nearest(name, [*variants, *known])
        if number.isdigit() and (variant in known or variant in variants):
            advice = f"name the shot, `{variant}`: which of its takes is used is not said here"
        elif label and variants.get(shot):
            some = variants[shot]
            advice = f"its variants: {', '.join(some[:_LISTED])}{', ...' if len(some) > _LISTED else ''}"
        else:
            advice = f"did you mean `{meant}`?" if meant else "name a shot of this storyboard, or one of its variants"
    faults.extend([
        Diagnostic(
            code="unknown-shot",
            headline=headline,
            span=link.span,
            help=advice,
            group=f"unknown-shot {name} {link.span}",
            member=take.variant,
        )
    ])  # fmt: skip
    return None


def _cycles(takes: Sequence[Take], faults: Faults) -> set[str]:
    """Variants that are made from themselves, or from one that is; each circle is reported once."""
    links = {take.variant: links_of(take) for take in takes if take.number == 1}
    spans = {take.variant: take.span for take in takes}
    left = _left_over({name: {link.variant for link in found} for name, found in links.items()})
    told: set[str] = set()
    for name in links:
        circle = _circle(name, links, left) if name in left else ()
        if not circle or told & {link.variant for link in circle}:
            continue
        told |= {link.variant for link in circle}
        names = [circle[-1].variant, *(link.variant for link in circle)]
        shown = " <- ".join(f"`{one}`" for one in names)
        faults.add(
            "shot-cycle",
            f"`{names[0]}` is made from itself: {shown}",
            circle[0].span,
            label="its clip is taken from here",
            others=(Label(span=spans[names[0]], text="this shot"),),
            help="one of them must stand on its own: take its link out",
        )
    return left


def _left_over(parents: Mapping[str, set[str]]) -> set[str]:
    """Who is still waiting for a parent when all who can be made are made. A parent that is not among them was left out for a
    fault of its own, and keeps nobody waiting."""
    waiting = {name: len(found & parents.keys()) for name, found in parents.items()}
    children: dict[str, list[str]] = {}
    for name, found in parents.items():
        for parent in found & parents.keys():
            children.setdefault(parent, []).append(name)
    ready = [name for name, number in waiting.items() if not number]
    for name in ready:  # it grows
        for child in children.get(name, ()):
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    return {name for name, number in waiting.items() if number}


def _circle(name: str, links: Mapping[str, tuple[Link, ...]], left: set[str]) -> tuple[Link, ...]:
    """The links from a variant of the circle that `name` leads into, all the way round back to it."""
    path: list[Link] = []
    seen: dict[str, int] = {}
    while name not in seen:
        seen[name] = len(path)
        link = next(link for link in links[name] if link.variant in left)
        path.append(link)
        name = link.variant
    return tuple(path[seen[name] :])


def links_of(take: Take) -> tuple[Link, ...]:
    """The clips of other shots that a take is made from, in the order they are written."""
    return tuple(use.link for setting in take.media.values() for use in setting.uses if use.link is not None)
