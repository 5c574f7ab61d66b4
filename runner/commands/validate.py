"""`shotrunner validate`: every fault of every storyboard named, without network, key or write."""

from collections.abc import Sequence
from pathlib import Path

from runner.commands import extras, loading
from runner.commands.options import Options
from runner.commands.peek import peeked
from runner.core.diagnostics import Diagnostic, Rejected, has_errors
from runner.core.errors import Exit, Refused
from runner.screen.amounts import count
from runner.screen.diagnostics import Format, formatted, refusal
from runner.screen.terminal import Terminal


def validate(files: Sequence[Path], options: Options, view: Format, terminal: Terminal) -> Exit:
    """Print the diagnostics of all files; REFUSED if one of them is an error or a file cannot be had."""
    found: list[Diagnostic] = []
    takes = 0
    refused = False
    for file in files:
        try:
            place, path = loading.project(file, options)
        except Refused as fault:
            terminal.alarm(refusal(fault, terminal.colour_err))
            refused = True
            continue
        with peeked(place.state) as journal:
            try:
                loaded = loading.load(place, path, options, journal.probed if journal else lambda *_: None)
            except Rejected as rejected:
                found.extend(rejected.diagnostics)
                continue
        found.extend((*loaded.diagnostics, *extras.lacking(loaded.pipeline)))
        takes += len(loaded.built)
    if found or view is Format.JSON:
        terminal.out(formatted(found, view, colour=terminal.colour_out))
    if refused or has_errors(found):
        return Exit.REFUSED
    if view is Format.TEXT:
        terminal.talk(f"{count(len(files), 'storyboard')}, {count(takes, 'take')}: no faults")
    return Exit.DONE
