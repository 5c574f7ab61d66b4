"""What was packed or unpacked: as text or JSON."""

import json
import shlex
from dataclasses import dataclass

from runner.planning.pack import Index
from runner.screen import clean
from runner.screen.amounts import count, size

SCHEMA = "shotrunner.packed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """`archive` as the user is shown it; `into` the folder it was unpacked into, "" when it was packed; `bare`: the storyboard does
    not lie at the root of the project, which only a git checkout can tell."""

    archive: str
    size_bytes: int
    index: Index
    into: str = ""
    bare: bool = False

    @property
    def files(self) -> int:
        return sum(1 for member in self.index.members if member.path is not None)

    @property
    def clips(self) -> int:
        return sum(1 for member in self.index.members if member.clip is not None)

    @property
    def go_on(self) -> str:
        """The command that goes on from an unpacked archive."""
        begin = ["git init -q"] if self.bare else []
        asked = {"--pipeline": self.index.pipeline, "--provider": self.index.provider}
        options = [word for name, value in asked.items() if value for word in (name, value)]
        run = shlex.join(["shotrunner", "run", self.index.storyboard, *options])
        return " && ".join([f"cd {shlex.quote(self.into)}", *begin, run])


def text(packed: Packed) -> str:
    held = f"{count(packed.files, 'file')}, {count(packed.clips, 'clip')}, {size(packed.size_bytes)}"
    if not packed.into:
        return f"packed {clean.words(packed.index.storyboard)} into {clean.words(packed.archive)}: {held}\n"
    return (
        f"unpacked {clean.words(packed.archive)} into {clean.words(packed.into)}: {held}\n{clean.words(packed.go_on)}\n"
    )


def as_json(packed: Packed) -> str:
    """For programs: `schema` "shotrunner.packed.v1", `archive`, `size_bytes`, `storyboard`, `into` and `go_on` (null when packed),
    `members` (name, sha256, size_bytes)."""
    document = {
        "schema": SCHEMA,
        "archive": packed.archive,
        "size_bytes": packed.size_bytes,
        "storyboard": packed.index.storyboard,
        "into": packed.into or None,
        "go_on": packed.go_on if packed.into else None,
        "members": [
            {"name": member.name, "sha256": member.sha256, "size_bytes": member.size_bytes}
            for member in packed.index.members
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
