"""The service behind the routes: what is asked of it and what it answers, without a word of HTTP but the refusals."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from hmac import compare_digest
from itertools import islice
from pathlib import Path
from secrets import randbelow
from typing import Any

from runner.contract.model import Model
from runner.core.money import ZERO
from runner.emulator import billing, intake, scenarios, tasks
from runner.emulator.accounts import Account, Accounts, Bearer
from runner.emulator.clock import Clock
from runner.emulator.disk import NO_ROOM, Disk, Full
from runner.emulator.faults import At
from runner.emulator.faults_file import of_header
from runner.emulator.intake import Asked, Page, Wishes
from runner.emulator.invoice import Line, line
from runner.emulator.job import Job
from runner.emulator.refusals import Lack, Refusal, Side
from runner.emulator.scenarios import Scenarios
from runner.emulator.script import (
    AmendPoll,
    Download,
    DropPoll,
    Jump,
    OnCreate,
    Poll,
    Price,
    Reserve,
    Script,
    Word,
)
from runner.emulator.store import Store
from runner.emulator.switches import Switches
from runner.emulator.tasks import Task
from runner.emulator.works import Works

FINISH_S = 45  # that a create waits for its task, where tasks are finished at submit


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The task a create led to; `replayed` tells that an earlier create made it."""

    task: Task
    replayed: bool


_OF_CREATES = tuple(at for at in At if at is not At.UPLOAD)


class Studio:
    """All tasks of one emulator; for one event loop. What belongs to another account is not there."""

    def __init__(
        self,
        models: Mapping[str, Model],
        works: Works,
        store: Store,
        disk: Disk,
        *,
        base_url: str,
        switches: Switches,
        script: Script,
        scenarios: Scenarios,
        clock: Clock,
    ) -> None:
        self._scenarios = scenarios
        self.models, self._works, self._base_url = models, works, base_url
        self._store, self._disk = store, disk
        self._switches, self._script, self._clock = switches, script, clock
        self._jobs: dict[str, Job] = {}
        self._replays: dict[tuple[Account, str], Job] = {}
        self._labels: Counter[str] = Counter()
        self.seen: Counter[tuple[int, str]] = Counter()

    def count(self, bearer: Bearer, wished: Wishes) -> tuple[int, int]:
        """The number of a create, and its number among those with its label. Raises Refusal 429, and it was none."""
        bearer.admit(self._clock.elapsed())
        if wished.idempotency_key:
            self._store.saw(bearer.account.name, wished.idempotency_key)
            self.seen[bearer.account.number, wished.idempotency_key] += 1
        self._labels[wished.label] += 1
        return self._labels.total(), self._labels[wished.label]

    def struck(self, numbers: tuple[int, int], raw: bytes, wished: Wishes) -> tuple[OnCreate | None, Script]:
        """Which mishap strikes the answer to this create, and all that strike it and its task alone. Raises Refusal 400."""
        found = scenarios.facts(raw, wished.label, self.models)
        asked = of_header(wished.faults, _OF_CREATES, found)
        own = Script(mishaps=scenarios.of_create((*asked, *self._scenarios.on_create(found)), numbers[0]))
        return own.over(self._script).on_create(numbers[0], wished.label, numbers[1]), own

    def accept(self, bearer: Bearer, raw: bytes, wished: Wishes, own: Script) -> Accepted:
        """The task of this create, with a script of its `own`; it is in the books before this returns. Raises Refusal 400, 402, 403, 404, 409, 503."""
        account = bearer.account
        asked = intake.read(raw, self.models, wished, self._switches)
        bearer.demand(asked.model.name, self._switches)
        replay = None if Lack.IDEMPOTENCY in self._switches.lacks else wished.idempotency_key or None
        known = self._replays.get((account, replay)) if replay else None
        if known and self._clock.now() < known.task.created_at + self._switches.key_s:
            if known.asked.digest != asked.digest:
                raise Refusal(409, param="Idempotency-Key")
            return Accepted(task=known.task, replayed=True)
        job = self._new(bearer, asked, own)
        self._enter(job)
        self._works.put(job)
        if jump := self._works.script(job).on_task(Jump, job.task.number, job.task.label):
            with suppress(ValueError):  # the end of the calendar
                self._clock.advance(jump.seconds)
        return Accepted(task=job.task, replayed=False)

    def estimate(self, bearer: Bearer, raw: bytes) -> dict[str, Any]:
        """What a create of this body would reserve; nothing is. Raises Refusal 400, 402, 403, 404."""
        try:
            asked = intake.read(raw, self.models, Wishes(), self._switches)
        except Refusal as refusal:
            if refusal.status == 400 and refusal.param:
                refusal.code = "unsupported_parameters"
            raise
        bearer.demand(asked.model.name, self._switches)
        return {
            "model": asked.model.name,
            "estimated_credits": tasks.number(self._price(asked)),
            "account_balance_credits": tasks.number(bearer.account.remaining),
        }

    def restore(self, jobs: Iterable[Job], seen: Mapping[tuple[str, str], int], accounts: Accounts) -> None:
        """Begins with what earlier starts left in the books."""
        for job in jobs:
            job.bearer.open(job.task.reserved, job.task.created_at)
            if job.task.ended:
                job.bearer.ended()
            if job.task.charged is not None:
                job.bearer.settle(job.task.reserved, job.task.charged, job.task.created_at)
            self._enter(job)
        numbers = {account.name: account.number for account in accounts.each()}
        for (name, key), times in seen.items():
            if name in numbers:
                self.seen[numbers[name], key] = times

    def task_id(self, number: int) -> str:
        """The id of the task with this number. Raises LookupError."""
        return next(islice(self._jobs, number - 1, None))

    async def finished(self, task_id: str) -> Task:
        """The task once it has ended, or as it is after FINISH_S."""
        job, waited = self._jobs[task_id], asyncio.create_task(self._clock.sleep(FINISH_S))
        ended = asyncio.create_task(job.done.wait())
        await asyncio.wait({waited, ended}, return_when=asyncio.FIRST_COMPLETED)
        waited.cancel()
        ended.cancel()
        return job.task

    def poll(self, account: Account, identifier: str, faults: str = "") -> dict[str, Any] | Poll | DropPoll:
        """The body of a task's GET, or what to do in its place; `faults` are asked for by a header. Raises Refusal 400, 404."""
        if not tasks.ID.fullmatch(identifier):
            raise Refusal(400, Side.QUERY)
        job = self._jobs.get(identifier)
        if job is None or job.account is not account or self._gone(job):
            raise Refusal(404, Side.QUERY)
        if self._switches.payment == "query" and account.remaining < 0:
            raise Refusal(402, Side.QUERY)
        task = job.task
        job.polls[task.status] += 1
        asked = Script(mishaps=of_header(faults, (At.POLL,), scenarios.Facts()))
        script = asked.over(self._works.script(job))
        mishap = script.on_poll(task.number, task.label, job.polls.total(), task.status, job.polls[task.status])
        if isinstance(mishap, Poll | DropPoll):
            return mishap
        body = self.told(job)
        match mishap:
            case Word():
                return {**body, "status": mishap.status}
            case AmendPoll():
                return mishap.applied(body)
        return body

    def told(self, job: Job) -> dict[str, Any]:
        """What an honest poll says of the task."""
        return tasks.query_body(job.task, self._switches, self._links(job))

    def batch(self, account: Account, identifiers: Sequence[str]) -> list[dict[str, Any]] | Poll | DropPoll:
        """The bodies of these tasks, each once; unknown ones are left out. What strikes one poll strikes all, but a 404."""
        found: list[dict[str, Any]] = []
        instead: Poll | DropPoll | None = None
        for identifier in dict.fromkeys(identifiers):
            try:
                said = self.poll(account, identifier)
            except Refusal:
                continue
            if isinstance(said, dict):
                found.append(said)
            elif not (isinstance(said, Poll) and said.status == 404):
                instead = instead or said
        return instead or found

    def page(self, account: Account, page: Page) -> dict[str, Any]:
        """The answer to GET /v1/tasks: tasks of the account, newest first."""
        mine = [job for job in self._jobs.values() if job.account is account and not self._gone(job)]
        fitting = [job for job in reversed(mine) if page.fits(job.task)]
        first = (page.number - 1) * page.size
        rows = [tasks.listed_body(job.task, has_results=bool(job.links)) for job in fitting[first : first + page.size]]
        return {"data": rows, "page": page.number, "page_size": page.size, "total": len(fitting)}

    def result(self, token: str, identifier: str, faults: str = "") -> tuple[Path, Task, Download | None]:
        """The clip behind a link, its task, and how its download goes wrong. Raises Refusal 404, and 403 once the link has expired."""
        job = self._jobs.get(identifier)
        made = [at for link, at in job.links.items() if compare_digest(token.encode(), link.encode())] if job else []
        if job is None or not made:
            raise _no_result()
        if made[0] + self._switches.link_s <= self._clock.now():
            raise Refusal(403, Side.QUERY, code="link_expired", message="Link has expired")
        if (clip := self._works.clip(job)) is None:
            raise _no_result()
        job.downloads += 1
        asked = Script(mishaps=of_header(faults, (At.DOWNLOAD,), scenarios.Facts()))
        if struck := asked.on_download(job.task.number, job.task.label, 1):
            return clip, job.task, struck
        spoiled = self._works.script(job).on_download(job.task.number, job.task.label, job.downloads)
        return clip, job.task, spoiled

    def jobs(self) -> Collection[Job]:
        """Every task ever made, in the order of their creates."""
        return self._jobs.values()

    def clip(self, identifier: str) -> Path | None:
        """The clip of this task, whoever's and however old it is; None where there is none."""
        job = self._jobs.get(identifier)
        return self._works.clip(job) if job else None

    def invoice(self) -> tuple[Line, ...]:
        """Every task ever made, in the order of their creates."""
        return tuple(line(job, self.seen[job.account.number, job.task.idempotency_key]) for job in self._jobs.values())

    def _new(self, bearer: Bearer, asked: Asked, own: Script) -> Job:
        number, now, wished = len(self._jobs) + 1, self._clock.now(), asked.wishes
        script = own.over(self._script)
        planned, changed = script.on_task(Reserve, number, wished.label), script.on_task(Price, number, wished.label)
        price = self._price(asked)
        reserved = planned.amount if planned else changed.of(price) if changed else price
        width, height = asked.model.size(asked.body, None)
        pixels = width * height * asked.model.output.fps * intake.seconds(asked)
        self._demand_disk()
        bearer.reserve(reserved, now, self._switches)
        task = Task(
            id=tasks.task_id(now, randbelow(tasks.ID_SPACE)),
            number=number,
            created_at=now,
            model=asked.model.name,
            estimated_s=self._works.pace.put(pixels),
            reserved=reserved,
            idempotency_key=wished.idempotency_key,
            label=wished.label,
            user_group=bearer.account.user_group,
        )
        job = Job(bearer=bearer, asked=asked, task=task, pixels=pixels, script=own)
        try:
            self._store.save(job)
        except BaseException:
            self._works.pace.done(pixels, None)
            bearer.ended()
            bearer.settle(reserved, ZERO, now)
            raise
        return job

    def _price(self, asked: Asked) -> Decimal:
        """At submit, when nobody knows how long the reference media are."""
        unknown = {asked.model.by_property[n].kind: [None] * len(u) for n, u in intake.media_urls(asked).items()}
        return billing.price(asked.model, asked.body, unknown, self._clock.now())

    def _enter(self, job: Job) -> None:
        self._jobs[job.task.id] = job
        if job.task.idempotency_key and Lack.IDEMPOTENCY not in self._switches.lacks:
            self._replays[job.account, job.task.idempotency_key] = job

    def _demand_disk(self) -> None:
        """Raises Refusal 503 where no clip would find room."""
        try:
            self._disk.demand()
        except Full:
            raise Refusal(503, message=f"Service temporarily unavailable: {NO_ROOM}") from None

    def _links(self, job: Job) -> list[str]:
        """What a query says of the result; once its link is dead, a new one where links are fresh."""
        if not job.links:
            return []
        now = self._clock.now()
        if self._switches.fresh_links and max(job.links.values()) + self._switches.link_s <= now:
            job.link(now)
            self._store.save(job)
        return [f"{self._base_url}/results/{list(job.links)[-1]}/{job.task.id}.mp4"]

    def _gone(self, job: Job) -> bool:
        return job.task.ended_at is not None and job.task.ended_at + self._switches.task_s <= self._clock.now()


def _no_result() -> Refusal:
    return Refusal(404, Side.QUERY, code="result_not_found", message="Result not found", param="")
