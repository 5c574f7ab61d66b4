"""`shotrunner unpack`: an archive made by `pack` becomes a project of its own, with its clips and what is known of them."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

from runner.adapters import archive, root
from runner.adapters.archive import Archive
from runner.adapters.files import sync_folder
from runner.adapters.journal import Journal
from runner.adapters.store import Store
from runner.commands.peek import JOURNAL
from runner.core.errors import Exit, NotRecorded, Refused, TaskHeld
from runner.execution.desk import stamp
from runner.planning import lockfile, taken_in
from runner.planning import pack as packs
from runner.planning.pack import Damaged, Index
from runner.screen import pack as view_of
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal


def unpack(file: Path, into: Path | None, view: Format, terminal: Terminal) -> Exit:
    """Make the project in a folder that is not there yet; whole or not at all. Raises `Refused`."""
    target = (into or Path.cwd() / file.name.removesuffix(".zip").removesuffix(".pack")).absolute()
    if target.exists() or target.is_symlink():
        raise Refused(f"{target} is there already", help="name a new folder: `shotrunner unpack ARCHIVE DIR`")
    target = Path(os.path.realpath(target))  # what lies above it is asked for by name, and `..` names nothing
    try:
        size_bytes = file.stat().st_size
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.building(target) as whole:
            with archive.opened(file) as opened:
                index = _unpack(opened, whole, size_bytes)
            whole.rename(target)
        sync_folder(target.parent)
    except Damaged as fault:
        raise Refused(
            f"{file} {fault}", help="nothing of it was unpacked; ask for it just as `shotrunner pack` wrote it"
        ) from None
    except OSError as fault:
        raise Refused(f"{fault.filename or file}: {fault.strerror or fault}; nothing was unpacked") from fault
    unpacked = view_of.Packed(
        archive=os.path.relpath(file),
        size_bytes=size_bytes,
        index=index,
        into=os.path.relpath(target),
        bare="/" in index.storyboard and root.git_top(target) is None,
    )
    terminal.out(view_of.as_json(unpacked) if view is Format.JSON else view_of.text(unpacked))
    return Exit.DONE


def _unpack(opened: Archive, folder: Path, size_bytes: int) -> Index:
    index = packs.parse(opened.text(packs.INDEX))
    if sorted(opened.names) != sorted([packs.INDEX, *(member.name for member in index.members)]):
        raise Damaged("is damaged: it holds other files than its list says")
    if sum(member.size_bytes for member in index.members) > size_bytes:
        raise Damaged("is damaged: its files are larger than itself")
    texts = {name: opened.text(name) for name in (packs.JOURNAL, packs.REQUESTS)}
    for member in index.members:
        if member.path is not None:
            target = folder / member.path
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                opened.extract(member.name, target, sha256=member.sha256, size_bytes=member.size_bytes)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise Damaged(f"is damaged: `{member.path}` stands where another file stands") from None
    state = folder / root.STATE
    root.make_state(state)
    _journal(state, index, texts)
    store = Store(state)
    for member in index.members:
        if member.clip is not None:
            part = store.part(member.clip)
            part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened.extract(member.name, part, sha256=member.sha256, size_bytes=member.size_bytes)
            store.adopt(part, member.clip)
    return index


def _journal(state: Path, index: Index, texts: dict[str, str]) -> None:
    """Begin the journal with what the archive knows to be finished."""
    identity = index.storyboard.removesuffix(Path(index.storyboard).suffix)
    try:
        lines = packs.finished(
            lockfile.parse(texts[packs.JOURNAL], packs.FREE), [m.clip for m in index.members if m.clip is not None]
        )
        entries = taken_in.entries(lines, {}, storyboard=identity, at=stamp(datetime.now(UTC)))
    except lockfile.Damaged as fault:
        raise Damaged(f"is damaged: its {packs.JOURNAL} {fault}") from None
    requests = packs.parse_requests(texts[packs.REQUESTS])
    takes: dict[str, dict[str, str]] = {}
    for line in lines:
        if not line.storyboard:
            takes.setdefault(line.service, {})[line.take] = line.key
    journal = Journal(state / JOURNAL)
    try:

        async def write() -> None:
            await journal.record(*entries)
            await journal.note_requests(requests)
            for service, keys in takes.items():
                await journal.note_takes(identity, service, keys)

        asyncio.run(write())
    except (NotRecorded, TaskHeld) as fault:
        raise Damaged(f"cannot be taken in: {fault}") from fault
    finally:
        journal.close()
