"""A task and what belongs to it."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from runner.core.media import Kind
from runner.emulator.accounts import Account, Bearer
from runner.emulator.intake import Asked
from runner.emulator.references import Medium
from runner.emulator.script import Script
from runner.emulator.tasks import Status, Task


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """`pixels` is all frames together. `owed` is what the ended task is to be charged, None before its end.

    `links` are the unguessable parts of its result links, with the unix time each was made at; the first comes with the
    clip. `clip_bytes` is how long the clip on disk is, 0 where there is none. `polls` counts by the true status each found.
    `script` is what goes wrong with this task alone; it is not kept in the books.
    """

    bearer: Bearer
    asked: Asked
    task: Task
    pixels: int
    owed: Decimal | None = None
    links: dict[str, float] = field(default_factory=dict)
    clip_bytes: int = 0
    media: Mapping[Kind, tuple[Medium, ...]] = field(default_factory=dict)
    held: bool = False
    polls: Counter[Status] = field(default_factory=Counter)
    downloads: int = 0
    script: Script = field(default_factory=Script)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def account(self) -> Account:
        return self.bearer.account

    def link(self, at: float) -> None:
        self.links[secrets.token_urlsafe(24)] = at
