"""Files that clients upload: on disk under unguessable names, bounded in size, number and time."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from runner.adapters.media import digest as digest_of
from runner.emulator.accounts import Account
from runner.emulator.disk import NO_ROOM, Disk, Full
from runner.emulator.sniff import HEAD_BYTES, sniff
from runner.emulator.switches import Switches

MAX_BYTES = 100_000_000
_BATCH_BYTES = 1 << 20
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_UPLOAD_PATH = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,7}")
_RECEIPT = re.compile(r"[A-Za-z0-9._-]{16,128}")


class BadUpload(Exception):
    """An upload that is not kept; `status` is the HTTP status and the envelope's code."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One kept file. Times are unix seconds; `name` is safe in a URL and ends as its content demands.

    `account` is whose it is, by name; `receipt` what the client called the upload, if it did.
    """

    id: str
    account: str
    name: str
    original_name: str
    upload_path: str
    media_type: str
    size_bytes: int
    sha256: str
    path: Path
    uploaded_at: float
    expires_at: float
    receipt: str = ""

    def described(self, base_url: str) -> dict[str, Any]:
        url = f"{base_url}/files/{self.id}/{self.name}"
        return {
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file that has arrived and has no name yet; form fields may stand behind the file."""

    id: str
    path: Path
    size_bytes: int
    sha256: str
    media_type: str
    suffix: str


class Books(Protocol):
    """Where it is written which files there are; the store's part that is wanted here."""

    def keep(self, upload: Upload) -> None: ...

    def forget(self, uploads: Iterable[Upload]) -> None: ...


class Uploads:
    """The files of one emulator, in `folder`, which exists and is its own."""

    def __init__(
        self,
        folder: Path,
        books: Books,
        disk: Disk,
        switches: Switches,
        clock: Callable[[], float],
        *,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._folder, self._books, self._disk = folder, books, disk
        self._switches, self._clock, self.max_bytes = switches, clock, max_bytes
        self._kept: dict[str, Upload] = {}  # the oldest first
        disk.giver(self._let_go)

    def restore(self, uploads: Iterable[Upload]) -> None:
        """Begins with those of these files, the oldest first, that are still there; whatever else lies in the folder goes."""
        self._kept = {upload.id: upload for upload in uploads if upload.path.is_file()}
        self._disk.used += sum(
            upload.size_bytes for upload in self._kept.values()
        )  # also beyond a bound that was wider
        for path in self._folder.iterdir():
            if path.name not in self._kept:
                path.unlink()
        self._forget()

    async def take_in(self, account: Account, chunks: AsyncIterator[bytes]) -> Draft:
        """Streams a file to disk. Raises BadUpload; an unfinished file is removed, whatever ended it."""
        digest, size, batch = hashlib.sha256(), 0, bytearray()

        def take(file: BinaryIO) -> None:
            file.write(batch)
            digest.update(batch)
            batch.clear()

        async def write(path: Path, count: Callable[[int], None]) -> tuple[str, int]:
            nonlocal size
            file = await asyncio.to_thread(path.open, "xb")
            try:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self.max_bytes:
                        raise too_large(self.max_bytes)
                    batch.extend(chunk)
                    if len(batch) >= _BATCH_BYTES:
                        count(len(batch))
                        await asyncio.to_thread(take, file)
                count(len(batch))
                await asyncio.to_thread(take, file)
            finally:
                await asyncio.to_thread(file.close)
            return digest.hexdigest(), size

        return await self._draft(account, write)

    async def fetch_in(self, account: Account, fetch: Callable[[Path], Awaitable[None]]) -> Draft:
        """The file that `fetch` writes to the path it is given. Raises BadUpload and what `fetch` does; then nothing is left."""

        async def write(path: Path, count: Callable[[int], None]) -> tuple[str, int]:
            await fetch(path)
            sha256, size = await asyncio.to_thread(digest_of, path)
            count(size)
            return sha256, size

        return await self._draft(account, write)

    def keep(
        self,
        account: Account,
        draft: Draft,
        *,
        original: str = "",
        name: str = "",
        upload_path: str = "",
        receipt: str = "",
    ) -> Upload:
        """Publishes a draft. `name` is the name wished for, else the original's is used. Raises BadUpload."""
        if upload_path and not _UPLOAD_PATH.fullmatch(upload_path):
            raise BadUpload(400, "Invalid upload path")
        if receipt and not _RECEIPT.fullmatch(receipt):
            raise BadUpload(400, "Invalid X-Evo-Upload-Id")
        self._demand_room(account)
        now = self._clock()
        upload = Upload(
            id=draft.id,
            account=account.name,
            name=safe_name(name or original, draft.suffix),
            original_name=original,
            upload_path=upload_path,
            media_type=draft.media_type,
            size_bytes=draft.size_bytes,
            sha256=draft.sha256,
            path=draft.path,
            uploaded_at=now,
            expires_at=now + self._switches.file_s,
            receipt=receipt,
        )
        self._books.keep(upload)
        self._kept[upload.id] = upload
        return upload

    def discard(self, draft: Draft) -> None:
        """Removes a draft that is not kept."""
        self._disk.give(draft.size_bytes)
        draft.path.unlink(missing_ok=True)

    def find(self, identifier: str, name: str) -> Upload | None:
        """The file of this id and name, while it is kept."""
        self._forget()
        upload = self._kept.get(identifier)
        return upload if upload and upload.name == name else None

    def of(self, account: Account) -> list[Upload]:
        """The account's files, newest first."""
        self._forget()
        return [upload for upload in reversed(self._kept.values()) if upload.account == account.name]

    def received(self, account: Account, receipt: str) -> Upload:
        """The newest upload the client called so. Raises BadUpload 404."""
        for upload in self.of(account):
            if upload.receipt == receipt:
                return upload
        raise BadUpload(404, "Upload not found or expired")

    def delete(self, account: Account, identifier: str) -> None:
        """Raises BadUpload 404 for a file that is not this account's."""
        self._forget()
        upload = self._kept.get(identifier)
        if upload is None or upload.account != account.name:
            raise BadUpload(404, "File not found or expired")
        self._drop([upload])

    def quota(self, account: Account) -> dict[str, Any]:
        used = len(self.of(account))
        left = max(0, account.max_files - used)
        return {
            "user_group": account.user_group,
            "used_files": used,
            "max_files": account.max_files,
            "remain_files": left,
        }

    async def _draft(
        self, account: Account, write: Callable[[Path, Callable[[int], None]], Awaitable[tuple[str, int]]]
    ) -> Draft:
        """`write` fills the file, tells of its bytes before they are there, and gives their SHA-256 and number."""
        self._demand_room(account)
        taken = 0

        def count(size_bytes: int) -> None:
            nonlocal taken
            try:
                self._disk.take(size_bytes)
            except Full:
                raise BadUpload(503, f"Not taken: {NO_ROOM}") from None
            taken += size_bytes

        identifier = f"file-{secrets.token_urlsafe(18)}"
        path = self._folder / identifier
        try:
            sha256, size = await write(path, count)
            kind = sniff(await asyncio.to_thread(_head, path))
            if kind is None or (self._switches.upload_types == "images" and not kind[0].startswith("image/")):
                raise BadUpload(415, "Unsupported file type")
        except BaseException:
            self._disk.give(taken)
            path.unlink(missing_ok=True)
            raise
        return Draft(id=identifier, path=path, size_bytes=size, sha256=sha256, media_type=kind[0], suffix=kind[1])

    def _demand_room(self, account: Account) -> None:
        if len(self.of(account)) >= account.max_files:
            raise BadUpload(403, "File quota exceeded")

    def _forget(self) -> None:
        now = self._clock()
        if expired := [upload for upload in self._kept.values() if upload.expires_at <= now]:
            self._drop(expired)

    def _let_go(self) -> bool:
        before = len(self._kept)
        self._forget()
        return len(self._kept) < before

    def _drop(self, uploads: Sequence[Upload]) -> None:
        self._books.forget(uploads)
        for upload in uploads:
            del self._kept[upload.id]
            self._disk.give(upload.size_bytes)
            upload.path.unlink(missing_ok=True)


def too_large(max_bytes: int) -> BadUpload:
    return BadUpload(413, f"File is larger than {max_bytes} bytes")


def safe_name(name: str, suffix: str) -> str:
    """The last part of `name` in letters that need no escaping anywhere, ending in `suffix`."""
    stem = Path(name.replace("\\", "/")).name.rpartition(".")[0] or name
    return (_UNSAFE.sub("_", Path(stem).name).strip("._-")[:80] or "file") + suffix


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
