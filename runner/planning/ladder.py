"""Pipelines that make picked takes alone: which takes those are, and for which somebody has still to choose. Pure."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from runner.contract.model import SeedContract
from runner.core.request import Request
from runner.language.picks import Picks
from runner.language.take import Take
from runner.planning.history import Purchase
from runner.planning.picked import Approved, Inputs, differing_from
from runner.planning.plan import Act, Action
from runner.planning.request import Built


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """By take: why this pipeline does not make it (`left_out`), and why nothing is bought for it until somebody chooses
    (`undecided`)."""

    left_out: Mapping[str, str] = field(default_factory=dict)
    undecided: Mapping[str, str] = field(default_factory=dict)


def choice(takes: Sequence[Take], picks: Picks, *, storyboard: str) -> Choice:
    """Of every variant the picked take is made; where none is picked the first, and of several only once that was chosen.
    `storyboard` is its file as one would type it."""
    variants: dict[str, list[Take]] = {}
    for take in takes:
        variants.setdefault(take.variant, []).append(take)
    left_out: dict[str, str] = {}
    undecided: dict[str, str] = {}
    for variant, some in variants.items():
        first, names = min(some, key=lambda take: take.number), {take.id for take in some}
        pick = picks.shots.get(variant)
        picked = f"{variant}.{pick.take}" if pick else ""
        if picked in names:
            left_out |= dict.fromkeys(names - {picked}, f"not picked: {picked} is")
            continue
        left_out |= dict.fromkeys(names - {first.id}, f"none of `{variant}` is picked")
        rejected = picks.rejected.get(first.id)
        fit = next((take for take in some if take.id not in picks.rejected), first)
        choose = f"`pick {shlex.quote(storyboard)} {fit.id}` chooses"
        if pick:
            undecided[first.id] = (
                f"{picked} is picked, and there is no such take; {choose} another, `--unpicked` makes the first"
            )
        elif len(some) > 1:
            many = f"`{variant}` has {len(some)} takes and none is picked"
            undecided[first.id] = f"{many}; {choose} it, `--unpicked` makes the first"
        elif rejected:
            note = f": {rejected.note}" if rejected.note else ""
            undecided[first.id] = f"it was rejected{note}; {choose} it all the same"
    return Choice(left_out=left_out, undecided=undecided)


def noted(
    action: Action, one: Built, known: Approved, *, before: bool, inputs: Callable[[str], Inputs | None]
) -> Action:
    """What is bought, with what that has to do with the clip that was picked below. `before`: some clip was made of the take at this
    service."""
    if action.act is not Act.BUY or action.request is None:
        return action
    told = _told(action.request, one, known, before, inputs)
    return replace(action, reason=f"{action.reason}; {told}") if told else action


def _told(request: Request, one: Built, known: Approved, before: bool, inputs: Callable[[str], Inputs | None]) -> str:
    pick = known.pick(request.take)
    clips = {name: clip for name, clip in (pick.clips if pick else {}).items() if name != known.pipeline}
    rung = next(((name, p) for name, clip in clips.items() if (p := known.of(clip, request))), None)
    if request.seed_contract != SeedContract.ABSENT:
        return _same(*rung, request, one, known, inputs) if rung else ""
    no_seed = f"{request.model} has no seed"
    if rung:
        return f"picked in {rung[0]}, and {no_seed}: another clip than that one"
    if other := next(((n, known.elsewhere[clip]) for n, clip in clips.items() if clip in known.elsewhere), None):
        return f"picked in {other[0]}, whose clip is of {other[1]} and never kept here"
    if not before:
        return ""
    keeps = known.below is not None and known.below.keeps
    return f"{no_seed}: another clip than before{', unless that one is picked in its pipeline' if keeps else ''}"


def _same(
    pipeline: str,
    purchase: Purchase,
    request: Request,
    one: Built,
    known: Approved,
    inputs: Callable[[str], Inputs | None],
) -> str:
    """Of a model with a seed: how far the clip follows the picked one."""
    made_of = inputs(purchase.key)
    if not made_of:
        return f"picked in {pipeline}"
    differing = differing_from(one, request, made_of, known.below.settings if known.below else frozenset())
    if differing:
        return f"picked in {pipeline}, but {differing}"
    effort = "" if request.seed_contract == SeedContract.HONOURED else f", {request.seed_contract}"
    return f"picked in {pipeline}, made with the same seed ({request.seed}{effort})"
