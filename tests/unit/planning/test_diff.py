"""What has become of every take, and what that costs."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from actions import request, span, take
from hypothesis import given
from hypothesis import strategies as st

from runner.core.request import key_inputs, request_key
from runner.language.take import Join, Side, Transition, Trim
from runner.planning.diff import Comparison, Difference, Kind, compare
from runner.planning.request import Built

PRICE = Decimal("25.5")


def built(
    name: str, prompt: str = "", *, price: Decimal | None = PRICE, unit: str = "credit", places: Any = None, **more: Any
) -> Built:
    """A take whose request is its prompt, by default its own id."""
    inputs = key_inputs(service="evolink", model="m", body={"model": "m", "prompt": prompt or name}, take=None)
    asked = replace(request(name, price=price, unit=unit), inputs=inputs, key=request_key(inputs))
    return Built(take=replace(take(name), **more), request=asked, diagnostics=(), places=places or {})


def names(*ids: str) -> list[Built]:
    return [built(name) for name in ids]


def told(found: Comparison) -> list[tuple[str, str]]:
    return [(one.kind.value, one.take) for one in found.differences]


def only(old: Sequence[Built], new: Sequence[Built]) -> Difference:
    (one,) = compare(old, new).differences
    return one


def test_what_is_as_it_was_is_not_told() -> None:
    found = compare(names("a.1", "b.1"), names("a.1", "b.1"))
    assert (told(found), found.unchanged, found.to_buy.requests) == ([], 2, 0)
    assert found.old == found.new and found.new.known == 51


def test_takes_are_added_changed_and_dropped() -> None:
    found = compare([*names("a.1", "b.1"), built("c.1", "old")], [built("c.1", "new"), *names("b.1", "d.1")])
    assert told(found) == [("changed", "c.1"), ("added", "d.1"), ("dropped", "a.1")]
    assert [(one.price, one.was) for one in found.differences] == [(PRICE, PRICE), (PRICE, 0), (0, PRICE)]
    assert (found.to_buy.requests, found.to_buy.known) == (2, 51)
    assert (found.old.known, found.new.known) == (Decimal("76.5"), Decimal("76.5"))
    assert found.unchanged == 1


def test_a_change_names_its_fields_with_both_values_and_both_places() -> None:
    old, new = built("a.1", "sea", places={"prompt": span(3)}), built("a.1", "hill", places={"prompt": span(5)})
    (field,) = only([old], [new]).fields
    assert (field.name, field.old, field.new, field.old_span.line, field.new_span.line) == (
        "prompt",
        "sea",
        "hill",
        3,
        5,
    )


def test_what_is_written_nowhere_is_shown_at_its_shot_and_a_seed_at_its_own_place() -> None:
    def seeded(seed: int, where: int | None) -> Built:
        one = built("a.1", seed_span=span(where) if where else None)
        assert one.request is not None
        inputs = {**one.request.inputs, "model": "n", "body": {"model": "n", "seed": seed, "quality": f"{seed}p"}}
        return replace(one, request=replace(one.request, inputs=inputs, key=request_key(inputs)))

    fields = {field.name: field for field in only([seeded(1, None)], [seeded(2, 7)]).fields}
    assert list(fields) == ["quality", "seed"]
    assert (fields["seed"].old_span.line, fields["seed"].new_span.line) == (12, 7)
    assert fields["quality"].new_span.line == 12


def test_a_changed_model_is_one_field() -> None:
    old, new = built("a.1"), built("a.1")
    assert new.request is not None
    inputs = {**new.request.inputs, "model": "n", "body": {"model": "n", "prompt": "a.1"}}
    new = replace(new, request=replace(new.request, inputs=inputs, key=request_key(inputs)))
    assert [(f.name, f.old, f.new) for f in only([old], [new]).fields] == [("model", "m", "n")]


def test_the_same_request_under_another_id_is_renamed_and_costs_nothing() -> None:
    found = compare([built("a.1", "sea"), *names("b.1")], [built("z.1", "sea"), *names("b.1")])
    (one,) = found.differences
    assert (one.kind, one.take, one.old and one.old.take.id, one.price) == (Kind.RENAMED, "z.1", "a.1", 0)
    assert found.to_buy.requests == 0


def test_of_several_equal_requests_each_is_renamed_once() -> None:
    found = compare([built("a.1", "x"), built("b.1", "x")], [built("c.1", "x"), built("d.1", "x"), built("e.1", "x")])
    assert [(one.kind.value, one.take, one.same_as) for one in found.differences] == [
        ("renamed", "c.1", ""),
        ("renamed", "d.1", ""),
        ("added", "e.1", "a.1"),
    ]


def test_a_request_that_another_take_had_before_is_not_bought_again() -> None:
    found = compare([built("a.1", "x"), built("b.1", "y")], [built("a.1", "y"), built("b.1", "x")])
    assert [(one.kind.value, one.price, one.same_as, one.same_before) for one in found.differences] == [
        ("changed", 0, "b.1", True),
        ("changed", 0, "a.1", True),
    ]
    assert found.to_buy.requests == 0


def test_equal_new_requests_are_bought_once() -> None:
    found = compare([], [built("a.1", "x"), built("b.1", "x")])
    assert [(one.price, one.same_as, one.same_before) for one in found.differences] == [
        (PRICE, "", False),
        (0, "a.1", False),
    ]
    assert (found.to_buy.requests, found.to_buy.known, found.new.known) == (1, PRICE, PRICE)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "At sea"}, ("title", None, "At sea")),
        ({"trim": Trim(in_s=Decimal("0.5"), out_s=Decimal(4))}, ("trim", None, {"in": 0.5, "out": 4})),
        ({"transition": Transition(seconds=Decimal("0.25"))}, ("transition", None, {"dissolve": 0.25})),
        (
            {"transition": Transition(join=Join.WIPE, seconds=Decimal(1), side=Side.TOP)},
            ("transition", None, {"wipe": 1, "from": "top"}),
        ),
    ],
)
def test_what_only_the_cut_sees_is_edited_and_costs_nothing(change: dict[str, Any], field: tuple[Any, ...]) -> None:
    one = only([built("a.1")], [built("a.1", **change)])
    assert (one.kind, one.price, [(f.name, f.old, f.new) for f in one.fields]) == (Kind.EDITED, 0, [field])


def test_a_skipped_take_is_not_there() -> None:
    one = only(names("a.1"), [built("a.1", skip=True)])
    assert (one.kind, one.skipped, one.was) == (Kind.DROPPED, True, PRICE)
    assert only([built("a.1", skip=True)], names("a.1")).kind is Kind.ADDED
    assert compare([built("a.1", skip=True)], [built("a.1", skip=True)]).new_takes == 0


def test_of_takes_that_changed_places_as_few_as_possible_have_moved() -> None:
    found = compare(names("a.1", "b.1", "c.1", "d.1"), names("d.1", "a.1", "b.1", "c.1"))
    assert told(found) == [("moved", "d.1")]
    assert found.unchanged == 3


def test_a_take_that_changed_and_moved_is_changed_first() -> None:
    found = compare([*names("a.1", "b.1"), built("c.1", "x")], [built("c.1", "y"), *names("a.1", "b.1")])
    (one,) = found.differences
    assert (one.kind, one.moved) == (Kind.CHANGED, True)


def test_an_unknown_price_makes_the_sum_unknown_and_units_are_not_added_up() -> None:
    found = compare([], [built("a.1"), built("b.1", price=None)])
    assert (found.to_buy.known, found.to_buy.unknown, found.to_buy.requests) == (None, 1, 2)
    assert found.differences[1].price is None
    found = compare([], [built("a.1"), built("b.1", unit="USD"), built("c.1")])
    assert found.to_buy.amounts == (("credit", Decimal(51)), ("USD", PRICE))
    assert found.to_buy.known is None


BOARDS = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.sampled_from("xyz"), st.booleans()),
    max_size=7,
    unique_by=lambda row: row[0],
)


@given(BOARDS, BOARDS)
def test_every_take_is_accounted_for_and_the_money_adds_up(
    old: list[tuple[str, str, bool]], new: list[tuple[str, str, bool]]
) -> None:
    sides = [[built(f"{name}.1", prompt, skip=skip) for name, prompt, skip in rows] for rows in (old, new)]
    found = compare(*sides)
    counts = found.counts
    kept = sum(1 for row in new if not row[2])
    assert found.new_takes == kept
    assert found.unchanged + sum(n for kind, n in counts.items() if kind is not Kind.DROPPED) == kept
    assert found.old_takes - counts.get(Kind.DROPPED, 0) == found.new_takes - counts.get(Kind.ADDED, 0)
    before, after = ({row[1] for row in rows if not row[2]} for rows in (old, new))
    assert found.to_buy.requests == len(after - before)
    assert sum(one.price or 0 for one in found.differences) == found.to_buy.known == PRICE * len(after - before)
    if sides[0] == sides[1] or [r for r in old if not r[2]] == [r for r in new if not r[2]]:
        assert not found.differences
    # The way back undoes it.
    back = compare(*reversed(sides))
    assert back.counts.get(Kind.ADDED, 0) == counts.get(Kind.DROPPED, 0)
    assert back.counts.get(Kind.CHANGED, 0) == counts.get(Kind.CHANGED, 0)


def test_a_take_whose_picked_clip_stays_the_films_asks_for_nothing() -> None:
    old, new = [built("a.1", "sea"), built("b.1", "hill")], [built("a.1", "storm"), built("b.1", "dune")]
    found = compare(old, new, ["a.1"])
    assert [(one.take, one.price, one.kept) for one in found.differences] == [("a.1", 0, True), ("b.1", PRICE, False)]
    assert (found.to_buy.requests, found.to_buy.known) == (1, PRICE)
