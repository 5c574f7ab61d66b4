"""A journal of an older version is brought to this one, and what stands in it of money stays."""

import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from runner.adapters.journal import Journal
from runner.adapters.journal_rows import MIGRATIONS, VERSION
from runner.core.errors import NotRecorded
from runner.core.lifecycle import Event
from runner.planning.history import Entry, Intent

INTENT = Intent(
    key="1" * 64,
    purchase=1,
    storyboard="film",
    take="sea.1",
    model="wan2.7-text-to-video",
    service="evolink",
    account="a" * 16,
    idempotency_key="i" * 40,
    body=b"{}",
    reserved=Decimal("12.75"),
    unit="credit",
)
AT = "2026-11-20T09:00:00.000Z"


@pytest.mark.parametrize("version", range(1, VERSION))
async def test_an_older_journal_is_brought_to_this_version_and_keeps_what_it_knows(
    tmp_path: Path, version: int
) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as db:
        for script in MIGRATIONS[:version]:
            db.executescript(script)
        db.execute(f"PRAGMA user_version = {version}")
        db.execute(
            "INSERT INTO intents VALUES (?, 1, 'film', 'sea.1', 'm', 'evolink', 'a', 'i', x'7b7d', '12.75', 'credit')",
            (INTENT.key,),
        )
        db.execute(
            "INSERT INTO events (at, event, key, purchase, detail) VALUES (?, 'send', ?, 1, '{}')", (AT, INTENT.key)
        )
    db.close()
    journal = Journal(path)
    try:
        (purchase,) = journal.history()[INTENT.key]
        assert purchase.reserved == Decimal("12.75")
        await journal.record(Entry(at=AT, event=Event.UNANSWERED, key=INTENT.key, purchase=1))
    finally:
        journal.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    db.close()


@pytest.mark.parametrize(
    ("table", "column"),
    [("intents", "key"), ("events", "key"), ("receipts", "key"), ("plans", "at"), ("plan_events", "at"), ("plan_intents", "key")],
)  # fmt: skip
async def test_what_is_written_of_money_can_neither_be_changed_nor_removed(
    tmp_path: Path, table: str, column: str
) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    try:
        journal.history()
        await journal.save_plan("p", AT, "{}")
        await journal.begin_plan("p", AT)
        await journal.record(Entry(at=AT, event=Event.SEND, key=INTENT.key, purchase=1, intent=INTENT))
        await journal.record(Entry(at=AT, event=Event.RECEIPT, key=INTENT.key, purchase=1, task_id="task-1"))
    finally:
        journal.close()
    db = sqlite3.connect(path)
    try:
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = 'other'"):
            with pytest.raises(sqlite3.IntegrityError, match="only added"):
                db.execute(statement)
    finally:
        db.close()


async def test_an_intent_is_written_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    try:
        journal.history()
        entry = Entry(at=AT, event=Event.SEND, key=INTENT.key, purchase=1, intent=INTENT)
        await journal.record(entry)
        with pytest.raises((ValueError, NotRecorded)):
            await journal.record(entry)
    finally:
        journal.close()


async def test_a_plan_and_what_is_bought_under_it_are_remembered_and_nothing_else_is_its_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    try:
        journal.history()
        assert journal.saved_plan("p") is None
        await journal.save_plan("p", AT, '{"title": "Лето"}')
        await journal.record(Entry(at=AT, event=Event.SEND, key=INTENT.key, purchase=1, intent=INTENT))
        await journal.begin_plan("p", "begun")
        await journal.begin_plan("p", "begun again")
        second = replace(INTENT, purchase=2, idempotency_key="j" * 40)
        await journal.record(Entry(at=AT, event=Event.SEND, key=INTENT.key, purchase=2, intent=second))
        found = journal.saved_plan("p")
        assert found is not None
        assert (found.at, found.text, found.begun_at, found.finished_at) == (AT, '{"title": "Лето"}', "begun", "")
        assert found.bought == {(INTENT.key, 2)}
        await journal.finish_plan("p", "finished")
        assert (found := journal.saved_plan("p")) and found.finished_at == "finished"
        with pytest.raises(NotRecorded):
            await journal.finish_plan("p", "once more")
        with pytest.raises(NotRecorded):
            await journal.save_plan("p", AT, "{}")
    finally:
        journal.close()


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_reader_of_an_older_journal_finds_no_plan_that_it_does_not_know(tmp_path: Path, version: int) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as db:
        for script in MIGRATIONS[:version]:
            db.executescript(script)
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    journal = Journal(path, read_only=True)
    try:
        assert journal.saved_plan("p") is None
    finally:
        journal.close()
