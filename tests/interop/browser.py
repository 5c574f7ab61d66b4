"""Headless Chromium on a page of this machine, driven by its DevTools protocol."""

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp
from interop.judges import judge

# It would look up hosts of its maker at every start.
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--remote-debugging-port=0",
    "--autoplay-policy=no-user-gesture-required",
]
DEADLINE_S = 300.0


class Tab:
    """One page and what it says of itself: `told` are its console's errors and policy breaches, `asked` every URL it wanted."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.told: list[str] = []
        self.asked: list[str] = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def on(cls, socket: aiohttp.ClientWebSocketResponse) -> Self:
        tab = cls(socket)
        for domain in ("Page", "Runtime", "Log", "Network"):
            await tab.send(f"{domain}.enable")
        return tab

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(DEADLINE_S):
            answer = await self._waiting[number]
        assert "error" not in answer, answer["error"]
        found: dict[str, Any] = answer["result"]
        return found

    async def go(self, url: str) -> None:
        await self.send("Page.navigate", url=url)

    async def js(self, expression: str) -> Any:
        """What the expression gives, awaited if it is a promise."""
        given = await self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in given, given["exceptionDetails"]
        return given["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Waits until the expression is true, and gives what it is then."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                with suppress(AssertionError):  # the page may be on its way
                    if found := await self.js(expression):
                        return found
                await asyncio.sleep(0.02)

    async def key(self, key: str, text: str = "") -> None:
        shape = {"key": key, "code": key, **({"text": text} if text else {})}
        codes = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}
        code = codes.get(key, ord(key[0].upper()))
        for kind in ("keyDown", "keyUp"):
            await self.send("Input.dispatchKeyEvent", type=kind, windowsVirtualKeyCode=code, **shape)

    async def look(self, *, width: int, height: int, dark: bool = False) -> None:
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.send("Emulation.setEmulatedMedia", features=scheme)
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    async def shot(self) -> bytes:
        """A PNG of what is seen."""
        return base64.b64decode((await self.send("Page.captureScreenshot", format="png"))["data"])

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._waiting.pop(told["id"]).set_result(told)
                continue
            match told["method"], told["params"]:
                case "Runtime.exceptionThrown", {"exceptionDetails": thrown}:
                    self.told.append(str(thrown))
                case "Log.entryAdded", {"entry": {"level": "error", "text": text}}:
                    self.told.append(text)
                case "Network.requestWillBeSent", {"request": {"url": url}}:
                    self.asked.append(url)


@asynccontextmanager
async def browsing(folder: Path) -> AsyncIterator[Tab]:
    """A browser with one empty page; `folder` is new and its own."""
    process = await asyncio.create_subprocess_exec(
        judge("chromium"),
        *QUIET,
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            port = folder / "DevToolsActivePort"
            while not port.is_file() or not port.read_text(encoding="utf-8").count("\n"):  # noqa: ASYNC110 - it is a file
                await asyncio.sleep(0.05)
        number = port.read_text(encoding="utf-8").split()[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{number}/json") as answer:
                pages = [page for page in await answer.json() if page["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = await Tab.on(socket)
                try:
                    yield tab
                finally:
                    await tab.close()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
