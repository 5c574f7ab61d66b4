"""`audit`: what a manifest says, held against the files and itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from media import picture
from stage import Ended, Stage

FILM = """\
storyboard: 1
references: {keeper: keeper.png}
shots:
  - {id: sea, model: wan2.5-text-to-video, prompt: The sea at dawn, params: {quality: 480p, duration: 5}}
  - {id: face, model: wan2.6-image-to-video-flash, prompt: He turns, image: keeper, takes: 2, params: {duration: 2}}
  - {id: twin, model: wan2.6-image-to-video-flash, prompt: He turns, image: keeper, distinct: true, params: {duration: 2}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stage = Stage(tmp_path_factory.mktemp("made"))
    stage.write("film.yaml", FILM)
    picture(stage.folder / "keeper.png", (400, 400))
    assert stage.shotrunner("run", "film.yaml").code == 0
    return stage.folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Stage:
    """The project without its state, so that whatever is changed is changed here alone."""
    stage = Stage(tmp_path / "copy")
    for file in made.rglob("*"):
        if file.is_file() and ".shotrunner" not in file.parts:
            target = stage.folder / file.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    return stage


MANIFEST = "out/film/draft/manifest.json"


def audited(stage: Stage) -> tuple[Ended, list[tuple[str, str, str]]]:
    ended = stage.shotrunner("audit", MANIFEST, "--format", "json")
    found = json.loads(ended.out)["findings"]
    return ended, [(f["verdict"], f["part"], f["subject"]) for f in found if f["verdict"] != "holds"]


def test_what_a_run_wrote_holds_also_without_its_state_and_nothing_is_written(copy: Stage) -> None:
    before = sorted(copy.folder.rglob("*"))
    ended = copy.shotrunner("audit", MANIFEST)
    assert ended.code == 0, ended
    assert "1 storyboard, 4 clips, 1 reference, 4 keys, 3 outputs checked: all of it holds" in ended.out
    assert sorted(copy.folder.rglob("*")) == before


def rotted(folder: Path) -> None:
    clip = folder / "out/film/draft/clips/sea.1.mp4"
    content = bytearray(clip.read_bytes())
    content[len(content) // 2] ^= 1
    clip.write_bytes(content)


def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        change(document)
        (folder / MANIFEST).write_text(json.dumps(document), encoding="utf-8")

    return edit


def reworded(manifest: dict[str, Any]) -> None:
    manifest["takes"][2]["request"]["prompt"] = "He turns away"


def without_clip(manifest: dict[str, Any]) -> None:
    manifest["takes"][0]["clip"] = None


def other_reference(manifest: dict[str, Any]) -> None:
    manifest["takes"][3]["references"][0]["sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (rotted, [("differs", "clip", "sea.1")]),
        (lambda f: (f / "out/film/draft/clips/face.2.mp4").unlink(), [("gone", "clip", "face.2")]),
        (lambda f: (f / "film.yaml").write_text(FILM + "\n"), [("differs", "storyboard", "film.yaml")]),
        (lambda f: picture(f / "keeper.png", (480, 400)), [("differs", "reference", "face.1")]),
        (lambda f: (f / "out/film/draft/film.mp4").write_bytes(b"x"), [("differs", "output", "assemble")]),
        (edited(reworded), [("differs", "key", "face.2")]),
        (edited(without_clip), [("gone", "clip", "sea.1")]),
        (edited(other_reference), [("differs", "reference", "twin.1"), ("differs", "reference", "twin.1")]),
    ],
    ids=[
        "rotted",
        "deleted",
        "storyboard edited",
        "reference replaced",
        "film replaced",
        "request reworded",
        "clip struck out",
        "digest forged",
    ],
)
def test_whatever_was_changed_since_is_named_and_ends_in_1(
    copy: Stage, change: Callable[[Path], object], found: list[tuple[str, str, str]]
) -> None:
    change(copy.folder)
    ended, told = audited(copy)
    assert ended.code == 1, ended
    assert sorted(told) == sorted(found)


def test_a_report_that_was_drawn_anew_is_no_tampering_and_one_that_is_gone_is_named(made: Path, copy: Stage) -> None:
    page = copy.folder / "out/film/draft/index.html"
    page.write_text("drawn anew")
    ended, told = audited(copy)
    assert (ended.code, told) == (0, [])
    page.unlink()
    ended, told = audited(copy)
    assert (ended.code, told) == (1, [("gone", "output", "report")])


def test_a_manifest_leads_to_no_file_outside_its_folder_and_root(copy: Stage) -> None:
    (copy.folder.parent / "secret.mp4").write_bytes(b"secret")

    def astray(manifest: dict[str, Any]) -> None:
        manifest["takes"][0]["clip"]["path"] = "../../../../secret.mp4"
        manifest["takes"][1]["references"][0]["path"] = "../secret.mp4"

    edited(astray)(copy.folder)
    ended, told = audited(copy)
    assert ended.code == 1, ended
    assert ("unreadable", "clip", "sea.1") in told and ("unreadable", "reference", "face.1") in told
    assert "secret" not in ended.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("storyboard: 1\n", "is no JSON"),
        ("{}", "a manifest needs `schema`"),
        ("[" * 100_000, "is no JSON"),
        ('{"schema": "shotrunner.manifest.v1"}', "a manifest needs"),
    ],
    ids=["YAML", "empty", "deep", "head alone"],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: str, says: str) -> None:
    stage = Stage(tmp_path / "p")
    stage.write("manifest.json", content)
    ended = stage.shotrunner("audit", "manifest.json")
    assert ended.code == 2 and says in ended.err, ended
    assert "Traceback" not in ended.err
