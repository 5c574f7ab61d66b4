"""`shotrunner diff`: what has become of every take between two storyboards or git revisions, and what that costs. Writes nothing."""

import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from runner.adapters.files import MISSING, Checkout, Files, Unreadable
from runner.adapters.git import NotSaid
from runner.adapters.media import facts_to_json
from runner.adapters.revision import Revision
from runner.adapters.root import Project, git_top, read_only
from runner.commands import approval, loading
from runner.commands.loading import Loaded
from runner.commands.options import Options
from runner.core.diagnostics import Diagnostic, Rejected, has_errors
from runner.core.errors import Exit, Refused
from runner.core.spelling import nearest
from runner.planning.diff import Comparison, compare
from runner.planning.request import Built
from runner.screen import diff as view_of
from runner.screen.diagnostics import Format, formatted
from runner.screen.diff_markdown import fenced, markdown
from runner.screen.diff_words import Side
from runner.screen.terminal import Terminal

SUFFIXES = (".yaml", ".yml")
SIDES = "a side is a file, REV:path, or a revision beside a file: `shotrunner diff main film.yaml`"
FROM_THE_ROOT = "paths of a revision are from the project's root; `REV:./path` is from where you stand"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """One side as it was typed: a file of a project, as it lies on disk or in a revision. `there` False: it has no such file."""

    place: Project
    path: str
    files: Files
    name: str
    commit: str = ""
    there: bool = True


def diff(a: str, b: str, options: Options, view: Format, terminal: Terminal, *, as_markdown: bool = False) -> Exit:
    """Print the differences from `a` to `b`. Raises `Rejected`, `Refused`."""
    old, new = _sides(a, b)
    try:
        before, after = _load(old, new, options)
    except Rejected as rejected:
        if not as_markdown:
            raise
        terminal.out(fenced(formatted(rejected.diagnostics, Format.TEXT)))
        return Exit.REFUSED
    if after.diagnostics and view is Format.TEXT:
        terminal.talk(formatted(after.diagnostics, view, colour=terminal.colour_err))
    known = approval.approved(after, {}, ())  # without a journal a pick is taken at its word
    kept = [b.take.id for b in after.built if b.request is not None and known.lost(b.request)]
    found = compare(_made(before) if old.there else (), _made(after) if new.there else (), kept)
    sides = _side(old, before), _side(new, after)
    terminal.out(markdown(found, *sides) if as_markdown else _shown(found, *sides, view, terminal))
    return Exit.DONE


def _made(loaded: Loaded) -> list[Built]:
    """The takes that the pipeline makes."""
    return [b for b in loaded.built if b.take.id not in loaded.choice.left_out]


def _shown(found: Comparison, old: Side, new: Side, view: Format, terminal: Terminal) -> str:
    match view:
        case Format.JSON:
            return view_of.as_json(found, old, new)
        case Format.CONCISE:
            return view_of.concise(found, new)
        case Format.TEXT | Format.GITHUB:
            return view_of.text(found, old, new, colour=terminal.colour_out)


def _side(named: _Named, loaded: Loaded) -> Side:
    return Side(
        name=named.name,
        commit=named.commit,
        pipeline=loaded.pipeline.name,
        service=loaded.service.name,
        free=loaded.service.provider.free,
        there=named.there,
    )


# ---------------------------------------------------------------- what each side holds


def _load(old: _Named, new: _Named, options: Options) -> tuple[Loaded, Loaded]:
    """Both sides; one that is not there stands under the other's pipeline. Raises `Rejected` with the faults of both."""
    known: dict[str, Mapping[str, object]] = {}  # facts of media that both sides have are asked for once
    loaded: list[Loaded] = []
    faults: list[Diagnostic] = []
    for side in (new, old):
        if not side.there:
            continue
        try:
            found = loading.load(side.place, side.path, options, lambda sha256, _: known.get(sha256), side.files)
        except Rejected as rejected:
            faults.extend(rejected.diagnostics)
            continue
        known.update({sha256: facts_to_json(facts) for sha256, facts in found.found.items()})
        faults.extend(found.diagnostics if has_errors(found.diagnostics) else ())
        loaded.append(found)
    if faults:
        raise Rejected(faults)
    return loaded[-1], loaded[0]


# ---------------------------------------------------------------- what was typed


def _sides(a: str, b: str) -> tuple[_Named, _Named]:
    """Both sides. A side that is a revision alone is the other side's file in it. Raises `Refused`."""
    words = (a, b)
    named = [_full(word) for word in words]
    for n, other in ((0, named[1]), (1, named[0])):
        if named[n] is None:
            named[n] = _short(words[n], other)
    old, new = named
    assert old is not None and new is not None
    old, new = _present(old, new), _present(new, old)
    if not old.there and not new.there:
        raise Refused(f"there is no {new.path}, neither in {a} nor in {b}")
    return old, new


def _full(word: str) -> _Named | None:
    """A storyboard file, or `REV:path`; None for a word that can only be a revision. Raises `Refused`."""
    file = Path(word)
    if _is_file(file):
        place = read_only(file.parent)
        if file.suffix not in SUFFIXES and git_top(place.root) and _knows(place.root, word):
            raise Refused(
                f"`{word}` is a file and a revision", help=f"write ./{word} for the file, {word}:PATH for the revision"
            )
        try:
            path = file.resolve().relative_to(place.root).as_posix()
        except ValueError:
            raise Refused(f"{file} lies outside the project's root {place.root}") from None
        return _Named(place=place, path=path, files=Checkout(root=place.root, shown_from=Path.cwd()), name=word)
    rev, path = _split(word)
    if not path:
        return None
    if not rev:
        raise Refused(f"`{word}` names no revision", help=f"write HEAD{word} for the last commit")
    place = _checkout()
    if path.startswith(("./", "../")):  # as git reads it: from where one stands, else from the root
        path = Path(os.path.relpath(Path.cwd().resolve() / path, place.root)).as_posix()
    path = posixpath.normpath(path)
    if path.startswith(("/", "../")):
        raise Refused(f"`{word}` leads out of the project", help=FROM_THE_ROOT)
    return _revision(place, rev, path)


def _short(word: str, other: _Named | None) -> _Named:
    """The other side's file in a revision. Raises `Refused`."""
    if other is None or not git_top(other.place.root) or not _knows(other.place.root, word):
        raise Refused(
            f"`{word}` is no storyboard file" + (" and no git revision" if other else ""),
            help=_files_like(word) or SIDES,
        )
    return _revision(other.place, word, other.path)


def _revision(place: Project, rev: str, path: str) -> _Named:
    try:
        files = Revision(place.root, rev)
    except NotSaid as fault:
        raise Refused(fault.reason) from None
    return _Named(place=place, path=path, files=files, name=files.shown(path), commit=files.commit)


def _present(side: _Named, other: _Named) -> _Named:
    """The side, known to be there or not. A file that only the other side has is new, or gone; any other is misspelt."""
    try:
        side.files.text(side.path)
    except Unreadable as fault:
        if fault.reason == MISSING and side.path == other.path and side.place.root == other.place.root:
            return replace(side, there=False)
        folder, name = posixpath.split(side.path)
        meant = nearest(name, side.files.folder(folder)) if fault.reason == MISSING else ""
        advice = f"did you mean {side.files.shown(posixpath.join(folder, meant))}?" if meant else FROM_THE_ROOT
        raise Refused(f"`{side.name}` {fault.reason}", help=advice) from None
    return side


def _split(word: str) -> tuple[str, str]:
    """Revision and path at the first colon outside of braces, as git does; an empty path where there is none."""
    depth = 0
    for number, char in enumerate(word):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == ":" and depth == 0:
            return word[:number], word[number + 1 :]
    return word, ""


def _checkout() -> Project:
    place = read_only(Path.cwd())
    if git_top(place.root) is None:
        raise Refused("a revision needs a git checkout, and there is none here")
    return place


def _knows(root: Path, word: str) -> bool:
    try:
        Revision(root, word)
    except NotSaid:
        return False
    return True


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a path, or a NUL in it
        return False


def _files_like(word: str) -> str:
    names = [path.name for path in sorted(Path.cwd().glob("*.y*ml"))[:50]]
    meant = nearest(word, names)
    return f"did you mean {meant}?" if meant else ""
