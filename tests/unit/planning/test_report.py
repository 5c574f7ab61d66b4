"""The report's values: what changed in a prompt, what is shown of a take."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runner.language.picks import Pick, Picks, Rejection
from runner.planning import report
from runner.planning.report import Known, changes, earlier_prompts, marks

TEXTS = st.text(alphabet="ab \n.é", max_size=40)


@given(TEXTS, TEXTS)
def test_what_is_not_gone_is_the_new_prompt_and_what_is_not_new_the_old_one(before: str, now: str) -> None:
    found = changes(before, now)
    assert "".join(c.text for c in found if c.kind != "gone") == now
    assert "".join(c.text for c in found if c.kind != "new") == before


def test_one_word_changed_is_one_word_gone_and_one_new() -> None:
    found = [(c.kind, c.text) for c in changes("He climbs a spiral stair", "He climbs a winding stair")]
    assert found == [("same", "He climbs a "), ("gone", "spiral"), ("new", "winding"), ("same", " stair")]


def test_prompts_too_long_to_be_compared_word_by_word_are_shown_whole() -> None:
    found = changes("a " * 3000, "b")
    assert [c.kind for c in found] == ["gone", "new"]


def test_the_clip_before_is_the_latest_of_another_key_and_of_the_same_take() -> None:
    made = [
        ("a.1", "k1", "2026-01-01"),
        ("a.1", "k2", "2026-01-03"),
        ("a.1", "k3", "2026-01-02"),
        ("b.1", "k9", "2026-01-01"),
    ]
    assert earlier_prompts({"a.1": "k2", "b.1": "k9", "c.1": "k5"}, made) == {"a.1": "k3"}
    assert earlier_prompts({"a.1": "new"}, made) == {"a.1": "k2"}


def test_a_mark_is_another_whenever_something_else_is_said_of_the_variant_and_only_then() -> None:
    picked = {"a@x": Pick(take=2, clip="c", pipeline="draft", note="n"), "b": Pick(take=1)}
    plain = marks(Picks(shots=picked, rejected={"a@x.1": Rejection(note="n")}))
    again = marks(Picks(shots=dict(reversed(picked.items())), rejected={"a@x.1": Rejection(note="n")}))
    assert plain == again and set(plain) == {"a@x", "b"} and marks(Picks()) == {}
    others = [
        Picks(shots={**picked, "a@x": replace(picked["a@x"], **{name: value})}, rejected={"a@x.1": Rejection(note="n")})
        for name, value in {"take": 1, "clip": "d", "pipeline": "final", "note": ""}.items()
    ]
    others += [
        Picks(shots=picked, rejected=rejected)
        for rejected in ({}, {"a@x.1": Rejection(note="m")}, {"a@x.3": Rejection(note="n")})
    ]
    found = [marks(other) for other in others]
    assert len({plain["a@x"], *(one["a@x"] for one in found)}) == 1 + len(others)
    assert {one["b"] for one in found} == {plain["b"]}


def take(id_: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "shot": id_.partition(".")[0],
        "title": "",
        "status": "done",
        "model": "wan2.7-text-to-video",
        "seed": 7,
        "seed_contract": "best effort",
        "request": {
            "model": "m",
            "prompt": "p",
            "seed": 7,
            "duration": 5,
            "prompt_extend": False,
            "video_urls": ["sha256:0"],
        },
        "key": "k",
        "prompt": "p",
        "references": [{"path": "a.mp4", "url": None}],
        "error": None,
        "cost": {"estimated": "5.00", "reserved": None, "charged": None, "unit": "credit"},
        "clip": None,
        **more,
    }


def manifest(*takes: dict[str, Any]) -> dict[str, Any]:
    return {
        "storyboard": {"path": "films/sea.yaml", "sha256": "0" * 64, "title": ""},
        "pipeline": {"name": "final", "service": "evolink"},
        "takes": list(takes),
        "steps": [
            {"step": "assemble", "output": "film.mp4", "status": "done"},
            {"step": "assemble", "output": "x.mp4", "status": "failed"},
        ],
        "totals": {"estimated": "5.00", "committed": None, "unit": "credit"},
    }


def test_takes_stand_by_variant_and_a_skipped_one_without_a_clip_is_left_out() -> None:
    found = report.sheet(
        manifest(take("a@x.1"), take("a@x.2", status="failed"), take("b.1", status="skipped")),
        {"a@x.1": Known(before="q", reason="buy: new")},
        Picks(shots={"a@x": Pick(take=2, note="the light")}, rejected={"a@x.1": Rejection(note="he blinks")}),
        typed="sea.yaml",
        free=False,
    )
    assert [(v.id, [c.id for c in v.cards]) for v in found.variants] == [("a@x", ["a@x.1", "a@x.2"])]
    first, second = found.variants[0].cards
    assert (first.picked, first.rejected, first.note) == (False, True, "he blinks")
    assert (second.picked, second.rejected, second.note) == (True, False, "the light")
    assert first.parameters == (("duration", "5"), ("prompt_extend", "false"))
    assert first.references == ("a.mp4",) and first.reason == "buy: new" and first.cost == "5.00 credits"
    assert [c.kind for c in first.changes] == ["gone", "new"] and second.changes == ()
    assert found.films == ("film.mp4",) and found.totals == (("estimated", "5.00 credits"),)
    assert found.statuses == {"done": 1, "failed": 1} and found.title == "films/sea.yaml"


def test_a_manifest_fits_the_report_that_is_made_of_it() -> None:
    """The fields above are those of the schema."""
    schema = json.loads((Path(__file__).parents[3] / "schemas/manifest.schema.json").read_text(encoding="utf-8"))
    assert set(take("a.1")) <= set(schema["properties"]["takes"]["items"]["properties"])
    assert set(manifest()) <= set(schema["properties"])
