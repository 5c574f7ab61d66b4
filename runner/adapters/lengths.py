"""Whether a file is as long as its own structure says: what was cut on its way still opens, and plays until the cut."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from runner.adapters import mp4
from runner.adapters.signature import Unreadable

MAX_PIECES = 1_000_000  # chunks, pages or elements of one file


def hold(path: Path, form: str) -> None:
    """Raises Unreadable when the parts named in the file do not add up to its size; some formats have no such parts."""
    walk = WALKS.get(form)
    if walk:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            walk(file, size)


def _chunks(file: BinaryIO, size: int) -> None:
    """RIFF: one chunk holds all others. A writer into a pipe leaves its length at 0 or all ones: then the end is the end."""
    file.seek(0)
    head = file.read(12)
    length = int.from_bytes(head[4:8], "little")
    if head[:4] == b"RF64" or (head[8:12] == b"WAVE" and length in (0, 0xFFFFFFFF)):
        return
    if 8 + length > size:
        raise Unreadable(f"the file is cut short: {8 + length - size:,} bytes are missing")


def _pages(file: BinaryIO, size: int) -> None:
    """RFC 3533, 6: a page is its head, a table of segment lengths and the segments."""
    position = 0
    for _ in range(MAX_PIECES):
        if position == size:
            return
        file.seek(position)
        head = file.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            raise Unreadable(f"the file is damaged: {size - position:,} bytes at its end are no Ogg page")
        table = file.read(head[26])
        position += 27 + head[26] + sum(table)
        if position > size or len(table) < head[26]:
            raise Unreadable("the file is cut short: its last Ogg page is not whole")


def _png_chunks(file: BinaryIO, size: int) -> None:
    """PNG, 5.3: length, type, content, checksum, up to IEND; what stands behind it, nobody reads."""
    position = 8
    for _ in range(MAX_PIECES):
        file.seek(position)
        head = file.read(8)
        position += 12 + int.from_bytes(head[:4], "big")
        if len(head) < 8 or position > size:
            raise Unreadable("the PNG picture is cut short: its end mark is missing")
        if head[4:8] == b"IEND":
            return


def _elements(file: BinaryIO, size: int) -> None:
    """RFC 8794, 4: id, length, content; a length of all ones is unknown, as live streams leave it."""
    position = 0
    for _ in range(MAX_PIECES):
        if position >= size:
            break
        file.seek(position)
        head = file.read(16)
        id_bytes = 9 - head[0].bit_length()
        length_head = head[id_bytes : id_bytes + 8]
        if id_bytes > 4 or not length_head or not length_head[0]:
            raise Unreadable(f"the file is damaged: {size - position:,} bytes at its end are no element")
        length_bytes = 9 - length_head[0].bit_length()
        length = int.from_bytes(length_head[:length_bytes], "big") & ((1 << 7 * length_bytes) - 1)
        if length == (1 << 7 * length_bytes) - 1:
            return
        position += id_bytes + length_bytes + length
    if position > size:
        raise Unreadable(f"the file is cut short: {position - size:,} bytes are missing")


WALKS: dict[str, Callable[[BinaryIO, int], None]] = {
    "mp4": mp4.hold,
    "mov": mp4.hold,
    "m4a": mp4.hold,
    "wav": _chunks,
    "webp": _chunks,
    "png": _png_chunks,
    "ogg": _pages,
    "webm": _elements,
}
