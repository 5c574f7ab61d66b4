"""The journal: an append-only record of events in SQLite, durable when `record` returns.

WAL with synchronous FULL, so that a receipt survives a power loss; one writer thread that drains its queue into one
transaction (group commit), so that hundreds of purchases in flight share their syncs.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from runner.adapters.group_commit import GroupCommit
from runner.core.errors import Refused
from runner.core.lifecycle import Event, Unlawful
from runner.core.request import canonical
from runner.planning.history import Entry, Intent, Purchase, apply, fold

VERSION = 1
SCHEMA = """
CREATE TABLE requests (key TEXT PRIMARY KEY, inputs TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE intents (
  key TEXT NOT NULL, purchase INTEGER NOT NULL, storyboard TEXT NOT NULL, take TEXT NOT NULL, model TEXT NOT NULL,
  service TEXT NOT NULL, account TEXT NOT NULL, idempotency_key TEXT NOT NULL, body BLOB NOT NULL,
  reserved TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE (key, purchase));
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, event TEXT NOT NULL, key TEXT NOT NULL,
  purchase INTEGER NOT NULL, task_id TEXT, charged TEXT, detail TEXT NOT NULL,
  FOREIGN KEY (key, purchase) REFERENCES intents (key, purchase));
CREATE TABLE receipts (
  service TEXT NOT NULL, account TEXT NOT NULL, task_id TEXT NOT NULL, key TEXT NOT NULL, purchase INTEGER NOT NULL,
  UNIQUE (service, account, task_id));
CREATE TABLE takes (
  storyboard TEXT NOT NULL, service TEXT NOT NULL, take TEXT NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (storyboard, service, take)) WITHOUT ROWID;
CREATE TABLE outputs (
  path TEXT PRIMARY KEY, sha256 TEXT NOT NULL, stamp TEXT NOT NULL, made_from TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE probes (sha256 TEXT NOT NULL, version INTEGER NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (sha256, version))
  WITHOUT ROWID;
CREATE TABLE durations (model TEXT NOT NULL, service TEXT NOT NULL, seconds REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file a run wrote. `stamp` is its size and time of change then, so that an untouched file need not be read again;
    `made_from` tells equal work: the clip's digest, or a digest of all that went into a film."""

    sha256: str
    stamp: str
    made_from: str


class TaskHeld(ValueError):
    """A receipt names a task that another purchase of the same account already holds."""


class Journal:
    """Readers open it with `read_only=True` and take no lock; the writer holds the state folder's lock."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open or begin the journal. Raises `Refused` on one that is damaged, unreadable or of a newer version."""
        self._path = path
        self._read_only = read_only
        self._writer = GroupCommit(lambda: self._connect(read_only=False))
        with self._judged():
            self._reader = self._connect(read_only=read_only)
            if not read_only and _version(self._reader) == 0:
                _begin(self._reader)
            version = _version(self._reader)
        if version > VERSION:
            raise Refused(
                f"the journal {path} was written by a newer shotrunner (version {version}, this one knows {VERSION})",
                help="upgrade shotrunner; the journal is never begun anew by itself, since it knows what is paid",
            )
        self._purchases: dict[tuple[str, int], Purchase] = {}

    # Reading

    def history(self) -> dict[str, tuple[Purchase, ...]]:
        """Every purchase by key, in the order of their numbers."""
        with self._judged():
            intents = {(i.key, i.purchase): i for i in map(_intent, self._reader.execute(ALL_INTENTS))}
            rows = self._reader.execute(
                "SELECT at, event, key, purchase, task_id, charged, detail FROM events ORDER BY seq"
            )
            history = fold(_entries(rows, intents))
        self._purchases = {(p.key, p.number): p for made in history.values() for p in made}
        return history

    def current(self) -> dict[str, tuple[Purchase, ...]]:
        """The history as it stands now, this run's own events included, without reading the file again."""
        made: dict[str, list[Purchase]] = {}
        for (key, _), purchase in sorted(dict(self._purchases).items()):
            made.setdefault(key, []).append(purchase)
        return {key: tuple(purchases) for key, purchases in made.items()}

    def inputs(self, key: str) -> Mapping[str, object] | None:
        """What `key` was made of."""
        row = self._one("SELECT inputs FROM requests WHERE key = ?", (key,))
        return json.loads(row[0]) if row else None

    def last_keys(self, storyboard: str, service: str) -> dict[str, str]:
        """The key each take of a storyboard last had on a service."""
        with self._judged():
            rows = self._reader.execute(
                "SELECT take, key FROM takes WHERE storyboard = ? AND service = ?", (storyboard, service)
            )
            return dict(rows.fetchall())

    def outputs(self, folder: str) -> dict[str, Output]:
        """What runs wrote below `folder`, by path; `folder` and paths as they were noted."""
        with self._judged():
            rows = self._reader.execute(
                "SELECT path, sha256, stamp, made_from FROM outputs WHERE substr(path, 1, ?) = ?",
                (len(folder) + 1, folder + "/"),
            )
            return {path: Output(sha256=sha, stamp=stamp, made_from=made) for path, sha, stamp, made in rows}

    def probed(self, sha256: str, version: int) -> Mapping[str, object] | None:
        row = self._one("SELECT facts FROM probes WHERE sha256 = ? AND version = ?", (sha256, version))
        return json.loads(row[0]) if row else None

    def durations(self, model: str, service: str, most: int = 200) -> list[float]:
        """Seconds from receipt to completion of the latest tasks of a model on a service."""
        with self._judged():
            rows = self._reader.execute(
                "SELECT seconds FROM durations WHERE model = ? AND service = ? ORDER BY rowid DESC LIMIT ?",
                (model, service, most),
            )
            return [row[0] for row in rows]

    # Writing

    async def record(self, *entries: Entry) -> None:
        """Make events durable, all or none. Raises `NotRecorded`, `TaskHeld`, `Unlawful`."""
        await self._writer.write(lambda db: self._insert(db, entries))

    async def note_requests(self, inputs: Mapping[str, Mapping[str, object]]) -> None:
        """Remember what each key is made of."""
        rows = [(key, canonical(made_of).decode()) for key, made_of in inputs.items()]

        def write(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR IGNORE INTO requests VALUES (?, ?)", rows)

        await self._writer.write(write)

    async def note_takes(self, storyboard: str, service: str, keys: Mapping[str, str]) -> None:
        """Remember the key of the clip that each take has now, by take id: what a later change is told against."""
        rows = [(storyboard, service, take, key) for take, key in keys.items()]

        def write(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO takes VALUES (?, ?, ?, ?)", rows)

        await self._writer.write(write)

    async def note_output(self, path: str, output: "Output", at: str) -> None:
        row = (path, output.sha256, output.stamp, output.made_from, at)
        await self._writer.write(lambda db: _run(db, "INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?)", row))

    async def forget_output(self, path: str) -> None:
        await self._writer.write(lambda db: _run(db, "DELETE FROM outputs WHERE path = ?", (path,)))

    async def note_probe(self, sha256: str, version: int, facts: Mapping[str, object]) -> None:
        row = (sha256, version, json.dumps(facts, sort_keys=True))
        await self._writer.write(lambda db: _run(db, "INSERT OR REPLACE INTO probes VALUES (?, ?, ?)", row))

    async def note_duration(self, model: str, service: str, seconds: float) -> None:
        await self._writer.write(
            lambda db: _run(db, "INSERT INTO durations VALUES (?, ?, ?)", (model, service, seconds))
        )

    def close(self) -> None:
        """Write out what is queued and let go of the file."""
        self._writer.close()
        self._reader.close()

    # Inside

    def _insert(self, db: sqlite3.Connection, entries: Iterable[Entry]) -> Callable[[], None]:
        changed: dict[tuple[str, int], Purchase] = {}
        for entry in entries:
            place = (entry.key, entry.purchase)
            purchase = apply(changed.get(place) or self._purchases.get(place), entry)
            if entry.intent is not None:
                _insert_intent(db, entry.intent)
            if entry.event is Event.RECEIPT:
                _insert_receipt(db, purchase, entry)
            charged = None if entry.charged is None else str(entry.charged)
            db.execute(
                "INSERT INTO events (at, event, key, purchase, task_id, charged, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (entry.at, entry.event.value, *place, entry.task_id, charged, json.dumps(entry.detail)),
            )
            changed[place] = purchase
        return lambda: self._purchases.update(changed)

    def _one(self, sql: str, row: tuple[object, ...]) -> tuple[str, ...] | None:
        with self._judged():
            found: tuple[str, ...] | None = self._reader.execute(sql, row).fetchone()
            return found

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        mode = "ro" if read_only else "rwc"
        uri = f"{self._path.absolute().as_uri()}?mode={mode}"
        db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30, check_same_thread=False)
        if not read_only:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
        return db

    @contextmanager
    def _judged(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, Unlawful, ValueError, KeyError) as fault:
            raise Refused(
                f"the journal {self._path} cannot be read: {fault}",
                help="restore it from a backup; it is never begun anew by itself, since it knows what is paid",
            ) from fault


ALL_INTENTS = """SELECT key, purchase, storyboard, take, model, service, account, idempotency_key, body, reserved, unit
FROM intents"""
ONE_INTENT = """INSERT INTO intents (key, purchase, storyboard, take, model, service, account, idempotency_key, body, reserved, unit)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def _begin(db: sqlite3.Connection) -> None:
    db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _run(db: sqlite3.Connection, sql: str, row: tuple[object, ...]) -> None:
    db.execute(sql, row)


def _insert_intent(db: sqlite3.Connection, i: Intent) -> None:
    named = (i.key, i.purchase, i.storyboard, i.take, i.model, i.service, i.account, i.idempotency_key)
    _run(db, ONE_INTENT, (*named, i.body, str(i.reserved), i.unit))


def _insert_receipt(db: sqlite3.Connection, purchase: Purchase, entry: Entry) -> None:
    row = (purchase.intent.service, purchase.intent.account, entry.task_id, entry.key, entry.purchase)
    try:
        db.execute("INSERT INTO receipts VALUES (?, ?, ?, ?, ?)", row)
    except sqlite3.IntegrityError:
        raise TaskHeld(f"task {entry.task_id} already belongs to another purchase") from None


def _intent(row: tuple[str, int, str, str, str, str, str, str, bytes, str, str]) -> Intent:
    key, purchase, storyboard, take, model, service, account, idempotency, body, reserved, unit = row
    return Intent(
        key=key,
        purchase=purchase,
        storyboard=storyboard,
        take=take,
        model=model,
        service=service,
        account=account,
        idempotency_key=idempotency,
        body=body,
        reserved=Decimal(reserved),
        unit=unit,
    )


def _entries(
    rows: Iterable[tuple[str, str, str, int, str | None, str | None, str]], intents: Mapping[tuple[str, int], Intent]
) -> Iterator[Entry]:
    begun: set[tuple[str, int]] = set()
    for at, event, key, purchase, task_id, charged, detail in rows:
        place = (key, purchase)
        yield Entry(
            at=at,
            event=Event(event),
            key=key,
            purchase=purchase,
            intent=None if place in begun else intents[place],
            task_id=task_id,
            charged=None if charged is None else Decimal(charged),
            detail=json.loads(detail),
        )
        begun.add(place)
