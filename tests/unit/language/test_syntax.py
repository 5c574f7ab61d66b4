import pytest
import yaml

from runner.core.diagnostics import Diagnostic, Rejected, Source
from runner.language import document
from runner.language.document import parse


@pytest.fixture(autouse=True, params=["libyaml", "pure"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure":
        monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)


def fault(text: str) -> Diagnostic:
    with pytest.raises(Rejected) as rejected:
        parse(Source(path="film.yaml", name="film.yaml", text=text))
    (found,) = rejected.value.diagnostics
    return found


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "help_"),
    [
        # the four traps
        ("prompt: {{ x }}\n", "unquoted-template", 1, 9, 'quote the template: `prompt: "{{ x }}"`'),
        ("a:\n  image: {{ x }} # c\n", "unquoted-template", 2, 10, 'quote the template: `image: "{{ x }}" # c`'),
        ("prompt: he says: come\n", "yaml-syntax", 1, 16, 'quote the text: `prompt: "he says: come"`'),
        ('prompt: he says: "come"\n', "yaml-syntax", 1, 16, "quote the text: `prompt: 'he says: \"come\"'`"),
        # and their kin
        ("prompt: {{ x }} walks\n", "unquoted-template", 1, 9, 'quote the template: `prompt: "{{ x }} walks"`'),
        ('prompt: {{ row["x"] }}\n', "unquoted-template", 1, 9, "quote the template: `prompt: '{{ row[\"x\"] }}'`"),
        ("prompt: {% if x %}y{% endif %}\n", "unquoted-template", 1, 9, 'quote the template: `prompt: "{% if x %}y{% endif %}"`'),
        ("- {{ x }}\n", "unquoted-template", 1, 3, 'quote the template: `- "{{ x }}"`'),
        ("a: {b: {{ x }}, c: 1}\n", "unquoted-template", 1, 8, 'quote the template: `a: {b: "{{ x }}", c: 1}`'),
        ("a: {b: {{ x['y'] }}, c: 1}\n", "unquoted-template", 1, 8, "quote the template: `a: {b: \"{{ x['y'] }}\", c: 1}`"),
        ("a: [\n  {{ x }} y,\n  z]\n", "unquoted-template", 2, 3, 'quote the template: `"{{ x }} y",`'),
        ('prompt: "{{ x }}" walks\n', "yaml-syntax", 1, 19, 'quote it whole: `prompt: "{{ x }} walks"`'),
        ("prompt: [close up] a man\n", "yaml-syntax", 1, 20, 'quote the text: `prompt: "[close up] a man"`'),
        ("prompt: @home\n", "yaml-syntax", 1, 9, 'quote the text: `prompt: "@home"`'),
        ("prompt: %x\n", "yaml-syntax", 1, 9, 'quote the text: `prompt: "%x"`'),
        ("prompt: `x`\n", "yaml-syntax", 1, 9, 'quote the text: `prompt: "`x`"`'),
        ("prompt: *bold* text\n", "yaml-syntax", 1, 9, 'quote the text: `prompt: "*bold* text"`'),
        ("prompt: & co\n", "yaml-syntax", 1, 9, 'quote the text: `prompt: "& co"`'),
        ("prompt: 'it's'\n", "yaml-syntax", 1, 13, 'quote it whole: `prompt: "it\'s"`'),
        ("prompt: ]\n", "yaml-syntax", 1, 9, 'quote the text: `prompt: "]"`'),
        ("prompt: ? x\n", "yaml-syntax", 1, 9, 'quote the text: `prompt: "? x"`'),
    ],
)  # fmt: skip
def test_a_trap_is_told_with_the_mended_line(text: str, code: str, line: int, column: int, help_: str) -> None:
    found = fault(text)
    assert found.span is not None
    assert (found.code, found.span.line, found.span.column, found.help) == (code, line, column, help_)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\ta: 1\n", 1, "a tab cannot indent"),
        ("a:\n\tb: 1\n", 2, "a tab cannot indent"),
        ("a: |\n\tb\n", 2, "a tab cannot indent"),
        ("a: 1\n  b: 2\n", 2, "this line is indented as part of the value above, but looks like a key"),
        ("a\nb: c\n", 1, "`a` is no `key: value`"),
        ("a: 1\nfoo\nb: 1\n", 2, "`foo` is no `key: value`"),
        ("a:\n  - x\n b: 1\n", 3, "this line is indented like nothing above it"),
        ("- a\nb: 1\n", 2, "a key among the entries of a list"),
        ("a: - b\n", 1, "a list begins on the line below its key"),
        ("a: |text\n", 1, "the text of a `|` block begins on the line below"),
        ("a: > he says\n", 1, "the text of a `>` block begins on the line below"),
        ("a: 1\nb: 'unclosed\nc: 2\n", 2, "this quote is never closed"),
        ('a: "C:\\movies"\n', 1, "`\\` in a double-quoted text begins an escape, and this is none"),
        ("a: [1, 2\nb: 3\n", 1, "`[` is not closed by `]`, or a `,` is missing"),
        ("a: {b: 1]\n", 1, "`{` is not closed by `}`, or a `,` is missing"),
        ("a: [1, , 2]\n", 1, "a value is missing before this `,`"),
        (": x\n", 1, "a key is missing before this `:`"),
        ("%YAML x\na: 1\n", 1, "a line that begins with `%` is a YAML directive, and this is none"),
        ("a: 1\n...\nb: 1\n", 3, "this stands outside of everything above it"),
        ("a: b\x00c\n", 1, "the character U+0000 (no printable character) cannot stand in a YAML file"),
        ("a: 1\r\nb: \x1b[0m\r\n", 2, "the character U+001B (no printable character) cannot stand in a YAML file"),
        ("a: x\u2028y\n", 1, "the character U+2028 (line separator) cannot stand in a YAML file"),
        ("a: \ud800\n", 1, "the character U+D800 (no printable character) cannot stand in a YAML file"),
    ],
)  # fmt: skip
def test_a_syntax_fault_is_told_in_plain_words_at_its_line(text: str, line: int, words: str) -> None:
    found = fault(text)
    assert found.span is not None
    assert (found.code, found.headline, found.span.line) == ("yaml-syntax", words, line)


def test_a_value_of_several_lines_is_not_mended_on_one() -> None:
    for text in ("prompt: {{ x }}\n  walks on\n", "prompt: he says: come\n  and goes\n"):
        assert "`prompt: |`" in fault(text).help


def test_a_template_in_a_comment_or_in_quotes_is_no_trap() -> None:
    assert fault("a: 1 # {{ x }}\nb: 'u' v\n").code == "yaml-syntax"
    assert fault("a: {b: \"{{ x }}\", c: 'u' v}\n").code == "yaml-syntax"


def test_what_follows_from_a_fault_is_not_told_as_another() -> None:
    assert fault("prompt: *keeper climbs\n").code == "yaml-alias"
    assert fault("a: [{{ x }} y, {{ z }}]\n").code == "unquoted-template"
