"""How much disk the emulator's clips and uploads may take. Counts what it is told, and lets expired things go for new ones."""

from collections.abc import Callable

NO_ROOM = "the emulator's disk is full (--max-disk)"


class Full(Exception):
    """There is no room, and nothing that has expired."""


class Disk:
    """`most` bytes at a time, None: no bound. Those who keep files tell what they take and give back."""

    def __init__(self, most: int | None = None) -> None:
        self.most, self.used = most, 0
        self._givers: list[Callable[[], bool]] = []

    def giver(self, lets_go: Callable[[], bool]) -> None:
        """`lets_go` drops its oldest expired file and gives its bytes back, or says that it has none. Givers are asked in turn."""
        self._givers.append(lets_go)

    def take(self, size_bytes: int) -> None:
        """Counts so many bytes more. Raises Full, and counts nothing then."""
        self._make_room(size_bytes)
        self.used += size_bytes

    def give(self, size_bytes: int) -> None:
        self.used -= size_bytes

    def demand(self) -> None:
        """Raises Full where not a byte more would be taken."""
        self._make_room(1)

    def _make_room(self, size_bytes: int) -> None:
        if self.most is None:
            return
        while self.used + size_bytes > self.most:
            if not any(lets_go() for lets_go in self._givers):
                raise Full
