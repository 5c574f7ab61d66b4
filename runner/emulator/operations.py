"""Every endpoint, as the OpenAPI document describes it."""

from runner.emulator.answers import ref
from runner.emulator.catalogue_operations import CATALOGUE, PAGE
from runner.emulator.clock import FARTHEST_S
from runner.emulator.file_operations import FILES
from runner.emulator.intake import BATCH, LABEL_CHARACTERS
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
from runner.emulator.tasks import FILTERS, ID, TYPES

OPERATIONS: tuple[Operation, ...] = (
    *FILES,
    *CATALOGUE,
    *PAGE,
    Operation(
        method="POST",
        path="/v1/videos/generations",
        id="createVideo",
        says="Make a task; the body is held to the schema of its model",
        key=Key.API,
        parameters=(
            header(
                "Idempotency-Key",
                "The same key with the same bytes is the same task",
                {"type": "string", "pattern": "^[A-Za-z0-9._-]{16,96}$"},
            ),
            header("X-Emulate-Seed", "Tells takes apart on models without a seed", {"type": "integer"}),
            FAULT,
            header(
                "X-Emulate-Label",
                f"Shown on the clip: up to {LABEL_CHARACTERS} printable characters, percent-encoded",
                {"type": "string"},
            ),
        ),
        body={"application/json": ref("CreateVideo")},
        answers={200: json_answer("Created", idempotency_replayed="`true` if an earlier create made the task")},
        refusals=(402, 404, 409, 429, 502, 503, 504),
    ),
    Operation(
        method="GET",
        path="/v1/tasks/{id}",
        id="getTask",
        says="Ask about a task",
        key=Key.API,
        parameters=(path("id", {"type": "string", "pattern": f"^{ID.pattern}$"}), FAULT),
        answers={200: json_answer("Task")},
        refusals=(400, 402, 404, 429, 502, 503, 504),
    ),
    Operation(
        method="GET",
        path="/v1/tasks",
        id="listTasks",
        says="The account's tasks, newest first, without links",
        key=Key.API,
        parameters=(
            query("status", "`processing` with what is queued", {"type": "string", "enum": list(FILTERS)}),
            query("type", "All tasks here are videos", {"type": "string", "enum": list(TYPES)}),
            query("model", "Of one model", {"type": "string"}),
            query("page", "From 1", {"type": "integer", "minimum": 1, "maximum": 999_999_999}),
            query("page_size", "", {"type": "integer", "minimum": 1, "maximum": BATCH}),
        ),
        answers={200: json_answer("TaskPage")},
        refusals=(400, 404),
    ),
    Operation(
        method="POST",
        path="/v1/tasks/batch",
        id="getTasks",
        says=f"Ask about up to {BATCH} tasks at once; what is not there is left out",
        key=Key.API,
        body={
            "application/json": {
                "type": "object",
                "required": ["task_ids"],
                "properties": {
                    "task_ids": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": BATCH}
                },
            }
        },
        answers={200: json_answer("Tasks")},
        refusals=(402, 404, 429, 502, 503, 504),
    ),
    Operation(
        method="GET",
        path="/v1/credits",
        id="getCredits",
        says="The account: what remains, and what was used",
        key=Key.API,
        answers={200: json_answer("Credits")},
        refusals=(404,),
    ),
    Operation(
        method="POST",
        path="/v1/agent-estimates",
        id="estimate",
        says="What a create of this body would reserve; nothing is",
        key=Key.API,
        body={"application/json": ref("CreateVideo")},
        answers={200: json_answer("Estimate")},
        refusals=(402, 404),
    ),
    Operation(
        method="GET",
        path="/v1/models",
        id="listModels",
        says="The models there are",
        key=Key.API,
        answers={200: json_answer("Models")},
    ),
    Operation(
        method="GET",
        path="/results/{token}/{name}",
        id="getResult",
        says="A clip, for 24 hours",
        key=Key.NONE,
        parameters=(path("token", SEGMENT), path("name", SEGMENT), *PART, FAULT),
        answers={
            200: binary("The clip", "video/mp4", ETag="Of this clip"),
            206: binary("A part of it", "video/mp4", Content_Range="Which"),
            416: Answer(says="No byte lies in the range"),
        },
        refusals=(400, 404, 429, 503, 504),
    ),
    Operation(
        method="GET",
        path="/healthz",
        id="getHealth",
        says="Whether it answers",
        key=Key.NONE,
        answers={200: json_answer("Health")},
    ),
    Operation(
        method="GET",
        path="/openapi.json",
        id="getOpenAPI",
        says="This document",
        key=Key.NONE,
        answers={200: json_answer("OpenAPI")},
    ),
    Operation(
        method="GET",
        path="/_emulate/invoice",
        id="getInvoice",
        says="What every task cost",
        key=Key.CONTROL,
        answers={200: json_answer("Invoice")},
    ),
    Operation(
        method="GET",
        path="/_emulate/callbacks",
        id="getCallbacks",
        says="Every try to deliver a callback",
        key=Key.CONTROL,
        answers={200: json_answer("CallbackAttempts")},
    ),
    Operation(
        method="POST",
        path="/_emulate/clock",
        id="advanceClock",
        says="Skip time",
        key=Key.CONTROL,
        body={
            "application/json": {
                "type": "object",
                "required": ["advance_s"],
                "properties": {"advance_s": {"type": "number", "minimum": 0, "maximum": FARTHEST_S}},
            }
        },
        answers={200: json_answer("Now")},
        refusals=(409,),
    ),
)
