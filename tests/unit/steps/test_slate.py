"""A slate says what is missing, at every size and whatever the words."""

import numpy as np
import pytest

from runner.steps.slate import GROUND, drawn


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (832, 480), (64, 36), (2, 2)])
def test_a_slate_fills_its_frame_and_keeps_its_edges_free(size: tuple[int, int]) -> None:
    card = drawn(("crossing@dawn.2", "failed", "word " * 2000), *size)
    assert card.shape == (size[1], size[0], 3)
    if size[0] > 64:
        unit = min(size[0] * 9 // 16, size[1]) // 24
        assert (card[:, -unit:] == GROUND).all() and (card[-unit:, unit:] == GROUND).all()
        assert (card[: size[1] // 2, unit:] != GROUND).any() and (card[size[1] // 2 :, unit:] != GROUND).any()


def test_what_cannot_be_broken_at_a_space_is_broken_anyway() -> None:
    card = drawn(("x" * 500, "y" * 500, "漢字" * 900), 640, 360)
    assert (card[:, -15:] == GROUND).all()


def test_control_characters_are_spaces() -> None:
    assert np.array_equal(drawn(("a\x1bb\u202ec", "s"), 640, 360), drawn(("a b c", "s"), 640, 360))


def test_a_slate_needs_no_words() -> None:
    assert drawn((), 640, 360).shape == (360, 640, 3)
