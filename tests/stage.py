"""A stage for whole commands: `shotrunner` as its own process in a folder, and a paid service in a thread of the test."""

import asyncio
import json
import os
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standins import stand_in
from wings import Command, Started, wings

from runner.adapters import catalog
from runner.emulator.app import Emulator
from runner.emulator.invoice import Line
from runner.emulator.script import Mishap, Script

KEY = "sk-evo-test-0123456789"
QUICK = ("--poll-interval", "0.05")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A finished command."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


@dataclass(frozen=True, slots=True)
class Stage:
    """A folder with a storyboard; nothing of the machine's own environment reaches the commands but what Python needs."""

    folder: Path

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return {**kept, **more}

    def start(self, *words: str | Path, program: Path | None = None, **environment: str) -> Started:
        """`program` is a script in the place of Shotrunner, mostly Shotrunner with something broken."""
        command = Command(
            words=tuple(map(str, words)),
            folder=str(self.folder),
            environment=self.environment(**environment),
            program=str(program) if program else None,
        )
        return wings().start(command)

    def shotrunner(self, *words: str | Path, program: Path | None = None, **environment: str) -> Ended:
        process = self.start(*words, program=program, **environment)
        try:
            out, err = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"the command did not end:\n{out}\n{err}") from None
        return Ended(code=process.wait(), out=out, err=err)

    def manifest(self, identity: str = "film", pipeline: str = "draft") -> dict[str, Any]:
        path = self.folder / "out" / identity / pipeline / "manifest.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def statuses(self, pipeline: str = "clips") -> dict[str, str]:
        return {take["id"]: take["status"] for take in self.manifest(pipeline=pipeline)["takes"]}

    def events(self) -> list[tuple[str, str]]:
        """(take, event) of the journal, in the order they were written; none while it is being begun."""
        db = sqlite3.connect(f"file:{self.folder / '.shotrunner' / 'journal.sqlite'}?mode=ro", uri=True)
        try:
            return db.execute(
                "SELECT intents.take, event FROM events JOIN intents USING (key, purchase) ORDER BY seq"
            ).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            db.close()


class PaidService:
    """The emulator as a service that takes money: in a thread of its own, until `stop`."""

    def __init__(self, folder: Path, *mishaps: Mishap, key: str = KEY, **options: Any) -> None:
        """`options` are the emulator's own; clips are stand-ins unless `render` says otherwise."""
        self._ready, self._end = threading.Event(), threading.Event()
        self._folder, self.key = folder, key
        self._options = {"workers": 2, "render": stand_in, "script": Script(mishaps=tuple(mishaps)), **options}
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="paid service")
        self._thread.start()
        assert self._ready.wait(20)

    async def _serve(self) -> None:
        models = catalog.shipped_models()
        async with Emulator(models, self._folder, key=self.key, **self._options) as emulator:
            self.emulator, self.base_url = emulator, emulator.base_url
            self._ready.set()
            await asyncio.to_thread(self._end.wait)

    @property
    def invoice(self) -> tuple[Line, ...]:
        return self.emulator.invoice

    def bought(self) -> int:
        """Tasks taken so far."""
        return len(self.invoice)

    def call(self, method: str, path: str, body: object = None, key: str | None = None) -> Any:
        """What the service answers, as JSON; with the control token below /_emulate, else with the key."""
        key = key or (self.emulator.control if path.startswith("/_emulate/") else self.key)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, content, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def advance(self, seconds: float) -> None:
        """Skip so many seconds of the service's time."""
        self.call("POST", "/_emulate/clock", {"advance_s": seconds})

    def credits(self, key: str | None = None) -> tuple[float, float]:
        """(remaining, used) of the account of this key."""
        user = self.call("GET", "/v1/credits", key=key)["data"]["user"]
        return user["remaining_credits"], user["used_credits"]

    def stop(self) -> None:
        self._end.set()
        self._thread.join(20)

    def arguments(self, budget: str = "500") -> tuple[str, ...]:
        return ("--pipeline", "clips", "--provider", "evolink", "--base-url", self.base_url, "--budget", budget, *QUICK)


@contextmanager
def paid(folder: Path, *mishaps: Mishap, **options: Any) -> Iterator[PaidService]:
    folder.mkdir(parents=True, exist_ok=True)
    service = PaidService(folder, *mishaps, **options)
    try:
        yield service
    finally:
        service.stop()


def until(met: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something that another process or thread brings about."""
    give_up = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.01)
