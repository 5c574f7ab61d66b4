"""From a take to its request: the exact body its model will see, every value with the place it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from runner.contract import check, limits, price
from runner.contract.fault import Fault
from runner.contract.fault import Path as BodyPath
from runner.contract.model import Model, SeedContract
from runner.core.diagnostics import Diagnostic, Label, Severity, Span
from runner.core.media import Kind, MediaFacts, Pointer
from runner.core.request import MediaPart, Request, key_inputs, normal, request_key
from runner.core.spelling import nearest
from runner.language.take import Layer, MediaUse, Setting, Take
from runner.planning.service import Service

Overrides = Mapping[str, Mapping[str, Setting]]
Found = Mapping[str, MediaFacts | Pointer | str]
EVERY_MODEL = "*"
# What a storyboard says with words of its own and `override` may not touch: it would be another story.
OWN_WORDS = frozenset({"model", "prompt", "negative_prompt", "seed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every take of a plan shares. `facts` is by path from the root: what a probe found, what a pointer in the file's place
    says, or why the file cannot be used."""

    models: Mapping[str, Model]
    overrides: Overrides
    facts: Found
    service: Service
    today: date


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


@dataclass(slots=True)
class _Draft:
    """A body in the making."""

    body: dict[str, object] = field(default_factory=dict)
    places: dict[BodyPath, Setting] = field(default_factory=dict)
    parts: list[MediaPart] = field(default_factory=list)
    uses: list[MediaUse] = field(default_factory=list)
    dropped: list[tuple[str, str]] = field(default_factory=list)
    overridden: list[tuple[str, object, object]] = field(default_factory=list)
    faults: list[Diagnostic] = field(default_factory=list)
    remarks: list[Diagnostic] = field(default_factory=list)


def build(take: Take, context: Context) -> Built:
    """The request of one take, or every fault that keeps it from being one."""
    name = str(take.model.value)
    model = context.models.get(name)
    if model is None:
        unknown = Diagnostic(
            code="unknown-model",
            headline=f"there is no model `{name}`",
            span=take.model.span,
            others=_used_in(take, take.model),
            help=_meant(name, context.models),
            group=f"unknown-model {name} {take.model.span}",
            member=take.id,
        )
        return Built(take=take, request=None, diagnostics=(unknown,))
    draft = _Draft()
    _put_values(draft, take, model)
    _put_media(draft, take, model, context.facts)
    _put_overrides(draft, model, context.overrides)
    seed = _put_seed(draft, take, model)
    draft.body = {"model": model.name, **model.defaults, **draft.body}
    draft.body["model"] = model.name
    draft.body = {key: normal(value) for key, value in draft.body.items()}
    for fault in check.faults(model, _with_urls(draft)):
        draft.faults.append(_located(fault, draft, take, model))
    request = None
    if not draft.faults:
        advice = [_located(remark, draft, take, model) for remark in check.advice(model, _with_urls(draft))]
        draft.remarks.extend(replace(remark, severity=Severity.WARNING) for remark in advice)
        request = _request(draft, take, model, context, seed)
    return Built(
        take=take,
        request=request,
        diagnostics=(*draft.faults, *draft.remarks),
        dropped=tuple(draft.dropped),
        overridden=tuple(draft.overridden),
        places={str(path[0]): setting.span for path, setting in draft.places.items() if len(path) == 1},
    )


def _put_values(draft: _Draft, take: Take, model: Model) -> None:
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


def _put_media(draft: _Draft, take: Take, model: Model, facts: Found) -> None:
    for word, setting in take.media.items():
        rule = model.media.get(word)
        place = Setting(value=None, span=setting.span, layer=setting.layer)
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
        draft.places[(rule.property,)] = place
        identities = []
        for index, use in enumerate(setting.uses):
            part = _part(draft, use, rule.property, index if rule.is_list else None, facts, take)
            draft.parts.append(part)
            draft.uses.append(use)
            draft.places[(rule.property, index)] = Setting(value=None, span=use.span, layer=setting.layer)
            identities.append(part.identity)
            if part.facts is not None:
                draft.faults.extend(
                    _media_fault("media-limit", text, use, take, model)
                    for text in limits.faults(rule, part.facts, use.path or "")
                )
        draft.body[rule.property] = identities if rule.is_list else identities[0]


def _part(draft: _Draft, use: MediaUse, parameter: str, index: int | None, facts: Found, take: Take) -> MediaPart:
    found = facts.get(use.path) if use.path else None
    if isinstance(found, str) or (use.path and found is None):
        reason = found or "was not probed"
        code = "missing-file" if reason == "does not exist" else "unreadable-media"
        draft.faults.append(_media_fault(code, f"`{use.path}` {reason}", use, take))
    content = found.sha256 if isinstance(found, MediaFacts | Pointer) else None
    if content and use.sha256 and content != use.sha256:
        text = f"`{use.path}` has other bytes than its reference says (sha256 {content[:12]}, pinned {use.sha256[:12]})"
        draft.faults.append(_media_fault("pinned-differs", text, use, take))
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


def _put_overrides(draft: _Draft, model: Model, overrides: Overrides) -> None:
    chosen = _lawful(draft, model, overrides.get(EVERY_MODEL, {}))
    chosen.update(overrides.get(model.name, {}))
    for name, setting in chosen.items():
        before = draft.body.get(name, model.defaults.get(name))
        if before != setting.value:
            draft.overridden.append((name, before, setting.value))
        draft.body[name] = setting.value
        draft.places[(name,)] = setting


def _lawful(draft: _Draft, model: Model, wished: Mapping[str, Setting]) -> dict[str, Setting]:
    """Of settings for every model those that this one has and that bring no fault which was not there before: together, so
    that one may make room for another."""
    body = {"model": model.name, **model.defaults, **_with_urls(draft)}
    before = {f.headline for f in check.faults(model, body)}
    chosen: dict[str, Setting] = {}
    waiting = {name: setting for name, setting in wished.items() if name in model.properties}
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


def _put_seed(draft: _Draft, take: Take, model: Model) -> int:
    """The take's seed: the written one plus its number less one, wrapped into the model's range."""
    seed = model.seed
    if seed.contract is SeedContract.ABSENT:
        if take.seed_on_shot:
            draft.faults.append(
                Diagnostic(
                    code="seed-absent",
                    headline=f"model `{model.name}` takes no seed",
                    span=take.seed_span,
                    others=_used_in(take, take.model),
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


def _with_urls(draft: _Draft) -> dict[str, object]:
    """The body as the schema judges it: an address of the right form in place of each identity."""
    body = dict(draft.body)
    for part in draft.parts:
        url = part.url or "https://upload.invalid/" + (part.sha256 or "0")
        if part.index is None:
            body[part.parameter] = url
        else:
            listed = body[part.parameter]
            assert isinstance(listed, list)
            body[part.parameter] = [url if i == part.index else v for i, v in enumerate(listed)]
    return body


def _request(draft: _Draft, take: Take, model: Model, context: Context, seed: int) -> Request:
    body = draft.body
    bought = {
        name: value
        for name, value in body.items()
        if name not in model.transport and not (name in model.key_defaults and model.key_defaults[name] == value)
    }
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


def _price(model: Model, draft: _Draft, service: Service, today: date) -> tuple[Decimal | None, str]:
    if service.provider.free:
        return Decimal(0), "credit"
    seconds: list[Fraction | None] = [p.facts.seconds if p.facts else None for p in draft.parts if p.kind is Kind.VIDEO]
    found = price.estimate(model, service.provider.name, draft.body, seconds, today)
    return (found.amount, found.unit) if found else (None, "credit")


def _located(fault: Fault, draft: _Draft, take: Take, model: Model) -> Diagnostic:
    """The fault at the place its value came from; a default's or the model's own place is told with it."""
    setting = _place(fault.path, draft)
    others = [
        Label(span=found.span, text=_origin(found.layer))
        for path in fault.others
        if (found := _place(path, draft)) is not None and (setting is None or found.span != setting.span)
    ]
    label = ""
    if setting is not None and setting.layer is Layer.DEFAULT:
        label = "this default"
        others.append(Label(span=take.model.span, text=f"used with this model in shot `{take.shot}`"))
    elif setting is not None and setting.layer is Layer.OVERRIDE:
        label = "the pipeline's override"
    span = setting.span if setting else take.span
    return Diagnostic(
        code=fault.code,
        headline=fault.headline,
        span=span,
        label=label,
        others=tuple(others),
        notes=fault.notes,
        help=_help(fault, setting, take),
        group=f"{fault.code} {fault.headline} {span}",
        member=take.id,
    )


def _help(fault: Fault, setting: Setting | None, take: Take) -> str:
    if setting is not None and setting.layer is Layer.DEFAULT and fault.nearest is not None and len(fault.path) == 1:
        return f"set `params: {{{fault.path[0]}: {fault.nearest}}}` in shot `{take.shot}`, or change the default"
    return fault.help


def _place(path: BodyPath, draft: _Draft) -> Setting | None:
    """The setting of the innermost written value around `path`."""
    return next((draft.places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in draft.places), None)


def _origin(layer: Layer) -> str:
    return {Layer.DEFAULT: "this default", Layer.OVERRIDE: "the pipeline's override"}.get(layer, "and this")


def _used_in(take: Take, setting: Setting) -> tuple[Label, ...]:
    return (Label(span=take.span, text=f"in shot `{take.shot}`"),) if setting.layer is Layer.DEFAULT else ()


def _media_fault(code: str, headline: str, use: MediaUse, take: Take, model: Model | None = None) -> Diagnostic:
    notes = (f"used by model `{model.name}`",) if model else ()
    return Diagnostic(
        code=code, headline=headline, span=use.span, notes=notes, group=f"{code} {headline} {use.span}", member=take.id
    )


def _meant(name: str, models: Mapping[str, Model]) -> str:
    meant = nearest(name, models)
    return f"did you mean `{meant}`?" if meant else f"models here: {', '.join(sorted(models))}"


def override_faults(models: Mapping[str, Model], overrides: Overrides) -> tuple[Diagnostic, ...]:
    """Faults of the pipeline's `override` that no take is needed to see."""
    faults = []
    for name, settings in overrides.items():
        for parameter, setting in settings.items():
            if name != EVERY_MODEL and name not in models:
                faults.append(
                    Diagnostic(
                        code="unknown-model",
                        headline=f"there is no model `{name}` to override",
                        span=setting.span,
                        help=_meant(name, models),
                        group=f"override {name}",
                        member=parameter,
                    )
                )
            elif parameter in OWN_WORDS or any(parameter in m.by_property for m in models.values()):
                faults.append(
                    Diagnostic(
                        code="own-word",
                        headline=f"`override` may not change `{parameter}`: that is the storyboard's to say",
                        span=setting.span,
                    )
                )
    return tuple(faults)
