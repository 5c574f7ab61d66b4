"""`shotrunner report`: the page of what was made, made anew without a run. Buys nothing, and asks nobody."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.files import write_whole
from runner.adapters.store import Store
from runner.commands import loading, manifests, picked, sheet
from runner.commands.deciding import decide, out_folder
from runner.commands.options import Options
from runner.commands.peek import peeked
from runner.commands.sheet import Look
from runner.core.errors import Exit, Refused
from runner.screen import report as view_of
from runner.screen.clean import words
from runner.screen.terminal import Terminal

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A report, the out folder it is of, the folder its posters are kept in, the clips that were judged for it, by digest, and the
    files that it is read from, present or not."""

    look: Look
    out: Path
    posters: Path
    judged: Mapping[str, str]
    read: tuple[Path, ...]


def seen(
    file: Path,
    options: Options,
    link: Callable[[str, bytes], str] = sheet.as_data,
    *,
    running: bool = False,
    judged: Mapping[str, str] | None = None,
) -> Seen:
    """What a run has come to; `running`: with clips that it has not brought to the out folder yet. `link` makes of a clip's digest
    and its poster what the page shows; `judged` are clips that were read before, which are read again only if they have changed.
    Raises `Rejected`, `Refused`."""
    place, path = loading.project(file, options)
    with peeked(place.state) as journal:
        loaded = loading.load(place, path, options, journal.probed if journal else lambda *_: None)
        loaded.demand()
        store = Store(place.state)
        store.trust(judged or {})
        decided = decide(loaded, options, journal, store)
        out = out_folder(loaded, options)
        if not (out / MANIFEST).is_file():
            run = f"shotrunner run {os.path.relpath(file)} --pipeline {loaded.pipeline.name}"
            raise Refused(f"there is no run of {file} under pipeline {loaded.pipeline.name} yet", help=f"`{run}`")
        document = manifests.read(out / MANIFEST)
        clips = sheet.placed(document, out)
        if running:
            document, more = sheet.up_to_date(document, decided.history, store)
            clips |= more
        look = sheet.look(loaded, decided, decided.history, journal, document, clips, link)
    sources = [source.path for source in loaded.storyboard.sources]
    read = (place.root / name for name in (*sources, picked.name_of(path)))
    return Seen(
        look=look, out=out, posters=place.state / sheet.POSTERS, judged=store.judged, read=(out / MANIFEST, *read)
    )


def report(file: Path, page: Path | None, picture: Path | None, options: Options, terminal: Terminal) -> Exit:
    """Write the page, and the contact sheet where one is asked for. Raises `Rejected`, `Refused`."""
    found = seen(file, options)
    page = page or found.out / "index.html"
    if page.absolute().parent != found.out.absolute():
        raise Refused(
            f"{page} does not lie in {os.path.relpath(found.out)}", help="the page plays the clips that lie beside it"
        )
    try:
        write_whole(page, view_of.html(found.look.sheet).encode())
        if picture is not None:
            write_whole(picture, found.look.contact)
    except OSError as fault:
        raise Refused(f"{fault.filename or page} cannot be written: {fault.strerror}") from fault
    for name in (page, picture):
        if name is not None:
            terminal.out(f"{words(os.path.relpath(name))}\n")
    return Exit.DONE
