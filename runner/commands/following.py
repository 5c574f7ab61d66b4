"""Takes that are made from other takes' clips, once those have ended: what the work for them comes to, and the clips it needs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.adapters.files import write_whole
from runner.adapters.journal import Journal
from runner.adapters.media import Probe, Unreadable
from runner.adapters.store import Store
from runner.commands.deciding import Decided
from runner.commands.options import Options, named
from runner.contract import limits
from runner.core.lifecycle import OPEN, UNTAKEN, State
from runner.core.media import MediaFacts
from runner.core.request import MediaPart, Request
from runner.execution.job import Held, Job
from runner.language.take import Take
from runner.planning import chain
from runner.planning import plan as plans
from runner.planning.history import History, Purchase, standing
from runner.planning.plan import Act, Action, Plan
from runner.planning.request import Built

# A parent that stands at one of these, or was never sent, may have its clip after the next run.
LATER = OPEN | (UNTAKEN - {State.REFUSED})


@dataclass(slots=True)
class Chains:
    """The takes of one run that are made from others, as its events move them on.

    `built` are all takes by id, as of now; `held` says of a take why nothing is bought for it.
    """

    decided: Decided
    history: Callable[[], History]
    built: dict[str, Built] = field(init=False)
    held: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.built = {one.take.id: one for one in self.decided.loaded.built}

    def now(self) -> Decided:
        """What was decided, with every take's request as it stands, and blocked what was held back."""
        if not any(action.parents for action in self.decided.plan.actions):
            return self.decided
        self._settle()
        actions = []
        for action in self.decided.plan.actions:
            if action.request is not None and action.request.awaited and action.act is not Act.BLOCK:
                action = replace(action, request=self.built[action.take.id].request)
            if action.parents and action.act is not Act.BLOCK and (why := self.held.get(action.take.id)):
                action = replace(action, act=Act.BLOCK, reason=why)
            actions.append(action)
        loaded = replace(self.decided.loaded, built=tuple(self.built.values()))
        if self.decided.lock is not None:
            self.decided.lock.loaded = loaded
        return replace(self.decided, plan=Plan(actions=tuple(actions)), loaded=loaded)

    def follow(self, take: Take) -> Request | None:
        """The take's request, its parents being settled."""
        history, kept = self.history(), self.decided.kept

        def clip(request: Request) -> chain.Clip | None:
            return chain.seen(kept[request.take]) if request.take in kept else chain.clip_of(request, history)

        made = chain.follow(take, self.built, self.decided.loaded.context, clip)
        self.built[take.id] = made
        return made.request

    def _settle(self) -> None:
        """Bring up to date what waited for a clip that is there now. What is settled stays so: its key is what was bought."""
        takes = tuple(one.take for one in self.built.values())
        for take in chain.in_order(takes, self.decided.loaded.context):
            request = self.built[take.id].request
            if request is not None and request.awaited:
                self.follow(take)


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Fulfils `execution.job.Follow`."""

    chains: Chains
    options: Options
    journal: Journal
    store: Store
    probe: Probe
    cutting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, job: Job) -> Job | Held:
        actions = {action.take.id: action for action in self.chains.decided.plan.actions}
        takes = [actions[name] for name in job.takes]
        request = self._request(takes)
        if isinstance(request, Held):
            return request
        history = self.journal.current()
        facts = self.chains.decided.facts
        retried = any(bool(self.options.retry) and named(action.take, self.options.retry) for action in takes)
        action = plans.decide(takes[0].take, request, history.get(request.key, ()), facts, retried=retried)
        if not action.spends:  # its clip is there, under way, or ended and not to be bought again
            return Held(reason="", blocked=False, key=request.key)
        known = replace(job, request=request, number=action.number, known_as=job.mark)
        if action.sought and not job.buys:
            return replace(known, purchase=action.purchase, buys=True)
        try:
            async with self.cutting:  # the same frame may be wanted twice
                request = await asyncio.to_thread(self._cut, request)
        except Unreadable as fault:
            return self._blocked(job, fault.reason)
        except OSError as fault:
            reason = f"what is taken of its parent's clip cannot be kept: {fault.strerror or fault}"
            return Held(reason=reason, blocked=False)
        await self.journal.note_requests({request.key: request.inputs})
        return replace(known, request=request, chained=False, after=frozenset())

    def _request(self, takes: list[Action]) -> Request | Held:
        """The request with the clips of its parents, or why there is none."""
        found = [self.chains.follow(action.take) for action in takes]
        request = found[0]
        if request is None:
            faults = self.chains.built[takes[0].take.id].diagnostics
            return self._held(takes, faults[0].headline if faults else "its parent has no request")
        history = self.journal.current()
        for name in takes[0].parents:
            parent = self.chains.built[name].request
            known = self.chains.decided.kept.get(name) or (standing(history.get(parent.key, ())) if parent else None)
            if why := self._why_not(name, known):
                if name not in self.chains.held and (known is None or known.state in LATER):
                    return Held(reason=why, blocked=False)
                return self._held(takes, why)
        return request

    def _why_not(self, name: str, known: Purchase | None) -> str:
        """What keeps a parent's clip from being used; empty where it is here."""
        if name in self.chains.held:
            return f"its parent `{name}` is blocked"
        if known is not None and known.state is State.DONE and self.chains.decided.facts.here(known):
            return ""
        state = known.state.value if known else "not made yet"
        return f"its parent `{name}` has no clip: {state}"

    def _held(self, takes: list[Action], why: str) -> Held:
        for action in takes:
            self.chains.held[action.take.id] = why
        return Held(reason=why, blocked=True)

    def _blocked(self, job: Job, why: str) -> Held:
        for name in job.takes:
            self.chains.held[name] = why
        return Held(reason=why, blocked=True)

    def _cut(self, request: Request) -> Request:
        """Take of its parents' clips what the request needs; each with its digest and facts. Raises Unreadable where it is not
        what the model takes, OSError."""
        media = tuple(self._one(part, request) if part.cutting else part for part in request.media)
        return replace(request, media=media)

    def _one(self, part: MediaPart, request: Request) -> MediaPart:
        cutting = part.cutting
        assert cutting is not None and cutting.sha256 is not None and part.facts is not None
        clip = self.store.path(cutting.sha256)
        if not self.store.intact(cutting.sha256):
            raise Unreadable(f"the clip of `{cutting.take}` is not in the store")
        if cutting.selector:
            file = self.store.cutting(cutting.sha256, cutting.selector, part.facts.format)
            facts = self._kept(clip, file, cutting.selector, part.facts.format)
        else:
            facts = self.probe.facts(clip)
        rule = self.chains.decided.loaded.models[request.model].by_property[part.parameter]
        what = f"{cutting.selector.replace(':', ' ') or 'the clip'} of {cutting.take}"
        if broken := limits.faults(rule, facts, what):
            raise Unreadable("; ".join(broken))
        return replace(part, sha256=facts.sha256, facts=facts)

    def _kept(self, clip: Path, file: Path, selector: str, form: str) -> MediaFacts:
        """The facts of what is taken of a clip, which is made once and kept."""
        if file.is_file():
            try:
                return self.probe.facts(file)
            except Unreadable:
                pass  # it is made again
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, self.probe.cutting(clip, selector, form))
        return self.probe.facts(file)
