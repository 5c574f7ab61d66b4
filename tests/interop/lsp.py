"""A small client of the Language Server Protocol (3.17): one server over stdio, one document at a time.

Messages are JSON-RPC behind a Content-Length header. A thread reads them; what the server asks is answered there, so that
it never waits for us.
"""

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ANSWER_S = 60


class ServerEnded(AssertionError):
    """The server ended, or did not answer in time; the message holds what it said on stderr."""


class Server:
    """A language server between `with`. `settings` by section answer its `workspace/configuration`."""

    def __init__(
        self, command: Sequence[str], *, root: Path, settings: Mapping[str, Any], environment: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._diagnostics: dict[str, queue.Queue[list[dict[str, Any]]]] = {}
        self._complaints: list[str] = []
        self._lock = threading.Lock()
        self._number = 0
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._read, self._listen)]
        for thread in self._threads:
            thread.start()
        capabilities = {
            "workspace": {"configuration": True},
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": False}},
                "publishDiagnostics": {},
            },
        }
        self._ask("initialize", {"processId": os.getpid(), "rootUri": root.as_uri(), "capabilities": capabilities})
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": settings})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._ask("shutdown", None)
                self._tell("exit", None)
            else:
                self._process.kill()
            self._process.wait(ANSWER_S)
        finally:
            self._process.kill()
            self._process.wait()
            for thread in self._threads:
                thread.join(ANSWER_S)
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                if stream:
                    stream.close()

    def diagnostics(self, file: Path) -> list[dict[str, Any]]:
        """Open the file; what the server finds in it."""
        uri = file.as_uri()
        self._diagnostics[uri] = queue.Queue()
        opened = {"uri": uri, "languageId": "yaml", "version": 1, "text": file.read_text(encoding="utf-8")}
        self._tell("textDocument/didOpen", {"textDocument": opened})
        return self._next(self._diagnostics[uri], f"diagnostics of {file.name}")

    def completion(self, file: Path, line: int, column: int) -> list[str]:
        """Labels offered in an open file at a place, from 0."""
        place = {"textDocument": {"uri": file.as_uri()}, "position": {"line": line, "character": column}}
        found = self._ask("textDocument/completion", place)
        offered = found["items"] if isinstance(found, dict) else found or []
        return [one["label"] for one in offered]

    # ---------------------------------------------------------------- messages

    def _ask(self, method: str, params: object) -> Any:
        self._number += 1
        number, answers = self._number, queue.Queue[dict[str, Any]]()
        self._answers[number] = answers
        self._send({"id": number, "method": method, "params": params})
        answer = self._next(answers, method)
        assert "error" not in answer, answer
        return answer["result"]

    def _tell(self, method: str, params: object) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Mapping[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        with self._lock:
            self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            self._process.stdin.flush()

    def _next(self, answers: "queue.Queue[Any]", what: str) -> Any:
        give_up = time.monotonic() + ANSWER_S
        while time.monotonic() < give_up:
            try:
                return answers.get(timeout=0.1)
            except queue.Empty:
                if self._process.poll() is not None:
                    break
        self._process.kill()
        self._threads[1].join(ANSWER_S)
        raise ServerEnded(f"no {what} (exit {self._process.wait()}): {''.join(self._complaints)}")

    def _read(self) -> None:
        assert self._process.stdout
        while True:
            length = 0
            while header := self._process.stdout.readline().strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                return
            self._take(json.loads(self._process.stdout.read(length)))

    def _take(self, message: dict[str, Any]) -> None:
        match message:
            case {"id": number, "method": "workspace/configuration", "params": {"items": items}}:
                self._send({"id": number, "result": [self._settings.get(item.get("section")) for item in items]})
            case {"id": number, "method": str()}:
                self._send({"id": number, "result": None})
            case {"method": "textDocument/publishDiagnostics", "params": {"uri": uri, "diagnostics": found}}:
                if uri in self._diagnostics:
                    self._diagnostics[uri].put(found)
            case {"id": number}:
                self._answers[number].put(message)

    def _listen(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._complaints.append(line.decode(errors="replace"))
