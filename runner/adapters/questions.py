"""Polls of many tasks in few queries: those that are due together are asked about together, where the service knows how."""

import asyncio

from runner.adapters.client import Client
from runner.core.wire import NoReply
from runner.providers import evolink
from runner.providers.provider import Missed, Polled

GATHERED_S = 0.02  # so long is waited for others that are due, too

Answer = asyncio.Future[Polled | None]  # None: this task is to be asked about by itself


class Questions:
    """`most` tasks go into one query, 0 or 1: each is asked about by itself. For one event loop."""

    def __init__(self, client: Client, most: int) -> None:
        self._client, self._most = client, most
        self._due: dict[str, Answer] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def poll(self, task_id: str) -> Polled:
        if self._most < 2:
            return await self._alone(task_id)
        loop = asyncio.get_running_loop()
        if not self._due:
            loop.call_later(GATHERED_S, self._ask)
        answer = self._due.setdefault(task_id, loop.create_future())
        told = await asyncio.shield(answer)  # others may wait for the same
        return await self._alone(task_id) if told is None else told

    async def _alone(self, task_id: str) -> Polled:
        try:
            return evolink.read_poll(await self._client.ask(evolink.poll(task_id)))
        except NoReply as fault:
            return Missed(reason=fault.reason, retry_after_s=None, for_key=False)

    def _ask(self) -> None:
        due, self._due = list(self._due.items()), {}
        most = max(self._most, 1)  # it may have turned out meanwhile that there is no such query
        for first in range(0, len(due), most):
            group = dict(due[first : first + most])
            task = asyncio.create_task(self._together(group))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _together(self, group: dict[str, Answer]) -> None:
        told: dict[str, Polled] | Missed | None = None
        try:
            if len(group) > 1:
                told = evolink.read_polls(await self._client.ask(evolink.poll_together(tuple(group))))
                self._most = 0 if told is None else self._most
        except NoReply as fault:
            told = Missed(reason=fault.reason, retry_after_s=None, for_key=False)
        except Exception as bug:  # noqa: BLE001 - whoever asked is told; nobody else awaits this task
            for answer in group.values():
                answer.set_exception(bug)
            return
        for task_id, answer in group.items():
            answer.set_result(told.get(task_id) if isinstance(told, dict) else told)
