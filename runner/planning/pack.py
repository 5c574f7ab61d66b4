"""What an archive of a storyboard holds: every member by name, length and digest, and where each goes. Pure.

`pack.json` lists all others: `project/...` are files from the project's root, `clips/<sha256>.mp4` the clips, `journal.json` the
finished purchases as lines of a lock, `requests.json` what their keys are made of.
"""

import json
import posixpath
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.core.request import request_key
from runner.language import paths
from runner.planning.lockfile import Line

SCHEMA = "shotrunner.pack.v1"
INDEX, JOURNAL, REQUESTS = "pack.json", "journal.json", "requests.json"
PROJECT = "project/"
_CLIP = re.compile(r"clips/([0-9a-f]{64})\.mp4")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")  # no option, and nothing that a shell would read
_REPOSITORY = ({"head", "objects", "refs"}, {"head", "commondir"})
MOST_MEMBERS = 200_000
# The journal of an archive also tells of what was made here for nothing.
FREE = {"service": re.compile(r"[a-z][a-z0-9]{0,31}(/[A-Za-z0-9.-]{1,32})?(@[A-Za-z0-9.:\[\]_-]{1,300})?"), "account": re.compile(r"[0-9a-z]{1,32}")}  # fmt: skip


class Damaged(ValueError):
    """No archive of ours, or one that was changed; the message is a clause that follows the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of the archive."""

    name: str
    sha256: str
    size_bytes: int

    @property
    def clip(self) -> str | None:
        """The digest of the clip it is, None of anything else."""
        found = _CLIP.fullmatch(self.name)
        return found[1] if found else None

    @property
    def path(self) -> str | None:
        """Its path from the project's root, None of what is not the project's."""
        return self.name.removeprefix(PROJECT) if self.name.startswith(PROJECT) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """`storyboard` is its path from the project's root; `pipeline` and `provider` what was asked for when it was packed, "" for the
    storyboard's own."""

    storyboard: str
    pipeline: str = ""
    provider: str = ""
    members: tuple[Member, ...]

    def text(self) -> str:
        rows = [{"name": m.name, "sha256": m.sha256, "size_bytes": m.size_bytes} for m in self.members]
        asked = {"pipeline": self.pipeline, "provider": self.provider}
        document = {"schema": SCHEMA, "storyboard": self.storyboard, **asked, "members": rows}
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def parse(content: str) -> Index:
    """Raises `Damaged` for anything `Index.text` would not have written: a path that leads away, a name twice, ..."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise Damaged(f"is damaged: its {INDEX} is no JSON") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise Damaged(f"is no archive of this version: its {INDEX} has no schema {SCHEMA}")
    rows, storyboard = document.get("members"), document.get("storyboard")
    if not isinstance(rows, list) or len(rows) > MOST_MEMBERS or not isinstance(storyboard, str):
        raise Damaged(f"is damaged: its {INDEX} lists no members")
    members = tuple(_member(row) for row in rows)
    folded = [_folded(member.name) for member in members]
    if len(set(folded)) < len(folded):
        raise Damaged("is damaged: a name stands in it twice")
    if PROJECT + storyboard not in {member.name for member in members}:
        raise Damaged("is damaged: its storyboard is not in it")
    if (place := _repository(member.path for member in members if member.path is not None)) is not None:
        raise Damaged(f"would unpack a git repository of its own in `{place}`, and git runs what such a one says")
    asked = [document.get(name) for name in ("pipeline", "provider")]
    if not all(isinstance(word, str) and (not word or _WORD.fullmatch(word)) for word in asked):
        raise Damaged("is damaged: it names a pipeline or provider that cannot be")
    return Index(storyboard=storyboard, pipeline=str(asked[0]), provider=str(asked[1]), members=members)


def _member(row: object) -> Member:
    match row:
        case {"name": str(name), "sha256": str(sha256), "size_bytes": int(size), **others} if not others:
            pass
        case _:
            raise Damaged(f"is damaged: its {INDEX} lists something that is no member")
    member = Member(name=name, sha256=sha256, size_bytes=size)
    lawful = name in (JOURNAL, REQUESTS) or member.clip == sha256 or (member.path is not None and fits(member.path))
    if not lawful or not _DIGEST.fullmatch(sha256) or isinstance(size, bool) or not 0 <= size < 2**53:
        raise Damaged(f"is damaged: `{name[:200]}` has no place in an archive")
    return member


def fits(path: str) -> bool:
    """Whether a file may stand at this path from the project's root: below it, and nowhere where keys or the state are kept."""
    parts = path.split("/")
    return (
        paths.is_relative(path)
        and posixpath.normpath(path) == path
        and ".." not in parts
        and not any(paths.is_private(part) for part in parts)
    )


def _repository(members: Iterable[str]) -> str | None:
    """A folder that git would take for a bare repository, whose config may name programs; "." is the root."""
    held: dict[str, set[str]] = {}
    for path in members:
        parts = _folded(path).split("/")
        for depth, part in enumerate(parts):
            held.setdefault("/".join(parts[:depth]) or ".", set()).add(part)
    # `commondir` says that the other two lie elsewhere.
    return next((folder for folder, own in held.items() if any(signs <= own for signs in _REPOSITORY)), None)


def _folded(name: str) -> str:
    """Equal for names that some file system takes for one."""
    return unicodedata.normalize("NFC", name).casefold()


def requests_text(inputs: Mapping[str, Mapping[str, object]]) -> str:
    return json.dumps(inputs, ensure_ascii=False, sort_keys=True) + "\n"


def parse_requests(content: str) -> dict[str, Mapping[str, object]]:
    """What keys are made of; each is held to its key. Raises `Damaged`."""
    try:
        found = json.loads(content)
        if isinstance(found, dict) and all(isinstance(v, dict) and request_key(v) == k for k, v in found.items()):
            return found
    except (ValueError, RecursionError):
        pass
    raise Damaged(f"is damaged: its {REQUESTS} does not hold what keys are made of")


def finished(lines: Iterable[Line], clips: Sequence[str]) -> tuple[Line, ...]:
    """The lines of purchases whose clips are in the archive."""
    here = set(clips)
    return tuple(line for line in lines if line.sha256 in here)
