import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.language import operations
from runner.language.bounds import MOST_CHARACTERS, Meter, Refusal, copied, weight

numbers = st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
leaves = st.one_of(st.none(), numbers, st.text(max_size=40))
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=30
)

SIGNS: dict[str, Callable[[float, float], object]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip


@given(st.sampled_from(sorted(SIGNS)), numbers, numbers)
def test_arithmetic_is_pythons_or_refused(sign: str, left: float, right: float) -> None:
    try:
        found = operations.calculated(sign, left, right)
    except Refusal:
        return
    assert found == SIGNS[sign](left, right)


@given(st.integers(-50, 50), st.integers(-10, 50))
def test_small_powers_are_pythons(base: int, power: int) -> None:
    if base == 0 and power < 0:
        return
    assert operations.calculated("**", base, power) == base**power


@given(values, values, st.sampled_from("+ - * / // % **".split()))  # noqa: SIM905
def test_any_two_values_give_a_value_or_a_refusal(left: object, right: object, sign: str) -> None:
    try:
        weight(operations.calculated(sign, left, right))
    except Refusal as refusal:
        assert refusal.headline


@given(values, values, st.sampled_from(["eq", "ne", "lt", "lteq", "gt", "gteq", "in", "notin"]))
def test_any_two_values_compare_or_are_refused(left: object, right: object, word: str) -> None:
    try:
        assert operations.compared(word, left, right) in (True, False)
    except Refusal as refusal:
        assert "cannot stand between" in refusal.headline


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (True, "true"), (False, "false"), (7, "7"), (-7, "-7"), (5.0, "5"), (-0.5, "-0.5"), (1e20, "1e+20"), (0.1, "0.1")],
)  # fmt: skip
def test_a_value_is_shown_as_it_is_written(value: object, text: str) -> None:
    assert operations.shown(value) == text


@given(
    st.text("ab", max_size=30), st.text("ab", max_size=3), st.text("abc", max_size=5), st.integers(-1, 5) | st.none()
)
def test_replacing_is_pythons(text: str, old: str, new: str, count: int | None) -> None:
    assert operations.replaced(text, old, new, count) == text.replace(old, new, -1 if count is None else count)


@given(
    st.text("%sd05.2f xg-+#", max_size=12),
    st.lists(st.one_of(st.integers(), st.floats(), st.text(max_size=5)), max_size=3),
)
def test_formatting_is_pythons_and_bounded(pattern: str, given_: list[object]) -> None:
    try:
        found = operations.formatted(pattern, *given_)
    except Refusal:
        return
    assert found == pattern % tuple(given_)
    assert len(found) <= MOST_CHARACTERS


def test_a_power_that_would_grow_too_large_is_not_even_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    monkeypatch.setitem(operations._ARITHMETIC, "**", lambda base, power: begun.append((base, power)))
    for base, power in ((9, 999_999_999), (2, 10**6), (-3, 10**5)):
        with pytest.raises(Refusal, match="too large"):
            operations.calculated("**", base, power)
    assert begun == []


class Text(str):
    """Says when it is multiplied."""

    def __mul__(self, times: object) -> str:
        raise AssertionError("it has begun")

    __rmul__ = __mul__


def test_a_text_that_would_grow_too_long_is_not_even_begun() -> None:
    for left, right in ((Text("x"), 10**9), (10**9, Text("x"))):
        with pytest.raises(Refusal, match="grows beyond"):
            operations.calculated("*", left, right)


def test_formatting_refuses_what_would_grow_too_long_before_it_is_made() -> None:
    half = "x" * (MOST_CHARACTERS // 2)
    with pytest.raises(Refusal, match="grows beyond"):
        operations.formatted("%s%s%s", half, half, half)


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), (" 3 ", 3), ("+3", 3), ("-3", -3), ("3.5", 3.5), ("3.", 3.0), (".5", 0.5), ("1e3", 1000.0), ("007", 7)]
)  # fmt: skip
def test_a_text_that_spells_a_number_is_that_number(text: str, number: float) -> None:
    assert operations.number(text) == number
    assert operations.whole(text) == int(number)


@pytest.mark.parametrize(
    "value", ["", "x", "1_000", "1,5", "0x1F", "nan", "inf", "1e999", "٣", "9" * 400, None, [], {}]
)
def test_what_spells_no_number_is_refused_unless_a_default_is_given(value: object) -> None:
    with pytest.raises(Refusal):
        operations.number(value)
    assert operations.number(value, 4) == 4


@given(st.floats(-1e6, 1e6), st.integers(0, 5))
def test_rounding_is_pythons(value: float, precision: int) -> None:
    assert operations.rounded(value, precision) == round(value, precision)
    assert operations.rounded(value, precision, "floor") <= value + 1e-9
    assert operations.rounded(value, precision, "ceil") >= value - 1e-9


@given(st.lists(st.integers(-30, 30), min_size=1, max_size=3))
def test_counting_is_pythons(bounds: list[int]) -> None:
    try:
        found = operations.counted(*bounds)
    except Refusal:
        assert bounds[2:] == [0]
        return
    assert found == list(range(*bounds))


@given(values)
def test_a_copy_is_equal_and_shares_nothing_that_can_change(value: object) -> None:
    found = copied(value)
    assert found == value
    if isinstance(value, list | dict):
        assert found is not value


@given(values)
def test_weight_counts_each_member(value: object) -> None:
    def counted(part: object) -> int:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        return 1 + sum(map(counted, inner))

    assert counted(value) <= weight(value) <= counted(value) + 200


def test_shared_members_weigh_each_time() -> None:
    value: object = [1]
    with pytest.raises(Refusal):
        for _ in range(60):
            value = [value, value]
            weight(value)


def test_a_meter_runs_out() -> None:
    meter = Meter()
    with pytest.raises(Refusal, match="too many steps"):
        while True:
            meter.charge(10_000)
    meter.begin()
    meter.charge(10_000)
