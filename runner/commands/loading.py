"""From what was typed to requests: the part that `validate`, `plan` and `run` share. Reads files, writes nothing."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runner.adapters import catalog
from runner.adapters.files import Unreadable as NotReadable
from runner.adapters.files import read_text, reader, resolve
from runner.adapters.media import PROBE_VERSION, Probe, Unreadable, digest, facts_from_json
from runner.adapters.root import Project, project_of, tracked_by_git
from runner.commands.options import Options
from runner.commands.provider import service_of
from runner.contract.model import Model
from runner.core.diagnostics import Diagnostic, Rejected, Source, has_errors, in_file_order
from runner.core.errors import Refused
from runner.core.media import MediaFacts
from runner.core.request import Request
from runner.core.spelling import nearest
from runner.language import pipeline as pipelines
from runner.language import storyboard as storyboards
from runner.language.pipeline import Assemble, Pipeline
from runner.language.storyboard import Storyboard
from runner.planning.request import Built, Context, build, override_faults
from runner.planning.service import Service
from runner.steps import film
from runner.steps.cut import BadCut

Cached = Callable[[str, int], Mapping[str, object] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A storyboard under a pipeline, as far as it is lawful. `identity` is its path from the root without suffix: what its
    budget and its outputs go by. `found` are facts of media probed now, by digest, that no cache held."""

    project: Project
    identity: str
    storyboard: Storyboard
    pipeline: Pipeline
    models: Mapping[str, Model]
    service: Service
    built: tuple[Built, ...]
    diagnostics: tuple[Diagnostic, ...]
    found: Mapping[str, MediaFacts]

    @property
    def requests(self) -> dict[str, Request]:
        return {b.take.id: b.request for b in self.built if b.request is not None}

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


def load(place: Project, path: str, options: Options, cached: Cached) -> Loaded:
    """Everything up to the requests. Raises `Rejected` when nothing can be unfolded, `Refused` for what was typed wrong."""
    here = Path.cwd()
    read = reader(place.root, here)
    storyboard = storyboards.load(path, read, options.variables)
    try:
        models = catalog.models(place.root, here)
        pipeline = _pipeline(storyboard, place.root, here, options)
    except Rejected as rejected:
        raise Rejected(in_file_order((*storyboard.diagnostics, *rejected.diagnostics))) from None
    service = service_of(pipeline, options, os.environ)
    paths = dict.fromkeys(u.path for t in storyboard.takes for m in t.media.values() for u in m.uses if u.path)
    facts, found = _probe(place.root, list(paths), cached)
    context = Context(
        models=models,
        overrides=pipeline.overrides,
        facts=facts,
        service=service,
        today=datetime.now(UTC).date(),
    )
    built = tuple(build(take, context) for take in storyboard.takes)
    diagnostics = (
        *storyboard.diagnostics,
        *override_faults(models, pipeline.overrides),
        *(d for b in built for d in b.diagnostics),
    )
    if not has_errors(diagnostics):
        diagnostics = (*diagnostics, *_cut_faults(storyboard, built, pipeline))
    return Loaded(
        project=place,
        identity=path.removesuffix(Path(path).suffix),
        storyboard=storyboard,
        pipeline=pipeline,
        models=models,
        service=service,
        built=built,
        diagnostics=in_file_order(diagnostics),
        found=found,
    )


def _cut_faults(storyboard: Storyboard, built: Sequence[Built], pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Trims and dissolves that the clips asked for will not be long enough for."""
    requests = {b.take.id: b.request for b in built if b.request is not None}
    for step in (s for s in pipeline.steps if isinstance(s, Assemble)):
        try:
            film.rehearse(storyboard.takes, requests, step)
        except BadCut as fault:
            place = next((t.span for t in film.chosen(storyboard.takes) if t.variant == fault.name), None)
            yield Diagnostic(code="bad-cut", headline=str(fault), span=place)


def _pipeline(storyboard: Storyboard, root: Path, here: Path, options: Options) -> Pipeline:
    """By option, else by the storyboard, else `draft`. A name is looked up shipped first; a path stands in a project file."""
    setting = storyboard.pipeline
    wanted = options.pipeline or (str(setting.value) if setting else "draft")
    span = setting.span if setting and not options.pipeline else None
    if "/" in wanted or wanted.endswith((".yaml", ".yml")):
        path = wanted if span else os.path.relpath(Path(wanted).absolute(), root)
        try:
            source = read_text(root, path, os.path.relpath(root / path, here))
        except NotReadable as fault:
            raise Rejected(
                [Diagnostic(code="unknown-pipeline", headline=f"the pipeline `{wanted}` {fault.reason}", span=span)]
            ) from None
        return pipelines.load(source)
    file = catalog.pipeline_path(wanted, root)
    if file is None:
        names = catalog.pipelines(root)
        meant = nearest(wanted, names)
        advice = f"did you mean `{meant}`?" if meant else f"pipelines here: {', '.join(names)}"
        raise Rejected(
            [Diagnostic(code="unknown-pipeline", headline=f"there is no pipeline `{wanted}`", span=span, help=advice)]
        )
    if file.is_relative_to(root):
        path = file.relative_to(root).as_posix()
        return pipelines.load(read_text(root, path, os.path.relpath(file, here)))
    return pipelines.load(
        Source(path=f"pipelines/{file.name}", name=f"pipelines/{file.name}", text=file.read_text(encoding="utf-8"))
    )


def _probe(
    root: Path, paths: Sequence[str], cached: Cached
) -> tuple[dict[str, MediaFacts | str], dict[str, MediaFacts]]:
    """Facts by path, or why there are none; and, by digest, those that had to be probed now."""
    facts: dict[str, MediaFacts | str] = {}
    found: dict[str, MediaFacts] = {}
    with Probe() as probe:
        for path in paths:
            try:
                real = resolve(root, path)
                sha256, _ = digest(real)
                known = cached(sha256, PROBE_VERSION)
                if known is not None:
                    facts[path] = facts_from_json(dict(known))
                else:
                    facts[path] = found[sha256] = found.get(sha256) or probe.facts(real)
            except NotReadable as fault:
                facts[path] = fault.reason
            except Unreadable as fault:
                facts[path] = f"cannot be used: {fault.reason}"
            except OSError as fault:
                facts[path] = f"cannot be read ({fault.strerror})"
    return facts, found


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
