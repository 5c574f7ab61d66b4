"""Paths and URLs as a storyboard writes them: from the file they stand in to the project's root, and never out of it."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import SplitResult, urlsplit

from runner.core.diagnostics import Rejected, Source, Span
from runner.language.faults import Faults

# A path from the root in, the file out. Raises Rejected without a place: whoever names the file adds it.
Read = Callable[[str], Source]

_PRIVATE = (".git", ".shotrunner")
_DRIVE = re.compile(r"[A-Za-z]:")
# A link with one of these in its query is good for hours: it would be another request tomorrow.
_SIGNATURES = ("x-amz-", "signature=", "expires=")


def resolved(written: str, span: Span, faults: Faults) -> str | None:
    """The path from the project's root, posix and normalised, of a path that stands at `span`; None after reporting."""
    headline, advice = _unlawful(written)
    path = "" if headline else posixpath.normpath(posixpath.join(posixpath.dirname(span.source.path), written))
    if not headline and (path == ".." or path.startswith("../")):
        headline, advice = (
            "leaves the project's folder",
            "copy the file into the project: nothing outside of it is read",
        )
    if not headline and any(is_private(part) for part in path.split("/")):
        headline, advice = "goes where keys or the state are kept", "no file in .git, .shotrunner or .env* is read"
    if headline:
        faults.add("bad-path", f"`{written}` {headline}", span, help=advice)
        return None
    return path


def is_relative(written: str) -> bool:
    """Whether the path is relative on every system, of lawful characters; it may still lead upwards."""
    return not _unlawful(written)[0]


def _unlawful(written: str) -> tuple[str, str]:
    relative = "paths are relative to the file they stand in"
    if not written.strip():
        return "is no path", relative
    if written.startswith("/") or _DRIVE.match(written):
        return "is an absolute path", relative
    if "\\" in written:
        return "holds a backslash", f"folders are parted by `/`: `{written.replace(chr(92), '/')}`"
    if any(ord(char) < 32 or ord(char) == 127 for char in written):
        return "holds a line break or control character", ""
    return "", ""


def is_private(part: str) -> bool:
    """Whether a folder or file of this name is never read: keys and the state are kept there."""
    return part.casefold() in _PRIVATE or part.casefold().startswith(".env")


def opened(path: str, span: Span, read: Read, faults: Faults) -> Source | None:
    """The file at `path` (from the root) that `span` names; None after reporting why it cannot be read."""
    try:
        return read(path)
    except Rejected as rejected:
        faults.extend(fault if fault.span else replace(fault, span=span) for fault in rejected.diagnostics)
    return None


def lawful_url(written: str, span: Span, faults: Faults, *, pinned: bool) -> bool:
    """Whether `written` can be sent as a medium's URL; `pinned`: its content is held to a digest."""
    parts = split_url(written)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", written):
        faults.add("bad-url", f"`{written}` is no http or https URL", span)
        return False
    if not pinned and any(mark in parts.query.casefold() for mark in _SIGNATURES):
        faults.add(
            "signed-url",
            "this URL is signed: it will be another one tomorrow, and with it another request to pay for",
            span,
            help="download the file into the project, or pin it: `{image: URL, sha256: ...}` under `references`",
        )
        return False
    return True


def split_url(written: str) -> SplitResult | None:
    """The parts of a URL, or None where it is none (brackets that do not match, a port that is no number)."""
    try:
        parts = urlsplit(written)
        _ = parts.port
    except ValueError:
        return None
    return parts
