"""What templates cannot do. A template that got away with it would not fail these tests: it would not come back."""

import pytest
from boards import reader
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.core.diagnostics import Rejected, Source, Span
from runner.language import bounds
from runner.language.bounds import MOST_CHARACTERS, MOST_STEPS
from runner.language.node import Scalar, Style
from runner.language.template import Templates

BIG = "x" * 60_000
NAMES = {
    "s": "ab",
    "n": 5,
    "big": BIG,
    "many": list(range(15_000)),
    "d": {"a": {"b": 1}},
    "l": ["a", "b"],
    "nothing": None,
}


def scalar(text: str) -> Scalar:
    source = Source(path="film.yaml", name="film.yaml", text="prompt: x")
    span = Span(source=source, line=1, column=9, end_line=1, end_column=10)
    return Scalar(span=span, value=text, text=text, style=Style.PLAIN)


def refused(template: str, templates: Templates | None = None) -> str:
    with pytest.raises(Rejected) as rejected:
        (templates or Templates(reader({}), "")).text(scalar(template), NAMES, "shot `a`")
    (found,) = rejected.value.diagnostics
    return found.code


def chain(step: str, times: int, begin: str, end: str) -> str:
    return begin + step * times + end


@pytest.mark.parametrize(
    "template",
    [
        "{{ 9 ** 999999999 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ 2 ** 1000 * 2 ** 1000 }}",
        "{{ 1e308 ** 9 }}",
        "{{ 'a' * 999999999 }}",
        "{{ 999999999 * 'a' }}",
        "{{ big ~ big }}",
        "{{ big + big }}",
        "{{ big }}{{ big }}",
        "{{ l | join(big) | replace('x', big) }}",
        "{{ s | replace('', big) }}",
        "{{ '%s%s' % (big, big) }}",
        "{{ many | join('----------') }}",
        "{{ many + many }}",
        "{{ big | list }}",
        "{{ range(10 ** 9) }}",
        "{{ range(10 ** 9) | length }}",
        "{% for a in range(20000) %}{% for b in range(20000) %}{% endfor %}{% endfor %}",
        "{% for a in big %}{% for b in big %}{% endfor %}{% endfor %}",
        "{% for a in many %}" + "{% if a == a %}{% endif %}" * 9 + "{% endfor %}",
        "{% for a in range(3000) %}{% set t = big | title %}{% endfor %}",
        "{% for a in range(3000) %}{% set t = big[1:] %}{% endfor %}",
        "{% for a in range(9000) %}{% if 'q' in big %}{% endif %}{% endfor %}",
        "{{ many | sort(attribute='" + "a," * 20_000 + "') }}",
        chain("{% set s = s ~ s %}", 60, "", "{{ s }}"),
        chain("{% set s = s + s %}", 60, "", "{{ s }}"),
        chain("{% set a = [a, a] %}", 40, "{% set a = 1 %}", "{{ a | string }}"),
        chain("{% set a = {'k': a, 'l': a} %}", 40, "{% set a = 1 %}", ""),
        chain("{% set a = [a, a] %}{% set b = [b, b] %}", 40, "{% set a = 1 %}{% set b = 1 %}", "{{ a == b }}"),
        chain("{% set a = [a] %}", 200, "{% set a = 1 %}", "{{ a == a }}"),
        "{{ " + "9" * 5000 + " }}",
        "{{ 0x" + "f" * 5000 + " }}",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "-" * 5000 + "1 }}",
        "{{ " + "1 + " * 5000 + "1 }}",
        "{{ n" + ".a" * 5000 + " }}",
        "{{ 1" + " | abs" * 5000 + " }}",
        "{{ " + "[" * 900 + "]" * 900 + " }}",
        "{% if n %}" * 500 + "{% endif %}" * 500,
        "{% for a in l %}" * 9 + "{% endfor %}" * 9,
        "{{ n }}" * 3000,
        "{% if n %}" + "{% elif n %}" * 6000 + "{% endif %}",
        "{{ n }}" + " " * MOST_CHARACTERS,
    ],
    ids=lambda template: template[:40],
)
def test_what_grows_without_end_is_refused(template: str) -> None:
    assert refused(template) == "template-limit"


@pytest.mark.parametrize(
    "template",
    [
        "{{ '%0999999999d' % 1 }}",
        "{{ '%.999999999f' % 1 }}",
        "{{ '%*d' % (999999999, 1) }}",
        "{{ '%(a)s' % d }}",
        "{{ '%0999999999d' | format(1) }}",
        "{{ '%0999999999d' is odd }}",
        "{{ '%0999999999d' is even }}",
        "{{ '%0999999999d' is divisibleby 1 }}",
        "{{ 1.5 | round(999999999, 'ceil') }}",
        "{{ 1 | round(-999999999) }}",
        "{{ (-8) ** 0.5 }}",
        "{{ 1 // 0 }}",
        "{{ 1 % 0 }}",
        "{{ 0 ** -1 }}",
        "{{ l[::0] }}",
        "{{ {[1]: 2} }}",
        "{{ d[[1]] }}",
        "{% for a, b in l %}{% endfor %}",
        "{% for a in n %}{% endfor %}",
        "{{ l | sum }}",
        "{{ nothing | upper }}",
        "{{ n | length }}",
        "{{ l | sort(nope=1) }}",
        "{{ s | replace('a') }}",
        "{% set range = 1 %}{{ range(1) }}",
    ],
)
def test_what_cannot_be_done_with_a_value_is_refused(template: str) -> None:
    assert refused(template) == "template-value"


@pytest.mark.parametrize(
    "template",
    [
        "{% macro m() %}{% endmacro %}", "{% call m() %}{% endcall %}", "{% block b %}{% endblock %}", "{% extends 'a' %}",
        "{% import 'a' as b %}", "{% from 'a' import b %}", "{% filter upper %}{% endfilter %}", "{% set a %}{% endset %}",
        "{% with a = 1 %}{% endwith %}", "{% autoescape true %}{% endautoescape %}", "{% do l %}", "{% break %}",
        "{% for a in l recursive %}{% endfor %}", "{% set a.b = 1 %}", "{% include 'a' ignore missing %}",
        "{% include 'a' without context %}", "{{ self }}", "{{ s.upper() }}", "{{ l.append(1) }}", "{{ d.items() }}",
        "{{ s.format(1) }}", "{{ ''.join(l) }}", "{{ lipsum() }}", "{{ cycler('a') }}", "{{ joiner() }}", "{{ namespace() }}",
        "{{ dict(a=1) }}", "{{ super() }}", "{{ caller() }}", "{{ (s)() }}", "{{ l[0]() }}", "{{ loop.__init__() }}",
        "{{ n | map(s) }}", "{{ l | select(s) }}", "{{ 1e999 }}",
    ],
)  # fmt: skip
def test_what_templates_may_not_write_is_refused(template: str) -> None:
    assert refused(template) == "template-syntax"


@pytest.mark.parametrize(
    "template",
    [
        "{{ s.__class__ }}", "{{ s['__class__'] }}", "{{ d.__init__ }}", "{{ s.format }}", "{{ l.append }}", "{{ d.keys }}",
        "{{ n.real }}", "{{ ''.__class__.__mro__ }}", "{{ range.__globals__ }}", "{{ l | map(attribute='__class__') | first }}",
        "{% for a in l %}{{ loop.__init__ }}{% endfor %}", "{% for a in l %}{{ loop._length }}{% endfor %}",
        "{{ environment }}", "{{ context }}", "{{ _ }}", "{{ cycler }}", "{{ undefined }}", "{{ l[9] }}", "{{ s[99] }}", "{{ d[1] }}",
    ],
)  # fmt: skip
def test_nothing_but_keys_and_members_can_be_reached(template: str) -> None:
    assert refused(template) == "undefined-variable"


@pytest.mark.parametrize("name", "attr batch center e escape filesizeformat forceescape groupby indent pprint random safe slice striptags tojson urlencode urlize wordwrap xmlattr".split())  # fmt: skip # noqa: SIM905
def test_a_filter_that_is_not_on_the_list_is_not_there(name: str) -> None:
    assert refused(f"{{{{ s | {name} }}}}") == "unknown-filter"
    assert refused(f"{{{{ l | map('{name}') }}}}") == "unknown-filter"


@pytest.mark.parametrize("name", ["callable", "sameas", "filter", "test", "escaped", "lower", "upper"])
def test_a_test_that_is_not_on_the_list_is_not_there(name: str) -> None:
    assert refused(f"{{{{ s is {name} }}}}") == "unknown-filter"
    assert refused(f"{{{{ l | select('{name}') }}}}") == "unknown-filter"


@pytest.mark.parametrize("name", ["~", "<>", "[]", "[:]", "for"])
def test_the_fences_own_words_cannot_be_written(name: str) -> None:
    assert refused(f"{{{{ l | map('{name}') | list }}}}") == "unknown-filter"


def test_all_templates_of_a_storyboard_have_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_STEPS_IN_ALL", MOST_STEPS)
    templates, template = Templates(reader({}), ""), "{% for a in range(15000) %}{% if a < 0 %}{% endif %}{% endfor %}"
    rendered = 0
    with pytest.raises(Rejected, match="all templates together"):
        for _ in range(9):
            templates.text(scalar(template), NAMES, "")
            rendered += 1
    assert rendered >= 1


def test_all_texts_of_a_storyboard_have_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.language.template.MOST_CHARACTERS_IN_ALL", 100_000)
    templates = Templates(reader({}), "")
    templates.text(scalar("{{ big }}"), NAMES, "")
    assert refused("{{ big }}", templates) == "template-limit"


_WORDS = st.sampled_from(
    ["{{ ", " }}", "{% ", " %}", "if ", "for a in ", "endif", "endfor", "else", "set a = ", "s", "n", "big", "l", "d", "many", "a", "loop", ".",
     "[0]", "[1:]", " + ", " * ", " ** ", " ~ ", " % ", " | ", "upper", "join", "list", "sort", "map('upper')", "first", "replace('a', big)",
     "is odd", "(", ")", "'%9d'", "99", "range(99)", "[", "]", ",", "{", "}", "'", "-", "not ", "include 'x'", "x"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(_WORDS, max_size=20).map("".join), st.lists(_WORDS, max_size=9).map(lambda words: f"{{{{ {''.join(words)} }}}}")))  # fmt: skip
@settings(deadline=None)
def test_any_text_gives_a_bounded_text_or_one_fault(template: str) -> None:
    templates = Templates(reader({"x": "{{ n }}{% include 'x' %}"}), "")
    for render in (templates.text, templates.value):
        try:
            given_ = render(scalar(template), NAMES, "shot `a`")
        except Rejected as rejected:
            (found,) = rejected.diagnostics
            assert found.span is not None
            assert len(found.headline) < 500
        else:
            assert len(str(given_)) < 500_000
