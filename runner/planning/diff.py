"""What has become of every take between two states of a storyboard, and what that costs. Pure."""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from runner.core.diagnostics import Span
from runner.core.money import ZERO
from runner.core.request import Request, normal
from runner.language.take import Take, Transition, Trim
from runner.planning.reason import differences
from runner.planning.request import Built


class Kind(StrEnum):
    """What has become of a take; of several the first that holds."""

    ADDED = "added"
    DROPPED = "dropped"
    CHANGED = "changed"  # another request: bought anew
    RENAMED = "renamed"  # the same request under another id
    EDITED = "edited"  # the same request, cut or titled otherwise
    MOVED = "moved"  # the same request at another place in the storyboard


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that differs: an input of the request by its name, or `title`, `trim`, `transition`, which cost nothing.

    `old` and `new` are JSON values, None where there is none; the spans are where they are written, or the shot.
    """

    name: str
    old: object
    new: object
    old_span: Span
    new_span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One take that is not as it was. `old` and `new` are its sides, one of them None for a take that is added or dropped.

    `price` is what the new side newly asks for: 0 where its request is asked for by another take, `same_as`, of the old side
    (`same_before`) or earlier on the new one; None where it is unknown. `was` is what the old side asked for. `skipped`: it
    is dropped because the new side skips it. `kept`: its clip was picked and stays the film's, so nothing is asked for.
    """

    kind: Kind
    old: Built | None
    new: Built | None
    fields: tuple[Field, ...] = ()
    price: Decimal | None = ZERO
    was: Decimal | None = ZERO
    same_as: str = ""
    same_before: bool = False
    skipped: bool = False
    moved: bool = False
    kept: bool = False

    @property
    def side(self) -> Built:
        """The side that is still there."""
        side = self.new or self.old
        assert side is not None
        return side

    @property
    def take(self) -> str:
        return self.side.take.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Amounts by unit, which are never added to one another; `unknown` requests have no price."""

    requests: int
    amounts: tuple[tuple[str, Decimal], ...]
    unknown: int

    @property
    def known(self) -> Decimal | None:
        """The one amount; None where a price is unknown or units differ."""
        if self.unknown or len(self.amounts) > 1:
            return None
        return self.amounts[0][1] if self.amounts else ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`differences` in the order of the new storyboard, what was dropped behind them in the order of the old one.

    `old` and `new` are what each side asks for in all, a request counted once; `to_buy` is what the new side asks for and the
    old one does not.
    """

    differences: tuple[Difference, ...]
    unchanged: int
    old_takes: int
    new_takes: int
    old: Sum
    new: Sum
    to_buy: Sum

    @property
    def counts(self) -> dict[Kind, int]:
        found = Counter(difference.kind for difference in self.differences)
        return {kind: found[kind] for kind in Kind if found[kind]}


def compare(old: Sequence[Built], new: Sequence[Built], kept: Collection[str] = ()) -> Comparison:
    """Takes that are skipped, or have no request, are not there. `kept` are those of the new side whose clips were picked."""
    before, after = _wanted(old), _wanted(new)
    pairs = _pairs(before, after)
    places = {name: number for number, name in enumerate(before)}
    stay = _in_order([places[was] for was in pairs.values()])
    moved = {name for name, stays in zip(pairs, stay, strict=True) if not stays}
    gone = before.keys() - set(pairs.values())
    skipped = {b.take.id for b in new if b.take.skip}
    asked, priced = _firsts(before.values()), _firsts(after.values())
    found = [
        _difference(before.get(pairs.get(name, "")), side, asked, priced, moved=name in moved, kept=name in kept)
        for name, side in after.items()
    ]
    found += [
        _difference(side, None, asked, priced, skipped=name in skipped) for name, side in before.items() if name in gone
    ]
    differing = tuple(difference for difference in found if difference is not None)
    return Comparison(
        differences=differing,
        unchanged=len(after) - sum(1 for difference in differing if difference.new is not None),
        old_takes=len(before),
        new_takes=len(after),
        old=_sum(_requests(before.values())),
        new=_sum(_requests(after.values())),
        to_buy=_sum(
            request
            for request in _requests(side for name, side in after.items() if name not in kept)
            if request.key not in asked
        ),
    )


def _wanted(built: Sequence[Built]) -> dict[str, Built]:
    return {b.take.id: b for b in built if b.request is not None and not b.take.skip}


def _request(side: Built) -> Request:
    assert side.request is not None
    return side.request


def _requests(sides: Iterable[Built]) -> list[Request]:
    """Every request once."""
    return list({request.key: request for side in reversed(list(sides)) for request in (_request(side),)}.values())


def _firsts(sides: Iterable[Built]) -> dict[str, str]:
    """The first take that asks for each key."""
    found: dict[str, str] = {}
    for side in sides:
        found.setdefault(_request(side).key, side.take.id)
    return found


def _pairs(before: dict[str, Built], after: dict[str, Built]) -> dict[str, str]:
    """Which take of the old side each of the new one is: by its id, else a dropped one with the same request."""
    left: dict[str, deque[str]] = {}
    for name, side in before.items():
        if name not in after:
            left.setdefault(_request(side).key, deque()).append(name)
    pairs = {}
    for name, side in after.items():
        if name in before:
            pairs[name] = name
        elif alike := left.get(_request(side).key):
            pairs[name] = alike.popleft()
    return pairs


def _in_order(places: Sequence[int]) -> list[bool]:
    """Which of these stay where they are, when as few as possible are said to have moved: a longest rising subsequence."""
    ends: list[int] = []  # of the rising runs found so far, by their length: where the lowest of their ends stands
    lowest: list[int] = []
    before: list[int] = []
    for number, place in enumerate(places):
        length = bisect_left(lowest, place)
        before.append(ends[length - 1] if length else -1)
        ends[length : length + 1] = [number]
        lowest[length : length + 1] = [place]
    stay = [False] * len(places)
    number = ends[-1] if ends else -1
    while number >= 0:
        stay[number] = True
        number = before[number]
    return stay


def _difference(
    old: Built | None,
    new: Built | None,
    asked: dict[str, str],
    priced: dict[str, str],
    *,
    moved: bool = False,
    skipped: bool = False,
    kept: bool = False,
) -> Difference | None:
    """None where nothing differs."""
    was = _request(old).reserve if old and asked[_request(old).key] == old.take.id else ZERO
    if new is None:
        return Difference(kind=Kind.DROPPED, old=old, new=None, was=was, skipped=skipped)
    key = _request(new).key
    if old is None or _request(old).key != key:
        same_before, same_as = key in asked, asked.get(key) or priced[key]
        shared = same_before or same_as != new.take.id
        return Difference(
            kind=Kind.CHANGED if old else Kind.ADDED,
            old=old,
            new=new,
            fields=_fields(old, new) if old else (),
            price=ZERO if shared or kept else _request(new).reserve,
            was=was,
            same_as=same_as if shared and not kept else "",
            same_before=same_before,
            moved=moved,
            kept=kept,
        )
    fields = _fields(old, new)
    renamed = old.take.id != new.take.id
    if not (renamed or fields or moved):
        return None
    kind = Kind.RENAMED if renamed else Kind.EDITED if fields else Kind.MOVED
    return Difference(kind=kind, old=old, new=new, fields=fields, was=was, moved=moved)


def _fields(old: Built, new: Built) -> tuple[Field, ...]:
    return (*_inputs(old, new), *_editorial(old.take, new.take))


def _inputs(old: Built, new: Built) -> tuple[Field, ...]:
    changed = differences(_request(old).inputs, _request(new).inputs)
    return tuple(
        Field(name=c.name, old=c.old, new=c.new, old_span=_place(old, c.name), new_span=_place(new, c.name))
        for c in changed
    )


def _place(side: Built, name: str) -> Span:
    """Where an input is written: its own place, else the shot's, as for what the schema gave."""
    take = side.take
    own = {"model": take.model.span, "seed": take.seed_span}.get(name)
    return side.places.get(name.partition(".")[0]) or own or take.span


def _editorial(old: Take, new: Take) -> tuple[Field, ...]:
    pairs = {
        "title": (old.title or None, new.title or None),
        "trim": (_trim(old.trim), _trim(new.trim)),
        "transition": (_transition(old.transition), _transition(new.transition)),
    }
    return tuple(
        Field(name=name, old=before, new=after, old_span=old.span, new_span=new.span)
        for name, (before, after) in pairs.items()
        if before != after
    )


def _trim(trim: Trim | None) -> object:
    ends = {"in": trim.in_s, "out": trim.out_s} if trim else {}
    return normal({name: value for name, value in ends.items() if value is not None}) or None


def _transition(transition: Transition | None) -> object:
    if transition is None:
        return None
    side = {"from": transition.side.value} if transition.side else {}
    return normal({transition.join.value: transition.seconds, **side})


def _sum(requests: Iterable[Request]) -> Sum:
    amounts: dict[str, Decimal] = {}
    unknown = number = 0
    for request in requests:
        number += 1
        if request.reserve is None:
            unknown += 1
        else:
            amounts[request.unit] = amounts.get(request.unit, ZERO) + request.reserve
    return Sum(requests=number, amounts=tuple(amounts.items()), unknown=unknown)
