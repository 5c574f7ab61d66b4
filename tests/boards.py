"""Storyboards for tests: a project is a mapping of paths to texts, read as files below the root would be."""

from collections.abc import Callable, Mapping

from runner.core.diagnostics import Diagnostic, Rejected, Source
from runner.language import storyboard
from runner.language.storyboard import Storyboard

HEAD = "storyboard: 1\ndefaults: {model: wan2.7-text-to-video}\n"


def reader(files: Mapping[str, str]) -> Callable[[str], Source]:
    def read(path: str) -> Source:
        if path not in files:
            raise Rejected([Diagnostic(code="missing-file", headline=f"`{path}` does not exist")])
        return Source(path=path, name=path, text=files[path])

    return read


def load(text: str, files: Mapping[str, str] | None = None, *, path: str = "film.yaml", **variables: str) -> Storyboard:
    """The storyboard of `text` at `path`, among `files`; keywords are what `--var` gives."""
    return storyboard.load(path, reader({**(files or {}), path: text}), variables)


def takes_of(text: str, files: Mapping[str, str] | None = None, **variables: str) -> list[str]:
    """The ids of all takes of a storyboard without a fault."""
    board = load(text, files, **variables)
    assert board.diagnostics == ()
    return [take.id for take in board.takes]


def shot(words: str = "", head: str = HEAD) -> str:
    """A storyboard of one shot `a` with a prompt and further `words`, lines without indentation."""
    lines = "".join(f"    {line}\n" for line in words.splitlines())
    written = any(line.startswith("prompt:") for line in words.splitlines())
    prompt = "" if written else "    prompt: a lighthouse\n"
    return f"{head}shots:\n  - id: a\n{prompt}{lines}"


def codes(board: Storyboard) -> list[str]:
    return [fault.code for fault in board.diagnostics]


def places(board: Storyboard) -> list[tuple[str, int, int]]:
    """(code, line, column) of each fault."""
    return [
        (fault.code, fault.span.line if fault.span else 0, fault.span.column if fault.span else 0)
        for fault in board.diagnostics
    ]
