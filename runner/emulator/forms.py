"""Reads the multipart form of an upload; the file goes to disk as it comes."""

from collections.abc import AsyncIterator

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from runner.emulator.accounts import Account
from runner.emulator.uploads import BadUpload, Draft, Upload, Uploads

FIELD_BYTES = 4096
FIELDS = 16

# aiohttp's words for a form that breaks the rules, or off.
_BROKEN = (ValueError, AssertionError, RuntimeError, HttpProcessingError, web.HTTPException, web.RequestPayloadError)


async def receive(request: web.Request, account: Account, uploads: Uploads, receipt: str) -> Upload:
    """The upload in this form: `file`, and `uploadPath` and `fileName` in either spelling, in any order.

    Raises BadUpload; what was written of a file that is not kept is removed, whatever ended it.
    """
    if request.content_type != "multipart/form-data":
        raise BadUpload(400, "Not a multipart form")
    fields: dict[str, str] = {}
    draft: Draft | None = None
    original = ""
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise BadUpload(400, "Forms within forms are not taken")
            if len(fields) >= FIELDS:
                raise BadUpload(400, "Too many form fields")
            if part.name != "file":
                fields[(part.name or "").replace("_", "").lower()] = await _field(part)
                continue
            if draft is not None:
                raise BadUpload(400, "One file per request")
            original = (part.filename or "")[:255]
            draft = await uploads.take_in(account, _chunks(part))
        if draft is None:
            raise BadUpload(400, "No file given")
        return uploads.keep(
            account,
            draft,
            original=original,
            name=fields.get("filename", ""),
            upload_path=fields.get("uploadpath", ""),
            receipt=receipt,
        )
    except BaseException as fault:
        if draft is not None:
            uploads.discard(draft)
        if isinstance(fault, _BROKEN):
            raise BadUpload(400, "The form cannot be read") from None
        raise


async def _field(part: BodyPartReader) -> str:
    read = bytearray()
    async for chunk in _chunks(part):
        read += chunk
        if len(read) > FIELD_BYTES:
            raise BadUpload(400, "A form field is too long")
    return read.decode()


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(1 << 16):
        yield chunk
