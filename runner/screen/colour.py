"""Whether to colour, and how: plain ANSI, no library."""

from collections.abc import Mapping
from enum import StrEnum


class Choice(StrEnum):
    """The values of `--color`."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Style(StrEnum):
    """What a word is for; the value is its SGR parameters."""

    ERROR = "1;31"
    WARNING = "1;33"
    NOTE = "1;36"
    HELP = "1;32"
    GUTTER = "1;34"  # line numbers, bars, arrows, second places
    STRONG = "1"
    FAINT = "2"
    GOOD = "32"
    BAD = "31"


def wanted(choice: Choice, environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to colour a stream; `terminal` says if it is one.

    The option rules; then NO_COLOR (set and not empty, no-color.org), FORCE_COLOR (set, not empty, not 0), TERM=dumb.
    """
    match choice:
        case Choice.ALWAYS:
            return True
        case Choice.NEVER:
            return False
        case Choice.AUTO:
            if environ.get("NO_COLOR"):
                return False
            if environ.get("FORCE_COLOR", "0") not in ("", "0"):
                return True  # before TERM: CI runners set TERM=dumb and still draw colour
            return terminal and environ.get("TERM") != "dumb"


def paint(text: str, style: Style | None, *, colour: bool) -> str:
    """`text` between the style's start and reset; as it is without `colour`, without a style or when empty."""
    return f"\x1b[{style}m{text}\x1b[0m" if colour and style and text else text
