"""`shotrunner report`: the page of what was made, made anew without a run. Buys nothing, and asks nobody."""

import os
from pathlib import Path

from runner.adapters.files import write_whole
from runner.adapters.store import Store
from runner.commands import loading, manifests, sheet
from runner.commands.deciding import decide, out_folder
from runner.commands.options import Options
from runner.commands.peek import peeked
from runner.core.errors import Exit, Refused
from runner.screen import report as view_of
from runner.screen.clean import words
from runner.screen.terminal import Terminal


def report(file: Path, page: Path | None, picture: Path | None, options: Options, terminal: Terminal) -> Exit:
    """Write the page, and the contact sheet where one is asked for. Raises `Rejected`, `Refused`."""
    place, path = loading.project(file, options)
    with peeked(place.state) as journal:
        loaded = loading.load(place, path, options, journal.probed if journal else lambda *_: None)
        loaded.demand()
        decided = decide(loaded, options, journal, Store(place.state))
        out = out_folder(loaded, options)
        if not (out / "manifest.json").is_file():
            run = f"shotrunner run {os.path.relpath(file)} --pipeline {loaded.pipeline.name}"
            raise Refused(f"there is no run of {file} under pipeline {loaded.pipeline.name} yet", help=f"`{run}`")
        document = manifests.read(out / "manifest.json")
        look = sheet.look(loaded, decided, decided.history, journal, document, out)
    page = page or out / "index.html"
    if page.absolute().parent != out.absolute():
        raise Refused(
            f"{page} does not lie in {os.path.relpath(out)}", help="the page plays the clips that lie beside it"
        )
    try:
        write_whole(page, view_of.html(look.sheet).encode())
        if picture is not None:
            look.contact(picture)
    except OSError as fault:
        raise Refused(f"{fault.filename or page} cannot be written: {fault.strerror}") from fault
    for name in (page, picture):
        if name is not None:
            terminal.out(f"{words(os.path.relpath(name))}\n")
    return Exit.DONE
