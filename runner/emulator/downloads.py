"""Sends clips: whole or in part, honest or spoiled."""

import asyncio
from email.utils import formatdate
from pathlib import Path

from aiohttp import web

from runner.emulator import ranges
from runner.emulator.clock import Clock
from runner.emulator.refusals import Refusal, Side
from runner.emulator.script import Download, Spoiled
from runner.emulator.tasks import Task

PIECES = 40  # of a slow download
EXTRA = bytes(64)
_PAGE = "<!doctype html><title>Sign in</title>"


async def send(
    request: web.Request, clip: Path, task: Task, mishap: Download | None, clock: Clock
) -> web.StreamResponse:
    """Answers a GET or HEAD of a task's clip. Raises Refusal where the mishap is an error."""
    how = mishap.how if mishap else None
    if how is not None and how.isdigit():
        raise Refusal(int(how), Side.QUERY, param="")
    if how is Spoiled.HTML:
        return web.Response(text=_PAGE, content_type="text/html")
    if mishap and how is Spoiled.MOVED:
        return web.Response(status=302, headers={"Location": mishap.to or str(request.rel_url)})
    content = _spoiled(await asyncio.to_thread(clip.read_bytes), how)
    headers = _validators(task, changed=how is Spoiled.CHANGED)
    asked = None if how is Spoiled.WHOLE else request.headers.get("Range")
    try:
        part = ranges.part(len(content), asked, request.headers.get("If-Range"), set(headers.values()))
    except ranges.Unsatisfiable:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{len(content)}"})
    headers |= {"Accept-Ranges": "bytes", "Content-Type": "video/mp4"}
    start, stop = part or (0, len(content))
    if part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    sent, status = content[start:stop], 206 if part else 200
    if mishap is None or how not in _BY_AND_BY or request.method == "HEAD":
        return web.Response(body=sent, status=status, headers=headers)
    answer = web.StreamResponse(status=status, headers={**headers, "Content-Length": str(len(sent))})
    await answer.prepare(request)
    if how is Spoiled.SLOW:
        piece = max(1, -(-len(sent) // PIECES))
        for at in range(0, len(sent), piece):
            await answer.write(sent[at : at + piece])
            await clock.sleep(mishap.seconds / PIECES)
        return answer
    await answer.write(sent[: len(sent) // 2])
    if how is Spoiled.STALLED:
        await clock.sleep(mishap.seconds)
    hang_up(request)
    return answer


def hang_up(request: web.Request) -> web.Response:
    """Ends the connection at once; what is returned finds nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


_BY_AND_BY = frozenset({Spoiled.SLOW, Spoiled.STALLED, Spoiled.TRUNCATED})


def _spoiled(clip: bytes, how: Spoiled | None) -> bytes:
    half = len(clip) // 2
    match how:
        case Spoiled.SHORT:
            return clip[:half]
        case Spoiled.LONG:
            return clip + EXTRA
        case Spoiled.DAMAGED:
            return clip[:half] + bytes(len(clip) - half)
        case _:
            return clip


def _validators(task: Task, *, changed: bool) -> dict[str, str]:
    """A clip never changes, so that its task can be its ETag; both headers change with `changed`."""
    made = (task.ended_at or task.created_at) + changed
    return {"ETag": f'"{task.id}{"-2" * changed}"', "Last-Modified": formatdate(made, usegmt=True)}
