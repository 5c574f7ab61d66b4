"""Clips that were picked stay the film's: a take whose pick names its clip stands at that clip, whatever its prompt says now. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.contract.model import SeedContract
from runner.core.lifecycle import ENDED, GIVEN_UP, UNTAKEN, State
from runner.core.media import Kind
from runner.core.money import ZERO
from runner.core.request import MediaPart, Request
from runner.language.picks import Pick, parts_of
from runner.planning.history import History, Purchase, standing
from runner.planning.plan import Act, Action
from runner.planning.reason import differences
from runner.planning.request import Built

Inputs = Mapping[str, object]
# Of these nothing was taken, or nothing is left: a take at one of them has no clip of its own.
_WITHOUT = UNTAKEN | GIVEN_UP | ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """A take that stands at the clip that was picked: `request` is what that clip was made of, `wanted` what the storyboard asks
    for now."""

    request: Request
    wanted: Request
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """What pipelines below leave to one that makes picked takes. `keeps`: where the model has no seed, their picked clips are its
    own; `settings` are properties that it overrides, and so may differ."""

    keeps: bool = False
    settings: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What the picks hold takes to, under a pipeline at a service. `made` are the purchases of this service and `elsewhere` the other
    services by the digests of their clips; `free` are pipelines that cost nothing as they are written, so that no lock tells of
    their clips; `paid` tells whether this service is. `below` is None for a pipeline that makes all takes."""

    picks: Mapping[str, Pick]
    pipeline: str
    history: History
    made: Mapping[str, tuple[Purchase, ...]]
    elsewhere: Mapping[str, str]
    free: frozenset[str]
    paid: bool
    below: Below | None
    retried: Callable[[str], bool]

    def pick(self, take: str) -> Pick | None:
        """The pick of this very take."""
        variant, number = parts_of(take)
        pick = self.picks.get(variant)
        return pick if pick is not None and pick.take == number else None

    def stands_at(self, request: Request) -> tuple[str, Purchase] | None:
        """The purchase whose clip the take's pick holds it to, and under which pipeline that was picked; what is made from such a
        take is made from that clip, whatever its own prompt says now. None where it is made as the storyboard says."""
        pick = self.pick(request.take)
        if pick is None:
            return None
        if own := self.of(pick.clips.get(self.pipeline, ""), request):
            return self.pipeline, own
        if not self._keeps(request):
            return None
        return next(((name, p) for name, clip in pick.clips.items() if (p := self.of(clip, request))), None)

    def of(self, clip: str, request: Request) -> Purchase | None:
        """The purchase at this service that made the clip: where several made the same bytes, that of the request itself, else of
        the take."""
        made = self.made.get(clip, ())
        own = [p for p in made if p.intent.take == request.take]
        return next((p for p in made if p.key == request.key), (*made, *own)[-1] if made else None)

    def _keeps(self, request: Request) -> bool:
        """Whether a clip of a pipeline below is kept: another would be made else, and none was made here yet."""
        if self.below is None or not self.below.keeps or request.seed_contract != SeedContract.ABSENT:
            return False
        own = standing(self.history.get(request.key, ()))
        if own is None or own.state in _WITHOUT - ENDED:
            return True
        return own.state in ENDED and own.result is None and not self.retried(request.take)

    def lost(self, request: Request) -> str:
        """Where the take's pick names a clip that would be kept, and nobody here knows of it: what there is to say; else empty."""
        pick = self.pick(request.take)
        clips = pick.clips if pick and self.paid else {}
        wanted = clips if self._keeps(request) else {n: c for n, c in clips.items() if n == self.pipeline}
        for name, clip in wanted.items():
            if clip not in self.made and clip not in self.elsewhere and name not in self.free:
                under = "" if name == self.pipeline else f" in {name}"
                return f"picked{under}, and nothing is known here of its clip {clip[:_DIGITS]}"
        return ""


_DIGITS = 12


def approved(
    picks: Mapping[str, Pick],
    history: History,
    *,
    pipeline: str,
    service: str,
    paid: bool,
    below: Below | None = None,
    free: frozenset[str] = frozenset(),
    retried: Callable[[str], bool] = lambda _: False,
) -> Approved:
    made: dict[str, tuple[Purchase, ...]] = {}
    elsewhere: dict[str, str] = {}
    for purchases in history.values():
        for purchase in purchases:
            at = purchase.intent.service
            for clip in purchase.digests:
                if at == service:
                    made[clip] = (*made.get(clip, ()), purchase)
                else:
                    elsewhere[clip] = at
    return Approved(
        picks=picks,
        pipeline=pipeline,
        history=history,
        made=made,
        elsewhere=elsewhere,
        free=free,
        paid=paid,
        below=below,
        retried=retried,
    )


def protected(
    built: Sequence[Built], known: Approved, *, inputs: Callable[[str], Inputs | None]
) -> tuple[dict[str, Protected], dict[str, Purchase]]:
    """By take those that a pick holds to another clip than their request now asks for, and the purchases of all that a pick
    holds to a clip. `inputs` gives what a key was made of."""
    held, kept = {}, {}
    for one in built:
        found = None if one.request is None or one.take.skip else known.stands_at(one.request)
        if one.request is None or found is None:
            continue
        pipeline, purchase = found
        kept[one.take.id] = purchase
        if purchase.key != one.request.key:
            below = known.below if pipeline != known.pipeline else None
            made_of = inputs(purchase.key)
            differing = differing_from(one, one.request, made_of, below.settings if below else frozenset())
            reason = f"picked, {differing}"
            if below:
                other = f"{one.request.model} has no seed, {known.pipeline} would be another clip"
                # It is another pipeline's, so that much differs by its settings: only what the storyboard says is told.
                reason = f"picked in {pipeline}{f', {differing}' if made_of and differing else ''}; {other}"
            held[one.take.id] = _protected(one.request, purchase, made_of, reason)
    return held, kept


def differing_from(one: Built, wanted: Request, made_of: Inputs | None, settings: frozenset[str] = frozenset()) -> str:
    """`prompt, quality differ film.yaml:9 film.yaml:5`: what of the storyboard a clip was not made from; `settings` are passed over."""
    if not made_of:
        return "its request differs"
    names = [change.name for change in differences(made_of, wanted.inputs) if change.name not in settings]
    places = dict.fromkeys(f"{s.source.name}:{s.line}" for name in names if (s := one.places.get(name)))
    return " ".join([f"{', '.join(names)} differ{'s' if len(names) == 1 else ''}", *places]) if names else ""


def _protected(wanted: Request, purchase: Purchase, made_of: Inputs | None, reason: str) -> Protected:
    old = made_of or {}
    written = old.get("body")
    body: Mapping[str, object] = written if isinstance(written, Mapping) else {}  # of another machine: not known here
    clip = purchase.result or {}
    seed = body.get("seed")
    width, height, seconds = (clip.get(name) for name in ("width_px", "height_px", "duration_s"))
    request = replace(
        wanted,
        key=purchase.key,
        inputs=old,
        model=purchase.intent.model,
        body=body,
        media=tuple(_media(body, wanted)),
        seed=seed if isinstance(seed, int) else wanted.seed,
        reserve=purchase.intent.reserved,
        unit=purchase.intent.unit,
        width_px=width if isinstance(width, int) else wanted.width_px,
        height_px=height if isinstance(height, int) else wanted.height_px,
        seconds=round(seconds) if isinstance(seconds, int | float) else wanted.seconds,
    )
    return Protected(request=request, wanted=wanted, reason=reason)


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


def amended(action: Action, held: Mapping[str, Protected], known: Approved, *, missing: bool) -> Action:
    """The action of a take that may be held to a picked clip: nothing is ever bought in that one's place. `missing`: what was made
    once and is not here is bought again."""
    if one := held.get(action.take.id):
        return _kept(action, one)
    if other := unlike(action, known):
        return replace(action, reason=f"{action.reason}; {other}")
    if action.act is not Act.BUY or action.request is None or (action.purchase and action.purchase.missing):
        return action
    if why := known.lost(action.request):
        if missing:
            return replace(action, reason=f"{why}: made anew by --buy-missing")
        advice = "pull the lock in git that does, or `unpack` it; `retake` or `--buy-missing` makes it anew"
        return replace(action, act=Act.MISSING, reason=f"{why}: {advice}")
    return action


def unlike(action: Action, known: Approved) -> str:
    """What there is to say where a take's clip is another than the one it was picked at under this pipeline; else empty. Nothing is
    bought for it: the request is the same."""
    pick, made = known.pick(action.take.id), action.purchase
    clip = pick.clips.get(known.pipeline, "") if pick else ""
    if not clip or made is None or made.result is None or action.act not in (Act.REUSE, Act.KEEP, Act.RESUME):
        return ""
    of_here = known.paid or known.pipeline in known.free  # a rehearsal of what is paid else has none of its clips
    if clip in made.digests or clip in known.elsewhere or not of_here:
        return ""
    return f"picked at clip {clip[:_DIGITS]}, and this is another one: look at it, and `pick` it again if it is right"


def _kept(action: Action, held: Protected) -> Action:
    if action.act is Act.REUSE and action.purchase is not None and action.purchase.state is State.DONE:
        return replace(action, act=Act.KEEP, reason=f"{held.reason}; `retake` makes it anew")
    if action.spends or action.act is Act.MISSING:
        task = action.purchase.task_id if action.purchase and action.sought else None
        way = f"a run asks task {task} for it, for nothing; else" if task else "put it into out/, or"
        reason = f"{held.reason}, and the picked clip is not here: {way} `retake` makes it anew"
        return replace(action, act=Act.MISSING, reason=reason, price=ZERO)
    if action.act is Act.RESUME:
        return replace(action, reason=f"{held.reason}; {action.reason}")
    return action
