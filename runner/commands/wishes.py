"""What the report's page asks for, and what must still be as it was shown there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from runner.commands.choices import DIGITS, Change, choosing, together, turning_down, undoing
from runner.commands.scene import Scene
from runner.core.diagnostics import Source
from runner.core.errors import Refused
from runner.language.picks import parts_of, take_of
from runner.planning.report import marks

MOST = 100_000  # takes of a storyboard
LONGEST_NOTE = 2_000


class Do(StrEnum):
    """In the order in which they are done."""

    UNPICK = "unpick"
    REJECT = "reject"
    PICK = "pick"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`clip` is the digest of the clip that is shown, "" of none; `mark` that of its variant, as `marks` has it."""

    do: Do
    take: str
    clip: str
    mark: str
    note: str


def read(told: object) -> tuple[Wish, ...]:
    """The wishes of a JSON value `{"takes": [{"do", "take", "clip", "mark", "note"}]}`. Raises ValueError."""
    takes = told.get("takes") if isinstance(told, dict) and set(told) == {"takes"} else None
    if not isinstance(takes, list) or not 1 <= len(takes) <= MOST:
        raise ValueError('wanted is {"takes": [...]}, with at least one take')
    wishes = [_wish(one) for one in takes]
    if len({wish.take for wish in wishes}) < len(wishes):
        raise ValueError("a take is named twice")
    picked = [parts_of(wish.take)[0] for wish in wishes if wish.do is Do.PICK]
    if len(set(picked)) < len(picked):
        raise ValueError("two takes of one shot are picked")
    return tuple(sorted(wishes, key=lambda wish: list(Do).index(wish.do)))


def _wish(told: object) -> Wish:
    names = ("do", "take", "clip", "mark", "note")
    if not isinstance(told, dict) or set(told) != set(names) or not all(isinstance(told[n], str) for n in names):
        raise ValueError(f"of each take wanted are {', '.join(names)}, all of them text")
    if told["do"] not in list(Do):
        raise ValueError(f"`do` is {', '.join(Do)}")
    if take_of(told["take"]) is None:
        raise ValueError("`take` is the id of a take, as arrival@dawn.2")
    if len(told["note"]) > LONGEST_NOTE:
        raise ValueError(f"a note has at most {LONGEST_NOTE} characters")
    return Wish(do=Do(told["do"]), **{name: told[name] for name in names[1:]})


def change(wishes: Sequence[Wish]) -> Change:
    """What these wishes make of the picks file, if all is as it was shown: else `Refused`."""

    def fulfil(scene: Scene, source: Source | None) -> tuple[str, list[str]]:
        now = marks(scene.picks)
        for wish in wishes:
            _demand(wish, scene, now)
        return together([_change(wish) for wish in wishes])(scene, source)

    return fulfil


def _change(wish: Wish) -> Change:
    match wish.do:
        case Do.UNPICK:
            return undoing([parts_of(wish.take)[0]])
        case Do.REJECT:
            return turning_down([wish.take], wish.note)
        case Do.PICK:
            return choosing([wish.take], None, wish.note)


def _demand(wish: Wish, scene: Scene, now: Mapping[str, str]) -> None:
    """Raises `Refused` where somebody, or a run, has changed what the wish is about."""
    variant = parts_of(wish.take)[0]
    if now.get(variant, "") != wish.mark:
        raise Refused(
            f"somebody else has picked or rejected takes of {variant} since this page was made",
            help="look at it as it is now, and choose again",
        )
    if wish.do is Do.UNPICK:
        return
    scene.known(wish.take)
    found = scene.clip(wish.take)
    clip = str(found.result["sha256"]) if found is not None and found.result else ""
    if clip != wish.clip:
        told = f"another clip now, {clip[:DIGITS]}," if clip else "no clip now"
        raise Refused(
            f"{wish.take} has {told} than this page shows" if clip else f"{wish.take} has {told}: this page shows one",
            help="look at it as it is now; `shotrunner run` brings up to date what is shown",
        )
