"""Takes made from others: what their keys go by, what the plan makes of them, and what holds them back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import pytest
from boards import HEAD, load
from purchases import purchase

from runner.adapters import catalog
from runner.core.lifecycle import State
from runner.core.money import ZERO
from runner.planning import chain
from runner.planning.history import Purchase
from runner.planning.plan import Act, Action, Facts, Plan, Wishes, make
from runner.planning.request import Built, Context
from runner.planning.service import Service
from runner.providers.provider import PROVIDERS

SHA, OTHER = "ab" * 32, "cd" * 32
EVOLINK = Service(
    name="evolink",
    provider=PROVIDERS["evolink"],
    base_url="https://api.evolink.ai",
    files_url="https://files-api.evolink.ai",
    concurrency=3,
    rate_per_s=5,
    poll_floor_s=5,
    poll_ceiling_s=15,
    deadline_s=1800,
    replay_within_s=0,
    named_by_user=False,
)
FILM = f"""\
{HEAD}shots:
  - {{id: a, prompt: The sea}}
  - {{id: b, model: wan2.6-image-to-video-flash, prompt: A ship, image: {{shot: a, frame: last}}}}
  - {{id: c, model: wan2.6-reference-video-flash, prompt: character1 walks, videos: [{{shot: b}}]}}
"""


def context(**picks: int) -> Context:
    return Context(
        models=catalog.shipped_models(),
        overrides={},
        facts={},
        service=EVOLINK,
        today=date(2026, 11, 20),
        picks=picks,
    )


def built(text: str = FILM, **picks: int) -> tuple[Built, ...]:
    board = load(text)
    assert board.diagnostics == ()
    return chain.build_all(board.takes, context(**picks))


def settled(clips: Mapping[str, str], text: str = FILM, **picks: int) -> dict[str, Built]:
    """The takes, with the clips that some have, by digest."""
    result = {take: {"sha256": sha256, "size_bytes": 9} for take, sha256 in clips.items()}
    found = chain.settled(built(text, **picks), context(**picks), lambda request: result.get(request.take))
    return {one.take.id: one for one in found}


def key(one: Built) -> str:
    assert one.request is not None
    return one.request.key


def test_a_key_goes_by_the_parents_clip_and_what_is_taken_of_it() -> None:
    found = settled({"a.1": SHA, "b.1": OTHER})
    b, c = found["b.1"].request, found["c.1"].request
    assert b is not None and c is not None
    assert b.body["image_urls"] == [f"frame:last@{SHA}"]
    assert c.body["video_urls"] == [f"sha256:{OTHER}"]
    assert b.awaited == c.awaited == ()


def test_every_frame_and_every_clip_is_a_key_of_its_own_and_nothing_else_is() -> None:
    keys = {
        (frame, sha256): key(settled({"a.1": sha256}, FILM.replace("last", frame))["b.1"])
        for frame in ("first", "last", "1", "2.5")
        for sha256 in (SHA, OTHER)
    }
    assert len(set(keys.values())) == len(keys)
    renamed = FILM.replace("id: a,", "id: dawn,").replace("shot: a,", "shot: dawn,")
    assert key(settled({"dawn.1": SHA}, renamed)["b.1"]) == keys["last", SHA]
    assert key(settled({"a.1": SHA}, FILM.replace("The sea", "Another sea"))["b.1"]) == keys["last", SHA]


def test_until_its_parent_is_made_a_take_has_a_stand_in_that_is_no_key_of_a_clip() -> None:
    first, again, other = built(), built(), built(FILM.replace("The sea", "Another sea"))
    waiting = [one.request for one in first]
    assert [request and request.awaited for request in waiting] == [(), ("a.1",), ("b.1",)]
    assert [key(one) for one in first] == [key(one) for one in again]
    assert all(key(one) != key(two) for one, two in zip(first, other, strict=True))
    made = settled({"a.1": SHA})
    assert key(made["b.1"]) != key(first[1])
    assert [one and one.reserve is not None for one in waiting] == [True] * 3


def test_a_picked_take_is_used_else_the_first_never_another() -> None:
    text = FILM.replace("The sea}", "The sea, takes: 3}")
    for picks, meant in (({}, "a.1"), ({"a": 3}, "a.3")):
        request = next(one.request for one in built(text, **picks) if one.take.id == "b.1")
        assert request is not None and request.awaited == (meant,)


@pytest.mark.parametrize(
    ("shots", "code"),
    [
        ("image: {shot: short, frame: 4}", "bad-frame"),
        ("image: {shot: short, frame: 2}", "bad-frame"),
        ("audio: {shot: silent}", "media-limit"),
        ("audio: {shot: short}", "media-limit"),
    ],
)
def test_what_the_parent_was_asked_for_is_held_to_the_models_limits_before_it_is_made(shots: str, code: str) -> None:
    board = load(
        f"""\
{HEAD}shots:
  - {{id: short, prompt: x, params: {{duration: 2}}}}
  - {{id: silent, model: wan2.6-image-to-video-flash, prompt: x, params: {{generate_audio: false}}, image: {{shot: short, frame: last}}}}
  - {{id: child, model: wan2.6-image-to-video-flash, prompt: x, image: {{shot: short, frame: first}}, {shots}}}
""".replace("image: {shot: short, frame: first}, image", "image")
    )
    found = chain.build_all(board.takes, context())
    assert [fault.code for one in found for fault in one.diagnostics] == [code]


def planned(
    clips: Mapping[str, str] = MappingProxyType({}),
    states: Mapping[str, State] = MappingProxyType({}),
    text: str = FILM,
    shots: tuple[str, ...] = (),
    held: bool = False,
    last: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
    amended: Callable[[Action], Action] = lambda action: action,
    **picks: int,
) -> dict[str, Action]:
    found = settled(clips, text, **picks)
    requests = {name: one.request for name, one in found.items() if one.request is not None}
    history: dict[str, tuple[Purchase, ...]] = {}
    for name, state in {**dict.fromkeys(clips, State.DONE), **states}.items():
        history[requests[name].key] = (purchase(state, requests[name].key),)
    facts = Facts(
        wishes=Wishes(selected=lambda t: not shots or t.id in shots, retried=lambda _: False, held=held),
        here=lambda _: True,
        last_inputs=last.get,
        amended=amended,
    )
    takes = [one.take for one in found.values()]
    plan = make(takes, requests, history, facts, chain.lineage(built(text, **picks), context(**picks)))
    assert isinstance(plan, Plan)
    return {action.take.id: action for action in plan.actions}


def acts(actions: Mapping[str, Action]) -> list[Act]:
    return [action.act for action in actions.values()]


def test_all_that_hangs_on_a_take_is_in_the_price_from_the_beginning() -> None:
    actions = planned()
    assert acts(actions) == [Act.BUY] * 3
    assert all(action.price and action.price > 0 for action in actions.values())
    assert "its key follows from `a.1`" in actions["b.1"].reason


def test_what_is_made_is_reused_down_to_where_nothing_is() -> None:
    assert acts(planned({"a.1": SHA})) == [Act.REUSE, Act.BUY, Act.BUY]
    assert acts(planned({"a.1": SHA, "b.1": OTHER})) == [Act.REUSE, Act.REUSE, Act.BUY]


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.LOST, State.UNKNOWN])
def test_a_parent_without_a_clip_blocks_all_that_hang_on_it(state: State) -> None:
    actions = planned(states={"a.1": state})
    assert acts(actions) == [Act.KEEP, Act.BLOCK, Act.BLOCK]
    assert "`a.1`" in actions["b.1"].reason and "`b.1` is blocked" in actions["c.1"].reason
    assert [action.price for action in actions.values()] == [0, 0, 0]


def test_a_parent_that_is_kept_at_the_clip_that_was_picked_has_one_and_one_whose_clip_is_gone_has_none() -> None:
    def picked(act: Act, price: Decimal) -> Callable[[Action], Action]:
        return lambda action: replace(action, act=act, price=price) if action.take.id == "a.1" else action

    assert acts(planned({"a.1": SHA}, amended=picked(Act.KEEP, ZERO))) == [Act.KEEP, Act.BUY, Act.BUY]
    found = planned({"a.1": SHA}, amended=picked(Act.MISSING, ZERO))
    assert acts(found) == [Act.MISSING, Act.BLOCK, Act.BLOCK]
    assert "--buy-missing" not in found["b.1"].reason


def test_a_child_alone_is_blocked_until_its_parents_clip_is_there() -> None:
    actions = planned(shots=("b.1",))
    assert acts(actions) == [Act.SKIP, Act.BLOCK, Act.SKIP]
    assert "--shots 'a.1'" in actions["b.1"].reason
    assert acts(planned({"a.1": SHA}, shots=("b.1",))) == [Act.REUSE, Act.BUY, Act.SKIP]


def test_several_takes_and_no_pick_hold_the_children_back_where_they_cost_something() -> None:
    text = FILM.replace("The sea}", "The sea, takes: 2}")
    assert acts(planned(text=text, held=True)) == [Act.BUY, Act.BUY, Act.BLOCK, Act.BLOCK]
    assert acts(planned(text=text)) == [Act.BUY] * 4
    assert acts(planned(text=text, held=True, a=2)) == [Act.BUY] * 4


def test_a_clip_of_an_earlier_parent_is_stale() -> None:
    old = settled({"a.1": OTHER})["b.1"].request
    assert old is not None
    for clips in ({}, {"a.1": SHA}):
        actions = planned(clips, last={"b.1": old.inputs})
        assert (actions["b.1"].act, actions["b.1"].stale) == (Act.BUY, True)
    assert not planned({"a.1": SHA}, last={"b.1": {**old.inputs, "model": "another"}})["b.1"].stale
    assert not planned()["b.1"].stale


def test_the_longest_line_still_to_be_made_is_told() -> None:
    plan = Plan(actions=tuple(planned({"a.1": SHA}).values()))
    assert (plan.depth, [action.take.id for action in plan.critical_path]) == (3, ["b.1", "c.1"])
