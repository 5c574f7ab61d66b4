import re

import pytest
from actions import SEEDLESS, action
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.planning.plan import Act, Action
from runner.screen.actions import STYLES, takes
from runner.screen.width import width

SECRET = "the prompt was refused; `--retry 'walk.1'` buys it again"


def shown(*actions: Action, free: bool = False, width: int = 0) -> str:
    return takes(actions, free=free, colour=False, width=width)


def story() -> list[Action]:
    return [
        action("arrival@dawn.1", price="25.5"),
        action("walk.1", Act.KEEP, SECRET, model=SEEDLESS),
        action("portrait.1", Act.RETRY, "asked for", price=None),
    ]


def test_a_row_a_take_in_storyboard_order() -> None:
    assert shown(*story()) == (
        "ACTION  TAKE            MODEL                         LENGTH      SIZE    PRICE  REASON\n"
        "buy     arrival@dawn.1  wan2.7-text-to-video             5 s  1280x720    25.50  new\n"
        f"keep    walk.1          wan2.6-reference-video-flash     5 s  1280x720           {SECRET}\n"
        "retry   portrait.1      wan2.7-text-to-video             5 s  1280x720  unknown  asked for\n"
    )


def test_only_what_buys_has_a_price_and_a_free_service_none() -> None:
    assert "  free  new\n" in shown(action("a.1"), action("b.1", Act.REUSE, "unchanged"), free=True)
    assert re.search(r"1280x720 {9}unchanged\n", shown(action("a.1"), action("b.1", Act.REUSE, "unchanged")))


def test_a_take_without_a_request_has_a_row() -> None:
    whole = action("a.1", Act.SKIP, "`skip: true`")
    bare = Action(take=whole.take, request=None, act=Act.SKIP, reason=whole.reason)
    assert shown(bare).splitlines()[1] == "skip    a.1   wan2.7-text-to-video                       `skip: true`"


def test_a_reason_without_room_stands_whole_below_its_row() -> None:
    assert shown(*story(), width=100).splitlines()[2:4] == [
        "keep    walk.1          wan2.6-reference-video-flash     5 s  1280x720",
        f"        {SECRET}",
    ]


@pytest.mark.parametrize(
    ("columns", "head"),
    [
        (97, "ACTION TAKE MODEL LENGTH SIZE PRICE REASON"),
        (96, "ACTION TAKE MODEL LENGTH PRICE REASON"),
        (86, "ACTION TAKE MODEL PRICE REASON"),
        (67, "ACTION TAKE MODEL PRICE REASON"),
        (66, "ACTION TAKE PRICE REASON"),
        (20, "ACTION TAKE PRICE REASON"),
    ],
)
def test_columns_leave_a_narrow_terminal_one_by_one(columns: int, head: str) -> None:
    assert shown(*story(), width=columns).splitlines()[0].split() == head.split()


def test_a_model_is_cut_before_it_leaves() -> None:
    assert "  wan2.6-reference-vid…\n" in shown(*story(), width=72)


def test_many_alike_beside_others_have_one_row_for_their_rest() -> None:
    alike = [action(f"p@SKU-{n}.1", price="2.5") for n in range(61)]
    lines = shown(*alike[:30], action("walk.1", Act.KEEP, "failed"), *alike[30:]).splitlines()
    assert len(lines) == 1 + 20 + 1 + 1
    assert lines[21].split() == ["buy", "...", "and", "41", "more", "102.50", "new"]
    assert lines[22].startswith("keep    walk.1 ")


def test_nothing_is_folded_up_to_sixty_or_where_all_are_alike() -> None:
    alike = [action(f"p@SKU-{n}.1", price="2.5") for n in range(60)]
    assert "more" not in shown(*alike, action("walk.1", Act.KEEP, "failed"))
    assert len(shown(*alike, *alike).splitlines()) == 121


def test_one_unknown_price_makes_the_price_of_the_rest_unknown() -> None:
    alike = [action(f"p@SKU-{n}.1", price=None if n == 70 else "2.5") for n in range(80)]
    assert shown(*alike, action("walk.1", Act.KEEP, "failed")).splitlines()[21].split()[-2] == "unknown"


def test_every_action_has_its_colour() -> None:
    assert set(STYLES) == set(Act)


def test_colour_only_adds_colour() -> None:
    coloured = takes(story(), free=False, colour=True, width=0)
    assert "\x1b[1;33mbuy\x1b[0m" in coloured
    assert "\x1b[31mkeep\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == shown(*story())


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(), min_size=1, max_size=4), st.integers(60, 120))
def test_any_reasons_give_lines_that_begin_with_our_words(reasons: list[str], columns: int) -> None:
    actions = [action(f"a.{n}", Act.KEEP, f"failed: {reason}") for n, reason in enumerate(reasons)]
    lines = shown(*actions, width=columns).split("\n")[1:-1]
    assert all(re.match(r"keep  |        failed:", line) and line == line.rstrip() for line in lines)
    assert all(width(line) <= columns for line in lines if line.startswith("keep"))
