"""Shots and `defaults` as their authors wrote them, checked for everything that needs no template and no other file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from runner.core.diagnostics import Span
from runner.language import fields
from runner.language.editorial import read_transition, read_trim
from runner.language.faults import Faults
from runner.language.matrix import Axis, read_matrix
from runner.language.node import Node, Scalar, plain
from runner.language.references import References
from runner.language.rows import ForEach, read_for_each
from runner.language.scope import Variable, read_variables
from runner.language.take import MEDIA_WORDS, OWN_WORDS, Layer, MediaSetting, MediaUse, Setting, Transition, Trim
from runner.language.words import Mode, Word, word

T = TypeVar("T")

MOST_TAKES = 100_000

_SHOT_KEYS = (
    "id",
    "title",
    "prompt",
    "negative_prompt",
    "model",
    "params",
    *MEDIA_WORDS,
    "matrix",
    "for_each",
    "takes",
    "seed",
    "vars",
    "trim",
    "transition",
    "skip",
    "distinct",
)
_DEFAULT_KEYS = ("model", "params", "negative_prompt", *MEDIA_WORDS, "takes", "transition")
_MEDIA_MODES = {"image": Mode.TEXT, "videos": Mode.TYPED, "audio": Mode.TEXT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What `defaults` and a shot may both hold. `model_written`: a model stands there, lawful or not."""

    model: Setting | None = None
    model_written: bool = False
    takes: int | None = None
    texts: Mapping[str, Word[Setting]] = field(default_factory=dict)
    params: Mapping[str, Word[Setting]] = field(default_factory=dict)
    media: Mapping[str, Word[MediaSetting]] = field(default_factory=dict)
    transition: Word[Transition] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One lawful entry of `shots`, its wording laid over the defaults; `span` is its id's."""

    id: str
    span: Span
    wording: Wording
    model: Setting
    title: Word[str] | None
    trim: Word[Trim] | None
    takes: int
    seed: int | None
    seed_span: Span | None
    distinct: bool
    skip: bool
    variables: Mapping[str, Variable]
    axes: tuple[Axis, ...]
    for_each: ForEach | None


def read_defaults(at: Node, references: References, faults: Faults) -> Wording:
    """The storyboard's `defaults`; what is faulty in them is reported here, and not again at each shot."""
    tree = fields.mapping(at, "`defaults`", faults)
    if tree is None:
        return Wording(model_written=True)
    fields.known_keys(tree, _DEFAULT_KEYS, faults, of="`defaults`")
    return _wording({entry.key.text: entry.value for entry in tree}, Layer.DEFAULT, references, faults)


def read_shot(at: Node, defaults: Wording, references: References, faults: Faults) -> Shot | None:
    """One entry of `shots`; None after reporting each of its faults.

    A `null` for negative_prompt, image, videos, audio, transition or one of `params` takes the default away; anywhere
    else it is a fault.
    """
    before = len(faults.found)
    tree = fields.mapping(at, "a shot", faults, takes="a mapping with `id` and `prompt`")
    if tree is None:
        return None
    fields.known_keys(tree, _SHOT_KEYS, faults, of="a shot")
    parts = {entry.key.text: entry.value for entry in tree}
    name = fields.identifier(parts["id"], "`id`", faults) if "id" in parts else None
    named = f"shot `{name}`" if name else "this shot"
    own = _wording(parts, Layer.SHOT, references, faults)
    model = own.model or defaults.model
    for key, there, advice in (
        ("id", "id" in parts, "an id names the shot and its clips: `id: arrival`"),
        ("prompt", "prompt" in parts, "write what is to be seen: `prompt: ...`"),
        (
            "model",
            own.model_written or defaults.model_written,
            "write `model:` in the shot or in `defaults`; `shotrunner models` lists them",
        ),
    ):
        if not there:
            fields.missing(tree, key, faults, of=named, help=advice)
    title = word(parts["title"], Layer.SHOT, Mode.TEXT, _title, faults) if "title" in parts else None
    trim = word(parts["trim"], Layer.SHOT, Mode.TYPED, read_trim, faults) if "trim" in parts else None
    seed = fields.whole(parts["seed"], "`seed`", faults) if "seed" in parts else None
    distinct = fields.flag(parts["distinct"], "`distinct`", faults) if "distinct" in parts else False
    skip = fields.flag(parts["skip"], "`skip`", faults) if "skip" in parts else False
    variables = read_variables(parts["vars"], faults) if "vars" in parts else {}
    axes = read_matrix(parts["matrix"], faults) if "matrix" in parts else ()
    for_each = read_for_each(parts["for_each"], faults) if "for_each" in parts else None
    if len(faults.found) > before or name is None or model is None:
        return None
    return Shot(
        id=name,
        span=parts["id"].span,
        model=model,
        wording=_laid_over(defaults, own),
        takes=own.takes or defaults.takes or 1,
        title=title,
        trim=trim,
        seed=seed,
        seed_span=parts["seed"].span if "seed" in parts else None,
        distinct=bool(distinct),
        skip=bool(skip),
        variables=variables or {},
        axes=axes or (),
        for_each=for_each,
    )


def _wording(parts: Mapping[str, Node], layer: Layer, references: References, faults: Faults) -> Wording:
    texts: dict[str, Word[Setting]] = {}
    for name in ("prompt", "negative_prompt"):
        if name in parts:
            texts[name] = _removable(parts[name], name, Mode.TEXT, partial(_text_setting, name, layer), layer, faults)
    media: dict[str, Word[MediaSetting]] = {}
    for name, read in (("image", references.image), ("videos", references.videos), ("audio", references.audio)):
        if name in parts:
            media[name] = _removable(
                parts[name], name, _MEDIA_MODES[name], partial(_media_setting, read, layer), layer, faults
            )
    transition = None
    if "transition" in parts:
        transition = _removable(parts["transition"], "transition", Mode.TYPED, read_transition, layer, faults)
    model = fields.fixed_text(parts["model"], "`model`", faults, takes="a model's name") if "model" in parts else None
    return Wording(
        model=Setting(value=model, span=parts["model"].span, layer=layer) if model else None,
        model_written="model" in parts,
        takes=fields.whole(parts["takes"], "`takes`", faults, least=1, most=MOST_TAKES) if "takes" in parts else None,
        texts=texts,
        params=_params(parts["params"], layer, faults) if "params" in parts else {},
        media=media,
        transition=transition,
    )


def _params(at: Node, layer: Layer, faults: Faults) -> dict[str, Word[Setting]]:
    tree = fields.mapping(at, "`params`", faults, takes="a mapping of the model's parameters")
    found: dict[str, Word[Setting]] = {}
    for entry in tree or ():
        name = entry.key.text
        if name in OWN_WORDS:
            faults.add(
                "own-word",
                f"`{name}` has a word of its own and does not stand in `params`",
                entry.key.span,
                help=f"write `{name}:` beside `params:`",
            )
        else:
            found[name] = _removable(
                entry.value, name, Mode.FREE, partial(_param_setting, entry.key, layer), layer, faults
            )
    return found


def _removable(
    at: Node, name: str, mode: Mode, read: Callable[[Node, Faults], T | None], layer: Layer, faults: Faults
) -> Word[T]:
    if layer is Layer.SHOT and name != "prompt" and isinstance(at, Scalar) and at.value is None:
        fields.explicit_null(at, f"`{name}`", faults)
        return Word(node=at, layer=layer, mode=mode, read=read, templated=False, value=None, away=True)
    return word(at, layer, mode, read, faults)


def _title(at: Node, faults: Faults) -> str | None:
    return fields.text(at, "`title`", faults)


def _text_setting(name: str, layer: Layer, at: Node, faults: Faults) -> Setting | None:
    value = fields.text(at, f"`{name}`", faults)
    if value is not None and name == "prompt" and not value.strip():
        faults.add(
            "no-value", "`prompt` is rendered as an empty text", at.span, help="the prompt says what is to be seen"
        )
        return None
    return None if value is None else Setting(value=value, span=at.span, layer=layer)


def _param_setting(key: Scalar, layer: Layer, at: Node, faults: Faults) -> Setting | None:
    if isinstance(at, Scalar) and at.value is None:
        fields.no_value(at, f"`{key.text}`", faults)
        return None
    return Setting(value=plain(at), span=at.span, layer=layer, key=key.span)


def _media_setting(
    read: Callable[[Node, Faults], tuple[MediaUse, ...] | None], layer: Layer, at: Node, faults: Faults
) -> MediaSetting | None:
    uses = read(at, faults)
    return None if uses is None else MediaSetting(uses=uses, span=at.span, layer=layer)


def _laid_over(defaults: Wording, own: Wording) -> Wording:
    transition = own.transition or defaults.transition
    return Wording(
        texts=_kept(defaults.texts, own.texts),
        params=_kept(defaults.params, own.params),
        media=_kept(defaults.media, own.media),
        transition=transition if transition and not transition.away else None,
    )


def _kept(defaults: Mapping[str, Word[T]], own: Mapping[str, Word[T]]) -> Mapping[str, Word[T]]:
    return {name: written for name, written in {**defaults, **own}.items() if not written.away} if own else defaults
