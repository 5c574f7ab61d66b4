"""What a media file is: asked of a child process, because decoders of strangers' bytes crash, hang and eat memory.

Nothing here loads a decoder; `probe_worker` does, in its own process with limits on memory, processor time and time.
"""

import base64
import hashlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runner.adapters.signature import Unreadable, identify
from runner.core.media import ClipFacts, Kind, MediaFacts

__all__ = [
    "PROBE_VERSION",
    "Probe",
    "ProbeBroken",
    "Unreadable",
    "clip_from_json",
    "digest",
    "facts_from_json",
    "facts_to_json",
    "probe",
    "probe_clip",
]

PROBE_VERSION = 1  # facts cached under another number are asked for again

WALL_S = 180.0  # one file; the processor time of PROCESSOR_S comes first unless the disk hangs
PROCESSOR_S = 120
MEMORY_BYTES = 3 * 2**30  # address space of the child: libraries take 0.4 GiB of it, a picture of 64 million pixels 0.5
START_S = 60.0

# Of the environment the child sees only what a Python and its libraries need to start; no keys, no proxies.
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "NIX_LD")


class ProbeBroken(RuntimeError):
    """The child process does not start: an installation that lacks a library, never a fault of the file."""


def probe(path: Path) -> MediaFacts:
    """Decode one file to its end and say what it is; for many files use one `Probe`. Raises Unreadable."""
    with Probe() as asked:
        return asked.facts(path)


def probe_clip(path: Path) -> ClipFacts:
    """Check one finished clip, every packet of which must be there. Raises Unreadable."""
    with Probe() as asked:
        return asked.clip(path)


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size in bytes of a file, read here and in pieces. Raises OSError."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256")
        return found.hexdigest(), file.tell()


class Probe:
    """One child process that looks at many files, one at a time; callers of several threads wait for each other.

    The child is started by the first file that needs it, and again after a file has crashed it or outlasted `wall_s`.
    """

    def __init__(
        self, *, wall_s: float = WALL_S, processor_s: int = PROCESSOR_S, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._wall_s = wall_s
        self._limits = (str(processor_s), str(memory_bytes))
        self._worker: _Worker | None = None
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def facts(self, path: Path) -> MediaFacts:
        """Raises Unreadable for anything but a picture, video or sound that decodes to its end."""
        return facts_from_json(self._ask("media", path))

    def clip(self, path: Path) -> ClipFacts:
        """Raises Unreadable for anything but a whole MP4 or MOV with pictures."""
        return clip_from_json(self._ask("clip", path))

    def cutting(self, path: Path, selector: str, form: str) -> bytes:
        """What is taken of a clip, as the content of a file of format `form`; see `adapters.cutting`. Raises Unreadable."""
        return base64.b64decode(self._ask("cutting", path, selector=selector, form=form)["content"])

    def close(self) -> None:
        """End the child; a file it is still at is then Unreadable to whoever waits for it."""
        worker = self._worker
        if worker:
            worker.kill()
        with self._turn:
            if self._worker:
                self._worker.stop()
            self._worker = None

    def _ask(self, what: str, path: Path, **more: str) -> dict[str, Any]:
        identify(path)  # what no decoder is needed for is refused here
        request = json.dumps({"what": what, "path": str(path.absolute()), **more})
        with self._turn:
            if self._worker and not self._worker.lives():
                self._worker.stop()
                self._worker = None
            self._worker = self._worker or _Worker(self._limits)
            try:
                reply = self._worker.ask(request, self._wall_s)
            except BaseException as error:
                # Also a KeyboardInterrupt: an answer that comes late would be taken for the next file's.
                self._worker.stop()
                self._worker = None
                match error:
                    case TimeoutError():
                        raise Unreadable(f"the file is not decoded after {self._wall_s:g} seconds") from None
                    case EOFError():
                        raise Unreadable(f"the file cannot be decoded within the limits set: {error}") from None
                raise
        if "unreadable" in reply:
            raise Unreadable(reply["unreadable"])
        facts: dict[str, Any] = reply["facts"]
        return facts


class _Worker:
    """The child process and its two pipes: a line of JSON in, a line of JSON out."""

    def __init__(self, limits: tuple[str, str]) -> None:
        # -P and a foreign folder: nothing that lies where the user stands is ever imported. The child sees the packages
        # its parent sees; its own session keeps the terminal's Ctrl-C from it; it ends when its input does.
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if Path(p).is_absolute())
        environment["MALLOC_ARENA_MAX"] = "2"
        self._process = subprocess.Popen(  # noqa: S603  # our own module, no word from outside
            [sys.executable, "-P", "-W", "ignore", "-m", "runner.adapters.probe_worker", *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment,
            start_new_session=True,
            bufsize=0,
        )
        self._pending = b""
        try:
            hello = self._line(time.monotonic() + START_S)
        except (EOFError, TimeoutError) as error:
            self.stop()
            raise ProbeBroken(f"the process that reads media does not start: {error}") from None
        if "broken" in hello:
            self.stop()
            raise ProbeBroken(f"the process that reads media does not start: {hello['broken']}")

    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: str, wall_s: float) -> dict[str, Any]:
        """Raises TimeoutError after `wall_s`, EOFError when the child dies over it."""
        deadline = time.monotonic() + wall_s
        assert self._process.stdin
        try:
            self._process.stdin.write(request.encode() + b"\n")
        except BrokenPipeError:
            raise EOFError(self._end()) from None
        return self._line(deadline)

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()
        self._process.wait()

    def _line(self, deadline: float) -> dict[str, Any]:
        assert self._process.stdout
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._process.stdout, selectors.EVENT_READ)
            while not self._pending.endswith(b"\n"):
                if not waiting.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError("no answer in time")
                read = os.read(self._process.stdout.fileno(), 65536)
                if not read:
                    raise EOFError(self._end())
                self._pending += read
        line, _, self._pending = self._pending.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def _end(self) -> str:
        code = self._process.wait()
        return f"its decoder was stopped by signal {-code}" if code < 0 else f"its decoder ended with code {code}"


def facts_to_json(facts: MediaFacts | ClipFacts) -> dict[str, Any]:
    """JSON values of all fields; fractions are written `120/1`."""
    return {
        name: str(value) if isinstance(value, Fraction | Kind) else value
        for name in facts.__slots__
        for value in (getattr(facts, name),)
    }


def facts_from_json(document: dict[str, Any]) -> MediaFacts:
    """The inverse of `facts_to_json`. Raises TypeError, ValueError or KeyError for anything else."""
    return MediaFacts(**document | {"kind": Kind(document["kind"])} | _fractions(document, "seconds", "fps"))


def clip_from_json(document: dict[str, Any]) -> ClipFacts:
    """The inverse of `facts_to_json` for a clip. Raises TypeError, ValueError or KeyError for anything else."""
    return ClipFacts(**document | _fractions(document, "duration_s", "fps"))


def _fractions(document: dict[str, Any], *names: str) -> dict[str, Fraction | None]:
    return {name: None if document[name] is None else Fraction(document[name]) for name in names}
