"""What a file is by its first bytes, never by its name. Reads little, decodes nothing."""

import re
import stat
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 2 * 2**30  # a clip may be this long; nothing longer is looked at
HEAD_BYTES = 4096
LFS_LINE = b"version https://git-lfs.github.com/spec/"


class Unreadable(Exception):
    """A file that is no whole picture, video or sound. `reason` is one plain sentence about "the file"."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class LfsPointer(Unreadable):
    """Not the medium but what Git LFS keeps in its place; `sha256` and `size_bytes` are the real file's."""

    def __init__(self, sha256: str, size_bytes: int) -> None:
        self.sha256, self.size_bytes = sha256, size_bytes
        super().__init__("the file is only a Git LFS pointer; `git lfs pull` brings the real one")


def identify(path: Path) -> str:
    """The format by the names model schemas use: jpeg png bmp webp gif, mp4 mov webm, mp3 wav flac m4a ogg.

    The kind may still surprise: an mp4 without pictures is a sound. Raises Unreadable, LfsPointer for Git LFS's stand-in.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("the path is no regular file")
        if status.st_size > MAX_BYTES:
            raise Unreadable(f"the file is {status.st_size:,} bytes long; at most {MAX_BYTES:,} are looked at")
        with path.open("rb") as file:
            return _format(file.read(HEAD_BYTES), file)
    except FileNotFoundError:
        raise Unreadable("there is no such file") from None
    except PermissionError:
        raise Unreadable("the file may not be read by this user") from None
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror or error}") from None
    except ValueError:  # a NUL in the path
        raise Unreadable("there is no such file") from None


def _format(head: bytes, file: BinaryIO) -> str:
    if not head:
        raise Unreadable("the file is empty")
    if head.startswith(LFS_LINE):
        raise _lfs(head)
    for start, name in STARTS:
        if head.startswith(start):
            return name
    if head[4:8] == b"ftyp":
        return _by_brand(head[8:12])
    if head[4:8] in QUICKTIME_ATOMS:
        return "mov"
    if head[:4] in (b"RIFF", b"RF64"):
        name = {b"WEBP": "webp", b"WAVE": "wav"}.get(head[8:12], "")
        if name:
            return name
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in BMP_HEADERS:
        return "bmp"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _by_document_type(head)
    if head.startswith(b"ID3"):
        return _behind_id3(head, file)
    if _is_mp3_frame(head):
        return "mp3"
    raise Unreadable(_foreign(head))


STARTS = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
)
BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # "BM" alone begins many a text
QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"pnot"}  # QuickTime files older than the `ftyp` box
BRANDS = {b"qt  ": "mov", b"M4A ": "m4a", b"M4B ": "m4a", b"M4P ": "m4a", b"F4A ": "m4a"}
NO_VIDEO_BRANDS = {
    b"avif": "an AVIF picture",
    b"avis": "an AVIF picture",
    b"heic": "an HEIC picture",
    b"heix": "an HEIC picture",
    b"hevc": "an HEIC picture",
    b"mif1": "an HEIF picture",
    b"msf1": "an HEIF picture",
    b"crx ": "a camera's raw picture",
    b"jp2 ": "a JPEG 2000 picture",
}
FOREIGN = (
    (b"<svg", "an SVG drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML text"),
    (b"ffconcat version", "a list of other files"),
    (b"#extm3u", "a play list"),
    (b"%pdf", "a PDF document"),
    (b"pk\x03\x04", "a ZIP archive"),
    (b"II*\0".lower(), "a TIFF picture"),
    (b"MM\0*".lower(), "a TIFF picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cjxl ", "a JPEG XL picture"),
    (b"flv\x01", "a Flash video"),
)


def _by_brand(brand: bytes) -> str:
    if brand in NO_VIDEO_BRANDS:
        raise Unreadable(_is(NO_VIDEO_BRANDS[brand]))
    return BRANDS.get(brand, "mp4")


def _by_document_type(head: bytes) -> str:
    found = re.search(rb"\x42\x82[\x80-\xff](webm|matroska)", head[:256])
    if found and found[1] == b"webm":
        return "webm"
    raise Unreadable(_is("a Matroska video"))


def _behind_id3(head: bytes, file: BinaryIO) -> str:
    """ID3 tags stand before MP3 frames, now and then before FLAC; their length is written in four times seven bits."""
    position = 0
    while head.startswith(b"ID3") and len(head) >= 10 and position < MAX_BYTES:
        length = 0
        for byte in head[6:10]:
            length = length << 7 | byte & 0x7F
        position += 10 + length + (10 if head[5] & 0x10 else 0)
        file.seek(position)
        head = file.read(HEAD_BYTES)
    head = head.lstrip(b"\0")  # padding some writers leave
    if head.startswith(b"fLaC"):
        return "flac"
    if _is_mp3_frame(head):
        return "mp3"
    raise Unreadable("the file begins with an ID3 tag, but no MP3 sound follows it")


def _is_mp3_frame(head: bytes) -> bool:
    """ISO 11172-3, 2.4.1.3: eleven bits of sync, a version, layer III, a bit rate and a sample rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, sample_rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer == 1 and bit_rate not in (0, 15) and sample_rate != 3


def _lfs(head: bytes) -> Unreadable:
    oid = re.search(rb"^oid sha256:([0-9a-f]{64})$", head, re.MULTILINE)
    size = re.search(rb"^size ([0-9]{1,18})$", head, re.MULTILINE)
    if oid and size:
        return LfsPointer(oid[1].decode(), int(size[1]))
    return Unreadable("the file is a damaged Git LFS pointer; `git lfs pull` brings the real one")


def _foreign(head: bytes) -> str:
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, words in FOREIGN:
        if begin.startswith(start) or head.lower().startswith(start):
            return _is(words)
    if b"\0" not in head and all(byte >= 32 or byte in b"\t\n\r\f\x1b" for byte in head):
        return _is("a text")
    return "the file is no picture, video or sound of a kind that models take"


def _is(words: str) -> str:
    return f"the file is {words}, which no model takes"
