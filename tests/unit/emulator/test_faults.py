"""Faults files: every fault of the file with its place, whom a scenario strikes, and an editor's schema that says the same."""

import json
from typing import Any

import pytest
from bodies import I2V, MODELS, WAN25, least
from jsonschema import Draft7Validator

from runner.adapters import catalog
from runner.contract import editor
from runner.core.diagnostics import Rejected, Source
from runner.emulator import faults_schema
from runner.emulator.faults import FAULTS, At, Type
from runner.emulator.faults_file import of_header, read
from runner.emulator.mishaps import Drop, Fail, Mishap, Poll, Reply
from runner.emulator.refusals import Refusal
from runner.emulator.scenarios import Facts, Scenarios, facts, of_create
from runner.emulator.script import Script
from runner.language.document import parse
from runner.language.node import plain

SCHEMA = faults_schema.schema()
CREATES = tuple(at for at in At if at is not At.UPLOAD)


def source(text: str) -> Source:
    return Source(path="faults.yaml", name="faults.yaml", text=text)


def scenarios(text: str) -> Scenarios:
    return read(source(f"faults:\n{text}"))


def refused(text: str) -> list[str]:
    with pytest.raises(Rejected) as caught:
        read(source(text))
    return [f"{one.span and f'{one.span.line}:{one.span.column}'} {one.code}" for one in caught.value.diagnostics]


def struck(found: Scenarios, **said: Any) -> list[Mishap]:
    return list(found.on_create(Facts(**said)))


WRONG = [
    ("faults: [accept-than-drop]", ["1:10 bad-value"]),
    ("faults:\n  - fault: rate-limit\n    retry_after_s: soon\n    times: 2", ["3:20 bad-type", "4:5 unknown-key"]),
    ("faults:\n  - on: {model: a}", ["2:5 missing-key"]),
    ("faults:\n  - fault: stuck\n    on: {nth: 0}", ["3:15 bad-value"]),
    ("faults:\n  - fault: stuck\n    on: {nth: 1, every: 2}", ["3:25 one-of"]),
    ("faults:\n  - fault: stuck\n    on: {probability: 1.5}", ["3:23 bad-value"]),
    ("faults:\n  - fault: stuck\n    on: {nht: 1}", ["3:10 unknown-key"]),
    ("faults:\n  - fault: upload-refused\n    on: {model: a}", ["3:9 misplaced-key"]),
    ("faults:\n  - fault: poll-error\n    status: 418", ["3:13 bad-value"]),
    ("faults:\n  - fault: status-word\n    of: done", ["3:9 bad-value"]),
    ("faults:\n  - fault: failed\n    refunded: perhaps", ["3:15 bad-type"]),
    ("faults:\n  - fault: slow-task\n    seconds: -1", ["3:14 bad-value"]),
    ("seed: 1", ["1:1 missing-key"]),
    ("faults: stuck", ["1:9 bad-type"]),
    ("faults: [stuck]\nseed: -1\nmore: 1", ["3:1 unknown-key"]),
]


@pytest.mark.parametrize(("text", "found"), WRONG)
def test_every_fault_of_a_file_is_told_with_its_place(text: str, found: list[str]) -> None:
    assert refused(text) == found


def test_a_pattern_that_is_none_is_told_and_the_editor_cannot_know() -> None:
    assert refused("faults:\n  - fault: stuck\n    on: {prompt: '('}") == ["3:18 bad-value"]


@pytest.mark.parametrize("text", [text for text, _ in WRONG])
def test_what_the_reader_refuses_the_schema_underlines(text: str) -> None:
    assert not Draft7Validator(SCHEMA).is_valid(plain(parse(source(text))))


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_taken_by_its_name_alone_and_with_all_that_it_knows(name: str) -> None:
    fault = FAULTS[name]
    examples = {Type.TRUTH: True, Type.TEXT: "x", Type.STATUS: 503, Type.COUNT: 2, Type.SECONDS: 2.5, Type.NUMBER: 1.5}
    values = {word: one.words[-1] if one.words else examples[one.type] for word, one in fault.parameters.items()}
    values |= {
        word: int(values[word]) for word, one in fault.parameters.items() if one.words and one.type is Type.STATUS
    }
    whole = {"fault": name, **values, "on": {"nth": 2, "probability": 0.5}}
    for document in ({"faults": [name]}, {"faults": [whole]}):
        assert Draft7Validator(SCHEMA).is_valid(document), document
        (one,) = read(source(json.dumps(document))).scenarios
        assert one.chosen.fault is fault
        one.chosen.mishap()


def test_the_file_is_what_the_table_makes_of_it() -> None:
    Draft7Validator.check_schema(SCHEMA)
    text = (catalog.home() / "schemas" / "faults.schema.json").read_text(encoding="utf-8")
    assert text == editor.text(SCHEMA)


def test_a_scenario_strikes_those_for_whom_all_of_it_holds() -> None:
    found = scenarios("  - {fault: stuck, on: {model: a, prompt: '(?i)^sea', label: x}}")
    fitting = {"model": "a", "prompt": "Sea at dawn", "label": "x"}
    assert len(struck(found, **fitting)) == 1
    for name, other in (("model", "b"), ("prompt", "the sea"), ("label", "y")):
        assert struck(found, **{**fitting, name: other}) == []


@pytest.mark.parametrize(
    ("on", "numbers"),
    [("nth: 2", [2]), ("first: 2", [1, 2]), ("every: 2", [2, 4, 6]), ("probability: 1", [1, 2, 3, 4, 5, 6])],
)
def test_of_those_that_fit_some_are_struck_by_their_number(on: str, numbers: list[int]) -> None:
    found = scenarios(f"  - {{fault: stuck, on: {{model: a, {on}}}}}")
    hit = []
    for number in range(1, 7):
        struck(found, model="b")
        if struck(found, model="a"):
            hit.append(number)
    assert hit == numbers


def test_chance_is_the_seeds_and_keeps_to_its_measure() -> None:
    def hits(seed: int) -> list[bool]:
        found = read(source(f"seed: {seed}\nfaults:\n  - {{fault: stuck, on: {{probability: 0.25}}}}"))
        return [bool(struck(found)) for _ in range(1000)]

    assert hits(7) == hits(7)
    assert hits(7) != hits(8)
    assert 180 < sum(hits(7)) < 320


def test_moderation_of_audio_strikes_only_who_brings_a_sound() -> None:
    found = scenarios("  - moderation-of-audio")
    silent = facts(json.dumps(least(I2V)).encode(), "", MODELS)
    loud = facts(json.dumps(least(I2V, audio_url="https://media.example/a.mp3")).encode(), "", MODELS)
    assert (silent.sound, loud.sound) == (False, True)
    assert list(found.on_create(silent)) == []
    assert isinstance(found.on_create(loud)[0], Fail)


@pytest.mark.parametrize("raw", [b"", b"no json", b"[]", b'{"model": 1, "prompt": []}', b"\xff", b"[" * 100_000])
def test_facts_of_what_is_no_request_are_none(raw: bytes) -> None:
    assert facts(raw, "x", MODELS) == Facts(label="x")
    assert facts(b'{"model": "m", "prompt": "p"}', "", {WAN25.name: WAN25}) == Facts(model="m", prompt="p")


def test_the_mishap_of_a_create_strikes_that_create_alone() -> None:
    own = Script(mishaps=of_create((Reply(create=None, status=503), Fail(task=None, code="x")), 4))
    assert [bool(own.on_create(number, "", 1)) for number in (3, 4, 5)] == [False, True, False]
    assert own.on_task(Fail, 9, "")


def test_an_own_script_goes_before_that_of_all() -> None:
    own, all_of_them = Script(mishaps=(Drop(create=1, accepted=True),)), Script(mishaps=(Reply(create=1, status=503),))
    assert isinstance(own.over(all_of_them).on_create(1, "", 1), Drop)
    assert isinstance(Script().over(all_of_them).on_create(1, "", 1), Reply)


def test_a_header_names_a_fault_or_says_it_in_json_one_or_several() -> None:
    (one,) = of_header("accept-then-drop", CREATES, Facts())
    assert isinstance(one, Drop)
    (poll,) = of_header('{"fault": "poll-error", "status": 500, "times": 2}', CREATES, Facts())
    assert isinstance(poll, Poll)
    assert (poll.status, poll.times) == (500, 2)
    assert len(of_header('["stuck", {"fault": "failed"}]', CREATES, Facts())) == 2
    assert of_header("", CREATES, Facts()) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accept-than-drop", "did you mean `accept-then-drop`?"),
        ('{"fault": "stuck", "seconds": 1}', "has no key `seconds`"),
        ('{"fault": ', "X-Emulate-Fault"),
        ("upload-refused", "strikes nothing here"),
        ('{"fault": "stuck", "on": {"nth": 1}}', "has no key `on`"),
        ("x" * 5000, "too long"),
    ],
)
def test_an_unlawful_header_is_refused_with_its_name(text: str, said: str) -> None:
    with pytest.raises(Refusal) as caught:
        of_header(text, CREATES, Facts())
    assert (caught.value.status, caught.value.param) == (400, "X-Emulate-Fault")
    assert said in caught.value.message or said == caught.value.param
