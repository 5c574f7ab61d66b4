"""Room on the disk: a clip is paid before it is written, so nothing is bought that might find no place."""

from collections.abc import Hashable

from runner.core.request import Request
from runner.execution.ports import Disk

MIN_FREE = 1024**3  # bytes, unless --min-free says otherwise
MOST_PER_PIXEL = 0.4  # bits; more than services spend on a pixel of a clip
PICTURES_PER_S = 24
ELSEWISE = 16 * 1024**2  # bytes of a clip whose request is not at hand


class Room:
    """Beside `floor_bytes` there must be room for twice all clips under way: the clip itself, and its copy in the out folder."""

    def __init__(self, disk: Disk, floor_bytes: int) -> None:
        self._disk, self._floor_bytes = disk, floor_bytes
        self._expected: dict[Hashable, int] = {}

    def lacking(self, request: Request) -> str:
        """Why one more clip may not be bought now; empty when it may."""
        needed = self._floor_bytes + 2 * (sum(self._expected.values()) + expected_bytes(request))
        try:
            free = self._disk.free_bytes()
        except OSError as fault:
            return f"the disk cannot be asked for its free room: {fault.strerror or fault}"
        if free >= needed:
            return ""
        return f"the disk has {_size(free)} left, and {_size(needed)} are kept free for what is bought (--min-free)"

    def expect(self, clip: Hashable, request: Request | None) -> None:
        """A clip is under way."""
        self._expected[clip] = ELSEWISE if request is None else expected_bytes(request)

    def settled(self, clip: Hashable) -> None:
        """It is on the disk, or will never be."""
        self._expected.pop(clip, None)


def expected_bytes(request: Request) -> int:
    """How large the clip may be."""
    return int(request.width_px * request.height_px * PICTURES_PER_S * request.seconds * MOST_PER_PIXEL / 8)


def _size(count: int) -> str:
    """`1.05 GiB`, `64.0 MiB`."""
    return f"{count / 1024**3:.2f} GiB" if count >= 1024**3 // 10 else f"{count / 1024**2:.1f} MiB"
