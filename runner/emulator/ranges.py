"""Which part of a file a request asks for (RFC 9110, sections 13.1.5 and 14). Pure."""

import re

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")


class Unsatisfiable(ValueError):
    """No byte of the file lies in the range."""


def part(size: int, asked: str | None, condition: str | None, validators: set[str]) -> tuple[int, int] | None:
    """First byte and the one after the last, or None for the whole file. Raises Unsatisfiable.

    `asked` is the header Range, `condition` the header If-Range: the part is given only if it is one of `validators`, the
    file's strong ETag and its date. Several ranges at once, and what is no range, get the whole.
    """
    if asked is None or (condition is not None and condition.strip() not in validators):
        return None
    match = _RANGE.fullmatch(asked.strip().replace(" ", ""))
    if match is None:
        return None
    first, last, tail = match.groups()
    if tail is not None:
        start, stop = max(0, size - int(tail)), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return None
    if start >= size or start >= stop:
        raise Unsatisfiable(asked)
    return start, stop
