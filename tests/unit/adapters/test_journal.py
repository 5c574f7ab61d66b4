"""The journal: durable when it says so, all or nothing, and refused rather than guessed at."""

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from purchases import AT, entry, life, purchase, sent

from runner.adapters import journal as journals
from runner.adapters.journal import Journal, Output
from runner.adapters.journal_file import connect, for_writing
from runner.adapters.journal_rows import VERSION
from runner.core.errors import NotRecorded, Refused, TaskHeld
from runner.core.lifecycle import Event, State, Unlawful
from runner.planning.history import Entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@contextmanager
def opened(path: Path, *, read_only: bool = False) -> Iterator[Journal]:
    journal = Journal(path, read_only=read_only)
    try:
        yield journal
    finally:
        journal.close()


def record(path: Path, *entries: Entry) -> None:
    """As another run would, whatever loop is running here."""

    async def write(journal: Journal) -> None:
        await journal.record(*entries)

    with opened(path) as journal:
        thread = threading.Thread(target=lambda: asyncio.run(write(journal)))
        thread.start()
        thread.join()


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def states(path: Path) -> dict[tuple[str, int], State]:
    with opened(path, read_only=True) as journal:
        return {(p.key, p.number): p.state for made in journal.history().values() for p in made}


@pytest.mark.parametrize("state", State)
async def test_what_was_recorded_is_there_in_another_process_state_by_state(path: Path, state: State) -> None:
    with opened(path) as journal:
        for one in life(state):
            await journal.record(one)
        assert journal.current() == {"k": (purchase(state),)}
        with opened(path, read_only=True) as reader:
            assert reader.history() == {"k": (purchase(state),)}
    with opened(path) as journal:
        assert journal.history() == {"k": (purchase(state),)}


async def test_amounts_bytes_and_texts_come_back_as_they_were(path: Path) -> None:
    strange = "käfer \ud800 \u202e \x00 \n"
    first = sent(reserved="25.50", body=b"\x00\xff{}", take="a.1")
    with opened(path) as journal:
        await journal.record(first)
        await journal.record(
            entry(Event.RECEIPT, task_id="t", reserved="30.25", eta_s=12.5),
            entry(Event.FAILED, charged=Decimal("30.250"), error={"message": strange}),
        )
    with opened(path, read_only=True) as journal:
        [found] = journal.history()["k"]
    assert found.intent == first.intent
    assert (found.reserved, found.charged, found.task_id, found.eta_s) == (
        Decimal("30.25"),
        Decimal("30.250"),
        "t",
        12.5,
    )
    assert found.error == {"message": strange}
    assert found.timeline == ((AT, "send"), (AT, "receipt"), (AT, "failed"))


async def test_entries_of_one_call_are_kept_all_or_none(path: Path) -> None:
    with opened(path) as journal:
        with pytest.raises(Unlawful):
            await journal.record(sent("a"), entry(Event.FETCHED, "a"))
        assert journal.current() == {}
        await journal.record(*life(State.DONE, "b"))
        assert [p.state for p in journal.current()["b"]] == [State.DONE]
    assert states(path) == {("b", 1): State.DONE}


def test_every_commit_waits_for_the_disk(path: Path) -> None:
    """Nothing short of pulling the plug would show it otherwise."""
    db = for_writing(connect(path, "rwc"))
    told = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "fullfsync")}
    db.close()
    assert told == {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1}  # 2: FULL, synced at every commit


async def test_both_connections_of_a_writer_wait_for_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readied: list[sqlite3.Connection] = []
    monkeypatch.setattr(journals, "for_writing", lambda db: readied.append(db) or for_writing(db))
    opens: list[sqlite3.Connection] = []
    monkeypatch.setattr(journals, "connect", lambda *given: opens.append(connect(*given)) or opens[-1])
    with opened(path) as journal:
        await journal.record(sent())
    assert len(opens) == 2 and readied == opens


async def test_hundreds_of_writers_share_their_commits(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = []
    monkeypatch.setattr(
        journals.Journal, "_settle", lambda self, settle=journals.Journal._settle: (commits.append(1), settle(self))
    )
    with opened(path) as journal:

        async def buy(key: str) -> None:
            for one in life(State.DONE, key):
                await journal.record(one)

        await asyncio.gather(*(buy(f"k{n:03}") for n in range(300)))
        assert len(commits) < 300
        assert len(journal.current()) == 300
    assert set(states(path).values()) == {State.DONE}


async def test_several_events_of_one_purchase_in_one_batch_follow_each_other(path: Path) -> None:
    """Nobody has to wait for the disk between two events for the second to be lawful."""
    with opened(path) as journal:
        await asyncio.gather(*(journal.record(one) for one in life(State.DONE)))
        assert journal.current()["k"][0].state is State.DONE
    assert states(path) == {("k", 1): State.DONE}


async def test_an_unlawful_event_is_refused_and_its_batch_stands(path: Path) -> None:
    with opened(path) as journal:
        wrong = [journal.record(entry(Event.FETCHED, f"w{n}")) for n in range(20)]
        right = [journal.record(sent(f"r{n}")) for n in range(20)]
        done = await asyncio.gather(
            *(one for pair in zip(wrong, right, strict=True) for one in pair), return_exceptions=True
        )
        assert [type(one) for one in done[::2]] == [Unlawful] * 20
        assert done[1::2] == [None] * 20
    assert states(path) == {(f"r{n}", 1): State.INTENDED for n in range(20)}


async def test_a_fault_of_one_writer_is_its_own(path: Path) -> None:
    with opened(path) as journal:
        nonsense = entry(Event.RECEIPT, "a", task_id="t", error=object())  # no JSON
        await journal.record(sent("a"))
        results = await asyncio.gather(
            journal.record(sent("b")), journal.record(nonsense), journal.record(sent("c")), return_exceptions=True
        )
        assert [type(one) for one in results] == [type(None), TypeError, type(None)]
        assert journal.current()["a"][0].state is State.INTENDED
        await journal.record(entry(Event.RECEIPT, "a", task_id="t"))
    assert states(path)["a", 1] is State.WAITING


async def test_a_purchase_is_begun_once(path: Path) -> None:
    with opened(path) as journal:
        await journal.record(sent())
        with pytest.raises(Unlawful):
            await journal.record(sent())
        await journal.record(sent(purchase=2))
    assert states(path) == {("k", 1): State.INTENDED, ("k", 2): State.INTENDED}


async def test_the_file_itself_refuses_a_second_intent_of_a_purchase(path: Path) -> None:
    """Should two writers ever meet in spite of the lock: the second is told, and nothing of it is kept."""
    with opened(path) as one, opened(path) as other:
        one.history()
        other.history()
        await one.record(sent())
        results = await asyncio.gather(other.record(sent()), other.record(sent("b")), return_exceptions=True)
        assert isinstance(results[0], NotRecorded)
        assert results[1] is None
        assert "k" not in other.current()
    assert states(path) == {("k", 1): State.INTENDED, ("b", 1): State.INTENDED}


async def test_the_file_itself_refuses_a_task_of_an_account_twice(path: Path) -> None:
    """Whoever writes to it: the same task of the same account belongs to no second purchase."""
    with opened(path) as journal:
        await journal.record(sent(), sent("b"), entry(Event.RECEIPT, task_id="t"))
    db = sqlite3.connect(path)
    service, account, task, _, _ = db.execute("SELECT * FROM receipts").fetchone()
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        db.execute("INSERT INTO receipts VALUES (?, ?, ?, ?, ?)", (service, account, task, "b", 1))
    db.close()


async def test_a_task_belongs_to_one_purchase_of_an_account(path: Path) -> None:
    with opened(path) as journal:
        await journal.record(sent("a"), sent("b"), sent("c", account="other"), sent("d", service="evolink@elsewhere"))
        await journal.record(entry(Event.RECEIPT, "a", task_id="t"))
        with pytest.raises(TaskHeld, match="already belongs to another purchase"):
            await journal.record(entry(Event.RECEIPT, "b", task_id="t"))
        assert journal.current()["b"][0].state is State.INTENDED
        await journal.record(entry(Event.RECEIPT, "c", task_id="t"), entry(Event.RECEIPT, "d", task_id="t"))
        await journal.record(entry(Event.UNANSWERED, "b"))
    assert states(path)["b", 1] is State.UNKNOWN


async def test_what_a_cancelled_writer_had_queued_is_written_all_the_same(path: Path) -> None:
    with opened(path) as journal:
        journal.history()
        writing = asyncio.create_task(journal.record(sent()))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert states(path) == {("k", 1): State.INTENDED}


async def test_closing_writes_what_is_queued_and_ends_the_thread(path: Path) -> None:
    before = threading.active_count()
    journal = Journal(path)
    journal.history()
    writing = [asyncio.create_task(journal.record(sent(f"k{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    assert threading.active_count() == before + 1
    await asyncio.to_thread(journal.close)
    await asyncio.gather(*writing)
    assert threading.active_count() <= before + 1  # a worker of to_thread may stay
    assert not any(thread.name == "journal" for thread in threading.enumerate())
    assert len(states(path)) == 50


async def test_a_journal_nobody_wrote_to_has_no_thread(path: Path) -> None:
    with opened(path) as journal:
        assert journal.history() == {}
        assert not any(thread.name == "journal" for thread in threading.enumerate())


async def test_a_reader_sees_one_moment_while_a_writer_writes(path: Path) -> None:
    with opened(path) as journal:
        await journal.record(sent("first"))

        async def write() -> None:
            for n in range(150):
                await journal.record(*life(State.DONE, f"k{n}"))

        seen = []
        with opened(path, read_only=True) as reader:
            writing = asyncio.create_task(write())
            while not writing.done():
                seen.append(len(await asyncio.to_thread(reader.history)))
            await writing
            assert len(reader.history()) == 151
        assert sorted(seen) == seen


def test_an_intent_that_comes_between_two_reads_harms_no_reader(path: Path) -> None:
    """Intents and events are two reads; without one moment for both, the second would meet events of unknown intents."""

    record(path, sent("a"))
    with opened(path) as reader:
        between = []

        def trace(statement: str) -> None:
            if statement.startswith("SELECT at") and not between:
                between.append(record(path, sent("b")))

        reader._reader.set_trace_callback(trace)
        assert set(reader.history()) == {"a"}
        assert between
        reader._reader.set_trace_callback(None)
        assert set(reader.history()) == {"a", "b"}


KILLED = """
import asyncio, os, sys
sys.path[:0] = {path!r}
from pathlib import Path
from purchases import entry, sent
from runner.adapters.journal import Journal
from runner.core.lifecycle import Event

async def main():
    journal = Journal(Path({journal!r}))
    journal.history()
    for n in range(1000):
        await asyncio.gather(*(journal.record(sent(f"k{{n}}-{{m}}")) for m in range(5)))
        os.write(1, f"{{n}}\\n".encode())

asyncio.run(main())
"""


def test_what_was_said_to_be_durable_survives_a_kill(path: Path) -> None:
    code = KILLED.format(path=[str(Path(__file__).parents[2]), *sys.path], journal=str(path))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout
    told = [process.stdout.readline() for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    told += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    promised = {(f"k{int(line)}-{m}", 1) for line in told if line.endswith(b"\n") for m in range(5)}
    assert len(promised) >= 100
    assert promised <= states(path).keys()
    with opened(path) as journal:
        assert journal.history()


# What cannot be trusted is refused


def refused(path: Path, *, read_only: bool = False) -> str:
    with pytest.raises(Refused) as caught, opened(path, read_only=read_only) as journal:
        journal.history()
    assert "never begun anew" in caught.value.help
    return caught.value.message


def test_a_damaged_journal_is_refused_and_left_as_it_is(path: Path) -> None:
    record(path, *(one for n in range(200) for one in life(State.DONE, f"k{n}")))
    whole = path.read_bytes()
    half = len(whole) // 2
    damaged = [
        b"no database at all" * 100,
        whole[:half],
        whole[:half] + os.urandom(4096) + whole[half + 4096 :],
        b"\0" * len(whole),
    ]
    for content in damaged:
        path.write_bytes(content)
        for read_only in (True, False):
            refused(path, read_only=read_only)
        assert path.read_bytes()[:100] == content[:100]


async def test_a_journal_of_a_newer_version_is_refused_unread(path: Path) -> None:
    with opened(path) as journal:
        await journal.record(sent())
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    for read_only in (True, False):
        assert "newer" in refused(path, read_only=read_only)


def test_another_programs_database_is_refused(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE notes (text)")
    db.close()
    for read_only in (True, False):
        assert "some other database" in refused(path, read_only=read_only)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET event = 'fetched' WHERE seq = 1",
        "UPDATE events SET event = 'something'",
        "DELETE FROM intents",
        "UPDATE events SET detail = '[]'",
        "UPDATE events SET detail = '{'",
        "UPDATE events SET charged = 'much'",
        "UPDATE intents SET reserved = 'much'",
        "UPDATE events SET key = 'other'",
        "DROP TABLE events",
    ],
)
async def test_a_history_that_cannot_have_happened_is_refused(path: Path, sql: str) -> None:
    with opened(path) as journal:
        await journal.record(*life(State.DONE))
    db = sqlite3.connect(path)
    for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {trigger}")  # whoever damages it does not go through the door
    db.execute(sql)
    db.commit()
    db.close()
    refused(path, read_only=True)
    refused(path)


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    path.mkdir()
    refused(path, read_only=True)
    refused(path)


def test_a_journal_that_is_gone_from_beside_its_clips_is_not_begun_anew(path: Path) -> None:
    (path.parent / "clips").mkdir()
    for empty in (False, True):
        if empty:
            path.touch()
        with pytest.raises(Refused, match="is gone"):
            Journal(path)
        assert path.exists() is empty


def test_a_journal_of_no_bytes_was_never_begun(path: Path) -> None:
    """A disk that was full when it should have been made leaves one behind."""
    path.touch()
    with opened(path, read_only=True) as reader:
        assert reader.history() == {}
        assert reader.probed("s", 1) is None
    assert path.stat().st_size == 0
    with opened(path) as journal:
        assert journal.history() == {}


# What happens when the disk says no


@contextmanager
def no_file_beyond(size_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_full_disk_is_told_as_it_is_and_asks_for_no_backup(path: Path, is_there: bool) -> None:
    if is_there:
        record(path, *life(State.DONE))
        before = path.read_bytes()
    with no_file_beyond(4096), pytest.raises(Refused) as caught:
        Journal(path)
    assert "disk I/O error" in caught.value.message or "disk is full" in caught.value.message
    assert "make room" in caught.value.help and "backup" not in caught.value.help
    if is_there:
        assert path.read_bytes() == before
        assert states(path) == {("k", 1): State.DONE}


async def test_a_full_disk_refuses_the_writers_and_forgets_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may not grow: every writer of the batch is told, and the next one with room goes through."""
    connect = journals.connect
    limit = ["PRAGMA max_page_count = 1"]

    def tight(place: Path, mode: str) -> sqlite3.Connection:
        db = connect(place, mode)
        if limit and threading.current_thread().name == "journal":
            db.execute(limit[0])
        return db

    monkeypatch.setattr(journals, "connect", tight)
    with opened(path) as journal:
        large = "x" * 100_000
        results = await asyncio.gather(
            *(journal.record(sent(f"k{n}", body=large.encode())) for n in range(5)), return_exceptions=True
        )
        assert all(isinstance(one, NotRecorded) for one in results)
        assert journal.current() == {}
        limit.clear()
        await journal.record(sent("k1"))
        assert set(journal.current()) == {"k1"}
    assert states(path) == {("k1", 1): State.INTENDED}


@pytest.mark.parametrize(
    "fault", [sqlite3.OperationalError("unable to open"), OSError("unable to open"), RuntimeError("unable to open")]
)
async def test_a_journal_that_cannot_be_opened_for_writing_refuses_its_writers(
    path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    with opened(path) as journal:
        journal.history()

        def broken(*_: object) -> sqlite3.Connection:
            raise fault

        monkeypatch.setattr(journals, "connect", broken)
        for _ in range(2):  # the thread outlives it
            with pytest.raises(NotRecorded, match="unable to open"):
                await journal.record(sent())
        monkeypatch.undo()
        await journal.record(sent())
    assert states(path) == {("k", 1): State.INTENDED}


async def test_a_transaction_that_fails_at_its_end_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [sqlite3.OperationalError("disk I/O error")]

    class Failing(sqlite3.Connection):
        def execute(self, sql: str, *more: object) -> sqlite3.Cursor:
            if sql == "COMMIT" and faults:
                raise faults.pop()
            return super().execute(sql, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(
        journals,
        "connect",
        lambda place, _: sqlite3.connect(place, isolation_level=None, check_same_thread=False, factory=Failing),
    )
    with opened(path) as journal:
        with pytest.raises(NotRecorded, match="disk I/O error"):
            await journal.record(sent("a"))
        await journal.record(sent("b"))
        assert set(journal.current()) == {"b"}
    assert states(path) == {("b", 1): State.INTENDED}


# What else a run remembers


async def test_an_upload_is_remembered_for_its_service_and_account(path: Path) -> None:
    with opened(path) as journal:
        for url in ("https://files/1", "https://files/2"):
            await journal.note_upload("evolink", "me", "aa", url, "2026-11-23T12:00:00+00:00")
        assert journal.uploaded("evolink", "me", "aa") == ("https://files/2", "2026-11-23T12:00:00+00:00")
        assert journal.uploaded("evolink", "you", "aa") is None
        assert journal.uploaded("evolink@127.0.0.1:1", "me", "aa") is None


async def test_requests_takes_outputs_probes_and_durations_are_remembered(path: Path) -> None:
    with opened(path) as journal:
        await journal.note_requests({"k": {"model": "m", "body": {"é": 1}}})
        await journal.note_takes("film", "evolink", {"a.1": "k"})
        await journal.note_takes("film", "evolink", {"a.1": "k2"})
        await journal.note_output("/out/film/a.mp4", Output(sha256="s", stamp="1:2", made_from="s"), AT)
        await journal.note_output("/out/film2/a.mp4", Output(sha256="s", stamp="1:2", made_from="s"), AT)
        await journal.note_intact({"s": "1:2:3", "t": "1:2:3"}, AT)
        await journal.note_intact({"s": "1:2:4"}, AT)
        await journal.note_probe("s", 1, {"format": "png"})
        for seconds in (1.0, 2.0, 3.0):
            await journal.note_duration("m", "evolink", seconds)
    with opened(path, read_only=True) as journal:
        assert journal.inputs("k") == {"model": "m", "body": {"é": 1}}
        assert journal.inputs("other") is None
        assert journal.last_keys("film", "evolink") == {"a.1": "k2"}
        assert journal.last_keys("film", "animatic/1") == {}
        assert list(journal.outputs("/out/film")) == ["/out/film/a.mp4"]
        assert journal.intact() == {"s": "1:2:4", "t": "1:2:3"}
        assert journal.probed("s", 1) == {"format": "png"}
        assert journal.probed("s", 2) is None
        assert journal.durations("m", "evolink", most=2) == [3.0, 2.0]
    with opened(path) as journal:
        await journal.forget_output("/out/film/a.mp4")
        assert journal.outputs("/out/film") == {}


async def test_a_reader_writes_nothing_and_leaves_nothing_behind(path: Path) -> None:
    with opened(path) as journal:
        await journal.record(sent())
    before = files(path.parent)
    assert states(path) == {("k", 1): State.INTENDED}
    assert files(path.parent) == before


async def test_a_writer_that_comes_while_a_reader_reads_is_seen_or_not_but_never_half(path: Path) -> None:
    with opened(path) as journal:
        await journal.record(sent("a"))
    with opened(path, read_only=True) as reader:
        with opened(path) as journal:
            await journal.record(sent("b"))
            assert set(reader.history()) == {"a", "b"}
        assert set(reader.history()) == {"a", "b"}
