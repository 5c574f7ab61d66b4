"""From a take to its request: the exact body its model will see, every value with the place it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from runner.contract import check, limits, price
from runner.contract.model import Model, SeedContract
from runner.core.diagnostics import Diagnostic, Severity, Span
from runner.core.media import Kind, MediaFacts, Pointer
from runner.core.request import MediaPart, Request, key_inputs, normal, request_key
from runner.language.chain import links_of
from runner.language.take import Layer, MediaUse, Setting, Take
from runner.planning.cast import uncalled
from runner.planning.draft import Draft
from runner.planning.faults import (
    EVERY_MODEL,
    Overrides,
    located,
    meant_model,
    media_fault,
    upload_faults,
    used_in,
)
from runner.planning.parent import Parent
from runner.planning.parent import faults as parent_faults
from runner.planning.parent import part as parent_part
from runner.planning.service import Service

Found = Mapping[str, MediaFacts | Pointer | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every take of a plan shares. `facts` is by path from the root: what a probe found, what a pointer in the file's place
    says, or why the file cannot be used. `picks` is the number of the take that was picked of a variant."""

    models: Mapping[str, Model]
    overrides: Overrides
    facts: Found
    service: Service
    today: date
    picks: Mapping[str, int] = field(default_factory=dict)

    def chosen(self, variant: str) -> str:
        """The take of a variant that others are made from: the picked one, else the first, never another."""
        return f"{variant}.{self.picks.get(variant, 1)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A take's request, None when it has errors; `dropped` are defaults the model lacks, `overridden` the pipeline's changes,
    `places` where each property of the body was written, none for what the schema gave."""

    take: Take
    request: Request | None
    diagnostics: tuple[Diagnostic, ...]
    dropped: tuple[tuple[str, str], ...] = ()  # (property, model)
    overridden: tuple[tuple[str, object, object], ...] = ()  # (property, before, after)
    places: Mapping[str, Span] = field(default_factory=dict)


def build(take: Take, context: Context, parents: Mapping[str, Parent] = MappingProxyType({})) -> Built:
    """The request of one take, or every fault that keeps it from being one. `parents` are the clips that takes are made from, by
    take id; a take whose parent is not among them has no request, and nothing is said of it that its parent's faults do not."""
    name = str(take.model.value)
    model = context.models.get(name)
    if model is None:
        unknown = Diagnostic(
            code="unknown-model",
            headline=f"there is no model `{name}`",
            span=take.model.span,
            others=used_in(take, take.model),
            help=meant_model(name, context.models),
            group=f"unknown-model {name} {take.model.span}",
            member=take.id,
        )
        return Built(take=take, request=None, diagnostics=(unknown,))
    links = links_of(take)
    if any(context.chosen(link.variant) not in parents for link in links):
        return Built(take=take, request=None, diagnostics=())
    draft = Draft()
    _put_values(draft, take, model)
    _put_media(draft, take, model, context, parents)
    _put_overrides(draft, model, context.overrides)
    seed = _put_seed(draft, take, model)
    draft.body = {"model": model.name, **model.defaults, **draft.body}
    draft.body["model"] = model.name
    draft.body = {key: normal(value) for key, value in draft.body.items()}
    for fault in check.faults(model, draft.with_urls()):
        draft.faults.append(located(fault, draft, take, model))
    request = None
    if not draft.faults:
        advice = [located(remark, draft, take, model) for remark in check.advice(model, draft.with_urls())]
        draft.remarks.extend(replace(remark, severity=Severity.WARNING) for remark in advice)
        draft.remarks.extend(uncalled(take, model))
        request = _request(draft, take, model, context, seed)
    return Built(
        take=take,
        request=request,
        diagnostics=(*draft.faults, *draft.remarks),
        dropped=tuple(draft.dropped),
        overridden=tuple(draft.overridden),
        places={str(path[0]): setting.span for path, setting in draft.places.items() if len(path) == 1},
    )


def _put_values(draft: Draft, take: Take, model: Model) -> None:
    for name, setting in (*take.texts.items(), *take.params.items()):
        if name in take.params and name in model.by_property:
            word = model.by_property[name].word
            draft.faults.append(
                Diagnostic(
                    code="own-word",
                    headline=f"`params` may not hold `{name}`: the storyboard says it as `{word}`",
                    span=setting.span,
                    help=f"write `{word}:` beside `prompt:`",
                    group=f"own-word {name} {setting.span}",
                    member=take.id,
                )
            )
        elif name not in model.properties and setting.layer is Layer.DEFAULT:
            draft.dropped.append((name, model.name))
        else:
            value = setting.value
            if name in take.texts and isinstance(value, str):
                value = value.replace("\r\n", "\n").replace("\r", "\n").strip()
            draft.body[name] = value
            draft.places[(name,)] = setting


def _put_media(draft: Draft, take: Take, model: Model, context: Context, parents: Mapping[str, Parent]) -> None:
    for word, setting in take.media.items():
        rule = model.media.get(word)
        setting_place = Setting(value=None, span=setting.span, layer=setting.layer)
        if rule is None:
            if setting.layer is Layer.DEFAULT:
                draft.dropped.append((word, model.name))
                continue
            takes = ", ".join(f"`{w}`" for w in model.media) or "no reference media"
            draft.faults.append(
                Diagnostic(
                    code="unknown-parameter",
                    headline=f"model `{model.name}` takes no `{word}`",
                    span=setting.span,
                    notes=(f"it takes {takes}",),
                    help=f"leave `{word}` out, or choose another model: `shotrunner models` lists them",
                    group=f"no {word} {model.name} {setting.span}",
                    member=take.id,
                )
            )
            continue
        draft.places[(rule.property,)] = setting_place
        identities = []
        for index, use in enumerate(setting.uses):
            place = index if rule.is_list else None
            if use.link is not None:
                found = parents[context.chosen(use.link.variant)]
                part = parent_part(use, use.link, found, rule, place)
                draft.faults.extend(parent_faults(use, use.link, found, rule, take))
            else:
                part = _part(draft, use, rule.property, place, context.facts, take)
            draft.parts.append(part)
            draft.uses.append(use)
            draft.places[(rule.property, index)] = Setting(value=None, span=use.span, layer=setting.layer)
            identities.append(part.identity)
            if part.facts is not None and part.cutting is None:
                draft.faults.extend(
                    media_fault("media-limit", text, use, take, model)
                    for text in limits.faults(rule, part.facts, use.path or "")
                )
                draft.faults.extend(upload_faults(part.facts, use, take, context.service.provider))
        draft.body[rule.property] = identities if rule.is_list else identities[0]


def _part(draft: Draft, use: MediaUse, parameter: str, index: int | None, facts: Found, take: Take) -> MediaPart:
    found = facts.get(use.path) if use.path else None
    if isinstance(found, str) or (use.path and found is None):
        reason = found or "was not probed"
        code = "missing-file" if reason == "does not exist" else "unreadable-media"
        draft.faults.append(media_fault(code, f"`{use.path}` {reason}", use, take))
    content = found.sha256 if isinstance(found, MediaFacts | Pointer) else None
    if content and use.sha256 and content != use.sha256:
        text = f"`{use.path}` has other bytes than its reference says (sha256 {content[:12]}, pinned {use.sha256[:12]})"
        draft.faults.append(media_fault("pinned-differs", text, use, take))
    if isinstance(found, Pointer):
        draft.remarks.append(_pointer_remark(use, take))
    return MediaPart(
        parameter=parameter,
        index=index,
        kind=use.kind,
        path=use.path,
        url=use.url,
        sha256=content or use.sha256,
        facts=found.facts if isinstance(found, Pointer) else found if isinstance(found, MediaFacts) else None,
        here=not isinstance(found, Pointer),
    )


def _pointer_remark(use: MediaUse, take: Take) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="lfs-pointer",
        headline=f"`{use.path}` is a Git LFS pointer: the file itself is not here",
        span=use.span,
        notes=("its digest is in the pointer, so keys are what they will be; its limits cannot be judged",),
        help="`git lfs pull` brings the file",
        group=f"lfs-pointer {use.path} {use.span}",
        member=take.id,
    )


def _put_overrides(draft: Draft, model: Model, overrides: Overrides) -> None:
    chosen = _lawful(draft, model, overrides.get(EVERY_MODEL, {}))
    chosen.update(overrides.get(model.name, {}))
    for name, setting in chosen.items():
        before = draft.body.get(name, model.defaults.get(name))
        if before != setting.value:
            draft.overridden.append((name, before, setting.value))
        draft.body[name] = setting.value
        draft.places[(name,)] = setting


def _lawful(draft: Draft, model: Model, wished: Mapping[str, Setting]) -> dict[str, Setting]:
    """Of settings for every model those that this one has and that bring no fault which was not there before: together, so
    that one may make room for another."""
    chosen: dict[str, Setting] = {}
    waiting = {name: setting for name, setting in wished.items() if name in model.properties}
    if not waiting:
        return chosen
    body = {"model": model.name, **model.defaults, **draft.with_urls()}
    if check.is_valid(model, {**body, **{name: setting.value for name, setting in waiting.items()}}):
        return waiting
    before = {f.headline for f in check.faults(model, body)}
    while True:
        values = {name: setting.value for name, setting in (chosen | waiting).items()}
        found = {f.headline for f in check.faults(model, {**body, **values})}
        if found <= before:
            return chosen | waiting
        for name, setting in waiting.items():
            values = {n: s.value for n, s in chosen.items()} | {name: setting.value}
            if {f.headline for f in check.faults(model, {**body, **values})} <= before:
                chosen[name] = waiting.pop(name)
                break
        else:
            return chosen


def _put_seed(draft: Draft, take: Take, model: Model) -> int:
    """The take's seed: the written one plus its number less one, wrapped into the model's range."""
    seed = model.seed
    if seed.contract is SeedContract.ABSENT:
        if take.seed_on_shot:
            draft.faults.append(
                Diagnostic(
                    code="seed-absent",
                    headline=f"model `{model.name}` takes no seed",
                    span=take.seed_span,
                    others=used_in(take, take.model),
                    help="leave `seed` out of the shot; takes of this model are recorded, not reproducible",
                    group=f"seed-absent {take.shot}",
                    member=take.id,
                )
            )
        return take.seed + take.number - 1
    if not seed.first <= take.seed <= seed.last:
        nearest = min(max(take.seed, seed.first), seed.last)
        draft.faults.append(
            Diagnostic(
                code="seed-range",
                headline=f"seed {take.seed} is outside what `{model.name}` takes: {seed.first} to {seed.last}",
                span=take.seed_span,
                help=f"the nearest lawful seed is {nearest}",
                group=f"seed-range {take.seed_span} {model.name}",
                member=take.id,
            )
        )
        return take.seed
    moved = seed.first + (take.seed - seed.first + take.number - 1) % (seed.last - seed.first + 1)
    draft.body["seed"] = moved
    return moved


def _request(draft: Draft, take: Take, model: Model, context: Context, seed: int) -> Request:
    body = draft.body
    bought = model.bought(body)
    attempt = take.id if take.distinct else take.number if model.seed.contract is SeedContract.ABSENT else None
    service = context.service
    inputs = key_inputs(service=service.name, model=model.name, body=bought, take=attempt)
    image = next((p.facts for p in draft.parts if p.kind is Kind.IMAGE), None)
    width, height = model.size(body, image)
    reserve, unit = _price(model, draft, service, context.today)
    offer = model.providers.get(_codec(service))
    return Request(
        take=take.id,
        label=take.variant,
        path=offer.path if offer else "/v1/videos/generations",
        key=request_key(inputs),
        inputs=inputs,
        service=service.name,
        model=model.name,
        body=body,
        media=tuple(draft.parts),
        seed=seed,
        seed_contract=model.seed.contract.value,
        reserve=reserve,
        unit=unit,
        seconds=int(body["duration"]) if isinstance(body.get("duration"), int | float) else 0,  # type: ignore[call-overload]
        width_px=width,
        height_px=height,
        sound=model.sounds(body),
    )


def _codec(service: Service) -> str:
    """Whose prices and paths a service goes by; the animatic speaks evolink's."""
    return "evolink" if service.provider.name == "animatic" else service.provider.name


def _price(model: Model, draft: Draft, service: Service, today: date) -> tuple[Decimal | None, str]:
    if service.provider.free:
        return Decimal(0), "credit"
    # A clip that has still to be made counts as much as any may: it may turn out a little longer than was asked for.
    known = [p.facts if not p.cutting or p.cutting.sha256 else None for p in draft.parts if p.kind is Kind.VIDEO]
    seconds: list[Fraction | None] = [facts.seconds if facts else None for facts in known]
    found = price.estimate(model, service.provider.name, draft.body, seconds, today)
    return (found.amount, found.unit) if found else (None, "credit")
