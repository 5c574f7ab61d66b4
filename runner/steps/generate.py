"""The step that makes clips: which jobs a plan comes to, and where the finished clips go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from runner.adapters.outputs import Outputs
from runner.adapters.store import Store
from runner.core.lifecycle import State
from runner.execution.execute import Job
from runner.planning.history import History, Purchase, standing
from runner.planning.plan import Act, Action, Plan


def jobs(plan: Plan, orphans: Iterable[Purchase], ends: Iterable[Purchase] = ()) -> tuple[Job, ...]:
    """Work in the order it is begun: what is paid and open first, whoever asked for it, then what is to be bought. `ends` are
    asked about once more, before anything is bought in their place."""
    takes: dict[str, list[str]] = {}
    for action in plan.actions:
        if action.request is not None and action.act is not Act.SKIP:
            takes.setdefault(action.request.key, []).append(action.take.id)
    resumed = [Job(takes=(p.intent.take,), purchase=p) for p in orphans]
    bought: list[Job] = []
    again = {(p.key, p.number): p for p in ends}
    makers = {a.take.id: a.request.key for a in plan.actions if a.request is not None}
    for action in plan.actions:
        if action.request is None or action.shared_with:
            continue
        names = tuple(takes.get(action.request.key, ()))
        known = action.purchase
        ended = known and action.act is not Act.SKIP and again.pop((known.key, known.number), None)
        if action.act is Act.RESUME:
            resumed.append(Job(takes=names, request=action.request, number=action.number, purchase=action.purchase))
        elif action.sought or ended:
            job = Job(takes=names, request=action.request, number=action.number, purchase=action.purchase)
            resumed.append(_chained(replace(job, buys=action.spends), action, makers))
        elif action.spends:
            bought.append(_chained(Job(takes=names, request=action.request, number=action.number), action, makers))
    resumed += [Job(takes=(p.intent.take,), purchase=p) for p in again.values()]
    return (*resumed, *bought)


def _chained(job: Job, action: Action, makers: Mapping[str, str]) -> Job:
    """The job as one that waits for those that make its parents' clips, if it has any."""
    if not action.parents:
        return job
    return replace(job, chained=True, after=frozenset(makers[name] for name in action.parents if name in makers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Each take's clip in the out folder, by take id, and purchases whose clips in the store have other bytes by now."""

    clips: dict[str, str]
    damaged: tuple[Purchase, ...]


async def place(plan: Plan, history: History, store: Store, outputs: Outputs) -> Placed:
    """Copy every finished clip of the storyboard to the out folder."""
    placed: dict[str, str] = {}
    damaged: dict[str, Purchase] = {}
    for action in plan.actions:
        known = standing(history.get(action.request.key, ())) if action.request else None
        if known is None or known.state is not State.DONE or known.result is None:
            continue
        if action.act is Act.SKIP:
            continue
        sha256 = str(known.result["sha256"])
        name = f"clips/{action.take.id}.mp4"
        if await outputs.place(name, store.path(sha256), sha256):
            placed[action.take.id] = name
        else:
            damaged[known.key] = known
    await outputs.sweep("clips", frozenset(placed.values()))
    return Placed(clips=placed, damaged=tuple(damaged.values()))
