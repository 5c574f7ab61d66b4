import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.screen.width import cut, width, widths


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("界面", 4),
        ("ｱ", 1),
        ("Ａ", 2),
        ("🎬", 2),
        ("❤", 1),
        ("❤\ufe0f", 2),
        ("🎞\ufe0f", 2),
        ("👍🏽", 2),
        ("👩\u200d🚀", 2),
        ("👩🏽\u200d🚀", 2),
        ("🇩🇪", 2),
        ("한", 2),
        ("\u1112\u1161\u11ab", 2),
        ("می\u200cخواهم", 7),
        ("क्\u200dष", 2),
        ("葛\U000e0100", 2),
    ],
)
def test_width_is_what_a_terminal_draws(text: str, columns: int) -> None:
    assert width(text) == columns
    assert len(widths(text)) == len(text)


@settings(deadline=None)
@given(st.text("ab界e\u0301🎬👍🏽", max_size=30), st.integers(1, 40))
def test_a_cut_text_fits_and_says_that_it_was_cut(text: str, columns: int) -> None:
    shown = cut(text, columns)
    assert width(shown) <= columns
    if width(text) <= columns:
        assert shown == text
    else:
        assert shown.endswith("…")
        assert text.startswith(shown[:-1])
        assert width(shown) >= columns - 1
