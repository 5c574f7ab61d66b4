"""What is bought: the exact body for one take, and its key."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from runner.core.media import Kind, MediaFacts

KEY_VERSION = "shotrunner.key.v1"


def normal(value: object) -> object:
    """JSON with integral numbers as integers. Raises ValueError on what canonical JSON cannot hold (nan, infinity)."""
    if type(value) is str or type(value) is int:  # most of what there is, in thousands of requests
        return value
    match value:
        case bool() | None | str() | int():
            return value
        case float() if not math.isfinite(value):
            raise ValueError("a number that is not finite has no JSON form")
        case float():
            return int(value) if value.is_integer() else value
        case Decimal() if not value.is_finite():
            raise ValueError("a number that is not finite has no JSON form")
        case Decimal() | Fraction():
            try:
                return int(value) if value == int(value) else normal(float(value))
            except OverflowError:
                raise ValueError("a number too large for JSON") from None
        case Mapping():
            return {str(k): normal(v) for k, v in value.items()}
        case list() | tuple():
            return [normal(v) for v in value]
        case _:
            raise ValueError(f"{type(value).__name__} has no JSON form")


def canonical(value: object) -> bytes:
    """Canonical JSON: keys sorted, no spaces, UTF-8, integral numbers as integers."""
    return json.dumps(normal(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode(
        "utf-8", "surrogatepass"
    )


def key_inputs(*, service: str, model: str, body: Mapping[str, object], take: int | str | None) -> dict[str, object]:
    """What the key is made of; stored with it, so that a changed key can be explained.

    `body` holds media identities and no transport properties; `take` is the take's number on a model without seed, the
    take's id for a distinct shot, and None (left out) otherwise.
    """
    inputs: dict[str, object] = {"service": service, "model": model, "body": dict(body)}
    if take is not None:
        inputs["take"] = take
    return inputs


def request_key(inputs: Mapping[str, object]) -> str:
    """64 hex digits: SHA-256 over the key's version, a line feed and the canonical JSON of `inputs`."""
    return hashlib.sha256(f"{KEY_VERSION}\n".encode() + canonical(inputs)).hexdigest()


def idempotency_key(*, key: str, purchase: int, account: str) -> str:
    """40 hex digits, equal wherever the same account makes the same purchase of the same request."""
    return hashlib.sha256(f"{key}\n{purchase}\n{account}".encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutting:
    """What a take is given of another take's clip. `selector` is `frame:last`, `frame:first`, `frame:2.5`, `sound`, or empty for the
    clip itself. `sha256` of that clip; None while it has still to be made, and then `key` is that of the request for it. `named`
    is the digest it goes by, its own if None.
    """

    take: str
    selector: str
    sha256: str | None
    key: str
    named: str | None = None

    @property
    def known_as(self) -> str | None:
        """The clip's digest in a request; None while it has still to be made."""
        return self.named or self.sha256

    @property
    def identity(self) -> str:
        """By the clip's digest, never by that of what we make of it; until it is known by what will be made."""
        source = self.known_as or f"key:{self.key}"
        if self.selector:
            return f"{self.selector}@{source}"
        return f"sha256:{self.known_as}" if self.known_as else f"clip@{source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPart:
    """One medium of a request: where it stands in the body and what it is.

    `index` is its place in a list parameter, None for a single one. `path` (posix, from the project's root) for a local
    file, with `facts`; `url` for a remote one; `cutting` for one out of another take's clip. `sha256` of the content: known for a
    local file and for a cutting once it is made, pinned for a remote one, else None. `here` False: Git LFS has left a pointer
    in the file's place, so `facts` may be None.
    """

    parameter: str
    index: int | None
    kind: Kind
    path: str | None = None
    url: str | None = None
    sha256: str | None = None
    facts: MediaFacts | None = None
    here: bool = True
    cutting: Cutting | None = None

    @property
    def uploaded(self) -> bool:
        """Whether it is brought to the service by upload, not fetched by the service from where it lies."""
        return self.sha256 is not None or self.cutting is not None

    @property
    def identity(self) -> str:
        """How the medium stands in the body that is hashed: by content where it is known, else by address."""
        if self.cutting is not None:
            return self.cutting.identity
        return f"sha256:{self.sha256}" if self.sha256 else f"url:{self.url}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The exact request of one take.

    `body` holds media by identity and is otherwise what is sent; `inputs` are what its key is made of. `seed` is this
    take's seed as sent or, on a model without one (`seed_contract` "absent"), as recorded. `reserve` is the price
    estimate: 0 on a free service, None where the price is unknown. `path` is where the provider takes the model's requests.
    """

    take: str
    label: str
    path: str
    key: str
    inputs: Mapping[str, object]
    service: str
    model: str
    body: Mapping[str, object]
    media: tuple[MediaPart, ...]
    seed: int
    seed_contract: str
    reserve: Decimal | None
    unit: str
    seconds: int
    width_px: int
    height_px: int
    sound: bool

    @property
    def awaited(self) -> tuple[str, ...]:
        """The takes whose clips have still to be made before it can be: until then its key is no more than a stand-in, which tells
        equal requests from others and is never sent or recorded."""
        return tuple(dict.fromkeys(p.cutting.take for p in self.media if p.cutting and p.cutting.sha256 is None))

    @property
    def cuttings(self) -> tuple[MediaPart, ...]:
        return tuple(part for part in self.media if part.cutting is not None)

    def sent(self, urls: Mapping[str, str]) -> bytes:
        """The bytes of the POST: the body with each medium's identity replaced by its URL.

        `urls` is by identity and holds every medium that is uploaded; the others are sent as they were written.
        """
        body = dict(self.body)
        for part in self.media:
            url = urls[part.identity] if part.uploaded else part.url
            if part.index is None:
                body[part.parameter] = url
            else:
                listed = body[part.parameter]
                assert isinstance(listed, list)
                body[part.parameter] = [url if i == part.index else v for i, v in enumerate(listed)]
        return canonical(body)
