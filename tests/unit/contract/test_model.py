import json
from decimal import Decimal
from fractions import Fraction

import pytest
from bodies import I2V, MODELS, REFERENCE, WAN25, WAN27
from hypothesis import given
from hypothesis import strategies as st

from runner.adapters import catalog
from runner.contract.model import BrokenModel, Model, SeedContract, load
from runner.core.media import Kind, MediaFacts

FIVE = {"16:9", "9:16", "1:1", "4:3", "3:4"}


def picture(width: int, height: int) -> MediaFacts:
    return MediaFacts(kind=Kind.IMAGE, format="png", sha256="", size_bytes=1, width_px=width, height_px=height)


@pytest.mark.parametrize(
    ("model", "quality", "ratio", "size"),
    [
        (WAN25, "480p", "16:9", (832, 480)),
        (WAN25, "480p", "1:1", (624, 624)),
        (WAN25, "720p", "4:3", (1088, 832)),
        (WAN25, "1080p", "3:4", (1248, 1632)),
        (WAN27, "720p", "16:9", (1280, 720)),
        (WAN27, "720p", "4:3", (1104, 832)),
        (WAN27, "1080p", "4:3", (1648, 1248)),
        (WAN27, "1080p", "9:16", (1080, 1920)),
        (REFERENCE, "720p", "3:4", (832, 1088)),
        (REFERENCE, "1080p", "1:1", (1440, 1440)),
    ],
)
def test_sizes_are_those_of_the_contract(model: Model, quality: str, ratio: str, size: tuple[int, int]) -> None:
    assert model.size({"quality": quality, "aspect_ratio": ratio}, None) == size


def test_a_size_left_open_is_the_default_one() -> None:
    assert WAN25.size({}, None) == (1280, 720)
    assert WAN27.size({"aspect_ratio": "9:16"}, None) == (720, 1280)


def test_shapes_are_offered_where_the_contract_offers_them() -> None:
    assert set(WAN25.output.px["480p"]) == {"16:9", "9:16", "1:1"}
    for model in (WAN25, WAN27, REFERENCE):
        assert all(set(model.output.px[quality]) == FIVE for quality in ("720p", "1080p"))


@given(st.integers(360, 2000), st.integers(360, 2000), st.sampled_from(["720p", "1080p"]))
def test_a_clip_from_an_image_has_its_shape_and_the_tiers_area(width: int, height: int, quality: str) -> None:
    clip_width, clip_height = I2V.size({"quality": quality}, picture(width, height))
    area = I2V.output.area_px[quality]
    assert clip_width % 16 == clip_height % 16 == 0
    assert abs(clip_width * clip_height - area) < 0.03 * area
    assert abs((clip_width / clip_height) / (width / height) - 1) < 0.04


def test_an_image_that_only_its_url_tells_of_counts_as_wide() -> None:
    assert I2V.size({}, None) == (1280, 720) == I2V.size({}, picture(1920, 1080))


def test_what_is_always_sent_has_a_default() -> None:
    assert WAN25.defaults == {"aspect_ratio": "16:9", "quality": "720p", "duration": 5, "prompt_extend": True}
    assert WAN27.defaults == {"quality": "720p", "aspect_ratio": "16:9", "duration": 5, "prompt_extend": False}
    assert I2V.defaults == {"duration": 5, "quality": "720p", "prompt_extend": True, "generate_audio": True}
    assert REFERENCE.defaults == {"aspect_ratio": "16:9", "quality": "720p", "duration": 5, "generate_audio": True}


def test_only_wan27_takes_a_seed() -> None:
    assert (WAN27.seed.contract, WAN27.seed.first, WAN27.seed.last) == (SeedContract.BEST_EFFORT, 1, 2**31 - 1)
    assert {m.seed.contract for m in MODELS.values() if m is not WAN27} == {SeedContract.ABSENT}


def test_media_are_found_by_the_storyboards_word_and_by_the_property() -> None:
    image, audio = I2V.media["image"], I2V.media["audio"]
    assert (image.property, image.is_list, image.count, image.side_px, image.alpha) == (
        "image_urls",
        True,
        (1, 1),
        (360, 2000),
        False,
    )
    assert (audio.property, audio.is_list, audio.count, audio.seconds) == ("audio_url", False, (0, 1), (3, 30))
    assert I2V.by_property["audio_url"] is audio
    assert WAN27.media["audio"].seconds == (Fraction(2), Fraction(30))
    assert REFERENCE.media["videos"].max_bytes == 100_000_000
    assert dict(WAN25.media) == {}


def test_sound_is_switched_where_the_model_says() -> None:
    assert WAN25.sounds({}) and WAN27.sounds({})
    assert I2V.sounds({}) and not I2V.sounds({"generate_audio": False})


def test_callbacks_alone_are_no_part_of_what_is_bought() -> None:
    assert {model.transport for model in MODELS.values()} == {frozenset({"callback_url"})}


def test_prices_are_read_digit_for_digit() -> None:
    (tariff,) = REFERENCE.providers["evolink"].tariffs
    assert tariff.per_second == Decimal("2.38")
    assert tariff.input_seconds is not None and tariff.input_seconds.cap_s == {
        1: Decimal("5"),
        2: Decimal("2.5"),
        3: Decimal("1.65"),
    }


def test_the_schema_that_judges_bodies_holds_nothing_of_ours_to_judge() -> None:
    assert all("x-model" not in model.schema for model in MODELS.values())


def test_a_file_that_contradicts_itself_is_no_model() -> None:
    document = json.loads((catalog.home() / WAN27.origin).read_text())
    document["x-model"]["seed"] = "absent"
    with pytest.raises(BrokenModel, match="the seed is called absent, but `seed` is a property"):
        load(document, "x.json")
