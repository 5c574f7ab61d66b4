"""`shotrunner history SHOT`: every clip ever made for a shot, so that one may go back to it. Reads, writes nothing."""

from pathlib import Path

from runner.adapters.store import Store
from runner.commands import loading
from runner.commands.options import Options
from runner.commands.peek import peeked
from runner.core.errors import Exit, Refused
from runner.core.spelling import instead, nearest
from runner.screen import history as view_of
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal


def history(file: Path, shot: str, options: Options, view: Format, terminal: Terminal) -> Exit:
    """Print the clips. Raises `Rejected`, `Refused`."""
    place, path = loading.project(file, options)
    store = Store(place.state)
    with peeked(place.state) as journal:
        loaded = loading.load(place, path, options, journal.probed if journal else lambda *_: None)
        takes = {t.id: t for t in loaded.storyboard.takes}
        picked = {clip for pick in loaded.picks.shots.values() for clip in pick.clips.values()}
        ever = journal.history() if journal else {}
        own = [
            (purchase.intent.take, purchase)
            for some in ever.values()
            for purchase in some
            if purchase.intent.storyboard == loaded.identity and _is_of(purchase.intent.take, shot)
        ]
        last = journal.last_keys(loaded.identity, loaded.service.name) if journal else {}
        asked = {take: request.key for take, request in loaded.requests.items()}
        # A take that shares its request with another has that one's clip.
        shared = dict.fromkeys(
            (take, key) for keys in (asked, last) for take, key in keys.items() if _is_of(take, shot)
        )
        known = {(take, p.key, p.number) for take, p in own}
        own += [(t, p) for t, key in shared for p in ever.get(key, ()) if (t, p.key, p.number) not in known]
        found = [
            view_of.Made(
                take=take,
                purchase=purchase,
                prompt=_prompt(journal.inputs(purchase.key) if journal else None),
                here=store.has(*purchase.clip),
                picked=(purchase.result or {}).get("sha256") in picked,
            )
            for take, purchase in own
        ]
    names = {name for take in takes.values() for name in (take.id, take.variant, take.shot)}
    if not found and shot not in names:
        meant = nearest(shot, sorted(names))
        shots = (take.shot for take in takes.values())
        raise Refused(
            f"nothing was ever made for `{shot}`", help=f"did you mean `{meant}`?" if meant else instead(shot, shots)
        )
    found.sort(key=lambda made: (made.take, made.at))
    terminal.out(
        view_of.as_json(found) if view is Format.JSON else view_of.text(found, shot, colour=terminal.colour_out)
    )
    return Exit.DONE


def _is_of(take: str, name: str) -> bool:
    """Whether a take, also one that the storyboard no longer has, is of the shot, the variant or the take of this name."""
    variant = take.rpartition(".")[0]
    return name in (take, variant, variant.partition("@")[0])


def _prompt(inputs: object) -> str:
    body = inputs.get("body") if isinstance(inputs, dict) else None
    return str(body.get("prompt") or "") if isinstance(body, dict) else ""
