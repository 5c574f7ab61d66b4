"""The emulator in other programs' tests: what the documents show runs as it stands, and time and faults are theirs."""

import json
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from emulation import TEXT

from runner.testing import Emulated, emulator

ROOT = Path(__file__).parents[2]


def call(api: Emulated, method: str, path: str, body: object = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        api.base_url + path, method=method, data=json.dumps(body).encode() if body else None, headers=headers
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def test_the_example_of_the_documents_runs_as_it_stands(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/emulator.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "test_shown.py").write_text(block, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shown.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_faults_and_time_and_the_invoice_are_the_testers() -> None:
    with emulator(faults="faults: [{fault: unavailable, on: {nth: 1}}]", balance=20) as api:
        assert [call(api, "POST", "/v1/videos/generations", TEXT)[0] for _ in range(3)] == [503, 200, 402]
        (line,) = api.invoice()
        assert (line["model"], line["reserved"]) == (TEXT["model"], 12.75)
        before = line["created_at"]
        api.advance(3600)
        call(api, "GET", "/v1/models")
        with pytest.raises(ValueError, match="advances"):
            api.advance(-1)
    assert before
    assert "video-api" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    "options", [{"faults": "faults: [nix]"}, {"switches": {"nix": "1"}}, {"workers": 0}, {"key": ""}]
)
def test_what_is_no_order_is_told_before_anything_starts(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."), emulator(**options):
        pytest.fail("it started")


def test_what_ends_the_test_ends_the_emulator() -> None:
    with pytest.raises(ZeroDivisionError), emulator() as api:
        assert call(api, "GET", "/healthz") == (200, {"status": "ok"})
        raise ZeroDivisionError
    with pytest.raises(urllib.error.URLError):
        call(api, "GET", "/healthz")
