"""Downloads that broke off: what must be known to go on with one, noted beside its bytes.

Bytes are gone on with only where a strong ETag names what they belong to and their digest is still the one that was
noted; whatever is in doubt begins again at its first byte.
"""

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.adapters.files import write_whole

CHUNK = 1024 * 1024
LONGEST_NOTE = 16 * 1024
STRONG = re.compile(r'"[!#-~]{1,1024}"')


@dataclass(slots=True, kw_only=True)
class Partial:
    """The first `size_bytes` of `total_bytes`, which the server names by a strong `etag`. `digest` is of those that are here."""

    etag: str
    total_bytes: int
    size_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


def found(part: Path, link: str) -> Partial | None:
    """What an earlier transfer of this link left at `part`; None where it is not to be gone on with. Blocking."""
    try:
        if (note := _note(part)).stat().st_size > LONGEST_NOTE:
            return None
        told = json.loads(note.read_bytes())
        partial = Partial(etag=told["etag"], total_bytes=told["total_bytes"], size_bytes=told["size_bytes"])
        lawful = is_strong(partial.etag) and 0 < partial.size_bytes < partial.total_bytes
        if not lawful or told["link"] != _digest(link):
            return None
        left = partial.size_bytes
        with part.open("rb") as file:
            while left and (chunk := file.read(min(CHUNK, left))):
                partial.digest.update(chunk)
                left -= len(chunk)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return partial if not left and partial.digest.hexdigest() == told["sha256"] else None


def keep(part: Path, link: str, partial: Partial) -> None:
    """Make what has arrived durable, and note what it is. Nothing is kept where that fails. Blocking."""
    try:
        with part.open("rb+") as file:
            file.truncate(partial.size_bytes)
            os.fsync(file.fileno())
        note = {
            "link": _digest(link),
            "etag": partial.etag,
            "total_bytes": partial.total_bytes,
            "size_bytes": partial.size_bytes,
            "sha256": partial.digest.hexdigest(),
        }
        write_whole(_note(part), json.dumps(note).encode())
    except OSError:
        drop(part)


def kept(part: Path) -> bool:
    """Whether there is anything to go on with."""
    return _note(part).exists()


def forget(part: Path) -> None:
    """The bytes at `part` are whole, or will be written anew."""
    with suppress(OSError):
        _note(part).unlink(missing_ok=True)


def drop(part: Path) -> None:
    """Begin again at the first byte; what is here would only fill the disk."""
    forget(part)
    with suppress(OSError):
        part.unlink(missing_ok=True)


def is_strong(etag: str) -> bool:
    """Whether this ETag names bytes and not merely something alike (RFC 9110, 8.8.3), and can be sent back as it is."""
    return STRONG.fullmatch(etag) is not None


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _digest(link: str) -> str:
    """A link may be a signature; what lies on the disk tells it from others and no more."""
    return hashlib.sha256(link.encode("utf-8", "surrogatepass")).hexdigest()
