"""The endpoints of uploads, as the OpenAPI document describes them. Their answers have a shape of their own."""

from runner.emulator.answers import Schema, ref
from runner.emulator.intake import BATCH
from runner.emulator.operation import (
    FAULT,
    PART,
    SEGMENT,
    Answer,
    Key,
    Operation,
    binary,
    header,
    json_answer,
    path,
    query,
)

_REFUSED = Answer(says="Refused", content={"application/json": {"oneOf": [ref("FileRefusal"), ref("Error")]}})
_UPLOAD_REFUSED = dict.fromkeys((400, 403, 408, 413, 415, 503), _REFUSED)
_RECEIPT = header(
    "X-Evo-Upload-Id",
    "A name of the client's own for the upload",
    {"type": "string", "pattern": "^[A-Za-z0-9._-]{16,128}$"},
)
_TEXT: Schema = {"type": "string", "maxLength": 255}
_PLACE = {"upload_path": _TEXT, "uploadPath": _TEXT, "file_name": _TEXT, "fileName": _TEXT}

FILES: tuple[Operation, ...] = (
    Operation(
        method="POST",
        path="/api/v1/files/upload/stream",
        id="uploadFile",
        says="Upload a reference file as a form",
        key=Key.API,
        parameters=(_RECEIPT, FAULT),
        body={
            "multipart/form-data": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}, **_PLACE},
            }
        },
        answers={200: json_answer("Upload"), **_UPLOAD_REFUSED},
    ),
    Operation(
        method="POST",
        path="/api/v1/files/upload/base64",
        id="uploadBase64",
        says="Upload a reference file as base64",
        key=Key.API,
        parameters=(_RECEIPT, FAULT),
        body={
            "application/json": {
                "type": "object",
                "required": ["base64_data"],
                "properties": {"base64_data": {"type": "string", "description": "Plain, or a data URL"}, **_PLACE},
            }
        },
        answers={200: json_answer("Upload"), **_UPLOAD_REFUSED},
    ),
    Operation(
        method="POST",
        path="/api/v1/files/upload/url",
        id="uploadUrl",
        says="Upload a reference file from where it lies",
        key=Key.API,
        parameters=(_RECEIPT, FAULT),
        body={
            "application/json": {
                "type": "object",
                "required": ["file_url"],
                "properties": {"file_url": {"type": "string", "format": "uri"}, **_PLACE},
            }
        },
        answers={200: json_answer("Upload"), **_UPLOAD_REFUSED},
    ),
    Operation(
        method="GET",
        path="/api/v1/files/upload-receipts/{id}",
        id="getUploadReceipt",
        says="The upload that bore this X-Evo-Upload-Id",
        key=Key.API,
        parameters=(path("id", SEGMENT),),
        answers={200: json_answer("Upload"), 404: _REFUSED},
    ),
    Operation(
        method="GET",
        path="/api/v1/files/list",
        id="listFiles",
        says="The account's files",
        key=Key.API,
        parameters=(
            query("page", "From 1", {"type": "integer", "minimum": 1, "maximum": 999_999_999}),
            query("pageSize", "", {"type": "integer", "minimum": 1, "maximum": BATCH}),
        ),
        answers={200: json_answer("FilePage")},
        refusals=(400,),
    ),
    Operation(
        method="GET",
        path="/api/v1/files/quota",
        id="getFileQuota",
        says="How many files are kept, and how many may be",
        key=Key.API,
        answers={200: json_answer("FileQuota")},
    ),
    Operation(
        method="DELETE",
        path="/api/v1/files/{id}",
        id="deleteFile",
        says="Let a file go",
        key=Key.API,
        parameters=(path("id", SEGMENT),),
        answers={200: json_answer("FileDeleted"), 404: _REFUSED},
    ),
    Operation(
        method="GET",
        path="/files/{id}/{name}",
        id="getFile",
        says="An uploaded file",
        key=Key.NONE,
        parameters=(path("id", SEGMENT), path("name", SEGMENT), *PART),
        answers={
            200: binary("The file", "*/*"),
            206: binary("A part of it", "*/*"),
            304: Answer(says="Unchanged"),
            412: Answer(says="Changed"),
            416: Answer(says="No byte lies in the range"),
        },
        refusals=(404,),
    ),
)
