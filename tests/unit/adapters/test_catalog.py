import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.adapters import catalog
from runner.adapters.files import Checkout
from runner.core.diagnostics import Diagnostic, Rejected

SHIPPED = [
    "wan2.5-text-to-video",
    "wan2.6-image-to-video-flash",
    "wan2.6-reference-video-flash",
    "wan2.7-text-to-video",
]


def at(root: Path, shown_from: Path | None = None) -> Checkout:
    return Checkout(root=root, shown_from=shown_from or root)


def fifth() -> dict[str, Any]:
    """A model of one's own: the shipped wan2.7 under another name."""
    document: dict[str, Any] = json.loads(
        (catalog.home() / catalog.MODELS / "wan2.7-text-to-video.schema.json").read_text()
    )
    document["properties"]["model"]["const"] = "our-model"
    return document


def put(root: Path, text: str | dict[str, Any], name: str = "our-model.schema.json") -> Path:
    file = root / catalog.MODELS / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text if isinstance(text, str) else json.dumps(text, indent=2), encoding="utf-8")
    return file


def refused(root: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(Rejected) as caught:
        catalog.models(at(root))
    return caught.value.diagnostics


def test_the_shipped_models_are_there_without_a_project(tmp_path: Path) -> None:
    assert list(catalog.models(None)) == SHIPPED == list(catalog.models(at(tmp_path)))


def test_each_shipped_file_is_named_after_its_model() -> None:
    for name, model in catalog.shipped_models().items():
        assert model.origin == f"schemas/models/{name}.schema.json"
        assert (catalog.home() / model.origin).is_file()


def test_a_fifth_model_is_one_file(tmp_path: Path) -> None:
    put(tmp_path, fifth())
    found = catalog.models(at(tmp_path))
    assert list(found) == [*SHIPPED, "our-model"]
    assert found["our-model"].origin == "schemas/models/our-model.schema.json"
    assert found["our-model"].providers["evolink"].path == "/v1/videos/generations"


def test_no_project_replaces_a_shipped_model(tmp_path: Path) -> None:
    document = fifth()
    document["properties"]["model"]["const"] = "wan2.7-text-to-video"
    put(tmp_path, document, "wan2.7-text-to-video.schema.json")
    (fault,) = refused(tmp_path)
    assert (fault.code, fault.headline) == (
        "shipped-name",
        "`schemas/models/wan2.7-text-to-video.schema.json` would replace the shipped model `wan2.7-text-to-video`",
    )
    put(tmp_path, document, "other.schema.json")
    assert {fault.code for fault in refused(tmp_path)} == {"shipped-name"}


def test_shotrunners_own_checkout_replaces_nothing(tmp_path: Path) -> None:
    for name, model in catalog.shipped_models().items():
        put(tmp_path, (catalog.home() / model.origin).read_text(encoding="utf-8"), f"{name}.schema.json")
    assert dict(catalog.models(at(tmp_path))) == dict(catalog.shipped_models())


def test_a_file_is_named_after_its_model(tmp_path: Path) -> None:
    put(tmp_path, fifth(), "wan3.schema.json")
    (fault,) = refused(tmp_path)
    assert fault.headline == "the file is `wan3.schema.json`, but its model is `our-model`"
    assert fault.help == "name the file `our-model.schema.json`"


def test_every_fault_of_every_file_is_told(tmp_path: Path) -> None:
    one, two = fifth(), fifth()
    one["x-model"]["seed"], one["x-model"]["sound"] = "always", 3
    del two["title"]
    put(tmp_path, one)
    put(tmp_path, two, "second.schema.json")
    assert len(refused(tmp_path)) == 3


def _misspell(document: dict[str, Any]) -> None:
    duration = document["properties"]["duration"]
    duration["maximun"] = duration.pop("maximum")


def _escape(document: dict[str, Any]) -> None:
    document["x-model"]["providers"]["evolink"]["path"] = "/@evil.example"


def _refer(document: dict[str, Any]) -> None:
    document["properties"]["duration"]["$ref"] = "https://evil.example/x.json"


@pytest.mark.parametrize(
    ("change", "headline", "word"),
    [
        (_misspell, "`properties.duration` of a model's file has no `maximun`", '"maximun": 15'),
        (_escape, "`path` starts with one `/` and holds plain segments only", '"path": "/@evil.example"'),
        (_refer, "`properties.duration` of a model's file has no `$ref`", '"$ref": "https://evil.example/x.json"'),
    ],
)
def test_a_fault_is_shown_at_its_line(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], headline: str, word: str
) -> None:
    document = fifth()
    change(document)
    put(tmp_path, document)
    (fault,) = refused(tmp_path)
    assert fault.code == "bad-model" and fault.headline.startswith(headline)
    assert fault.span is not None
    assert word in fault.span.source.line(fault.span.line)


def test_what_is_missing_is_shown_at_the_beginning(tmp_path: Path) -> None:
    document = fifth()
    del document["title"]
    put(tmp_path, document)
    (fault,) = refused(tmp_path)
    assert fault.headline == "a model's file needs `title`"
    assert fault.span is not None and (fault.span.line, fault.span.column) == (1, 1)


def test_text_that_is_no_json_is_shown_where_it_breaks(tmp_path: Path) -> None:
    put(tmp_path, '{\n  "title": "x",\n  "type" "object"\n}')
    (fault,) = refused(tmp_path)
    assert fault.headline == "`schemas/models/our-model.schema.json` is no JSON: expecting ':' delimiter"
    assert fault.span is not None and (fault.span.line, fault.span.column) == (3, 10)


@pytest.mark.parametrize(
    "text",
    ["", "[", "[" * 100_000, "NaN", '{"title": NaN}', '{"title": "a", "title": "b"}', "null", "\x00", '"\\ud800"'],
)
def test_any_text_gives_a_model_or_a_refusal(tmp_path: Path, text: str) -> None:
    put(tmp_path, text)
    assert refused(tmp_path)


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    put(tmp_path, json.dumps(fifth()).replace('"seed": "best effort"', '"seed": "best effort", "seed": "best effort"'))
    (fault,) = refused(tmp_path)
    assert "twice" in fault.headline and fault.span is not None


def test_a_file_larger_than_any_schema_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, " " * (catalog.LARGEST_BYTES + 1))
    (fault,) = refused(tmp_path)
    assert fault.headline == "`schemas/models/our-model.schema.json` is larger than 256 KiB"


def test_a_file_that_lies_outside_the_project_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "project"
    outside = put(tmp_path, fifth())
    (root / catalog.MODELS).mkdir(parents=True)
    (root / catalog.MODELS / "our-model.schema.json").symlink_to(outside)
    (fault,) = refused(root)
    assert fault.headline == "`schemas/models/our-model.schema.json` lies outside the project's root"


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    put(tmp_path, fifth()).unlink()
    os.mkfifo(tmp_path / catalog.MODELS / "our-model.schema.json")
    (fault,) = refused(tmp_path)
    assert fault.headline.endswith("is not a regular file")


def test_files_are_shown_as_seen_from_where_one_stands(tmp_path: Path) -> None:
    put(tmp_path, "{}")
    (tmp_path / "films").mkdir()
    with pytest.raises(Rejected) as caught:
        catalog.models(at(tmp_path, tmp_path / "films"))
    span = caught.value.diagnostics[0].span
    assert span is not None and span.source.name == "../schemas/models/our-model.schema.json"


def test_shipped_pipelines_are_found_by_name(tmp_path: Path) -> None:
    for name in ("draft", "preview", "final", "clips"):
        source = catalog.pipeline(name, at(tmp_path))
        assert source is not None and source.path == f"pipelines/{name}.yaml"
    assert catalog.pipeline("draught", at(tmp_path)) is None


def test_a_projects_pipeline_is_found_by_its_name_after_the_shipped(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    own = tmp_path / "pipelines/ours.yaml"
    own.write_text("pipeline: 1\n")
    found = catalog.pipeline("ours", at(tmp_path))
    assert found is not None and found.text == own.read_text()
    assert list(catalog.pipelines(at(tmp_path))) == ["clips", "draft", "final", "preview", "ours"]


def test_no_project_replaces_a_shipped_pipeline(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    own = tmp_path / "pipelines/draft.yaml"
    own.write_text("pipeline: 1\nprovider: evolink\nsteps: [generate: {}]\n")
    with pytest.raises(Rejected, match="would replace the shipped pipeline `draft`"):
        catalog.pipeline("draft", at(tmp_path))
    shipped = catalog.home() / "pipelines/draft.yaml"
    own.write_bytes(shipped.read_bytes())
    found = catalog.pipeline("draft", at(tmp_path))
    assert found is not None and found.text == shipped.read_text()


def test_a_schema_is_found_by_its_name() -> None:
    assert catalog.schema("model")["title"] == "A model of Shotrunner"
    with pytest.raises(KeyError):
        catalog.schema("models/../model2")


class Past(Checkout):
    """Files as they once were."""

    past = True


def test_of_the_past_what_has_a_shipped_name_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "{}", "wan2.7-text-to-video.schema.json")
    put(tmp_path, fifth())
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/draft.yaml").write_text("pipeline: 0\n")
    then = Past(root=tmp_path, shown_from=tmp_path)
    assert list(catalog.models(then)) == [*SHIPPED, "our-model"]
    found = catalog.pipeline("draft", then)
    assert found is not None and found.text == (catalog.home() / "pipelines/draft.yaml").read_text()
