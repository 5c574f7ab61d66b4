import pytest

from runner.screen.colour import Choice, Style, paint, wanted


@pytest.mark.parametrize(
    ("choice", "environ", "terminal", "coloured"),
    [
        (Choice.AUTO, {}, True, True),
        (Choice.AUTO, {}, False, False),
        (Choice.AUTO, {"TERM": "xterm-256color"}, True, True),
        (Choice.AUTO, {"TERM": "dumb"}, True, False),
        (Choice.AUTO, {"NO_COLOR": "1"}, True, False),
        (Choice.AUTO, {"NO_COLOR": ""}, True, True),
        (Choice.AUTO, {"FORCE_COLOR": "1"}, False, True),
        (Choice.AUTO, {"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
        (Choice.AUTO, {"FORCE_COLOR": ""}, False, False),
        (Choice.AUTO, {"FORCE_COLOR": "0"}, False, False),
        (Choice.AUTO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        (Choice.ALWAYS, {"NO_COLOR": "1", "TERM": "dumb"}, False, True),
        (Choice.NEVER, {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_the_option_rules_then_the_environment_then_the_terminal(
    choice: Choice, environ: dict[str, str], terminal: bool, coloured: bool
) -> None:
    assert wanted(choice, environ, terminal=terminal) is coloured


def test_paint_is_ansi_or_nothing() -> None:
    assert paint("x", Style.ERROR, colour=True) == "\x1b[1;31mx\x1b[0m"
    assert paint("x", Style.ERROR, colour=False) == "x"
    assert paint("x", None, colour=True) == "x"
    assert paint("", Style.ERROR, colour=True) == ""
