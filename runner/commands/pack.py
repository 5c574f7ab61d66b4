"""`shotrunner pack`: a storyboard with all it is made of and all that was made, in one archive. Writes nothing else."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from runner.adapters import archive, catalog, prices
from runner.adapters.files import Unreadable, resolve, sha256_of
from runner.adapters.lockfile import SUFFIX as LOCK
from runner.adapters.store import Store
from runner.commands import loading, picked
from runner.commands.gitlock import GitLock
from runner.commands.loading import Loaded
from runner.commands.options import Options
from runner.commands.peek import peeked
from runner.core.errors import Exit, Refused
from runner.core.media import Pointer
from runner.planning import lockfile
from runner.planning import pack as packs
from runner.planning.history import History
from runner.planning.pack import Index, Member
from runner.screen import pack as view_of
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal

ENDING = ".pack.zip"


def pack(file: Path, target: Path | None, options: Options, view: Format, terminal: Terminal) -> Exit:
    """Write the archive. Raises `Rejected`, `Refused`."""
    place, path = loading.project(file, options)
    with peeked(place.state) as journal:
        loaded = loading.load(place, path, options, journal.probed if journal else lambda *_: None)
        loaded.demand()
        history: History = journal.history() if journal else {}
        lock = GitLock.of(loaded)
        lines = lock.lines(history, free=lambda _: False)
        clips = dict(_clips(lines, Store(place.state), terminal))
        finished = packs.finished(lines, tuple(clips))
        inputs = {line.key: known for line in finished if journal and (known := journal.inputs(line.key)) is not None}
        text = lock.current(history)
    contents: dict[str, bytes | Path] = {
        packs.JOURNAL: lockfile.text(finished).encode(),
        packs.REQUESTS: packs.requests_text(inputs).encode(),
        **{f"{packs.PROJECT}{name}": real for name, real in _files(loaded).items()},
        **{f"clips/{sha256}.mp4": clip for sha256, clip in clips.items()},
    }
    if text is not None:
        contents[f"{packs.PROJECT}{loaded.identity}{LOCK}"] = text.encode()
    members = tuple(_member(name, content) for name, content in sorted(contents.items()))
    index = Index(
        storyboard=path, pipeline=_pipeline(loaded, options), provider=options.provider or "", members=members
    )
    target = target or Path.cwd() / f"{Path(path).stem}{ENDING}"
    try:
        size = archive.write(target, [(packs.INDEX, index.text().encode()), *sorted(contents.items())])
    except OSError as fault:
        raise Refused(f"{target} cannot be written: {fault.strerror}") from fault
    packed = view_of.Packed(archive=os.path.relpath(target), size_bytes=size, index=index)
    terminal.out(view_of.as_json(packed) if view is Format.JSON else view_of.text(packed))
    return Exit.DONE


def _pipeline(loaded: Loaded, options: Options) -> str:
    """As it is to be typed at the project's root; "" where nobody asked for one."""
    if options.pipeline is None:
        return ""
    own = loaded.pipeline.source.path
    return own if "/" in options.pipeline or options.pipeline.endswith((".yaml", ".yml")) else options.pipeline


def _clips(lines: tuple[lockfile.Line, ...], store: Store, terminal: Terminal) -> Iterator[tuple[str, Path]]:
    """Every clip of the storyboard that is here with its own bytes."""
    for sha256, size in {(line.sha256, line.size_bytes): None for line in lines if line.sha256}:
        if size is not None and store.has(sha256, size):
            if store.intact(sha256):
                yield sha256, store.path(sha256)
            else:
                terminal.alarm(f"clip {sha256[:12]} has other bytes than were bought: it is left out\n")


def _files(loaded: Loaded) -> dict[str, Path]:
    """Every file of the project that the storyboard is made of, by its path from the root. Raises `Refused`."""
    root = loaded.project.root
    names = {source.path for source in loaded.storyboard.sources}
    names |= {
        use.path for take in loaded.storyboard.takes for media in take.media.values() for use in media.uses if use.path
    }
    names |= {use.path for cut in loaded.storyboard.cuts for use in cut.files() if use.path}
    models = {b.request.model for b in loaded.built if b.request is not None}
    names |= {path(model) for model in models for path in (catalog.path_of, prices.path_of)}
    names |= {loaded.pipeline.source.path, picked.name_of(loaded.storyboard.source.path)}
    found: dict[str, Path] = {}
    for name in sorted(names):
        try:
            real = resolve(root, name)
        except Unreadable:
            continue  # a shipped model or pipeline; what is the project's own was read a moment ago
        found[name] = real
    pointers = [name for name in found if isinstance(loaded.facts.get(name), Pointer)]
    if pointers:
        raise Refused(
            f"{pointers[0]} is a Git LFS pointer: the file itself is not here", help="`git lfs pull` brings it"
        )
    return found


def _member(name: str, content: bytes | Path) -> Member:
    if isinstance(content, bytes):
        return Member(name=name, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
    return Member(name=name, sha256=sha256_of(content), size_bytes=content.stat().st_size)
