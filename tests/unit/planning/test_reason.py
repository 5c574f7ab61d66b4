"""Why a request is new, in one clause."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.planning.reason import changes

OLD = {
    "service": "evolink",
    "model": "m",
    "body": {"prompt": "a", "duration": 5, "model_params": {"shot_type": "single"}},
}


def changed(**body: object) -> dict[str, object]:
    return {**OLD, "body": {**OLD["body"], **body}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (OLD, "new"),
        (changed(prompt="b"), "changed: prompt"),
        (changed(prompt="b", duration=10), "changed: duration, prompt"),
        (changed(model_params={"shot_type": "multi"}), "changed: model_params.shot_type"),
        (changed(seed=1), "changed: seed"),
        ({**OLD, "model": "n"}, "changed: model"),
        ({**OLD, "service": "evolink@x"}, "changed: service"),
        ({**OLD, "take": 2}, "changed: take"),
    ],
)
def test_the_reason_names_what_differs(new: dict[str, object], reason: str) -> None:
    assert changes(OLD, new) == reason


def test_a_take_that_never_ran_is_new() -> None:
    assert changes(None, OLD) == "new"


@given(st.dictionaries(st.text(), st.integers() | st.text()), st.dictionaries(st.text(), st.integers() | st.text()))
def test_equal_inputs_have_no_difference_and_others_have_one(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (changes({"body": old}, {"body": new}) == "new") == (old == new)
