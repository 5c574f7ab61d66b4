"""How much room a disk has."""

import os
from pathlib import Path


class Disk:
    """The disk that a folder lies on. Fulfils `execution.ports.Disk`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def free_bytes(self) -> int:
        """Bytes that a user without privileges may still write. Raises OSError."""
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize
