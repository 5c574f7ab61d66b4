"""Clips that were picked stay the film's: a take whose pick names its clip stands at that clip, whatever its prompt says now. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.core.lifecycle import State
from runner.core.media import Kind
from runner.core.money import ZERO
from runner.core.request import MediaPart, Request
from runner.language.picks import Pick
from runner.planning.history import History, Purchase
from runner.planning.plan import Act, Action, Plan
from runner.planning.reason import differences
from runner.planning.request import Built

Inputs = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """A take that stands at the clip that was picked: `request` is what that clip was made of, `wanted` what the storyboard asks
    for now."""

    request: Request
    wanted: Request
    reason: str


def clips(picks: Mapping[str, Pick], history: History, *, pipeline: str, service: str) -> dict[str, Purchase]:
    """By take the purchases whose clips were picked under this pipeline: what is made from such a take is made from that clip,
    whatever its own prompt says now."""
    by_clip = _by_clip(history, service)
    found = {
        f"{variant}.{pick.take}": by_clip.get(pick.clip) for variant, pick in picks.items() if pick.pipeline == pipeline
    }
    return {take: purchase for take, purchase in found.items() if purchase is not None}


def _by_clip(history: History, service: str) -> dict[str, Purchase]:
    return {
        str(p.result["sha256"]): p
        for made in history.values()
        for p in made
        if p.result is not None and p.intent.service == service
    }


def protected(
    built: Sequence[Built],
    picks: Mapping[str, Pick],
    history: History,
    *,
    pipeline: str,
    service: str,
    inputs: Callable[[str], Inputs | None],
) -> dict[str, Protected]:
    """By take those that a pick made under this pipeline holds to another clip than their request now asks for. `inputs` gives
    what a key was made of."""
    by_clip = _by_clip(history, service)
    found = {}
    for one in built:
        pick = picks.get(one.take.variant)
        if one.request is None or one.take.skip or pick is None or pick.take != one.take.number:
            continue
        purchase = by_clip.get(pick.clip) if pick.pipeline == pipeline else None
        if purchase is not None and purchase.key != one.request.key:
            found[one.take.id] = _protected(one, one.request, purchase, inputs(purchase.key))
    return found


def _protected(one: Built, wanted: Request, purchase: Purchase, made_of: Inputs | None) -> Protected:
    old = made_of or {}
    written = old.get("body")
    body: Mapping[str, object] = written if isinstance(written, Mapping) else {"model": purchase.intent.model}
    names = [change.name for change in differences(old, wanted.inputs)] if made_of else []
    places = dict.fromkeys(f"{s.source.name}:{s.line}" for name in names if (s := one.places.get(name)))
    told = f"{', '.join(names)} differ{'s' if len(names) == 1 else ''}" if names else "its request differs"
    request = replace(
        wanted, key=purchase.key, inputs=old, model=purchase.intent.model, body=body, media=tuple(_media(body, wanted))
    )
    return Protected(request=request, wanted=wanted, reason=" ".join(["picked,", told, *places]))


def _media(body: Mapping[str, object], wanted: Request) -> list[MediaPart]:
    """The media the clip was made from, by their identities; with their files where the storyboard still names them."""
    known = {part.identity: part for part in wanted.media}
    found = []
    for name, value in body.items():
        listed = isinstance(value, list)
        for number, identity in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(identity, str) or name == "prompt" or not identity.startswith(("sha256:", "url:")):
                continue
            kind, _, told = identity.partition(":")
            part = known.get(identity) or MediaPart(
                parameter=name,
                index=None,
                kind=_kind(name),
                sha256=told if kind == "sha256" else None,
                url=told if kind == "url" else None,
                here=False,
            )
            found.append(replace(part, parameter=name, index=number if listed else None))
    return found


def _kind(parameter: str) -> Kind:
    return next((kind for kind in Kind if kind.value in parameter), Kind.IMAGE)


def kept(plan: Plan, held: Mapping[str, Protected]) -> Plan:
    """The plan, with the reasons of takes that are held to a picked clip; none of these is ever bought."""
    return Plan(actions=tuple(_kept(a, held[a.take.id]) if a.take.id in held else a for a in plan.actions))


def _kept(action: Action, held: Protected) -> Action:
    if action.act is Act.REUSE and action.purchase is not None and action.purchase.state is State.DONE:
        return replace(action, act=Act.KEEP, reason=f"{held.reason}; `retake` makes it anew")
    if action.spends or action.act is Act.MISSING:
        reason = f"{held.reason}, and the picked clip is not here; `retake` makes it anew"
        return replace(action, act=Act.MISSING, reason=reason, price=ZERO)
    return action
