import errno
import io
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.execution.ports import Notice, What
from runner.screen.progress import Progress
from runner.screen.width import width


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Broken(io.StringIO):
    """A stream that takes `room` writes."""

    def __init__(self, fault: Exception, room: int = 0) -> None:
        super().__init__()
        self.fault, self.room, self.tried = fault, room, 0

    def write(self, text: str) -> int:
        self.tried += 1
        if self.tried > self.room:
            raise self.fault
        return super().write(text)


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TTY_INTERACTIVE", raising=False)


def progress(stream: TextIO, takes: int = 42, **options: object) -> Progress:
    chosen = {"terminal": False, "colour": False, "clock": Clock(), **options}
    return Progress(takes=takes, stream=stream, **chosen)  # type: ignore[arg-type]


def notice(what: What, *takes: str, text: str = "", percent: int | None = None) -> Notice:
    return Notice(what=what, takes=takes or ("walk.1",), text=text, percent=percent)


def screen(written: str) -> list[str]:
    """What is left to see on a terminal that got `written`: lines up to the last that holds anything."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[\d;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", written):
        if part == "\r":
            column = 0
        elif part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif part.endswith("A") and part.startswith("\x1b["):
            row -= int(part[2:-1] or 1)
            assert row >= 0, "the cursor left the screen"
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith("\x1b"):
            assert column == len(lines[row])
            lines[row], column = lines[row] + part, column + len(part)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def frame(written: str) -> list[str]:
    """The last frame before the bar was erased."""
    frames = [part for part in re.split(r"\r\x1b\[2K(?:\x1b\[1A\x1b\[2K)*", written) if "/" in part]
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", frames[-1]).rstrip("\r\n").split("\n")


def until(stream: io.StringIO, text: str) -> None:
    deadline = time.monotonic() + 5
    while text not in stream.getvalue():
        assert time.monotonic() < deadline, stream.getvalue()
        time.sleep(0.01)


# Elsewhere than on a terminal


def test_elsewhere_there_is_one_plain_line_for_each_end() -> None:
    stream = io.StringIO()
    with progress(stream) as told:
        told(notice(What.SUBMITTED, text="task-1"))
        told(notice(What.WAITING, text="running", percent=40))
        told(notice(What.FETCHING))
        told(notice(What.DONE, "arrival@dawn.1", "arrival@dusk.1"))
        told(notice(What.FAILED, text="content_policy_violation: no"))
    assert stream.getvalue() == (
        "[1/42] done arrival@dawn.1\n[2/42] done arrival@dusk.1\n[3/42] failed walk.1: content_policy_violation: no\n"
    )


def test_a_stopped_run_has_one_line_for_all_it_did_not_submit() -> None:
    stream = io.StringIO()
    with progress(stream) as told:
        for number in range(1, 42):
            told(notice(What.PENDING, f"walk.{number}", text="stopped by SIGINT"))
    assert stream.getvalue() == "[41/42] pending walk.1 and 40 more: stopped by SIGINT\n"


def test_a_summary_is_written_while_nothing_happens() -> None:
    stream, clock = io.StringIO(), Clock()
    with progress(stream, clock=clock) as told:
        told(notice(What.WAITING, text="running", percent=40))
        clock.now += 59
        time.sleep(0.3)
        assert stream.getvalue() == ""
        clock.now += 1
        until(stream, "\n")
    assert stream.getvalue() == "[0/42] after 1 m; under way: walk.1 running 40%\n"


def test_a_step_is_told_when_it_begins_and_notes_stand_among_the_lines() -> None:
    stream = io.StringIO()
    with progress(stream) as told:
        told(notice(What.DONE))
        told.step("assemble", "piece 1 of 2")
        told.step("assemble", "piece 2 of 2")
        told.step("assemble", "")
        told.note("film.mp4 is cut")
    assert stream.getvalue() == "[1/42] done walk.1\nassemble: piece 1 of 2\nfilm.mp4 is cut\n"


def test_quiet_tells_only_ends_without_a_clip_and_notes() -> None:
    stream, clock = io.StringIO(), Clock()
    with progress(stream, clock=clock, quiet=True, terminal=True) as told:
        told(notice(What.DONE))
        told(notice(What.UNKNOWN, text="no answer"))
        told.step("assemble", "piece 1 of 2")
        told.note("stopping")
        clock.now += 600
        until(stream, "stopping")
    assert stream.getvalue() == "[2/42] unknown walk.1: no answer\nstopping\n"


def test_colour_only_adds_colour() -> None:
    stream = io.StringIO()
    with progress(stream, colour=True) as told:
        told(notice(What.DONE))
        told(notice(What.FAILED))
    assert stream.getvalue() == "[1/42] \x1b[32mdone\x1b[0m walk.1\n[2/42] \x1b[31mfailed\x1b[0m walk.1\n"


@settings(deadline=None, max_examples=20)
@given(st.text())
def test_no_line_begins_with_a_stranger_s_words(words: str) -> None:
    stream = io.StringIO()
    with progress(stream) as told:
        told(notice(What.FAILED, words, text=words))
        told.note(words)
        told.note(f"  ::error::{words}")
        told.step("assemble", words)
    lines = stream.getvalue().split("\n")
    assert lines[0].startswith("[1/42] failed")
    assert not any(line.lstrip().startswith("::") or "\x1b" in line or "\r" in line for line in lines)


# On a terminal


def test_on_a_terminal_ends_stay_above_and_the_bar_goes_at_the_end() -> None:
    stream, clock, streams = io.StringIO(), Clock(), (sys.stdout, sys.stderr)
    with progress(stream, terminal=True, clock=clock) as told:
        told(notice(What.SUBMITTED))
        told(notice(What.SUBMITTED, "arrival@dawn.1"))
        until(stream, "arrival@dawn.1")
        assert (sys.stdout, sys.stderr) == streams
        clock.now += 4.1
        told(notice(What.DONE))
        until(stream, "[1/42]")
        told(notice(What.FAILED, "arrival@dawn.1", text="content: [bold]no[/b] :smile:"))
        told.note("film.mp4 is cut")
    assert screen(stream.getvalue()) == [
        "done walk.1  4.1 s",
        "failed arrival@dawn.1  4.1 s: content: [bold]no[/b] :smile:",
        "film.mp4 is cut",
    ]
    assert "\x1b[?25l" in stream.getvalue()
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")


def test_the_frame_has_the_bar_and_what_is_under_way() -> None:
    stream, clock = io.StringIO(), Clock()
    with progress(stream, takes=4, terminal=True, clock=clock) as told:
        told(notice(What.WAITING, "a.1", text="running", percent=7))
        told(notice(What.FETCHING, "b.1", "c.1"))
        told.step("assemble", "piece 1 of 2")
        clock.now += 10
        told(notice(What.DONE, "d.1"))
    assert frame(stream.getvalue()) == [
        "[1/4] ━━━━━━━━━━────────────────────────────── 10 s, about 30 s left",
        "  assemble        piece 1 of 2  10 s",
        "  a.1             running 7%    10 s",
        "  b.1 and 1 more  fetching      10 s",
    ]


@pytest.mark.parametrize(("columns", "lines"), [(40, 12), (80, 24), (30, 8), (200, 4), (40, 1)])
def test_a_frame_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, lines: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    stream, clock = io.StringIO(), Clock()
    with progress(stream, takes=300, terminal=True, clock=clock) as told:
        told(notice(What.DONE, *(f"x.{n}" for n in range(120))))
        for number in range(40):
            takes = [f"product@a-long-name-from-a-table+{number:03}.{take}" for take in (1, 2, 3)]
            told(notice(What.PAUSED, *takes, text="界" * 99))
        clock.now += 90_000
        told(notice(What.DONE, "x.120"))
    shown = frame(stream.getvalue())
    assert len(shown) <= max(lines - 3, 2)
    assert all(width(line) <= columns for line in shown)
    assert shown[0].startswith("[121/300] ")
    assert shown[-1] == f"  and {3 * (40 - (len(shown) - 2))} more"
    assert not columns >= 40 or len(shown) < 3 or re.match(r"  produc\S*…\S*\.1 \+2  paused.*  1 d 1 h$", shown[1])


def test_without_takes_there_is_no_bar() -> None:
    stream = io.StringIO()
    with progress(stream, takes=0, terminal=True) as told:
        told.step("assemble", "piece 1 of 2")
    assert "[0/0]" not in stream.getvalue()
    assert screen(stream.getvalue()) == []


def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = io.StringIO()
    with progress(stream, terminal=True) as told:
        told(notice(What.DONE))
    assert stream.getvalue() == "[1/42] done walk.1\n"


def test_no_colour_means_none_whatever_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    with progress(stream, terminal=True) as told:
        told(notice(What.DONE))
    assert not re.search(r"\x1b\[[\d;]*m", stream.getvalue())
    monkeypatch.setenv("NO_COLOR", "1")
    with progress(stream, terminal=True, colour=True) as told:
        told(notice(What.DONE))
    assert "\x1b[32mdone\x1b[0m" in stream.getvalue()


# Streams that fail


@pytest.mark.parametrize("on_terminal", [False, True])
@pytest.mark.parametrize(
    "fault",
    [
        BrokenPipeError(errno.EPIPE, "broken pipe"),
        OSError(errno.ENOSPC, "disk full"),
        OSError(errno.EIO, "terminal gone"),
        ValueError("I/O operation on closed file"),
    ],
)
def test_a_stream_that_breaks_is_silent_from_then_on(fault: Exception, on_terminal: bool) -> None:
    stream = Broken(fault)
    with progress(stream, terminal=on_terminal) as told:
        told(notice(What.DONE))
        while not stream.tried:
            time.sleep(0.01)
        told(notice(What.DONE))
    assert stream.tried == 1
    assert sys.stdout.writable()


def test_a_closed_stream_is_silence() -> None:
    stream = io.StringIO()
    stream.close()
    with progress(stream, terminal=True) as told:
        told(notice(What.DONE))


def test_a_stream_that_is_full_just_now_is_tried_again() -> None:
    stream = Broken(BlockingIOError(errno.EAGAIN, "full"))
    with progress(stream) as told:
        told(notice(What.FAILED, "a.1"))
        while not stream.tried:
            time.sleep(0.01)
        stream.room = 9
        told(notice(What.FAILED, "b.1"))
    assert stream.getvalue() == "[2/42] failed b.1\n"


@pytest.mark.parametrize("on_terminal", [False, True])
def test_what_the_stream_cannot_encode_is_a_question_mark(on_terminal: bool) -> None:
    raw = io.BytesIO()
    with progress(io.TextIOWrapper(raw, encoding="ascii"), terminal=on_terminal) as told:
        told(notice(What.SUBMITTED, "a.1"))
        told(notice(What.FAILED, text="漢字"))
    written = raw.getvalue().decode("ascii")
    assert "failed walk.1: ??\n" in written
    assert "[1/42] ----" in written or not on_terminal


def test_nobody_waits_for_a_pipe_that_nobody_reads() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream, os.fdopen(reading, encoding="utf-8") as pipe:
        with progress(stream, takes=500) as told:
            begun = time.monotonic()
            for number in range(500):
                told(notice(What.FAILED, f"a.{number}", text="x" * 400))
            time.sleep(0.3)
            told.note("the end")
            assert time.monotonic() - begun < 2
            reader = threading.Thread(target=lambda: [line for line in pipe if line == "the end\n"])
            reader.start()
        stream.close()
        reader.join()


def test_the_thread_ends_with_the_context_and_with_an_error_in_it() -> None:
    def writers() -> Iterator[threading.Thread]:
        return (thread for thread in threading.enumerate() if thread.name == "progress")

    with pytest.raises(KeyError), progress(io.StringIO(), terminal=True):
        assert len(list(writers())) == 1
        raise KeyError
    assert not list(writers())


def test_loading_this_screen_does_not_load_rich() -> None:
    code = "import sys, runner.screen.progress; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
