"""The page at /: what this emulator is doing, for a browser on this machine.

The page itself holds nothing and wants no token, for what it shows is fetched by its script with the control token. Nobody
but the reader has it: it stands in the fragment of the printed address, which no browser sends anywhere.
"""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from aiohttp import web

from runner.emulator.board import Board
from runner.emulator.gate import Gate
from runner.emulator.posters import Posters
from runner.emulator.refusals import Refusal, Side
from runner.emulator.studio import Studio

BOARD = "/_emulate/board"
_COUNT = re.compile(r"[0-9]{1,15}")
_BLOCK = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)


class Page:
    """The page, what it asks for, and the pictures it shows."""

    def __init__(self, gate: Gate, studio: Studio, board: Board) -> None:
        self._gate, self._studio, self._board, self._posters = gate, studio, board, Posters()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._page),
            web.get(BOARD, self._told),
            web.get("/_emulate/posters/{id}", self._poster),
            web.get("/_emulate/clips/{id}", self._clip),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        text, policy = page()
        headers = {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)

    async def _told(self, request: web.Request) -> web.Response:
        self._gate.control(request)
        since = request.query.get("since", "0")
        if not _COUNT.fullmatch(since):
            raise Refusal(400, Side.QUERY, code="invalid_parameters", message="`since` is a number", param="since")
        told = self._board.since(request.query.get("epoch", ""), int(since))
        return web.json_response(told, headers={"Cache-Control": "no-store"})

    async def _poster(self, request: web.Request) -> web.StreamResponse:
        self._gate.control(request)
        clip = self._studio.clip(request.match_info["id"])
        poster = await self._posters.of(clip) if clip else None
        if poster is None:
            raise _nothing()
        return web.FileResponse(poster, headers={"Content-Type": "image/jpeg", "Cache-Control": "no-store"})

    async def _clip(self, request: web.Request) -> web.StreamResponse:
        self._gate.control(request)
        clip = self._studio.clip(request.match_info["id"])
        if clip is None:
            raise _nothing()
        return web.FileResponse(clip, headers={"Content-Type": "video/mp4", "Cache-Control": "no-store"})


@cache
def page() -> tuple[str, str]:
    """The page and its content security policy: its own style and script by their digests, this server, nothing else."""
    text = files("runner.emulator").joinpath("page.html").read_text(encoding="utf-8")
    digests = {name: f"'sha256-{_digest(block)}'" for name, block in _BLOCK.findall(text)}
    policy = (
        f"default-src 'none'; script-src {digests['script']}; style-src {digests['style']}; connect-src 'self'; "
        "img-src blob: data:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return text, policy


def _digest(block: str) -> str:
    return base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()


def _nothing() -> Refusal:
    return Refusal(404, Side.QUERY, code="clip_not_found", message="There is no such clip", param="")
