"""JSON that users write, in files of the project below `schemas`: read once, judged with the places of its values."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from runner.adapters.files import Files, Unreadable
from runner.contract.fault import Fault
from runner.contract.fault import Path as FaultPath
from runner.core.diagnostics import Diagnostic, Rejected, Source, Span
from runner.language import document
from runner.language.node import Mapping as Branch
from runner.language.node import Node, Scalar, Sequence

LARGEST_BYTES = 256 * 1024
Value = TypeVar("Value")


def each(paths: Iterable[str], read: Callable[[str], Value]) -> list[Value]:
    """What `read` makes of every path; raises Rejected with every fault of every file."""
    found, faults = list[Value](), list[Diagnostic]()
    for path in paths:
        try:
            found.append(read(path))
        except Rejected as rejected:
            faults.extend(rejected.diagnostics)
    if faults:
        raise Rejected(faults)
    return found


class Written:
    """One file and the value it holds; `code` is that of all its faults."""

    def __init__(self, files: Files, path: str, code: str) -> None:
        """Raises Rejected where the file cannot be read or is no JSON."""
        self.path, self.shown, self._code = path, files.shown(path), code
        try:
            self.source = files.text(path, most_bytes=LARGEST_BYTES)
        except Unreadable as fault:
            raise Rejected([Diagnostic(code=code, headline=f"`{self.shown}` {fault.reason}")]) from None
        self.value = _json(self.source, code)

    def rejected(self, faults: Iterable[Fault], advice: str) -> Rejected:
        """All faults at their places; `advice` is for those that bring none."""
        tree = _tree(self.source)
        return Rejected(
            Diagnostic(
                code=self._code, headline=f.headline, span=_place(self.source, tree, f.path), help=f.help or advice
            )
            for f in faults
        )

    def place(self, path: FaultPath) -> Span:
        """Where the value at `path` stands."""
        return _place(self.source, _tree(self.source), path)


def _json(source: Source, code: str) -> Any:
    """Raises Rejected at the place where the text is no JSON, and for a key written twice."""
    try:
        return json.loads(source.text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as fault:
        span = Span(
            source=source, line=fault.lineno, column=fault.colno, end_line=fault.lineno, end_column=fault.colno + 1
        )
        headline = f"`{source.name}` is no JSON: {fault.msg[:1].lower()}{fault.msg[1:]}"
        raise Rejected([Diagnostic(code=code, headline=headline, span=span)]) from None
    except RecursionError:
        raise Rejected([Diagnostic(code=code, headline=f"`{source.name}` nests too deep")]) from None
    except ValueError as fault:
        document.parse(source)  # finds a key written twice by itself, with both places
        raise Rejected([Diagnostic(code=code, headline=f"`{source.name}` {fault}")]) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"holds `{next(n for n in names if names.count(n) > 1)}` twice in one place")
    return found


def _no_constant(word: str) -> None:
    raise ValueError(f"holds {word}, which is no JSON")


def _tree(source: Source) -> Node | None:
    """The same text with its places; JSON is YAML but for corners, and there a fault goes without its place."""
    try:
        return document.parse(source)
    except Rejected:
        return None


def _place(source: Source, tree: Node | None, path: FaultPath) -> Span:
    """Of the value at `path`, or of the innermost one around it; a mapping or list is pointed to by its key, the whole
    file by its beginning."""
    span = Span(source=source, line=1, column=1, end_line=1, end_column=2)
    for step in path:
        match tree, step:
            case Branch(), str() if entry := tree.entry(step):
                tree, span = entry.value, entry.key.span
            case Sequence(), int() if step < len(tree.items):
                tree = tree.items[step]
            case _:
                break
        span = tree.span if isinstance(tree, Scalar) else span
    return span
