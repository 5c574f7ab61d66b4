"""Templates in a storyboard's values: rendered to a text or a value, their faults brought home to the file."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from runner.core.diagnostics import Diagnostic, Rejected, Source, Span
from runner.language import paths
from runner.language.bounds import MOST_CHARACTERS, MOST_CHARACTERS_IN_ALL, Refusal, kind_of
from runner.language.faults import Faults
from runner.language.node import Scalar
from runner.language.operations import shown
from runner.language.place import readable

if TYPE_CHECKING:
    from runner.language.sandbox import Compiled, Sandbox

# Jinja is imported by the first template that needs it: a storyboard without one does not pay for it.

_MOST_KEPT = 10_000  # compiled templates: a table's rows share one, ten thousand prompts have each their own
_MOST_PLAIN_NAMES = 1_000
_PLAIN_NAME = re.compile(r"\{\{ *([A-Za-z][A-Za-z0-9_]*)(?:\.([A-Za-z][A-Za-z0-9_]*))? *\}\}")
_NOT_PLAIN = re.compile(r"\{[{%#]|\r")
# Names that mean something to Jinja itself.
_WORDS = frozenset((
    "true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else", "self", "loop", "range",
))  # fmt: skip

# Literal text, then the name behind it and its key; the last one has no name.
_Part = tuple[str, str, str]


def is_template(text: str) -> bool:
    """Whether the text is rendered at all."""
    return "{" in text and ("{{" in text or "{%" in text or "{#" in text)


def is_whole(text: str) -> bool:
    """Whether the text is one `{{ expression }}` and nothing else, so that the expression's value is used as it is."""
    if "{{" not in text:
        return False
    from runner.language import grammar

    return grammar.is_whole(text)


class Templates:
    """Renders the templates of one storyboard.

    `folder`: the storyboard's, from the project's root; fragments stand below it. `read` gives a file by its path from
    the root and raises Rejected.
    """

    def __init__(self, read: Callable[[str], Source], folder: str) -> None:
        self._read, self._folder = read, folder
        self._compiled: dict[tuple[str, bool], Compiled | Refusal] = {}
        self._plain: dict[str, tuple[_Part, ...]] = {}
        self._fragments: dict[str, Source] = {}
        self._given = 0
        self._sandbox: Sandbox | None = None
        self._first: Source  # the storyboard, once a template of it has been rendered

    def text(self, scalar: Scalar, names: Mapping[str, object], where: str) -> str:
        """The scalar's text, its templates filled in. `where` says for what it is, as in "shot `crossing`".

        Mappings are read by key alone: `row.copy` is the column `copy`. Raises Rejected.
        """
        if not is_template(scalar.text):
            return scalar.text
        filled = self._filled(scalar.text, names)
        text = str(self._rendered(scalar, names, where, native=False)) if filled is None else filled
        self._given += len(text)
        if self._given > MOST_CHARACTERS_IN_ALL:
            headline = "all templates of the storyboard together give too much text"
            raise Rejected([Diagnostic(code="template-limit", headline=headline, span=scalar.span)])
        return text

    def value(self, scalar: Scalar, names: Mapping[str, object], where: str) -> object:
        """What the expression of a whole-value template gives: None, bool, int, float, str, list or dict, a copy of its own.

        Raises Rejected.
        """
        return self._rendered(scalar, names, where, native=True)

    # --- through Jinja ---

    def _rendered(self, scalar: Scalar, names: Mapping[str, object], where: str, *, native: bool) -> object:
        from runner.language.blame import Rendering, blamed
        from runner.language.sandbox import Broken, Sandbox

        self._first = scalar.span.source
        if self._sandbox is None:
            self._sandbox = Sandbox(self._fragment)
        rendering = Rendering(scalar=scalar, names=names, where=where, fragments=self._fragments)
        compiled = self._code(self._sandbox, scalar.text, native=native)
        if isinstance(compiled, Refusal):
            raise Rejected([blamed(compiled, [("", compiled.line or 1)], rendering)])
        try:
            return self._sandbox.value(compiled, names) if native else self._sandbox.text(compiled, names)
        except Broken as broken:
            raise Rejected([blamed(broken.refusal, broken.trail, rendering)]) from None

    def _code(self, sandbox: "Sandbox", text: str, *, native: bool) -> "Compiled | Refusal":
        found = self._compiled.get((text, native))
        if found is None:
            try:
                found = sandbox.compiled(text, native=native)
            except Refusal as refusal:
                found = refusal
            if len(self._compiled) >= _MOST_KEPT:
                self._compiled.clear()
            self._compiled[text, native] = found
        return found

    def _fragment(self, written: object, parent: str) -> tuple[str, str]:
        """What an include means in the fragment `parent` (empty: in the storyboard): path and text. Raises Refusal."""
        if not isinstance(written, str):
            raise Refusal("template-include", f"an include takes a path, not {kind_of(written)}", word="include")
        faults = Faults()
        start = Span(source=self._fragments.get(parent, self._first), line=1, column=1, end_line=1, end_column=1)
        path = paths.resolved(written, start, faults)
        if path is not None and self._folder and not path.startswith(f"{self._folder}/"):
            faults.add("bad-path", f"`{written}` leaves the storyboard's folder", None, help="fragments stand below it")
        if path is not None and not faults and path not in self._fragments:
            source = paths.opened(path, start, self._read, faults)
            if source is not None:
                self._fragments[path] = source
        if path is None or faults:
            fault = faults.found[0]
            raise Refusal(fault.code, fault.headline, help=fault.help, word=written)
        return path, readable(self._fragments[path])

    # --- without Jinja ---

    def _filled(self, text: str, names: Mapping[str, object]) -> str | None:
        """The text where it holds nothing but `{{ name }}` and `{{ name.key }}` of plain values; None: ask Jinja."""
        parts = self._plain.get(text)
        if parts is None:
            if len(self._plain) >= _MOST_KEPT:
                self._plain.clear()
            parts = self._plain[text] = _plain_parts(text)
        pieces = []
        for literal, name, key in parts:
            pieces.append(literal)
            if not name:
                continue
            value = names.get(name)
            if key:
                try:
                    value = value.get(key) if isinstance(value, Mapping) else None
                except Refusal:
                    return None
            if type(value) is str:
                pieces.append(value)
            elif isinstance(value, bool | float) or (type(value) is int and value.bit_length() < 64):
                pieces.append(shown(value))
            else:
                return None
        filled = "".join(pieces)
        return filled if parts and len(filled) <= MOST_CHARACTERS else None


def _plain_parts(text: str) -> tuple[_Part, ...]:
    """The template cut at its names; empty where it holds anything but plain names."""
    pieces = _PLAIN_NAME.split(text)
    literals, heads, keys = pieces[::3], pieces[1::3], pieces[2::3]
    if len(heads) > _MOST_PLAIN_NAMES or any(_NOT_PLAIN.search(literal) for literal in literals):
        return ()
    if any(literal.endswith("{") for literal in literals[:-1]):  # `{{{ name }}` begins a brace earlier
        return ()
    if not _WORDS.isdisjoint(heads) or len(text) > MOST_CHARACTERS:
        return ()
    return tuple(zip(literals, [*heads, ""], [*(key or "" for key in keys), ""], strict=True))
