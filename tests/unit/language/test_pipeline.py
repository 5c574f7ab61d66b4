from decimal import Decimal
from pathlib import Path

import pytest

from runner.core.diagnostics import CODES, Diagnostic, Rejected, Source
from runner.language import pipeline
from runner.language.exec_step import Exec
from runner.language.generate_step import Generate, Seedless, Takes
from runner.language.pipeline import Assemble, Missing, Pipeline, Report, Timeline
from runner.language.provider_choice import FREE, PROVIDERS
from runner.language.take import Layer
from runner.providers.provider import PROVIDERS as KNOWN

SHIPPED = Path(__file__).parents[3] / "pipelines"
STEPS = "steps: [{generate: {}}]\n"


def loaded(text: str) -> Pipeline:
    return pipeline.load(Source(path="pipelines/own.yaml", name="own.yaml", text=text))


def lawful(text: str) -> Pipeline:
    return loaded(f"pipeline: 1\n{text}")


def faults(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(Rejected) as rejected:
        loaded(text)
    return rejected.value.diagnostics


def codes(text: str) -> list[str]:
    return [fault.code for fault in faults(f"pipeline: 1\n{text}")]


def place(fault: Diagnostic) -> tuple[int, int]:
    assert fault.span is not None
    return fault.span.line, fault.span.column


@pytest.mark.parametrize("name", ["draft", "clips", "preview", "final"])
def test_every_shipped_pipeline_loads(name: str) -> None:
    text = (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
    found = pipeline.load(Source(path=f"pipelines/{name}.yaml", name=f"{name}.yaml", text=text))
    assert found.name == name
    assert isinstance(found.steps[0], Generate)
    assert found.provider.name == (FREE if name in ("draft", "clips") else "evolink")


def test_a_draft_is_free_and_clips_set_no_limit_of_their_own() -> None:
    draft, clips = (
        pipeline.load(
            Source(path=f"{name}.yaml", name=name, text=(SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"))
        )
        for name in ("draft", "clips")
    )
    assert draft.budget == 0
    assert clips.budget is None
    assert [type(step) for step in clips.steps] == [Generate]


def test_the_providers_of_the_language_are_those_there_are() -> None:
    assert set(PROVIDERS) == set(KNOWN)
    assert [name for name, provider in KNOWN.items() if provider.free] == [FREE]


def test_every_word_of_a_pipeline_arrives_where_it_belongs() -> None:
    found = lawful(
        """\
title: Our own
provider: {name: evolink, base_url: https://api.example.org/v2/, concurrency: 5, rate_per_s: 2.5, poll: {floor_s: 0.5, ceiling_s: 9}, replay: {within_s: 600}}
override: {"*": {quality: 720p}, wan2.5-text-to-video: {quality: 480p, model_params: {shot_type: multi}}}
budget: 12.30
steps:
  - generate: {retries: 2}
  - assemble: {output: cut/one.mp4, transition: {dissolve: 0.25}, missing: slate}
"""
    )
    provider, (generate, assemble) = found.provider, found.steps
    assert (found.title, found.budget) == ("Our own", Decimal("12.30"))
    assert (provider.base_url, provider.concurrency, provider.replay_within_s) == ("https://api.example.org/v2", 5, 600)
    assert provider.rate_per_s == 2.5
    assert provider.poll is not None
    assert (provider.poll.floor_s, provider.poll.ceiling_s) == (0.5, 9)
    assert isinstance(generate, Generate)
    assert generate.retries == 2
    assert isinstance(assemble, Assemble)
    assert (assemble.output, assemble.missing) == ("cut/one.mp4", Missing.SLATE)
    assert assemble.transition is not None
    assert assemble.transition.seconds == Decimal("0.25")
    setting = found.overrides["wan2.5-text-to-video"]["quality"]
    assert (setting.value, setting.layer, setting.span.line) == ("480p", Layer.OVERRIDE, 4)
    assert found.overrides["wan2.5-text-to-video"]["model_params"].value == {"shot_type": "multi"}


def test_what_is_not_said_has_its_default() -> None:
    found = lawful("provider: animatic\nsteps: [{generate: {}}, {assemble: {}}]\n")
    generate, assemble = found.steps
    assert isinstance(generate, Generate)
    assert generate.retries == 0
    assert isinstance(assemble, Assemble)
    assert (assemble.output, assemble.transition, assemble.missing) == ("film.mp4", None, Missing.STOP)
    assert (found.budget, found.overrides, found.provider.base_url, found.provider.poll) == (None, {}, None, None)


def test_free_takes_no_address() -> None:
    assert codes(f"provider: {{name: animatic, base_url: 'http://127.0.0.1:9'}}\n{STEPS}") == ["misplaced-key"]


@pytest.mark.parametrize(
    "url", ["https://api.example.org", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:80/v1"]
)
def test_an_address_is_https_or_on_this_machine(url: str) -> None:
    assert lawful(f"provider: {{name: evolink, base_url: '{url}'}}\n{STEPS}").provider.base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.org", "http://127.0.0.1.example.org", "http://localhost.example.org", "http://10.0.0.1", "ftp://127.0.0.1",
        "api.example.org", "https://", "https://user:word@example.org", "https://user@example.org", "https://example.org/?a=b", "https://example.org:port", "http://[::1",
        "http://0.0.0.0", "https://example.org/#top",
    ],
)  # fmt: skip
def test_no_other_address_is_taken(url: str) -> None:
    assert codes(f"provider: {{name: evolink, base_url: '{url}'}}\n{STEPS}") == ["bad-url"]


@pytest.mark.parametrize("name", ["film.mp4", "cut/film.mp4", "a b.mp4"])
def test_an_output_is_a_plain_name(name: str) -> None:
    assemble = lawful(f"provider: animatic\nsteps: [{{generate: {{}}}}, {{assemble: {{output: '{name}'}}}}]\n").steps[1]
    assert isinstance(assemble, Assemble)
    assert assemble.output == name


@pytest.mark.parametrize(
    "name",
    [
        "../film.mp4", "/film.mp4", "a/../../film.mp4", "C:/film.mp4", "C:film.mp4", "a\\film.mp4", "./film.mp4", "a//film.mp4",
        "film.mov", "film", ".mp4", "clips/film.mp4", "Clips/film.mp4", ".hidden/film.mp4", "film.mp4/", " .mp4",
    ],
)  # fmt: skip
def test_an_output_leaves_neither_its_folder_nor_its_kind(name: str) -> None:
    assert codes(f"provider: animatic\nsteps: [{{generate: {{}}}}, {{assemble: {{output: '{name}'}}}}]\n") == [
        "bad-path"
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("budget: -1", "bad-value"),
        ("budget: lots", "bad-type"),
        ("budget: true", "bad-type"),
        ("budget:", "no-value"),
        ("budgets: 1", "unknown-key"),
        ("title: '{{ title }}'", "misplaced-template"),
        ("override: {'*': {seed: 1}}", "own-word"),
        ("override: {'*': {image: keeper}}", "own-word"),
        ("override: {'*': {quality: null}}", "no-value"),
        ("override: {'*': {quality: '{{ quality }}'}}", "misplaced-template"),
        ("override: {'*': 720p}", "bad-type"),
    ],
)
def test_a_faulty_word_is_reported(text: str, code: str) -> None:
    assert codes(f"provider: animatic\n{text}\n{STEPS}") == [code]


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        ("animatics", "bad-value"),
        ("[animatic]", "bad-type"),
        ("{base_url: 'https://example.org'}", "missing-key"),
        ("{name: evolink, concurrency: 0}", "bad-value"),
        ("{name: evolink, concurrency: 2.0}", "bad-type"),
        ("{name: evolink, rate_per_s: 0}", "bad-value"),
        ("{name: evolink, rate_per_s: 1001}", "bad-value"),
        ("{name: evolink, rate_per_s: quick}", "bad-type"),
        ("{name: evolink, poll: {floor_s: 5}}", "missing-key"),
        ("{name: evolink, poll: {floor_s: 5, ceiling_s: 4}}", "bad-value"),
        ("{name: evolink, poll: {floor_s: 0, ceiling_s: 4}}", "bad-value"),
        ("{name: evolink, replay: {within: 600}}", "unknown-key"),
        ("{name: evolink, replay: true}", "bad-type"),
    ],
)
def test_a_faulty_provider_is_reported(provider: str, code: str) -> None:
    assert codes(f"provider: {provider}\n{STEPS}") == [code]


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ("[]", "no-value"),
        ("[generate]", "bad-type"),
        ("[{assemble: {}}, {generate: {}}]", "one-of"),
        ("[{generate: {}}, {generate: {}}]", "one-of"),
        ("[{generate: {}, assemble: {}}]", "one-of"),
        ("[{generate: {retries: 11}}]", "bad-value"),
        ("[{generate: }]", "no-value"),
        ("[{generate: {}}, {assemble: {missing: skip}}]", "bad-value"),
        ("[{generate: {}}, {assemble: {transition: {melt: 1}}}]", "unknown-key"),
        ("[{generate: {}}, {assemble: {transition: {dissolve: '{{ s }}'}}}]", "misplaced-template"),
    ],
)
def test_faulty_steps_are_reported(steps: str, code: str) -> None:
    assert codes(f"provider: animatic\nsteps: {steps}\n") == [code]


def test_all_faults_of_a_pipeline_come_in_one_go_in_file_order() -> None:
    found = faults("pipeline: 1\ntitle: 7\nprovider: animatics\nbudget: -1\nsteps:\n  - generate: {retry: 1}\n")
    assert [(fault.code, place(fault)[0]) for fault in found] == [
        ("bad-type", 2), ("bad-value", 3), ("bad-value", 4), ("unknown-key", 6),
    ]  # fmt: skip
    assert "animatic" in found[1].help
    assert {fault.code for fault in found} <= CODES.keys()


def test_of_another_version_nothing_else_is_judged() -> None:
    assert [fault.code for fault in faults("pipeline: 2\nstages: []\n")] == ["bad-version"]


def test_version_provider_and_steps_must_be_there() -> None:
    assert [fault.headline for fault in faults("title: Empty\n")] == [
        "this pipeline has no `pipeline`", "this pipeline has no `provider`", "this pipeline has no `steps`",
    ]  # fmt: skip
    assert [fault.code for fault in faults("- pipeline: 1\n")] == ["bad-type"]


# ---------------------------------------------------------------- exec


def with_exec(step: str) -> str:
    return f"provider: animatic\nsteps:\n  - generate: {{}}\n  - assemble: {{output: cut/film.mp4}}\n  - exec: {step}\n"


def test_each_word_of_a_command_is_rendered_apart_and_nothing_is_read_as_a_number() -> None:
    step = lawful(
        with_exec('{command: [ffmpeg, -i, "{{ film }}", -t, 010, no, "{{ clips }}/a b", "{{ manifest }}"]}')
    ).steps[-1]
    assert isinstance(step, Exec)
    assert step.command == ("ffmpeg", "-i", "cut/film.mp4", "-t", "010", "no", "clips/a b", "manifest.json")
    assert step.outputs == () and step.timeout_s == 600


def test_there_may_be_several_commands_and_the_film_is_the_one_before_each() -> None:
    text = "provider: animatic\nsteps:\n  - generate: {}\n  - exec: {command: [ls]}\n  - exec: {command: [ls]}\n"
    assert len(lawful(text).steps) == 3
    assert codes(text.replace("[ls]", '["{{ film }}"]')) == ["undefined-variable"] * 2


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("{}", "missing-key"),
        ("{command: ffmpeg}", "bad-type"),
        ("{command: []}", "no-value"),
        ('{command: ["{{ fil }}"]}', "undefined-variable"),
        ('{command: ["{{ film"]}', "template-syntax"),
        ("{command: [{a: b}]}", "bad-type"),
        ("{command: [null]}", "no-value"),
        ('{command: [""]}', "no-value"),
        ("{command: [\"{% include 'a' %}\"]}", "template-include"),
        ('{command: ["a\\0b"]}', "bad-value"),
        ("{command: [ls], outputs: [../x]}", "bad-path"),
        ("{command: [ls], outputs: [/x]}", "bad-path"),
        ("{command: [ls], outputs: [clips/x]}", "bad-path"),
        ("{command: [ls], outputs: [manifest.json]}", "bad-path"),
        ("{command: [ls], outputs: [-x]}", "bad-path"),
        ("{command: [ls], outputs: [x, x]}", "bad-path"),
        ("{command: [ls], outputs: [cut/film.mp4]}", "bad-path"),
        ("{command: [ls], timeout_s: 0}", "bad-value"),
        ("{command: [ls], shell: true}", "unknown-key"),
    ],
)
def test_a_command_that_cannot_be_meant_is_named_at_its_place(step: str, code: str) -> None:
    found = faults(f"pipeline: 1\n{with_exec(step)}")
    assert [fault.code for fault in found] == [code]
    assert place(found[0])[0] == 6


@pytest.mark.parametrize(
    ("command", "help_"),
    [
        ('"ls -la"', "write `[ls, -la]`"),
        ("\"ffmpeg -i 'a: b.mp4' web.webm\"", 'write `[ffmpeg, -i, "a: b.mp4", web.webm]`'),
        ("echo it's", "write each of its words as a member of a list"),
    ],
)
def test_a_command_in_one_text_is_shown_in_its_words(command: str, help_: str) -> None:
    [fault] = faults(f"pipeline: 1\n{with_exec(f'{{command: {command}}}')}")
    assert (fault.code, fault.help) == ("bad-type", help_)


def test_no_shipped_pipeline_runs_a_command() -> None:
    for path in SHIPPED.glob("*.yaml"):
        shipped = pipeline.load(Source(path=path.name, name=path.name, text=path.read_text(encoding="utf-8")))
        assert not [step for step in shipped.steps if isinstance(step, Exec)]


# ---------------------------------------------------------------- report


def test_a_report_is_a_page_and_if_wished_a_picture() -> None:
    text = "provider: animatic\nsteps:\n  - generate: {}\n  - report: "
    plain = lawful(f"{text}{{}}\n").steps[-1]
    assert isinstance(plain, Report) and (plain.output, plain.sheet) == ("index.html", None)
    both = lawful(f"{text}{{output: a/b.html, sheet: c.png}}\n").steps[-1]
    assert isinstance(both, Report) and (both.output, both.sheet) == ("a/b.html", "c.png")
    for step in ("{output: x.mp4}", "{sheet: x.jpg}", "{output: ../x.html}", "{output: .html}"):
        assert codes(f"{text}{step}\n") == ["bad-path"]


# ---------------------------------------------------------------- timeline


def test_a_timeline_is_that_of_the_assembly_before_it() -> None:
    text = "provider: animatic\nsteps:\n  - generate: {}\n  - assemble: {output: a.mp4}\n  - timeline: {}\n"
    steps = lawful(text).steps
    assert isinstance(steps[2], Timeline) and steps[2].of is steps[1] and steps[2].output == "film.otio"
    assert codes(text.replace("  - assemble: {output: a.mp4}\n", "")) == ["one-of"]


@pytest.mark.parametrize("ending", ["otio", "otioz", "xml", "edl"])
def test_a_timelines_name_ends_in_its_format(ending: str) -> None:
    text = "provider: animatic\nsteps:\n  - generate: {}\n  - assemble: {}\n  - timeline: {output: cut/a.otio}\n"
    steps = lawful(text.replace("a.otio", f"a.{ending}")).steps
    assert isinstance(steps[2], Timeline) and steps[2].output == f"cut/a.{ending}"
    for wrong in (f".{ending}", ending, f"a.{ending}.txt", f"a.{ending.upper()}"):
        assert codes(text.replace("a.otio", wrong)) == ["bad-path"]


def test_another_format_of_a_timeline_is_refused_with_those_there_are() -> None:
    text = "provider: animatic\nsteps:\n  - generate: {}\n  - assemble: {}\n  - timeline: {output: film.fcpxml}\n"
    (fault,) = faults(f"pipeline: 1\n{text}")
    assert "ends in `.otio`, `.otioz`, `.xml` or `.edl`" in fault.headline


@pytest.mark.parametrize(
    ("written", "takes", "seedless"),
    [
        ("{}", Takes.ALL, Seedless.KEEP),
        ("{takes: all}", Takes.ALL, Seedless.KEEP),
        ("{takes: picked}", Takes.PICKED, Seedless.KEEP),
        ("{takes: picked, seedless: make}", Takes.PICKED, Seedless.MAKE),
    ],
)
def test_a_pipeline_says_which_takes_it_makes_and_what_it_keeps(written: str, takes: Takes, seedless: Seedless) -> None:
    step = lawful(f"provider: evolink\nsteps: [{{generate: {written}}}]\n").generate
    assert (step.takes, step.seedless) == (takes, seedless)


def test_of_the_shipped_pipelines_the_final_one_makes_picked_takes_and_keeps_what_has_no_seed() -> None:
    made = {}
    for name in ("draft", "clips", "preview", "final"):
        text = (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
        made[name] = pipeline.load(Source(path=f"pipelines/{name}.yaml", name=name, text=text)).generate
    assert [name for name, step in made.items() if step.takes is Takes.PICKED] == ["final"]
    assert made["final"].seedless is Seedless.KEEP
