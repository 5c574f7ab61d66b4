"""Which takes stand in which film of a cut, and in what order."""

from decimal import Decimal

from boards import load
from hypothesis import given
from hypothesis import strategies as st

from runner.core.diagnostics import Diagnostic
from runner.core.media import Kind, MediaFacts, Pointer
from runner.language.storyboard import Storyboard
from runner.language.take import Join
from runner.planning.edit import Edit, axis_faults, chosen, edits, file_faults

HEAD = """\
storyboard: 1
defaults: {model: m, transition: {dissolve: 0.5}}
shots:
  - {id: a, prompt: x, takes: 2, matrix: {time: [dawn, dusk], lens: [wide, near]}, trim: {out: 3}}
  - {id: b, prompt: x}
  - {id: c, prompt: x, matrix: {time: [dusk, dawn]}}
  - {id: d, prompt: x, skip: true, matrix: {time: [midnight]}}
  - {id: e, prompt: x, matrix: {time: [noon]}}
"""


def board(cut: str) -> Storyboard:
    found = load(f"{HEAD}cuts: {{one: {cut}}}\n")
    assert found.diagnostics == ()
    return found


def films(cut: str) -> tuple[Edit, ...]:
    found = board(cut)
    return edits(found.cuts[0], chosen(found.takes, {}))


def names(edit: Edit) -> list[str]:
    return [slot.take.id if slot.take else slot.name for slot in edit.slots]


ALL = ["a@dawn+wide.1", "a@dawn+near.1", "a@dusk+wide.1", "a@dusk+near.1", "b.1", "c@dusk.1", "c@dawn.1", "e@noon.1"]


def test_without_an_order_every_variant_stands_once_by_its_first_take() -> None:
    found = load(HEAD)
    (plain,) = edits(None, chosen(found.takes, {}))
    (edit,) = films("{}")
    assert names(plain) == names(edit) == [take.id for take in chosen(found.takes, {})] == ALL
    assert [(s.out_s, s.transition) for s in plain.slots] == [(s.out_s, s.transition) for s in edit.slots]


def test_an_order_is_kept_and_a_shot_stands_for_its_variants() -> None:
    (edit,) = films("{order: [b, c, d, a@dusk+near, b, logo.mp4, {black: 1}]}")
    assert names(edit) == ["b.1", "c@dusk.1", "c@dawn.1", "a@dusk+near.1", "b.1", "logo.mp4", "black"]
    assert [take.id for take in edit.takes] == ["b.1", "c@dusk.1", "c@dawn.1", "a@dusk+near.1"]


def test_what_an_entry_says_stands_in_place_of_what_the_shot_says() -> None:
    (edit,) = films("{order: [a@dawn+wide, {shot: a@dawn+wide, in: 1}, {shot: c, join: {fade: 1}}]}")
    whole, part, *both = edit.slots
    assert (whole.in_s, whole.out_s, part.in_s, part.out_s) == (None, 3, 1, None)
    assert part.transition is not None and part.transition.seconds == Decimal("0.5")
    assert [slot.transition.join for slot in both if slot.transition] == [Join.FADE, Join.FADE]


def test_a_film_is_made_for_each_label() -> None:
    dawn, dusk = films("{for: time, order: [c, b, a, a@dusk+near]}")[::-1]
    assert (dawn.label, dusk.label) == ("dawn", "dusk")
    assert names(dawn) == ["c@dawn.1", "b.1", "a@dawn+wide.1", "a@dawn+near.1", "a@dusk+near.1"]
    assert names(dusk) == ["c@dusk.1", "b.1", "a@dusk+wide.1", "a@dusk+near.1", "a@dusk+near.1"]
    assert (dawn.output("x/film.mp4"), films("{}")[0].output("film.mp4")) == ("x/film@dawn.mp4", "film.mp4")


def test_a_film_is_made_for_each_combination_of_labels() -> None:
    made = films("{for: [lens, time], order: [a, b]}")
    assert [edit.label for edit in made] == ["wide+dawn", "wide+dusk", "near+dawn", "near+dusk"]
    assert [names(edit) for edit in made] == [[f"a@{time}+{lens}.1", "b.1"] for lens in ("wide", "near") for time in ("dawn", "dusk")]  # fmt: skip


@given(
    st.lists(st.sampled_from(["a", "b", "c", "a@dawn+near", "c@dusk"]), min_size=1), st.sampled_from(["time", "lens"])
)
def test_the_films_of_an_axis_hold_every_piece_of_the_cut_and_no_other(order: list[str], axis: str) -> None:
    written = ", ".join(order)
    (whole,) = films(f"{{order: [{written}]}}")
    made = films(f"{{for: {axis}, order: [{written}]}}")
    assert {name for edit in made for name in names(edit)} <= set(names(whole))
    if made:
        assert {name for edit in made for name in names(edit)} == set(names(whole))
    for edit in made:
        plain = [s for s in edit.slots if s.take and s.take.shot in order and s.take.variant not in order]
        assert all(slot.take and slot.take.labels.get(axis, edit.label) == edit.label for slot in plain)


def faults(cut: str) -> list[str]:
    found = board(cut)
    return [fault.headline for fault in axis_faults(found.cuts[0], chosen(found.takes, {}))]


def test_labels_that_not_all_shots_of_an_axis_have_are_refused() -> None:
    assert faults("{for: time, order: [a, b, c, d]}") == []  # d is skipped
    assert faults("{order: [a, e]}") == []
    assert faults("{for: time, order: [c, e]}") == [
        "shot `c` has no `noon` on its axis `time`, and so no part in that film",
        "shot `e` has no `dusk` on its axis `time`, and so no part in that film",
    ]
    assert faults("{for: [lens, weather], order: [b, c]}") == [
        "no shot of the cut `one` has an axis `lens`",
        "no shot of the cut `one` has an axis `weather`",
    ]


def test_too_many_films_are_refused() -> None:
    axes = ", ".join(f"x{n}: [p, q]" for n in range(7))
    text = f"storyboard: 1\ndefaults: {{model: m}}\nshots: [{{id: a, prompt: x, matrix: {{{axes}}}}}]\n"
    names_ = ", ".join(f"x{n}" for n in range(7))
    found = load(f"{text}cuts: {{one: {{for: [{names_}]}}}}\n")
    assert [fault.code for fault in axis_faults(found.cuts[0], chosen(found.takes, {}))] == ["too-many"]


def of_files(path: str, found: MediaFacts | Pointer | str) -> list[Diagnostic]:
    cut = board("{order: [b, logo.mp4], sound: {music: theme.mp3}}").cuts[0]
    good = {"logo.mp4": facts(Kind.VIDEO), "theme.mp3": facts(Kind.AUDIO, has_audio=True)}
    return list(file_faults(cut, {**good, path: found}))


def facts(kind: Kind, **fields: object) -> MediaFacts:
    return MediaFacts(kind=kind, format="mp4", sha256="0" * 64, size_bytes=1, **fields)  # type: ignore[arg-type]


def test_files_are_held_to_what_they_are_used_for() -> None:
    assert of_files("logo.mp4", facts(Kind.VIDEO)) == []
    assert of_files("theme.mp3", facts(Kind.VIDEO, has_audio=True)) == []
    codes = [
        of_files("logo.mp4", "does not exist"),
        of_files("logo.mp4", "cannot be used: the file is empty"),
        of_files("logo.mp4", facts(Kind.AUDIO, has_audio=True)),
        of_files("theme.mp3", facts(Kind.VIDEO)),
        of_files("theme.mp3", Pointer(sha256="1" * 64, size_bytes=3)),
        of_files("theme.mp3", Pointer(sha256="1" * 64, size_bytes=3, facts=facts(Kind.IMAGE))),
    ]
    assert [[fault.code for fault in found] for found in codes] == [
        ["missing-file"], ["unreadable-media"], ["wrong-kind"], ["wrong-kind"], ["lfs-pointer"], ["lfs-pointer", "wrong-kind"],
    ]  # fmt: skip


def test_a_pinned_file_has_the_bytes_that_its_reference_says() -> None:
    text = (
        HEAD
        + f'references: {{logo: {{video: logo.mp4, sha256: "{"a" * 64}"}}}}\ncuts: {{one: {{order: [{{file: logo}}]}}}}\n'
    )
    (cut,) = load(text).cuts
    assert [f.code for f in file_faults(cut, {"logo.mp4": facts(Kind.VIDEO)})] == ["pinned-differs"]


def test_a_picked_take_stands_in_the_film_and_the_first_where_there_is_no_such_take() -> None:
    takes = load(HEAD).takes
    picked = chosen(takes, {"a@dawn+wide": 2, "b": 7, "d": 1})
    assert [take.id for take in picked] == ["a@dawn+wide.2", *ALL[1:]]
