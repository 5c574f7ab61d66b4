"""The journal's file: opened, brought to this version, and never begun anew where clips of an earlier one lie."""

import sqlite3
from pathlib import Path

from runner.adapters.journal_rows import MIGRATIONS
from runner.core.errors import Refused

_ROOM = "make room on its disk, or see whether that fails, and try again; the journal is as it was"
_ACCESS = "see that it is a file you may read and write, and that its disk has room"
_HELD = "another program holds it; try again when that has ended"
_ADVICE = {
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: _ROOM,
    sqlite3.SQLITE_CANTOPEN: _ACCESS,
    sqlite3.SQLITE_PERM: _ACCESS,
    sqlite3.SQLITE_READONLY: _ACCESS,
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
}


def advice(fault: Exception) -> str:
    """What to do about a journal that cannot be used. Anything but these is damage."""
    known = _ADVICE.get(getattr(fault, "sqlite_errorcode", 0) & 0xFF, "restore it from a backup")
    return f"{known}; it is never begun anew by itself, since it knows what is paid"


def connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30, check_same_thread=False)


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring the file to this version, each migration in a transaction of its own."""
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")


def for_writing(db: sqlite3.Connection) -> sqlite3.Connection:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA fullfsync = ON")  # macOS: past the drive's own cache
    db.execute("PRAGMA foreign_keys = ON")
    return db


def demand_a_journal_beside_clips(path: Path) -> None:
    """Where clips lie there was a journal: one that is gone, or cut to nothing, would have everything bought again."""
    try:
        gone = path.stat().st_size == 0
    except OSError:
        gone = True
    if gone and (path.parent / "clips").is_dir():
        raise Refused(
            f"the journal {path} is gone, but clips of earlier runs lie beside it",
            help=f"restore it from a backup; to begin anew and buy everything again, move {path.parent} away",
        )
