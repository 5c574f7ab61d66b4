"""Why a request is new: which of its inputs differ from those the take last had."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One input that differs. `name` is the body's property, else `model`, `service`, `take`; None is not there at all."""

    name: str
    old: object
    new: object


def differences(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[Change, ...]:
    """Every input that differs, by name; media by their identities. The model stands in the body too, and differs once."""
    found = {change.name.removeprefix("body."): change for change in _differing("", old, new)}
    return tuple(Change(name=name, old=change.old, new=change.new) for name, change in sorted(found.items()))


def changes(old: Mapping[str, object] | None, new: Mapping[str, object]) -> str:
    """One clause: `new`, or the names of the inputs that changed; `old` None means the take never ran here."""
    names = [change.name for change in differences(old, new)] if old is not None else []
    return f"changed: {', '.join(names)}" if names else "new"


def _differing(path: str, old: object, new: object) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in old.keys() | new.keys():
            yield from _differing(f"{path}.{name}" if path else str(name), old.get(name), new.get(name))
    elif old != new:
        yield Change(name=path, old=old, new=new)
