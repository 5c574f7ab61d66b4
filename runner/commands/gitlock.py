"""The lock in git as commands use it: read before anything is decided, kept current while a run works."""

import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Self

from runner.adapters.files import Unreadable
from runner.adapters.lockfile import LockFile
from runner.commands.loading import Loaded
from runner.core.errors import Refused
from runner.planning import lockfile
from runner.planning.history import History
from runner.planning.lockfile import Damaged, Line
from runner.providers.provider import PROVIDERS

_KEY = re.compile(r'"key":"([0-9a-f]{64})"')


class NotKept(Exception):
    """The lock could not be brought up to date; the message is one line."""


@dataclass(slots=True)
class GitLock:
    """A lock, mostly that of the storyboard of `loaded`, whose service costs something."""

    loaded: Loaded
    _file: LockFile
    _text: str | None = None
    _lines: tuple[Line, ...] = ()

    @classmethod
    def of(cls, loaded: Loaded) -> Self:
        return cls(loaded, LockFile(loaded.project.root, loaded.identity))

    @property
    def name(self) -> str:
        """As the user is shown it."""
        return os.path.relpath(self._file.path)

    def known(self) -> tuple[Line, ...]:
        """Its lines, and of the other locks of the repository what this storyboard asks for: a film that was renamed, or shares
        shots with another, is not paid twice. Raises `Refused`."""
        asked = {request.key for request in self.loaded.requests.values()}
        others: list[Line] = []
        for identity in self._file.others():
            other = GitLock(self.loaded, LockFile(self.loaded.project.root, identity))
            if other.names(asked):
                told = (line for line in other.read() if line.key in asked)
                others += [replace(line, storyboard=line.storyboard or identity) for line in told]
        return lockfile.merge(self.read(), others)

    def names(self, keys: Collection[str]) -> bool:
        """Whether one of these keys stands in it, lawful or not."""
        try:
            text = self._file.read() or ""
        except Unreadable:
            return False
        return any(key in keys for key in _KEY.findall(text))

    def read(self) -> tuple[Line, ...]:
        """Its lines, none where there is no lock. Raises `Refused` for one that cannot be read: it is never taken as empty."""
        try:
            self._read()
        except Unreadable as fault:
            raise Refused(
                f"the lock {self.name} {fault.reason}", help="it says what is paid; restore it from git"
            ) from None
        except Damaged as fault:
            advice = f"if git could not merge it, {lockfile.ADVICE}; else restore it from git: it says what is paid"
            raise Refused(f"the lock {self.name} {fault}", help=advice) from None
        return self._lines

    def keep(self, history: History, *, begun: bool = False) -> None:
        """Write what the history adds to the file as it stands now; nothing is written where nothing is new, but for a lock
        that is `begun`: before the first purchase it shows that the next ones can be written. Raises `NotKept`."""
        try:
            self._read()
            lines = lockfile.updated(self._lines, self.lines(history, free=_free), history)
            text = lockfile.text(lines)
            if text == self._text or not (lines or self._text or begun):
                return
            self._file.write(text)
            self._text, self._lines = text, lines
        except Unreadable as fault:
            raise NotKept(f"the lock {self.name} {fault.reason}") from None
        except Damaged as fault:
            raise NotKept(f"the lock {self.name} {fault}") from None
        except OSError as fault:
            raise NotKept(f"the lock {self.name} cannot be written: {fault.strerror or fault}") from None

    def lines(self, history: History, *, free: Callable[[str], bool]) -> tuple[Line, ...]:
        """What the history says of this storyboard's purchases, but for services that are `free`."""
        return lockfile.build(
            history,
            storyboard=self.loaded.identity,
            asked={request.key for request in self.loaded.requests.values()},
            free=free,
            link_life_s=self.loaded.service.provider.link_life_s,
        )

    def current(self, history: History) -> str | None:
        """The text the file should have now; None where nothing was ever bought. Raises `Refused`."""
        lines = lockfile.updated(self.read(), self.lines(history, free=_free), history)
        return lockfile.text(lines) if lines or self._text else None

    def _read(self) -> None:
        text = self._file.read()
        if text != self._text:
            self._lines = () if text is None else lockfile.parse(text)
            self._text = text


def _free(service: str) -> bool:
    provider = PROVIDERS.get(service.partition("/")[0].partition("@")[0])
    return provider is not None and provider.free
