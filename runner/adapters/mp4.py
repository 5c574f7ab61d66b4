"""The boxes an MP4 or MOV is made of (ISO 14496-12, 4.2), as far as lengths and orientation need them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runner.adapters.signature import Unreadable

MAX_BOXES = 1_000_000
UPRIGHT = b"".join(n.to_bytes(4, "big") for n in (0x10000, 0, 0, 0, 0x10000))  # 1 0 0 / 0 1, in 16.16 fixed point


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """`begin` is where its content starts, `end` where the next box stands, in bytes from the file's start."""

    kind: bytes
    begin: int
    end: int


def boxes(file: BinaryIO, begin: int, end: int) -> Iterator[Box]:
    """The boxes side by side between two places. Raises Unreadable where they do not add up to exactly that."""
    for _ in range(MAX_BOXES):
        if begin == end:
            return
        file.seek(begin)
        head = file.read(16)
        length, kind, least = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1:  # a longer one follows
            length, least = int.from_bytes(head[8:16], "big"), 16
        if length == 0:  # to the end
            length = end - begin
        named = all(32 <= byte < 127 or byte == 0xA9 for byte in kind)  # padding with zeros is no box
        if len(head) < least or length < least or not named:
            raise Unreadable(f"the file is damaged: {end - begin:,} bytes at its end are no box")
        if begin + length > end:
            missing = begin + length - end
            raise Unreadable(
                f"the file is cut short: {missing:,} bytes of its box `{kind.decode('latin-1')}` are missing"
            )
        yield Box(kind=kind, begin=begin + least, end=begin + length)
        begin += length
    raise Unreadable(f"the file is damaged: it has more than {MAX_BOXES:,} boxes")


def hold(file: BinaryIO, size: int) -> None:
    """Raises Unreadable unless the outermost boxes fill the file and the index is among them."""
    if all(box.kind != b"moov" for box in list(boxes(file, 0, size))):
        raise Unreadable("the file is cut short: its index, the box `moov`, is missing")


def is_upright(path: Path) -> bool:
    """Whether every track is shown as it is stored: neither turned nor mirrored (8.3.2, the matrix of `tkhd`)."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        for movie in boxes(file, 0, size):
            if movie.kind != b"moov":
                continue
            for track in boxes(file, movie.begin, movie.end):
                if track.kind != b"trak":
                    continue
                for header in boxes(file, track.begin, track.end):
                    if header.kind == b"tkhd":
                        file.seek(header.begin)
                        content = file.read(header.end - header.begin)
                        matrix = 52 if content[:1] == b"\1" else 40  # version 1 has 64 bits for each time
                        if content[matrix : matrix + 20] != UPRIGHT:
                            return False
    return True
