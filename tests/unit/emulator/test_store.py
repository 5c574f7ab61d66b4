"""The books: what was written is what is read, and what are no books of ours is left alone."""

import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from runner.adapters import catalog
from runner.emulator import keep, tasks
from runner.emulator.accounts import Accounts
from runner.emulator.holders import Holder, Key
from runner.emulator.intake import Asked, Wishes
from runner.emulator.job import Job
from runner.emulator.store import NAME, Store, Unusable
from runner.emulator.switches import Switches
from runner.emulator.tasks import Task, TaskError
from runner.emulator.uploads import Upload

NOW = 1_795_000_000.25
MODELS = catalog.shipped_models()
BODY = {"model": "wan2.5-text-to-video", "prompt": "Möwen\n\u2028", "duration": 5, "nested": {"a": [1, 2.5, None]}}


def accounts(*names: str) -> Accounts:
    return Accounts([Holder(name=name, keys=(Key(secret=f"sk-{name}"),)) for name in names], Switches())


def job(number: int, of: Accounts, **changes: object) -> Job:
    task = Task(
        id=tasks.task_id(NOW, number),
        number=number,
        created_at=NOW,
        model="wan2.5-text-to-video",
        estimated_s=7,
        reserved=Decimal("25.50"),
        idempotency_key="0123456789abcdef",
        label="sea.1",
        user_group="vip",
    )
    asked = Asked(
        model=MODELS[task.model],
        body=BODY,
        digest="d" * 64,
        wishes=Wishes(idempotency_key=task.idempotency_key, seed=9, label=task.label),
    )
    return Job(bearer=of.named("one", "default"), asked=asked, task=replace(task, **changes), pixels=10**12)  # type: ignore[arg-type]


def upload(folder: Path, number: int) -> Upload:
    return Upload(
        id=f"file-{number}",
        account="one",
        name="a.png",
        original_name="Ä.png",
        upload_path="x/y",
        media_type="image/png",
        size_bytes=12,
        sha256="s" * 64,
        path=folder / f"file-{number}",
        uploaded_at=NOW,
        expires_at=NOW + 1,
        receipt="r" * 16,
    )


def told(one: Job) -> tuple[object, ...]:
    return (
        one.task,
        one.asked.body,
        one.asked.digest,
        one.asked.wishes,
        one.pixels,
        one.owed,
        one.links,
        one.clip_bytes,
    )


def test_every_state_of_a_task_comes_back_as_it_was(tmp_path: Path) -> None:
    of, store = accounts("one"), Store(tmp_path / NAME)
    made = [job(number, of) for number in range(1, 6)]
    for one in made:
        store.save(one)
    made[1].task = tasks.processing(made[1].task, 40)
    made[2].task = tasks.settled(
        tasks.completed(tasks.processing(made[2].task, 40), NOW + 9), NOW + 10, Decimal("12.75")
    )
    made[2].owed, made[2].clip_bytes = Decimal("12.75"), 4711
    made[2].link(NOW + 9)
    made[3].task = tasks.failed(made[3].task, NOW + 9, TaskError(code="service_error", message="no\nluck"))
    made[3].owed = Decimal(0)
    made[4].task = tasks.settled(tasks.cancelled(made[4].task, NOW + 1), NOW + 1, Decimal(0))
    for one in made:
        store.save(one)
    store.close()
    again = Store(tmp_path / NAME)
    found = again.jobs(MODELS, of)
    assert [told(one) for one in found] == [told(one) for one in made]
    assert all(one.bearer is of.named("one", "default") for one in found)
    again.close()


def test_words_keys_and_files_come_back(tmp_path: Path) -> None:
    store = Store(tmp_path / NAME)
    store.remember("a", "1")
    store.remember("a", "2")
    for account in ("one", "one", "two"):
        store.saw(account, "k" * 16)
    for number in range(3):
        store.keep(upload(tmp_path, number))
    store.forget([upload(tmp_path, 1)])
    store.close()
    again = Store(tmp_path / NAME)
    assert (again.word("a"), again.word("b")) == ("2", None)
    assert again.seen() == {("one", "k" * 16): 2, ("two", "k" * 16): 1}
    assert again.uploads(tmp_path) == [upload(tmp_path, 0), upload(tmp_path, 2)]
    again.close()


def test_what_is_written_together_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    store = Store()
    with pytest.raises(ZeroDivisionError), store.together():
        store.remember("a", "1")
        raise ZeroDivisionError
    assert store.word("a") is None
    with store.together(), store.together():
        store.remember("a", "1")
    assert store.word("a") == "1"
    store.close()


def test_tasks_of_accounts_and_keys_that_are_gone_belong_to_nobody(tmp_path: Path) -> None:
    store, before = Store(), accounts("zero", "one")
    for number in (1, 2):
        store.save(job(number, before))
    after = accounts("zero", "two")
    found = store.jobs(MODELS, after)
    assert [(one.account.name, one.account.number) for one in found] == [("one", 3)] * 2
    assert found[0].bearer is found[1].bearer
    assert [account.name for account in after.each()] == ["zero", "two", "one"]
    store.close()


def test_a_task_whose_model_is_gone_is_not_passed_over_in_silence() -> None:
    store, of = Store(), accounts("one")
    store.save(job(1, of))
    with pytest.raises(Unusable, match=r"model `wan2\.5-text-to-video`, which is not there"):
        store.jobs({}, of)
    store.close()


def test_nobody_else_opens_the_same_books(tmp_path: Path) -> None:
    with keep.opened(tmp_path / "kept"), pytest.raises(Unusable, match="in use by another emulator"):
        Store(tmp_path / "kept" / NAME)
    with keep.opened(tmp_path / "kept"):
        pass


def test_what_are_no_books_of_ours_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"SQLite format 3\x00" + b"x" * 4000)
    with pytest.raises(Unusable, match="cannot be"):
        Store(path)
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE films (name)")
    db.close()
    with pytest.raises(Unusable, match="another program"):
        Store(path)
    path.unlink()
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(Unusable, match="version 9"):
        Store(path)


def test_a_folder_with_other_files_in_it_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "mine.mp4").write_bytes(b"x")
    with pytest.raises(Unusable, match="holds other files"), keep.opened(tmp_path):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["clips", "mine.mp4"]
    with pytest.raises(Unusable, match="cannot be used"), keep.opened(tmp_path / "clips" / "mine.mp4"):
        pass


def test_a_kept_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    with keep.opened(tmp_path / "a" / "kept"):
        pass
    assert (tmp_path / "a" / "kept").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "kept" / NAME).stat().st_mode & 0o777 == 0o600
