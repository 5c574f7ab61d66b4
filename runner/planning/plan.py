"""What will happen: one closed action for each take, each with its reason and price, before anything is spent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from runner.core.lifecycle import ENDED, GIVEN_UP, OPEN, UNTAKEN, Event, State
from runner.core.money import ZERO, total
from runner.core.request import Request
from runner.language.take import Take
from runner.planning.history import History, Purchase, standing
from runner.planning.reason import changes


class Act(StrEnum):
    BUY = "buy"
    REUSE = "reuse"
    RESUME = "resume"
    RETRY = "retry"
    KEEP = "keep"
    MISSING = "missing"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is done for one take. `price` is what it newly commits, or would with `--buy-missing`: 0 for all that buys nothing,
    None where it is unknown.

    `shared_with` names the take whose request this one shares. `purchase` is the one its key stands at, `number` the one that
    the key's next purchase gets. `sought`: its clip is missing, and asked for once more, for nothing, before anything is bought.
    """

    take: Take
    request: Request | None
    act: Act
    reason: str
    price: Decimal | None = ZERO
    shared_with: str = ""
    purchase: Purchase | None = None
    number: int = 1
    sought: bool = False

    @property
    def spends(self) -> bool:
        return self.act in (Act.BUY, Act.RETRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Actions in storyboard order, one for each take."""

    actions: tuple[Action, ...]

    @property
    def to_buy(self) -> tuple[Action, ...]:
        return tuple(a for a in self.actions if a.spends)

    @property
    def price(self) -> Decimal | None:
        """Of everything to buy, at its worst; None as soon as one price is unknown: a partial sum is no total."""
        prices = [a.price for a in self.to_buy]
        return None if None in prices else total(p for p in prices if p is not None)

    @property
    def requests(self) -> int:
        return len({a.request.key for a in self.actions if a.request is not None and a.act is not Act.SKIP})

    @property
    def shared(self) -> int:
        return sum(1 for a in self.actions if a.shared_with)

    @property
    def wanted(self) -> int:
        return sum(1 for a in self.actions if a.act is not Act.SKIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the options ask: which takes are in (`selected`), which ended ones to buy again (`retried`), and whether to buy
    anew what was made once and is not here (`missing`)."""

    selected: Callable[[Take], bool]
    retried: Callable[[Take], bool]
    missing: bool = False


def make(
    takes: Sequence[Take],
    requests: Mapping[str, Request],
    history: History,
    *,
    wishes: Wishes,
    here: Callable[[Purchase], bool],
    last_inputs: Callable[[str], Mapping[str, object] | None],
    found: Callable[[Purchase], str] = lambda _: "",
) -> Plan:
    """The plan. `requests` is by take id; `here` tells whether a finished clip's bytes are on this machine, `found` where in
    the out folder a missing clip's bytes lie, "" if they do not; `last_inputs` gives what a take's key was made of when it
    last ran."""
    actions: list[Action] = []
    first: dict[str, Action] = {}
    retried = {
        requests[take.id].key
        for take in takes
        if take.id in requests and not take.skip and wishes.selected(take) and wishes.retried(take)
    }
    for take in takes:
        request = requests.get(take.id)
        if take.skip or request is None:
            actions.append(Action(take=take, request=request, act=Act.SKIP, reason="`skip: true`"))
            continue
        made = history.get(request.key, ())
        if not wishes.selected(take):
            actions.append(_left_out(take, request, made, here))
            continue
        if request.key in first:
            action = _shared(take, request, first[request.key])
        else:
            known = standing(made)
            if known is not None and known.missing:
                action = _missing(take, request, made, known, wishes, found(known))
            else:
                action = _decide(take, request, made, request.key in retried, here, last_inputs)
            first[request.key] = action
        actions.append(action)
    return Plan(actions=tuple(actions))


def buying_nothing(plan: Plan) -> Plan:
    """The same plan for a command that only fetches: what would be bought stays as it is."""
    kept = [
        replace(a, act=Act.KEEP, reason="not bought: collect only fetches", price=ZERO) if a.spends else a
        for a in plan.actions
    ]
    return Plan(actions=tuple(kept))


def _left_out(take: Take, request: Request, made: tuple[Purchase, ...], here: Callable[[Purchase], bool]) -> Action:
    known = standing(made)
    if known is not None and known.state is State.DONE and here(known):
        return Action(
            take=take, request=request, act=Act.REUSE, reason="not selected; its clip is here", purchase=known
        )
    return Action(take=take, request=request, act=Act.SKIP, reason="not selected by --shots", purchase=known)


def _shared(take: Take, request: Request, first: Action) -> Action:
    act = Act.REUSE if first.spends else first.act
    return Action(
        take=take,
        request=request,
        act=act,
        reason=f"the same request as {first.take.id}",
        shared_with=first.take.id,
        purchase=first.purchase,
    )


def _decide(
    take: Take,
    request: Request,
    made: tuple[Purchase, ...],
    retried: bool,
    here: Callable[[Purchase], bool],
    last_inputs: Callable[[str], Mapping[str, object] | None],
) -> Action:
    known = standing(made)
    if known is None:
        reason = changes(last_inputs(take.id), request.inputs)
        return Action(take=take, request=request, act=Act.BUY, reason=reason, price=request.reserve)
    act, reason = _by_state(take, known, retried, here)
    price = request.reserve if act in (Act.BUY, Act.RETRY) else ZERO
    number = made[-1].number + 1
    return Action(take=take, request=request, act=act, reason=reason, price=price, purchase=known, number=number)


def _missing(
    take: Take, request: Request, made: tuple[Purchase, ...], known: Purchase, wishes: Wishes, place: str
) -> Action:
    """Of a take whose clip was made once and is not in the store: `place` is where else it lies, "" if nowhere."""
    if place:
        return Action(take=take, request=request, act=Act.REUSE, reason=f"found in {place}", purchase=known)
    gone, sought = "made before, and its clip is not here", known.askable
    first = f"; task {known.task_id} is asked for it first, for nothing" if sought else ""
    act, price = Act.MISSING, request.reserve
    reason = f"{gone}{first}; `--buy-missing` buys it again"
    if wishes.missing:
        act, reason = Act.BUY, f"{gone}: bought again by --buy-missing{first}"
    elif sought and not known.foreign and known.at(Event.UNAVAILABLE) is None:
        act, price = Act.RESUME, ZERO
        reason = f"{gone} any more: fetched again by task {known.task_id}, for nothing, while the service has it"
    return Action(
        take=take,
        request=request,
        act=act,
        reason=reason,
        price=price,
        purchase=known,
        number=made[-1].number + 1,
        sought=sought,
    )


def _by_state(take: Take, known: Purchase, retried: bool, here: Callable[[Purchase], bool]) -> tuple[Act, str]:
    state = known.state
    said = said_of(known)
    if state is State.DONE:
        if here(known):
            return Act.REUSE, "unchanged"
        return Act.RESUME, "its clip is not in the store any more: fetch it again, for nothing"
    if state is State.WAITING:
        return (
            Act.RESUME,
            f"task {known.task_id} is under way since {known.at(Event.RECEIPT) or known.at(Event.ATTACHED)}",
        )
    if state is State.OVERDUE:
        return Act.RESUME, f"task {known.task_id} was not finished by its deadline; waiting goes on"
    if state in OPEN:
        return Act.RESUME, f"paid, not yet fetched (task {known.task_id})"
    if state in UNTAKEN:
        words = {
            State.REFUSED: f"refused last time, nothing was taken: {said}",
            State.DISCLAIMED: "not taken last time, as was declared by `reconcile`",
        }
        return Act.BUY, words.get(state, "nothing was taken last time")
    if state in GIVEN_UP:
        return Act.BUY, "unknown before, and to be bought again as was decided by `reconcile`"
    if state in ENDED:
        if retried:
            return Act.RETRY, f"{state.value} before, asked for by --retry: {said}"
        return Act.KEEP, f"{state.value}: {said}; `--retry '{take.id}'` buys it again"
    return (
        Act.KEEP,
        f"outcome unknown since {known.at(Event.SEND)}: it may have been taken; `shotrunner reconcile` settles it",
    )


def said_of(purchase: Purchase) -> str:
    """What the service said of its end, as `code: message`."""
    error = purchase.error or {}
    code, message = str(error.get("code") or ""), str(error.get("message") or "")
    return ": ".join(part for part in (code, message) if part) or "without a reason"
