import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.contract.fault import dotted, named, pointer
from runner.contract.phrases import LONGEST_SHOWN, bare, counted, either, quoted, takes


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "enum": [5, 10]}, "5 or 10"),
        ({"type": "integer", "minimum": 2, "maximum": 15}, "2 to 15"),
        ({"type": "number", "minimum": 0, "maximum": 1}, "a number from 0 to 1"),
        ({"type": "integer", "minimum": 1}, "a whole number from 1"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 2}, "a number above 0 up to 2"),
        ({"type": "integer"}, "a whole number"),
        ({"type": "integer", "anyOf": [{"minimum": 2, "maximum": 30}, {"const": -1}]}, "2 to 30 or -1"),
        ({"type": "string", "enum": ["16:9", "9:16", "best effort"]}, '16:9, 9:16 or "best effort"'),
        ({"type": "string", "const": "on"}, "on"),
        ({"type": "string"}, "text"),
        ({"type": "string", "maxLength": 500}, "text of up to 500 characters"),
        ({"type": "string", "format": "uri"}, "a URL"),
        ({"type": "string", "x-takes": "an https URL"}, "an https URL"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "object"}, "a mapping"),
        (
            {"type": "array", "items": {"format": "uri", "type": "string"}, "minItems": 1, "maxItems": 1},
            "a list of 1 URL",
        ),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3}, "a list of 1 to 3 values"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, "a list of 2 or more values"),
        ({"type": "array"}, "a list of values"),
        ({}, "another value"),
    ],
)
def test_a_schema_is_said_in_words(schema: dict[str, object], words: str) -> None:
    assert takes(schema) == words


def test_words_are_joined_as_people_do() -> None:
    assert [either(["a"]), either(["a", "b"]), either(["a", "b", "c"])] == ["a", "a or b", "a, b or c"]
    assert [counted(1, "entry", "entries"), counted(2, "entry", "entries"), counted(0, "value")] == [
        "1 entry",
        "2 entries",
        "0 values",
    ]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(st.characters()), st.lists, max_leaves=8))
def test_any_value_is_shown_on_one_short_printable_line(value: object) -> None:
    for text in (quoted(value), bare(value)):
        assert len(text) <= LONGEST_SHOWN and "\n" not in text
        text.encode()


@pytest.mark.parametrize(
    ("value", "shown"),
    [("720p", "720p"), ("16:9", "16:9"), ("", '""'), ("a b", '"a b"'), (True, "true"), (None, "null")],
)
def test_a_plain_word_needs_no_quotes_but_an_empty_one_does(value: object, shown: str) -> None:
    assert bare(value) == shown


def test_a_path_is_shown_as_authors_write_it_and_pointed_to_as_the_rfc_says() -> None:
    assert dotted(("model_params", "shot_type")) == "model_params.shot_type"
    assert dotted(("image_urls", 0)) == "image_urls[0]"
    assert pointer(("properties", "a/b~c", 0)) == "#/properties/a~1b~0c/0"


@given(st.text(st.characters()))
def test_a_strange_name_is_shown_escaped_and_cut(name: str) -> None:
    assert named(name).isprintable() and len(named(name)) <= 60
    if name.isprintable() and len(name) <= 60:
        assert named(name) == name
    json.dumps(named(name)).encode()
