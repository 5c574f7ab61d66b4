"""Our schemas and examples as check-jsonschema sees them, a validator with a YAML reader of its own."""

import re
from pathlib import Path

import pytest
from interop.judges import ROOT, verdict

SCHEMAS = sorted(ROOT.glob("schemas/**/*.schema.json"))
STORYBOARDS = [
    path
    for path in (*sorted(ROOT.glob("examples/*/*.yaml")), *sorted(ROOT.glob("tests/cases/accepted/*.yaml")))
    if "\nstoryboard: 1" in f"\n{path.read_text(encoding='utf-8')}"
]
PIPELINES = sorted(ROOT.glob("pipelines/*.yaml"))


def judged(schema: str, *files: Path) -> tuple[int, str]:
    told = verdict("check-jsonschema", "--schemafile", ROOT / "schemas" / f"{schema}.schema.json", *files)
    return told.returncode, told.stdout + told.stderr


def test_every_schema_keeps_its_metaschema() -> None:
    told = verdict("check-jsonschema", "--check-metaschema", *SCHEMAS)
    assert len(SCHEMAS) >= 8
    assert told.returncode == 0, told.stdout


def test_a_schema_that_breaks_its_metaschema_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.schema.json"
    draft = '"$schema": "https://json-schema.org/draft/2020-12/schema"'
    broken.write_text(f'{{{draft}, "type": "text"}}', encoding="utf-8")
    assert verdict("check-jsonschema", "--check-metaschema", broken).returncode == 1


def test_examples_and_accepted_cases_keep_the_schema_of_storyboards() -> None:
    assert len(STORYBOARDS) >= 5
    code, said = judged("storyboard", *STORYBOARDS)
    assert code == 0, said


def test_shipped_pipelines_keep_the_schema_of_pipelines() -> None:
    code, said = judged("pipeline", *PIPELINES)
    assert code == 0, said


@pytest.mark.parametrize("case", ["unknown-key", "bad-version", "missing-key", "one-of", "own-word"])
def test_a_storyboard_that_the_language_refuses_for_its_structure_is_refused_by_the_schema(case: str) -> None:
    code, said = judged("storyboard", ROOT / f"tests/cases/refused/{case}.yaml")
    assert code == 1, said


def test_workflows_in_the_documents_keep_githubs_own_schema(tmp_path: Path) -> None:
    blocks = [
        block
        for document in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
        for block in re.findall(r"```yaml\n(on:.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    ]
    assert blocks
    for number, block in enumerate(blocks):
        workflow = tmp_path / f"{number}.yaml"
        workflow.write_text(block, encoding="utf-8")
        told = verdict("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)
        assert told.returncode == 0, told.stdout
    workflow.write_text(block.replace("runs-on:", "runs-in:"), encoding="utf-8")
    assert verdict("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow).returncode == 1
