"""From draft to final: which takes a pipeline makes that makes picked ones, and which clips it keeps instead of making others."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from actions import MODEL, SEEDLESS, request, span, take
from purchases import purchase

from runner.core.lifecycle import ENDED, GIVEN_UP, OPEN, UNTAKEN, State
from runner.core.request import Request, key_inputs, request_key
from runner.language.picks import Pick, Picks, Rejection
from runner.planning import ladder, picked
from runner.planning.ladder import Choice, choice
from runner.planning.picked import Approved, Below
from runner.planning.plan import Act, Action, Facts, Wishes, make
from runner.planning.request import Built

PRICE = Decimal("25.5")
CLIP, OTHER, CARD = "ab" * 32, "cd" * 32, "ef" * 32


def chosen(*names: str, **picks: Any) -> Choice:
    shots = {name: Pick(take=number) for name, number in picks.items() if name != "rejected"}
    rejected = {name: Rejection(note="he blinks") for name in picks.get("rejected", ())}
    takes = [take(name) for name in names]
    return choice(takes, Picks(shots=shots, rejected=rejected), storyboard="film.yaml")


def test_of_several_takes_the_picked_one_is_made_and_no_other() -> None:
    found = chosen("sea.1", "sea.2", "sea.3", "hill.1", sea=2)
    assert found.left_out == {"sea.1": "not picked: sea.2 is", "sea.3": "not picked: sea.2 is"}
    assert found.undecided == {}


def test_of_several_takes_without_a_pick_the_first_waits_for_one_and_the_way_out_is_told() -> None:
    found = chosen("sea.1", "sea.2", "hill.1")
    assert found.left_out == {"sea.2": "none of `sea` is picked"}
    assert found.undecided.keys() == {"sea.1"}
    assert "2 takes and none is picked; `pick film.yaml sea.1`" in found.undecided["sea.1"]
    assert "--unpicked" in found.undecided["sea.1"]
    assert "`pick film.yaml sea.2`" in chosen("sea.1", "sea.2", rejected=["sea.1"]).undecided["sea.1"]


def test_the_only_take_of_a_shot_is_made_unless_somebody_turned_it_down_or_meant_another() -> None:
    assert chosen("hill.1") == Choice()
    assert "rejected: he blinks" in chosen("hill.1", rejected=["hill.1"]).undecided["hill.1"]
    assert chosen("hill.1", hill=1, rejected=["hill.1"]) == Choice()
    assert "hill.5 is picked, and there is no such take" in chosen("hill.1", hill=5).undecided["hill.1"]


# ---------------------------------------------------------------- in a plan


def planned(
    *names: str,
    retry: tuple[str, ...] = (),
    shots: tuple[str, ...] = (),
    states: Mapping[str, State] | None = None,
    waits: bool = True,
    keys: Mapping[str, str] | None = None,
    **picks: Any,
) -> dict[str, Action]:
    takes = [take(name) for name in names]
    asked = {name: request(name, key=(keys or {}).get(name, f"key of {name}"), price=PRICE) for name in names}
    history = {f"key of {name}": (purchase(state, f"key of {name}"),) for name, state in (states or {}).items()}
    found = chosen(*names, **picks)
    facts = Facts(
        wishes=Wishes(selected=lambda t: not shots or t.id in shots, retried=lambda t: t.id in retry),
        here=lambda _: True,
        last_inputs=lambda _: None,
        left_out=found.left_out,
        undecided=found.undecided if waits else {},
    )
    return {action.take.id: action for action in make(takes, asked, history, facts).actions}


def acts(actions: Mapping[str, Action]) -> list[Act]:
    return [action.act for action in actions.values()]


def test_takes_that_are_not_picked_are_skipped_and_undecided_ones_held_back_for_nothing() -> None:
    assert acts(planned("sea.1", "sea.2", "hill.1", sea=2)) == [Act.SKIP, Act.BUY, Act.BUY]
    found = planned("sea.1", "sea.2", "hill.1")
    assert acts(found) == [Act.BLOCK, Act.SKIP, Act.BUY]
    assert found["sea.1"].price == 0 and "none is picked" in found["sea.1"].reason
    assert acts(planned("sea.1", "sea.2", waits=False)) == [Act.BUY, Act.SKIP]


def test_what_is_there_already_or_paid_is_neither_held_back_nor_lost() -> None:
    assert acts(planned("sea.1", "sea.2", states={"sea.1": State.DONE, "sea.2": State.DONE})) == [Act.REUSE] * 2
    assert acts(planned("sea.1", "sea.2", states={"sea.1": State.WAITING})) == [Act.RESUME, Act.SKIP]
    found = planned("sea.1", "sea.2", sea=1, states={"sea.2": State.WAITING})
    assert acts(found) == [Act.BUY, Act.SKIP]  # and its receipt is nobody's, hence fetched first


def test_neither_retry_nor_shots_makes_a_take_that_is_not_picked() -> None:
    failed = {"sea.1": State.FAILED, "sea.2": State.FAILED}
    assert acts(planned("sea.1", "sea.2", sea=2, states=failed, retry=("sea.1", "sea.2"))) == [Act.SKIP, Act.RETRY]
    assert acts(planned("sea.1", "sea.2", states=failed, retry=("sea.1",))) == [Act.BLOCK, Act.SKIP]
    assert acts(planned("sea.1", "sea.2", sea=2, shots=("sea.1",))) == [Act.SKIP, Act.SKIP]
    # A take that is left out asks for nothing on behalf of one that shares its request.
    shared = {"sea.1": "key of sea.1", "hill.1": "key of sea.1"}
    found = planned("sea.1", "sea.2", "hill.1", sea=2, states=failed, keys=shared, retry=("sea.1",))
    assert acts(found) == [Act.SKIP, Act.KEEP, Act.KEEP]


def test_whoever_shares_the_request_of_one_that_is_held_back_is_made() -> None:
    found = planned("sea.1", "sea.2", "hill.1", keys={"sea.1": "key of sea.1", "hill.1": "key of sea.1"})
    assert acts(found) == [Act.BLOCK, Act.SKIP, Act.BUY]


# ---------------------------------------------------------------- what is kept of the pipelines below


def asked(model: str = SEEDLESS, **body: Any) -> Request:
    inputs = key_inputs(service="evolink", model=model, body={"model": model, "prompt": "x", **body}, take=2)
    return replace(request("sea.2", model, price=PRICE), inputs=inputs, key=request_key(inputs), body=inputs["body"])


FINAL, PREVIEW = asked(quality="1080p"), asked(quality="720p")
EARLIER = {PREVIEW.key: PREVIEW.inputs, asked(prompt="y", quality="720p").key: asked(prompt="y", quality="720p").inputs}


def known(
    clips: Mapping[str, str],
    *,
    keeps: bool = True,
    own: State | None = None,
    services: Mapping[str, str] | None = None,
    made: Mapping[str, str] | None = None,
    **more: Any,
) -> Approved:
    """A ladder with these clips picked of `sea.2`; `made` are the keys of those that there are, `services` theirs."""
    keys = {CLIP: PREVIEW.key} if made is None else made
    history = {}
    for clip, key in keys.items():
        done = purchase(State.DONE, key)
        intent = replace(done.intent, service=(services or {}).get(clip, "evolink"))
        history[key] = (replace(done, intent=intent, result={"sha256": clip, "size_bytes": 5}),)
    if own is not None:
        history[FINAL.key] = (purchase(own, FINAL.key),)
    pick = Pick(take=2).with_clips(clips)
    below = Below(keeps=keeps, settings=frozenset({"quality"}))
    told = {"pipeline": "final", "service": "evolink", "paid": True, "below": below, **more}
    return picked.approved({"sea": pick}, history, **told)


def test_where_the_model_has_no_seed_the_clip_that_was_picked_below_is_kept() -> None:
    found = known({"preview": CLIP}).stands_at(FINAL)
    assert found is not None and (found[0], found[1].clip[0]) == ("preview", CLIP)
    assert known({"draft": CARD, "preview": CLIP}).stands_at(FINAL) == found  # another pick later takes nothing away


@pytest.mark.parametrize(
    "ladder_",
    [
        known({"preview": CLIP}, keeps=False),
        known({"preview": CLIP}, below=None),
        known({"draft": CLIP}, services={CLIP: "animatic/2"}),
        known({"preview": OTHER}),
        known({}),
    ],
)
def test_no_other_clip_is_ever_kept(ladder_: Approved) -> None:
    assert ladder_.stands_at(FINAL) is None


def test_with_a_seed_the_take_is_made_at_the_pipelines_own_settings() -> None:
    assert known({"preview": CLIP}).stands_at(asked(MODEL, quality="1080p", seed=2)) is None
    assert known({"preview": CLIP}).stands_at(replace(FINAL, take="sea.1")) is None


@pytest.mark.parametrize("state", State)
def test_a_clip_of_its_own_is_never_left_for_one_from_below_and_an_end_without_one_is(state: State) -> None:
    found = known({"preview": CLIP}, own=state)
    without = UNTAKEN | GIVEN_UP | ENDED
    assert (found.stands_at(FINAL) is not None) == (state in without)
    retried = known({"preview": CLIP}, own=state, retried=lambda take: take == "sea.2")
    assert (retried.stands_at(FINAL) is not None) == (state in without - ENDED)
    assert OPEN.isdisjoint(without)


def test_of_several_purchases_of_the_same_bytes_the_takes_own_counts() -> None:
    found = known({"preview": CLIP})
    other = replace(found.made[CLIP][0], intent=replace(found.made[CLIP][0].intent, take="sea.2", key="own"))
    more = replace(found, made={CLIP: (other, *found.made[CLIP])})
    kept_ = more.stands_at(FINAL)
    assert kept_ is not None and kept_[1].key == "own"


def test_what_was_picked_here_goes_before_what_was_picked_below() -> None:
    both = known({"preview": CLIP, "final": OTHER}, made={CLIP: PREVIEW.key, OTHER: "older"})
    found = both.stands_at(FINAL)
    assert found is not None and found[0] == "final"


def built(request_: Request = FINAL) -> Built:
    return Built(take=take("sea.2"), request=request_, diagnostics=(), places={"prompt": span(9)})


def kept(found: Approved, one: Built | None = None, act: Act = Act.REUSE) -> Action:
    """The take's action, as picks make it of `act`."""
    one = one or built()
    held, _ = picked.protected([one], found, inputs=EARLIER.get)
    asked_ = held[one.take.id].request if one.take.id in held else one.request
    assert asked_ is not None
    clip = found.history.get(asked_.key, (None,))[0]
    action = Action(take=one.take, request=asked_, act=act, reason="new", price=PRICE, purchase=clip)
    return picked.amended(action, held, found, missing=False)


def test_the_plan_says_from_where_a_clip_is_kept_and_why() -> None:
    action = kept(known({"preview": CLIP}))
    assert action.act is Act.KEEP
    assert action.reason.startswith(f"picked in preview; {SEEDLESS} has no seed, final would be another clip")
    edited = replace(FINAL, inputs=asked(prompt="z", quality="1080p").inputs)
    assert "picked in preview, prompt differs film.yaml:9;" in kept(known({"preview": CLIP}), built(edited)).reason


def test_what_is_told_of_a_kept_clip_is_the_clips_own() -> None:
    found = known({"preview": CLIP})
    made_of = {PREVIEW.key: {**PREVIEW.inputs, "body": {"model": SEEDLESS, "prompt": "y", "seed": 5}}}
    clip = replace(found.made[CLIP][0], result={"sha256": CLIP, "width_px": 832, "height_px": 480, "duration_s": 4.96})
    held, kept_ = picked.protected([built()], replace(found, made={CLIP: (clip,)}), inputs=made_of.get)
    one = held["sea.2"].request
    assert (one.key, one.body["prompt"], one.seed) == (PREVIEW.key, "y", 5)
    assert (one.width_px, one.height_px, one.seconds, one.reserve) == (832, 480, 5, clip.intent.reserved)
    assert kept_ == {"sea.2": clip}
    # Of a purchase of another machine nothing but its key is known.
    held, _ = picked.protected([built()], found, inputs=lambda _: None)
    assert held["sea.2"].request.body == {}


def test_a_kept_clip_that_is_not_here_is_missing_and_never_bought() -> None:
    for act in (Act.BUY, Act.RETRY, Act.MISSING):
        action = kept(known({"preview": CLIP}), act=act)
        assert (action.act, action.price) == (Act.MISSING, 0)
        assert "not here" in action.reason and "`retake`" in action.reason
    assert "asks task t1 for it, for nothing" in sought(known({"preview": CLIP})).reason


def sought(found: Approved) -> Action:
    held, _ = picked.protected([built()], found, inputs=EARLIER.get)
    clip = replace(found.made[CLIP][0], task_id="t1")
    asked_ = held["sea.2"].request
    action = Action(take=take("sea.2"), request=asked_, act=Act.MISSING, reason="", purchase=clip, sought=True)
    return picked.amended(action, held, found, missing=False)


def test_a_picked_clip_that_nobody_here_knows_of_keeps_another_from_being_bought_unless_that_is_asked_for() -> None:
    lost = known({"preview": OTHER}, made={})
    action = kept(lost, act=Act.BUY)
    assert (action.act, action.price) == (Act.MISSING, PRICE)
    assert f"nothing is known here of its clip {OTHER[:12]}" in action.reason
    buy = Action(take=take("sea.2"), request=FINAL, act=Act.BUY, reason="new", price=PRICE)
    assert picked.amended(buy, {}, lost, missing=True).act is Act.BUY
    assert kept(known({"final": OTHER}, made={}), act=Act.BUY).act is Act.MISSING


@pytest.mark.parametrize(
    "found",
    [
        known({"draft": OTHER}, made={}, free=frozenset({"draft"})),
        known({"preview": OTHER}, made={}, paid=False),
        known({"preview": OTHER}, made={}, below=None),
        known({"draft": OTHER}, made={OTHER: "card"}, services={OTHER: "animatic/2"}),
    ],
)
def test_a_clip_that_would_not_be_kept_here_holds_nothing_back(found: Approved) -> None:
    assert kept(found, act=Act.BUY).act is Act.BUY


# ---------------------------------------------------------------- what is said of what is bought


def said(found: Approved, one: Built | None = None, *, before: bool = False, inputs: Any = EARLIER.get) -> str:
    one = one or built()
    action = Action(take=one.take, request=one.request, act=Act.BUY, reason="new", price=PRICE)
    return ladder.noted(action, one, found, before=before, inputs=inputs).reason


def test_another_clip_than_the_picked_one_is_called_so() -> None:
    reason = said(known({"preview": CLIP}, keeps=False))
    assert reason == f"new; picked in preview, and {SEEDLESS} has no seed: another clip than that one"
    assert said(known({})) == "new"
    assert "another clip than before, unless that one is picked" in said(known({}), before=True)
    assert said(known({}, keeps=False), before=True).endswith("another clip than before")


def test_an_animatic_is_never_kept_and_the_plan_says_so() -> None:
    reason = said(known({"draft": CLIP}, services={CLIP: "animatic/2"}))
    assert reason == "new; picked in draft, whose clip is of animatic/2 and never kept here"


def test_with_a_seed_the_plan_says_how_far_the_clip_follows_the_picked_one() -> None:
    below, wanted = asked(MODEL, quality="720p", seed=2), asked(MODEL, quality="1080p", seed=2)
    found = known({"preview": CLIP}, made={CLIP: below.key})
    inputs = {below.key: below.inputs}.get
    same = replace(wanted, seed=2)
    assert said(found, built(same), inputs=inputs) == "new; picked in preview, made with the same seed (2)"
    effort = replace(same, seed_contract="best effort")
    assert said(found, built(effort), inputs=inputs).endswith("the same seed (2, best effort)")
    edited = replace(same, inputs=asked(MODEL, quality="1080p", seed=2, prompt="z").inputs)
    assert said(found, built(edited), inputs=inputs) == "new; picked in preview, but prompt differs film.yaml:9"
    assert said(found, built(same), inputs=lambda _: None) == "new; picked in preview"
