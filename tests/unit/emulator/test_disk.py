"""Disk: never more than the bound, and what has expired goes before anything is refused."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.disk import Disk, Full


def shelf(disk: Disk, sizes: list[int]) -> Callable[[], bool]:
    """Lets the first of these go at each asking."""

    def lets_go() -> bool:
        if sizes:
            disk.give(sizes.pop(0))
            return True
        return False

    return lets_go


def test_without_a_bound_everything_is_taken() -> None:
    disk = Disk()
    disk.take(10**18)
    disk.demand()


def test_what_has_expired_goes_for_what_comes_and_no_more_of_it_than_must() -> None:
    disk, expired = Disk(100), [30, 30, 30]
    disk.used = 90
    disk.giver(shelf(disk, expired))
    disk.take(50)
    assert (disk.used, expired) == (80, [30])


def test_where_nothing_has_expired_the_next_giver_is_asked_and_then_it_is_full() -> None:
    disk, expired = Disk(100), [60]
    disk.used = 100
    disk.giver(shelf(disk, []))
    disk.giver(shelf(disk, expired))
    disk.take(60)
    with pytest.raises(Full):
        disk.take(1)
    with pytest.raises(Full):
        disk.demand()
    assert disk.used == 100


@given(st.lists(st.integers(0, 120)), st.lists(st.integers(0, 40)))
def test_the_bound_holds(sizes: list[int], expired: list[int]) -> None:
    disk, kept = Disk(100), list(expired)
    disk.giver(shelf(disk, kept))
    disk.used = sum(expired)
    before = disk.used
    for size in sizes:
        try:
            disk.take(size)
        except Full:
            assert kept == []
            assert disk.used + size > 100
        assert disk.used <= max(100, before)
