"""The service behind the routes: what is asked of it and what it answers, without a word of HTTP but the refusals."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hmac import compare_digest
from pathlib import Path
from secrets import randbelow
from typing import Any

from runner.contract.model import Model
from runner.emulator import billing, intake, tasks
from runner.emulator.intake import Wishes
from runner.emulator.refusals import Profile, Refusal, Side
from runner.emulator.script import NoResults, OnCreate, Poll, Reserve, Script, Spoiled, Word
from runner.emulator.tasks import Status, Task
from runner.emulator.works import Job, Works

LINK_S = 24 * 3600  # a result link's life
TASK_S = 2 * LINK_S  # an ended task's; the documents name no period
REPLAY_S = 24 * 3600  # how long an idempotency key is remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The task a create led to; `replayed` tells that an earlier create made it."""

    task: Task
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the invoice: what was reserved and charged for a task, in credits, and under which idempotency key.

    `charged` is None until the task has ended.
    """

    task_id: str
    idempotency_key: str
    model: str
    label: str
    reserved: Decimal
    charged: Decimal | None
    status: str

    def body(self) -> dict[str, Any]:
        return {
            "task_id": self.task_id,
            "idempotency_key": self.idempotency_key,
            "model": self.model,
            "label": self.label,
            "reserved": tasks.number(self.reserved),
            "charged": None if self.charged is None else tasks.number(self.charged),
            "status": self.status,
        }


class Studio:
    """All tasks of one emulator; for one event loop."""

    def __init__(
        self,
        models: Mapping[str, Model],
        works: Works,
        account: billing.Account,
        *,
        base_url: str,
        profile: Profile,
        script: Script,
        clock: Callable[[], float],
    ) -> None:
        self.models, self._works, self._account = models, works, account
        self._base_url, self._profile, self._script, self._clock = base_url, profile, script, clock
        self._jobs: dict[str, Job] = {}
        self._by_idempotency_key: dict[str, Job] = {}
        self._creates: Counter[str] = Counter()

    def struck(self, label: str) -> OnCreate | None:
        """Counts a create and says which mishap strikes it."""
        self._creates[label] += 1
        return self._script.on_create(self._creates.total(), label, self._creates[label])

    def accept(self, raw: bytes, wished: Wishes) -> Accepted:
        """The task of this create. Raises Refusal 400, 402, 404, 409."""
        asked = intake.read(raw, self.models, wished)
        now = self._clock()
        known = self._by_idempotency_key.get(wished.idempotency_key)
        if known and now < known.task.created_at + REPLAY_S:
            if known.asked.digest != asked.digest:
                raise Refusal(409, param="Idempotency-Key")
            return Accepted(task=known.task, replayed=True)
        number = len(self._jobs) + 1
        planned = self._script.on_task(Reserve, number, wished.label)
        unknown = {asked.model.by_property[n].kind: [None] * len(u) for n, u in intake.media_urls(asked).items()}
        reserved = planned.amount if planned else billing.price(asked.model, asked.body, unknown, now)
        self._account.reserve(reserved)
        width, height = asked.model.size(asked.body, None)
        pixels = width * height * asked.model.output.fps * intake.seconds(asked)
        task = Task(
            id=tasks.task_id(now, randbelow(tasks.ID_SPACE)),
            number=number,
            created_at=now,
            model=asked.model.name,
            estimated_s=self._works.pace.put(pixels),
            reserved=reserved,
            idempotency_key=wished.idempotency_key,
            label=wished.label,
        )
        job = Job(asked=asked, task=task, pixels=pixels)
        self._jobs[task.id] = job
        if wished.idempotency_key:
            self._by_idempotency_key[wished.idempotency_key] = job
        self._works.put(job)
        return Accepted(task=task, replayed=False)

    def poll(self, identifier: str) -> dict[str, Any]:
        """The body of a task's GET. Raises Refusal 400, 404, and what the script says."""
        if not tasks.ID.fullmatch(identifier):
            raise Refusal(400, Side.QUERY)
        job = self._jobs.get(identifier)
        if job is None or (job.task.ended_at is not None and job.task.ended_at + TASK_S <= self._clock()):
            raise Refusal(404, Side.QUERY)
        job.polls += 1
        task = job.task
        mishap = self._script.on_poll(task.number, task.label, job.polls)
        if isinstance(mishap, Poll):
            raise mishap.refusal
        links = [f"{self._base_url}/results/{job.token}/{task.id}.mp4"]
        if self._script.on_task(NoResults, task.number, task.label):
            links = []
        body = tasks.query_body(task, self._profile, links)
        if isinstance(mishap, Word):
            body["status"] = mishap.status
        return body

    def result(self, token: str, identifier: str) -> tuple[Path, Spoiled | None]:
        """The clip behind a link, and how its download goes wrong. Raises Refusal 404, and 403 once the link has expired."""
        job = self._jobs.get(identifier)
        ended_at = job.task.ended_at if job and job.task.status is Status.COMPLETED else None
        if job is None or ended_at is None or not compare_digest(token.encode(), job.token.encode()):
            raise Refusal(404, Side.QUERY, code="result_not_found", message="Result not found", param="")
        if ended_at + LINK_S <= self._clock():
            raise Refusal(403, Side.QUERY, code="link_expired", message="Link has expired")
        job.downloads += 1
        spoiled = self._script.on_download(job.task.number, job.task.label, job.downloads)
        return self._works.clip(job), spoiled

    def invoice(self) -> tuple[Line, ...]:
        """Every task ever made, in the order of their creates."""
        return tuple(
            Line(
                task_id=task.id,
                idempotency_key=task.idempotency_key,
                model=task.model,
                label=task.label,
                reserved=task.reserved,
                charged=task.charged,
                status=str(task.status),
            )
            for task in (job.task for job in self._jobs.values())
        )
