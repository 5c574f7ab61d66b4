"""What the picks of a storyboard make of its plan: which clips stay the film's, and what is said of those that are bought."""

from collections.abc import Callable, Collection, Mapping

from runner.commands.loading import Loaded
from runner.language.generate_step import Seedless, Takes
from runner.planning import ladder, picked
from runner.planning.history import History
from runner.planning.picked import Approved, Below, Inputs, Protected
from runner.planning.plan import Action


def approved(loaded: Loaded, history: History, again: Collection[str]) -> Approved:
    """`again` are the takes that are asked to be bought again if they ended without a clip."""
    generate, free = loaded.pipeline.generate, loaded.service.provider.free
    below = None
    if generate.takes is Takes.PICKED:
        settings = frozenset(name for own in loaded.pipeline.overrides.values() for name in own)
        # A rehearsal draws every clip anew: to keep one spares nothing.
        below = Below(keeps=generate.seedless is Seedless.KEEP and not free, settings=settings)
    return picked.approved(
        loaded.picks.shots,
        history,
        pipeline=loaded.pipeline.name,
        service=loaded.service.name,
        paid=not free,
        below=below,
        free=loaded.free_pipelines,
        retried=again.__contains__,
    )


def amended(
    loaded: Loaded,
    known: Approved,
    held: Mapping[str, Protected],
    *,
    missing: bool,
    inputs: Callable[[str], Inputs | None],
) -> Callable[[Action], Action]:
    """What picks make of each action, once it is decided without them."""
    built = {one.take.id: one for one in loaded.built}
    before = {p.intent.take for some in known.made.values() for p in some if p.intent.storyboard == loaded.identity}

    def amend(action: Action) -> Action:
        action = picked.amended(action, held, known, missing=missing)
        if known.below is None or loaded.service.provider.free:
            return action
        name = action.take.id
        return ladder.noted(action, built[name], known, before=name in before, inputs=inputs)

    return amend
