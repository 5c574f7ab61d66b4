"""The emulator's books in SQLite: tasks, links, idempotency keys, files, and a few words to be remembered.

Beside them everything is in memory too; the books are what a next start begins from. What is written is there after the
process has been killed at any moment; a power cut may cost the last moments, and then all of them from one moment on.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.contract.model import Model
from runner.emulator.accounts import Accounts
from runner.emulator.intake import Asked, Wishes
from runner.emulator.job import Job
from runner.emulator.tasks import Status, Task, TaskError
from runner.emulator.uploads import Upload

NAME = "emulator.sqlite"
VERSION = 1
_APPLICATION = 0x53524D45  # tells a file of ours from another program's

_TABLES = """
CREATE TABLE words (name TEXT PRIMARY KEY, word TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE tasks (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, key TEXT NOT NULL,
    created_at REAL NOT NULL, model TEXT NOT NULL, body TEXT NOT NULL, digest TEXT NOT NULL, seed INTEGER,
    label TEXT NOT NULL, idempotency_key TEXT NOT NULL, user_group TEXT NOT NULL, estimated_s INTEGER NOT NULL,
    pixels INTEGER NOT NULL, reserved TEXT NOT NULL, status TEXT NOT NULL, progress INTEGER NOT NULL, ended_at REAL,
    owed TEXT, charged TEXT, settled_at REAL, error_code TEXT, error_message TEXT, clip_bytes INTEGER NOT NULL,
    links TEXT NOT NULL
) STRICT;
CREATE TABLE seen (
    account TEXT NOT NULL, idempotency_key TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (account, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE TABLE uploads (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, original_name TEXT NOT NULL, upload_path TEXT NOT NULL,
    media_type TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, uploaded_at REAL NOT NULL,
    expires_at REAL NOT NULL, receipt TEXT NOT NULL
) STRICT;
"""
_ONE_TASK = (
    "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ONE_UPLOAD = "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SEEN_ONCE = "INSERT INTO seen VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1"


class Unusable(Exception):
    """Books that cannot be opened, or cannot be written now. `reason` is a clause without the file's name."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Store:
    """For one thread. Nobody else can open the same file meanwhile."""

    def __init__(self, path: Path | None = None) -> None:
        """Opens the books in `path`, or begins them there; None keeps them in memory. Raises Unusable."""
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=1)
        try:
            with _translated():
                self._begin(path is None)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside is there as a whole or not at all."""
        if self._db.in_transaction:
            yield
            return
        with _translated():
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.rollback()
            raise
        with _translated():
            self._db.commit()

    # ---------------------------------------------------------------- words

    def word(self, name: str) -> str | None:
        with _translated():
            row = self._db.execute("SELECT word FROM words WHERE name = ?", (name,)).fetchone()
            return str(row[0]) if row else None

    def remember(self, name: str, word: str) -> None:
        self._write("INSERT OR REPLACE INTO words VALUES (?, ?)", (name, word))

    # ---------------------------------------------------------------- tasks

    def save(self, job: Job) -> None:
        """The task as it is now, the new one as the changed one."""
        self._write(_ONE_TASK, _row(job))

    def jobs(self, models: Mapping[str, Model], accounts: Accounts) -> list[Job]:
        """All tasks, in the order of their creates. Raises Unusable for one whose model is not there any more."""
        with _translated():
            return [_job(row, models, accounts) for row in self._db.execute("SELECT * FROM tasks ORDER BY number")]

    def saw(self, account: str, idempotency_key: str) -> None:
        """Counts a create that bore the key."""
        self._write(_SEEN_ONCE, (account, idempotency_key))

    def seen(self) -> dict[tuple[str, str], int]:
        """How often each key was seen, by the account's name and the key."""
        with _translated():
            return {(account, key): times for account, key, times in self._db.execute("SELECT * FROM seen")}

    # ---------------------------------------------------------------- files

    def keep(self, upload: Upload) -> None:
        u = upload
        words = (u.id, u.account, u.name, u.original_name, u.upload_path, u.media_type)
        self._write(_ONE_UPLOAD, (*words, u.size_bytes, u.sha256, u.uploaded_at, u.expires_at, u.receipt))

    def forget(self, uploads: Iterable[Upload]) -> None:
        with self.together(), _translated():
            self._db.executemany("DELETE FROM uploads WHERE id = ?", [(upload.id,) for upload in uploads])

    def uploads(self, folder: Path) -> list[Upload]:
        """All files, the oldest first; `folder` is where they lie."""
        with _translated():
            rows = self._db.execute("SELECT * FROM uploads ORDER BY uploaded_at, rowid").fetchall()
        return [_upload(row, folder) for row in rows]

    # ---------------------------------------------------------------- inside

    def _begin(self, in_memory: bool) -> None:
        db = self._db
        if not in_memory:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
        db.execute("BEGIN EXCLUSIVE")
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            for statement in _TABLES.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            db.execute(f"PRAGMA user_version = {VERSION}")
        elif application != _APPLICATION:
            raise Unusable("holds another program's data")
        elif version != VERSION:
            raise Unusable(f"is of version {version}; version {VERSION} is known here")
        db.execute("COMMIT")

    def _write(self, sql: str, row: tuple[object, ...]) -> None:
        with _translated():
            self._db.execute(sql, row)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as fault:
        locked = fault.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        raise Unusable("is in use by another emulator" if locked else f"cannot be used: {fault}") from fault
    except sqlite3.DatabaseError as fault:
        raise Unusable(f"cannot be read: {fault}") from fault


def _row(job: Job) -> tuple[object, ...]:
    task, error = job.task, job.task.error
    return (
        task.number,
        task.id,
        job.account.name,
        job.bearer.key.name,
        task.created_at,
        task.model,
        json.dumps(job.asked.body),
        job.asked.digest,
        job.asked.wishes.seed,
        task.label,
        task.idempotency_key,
        task.user_group,
        task.estimated_s,
        job.pixels,
        str(task.reserved),
        str(task.status),
        task.progress,
        task.ended_at,
        None if job.owed is None else str(job.owed),
        None if task.charged is None else str(task.charged),
        task.settled_at,
        error and error.code,
        error and error.message,
        job.clip_bytes,
        json.dumps(job.links),
    )


def _job(row: tuple[Any, ...], models: Mapping[str, Model], accounts: Accounts) -> Job:
    found = dict(zip(_COLUMNS, row, strict=True))
    if found["model"] not in models:
        raise Unusable(f"holds tasks of the model `{found['model']}`, which is not there any more")
    wishes = Wishes(idempotency_key=found["idempotency_key"], seed=found["seed"], label=found["label"])
    asked = Asked(model=models[found["model"]], body=json.loads(found["body"]), digest=found["digest"], wishes=wishes)
    error = TaskError(code=found["error_code"], message=found["error_message"]) if found["error_code"] else None
    task = Task(
        **{name: found[name] for name in _PLAIN},
        reserved=Decimal(found["reserved"]),
        status=Status(found["status"]),
        charged=_amount(found["charged"]),
        error=error,
    )
    return Job(
        bearer=accounts.named(found["account"], found["key"]),
        asked=asked,
        task=task,
        pixels=found["pixels"],
        owed=_amount(found["owed"]),
        links=json.loads(found["links"]),
        clip_bytes=found["clip_bytes"],
    )


def _upload(row: tuple[Any, ...], folder: Path) -> Upload:
    names = ("id", "account", "name", "original_name", "upload_path", "media_type", "size_bytes", "sha256")
    found = dict(zip((*names, "uploaded_at", "expires_at", "receipt"), row, strict=True))
    return Upload(**found, path=folder / str(found["id"]))


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


_COLUMNS = tuple(
    line.strip().split()[0] for line in _TABLES.partition("CREATE TABLE tasks (")[2].partition(") STRICT")[0].split(",")
)
_PLAIN = (
    "id", "number", "created_at", "model", "estimated_s", "idempotency_key", "label", "user_group", "progress", "ended_at",
    "settled_at",
)  # fmt: skip
