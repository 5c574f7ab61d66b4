"""Uploads of a paid run: each content once for as long as it lies at the service, and no run begun that could not upload."""

import base64
from pathlib import Path

import pytest
from media import picture
from stage import KEY, PaidService, Stage, paid

FILM = """\
storyboard: 1
defaults: {{model: wan2.6-image-to-video-flash, params: {{duration: 2, quality: 720p, generate_audio: false}}}}
shots:
{shots}"""


def shots(*pictures: str) -> str:
    lines = (f'  - {{id: s{n}, prompt: "Picture {n}", image: {name}}}\n' for n, name in enumerate(pictures))
    return FILM.format(shots="".join(lines))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path / "project")
    stage.folder.mkdir()
    picture(stage.folder / "a.png", (400, 400))
    picture(stage.folder / "b.png", (400, 402))
    (stage.folder / "again.png").write_bytes((stage.folder / "a.png").read_bytes())
    return stage


def run(stage: Stage, service: PaidService):
    return stage.shotrunner("run", "film.yaml", *service.arguments(), EVOLINK_API_KEY=KEY)


def used(service: PaidService) -> int:
    count: int = service.call("GET", "/api/v1/files/quota")["data"]["used_files"]
    return count


def test_a_content_is_uploaded_once_over_all_runs_until_it_expires(stage: Stage) -> None:
    with paid(stage.folder.parent / "service") as service:
        for number, names in enumerate((["a.png"], ["a.png", "again.png", "b.png"]), start=1):
            stage.write("film.yaml", shots(*names))
            ended = run(stage, service)
            assert ended.code == 0, ended
            assert (used(service), service.bought()) == {1: (1, 1), 2: (2, 3)}[number]
        service.advance(73 * 3600)  # by our clock they still lie there
        stage.write("film.yaml", shots("a.png", "again.png", "b.png", "b.png"))
        ended = run(stage, service)
        assert ended.code == 0, ended
        assert (used(service), service.bought()) == (1, 4)  # what is gone there is uploaded again


def test_a_run_that_could_not_upload_all_its_media_buys_nothing(stage: Stage) -> None:
    with paid(stage.folder.parent / "service") as service:
        content = base64.b64encode((stage.folder / "a.png").read_bytes()).decode()
        for _ in range(99):
            service.call("POST", "/api/v1/files/upload/base64", {"base64_data": content})
        stage.write("film.yaml", shots("a.png", "b.png", "again.png"))
        ended = run(stage, service)
        assert ended.code == 2, ended
        assert "2 files to be uploaded" in ended.err
        assert "takes 1 more" in ended.err
        assert (used(service), service.bought()) == (99, 0)
