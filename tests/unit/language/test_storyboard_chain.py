"""Links to other shots' clips: what they name, and what they may never name."""

import pytest
from boards import HEAD, codes, load, places

from runner.language.take import Take


def shots(*written: str, head: str = HEAD) -> str:
    lines = "".join(f"  - {{id: {one.replace('; ', ', ')}, prompt: x}}\n" for one in written)
    return f"{head}shots:\n{lines}"


def links(take: Take) -> list[tuple[str, str | None]]:
    return [(use.link.variant, use.link.frame) for setting in take.media.values() for use in setting.uses if use.link]


def test_a_link_names_a_shot_or_a_variant_before_or_behind_it() -> None:
    board = load(
        shots(
            "b; image: {shot: a, frame: last}",
            "a",
            "m; matrix: {t: [x, y]}",
            "c; videos: [{shot: m@y}, {shot: a}], audio: {shot: b}",
        )
    )
    assert board.diagnostics == ()
    assert {take.id: links(take) for take in board.takes} == {
        "b.1": [("a", "last")],
        "a.1": [],
        "m@x.1": [],
        "m@y.1": [],
        "c.1": [("m@y", None), ("a", None), ("b", None)],
    }


@pytest.mark.parametrize(
    ("frame", "meant"),
    [("last", "last"), ("first", "first"), ("2.50", "2.5"), ("3", "3"), ("0", "first"), ("'{{ 1 + 1 }}'", "2")],
)
def test_a_frame_is_first_last_or_a_second_in_one_spelling(frame: str, meant: str) -> None:
    takes = load(shots("a", f"b; image: {{shot: a, frame: {frame}}}")).takes
    assert links(takes[1]) == [("a", meant)]


def test_a_template_names_the_shot() -> None:
    board = load(shots("a; matrix: {t: [x, y]}", "b; matrix: {t: [x, y]}, image: {shot: 'a@{{ t }}', frame: last}"))
    assert [links(take) for take in board.takes if take.shot == "b"] == [[("a@x", "last")], [("a@y", "last")]]


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("image: {shot: q, frame: last}", "unknown-shot"),
        ("image: {shot: a.1, frame: last}", "unknown-shot"),
        ("image: {shot: m, frame: last}", "unknown-shot"),
        ("image: {shot: m@z, frame: last}", "unknown-shot"),
        ("image: {shot: a}", "missing-key"),
        ("image: {frame: last}", "missing-key"),
        ("image: {}", "missing-key"),
        ("image: {shot: a, frame: middle}", "bad-value"),
        ("image: {shot: a, frame: -1}", "bad-value"),
        ("image: {shot: a, frame: 0.0001}", "bad-value"),
        ("image: {shot: a, frame: 'nan'}", "bad-value"),
        ("image: {shot: a, frame: [1]}", "bad-value"),
        ("image: {shot: a, frame: last, take: 2}", "unknown-key"),
        ("image: {shot: 7, frame: last}", "bad-type"),
        ("videos: [{shot: a, frame: last}]", "misplaced-key"),
        ("audio: {shot: a, frame: last}", "misplaced-key"),
        ("image: {shot: b, frame: last}", "shot-cycle"),
    ],
)
def test_a_faulty_link_is_reported_at_its_line(link: str, code: str) -> None:
    board = load(shots("a", "m; matrix: {t: [x, y]}", f"b; {link}"))
    assert [(found, line) for found, line, _ in places(board)] == [(code, 6)]
    assert [take.id for take in board.takes] == ["a.1", "m@x.1", "m@y.1"]


def test_a_take_is_never_named_by_its_number() -> None:
    (fault,) = load(shots("a; takes: 2", "b; image: {shot: a.2, frame: last}")).diagnostics
    assert "name the shot, `a`" in fault.help


def test_a_circle_is_told_once_and_what_hangs_on_it_is_left_out() -> None:
    board = load(
        shots(
            "a; image: {shot: c, frame: last}",
            "b; image: {shot: a, frame: last}",
            "c; image: {shot: b, frame: last}",
            "d; image: {shot: c, frame: last}",
            "e",
            "f; image: {shot: f, frame: first}",
        )
    )
    assert codes(board) == ["shot-cycle", "shot-cycle"]
    assert "`a` <- `c` <- `b` <- `a`" in board.diagnostics[0].headline
    assert [take.id for take in board.takes] == ["e.1"]


def test_a_link_to_a_faulty_shot_is_not_reported_beside_its_fault() -> None:
    board = load(shots("a; duration: 5", "b; image: {shot: a, frame: last}", "c; image: {shot: b, frame: last}"))
    assert codes(board) == ["unknown-key"]


def test_equal_faults_of_a_shots_variants_are_one() -> None:
    board = load(shots("b; matrix: {t: [x, y, z]}, image: {shot: q, frame: last}"))
    assert {fault.group for fault in board.diagnostics} == {board.diagnostics[0].group}
    assert codes(board) == ["unknown-shot"] * 3


def test_a_chain_of_many_thousand_shots_is_followed() -> None:
    many = 5_000
    board = load(shots("s0", *(f"s{n}; image: {{shot: s{n - 1}, frame: last}}" for n in range(1, many))))
    assert board.diagnostics == () and len(board.takes) == many
