"""Runs one command of Shotrunner in this process with a journal that takes nothing more once a POST has been answered.

python breaker.py WORD...
"""

import functools
import sqlite3
import sys
from typing import Any

from runner.adapters.client import Client
from runner.cli import main

answered = False


class Full(sqlite3.Connection):
    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        if answered and sql == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *rest)


async def submit(client: Client, *given: Any) -> Any:
    global answered
    reply = await unbroken(client, *given)
    answered = True
    return reply


if __name__ == "__main__":
    unbroken = Client.submit
    Client.submit = submit  # type: ignore[method-assign]
    sqlite3.connect = functools.partial(sqlite3.connect, factory=Full)  # type: ignore[assignment]
    sys.argv[0] = "shotrunner"
    sys.exit(main())
