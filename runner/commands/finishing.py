"""What is made of the clips once they are here: films, and what a program of the user's own makes; a record a step."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.adapters import program
from runner.adapters.files import MISSING, Unreadable, resolve, sha256_of, write_whole
from runner.adapters.journal import Journal
from runner.adapters.media import Unreadable as Undecodable
from runner.adapters.outputs import Outputs
from runner.commands import cutting, sheet, timelines
from runner.commands.account import latest
from runner.commands.account import words as words_of
from runner.commands.deciding import Decided
from runner.commands.loading import Loaded
from runner.language.exec_step import Exec
from runner.language.generate_step import Generate
from runner.language.pipeline import Assemble, Report, Step, Timeline
from runner.planning.history import History
from runner.screen import report as view_of
from runner.screen.clean import words
from runner.steps import command, film, interchange
from runner.steps.cut import BadCut
from runner.steps.film import Film

Record = dict[str, object]  # of a step, as the manifest has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a run stands at when its clips are here. `placed` is the clip of each take in the out folder; `document` the
    manifest as of now; `note` says a line while it works; `stopped` tells that the run is to end."""

    loaded: Loaded
    decided: Decided
    history: History
    journal: Journal
    outputs: Outputs
    placed: Mapping[str, str]
    document: Callable[[], Mapping[str, object]]
    note: Callable[[str], None]
    stopped: Callable[[], bool]

    @property
    def clips(self) -> dict[str, Mapping[str, object]]:
        """What is known of each take's clip, by take."""
        requests = {a.take.id: a.request for a in self.decided.plan.actions if a.request is not None}
        found = {take: latest(requests[take].key, self.history) for take in self.placed if take in requests}
        return {take: (known.result if known else None) or {} for take, known in found.items()}


async def finish(steps: Sequence[Step], made: Made, records: list[Record]) -> None:
    """Carry out the steps behind `generate`, in order; each leaves its record, begun before it works. Raises OSError."""
    for step in steps:
        match step:
            case Generate():
                continue
            case Assemble():
                for wanted in (each for each in made.loaded.films if each.step is step):
                    records.append(cutting.record(wanted))
                    records[-1].update(await _film(wanted, made))
            case Timeline():
                for wanted, name in film.timelines(step, made.loaded.films):
                    records.append({"step": "timeline", "output": name})
                    records[-1].update(await _timeline(wanted, name, made))
            case Report():
                records.append({"step": "report", "output": step.output})
                records[-1].update(await _report(step, made))
            case Exec():
                before = [record for record in records if record["status"] != "done"]
                records.append({"step": "exec", "command": list(step.command)})
                records[-1].update(await _exec(step, made, records[:-1]) if not before else _held(before[0]))


def _held(by: Record) -> Record:
    return {"status": "stopped", "error": f"{by.get('output') or by['step']} was not made"}


async def _timeline(wanted: Film, name: str, made: Made) -> Record:
    """Write the film's timeline; an equal one is left as it is."""
    if made.stopped():
        return {"status": "stopped"}
    said, results = words_of(made.decided, made.history), made.clips
    size = cutting.frame_of(wanted, made.decided, made.placed)
    try:
        known = timelines.Known(
            loaded=made.loaded,
            decided=made.decided,
            material=cutting.material(wanted, made.loaded, made.placed, results, said, made.outputs, size),
            placed=made.placed,
            results=results,
            out=made.outputs.path(""),
        )
        text = timelines.text(wanted, name, known)
    except film.Incomplete as fault:
        return {"status": "stopped", "missing": list(fault.takes)}
    except (BadCut, Undecodable) as fault:
        return {"status": "failed", "error": str(fault)}
    if not name.endswith(".otio"):
        return await _export(name, text, made)
    content = text.encode("utf-8", "surrogatepass")
    sha256 = hashlib.sha256(content).hexdigest()
    new = await made.outputs.still(name, sha256) is None
    if new:
        await asyncio.to_thread(write_whole, made.outputs.path(name), content)
        await made.outputs.note(name, sha256, sha256)
    return {"status": "done", "sha256": sha256, "made": new}


async def _export(name: str, text: str, made: Made) -> Record:
    """Write a timeline in another format, unless it is already made of just this; say what that has no place for."""
    export = interchange.Export(target=made.outputs.path(name), text=text)
    left_out: Record = {"left_out": list(export.left_out)} if export.left_out else {}
    known = await made.outputs.still(name, export.fingerprint)
    if known is not None:
        return {"status": "done", "sha256": known.sha256, "made": False, **left_out}
    if left_out:
        made.note(f"{name} has no place for {', '.join(export.left_out)}")
    try:
        await asyncio.to_thread(export.write, made.stopped)
    except film.Stopped:
        return {"status": "stopped"}
    except interchange.Unwritable as fault:
        return {"status": "failed", "error": str(fault)}
    sha256 = await asyncio.to_thread(sha256_of, export.target)
    await made.outputs.note(name, sha256, export.fingerprint)
    return {"status": "done", "sha256": sha256, "made": True, **left_out}


async def _report(step: Report, made: Made) -> Record:
    """Write the page and the contact sheet of all that was made; equal ones are left as they are."""
    if made.stopped():
        return {"status": "stopped"}
    document = made.document()
    clips = sheet.placed(document, made.outputs.path(""))
    seen = await asyncio.to_thread(sheet.look, made.loaded, made.decided, made.history, made.journal, document, clips)
    page = view_of.html(seen.sheet).encode()
    sha256 = hashlib.sha256(page).hexdigest()
    new = await made.outputs.still(step.output, sha256) is None
    if new:
        await asyncio.to_thread(write_whole, made.outputs.path(step.output), page)
        await made.outputs.note(step.output, sha256, sha256)
    record: Record = {"status": "done", "sha256": sha256, "made": new}
    if step.sheet is not None:
        picture = made.outputs.path(step.sheet)
        await asyncio.to_thread(lambda: write_whole(picture, seen.contact))
        drawn = sha256_of(picture)
        await made.outputs.note(step.sheet, drawn, drawn)
        record["outputs"] = [{"output": step.sheet, "sha256": drawn}]
    return record


async def _film(wanted: Film, made: Made) -> Record:
    """Cut the film, unless it is already made of just these clips or the run was stopped."""
    if made.stopped():
        return {"status": "stopped"}
    said, size = words_of(made.decided, made.history), cutting.frame_of(wanted, made.decided, made.placed)
    return await cutting.cut(
        wanted,
        lambda: cutting.material(wanted, made.loaded, made.placed, made.clips, said, made.outputs, size),
        made.outputs,
        begun=lambda: made.note(f"cutting {wanted.output}"),
        stopped=made.stopped,
    )


async def _exec(step: Exec, made: Made, before: Sequence[Record]) -> Record:
    """Run the program, unless what it makes is there and was made of just these clips and films by just these words."""
    if made.stopped():
        return {"status": "stopped"}
    films = {str(record["output"]): str(record["sha256"]) for record in before if record.get("output")}
    clips = {take: str(clip.get("sha256")) for take, clip in made.clips.items()}
    fingerprint = command.fingerprint(step, clips, films)
    known = [await made.outputs.still(name, fingerprint) for name in step.outputs]
    if step.outputs and all(known):
        outputs = [{"output": n, "sha256": k.sha256} for n, k in zip(step.outputs, known, strict=True) if k]
        return {"status": "done", "made": False, "outputs": outputs}
    made.note(f"running {words(step.command[0])}")
    folder = made.outputs.path("")
    try:
        ended = await program.run(
            step.command, folder, environ=os.environ, timeout_s=step.timeout_s, stopped=made.stopped
        )
    except OSError as fault:
        return {"status": "failed", "error": f"{step.command[0]} cannot be started: {fault.strerror}"}
    if ended.why or ended.code:
        stopped = made.stopped()
        return {"status": "stopped" if stopped else "failed", "error": command.said_of(step, ended)}
    return await _taken(step, fingerprint, folder, made.outputs)


async def _taken(step: Exec, fingerprint: str, folder: Path, outputs: Outputs) -> Record:
    """The files it was to make are there: ours from now on."""
    found = []
    for name in step.outputs:
        try:
            sha256 = sha256_of(resolve(folder, name))
        except Unreadable as fault:
            wanting = "was not made" if fault.reason == MISSING else fault.reason
            return {"status": "failed", "error": f"{step.command[0]} ended well, but {name} {wanting}"}
        await outputs.note(name, sha256, fingerprint)
        found.append({"output": name, "sha256": sha256})
    return {"status": "done", "made": True, "outputs": found}
