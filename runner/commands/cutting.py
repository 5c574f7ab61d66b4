"""Films of a run: what each is cut from, as it lies here now, and what the manifest says of it."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from runner.adapters.files import Unreadable as NotReadable
from runner.adapters.files import resolve
from runner.adapters.media import Unreadable, digest
from runner.adapters.outputs import Outputs
from runner.commands.deciding import Decided
from runner.commands.loading import Loaded
from runner.core.media import MediaFacts
from runner.steps import film
from runner.steps.cut import BadCut
from runner.steps.film import Film, Material


def record(wanted: Film) -> dict[str, object]:
    """What the manifest says of a film before it is made."""
    found: dict[str, object] = {"step": "assemble", "output": wanted.output}
    return found if wanted.edit.cut is None else {**found, "cut": wanted.edit.cut.name}


async def cut(
    wanted: Film,
    gather: Callable[[], Material],
    outputs: Outputs,
    *,
    begun: Callable[[], None],
    stopped: Callable[[], bool],
) -> dict[str, Any]:
    """Make the film unless it is already made of just this; what its record says then."""
    try:
        gathered = gather()
        pieces = film.pieces(wanted, gathered)
        known = await film.made_already(wanted, pieces, gathered, outputs)
        if known is not None:
            return {"status": "done", "sha256": known, "made": False}
        begun()
        sha256 = await film.assemble(wanted, pieces, gathered, outputs, stopped)
    except film.Stopped:
        return {"status": "stopped"}
    except film.Incomplete as fault:
        return {"status": "stopped", "missing": list(fault.takes)}
    except (BadCut, Unreadable) as fault:
        return {"status": "failed", "error": str(fault)}
    return {"status": "done", "sha256": sha256, "made": True}


def material(
    wanted: Film,
    loaded: Loaded,
    placed: Mapping[str, str],
    results: Mapping[str, Mapping[str, object]],
    words: Mapping[str, str],
    outputs: Outputs,
    size: tuple[int, int] | None = None,
) -> Material:
    """What the film is cut from. By take, `placed` is its clip's file, `results` what is known of it, `words` what became of it;
    `size` is the film's frame, where that is not its first clip's.

    Raises Unreadable for a file of the project that is not what it was when the run began.
    """
    clips = {take: outputs.path(name) for take, name in placed.items() if take in results}
    digests = {path: str(results[take].get("sha256")) for take, path in clips.items()}
    files, seconds = {}, {}
    for path in dict.fromkeys(use.path for use in (wanted.edit.cut.files() if wanted.edit.cut else ()) if use.path):
        facts = loaded.facts[path]
        if not isinstance(facts, MediaFacts) or facts.seconds is None:
            raise Unreadable(f"`{path}` is not here: `git lfs pull` brings it")
        try:
            files[path] = resolve(loaded.project.root, path)
            digests[files[path]], _ = digest(files[path])
        except NotReadable as fault:
            raise Unreadable(f"`{path}` {fault.reason}") from None
        if digests[files[path]] != facts.sha256:
            raise Unreadable(f"`{path}` changed while the run was under way: run again")
        seconds[path] = facts.seconds
    return Material(
        requests=loaded.requests,
        clips=clips,
        seconds={take: Decimal(str(result.get("duration_s"))) for take, result in results.items()},
        words=words,
        files=files,
        file_seconds=seconds,
        digests=digests,
        size=size,
    )


def frame_of(wanted: Film, decided: Decided, placed: Mapping[str, str]) -> tuple[int, int] | None:
    """The frame of a film that begins with a clip which was picked at another size than its pipeline makes: the pipeline's. None
    where its first clip's own is right."""
    first = next((slot for slot in wanted.edit.slots if slot.file or (slot.take and slot.take.id in placed)), None)
    if first is None or first.take is None:
        return None
    asked, kept = decided.loaded.requests.get(first.take.id), decided.kept.get(first.take.id)
    if asked is None or kept is None or kept.key == asked.key or kept.result is None:
        return None
    size = asked.width_px, asked.height_px
    return None if size == (kept.result.get("width_px"), kept.result.get("height_px")) else size
