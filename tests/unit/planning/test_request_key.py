"""What is bought is what the key says: each property of each model's schema is in it, but for what only carries the request."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from actions import span, take
from bodies import MODELS, WAN25, WAN27, lawful, least
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from runner.adapters import catalog
from runner.contract import model as models
from runner.contract.model import Model
from runner.core.request import Request
from runner.language.take import Layer, MediaSetting, MediaUse, Setting
from runner.planning.request import Context, build
from runner.planning.service import Service
from runner.providers.provider import PROVIDERS

TEXTS = ("prompt", "negative_prompt")
EVOLINK = Service(
    name="evolink",
    provider=PROVIDERS["evolink"],
    base_url="https://api.evolink.ai",
    files_url="https://files-api.evolink.ai",
    concurrency=3,
    rate_per_s=None,
    poll_floor_s=5,
    poll_ceiling_s=15,
    deadline_s=1800,
    replay_within_s=0,
    named_by_user=False,
)
PROPERTIES = [(model, name) for model in MODELS.values() for name in model.properties if name != "model"]


def setting(value: object) -> Setting:
    return Setting(value=value, span=span(), layer=Layer.SHOT)


def uses(model: Model, name: str, value: Any) -> MediaSetting:
    kind = model.by_property[name].kind
    urls = value if isinstance(value, list) else [value]
    listed = tuple(MediaUse(kind=kind, url=url, span=span()) for url in urls)
    return MediaSetting(uses=listed, span=span(), layer=Layer.SHOT)


def requested(model: Model, body: dict[str, Any]) -> Request:
    """The request of a storyboard's take that says just this body."""
    written = {
        "texts": {name: setting(body[name]) for name in TEXTS if name in body},
        "media": {model.by_property[n].word: uses(model, n, v) for n, v in body.items() if n in model.by_property},
        "params": {
            name: setting(value)
            for name, value in body.items()
            if name not in (*TEXTS, "model", "seed") and name not in model.by_property
        },
        "seed": body.get("seed", 1),
    }
    asked = replace(take("a.1", model.name), **written)
    context = Context(models={model.name: model}, overrides={}, facts={}, service=EVOLINK, today=date(2026, 11, 20))
    built = build(asked, context)
    if built.request is None:  # a text of blanks alone is none once its ends are stripped
        reject()
    return built.request


@pytest.mark.parametrize(("model", "name"), PROPERTIES, ids=lambda value: getattr(value, "name", value))
@settings(max_examples=10)  # of each property of each model
@given(data=st.data())
def test_each_property_that_is_not_transport_changes_the_key(model: Model, name: str, data: st.DataObject) -> None:
    body, other = data.draw(lawful(model)), data.draw(lawful(model))
    changed = {k: v for k, v in {**body, name: other.get(name, ...)}.items() if v is not ...}
    one, two = requested(model, body), requested(model, changed)
    if name in model.transport:
        assert one.key == two.key
    else:
        assert (one.key == two.key) == (one.body.get(name) == two.body.get(name))


def grown(**more: Any) -> Model:
    """A later version of a shipped model: one property more, which says at what value nothing has changed."""
    document = json.loads((catalog.home() / WAN27.origin).read_text(encoding="utf-8"))
    document["properties"]["camera"] = {"enum": ["still", "moving"], "x-key-default": "still", **more}
    return models.load(document, "a later version")


@settings(max_examples=20)
@given(lawful(WAN27))
def test_a_property_added_later_leaves_every_key_as_it_was_at_its_key_default(body: dict[str, Any]) -> None:
    before = requested(WAN27, body).key
    assert requested(grown(), body).key == before
    assert requested(grown(default="still"), body).key == before
    assert requested(grown(), {**body, "camera": "still"}).key == before
    assert requested(grown(), {**body, "camera": "moving"}).key != before


def test_the_same_words_to_another_model_are_another_request() -> None:
    words = {"prompt": "a door", "quality": "720p", "aspect_ratio": "16:9", "duration": 5}
    assert requested(WAN25, least(WAN25, **words)).key != requested(WAN27, least(WAN27, **words)).key
