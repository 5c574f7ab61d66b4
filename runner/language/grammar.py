"""Where a template's words stand in its text, and what is wrong where it cannot be read. Jinja's lexer is the judge."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError
from jinja2.lexer import Lexer, get_lexer

from runner.language.bounds import Refusal

STATEMENTS = "`if`, `for`, `set` and `include`"
UNREADABLE = "unreadable"
_SPACE = frozenset(("whitespace", "data"))


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    line: int
    column: int


@lru_cache(maxsize=16)
def tokens(source: str) -> tuple[Token, ...]:
    """The tokens of a template with their places, from 1; the last one is the character that cannot be read, if any."""
    return tuple(_tokens(source))


def _tokens(source: str) -> Iterator[Token]:
    behind, line, line_start = 0, 1, 0
    try:
        for _, kind, text in _lexer().tokeniter(source, None):
            start = source.find(text, behind)
            if start < 0:  # the lexer has changed line ends: no place can be told from here on
                return
            line += source.count("\n", behind, start)
            line_start = source.rfind("\n", 0, start) + 1
            yield Token(kind, text, line, start - line_start + 1)
            line += text.count("\n")
            behind = start + len(text)
    except TemplateSyntaxError:
        rest = source[behind:].lstrip()
        if rest:
            start = len(source) - len(rest)
            line += source.count("\n", behind, start)
            yield Token(UNREADABLE, rest[0], line, start - source.rfind("\n", 0, start))


@lru_cache(maxsize=4096)
def is_whole(text: str) -> bool:
    """Whether the text is one `{{ expression }}` and nothing else but white space."""
    if not (text.lstrip().startswith("{{") and text.rstrip().endswith("}}")):
        return False
    kinds = [token.kind for token in tokens(text) if token.kind not in _SPACE or token.text.strip()]
    if not kinds or kinds[-1] != "variable_end":
        return True  # it cannot be read; as a whole it is told so
    return kinds.count("variable_begin") == 1 and kinds[0] == "variable_begin"


_NAMES = {
    "end of print statement": "`}}`",
    "end of statement block": "`%}`",
    "end of template": "the end of the template",
    "begin of print statement": "`{{`",
    "begin of statement block": "`{%`",
    "name": "a name",
    "string": "a text",
    "integer": "a number",
    "float": "a number",
}

_OPEN_BLOCK = r"needs to be closed is '(\w+)'"

# Jinja's words by pattern, then our headline and help; numbers in braces are what the pattern caught.
_REFUSALS: tuple[tuple[str, str, str], ...] = (
    (
        "Missing end of comment tag",
        "`{{#` begins a comment, and no `#}}` ends it",
        "a `{{#` that is meant as text is written `{{{{ '{{#' }}}}`",
    ),
    ("Missing end of raw", "`{{% raw %}}` is never closed", "write `{{% endraw %}}` behind it"),
    (r"unknown tag '((?!end)\w+)'", "`{{% {0} %}}` means nothing here", f"templates know {STATEMENTS}"),
    (_OPEN_BLOCK, "`{{% {0} %}}` is never closed", "write `{{% end{0} %}}` where it ends"),
    (r"unknown tag '(\w+)'", "`{{% {0} %}}` closes nothing", "take it out"),
    ("ag name expected", "a statement begins with its word", f"templates know {STATEMENTS}"),
    ("unexpected char '?(.)'? at", "`{0}` means nothing in a template", "texts are quoted: `{{{{ 'text' }}}}`"),
    ("unexpected end of template, expected '(.+)'", "the template ends before {0}", ""),
    (
        "expected token 'end of print statement', got '(.+)'",
        "{0} stands where the expression should end",
        "`~` joins: `{{{{ a ~ b }}}}`; texts are quoted",
    ),
    ("expected token '(.+)', got '(.+)'", "{1} stands where {0} is expected", ""),
    ("[Uu]nexpected '(.+?)'|, got '(.+)'", "{0} cannot stand here", ""),
)


def syntax_refusal(source: str, message: str, *, line: int, word: str) -> Refusal:
    """The refusal of what Jinja's parser could not read, in our words. `word`: the token where it stopped."""
    for pattern, headline, advice in _REFUSALS:
        match = re.search(pattern, message)
        if match is None:
            continue
        raw = [group for group in match.groups() if group is not None]
        if pattern is _OPEN_BLOCK:
            word, line = raw[0], _last_open(source, raw[0]) or line
        if "unexpected char" in pattern:
            word = raw[0]
        caught = raw if "%" in headline or "means" in headline else [_NAMES.get(words) or f"`{words}`" for words in raw]
        return Refusal("template-syntax", headline.format(*caught), help=advice.format(*caught), word=word, line=line)
    return Refusal("template-syntax", f"the template cannot be read: {message}", word=word, line=line)


def _last_open(source: str, block: str) -> int:
    """The line of the block of this name that is not closed; 0 if all are."""
    lines: list[int] = []
    before = ""
    for token in tokens(source):
        if before == "block_begin" and token.text == block:
            lines.append(token.line)
        elif before == "block_begin" and token.text == f"end{block}" and lines:
            lines.pop()
        if token.kind != "whitespace":
            before = token.kind
    return lines[-1] if lines else 0


@lru_cache(maxsize=1)
def _lexer() -> Lexer:
    return get_lexer(Environment(keep_trailing_newline=True))  # noqa: S701  prompts are no HTML
