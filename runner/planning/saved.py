"""A saved plan: what it is bound to, what has changed since it was made, and what it lets a run buy. Pure.

A saved plan is the plan's JSON view with one member more, `saved`. It is compared and never executed: what a run does is made
from the files again, and must come to the same.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runner.core.diagnostics import Source
from runner.core.lifecycle import ENDED, GIVEN_UP, OPEN, UNTAKEN, State
from runner.core.money import ZERO
from runner.core.request import Request
from runner.planning.history import History, Purchase, standing
from runner.planning.plan import Act, Action, Plan
from runner.planning.reason import differences
from runner.planning.service import Service

SCHEMA = "shotrunner.plan.v1"
SPENDING = frozenset({Act.BUY.value, Act.RETRY.value})
SETTLED = frozenset({State.DONE, State.MISSING, State.REFUSED}) | ENDED | GIVEN_UP

NOTHING = Plan(actions=())

Document = Mapping[str, Any]  # the JSON of a saved plan
Bought = frozenset[tuple[str, int]]  # purchases made under a plan, by key and number


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between a saved plan and what would be done now.

    `kind`: a section of `saved.bound` (files, pipeline, models, media, service, run) or takes; `name`: which of them; `what`: the
    input of a take's request, else "". None is not there at all. Digests stand for contents.
    """

    kind: str
    name: str
    what: str = ""
    old: object = None
    new: object = None


def bound(
    *,
    sources: Iterable[Source],
    pipeline: tuple[str, Source],
    models: Mapping[str, str],
    requests: Iterable[Request],
    service: Service,
    account: str | None,
    out: str,
) -> dict[str, dict[str, str | None]]:
    """What a plan is bound to, as JSON. `models` are the texts of the schema files it prices by; `account` None: no key was at hand.
    `out` is the out folder from the project's root."""
    media = {part.path: part.sha256 for request in requests for part in request.media if part.path is not None}
    name, written = pipeline
    return {
        "files": {source.path: _digest(source.text) for source in sources},
        "pipeline": {name: _digest(written.text)},
        "models": {name: _digest(text) for name, text in sorted(models.items())},
        "media": dict(sorted(media.items())),
        "service": {"name": service.name, "base_url": service.base_url},
        "run": {"out": out, "account": account},
    }


def states(plan: Plan, history: History) -> dict[str, dict[str, str]]:
    """The state of every purchase of the plan's keys, by key and number; a key that was never bought is left out."""
    keys = dict.fromkeys(action.request.key for action in plan.actions if action.request is not None)
    return {key: {str(p.number): p.state.value for p in history[key]} for key in keys if history.get(key)}


def changes(
    old: Document, new: Document, *, begun: bool, bought: Bought, inputs: Callable[[str], Mapping[str, object] | None]
) -> tuple[Change, ...]:
    """Everything that differs, files first. `inputs` tells what a key was made of.

    Once a plan has `begun`, its own purchases (`bought`) move its takes on: then only purchases that others made of its keys
    and prices that differ count.
    """
    found = list(_of_sections(old["saved"]["bound"], new["saved"]["bound"]))
    return (*found, *_of_takes(old, new, begun, bought, inputs))


def _of_sections(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for kind in (*old, *(kind for kind in new if kind not in old)):
        before, after = old.get(kind, {}), new.get(kind, {})
        for name in (*before, *(name for name in after if name not in before)):
            if before.get(name) == after.get(name):
                continue
            if name == "account" and None in (before.get(name), after.get(name)):
                continue  # without a key at hand it cannot be told
            yield Change(kind=kind, name=name, old=before.get(name), new=after.get(name))


def _of_takes(
    old: Document, new: Document, begun: bool, bought: Bought, inputs: Callable[[str], Mapping[str, object] | None]
) -> Iterator[Change]:
    before, after = _takes(old), _takes(new)
    for name in (*before, *(name for name in after if name not in before)):
        was, now = before.get(name), after.get(name)
        if was is None or now is None:
            yield Change(kind="takes", name=name, old=was and _done(was), new=now and _done(now))
        elif was["action"] == Act.SKIP.value and now["action"] not in SPENDING:
            continue  # it is none of the plan's
        elif _asked(was) != _asked(now) or (was["key"] and now["key"] and was["key"] != now["key"]):
            yield from _of_request(name, was, now, inputs)
        elif begun and not _swapped(was, now):
            yield from _since_begun(name, was, now, old, new, bought)
        elif _done(was) != _done(now):
            yield Change(kind="takes", name=name, old=_done(was), new=_done(now))
        elif _states(old, was) != _states(new, now):
            yield Change(kind="takes", name=name, old=_said(_states(old, was)), new=_said(_states(new, now)))


def _swapped(was: Document, now: Document) -> bool:
    """Whether a take that was to be bought is made no more, or one that was not is to be now: another one was picked."""
    one, other = was["action"], now["action"]
    skip = Act.SKIP.value
    return (one == skip and other in SPENDING) or (one in SPENDING and other == skip)


def _of_request(
    name: str, was: Document, now: Document, inputs: Callable[[str], Mapping[str, object] | None]
) -> Iterator[Change]:
    """What a take's request differs in; of one that hangs on a clip that has still to be made, what it is without that clip."""
    old, new = was["key"], now["key"]
    if not (old and new):
        old, new = _asked(was), _asked(now)
    before, after = (inputs(key) if key else None for key in (old, new))
    told = differences(before, after) if before is not None and after is not None else ()
    for change in told:
        yield Change(kind="takes", name=name, what=change.name, old=change.old, new=change.new)
    if not told:
        yield Change(kind="takes", name=name, what="key" if was["key"] and now["key"] else "request", old=old, new=new)


def _since_begun(
    name: str, was: Document, now: Document, old: Document, new: Document, bought: Bought
) -> Iterator[Change]:
    known = _states(old, was)
    others = {
        n: state for n, state in _states(new, now).items() if n not in known and (now["key"], int(n)) not in bought
    }
    if others:
        yield Change(kind="takes", name=name, old=_said(known), new=_said({**known, **others}))
    elif was["action"] in SPENDING and now["action"] in SPENDING and was["price"] != now["price"]:
        yield Change(kind="takes", name=name, old=_done(was), new=_done(now))


def confined(plan: Plan, saved: Document, history: History, bought: Bought) -> Plan:
    """The plan without what the saved one does not buy, or has bought: such takes are kept as they are."""
    allowed = {_asked(take) for take in saved["takes"] if take["action"] in SPENDING}
    actions = []
    for action in plan.actions:
        if action.spends and action.request is not None:
            own = _under(action, history, bought)
            taken = next((p for p in reversed(own) if p.state not in UNTAKEN), None)
            reason = ""
            if (action.stand_in or action.request.key) not in allowed:
                reason = "not bought: the saved plan does not buy it"
            elif taken is not None:
                reason = f"bought under this plan already: {taken.state.value}; a new plan can buy it again"
            if reason:
                action = replace(action, act=Act.KEEP, reason=reason, price=ZERO)
        actions.append(action)
    return Plan(actions=tuple(actions))


def finished(saved: Document, history: History, bought: Bought, now: Plan = NOTHING) -> bool:
    """Whether nothing of the plan is left to do: all it buys has an answer, and nothing it fetches is still open. `now` is what
    its takes have come to; one that a parent without a clip holds back has its answer with that parent's."""
    actions = {action.take.id: action for action in now.actions}
    return all(
        (one is not None and one.act is Act.BLOCK)
        or _settled(_made(take, one, history, bought), take["action"], history, bought)
        for take in saved["takes"]
        for one in (actions.get(take["take"]),)
    )


def _under(action: Action, history: History, bought: Bought) -> tuple[Purchase, ...]:
    """What was bought under the plan for a take: of its key or, while that hangs on a clip that has still to be made, for the take."""
    assert action.request is not None
    if not action.request.awaited:
        return _own(action.request.key, history, bought)
    return tuple(p for p in _all_own(history, bought) if p.intent.take == action.take.id)


def _asked(take: Document) -> str | None:
    """What a take asks for: its key, or where it is made from others' clips what stands for it, whichever clips they are."""
    asked: str | None = take.get("stand_in") or take["key"]
    return asked


def _made(take: Document, now: Action | None, history: History, bought: Bought) -> str:
    """The key that was bought for a take under the plan, else the one it has come to, or had when it was planned."""
    key: str = take["key"] or ""
    if take.get("stand_in"):
        if now is not None and now.request is not None and not now.request.awaited:
            key = now.request.key
        return next((p.key for p in _all_own(history, bought) if p.intent.take == take["take"]), key)
    return key


def _settled(key: str, act: str, history: History, bought: Bought) -> bool:
    if not key:
        return act not in SPENDING
    known = standing(history.get(key, ()))
    if act == Act.RESUME.value:
        return known is not None and known.state not in OPEN
    if act not in SPENDING:
        return True
    own = standing(_own(key, history, bought))
    if own is None:
        return known is not None and known.state is State.DONE  # asked for once more, for nothing, it came after all
    return own.state in SETTLED


def _own(key: str, history: History, bought: Bought) -> tuple[Purchase, ...]:
    return tuple(p for p in history.get(key, ()) if (key, p.number) in bought)


def _all_own(history: History, bought: Bought) -> Iterator[Purchase]:
    return (p for made in history.values() for p in made if (p.key, p.number) in bought)


def _takes(document: Document) -> dict[str, Document]:
    return {take["take"]: take for take in document["takes"]}


def _states(document: Document, take: Document) -> Mapping[str, str]:
    found: Mapping[str, str] = document["saved"]["states"].get(take["key"], {})
    return found


def _done(take: Document) -> str:
    """What is done for a take, and for how much."""
    price = "an unknown price" if take["price"] is None else f"{take['price']} {take['unit']}"
    words = f"{take['action']} for {price}" if take["action"] in SPENDING else str(take["action"])
    return f"{words}, the same request as {take['shared_with']}" if take["shared_with"] else words


def _said(made: Mapping[str, str]) -> str:
    return ", ".join(made.values()) or "never bought"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
