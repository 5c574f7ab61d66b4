import re
import subprocess
import sys
from collections.abc import Mapping

import jinja2
import pytest
from boards import reader
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.core.diagnostics import Diagnostic, Rejected, Source, Span
from runner.language.node import Scalar, Style
from runner.language.operations import shown
from runner.language.template import Templates, is_template, is_whole

NAMES: Mapping[str, object] = {
    "hero": "an old man",
    "city": "Oslo",
    "n": 5,
    "half": 2.5,
    "whole": 5.0,
    "yes": True,
    "nothing": None,
    "empty": "",
    "places": ["pier", "tower"],
    "cast": {"copy": "carbon", "items": "seven", "keys": {"get": "got"}},
    "row": {"id": "A-1", "name": "Sofa", "stock": "3", "copy": "yes", "values": "v"},
}


def scalar(text: str) -> Scalar:
    source = Source(path="film.yaml", name="film.yaml", text=f"prompt: {text}")
    span = Span(source=source, line=1, column=9, end_line=1, end_column=9 + len(text))
    return Scalar(span=span, value=text, text=text, style=Style.PLAIN)


def text(template: str, names: Mapping[str, object] = NAMES, files: Mapping[str, str] | None = None) -> str:
    return Templates(reader(files or {}), "").text(scalar(template), names, "shot `a`")


def value(template: str, names: Mapping[str, object] = NAMES) -> object:
    return Templates(reader({}), "").value(scalar(template), names, "shot `a`")


def fault(template: str, names: Mapping[str, object] = NAMES, *, native: bool = False) -> Diagnostic:
    with pytest.raises(Rejected) as rejected:
        (value if native else text)(template, names)
    (found,) = rejected.value.diagnostics
    return found


# --- text ---


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("{{ hero }} in {{city}}", "an old man in Oslo"),
        ("{{ n }} {{ half }} {{ whole }} {{ yes }} {{ not yes }}{{ empty }}", "5 2.5 5 true false"),
        ("{{ hero | upper }} {{ places | join(', ') }}", "AN OLD MAN pier, tower"),
        ("{% for place in places %}{{ loop.index }} {{ place }}{{ ', ' if not loop.last }}{% endfor %}", "1 pier, 2 tower"),
        ("{% for key, word in row | items %}{{ key }}={{ word }} {% endfor %}", "id=A-1 name=Sofa stock=3 copy=yes values=v "),
        ("{% if n > 3 %}many{% elif n %}few{% else %}none{% endif %}", "many"),
        ("{% set a = n + 1 %}{{ a * 2 }} {{ 7 // 2 }} {{ 7 % 4 }} {{ 2 ** 8 }} {{ 5 / 2 }} {{ -n }}", "12 3 3 256 2.5 -5"),
        ("{{ 'take ' ~ n ~ ' of ' ~ whole }}", "take 5 of 5"),
        ("{{ '%03d' % n }} {{ '%s-%.1f' | format(city, half) }}", "005 Oslo-2.5"),
        ("{{ row.stock | int + 1 }} {{ '2.5' | float }} {{ 'x' | int(9) }} {{ 2.567 | round(1) }}", "4 2.5 9 2.6"),
        ("{{ lost | default('fog') }} {{ row.lost | default('x') }} {{ lost is defined }}", "fog x false"),
        ("{{ places[0] }} {{ places[-1] }} {{ hero[:2] }} {{ hero[3:] | title }} {{ places | length }}", "pier tower an Old Man 2"),
        ("{{ hero | replace('old', 'young') }} {{ 1 < n <= 5 }} {{ 'old' in hero }} {{ 3 in [1, 2] }}", "an young man true true false"),
        ("{# said to nobody #}{% raw %}{{ kept }}{% endraw %}", "{{ kept }}"),
        ("{{ range(3) | join }} {{ [3, 1, 2] | sort | first }} {{ [1, 2] | sum }} {{ {'a': 1}.a }}", "012 1 3 1"),
        ("a\n{%- if yes %}\nb\n{%- endif %}\n", "a\nb\n"),
        ("ends with a line\n{{ hero }}\n", "ends with a line\nan old man\n"),
    ],
)  # fmt: skip
def test_a_template_is_rendered(template: str, rendered: str) -> None:
    assert text(template) == rendered


def test_a_text_without_a_template_is_left_alone() -> None:
    for plain in ("a { b } c", "100 %}", "}} {", "a\n\n"):
        assert not is_template(plain)
        assert text(plain) == plain


def test_a_column_with_the_name_of_a_method_is_that_column() -> None:
    assert (
        text("{{ row.copy }} {{ row.values }} {{ row['copy'] }} {{ cast.items }} {{ cast.keys.get }}")
        == "yes v yes seven got"
    )
    assert fault("{{ row.items }}").code == "undefined-variable"
    assert fault("{{ row.keys }}").code == "undefined-variable"


@pytest.mark.parametrize("template", ["{{ places }}", "{{ cast }}", "{{ nothing }}", "{{ row | items }}", "{{ range }}", "{{ hero ~ places }}", "{{ [1] | join }}{{ [[1]] | join }}", "{{ cast | string }}", "{% for x in places %}{{ loop }}{% endfor %}"])  # fmt: skip
def test_what_is_no_text_never_stands_in_one(template: str) -> None:
    assert fault(template).code == "template-value"


def test_one_row_of_a_table_does_not_show_in_the_next() -> None:
    templates = Templates(reader({}), "")
    written = scalar("{% if row.a %}{% set b = row.a %}{{ b | upper }}{% endif %}{{ b | default('-') }}")
    assert [templates.text(written, {"row": {"a": a}}, "") for a in ("x", "", "y")] == ["Xx", "-", "Yy"]


# --- values ---


@pytest.mark.parametrize(
    ("template", "given_"),
    [
        ("{{ n }}", 5), ("{{ half }}", 2.5), ("{{ yes }}", True), ("{{ nothing }}", None), ("{{ hero }}", "an old man"),
        (" {{ row.stock | int }} ", 3), ("{{ places }}", ["pier", "tower"]), ("{{ row.stock }}", "3"),
        ("{{ cast }}", {"copy": "carbon", "items": "seven", "keys": {"get": "got"}}), ("{{ n > 3 and not nothing }}", True),
        ("{{ {'a': [1, 2.5, none]} }}", {"a": [1, 2.5, None]}), ("{{ places | map('upper') }}", ["PIER", "TOWER"]),
        ("{{ (1, 2) }}", [1, 2]), ("{{- n -}}", 5), ("{{ '}}' }}", "}}"), ("{{ row | items | first }}", ["id", "A-1"]),
    ],
)  # fmt: skip
def test_a_whole_value_template_gives_the_value_itself(template: str, given_: object) -> None:
    assert is_whole(template)
    found = value(template)
    assert found == given_
    assert type(found) is type(given_)


def test_a_value_is_a_copy() -> None:
    for name in ("places", "cast"):
        found = value(f"{{{{ {name} }}}}")
        assert found == NAMES[name]
        assert found is not NAMES[name]


@pytest.mark.parametrize(
    "template", ["{{ range }}", "{{ 'x' if not yes }}", "{{ {'a': range} }}", "{{ 1e300 * 1e300 }}"]
)
def test_what_json_has_no_word_for_is_no_value(template: str) -> None:
    assert fault(template, native=True).code == "template-value"


@pytest.mark.parametrize("template", ["{{ a }} {{ b }}", "{{ a }}x", "{% if a %}{% endif %}", "{% set a = 1 %}{{ a }}"])
def test_only_one_expression_has_a_value(template: str) -> None:
    assert fault(template, native=True).code == "template-syntax"


@pytest.mark.parametrize("template", ["{{ x }} {{ y }}", "{{ x }}a", "a{{ x }}", "{# c #}{{ x }}", "{% if x %}{{ x }}{% endif %}", "x", "", "{{ {} }}{{ x }}", "{{ '}}' }} {{ x }}", "{{ x }}{% raw %}}}{% endraw %}"])  # fmt: skip
def test_a_template_with_anything_around_it_is_not_whole(template: str) -> None:
    assert not is_whole(template)


# --- the way without Jinja ---

_KEY = st.sampled_from(["hero", "n", "half", "whole", "yes", "nothing", "empty", "places", "cast", "row", "lost", "true", "none", "self", "loop", "range", "if", "not"])  # fmt: skip
_MEMBER = st.sampled_from(["", ".copy", ".stock", ".items", ".keys", ".get", ".lost"])
_PIECE = st.one_of(
    st.tuples(_KEY, _MEMBER, st.sampled_from(["", " ", "  "])).map(
        lambda parts: f"{{{{{parts[2]}{parts[0]}{parts[1]}{parts[2]}}}}}"
    ),
    st.text("ab\n\r{}% #-", max_size=6),
)


@given(st.lists(_PIECE, max_size=6).map("".join))
@example("{{{hero}}")
@example("{{hero}}}")
@settings(max_examples=200, deadline=None)
def test_plain_names_are_filled_in_as_jinja_would(template: str) -> None:
    """Both ways give the same text, or the same fault: what the short way cannot do it leaves to Jinja."""
    templates = Templates(reader({}), "")
    written = scalar(template)
    filled = templates._filled(template, NAMES)
    if filled is not None:
        assert filled == templates._rendered(written, NAMES, "", native=False)


@given(
    st.lists(st.tuples(st.text("ab \n}", max_size=5), st.sampled_from(["hero", "n", "row.name", "yes"])), max_size=5)
)
def test_plain_names_of_plain_values_need_no_jinja(pieces: list[tuple[str, str]]) -> None:
    template = "".join(f"{literal}{{{{ {name} }}}}" for literal, name in pieces)
    expected = re.sub(r"\{\{ (.*?) \}\}", lambda found: {"hero": "an old man", "n": "5", "row.name": "Sofa", "yes": "true"}[found[1]], template)  # fmt: skip
    assert Templates(reader({}), "")._filled(template, NAMES) == expected


def test_jinja_is_not_loaded_for_plain_names() -> None:
    program = (
        "import sys; from runner.core.diagnostics import Source, Span; from runner.language.node import Scalar, Style\n"
        "from runner.language.template import Templates, is_template, is_whole\n"
        "source = Source(path='f', name='f', text=''); span = Span(source=source, line=1, column=1, end_line=1, end_column=1)\n"
        "def scalar(text): return Scalar(span=span, value=text, text=text, style=Style.PLAIN)\n"
        "templates = Templates(None, '')\n"
        "assert templates.text(scalar('{{ a }} {{ b.c }}'), {'a': 1, 'b': {'c': 'x'}}, '') == '1 x'\n"
        "assert not is_whole('x') and 'jinja2' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# --- Jinja's language, within bounds ---

# Left out: `~` and filters of texts on what is no text, where ours show `true` and `5` and Jinja's `True` and `5.0`.
_TEXT = st.tuples(st.sampled_from(["hero", "'x y'", "row.stock", "places[0]"]), st.sampled_from(["upper", "title", "trim", "lower", "capitalize", "wordcount"]))  # fmt: skip
_VALUES = st.one_of(
    st.sampled_from(["n", "half", "hero", "yes", "places", "row.stock", "'x'", "2", "[1, 2]", "cast", "0", "''"]),
    _TEXT.map(lambda parts: f"({parts[0]} | {parts[1]})"),
)
_EXPRESSIONS = st.recursive(
    _VALUES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "==", "<", "and", "or", "in", "//", "%"]), inner).map(lambda e: f"({e[0]} {e[1]} {e[2]})"),
        st.tuples(inner, st.sampled_from(["length", "first", "last", "list", "sort", "unique | list", "abs", "default(7)"])).map(lambda e: f"({e[0]} | {e[1]})"),
        st.tuples(inner, inner, inner).map(lambda e: f"({e[0]} if {e[1]} else {e[2]})"),
        inner.map(lambda e: f"({e})[0]"),
        inner.map(lambda e: f"({e})[1:]"),
        inner.map(lambda e: f"(not {e})"),
    ),
    max_leaves=5,
)  # fmt: skip
_TEMPLATES = st.one_of(
    _EXPRESSIONS.map(lambda e: f"a {{{{ {e} }}}} b"),
    st.tuples(_EXPRESSIONS, _EXPRESSIONS).map(lambda e: f"{{% for x in {e[0]} %}}{{{{ x }}}}{{{{ {e[1]} }}}}{{% else %}}-{{% endfor %}}"),
    st.tuples(_EXPRESSIONS, _EXPRESSIONS).map(lambda e: f"{{% set y = {e[0]} %}}{{% if y %}}{{{{ y }}}}{{% else %}}{{{{ {e[1]} }}}}{{% endif %}}"),
)  # fmt: skip

JINJA = jinja2.Environment(
    undefined=jinja2.StrictUndefined, finalize=shown, keep_trailing_newline=True, optimized=False
)


@given(_TEMPLATES)
@settings(max_examples=200, deadline=None)
def test_what_is_not_refused_is_what_jinja_gives(template: str) -> None:
    try:
        rendered = text(template)
        expected = JINJA.from_string(template).render(NAMES)
    except (Rejected, SyntaxError):  # of `2[1:]` Jinja makes code that is no Python
        return
    assert rendered == expected


# --- fragments ---


def test_a_fragment_is_rendered_with_the_names_around_it() -> None:
    files = {
        "parts/sky.txt": "{{ hero }} below {% include 'deep/cloud.txt' %}",
        "parts/deep/cloud.txt": "{{ x }} clouds",
    }
    assert text("{% for x in range(2) %}{% include 'parts/sky.txt' %}. {% endfor %}", files=files) == (
        "an old man below 0 clouds. an old man below 1 clouds. "
    )


def test_a_fragment_keeps_its_lines_without_carriage_returns_and_byte_order_mark() -> None:
    assert text("{% include 'a.txt' %}", files={"a.txt": "\ufeffone\r\ntwo\r\n"}) == "one\ntwo\n"


def test_a_fragment_stands_below_the_storyboard() -> None:
    source = Source(path="films/a/film.yaml", name="film.yaml", text="prompt: x")
    span = Span(source=source, line=1, column=9, end_line=1, end_column=10)
    files = {"films/a/sky.txt": "sky", "films/b/sky.txt": "no", "sky.txt": "no"}

    def include(path: str) -> str:
        written = Scalar(span=span, value="", text=f"{{% include '{path}' %}}", style=Style.PLAIN)
        return Templates(reader(files), "films/a").text(written, NAMES, "")

    assert include("sky.txt") == include("./sky.txt") == include("../a/sky.txt") == "sky"
    for path in ("../b/sky.txt", "../../sky.txt", "../../../sky.txt", "/sky.txt", ".git/config", ".env", "x\\\\y"):
        with pytest.raises(Rejected) as rejected:
            include(path)
        assert [found.code for found in rejected.value.diagnostics] == ["bad-path"], path


def test_fragments_of_each_other_are_refused_and_the_same_one_twice_is_not() -> None:
    files = {"a.txt": "{% include 'b.txt' %}", "b.txt": "{% include 'a.txt' %}", "c.txt": "c"}
    with pytest.raises(Rejected) as rejected:
        text("{% include 'a.txt' %}", files=files)
    (found,) = rejected.value.diagnostics
    assert (found.code, found.headline) == ("template-include", "`a.txt` includes itself: a.txt -> b.txt -> a.txt")
    assert text("{% include 'c.txt' %}{% include 'c.txt' %}", files=files) == "cc"
    deep = {f"{n}.txt": f"{{% include '{n + 1}.txt' %}}" for n in range(20)}
    with pytest.raises(Rejected, match="include each other"):
        text("{% include '0.txt' %}", files={**deep, "20.txt": "x"})
