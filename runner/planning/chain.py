"""Takes made from other takes' clips: in which order, and with which clips."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from runner.core.lifecycle import State
from runner.core.request import Request
from runner.language.chain import links_of
from runner.language.take import Take
from runner.planning.history import History, Purchase, standing
from runner.planning.parent import NAMED, parent
from runner.planning.plan import Lineage
from runner.planning.request import Built, Context, build

Clip = Mapping[str, object]
# The finished clip of a request that counts as its takes' own, None where it has still to be made.
Clips = Callable[[Request], Clip | None]


def parents_of(take: Take, context: Context) -> tuple[str, ...]:
    """The takes whose clips this one is made from."""
    return tuple(dict.fromkeys(context.chosen(link.variant) for link in links_of(take)))


def in_order(takes: Sequence[Take], context: Context) -> tuple[Take, ...]:
    """Parents before their children, else as they stand in the storyboard. No take is its own ancestor."""
    if not any(links_of(take) for take in takes):
        return tuple(takes)
    by_id = {take.id: take for take in takes}
    found: dict[str, Take] = {}
    for take in takes:
        path = [take.id]
        while path:
            name = path[-1]
            left = [p for p in parents_of(by_id[name], context) if p in by_id and p not in found]
            if left and name not in found:
                path.append(left[0])
            else:
                found[name] = by_id[path.pop()]
    return tuple(found.values())


def lineage(built: Sequence[Built], context: Context) -> Lineage | None:
    """Who is made from whom; None where nobody is. `built` are all takes as if no clip were made."""
    takes = tuple(one.take for one in built)
    parents = {take.id: found for take in takes if (found := parents_of(take, context))}
    if not parents:
        return None
    return Lineage(
        order=in_order(takes, context),
        parents=parents,
        takes=Counter(take.variant for take in takes),
        picked=frozenset(context.picks),
        stand_ins={one.take.id: one.request.key for one in built if one.take.id in parents and one.request},
    )


def follow(take: Take, built: Mapping[str, Built], context: Context, clip: Clips) -> Built:
    """The take made from its parents' clips as they stand: `built` has the parents by take id."""
    parents = {}
    for name in parents_of(take, context):
        one = built.get(name)
        if one is not None and one.request is not None:
            parents[name] = parent(one.take, one.request, clip(one.request))
    return build(take, context, parents)


def build_all(takes: Sequence[Take], context: Context) -> tuple[Built, ...]:
    """The request of every take, in storyboard order, as if no clip were made: what is made from one has a stand-in for a key."""
    built: dict[str, Built] = {}
    for take in in_order(takes, context):
        built[take.id] = follow(take, built, context, lambda _: None)
    return tuple(built[take.id] for take in takes)


def settled(built: Sequence[Built], context: Context, clip: Clips) -> tuple[Built, ...]:
    """The same takes in the same order, each that is made from another's clip with that clip as it stands now."""
    takes = tuple(one.take for one in built)
    if not any(links_of(take) for take in takes):
        return tuple(built)
    known = {one.take.id: one for one in built}
    for take in in_order(takes, context):
        if links_of(take):
            known[take.id] = follow(take, known, context, clip)
    return tuple(known.values())


def clip_of(request: Request, history: History) -> Clip | None:
    """The clip of a request, where it was made and fetched once, wherever it lies now."""
    made = standing(history.get(request.key, ()))
    return seen(made) if made is not None and (made.state is State.DONE or made.missing) else None


def seen(made: Purchase) -> Clip | None:
    """A purchase's clip as those that are made from it see it: with the digest by which they name it, if that is another one."""
    return {**made.result, NAMED: made.first_sha256} if made.result and made.first_sha256 else made.result
