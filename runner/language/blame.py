"""From a refused template to the place in the user's file and the words of the message."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.core.diagnostics import Diagnostic, Label, Source, Span
from runner.core.spelling import nearest
from runner.language.bounds import Refusal, Unknown, kind_of
from runner.language.grammar import Token, tokens
from runner.language.node import Scalar
from runner.language.place import locate, readable

_LISTED = 20
_LONGEST = 300
_NO_WORDS = frozenset(("data", "whitespace", "comment", "raw_begin", "raw_end"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """What was being rendered: the scalar, with these names, for `where`. `fragments`: the files included, by path."""

    scalar: Scalar
    names: Mapping[str, object]
    where: str
    fragments: Mapping[str, Source]


def blamed(refusal: Refusal, trail: Sequence[tuple[str, int]], rendering: Rendering) -> Diagnostic:
    """The fault of a refused template. `trail`: template (empty: the scalar's own) and line, down to the refused place."""
    name, line = trail[-1] if trail else ("", 1)
    found = _Text(rendering, name)
    at = found.position(line, refusal)
    included = tuple(
        Label(span=outer.span(outer.first("include", outer_line)), text="included here")
        for outer, outer_line in ((_Text(rendering, inner), inner_line) for inner, inner_line in reversed(trail[:-1]))
    )
    headline, advice = refusal.headline, refusal.help
    notes: tuple[str, ...] = ()
    if isinstance(refusal, Unknown):
        headline, advice = _unknown(refusal, found.owner(at), rendering)
    elif not refusal.line:  # what was refused unrendered is wrong for every shot
        notes = (f"rendered for {rendering.where}",)
    return Diagnostic(
        code=refusal.code, headline=_clipped(headline), span=found.span(at), others=included, notes=notes, help=advice
    )


class _Text:
    """One template's text and its tokens; a place in it is a first and a last token's index."""

    def __init__(self, rendering: Rendering, name: str) -> None:
        self._scalar = rendering.scalar
        self._source = rendering.fragments[name] if name else None
        text = readable(self._source) if self._source else rendering.scalar.text
        self._tokens = [token for token in tokens(text) if token.kind not in _NO_WORDS]

    def first(self, word: str, line: int) -> tuple[int, int]:
        """Where the word stands at or below the line; else the first `{{` or `{%` there."""
        for index, token in enumerate(self._tokens):
            if token.line >= line and _bare(token) == word:
                return index, index
        return self._braces(line)

    def position(self, line: int, refusal: Refusal) -> tuple[int, int]:
        if not isinstance(refusal, Unknown) or not refusal.word:
            return self.first(refusal.word, line) if refusal.word else self._braces(line)
        looked_up = refusal.within is not None
        for index, token in enumerate(self._tokens):
            if token.line >= line and _bare(token) == refusal.word and self._is_member(index) == looked_up:
                return index, index
        return self.first(refusal.word, line)

    def owner(self, at: tuple[int, int]) -> str:
        """The dotted names in front of a member: `row` of `row.name`; empty where that is no plain path."""
        index, path = at[0], ""
        while index >= 2 and self._tokens[index - 1].text in (".", "[") and self._tokens[index - 2].kind == "name":
            path = f"{self._tokens[index - 2].text}.{path}"
            index -= 2
        return path.rstrip(".")

    def span(self, at: tuple[int, int]) -> Span:
        if not self._tokens:
            return self._place(1, 1, 1)
        first, last = self._tokens[at[0]], self._tokens[at[1]]
        return self._place(first.line, first.column, last.column + len(last.text) - first.column)

    def _is_member(self, index: int) -> bool:
        return index > 0 and self._tokens[index - 1].text in (".", "[")

    def _braces(self, line: int) -> tuple[int, int]:
        """The first statement or expression at or below the line, as far as it stands on its line."""
        begins = [i for i, token in enumerate(self._tokens) if token.kind in ("variable_begin", "block_begin")]
        start = next((i for i in begins if self._tokens[i].line >= line), begins[-1] if begins else 0)
        end = start
        while end + 1 < len(self._tokens) and self._tokens[end + 1].line == self._tokens[start].line:
            end += 1
            if self._tokens[end].kind in ("variable_end", "block_end"):
                return start, end
        return start, start

    def _place(self, line: int, column: int, length: int) -> Span:
        if self._source is None:
            return locate(self._scalar, line, column, length)
        return Span(source=self._source, line=line, column=column, end_line=line, end_column=column + length)


def _clipped(headline: str) -> str:
    return headline if len(headline) <= _LONGEST else f"{headline[:_LONGEST]} ..."


def _bare(token: Token) -> str:
    return token.text[1:-1] if token.kind == "string" else token.text


def _unknown(refusal: Unknown, owner: str, rendering: Rendering) -> tuple[str, str]:
    """Headline and help of a name that nothing defines."""
    name, within = refusal.name, refusal.within
    if refusal.hint:
        return f"{refusal.hint} for {rendering.where}", ""
    match within:
        case None:
            return f"`{name}` is not defined for {rendering.where}", _meant(str(name), rendering.names, "In scope here")
        case Mapping() if isinstance(name, str):
            path = f"{owner}.{name}" if owner else str(name)
            return f"`{path}` is not defined for {rendering.where}", _meant(
                str(name), within, f"`{owner}` has" if owner else "There are"
            )
        case list() | tuple() | str() | Mapping() if not isinstance(name, str):
            return f"{kind_of(within)} of {len(within)} has no member {name} for {rendering.where}", ""
    return (
        f"{kind_of(within)} has no `{name}` for {rendering.where}",
        "values have no methods here; filters do their work: `x | upper`",
    )


def _meant(word: str, names: Iterable[object], listed: str) -> str:
    known = sorted(str(name) for name in names)
    near = nearest(word, known)
    shown = ", ".join(known[:_LISTED]) + (", ..." if len(known) > _LISTED else "") if known else "nothing"
    return f"did you mean `{near}`? {listed}: {shown}" if near else f"{listed}: {shown}"
