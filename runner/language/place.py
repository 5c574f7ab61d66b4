"""Places inside scalars: from a character of the text to the character of the file, and what stands behind an empty value."""

from collections.abc import Iterator

from runner.core.diagnostics import Source, Span
from runner.language.node import Scalar, Style

# A double-quoted escape whose digits are a code point, and how many digits it has.
_CODE_POINTS = {"x": 2, "u": 4, "U": 8}
_ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPES |= {"N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}


def locate(scalar: Scalar, line: int, column: int, length: int) -> Span:
    """Where `length` characters of `scalar.text` stand in the file; `line` and `column` count from 1 within the text.

    Folding, wrapping and indentation change nothing but white space, so the n-th character that is not white stands at
    the n-th in the file, whatever the style. Where the two do not agree (a text that was not written as it reads), the
    answer is the whole scalar.
    """
    lines = scalar.text.split("\n")
    if not (1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1):
        return scalar.span
    before = sum(map(_solid, lines[: line - 1])) + _solid(lines[line - 1][: column - 1])
    wanted = max(1, _solid(lines[line - 1][column - 1 : column - 1 + length]))
    units = [unit for unit in _units(scalar) if not unit[0].isspace()]
    if "".join(unit[0] for unit in units) != "".join(scalar.text.split()) or not units:
        return scalar.span
    if before >= len(units):  # behind the last character: an end that came too early
        _, at_line, _, end = units[-1]
        return Span(source=scalar.span.source, line=at_line, column=end, end_line=at_line, end_column=end + 1)
    first, last = units[before], units[min(before + wanted, len(units)) - 1]
    return Span(source=scalar.span.source, line=first[1], column=first[2], end_line=last[1], end_column=last[3])


def comment_after(scalar: Scalar) -> str | None:
    """What YAML took away from an empty value on its line: a comment (`#noon`), an anchor (`&co`) or a tag (`!now`)."""
    if scalar.text or scalar.value is not None:
        return None
    source, line = scalar.span.source, scalar.span.line
    rest = source.line(line)[scalar.span.column - 1 :].strip()
    if not rest:  # behind an anchor or tag the empty value begins at its end
        rest = source.line(line)[: scalar.span.column - 1].rpartition(" ")[2]
    return rest if rest[:1] in ("#", "&", "!") and rest else None


def readable(source: Source) -> str:
    """The file's text with its lines as `Source.line` counts them: without a byte order mark, each ended by LF."""
    return source.text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def content_start(span: Span) -> Span:
    """The span without the anchor and tag in front of the scalar."""
    source, line, column = span.source, span.line, span.column
    while (line, column) < (span.end_line, span.end_column):
        rest = source.line(line)[column - 1 :]
        if not rest.strip() or rest.startswith("#"):
            line, column = line + 1, 1
        elif rest[0] in "&!":
            column += len(rest.split()[0])
        elif rest[0].isspace():
            column += len(rest) - len(rest.lstrip())
        else:
            break
    return Span(source=source, line=line, column=column, end_line=span.end_line, end_column=span.end_column)


def trimmed(span: Span) -> Span:
    """A block scalar's span up to its last written character; the parser's ends at the next token, lines below."""
    source, last = span.source, span.end_line
    if span.end_column == 1:
        last -= 1
    while last > span.line and not source.line(last).strip():
        last -= 1
    end = len(source.line(last).rstrip()) + 1
    return Span(source=source, line=span.line, column=span.column, end_line=last, end_column=end)


def _solid(text: str) -> int:
    return sum(not c.isspace() for c in text)


def _units(scalar: Scalar) -> Iterator[tuple[str, int, int, int]]:
    """The scalar's characters as the file spells them: character, line, column, column behind it."""
    span = scalar.span
    cut = 0 if scalar.style is Style.PLAIN else 1
    match scalar.style:
        case Style.LITERAL | Style.FOLDED:
            first, column, end = span.line + 1, 1, span.end_column
        case _:
            first, column, end = span.line, span.column + cut, span.end_column - cut
    for number in range(first, span.end_line + 1):
        text = span.source.line(number)
        stop = end - 1 if number == span.end_line else len(text)
        at = column - 1 if number == first else 0
        while at < stop:
            char, width = _unit(text, at, scalar.style)
            yield char, number, at + 1, at + 1 + width
            at += width


def _unit(text: str, at: int, style: Style) -> tuple[str, int]:
    """One character of the text and how many characters spell it."""
    if style is Style.SINGLE and text.startswith("''", at):
        return "'", 2
    if style is Style.DOUBLE and text[at] == "\\":
        letter = text[at + 1 : at + 2]
        digits = _CODE_POINTS.get(letter, 0)
        if digits:
            return chr(int(text[at + 2 : at + 2 + digits], 16)), 2 + digits
        return _ESCAPES.get(letter, letter) or " ", 2
    return text[at], 1
