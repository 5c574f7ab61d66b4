import gc
import json
import math
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from runner.core.diagnostics import Diagnostic, Rejected, Source
from runner.language import document
from runner.language.document import Limits, parse
from runner.language.node import Mapping, Node, Scalar, Sequence, Style, plain


@pytest.fixture(autouse=True, params=["libyaml", "pure"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each law holds with PyYAML's own parser as well: it takes libyaml's place where that is absent."""
    if request.param == "pure":
        monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)


def source(text: str) -> Source:
    return Source(path="film.yaml", name="film.yaml", text=text)


def read(text: str) -> object:
    return plain(parse(source(text)))


def faults(text: str, limits: Limits = document.DEFAULT_LIMITS) -> tuple[Diagnostic, ...]:
    with pytest.raises(Rejected) as rejected:
        parse(source(text), limits)
    return rejected.value.diagnostics


def codes(text: str, limits: Limits = document.DEFAULT_LIMITS) -> list[str]:
    return [fault.code for fault in faults(text, limits)]


def places(fault: Diagnostic) -> tuple[int, int, int, int]:
    assert fault.span is not None
    return (fault.span.line, fault.span.column, fault.span.end_line, fault.span.end_column)


def nodes(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Sequence():
            for member in node.items:
                yield from nodes(member)
        case Mapping():
            for entry in node.entries:
                yield entry.key
                yield from nodes(entry.value)


def scalar(text: str, key: str = "a") -> Scalar:
    tree = parse(source(text))
    assert isinstance(tree, Mapping)
    found = tree.get(key)
    assert isinstance(found, Scalar)
    return found


def covered(node: Node) -> str:
    """The text of the file that a node's span covers, lines joined by `|`."""
    span = node.span
    lines = [span.source.line(number) for number in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "|".join(lines)


# --- what scalars mean ---


@pytest.mark.parametrize(
    "text",
    [
        "16:9",
        "1:1",
        "no",
        "yes",
        "on",
        "off",
        "y",
        "n",
        "010",
        "007.5",
        "1_0",
        "0x1F",
        "0o7",
        "2.",
        "1e",
        "1.e3",
        ".e3",
        "+",
        "-x",
        "2024-01-02",
        "12:30",
        "NO",
        "nULL",
        "tRue",
        "=",
        "<<",
        ".5.5",
        "1,5",
        "Inf",
        "nan",
    ],
)
def test_what_yaml_1_1_would_change_is_text(text: str) -> None:
    assert read(f"a: {text}\n") == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7), ("-7", -7), ("+7", 7), ("0", 0), ("-0", 0), ("1.5", 1.5), ("0.50", 0.5), (".5", 0.5), ("-.5", -0.5),
        ("1e3", 1000.0), ("1E-2", 0.01), ("2.5e+1", 25.0), ("true", True), ("True", True), ("TRUE", True),
        ("false", False), ("False", False), ("FALSE", False), ("null", None), ("Null", None), ("NULL", None), ("~", None), ("", None),
    ],
)  # fmt: skip
def test_core_scalars_have_their_value(text: str, value: object) -> None:
    found = read(f"a: {text}\n")
    assert found == {"a": value}
    assert type(found["a"]) is type(value)  # type: ignore[index]


@given(st.one_of(st.integers(-(10**30), 10**30), st.floats(allow_nan=False, allow_infinity=False)))
def test_every_number_json_writes_is_that_number(number: float) -> None:
    assert read(f"a: {json.dumps(number)}") == {"a": number}


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.inf", "+.INF", "1e999", "-1e999", "9" * 400])
def test_numbers_no_request_can_hold_are_refused_at_their_place(text: str) -> None:
    (fault,) = faults(f"a: {text}\n")
    assert (fault.code, places(fault)) == ("yaml-number", (1, 4, 1, 4 + len(text)))


def test_quoted_scalars_and_blocks_are_text_whatever_they_hold() -> None:
    assert read("a: '7'\nb: \"true\"\nc: |\n  7\nd: >-\n  null\n") == {"a": "7", "b": "true", "c": "7\n", "d": "null"}


def test_the_text_of_a_scalar_is_kept_beside_its_value() -> None:
    found = scalar("a: 1.50\n")
    assert (found.text, found.value) == ("1.50", 1.5)


json_texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff"), max_size=40
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), json_texts),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(json_texts, inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_json_is_read_as_json(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert read(text) == json.loads(text)


# --- places ---


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a: one\n", "one"),
        ("a:   one two  # not this\n", "one two"),
        ("a: 'it''s'\n", "'it''s'"),
        ('a: "x\\n" # c\n', '"x\\n"'),
        ("a: one\n  two\n\n  three\nb: 1\n", "one|  two||  three"),
        ("a: |\n  one\n  two\n\n\nb: 1\n", "||  one|  two"),
        ("a: >-  # c\n  one\n\n# c\nb: 1\n", ">-  # c|  one"),
        ("a: |+\n  one\n\n\n", "|+|  one"),
        ("a: |\nb: 1\n", "|"),
        ("a: &x one\n", "one"),
        ("a: &x !!str |\n  one\n", "||  one"),
        ("a: !!str # c\n  one\n", "one"),
        ("a: [1, 2] # c\n", "[1, 2]"),
        ("a: {b: 1,\n  c: 2}\n", "{b: 1,|  c: 2}"),
        ("a:\n  - 1\n  - 2\n\nb: 1\n", "- 1|  - 2"),
        ("a:\n  b:\n    c: 1\n# c\n\nd: 1\n", "b:|    c: 1"),
        ("a: 😀 x # c\n", "😀 x"),
        ("\ufeffa: one\r\nb: 1\r\n", "one"),
    ],
)
def test_a_span_covers_what_was_written(text: str, shown: str) -> None:
    tree = parse(source(text))
    assert isinstance(tree, Mapping)
    found = tree.get("a")
    assert found is not None
    assert covered(found) == shown


def test_columns_count_characters_behind_a_byte_order_mark_astral_ones_and_carriage_returns() -> None:
    tree = parse(source('\ufeff😀: "😀" \r\nbb: {c: 😀, d: x}\r\ne: |\r\n  y\r\nf: z\r'))
    assert [(n.text, n.span.line, n.span.column, n.span.end_column) for n in nodes(tree) if isinstance(n, Scalar)] == [
        ("😀", 1, 1, 2), ("😀", 1, 4, 7), ("bb", 2, 1, 3), ("c", 2, 6, 7), ("😀", 2, 9, 10), ("d", 2, 12, 13),
        ("x", 2, 15, 16), ("e", 3, 1, 2), ("y\n", 3, 4, 4), ("f", 5, 1, 2), ("z", 5, 4, 5),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["a:\nb: 1\n", "a:   # c\nb: 1\n", "a:\n\n\n", "a: \n", "{a: , b: 1}", "{a, b}"])
def test_an_empty_value_stands_right_behind_its_key(text: str) -> None:
    tree = parse(source(text))
    assert isinstance(tree, Mapping)
    key, value = tree.entries[0].key.span, tree.entries[0].value.span
    assert (value.line, value.column) == (value.end_line, value.end_column)
    assert value.line == 1
    assert 0 <= value.column - key.end_column <= 2


def test_a_block_that_ends_in_an_alias_ends_behind_it() -> None:
    tree = parse(source("a: &x 1\nb:\n  - 2\n  - *x\nc: 3\n"))
    assert isinstance(tree, Mapping)
    found = tree.get("b")
    assert found is not None
    assert (found.span.end_line, found.span.end_column) == (4, 7)


# --- keys, aliases, merges, tags, documents ---


def test_keys_are_taken_by_their_text() -> None:
    assert read("1: x\ntrue: y\n~: z\n1.0: u\n") == {"1": "x", "true": "y", "~": "z", "1.0": "u"}


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "{a: 1, b: 2, 'a': 3}", "1: x\n'1': y\n"])
def test_a_key_written_twice_is_refused_with_both_places(text: str) -> None:
    (fault,) = faults(text)
    assert fault.code == "duplicate-key"
    assert [label.text for label in fault.others] == ["first here"]
    assert fault.others[0].span.order < fault.span.order  # type: ignore[union-attr]


def test_a_key_that_is_an_alias_counts_as_the_key_it_names() -> None:
    assert codes("a: &k x\n*k : 1\n*k : 2\n") == ["duplicate-key"]


@pytest.mark.parametrize("text", ["? [a]\n: b\n", "{[a]: b}", "? {a: 1}\n: b\n", "{? : 1}"])
def test_a_key_that_is_no_word_is_refused(text: str) -> None:
    assert codes(text) == ["yaml-key"]


def test_an_alias_is_the_very_node_of_its_anchor() -> None:
    tree = parse(source("a: &x {b: [1]}\nc: *x\nd: &x 2\ne: *x\n"))
    assert isinstance(tree, Mapping)
    assert tree.get("c") is tree.get("a")
    assert plain(tree) == {"a": {"b": [1]}, "c": {"b": [1]}, "d": 2, "e": 2}


@pytest.mark.parametrize("text", ["a: &x [*x]\n", "a: &x {b: {c: *x}}\n", "&x [1, [*x]]", "a: &x\n  <<: *x\n"])
def test_an_alias_within_its_own_anchor_is_refused(text: str) -> None:
    assert codes(text) == ["yaml-alias"]


def test_an_anchor_that_takes_the_name_of_an_earlier_one_is_no_way_around() -> None:
    (fault,) = faults("a: &x 1\nb: &x [*x]\n")
    assert (fault.code, "inside its own anchor" in fault.headline) == ("yaml-alias", True)


def test_an_unknown_alias_suggests_an_anchor_or_quotes() -> None:
    (fault,) = faults("a: &keeper 1\nb: *keepr\n")
    assert (fault.code, fault.help) == ("yaml-alias", "did you mean `*keeper`?")
    (fault,) = faults("prompt: *bold\n")
    assert fault.help.endswith('`prompt: "*bold"`')


def test_merged_keys_stand_before_own_ones_and_own_ones_win() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  w: 0\n  <<: [*a, *b]\n  x: 9\nd: {<<: {q: 1}}\n'<<': 5\n"
    found = read(text)
    assert found == {
        "a": {"x": 1, "y": 2},
        "b": {"y": 3, "z": 4},
        "c": {"y": 2, "z": 4, "w": 0, "x": 9},
        "d": {"q": 1},
        "<<": 5,
    }
    assert list(found["c"]) == ["y", "z", "w", "x"]  # type: ignore[index]


@pytest.mark.parametrize("text", ["a: {<<: 1}", "a: {<<: [1]}", "b: &x 1\na: {<<: *x}"])
def test_only_mappings_are_merged(text: str) -> None:
    assert codes(text) == ["yaml-key"]


def test_core_tags_say_the_type_and_all_others_are_refused() -> None:
    assert read("a: !!str 7\nb: !!int '7'\nc: !!float 7\nd: ! 7\ne: !!map {}\nf: !!seq []\ng: !!null ''\n") == {
        "a": "7", "b": 7, "c": 7.0, "d": "7", "e": {}, "f": [], "g": None,
    }  # fmt: skip
    for text in (
        "!!python/object:os.system x",
        "!x 1",
        "!!int x",
        "!!bool 1",
        "!!int 1.5",
        "!!set {}",
        "!!str [a]",
        "!<x> y",
    ):
        assert codes(f"a: {text}\n") == ["yaml-tag"], text


@pytest.mark.parametrize("text", ["a: 1\n---\nb: 1\n", "---\n---\n", "a: 1\n...\n---\nb: 1\n"])
def test_a_second_document_is_refused_where_it_begins(text: str) -> None:
    (fault,) = faults(text)
    assert fault.code == "yaml-syntax"
    assert "second document" in fault.headline
    assert fault.span is not None
    assert fault.span.source.line(fault.span.line).startswith("---")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "---\n...\n", "\ufeff"])
def test_an_empty_file_is_refused_at_its_beginning(text: str) -> None:
    (fault,) = faults(text)
    assert (fault.code, places(fault)) == ("empty-file", (1, 1, 1, 1))


def test_all_faults_but_syntax_are_told_at_once_in_file_order() -> None:
    text = "a: 1\na: 2\nb: .inf\nc: *x\nd: !t 1\nimage: {{ y }}\n? [k]\n: v\n"
    assert codes(text) == ["duplicate-key", "yaml-number", "yaml-alias", "yaml-tag", "unquoted-template", "yaml-key"]
    assert codes(f"{text}e: 'x\n") == [*codes(text), "yaml-syntax"]


def test_faults_without_end_are_cut_off() -> None:
    assert len(faults("".join(f"a: {n}\n" for n in range(5000)))) == 200


# --- limits ---


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("a: 12345678901", Limits(characters=10)),
        ("[[[1]]]", Limits(depth=2)),
        ("a: {b: {c: 1}}", Limits(depth=2)),
        ("a: &x [[1]]\nb: [[*x]]\n", Limits(depth=4)),
        ("a: &x 1\nb: [*x, *x, *x]\n", Limits(aliases=2)),
        ("[1, 2, 3, 4]", Limits(nodes=4)),
        ("a: &x [1, 1, 1, 1]\nb: [*x, *x]\n", Limits(nodes=15)),
        ("a: &x {b: 1, c: 2}\nd: {<<: [*x, *x, *x]}\n", Limits(nodes=20)),
    ],
)
def test_more_than_a_limit_is_refused_and_as_much_is_not(text: str, limits: Limits) -> None:
    [fault] = faults(text, limits)
    assert fault.code == "yaml-limit" and fault.span is not None
    if limits.characters == 10 or limits.nodes < 100:
        assert "divide the file" in fault.help
    wider = Limits(
        characters=limits.characters + 5, depth=limits.depth + 1, aliases=limits.aliases + 1, nodes=limits.nodes + 10
    )
    parse(source(text), wider)


def test_a_bomb_of_aliases_is_refused_before_it_unfolds() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert codes("\n".join(lines)) == ["yaml-limit"]
    merges = ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 9)]
    assert codes("\n".join(merges)) == ["yaml-limit"]


@pytest.mark.parametrize("text", ["[" * 50_000, "{a: " * 20_000, "- " * 5_000 + "x", "? " * 5_000])
def test_nesting_beyond_all_reason_is_refused_and_crashes_nothing(text: str) -> None:
    assert codes(text) in (["yaml-limit"], ["yaml-syntax"])


def test_collection_of_garbage_is_left_as_it_was() -> None:
    assert gc.isenabled()
    parse(source("a: 1\n"))
    with pytest.raises(Rejected):
        parse(source("a: '\n"))
    assert gc.isenabled()
    gc.disable()
    try:
        parse(source("a: 1\n"))
        assert not gc.isenabled()
    finally:
        gc.enable()


# --- anything at all ---

_SNIPPETS = st.sampled_from(
    ["a", "b: ", "- ", "\n", "\n  ", "\n    ", ": ", "? ", "|", ">-", "'", '"', "{", "}", "[", "]", ",", "&x ", "*x", "<<: ", "!!str ", "!y ",
     "#", " # c", "\t", "{{ x }}", "---", "...", "%YAML 1.2", "\\", "1", ".inf", "~", "é", "😀", "\r\n", "\ufeff", "\x00", "\u2028"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(_SNIPPETS, max_size=25).map("".join)))
@example("\ud800")
@example("a: '\ufeff'")
@example("{{ x }}: {{ y }}")
def test_any_text_gives_a_tree_or_our_faults(text: str) -> None:
    try:
        tree = parse(source(text))
    except Rejected as rejected:
        assert rejected.diagnostics
        for fault in rejected.diagnostics:
            assert fault.headline
            assert fault.span is not None
            assert fault.span.line >= 1
            assert fault.span.column >= 1
        return
    for node in nodes(tree):
        span = node.span
        assert (span.line, span.column) <= (span.end_line, span.end_column)
        assert 1 <= span.column <= len(span.source.line(span.line)) + 1
        assert 1 <= span.end_column <= len(span.source.line(span.end_line)) + 1
        if isinstance(node, Scalar) and isinstance(node.value, float):
            assert math.isfinite(node.value)


# Not equal, and of no weight: where the value stands of a `? key` that has none, and a byte order mark within a line.
@given(st.lists(_SNIPPETS.filter(lambda snippet: snippet not in ("? ", "\ufeff")), max_size=20).map("".join))
def test_both_parsers_build_the_same_tree(text: str) -> None:
    found = []
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(document, "_LOADER", loader)
            try:
                tree = parse(source(text))
            except Rejected:
                return  # they differ in what they refuse
            found.append([(str(n.span), n.span.end_line, n.span.end_column, plain(n)) for n in nodes(tree)])
    assert found[0] == found[1]


def test_styles_are_told_apart() -> None:
    tree = parse(source("[a, 'a', \"a\"]"))
    assert isinstance(tree, Sequence)
    styles = [member.style for member in tree.items if isinstance(member, Scalar)]
    assert styles == [Style.PLAIN, Style.SINGLE, Style.DOUBLE]
    assert scalar("a: |\n  x\n").style is Style.LITERAL
    assert scalar("a: >\n  x\n").style is Style.FOLDED
