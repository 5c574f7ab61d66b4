"""Picks: which take is the film's, kept in git, and what it protects."""

import json
from pathlib import Path

import pytest
from machines import TWO, acts, commit, forget, forget_tasks, project, run
from stage import KEY, Stage, paid

FILM = """\
storyboard: 1
defaults: {model: wan2.7-text-to-video, params: {duration: 2}}
shots:
  - {id: sea, prompt: The sea at dawn, takes: 2}
  - {id: hill, prompt: A hill}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path / "project")
    stage.write("film.yaml", FILM)
    return stage


def cut_of(stage: Stage) -> str:
    """The digest of the film."""
    steps = stage.manifest()["steps"]
    return str(steps[0]["sha256"])


def actions(stage: Stage, *words: str) -> dict[str, tuple[str, str]]:
    plan = json.loads(stage.shotrunner("plan", "film.yaml", "--format", "json", *words).out)
    return {a["take"]: (a["action"], a["reason"]) for a in plan["takes"]}


def test_a_picked_take_is_the_films_and_stays_it_whatever_becomes_of_its_prompt(stage: Stage) -> None:
    assert stage.shotrunner("run", "film.yaml").code == 0
    first = cut_of(stage)
    ended = stage.shotrunner("pick", "film.yaml", "sea.2", "--note", "the light")
    assert ended.code == 0, ended
    assert "picked sea.2 (clip" in ended.out and "cuts film.mp4 anew" in ended.out
    written = (stage.folder / "film.picks.yaml").read_text(encoding="utf-8")
    assert "sea: {take: 2, pipeline: draft, clip: " in written and 'note: "the light"' in written
    assert stage.shotrunner("run", "film.yaml").code == 0
    picked = cut_of(stage)
    assert picked != first

    stage.write("film.yaml", FILM.replace("dawn", "dusk"))
    told = actions(stage)
    assert told["sea.2"][0] == "keep" and "picked, prompt differs film.yaml:4" in told["sea.2"][1]
    assert told["sea.1"][0] == "buy"
    assert stage.shotrunner("run", "film.yaml").code == 0
    assert cut_of(stage) == picked
    take = next(t for t in stage.manifest()["takes"] if t["id"] == "sea.2")
    assert take["prompt"] == "The sea at dawn" and take["status"] == "done"
    assert stage.shotrunner("audit", "out/film/draft/manifest.json").code == 0

    freed = stage.shotrunner("retake", "film.yaml", "sea")
    assert "the next run makes sea.2 anew" in freed.out, freed
    assert stage.shotrunner("run", "film.yaml").code == 0
    assert cut_of(stage) not in (first, picked)
    back = stage.shotrunner("history", "film.yaml", "sea", "--format", "json")
    clips = {(c["take"], c["prompt"]): c["clip"] for c in json.loads(back.out)["clips"]}
    assert len(clips) == 4
    old = clips[("sea.2", "The sea at dawn")]
    assert stage.shotrunner("pick", "film.yaml", "sea.2", "--clip", old[:8]).code == 0
    assert stage.shotrunner("run", "film.yaml").code == 0
    assert cut_of(stage) == picked
    assert stage.shotrunner("unpick", "film.yaml", "sea").code == 0
    assert (
        "sea"
        not in (stage.folder / "film.picks.yaml").read_text(encoding="utf-8").replace("# Which", "").splitlines()[-1]
    )


def test_what_was_picked_costs_nothing_more_and_the_other_take_is_told_with_its_price(stage: Stage) -> None:
    with paid(stage.folder.parent / "service") as api:
        words = api.arguments()
        assert stage.shotrunner("run", "film.yaml", *words, EVOLINK_API_KEY=KEY).code == 0
        where = words[words.index("--pipeline") : words.index("--pipeline") + 2]
        service = [*where, "--provider", "evolink", "--base-url", api.base_url]
        assert stage.shotrunner("pick", "film.yaml", "sea.1", "hill", *service).code == 0
        bought = api.bought
        assert stage.shotrunner("pick", "film.yaml", "hill", *where).code == 0  # under a service that has no clip of it
        stage.write("film.yaml", FILM.replace("dawn", "dusk").replace("A hill", "A green hill"))
        told = actions(stage, *service)
        assert [told[take][0] for take in ("sea.1", "sea.2", "hill.1")] == ["keep", "buy", "keep"]
        assert stage.shotrunner("run", "film.yaml", *words, EVOLINK_API_KEY=KEY).code == 0
        assert len(api.invoice) == 4, bought
        freed = stage.shotrunner("retake", "film.yaml", "hill", *service)
        assert "the next run makes hill.1 anew: 10.88 credits" in freed.out, freed


def test_a_clip_that_two_takes_share_is_in_the_history_of_both_and_of_another_service_in_none(stage: Stage) -> None:
    stage.write("film.yaml", FILM + "  - {id: dune, prompt: A hill}\n")
    with paid(stage.folder.parent / "service") as api:
        words = api.arguments()
        assert stage.shotrunner("run", "film.yaml", *words, EVOLINK_API_KEY=KEY).code == 0
        assert api.bought() == 3
        choice = ("--pipeline", "clips", "--provider", "evolink", "--base-url", api.base_url)
        told = stage.shotrunner("history", "film.yaml", "dune", *choice, "--format", "json")
        (clip,) = json.loads(told.out)["clips"]
        assert (clip["take"], clip["shared_with"]) == ("dune.1", "hill.1")
        ended = stage.shotrunner("pick", "film.yaml", "dune", "--clip", clip["clip"][:12], *choice)
        assert ended.code == 0, ended
        ended = stage.shotrunner("pick", "film.yaml", "hill", "--clip", clip["clip"][:12])
        assert ended.code == 2 and "pipeline draft runs at animatic" in ended.err, ended


def test_a_rejected_take_is_picked_no_more_and_says_why(stage: Stage) -> None:
    assert stage.shotrunner("pick", "film.yaml", "sea.2").code == 0
    ended = stage.shotrunner("reject", "film.yaml", "sea.2", "--note", "he blinks")
    assert "rejected sea.2, which was picked" in ended.out
    written = (stage.folder / "film.picks.yaml").read_text(encoding="utf-8")
    assert 'sea.2: {note: "he blinks"}' in written and "take: 2" not in written
    assert stage.shotrunner("pick", "film.yaml", "sea.2").code == 0
    assert "blinks" not in (stage.folder / "film.picks.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pick", "film.yaml", "sea.3"), "did you mean `sea.2`?"),
        (("pick", "film.yaml", "sea"), "its takes: sea.1, sea.2"),
        (("pick", "film.yaml", "hill", "--clip", "abc"), "too short"),
        (("pick", "film.yaml", "hill", "--clip", "abcdef"), "no clip of hill.1 begins with abcdef"),
        (("pick", "film.yaml", "sea.1", "hill", "sea.2"), "sea.1 and sea.2 are takes of `sea`, and one is the film's"),
        (("unpick", "film.yaml", "sea"), "nothing is picked of `sea`"),
        (("retake", "film.yaml", "sea"), "nothing is picked of `sea`"),
        (("pick", "film.yaml", "nope.1"), "help: there is sea.1, sea.2, hill.1"),
        (("unpick", "film.yaml", "sea"), "help: nothing is picked yet"),
        (("history", "film.yaml", "hil"), "did you mean `hill`?"),
        (("history", "film.yaml", "nope"), "help: there is sea, hill"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_writes_nothing(stage: Stage, words: tuple[str, ...], says: str) -> None:
    ended = stage.shotrunner(*words)
    assert ended.code == 2 and says in ended.err, ended
    assert [p.name for p in stage.folder.iterdir()] == ["film.yaml"]


def test_a_picks_file_keeps_its_mark_and_its_line_ends_and_names_what_is_picked(stage: Stage) -> None:
    file = stage.folder / "film.picks.yaml"
    content = b"\xef\xbb\xbfpicks: 1\r\nshots:\r\n  hill: {take: 1}\r\n"
    file.write_bytes(content)
    assert stage.shotrunner("pick", "film.yaml", "sea.2").code == 0
    assert file.read_bytes() == content + b"  sea: {take: 2}\r\n"
    ended = stage.shotrunner("retake", "film.yaml", "nope")
    assert ended.code == 2 and "help: there is hill, sea" in ended.err, ended


def test_a_broken_picks_file_is_named_at_its_line_and_stops_everything(stage: Stage) -> None:
    stage.write(
        "film.picks.yaml",
        "picks: 1\nshots:\n<<<<<<< ours\n  sea: {take: 2}\n=======\n  sea: {take: 1}\n>>>>>>> theirs\n",
    )
    for words in (("validate", "film.yaml"), ("run", "film.yaml"), ("pick", "film.yaml", "sea.1")):
        ended = stage.shotrunner(*words)
        assert ended.code == 2 and "film.picks.yaml:" in ended.out + ended.err, ended
    stage.write("film.picks.yaml", "picks: 1\nshots:\n  see: {take: 2}\n")
    ended = stage.shotrunner("validate", "film.yaml")
    assert ended.code == 0 and "there is no take `see.2`" in ended.out + ended.err, ended


@pytest.mark.parametrize("out", [True, False])
def test_a_picked_clip_of_another_machine_is_found_or_fetched_and_never_bought(tmp_path: Path, out: bool) -> None:
    with paid(tmp_path / "api") as api:
        stage = project(tmp_path / "project")
        assert run(stage, api).code == 0
        choice = ("--pipeline", "clips", "--provider", "evolink", "--base-url", api.base_url)
        ended = stage.shotrunner("pick", "film.yaml", "hill.1", *choice)
        assert ended.code == 0, ended
        stage.write("film.yaml", TWO.replace("green", "red"))
        if out:
            forget_tasks(stage)  # it can only be found
        commit(stage)
        forget(stage, out=not out)
        ended = run(stage, api, budget="0")
        assert ended.code == 0, ended
        assert (stage.statuses(), api.bought()) == ({"hill.1": "done", "sea.1": "done"}, 2)
        assert acts(stage, api) == {"hill.1": "keep", "sea.1": "reuse"}
