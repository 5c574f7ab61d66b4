"""The estimate: whole seconds, longer behind a queue, learned from what was rendered."""

from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.pace import FIRST_GUESS, Pace

CLIP = int(FIRST_GUESS * 10)


def test_a_queue_makes_a_task_take_longer_and_workers_share_it() -> None:
    alone, shared = Pace(1), Pace(2)
    assert [alone.put(CLIP) for _ in range(3)] == [10, 20, 30]
    assert [shared.put(CLIP) for _ in range(3)] == [10, 10, 15]


def test_done_clips_leave_the_queue() -> None:
    pace = Pace(1)
    pace.put(CLIP)
    pace.done(CLIP, None)
    assert pace.put(CLIP) == 10


def test_a_fast_machine_is_learned() -> None:
    pace = Pace(1)
    for _ in range(20):
        pace.put(CLIP)
        pace.done(CLIP, 2.0)
    assert pace.put(CLIP) == 2


@given(st.integers(1, 16), st.lists(st.tuples(st.integers(1, 10**12), st.none() | st.floats(1e-6, 1e6)), max_size=20))
def test_an_estimate_is_a_lawful_number(workers: int, clips: list[tuple[int, float | None]]) -> None:
    pace = Pace(workers)
    for pixels, seconds in clips:
        assert pace.put(pixels) >= 0
        pace.done(pixels, seconds)
