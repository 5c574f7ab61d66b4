"""`diff` over real git repositories: what changed between two states of a storyboard and what that costs."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import media
import pytest
from repository import Repository, repository
from stage import Ended, Stage

from runner.adapters import catalog

FILM = """\
storyboard: 1
pipeline: final
include: [cast.yaml]
defaults:
  model: wan2.5-text-to-video
  params: {duration: 5}
shots:
  - id: sea
    prompt: "{{ keeper }} by the sea"
  - id: hill
    prompt: A green hill
  - id: product
    for_each: products.csv
    prompt: "{{ row.name }} on a pedestal"
"""
CAST = "vars: {keeper: An old keeper}\n"
PRODUCTS = "id,name\nmug,Mug\nlamp,Lamp\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    made = repository(tmp_path / "project")
    for name, content in (("film.yaml", FILM), ("cast.yaml", CAST), ("products.csv", PRODUCTS)):
        made.write(name, content)
    made.commit()
    return made


def diff(repo: Repository, *words: str | Path, folder: str = "", **environment: str) -> Ended:
    return Stage(repo.folder / folder).shotrunner("diff", *words, **environment)


def found(repo: Repository, *words: str) -> dict[str, Any]:
    ended = diff(repo, *words, "--format", "json")
    assert ended.code == 0, ended
    made: dict[str, Any] = json.loads(ended.out)
    return made


def kinds(repo: Repository, *words: str) -> list[tuple[str, str]]:
    return [(one["kind"], one["take"]) for one in found(repo, *words)["takes"]]


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (p.lstat().st_mtime_ns, p.lstat().st_size) for p in sorted(folder.rglob("*"))}


def test_what_was_edited_since_a_revision_is_told_with_its_price(repo: Repository) -> None:
    repo.write("cast.yaml", "# the same man\nvars: {keeper: A young keeper}\n")
    repo.write("products.csv", PRODUCTS.replace("lamp,Lamp", "vase,Vase"))
    repo.write("film.yaml", FILM.replace("id: hill", "id: knoll"))
    made = found(repo, "main", "film.yaml")
    assert [(one["kind"], one["take"], one["price"], one["was"]) for one in made["takes"]] == [
        ("changed", "sea.1", "42.59", "42.59"),
        ("renamed", "knoll.1", "0", "42.59"),
        ("added", "product@vase.1", "42.59", "0"),
        ("dropped", "product@lamp.1", "0", "42.59"),
    ]
    (field,) = made["takes"][0]["fields"]
    assert (field["name"], field["old"], field["new"]) == (
        "prompt",
        "An old keeper by the sea",
        "A young keeper by the sea",
    )
    assert field["place"] == {"path": "film.yaml", "line": 9, "column": 13}
    assert made["to_buy"] == {"requests": 2, "price": "85.18", "unpriced": 0}
    assert (made["old"]["commit"], made["new"]["commit"]) == (repo.git("rev-parse", "HEAD"), None)


def test_two_revisions_and_two_files_are_compared_the_same_way(repo: Repository) -> None:
    repo.write("film.yaml", FILM.replace("A green hill", "A brown hill"))
    repo.git("tag", "v1")
    repo.commit()
    assert kinds(repo, "v1:film.yaml", "HEAD:film.yaml") == [("changed", "hill.1")]
    assert kinds(repo, "HEAD", "v1:film.yaml") == [("changed", "hill.1")]
    repo.write("other.yaml", FILM)
    assert kinds(repo, "other.yaml", "film.yaml") == [("changed", "hill.1")]
    assert kinds(repo, "v1:film.yaml", "other.yaml") == []


def test_paths_of_a_revision_are_gits(repo: Repository) -> None:
    for name in ("film.yaml", "cast.yaml", "products.csv"):
        repo.write(f"shots/{name}", (repo.folder / name).read_bytes())
    repo.commit()
    assert diff(repo, "HEAD:film.yaml", "HEAD:shots/film.yaml", folder="shots").code == 0
    ended = diff(repo, "HEAD:./film.yaml", "film.yaml", folder="shots")
    assert ended.code == 0 and "diff of HEAD:shots/film.yaml and film.yaml" in ended.out, ended
    assert "diff of HEAD:film.yaml" in diff(repo, "HEAD:../film.yaml", "film.yaml", folder="shots").out
    ended = diff(repo, "HEAD:../../film.yaml", "film.yaml", folder="shots")
    assert ended.code == 2 and "leads out of the project" in ended.err, ended


def test_a_storyboard_that_is_new_or_gone_is_all_added_or_dropped(repo: Repository) -> None:
    repo.git("mv", "film.yaml", "old.yaml")
    repo.commit()
    made = found(repo, "HEAD~1", "old.yaml")
    assert made["old"]["there"] is False and {one["kind"] for one in made["takes"]} == {"added"}
    assert {kind for kind, _ in kinds(repo, "HEAD~1:film.yaml", "HEAD:film.yaml")} == {"dropped"}
    assert "note: HEAD~1:old.yaml does not exist" in diff(repo, "HEAD~1", "old.yaml").out
    ended = diff(repo, "HEAD~1:none.yaml", "HEAD:none.yaml")
    assert ended.code == 2 and "there is no none.yaml" in ended.err, ended


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nope", "film.yaml"), "`nope` is no storyboard file and no git revision"),
        (("main", "main"), "`main` is no storyboard file"),
        (("main:fil.yaml", "film.yaml"), "did you mean main:film.yaml?"),
        (("film.yml", "main"), "did you mean film.yaml?"),
        (("nope:film.yaml", "film.yaml"), "git does not know the revision `nope`"),
        ((":film.yaml", "film.yaml"), "write HEAD:film.yaml"),
        (("--", "--output=x:film.yaml", "film.yaml"), "git does not know the revision `--output=x`"),
        (("main:/etc/passwd", "film.yaml"), "leads out of the project"),
        (("main:media", "film.yaml"), "does not exist"),
    ],
)
def test_what_is_no_side_is_refused_with_what_to_type(repo: Repository, words: tuple[str, ...], told: str) -> None:
    ended = diff(repo, *words)
    assert ended.code == 2 and told in ended.err, ended
    assert not (repo.folder / "x").exists()


def test_a_word_that_is_a_file_and_a_revision_is_neither_guessed(repo: Repository) -> None:
    repo.write("main", FILM)
    ended = diff(repo, "main", "film.yaml")
    assert ended.code == 2 and "`main` is a file and a revision" in ended.err and "./main" in ended.err, ended
    assert kinds(repo, "./main", "film.yaml") == []


def test_a_revision_needs_git_and_two_files_do_not(repo: Repository) -> None:
    shutil.rmtree(repo.folder / ".git")
    repo.write("other.yaml", FILM.replace("A green hill", "A brown hill"))
    assert kinds(repo, "film.yaml", "other.yaml") == [("changed", "hill.1")]
    for words in (("main:film.yaml", "film.yaml"), ("main", "film.yaml")):
        assert diff(repo, *words).code == 2


def test_nothing_is_written_and_no_state_or_key_is_asked_for(repo: Repository, tmp_path: Path) -> None:
    (repo.folder / ".shotrunner").symlink_to(tmp_path)  # no run would trust it
    repo.write("film.yaml", FILM.replace("A green hill", "A brown hill"))
    before = everything(tmp_path)
    assert kinds(repo, "main", "film.yaml") == [("changed", "hill.1")]
    assert everything(tmp_path) == before


def test_faults_of_both_sides_are_told_with_their_revision(repo: Repository) -> None:
    repo.write("film.yaml", FILM.replace("duration: 5", "duration: 7"))
    repo.commit()
    repo.write("film.yaml", FILM.replace("duration: 5", "duration: 8"))
    ended = diff(repo, "main", "film.yaml")
    assert ended.code == 2, ended
    assert "--> main:film.yaml:6:22" in ended.out and "--> film.yaml:6:22" in ended.out
    comment = diff(repo, "main", "film.yaml", "--format", "markdown")
    assert comment.code == 2 and "\n```text\nerror[bad-value]" in comment.out, comment


def test_media_are_compared_by_content_at_each_side(repo: Repository) -> None:
    repo.write(
        "film.yaml",
        "storyboard: 1\npipeline: final\nshots: [{id: a, model: wan2.6-image-to-video-flash, prompt: x, image: media/a.png}]\n",
    )
    (repo.folder / "media").mkdir()
    media.picture(repo.folder / "media/a.png", (640, 480))
    repo.commit()
    media.picture(repo.folder / "media/a.png", (480, 640))
    made = found(repo, "main", "film.yaml")
    (field,) = made["takes"][0]["fields"]
    digest = hashlib.sha256((repo.folder / "media/a.png").read_bytes()).hexdigest()
    assert (field["name"], field["new"]) == ("image_urls", [f"sha256:{digest}"])
    assert f"media/a.png (sha256 {digest[:12]})" in diff(repo, "main", "film.yaml").out
    repo.git("checkout", "--quiet", "media/a.png")
    assert kinds(repo, "main", "film.yaml") == []


def test_a_git_lfs_pointer_is_the_file_it_stands_for(repo: Repository) -> None:
    walk = "{id: a, model: wan2.6-reference-video-flash, prompt: character1 walks, videos: [gait.mp4]}"
    repo.write("film.yaml", f"storyboard: 1\npipeline: final\nshots: [{walk}]\n")
    gait = repo.folder / "gait.mp4"
    media.clip(gait, seconds=3)
    content = gait.read_bytes()
    oid = hashlib.sha256(content).hexdigest()
    repo.write("gait.mp4", f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n")
    repo.commit()
    # The length is known where the file lies; in the revision alone it counts as the longest that is paid.
    assert found(repo, "main:film.yaml", "main:film.yaml")["old"]["price"] == "39.75"
    gait.write_bytes(content)
    made = found(repo, "main", "film.yaml")
    assert made["takes"] == [] and made["old"]["price"] == made["new"]["price"] == "31.80"


def test_models_and_pipelines_of_the_project_are_those_of_each_side(repo: Repository) -> None:
    document = json.loads((catalog.home() / catalog.MODELS / "wan2.5-text-to-video.schema.json").read_text())
    document["properties"]["model"]["const"] = "ours"
    tariff = document["x-model"]["providers"]["evolink"]["prices"][0]
    ours = "pipeline: 1\nprovider: evolink\noverride: {ours: {quality: %s}}\nsteps: [generate: {}]\n"
    repo.write(
        "film.yaml",
        "storyboard: 1\npipeline: ours\nshots: [{id: a, model: ours, prompt: x}, {id: b, model: ours, prompt: y}]\n",
    )
    repo.write("schemas/models/ours.schema.json", json.dumps(document))
    repo.write("pipelines/ours.yaml", ours % "480p")
    repo.commit()
    tariff["per_second"] = "10"
    repo.write("schemas/models/ours.schema.json", json.dumps(document))
    repo.write("pipelines/ours.yaml", ours % "720p")
    made = found(repo, "main", "film.yaml")
    assert [(one["price"], one["was"]) for one in made["takes"]] == [("50.00", "12.75")] * 2
    (field,) = made["takes"][0]["fields"]
    assert (field["name"], field["old"], field["new"]) == ("quality", "480p", "720p")
    assert field["place"]["path"] == "pipelines/ours.yaml"


def test_free_takes_say_how_to_see_what_they_would_cost(repo: Repository) -> None:
    ended = diff(repo, "main", "film.yaml", "--pipeline", "draft")
    assert "`--pipeline final` shows what the real models would" in ended.out
    repo.write("film.yaml", FILM.replace("A green hill", "A brown hill"))
    assert "1 request to buy: free" in diff(repo, "main", "film.yaml", "--pipeline", "draft").out
    cheap = found(repo, "main", "film.yaml", "--pipeline", "preview")
    assert cheap["to_buy"]["price"] == "12.75"


def test_the_views_fit_where_they_go(repo: Repository) -> None:
    repo.write("film.yaml", FILM.replace("A green hill", "A brown hill"))
    assert (
        diff(repo, "main", "film.yaml", "--format", "concise").out
        == "film.yaml:11:13: changed hill.1 42.59 credits: prompt\n"
    )
    comment = diff(repo, "main", "film.yaml", "--format", "markdown").out
    assert comment.startswith("<!-- shotrunner diff -->\n### `main:film.yaml` → `film.yaml`\n")
    assert (
        "| changed | `hill.1` | 42.59 | 42.59 | `prompt` `A green hill` → `A brown hill` (`film.yaml:11:13`) |\n"
        in comment
    )
    in_actions = diff(repo, "main", "film.yaml", GITHUB_ACTIONS="true")
    assert in_actions.code == 0 and "::" not in in_actions.out, in_actions
    assert diff(repo, "film.yaml", "film.yaml", "--format", "sarif").code == 2
    assert Stage(repo.folder).shotrunner("plan", "film.yaml", "--format", "markdown").code == 2


def test_a_variable_is_told_to_both_sides(repo: Repository) -> None:
    repo.write("film.yaml", FILM.replace("A green hill", "A brown hill"))
    made = found(repo, "main", "film.yaml", "--var", "keeper=A ghost")
    assert [one["take"] for one in made["takes"]] == ["hill.1"]


CHAIN = """\
storyboard: 1
pipeline: final
shots:
  - {id: sea, model: wan2.5-text-to-video, prompt: The sea, params: {duration: 5}}
  - {id: ship, model: wan2.6-image-to-video-flash, prompt: A ship, image: {shot: sea, frame: last}}
  - {id: walk, model: wan2.6-reference-video-flash, prompt: character1 walks, videos: [{shot: ship}]}
"""


def test_a_shot_made_from_another_is_told_by_what_it_is_made_from(repo: Repository) -> None:
    repo.write("film.yaml", CHAIN)
    repo.commit()
    repo.write("film.yaml", CHAIN.replace("The sea", "A cold sea").replace("frame: last", "frame: 2.5"))
    told = diff(repo, "HEAD", "film.yaml").out
    assert "image_urls  film.yaml:5:75  last frame of sea.1 -> frame at 2.5 s of sea.1\n" in told, told
    assert "video_urls  film.yaml:6:87  clip of ship.1 -> clip of ship.1, made anew\n" in told, told
    assert "note: what is made from other shots is priced at its most" in told
    repo.write("film.yaml", CHAIN.replace("id: sea", "id: tide").replace("shot: sea", "shot: tide"))
    assert kinds(repo, "HEAD", "film.yaml") == [("renamed", "tide.1")]
