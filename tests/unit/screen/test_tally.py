from hypothesis import given
from hypothesis import strategies as st

from runner.execution.ports import ENDS, Notice, What
from runner.screen.tally import End, Tally, named, together


def notice(what: What, *takes: str, text: str = "", percent: int | None = None) -> Notice:
    return Notice(what=what, takes=takes or ("a.1",), text=text, percent=percent)


def doing(tally: Tally) -> list[tuple[str, str]]:
    return [(named(row.takes), row.doing) for row in tally.rows()]


def test_every_end_counts_once_for_each_of_its_takes() -> None:
    tally = Tally(5, now=0)
    assert tally.add(notice(What.SUBMITTED, "a.1", "b.1"), now=1) == ()
    ends = tally.add(notice(What.DONE, "a.1", "b.1"), now=5.5)
    assert [(end.number, end.total, end.takes, end.seconds) for end in ends] == [
        (1, 5, ("a.1",), 4.5),
        (2, 5, ("b.1",), 4.5),
    ]
    assert tally.ended == 2


@given(st.lists(st.sampled_from(What)))
def test_a_take_is_under_way_until_it_ends_whatever_the_order(whats: list[What]) -> None:
    tally = Tally(3, now=0)
    for what in whats:
        tally.add(notice(what), now=1)
    ends = {*ENDS, What.STOPPED}
    assert tally.ended == sum(what in ends for what in whats)
    assert tally.total == max(3, tally.ended)
    assert len(tally.rows()) == (bool(whats) and whats[-1] not in ends)


def test_an_end_without_a_notice_before_it_took_no_known_time() -> None:
    (end,) = Tally(1, now=0).add(notice(What.REFUSED, text="bad\nkey"), now=3)
    assert (end.seconds, end.text) == (None, "bad key")


def test_what_is_done_for_a_take_is_said_in_the_service_s_words_while_it_waits() -> None:
    tally = Tally(9, now=0)
    tally.add(notice(What.SUBMITTED, "a.1", text="task-1"), now=0)
    tally.add(notice(What.WAITING, "b.1", text="pro\x1bcessing", percent=140), now=0)
    tally.add(notice(What.WAITING, "c.1"), now=0)
    tally.add(notice(What.PAUSED, "d.1", text="slow down"), now=0)
    tally.add(notice(What.FETCHING, "e.1", "f.1", "g.1"), now=0)
    tally.step("assemble", "piece 1 of 3", now=0)
    assert doing(tally) == [
        ("assemble", "piece 1 of 3"),
        ("a.1", "submitted"),
        ("b.1", "processing 100%"),
        ("c.1", "waiting"),
        ("d.1", "paused: slow down"),
        ("e.1 and 2 more", "fetching"),
    ]


def test_a_row_keeps_its_place_and_its_beginning() -> None:
    tally = Tally(2, now=0)
    tally.add(notice(What.SUBMITTED, "a.1"), now=1)
    tally.add(notice(What.SUBMITTED, "b.1"), now=2)
    tally.add(notice(What.WAITING, "a.1", text="running"), now=3)
    assert [(row.takes, row.since) for row in tally.rows()] == [(("a.1",), 1), (("b.1",), 2)]


def test_a_step_begins_once_and_ends_with_an_empty_text() -> None:
    tally = Tally(0, now=0)
    assert tally.step("assemble", "one", now=1)
    assert not tally.step("assemble", "two", now=2)
    assert (doing(tally), tally.rows()[0].since) == ([("assemble", "two")], 1)
    assert not tally.step("assemble", "", now=3)
    assert doing(tally) == []


def test_the_rest_is_told_from_how_fast_takes_were_done() -> None:
    tally = Tally(4, now=100)
    tally.add(notice(What.FAILED), now=105)
    assert tally.left_s(105) is None
    tally.add(notice(What.DONE), now=110)
    assert tally.left_s(110) == 20
    assert tally.left_s(125) == 5
    assert tally.times(125.5) == "25 s, about 5 s left"


def test_an_estimate_that_has_passed_is_not_told_and_neither_is_one_of_nothing() -> None:
    tally = Tally(2, now=0)
    tally.add(notice(What.DONE), now=10)
    assert tally.left_s(20) is None
    tally.add(notice(What.DONE), now=21)
    assert tally.left_s(21) is None
    assert tally.times(21) == "21 s"


def test_a_summary_names_three_and_counts_the_rest() -> None:
    tally = Tally(300, now=0)
    assert tally.summary(60) == "[0/300] after 1 m"
    for name in "abcde":
        tally.add(notice(What.WAITING, f"{name}.1", text="running"), now=0)
    tally.add(notice(What.DONE, "z.1"), now=10)
    assert tally.summary(60) == (
        "[1/300] after 1 m, about 49 m left; under way: a.1 running, b.1 running, c.1 running and 2 more"
    )


def test_a_stranger_s_long_words_are_cut() -> None:
    tally = Tally(2, now=0)
    tally.add(notice(What.PAUSED, text="x" * 9999), now=0)
    assert len(tally.summary(0)) < 120
    (end,) = tally.add(notice(What.FAILED, text="x" * 9999), now=0)
    assert len(end.text) == 400


def end(number: int, what: What, text: str = "") -> End:
    return End(number=number, total=9, what=what, takes=(f"t.{number}",), text=text, seconds=1)


def test_only_takes_never_submitted_for_one_reason_are_told_together() -> None:
    joined = together(
        [
            end(1, What.PENDING, "stopped"),
            end(2, What.PENDING, "stopped"),
            end(3, What.PENDING, "no budget"),
            "a note",
            end(4, What.PENDING, "no budget"),
            end(5, What.FAILED, "no budget"),
            end(6, What.FAILED, "no budget"),
        ]
    )
    assert [(e.number, e.takes) if isinstance(e, End) else e for e in joined] == [
        (2, ("t.1", "t.2")),
        (3, ("t.3",)),
        "a note",
        (4, ("t.4",)),
        (5, ("t.5",)),
        (6, ("t.6",)),
    ]
