"""Who may come in, and what they bring: names and origins, keys, JSON bodies."""

import asyncio

from aiohttp import web

from runner.core import callers
from runner.emulator.accounts import Account, Accounts, Bearer
from runner.emulator.clock import Clock
from runner.emulator.refusals import Lack, Refusal, Side
from runner.emulator.switches import Switches

READ_S = 60.0  # for a JSON body to arrive
BODY_BYTES = 1_000_000  # texts and links only; media travel by URL


class Gate:
    """Of one emulator. `names` are the values of Host it answers to; what it lacks is not found, whoever asks."""

    def __init__(self, accounts: Accounts, *, names: set[str], control: str, switches: Switches, clock: Clock) -> None:
        self._accounts, self._names, self._control = accounts, names, control
        self._switches, self._clock = switches, clock

    def guard(self, request: web.Request) -> None:
        """A web page somewhere else must not reach this server through its reader's browser. Raises Refusal 403."""
        hosts, origins = (request.headers.getall(name, []) for name in ("Host", "Origin"))
        if why := callers.stranger(hosts, origins, self._names):
            raise Refusal(403, Side.QUERY, message=f"Access denied: {why}")

    def bearer(self, request: web.Request, side: Side = Side.QUERY, lack: Lack | None = None) -> Bearer:
        """Whose key this is; `lack` is what there must not be a lack of. Raises Refusal 401, 402, 403, 404."""
        if lack in self._switches.lacks:
            raise not_found()
        return self._accounts.of(_shown(request), self._clock.now(), side)

    def account(self, request: web.Request, lack: Lack | None = None) -> Account:
        return self.bearer(request, lack=lack).account

    def control(self, request: web.Request) -> None:
        """Lets the control token in, and no key. Raises Refusal 401."""
        if not callers.same(_shown(request), self._control):
            raise Refusal(401, Side.QUERY)


async def json_bytes(request: web.Request, most: int = BODY_BYTES) -> bytes:
    """The body, which says that it is JSON in UTF-8. Raises Refusal 400, 408, 413."""
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise Refusal(400, message="Invalid request format: Content-Type is not application/json", param="")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refusal(400, message="Invalid request format: the body is compressed", param="")
    if (request.content_length or 0) > most:
        raise Refusal(413)
    read = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            async for chunk in request.content.iter_any():
                read += chunk
                if len(read) > most:
                    raise Refusal(413)
    except TimeoutError:
        raise Refusal(408) from None
    return bytes(read)


def not_found() -> Refusal:
    return Refusal(404, code="not_found", message="Not found", param="")


def _shown(request: web.Request) -> str:
    """The bearer token, or nothing."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return shown.strip() if scheme.lower() == "bearer" else ""
