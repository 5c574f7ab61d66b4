import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.diagnostics import Source
from runner.language.document import parse
from runner.language.line import LONGEST, flow_template, mended, quoted, short
from runner.language.node import plain

one_line = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff"))


def read(line: str) -> object:
    return plain(parse(Source(path="f", name="f", text=line)))


@given(one_line)
def test_a_quoted_text_reads_back(text: str) -> None:
    assert read(f"a: {quoted(text)}") == {"a": text}


@given(st.text("ab \"'\\:#{}[]%*&!|>@`,-?", min_size=1, max_size=20), st.sampled_from(["", "  ", "- ", "  - "]))
def test_a_mended_line_reads_as_its_value(text: str, lead: str) -> None:
    better = mended(f"{lead}prompt: x{text}")
    found = read(better)
    member = found[0] if isinstance(found, list) else found
    assert isinstance(member, dict)
    value = member["prompt"]
    kept = f"x{text}".strip().split(" #")[0].rstrip()
    assert value == kept


@pytest.mark.parametrize(
    ("line", "better"),
    [
        ("prompt: {{ x }}", 'prompt: "{{ x }}"'),
        ("  - prompt: {{ x }} walks  # c", '- prompt: "{{ x }} walks"  # c'),
        ("- {{ x }}", '- "{{ x }}"'),
        ("{{ x }}", '"{{ x }}"'),
        ('prompt: {{ row["a"] }}', "prompt: '{{ row[\"a\"] }}'"),
        ('prompt: "{{ x }}" walks', 'prompt: "{{ x }} walks"'),
        ('prompt: "Come" he says', "prompt: '\"Come\" he says'"),
        ("prompt: 'it's'", 'prompt: "it\'s"'),
        ('prompt: "C:\\movies"', "prompt: 'C:\\movies'"),
        ('prompt: he says: "it\'s" \\o/', 'prompt: "he says: \\"it\'s\\" \\\\o/"'),
        ("params: {image: {{ x }}, duration: 5}", 'params: {image: "{{ x }}", duration: 5}'),
        ("videos: [{{ a }}, {{ b }}, c]", 'videos: ["{{ a }}", "{{ b }}", c]'),
        ("videos: [{{ a['x'] }}, \"{{ b }}\"]", 'videos: ["{{ a[\'x\'] }}", "{{ b }}"]'),
        ("params: {a: slowly {{ x }} walks, b: 1}", 'params: {a: "slowly {{ x }} walks", b: 1}'),
        ("", ""),
        ("   ", ""),
        ("a: " + "x" * LONGEST, ""),
    ],
)
def test_a_line_is_mended_as_its_author_meant_it(line: str, better: str) -> None:
    assert mended(line) == better


def test_a_line_within_brackets_is_mended_at_its_templates_alone() -> None:
    assert mended("  image: {{ x }},", flow=True) == 'image: "{{ x }}",'
    assert mended("  image: x,", flow=True) == ""


def test_a_quoted_template_is_no_unquoted_one() -> None:
    assert flow_template('{a: "{{ x }}", b: {{ y }}}') == 19
    assert flow_template("{a: '{{ x }}'}") == 0


@given(st.text())
def test_a_shortened_text_is_one_short_line(text: str) -> None:
    assert len(short(text)) <= 100
    assert "\n" not in short(text)
