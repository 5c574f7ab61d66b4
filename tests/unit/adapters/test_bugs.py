"""A bug's report: where it happened, and neither values nor environment."""

from pathlib import Path

import pytest

from runner.adapters import bugs


def a_bug(key: str) -> BaseException:
    def inside(secret: str) -> None:
        held = secret * 2
        raise RuntimeError(f"went wrong after {len(held)} characters")

    try:
        inside(key)
    except RuntimeError as bug:
        return bug
    raise AssertionError


def test_it_names_the_place_and_holds_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bugs.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("EVOLINK_API_KEY", "sk-evo-secret-0123456789")
    path = Path(bugs.report(a_bug("sk-evo-other-0123456789")))
    text = path.read_text(encoding="utf-8")
    assert "test_bugs.py" in text
    assert "RuntimeError: went wrong after 46 characters" in text
    assert "sk-evo" not in text
    assert path.stat().st_mode & 0o077 == 0


def test_several_at_once_are_all_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bugs.tempfile, "tempdir", str(tmp_path))
    text = Path(bugs.report(ExceptionGroup("jobs crashed", [ValueError("one"), KeyError("two \ud800")]))).read_text(
        encoding="utf-8"
    )
    assert "ValueError: one" in text
    assert "two \\ud800" in text


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bugs.tempfile, "tempdir", str(tmp_path / "gone"))
    assert "none could be written" in bugs.report(a_bug("x"))
