"""What is wrong with a value, said so that its author can mend it; where it stands in a file, others know."""

import json
from dataclasses import dataclass

LONGEST_NAME = 60

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault in a body or in a model's schema file.

    `path` leads from the body to the faulty value, and to its missing or surplus property where that is the fault: its
    first member is always a property of the body. `headline` is a sentence without its full stop that stands alone.
    `others` are further places that have part in it, as in a rule that joins two properties. `nearest` is the lawful
    value closest to what was written, None if none is. `code` is a member of `CODES`.
    """

    path: Path
    code: str
    headline: str
    notes: tuple[str, ...] = ()
    help: str = ""
    others: tuple[Path, ...] = ()
    nearest: object = None


def dotted(path: Path) -> str:
    """`model_params.shot_type`, `image_urls[0]`; elements count from 0 as in JSON pointers."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{named(step)}" if text else named(step)
    return text


def named(name: str) -> str:
    """A name as part of a sentence; a strange one, as a stranger's body may hold, escaped and cut."""
    return name if name.isprintable() and len(name) <= LONGEST_NAME else json.dumps(name)[1:-1][:LONGEST_NAME]


def pointer(path: Path) -> str:
    """A JSON pointer (RFC 6901) as the fragment of a URL, `#/properties/duration/enum`."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
