"""Names and templates: which value a name has, where templates are rendered, and where a fault in one is shown."""

import pytest
from boards import HEAD, codes, load, places, shot, takes_of


def prompt(text: str, files: dict[str, str] | None = None, **variables: str) -> str:
    board = load(text, files, **variables)
    assert board.diagnostics == ()
    return str(board.takes[0].texts["prompt"].value)


SAYS = "prompt: '{{ x }}'"


def test_names_win_in_the_order_include_vars_option_shot_matrix() -> None:
    files = {"cast.yaml": "vars: {x: include}\n"}
    head = f"{HEAD}include: [cast.yaml]\n"
    assert prompt(shot(SAYS, head), files) == "include"
    head += "vars: {x: vars}\n"
    assert prompt(shot(SAYS, head), files) == "vars"
    assert prompt(shot(SAYS, head), files, x="option") == "option"
    words = f"{SAYS}\nvars: {{x: shot}}"
    assert prompt(shot(words, head), files, x="option") == "shot"
    assert prompt(shot(f"{words}\nmatrix: {{x: [matrix]}}", head), files, x="option") == "matrix"


def test_a_later_include_wins_and_an_includes_own_names_over_those_it_includes() -> None:
    files = {
        "a.yaml": "include: [b.yaml]\nvars: {x: a}\n",
        "b.yaml": "vars: {x: b, y: b}\n",
        "c.yaml": "vars: {y: c}\n",
    }
    head = f"{HEAD}include: [a.yaml, c.yaml]\n"
    assert prompt(shot("prompt: '{{ x }} {{ y }}'", head), files) == "a c"


def test_a_file_included_twice_is_read_once() -> None:
    files = {f"f{n}.yaml": f"include: [f{n + 1}.yaml, f{n + 1}.yaml]\n" for n in range(40)} | {
        "f40.yaml": "vars: {x: deep}\n"
    }
    board = load(shot(SAYS, f"{HEAD}include: [f0.yaml]\n"), files)
    assert board.diagnostics == ()
    assert len(board.sources) == 42


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"cast.yaml": "include: [cast.yaml]\n"}, "include-cycle"),
        ({"cast.yaml": "include: [film.yaml]\n"}, "include-cycle"),
        ({"cast.yaml": "include: [more.yaml]\n", "more.yaml": "include: [cast.yaml]\n"}, "include-cycle"),
        ({}, "missing-file"),
        ({"cast.yaml": "vars: [\n"}, "yaml-syntax"),
        ({"cast.yaml": "- vars\n"}, "bad-type"),
        ({"cast.yaml": "vars: {x: 1}\nshots: []\n"}, "unknown-key"),
        ({"cast.yaml": "include: [../more.yaml]\n"}, "bad-path"),
        ({"cast.yaml": "vars: []\n"}, "bad-type"),
    ],
)
def test_a_faulty_include_is_reported_once_and_the_names_it_may_hold_are_not(files: dict[str, str], code: str) -> None:
    head = f"{HEAD}include: [cast.yaml]\n"
    assert codes(load(shot(f"{SAYS}\nimage: keeper", head), files)) == [code] + ["unknown-reference"] * (
        code == "unknown-key"
    )


def test_other_faults_are_reported_beside_an_include_that_cannot_be_read() -> None:
    board = load(shot("prompt: '{{ x }}'\ntrim: {out: '{{ 0 }}'}", f"{HEAD}include: [cast.yaml]\n"))
    assert codes(board) == ["missing-file", "bad-value"]


def test_a_chain_of_includes_has_an_end() -> None:
    files = {f"f{n}.yaml": f"include: [f{n + 1}.yaml]\n" for n in range(500)}
    assert codes(load(shot(head=f"{HEAD}include: [f0.yaml]\n"), files)) == ["too-many"]


def test_templates_are_rendered_where_they_may_stand() -> None:
    head = f"{HEAD}vars: {{n: 5, flag: true, s: 0.5, word: low, clip: a/b, list: [x/a.mp4, x/b.mp4], cut: {{in: 1, out: 2}}}}\n"
    words = """\
title: "{{ word }} {{ n }}"
negative_prompt: "no {{ word }}"
image: "{{ clip }}.png"
audio: "{{ clip }}.mp3"
videos: ["{{ clip }}.mp4"]
trim: {in: "{{ s }}", out: "{{ n }}"}
transition: {dissolve: "{{ s * 2 }}"}
params: {duration: "{{ n }}", generate_audio: "{{ flag }}", note: "{{ word }}-{{ n }}", deep: [{a: "{{ n }}"}]}
"""
    board = load(shot(words, head))
    assert board.diagnostics == ()
    (take,) = board.takes
    assert (take.title, take.texts["negative_prompt"].value) == ("low 5", "no low")
    assert {word: setting.uses[0].path for word, setting in take.media.items()} == {
        "image": "a/b.png",
        "audio": "a/b.mp3",
        "videos": "a/b.mp4",
    }
    assert {name: setting.value for name, setting in take.params.items()} == {
        "duration": 5, "generate_audio": True, "note": "low-5", "deep": [{"a": 5}],
    }  # fmt: skip
    assert take.trim is not None
    assert (str(take.trim.in_s), str(take.trim.out_s)) == ("0.5", "5")
    assert take.transition is not None
    assert take.transition.seconds == 1
    whole = load(shot('videos: "{{ list }}"\ntrim: "{{ cut }}"', head)).takes[0]
    assert [use.path for use in whole.media["videos"].uses] == ["x/a.mp4", "x/b.mp4"]
    assert whole.trim is not None
    assert whole.trim.out_s == 2


def test_a_prompt_is_text_whatever_its_template_gives() -> None:
    assert prompt(shot("vars: {year: 1984}\nprompt: '{{ year }}'")) == "1984"


@pytest.mark.parametrize(
    "words",
    ["trim: {in: '{{ s }} s'}", "transition: {dissolve: 'x{{ s }}'}", "videos: 'a {{ s }}'", "trim: '{{ s }}{{ s }}'"],
)
def test_text_around_a_typed_template_is_refused_once(words: str) -> None:
    assert codes(load(shot(f"vars: {{s: 1}}\nmatrix: {{x: [a, b]}}\n{words}"))) == ["text-around-template"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("trim: {in: '{{ word }}'}", "bad-type"),
        ("trim: {in: '{{ -1 }}'}", "bad-value"),
        ("videos: '{{ word }}'", "bad-type"),
        ("image: '{{ \"\" }}'", "no-value"),
        ("prompt: '{{ \" \" }}'", "no-value"),
        ("image: '{{ word }}'", "unknown-reference"),
        ("image: '../{{ word }}.png'", "bad-path"),
        ("params: {duration: '{{ none }}'}", "no-value"),
        ("videos: ['{{ 7 }}']", "bad-type"),
    ],
)
def test_what_a_template_gives_is_held_to_the_same_rules(words: str, code: str) -> None:
    board = load(shot(f"vars: {{word: low}}\n{words}"))
    assert codes(board) == [code]
    assert board.takes == ()


def test_a_number_in_a_cell_is_text_and_the_help_says_how_it_becomes_one() -> None:
    (fault,) = load(shot("for_each: t.csv\ntrim: {in: '{{ row.s }}'}"), {"t.csv": "id,s\nA,0.5\n"}).diagnostics
    assert (fault.code, "| float" in fault.help) == ("bad-type", True)


def test_what_a_template_gives_is_not_rendered_again() -> None:
    assert prompt(shot("prompt: '{{ row.x }}'\nfor_each: t.csv"), {"t.csv": "id,x\nA,{{ 7 }}\n"}) == "{{ 7 }}"


def test_a_cell_that_looks_like_a_template_is_a_text() -> None:
    board = load(shot("prompt: x\nfor_each: t.csv\ntrim: {in: '{{ row.x }}'}"), {"t.csv": "id,x\nA,{{ 7 }}\n"})
    assert codes(board) == ["bad-type"]


def test_a_fault_of_a_default_is_shown_there_with_the_shots_that_use_it() -> None:
    head = "storyboard: 1\ndefaults:\n  model: m\n  params: {duration: '{{ secs }}'}\n"
    text = f"{head}shots:\n  - {{id: a, prompt: x}}\n  - {{id: b, prompt: x}}\n  - {{id: c, prompt: x, vars: {{secs: 5}}}}\n"
    board = load(text)
    assert {(code, line) for code, line, _ in places(board)} == {("undefined-variable", 4)}
    assert [(fault.member, fault.others[-1].span.line) for fault in board.diagnostics] == [("a", 6), ("b", 7)]
    assert len({fault.group for fault in board.diagnostics}) == 1
    assert [take.id for take in board.takes] == ["c.1"]


def test_a_fault_of_a_lone_shot_is_no_group() -> None:
    (fault,) = load(shot("prompt: '{{ heroe }}'\nvars: {hero: x}")).diagnostics
    assert (fault.code, fault.group, fault.member) == ("undefined-variable", "", "")
    assert "`hero`" in fault.help


def test_a_shot_faulty_in_its_structure_is_not_rendered_and_the_others_are() -> None:
    text = f"{HEAD}shots:\n  - {{id: a, prompt: '{{{{ nobody }}}}', seed: x}}\n  - {{id: b, prompt: '{{{{ somebody }}}}'}}\n"
    board = load(text)
    assert [(fault.code, "somebody" in fault.headline) for fault in board.diagnostics] == [
        ("bad-type", False),
        ("undefined-variable", True),
    ]


def test_fragments_are_read_from_below_the_storyboards_folder_and_counted_as_sources() -> None:
    board = load(shot("prompt: '{% include \"look.txt\" %}'"), {"films/look.txt": "35mm"}, path="films/film.yaml")
    assert [take.texts["prompt"].value for take in board.takes] == ["35mm"]
    assert [source.path for source in board.sources] == ["films/film.yaml", "films/look.txt"]


def test_options_name_what_no_vars_hold() -> None:
    assert prompt(shot(SAYS), x="given") == "given"


@pytest.mark.parametrize("value", ["inf", "nan"])
def test_a_template_gives_no_number_that_json_cannot_carry(value: str) -> None:
    assert codes(load(shot(f"vars: {{word: '{value}'}}\nparams: {{duration: '{{{{ word | float }}}}'}}")))


def test_a_storyboard_without_a_template_needs_no_names() -> None:
    assert takes_of(shot()) == ["a.1"]
