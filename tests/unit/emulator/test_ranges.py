"""Which part of a file is asked for: RFC 9110 in a table, and no answer past the file's end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.ranges import Unsatisfiable, part

ETAG, DATE = '"abc"', "Fri, 20 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=10-", (10, 100)),
        ("bytes=10-1000", (10, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=99-", (99, 100)),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("items=0-1", None),
        ("bytes=1" + "0" * 30 + "-", None),
    ],
)
def test_a_range_is_a_part_or_the_whole(asked: str | None, expected: tuple[int, int] | None) -> None:
    assert part(100, asked, None, {ETAG}) == expected


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_past_the_end_cannot_be_given(asked: str) -> None:
    with pytest.raises(Unsatisfiable):
        part(100, asked, None, {ETAG})


@pytest.mark.parametrize(
    ("condition", "whole"), [(ETAG, False), (DATE, False), ('"other"', True), (f"W/{ETAG}", True), ("x", True)]
)
def test_a_part_of_another_file_is_not_given(condition: str, whole: bool) -> None:
    assert (part(100, "bytes=10-", condition, {ETAG, DATE}) is None) == whole


@given(st.integers(0, 200), st.text(alphabet="bytes=-0123456789, ", max_size=20))
def test_a_part_lies_in_the_file(size: int, asked: str) -> None:
    try:
        found = part(size, asked, None, set())
    except Unsatisfiable:
        return
    assert found is None or 0 <= found[0] < found[1] <= size
