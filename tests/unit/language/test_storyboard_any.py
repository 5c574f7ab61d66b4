"""Whatever stands in a file, loading it gives a storyboard with located faults, or our refusal; nothing else."""

import json

from boards import load
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.core.diagnostics import Rejected

WORDS = st.sampled_from(
    [
        "",
        " ",
        "a",
        "keeper",
        "t.csv",
        "t.jsonl",
        "../x.png",
        "https://e.org/a.png",
        "{{ x }}",
        "{{ row.n }}",
        "a {{ x.y }}",
        "{% if %}",
        "row.n",
        ".",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-2, 10**6) | st.floats(allow_nan=False, allow_infinity=False) | WORDS
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)


def some(*keys: str) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, ANYTHING))


OVER = (
    st.fixed_dictionaries({"file": st.just("t.csv")}, optional={"where": WORDS, "id": WORDS, "delimiter": ANYTHING})
    | ANYTHING
)
SHOTS = st.builds(
    lambda lawful, other: {**other, **lawful},
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["a", "A", "b"]),
            "prompt": WORDS,
            "for_each": OVER,
            "matrix": st.dictionaries(st.sampled_from(["x", "row", "y"]), ANYTHING, max_size=2) | ANYTHING,
            "params": st.dictionaries(st.sampled_from(["duration", "seed"]), ANYTHING, max_size=2),
            "trim": some("in", "out") | ANYTHING,
        },
    ),
    some(
        "title",
        "model",
        "image",
        "videos",
        "audio",
        "takes",
        "seed",
        "skip",
        "distinct",
        "transition",
        "vars",
        "negative_prompt",
    ),
)
BOARDS = st.builds(
    lambda rest, shots, defaults: {"storyboard": 1, **rest, "shots": shots, "defaults": defaults},
    some("title", "pipeline", "seed", "budget", "include", "vars", "references", "$schema", "other"),
    st.lists(SHOTS | ANYTHING, max_size=3) | ANYTHING,
    st.fixed_dictionaries(
        {"model": st.just("m")},
        optional={"params": ANYTHING, "image": ANYTHING, "takes": ANYTHING, "transition": ANYTHING},
    )
    | ANYTHING,
)
FILES = {"t.csv": "id,n\nA,1\nB,x\n", "t.jsonl": '{"id": "A", "n": null}\n', "a": "vars: {x: 1}\n", "keeper": "- 1\n"}


@settings(max_examples=300, deadline=None)
@given(board=BOARDS)
def test_any_tree_is_a_storyboard_with_its_faults_located(board: dict[str, object]) -> None:
    try:
        found = load(json.dumps(board), FILES)
    except Rejected as rejected:
        assert rejected.diagnostics
        return
    assert all(fault.span is not None for fault in found.diagnostics)
    assert len({take.id.casefold() for take in found.takes}) == len(found.takes)
    json.dumps([setting.value for take in found.takes for setting in take.params.values()], allow_nan=False)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=80))
def test_any_text_is_a_storyboard_or_our_refusal(text: str) -> None:
    try:
        load(text, FILES)
    except Rejected as rejected:
        assert rejected.diagnostics
