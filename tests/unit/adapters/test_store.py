"""The clip store: found by what a clip is, durable when it says so, and never a place to lose one."""

import hashlib
import os
from pathlib import Path

import pytest

from runner.adapters import store as stores
from runner.adapters.store import Store

CLIP = b"a clip"
DIGEST = hashlib.sha256(CLIP).hexdigest()


def adopted(store: Store, content: bytes = CLIP, name: str = "k.1") -> Path:
    part = store.part(name)
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    return store.adopt(part, hashlib.sha256(content).hexdigest())


def test_a_clip_is_found_by_its_digest_and_length(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.has(DIGEST, len(CLIP))
    path = adopted(store)
    assert path == store.path(DIGEST)
    assert path.read_bytes() == CLIP
    assert store.has(DIGEST, len(CLIP))
    assert not store.has(DIGEST, len(CLIP) - 1)
    assert not store.part("k.1").exists()


def test_a_clip_with_other_bytes_is_not_intact(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.intact(DIGEST)
    path = adopted(store)
    assert store.intact(DIGEST)
    path.write_bytes(CLIP[::-1])
    assert store.has(DIGEST, len(CLIP))
    assert not store.intact(DIGEST)


def test_a_clip_is_read_again_only_if_it_was_touched_since_it_was_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Store(tmp_path)
    path = adopted(first)
    told = dict(first.judged)
    assert told.keys() == {DIGEST}
    read: list[Path] = []
    monkeypatch.setattr(stores, "sha256_of", lambda path: read.append(path) or DIGEST)
    later = Store(tmp_path)
    later.trust(told)
    assert later.intact(DIGEST)
    assert read == []
    os.utime(path)
    assert later.intact(DIGEST)
    assert later.intact(DIGEST)
    assert read == [path]


def test_damage_is_seen_though_length_and_time_are_put_back(tmp_path: Path) -> None:
    first = Store(tmp_path)
    path = adopted(first)
    before = path.stat()
    path.write_bytes(CLIP[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    later = Store(tmp_path)
    later.trust(first.judged)
    assert not later.intact(DIGEST)


def test_a_link_in_the_place_of_a_clip_is_no_clip(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = adopted(store)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert not store.intact(DIGEST)


def test_adopting_the_same_clip_twice_keeps_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    adopted(store)
    assert adopted(store, name="k.2").read_bytes() == CLIP


def test_every_folder_that_was_made_is_synced_before_adopt_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(stores, "sync_folder", lambda folder: synced.append(os.path.relpath(folder, tmp_path)))
    store = Store(tmp_path)
    adopted(store)
    assert set(synced) == {f"clips/{DIGEST[:2]}", "clips", "."}
    synced.clear()
    adopted(store)
    assert synced == [f"clips/{DIGEST[:2]}"]


def test_clips_and_parts_are_the_users_own(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = adopted(store)
    assert (path.parent.stat().st_mode & 0o077) == 0


def test_parts_of_purchases_that_are_over_are_cleared(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.clear_parts([])  # there is no folder yet
    names = ("a.1", "a.10", "a.1.2", "reference.b")
    for name in names:
        store.part(name).parent.mkdir(parents=True, exist_ok=True)
        store.part(name).write_bytes(b"half")
    (tmp_path / "parts" / "a.1.part.json").write_bytes(b"{}")
    store.clear_parts(["a.1"])
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == ["a.1.2.part", "a.1.part", "a.1.part.json"]
