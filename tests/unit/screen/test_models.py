import json
from dataclasses import replace
from datetime import date

from bodies import I2V, MODELS, REFERENCE, WAN25, WAN27

from runner.contract.model import Offer
from runner.screen.models import listing, listing_json, page, page_json

TODAY = date(2026, 11, 20)
BEFORE = date(2026, 10, 9)


def section(text: str, title: str) -> list[str]:
    lines = text.split("\n")
    start = lines.index(title) + 1
    return [line.removeprefix("  ") for line in lines[start : lines.index("", start)]]


def test_the_list_says_what_each_model_makes_costs_and_promises() -> None:
    assert listing(MODELS, TODAY).splitlines() == [
        "Model                            By default  Seed         Makes",
        "wan2.5-text-to-video          25.50 credits  absent       A clip of 5 or 10 s with sound, from a prompt alone",
        "wan2.6-image-to-video-flash   11.90 credits  absent       A clip of 2 to 15 s that starts from a picture, with or without sound",
        "wan2.6-reference-video-flash  23.80 credits  absent       A clip of 2 to 10 s with the characters and voices of one to three reference clips",
        "wan2.7-text-to-video          27.20 credits  best effort  A clip of 2 to 15 s with sound, from a prompt; several shots in one, own audio, a seed",
    ]


def test_a_price_that_is_not_known_is_not_shown_as_free() -> None:
    assert "unknown" in listing({"m": WAN25}, BEFORE)
    assert "evolink: unknown on 2026-10-09" in page(WAN25, BEFORE)
    free = replace(WAN25, providers={"evolink": Offer(path="/v1/x", tariffs=())})
    assert "unknown" in listing({"m": free}, TODAY)


def test_parameters_stand_with_what_they_take_and_their_default() -> None:
    rows = [row.split("  ") for row in section(page(WAN27, TODAY), "Parameters")]
    by_name = {row[0]: [cell.strip() for cell in row[1:] if cell.strip()] for row in rows}
    assert by_name["duration"][:4] == ["integer", "2 to 15", "5", "params"]
    assert by_name["seed"][:4] == ["integer", "1 to 2147483647", "-", "seed"]
    assert by_name["prompt"][:4] == ["text", "text of up to 5000 characters", "required", "prompt"]
    assert by_name["audio_urls"][:4] == ["list", "a list of 1 http or https URL", "-", "audio"]
    assert by_name["prompt_extend"][:3] == ["boolean", "true or false", "false"]
    assert by_name.keys() >= WAN27.properties.keys() - {"model"}


def test_what_lies_in_a_mapping_stands_under_it() -> None:
    assert any(
        row.startswith("model_params.shot_type  text     single or multi")
        for row in section(page(I2V, TODAY), "Parameters")
    )


def test_rules_are_said_in_words() -> None:
    assert section(page(WAN25, TODAY), "Rules")[0] == "- 4:3 and 3:4 need 720p or 1080p"
    rules = section(page(I2V, TODAY), "Rules")
    assert "- No `aspect_ratio`: the clip follows the image" in rules
    assert "- `shot_type` multi has no effect while `prompt_extend` is false (a warning)" in rules
    assert any("would cut it" in rule for rule in section(page(WAN27, TODAY), "Rules"))


def test_media_stand_with_their_limits() -> None:
    assert section(page(I2V, TODAY), "Media") == [
        "image  1 picture           jpeg, png, bmp or webp; up to 10 MB; sides of 360 to 2000 px; still, without transparency",
        "audio  up to 1 sound file  mp3; up to 15 MB; 3 to 30 s",
    ]
    assert section(page(REFERENCE, TODAY), "Media") == ["videos  1 to 3 clips  mp4 or mov; up to 100 MB; 2 to 30 s"]
    assert "\nMedia\n" not in page(WAN25, TODAY)


def test_the_clip_stands_with_its_sizes_and_sound() -> None:
    assert section(page(WAN25, TODAY), "Clip")[:3] == [
        "fps    24",
        "sound  always",
        "480p   832x480 (16:9), 480x832 (9:16), 624x624 (1:1)",
    ]
    assert section(page(I2V, TODAY), "Clip")[1:] == [
        "sound  as `generate_audio` says",
        "720p   1280x720 (from 16:9)",
        "1080p  1920x1088 (from 16:9)",
        "shape  the image's, sides to multiples of 16 px",
    ]


def test_the_seeds_promise_is_said() -> None:
    assert section(page(WAN25, TODAY), "Seed") == ["- absent: takes are recorded, not reproducible"]
    assert section(page(WAN27, TODAY), "Seed")[0].startswith("- best effort, 1 to 2147483647: ")


def test_prices_stand_with_their_day_and_worked_examples() -> None:
    assert section(page(REFERENCE, TODAY), "Prices")[0] == (
        "- evolink since 2026-10-10: 2.38 credits a second; quality 1080p x 1.67; generate_audio false x 0.5; "
        "seconds of reference clips count too, up to 5 s each of 1, 2.5 s each of 2, 1.65 s each of 3; "
        "at least 9 credits; 1 USD is 68 credits"
    )
    assert section(page(WAN25, TODAY), "Examples") == [
        "5 s, 720p   25.50 credits  evolink",
        "5 s, 480p   12.75 credits  evolink",
        "5 s, 1080p  42.59 credits  evolink",
    ]
    assert section(page(REFERENCE, TODAY), "Examples")[0] == (
        "5 s, 720p, 1 clip of 5 s or more                         23.80 credits  evolink"
    )


def test_a_strangers_words_move_no_cursor() -> None:
    strange = replace(WAN25, title="\x1b[2Jx", description="::error::y\n\u202ez", origin="::a\rb")
    for text in (page(strange, TODAY), listing({"m": strange}, TODAY)):
        assert not {"\x1b", "\r", "\u202e"} & set(text)
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_colour_is_only_for_the_titles() -> None:
    assert "\x1b" not in page(WAN25, TODAY)
    plain = page(WAN25, TODAY, colour=True).replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert plain == page(WAN25, TODAY)


def test_json_holds_the_same_with_exact_amounts() -> None:
    found = json.loads(listing_json(MODELS, TODAY))["models"]
    assert [model["name"] for model in found] == list(MODELS)
    assert found[0]["prices"][0]["examples"][0] == {"request": "5 s, 720p", "amount": "25.50"}
    one = json.loads(page_json(I2V, TODAY))
    assert one["seed"] == {"contract": "absent", "first": 0, "last": 0}
    assert one["media"]["image"]["side_px"] == [360, 2000]
    by_name = {parameter["name"]: parameter for parameter in one["parameters"]}
    assert by_name["generate_audio"]["default"] is True
    assert by_name["image_urls"]["required"] and by_name["image_urls"]["word"] == "image"
    assert by_name["callback_url"]["transport"]
    assert one["prices"][0]["per_second"] == "2.38"
    assert json.loads(page_json(WAN25, BEFORE))["prices"][0]["since"] is None
