"""One connection: how long it may take to say what it wants, and what it hears if that is no HTTP."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from runner.emulator.refusals import Profile, Refusal


class Door(web.RequestHandler):
    """Where the library would answer in plain words or a traceback, the envelope stands too."""

    __slots__ = ("_profile",)

    def __init__(
        self, server: web.Server, *, loop: asyncio.AbstractEventLoop, profile: Profile, **options: Any
    ) -> None:
        super().__init__(server, loop=loop, **options)
        self._profile = profile

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer has been sent")
        if status == 400 and (isinstance(exc, LineTooLong) or "headers" in str(message).lower()):
            refusal = Refusal(431, param="")
        elif status == 400:
            refusal = Refusal(400, message="Invalid request format: this is no HTTP", param="")
        else:
            refusal = Refusal(status)
        answer = web.json_response(refusal.body(self._profile), status=refusal.status)
        answer.force_close()
        return answer
