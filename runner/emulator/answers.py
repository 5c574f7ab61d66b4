"""What the emulator's answers look like: the schemas of its OpenAPI document, closed, so that a word too many is a fault."""

from collections.abc import Mapping
from typing import Any

from runner.emulator.refusals import Profile
from runner.emulator.switches import Switches
from runner.emulator.tasks import ID, TYPES, Status

Schema = dict[str, Any]

WHOLE: Schema = {"type": "integer", "minimum": 0}
AMOUNT: Schema = {"type": "number", "minimum": 0, "description": "Credits"}
UNIX: Schema = {"type": "integer", "description": "Unix seconds"}
TEXT: Schema = {"type": "string"}
TRUTH: Schema = {"type": "boolean"}
LINK: Schema = {"type": "string", "format": "uri"}
PERCENT: Schema = {"type": "integer", "minimum": 0, "maximum": 100}
TASK_ID: Schema = {"type": "string", "pattern": f"^{ID.pattern}$"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
STATUS: Schema = {"type": "string", "enum": [str(status) for status in Status]}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, says: str = "") -> Schema:
    """An object of these members and no others."""
    described = {"description": says} if says else {}
    return {
        **described,
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def listed(items: Schema, most: int | None = None) -> Schema:
    return {"type": "array", "items": items, **({} if most is None else {"maxItems": most})}


def answers(switches: Switches) -> dict[str, Schema]:
    """The schemas of every JSON answer by name, as the service gives them under these switches."""
    named = {**_TASKS, **_FILES, **_CATALOGUE, **_CONTROL, "Error": _error(switches), "Usage": _usage(switches)}
    if not switches.object:
        named |= {name: _without(named[name], "object") for name in ("Created", "Task")}
    if switches.file_errors == "200":
        named |= {name: {"oneOf": [named[name], ref("FileRefusal")]} for name in ("Upload", "FileDeleted")}
    if switches.finished_at_submit:
        named["Created"] = {**named["Created"], "properties": {**named["Created"]["properties"], "status": STATUS}}
    return named


def _without(schema: Schema, name: str) -> Schema:
    members = {member: one for member, one in schema["properties"].items() if member != name}
    return {**schema, "required": [member for member in schema["required"] if member != name], "properties": members}


def _error(switches: Switches) -> Schema:
    code: Schema = {"type": "integer"} if switches.profile is Profile.DOCUMENTED else {"type": "string", "minLength": 1}
    error = record(
        {"code": code, "message": {"type": "string", "minLength": 1}, "type": TEXT},
        {
            "param": TEXT,
            "fallback_suggestion": TEXT,
            "estimated_credits": AMOUNT,
            "account_balance_credits": {"type": "number"},
            "action_url": LINK,
            "limit_scope": TEXT,
            "reset_timezone": TEXT,
            "allowed_models": listed(TEXT),
        },
    )
    return record({"error": error}, says="What every answer that is no success says, but for files")


def _usage(switches: Switches) -> Schema:
    own = "per_second" if switches.profile is Profile.CURRENT else "per_call"
    rule = own if switches.billing_rule == "auto" else switches.billing_rule
    return record(
        {"billing_rule": {"const": rule}, "credits_reserved": AMOUNT, "user_group": {"enum": ["default", "vip"]}},
        {"credits_used": AMOUNT},
    )


_HEAD: dict[str, Schema] = {
    "created": UNIX,
    "id": TASK_ID,
    "model": TEXT,
    "object": {"const": "video.generation.task"},
    "progress": PERCENT,
    "status": STATUS,
    "type": {"enum": list(TYPES)},
}
_TASKS: dict[str, Schema] = {
    "Created": record(
        {
            **_HEAD,
            "status": {"const": "pending"},
            "task_info": record({"can_cancel": TRUTH, "estimated_time": WHOLE}),
            "usage": ref("Usage"),
        },
        says="The task as it was accepted",
    ),
    "Task": record(
        {**_HEAD, "task_info": record({"can_cancel": TRUTH})},
        {
            "results": listed(LINK),
            "error": record({"code": TEXT, "message": TEXT}),
            "usage": ref("Usage"),
            "billing": ref("Billing"),
            "duration": {"type": "number", "minimum": 0, "description": "Seconds from create to end"},
        },
        says="The task as it is; a callback says the same",
    ),
    "Billing": record(
        {
            "refund_scope": {"const": "account_balance"},
            "charge_status": {"enum": ["unknown", "reserved", "charged", "released"]},
            "refund_status": {"enum": ["unknown", "not_required", "pending", "failed", "completed"]},
            "reserved_credits": AMOUNT,
            "charged_credits": AMOUNT,
            "refunded_credits": AMOUNT,
        },
        {"refunded_at": UNIX},
    ),
    "Tasks": record({"data": listed(ref("Task"))}, says="What is not there is left out"),
    "TaskPage": record(
        {
            "data": listed(
                record(
                    {
                        "id": TASK_ID,
                        "status": STATUS,
                        "model": TEXT,
                        "type": {"enum": list(TYPES)},
                        "progress": PERCENT,
                        "created_at": UNIX,
                        "has_results": TRUTH,
                        "has_error": TRUTH,
                        "credits_used": {"type": ["number", "null"], "minimum": 0},
                    }
                ),
                50,
            ),
            "page": WHOLE,
            "page_size": WHOLE,
            "total": WHOLE,
        },
        says="Newest first",
    ),
    "Credits": record(
        {
            "success": {"const": True},
            "message": TEXT,
            "data": record(
                {
                    "user": record({"remaining_credits": {"type": "number"}, "used_credits": AMOUNT}),
                    "token": record(
                        {"remaining_credits": {"type": "number"}, "used_credits": AMOUNT, "unlimited_credits": TRUTH}
                    ),
                }
            ),
        }
    ),
    "Estimate": record({"model": TEXT, "estimated_credits": AMOUNT, "account_balance_credits": {"type": "number"}}),
    "Models": record({"object": {"const": "list"}, "data": listed(record({"id": TEXT, "object": {"const": "model"}}))}),
}


def _filed(content: Schema) -> Schema:
    return record({"success": {"const": True}, "code": {"const": 200}, "msg": TEXT, "data": content})


_FILES: dict[str, Schema] = {
    "File": record(
        {
            "file_id": TEXT,
            "file_name": TEXT,
            "original_name": TEXT,
            "file_size": WHOLE,
            "mime_type": TEXT,
            "upload_path": TEXT,
            "file_url": LINK,
            "download_url": LINK,
            "upload_time": MOMENT,
            "expires_at": MOMENT,
        }
    ),
    "Upload": _filed(ref("File")),
    "FilePage": _filed(record({"files": listed(ref("File"), 50), "page": WHOLE, "page_size": WHOLE, "total": WHOLE})),
    "FileQuota": _filed(record({"user_group": TEXT, "used_files": WHOLE, "max_files": WHOLE, "remain_files": WHOLE})),
    "FileDeleted": _filed({"type": "null"}),
    "FileRefusal": record(
        {"success": {"const": False}, "code": {"type": "integer"}, "msg": TEXT, "data": {"type": "null"}},
        says="What the file API says in place of the error envelope",
    ),
}
_RULES = listed(
    record(
        {
            "model": TEXT,
            "unit": TEXT,
            "units_per_usd": {"type": ["number", "null"]},
            "per_second": AMOUNT,
            "multipliers": listed(record({"when": {"type": "object"}, "by": {"type": "number"}})),
            "minimum": AMOUNT,
            "input_seconds": {
                "oneOf": [
                    {"type": "null"},
                    record({"media": TEXT, "cap_s": {"type": "object", "additionalProperties": {"type": "number"}}}),
                ]
            },
            "effective_from": {"type": "string", "format": "date"},
        }
    )
)
_CATALOGUE: dict[str, Schema] = {
    "CatalogueModels": record(
        {
            "object": {"const": "list"},
            "data": listed(
                record(
                    {
                        "id": TEXT,
                        "object": {"const": "model"},
                        "type": {"const": "video"},
                        "title": TEXT,
                        "description": TEXT,
                        "endpoint": {"type": ["string", "null"]},
                        "parameters": listed(TEXT),
                    }
                )
            ),
        }
    ),
    "CatalogueHealth": record({"status": {"const": "ok"}, "models": WHOLE}),
    "Prices": record({"object": {"const": "list"}, "data": _RULES}, says="In credits, as of today"),
    "WebPrices": record({"success": {"const": True}, "message": TEXT, "data": _RULES}),
}
_SUMS = record(
    {
        "account": WHOLE,
        "account_name": TEXT,
        "remaining": {"type": "number"},
        "used": AMOUNT,
        "held": AMOUNT,
        "unsettled": WHOLE,
    }
)
_CONTROL: dict[str, Schema] = {
    "Health": record({"status": {"const": "ok"}}),
    "OpenAPI": {"type": "object", "required": ["openapi", "info", "paths"]},
    "Invoice": record(
        {
            "tasks": listed(
                record(
                    {
                        "task_id": TASK_ID,
                        "account": WHOLE,
                        "account_name": TEXT,
                        "key": TEXT,
                        "idempotency_key": TEXT,
                        "seen": WHOLE,
                        "body_sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                        "model": TEXT,
                        "label": TEXT,
                        "created_at": UNIX,
                        "reserved": AMOUNT,
                        "charged": {"type": ["number", "null"], "minimum": 0},
                        "status": STATUS,
                    }
                )
            ),
            "seen": listed(record({"account": WHOLE, "idempotency_key": TEXT, "times": WHOLE})),
        },
        says="By the emulator's own count",
    ),
    "Board": record(
        {
            "epoch": TEXT,
            "revision": WHOLE,
            "more": TRUTH,
            "now": {"type": "number"},
            "tasks": listed({"type": "object", "required": ["task_id", "status"]}),
            "accounts": listed(_SUMS),
            "models": listed(record({"model": TEXT, "tasks": WHOLE, "charged": AMOUNT})),
            "totals": record({"tasks": WHOLE, "states": {"type": "object"}, "charged": AMOUNT, "held": AMOUNT}),
        },
        says="What the page at / shows; the rows of its tasks may grow",
    ),
    "CallbackAttempts": record(
        {
            "attempts": listed(
                record(
                    {
                        "task_id": TASK_ID,
                        "url": TEXT,
                        "attempt": {"type": "integer", "minimum": 1, "maximum": 4},
                        "at": {"type": "number", "description": "Unix seconds"},
                        "status": {"type": ["integer", "null"]},
                        "delivered": TRUTH,
                        "fault": {"type": ["string", "null"]},
                    }
                )
            )
        },
        says="In their order",
    ),
    "Now": record({"now": {"type": "number", "description": "Unix seconds by the emulator's clock"}}),
}
