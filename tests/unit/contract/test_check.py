import subprocess
import sys
from typing import Any

import pytest
from bodies import I2V, MODELS, REFERENCE, WAN25, WAN27, lawful, least, models, mutants
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from runner.contract import check
from runner.contract.model import Model
from runner.core.diagnostics import CODES


@given(st.data())
@settings(max_examples=150)
def test_every_body_the_contract_allows_passes(data: st.DataObject) -> None:
    model = data.draw(models())
    body = data.draw(lawful(model))
    assert check.faults(model, body) == ()
    assert check.is_valid(model, body)


@given(st.data())
@settings(max_examples=300)
def test_gate_and_judge_give_one_verdict(data: st.DataObject) -> None:
    model = data.draw(models())
    body = data.draw(mutants(model))
    verdict = check._gate(model).is_valid(body)
    assert check._judge(model).is_valid(body) is verdict
    assert check.is_valid(model, body) is verdict
    assert (check.faults(model, body) == ()) is verdict


@given(st.data())
@settings(max_examples=150)
def test_every_fault_names_a_property_and_has_words(data: st.DataObject) -> None:
    model = data.draw(models())
    body = data.draw(mutants(model))
    faults = check.faults(model, body)
    for fault in faults:
        assert fault.path and isinstance(fault.path[0], str)
        assert fault.code in CODES
        assert model.name in fault.headline and len(fault.headline) < 400 and "\n" not in fault.headline
        assert fault.notes[-1].startswith(f"{model.origin}#")
    assert len({fault.path for fault in faults}) == len(faults), "one fault of each value"


@given(st.data())
@settings(max_examples=100)
def test_leaving_out_what_the_service_fills_in_changes_no_verdict(data: st.DataObject) -> None:
    model = data.draw(models())
    body = data.draw(mutants(model))
    assert check.is_valid(model, body) is check.is_valid(model, {**model.defaults, **body})


@given(st.text() | st.from_regex(r"https?://[a-z@:\[\]%/?#.]{0,20}"))
@settings(max_examples=300)
def test_links_are_judged_as_strictly_as_by_the_library_for_them(text: str) -> None:
    judge = Draft202012Validator({"format": "uri"}, format_checker=FormatChecker(["uri"]))
    if check.is_uri(text):
        assert judge.is_valid(text)


@pytest.mark.parametrize(
    "link", ["https://a", "http://a.b:80/c?d=e#f", "https://u:p@a/b", "https://[::1]:8/x", "https://a/%C3%A9?q=1"]
)
def test_links_that_can_be_asked_for_are_taken(link: str) -> None:
    assert check.is_valid(I2V, least(I2V, image_urls=[link]))


@pytest.mark.parametrize(
    "link",
    ["https://", "https:///a", "https://?a", "https://:80/", "https://u@/b", "https://a\n", "https://a/ b", "https://a/é", "https://a/%2",
     "https://a/[1]", "https://[::1", "https:a", "//a/b", "a.png", "data:image/png;base64,AA", "file:///etc/passwd", " https://a"],
)  # fmt: skip
def test_links_that_lead_nowhere_are_refused(link: str) -> None:
    (fault,) = check.faults(I2V, least(I2V, image_urls=[link]))
    assert fault.path == ("image_urls", 0)
    assert check._gate(I2V).is_valid(least(I2V, image_urls=[link])) is False


REFUSED: list[tuple[Model, dict[str, Any], tuple[str | int, ...], str, str, str]] = [
    (
        WAN25,
        {"duration": 7},
        ("duration",),
        "bad-value",
        "`duration` is 7; model `wan2.5-text-to-video` takes 5 or 10",
        "the nearest it takes is 5",
    ),
    (
        WAN27,
        {"duration": 20},
        ("duration",),
        "bad-value",
        "`duration` is 20; model `wan2.7-text-to-video` takes 2 to 15",
        "the nearest it takes is 15",
    ),
    (
        REFERENCE,
        {"duration": 11},
        ("duration",),
        "bad-value",
        "`duration` is 11; model `wan2.6-reference-video-flash` takes 2 to 10",
        "the nearest it takes is 10",
    ),
    (
        I2V,
        {"duration": 5.5},
        ("duration",),
        "bad-value",
        "`duration` is 5.5; model `wan2.6-image-to-video-flash` takes 2 to 15",
        "",
    ),
    (
        WAN25,
        {"duration": "5"},
        ("duration",),
        "bad-value",
        '`duration` is the text "5"; model `wan2.5-text-to-video` takes 5 or 10',
        "write 5 without quotes; what a table or a variable gives as text, `| int` makes a number",
    ),
    (
        WAN25,
        {"duration": True},
        ("duration",),
        "bad-value",
        "`duration` is true; model `wan2.5-text-to-video` takes 5 or 10",
        "",
    ),
    (
        WAN25,
        {"prompt_extend": "no"},
        ("prompt_extend",),
        "bad-value",
        '`prompt_extend` is the text "no"; model `wan2.5-text-to-video` takes true or false',
        "write false, without quotes",
    ),
    (
        WAN27,
        {"quality": "720P"},
        ("quality",),
        "bad-value",
        "`quality` is 720P; model `wan2.7-text-to-video` takes 720p or 1080p",
        "did you mean `720p`?",
    ),
    (
        WAN27,
        {"seed": 0},
        ("seed",),
        "bad-value",
        "`seed` is 0; model `wan2.7-text-to-video` takes 1 to 2147483647",
        "the nearest it takes is 1",
    ),
    (
        WAN25,
        {"prompt": ""},
        ("prompt",),
        "bad-value",
        "`prompt` is empty; model `wan2.5-text-to-video` needs some text",
        "",
    ),
    (
        WAN25,
        {"prompt": ...},
        ("prompt",),
        "missing-parameter",
        "model `wan2.5-text-to-video` needs `prompt`",
        "give the shot `prompt:`",
    ),
    (
        I2V,
        {"image_urls": ...},
        ("image_urls",),
        "missing-parameter",
        "model `wan2.6-image-to-video-flash` needs `image_urls`",
        "give the shot `image:`",
    ),
    (
        I2V,
        {"image_urls": ["https://a/b"] * 2},
        ("image_urls",),
        "bad-value",
        "`image_urls` has 2 entries; model `wan2.6-image-to-video-flash` takes 1",
        "a shot's `image` fills it",
    ),
    (
        REFERENCE,
        {"video_urls": []},
        ("video_urls",),
        "bad-value",
        "`video_urls` is empty; model `wan2.6-reference-video-flash` takes 1 to 3",
        "a shot's `videos` fills it",
    ),
    (
        REFERENCE,
        {"video_urls": ["ftp://a/b"]},
        ("video_urls", 0),
        "bad-value",
        '`video_urls[0]` is "ftp://a/b"; model `wan2.6-reference-video-flash` takes an http or https URL',
        "",
    ),
    (
        WAN25,
        {"callback_url": "http://a/b"},
        ("callback_url",),
        "bad-value",
        '`callback_url` is "http://a/b"; model `wan2.5-text-to-video` takes an https URL',
        "",
    ),
    (
        I2V,
        {"aspect_ratio": "16:9"},
        ("aspect_ratio",),
        "unknown-parameter",
        "model `wan2.6-image-to-video-flash` has no `aspect_ratio`: the clip follows the image",
        "leave `aspect_ratio` out",
    ),
    (
        WAN25,
        {"durration": 5},
        ("durration",),
        "unknown-parameter",
        "model `wan2.5-text-to-video` has no `durration`",
        "did you mean `duration`?",
    ),
    (
        WAN25,
        {"fps": 24},
        ("fps",),
        "unknown-parameter",
        "model `wan2.5-text-to-video` has no `fps`",
        "it has model, prompt, aspect_ratio, quality, duration, prompt_extend, callback_url",
    ),
    (
        REFERENCE,
        {"model_params": {"shot_tpye": "multi"}},
        ("model_params", "shot_tpye"),
        "unknown-parameter",
        "`model_params` of model `wan2.6-reference-video-flash` has no `shot_tpye`",
        "did you mean `shot_type`?",
    ),
    (
        I2V,
        {"model_params": {"generate_audio": False}},
        ("model_params", "generate_audio"),
        "unknown-parameter",
        "`model_params` of model `wan2.6-image-to-video-flash` has no `generate_audio`",
        "it has shot_type",
    ),
    (
        REFERENCE,
        {"model_params": {"shot_type": "many"}},
        ("model_params", "shot_type"),
        "bad-value",
        "`model_params.shot_type` is many; model `wan2.6-reference-video-flash` takes single or multi",
        "",
    ),
    (
        WAN25,
        {"quality": "480p", "aspect_ratio": "4:3"},
        ("aspect_ratio",),
        "model-rule",
        "model `wan2.5-text-to-video`: `aspect_ratio` 4:3 needs `quality` 720p or 1080p (it is 480p)",
        "",
    ),
    (
        I2V,
        {"audio_url": "https://a/b.mp3", "generate_audio": False},
        ("generate_audio",),
        "model-rule",
        (
            "model `wan2.6-image-to-video-flash`: `audio_url` needs `generate_audio` true (it is false): "
            "a silent clip has no use for a sound file"
        ),
        "",
    ),
]


@pytest.mark.parametrize(("model", "change", "path", "code", "headline", "help_line"), REFUSED)
def test_a_fault_says_what_is_wrong_and_what_would_be_right(
    model: Model, change: dict[str, Any], path: tuple[str | int, ...], code: str, headline: str, help_line: str
) -> None:
    (fault,) = check.faults(model, least(model, **change))
    assert (fault.path, fault.code, fault.headline, fault.help) == (path, code, headline, help_line)


@pytest.mark.parametrize(("model", "longest"), [(WAN25, 2000), (WAN27, 5000), (I2V, 1500), (REFERENCE, 1500)])
def test_prompts_are_counted_in_code_points(model: Model, longest: int) -> None:
    assert check.faults(model, least(model, prompt="\U0001f600" * longest)) == ()
    (fault,) = check.faults(model, least(model, prompt="é" * (longest + 30)))
    assert (
        fault.headline == f"`prompt` has {longest + 30} characters; model `{model.name}` takes {longest}: 30 too many"
    )


def test_what_the_service_would_cut_in_silence_is_refused_with_that_note() -> None:
    (fault,) = check.faults(WAN27, least(WAN27, negative_prompt="x" * 501))
    assert fault.notes[0] == "the service would cut what is too much, without a word"
    (fault,) = check.faults(WAN25, least(WAN25, prompt="x" * 2001))
    assert len(fault.notes) == 1


def test_a_note_points_to_the_line_of_the_schema() -> None:
    (fault,) = check.faults(WAN25, least(WAN25, duration=7))
    assert fault.notes == ("schemas/models/wan2.5-text-to-video.schema.json#/properties/duration/enum",)
    (fault,) = check.faults(WAN25, least(WAN25, quality="480p", aspect_ratio="3:4"))
    assert fault.notes == ("schemas/models/wan2.5-text-to-video.schema.json#/allOf/0",)
    assert fault.others == (("quality",),)


def test_all_faults_are_told_at_once_in_the_order_of_the_body() -> None:
    body = {"durration": 5, "duration": 7, "model": WAN25.name, "quality": "4k", "aspect_ratio": "2:1"}
    assert [f.path for f in check.faults(WAN25, body)] == [
        ("prompt",),
        ("durration",),
        ("duration",),
        ("quality",),
        ("aspect_ratio",),
    ]


def test_a_rule_is_silent_where_one_of_its_values_is_wrong_by_itself() -> None:
    body = least(I2V, audio_url="https://a/b.mp3", generate_audio="off")
    assert [f.code for f in check.faults(I2V, body)] == ["bad-value"]


@pytest.mark.parametrize("quality", ["720p", "1080p"])
@pytest.mark.parametrize("ratio", ["4:3", "3:4"])
def test_narrow_shapes_are_lawful_above_480p(quality: str, ratio: str) -> None:
    assert check.is_valid(WAN25, least(WAN25, quality=quality, aspect_ratio=ratio))


def test_integral_numbers_are_integers_and_true_is_none() -> None:
    assert check.is_valid(WAN27, least(WAN27, duration=5.0))
    assert not check.is_valid(WAN27, least(WAN27, seed=True))


def test_half_a_surrogate_pair_is_refused_since_it_cannot_be_sent() -> None:
    (fault,) = check.faults(WAN25, least(WAN25, prompt="a \ud800"))
    assert fault.path == ("prompt",) and "surrogate" in fault.headline
    assert check.faults(WAN25, least(WAN25, **{"x\ud800": 1})) != ()
    (fault,) = check.faults(REFERENCE, least(REFERENCE, model_params={"shot_type": "\ud800"}))
    fault.headline.encode()


def test_a_value_too_deep_or_too_long_to_show_is_still_refused_in_words() -> None:
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    for value in (deep, 10**5000):
        assert check.faults(WAN25, least(WAN25, duration=value))[0].path == ("duration",)
        assert check.faults(WAN25, least(WAN25, extra=value))[0].path == ("extra",)
    while deep:  # taken apart here: the interpreter would do it recursively
        deep = deep.pop()


def test_advice_stops_nothing() -> None:
    body = least(I2V, prompt_extend=False, model_params={"shot_type": "multi"})
    assert check.faults(I2V, body) == ()
    (remark,) = check.advice(I2V, body)
    assert remark.path == ("model_params",) and remark.code == "model-advice"
    assert remark.headline == (
        "model `wan2.6-image-to-video-flash`: `shot_type` multi has no effect while `prompt_extend` is false"
    )
    assert check.advice(I2V, {**body, "prompt_extend": True}) == ()
    assert check.advice(WAN25, least(WAN25, prompt="x" * 1500)) == ()
    assert [r.path for r in check.advice(WAN25, least(WAN25, prompt="x" * 1501))] == [("prompt",)]


def test_good_bodies_never_load_the_slow_judge() -> None:
    script = (
        "import sys; from runner.adapters.catalog import shipped_models as m; from runner.contract import check\n"
        "ok = check.is_valid(m()['wan2.5-text-to-video'], {'model': 'wan2.5-text-to-video', 'prompt': 'x'})\n"
        "print(ok, 'jsonschema' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "False"]


def test_every_schema_is_lawful_by_the_standard() -> None:
    for model in MODELS.values():
        Draft202012Validator.check_schema(model.schema)
