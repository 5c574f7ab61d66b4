"""A storyboard under a pipeline as somebody chooses among its takes: what is picked, and which clip each take has."""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.adapters.journal import Journal
from runner.commands.deciding import Decided
from runner.commands.loading import Loaded
from runner.core.errors import Refused
from runner.core.lifecycle import State
from runner.core.request import Request
from runner.core.spelling import instead
from runner.language.generate_step import Takes
from runner.language.picks import Picks
from runner.planning.history import Purchase, standing
from runner.planning.reason import differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A storyboard under a pipeline as it stands, and what its plan is. `left` are the digests of the clips that the last run under
    it left, by take."""

    loaded: Loaded
    decided: Decided
    journal: Journal | None
    left: Mapping[str, str]

    @property
    def picks(self) -> Picks:
        return self.loaded.picks

    def known(self, name: str) -> str:
        """The take of this name, or the only take of the variant. Raises `Refused`."""
        takes = [b.take for b in self.loaded.built]
        if any(take.id == name for take in takes):
            return name
        of_it = [take.id for take in takes if name in (take.variant, take.shot)]
        if len(of_it) == 1:
            return of_it[0]
        advice = f"its takes: {', '.join(of_it[:8])}" if of_it else instead(name, [take.id for take in takes])
        raise Refused(f"there is no take `{name}`", help=advice)

    def holds(self, pipeline: str, clip: str) -> bool:
        """Whether this pipeline's film may stand at a clip that was picked under `pipeline`: its own, or one it takes over from
        a pipeline below."""
        generate, service = self.loaded.pipeline.generate, self.loaded.service.name
        if pipeline == self.loaded.pipeline.name:
            return True
        made = {p.clip[0] for some in self.decided.history.values() for p in some if p.intent.service != service}
        return generate.takes is Takes.PICKED and clip not in made

    def clip(self, take: str) -> Purchase | None:
        """The purchase whose clip the take has now under this pipeline: of its request, else the one that its last run left, else
        the one it had before at this service, unless that was made at the settings of another pipeline."""
        request = next(a.request for a in self.decided.plan.actions if a.take.id == take)
        if request is None:
            return None
        left = next((p for p in self.ever(take) if p.clip[0] == self.left.get(take) and self._is_done(p)), None)
        return self._done(request.key) or left or self._done(self._last_key(take, request))

    @property
    def _last_keys(self) -> Mapping[str, str]:
        return self.journal.last_keys(self.loaded.identity, self.loaded.service.name) if self.journal else {}

    def _done(self, key: str) -> Purchase | None:
        known = standing(self.decided.history.get(key, ()))
        return known if known is not None and self._is_done(known) else None

    def _is_done(self, purchase: Purchase) -> bool:
        here = purchase.intent.service == self.loaded.service.name
        return here and purchase.state is State.DONE and purchase.result is not None

    def _last_key(self, take: str, request: Request) -> str:
        """The key of the last clip at this service, "" if the pipeline's own settings differ from what it was made with."""
        key = self._last_keys.get(take, "")
        if self.journal is None or not key:
            return ""
        settings = {name for own in self.loaded.pipeline.overrides.values() for name in own}
        differing = differences(self.journal.inputs(key) or {}, request.inputs)
        return "" if settings & {change.name for change in differing} else key

    def ever(self, take: str) -> list[Purchase]:
        """Every purchase that made a clip for the take, the latest first; one that shares its request with another take among them."""
        made = [p for some in self.decided.history.values() for p in some if p.result is not None]
        request = self.loaded.requests.get(take)
        keys = {request.key if request else "", self._last_keys.get(take, "")}
        own = [p for p in made if (p.intent.take, p.intent.storyboard) == (take, self.loaded.identity) or p.key in keys]
        return sorted(own, key=lambda p: p.timeline[0][0] if p.timeline else "", reverse=True)
