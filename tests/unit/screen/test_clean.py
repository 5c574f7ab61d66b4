import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.screen import clean

NASTY = ["\x1b[31m", "\x9b", "\r\n", "\u2028", "\u202e", "\u2066", "\ufeff", "\u200b", "\udc80", "##[error]", "##", "["]
foreign = st.lists(st.one_of(st.characters(), st.sampled_from(NASTY))).map("".join)


def is_safe(text: str) -> bool:
    return (
        not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)
        and not any(
            unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
            for c in text
        )
        and not re.search(r"##\w*\[", text)
    )


@settings(deadline=None)
@given(foreign)
def test_words_hold_nothing_that_a_terminal_or_a_log_obeys(text: str) -> None:
    assert is_safe(clean.words(text))


@settings(deadline=None)
@given(foreign)
def test_a_source_line_is_as_safe_and_keeps_its_columns(text: str) -> None:
    assert is_safe(clean.line(text))
    assert len(clean.line(text)) == len(text)


@settings(deadline=None)
@given(foreign)
def test_cleaned_words_are_clean(text: str) -> None:
    assert clean.words(clean.words(text)) == clean.words(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\r\n two\u2028three\t", "one  two three"),
        ("\x1b[2Jgone\x07", "[2Jgone"),
        ("a\u202eb\u2069c\u200bd", "abcd"),
        ("x\udcffy", "xy"),
        (
            "see ##[error]no and ##vso[task] and ##teamcity[x]",
            "see #\ufffd[error]no and #\ufffdvso[task] and #\ufffdteamcity[x]",
        ),
        ("## a heading [link]", "## a heading [link]"),
    ],
)
def test_breaks_become_a_space_and_controls_go(text: str, shown: str) -> None:
    assert clean.words(text) == shown


@pytest.mark.parametrize("text", ["Ein schöner Tag", "می‌خواهم", "👩‍🚀 und ❤️", "葛󠄀城", "e\u0301", "שלום"])
def test_the_letters_of_every_language_stay(text: str) -> None:
    assert clean.words(text) == text
    assert clean.line(text) == text


def test_a_control_character_of_a_source_line_is_seen() -> None:
    assert clean.line("a\tb\x1bc\u202ed") == "a b\ufffdc\ufffdd"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://h.example/a.mp4?X-Amz-Date=1&X-Amz-Signature=ab12 now", "at https://h.example/a.mp4?*** now"),
        ("https://h.example/a.mp4?Expires=1&OSSAccessKeyId=b&Signature=c", "https://h.example/a.mp4?***"),
        ("https://h.example/a?v=2&auth_token=abc", "https://h.example/a?***"),
        ("https://h.example/a#access_token=abc", "https://h.example/a#***"),
        ("`https://h.example/a?sig=abc`", "`https://h.example/a?***`"),
        ("https://eva:secret@h.example/a", "https://***@h.example/a"),
        ("Authorization: Bearer abcdefghij0123456789", "Authorization: Bearer ***"),
        ("key sk-abcdefghij0123456789 refused", "key sk-*** refused"),
        ("EVOLINK_API_KEY=abcdefghij0123456789", "EVOLINK_API_KEY=***"),
        ("SHOTRUNNER_KEY_H_EXAMPLE: 'abcdefghij0123456789'", "SHOTRUNNER_KEY_H_EXAMPLE: '***'"),
    ],
)
def test_what_grants_access_is_masked(text: str, shown: str) -> None:
    assert clean.words(text) == shown
    assert len(clean.line(text)) == len(text)
    assert re.sub(r"\*+", "***", clean.line(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://h.example/a.png?size=2&design=blue",
        "task-unified-1756817821-4wftz5b9",
        "the bearer of the ring carries a token: a small coin",
        "set EVOLINK_API_KEY, then run again",
        "https://h.example/shots@dawn",
    ],
)
def test_what_grants_nothing_is_shown(text: str) -> None:
    assert clean.words(text) == text
    assert clean.line(text) == text


def test_a_secret_this_process_knows_is_masked_wherever_it_stands() -> None:
    assert clean.words("a hunter2hunter2 b", ["hunter2hunter2"]) == "a *** b"
    assert clean.words("hunter2-long and hunter2-longer", ["hunter2-long", "hunter2-longer"]) == "*** and ***"


def test_a_secret_split_by_control_characters_is_masked() -> None:
    assert "hunter2" not in clean.words("hunter2\x00hunter2", ["hunter2hunter2"])


def test_a_short_secret_does_not_mask_the_language() -> None:
    assert clean.words("a cat", ["a"]) == "a cat"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("far out, where no ship\nshould be, a light.", "far out, where no ship should be, a light."),
        ("waits; \nélan", "waits; élan"),
        ("A light.\nthe wind", "A light.\nthe wind"),
        ("Two shots:\nfirst the sea", "Two shots:\nfirst the sea"),
        ("the sea\nShot two", "the sea\nShot two"),
        ("the sea\n\nthe wind", "the sea\n\nthe wind"),
        ("the sea\n- a gull", "the sea\n- a gull"),
    ],
)
def test_a_line_runs_on_where_it_was_broken_within_its_sentence(written: str, shown: str) -> None:
    assert clean.prose(written) == shown
