"""Why a request is new: which of its inputs differ from those the take last had."""

from collections.abc import Iterator, Mapping


def changes(old: Mapping[str, object] | None, new: Mapping[str, object]) -> str:
    """One clause: `new`, or the names of the inputs that changed; `old` None means the take never ran here."""
    if old is None:
        return "new"
    names = [name.removeprefix("body.") for name in sorted(_differing("", old, new))]
    return f"changed: {', '.join(names)}" if names else "new"


def _differing(path: str, old: object, new: object) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in old.keys() | new.keys():
            yield from _differing(f"{path}.{name}" if path else str(name), old.get(name), new.get(name))
    elif old != new:
        yield path
