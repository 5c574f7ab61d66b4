"""One writer per state folder, freed by the kernel alone."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.adapters import lock
from runner.adapters.lock import held
from runner.core.errors import Refused

HOLD = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from runner.adapters.lock import held
with held(Path({state!r}), wait_s={wait_s}):
    print("held", flush=True)
    {body}
"""


def other(state: Path, body: str = "time.sleep(60)", wait_s: float = 0) -> subprocess.Popen[str]:
    """Another process that holds the lock once this returns."""
    code = HOLD.format(path=sys.path, state=str(state), body=body, wait_s=wait_s)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n", process.stderr.read() if process.stderr else ""
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    process = other(tmp_path)
    try:
        with pytest.raises(Refused) as caught, held(tmp_path, wait_s=0):
            pass
        assert f"process {process.pid}" in caught.value.message
        assert "--wait" in caught.value.help
    finally:
        end(process)


def test_a_kill_frees_it_at_once(tmp_path: Path) -> None:
    end(other(tmp_path))
    with held(tmp_path, wait_s=0):
        pass


def test_a_lock_file_of_a_dead_process_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(json.dumps({"pid": 1, "host": "here", "command": "x"}), encoding="utf-8")
    with held(tmp_path, wait_s=0):
        assert json.loads((tmp_path / "lock").read_text(encoding="utf-8"))["pid"] == os.getpid()


def test_who_waits_gets_it_when_it_is_free(tmp_path: Path) -> None:
    process = other(tmp_path, "time.sleep(0.3)")
    begun = time.monotonic()
    with held(tmp_path, wait_s=20):
        assert time.monotonic() - begun < 10
    process.communicate()


def test_who_waits_too_long_is_refused(tmp_path: Path) -> None:
    process = other(tmp_path)
    try:
        with pytest.raises(Refused), held(tmp_path, wait_s=0.2):
            pass
    finally:
        end(process)


def test_a_child_does_not_inherit_it(tmp_path: Path) -> None:
    """A child that outlives a killed run must not go on holding the lock."""
    body = 'import subprocess; child = subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); print(child.pid, flush=True); time.sleep(60)'
    process = other(tmp_path, body)
    assert process.stdout
    child = int(process.stdout.readline())
    try:
        end(process)
        with held(tmp_path, wait_s=0):
            pass
    finally:
        os.kill(child, 9)


def test_it_is_freed_when_the_holder_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), held(tmp_path, wait_s=0):
        raise ValueError("mine")
    with held(tmp_path, wait_s=0):
        pass
    assert (tmp_path / "lock").read_text(encoding="utf-8") == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"pid": 1}', b"x" * 100_000])
def test_whatever_stands_in_the_file_the_refusal_has_words(tmp_path: Path, content: bytes) -> None:
    process = other(tmp_path)
    try:
        (tmp_path / "lock").write_bytes(content)
        with pytest.raises(Refused) as caught, held(tmp_path, wait_s=0):
            pass
        assert "a process that has not said which" in caught.value.message
    finally:
        end(process)


def test_it_is_held_though_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lock.os, "pwrite", full)
    with held(tmp_path, wait_s=0), pytest.raises(Refused), held(tmp_path, wait_s=0):
        pass


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(Refused, match="cannot be opened"), held(tmp_path, wait_s=0):
        pass
    assert not (tmp_path / "precious").exists()


def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be opened"), held(tmp_path / "gone", wait_s=0):
        pass


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", none)
    with pytest.raises(Refused, match="No locks available") as caught, held(tmp_path, wait_s=0):
        pass
    assert "--state" in caught.value.help
