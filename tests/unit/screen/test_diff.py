import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from actions import FILM, request, span, take
from hypothesis import given
from hypothesis import strategies as st

from runner.core.media import Kind
from runner.core.request import MediaPart, Request, key_inputs, request_key
from runner.planning.diff import compare
from runner.planning.request import Built
from runner.screen.diff import as_json, concise, text
from runner.screen.diff_markdown import MARK, code, fenced, markdown
from runner.screen.diff_words import Side, excerpts

OLD = Side(name="main:film.yaml", commit="c" * 40, pipeline="final", service="evolink", free=False, there=True)
NEW = replace(OLD, name="film.yaml", commit="")
PRICE = Decimal("25.5")


def made(name: str, *, price: Decimal | None = PRICE, media: tuple[MediaPart, ...] = (), **body: Any) -> Request:
    inputs = key_inputs(service="evolink", model="m", body={"prompt": name, **body}, take=None)
    return replace(request(name, price=price), inputs=inputs, key=request_key(inputs), media=media)


def built(name: str, line: int = 12, *, title: str = "", **more: Any) -> Built:
    one = replace(take(name, where=span(line)), title=title)
    return Built(take=one, request=made(name, **more), diagnostics=(), places={"prompt": span(line + 1)})


BEFORE = (
    built("a@dawn.1", prompt="An old keeper in a yellow raincoat climbs a spiral staircase at dawn in fog"),
    built("b.1", 20, prompt="sea"),
    built("c.1", 30, quality="720p"),
    built("d.1", 40, prompt="d"),
    built("e.1", 50),
)
AFTER = (
    built("a@dawn.1", prompt="An old keeper in a yellow raincoat climbs a spiral staircase at noon in fog"),
    built("c.1", 31, quality="1080p", price=Decimal("42.59")),
    built("d.1", 40, prompt="d", title="D"),
    built("n.1", 45),
    built("z.1", 50, prompt="e.1"),
)


def test_text_shows_each_take_its_fields_its_places_and_what_is_to_be_paid() -> None:
    assert text(compare(BEFORE, AFTER), OLD, NEW, colour=False) == (
        "diff of main:film.yaml and film.yaml: pipeline final, service evolink\n"
        "\n"
        "KIND     TAKE      PRICE    WAS\n"
        "changed  a@dawn.1  25.50  25.50\n"
        "    prompt  film.yaml:13:9  … spiral staircase at dawn in fog -> … spiral staircase at noon in fog\n"
        "changed  c.1       42.59  25.50\n"
        "    quality  film.yaml:31:9  720p -> 1080p\n"
        "edited   d.1\n"
        "    title  film.yaml:40:9  - -> D\n"
        "added    n.1       25.50\n"
        "renamed  z.1                     was e.1\n"
        "dropped  b.1              25.50\n"
        "\n"
        "5 takes: 1 added, 1 dropped, 2 changed, 1 renamed, 1 edited; 0 unchanged\n"
        "3 requests to buy: 93.59 credits beyond those of main:film.yaml\n"
        "in all 127.50 credits before, 144.59 credits now\n"
    )


def test_colour_only_adds_colour() -> None:
    found = compare(BEFORE, AFTER)
    coloured = text(found, OLD, NEW, colour=True)
    assert coloured != text(found, OLD, NEW, colour=False) == re.sub(r"\x1b\[[\d;]*m", "", coloured)


def test_without_a_difference_there_is_no_table() -> None:
    assert text(compare(BEFORE, BEFORE), OLD, NEW, colour=False) == (
        "diff of main:film.yaml and film.yaml: pipeline final, service evolink\n"
        "\n"
        "5 takes, none of them changed\n"
        "nothing to buy\n"
        "in all 127.50 credits, as before\n"
    )


def test_concise_is_a_line_a_take_at_the_place_of_what_changed() -> None:
    assert concise(compare(BEFORE, AFTER), NEW) == (
        "film.yaml:13:9: changed a@dawn.1 25.50 credits: prompt\n"
        "film.yaml:31:9: changed c.1 42.59 credits: quality\n"
        "film.yaml:40:9: edited d.1: title\n"
        "film.yaml:45:9: added n.1 25.50 credits\n"
        "film.yaml:50:9: renamed z.1: was e.1\n"
        "film.yaml:20:9: dropped b.1\n"
    )


def test_json_holds_it_in_full() -> None:
    made = json.loads(as_json(compare(BEFORE, AFTER), OLD, NEW))
    assert made["schema"] == "shotrunner.diff.v1"
    assert made["old"] == {
        "name": "main:film.yaml", "commit": "c" * 40, "there": True, "pipeline": "final", "service": "evolink", "free": False,
        "takes": 5, "requests": 5, "price": "127.5",
    }  # fmt: skip
    assert made["to_buy"] == {"requests": 3, "price": "93.59", "unpriced": 0}
    assert made["unchanged"] == 0
    second, last = made["takes"][1], made["takes"][-1]
    assert second["fields"] == [
        {
            "name": "quality",
            "old": "720p",
            "new": "1080p",
            "place_before": {"path": "films/film.yaml", "line": 30, "column": 9},
            "place": {"path": "films/film.yaml", "line": 31, "column": 9},
        }
    ]
    assert (second["take"], second["before"], second["kind"], second["price"], second["was"]) == (
        "c.1",
        "c.1",
        "changed",
        "42.59",
        "25.5",
    )
    assert second["key"] != second["key_before"] and len(second["key"]) == 64
    assert (last["kind"], last["key"], last["price"]) == ("dropped", None, "0")


def test_markdown_is_a_comment_with_a_table() -> None:
    assert markdown(compare(BEFORE[:2], AFTER[:1]), OLD, NEW) == (
        f"{MARK}\n"
        "### `main:film.yaml` → `film.yaml`\n"
        "\n"
        "**1 request to buy: 25.50 credits beyond those of `main:film.yaml`**\n"
        "\n"
        "1 take, 2 before: 1 dropped, 1 changed; 0 unchanged; in all 51 credits before, 25.50 credits now; "
        "`pipeline final, service evolink`\n"
        "\n"
        "| | take | price | was | what |\n"
        "|---|---|--:|--:|---|\n"
        "| changed | `a@dawn.1` | 25.50 | 25.50 | `prompt` `… spiral staircase at dawn in fog` → "
        "`… spiral staircase at noon in fog` (`film.yaml:13:9`) |\n"
        "| dropped | `b.1` |  | 25.50 |  |\n"
    )


def spans_only(line: str) -> str:
    """What of a line of Markdown is not in a code span."""
    return re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", line)


@given(st.text(max_size=60))
def test_nothing_of_a_strangers_words_leaves_its_code_span(words: str) -> None:
    hostile = f"@everyone #1 ![x](http://a) <img src=x> | {words} `` ::error::"
    found = compare([built("a.1", prompt="x")], [built("a.1", prompt=hostile)])
    made = markdown(found, OLD, replace(NEW, name=hostile))
    (row,) = [line for line in made.splitlines() if line.startswith("| changed")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 6, "the cells of the table"
    for line in made.splitlines()[1:]:
        left = spans_only(line)
        assert not set("@<#!") & set(left.replace("<br>", "").removeprefix("###")), left


def test_a_code_span_holds_any_run_of_ticks() -> None:
    assert code("a") == "`a`"
    assert code("a`b``c") == "```a`b``c```"
    assert code("`a`") == "`` `a` ``"
    assert code("a|b\nc") == "`a\\|b c`"
    assert code("") == ""


def test_a_block_of_code_ends_where_it_should() -> None:
    made = fenced("error: ````\n```\nx\n")
    assert made == f"{MARK}\n`````text\nerror: ````\n```\nx\n`````\n"


def test_a_comment_fits_into_githubs_limit_and_says_what_it_leaves_out() -> None:
    long = " ".join(f"word{n}" for n in range(400))
    takes = [built(f"shot-{n}.1", n + 1, prompt=f"{n} {long}") for n in range(2000)]
    made = markdown(compare([], takes), OLD, NEW)
    assert len(made) < 65_536
    left = int(re.findall(r"\.\.\. and (\d+) more takes", made)[0])
    assert left + made.count("| added |") == 2000


def test_of_many_takes_that_differ_in_the_same_way_the_first_are_shown() -> None:
    before = [built(f"s-{n}.1", n + 1, quality="720p") for n in range(40)]
    after = [built(f"s-{n}.1", n + 1, quality="1080p") for n in range(40)]
    found = compare(before, after)
    shown = text(found, OLD, NEW, colour=False)
    assert shown.count("quality") == 6
    assert "changed  ... and 34 more like these    867    867\n" in shown
    assert "| changed | ... and 34 more like these | 867 | 867 |  |\n" in markdown(found, OLD, NEW)
    assert concise(found, NEW).count("\n") == len(json.loads(as_json(found, OLD, NEW))["takes"]) == 40


def test_media_are_shown_by_their_paths_and_digests() -> None:
    def walk(path: str, digest: str) -> Built:
        part = MediaPart(parameter="video_urls", index=0, kind=Kind.VIDEO, path=path, sha256=digest * 32)
        return built("a.1", video_urls=[part.identity], media=(part,))

    shown = text(compare([walk("media/gait.mp4", "ab")], [walk("media/run.mp4", "cd")]), OLD, NEW, colour=False)
    assert "media/gait.mp4 (sha256 abababababab) -> media/run.mp4 (sha256 cdcdcdcdcdcd)" in shown


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("sea", "hill", "sea", "hill"),
        ("one two three four five", "one two three four six", "… two three four five", "… two three four six"),
        ("a b c d x e f g h", "a b c d y e f g h", "… b c d x e f g …", "… b c d y e f g …"),
        ("a b", "a b c", "a b", "a b c"),
        ("", "a", "-", "a"),
        ("a a a", "a a", "a a a", "a a"),
        ("a  b", "a b", "'a  b'", "'a b'"),
    ],
)
def test_of_two_texts_the_words_that_differ_are_shown(old: str, new: str, before: str, after: str) -> None:
    assert excerpts(old, new) == (before, after)


@given(st.text(max_size=80), st.text(max_size=80))
def test_texts_that_differ_are_shown_differently(old: str, new: str) -> None:
    if old != new:
        before, after = excerpts(old, new)
        assert before != after


def test_a_side_that_is_not_there_is_named_and_a_free_pipeline_told_from_a_paid() -> None:
    free = replace(NEW, free=True, pipeline="draft", service="animatic/1")
    shown = text(
        compare([], [built("a.1", price=Decimal(0))]), replace(OLD, there=False, free=True), free, colour=False
    )
    assert "note: main:film.yaml does not exist\n" in shown
    assert "1 request to buy: free\n" in shown
    assert "pipeline final -> draft, service evolink -> animatic/1" in shown
    assert "`--pipeline final` shows what the real models would" in shown


def test_an_unknown_price_is_never_nothing() -> None:
    found = compare([], [built("a.1", price=None), built("b.1")])
    shown = text(found, OLD, NEW, colour=False)
    assert "added  a.1   unknown\n" in shown and "2 requests to buy: price unknown for 1 request" in shown
    assert "added a.1 price unknown\n" in concise(found, NEW)
    assert json.loads(as_json(found, OLD, NEW))["to_buy"] == {"requests": 2, "price": None, "unpriced": 1}


def test_words_of_strangers_are_cleaned() -> None:
    name = "film\x1b[31m\u202e.yaml"
    source = replace(FILM, name=name)
    here = span(3, source=source)
    one = replace(built("a.1"), take=take("a.1", where=here))
    found = compare([], [one])
    for shown in (
        text(found, OLD, NEW, colour=False),
        concise(found, NEW),
        markdown(found, OLD, replace(NEW, name=name)),
    ):
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", shown)
