"""`provider` of a pipeline: who makes the clips, and what the pipeline says about reaching it."""

from dataclasses import dataclass

from runner.core.diagnostics import Span
from runner.core.network import Reach, verdict
from runner.language import fields
from runner.language.faults import Faults, suggested
from runner.language.node import Mapping, Node, Scalar
from runner.language.paths import split_url

# The provider that this program starts itself and that costs nothing; the others sell.
FREE = "animatic"
PROVIDERS = (FREE, "evolink")
MOST_CONCURRENT = 1000

MOST_PER_S = 1000

_PROVIDER_KEYS = ("name", "base_url", "concurrency", "poll", "replay", "rate_per_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """The shortest and longest pause between two polls of one task, in seconds."""

    floor_s: float
    ceiling_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderChoice:
    """The provider and what the pipeline says of it; None is the provider's own default.

    `base_url` is https, or http on loopback, without a `/` at its end. `rate_per_s`: submissions a second. `replay_within_s`: a submission whose answer was
    lost may be sent once more, with the same idempotency key, within so many seconds; None is never.
    """

    name: str
    base_url: str | None = None
    concurrency: int | None = None
    rate_per_s: float | None = None
    poll: Poll | None = None
    replay_within_s: float | None = None
    span: Span


def read_provider(at: Node, faults: Faults) -> ProviderChoice | None:
    """A provider's name, or a mapping that says more of it."""
    if isinstance(at, Scalar):
        name = _provider_name(at, "`provider`", faults)
        return ProviderChoice(name=name, span=at.span) if name else None
    before = len(faults.found)
    tree = fields.mapping(at, "`provider`", faults, takes=f"{' or '.join(PROVIDERS)}, or a mapping with `name`")
    if tree is None:
        return None
    fields.known_keys(tree, _PROVIDER_KEYS, faults, of="`provider`")
    named, url, concurrency, poll, replay, rate = (tree.get(key) for key in _PROVIDER_KEYS)
    if named is None:
        fields.missing(tree, "name", faults, of="`provider`", help=f"`name:` is one of {', '.join(PROVIDERS)}")
    name = _provider_name(named, "`name` of `provider`", faults) if named else None
    base_url = _base_url(url, name, faults) if url else None
    many = fields.whole(concurrency, "`concurrency`", faults, least=1, most=MOST_CONCURRENT) if concurrency else None
    pause = _poll(poll, faults) if poll else None
    within_s = _replay(replay, faults) if replay else None
    rate_per_s = _rate(rate, faults) if rate else None
    if len(faults.found) > before or name is None or named is None:
        return None
    return ProviderChoice(
        name=name,
        base_url=base_url,
        concurrency=many,
        rate_per_s=rate_per_s,
        poll=pause,
        replay_within_s=within_s,
        span=named.span,
    )


def _provider_name(at: Node, named: str, faults: Faults) -> str | None:
    name = fields.fixed_text(at, named, faults, takes="a provider's name")
    if name is None or name in PROVIDERS:
        return name
    faults.add(
        "bad-value",
        f"{named} is `{fields.clipped(name)}`; there is no such provider",
        at.span,
        help=suggested(name, PROVIDERS, words="providers"),
    )
    return None


def _base_url(at: Node, provider: str | None, faults: Faults) -> str | None:
    if provider == FREE:
        faults.add(
            "misplaced-key",
            f"`{FREE}` takes no `base_url`: free is only what this machine makes itself",
            at.span,
            help="for a server of your own write `name: evolink`",
        )
        return None
    written = fields.fixed_text(at, "`base_url`", faults, takes="a URL")
    if written is None:
        return None
    parts = split_url(written)
    if (
        parts is None
        or not parts.hostname
        or parts.scheme not in ("http", "https")
        or parts.username
        or parts.password
        or parts.query
        or parts.fragment
    ):
        faults.add(
            "bad-url", f"`base_url` is {fields.shown(at)}; it is `https://host` with at most a port and a path", at.span
        )
        return None
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        faults.add(
            "bad-url",
            "`base_url` is plain http: the key would cross the network readable",
            at.span,
            help="use https; http is for loopback only",
        )
        return None
    return written.rstrip("/")


def _poll(at: Node, faults: Faults) -> Poll | None:
    tree = fields.shaped(at, "`poll`", ("floor_s", "ceiling_s"), faults)
    pauses = _seconds(tree, ("floor_s", "ceiling_s"), "`poll`", faults) if tree else None
    if tree is None or pauses is None:
        return None
    floor_s, ceiling_s = pauses
    if ceiling_s < floor_s:
        faults.add(
            "bad-value",
            f"`ceiling_s` of `poll` is {ceiling_s:g}; it is at least `floor_s`, {floor_s:g}",
            (tree.get("ceiling_s") or tree).span,
        )
        return None
    return Poll(floor_s=floor_s, ceiling_s=ceiling_s)


def _replay(at: Node, faults: Faults) -> float | None:
    tree = fields.shaped(at, "`replay`", ("within_s",), faults)
    found = _seconds(tree, ("within_s",), "`replay`", faults) if tree else None
    return found[0] if found else None


def _rate(at: Node, faults: Faults) -> float | None:
    value = fields.amount(at, "`rate_per_s`", faults, unit="submissions a second")
    if value is not None and not 0 < value <= MOST_PER_S:
        faults.add("bad-value", f"`rate_per_s` is {value:g}; it is more than 0 and at most {MOST_PER_S}", at.span)
        return None
    return None if value is None else float(value)


def _seconds(tree: Mapping, keys: tuple[str, ...], of: str, faults: Faults) -> list[float] | None:
    """The seconds of all `keys`, each of which must be there and more than 0."""
    found = []
    for key in keys:
        at = tree.get(key)
        if at is None:
            fields.missing(tree, key, faults, of=of, help=f"write `{key}:`, in seconds")
            continue
        value = fields.amount(at, f"`{key}`", faults, unit="seconds")
        if value == 0:
            faults.add("bad-value", f"`{key}` is 0; it is more than 0 seconds", at.span)
        elif value is not None:
            found.append(float(value))
    return found if len(found) == len(keys) else None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or verdict(host) is Reach.LOOPBACK
    except ValueError:
        return False
