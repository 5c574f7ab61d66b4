"""Which characters of a stranger's text are shown: no control, bidi, line-break, surrogate or invisible format character."""

import re

# Category Cc and Cs, the line and paragraph separators, and of Cf what is invisible or turns the direction of writing.
# The joiners U+200C and U+200D stay: Persian and joined emoji need them; so do Cf signs that are seen (U+06DD).
CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
BREAK = re.compile("[\t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029]+")


def one_line(text: str) -> str:
    """`text` as one line: breaks become one space, control characters go, ends stripped."""
    return CONTROL.sub("", BREAK.sub(" ", text)).strip()


def lines(text: str) -> str:
    """`text` of several lines: its breaks, of any kind, are line feeds, its tabs are blanks, other control characters go."""
    return "\n".join(CONTROL.sub("", row.replace("\t", " ")) for row in BREAK.sub(_feeds, text).split("\n"))


def _feeds(found: re.Match[str]) -> str:
    """Line breaks as line feeds, tabs as they are."""
    return "".join("\t" if c == "\t" else "\n" for c in found[0].replace("\r\n", "\n"))
