import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runner.core.media import Kind
from runner.core.request import MediaPart, Request, canonical, idempotency_key, key_inputs, normal, request_key

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
bodies = st.dictionaries(texts, values, max_size=6)


def shuffled(value: Any) -> Any:
    """The same value with the keys of every mapping the other way round, lists as tuples."""
    match value:
        case Mapping():
            return {key: shuffled(value[key]) for key in reversed(value)}
        case list():
            return tuple(shuffled(one) for one in value)
    return value


def key(
    body: Mapping[str, object], *, service: str = "evolink", model: str = "m", take: int | str | None = None
) -> str:
    return request_key(key_inputs(service=service, model=model, body=body, take=take))


@given(values)
def test_canonical_json_is_json_of_the_same_value(value: Any) -> None:
    assert json.loads(canonical(value)) == value


@given(values)
def test_canonical_json_is_equal_for_equal_values(value: Any) -> None:
    assert canonical(shuffled(value)) == canonical(value)


@given(values)
def test_canonical_json_is_its_own_canonical_form(value: Any) -> None:
    assert canonical(json.loads(canonical(value))) == canonical(value)


@given(values, values)
def test_canonical_json_tells_different_values_apart(one: Any, other: Any) -> None:
    assume(json.dumps(normal(one), sort_keys=True) != json.dumps(normal(other), sort_keys=True))
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": [True, None, "x"]}, b'{"a":[true,null,"x"],"b":1}'),
        ({"é": "日本", "z": "\n"}, '{"z":"\\n","é":"日本"}'.encode()),
        (5.0, b"5"),
        (-0.0, b"0"),
        (2.38, b"2.38"),
        (1e21, b"1000000000000000000000"),
        (Decimal("5.00"), b"5"),
        (Decimal("0.5"), b"0.5"),
        (Fraction(10, 2), b"5"),
        (Fraction(1, 4), b"0.25"),
        ((1, 2), b"[1,2]"),
        ("\ud800", b'"\xed\xa0\x80"'),  # a lone surrogate has bytes too, so that no text breaks the key
    ],
)
def test_canonical_json_is_written_so(value: object, written: bytes) -> None:
    assert canonical(value) == written


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        Decimal("nan"),
        Decimal("-inf"),
        Fraction(10**400, 3),
        b"bytes",
        {1, 2},
        object(),
        {"deep": [float("nan")]},
    ],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical(value)


@given(bodies)
def test_the_key_ignores_the_order_of_keys(body: dict[str, Any]) -> None:
    assert key(shuffled(body)) == key(body)


@given(bodies, texts, values)
def test_the_key_changes_with_any_field(body: dict[str, Any], name: str, value: Any) -> None:
    assume(name not in body)
    assert key({**body, name: value}) != key(body)


@given(bodies, st.data())
def test_the_key_changes_with_any_value(body: dict[str, Any], data: st.DataObject) -> None:
    assume(body)
    name = data.draw(st.sampled_from(sorted(body)))
    value = data.draw(values)
    assume(canonical(value) != canonical(body[name]))
    assert key({**body, name: value}) != key(body)


def test_five_and_five_point_naught_are_one_request() -> None:
    assert key({"duration": 5.0}) == key({"duration": 5})


def test_true_one_and_the_text_one_are_three_requests() -> None:
    assert len({key({"x": value}) for value in (True, 1, "1")}) == 3


def test_service_model_and_take_are_part_of_the_key() -> None:
    body = {"prompt": "a lighthouse"}
    keys = [key(body), key(body, service="evolink@127.0.0.1:1"), key(body, model="n")]
    keys += [key(body, take=1), key(body, take=2), key(body, take="1"), key(body, take="a.1")]
    assert len(set(keys)) == len(keys)


def test_keys_never_change() -> None:
    """Golden: whatever changes these buys the world again."""
    body = {"model": "wan2.7-text-to-video", "prompt": "a lighthouse", "duration": 5, "seed": 20261, "quality": "720p"}
    assert key(body, model="wan2.7-text-to-video") == "82f896aeda9b288703843fdfc8d3b19e828e2e5a66a341134d61c697bc1ea159"
    image = {
        "model": "wan2.6-image-to-video-flash",
        "prompt": "é",
        "image_urls": ["sha256:" + "0" * 64],
        "generate_audio": True,
    }
    assert (
        key(image, model="wan2.6-image-to-video-flash", take=2)
        == "49dad54dba30ee77915ed92ae4d0b066f77d1763c923b65d120541010779e669"
    )


def test_idempotency_keys_never_change_and_fit_the_header() -> None:
    found = idempotency_key(key="a" * 64, purchase=1, account="0123456789abcdef")
    assert found == "53bd0b53a18191568d8e18cb82308991e8f6994c"


def test_an_idempotency_key_tells_key_purchase_and_account_apart() -> None:
    keys = {idempotency_key(key=k, purchase=p, account=a) for k in ("a", "b") for p in (1, 2, 11) for a in ("x", "1x")}
    assert len(keys) == 12


def request(body: Mapping[str, object], media: tuple[MediaPart, ...]) -> Request:
    return Request(
        take="a.1",
        label="a",
        path="/v1/videos/generations",
        key="k",
        inputs={},
        service="evolink",
        model="m",
        body=body,
        media=media,
        seed=1,
        seed_contract="honoured",
        reserve=Decimal(0),
        unit="credit",
        seconds=5,
        width_px=1280,
        height_px=720,
        sound=True,
    )


def test_what_is_sent_holds_addresses_where_the_key_holds_identities() -> None:
    local = MediaPart(parameter="video_urls", index=1, kind=Kind.VIDEO, path="a.mp4", sha256="f" * 64)
    remote = MediaPart(parameter="video_urls", index=0, kind=Kind.VIDEO, url="https://example.org/b.mp4")
    sound = MediaPart(parameter="audio_url", index=None, kind=Kind.AUDIO, path="s.mp3", sha256="e" * 64)
    parts = (remote, local, sound)
    made = request({"prompt": "x", "video_urls": [remote.identity, local.identity], "audio_url": sound.identity}, parts)
    sent = json.loads(made.sent({local.identity: "https://files/1", sound.identity: "https://files/2"}))
    assert sent == {
        "prompt": "x",
        "video_urls": ["https://example.org/b.mp4", "https://files/1"],
        "audio_url": "https://files/2",
    }
    assert made.body["video_urls"] == [
        "url:https://example.org/b.mp4",
        "sha256:" + "f" * 64,
    ]  # the request itself is unchanged


def test_the_same_medium_twice_is_sent_twice() -> None:
    twice = tuple(
        MediaPart(parameter="video_urls", index=n, kind=Kind.VIDEO, path="a.mp4", sha256="f" * 64) for n in (0, 1)
    )
    made = request({"video_urls": [part.identity for part in twice]}, twice)
    assert json.loads(made.sent({twice[0].identity: "https://files/1"})) == {"video_urls": ["https://files/1"] * 2}


def test_a_pinned_url_is_known_by_its_content() -> None:
    pinned = MediaPart(
        parameter="image_urls", index=0, kind=Kind.IMAGE, url="https://example.org/a.png", sha256="a" * 64
    )
    assert pinned.identity == "sha256:" + "a" * 64
