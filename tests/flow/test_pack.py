"""`pack` and `unpack`: one archive holds all a storyboard is made of, and leads nowhere but into its own new folder."""

import hashlib
import json
import signal
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crashes import KILLER
from media import picture, tone
from stage import KEY, Ended, Stage, paid

from runner.adapters.archive import building

FILM = """\
storyboard: 1
include: [cast.yaml]
shots:
  - {id: sea, model: wan2.5-text-to-video, prompt: "{{ mood }} sea", params: {quality: 480p, duration: 5}}
  - {id: face, model: wan2.6-image-to-video-flash, prompt: He turns, image: keeper, params: {duration: 2}}
cuts: {film: {sound: {music: theme}}}
"""
CAST = "vars: {mood: Quiet}\nreferences: {keeper: keeper.png, theme: theme.wav}\n"


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a storyboard whose clips were bought and drafted, packed as film.pack.zip."""
    stage = Stage(tmp_path_factory.mktemp("bought") / "project")
    stage.write("film.yaml", FILM)
    stage.write("cast.yaml", CAST)
    stage.write(".env", f"EVOLINK_API_KEY={KEY}\n")
    picture(stage.folder / "keeper.png", (400, 400))
    tone(stage.folder / "theme.wav", 2, "wav")
    with paid(stage.folder.parent / "service") as api:
        assert stage.shotrunner("run", "film.yaml", *api.arguments(), EVOLINK_API_KEY=KEY).code == 0
    assert stage.shotrunner("run", "film.yaml").code == 0
    (stage.folder / "service").write_text(" ".join(api.arguments()))
    ended = stage.shotrunner("pack", "film.yaml")
    assert ended.code == 0 and "packed film.yaml into film.pack.zip: 5 files, 4 clips" in ended.out, ended
    return stage.folder


def unpacked(archive: Path, folder: Path) -> tuple[Stage, Ended]:
    stage = Stage(folder)
    return Stage(folder / "film"), stage.shotrunner("unpack", archive)


def test_what_was_made_is_neither_made_nor_bought_again_from_an_unpacked_archive(bought: Path, tmp_path: Path) -> None:
    stage, ended = unpacked(bought / "film.pack.zip", tmp_path)
    assert ended.code == 0, ended
    assert "cd film && shotrunner run film.yaml" in ended.out
    words = (bought / "service").read_text().split()  # of a service that is gone: nothing could be bought there
    again = stage.shotrunner("run", "film.yaml", *words, EVOLINK_API_KEY=KEY)
    assert again.code == 0 and "2 reused" in again.out, again
    drafted = stage.shotrunner("run", "film.yaml")
    assert drafted.code == 0 and "0 made, 2 reused" in drafted.out, drafted
    films = [folder / "out/film/draft/film.mp4" for folder in (bought, stage.folder)]
    assert films[0].read_bytes() == films[1].read_bytes()
    stage.write("cast.yaml", CAST.replace("Quiet", "Wild"))
    why = stage.shotrunner("why", "film.yaml", "sea.1")
    assert "Quiet sea" in why.out and "Wild sea" in why.out, why


def test_an_archive_holds_no_key_and_no_state_and_equal_ones_have_equal_bytes(bought: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    assert Stage(bought).shotrunner("pack", "film.yaml", "-o", again).code == 0
    assert again.read_bytes() == (bought / "film.pack.zip").read_bytes()
    assert KEY.encode() not in again.read_bytes()
    with zipfile.ZipFile(again) as archive:
        names = {n for n in archive.namelist() if not n.startswith("clips/")}
    assert names == {
        "pack.json",
        "journal.json",
        "requests.json",
        *(f"project/{name}" for name in ("cast.yaml", "film.lock.json", "film.yaml", "keeper.png", "theme.wav")),
    }


def test_the_command_it_prints_goes_on_as_it_was_packed(bought: Path, tmp_path: Path) -> None:
    words = (bought / "service").read_text().split()
    asked = [word for name in ("--pipeline", "--provider") for word in (name, words[words.index(name) + 1])]
    base_url = words[words.index("--base-url") + 1]
    archive = tmp_path / "film.pack.zip"
    assert Stage(bought).shotrunner("pack", "film.yaml", *asked, "--base-url", base_url, "-o", archive).code == 0
    _, ended = unpacked(archive, tmp_path)
    assert f"shotrunner run film.yaml {' '.join(asked)}" in ended.out, ended
    assert base_url not in ended.out  # whoever packed it does not say where somebody else's key goes


def test_a_folder_that_is_there_is_left_alone(bought: Path, tmp_path: Path) -> None:
    kept = tmp_path / "film" / "mine.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    _, ended = unpacked(bought / "film.pack.zip", tmp_path)
    assert ended.code == 2 and "is there already" in ended.err, ended
    assert [p.name for p in kept.parent.iterdir()] == ["mine.txt"]


Members = list[tuple[zipfile.ZipInfo, bytes]]


def relisted(members: Members) -> None:
    """The list says what the members are."""
    rows = [
        {"name": e.filename, "sha256": hashlib.sha256(c).hexdigest(), "size_bytes": len(c)}
        for e, c in members
        if e.filename != "pack.json"
    ]
    edit_list(lambda document: document.update(members=rows))(members)


def edit_list(change: Callable[[dict[str, Any]], None]) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        index = next(i for i, (entry, _) in enumerate(members) if entry.filename == "pack.json")
        document = json.loads(members[index][1])
        change(document)
        members[index] = (members[index][0], json.dumps(document).encode())

    return edit


def with_file(name: str, content: bytes = b"x") -> Callable[[Members], None]:
    def add(members: Members) -> None:
        members.append((zipfile.ZipInfo(name), content))
        relisted(members)

    return add


def repository(folder: str, *names: str) -> Callable[[Members], None]:
    def add(members: Members) -> None:
        members.extend((zipfile.ZipInfo(f"project/{folder}{name}"), b"x") for name in names)
        relisted(members)

    return add


def link(members: Members) -> None:
    entry = zipfile.ZipInfo("project/link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    members.append((entry, b"/etc/passwd"))
    relisted(members)


def squeezed(members: Members) -> None:
    entry = zipfile.ZipInfo("project/bomb")
    entry.compress_type = zipfile.ZIP_DEFLATED
    members.append((entry, bytes(10_000_000)))
    relisted(members)


def unlisted(members: Members) -> None:
    members.append((zipfile.ZipInfo("project/more.txt"), b"x"))


def other_bytes(members: Members) -> None:
    index = next(i for i, (entry, _) in enumerate(members) if entry.filename.startswith("clips/"))
    content = bytearray(members[index][1])
    content[-1] ^= 1
    members[index] = (members[index][0], bytes(content))


def journal_of_lies(members: Members) -> None:
    index = next(i for i, (entry, _) in enumerate(members) if entry.filename == "journal.json")
    members[index] = (members[index][0], members[index][1].replace(b'"state":"done"', b'"state":"dona"'))
    relisted(members)


HOSTILE: dict[str, Callable[[Members], None]] = {
    "upwards": with_file("project/../../escaped.txt"),
    "absolute": with_file("project//tmp/escaped.txt"),
    "backslash": with_file("project/..\\escaped.txt"),
    "keys": with_file("project/.env"),
    "keys in capitals": with_file("project/sub/.ENV.local"),
    "hooks": with_file("project/.git/hooks/post-checkout"),
    "state": with_file("project/.shotrunner/allowed-commands"),
    "a repository": repository("", "HEAD", "config", "objects/x", "refs/x"),
    "a repository in capitals below": repository("a/b/", "head", "Objects/x", "REFS/x"),
    "a repository in two places": repository("a/", "HEAD", "commondir"),
    "beside": with_file("escaped.txt"),
    "clip of another name": with_file(f"clips/{'0' * 64}.mp4"),
    "twice": with_file("project/FILM.yaml"),
    "a file as a folder": with_file("project/film.yaml/x"),
    "link": link,
    "compressed": squeezed,
    "not in the list": unlisted,
    "other bytes": other_bytes,
    "larger than itself": edit_list(lambda d: d["members"][0].update(size_bytes=10**12)),
    "no storyboard": edit_list(lambda d: d.update(storyboard="other.yaml")),
    "another schema": edit_list(lambda d: d.update(schema="shotrunner.pack.v9")),
    "a command in the pipeline": edit_list(lambda d: d.update(pipeline="x; rm -rf /")),
    "an option as the provider": edit_list(lambda d: d.update(provider="--base-url=http://192.0.2.1")),
    "a list of nothing": edit_list(lambda d: d.update(members=[1])),
    "a journal of lies": journal_of_lies,
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_archive_that_was_tampered_with_leaves_nothing_behind(
    bought: Path, tmp_path: Path, change: Callable[[Members], None]
) -> None:
    with zipfile.ZipFile(bought / "film.pack.zip") as archive:
        members = [(entry, archive.read(entry)) for entry in archive.infolist()]
    change(members)
    hostile = tmp_path / "hostile.pack.zip"
    with zipfile.ZipFile(hostile, "w") as archive:
        for entry, content in members:
            archive.writestr(entry, content)
    (tmp_path / "a" / "b").mkdir(parents=True)
    ended = Stage(tmp_path / "a" / "b").shotrunner("unpack", hostile)
    assert ended.code == 2, ended
    assert "Traceback" not in ended.err and "hostile.pack.zip" in ended.err
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [hostile]


def test_what_another_program_compressed_is_named_so(bought: Path, tmp_path: Path) -> None:
    zipped = tmp_path / "film.pack.zip"
    with zipfile.ZipFile(bought / "film.pack.zip") as archive, zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as to:
        for entry in archive.infolist():
            to.writestr(entry.filename, archive.read(entry))
    _, ended = unpacked(zipped, tmp_path)
    assert ended.code == 2 and "film.pack.zip was compressed anew" in ended.err, ended
    assert "as `shotrunner pack` wrote it" in ended.err


def test_the_command_it_prints_is_that_of_the_folder_and_not_of_the_way_to_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "checkout")
    (stage.folder / ".git").mkdir(parents=True)
    stage.write("films/sea.yaml", FILM.replace("include: [cast.yaml]", "vars: {mood: Quiet}").split("  - {id: face")[0])
    assert stage.shotrunner("pack", "films/sea.yaml", "-o", "sea.pack.zip").code == 0
    ended = stage.shotrunner("unpack", "sea.pack.zip", "../sub")
    assert ended.code == 0 and "cd ../sub && git init -q && shotrunner run films/sea.yaml" in ended.out, ended


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"storyboard: 1\n"], ids=["empty", "cut", "YAML"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    ended = Stage(tmp_path).shotrunner("unpack", "x.zip", "here")
    assert not (tmp_path / "here").exists()
    assert ended.code == 2 and "Traceback" not in ended.err, ended


def test_what_a_killed_unpack_has_left_is_cleared_by_the_next_one(bought: Path, tmp_path: Path) -> None:
    words = (bought / "film.pack.zip", tmp_path / "copy")
    killed = Stage(tmp_path).shotrunner("commit.before#1", tmp_path / "log", "unpack", *words, program=KILLER)
    assert killed.code == -signal.SIGKILL
    assert not (tmp_path / "copy").exists() and list(tmp_path.glob(".copy.*"))
    ended = Stage(tmp_path).shotrunner("unpack", *words)
    assert ended.code == 0 and (tmp_path / "copy/film.yaml").is_file(), ended
    assert not list(tmp_path.glob(".copy.*"))


def test_two_unpacks_of_one_folder_do_not_meet(bought: Path, tmp_path: Path) -> None:
    with building(tmp_path / "copy"):
        ended = Stage(tmp_path).shotrunner("unpack", bought / "film.pack.zip", tmp_path / "copy")
        assert ended.code == 2 and "another `unpack` makes this folder" in ended.err, ended
    assert not list(tmp_path.iterdir())
