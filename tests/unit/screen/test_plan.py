import json
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from actions import SEEDLESS, action, purchase, span, take
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.core.diagnostics import Source
from runner.core.lifecycle import State
from runner.planning.budget import Cap
from runner.planning.history import Purchase
from runner.planning.plan import Act, Action, Plan
from runner.screen.plan import Heading, as_json, concise, headline, text, totals

HEADING = Heading(
    storyboard="films/film.yaml",
    title="The Lighthouse Keeper",
    pipeline="final",
    service="evolink",
    free=False,
    state=".shotrunner",
    journal=True,
)
STORY = (
    action("arrival@dawn.1", price="25.5"),
    action("arrival@dusk.1", Act.REUSE, "unchanged"),
    action("echo.1", Act.REUSE, "the same request as arrival@dawn.1", same_as="arrival@dawn.1"),
    action("walk.1", Act.RETRY, "failed before, asked for by --retry", price="33", model=SEEDLESS),
    action("walk.2", Act.KEEP, "failed: no", model=SEEDLESS),
    action("out.1", Act.SKIP, "`skip: true`", model=SEEDLESS),
)


def shown(
    *actions: Action,
    heading: Heading = HEADING,
    caps: Sequence[Cap] = (),
    remarks: Sequence[str] = (),
    resumed: Sequence[Purchase] = (),
    elsewhere: Sequence[str] = (),
    colour: bool = False,
) -> str:
    plan = Plan(actions=actions)
    parts = {"caps": caps, "remarks": remarks, "resumed": resumed, "elsewhere": elsewhere}
    return text(plan, heading, **parts, colour=colour, width=0)  # type: ignore[arg-type]


def document(*actions: Action, caps: Sequence[Cap] = (), resumed: Sequence[Purchase] = ()) -> dict[str, object]:
    made = as_json(Plan(actions=actions), HEADING, caps=caps, remarks=["a"], resumed=resumed, elsewhere=["b"])
    assert made.endswith("}\n")
    return json.loads(made)  # type: ignore[no-any-return]


def test_a_plan_reads_from_what_it_is_for_to_what_it_costs() -> None:
    assert shown(
        *STORY,
        caps=[Cap(name="--budget", limit=Decimal(1500))],
        remarks=["pipeline final overrides quality: 1080p -> 720p (12 takes)"],
        resumed=[purchase("old.1")],
        elsewhere=["2 paid at evolink@example.org and not fetched yet"],
    ) == (
        "plan of films/film.yaml (The Lighthouse Keeper): pipeline final, service evolink, state .shotrunner\n"
        "\n"
        "ACTION  TAKE            MODEL                         LENGTH      SIZE  PRICE  REASON\n"
        "buy     arrival@dawn.1  wan2.7-text-to-video             5 s  1280x720  25.50  new\n"
        "reuse   arrival@dusk.1  wan2.7-text-to-video             5 s  1280x720         unchanged\n"
        "reuse   echo.1          wan2.7-text-to-video             5 s  1280x720         the same request as arrival@dawn.1\n"
        "retry   walk.1          wan2.6-reference-video-flash     5 s  1280x720     33  failed before, asked for by --retry\n"
        "keep    walk.2          wan2.6-reference-video-flash     5 s  1280x720         failed: no\n"
        "skip    out.1           wan2.6-reference-video-flash     5 s  1280x720         `skip: true`\n"
        "\n"
        "5 takes, 4 requests, 1 shared; 2 to buy: 58.50 credits; reuse 2, keep 1, skip 1\n"
        "--budget 1500 credits: fits\n"
        "note: 2 takes of wan2.6-reference-video-flash are recorded, not reproducible: the model takes no seed\n"
        "note: pipeline final overrides quality: 1080p -> 720p (12 takes)\n"
        "\n"
        "1 open purchase of no take above, fetched first:\n"
        "  resume  old.1  task task-1, waiting since 2026-11-20T08:00:01.000Z  of films/other\n"
        "\n"
        "note: 2 paid at evolink@example.org and not fetched yet\n"
    )


def test_colour_only_adds_colour() -> None:
    caps = [Cap(name="--budget", limit=Decimal(1))]
    coloured = shown(*STORY, caps=caps, remarks=["r"], resumed=[purchase("old.1")], colour=True)
    assert "\x1b[31mdoes not fit: 57.50 over\x1b[0m" in coloured
    plain = shown(*STORY, caps=caps, remarks=["r"], resumed=[purchase("old.1")])
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_the_first_line_says_what_is_free_and_what_was_planned_from_nothing() -> None:
    heading = replace(HEADING, title="", service="animatic/1", free=True, journal=False, account_note="no key")
    assert headline(heading, colour=False) == (
        "plan of films/film.yaml: pipeline final, service animatic/1, free, "
        "state .shotrunner (no journal yet: planned from nothing)\nnote: no key"
    )
    known = replace(heading, lock="the lock in git", account_note="")
    assert headline(known, colour=False).endswith("(no journal yet: planned from the lock in git)")


def test_the_total_is_free_unknown_or_whole_but_never_partial() -> None:
    plan = Plan(actions=(action("a.1", price="2.5"), action("b.1", price=None), action("c.1", price=None)))
    assert totals(plan, free=False) == "3 takes, 3 requests; 3 to buy: price unknown for 2 takes"
    assert totals(Plan(actions=STORY[:2]), free=True) == "2 takes, 2 requests; 1 to buy: free; reuse 1"
    assert totals(Plan(actions=STORY[1:2]), free=False) == "1 take, 1 request; nothing to buy; reuse 1"
    assert totals(Plan(actions=()), free=False) == "0 takes, 0 requests; nothing to buy"


def test_amounts_of_different_units_are_not_added_up() -> None:
    actions = (action("a.1", price="2.5"), action("b.1", price="3", unit="USD"), action("c.1", price="1"))
    assert totals(Plan(actions=actions), free=False).endswith("3 to buy: 3.50 credits and 3 USD")
    assert document(*actions)["totals"]["price"] is None  # type: ignore[index]


def test_a_plan_without_takes_has_no_table() -> None:
    assert "ACTION" not in shown()
    assert shown().endswith("state .shotrunner\n\n0 takes, 0 requests; nothing to buy\n")


def test_a_limit_told_in_dollars_is_shown_in_both() -> None:
    cap = Cap(name="--budget", limit=Decimal(680), per_usd=Decimal(68))
    assert "--budget 680 credits (10 USD): does not fit: 40 over\n" in shown(action("a.1", price="720"), caps=[cap])


def test_a_cap_counts_what_was_committed_before() -> None:
    actions = (action("a.1", price="120.5"),)
    cap = Cap(name="budget of the storyboard", limit=Decimal(1500))
    line = "budget of the storyboard 1500 credits, {} committed before: {}\n"
    assert line.format("1379.50", "fits") in shown(*actions, caps=[replace(cap, committed=Decimal("1379.5"))])
    assert line.format(1380, "does not fit: 0.50 over") in shown(*actions, caps=[replace(cap, committed=Decimal(1380))])
    assert line.format(9000, "does not fit: 120.50 over") in shown(
        *actions, caps=[replace(cap, committed=Decimal(9000))]
    )


def test_no_cap_is_said_to_fit_while_a_price_is_unknown() -> None:
    cap = Cap(name="--budget", limit=Decimal(1500))
    assert "--budget 1500 credits: cannot be judged while a price is unknown\n" in shown(
        action("a.1", price=None), caps=[cap]
    )
    assert document(action("a.1", price=None), caps=[cap])["caps"][0]["fits"] is None  # type: ignore[index]


def test_skipped_takes_and_models_with_seed_are_not_called_irreproducible() -> None:
    assert "reproducible" not in shown(action("a.1"), action("b.1", Act.SKIP, "out", model=SEEDLESS))
    assert "note: 1 take of wan2.6-reference-video-flash is recorded, not" in shown(action("b.1", model=SEEDLESS))


def test_orphans_are_counted_and_the_first_twenty_named() -> None:
    orphans = [purchase(f"old.{n}", State.UNFETCHED) for n in range(23)]
    lines = shown(resumed=orphans).splitlines()
    assert lines[-22] == "23 open purchases of no take above, fetched first:"
    assert lines[-2].startswith("  resume  old.19 ")
    assert lines[-1] == "  resume  ... and 3 more"


def test_concise_has_a_line_a_take_with_its_place() -> None:
    odd = Source(path="x", name="::error::x.yaml", text="")
    actions = (*STORY[:2], action("a.1", price=None), action("b.1", price="0"), action("c.1", where=span(3, 5, odd)))
    assert concise(Plan(actions=actions)) == (
        "film.yaml:12:9: buy arrival@dawn.1 25.50 credits: new\n"
        "film.yaml:12:9: reuse arrival@dusk.1: unchanged\n"
        "film.yaml:12:9: buy a.1 price unknown: new\n"
        "film.yaml:12:9: buy b.1 0 credits: new\n"
        "./::error::x.yaml:3:5: buy c.1 0 credits: new\n"
    )
    assert concise(Plan(actions=())) == ""


def test_json_has_every_take_with_its_place_and_its_price_as_a_string() -> None:
    made = document(*STORY, caps=[Cap(name="--budget", limit=Decimal(50))], resumed=[purchase("old.1")])
    assert made["schema"] == "shotrunner.plan.v1"
    assert made["heading"]["storyboard"] == "films/film.yaml"  # type: ignore[index]
    assert made["takes"][0] == {  # type: ignore[index]
        "take": "arrival@dawn.1",
        "shot": "arrival",
        "model": "wan2.7-text-to-video",
        "action": "buy",
        "reason": "new",
        "price": "25.5",
        "unit": "credit",
        "key": "key of arrival@dawn.1",
        "parents": [],
        "stand_in": None,
        "stale": False,
        "seed": 20261,
        "seed_contract": "honoured",
        "shared_with": None,
        "duration_s": 5,
        "width_px": 1280,
        "height_px": 720,
        "place": {"path": "films/film.yaml", "line": 12, "column": 9},
    }
    assert made["takes"][2]["shared_with"] == "arrival@dawn.1"  # type: ignore[index]
    assert made["totals"] == {
        "takes": 5,
        "requests": 4,
        "shared": 1,
        "to_buy": 2,
        "price": "58.5",
        "unit": "credit",
        "unpriced": 0,
        "actions": {"buy": 1, "reuse": 2, "resume": 0, "retry": 1, "keep": 1, "missing": 0, "block": 0, "skip": 1},
    }
    cap = {"name": "--budget", "limit": "50", "committed": "0", "left": "50", "per_usd": None, "fits": False}
    assert made["caps"] == [cap]
    assert made["resumed"] == [
        {
            "take": "old.1",
            "storyboard": "films/other",
            "service": "evolink",
            "state": "waiting",
            "task_id": "task-1",
            "key": "key of old.1",
        }
    ]
    assert (made["remarks"], made["elsewhere"]) == (["a"], ["b"])


def test_json_of_a_take_without_request_has_nulls() -> None:
    bare = Action(take=take("a.1"), request=None, act=Act.SKIP, reason="`skip: true`")
    made = document(bare)["takes"][0]  # type: ignore[index]
    assert [name for name, value in made.items() if value is None] == [
        "unit",
        "key",
        "stand_in",
        "seed",
        "seed_contract",
        "shared_with",
        "duration_s",
        "width_px",
        "height_px",
    ]


def test_an_unknown_price_is_null() -> None:
    made = document(action("a.1", price=None), action("b.1", price="1"))
    assert made["takes"][0]["price"] is None  # type: ignore[index]
    assert (made["totals"]["price"], made["totals"]["unpriced"]) == (None, 1)  # type: ignore[index]


@settings(deadline=None, max_examples=50)
@given(st.text(), st.text())
def test_no_line_begins_with_foreign_words(one: str, other: str) -> None:
    heading = replace(HEADING, storyboard=one, title=other, pipeline=one, state=other, account_note=one)
    made = shown(
        action("a.1", Act.KEEP, f"failed: {other}"),
        heading=heading,
        caps=[Cap(name="budget", limit=Decimal(1))],
        remarks=[one],
        resumed=[purchase("old.1", storyboard=other, task_id=one)],
        elsewhere=[other],
    )
    begins = r"plan of|note:|ACTION|keep|1 take|1 open|budget|  resume|$"
    assert all(re.match(begins, line) for line in made.split("\n"))
