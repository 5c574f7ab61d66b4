"""The journal's events as values, and the purchases folded from them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from runner.core.lifecycle import COMMITS, ENDED, GIVEN_UP, OPEN, UNTAKEN, Event, State, step
from runner.core.money import ZERO, amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is durable before a POST: everything needed to know, and to say, what may have been bought.

    `body` are the exact bytes of the POST; `reserved` is the estimate in `unit`, 0 on a free service.
    """

    key: str
    purchase: int
    storyboard: str
    take: str
    model: str
    service: str
    account: str
    idempotency_key: str
    body: bytes
    reserved: Decimal
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of one purchase. `intent` rides on the first SEND only.

    `task_id` rides on RECEIPT. `detail` is JSON: what there is to know of this event (code, message, links, clip, ...).
    `charged` is what the service says it took, None while it has not said.
    """

    at: str
    event: Event
    key: str
    purchase: int
    intent: Intent | None = None
    task_id: str | None = None
    charged: Decimal | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


ASKED = 3  # runs that ask a task for a missing clip before it is left alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One purchase as the journal knows it.

    `reserved` rises to what the service says it reserved. `released`: the service said that the reservation was given
    back. `account` is whose task it is: the one that bought it, unless another was seen to have it too. `result` is the clip
    as fetched: the manifest's `clip` fields without the path, only `sha256` and `size_bytes` of one known from the lock in
    git. `first_sha256` is its digest as it was fetched first, where its task gave other bytes later, else "";
    `earlier` are further ones that it had. `error` has `code` and `message`.
    """

    intent: Intent
    state: State
    reserved: Decimal
    charged: Decimal | None = None
    released: bool = False
    task_id: str | None = None
    eta_s: float | None = None
    links: tuple[str, ...] = ()
    link_expires_at: str | None = None
    account: str = ""
    result: Mapping[str, object] | None = None
    first_sha256: str = ""
    earlier: frozenset[str] = frozenset()
    error: Mapping[str, object] | None = None
    timeline: tuple[tuple[str, str], ...] = ()  # (at, event)

    @property
    def key(self) -> str:
        return self.intent.key

    @property
    def number(self) -> int:
        return self.intent.purchase

    @property
    def committed(self) -> Decimal:
        """Credits this purchase counts for: the charge once it is known, the reservation until then."""
        if self.charged is not None:
            return self.charged
        if self.released or self.state not in COMMITS:
            return ZERO
        return self.reserved

    @property
    def clip(self) -> tuple[str, int]:
        """Digest and length of its clip; of a purchase without one, what no clip has."""
        result = self.result or {}
        return str(result.get("sha256")), int(str(result.get("size_bytes", -1)))

    @property
    def digests(self) -> frozenset[str]:
        """All by which its clip may be known elsewhere; of a purchase without one none."""
        return (self.earlier | {str((self.result or {}).get("sha256", "")), self.first_sha256}) - {""}

    @property
    def body_sha256(self) -> str:
        """Of the very bytes that were sent; empty where another machine sent them."""
        return hashlib.sha256(self.intent.body).hexdigest() if self.intent.body else ""

    @property
    def foreign(self) -> bool:
        """Made by another machine and known from the lock in git."""
        return not self.intent.body

    @property
    def missing(self) -> bool:
        """Made and fetched once, and its clip is not here: never an end, whatever became of its task since."""
        return self.state is State.MISSING or (self.state in ENDED and self.result is not None)

    @property
    def askable(self) -> bool:
        """Whether its task may still give out what is missing: until it has said three times that it does not, a run each."""
        said = sum(1 for _, event in self.timeline if event == Event.UNAVAILABLE)
        return self.state is State.MISSING and self.task_id is not None and said < ASKED

    def at(self, event: Event) -> str | None:
        """When `event` last happened."""
        return next((at for at, name in reversed(self.timeline) if name == event), None)


History = Mapping[str, tuple[Purchase, ...]]


def apply(purchase: Purchase | None, entry: Entry) -> Purchase:
    """The purchase after one more event. Raises `Unlawful` on an event its state does not allow, ValueError on a first without intent."""
    state = step(purchase.state if purchase else None, entry.event)
    if purchase is None:
        if entry.intent is None:
            raise ValueError(f"a purchase of {entry.key} begins without its intent")
        intent = entry.intent
        purchase = Purchase(intent=intent, state=state, reserved=intent.reserved, account=intent.account)
    detail = entry.detail
    reserved = amount(detail.get("reserved"))
    released = detail.get("released") is True
    links = detail.get("links")
    eta, earlier = detail.get("eta_s"), detail.get("earlier")
    gone = {_before(purchase, detail), *(earlier if isinstance(earlier, list) else ())}
    return replace(
        purchase,
        state=state,
        reserved=purchase.reserved if reserved is None else max(purchase.reserved, reserved),
        charged=entry.charged if entry.charged is not None or released else purchase.charged,
        released=purchase.released or released,
        task_id=entry.task_id or purchase.task_id,
        eta_s=float(eta) if isinstance(eta, int | float) else purchase.eta_s,
        links=tuple(str(link) for link in links) if isinstance(links, list) else purchase.links,
        link_expires_at=_text(detail.get("link_expires_at")) or purchase.link_expires_at,
        account=_text(detail.get("account")) or purchase.account,
        result=_mapping(detail.get("clip")) or purchase.result,
        first_sha256=purchase.first_sha256 or _text(detail.get("first")) or _before(purchase, detail),
        earlier=purchase.earlier | {str(one) for one in gone if one},
        error=_mapping(detail.get("error")) or purchase.error,
        timeline=(*purchase.timeline, (entry.at, entry.event.value)),
    )


def fold(entries: Iterable[Entry]) -> dict[str, tuple[Purchase, ...]]:
    """Purchases by key, in the order of their numbers, from entries in the order they were written."""
    purchases: dict[tuple[str, int], Purchase] = {}
    for entry in entries:
        place = (entry.key, entry.purchase)
        purchases[place] = apply(purchases.get(place), entry)
    history: dict[str, list[Purchase]] = {}
    for (key, _), purchase in sorted(purchases.items(), key=lambda p: p[0]):
        history.setdefault(key, []).append(purchase)
    return {key: tuple(made) for key, made in history.items()}


# What a key stands at if several purchases were made of it: the best of them, since equal requests are one clip.
STANDING: tuple[frozenset[State], ...] = (
    frozenset({State.DONE}),
    OPEN,
    frozenset({State.INTENDED, State.UNKNOWN}),
    # Of these the latest: an end after a purchase was given up, or bought because a clip was missing, is an end.
    ENDED | GIVEN_UP | {State.MISSING},
    UNTAKEN,
)


def standing(made: Sequence[Purchase]) -> Purchase | None:
    """The purchase that decides what is done about a key, the latest of the best; None of none.

    A retry that was refused, or not taken, leaves the key at the end it had before: it is not free to be bought again. Nor does
    a purchase that was given up free a key whose clip was made once.
    """
    if any(p.state is State.MISSING for p in made):
        made = [p for p in made if p.state not in GIVEN_UP]
    return next((p for states in STANDING for p in reversed(made) if p.state in states), None)


def _before(before: Purchase, detail: Mapping[str, object]) -> str:
    """The digest of the clip that was fetched before, if the event brings another one."""
    old, new = before.result or {}, _mapping(detail.get("clip")) or {}
    return str(old["sha256"]) if old and new and old["sha256"] != new.get("sha256") else ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _mapping(value: object) -> Mapping[str, object] | None:
    return value if isinstance(value, dict) else None
