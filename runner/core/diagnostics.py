"""Places in the user's files, and what is wrong there, as values. Nothing here prints."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """One text file as it was read; compared by identity.

    `path` is posix, from the project's root (what paths in the file resolve against); `name` is how the user is shown it.
    """

    path: str
    name: str
    text: str
    _lines: list[str] = field(default_factory=list, init=False, repr=False)

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its end; empty past the last line."""
        if not self._lines:
            text = self.text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
            self._lines.extend(text.split("\n"))
        return self._lines[number - 1] if 1 <= number <= len(self._lines) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a first to behind a last character; lines and columns count from 1, columns in code points."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    @property
    def order(self) -> tuple[str, int, int]:
        return (self.source.path, self.line, self.column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A second place that has part in a fault, with the words that say which part."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One fault or remark. `code` is a member of `CODES`; `label` stands behind the caret.

    `group`: faults with equal group, not empty, are one fault seen in many rows or variants and are shown once, with
    `member` (a take, a row) of each.
    """

    severity: Severity = Severity.ERROR
    code: str
    headline: str
    span: Span | None = None
    label: str = ""
    others: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str = ""
    group: str = ""
    member: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"no diagnostic code {self.code!r}")


# Every code and what it says in general; `tests/cases/refused` holds a case for each.
CODES: dict[str, str] = {
    "bad-cut": "a trim, a transition or a voice does not fit the clips that are asked for",
    "unknown-cut": "a pipeline names a cut that the storyboard has not",
    "missing-extra": "a step needs a library that is not installed here",
    "unknown-pick": "a pick names a take that there is not",
    "unknown-shot": "a cut or a link names a shot or variant that there is not, or a shot of several variants",
    "unknown-axis": "a cut is made for an axis or label that its shots have not",
    "bad-value": "a value is not one that is allowed here",
    "unknown-parameter": "the model has no parameter of this name",
    "missing-parameter": "the model needs a parameter that is not given",
    "model-rule": "two parameters do not go together on this model",
    "model-advice": "the model takes it, but hardly as it is meant",
    "bad-model": "a model's schema file cannot be used",
    "bad-prices": "a project's own prices for a model cannot be used",
    "shipped-name": "a file of the project has the name of one that is shipped",
    "undefined-variable": "a template uses a name that nothing defines",
    "template-syntax": "a template that cannot be read, or writes what templates may not",
    "template-value": "a template does with a value what cannot be done with it",
    "template-limit": "a template grows beyond what one may take",
    "template-include": "a fragment includes itself, or an include names no path",
    "unknown-filter": "a template uses a filter or test that there is not",
    "yaml-syntax": "the file cannot be read as YAML",
    "yaml-limit": "the file is larger, deeper or repeats more than is read",
    "yaml-alias": "an alias has no anchor, or stands inside its own",
    "yaml-key": "a key is no plain word, or `<<` merges something that is no mapping",
    "yaml-number": "a number that no request can hold",
    "yaml-tag": "a YAML tag that has no meaning here",
    "duplicate-key": "a key is written twice in one mapping",
    "empty-file": "the file holds nothing",
    "unquoted-template": "a template begins a value without quotes, so that YAML reads a mapping",
    "unknown-key": "a key that has no meaning in its place",
    "missing-key": "a key that must be there is not",
    "one-of": "of several things one alone can be meant",
    "misplaced-key": "a key that says nothing beside the others there",
    "own-word": "a parameter that the storyboard says with a word of its own",
    "bad-type": "a value of another type than its key takes",
    "no-value": "a value is empty, or no value at all",
    "bad-version": "a file of a version that is not known here",
    "bad-id": "an id or label of unlawful characters",
    "duplicate-id": "two ids are equal but for case",
    "bad-name": "a name that no template could read",
    "reserved-name": "a name that means something else where it is used",
    "misplaced-template": "a template where none is rendered",
    "text-around-template": "text around the template of a value that is no text",
    "missing-file": "there is no such file",
    "unreadable-file": "a file may not or cannot be read",
    "bad-path": "a path that leads where nothing is read or written",
    "bad-url": "no URL of the kind that is taken here",
    "signed-url": "a URL that is good for hours and not pinned by a digest",
    "include-cycle": "a file includes itself",
    "too-many": "more than one storyboard may hold",
    "unknown-kind": "a file's suffix does not say what the file is",
    "unknown-reference": "no reference has this name",
    "no-words": "a reference that a prompt speaks of has no words to be read",
    "uncalled-reference": "a reference that its model knows by a name of its own, which the prompt does not say",
    "shot-cycle": "a shot is made from its own clip",
    "bad-frame": "a frame that the clip it is taken from will not have",
    "wrong-kind": "a reference of another kind than the word takes",
    "bad-table": "a table that cannot be read, or a faulty row of it",
    "missing-column": "a table lacks the column that it is asked for",
    "empty-table": "no row of a table is left",
    "unknown-model": "there is no model of this name",
    "unknown-pipeline": "there is no pipeline of this name, or its file cannot be read",
    "unreadable-media": "a reference's file cannot be decoded, or may not be read",
    "media-limit": "a reference is not what the model takes: format, size, length or number",
    "no-upload": "a reference's file that the service's file host does not take",
    "pinned-differs": "a file has other bytes than its reference says",
    "lfs-pointer": "a reference whose file Git LFS has not brought yet",
    "seed-absent": "a seed for a model that has none",
    "seed-range": "a seed outside of the model's range",
}


def in_file_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file and place, faults without a place first; stable."""
    return tuple(sorted(diagnostics, key=lambda d: d.span.order if d.span else ("", 0, 0)))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(d.severity is Severity.ERROR for d in diagnostics)


class Rejected(Exception):
    """The user's input cannot be used; carries every fault found, never just the first."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(d.headline for d in self.diagnostics))
