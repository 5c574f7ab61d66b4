"""Files that clients upload: on disk under unguessable names, bounded in size, number and time."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

MAX_BYTES = 100_000_000
MAX_FILES = 100
KEPT_S = 72 * 3600
_BATCH_BYTES = 1 << 20
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_UPLOAD_PATH = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,7}")

# First bytes: (offset, bytes) that must all stand there, media type, suffix. bmp is lawful for models, not for uploads.
_MAGIC: tuple[tuple[tuple[tuple[int, bytes], ...], str, str], ...] = (
    (((0, b"\xff\xd8\xff"),), "image/jpeg", ".jpg"),
    (((0, b"\x89PNG\r\n\x1a\n"),), "image/png", ".png"),
    (((0, b"GIF87a"),), "image/gif", ".gif"),
    (((0, b"GIF89a"),), "image/gif", ".gif"),
    (((0, b"RIFF"), (8, b"WEBP")), "image/webp", ".webp"),
    (((0, b"RIFF"), (8, b"WAVE")), "audio/wav", ".wav"),
    (((0, b"ID3"),), "audio/mpeg", ".mp3"),
    (((0, b"\xff\xfb"),), "audio/mpeg", ".mp3"),
    (((0, b"\xff\xf3"),), "audio/mpeg", ".mp3"),
    (((0, b"\xff\xf2"),), "audio/mpeg", ".mp3"),
    (((0, b"\xff\xfa"),), "audio/mpeg", ".mp3"),
    (((0, b"fLaC"),), "audio/flac", ".flac"),
    (((0, b"OggS"),), "audio/ogg", ".ogg"),
    (((4, b"ftypM4A"),), "audio/mp4", ".m4a"),
    (((4, b"ftypqt"),), "video/quicktime", ".mov"),
    (((4, b"ftyp"),), "video/mp4", ".mp4"),
    (((0, b"\x1a\x45\xdf\xa3"),), "video/webm", ".webm"),
)
HEAD_BYTES = 16


class BadUpload(Exception):
    """An upload that is not kept; `status` is the HTTP status and the envelope's code."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One kept file. Times are unix seconds; `name` is safe in a URL and ends as its content demands."""

    id: str
    name: str
    original_name: str
    upload_path: str
    media_type: str
    size_bytes: int
    sha256: str
    path: Path
    uploaded_at: float

    @property
    def expires_at(self) -> float:
        return self.uploaded_at + KEPT_S

    def body(self, base_url: str) -> dict[str, Any]:
        """`{success, code, msg, data}` as the file API answers."""
        url = f"{base_url}/files/{self.id}/{self.name}"
        described = {
            "file_id": self.id,
            "file_name": self.name,
            "original_name": self.original_name,
            "file_size": self.size_bytes,
            "mime_type": self.media_type,
            "upload_path": self.upload_path,
            "file_url": url,
            "download_url": url,
            "upload_time": _iso(self.uploaded_at),
            "expires_at": _iso(self.expires_at),
        }
        return {"success": True, "code": 200, "msg": "File uploaded successfully", "data": described}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file that has arrived and has no name yet; form fields may stand behind the file."""

    id: str
    path: Path
    size_bytes: int
    sha256: str
    media_type: str
    suffix: str

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


class Uploads:
    """The files of one emulator, in `folder`, which exists and is its own."""

    def __init__(self, folder: Path, clock: Callable[[], float], *, max_bytes: int = MAX_BYTES) -> None:
        self._folder, self._clock, self._max_bytes = folder, clock, max_bytes
        self._kept: dict[str, Upload] = {}

    async def take_in(self, chunks: AsyncIterator[bytes]) -> Draft:
        """Streams a file to disk. Raises BadUpload; an unfinished file is removed, whatever ended it."""
        self._forget()
        if len(self._kept) >= MAX_FILES:
            raise BadUpload(403, "File quota exceeded")
        identifier = f"file-{secrets.token_urlsafe(18)}"
        path = self._folder / identifier
        try:
            size, digest, head = await self._write(chunks, path)
            media_type, suffix = sniff(head)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Draft(id=identifier, path=path, size_bytes=size, sha256=digest, media_type=media_type, suffix=suffix)

    def keep(self, draft: Draft, *, original: str, name: str, upload_path: str) -> Upload:
        """Publishes a draft. `name` is the name wished for, else the original's is used. Raises BadUpload."""
        if upload_path and not _UPLOAD_PATH.fullmatch(upload_path):
            raise BadUpload(400, "Invalid upload path")
        upload = Upload(
            id=draft.id,
            name=safe_name(name or original, draft.suffix),
            original_name=original,
            upload_path=upload_path,
            media_type=draft.media_type,
            size_bytes=draft.size_bytes,
            sha256=draft.sha256,
            path=draft.path,
            uploaded_at=self._clock(),
        )
        self._kept[upload.id] = upload
        return upload

    def find(self, identifier: str, name: str) -> Upload | None:
        """The file of this id and name, while it is kept."""
        self._forget()
        upload = self._kept.get(identifier)
        return upload if upload and upload.name == name else None

    def quota(self) -> dict[str, Any]:
        self._forget()
        used = len(self._kept)
        numbers = {"used_files": used, "max_files": MAX_FILES, "remain_files": MAX_FILES - used}
        return {"success": True, "code": 200, "msg": "ok", "data": {"user_group": "default", **numbers}}

    def _forget(self) -> None:
        now = self._clock()
        for upload in [u for u in self._kept.values() if u.expires_at <= now]:
            del self._kept[upload.id]
            upload.path.unlink(missing_ok=True)

    async def _write(self, chunks: AsyncIterator[bytes], path: Path) -> tuple[int, str, bytes]:
        """Size in bytes, SHA-256 and the first bytes of what was written."""
        size, digest, head, batch = 0, hashlib.sha256(), b"", bytearray()
        file = await asyncio.to_thread(path.open, "xb")
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._max_bytes:
                    raise BadUpload(413, f"File is larger than {self._max_bytes} bytes")
                head = head if len(head) >= HEAD_BYTES else (head + chunk)[:HEAD_BYTES]
                batch += chunk
                if len(batch) >= _BATCH_BYTES:
                    await asyncio.to_thread(_take_in, file, digest.update, bytes(batch))
                    batch.clear()
            await asyncio.to_thread(_take_in, file, digest.update, bytes(batch))
        finally:
            await asyncio.to_thread(file.close)
        return size, digest.hexdigest(), head


def sniff(head: bytes) -> tuple[str, str]:
    """Media type and suffix by the first bytes. Raises BadUpload 415."""
    for marks, media_type, suffix in _MAGIC:
        if all(head[offset : offset + len(mark)] == mark for offset, mark in marks):
            return media_type, suffix
    raise BadUpload(415, "Unsupported file type")


def safe_name(name: str, suffix: str) -> str:
    """The last part of `name` in letters that need no escaping anywhere, ending in `suffix`."""
    stem = Path(name.replace("\\", "/")).name.rpartition(".")[0] or name
    return (_UNSAFE.sub("_", Path(stem).name).strip("._-")[:80] or "file") + suffix


def _take_in(file: BinaryIO, update: Callable[[bytes], None], batch: bytes) -> None:
    file.write(batch)
    update(batch)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
