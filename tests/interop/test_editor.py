"""A storyboard in an editor: yaml-language-server reads our schema through the modeline, and nothing from the network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from interop.judges import ROOT, judge
from interop.lsp import Server, ServerEnded

SCHEMA = ROOT / "schemas/storyboard.schema.json"
SETTINGS = {
    "yaml": {
        "validate": True,
        "completion": True,
        "hover": False,
        "format": {"enable": False},
        "schemaStore": {"enable": False},
    },
    "[yaml]": {"editor.tabSize": 2},
    "http": {"proxyStrictSSL": True},
    "editor": {},
    "files": {},
}
SHOT = """\
storyboard: 1
shots:
  - id: sea
    model: {model}
    prompt: The sea
    params:
      quality: 720p
"""
OFFLINE = ROOT / "tests/interop/offline.cjs"


def started(root: Path) -> Server:
    command = [judge("yaml-language-server"), "--stdio"]
    return Server(command, root=root, settings=SETTINGS, environment={"NODE_OPTIONS": f"--require={OFFLINE}"})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our schema where a modeline names it."""
    folder = tmp_path_factory.mktemp("editor")
    (folder / "schemas").mkdir()
    (folder / "schemas/storyboard.schema.json").write_bytes(SCHEMA.read_bytes())
    return folder


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[Server]:
    with started(project) as found:
        yield found


def written(project: Path, name: str, text: str, schema: str = "schemas/storyboard.schema.json") -> Path:
    file = project / name
    file.write_text(f"# yaml-language-server: $schema={schema}\n{text}", encoding="utf-8")
    return file


def lines(found: list[dict[str, object]]) -> set[int]:
    """Where the diagnostics are, as lines from 1."""
    return {one["range"]["start"]["line"] + 1 for one in found}  # type: ignore[index]


@pytest.mark.parametrize("example", ["first/film.yaml", "lighthouse/film.yaml", "catalogue/catalogue.yaml"])
def test_an_example_has_no_fault_in_the_editor(example: str, server: Server) -> None:
    file = ROOT / "examples" / example
    assert file.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../../schemas/")
    assert server.diagnostics(file) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "line"),
    [
        ("value.yaml", "quality: 720p", "quality: 4k", 8),
        ("key.yaml", "prompt:", "promt:", 6),
        ("parameter.yaml", "quality: 720p", "qualty: 720p", 8),
        ("model.yaml", "wan2.7-text-to-video", "wan2.7-text-to-vidoe", 5),
    ],
)
def test_a_slip_is_underlined_at_its_line(
    name: str, old: str, new: str, line: int, project: Path, server: Server
) -> None:
    text = SHOT.format(model="wan2.7-text-to-video")
    assert old in text
    found = server.diagnostics(written(project, name, text.replace(old, new)))
    assert line in lines(found), found


@pytest.mark.parametrize(
    ("model", "offered", "not_offered"),
    [
        ("wan2.7-text-to-video", "aspect_ratio", "generate_audio"),
        ("wan2.6-image-to-video-flash", "generate_audio", "aspect_ratio"),
    ],
)
def test_completion_offers_the_parameters_of_the_shots_own_model(
    model: str, offered: str, not_offered: str, project: Path, server: Server
) -> None:
    file = written(project, f"{model}.yaml", SHOT.format(model=model) + "      \n")
    server.diagnostics(file)
    labels = server.completion(file, line=8, column=6)
    assert offered in labels
    assert not_offered not in labels


def test_a_connection_would_have_been_noticed(project: Path) -> None:
    file = written(project, "far.yaml", SHOT.format(model="wan2.7-text-to-video"), "https://example.com/schema.json")
    with pytest.raises(ServerEnded, match="a connection was tried"), started(project) as server:
        server.diagnostics(file)
