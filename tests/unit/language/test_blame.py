from collections.abc import Mapping

import pytest
from boards import reader

from runner.core.diagnostics import Diagnostic, Rejected, Source, Span
from runner.language import node
from runner.language.document import parse
from runner.language.node import Scalar
from runner.language.template import Templates

NAMES: Mapping[str, object] = {
    "hero": "an old man",
    "city": "Oslo",
    "weather": "fog",
    "n": 5,
    "places": ["pier"],
    "cast": {"lead": {"name": "Ann"}},
    "row": {"id": "1", "name": "Sofa", "stock": "3"},
}


def fault(film: str, files: Mapping[str, str] | None = None, *, native: bool = False) -> Diagnostic:
    """The fault of the value of `prompt`, the last key of the file."""
    tree = parse(Source(path="film.yaml", name="film.yaml", text=film))
    assert isinstance(tree, node.Mapping)
    prompt = tree.get("prompt")
    assert isinstance(prompt, Scalar)
    templates = Templates(reader(files or {}), "")
    with pytest.raises(Rejected) as rejected:
        (templates.value if native else templates.text)(prompt, NAMES, "shot `crossing`")
    (found,) = rejected.value.diagnostics
    return found


def of(template: str) -> Diagnostic:
    return fault("prompt: |\n" + "".join(f"  {line}\n" for line in template.split("\n")))


def under(span: Span | None) -> tuple[str, int, str]:
    """File, line and the text under the caret."""
    assert span is not None
    assert span.line == span.end_line
    return span.source.path, span.line, span.source.line(span.line)[span.column - 1 : span.end_column - 1]


def test_an_undefined_name_is_told_as_the_house_tells_it() -> None:
    found = fault("shot: crossing\nprompt: |\n  A bridge.\n  Slowly, {{ heroe }} crosses the bridge.\n")
    assert (found.code, found.headline) == ("undefined-variable", "`heroe` is not defined for shot `crossing`")
    assert under(found.span) == ("film.yaml", 4, "heroe")
    assert found.help == "did you mean `hero`? In scope here: cast, city, hero, n, places, row, weather"


@pytest.mark.parametrize(
    ("template", "line", "word", "headline"),
    [
        ("{{ row.nam }}", 2, "nam", "`row.nam` is not defined for shot `crossing`"),
        ("{{ row['nam'] }}", 2, "'nam'", "`row.nam` is not defined for shot `crossing`"),
        ("{{ cast.lead.nam }}", 2, "nam", "`cast.lead.nam` is not defined for shot `crossing`"),
        ("{{ name }} {{ row.name }}", 2, "name", "`name` is not defined for shot `crossing`"),
        ("{{ row.name }} {{ name }}", 2, "name", "`name` is not defined for shot `crossing`"),
        ("{{ hero }} heroe\n{{ hero }}\n{{ heroe }}", 4, "heroe", "`heroe` is not defined for shot `crossing`"),
        ("{{ hero\n  ~ heroe }}", 3, "heroe", "`heroe` is not defined for shot `crossing`"),
        ("{% if heroe %}{% endif %}", 2, "heroe", "`heroe` is not defined for shot `crossing`"),
        ("{% for a in heroe %}{% endfor %}", 2, "heroe", "`heroe` is not defined for shot `crossing`"),
        ("{{ heroe | upper }}", 2, "heroe", "`heroe` is not defined for shot `crossing`"),
        ("{{ [heroe] }}", 2, "heroe", "`heroe` is not defined for shot `crossing`"),
        ("{{ hero.name }}", 2, "name", "a text has no `name` for shot `crossing`"),
        ("{{ places[3] }}", 2, "{{ places[3] }}", "a list of 1 has no member 3 for shot `crossing`"),
        ("{{ [] | first }}", 2, "{{ [] | first }}", "the list is empty for shot `crossing`"),
    ],
)
def test_a_name_that_nothing_defines_is_found(template: str, line: int, word: str, headline: str) -> None:
    found = of(template)
    assert (found.code, found.headline, under(found.span)) == (
        "undefined-variable",
        headline,
        ("film.yaml", line, word),
    )


def test_a_column_that_is_not_there_suggests_one_that_is() -> None:
    assert of("{{ row.nam }}").help == "did you mean `name`? `row` has: id, name, stock"


@pytest.mark.parametrize(
    ("template", "line", "word", "headline", "advice"),
    [
        ("{{ hero", 2, "{{", "the template ends before `}}`", ""),
        ("x\n{{ hero city }}", 3, "city", "`city` stands where the expression should end", "`~` joins: `{{ a ~ b }}`; texts are quoted"),
        ("{{ }}", 2, "}}", "`}}` cannot stand here", ""),
        ("{{ a ? b }}", 2, "?", "`?` means nothing in a template", "texts are quoted: `{{ 'text' }}`"),
        ("{% if n %}\n{% if n %}{% endif %}\n", 2, "if", "`{% if %}` is never closed", "write `{% endif %}` where it ends"),
        ("{% for a in places %}\n{% endif %}", 2, "for", "`{% for %}` is never closed", "write `{% endfor %}` where it ends"),
        ("{% endif %}", 2, "endif", "`{% endif %}` closes nothing", "take it out"),
        ("{% while n %}", 2, "while", "`{% while %}` means nothing here", "templates know `if`, `for`, `set` and `include`"),
        ("x\n{# said", 3, "{#", "`{#` begins a comment, and no `#}` ends it", "a `{#` that is meant as text is written `{{ '{#' }}`"),
        ("{% raw %}", 2, "{", "`{% raw %}` is never closed", "write `{% endraw %}` behind it"),
        ("{{ hero.upper() }}", 2, "upper", "values have no methods here: `.upper(...)`", "there is a filter: `x | upper`"),
        ("{{ upper(hero) }}", 2, "upper", "`upper` is a filter and not a function", "write `x | upper`"),
        ("{% macro m() %}{% endmacro %}", 2, "macro", "`{% macro %}` is not used here", "templates know `if`, `for`, `set` and `include`"),
        ("{% for loop in places %}{% endfor %}", 2, "loop", "`loop` is a word of the template language", ""),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_read_is_told_in_plain_words(
    template: str, line: int, word: str, headline: str, advice: str
) -> None:
    found = of(template)
    assert (found.code, found.headline, found.help) == ("template-syntax", headline, advice)
    assert under(found.span) == ("film.yaml", line, word)


def test_an_unknown_filter_or_test_suggests_one() -> None:
    found = of("x\n{{ hero | uper }}")
    assert (found.code, found.headline, under(found.span)) == (
        "unknown-filter",
        "there is no filter `uper`",
        ("film.yaml", 3, "uper"),
    )
    assert found.help.startswith("did you mean `upper`? filters: abs, capitalize")
    assert of("{{ hero is defind }}").help.startswith("did you mean `defined`? tests: boolean")


@pytest.mark.parametrize(
    ("template", "word", "headline", "advice"),
    [
        ("{{ '3' + 1 }}", "+", "`+` cannot stand between a text and a number", "`| int` makes a number of a text: `x | int + 1`; `~` joins anything to a text"),
        ("{{ hero + places }}", "+", "`+` cannot stand between a text and a list", "`~` joins anything to a text"),
        ("{% if row.stock > 3 %}{% endif %}", ">", "`>` cannot stand between a text and a number", "`| int` makes a number of a text: `x | int + 1`"),
        ("{{ -hero }}", "-", "`-` takes a number, not a text", ""),
        ("{{ row.name | int }}", "int", "the text `Sofa` is no number", "give one to use instead: `x | int(0)`"),
        ("{{ places | join(sep=1) }}", "join", "`join` takes no `sep`", ""),
        ("{{ n / 0 }}", "/", "`/` divides by zero", ""),
        ("{{ places }}", "{{ places }}", "a list cannot stand in a text", "join its members: `{{ x | join(', ') }}`"),
        ("{{ cast }}", "{{ cast }}", "a mapping cannot stand in a text", "name one of its keys: `{{ x.key }}`"),
    ],
)  # fmt: skip
def test_a_wrong_use_of_a_value_is_told_under_what_refused_it(
    template: str, word: str, headline: str, advice: str
) -> None:
    found = of(f"x\n{template}")
    assert (found.code, found.headline, found.help) == ("template-value", headline, advice)
    assert under(found.span) == ("film.yaml", 3, word)
    assert found.notes == ("rendered for shot `crossing`",)


def test_the_place_is_right_in_every_style_of_scalar() -> None:
    for film in (
        "prompt: one {{ heroe }}\n",
        "prompt: 'it''s {{ heroe }}'\n",
        'prompt: "say \\"{{ heroe }}\\""\n',
        "prompt: >\n  folded\n  text {{ heroe }}\n",
        "prompt: wrapped\n  text {{ heroe }}\n",
    ):
        assert under(fault(film).span)[2] == "heroe"


def test_a_fault_in_a_fragment_is_told_there_with_the_places_that_include_it() -> None:
    files = {"parts/a.txt": "one\r\n{% include 'b.txt' %}\r\n", "parts/b.txt": "\ufeffone\r\ntwo {{ heroe }}\r\n"}
    found = fault("prompt: |\n  x\n  {% include 'parts/a.txt' %}\n", files)
    assert under(found.span) == ("parts/b.txt", 2, "heroe")
    assert [under(label.span) for label in found.others] == [("parts/a.txt", 2, "include"), ("film.yaml", 3, "include")]
    assert {label.text for label in found.others} == {"included here"}


def test_a_fragment_that_cannot_be_read_or_compiled_is_told() -> None:
    found = fault("prompt: |\n  x\n  {% include 'a.txt' %}\n", {"a.txt": "one\n{{ n | nope }}"})
    assert (found.code, under(found.span)) == ("unknown-filter", ("a.txt", 2, "nope"))
    found = fault("prompt: |\n  x\n  {% include 'gone.txt' %}\n")
    assert (found.code, under(found.span)) == ("missing-file", ("film.yaml", 3, "'gone.txt'"))
    found = fault("prompt: |\n  {% include n %}\n")
    assert (found.code, found.headline) == ("template-include", "an include takes a path, not a number")


def test_long_names_and_many_names_are_cut_short() -> None:
    found = of("{{ " + "x" * 5000 + " }}")
    assert len(found.headline) < 400
    names = {f"name{number:03}": 1 for number in range(200)}
    with pytest.raises(Rejected) as rejected:
        tree = parse(Source(path="f", name="f", text="prompt: '{{ lost }}'"))
        assert isinstance(tree, node.Mapping)
        Templates(reader({}), "").text(tree.entries[0].value, names, "x")  # type: ignore[arg-type]
    assert rejected.value.diagnostics[0].help.endswith("name019, ...")
