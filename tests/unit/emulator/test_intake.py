"""What a create may say: any bytes lead to a lawful request or to a refusal."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.adapters import catalog
from runner.emulator import intake
from runner.emulator.intake import Asked, Wishes
from runner.emulator.refusals import Refusal
from runner.emulator.switches import Switches

MODELS = catalog.shipped_models()
T2V, T2V_SEED, I2V = "wan2.5-text-to-video", "wan2.7-text-to-video", "wan2.6-image-to-video-flash"
IMAGE = "http://127.0.0.1:9/a.png"


def read(body: object, **headers: Any) -> Asked:
    return intake.read(json.dumps(body).encode(), MODELS, Wishes(**headers), Switches())


def refused(raw: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        intake.read(raw, MODELS, Wishes(), Switches())
    return caught.value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    assert refused(raw).status == 400


@settings(deadline=None)  # the judge of faults is loaded when first needed
@given(
    st.dictionaries(
        st.sampled_from([*"abc", "duration", "seed", "prompt", "quality", "audio_urls", "callback_url"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=5,
        ),
    ),
    st.sampled_from([*MODELS, "other", "", None]),
)
def test_any_object_is_read_or_refused(rest: dict[str, Any], model: str | None) -> None:
    try:
        asked = intake.read(json.dumps({"model": model, **rest}).encode(), MODELS, Wishes(), Switches())
    except Refusal as refusal:
        assert refusal.status in (400, 404)
    else:
        assert asked.model.name == model
        assert 1 <= intake.seconds(asked) <= 60
        assert 0 <= intake.seed(asked, {}) < intake.SEEDS


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe{}",
        b"[]",
        b'"text"',
        b"null",
        b"{",
        b'{"model": "wan2.5-text-to-video", "prompt": NaN}',
        b'{"model": "wan2.5-text-to-video", "prompt": "\\ud800"}',
        b'{"model": "wan2.5-text-to-video", "prompt": "x", "duration": ' + b"9" * 5000 + b"}",
        b'{"a":' * 100_000,
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_what_is_no_json_object_of_text_and_numbers_has_no_parameter_at_fault(raw: bytes) -> None:
    refusal = refused(raw)
    assert (refusal.status, refusal.param) == (400, "")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": "x"}, "model"),
        ({"model": 7, "prompt": "x"}, "model"),
        ({"model": T2V}, "prompt"),
        ({"model": T2V, "prompt": "x" * 2001}, "prompt"),
        ({"model": T2V, "prompt": "x", "duration": 7}, "duration"),
        ({"model": T2V, "prompt": "x", "duration": 1e400}, "duration"),
        ({"model": T2V, "prompt": "x", "duration": True}, "duration"),
        ({"model": T2V, "prompt": "x", "quality": "480p", "aspect_ratio": "4:3"}, "aspect_ratio"),
        ({"model": T2V, "prompt": "x", "seed": 1}, "seed"),
        ({"model": T2V, "prompt": "x", "callback_url": "http://a.example/"}, "callback_url"),
        ({"model": T2V_SEED, "prompt": "x", "seed": 0}, "seed"),
        ({"model": T2V_SEED, "prompt": "x", "audio_urls": [IMAGE, IMAGE]}, "audio_urls"),
        ({"model": I2V, "prompt": "x"}, "image_urls"),
        ({"model": I2V, "prompt": "x", "image_urls": []}, "image_urls"),
        ({"model": I2V, "prompt": "x", "image_urls": ["file:///etc/passwd"]}, "image_urls"),
        (
            {"model": I2V, "prompt": "x", "image_urls": [IMAGE], "model_params": {"generate_audio": True}},
            "model_params",
        ),
    ],
)
def test_a_faulty_property_is_named(body: dict[str, Any], param: str) -> None:
    refusal = refused(json.dumps(body).replace("Infinity", "1e400").encode())
    assert (refusal.status, refusal.param) == (400, param)


def test_silence_and_a_sound_file_exclude_each_other() -> None:
    body = {"model": I2V, "prompt": "x", "image_urls": [IMAGE], "audio_url": IMAGE, "generate_audio": False}
    refusal = refused(json.dumps(body).encode())
    assert refusal.status == 400
    assert refusal.param in ("audio_url", "generate_audio")


def test_an_unknown_model_gets_the_name_of_a_known_one() -> None:
    refusal = refused(b'{"model": "wan2.7-text-to-vidoe", "prompt": "x"}')
    assert (refusal.status, refusal.param, refusal.suggestion) == (404, "model", T2V_SEED)


def test_defaults_are_filled_in_and_what_is_written_stays() -> None:
    body = read({"model": T2V, "prompt": "x", "quality": "480p"}).body
    assert body["quality"] == "480p"
    assert (body["duration"], body["aspect_ratio"], body["prompt_extend"]) == (5, "16:9", True)


def test_a_text_the_service_cuts_is_cut() -> None:
    body = read({"model": T2V_SEED, "prompt": "映" * 5001, "negative_prompt": "n" * 501}).body
    assert (len(body["prompt"]), len(body["negative_prompt"])) == (5000, 500)


def test_the_digest_is_of_the_bytes_and_not_of_the_headers() -> None:
    body = {"model": T2V, "prompt": "x"}
    assert read(body).digest == read(body, seed=4, label="a").digest
    assert read(body).digest != read({"prompt": "x", "model": T2V}).digest


class TestSeed:
    def test_the_bodys_own_wins(self) -> None:
        assert intake.seed(read({"model": T2V_SEED, "prompt": "x", "seed": 5}, seed=9), {}) == 5

    def test_the_header_tells_takes_apart_where_the_model_has_none(self) -> None:
        body = {"model": T2V, "prompt": "x"}
        assert [intake.seed(read(body, seed=n), {}) for n in (0, 1, 2)] == [0, 1, 2]

    def test_else_it_comes_from_the_body_without_transport(self) -> None:
        body = {"model": T2V, "prompt": "x"}
        drawn = intake.seed(read(body), {})
        assert drawn == intake.seed(read({**body, "callback_url": "https://a.example/"}), {})
        assert drawn == intake.seed(read({**body, "duration": 5}), {})
        assert drawn != intake.seed(read({**body, "duration": 10}), {})

    def test_media_count_by_content_not_by_place(self) -> None:
        def at(url: str, digest: str) -> int:
            return intake.seed(read({"model": I2V, "prompt": "x", "image_urls": [url]}), {url: digest})

        assert at("http://a.example/1", "d") == at("http://b.example/2", "d")
        assert at("http://a.example/1", "d") != at("http://a.example/1", "e")


class TestHeaders:
    def test_absent_headers_wish_nothing(self) -> None:
        assert intake.wishes({}) == Wishes()

    def test_a_label_is_percent_decoded(self) -> None:
        assert intake.wishes({"X-Emulate-Label": "caf%C3%A9%40dawn.2"}).label == "café@dawn.2"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Idempotency-Key", ""),
            ("Idempotency-Key", "short"),
            ("Idempotency-Key", "x" * 97),
            ("Idempotency-Key", "sixteen chars and spaces"),
            ("X-Emulate-Seed", "1.5"),
            ("X-Emulate-Seed", ""),
            ("X-Emulate-Seed", "9" * 20),
            ("X-Emulate-Label", "x" * 81),
            ("X-Emulate-Label", "a%0Ab"),
            ("X-Emulate-Label", "%E2%80%AEevil"),
            ("X-Emulate-Label", "%FF"),
        ],
    )
    def test_an_unlawful_header_is_named(self, name: str, value: str) -> None:
        with pytest.raises(Refusal) as caught:
            intake.wishes({name: value})
        assert (caught.value.status, caught.value.param) == (400, name)


def test_media_urls_stand_by_their_property_in_order() -> None:
    urls = ["http://a.example/1.mp4", "http://a.example/2.mp4"]
    asked = read({"model": "wan2.6-reference-video-flash", "prompt": "x", "video_urls": urls})
    assert intake.media_urls(asked) == {"video_urls": tuple(urls)}
    single = read({"model": I2V, "prompt": "x", "image_urls": [IMAGE], "audio_url": "http://a.example/s.mp3"})
    assert intake.media_urls(single) == {"image_urls": (IMAGE,), "audio_url": ("http://a.example/s.mp3",)}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, ""),
        ({"model_params": {}}, ""),
        ({"model_params": {"shot_type": "single"}}, "single"),
        ({"model_params": {"shot_type": "multi"}}, "multi"),
        ({"model_params": {"shot_type": "multi"}, "prompt_extend": False}, "single"),
    ],
)
def test_several_shots_are_asked_for_only_where_the_prompt_may_be_extended(more: dict[str, Any], said: str) -> None:
    assert intake.shot_type(read({"model": I2V, "prompt": "x", "image_urls": [IMAGE], **more})) == said
