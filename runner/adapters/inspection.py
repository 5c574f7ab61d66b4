"""All there is to know of one file, found in this process: structure, digest, decoding to the end."""

import os
from pathlib import Path

from runner.adapters import lengths, pictures, streams
from runner.adapters.media import digest
from runner.adapters.signature import Unreadable, identify
from runner.core.media import ClipFacts, MediaFacts

PICTURES = ("jpeg", "png", "bmp", "webp", "gif")


def look(path: Path) -> MediaFacts:
    """All facts of a reference, in this process. Raises Unreadable."""
    form = identify(path)
    lengths.hold(path, form)
    before = path.stat()
    sha256, size_bytes = digest(path)
    eye = pictures.look if form in PICTURES else streams.look
    facts = eye(path, form, sha256, size_bytes)
    _unchanged(path, before, size_bytes)
    return facts


def look_at_clip(path: Path) -> ClipFacts:
    """All facts of a finished clip, in this process. Raises Unreadable."""
    form = identify(path)
    lengths.hold(path, form)
    before = path.stat()
    sha256, size_bytes = digest(path)
    facts = streams.look_at_clip(path, form, sha256, size_bytes)
    _unchanged(path, before, size_bytes)
    return facts


def _unchanged(path: Path, before: os.stat_result, size_bytes: int) -> None:
    """Digest and facts must be of the same bytes."""
    now = path.stat()
    if (now.st_ino, now.st_mtime_ns, now.st_size) != (before.st_ino, before.st_mtime_ns, size_bytes):
        raise Unreadable("the file changed while it was read")
