"""Progress of a run on stderr: a bar and what is under way on a terminal, plain lines elsewhere.

A thread of its own does all writing, so that neither a slow terminal nor a full pipe holds up a run with money in flight,
and a stream that breaks is never more than silent.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, Self, TextIO, cast

from runner.execution.ports import Notice, What
from runner.screen.amounts import duration
from runner.screen.colour import Style, paint
from runner.screen.table import Align, Cell, Column, table
from runner.screen.tally import End, Tally, named, together
from runner.screen.width import width

_TICK_S = 0.25
_SUMMARY_S = 60.0
_LAST_WORDS_S = 5.0  # that a stream gets at the end to take what is still unwritten
_BESIDE = 4  # lines of the terminal that are left to others
_SHORTEST_BAR = 8  # columns
_LONGEST_BAR = 40

_UNDER_WAY = (Column(), Column(), Column(gives=True), Column(align=Align.RIGHT))
_STYLES = {What.DONE: Style.GOOD, What.PENDING: Style.FAINT, What.OVERDUE: Style.WARNING, What.UNFETCHED: Style.WARNING}


class Progress:
    """A context; called with every notice of the run. No method waits for the stream or raises for its sake.

    `takes`: how many the run has to see to an end. `terminal`: `stream` is one that can move its cursor. `quiet`: only ends
    without a clip, and notes. Elsewhere than on a terminal a summary is written every `summary_s` seconds.
    """

    def __init__(
        self,
        *,
        takes: int,
        stream: TextIO,
        terminal: bool,
        colour: bool,
        clock: Callable[[], float] = time.monotonic,
        quiet: bool = False,
        summary_s: float = _SUMMARY_S,
    ) -> None:
        self._stream, self._clock = _Stream(stream), clock
        self._terminal, self._colour, self._quiet, self._summary_s = terminal and not quiet, colour, quiet, summary_s
        self._tally = Tally(takes, clock())
        self._lines: list[End | str] = []
        self._lock = threading.RLock()  # of the two above; a signal may interrupt its own holder
        self._over = threading.Event()
        self._writer = threading.Thread(target=self._write, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._writer.join(_LAST_WORDS_S)

    def __call__(self, notice: Notice) -> None:
        with self._lock:
            ends = self._tally.add(notice, self._clock())
            self._lines += [end for end in ends if not (self._quiet and end.what is What.DONE)]

    def note(self, line: str) -> None:
        """A line of its own among the others; foreign words in it are cleaned."""
        with self._lock:
            self._lines.append(table([[line]], [Column()]).rstrip("\n"))

    def step(self, name: str, text: str) -> None:
        """What a step is doing now, shown beside the takes; elsewhere than on a terminal when it begins and with the
        summary. An empty text ends it."""
        with self._lock:
            begins = self._tally.step(name, text, self._clock())
            if begins and not self._terminal and not self._quiet:
                self.note(f"{name}: {text}")

    # In the writing thread

    def _write(self) -> None:
        if self._terminal and self._on_terminal():
            return
        self._terminal = False
        self._elsewhere()

    def _elsewhere(self) -> None:
        next_summary = self._clock() + self._summary_s
        over = False
        while not over:
            over = self._over.wait(_TICK_S)
            lines = self._new_lines()
            if not over and not self._quiet and self._clock() >= next_summary:
                next_summary = self._clock() + self._summary_s
                with self._lock:
                    lines.append(self._tally.summary(self._clock()))
            if lines:
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()

    def _on_terminal(self) -> bool:
        """Whether the terminal is one whose cursor can go up; else nothing has been written."""
        from rich.console import Console  # takes longer to load than most commands take to run
        from rich.live import Live
        from rich.text import Text

        console = Console(
            file=cast("IO[str]", self._stream),
            force_terminal=True,
            color_system="standard" if self._colour else None,
            no_color=False,  # NO_COLOR has had its say before `colour`
        )
        if not console.is_interactive:
            return False
        live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        with live:
            over = False
            while not over:
                over = self._over.wait(_TICK_S)
                lines = self._new_lines()
                frame = "\n".join(self._frame(*console.size))
                live.update(Text.from_ansi(frame, no_wrap=True, overflow="crop"))
                with console:  # one write
                    if lines:
                        console.print(Text.from_ansi("\n".join(lines)), soft_wrap=True)
                    live.refresh()
        return True

    def _new_lines(self) -> list[str]:
        """What is to be written for good, since the last call."""
        with self._lock:
            lines, self._lines = self._lines, []
        return [line if isinstance(line, str) else self._end(line) for line in together(lines)]

    def _end(self, end: End) -> str:
        """`done arrival@dawn.1  4.1 s` above the bar, which counts; `[3/42] done arrival@dawn.1` elsewhere."""
        line = f"{paint(end.what.value, _STYLES.get(end.what, Style.BAD), colour=self._colour)} {named(end.takes)}"
        if not self._terminal:
            line = f"[{end.number}/{end.total}] {line}"
        elif end.seconds is not None:
            line += f"  {duration(end.seconds)}"
        return f"{line}: {end.text}" if end.text else line

    def _frame(self, columns: int, lines: int) -> list[str]:
        """The bar, and below it what is under way, as far as the terminal has lines for it."""
        now = self._clock()
        with self._lock:
            ended, total, times, rows = self._tally.ended, self._tally.total, self._tally.times(now), self._tally.rows()
        most = max(lines - _BESIDE, 1)
        shown = rows if len(rows) <= most else rows[: most - 1]
        cells: list[list[Cell | str]] = [
            ["", _label(row.takes, columns * 2 // 5), row.doing, Cell(duration(int(now - row.since)), Style.FAINT)]
            for row in shown
        ]
        frame = table(cells, _UNDER_WAY, width_columns=columns - 1, colour=self._colour).splitlines()
        if rest := sum(len(row.takes) for row in rows[len(shown) :]):
            frame.append(f"  and {rest} more")
        return [self._bar(ended, total, times, columns - 1), *frame] if total else frame

    def _bar(self, ended: int, total: int, times: str, columns: int) -> str:
        """`[12/300] ━━━━──────── 4 m 10 s, about 12 m left`; on a narrow terminal without the bar itself."""
        head = f"[{ended}/{total}]"
        room = min(columns - width(head) - width(times) - 2, _LONGEST_BAR)
        if room < _SHORTEST_BAR:
            return f"{head} {times}"
        full, rest = "━─" if self._stream.encoding.lower().startswith("utf") else "=-"
        filled = room * ended // total
        done = paint(full * filled, Style.GOOD, colour=self._colour)
        return f"{head} {done}{paint(rest * (room - filled), Style.FAINT, colour=self._colour)} {times}"


def _label(takes: tuple[str, ...], columns: int) -> str:
    """As `named`, in so many columns, 12 or more. The first take is cut in its middle: its number is at its end."""
    whole = named(takes)
    if width(whole) <= columns:
        return whole
    more = f" +{len(takes) - 1}" if len(takes) > 1 else ""
    kept = max(columns - len(more) - 1, 4)
    first = takes[0] if len(takes[0]) <= kept else f"{takes[0][: kept - kept // 2]}…{takes[0][-(kept // 2) :]}"
    return first + more


class _Stream:
    """As much of a text stream as is needed here; it turns silent, for good, when it cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._broken = stream, False
        self.encoding: str = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        if not self._broken:
            # A bar or a name that the stream has no bytes for becomes question marks.
            lawful = text.encode(self.encoding, "replace").decode(self.encoding)
            self._guarded(lambda: self._stream.write(lawful))
        return len(text)

    def flush(self) -> None:
        if not self._broken:
            self._guarded(self._stream.flush)

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BlockingIOError:
            return  # a stream that does not wait is full just now: what it did not take is lost, the next may pass
        except (OSError, ValueError):
            self._broken = True
