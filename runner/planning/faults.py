"""Faults of a request told at the places its values came from, as diagnostics."""

from collections.abc import Iterator, Mapping

from runner.contract.fault import Fault
from runner.contract.fault import Path as BodyPath
from runner.contract.limits import megabytes
from runner.contract.model import Model
from runner.core.diagnostics import Diagnostic, Label
from runner.core.media import MediaFacts
from runner.core.spelling import nearest
from runner.language.take import Layer, MediaUse, Setting, Take
from runner.planning.draft import Draft
from runner.providers.provider import Provider

Overrides = Mapping[str, Mapping[str, Setting]]
EVERY_MODEL = "*"
# What a storyboard says with words of its own and `override` may not touch: it would be another story.
OWN_WORDS = frozenset({"model", "prompt", "negative_prompt", "seed"})


def located(fault: Fault, draft: Draft, take: Take, model: Model) -> Diagnostic:
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


def _place(path: BodyPath, draft: Draft) -> Setting | None:
    """The setting of the innermost written value around `path`."""
    return next((draft.places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in draft.places), None)


def _origin(layer: Layer) -> str:
    return {Layer.DEFAULT: "this default", Layer.OVERRIDE: "the pipeline's override"}.get(layer, "and this")


def used_in(take: Take, setting: Setting) -> tuple[Label, ...]:
    return (Label(span=take.span, text=f"in shot `{take.shot}`"),) if setting.layer is Layer.DEFAULT else ()


def media_fault(code: str, headline: str, use: MediaUse, take: Take, model: Model | None = None) -> Diagnostic:
    notes = (f"used by model `{model.name}`",) if model else ()
    return Diagnostic(
        code=code, headline=headline, span=use.span, notes=notes, group=f"{code} {headline} {use.span}", member=take.id
    )


def upload_faults(facts: MediaFacts, use: MediaUse, take: Take, provider: Provider) -> Iterator[Diagnostic]:
    """What keeps a local file from being uploaded, however lawful it is for the model that would be given its address."""
    headlines = []
    if facts.format not in provider.uploads:
        headlines.append(f"`{use.path}` is {facts.format}, which cannot be uploaded")
    if facts.size_bytes > provider.upload_bytes:
        most = megabytes(provider.upload_bytes)
        headlines.append(
            f"`{use.path}` has {megabytes(facts.size_bytes, provider.upload_bytes)}; up to {most} can be uploaded"
        )
    for headline in headlines:
        yield Diagnostic(
            code="no-upload",
            headline=headline,
            span=use.span,
            notes=(f"the file host of {provider.name} takes {', '.join(sorted(provider.uploads))}",),
            help="save it in one of these formats, or give its https address where the model takes it",
            group=f"no-upload {headline} {use.span}",
            member=take.id,
        )


def meant_model(name: str, models: Mapping[str, Model]) -> str:
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
                        help=meant_model(name, models),
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
