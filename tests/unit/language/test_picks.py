"""The picks file: read with its places, and changed line by line so that nothing else in it moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.diagnostics import Diagnostic, Rejected, Source
from runner.language.picks import Pick, Picks, Rejection, changed, load, take_of

DIGEST, OTHER = "3f" * 32, "9a" * 32
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}(@[A-Za-z0-9+_-]{1,8})?", fullmatch=True)
CLIPS = st.dictionaries(
    st.sampled_from(["draft", "true", "12", "a b", "1e999", "x: {y}"]), st.sampled_from([DIGEST, "9" * 64]), max_size=3
)
PICKS = st.builds(lambda clips, **told: Pick(**told).with_clips(clips), CLIPS, take=st.integers(1, 999), note=st.text(max_size=20).filter(str.isprintable).map(str.strip))  # fmt: skip


def source(text: str) -> Source:
    return Source(path="film.picks.yaml", name="film.picks.yaml", text=text)


def faults(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(Rejected) as rejected:
        load(source(text))
    return rejected.value.diagnostics


def test_a_picks_file_says_take_clip_pipeline_and_note() -> None:
    text = f"picks: 1\nshots:\n  a@dawn: {{take: 2, pipeline: preview, clip: {DIGEST}, note: best}}\nrejected:\n  b.1: {{note: no}}\n"
    found = load(source(text))
    assert found.shots == {"a@dawn": Pick(take=2, pipeline="preview", clip=DIGEST, note="best")}
    assert found.rejected == {"b.1": Rejection(note="no")}
    assert found.takes() == {"a@dawn": 2}
    assert found.shots["a@dawn"].span is not None and found.shots["a@dawn"].span.line == 3


def test_clips_of_several_pipelines_are_kept_the_latest_first() -> None:
    text = f"picks: 1\nshots:\n  a: {{take: 2, pipeline: final, clip: {DIGEST}, also: {{draft: {OTHER}, preview: {OTHER}}}}}\n"
    found = load(source(text)).shots["a"]
    assert list(found.clips.items()) == [("final", DIGEST), ("draft", OTHER), ("preview", OTHER)]
    assert found.with_clips(found.clips) == found
    assert changed(source(text), "shots", "a", found) == text
    assert found.with_clips({}) == Pick(take=2)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "picks: 1\n", "picks: 1\nshots:\nrejected:\n"])
def test_an_empty_file_picks_nothing(text: str) -> None:
    assert load(source(text)) == Picks()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("shots: {}\n", "missing-key"),
        ("picks: 2\n", "bad-version"),
        ("picks: 1\nshot: {}\n", "unknown-key"),
        ("picks: 1\nshots: [a.1]\n", "bad-type"),
        ("picks: 1\nshots: {a: 2}\n", "bad-type"),
        ("picks: 1\nshots: {a: {}}\n", "missing-key"),
        ("picks: 1\nshots: {a: {take: 0}}\n", "bad-value"),
        ("picks: 1\nshots: {a: {take: 1, clip: 12}}\n", "bad-type"),
        ("picks: 1\nshots: {a: {take: 1, clip: abc}}\n", "bad-value"),
        ("picks: 1\nshots: {a: {take: 1, tkae: 1}}\n", "unknown-key"),
        ("picks: 1\nshots: {a: {take: 1, also: abc}}\n", "bad-type"),
        ("picks: 1\nshots: {a: {take: 1, also: {draft: abc}}}\n", "bad-value"),
        ("picks: 1\nrejected: {a: {}}\n", "bad-id"),
        ("picks: 1\nshots: {a: {take: 1}, a: {take: 2}}\n", "duplicate-key"),
        ("picks: 1\n<<<<<<< ours\n", "yaml-syntax"),
    ],
)
def test_what_cannot_be_meant_is_named(text: str, code: str) -> None:
    assert [fault.code for fault in faults(text)] == [code]


@given(st.dictionaries(NAMES, PICKS, max_size=6), st.lists(NAMES, max_size=3))
def test_whatever_is_picked_and_unpicked_is_read_back(picked: dict[str, Pick], undone: list[str]) -> None:
    text: Source | None = None
    for name, pick in picked.items():
        text = source(changed(text, "shots", name, pick))
    for name in undone:
        text = source(changed(text, "shots", name, None)) if text else None
    kept = {name: pick for name, pick in picked.items() if name not in undone}
    assert (load(text) if text else Picks()).shots == kept


COMMENTED = """\
# ours
picks: 1

shots:
  # the storm
  a: {take: 1}  # as agreed

  m: {take: 1}
  # at the end
rejected:   # never again
  a.2: {note: he blinks}
"""


def test_every_other_line_stays_as_it_is_written() -> None:
    text = changed(source(COMMENTED), "shots", "a", Pick(take=2))
    assert text == COMMENTED.replace("a: {take: 1}", "a: {take: 2}")
    text = changed(source(COMMENTED), "shots", "b", Pick(take=1, note='a "b"'))
    added = '  b: {take: 1, note: "a \\"b\\""}\n'
    assert text == COMMENTED.replace("# as agreed\n", f"# as agreed\n{added}")
    assert changed(source(text), "shots", "b", None) == COMMENTED
    assert changed(source(COMMENTED), "shots", "zzz", None) == COMMENTED


def test_a_note_is_one_line_of_words() -> None:
    text = changed(None, "shots", "a", Pick(take=1, note="two\nlines\x7f\x1b[1m"))
    assert load(source(text)).shots["a"].note == "two lines  [1m"
    text = changed(source("# mine\n"), "rejected", "a.1", Rejection(note="é 😀"))
    assert text == '# mine\npicks: 1\nrejected:\n  a.1: {note: "é 😀"}\n'


def test_an_entry_of_several_lines_becomes_one() -> None:
    text = "picks: 1\nshots:\n  a:\n    take: 1\n    note: x\n\n  # b\n  b: {take: 1}\n"
    assert (
        changed(source(text), "shots", "a", Pick(take=3))
        == "picks: 1\nshots:\n  a: {take: 3}\n\n  # b\n  b: {take: 1}\n"
    )


def test_a_section_in_one_line_is_left_to_its_author() -> None:
    with pytest.raises(Rejected) as rejected:
        changed(source("picks: 1\nshots: {a: {take: 1}}\n"), "shots", "b", Pick(take=1))
    assert rejected.value.diagnostics[0].code == "bad-type"
    assert load(source(changed(source("picks: 1\nshots: {}\n"), "shots", "b", Pick(take=1)))).takes() == {"b": 1}


def test_a_take_is_a_variant_and_a_number() -> None:
    assert take_of("arrival@dawn.2") == ("arrival@dawn", 2)
    assert take_of("product@1.5.3") == ("product@1.5", 3)
    assert take_of("arrival") is None and take_of("a.0") is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_did(end: str) -> None:
    text = f"# mine{end}picks: 1{end}shots:{end}  a: {{take: 1}}{end}  c: {{take: 1}}{end}"
    added = changed(source(text), "shots", "b", Pick(take=2))
    assert added == text.replace("  c:", f"  b: {{take: 2}}{end}  c:")
    assert changed(source(added), "shots", "b", None) == text
    assert changed(source(text), "shots", "d", None) == text
    assert changed(source(text), "rejected", "a.1", Rejection()) == f"{text}rejected:{end}  a.1: {{}}{end}"
    bare = text.removesuffix(end)
    assert changed(source(bare), "shots", "b", Pick(take=2)) == added.removesuffix(end)


def test_mixed_line_ends_stay_where_nothing_changes() -> None:
    text = "picks: 1\r\nshots:\n  a: {take: 1}\r\n  b: {take: 1}\n# end"
    assert changed(source(text), "shots", "a", Pick(take=2)) == text.replace("a: {take: 1}", "a: {take: 2}")
    assert changed(source(text), "shots", "a", None) == text.replace("  a: {take: 1}\r\n", "")
