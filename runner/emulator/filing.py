"""The file API: uploads by form, by base64 and by URL, their list, their quota, their end.

Its answers have a shape of their own, `{success, code, msg, data}`; only who is not let in meets the error envelope.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import web

from runner.emulator import intake
from runner.emulator.accounts import Account
from runner.emulator.faults import At
from runner.emulator.faults_file import of_header
from runner.emulator.fetch import Fetcher, Unfetchable
from runner.emulator.forms import receive
from runner.emulator.gate import BODY_BYTES, Gate, json_bytes
from runner.emulator.refusals import Refusal, Side
from runner.emulator.scenarios import Facts, Scenarios
from runner.emulator.script import Script
from runner.emulator.script import Upload as Planned
from runner.emulator.switches import Switches
from runner.emulator.uploads import BadUpload, Draft, Upload, Uploads, too_large

UPLOAD_S = 600.0
BASE64_BYTES = 20_000_000  # of the file; a larger one is sent as a form, which needs no memory
_BASE64_BODY = BASE64_BYTES // 3 * 4 + 100_000
_BASE64_AT_ONCE = 4  # each is held in memory for a moment
_DATA_URL = re.compile(r"data:[A-Za-z0-9.+/-]{0,100}(;[A-Za-z0-9=.+-]{1,100})*;base64,")
RECEIPT = "X-Evo-Upload-Id"


class Filing:
    """The endpoints of uploads and the files themselves."""

    def __init__(
        self,
        gate: Gate,
        uploads: Uploads,
        fetcher: Fetcher,
        *,
        base_url: str,
        script: Script,
        scenarios: Scenarios,
        switches: Switches,
    ) -> None:
        self._gate, self._uploads, self._fetcher = gate, uploads, fetcher
        self._base_url, self._script, self._switches = base_url, script, switches
        self._scenarios = scenarios
        self._seen = 0
        self._decoding = asyncio.Semaphore(_BASE64_AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/files/{id}/{name}", self._file),
            web.post("/api/v1/files/upload/stream", self._by_form),
            web.post("/api/v1/files/upload/base64", self._by_base64),
            web.post("/api/v1/files/upload/url", self._by_url),
            web.get("/api/v1/files/upload-receipts/{id}", self._receipt),
            web.get("/api/v1/files/list", self._list),
            web.get("/api/v1/files/quota", self._quota),
            web.delete("/api/v1/files/{id:(?!(?:list|quota)$)[^/]+}", self._delete),
        ]

    async def _file(self, request: web.Request) -> web.StreamResponse:
        upload = self._uploads.find(request.match_info["id"], request.match_info["name"])
        if upload is None:
            raise Refusal(404, Side.QUERY, code="file_not_found", message="File not found or expired", param="")
        return web.FileResponse(upload.path, headers={"Content-Type": upload.media_type})

    # ---------------------------------------------------------------- uploads

    async def _by_form(self, request: web.Request) -> web.Response:
        async def received(account: Account, receipt: str) -> Upload:
            return await receive(request, account, self._uploads, receipt)

        return await self._upload(request, received)

    async def _by_base64(self, request: web.Request) -> web.Response:
        async def received(account: Account, receipt: str) -> Upload:
            async with self._decoding:
                fields = await _fields(request, _BASE64_BODY)
                content = await asyncio.to_thread(_decoded, fields.base64_data)

                async def write(path: Path) -> None:
                    await asyncio.to_thread(path.write_bytes, content)

                draft = await self._uploads.fetch_in(account, write)
            return self._kept(account, draft, fields, receipt, original=fields.file_name)

        return await self._upload(request, received)

    async def _by_url(self, request: web.Request) -> web.Response:
        async def received(account: Account, receipt: str) -> Upload:
            fields = await _fields(request, BODY_BYTES)
            if not fields.file_url:
                raise BadUpload(400, "No `file_url` given")

            async def write(path: Path) -> None:
                await self._fetcher.fetch(fields.file_url, path, self._uploads.max_bytes)

            try:
                draft = await self._uploads.fetch_in(account, write)
            except Unfetchable as fault:
                raise BadUpload(400, f"The file could not be fetched: {fault.reason}") from None
            last = unquote(urlsplit(fields.file_url).path).rpartition("/")[2]
            return self._kept(account, draft, fields, receipt, original=last[:255])

        return await self._upload(request, received)

    async def _upload(
        self, request: web.Request, received: Callable[[Account, str], Awaitable[Upload]]
    ) -> web.Response:
        account = self._gate.account(request)
        self._seen += 1
        asked = of_header(request.headers.get(intake.FAULT_HEADER, ""), (At.UPLOAD,), Facts())
        own = Script(mishaps=(*asked, *self._scenarios.on_upload()))
        planned: Planned | None = own.over(self._script).on_upload(self._seen)

        async def uploaded() -> dict[str, Any]:
            async with asyncio.timeout(UPLOAD_S):
                if planned:
                    async for _ in request.content.iter_any():
                        pass  # who is cut off while sending may never read the answer
                    raise BadUpload(planned.status, planned.message)
                upload = await received(account, request.headers.get(RECEIPT, ""))
            return said("File uploaded successfully", upload.described(self._base_url))

        return await self._answer(uploaded, http=planned.http if planned else None)

    def _kept(self, account: Account, draft: Draft, fields: "_Fields", receipt: str, *, original: str) -> Upload:
        try:
            return self._uploads.keep(
                account,
                draft,
                original=original,
                name=fields.file_name,
                upload_path=fields.upload_path,
                receipt=receipt,
            )
        except BaseException:
            self._uploads.discard(draft)
            raise

    # ---------------------------------------------------------------- what is there

    async def _receipt(self, request: web.Request) -> web.Response:
        account = self._gate.account(request)

        async def found() -> dict[str, Any]:
            upload = self._uploads.received(account, request.match_info["id"])
            return said("ok", upload.described(self._base_url))

        return await self._answer(found)

    async def _list(self, request: web.Request) -> web.Response:
        account = self._gate.account(request)
        number, size = intake.paging(request.query, size="pageSize")
        files = self._uploads.of(account)
        shown = files[(number - 1) * size : number * size]
        page = {"page": number, "page_size": size, "total": len(files)}
        listed = {"files": [upload.described(self._base_url) for upload in shown], **page}
        return web.json_response(said("ok", listed))

    async def _quota(self, request: web.Request) -> web.Response:
        return web.json_response(said("ok", self._uploads.quota(self._gate.account(request))))

    async def _delete(self, request: web.Request) -> web.Response:
        account = self._gate.account(request)

        async def deleted() -> dict[str, Any]:
            self._uploads.delete(account, request.match_info["id"])
            return said("File deleted successfully", None)

        return await self._answer(deleted)

    async def _answer(self, ask: Callable[[], Awaitable[dict[str, Any]]], http: int | None = None) -> web.Response:
        """What was asked for, or why not; `http` is the status of a failure, if it is not the failure's own."""
        try:
            return web.json_response(await ask())
        except BadUpload as bad:
            failed = {"success": False, "code": bad.status, "msg": bad.message, "data": None}
            own = 200 if self._switches.file_errors == "200" else bad.status
            return web.json_response(failed, status=http or own)


def said(message: str, content: dict[str, Any] | None) -> dict[str, Any]:
    return {"success": True, "code": 200, "msg": message, "data": content}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields:
    """The members of an upload's JSON body, each a text; empty if not given."""

    base64_data: str = ""
    file_url: str = ""
    file_name: str = ""
    upload_path: str = ""


async def _fields(request: web.Request, most: int) -> _Fields:
    """Raises BadUpload."""
    try:
        raw = await json_bytes(request, most)
        body = await asyncio.to_thread(intake.json_object, raw)
    except Refusal as refusal:
        raise BadUpload(refusal.status, refusal.message) from None
    members = {"base64_data": "base64_data", "file_url": "file_url"}
    members |= {spelling: name for name in ("file_name", "upload_path") for spelling in (name, _camel(name))}
    found: dict[str, str] = {}
    for spelling, name in members.items():
        value = body.get(spelling)
        if value is None:
            continue
        if not isinstance(value, str) or (name in ("file_name", "upload_path") and len(value) > 255):
            raise BadUpload(400, f"`{spelling}` is no text")
        found[name] = value
    return _Fields(**found)


def _camel(name: str) -> str:
    first, second = name.split("_")
    return first + second.capitalize()


def _decoded(text: str) -> bytes:
    """The bytes of base64, plain or in a data URL. Raises BadUpload."""
    if not text:
        raise BadUpload(400, "No `base64_data` given")
    if match := _DATA_URL.match(text):
        text = text[match.end() :]
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadUpload(400, "`base64_data` is no base64") from None
    if len(content) > BASE64_BYTES:
        raise too_large(BASE64_BYTES)
    return content
