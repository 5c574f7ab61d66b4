"""Holds answers to an OpenAPI document: the operation's status, its media type, its schema."""

import json
import re
from collections.abc import Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator

# What every server answers before any operation is known: an unknown path, or a method it has not.
UNKNOWN = (403, 404, 405, 500)


class Judge:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._components = document["components"]
        self._paths = [
            (re.compile(re.sub(r"{[^}]+}", "[^/]+", path)), path.count("{"), operations)
            for path, operations in document["paths"].items()
        ]
        self._validators: dict[str, Draft202012Validator] = {}

    def faults(self, method: str, path: str, status: int, content_type: str, body: bytes) -> list[str]:
        """What is wrong with this answer; nothing is well. `path` without its query."""
        operation = self._operation(method, path)
        if operation is None or (method, status) == ("HEAD", 405):
            schema = {"$ref": "#/components/schemas/Error"}
            return [f"{status} of no operation"] * (status not in UNKNOWN) + self._schema(schema, method, body)
        answer = operation["responses"].get(str(status))
        if answer is None:
            return [f"{operation['operationId']} knows no {status}"]
        content = answer.get("content", {})
        if not content:
            return [f"{status} has a body"] * bool(body)
        kind = content_type.partition(";")[0]
        if kind not in content and "*/*" not in content:
            return [f"{status} is {kind}, not {', '.join(content)}"]
        schema = content.get(kind, content.get("*/*"))["schema"]
        return self._schema(schema, method, body) if kind == "application/json" else []

    def _operation(self, method: str, path: str) -> Any:
        method = "get" if method == "HEAD" else method.lower()
        fitting = [(blanks, found) for pattern, blanks, found in self._paths if pattern.fullmatch(path)]
        return min(fitting, key=lambda one: one[0], default=(0, {}))[1].get(method)

    def _schema(self, schema: Mapping[str, Any], method: str, body: bytes) -> list[str]:
        if method == "HEAD":
            return []
        key = json.dumps(schema)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator({**schema, "components": self._components})
        return [
            f"{error.instance_path}: {error.message}" for error in self._validators[key].iter_errors(json.loads(body))
        ]
