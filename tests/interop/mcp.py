"""A small client of the Model Context Protocol (2025-06-18): one server over stdio, its tools called one by one."""

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

ANSWER_S = 300
VERSION = "2025-06-18"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a tool said; `failed` where it calls it an error."""

    text: str
    failed: bool


class Tools:
    """The tools of one server."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self._numbers = process, itertools.count(1)

    async def names(self) -> set[str]:
        return {tool["name"] for tool in (await self.ask("tools/list", {}))["tools"]}

    async def call(self, name: str, **arguments: Any) -> Said:
        result = await self.ask("tools/call", {"name": name, "arguments": arguments})
        text = "\n".join(part["text"] for part in result["content"] if part["type"] == "text")
        return Said(text=text, failed=bool(result.get("isError")))

    async def ask(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        await self.tell(method, parameters, id=number)
        assert self._process.stdout
        async with asyncio.timeout(ANSWER_S):
            while line := await self._process.stdout.readline():
                answer = json.loads(line)
                if answer.get("id") == number:
                    assert "error" not in answer, answer["error"]
                    result: dict[str, Any] = answer["result"]
                    return result
        raise AssertionError(f"the server ended: {await self._complaints()}")

    async def tell(self, method: str, parameters: Mapping[str, Any], **more: int) -> None:
        assert self._process.stdin
        message = {"jsonrpc": "2.0", "method": method, "params": parameters, **more}
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        with suppress(ConnectionError):  # the reader says why it is gone
            await self._process.stdin.drain()

    async def _complaints(self) -> str:
        assert self._process.stderr
        return (await self._process.stderr.read()).decode(errors="replace")


@asynccontextmanager
async def serving(command: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Tools]:
    """The server's tools, until it is told to end."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, **environment}
    )
    try:
        tools = Tools(process)
        client = {"name": "shotrunner-tests", "version": "1"}
        await tools.ask("initialize", {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": client})
        await tools.tell("notifications/initialized", {})
        yield tools
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
