"""What will happen: one closed action for each take, each with its reason and price, before anything is spent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from runner.core.lifecycle import ENDED, GIVEN_UP, OPEN, UNTAKEN, Event, State
from runner.core.money import ZERO, total
from runner.core.request import Request
from runner.language.take import Take
from runner.planning.history import History, Purchase, standing
from runner.planning.reason import changes, differences


class Act(StrEnum):
    BUY = "buy"
    REUSE = "reuse"
    RESUME = "resume"
    RETRY = "retry"
    KEEP = "keep"
    MISSING = "missing"
    BLOCK = "block"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is done for one take. `price` is what it newly commits, or would with `--buy-missing`: 0 for all that buys nothing,
    None where it is unknown.

    `shared_with` names the take whose request this one shares. `purchase` is the one its key stands at, `number` the one that
    the key's next purchase gets. `sought`: its clip is missing, and asked for once more, for nothing, before anything is bought.
    `parents` are the takes whose clips it is made from, and `stand_in` is its key as if none of them were made, which no clip moves;
    `stale`: it has a clip already, made from another than it is to be now.
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
    parents: tuple[str, ...] = ()
    stand_in: str = ""
    stale: bool = False

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
    def stale(self) -> tuple[Action, ...]:
        """Clips that are bought anew because their parents are."""
        return tuple(a for a in self.to_buy if a.stale)

    @property
    def depth(self) -> int:
        """How many takes the longest chain has; 1 where none is made from another, 0 of no take."""
        return max((length for length, _ in self._lines(lambda _: 1).values()), default=0)

    @property
    def critical_path(self) -> tuple[Action, ...]:
        """Of what has still to be made, the line of takes, each made from the one before, with the longest clips together."""

        def weight(action: Action) -> int:
            makes = action.spends or action.act is Act.RESUME
            return action.request.seconds if makes and action.request else 0

        lines = self._lines(weight)
        by_id = {action.take.id: action for action in self.actions}
        name = max(lines, key=lambda one: lines[one][0], default="")
        path = []
        while name:
            if weight(by_id[name]):
                path.append(by_id[name])
            name = lines[name][1]
        return tuple(reversed(path))

    def _lines(self, weight: Callable[[Action], int]) -> dict[str, tuple[int, str]]:
        """By take the weight of the heaviest line that ends with it, and its parent in that line."""
        by_id = {action.take.id: action for action in self.actions}
        found: dict[str, tuple[int, str]] = {}
        for action in self.actions:
            path = [action]
            while path:
                parents = [name for name in path[-1].parents if name in by_id]
                left = [by_id[name] for name in parents if name not in found]
                if left:
                    path.append(left[0])
                    continue
                last = path.pop()
                heaviest = max(parents, key=lambda one: found[one][0], default="")
                found[last.take.id] = (weight(last) + (found[heaviest][0] if heaviest else 0), heaviest)
        return found

    @property
    def wanted(self) -> int:
        return sum(1 for a in self.actions if a.act is not Act.SKIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the options ask: which takes are in (`selected`), which ended ones to buy again (`retried`), whether to buy anew what
    was made once and is not here (`missing`), and whether what is made from the first of several takes waits until one of
    them is picked (`held`)."""

    selected: Callable[[Take], bool]
    retried: Callable[[Take], bool]
    missing: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Who is made from whom: the takes with parents first (`order`), the parents of each that has any, how many takes each
    variant has, the variants of which one is picked, and the keys of chained takes as if no clip were made."""

    order: tuple[Take, ...]
    parents: Mapping[str, tuple[str, ...]]
    takes: Mapping[str, int]
    picked: frozenset[str]
    stand_ins: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What decides beside the history. `here` tells whether a finished clip's bytes are on this machine, `found` where in the
    out folder a missing clip's bytes lie, "" if they do not; `last_inputs` gives what a take's key was made of when it last ran.
    `left_out` tells why the pipeline does not make a take, `undecided` why nothing is bought for it yet; `amended` is an action with
    what picks make of it."""

    wishes: Wishes
    here: Callable[[Purchase], bool]
    last_inputs: Callable[[str], Mapping[str, object] | None]
    found: Callable[[Purchase], str] = lambda _: ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    undecided: Mapping[str, str] = field(default_factory=dict)
    amended: Callable[[Action], Action] = lambda action: action


def make(
    takes: Sequence[Take],
    requests: Mapping[str, Request],
    history: History,
    facts: Facts,
    lineage: Lineage | None = None,
) -> Plan:
    """The plan. `requests` is by take id."""
    wishes = facts.wishes
    actions: dict[str, Action] = {}
    first: dict[str, Action] = {}
    retried = {
        requests[take.id].key
        for take in takes
        if take.id in requests and not take.skip and take.id not in facts.left_out
        if wishes.selected(take) and wishes.retried(take)
    }
    for take in takes if lineage is None else lineage.order:
        request = requests.get(take.id)
        made = history.get(request.key, ()) if request else ()
        if take.skip or request is None:
            skipped = Action(take=take, request=request, act=Act.SKIP, reason="`skip: true`", purchase=standing(made))
            actions[take.id] = skipped
            continue
        if not wishes.selected(take):
            actions[take.id] = _left_out(take, request, made, facts.here)
            continue
        if why := facts.left_out.get(take.id):
            actions[take.id] = _left_out(take, request, made, facts.here, why)
            continue
        if request.key in first:
            action = _shared(take, request, first[request.key])
        else:
            action = decide(take, request, made, facts, retried=request.key in retried)
        action = facts.amended(action)
        parents = lineage.parents.get(take.id, ()) if lineage else ()
        if lineage is not None and parents:
            action = replace(action, parents=parents, stand_in=lineage.stand_ins.get(take.id, ""))
        if action.spends and (why := facts.undecided.get(take.id)):
            actions[take.id] = replace(action, act=Act.BLOCK, reason=why, price=ZERO)
            continue  # and whoever shares its request is judged by itself
        if lineage is not None and parents:
            action = _chained(action, actions, lineage, facts)
        first.setdefault(request.key, action)
        actions[take.id] = action
    return Plan(actions=tuple(actions[take.id] for take in takes))


def decide(take: Take, request: Request, made: tuple[Purchase, ...], facts: Facts, *, retried: bool) -> Action:
    """What is done for a take whose request nobody asks for before it. `made` are the purchases of its key."""
    known = standing(made)
    if known is not None and known.missing:
        return _missing(take, request, made, known, facts.wishes, facts.found(known))
    return _decide(take, request, made, retried, facts.here, facts.last_inputs)


def _chained(action: Action, actions: Mapping[str, Action], lineage: Lineage, facts: Facts) -> Action:
    """The action of a take that is made from others, which are decided."""
    if not action.spends:
        return action
    request = action.request
    assert request is not None
    for name in action.parents:
        if why := _held(name, actions[name], actions, lineage, facts):
            return replace(action, act=Act.BLOCK, reason=why, price=ZERO)
    before = facts.last_inputs(action.take.id)
    stale = before is not None and {change.name for change in differences(before, request.inputs)} <= {
        part.parameter for part in request.cuttings
    }
    if request.awaited:
        named = " and ".join(f"`{name}`" for name in request.awaited)
        reason = f"its key follows from {named}" + ("; the clip it has is of an earlier one" if before else "")
        return replace(action, reason=reason, stale=before is not None)
    return replace(action, stale=stale)


def _held(name: str, parent: Action, actions: Mapping[str, Action], lineage: Lineage, facts: Facts) -> str:
    """What keeps the children of a take back; empty where nothing does."""
    takes = lineage.takes.get(parent.take.variant, 1)
    if facts.wishes.held and takes > 1 and parent.take.variant not in lineage.picked:
        return f"`{parent.take.variant}` has {takes} takes and none is picked; `--unpicked` goes on with the first"
    maker = actions[parent.shared_with] if parent.shared_with else parent
    match maker.act:
        case Act.BUY | Act.RETRY | Act.RESUME | Act.REUSE:
            return ""
        case Act.SKIP | Act.KEEP if (
            maker.purchase and maker.purchase.state is State.DONE and facts.here(maker.purchase)
        ):
            return ""
        case Act.SKIP:
            if parent.take.skip:
                return f"its parent `{name}` is skipped and has no clip here"
            return f"its parent `{name}` has no clip and is not selected; `--shots '{name}'` makes it"
        case Act.BLOCK:
            return f"its parent `{name}` is blocked"
        case Act.MISSING:
            way = "; `--buy-missing` buys it again" if maker.price != ZERO else f": {maker.reason}"
            return f"the clip of its parent `{name}` is missing{way}"
        case Act.KEEP:
            return f"its parent `{name}` has no clip: {maker.reason}"


def buying_nothing(plan: Plan) -> Plan:
    """The same plan for a command that only fetches: what would be bought stays as it is."""
    kept = [
        replace(a, act=Act.KEEP, reason="not bought: collect only fetches", price=ZERO)
        if a.spends or a.act is Act.BLOCK
        else a
        for a in plan.actions
    ]
    return Plan(actions=tuple(kept))


def _left_out(
    take: Take, request: Request, made: tuple[Purchase, ...], here: Callable[[Purchase], bool], why: str = ""
) -> Action:
    """`why` the pipeline does not make it; where that is empty, `--shots` does not name it."""
    known = standing(made)
    if known is not None and known.state is State.DONE and here(known):
        reason = f"{why or 'not selected'}; its clip is here"
        return Action(take=take, request=request, act=Act.REUSE, reason=reason, purchase=known)
    return Action(take=take, request=request, act=Act.SKIP, reason=why or "not selected by --shots", purchase=known)


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
