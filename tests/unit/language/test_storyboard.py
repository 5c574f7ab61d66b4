"""What a storyboard may hold, and what its takes carry when it needs no template, table or other file."""

from decimal import Decimal

import pytest
from boards import HEAD, codes, load, places, shot, takes_of

from runner.core.diagnostics import CODES, Rejected
from runner.language.take import Join, Layer, Side, Transition, Trim

WHOLE = """\
# yaml-language-server: $schema=../../schemas/storyboard.schema.json
storyboard: 1
title: The Lighthouse Keeper
pipeline: draft
seed: 20261
budget: 1500.50
defaults:
  model: wan2.7-text-to-video
  params: {quality: 720p, aspect_ratio: 16:9, duration: 5}
  takes: 2
shots:
  - id: arrival
    title: He climbs
    prompt: |
      An old keeper climbs.
    negative_prompt: blurry, text
    trim: {in: 0.5, out: 5.5}
    transition: {dissolve: 0.10}
  - id: Walk
    model: wan2.6-reference-video-flash
    prompt: He walks
    takes: 1
    seed: 7
    params: {duration: 8, seeds: [1, 2]}
    skip: true
    distinct: true
"""


def test_a_whole_storyboard_becomes_takes_in_its_order() -> None:
    board = load(WHOLE)
    assert board.diagnostics == ()
    assert (board.title, board.source.path, len(board.sources)) == ("The Lighthouse Keeper", "film.yaml", 1)
    assert board.pipeline is not None
    assert board.pipeline.value == "draft"
    assert board.budget is not None
    assert board.budget.value == Decimal("1500.50")
    assert [take.id for take in board.takes] == ["arrival.1", "arrival.2", "Walk.1"]
    assert [(take.shot, take.variant, take.number) for take in board.takes[:2]] == [
        ("arrival", "arrival", 1),
        ("arrival", "arrival", 2),
    ]


def test_editorial_words_arrive_exactly() -> None:
    arrival, _, walk = load(WHOLE).takes
    assert arrival.title == "He climbs"
    assert arrival.trim == Trim(in_s=Decimal("0.5"), out_s=Decimal("5.5"))
    assert arrival.transition == Transition(seconds=Decimal("0.10"))
    assert (walk.title, walk.trim, walk.transition, walk.skip, walk.distinct) == ("", None, None, True, True)


def test_a_shot_wins_over_defaults_and_every_value_knows_its_layer_and_place() -> None:
    arrival, _, walk = load(WHOLE).takes
    assert (arrival.model.value, arrival.model.layer) == ("wan2.7-text-to-video", Layer.DEFAULT)
    assert (walk.model.value, walk.model.layer) == ("wan2.6-reference-video-flash", Layer.SHOT)
    duration, ratio = walk.params["duration"], walk.params["aspect_ratio"]
    assert (duration.value, duration.layer, duration.span.line) == (8, Layer.SHOT, 24)
    assert (ratio.value, ratio.layer, ratio.span.line, ratio.span.column) == ("16:9", Layer.DEFAULT, 9, 41)
    assert duration.key is not None
    assert (duration.key.line, duration.key.column) == (24, 14)
    assert walk.params["seeds"].value == [1, 2]
    assert (arrival.texts["prompt"].value, arrival.texts["negative_prompt"].value) == (
        "An old keeper climbs.\n",
        "blurry, text",
    )
    assert "negative_prompt" not in walk.texts


def test_a_seed_is_the_shots_else_the_storyboards_else_one() -> None:
    arrival, second, walk = load(WHOLE).takes
    assert (arrival.seed, second.seed, arrival.seed_on_shot) == (20261, 20261, False)
    assert arrival.seed_span is not None
    assert arrival.seed_span.line == 5
    assert (walk.seed, walk.seed_on_shot) == (7, True)
    (alone,) = load(shot()).takes
    assert (alone.seed, alone.seed_span, alone.seed_on_shot) == (1, None, False)
    (zero,) = load(shot("seed: 0")).takes
    assert zero.seed == 0


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{fade: 2}", Transition(join=Join.FADE, seconds=Decimal(2))),
        ("{wipe: 0.5}", Transition(join=Join.WIPE, seconds=Decimal("0.5"), side=Side.LEFT)),
        ("{from: top, wipe: 1}", Transition(join=Join.WIPE, seconds=Decimal(1), side=Side.TOP)),
        ("{wipe: '{{ 1 + 1 }}', from: \"{{ 'bottom' }}\"}", Transition(join=Join.WIPE, seconds=Decimal(2), side=Side.BOTTOM)),
    ],
)  # fmt: skip
def test_a_shot_is_joined_by_one_of_three(written: str, meant: Transition) -> None:
    (take,) = load(shot(f"transition: {written}")).takes
    assert take.transition == meant


def test_null_takes_a_default_away() -> None:
    head = """\
storyboard: 1
references: {keeper: keeper.png}
defaults:
  model: m
  negative_prompt: blurry
  image: keeper
  videos: [a/b.mp4]
  audio: a.mp3
  transition: {dissolve: 1}
  params: {quality: 720p, duration: 5}
"""
    (full,) = load(shot(head=head)).takes
    assert (set(full.texts), set(full.media), set(full.params)) == (
        {"prompt", "negative_prompt"}, {"image", "videos", "audio"}, {"quality", "duration"},
    )  # fmt: skip
    assert full.transition == Transition(seconds=Decimal(1))
    (bare,) = load(
        shot(
            "negative_prompt: null\nimage: ~\nvideos: null\naudio: null\ntransition: null\nparams: {quality: null}",
            head,
        )
    ).takes
    assert (set(bare.texts), set(bare.media), set(bare.params), bare.transition) == (
        {"prompt"},
        set(),
        {"duration"},
        None,
    )


@pytest.mark.parametrize(
    "word", ["negative_prompt:", "image:", "image: #noon", "transition:", "params: {quality: }", "videos:"]
)
def test_an_empty_value_takes_nothing_away(word: str) -> None:
    assert codes(load(shot(word))) == ["no-value"]


@pytest.mark.parametrize(("word", "help"), [("image:", "`null` takes a default away"), ("image: #noon", '`"#noon"`')])
def test_an_empty_value_is_told_apart_from_a_comment(word: str, help: str) -> None:  # noqa: A002
    assert help in load(shot(word)).diagnostics[0].help


def test_the_text_that_a_comment_swallowed_is_shown() -> None:
    (fault,) = load(shot("prompt: #noon light")).diagnostics
    assert fault.code == "no-value"
    assert '`"#noon light"`' in fault.help
    assert places(load(shot("prompt: #noon light")))[0][1] == 5


@pytest.mark.parametrize(
    ("key", "meant"),
    [("promt: x", "prompt"), ("negative-prompt: x", "negative_prompt"), ("Takes: 2", "takes"), ("parms: {}", "params")],
)
def test_an_unknown_key_is_led_back_to_the_one_that_was_meant(key: str, meant: str) -> None:
    (fault,) = load(shot(key)).diagnostics
    assert fault.code == "unknown-key"
    assert f"did you mean `{meant}`?" in fault.help


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("takes: 0", "bad-value"),
        ("takes: 100001", "bad-value"),
        ("takes: 2.0", "bad-type"),
        ("takes: true", "bad-type"),
        ("takes: '2'", "bad-type"),
        ("seed: 1.5", "bad-type"),
        ("seed: false", "bad-type"),
        ("seed: null", "no-value"),
        ("skip: yes", "bad-type"),
        ("distinct: 1", "bad-type"),
        ("title: 1984", "bad-type"),
        ("title: ''", "no-value"),
        ("prompt: ' '", "no-value"),
        ("prompt: [a]", "bad-type"),
        ("model: null", "no-value"),
        ("model: '{{ m }}'", "misplaced-template"),
        ("params: [quality]", "bad-type"),
        ("params: {prompt: x}", "own-word"),
        ("params: {seed: 1}", "own-word"),
        ("params: {image: keeper}", "own-word"),
        ("trim: {}", "no-value"),
        ("trim: {in: -1}", "bad-value"),
        ("trim: {in: 2, out: 2}", "bad-value"),
        ("trim: {out: 0}", "bad-value"),
        ("trim: {from: 2}", "unknown-key"),
        ("trim: {in: '0.5'}", "bad-type"),
        ("trim: {in: null}", "no-value"),
        ("trim: 2", "bad-type"),
        ("transition: {melt: 1}", "unknown-key"),
        ("transition: {}", "missing-key"),
        ("transition: {fade: 1, dissolve: 1}", "one-of"),
        ("transition: {fade: 1, from: left}", "misplaced-key"),
        ("transition: {wipe: 1, from: above}", "bad-value"),
        ("transition: {dissolve: -0.1}", "bad-value"),
        ("transition: dissolve", "bad-type"),
        ("vars: {}\ntakes: '{{ n }}'", "misplaced-template"),
        ("skip: '{{ s }}'", "misplaced-template"),
        ("id2: x", "unknown-key"),
    ],
)
def test_a_faulty_word_of_a_shot_is_reported_once_and_makes_no_take(words: str, code: str) -> None:
    board = load(shot(words))
    assert codes(board) == [code]
    assert board.takes == ()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("title: 7", "bad-type"),
        ("title: '{{ t }}'", "misplaced-template"),
        ("pipeline: my pipeline", "bad-id"),
        ("pipeline: ../../etc/draft.yaml", "bad-path"),
        ("pipeline: ''", "no-value"),
        ("seed: x", "bad-type"),
        ("budget: -1", "bad-value"),
        ("budget: free", "bad-type"),
        ("budget: true", "bad-type"),
        ("include: cast.yaml", "bad-type"),
        ("vars: [a]", "bad-type"),
        ("vars: {my-style: x}", "bad-name"),
        ("vars: {not: x}", "bad-name"),
        ("vars: {style: }", "no-value"),
        ("vars: {style: '{{ other }}'}", "misplaced-template"),
        ("vars: {style: {deep: ['{% if x %}']}}", "misplaced-template"),
        ("references: [a.png]", "bad-type"),
        ("shot: []", "unknown-key"),
    ],
)
def test_a_faulty_word_of_the_storyboard_is_reported_once(line: str, code: str) -> None:
    assert codes(load(shot(head=f"{HEAD}{line}\n"))) == [code]


@pytest.mark.parametrize(
    ("defaults", "code"),
    [
        ("{model: 7}", "bad-type"),
        ("[model]", "bad-type"),
        ("{model: m, prompt: x}", "unknown-key"),
        ("{model: m, image: null}", "no-value"),
        ("{model: m, params: {quality: null}}", "no-value"),
        ("{model: m, params: {prompt: x}}", "own-word"),
        ("{model: m, takes: 0}", "bad-value"),
        ("{model: m, image: nobody}", "unknown-reference"),
        ("{model: m, transition: {dissolve: soon}}", "bad-type"),
    ],
)
def test_a_fault_in_defaults_is_reported_there_and_not_at_each_shot(defaults: str, code: str) -> None:
    shots = "shots:\n  - {id: a, prompt: x}\n  - {id: b, prompt: y}\n"
    assert codes(load(f"storyboard: 1\ndefaults: {defaults}\n{shots}")) == [code]


def test_a_name_that_is_a_word_of_the_template_language_is_told_so() -> None:
    (fault,) = load(shot("vars: {not: x}")).diagnostics
    assert "template language" in fault.help


def test_a_shot_needs_an_id_a_prompt_and_a_model() -> None:
    board = load("storyboard: 1\nshots:\n  - title: x\n  - id: b\n    prompt: y\n")
    assert [fault.headline for fault in board.diagnostics] == [
        "this shot has no `id`", "this shot has no `prompt`", "this shot has no `model`", "shot `b` has no `model`",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a b", "-a", "_a", "ä", "a.b", "a@b", "x" * 65, "../a", "a/b"])
def test_an_unlawful_id_is_refused(name: str) -> None:
    assert codes(load(f"{HEAD}shots:\n  - id: '{name}'\n    prompt: x\n")) == ["bad-id"]


@pytest.mark.parametrize("name", ["7", "a", "A-1_b", "x" * 64])
def test_a_lawful_id_is_taken_as_it_is_written(name: str) -> None:
    assert takes_of(f"{HEAD}shots:\n  - id: {name}\n    prompt: x\n") == [f"{name}.1"]


@pytest.mark.parametrize(("first", "second"), [("Walk", "walk"), ("walk", "Walk"), ("walk", "walk")])
def test_ids_are_unique_without_regard_to_case_and_both_places_are_shown(first: str, second: str) -> None:
    board = load(f"{HEAD}shots:\n  - {{id: {first}, prompt: x}}\n  - {{id: {second}, prompt: y}}\n")
    (fault,) = board.diagnostics
    assert (fault.code, places(board)[0][1], fault.others[0].span.line) == ("duplicate-id", 5, 4)


def test_ten_faults_are_reported_in_one_go_in_file_order() -> None:
    board = load(
        """\
storyboard: 1
tilte: x
budget: -1
vars: {a-b: 1}
references: {r: x.tiff}
defaults: {model: m, takes: 0}
shots:
  - id: a
    prompt: ""
    seed: 1.5
  - id: b
    prompt: x
    image: nobody
    trim: {out: 0}
  - {id: c, prompt: fine}
"""
    )
    assert places(board) == [
        ("unknown-key", 2, 1), ("bad-value", 3, 9), ("bad-name", 4, 8), ("unknown-kind", 5, 17), ("bad-value", 6, 29),
        ("no-value", 9, 13), ("bad-type", 10, 11), ("unknown-reference", 13, 12), ("bad-value", 14, 17),
    ]  # fmt: skip
    assert set(codes(board)) <= CODES.keys()
    assert [take.id for take in board.takes] == ["c.1"]


@pytest.mark.parametrize(
    "text", ["storyboard: [", "- a", "just text", "", "storyboard: 2\nshots: 7\n", "storyboard: one\n"]
)
def test_what_cannot_be_unfolded_at_all_is_rejected(text: str) -> None:
    with pytest.raises(Rejected):
        load(text)


def test_version_and_shots_must_be_there() -> None:
    assert codes(load("shots:\n  - {id: a, model: m, prompt: x}\n")) == ["missing-key"]
    assert codes(load("storyboard: 1\n")) == ["missing-key"]
    assert codes(load("storyboard: 1\nshots: []\n")) == ["no-value"]
    assert codes(load("storyboard: 1\nshots: {a: {}}\n")) == ["bad-type"]
    assert codes(load("storyboard: 1\nshots: [a]\n")) == ["bad-type"]


def test_a_schema_key_for_editors_is_allowed_and_says_nothing() -> None:
    assert takes_of(shot(head=f"$schema: any.json\n{HEAD}")) == ["a.1"]


def test_a_pipeline_is_a_name_or_a_path_from_the_root() -> None:
    board = load(shot(head=f"{HEAD}pipeline: ../pipelines/own.yaml\n"), path="films/one/film.yaml")
    assert board.pipeline is not None
    assert board.pipeline.value == "films/pipelines/own.yaml"
