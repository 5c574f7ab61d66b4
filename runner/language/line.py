"""One line of YAML as its author meant it: its value told from its key, and quoted so that it reads back as text."""

import re
from dataclasses import dataclass

LONGEST = 1000  # longer lines are not mended: nobody reads them in a help line
_SHOWN = 100

TEMPLATE = re.compile(r"\{[{%#]")
_LINE = re.compile(
    r"""(?P<lead>\s*(?:-\s+)*)
        (?P<key>(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'\#{}\[\],&*!|>%@`:][^:]*?)\s*:\s+)?
        (?P<value>\S.*?)
        (?P<comment>\s+\#.*)?\s*""",
    re.VERBOSE,
)
# In `[...]` and `{...}`: quoted texts, to be passed over, or a template with the plain text around it.
_FLOW = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*"|(?<![^\s\[{,:])'[^']*')
        |(?P<template>(?:[^\s"'\[\]{},:][^"'\[\]{},:]*)?(?:\{\{.*?\}\}|\{%.*?%\})(?:\{\{.*?\}\}|\{%.*?%\}|[^\[\]{},])*)""",
    re.VERBOSE,
)
_QUOTED_FIRST = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*\S""")


@dataclass(frozen=True, slots=True)
class Parts:
    """A line as `lead` (indentation and dashes), `key` with its colon, `value` and `comment`; `start` is the value's index."""

    lead: str
    key: str
    value: str
    comment: str

    @property
    def start(self) -> int:
        return len(self.lead) + len(self.key)


def parts(line: str) -> Parts | None:
    """None for a line without a value, and for one too long to be worth it."""
    match = _LINE.fullmatch(line) if len(line) <= LONGEST else None
    return Parts(*(match[name] or "" for name in ("lead", "key", "value", "comment"))) if match else None


def short(text: str) -> str:
    """The text in one line, its middle left out where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:60]} ... {text[-30:]}"


def quoted(text: str) -> str:
    """One line of text as YAML that reads back as this text, with as few escapes as can be."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def mended(line: str, *, flow: bool = False) -> str:
    """The line with its value quoted; in `flow`, inside `[...]` or `{...}`, with its templates quoted. Empty: no help."""
    found = parts(line)
    if found is None:
        return ""
    if flow or (found.value[0] in "[{" and not TEMPLATE.match(found.value) and flow_template(line)):
        changed = _FLOW.sub(lambda match: match["quoted"] or _quoted_tight(match["template"]), found.key + found.value)
        return f"{found.lead}{changed}{found.comment}".strip() if changed != found.key + found.value else ""
    return f"{found.lead}{found.key}{quoted(_meant(found.value))}{found.comment}".strip()


def flow_template(line: str) -> int:
    """The column of the first unquoted template of a line inside `[...]` or `{...}`; 0 if there is none."""
    for match in _FLOW.finditer(line[:LONGEST]):
        if match["template"]:
            brace = TEMPLATE.search(line, match.start())
            return brace.start() + 1 if brace else 0
    return 0


def _quoted_tight(text: str) -> str:
    tight = text.rstrip()
    return quoted(tight) + text[len(tight) :]


def _meant(value: str) -> str:
    """The text inside a value whose quotes are those of an attempt to quote it."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    first = _QUOTED_FIRST.match(value)
    if first and TEMPLATE.match(first[1], 1):
        return first[1][1:-1] + value[first.end(1) :]
    return value
