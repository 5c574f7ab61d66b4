"""The journal: an append-only record of events in SQLite, durable when `record` returns.

WAL with synchronous FULL, so that a receipt survives a power loss; one writer thread that drains its queue into one
transaction (group commit), so that hundreds of purchases in flight share their syncs.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import InvalidOperation
from pathlib import Path

from runner.adapters.group_commit import GroupCommit
from runner.adapters.journal_file import advice, connect, demand_a_journal_beside_clips, for_writing, migrate
from runner.adapters.journal_rows import (
    ALL_EVENTS,
    ALL_INTENTS,
    ONE_EVENT,
    ONE_INTENT,
    VERSION,
    entries_of,
    event_row,
    intent_of,
    intent_row,
    mapping_of,
)
from runner.core.errors import Refused, TaskHeld
from runner.core.lifecycle import Event, Unlawful
from runner.core.request import canonical
from runner.planning.history import Entry, Purchase, apply, fold

STORE = "store:"  # stands for the folder of the store, wherever it lies: no folder's name, so that no out folder is it


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file a run wrote. `stamp` is its size and time of change then, so that an untouched file need not be read again;
    `made_from` tells equal work: the clip's digest, or a digest of all that went into a film."""

    sha256: str
    stamp: str
    made_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A saved plan as the journal knows it: `text` is the JSON that was written; `begun_at` and `finished_at` "" until then;
    `bought` the purchases made under it, by key and number."""

    id: str
    at: str
    text: str
    begun_at: str
    finished_at: str
    bought: frozenset[tuple[str, int]]


class Journal:
    """Readers open it with `read_only=True`, take no lock and write nothing; the writer holds the state folder's lock."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open or begin the journal. Raises `Refused` on one that is damaged, unreadable, of a newer version, or missing where
        there are clips."""
        self._path = path
        self._plan = ""
        self._settled: dict[tuple[str, int], Purchase] | None = None
        self._unsettled: dict[tuple[str, int], Purchase] = {}  # of the transaction under way, the writer thread's own
        self._writer = GroupCommit(
            lambda: for_writing(connect(path, "rwc")), kept=self._settle, dropped=self._unsettled.clear
        )
        if not read_only:
            demand_a_journal_beside_clips(path)
        self._alone = read_only and not self._written()  # nobody writes: SQLite need not leave files of its own here
        with self._judged():
            self._reader = connect(path, "ro&immutable=1" if self._alone else "ro" if read_only else "rwc")
        try:
            self._open(read_only)
        except BaseException:
            self._reader.close()
            raise

    def _open(self, read_only: bool) -> None:
        with self._judged():
            with self._snapshot():  # a writer may be beginning it just now
                version = int(self._reader.execute("PRAGMA user_version").fetchone()[0])
                if version == 0 and self._reader.execute("SELECT 1 FROM sqlite_master").fetchone():
                    raise ValueError("it is some other database")
            if version == 0 and read_only:  # a writer is just beginning it
                self._reader.close()
                self._reader = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            if version <= VERSION and not read_only:
                for_writing(self._reader)
            if version < VERSION and (version == 0 or not read_only):
                migrate(self._reader, version)
        if version > VERSION:
            raise Refused(
                f"the journal {self._path} was written by a newer shotrunner (version {version}, this one knows {VERSION})",
                help="upgrade shotrunner; the journal is never begun anew by itself, since it knows what is paid",
            )

    # Reading

    def history(self) -> dict[str, tuple[Purchase, ...]]:
        """Every purchase by key, in the order of their numbers, as of one moment."""
        found: dict[str, tuple[Purchase, ...]] | Refused
        try:
            found = self._folded()
        except Refused as refusal:
            found = refusal
        if self._alone and self._written():  # a writer came meanwhile
            self._reader.close()
            self._alone = False
            self._reader = connect(self._path, "ro")
            found = self._folded()
        if isinstance(found, Refused):
            raise found
        self._settled = {(p.key, p.number): p for made in found.values() for p in made}
        return found

    def current(self) -> dict[str, tuple[Purchase, ...]]:
        """The history as it stands now, this run's own events included, without reading the file again."""
        if self._settled is None:
            return self.history()
        made: dict[str, list[Purchase]] = {}
        for (key, _), purchase in sorted(dict(self._settled).items()):
            made.setdefault(key, []).append(purchase)
        return {key: tuple(purchases) for key, purchases in made.items()}

    def tasks(self, service: str) -> set[str]:
        """Every task id that a purchase at the service holds, whatever the account."""
        with self._judged():
            return {
                row[0] for row in self._reader.execute("SELECT task_id FROM receipts WHERE service = ?", (service,))
            }

    def inputs(self, key: str) -> Mapping[str, object] | None:
        """What `key` was made of."""
        return self._one("SELECT inputs FROM requests WHERE key = ?", (key,))

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

    def intact(self) -> dict[str, str]:
        """What `note_intact` remembers."""
        return {output.sha256: output.stamp for output in self.outputs(STORE).values()}

    def probed(self, sha256: str, version: int) -> Mapping[str, object] | None:
        return self._one("SELECT facts FROM probes WHERE sha256 = ? AND version = ?", (sha256, version))

    def durations(self, model: str, service: str, most: int = 200) -> list[float]:
        """Seconds from receipt to completion of the latest tasks of a model on a service."""
        with self._judged():
            rows = self._reader.execute(
                "SELECT seconds FROM durations WHERE model = ? AND service = ? ORDER BY rowid DESC LIMIT ?",
                (model, service, most),
            )
            return [row[0] for row in rows]

    def uploaded(self, service: str, account: str, sha256: str) -> tuple[str, str] | None:
        """Where a medium was uploaded to last, and until when it lies there (ISO 8601)."""
        with self._judged():
            found: tuple[str, str] | None = self._reader.execute(
                "SELECT url, expires_at FROM uploads WHERE service = ? AND account = ? AND sha256 = ?",
                (service, account, sha256),
            ).fetchone()
            return found

    def saved_plan(self, plan: str) -> SavedPlan | None:
        """The saved plan of this id, if it was saved here."""
        with self._judged(), self._snapshot():
            if not self._reader.execute("SELECT 1 FROM sqlite_master WHERE name = 'plans'").fetchone():
                return None  # a journal of before there were any
            found = self._reader.execute("SELECT at, document FROM plans WHERE id = ?", (plan,)).fetchone()
            if found is None:
                return None
            events = dict(self._reader.execute("SELECT event, at FROM plan_events WHERE plan = ?", (plan,)).fetchall())
            bought = self._reader.execute("SELECT key, purchase FROM plan_intents WHERE plan = ?", (plan,)).fetchall()
            return SavedPlan(
                id=plan,
                at=found[0],
                text=zlib.decompress(found[1]).decode(),
                begun_at=events.get("begun", ""),
                finished_at=events.get("finished", ""),
                bought=frozenset(bought),
            )

    # Writing

    async def save_plan(self, plan: str, at: str, text: str) -> None:
        """Remember a plan as it is written to its file."""
        row = (plan, at, zlib.compress(text.encode()))
        await self._writer.write(lambda db: _run(db, "INSERT INTO plans VALUES (?, ?, ?)", row))

    async def begin_plan(self, plan: str, at: str) -> None:
        """From now on every intent is written as bought under this plan."""
        sql = "INSERT OR IGNORE INTO plan_events (at, event, plan) VALUES (?, 'begun', ?)"
        await self._writer.write(lambda db: _run(db, sql, (at, plan)))
        self._plan = plan

    async def finish_plan(self, plan: str, at: str) -> None:
        sql = "INSERT INTO plan_events (at, event, plan) VALUES (?, 'finished', ?)"
        await self._writer.write(lambda db: _run(db, sql, (at, plan)))

    async def record(self, *entries: Entry) -> None:
        """Make events durable, all or none. Raises `NotRecorded`, `TaskHeld`, `Unlawful`."""
        if self._settled is None:
            self.history()
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

    async def note_intact(self, stamps: Mapping[str, str], at: str) -> None:
        """Remember of clips in the store, by digest, the stamp under which their bytes were right."""
        known = self.intact()
        rows = [(f"{STORE}/{sha}", sha, stamp, sha, at) for sha, stamp in stamps.items() if known.get(sha) != stamp]

        def write(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?)", rows)

        if rows:
            await self._writer.write(write)

    async def forget_output(self, path: str) -> None:
        await self._writer.write(lambda db: _run(db, "DELETE FROM outputs WHERE path = ?", (path,)))

    async def note_probe(self, sha256: str, version: int, facts: Mapping[str, object]) -> None:
        row = (sha256, version, json.dumps(facts, sort_keys=True))
        await self._writer.write(lambda db: _run(db, "INSERT OR REPLACE INTO probes VALUES (?, ?, ?)", row))

    async def note_upload(self, service: str, account: str, sha256: str, url: str, expires_at: str) -> None:
        row = (service, account, sha256, url, expires_at)
        await self._writer.write(lambda db: _run(db, "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?)", row))

    async def note_duration(self, model: str, service: str, seconds: float) -> None:
        await self._writer.write(
            lambda db: _run(db, "INSERT INTO durations VALUES (?, ?, ?)", (model, service, seconds))
        )

    def close(self) -> None:
        """Write out what is queued and let go of the file."""
        self._writer.close()
        self._reader.close()

    # Inside

    def _folded(self) -> dict[str, tuple[Purchase, ...]]:
        with self._judged(), self._snapshot():
            intents = {(i.key, i.purchase): i for i in map(intent_of, self._reader.execute(ALL_INTENTS))}
            return fold(entries_of(self._reader.execute(ALL_EVENTS), intents))

    def _written(self) -> bool:
        """Whether somebody has the journal open for writing, or left it without closing."""
        return self._path.with_name(self._path.name + "-wal").exists()

    def _insert(self, db: sqlite3.Connection, entries: Iterable[Entry]) -> None:
        changed: dict[tuple[str, int], Purchase] = {}
        assert self._settled is not None
        for entry in entries:
            place = (entry.key, entry.purchase)
            before = changed.get(place) or self._unsettled.get(place) or self._settled.get(place)
            purchase = apply(before, entry)
            if before is None and entry.intent is not None:
                db.execute(ONE_INTENT, intent_row(entry.intent))
                if self._plan:
                    db.execute("INSERT INTO plan_intents VALUES (?, ?, ?)", (self._plan, *place))
            if entry.event in (Event.RECEIPT, Event.ATTACHED, Event.TAKEN_OVER):
                _insert_receipt(db, purchase)
            db.execute(ONE_EVENT, event_row(entry))
            changed[place] = purchase
        self._unsettled.update(changed)

    def _settle(self) -> None:
        if self._settled is not None:
            self._settled.update(self._unsettled)
        self._unsettled.clear()

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """All reads inside see one moment, whatever a writer adds meanwhile."""
        self._reader.execute("BEGIN")
        try:
            yield
        finally:
            if self._reader.in_transaction:  # a disk that is full or fails has ended it already
                self._reader.execute("ROLLBACK")

    def _one(self, sql: str, row: tuple[object, ...]) -> Mapping[str, object] | None:
        """The JSON mapping in the first column of the first row."""
        with self._judged():
            found = self._reader.execute(sql, row).fetchone()
            return mapping_of(found[0]) if found else None

    @contextmanager
    def _judged(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, zlib.error, Unlawful, ValueError, KeyError, InvalidOperation) as fault:
            raise Refused(f"the journal {self._path} cannot be used: {fault}", help=advice(fault)) from fault


def _run(db: sqlite3.Connection, sql: str, row: tuple[object, ...]) -> None:
    db.execute(sql, row)


def _insert_receipt(db: sqlite3.Connection, purchase: Purchase) -> None:
    task, whose = (purchase.intent.service, purchase.account, purchase.task_id), (purchase.key, purchase.number)
    held = db.execute("SELECT key, purchase FROM receipts WHERE service = ? AND account = ? AND task_id = ?", task)
    if (holder := held.fetchone()) is None:
        db.execute("INSERT INTO receipts VALUES (?, ?, ?, ?, ?)", (*task, *whose))
    elif holder != whose:
        raise TaskHeld(f"task {purchase.task_id} already belongs to another purchase")
