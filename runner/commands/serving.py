"""`shotrunner report --serve`: the page of a run for a browser on this machine, which writes the picks itself."""

import asyncio
import hashlib
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.adapters.files import Unreadable, below
from runner.adapters.report_server import Page, Source, serving
from runner.commands import choices, report, wishes
from runner.commands.options import Options
from runner.commands.report import Seen
from runner.core.diagnostics import Rejected
from runner.core.errors import Exit, Refused
from runner.screen import report as view_of
from runner.screen.clean import words
from runner.screen.diagnostics import Format, formatted, refusal
from runner.screen.terminal import Terminal
from runner.steps.poster import kept

FOLDER = "posters"  # of the page


def serve(file: Path, port: int, options: Options, terminal: Terminal) -> Exit:
    """Serve until Ctrl-C or SIGTERM. Raises `Rejected`, `Refused` when there is nothing to show, or the address cannot be taken."""
    show = Show(file=file, options=options, terminal=terminal)
    show.page_or_fault()
    try:
        return asyncio.run(_serve(show, port, terminal))
    except OSError as fault:
        raise Refused(
            f"cannot serve at 127.0.0.1:{port}: {fault.strerror or fault}",
            help="`--port` takes another" if port else "",
        ) from fault


async def _serve(show: "Show", port: int, terminal: Terminal) -> Exit:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serving(show.source, port=port, log=terminal.alarm) as address:
        terminal.alarm(f"the report is at {address}; Ctrl-C ends it")
        await stopped.wait()
    terminal.talk("stopped")
    return Exit.DONE


@dataclass(slots=True, kw_only=True)
class Show:
    """What the server shows and writes, in the words of the commands."""

    file: Path
    options: Options
    terminal: Terminal
    _seen: Seen | None = field(default=None)

    @property
    def source(self) -> Source:
        return Source(page=self.page, stamp=self.stamp, sheet=self.sheet, write=self.write)

    def page_or_fault(self) -> Page:
        """The page as all stands now. Raises `Rejected`, `Refused`."""
        now = self.stamp()  # what changes from here on is news to whoever looks at the page
        judged = self._seen.judged if self._seen else {}
        self._seen = report.seen(self.file, self.options, _link, running=True, judged=judged)
        picks = os.path.relpath(choices.file_of(self.file, self.options))
        html = view_of.html(self._seen.look.sheet, writes=picks, now=now)
        return Page(html=html, policy=view_of.policy(served=True), files=_files(self._seen))

    def page(self) -> Page:
        """The page, or what is wrong with the files it is made of."""
        try:
            return self.page_or_fault()
        except (Rejected, Refused) as fault:
            html = view_of.fault(os.path.relpath(self.file), _text(fault))
            return Page(html=html, policy=view_of.policy(served=True), status=409)

    def stamp(self) -> str:
        """Of the files it is made of, as they lie there now."""
        told = []
        for path in self._seen.read if self._seen else ():
            with suppress(OSError):
                found = path.stat()
                told.append(f"{path}:{found.st_size}:{found.st_mtime_ns}")
        return hashlib.sha256("\n".join(told).encode(errors="surrogateescape")).hexdigest()

    def sheet(self) -> bytes:
        return self._seen.look.contact if self._seen else b""

    def write(self, told: object) -> tuple[int, Mapping[str, object]]:
        """Do what was asked for in the page, or say why not."""
        try:
            asked = wishes.read(told)
        except ValueError as fault:
            return 400, {"error": str(fault)}
        try:
            written = choices.write(self.file, self.options, wishes.change(asked))
        except (Rejected, Refused) as fault:
            return 409, {"error": _text(fault)}
        for line in (*written.lines, written.file):
            self.terminal.talk(words(line))
        return 200, {"lines": [words(line) for line in written.lines], "file": words(written.file)}


def _link(sha256: str, jpeg: bytes) -> str:
    return f"{FOLDER}/{sha256}.jpg"


def _files(seen: Seen) -> dict[str, Path]:
    """What the page names: clips, posters, films."""
    sheet, found = seen.look.sheet, {}
    for card in (card for variant in sheet.variants for card in variant.cards):
        if card.id in seen.look.clips:
            found[card.clip] = seen.look.clips[card.id]
        if card.poster:
            found[card.poster] = kept(seen.posters, card.sha256)
    for film in sheet.films:
        with suppress(Unreadable):
            found[film] = below(seen.out, film)
    return {name: path.resolve() for name, path in found.items()}


def _text(fault: Rejected | Refused) -> str:
    if isinstance(fault, Rejected):
        return formatted(fault.diagnostics, Format.TEXT, colour=False)
    return refusal(fault, False)  # noqa: FBT003
