"""Faults by name: what users ask for in a faults file or in the header X-Emulate-Fault, and the mishap each one is. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from runner.emulator.clock import FARTHEST_S
from runner.emulator.mishaps import (
    AmendCreate,
    AmendPoll,
    Callback,
    Cancel,
    Charge,
    Download,
    Drop,
    DropPoll,
    Fail,
    Hold,
    Jump,
    Length,
    Mishap,
    NoResults,
    Poll,
    Price,
    Reply,
    Settle,
    Spoiled,
    Stall,
    Upload,
    Word,
)
from runner.emulator.tasks import Status


class Type(StrEnum):
    SECONDS = "seconds"
    COUNT = "count"
    STATUS = "status"
    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"


class At(StrEnum):
    """What a fault strikes. All but uploads belong to the create that ordered them."""

    CREATE = "create"
    TASK = "task"
    POLL = "poll"
    DOWNLOAD = "download"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`default` None where it may be left out and says nothing; `words` are all there are, if not empty."""

    type: Type
    says: str
    default: Any = None
    least: int = 0
    most: int | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`sound`: strikes only requests whose clip has sound of their own. `make` takes every parameter by name."""

    at: At
    says: str
    make: Callable[[Mapping[str, Any]], Mishap]
    parameters: Mapping[str, Parameter]
    sound: bool = False


_MESSAGE = "The task failed as the emulator was told to let it fail."
_SECONDS = Parameter(type=Type.SECONDS, says="Seconds", default=Decimal(10), most=int(FARTHEST_S))
_SKIP = Parameter(type=Type.COUNT, says="So many honest ones first", default=0, most=1_000_000)
_REFUNDED = Parameter(type=Type.TRUTH, says="Whether the reserve comes back", default=True)
_TIMES = Parameter(type=Type.COUNT, says="How often; for ever if left out", least=1, most=1_000_000)
_STATUS = Parameter(type=Type.STATUS, says="The HTTP status", least=400, most=599)


def _often(times: int | None) -> dict[str, Parameter]:
    return {"skip": _SKIP, "times": replace(_TIMES, default=times)}


def _fault(at: At, says: str, make: Callable[[Mapping[str, Any]], Mishap], **parameters: Parameter) -> Fault:
    return Fault(at=at, says=says, make=make, parameters=parameters)


def _reply(says: str, status: int, **said: Any) -> Fault:
    return _fault(At.CREATE, says, lambda v: Reply(create=None, status=status, **said))


def _limited(v: Mapping[str, Any]) -> Reply:
    without = ("Retry-After", "fallback_suggestion") if v["silent"] else ()
    return Reply(create=None, status=429, retry_after_s=v["retry_after_s"], without=without)


def _answered(v: Mapping[str, Any]) -> Reply:
    raw = v["raw"] if v["raw"] is not None or v["status"] in _ENVELOPES else ""
    kind = "text/html" if (raw or "").lstrip().startswith("<") else "application/json"
    return Reply(
        create=None,
        status=v["status"],
        code=v["code"],
        message=v["message"],
        accepted=v["accepted"],
        raw=raw,
        content_type=kind,
    )


_ENVELOPES = frozenset({400, 401, 402, 403, 404, 405, 408, 409, 413, 429, 500, 502, 503, 504})
_GATEWAY = "<html><head><title>504 Gateway Time-out</title></head></html>"


def _download(how: Spoiled, says: str) -> Fault:
    more = {"seconds": replace(_SECONDS, default=Decimal(1))} if how in (Spoiled.SLOW, Spoiled.STALLED) else {}
    if how is Spoiled.MOVED:
        more = {"to": Parameter(type=Type.TEXT, says="Where to; the link itself if left out", default="")}

    def make(v: Mapping[str, Any]) -> Download:
        to, seconds = v.get("to", ""), float(v.get("seconds", 1))
        return Download(task=None, how=how, skip=v["skip"], times=v["times"], seconds=seconds, to=to)

    return _fault(At.DOWNLOAD, says, make, **_often(1), **more)


_CREATES = {
    "drop-before-accept": _fault(At.CREATE, "No answer, and nothing is made", lambda v: Drop(create=None, accepted=False)),
    "accept-then-drop": _fault(At.CREATE, "No answer, and the task is made", lambda v: Drop(create=None, accepted=True)),
    "502-before-accept": _reply("502, and nothing is made", 502),
    "504-after-accept": _reply("504, and the task is made", 504, accepted=True),
    "500-after-accept": _reply("500, and the task is made", 500, accepted=True),
    "unavailable": _reply("503", 503),
    "rate-limit": _fault(
        At.CREATE,
        "429",
        _limited,
        retry_after_s=Parameter(type=Type.COUNT, says="What Retry-After says", default=60, most=86_400),
        silent=Parameter(type=Type.TRUTH, says="Nobody says when to come back", default=False),
    ),
    "insufficient-quota": _reply("402", 402),
    "too-large": _reply("413", 413),
    "moderation-at-submit": _reply(
        "400 for the prompt", 400, code="content_filter", message="The prompt was flagged by moderation", param="prompt"
    ),
    "key-disabled": _reply("403 for the key", 403, code="key_disabled", message="This key is disabled", param=""),
    "outcome-unknown": _reply("409: an earlier create with this key is under way", 409, code="paid_outcome_unknown"),
    "unreadable-answer": _reply(
        "200 with a web page, and the task is made", 200, accepted=True, raw="<html></html>", content_type="text/html"
    ),
    "slow-answer": _fault(
        At.CREATE, "The task is made at once, the answer comes later", lambda v: Stall(create=None, seconds=float(v["seconds"])),
        seconds=_SECONDS,
    ),
    "no-id": _fault(At.CREATE, "The answer names no task", lambda v: AmendCreate(create=None, without=("id",))),
    "id-reused": _fault(At.CREATE, "The answer names the first task of all", lambda v: AmendCreate(create=None, id_of=1)),
    "answer": _fault(
        At.CREATE,
        "Any answer at all",
        _answered,
        status=replace(_STATUS, default=500, least=200),
        code=Parameter(type=Type.TEXT, says="The code in the envelope"),
        message=Parameter(type=Type.TEXT, says="The message in the envelope"),
        raw=Parameter(type=Type.TEXT, says="The whole body in place of the envelope"),
        accepted=Parameter(type=Type.TRUTH, says="Whether the task is made all the same", default=False),
    ),
}  # fmt: skip
_TASKS = {
    "stuck": _fault(At.TASK, "Processing for ever", lambda v: Hold(task=None)),
    "queued-forever": _fault(At.TASK, "Pending for ever", lambda v: Hold(task=None, queued=True)),
    "slow-task": _fault(
        At.TASK, "Processing so long before its work begins", lambda v: Hold(task=None, seconds=float(v["seconds"])),
        seconds=replace(_SECONDS, default=Decimal(60)),
    ),
    "failed": _fault(
        At.TASK,
        "The task fails",
        lambda v: Fail(task=None, code=v["code"], message=v["message"], refunded=v["refunded"]),
        code=Parameter(type=Type.TEXT, says="The task error code", default="service_error"),
        message=Parameter(type=Type.TEXT, says="The message", default=_MESSAGE),
        refunded=_REFUNDED,
    ),
    "moderation-at-poll": _fault(
        At.TASK,
        "The task fails for its content",
        lambda v: Fail(task=None, code="content_policy_violation", message="The content was flagged by moderation", refunded=v["refunded"]),
        refunded=_REFUNDED,
    ),
    "moderation-of-audio": replace(_fault(
        At.TASK,
        "The task fails for its sound file; requests without one are well",
        lambda v: Fail(task=None, code="content_policy_violation", message="The audio was flagged by moderation", refunded=v["refunded"]),
        refunded=_REFUNDED,
    ), sound=True),
    "cancelled": _fault(At.TASK, "The task is cancelled", lambda v: Cancel(task=None, refunded=v["refunded"]), refunded=_REFUNDED),
    "no-results": _fault(At.TASK, "Completed without a link, and charged", lambda v: NoResults(task=None)),
    "duration-rounded": _fault(
        At.TASK,
        "The clip's length is rounded up to a multiple",
        lambda v: Length(task=None, step=v["to_s"]),
        to_s=Parameter(type=Type.COUNT, says="Seconds", default=5, least=1, most=30),
    ),
    "price-changed": _fault(
        At.TASK,
        "Reserved and charged at another price",
        lambda v: Price(task=None, factor=v["factor"]),
        factor=Parameter(type=Type.NUMBER, says="Times the price", default=Decimal("1.5"), most=1000),
    ),
    "charged-otherwise": _fault(
        At.TASK,
        "Charged other credits than were reserved",
        lambda v: Charge(task=None, amount=v["credits"]),
        credits=Parameter(type=Type.NUMBER, says="Credits", default=Decimal(0), most=1_000_000_000),
    ),
    "settled-late": _fault(
        At.TASK, "Billed so long after its end", lambda v: Settle(task=None, seconds=float(v["seconds"])),
        seconds=replace(_SECONDS, default=Decimal(3600)),
    ),
    "never-settled": _fault(At.TASK, "Never billed; the reserve stays", lambda v: Settle(task=None, seconds=None)),
    "clock-jump": _fault(
        At.TASK, "The service's clock jumps ahead as the task is made", lambda v: Jump(task=None, seconds=float(v["seconds"])),
        seconds=replace(_SECONDS, default=Decimal(86_400)),
    ),
    "callback-lost": _fault(At.TASK, "No callback is sent", lambda v: Callback(task=None, copies=0)),
    "callback-twice": _fault(At.TASK, "The callback comes twice", lambda v: Callback(task=None, copies=2)),
    "callback-late": _fault(
        At.TASK, "The callback comes later", lambda v: Callback(task=None, seconds=float(v["seconds"])),
        seconds=replace(_SECONDS, default=Decimal(60)),
    ),
}  # fmt: skip
_POLLS = {
    "status-word": _fault(
        At.POLL,
        "The status is said in another word",
        lambda v: Word(task=None, status=v["word"], of=Status(v["of"]), skip=v["skip"], times=v["times"]),
        word=Parameter(type=Type.TEXT, says="The word", default="succeed"),
        of=Parameter(type=Type.TEXT, says="The true status it stands for", default="completed", words=tuple(Status)),
        **_often(None),
    ),
    "expired": _fault(
        At.POLL, "The status is `expired`", lambda v: Word(task=None, status="expired", skip=v["skip"], times=v["times"]), **_often(None)
    ),
    "poll-error": _fault(
        At.POLL,
        "Polls are answered with an error, then well again",
        lambda v: Poll(task=None, status=v["status"], skip=v["skip"], times=v["times"]),
        status=Parameter(type=Type.STATUS, says="The HTTP status", default=503, words=tuple(map(str, sorted(_ENVELOPES)))),
        **_often(3),
    ),
    "poll-dropped": _fault(
        At.POLL, "Polls get no answer", lambda v: DropPoll(task=None, skip=v["skip"], times=v["times"]), **_often(1)
    ),
    "poll-page": _fault(
        At.POLL,
        "Polls are answered with a gateway's web page",
        lambda v: Poll(task=None, status=504, raw=_GATEWAY, content_type="text/html", skip=v["skip"], times=v["times"]),
        **_often(1),
    ),
    "task-lost": _fault(
        At.POLL, "The task is not found", lambda v: Poll(task=None, status=404, skip=v["skip"], times=v["times"]), **_often(None)
    ),
    "late-results": _fault(
        At.POLL,
        "Completed, and the link comes later",
        lambda v: AmendPoll(task=None, of=Status.COMPLETED, without=("results",), skip=v["skip"], times=v["times"]),
        **_often(2),
    ),
}  # fmt: skip
_DOWNLOADS = {
    "result-gone": _download(Spoiled.GONE, "404"),
    "result-forbidden": _download(Spoiled.FORBIDDEN, "403"),
    "result-busy": _download(Spoiled.BUSY, "429"),
    "result-500": _download(Spoiled.ERROR, "500"),
    "result-503": _download(Spoiled.UNAVAILABLE, "503"),
    "result-504": _download(Spoiled.TIMEOUT, "504"),
    "result-broken-off": _download(Spoiled.TRUNCATED, "A Content-Length that is too large: half of the bytes come"),
    "result-short": _download(Spoiled.SHORT, "200 and half of the film, as if it were whole"),
    "result-long": _download(Spoiled.LONG, "64 bytes too many, announced as the film's"),
    "result-damaged": _download(Spoiled.DAMAGED, "All bytes, the second half zeros"),
    "result-html": _download(Spoiled.HTML, "200 and a web page"),
    "result-whole": _download(Spoiled.WHOLE, "The whole, whatever part was asked for"),
    "result-changed": _download(Spoiled.CHANGED, "Another ETag and date"),
    "result-slow": _download(Spoiled.SLOW, "Honest, spread over `seconds`"),
    "result-stalled": _download(Spoiled.STALLED, "Half of the bytes, `seconds` of silence, then the end"),
    "result-moved": _download(Spoiled.MOVED, "A redirect"),
}
_UPLOADS = {
    "upload-refused": _fault(
        At.UPLOAD,
        "The upload is refused",
        lambda v: Upload(upload=None, status=v["status"], http=v["http"], times=None),
        status=replace(_STATUS, default=413),
        http=Parameter(type=Type.STATUS, says="The HTTP status, if it is another", least=200, most=599),
    ),
}

FAULTS: dict[str, Fault] = {**_CREATES, **_TASKS, **_POLLS, **_DOWNLOADS, **_UPLOADS}
