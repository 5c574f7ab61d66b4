"""The folders of cases: `accepted` validate without a word, `refused` with exactly the text beside them.

A case is a file, or a folder with `film.yaml` and what it reads. In `refused` its name is the code it shows, with an
optional word behind a dot where a code has several (`bad-value.trim.yaml`); `<name>.txt` is what `shotrunner validate`
prints. An accepted case that is remarked on has the name of its remark and such a text too. `UPDATE_CASES=1 pytest tests/flow/test_cases.py` writes the texts; read them before they are kept.
"""

import io
import os
import shutil
from pathlib import Path

import pytest

from runner.commands.options import Options
from runner.commands.validate import validate
from runner.core.diagnostics import CODES
from runner.core.errors import Exit
from runner.screen.colour import Choice
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal

CASES = Path(__file__).parents[1] / "cases"
STORYBOARD = "film.yaml"

# Codes that no single storyboard can show, and the test that shows each.
SHOWN_ELSEWHERE: dict[str, str] = {"missing-extra": "tests/flow/test_timeline.py"}


def names(folder: str) -> list[str]:
    return sorted(path.name for path in (CASES / folder).iterdir() if path.suffix == ".yaml" or path.is_dir())


def validated(case: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Exit, str]:
    """Exit code and output for a case that stands at the root of a project of its own."""
    (project / ".git").mkdir()
    if case.is_dir():
        shutil.copytree(case, project, dirs_exist_ok=True)
    else:
        shutil.copy(case, project)
    monkeypatch.chdir(project)
    out = io.StringIO()
    terminal = Terminal(colour=Choice.NEVER, environ={}, out=out, err=io.StringIO())
    file = Path(STORYBOARD if case.is_dir() else case.name)
    return validate([file], Options(), Format.TEXT, terminal), out.getvalue()


def told(folder: str, name: str, text: str) -> str:
    """What the case should print; written anew where that is asked for."""
    file = CASES / folder / f"{name.removesuffix('.yaml')}.txt"
    if os.environ.get("UPDATE_CASES") and text:
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8") if file.exists() else ""


@pytest.mark.parametrize("name", names("accepted"))
def test_an_accepted_case_is_validated_without_a_fault(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict, text = validated(CASES / "accepted" / name, tmp_path, monkeypatch)
    assert (verdict, text) == (Exit.DONE, told("accepted", name, text))


@pytest.mark.parametrize("name", names("refused"))
def test_a_refused_case_says_exactly_this(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict, text = validated(CASES / "refused" / name, tmp_path, monkeypatch)
    assert f"error[{name.split('.')[0]}]" in text
    assert (verdict, text) == (Exit.REFUSED, told("refused", name, text))


def test_every_code_has_a_case() -> None:
    remarks = {file.stem for file in (CASES / "accepted").glob("*.txt")}
    shown = remarks | {name.split(".")[0] for name in names("refused")}
    assert shown <= CODES.keys()
    assert CODES.keys() - shown - SHOWN_ELSEWHERE.keys() == set()


def test_every_text_belongs_to_a_case() -> None:
    cases = {name.removesuffix(".yaml") for name in names("refused")}
    assert {path.stem for path in (CASES / "refused").glob("*.txt")} == cases
