"""A program of the user's own: what it is given, and that nothing of it outlives its end."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from runner.adapters import program

PYTHON = sys.executable


async def run(tmp_path: Path, code: str, **told: object) -> program.Ended:
    settings = {"environ": {"PATH": os.environ["PATH"]}, "timeout_s": 30.0, **told}
    return await program.run([PYTHON, "-c", code], tmp_path, **settings)  # type: ignore[arg-type]


async def test_its_exit_code_and_the_end_of_what_it_printed_on_both_streams_are_told(tmp_path: Path) -> None:
    ended = await run(tmp_path, "import sys; print('x' * 100_000); print('last', file=sys.stderr); sys.exit(3)")
    assert ended.code == 3 and not ended.why
    assert ended.said.rstrip().endswith("last") and len(ended.said) <= program.KEPT_BYTES


async def test_it_works_in_its_folder_with_an_empty_input(tmp_path: Path) -> None:
    ended = await run(tmp_path, "import os, sys; print(os.getcwd()); print(repr(sys.stdin.read()))")
    assert ended.said.splitlines() == [str(tmp_path), "''"]


async def test_no_key_and_no_setting_of_ours_is_handed_on(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "EVOLINK_API_KEY": "sk-1",
        "SHOTRUNNER_KEY_HOST": "sk-2",
        "LC_ALL": "C.UTF-8",
        "AWS_SECRET": "3",
    }
    ended = await run(tmp_path, "import os; print(sorted(os.environ))", environ=environ)
    assert "LC_ALL" in ended.said and "PATH" in ended.said
    assert not any(name in ended.said for name in ("EVOLINK", "SHOTRUNNER", "AWS"))


async def test_what_is_not_done_in_time_is_ended_with_all_it_started(tmp_path: Path) -> None:
    code = f"""
import subprocess, time
child = subprocess.Popen([{PYTHON!r}, '-c', 'import time; time.sleep(600)'])
print(child.pid, flush=True)
time.sleep(600)
"""
    ended = await run(tmp_path, code, timeout_s=1.0)
    assert ended.why == "it was not done after 1 s" and ended.code != 0
    await gone(int(ended.said.split()[0]))


async def test_what_it_left_running_is_ended_and_not_waited_for(tmp_path: Path) -> None:
    code = f"import subprocess; print(subprocess.Popen([{PYTHON!r}, '-c', 'import time; time.sleep(600)']).pid)"
    ended = await run(tmp_path, code)
    assert ended.code == 0
    await gone(int(ended.said.split()[0]))


async def test_a_stop_of_the_run_ends_it_also_when_it_will_not_hear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "GRACE_S", 0.2)
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
    )
    asked = iter([False] * 40)
    ended = await run(tmp_path, code, stopped=lambda: next(asked, True))
    assert ended.why == "the run was stopped" and ended.code == -9


async def test_a_program_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await program.run(["no-such-program"], tmp_path, environ={}, timeout_s=1)


async def gone(pid: int) -> None:
    """Wait for the end of a process: its parent, which is not we, may have to take notice first."""
    for _ in range(200):
        if not alive(pid):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"process {pid} lives on")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
