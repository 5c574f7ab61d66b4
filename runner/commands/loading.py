"""From what was typed to requests: the part that `validate`, `plan` and `run` share. Reads files, writes nothing."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from runner.adapters import catalog, prices
from runner.adapters.files import Checkout, Files, reader
from runner.adapters.files import Unreadable as NotReadable
from runner.adapters.media import PROBE_VERSION, Probe, Unreadable, digest, facts_from_json
from runner.adapters.root import Project, project_of, tracked_by_git
from runner.adapters.signature import LfsPointer
from runner.commands import picked
from runner.commands.options import Options
from runner.commands.provider import service_of
from runner.contract.model import Model
from runner.core.collecting import uncollected
from runner.core.diagnostics import Diagnostic, Label, Rejected, Severity, Span, has_errors, in_file_order
from runner.core.errors import Refused
from runner.core.media import MediaFacts, Pointer
from runner.core.request import Request
from runner.core.spelling import nearest
from runner.language import pipeline as pipelines
from runner.language import storyboard as storyboards
from runner.language.exec_step import Exec
from runner.language.generate_step import Takes
from runner.language.picks import Picks
from runner.language.pipeline import Assemble, Pipeline, Timeline
from runner.language.storyboard import Storyboard
from runner.language.take import Take
from runner.planning.chain import build_all
from runner.planning.edit import axis_faults, chosen, file_faults
from runner.planning.faults import override_faults
from runner.planning.ladder import Choice, choice
from runner.planning.request import Built, Context
from runner.planning.service import Service
from runner.steps import film
from runner.steps.film import Film
from runner.steps.score import SHORT

Cached = Callable[[str, int], Mapping[str, object] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A storyboard under a pipeline, as far as it is lawful. `identity` is its path from the root without suffix: what its
    budget and its outputs go by. `choice` tells which takes the pipeline does not make, `free_pipelines` those in the picks that cost
    nothing. `films` are those of the pipeline's steps. `facts` tell of each local medium, by path, what it is or
    why it cannot be used; `found` are those probed now, by digest, that no cache held."""

    project: Project
    identity: str
    storyboard: Storyboard
    picks: Picks
    free_pipelines: frozenset[str]
    choice: Choice
    pipeline: Pipeline
    models: Mapping[str, Model]
    service: Service
    context: Context
    built: tuple[Built, ...]
    films: tuple[Film, ...]
    facts: Mapping[str, MediaFacts | Pointer | str]
    diagnostics: tuple[Diagnostic, ...]
    found: Mapping[str, MediaFacts]

    @property
    def requests(self) -> dict[str, Request]:
        return {b.take.id: b.request for b in self.built if b.request is not None}

    def unshipped(self) -> dict[str, str]:
        """The models in use whose prices are not those shipped with Shotrunner, and the file of the project that states them."""
        found = {}
        for name in sorted({request.model for request in self.requests.values()}):
            model = self.models[name]
            offer = model.providers.get(self.service.provider.name)
            own = offer.origin if offer is not None else ""
            if own or name not in catalog.shipped_models():
                found[name] = own or model.origin
        return found

    def demand(self) -> None:
        """Raise `Rejected` with every diagnostic unless all of it is lawful."""
        if has_errors(self.diagnostics):
            raise Rejected(self.diagnostics)


def project(file: Path, options: Options) -> tuple[Project, str]:
    """The project of a storyboard file, and the file's path from its root. Raises `Refused`."""
    if not file.is_file():
        raise Refused(f"there is no storyboard {file}", help=_other_storyboards(file))
    found = project_of(file, options.state)
    if tracked_by_git(found.root, found.state):
        raise Refused(
            f"the state folder {found.state} is tracked by git",
            help="`git rm -r --cached .shotrunner`: it belongs to one machine and holds what is paid",
        )
    try:
        return found, file.resolve().relative_to(found.root).as_posix()
    except ValueError:
        raise Refused(f"{file} lies outside the project's root {found.root}") from None


def load(place: Project, path: str, options: Options, cached: Cached, files: Files | None = None) -> Loaded:
    """Everything up to the requests, out of `files`: by default those that lie at the project's root. Raises `Rejected` when
    nothing can be unfolded, `Refused` for what was typed wrong."""
    files = files or Checkout(root=place.root, shown_from=Path.cwd())
    try:
        models, broken = prices.priced(catalog.models(files), files), None
    except Rejected as rejected:  # the storyboard's own faults are told with the models'
        models, broken = catalog.shipped_models(), rejected
    calls = {model.name: model.calls for model in models.values()}
    storyboard = storyboards.load(path, reader(files), options.variables, calls)
    try:
        if broken is not None:
            raise broken
        picks, unread = _picks(files, path, options)
        pipeline = _pipeline(storyboard, place.root, files, options)
    except Rejected as rejected:
        raise Rejected(in_file_order((*storyboard.diagnostics, *rejected.diagnostics))) from None
    service = service_of(pipeline, options, os.environ)
    paths = dict.fromkeys(u.path for t in storyboard.takes for m in t.media.values() for u in m.uses if u.path)
    paths |= dict.fromkeys(use.path for cut in storyboard.cuts for use in cut.files() if use.path)
    facts, found = _probe(files, list(paths), cached)
    context = Context(
        models=models,
        overrides=pipeline.overrides,
        facts=facts,
        service=service,
        today=datetime.now(UTC).date(),
        picks=picked.takes(picks, storyboard.takes),
    )
    cut = chosen(storyboard.takes, picks.takes())
    with uncollected():
        built = build_all(storyboard.takes, context)
        diagnostics = (
            *storyboard.diagnostics,
            *override_faults(models, pipeline.overrides),
            *(d for b in built for d in b.diagnostics),
            *(d for c in storyboard.cuts for d in file_faults(c, facts)),
            *(d for c in storyboard.cuts for d in axis_faults(c, cut)),
            *_unknown_cuts(storyboard, pipeline),
            *picked.unknown(picks, storyboard.takes),
            *unread,
        )
        steps = tuple(step for step in pipeline.steps if isinstance(step, Assemble))
        made: tuple[Film, ...] = ()
        if not has_errors(diagnostics):
            made = tuple(f for step in steps for f in film.films(step, storyboard.cuts, cut))
            diagnostics = (
                *diagnostics,
                *_cut_faults(storyboard, cut, built, made, facts),
                *_same_outputs(made, pipeline),
            )
    return Loaded(
        project=place,
        identity=path.removesuffix(Path(path).suffix),
        storyboard=storyboard,
        picks=picks,
        free_pipelines=picked.free(picks, files),
        choice=_choice(storyboard, picks, pipeline, files),
        pipeline=pipeline,
        models=models,
        service=service,
        context=context,
        built=built,
        films=made,
        facts=facts,
        diagnostics=in_file_order(diagnostics),
        found=found,
    )


def _picks(files: Files, path: str, options: Options) -> tuple[Picks, tuple[Diagnostic, ...]]:
    """The picks, and what is remarked on them. What only fetches goes on without: links die, and none of them hangs on a pick."""
    try:
        return picked.read(files, path), ()
    except Rejected as rejected:
        if not options.collecting:
            raise
        note = "collect goes on without picks; everything else waits until this is mended"
        found = (replace(d, severity=Severity.WARNING, notes=(*d.notes, note)) for d in rejected.diagnostics)
        return Picks(), tuple(found)


def _choice(storyboard: Storyboard, picks: Picks, pipeline: Pipeline, files: Files) -> Choice:
    if pipeline.generate.takes is Takes.ALL:
        return Choice()
    takes = [take for take in storyboard.takes if not take.skip]
    return choice(takes, picks, storyboard=files.shown(storyboard.source.path))


def _cut_faults(
    storyboard: Storyboard,
    takes: Sequence[Take],
    built: Sequence[Built],
    made: Sequence[Film],
    facts: Mapping[str, MediaFacts | Pointer | str],
) -> Iterator[Diagnostic]:
    """Trims, transitions and voices that the clips asked for will not be long enough for; of every cut, made here or not."""
    requests = {b.take.id: b.request for b in built if b.request is not None}
    seconds = {
        path: known.seconds
        for path, found in facts.items()
        if (known := found.facts if isinstance(found, Pointer) else found)
        and isinstance(known, MediaFacts)
        and known.seconds
    }
    others = [cut for cut in storyboard.cuts if not any(one.edit.cut is cut for one in made)]
    unmade = [f for cut in others for f in film.films(film.plain(cut), (cut,), takes)]
    told = set()
    for one in (*made, *unmade):
        for fault in film.rehearse(one, requests, seconds):
            cut = one.edit.cut
            place, mend = fault.span or (cut.span if cut else None), fault.mend or film.MENDS
            if fault.number is not None:
                slot = one.edit.slots[fault.number]
                place, mend = slot.span, SHORT if slot.file else mend
            if (str(fault), place) not in told:
                told.add((str(fault), place))
                yield Diagnostic(code="bad-cut", headline=str(fault), span=place, help=mend)


def _unknown_cuts(storyboard: Storyboard, pipeline: Pipeline) -> Iterator[Diagnostic]:
    names = [cut.name for cut in storyboard.cuts]
    for step in pipeline.steps:
        if not isinstance(step, Assemble) or step.cut is None or step.cut.value in names:
            continue
        meant = nearest(str(step.cut.value), names)
        listed = f"its cuts: {', '.join(names)}" if names else "it has no `cuts`"
        yield Diagnostic(
            code="unknown-cut",
            headline=f"`{storyboard.source.name}` has no cut `{step.cut.value}`",
            span=step.cut.span,
            help=f"did you mean `{meant}`? {listed}" if meant else listed,
        )


def _same_outputs(made: Sequence[Film], pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Films and timelines that would be written over each other, or over what a program makes: only the cuts tell what they are called."""
    first = {name.casefold(): step.span for step in pipeline.steps if isinstance(step, Exec) for name in step.outputs}
    named: list[tuple[str, Assemble | Timeline]] = [(one.output, one.step) for one in made]
    for step in pipeline.steps:
        if isinstance(step, Timeline):
            named += [(name, step) for _, name in film.timelines(step, made)]
    for name, step in named:
        before = first.setdefault(name.casefold(), step.span)
        if before is not step.span:
            yield Diagnostic(
                code="bad-path",
                headline=f"two steps make `{name}`",
                span=step.span,
                others=(Label(span=before, text="the other one"),),
                help="give one of them an `output` of its own",
            )


def _pipeline(storyboard: Storyboard, root: Path, files: Files, options: Options) -> Pipeline:
    """By option, else by the storyboard, else `draft`. A name is looked up shipped first; a path stands in a project file."""
    setting = storyboard.pipeline
    wanted = options.pipeline or (str(setting.value) if setting else "draft")
    span = setting.span if setting and not options.pipeline else None
    try:
        if "/" in wanted or wanted.endswith((".yaml", ".yml")):
            source = files.text(wanted if span else os.path.relpath(Path(wanted).absolute(), root))
        else:
            found = catalog.pipeline(wanted, files)
            if found is None:
                raise Rejected([_no_pipeline(wanted, span, files)])
            source = found
    except NotReadable as fault:
        headline = f"the pipeline `{wanted}` {fault.reason}"
        raise Rejected([Diagnostic(code="unknown-pipeline", headline=headline, span=span)]) from None
    return pipelines.load(source)


def _no_pipeline(wanted: str, span: Span | None, files: Files) -> Diagnostic:
    names = catalog.pipelines(files)
    meant = nearest(wanted, names)
    advice = f"did you mean `{meant}`?" if meant else f"pipelines here: {', '.join(names)}"
    return Diagnostic(code="unknown-pipeline", headline=f"there is no pipeline `{wanted}`", span=span, help=advice)


def _probe(
    files: Files, paths: Sequence[str], cached: Cached
) -> tuple[dict[str, MediaFacts | Pointer | str], dict[str, MediaFacts]]:
    """By path what is known of a medium, or why it cannot be used; and, by digest, facts that had to be probed now."""
    known: dict[str, MediaFacts | Pointer | str] = {}
    found: dict[str, MediaFacts] = {}

    def remembered(sha256: str) -> MediaFacts | None:
        facts = cached(sha256, PROBE_VERSION)
        return found.get(sha256) if facts is None else facts_from_json(dict(facts))

    with Probe() as probe:
        for path in paths:
            try:
                with files.on_disk(path) as real:
                    sha256, _ = digest(real)
                    facts = remembered(sha256)
                    if facts is None:
                        facts = found[sha256] = probe.facts(real)
                    known[path] = facts
            except LfsPointer as told:
                known[path] = Pointer(sha256=told.sha256, size_bytes=told.size_bytes, facts=remembered(told.sha256))
            except NotReadable as fault:
                known[path] = fault.reason
            except Unreadable as fault:
                known[path] = f"cannot be used: {fault.reason}"
            except OSError as fault:
                known[path] = f"cannot be read ({fault.strerror})"
    return known, found


def _other_storyboards(file: Path) -> str:
    folder = file.parent
    names = [p.name for p in sorted(folder.glob("*.y*ml"))[:50]] if folder.is_dir() else []
    meant = nearest(file.name, names)
    if meant:
        return f"did you mean {folder / meant}?"
    return (
        f"YAML files there: {', '.join(names[:8])}"
        if names
        else "name a storyboard, a YAML file that begins with `storyboard: 1`"
    )
