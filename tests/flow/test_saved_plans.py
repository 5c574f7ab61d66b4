"""Saved plans: carried out once, only as they were shown, and only with the journal they were made from."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from media import picture
from stage import KEY, QUICK, Ended, PaidService, Stage, paid, until

from runner.adapters import catalog, lock, plan_file
from runner.commands import saved
from runner.commands.options import Options
from runner.core.errors import Refused
from runner.emulator.script import Fail, Hold, Mishap, Reply
from runner.screen.diagnostics import refusal

HEAD = """\
storyboard: 1
defaults: {model: wan2.5-text-to-video, params: {quality: 480p, duration: 5}}
shots:
"""
SEA, HILL, TOWN = (f"  - {{id: {name}, prompt: {text}}}\n" for name, text in (
    ("sea", "The sea at dawn"), ("hill", "A green hill"), ("town", "A town by the river")
))  # fmt: skip
NOBODY = "http://127.0.0.1:9"  # where no service answers
AT_NOBODY = ("--provider", "evolink", "--base-url", NOBODY, "--pipeline", "clips")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    stage.write("film.yaml", HEAD + SEA + HILL + TOWN)
    return stage


Shotrunner = Callable[..., Ended]


@pytest.fixture
def shotrunner(stage: Stage) -> Shotrunner:
    """A command in the stage's folder, or in `folder`; keywords are set in its environment."""

    def command(*words: str | Path, folder: Path = stage.folder, **environment: str) -> Ended:
        return Stage(folder).shotrunner(*words, **environment)

    return command


@contextmanager
def service(stage: Stage, *mishaps: Mishap, **options: Any) -> Iterator[PaidService]:
    with paid(stage.folder.parent / "service", *mishaps, **options) as found:
        yield found


def planned(shotrunner: Shotrunner, url: str = NOBODY, *more: str, file: str = "p.json") -> Ended:
    words = ("--provider", "evolink", "--base-url", url, "--pipeline", "clips")
    ended = shotrunner("plan", "film.yaml", *words, *more, "-o", file, EVOLINK_API_KEY=KEY)
    assert ended.code == 0, ended
    return ended


def carried(shotrunner: Shotrunner, url: str = NOBODY, *more: str, file: str = "p.json", key: str = KEY) -> Ended:
    words = ("--base-url", url, "--budget", "500", *QUICK)
    return shotrunner("run", "--plan", file, *words, *more, EVOLINK_API_KEY=key)


def read(stage: Stage, file: str = "p.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stage.folder / file).read_text(encoding="utf-8"))
    return found


def refused(ended: Ended, *words: str) -> None:
    assert ended.code == 2, ended
    for word in words:
        assert word in ended.err, ended


# ---------------------------------------------------------------- once


def test_a_plan_made_on_nothing_is_carried_out_once(stage: Stage, shotrunner: Shotrunner) -> None:
    with service(stage) as api:
        planned(shotrunner, api.base_url)
        shutil.copy(stage.folder / "p.json", stage.folder / "copy.json")
        assert carried(shotrunner, api.base_url).code == 0
        assert api.bought() == 3
        for file in ("p.json", "copy.json"):
            refused(
                carried(shotrunner, api.base_url, file=file),
                "was finished at 20",
                "it bought 3 clips",
                "plan film.yaml --pipeline clips --provider evolink",
            )
        assert api.bought() == 3


def test_of_two_plans_of_the_same_takes_the_second_is_stale_after_the_first(
    stage: Stage, shotrunner: Shotrunner
) -> None:
    with service(stage) as api:
        planned(shotrunner, api.base_url, "--shots", "sea", file="a.json")
        planned(shotrunner, api.base_url, file="b.json")
        planned(shotrunner, api.base_url, "--shots", "hill", file="c.json")
        assert carried(shotrunner, api.base_url, file="a.json").code == 0
        told = carried(shotrunner, api.base_url, file="b.json")
        refused(
            told,
            "is stale: 1 thing changed",
            "take sea.1: buy for 12.75 credit -> reuse",
            "plan film.yaml --pipeline clips --provider evolink",
            "-o b.json",
        )
        assert carried(shotrunner, api.base_url, file="c.json").code == 0, "other takes are none of its business"
        assert api.bought() == 2


def test_a_plan_that_buys_nothing_is_finished_too(stage: Stage, shotrunner: Shotrunner) -> None:
    stage.write("film.yaml", HEAD + SEA.replace("}", ", skip: true}"))
    planned(shotrunner)
    assert carried(shotrunner).code == 0
    refused(carried(shotrunner), "was finished at 20", "there was nothing to buy")


def test_a_take_that_fails_ends_its_plan_and_is_retried_without_it(stage: Stage, shotrunner: Shotrunner) -> None:
    stage.write("film.yaml", HEAD + SEA)
    with service(stage, Fail(task=1, code="content_policy_violation", message="no")) as api:
        planned(shotrunner, api.base_url)
        ended = carried(shotrunner, api.base_url)
        assert ended.code == 1, ended
        assert "shotrunner run film.yaml --pipeline clips --provider evolink" in ended.out
        assert "--retry sea.1" in ended.out
        refused(carried(shotrunner, api.base_url), "was finished at")
        planned(shotrunner, api.base_url, "--retry", "sea")
        assert carried(shotrunner, api.base_url).code == 0
        refused(carried(shotrunner, api.base_url), "was finished at")
        assert api.bought() == 2


# ---------------------------------------------------------------- cut short


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_or_stopped_is_resumed_by_the_same_command_and_buys_what_is_left(
    stage: Stage, shotrunner: Shotrunner, number: signal.Signals
) -> None:
    with service(stage, Hold(task=2, seconds=900)) as api:
        planned(shotrunner, api.base_url)
        words = ("run", "--plan", "p.json", "--base-url", api.base_url, "--budget", "500", *QUICK, "-j", "1")
        process = stage.start(*words, EVOLINK_API_KEY=KEY)
        try:
            until(lambda: api.bought() == 2 and ("hill.1", "receipt") in stage.events())
            process.send_signal(number)
            process.communicate(timeout=60)
        finally:
            process.kill()
        api.advance(900)
        ended = carried(shotrunner, api.base_url, "--wait", "20")  # for a probe that was just being spawned
        assert ended.code == 0, ended
        assert [take for take, event in stage.events() if event == "send"] == ["sea.1", "hill.1", "town.1"]
        refused(carried(shotrunner, api.base_url), "it bought 3 clips")
        assert api.bought() == 3


def test_of_two_runs_of_one_plan_at_the_same_time_the_second_finds_it_finished(stage: Stage) -> None:
    with service(stage) as api:
        planned(stage.shotrunner, api.base_url)
        words = ("run", "--plan", "p.json", "--base-url", api.base_url, "--budget", "500", *QUICK, "--wait", "60")
        both = [stage.start(*words, EVOLINK_API_KEY=KEY) for _ in range(2)]
        said = [process.communicate(timeout=90) for process in both]
        assert sorted(process.wait() for process in both) == [0, 2], said
        assert any("was finished at" in err for _, err in said), said
        assert api.bought() == 3


@pytest.mark.parametrize(("decision", "bought"), [("--not-taken", 4), ("--buy-again", 3)])
def test_what_nobody_knows_is_bought_by_the_plan_only_if_it_was_not_taken(
    stage: Stage, shotrunner: Shotrunner, decision: str, bought: int
) -> None:
    with service(stage, Reply(create=1, status=500, accepted=True)) as api:
        planned(shotrunner, api.base_url)
        first = carried(shotrunner, api.base_url)
        assert first.code == 4 and "p.json is not finished" in first.err, first
        (take,) = [take for take, event in stage.events() if event == "unanswered"]
        settled = shotrunner("reconcile", decision, take, "--base-url", api.base_url, EVOLINK_API_KEY=KEY)
        assert settled.code == 0, settled
        carried(shotrunner, api.base_url)
        assert api.bought() == bought
        refused(carried(shotrunner, api.base_url), "was finished at")


@pytest.mark.parametrize(
    ("mishaps", "more", "code"),
    [
        ((), ("--stop-after", "0"), 5),
        ((Reply(create=2, status=402),), ("-j", "1"), 1),
        ((Reply(create=1, status=402),), (), 1),
        ((Hold(task=2, seconds=1),), ("--deadline", "0.2", "-j", "1"), 5),
    ],
    ids=["stop-after", "402 in the middle", "402 at once", "deadline"],
)
def test_a_run_that_is_cut_short_is_resumed(
    stage: Stage, shotrunner: Shotrunner, mishaps: tuple[Mishap, ...], more: tuple[str, ...], code: int
) -> None:
    with service(stage, *mishaps) as api:
        planned(shotrunner, api.base_url)
        first = carried(shotrunner, api.base_url, *more)
        assert first.code == code, first
        assert "p.json is not finished" in first.err
        assert "to go on: shotrunner run --plan p.json" in first.out, first
        api.advance(10)
        ended = carried(shotrunner, api.base_url)
        assert ended.code == 0, ended
        assert "p.json is finished" in ended.err
        assert api.bought() == 3


def test_an_account_that_was_empty_when_the_last_take_was_sent_leaves_the_plan_open(
    stage: Stage, shotrunner: Shotrunner
) -> None:
    stage.write("film.yaml", HEAD + SEA)
    with service(stage, Reply(create=1, status=402)) as api:
        planned(shotrunner, api.base_url)
        assert carried(shotrunner, api.base_url).code == 1
        assert carried(shotrunner, api.base_url).code == 0
        assert api.bought() == 1


def test_resumed_it_buys_no_second_retry(stage: Stage, shotrunner: Shotrunner) -> None:
    fails = (Fail(task=n, code="content_policy_violation", message="no") for n in (1, 2))
    with service(stage, *fails, Reply(create=3, status=402)) as api:
        run = ("run", "film.yaml", *api.arguments(), "--shots", "sea")
        assert shotrunner(*run, EVOLINK_API_KEY=KEY).code == 1
        planned(shotrunner, api.base_url, "--retry", "sea", "--shots", "sea", "--shots", "hill")
        assert carried(shotrunner, api.base_url, "-j", "1").code == 1
        assert api.bought() == 2, "the retry failed too, and 402 kept back the other"
        assert carried(shotrunner, api.base_url, "-j", "1").code == 1
        assert [take for take, event in stage.events() if event == "send"] == ["sea.1", "sea.1", "hill.1", "hill.1"]
        assert api.bought() == 3
        refused(carried(shotrunner, api.base_url), "was finished")


def test_what_others_bought_of_it_meanwhile_makes_it_stale(stage: Stage, shotrunner: Shotrunner) -> None:
    with service(stage) as api:
        planned(shotrunner, api.base_url)
        assert carried(shotrunner, api.base_url, "--stop-after", "0").code == 5
        run = ("run", "film.yaml", *api.arguments(), "--shots", "sea")
        assert shotrunner(*run, EVOLINK_API_KEY=KEY).code == 0
        refused(carried(shotrunner, api.base_url), "stale", "take sea.1: never bought -> done")
        assert api.bought() == 1


# ---------------------------------------------------------------- stale

OWN = "schemas/models/own.schema.json"


def everything(stage: Stage) -> None:
    """A storyboard that reads a file of every kind, and buys from a model of the project's own."""
    model = json.loads((catalog.home() / catalog.MODELS / "wan2.6-image-to-video-flash.schema.json").read_text())
    model["properties"]["model"]["const"] = "own"
    stage.write(OWN, json.dumps(model))
    picture(stage.folder / "face.png", (400, 400))
    stage.write("cast.yaml", "vars: {keeper: an old keeper}\n")
    stage.write("look.txt", "soft grain")
    stage.write("rows.csv", "id,name\na,Anna\n")
    stage.write("pipelines/ours.yaml", "pipeline: 1\nprovider: evolink\nsteps: [generate: {retries: 0}]\n")
    stage.write(
        "film.yaml",
        """\
storyboard: 1
include: [cast.yaml]
shots:
  - id: sea
    model: own
    image: face.png
    for_each: rows.csv
    prompt: "{{ keeper }} and {{ row.name }}, {% include 'look.txt' %}"
    params: {duration: 2}
""",
    )


EDITS: dict[str, tuple[Callable[[Stage], object], tuple[str, ...]]] = {
    "storyboard": (
        lambda s: s.write("film.yaml", (s.folder / "film.yaml").read_text().replace("duration: 2", "duration: 5")),
        ("film.yaml has changed: sha256", "take sea@a.1: duration 2 -> 5"),
    ),
    "comment": (
        lambda s: s.write("film.yaml", (s.folder / "film.yaml").read_text() + "# seen\n"),
        ("1 thing changed", "film.yaml has changed"),
    ),
    "include": (
        lambda s: s.write("cast.yaml", "vars: {keeper: a young keeper}\n"),
        ("cast.yaml has changed", "take sea@a.1: prompt an old keeper and Anna, soft grain -> a young keeper and Anna"),
    ),
    "fragment": (lambda s: s.write("look.txt", "hard light"), ("look.txt has changed", "soft grain -> ")),
    "table": (
        lambda s: s.write("rows.csv", "id,name\na,Anna\nb,Bert\n"),
        ("rows.csv has changed", "take sea@b.1 was not in the plan: now buy for"),
    ),
    "media": (
        lambda s: picture(s.folder / "face.png", (400, 400), "L"),
        ("face.png has changed: sha256", "take sea@a.1: image_urls"),
    ),
    "pipeline": (
        lambda s: s.write("pipelines/ours.yaml", "pipeline: 1\nprovider: evolink\nsteps: [generate: {retries: 1}]\n"),
        ("1 thing changed", "pipeline ours has changed"),
    ),
    "price": (
        lambda s: s.write(OWN, (s.folder / OWN).read_text().replace('"minimum": "6"', '"minimum": "9"')),
        ("model own has changed", "take sea@a.1: buy for 6.00 credit -> buy for 9.00 credit"),
    ),
    "gone": (lambda s: s.write("film.yaml", HEAD + SEA), ("sea@a.1 is not there any more: was buy",)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_anything_it_was_made_from_makes_it_stale(stage: Stage, shotrunner: Shotrunner, edit: str) -> None:
    everything(stage)
    ended = shotrunner("plan", "film.yaml", "--pipeline", "ours", "--base-url", NOBODY, "-o", "p.json")
    assert ended.code == 0, ended
    again = ("run", "--plan", "p.json", "--base-url", NOBODY, "--budget", "0.01")
    change, words = EDITS[edit]
    change(stage)
    refused(shotrunner(*again, EVOLINK_API_KEY=KEY), "the plan p.json of 20", "is stale", *words, "nothing was bought")


@pytest.mark.parametrize(
    ("made", "carried_out", "words"),
    [
        (("--base-url", NOBODY), ("--budget", "9"), "service: evolink@127.0.0.1:9 -> evolink"),
        (("--base-url", NOBODY, "--out", "there"), ("--base-url", NOBODY), "out folder: there -> out/film/clips"),
        (("--base-url", NOBODY), ("--base-url", "http://127.0.0.1:8"), "service at: http://127.0.0.1:9 -> http://127.0.0.1:8"),
    ],
)  # fmt: skip
def test_another_place_makes_it_stale(
    stage: Stage, shotrunner: Shotrunner, made: tuple[str, ...], carried_out: tuple[str, ...], words: str
) -> None:
    words_of_plan = ("--pipeline", "clips", "--provider", "evolink", *made, "-o", "p.json")
    assert shotrunner("plan", "film.yaml", *words_of_plan).code == 0
    refused(shotrunner("run", "--plan", "p.json", *carried_out, EVOLINK_API_KEY=KEY), "stale", words)


def test_another_account_makes_it_stale(stage: Stage, shotrunner: Shotrunner) -> None:
    planned(shotrunner)
    refused(carried(shotrunner, key="sk-evo-another-0123456789"), "stale: 1 thing", "account: ")


def test_another_journal_does_not_know_it(stage: Stage, shotrunner: Shotrunner) -> None:
    planned(shotrunner)
    for words in (("--state", "elsewhere"),):
        told = carried(shotrunner, NOBODY, *words)
        refused(told, "p.json was saved for another journal than", "--state it was made with")
        assert not (stage.folder / "elsewhere").exists()
    stage.write("other/film.yaml", HEAD + SEA)
    shutil.copy(stage.folder / "p.json", stage.folder / "other")
    (stage.folder / "other/.git").mkdir()
    told = shotrunner("run", "--plan", "p.json", "--budget", "500", folder=stage.folder / "other", EVOLINK_API_KEY=KEY)
    refused(told, "another journal")


# ---------------------------------------------------------------- told beside it


@pytest.mark.parametrize(
    "words",
    [("--pipeline", "final"), ("--provider", "evolink"), ("--shots", "sea"), ("--retry", "sea"), ("--var", "a=b"), ("--allow-unpriced",), ("--buy-missing",)],
    ids=lambda words: words[0],
)  # fmt: skip
def test_what_is_bought_is_told_by_the_plan_alone(stage: Stage, shotrunner: Shotrunner, words: tuple[str, ...]) -> None:
    planned(shotrunner)
    refused(carried(shotrunner, NOBODY, *words), f"{words[0]} beside --plan: what is bought stands in the plan")


def test_its_options_are_those_it_was_made_with(stage: Stage, shotrunner: Shotrunner) -> None:
    stage.write("shots/film.yaml", HEAD + SEA.replace("The sea at dawn", '"The {{ what }} at dawn"') + HILL)
    stage.write("shots/ours.yaml", "pipeline: 1\nprovider: animatic\nsteps: [generate: {}]\n")
    (stage.folder / ".git").mkdir()
    words = ("--pipeline", "ours.yaml", "--shots", "sea", "--var", "what=lake", "-o", "../p.json")
    assert shotrunner("plan", "film.yaml", *words, folder=stage.folder / "shots").code == 0
    assert read(stage)["saved"]["asked"]["pipeline"] == "./shots/ours.yaml"
    ended = shotrunner("run", "--plan", "p.json")
    assert ended.code == 0, ended
    takes = {take["id"]: take for take in stage.manifest("shots/film", "ours")["takes"]}
    assert (takes["sea.1"]["status"], takes["sea.1"]["prompt"]) == ("done", "The lake at dawn")
    assert takes["hill.1"]["status"] == "skipped"


def test_its_storyboard_may_be_named_and_must_be_its_own(stage: Stage, shotrunner: Shotrunner) -> None:
    planned(shotrunner)
    stage.write("other.yaml", HEAD + SEA)
    words = ("--plan", "p.json", "--base-url", NOBODY, "--budget", "1")
    refused(shotrunner("run", "other.yaml", *words), "p.json is a plan of film.yaml, not of other.yaml")
    elsewhere = stage.folder.parent / "elsewhere"
    elsewhere.mkdir()
    plan = ("--plan", stage.folder / "p.json", "--base-url", NOBODY, "--budget", "1")
    refused(shotrunner("run", *plan, folder=elsewhere), "film.yaml, is not here", "run STORYBOARD --plan")
    told = shotrunner("run", stage.folder / "film.yaml", *plan, folder=elsewhere, EVOLINK_API_KEY=KEY)
    refused(told, "but --budget leaves 1 credit")
    refused(shotrunner("run"), "name a storyboard, or a saved plan by --plan")


def test_a_plan_is_no_budget_and_a_run_that_is_refused_has_not_begun_it(stage: Stage, shotrunner: Shotrunner) -> None:
    with service(stage) as api:
        planned(shotrunner, api.base_url, "--budget", "500")
        words = ("run", "--plan", "p.json", "--base-url", api.base_url, *QUICK)
        refused(shotrunner(*words, EVOLINK_API_KEY=KEY), "no budget is given", "add --budget 38.25")
        refused(shotrunner(*words, "--budget", "38", EVOLINK_API_KEY=KEY), "--budget leaves 38 credits")
        assert shotrunner(*words, EVOLINK_API_KEY=KEY, SHOTRUNNER_BUDGET="38.25", CI="true").code == 0
        assert api.bought() == 3


# ---------------------------------------------------------------- the file


def test_it_is_the_view_of_the_plan_with_what_it_is_bound_to(stage: Stage, shotrunner: Shotrunner) -> None:
    everything(stage)
    words = ("plan", "film.yaml", "--pipeline", "ours", "--format", "json")
    view = json.loads(shotrunner(*words, EVOLINK_API_KEY=KEY).out)
    assert not (stage.folder / ".shotrunner").exists()
    shown = json.loads(shotrunner(*words, "-o", "p.json", EVOLINK_API_KEY=KEY).out)
    saved = read(stage)
    schema = catalog.schema("plan")
    for document in (view, saved):
        jsonschema.validate(document, schema)
    assert {name: value for name, value in saved.items() if name != "saved"} == shown
    assert {**shown, "heading": {**shown["heading"], "journal": False}} == view
    bound = saved["saved"]["bound"]
    assert list(bound["files"]) == ["film.yaml", "cast.yaml", "rows.csv", "look.txt"]
    assert (list(bound["media"]), list(bound["models"]), list(bound["pipeline"])) == (["face.png"], ["own"], ["ours"])
    assert KEY not in json.dumps(saved) and bound["run"]["account"]


def test_saving_says_by_its_exit_code_what_planning_says(stage: Stage, shotrunner: Shotrunner) -> None:
    assert shotrunner("plan", "film.yaml", *AT_NOBODY, "-o", "p.json", "--detailed-exitcode").code == 5
    stage.write("film.yaml", HEAD + SEA.replace("}", ", skip: true}"))
    assert shotrunner("plan", "film.yaml", *AT_NOBODY, "-o", "p.json", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("name", ["film.yaml", "view.json", "folder", "link"])
def test_saving_overwrites_nothing_but_a_plan(stage: Stage, shotrunner: Shotrunner, name: str) -> None:
    stage.write("view.json", json.dumps({"schema": "shotrunner.plan.v1"}))
    (stage.folder / "folder").mkdir()
    (stage.folder / "link").symlink_to("film.yaml")
    before = (stage.folder / "film.yaml").read_bytes()
    refused(shotrunner("plan", "film.yaml", *AT_NOBODY, "-o", name), f"{name} is there already and is no saved plan")
    assert (stage.folder / "film.yaml").read_bytes() == before
    assert not (stage.folder / ".shotrunner").exists()


def test_saving_waits_for_the_run_that_holds_the_lock(stage: Stage, shotrunner: Shotrunner) -> None:
    planned(shotrunner)
    with lock.held(stage.folder / ".shotrunner", wait_s=0):
        refused(shotrunner("plan", "film.yaml", *AT_NOBODY, "-o", "p.json"), "another run holds", "--wait SECONDS")
        assert shotrunner("plan", "film.yaml", *AT_NOBODY).code == 0, "a plan that is not saved takes no lock"


def _deep(stage: Stage, path: Path) -> None:
    path.write_text('{"schema": "shotrunner.plan.v1", "saved": ' + "[" * 200_000 + "]" * 200_000 + "}")


def _huge(stage: Stage, path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(plan_file.LARGEST_BYTES + 1)


def _changed(**saved: object) -> Callable[[Stage, Path], object]:
    def write(stage: Stage, path: Path) -> None:
        document = read(stage, "made.json")
        document["saved"].update(saved)
        path.write_text(json.dumps(document))

    return write


def _edited(place: str, value: object) -> Callable[[Stage, Path], object]:
    def write(stage: Stage, path: Path) -> None:
        document = read(stage, "made.json")
        *way, last = (int(step) if step.isdigit() else step for step in place.split("/"))
        inner = document
        for step in way:
            inner = inner[step]
        inner[last] = value
        path.write_text(json.dumps(document))

    return write


def _text(text: str) -> Callable[[Stage, Path], object]:
    return lambda _, path: path.write_text(text)


HOSTILE: dict[str, tuple[Callable[[Stage, Path], object], str]] = {
    "absent": (lambda *_: None, "does not exist"),
    "folder": (lambda _, path: path.mkdir(), "is not a regular file"),
    "link": (lambda _, path: path.symlink_to("made.json"), "is a symbolic link"),
    "pipe": (lambda _, path: os.mkfifo(path), "is not a regular file"),
    "huge": (_huge, "is larger than 256 MiB"),
    "deep": (_deep, "the plan "),
    "empty": (_text(""), "is no JSON"),
    "bytes": (lambda _, path: path.write_bytes(b"\xff\xfe\x00"), "is no JSON"),
    "long number": (_text('{"schema": ' + "9" * 5000 + "}"), "is no JSON"),
    "not a number": (_text('{"schema": NaN}'), "NaN is no JSON"),
    "list": (_text("[]"), "is no plan"),
    "another schema": (_text('{"schema": "shotrunner.manifest.v1"}'), "is no plan"),
    "view": (_text('{"schema": "shotrunner.plan.v1"}'), "the view of a plan, not a saved one"),
    "no id": (_changed(id=None), "`saved.id` is missing"),
    "id of another type": (_changed(id={"a": 1}), "`saved.id` is missing"),
    "another id": (_changed(id="0" * 32), "was saved for another journal"),
    "storyboard outside": (_changed(storyboard="../../etc/passwd"), "is no path from the project's root"),
    "storyboard absolute": (_changed(storyboard="/etc/passwd"), "is no path from the project's root"),
    "storyboard of another type": (_changed(storyboard=[1]), "is no path from the project's root"),
    "storyboard that is not here": (_changed(storyboard="none.yaml"), "none.yaml, is not here"),
    "price": (_edited("takes/0/price", "0.01"), "takes.0.price: 12.75 -> 0.01"),
    "key": (_edited("takes/0/key", "f" * 64), "takes.0.key: "),
    "host": (_edited("saved/bound/service/base_url", "https://example.org"), "base_url: http://127.0.0.1:9 -> https://example.org"),
    "option": (_edited("saved/asked/shots", ["*"]), "saved.asked.shots: 0 elements -> 1 elements"),
    "words of another type": (_edited("takes", {"a": "\x1b[31m\n::error::"}), "takes: 3 elements -> 1 entries"),
    "control characters": (_edited("heading/title", "\x1b[31m\n::error::"), "heading.title: "),
    "more": (_edited("saved/more", 1), "saved.more: nothing -> 1"),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A folder with a saved plan, `made.json`."""
    stage = Stage(tmp_path_factory.mktemp("made"))
    stage.write("film.yaml", HEAD + SEA + HILL + TOWN)
    planned(stage.shotrunner, file="made.json")
    return stage


@pytest.mark.parametrize("file", HOSTILE)
def test_a_file_that_is_not_what_was_saved_is_refused_and_nothing_in_it_is_done(
    made: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    write, words = HOSTILE[file]
    monkeypatch.chdir(made.folder)
    name = f"{file}.json"
    write(made, made.folder / name)
    with pytest.raises(Refused) as caught:
        saved.opened(Path(name), None, Options(base_url=NOBODY))
    told = refusal(caught.value, colour=False)
    assert words in told and name in told
    assert "\x1b" not in told and "\n::" not in told


def test_a_saved_plan_that_is_whole_is_opened(made: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.folder)
    storyboard, options, found = saved.opened(Path("made.json"), None, Options(base_url=NOBODY))
    assert (storyboard, options.pipeline, options.provider) == (Path("film.yaml"), "clips", "evolink")
    assert found.known.id == read(made, "made.json")["saved"]["id"]


def test_a_file_that_is_only_laid_out_anew_is_the_same_plan(stage: Stage, shotrunner: Shotrunner) -> None:
    planned(shotrunner)
    stage.write("p.json", json.dumps(read(stage), sort_keys=True))
    refused(carried(shotrunner, NOBODY, "--budget", "1"), "but --budget leaves 1 credit")


def test_one_job_plans_and_another_carries_it_out_on_the_same_state(tmp_path: Path, stage: Stage) -> None:
    with service(stage) as api:
        jobs = [Stage(tmp_path / name) for name in ("job-1", "job-2")]
        for job in jobs:
            shutil.copytree(stage.folder, job.folder)
            (job.folder / ".git").mkdir()
        state = tmp_path / "state"
        at = ("--base-url", api.base_url, "--state", state)
        plan = ("plan", "film.yaml", "--pipeline", "clips", "--provider", "evolink", "-o", tmp_path / "p.json")
        ended = jobs[0].shotrunner(*plan, *at, "--detailed-exitcode", CI="true")
        assert ended.code == 5, ended
        run = ("run", "--plan", tmp_path / "p.json", *at, *QUICK)
        ended = jobs[1].shotrunner(*run, CI="true", EVOLINK_API_KEY=KEY, SHOTRUNNER_BUDGET="40")
        assert ended.code == 0, ended
        assert (jobs[1].folder / "out/film/clips/clips/sea.1.mp4").is_file()
        ended = jobs[0].shotrunner(*run, CI="true", EVOLINK_API_KEY=KEY, SHOTRUNNER_BUDGET="40")
        refused(ended, "was finished at")
        assert api.bought() == 3
