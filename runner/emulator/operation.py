"""What an endpoint is: who may call it, with what, and each answer it can give; and how OpenAPI says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from runner.emulator.answers import Schema, ref


class Key(StrEnum):
    """What a call shows as its bearer token."""

    NONE = "none"
    API = "apiKey"
    CONTROL = "controlToken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`schema` by media type; no media type is an answer without a body. `headers` may be there."""

    says: str
    content: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. `refusals` are the statuses answered with the error envelope, beside those that any endpoint
    may give: a call without the key, of another name or origin, and a bug."""

    method: str
    path: str
    id: str
    says: str
    key: Key
    answers: Mapping[int, Answer]
    refusals: tuple[int, ...] = ()
    parameters: tuple[Schema, ...] = ()
    body: Mapping[str, Schema] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[int, ...]:
        common = (403, 500) if self.key is Key.NONE else (401, 403, 500, 503)
        body = (400, 408, 413) if self.body else ()
        return tuple(sorted({*self.refusals, *common, *body} - set(self.answers)))


def json_answer(name: str, says: str = "", **headers: str) -> Answer:
    named = {header.replace("_", "-"): what for header, what in headers.items()}
    return Answer(says=says or name, content={"application/json": ref(name)}, headers=named)


def binary(says: str, media_type: str, **headers: str) -> Answer:
    named = {header.replace("_", "-"): what for header, what in headers.items()}
    return Answer(says=says, content={media_type: {}}, headers=named)


def header(name: str, says: str, schema: Schema) -> Schema:
    return {"name": name, "in": "header", "description": says, "schema": schema}


def query(name: str, says: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": says, "schema": schema}


def path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


SEGMENT: Schema = {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,128}$"}
FAULT = header("X-Emulate-Fault", "What goes wrong with this request: a name, or JSON", {"type": "string"})
PART = (header("Range", "A part of the file, such as `bytes=100-`", {"type": "string"}),)


def described(operation: Operation) -> dict[str, Any]:
    """The operation in OpenAPI's words."""
    responses: dict[str, Any] = {
        str(status): _described(answer) for status, answer in sorted(operation.answers.items())
    }
    for status in operation.errors:
        retry = {"Retry-After": _HEADER_SECONDS} if status in (429, 503) else {}
        content = {"application/json": {"schema": ref("Error")}}
        responses[str(status)] = {"description": "Refused", "content": content, **({"headers": retry} if retry else {})}
    found: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.says,
        "tags": [_tag(operation)],
        "security": [] if operation.key is Key.NONE else [{str(operation.key): []}],
        "responses": dict(sorted(responses.items())),
    }
    if operation.parameters:
        found["parameters"] = list(operation.parameters)
    if operation.body:
        content = {kind: {"schema": schema} for kind, schema in operation.body.items()}
        found["requestBody"] = {"required": True, "content": content}
    return found


_HEADER_SECONDS = {"description": "Seconds, or a date", "schema": {"type": "string"}}


def _described(answer: Answer) -> dict[str, Any]:
    headers = {name: {"description": says, "schema": {"type": "string"}} for name, says in answer.headers.items()}
    return {
        "description": answer.says,
        **({"headers": headers} if headers else {}),
        **({"content": {kind: {"schema": s} for kind, s in answer.content.items()}} if answer.content else {}),
    }


def _tag(operation: Operation) -> str:
    if operation.key is Key.CONTROL:
        return "control"
    return "files" if "/files/" in operation.path else "videos" if operation.path.startswith("/v1/") else "around"
