"""What the language gives to planning: shots unfolded into takes, every value with the place it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from runner.core.diagnostics import Span
from runner.core.media import Kind

# The words for reference media; each model's schema says which property one of them fills.
MEDIA_WORDS = ("image", "videos", "audio")

# Words of their own: `params` of a storyboard and `override` of a pipeline may not say them a second time.
OWN_WORDS = ("prompt", "negative_prompt", "model", "seed", *MEDIA_WORDS)


class Layer(StrEnum):
    """Where a value was written; later members win over earlier ones."""

    SCHEMA = "schema"  # the model schema's own default
    DEFAULT = "defaults"  # `defaults:` of the storyboard
    SHOT = "shot"
    OVERRIDE = "override"  # the pipeline's `override:`


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value, rendered, with its place and layer. `key` is where its name stands, for what is wrong with the name."""

    value: object  # JSON: str int float bool None list dict; a budget is a Decimal
    span: Span
    layer: Layer
    key: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The clip of another shot: `shot` as it was written, `variant` the one that it names.

    `frame` is `first`, `last` or a second into the clip as plain digits (`2.5`), for an image; None for a clip or its sound.
    """

    shot: str
    frame: str | None
    span: Span
    variant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaUse:
    """One reference medium as a take uses it: exactly one of `path` (posix, from the project's root), `url` and `link`.

    `kind` is what the word or the reference says; `name` the reference's name where it was named.
    """

    kind: Kind
    path: str | None = None
    url: str | None = None
    sha256: str | None = None
    name: str | None = None
    link: Link | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSetting:
    """The uses of one media word (`image`, `videos`, `audio`), in the order written."""

    uses: tuple[MediaUse, ...]
    span: Span
    layer: Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Trim:
    """Editorial: seconds into the clip; None is the clip's own start or end."""

    in_s: Decimal | None = None
    out_s: Decimal | None = None


class Join(StrEnum):
    """How two shots meet where the cut between them is not plain."""

    DISSOLVE = "dissolve"  # both are seen together, the one before ever less
    FADE = "fade"  # the one before goes out into black, then this one comes out of it
    WIPE = "wipe"  # this one uncovers itself over the one before, from a side


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Editorial: how the cut enters this shot, and for how many seconds, 0 a plain cut; `side` is a wipe's."""

    join: Join = Join.DISSOLVE
    seconds: Decimal
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One take as the storyboard asks for it, before its model's schema has been applied.

    `seed` is the storyboard's or shot's written seed (1 if none), not yet moved by the take's number.
    `params` holds model parameters by their own names; `texts` holds `prompt` and `negative_prompt`; `media` holds
    `image`, `videos` and `audio`. A default and a shot's own value have been merged: the setting's layer tells which won.
    `labels` are the variant's own, by axis of the shot's matrix.
    """

    id: str
    shot: str
    variant: str
    number: int
    span: Span
    title: str
    model: Setting
    texts: Mapping[str, Setting]
    params: Mapping[str, Setting]
    media: Mapping[str, MediaSetting]
    seed: int
    seed_span: Span | None
    seed_on_shot: bool
    distinct: bool
    skip: bool
    trim: Trim | None
    transition: Transition | None
    labels: Mapping[str, str] = field(default_factory=dict)
