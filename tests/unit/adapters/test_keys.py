"""Keys: from the environment or the project's `.env`, never shown, and only for the host they are for."""

import subprocess
from pathlib import Path

import pytest

from runner.adapters.keys import derived_variable, env_tracked, find, fingerprint
from runner.core.errors import Refused

NAME = "EVOLINK_API_KEY"
KEY = "sk-evo-secret-0123456789"


def found(root: Path, variable: str = NAME, *, tracked: bool = False, **environment: str) -> str:
    return find(variable, root=root, environment=environment, tracked=tracked)


def dotenv(root: Path, text: str) -> None:
    (root / ".env").write_text(text, encoding="utf-8")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    dotenv(tmp_path, f"{NAME}=sk-from-file\n")
    assert found(tmp_path) == "sk-from-file"
    assert found(tmp_path, EVOLINK_API_KEY=KEY) == KEY


@pytest.mark.parametrize(
    "line", [f"{NAME}={KEY}", f"export {NAME}={KEY}", f'{NAME}="{KEY}"', f"{NAME}='{KEY}'  # mine"]
)
def test_the_file_is_read_as_such_files_are_written(tmp_path: Path, line: str) -> None:
    dotenv(tmp_path, f"# keys\n{line}\n")
    assert found(tmp_path) == KEY


def test_nothing_but_keys_is_read_from_the_file(tmp_path: Path) -> None:
    dotenv(tmp_path, "SHOTRUNNER_BASE_URL=https://evil.example\nHTTPS_PROXY=http://evil.example\nPATH=/evil\n")
    for name in ("SHOTRUNNER_BASE_URL", "HTTPS_PROXY", "PATH"):
        with pytest.raises(Refused):
            found(tmp_path, name)


def test_no_other_variable_is_drawn_into_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_SECRET", "sk-other")
    dotenv(tmp_path, f"{NAME}=sk-${{OTHER_SECRET}}-x\n")
    assert found(tmp_path) == "sk-${OTHER_SECRET}-x"


def test_a_missing_key_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        found(tmp_path)
    assert NAME in caught.value.message
    assert f"export {NAME}=" in caught.value.help


@pytest.mark.parametrize(
    "value", [KEY + "\n", "sk evo", "sk-\u00e9", "\u201csk-evo\u201d", "sk-\x00", "sk-evo\r", "\tsk"]
)
def test_a_key_of_unlawful_characters_is_refused_without_being_shown(tmp_path: Path, value: str) -> None:
    with pytest.raises(Refused) as caught:
        found(tmp_path, EVOLINK_API_KEY=value)
    assert value.strip() not in caught.value.message + caught.value.help


def test_a_file_that_git_tracks_is_refused(tmp_path: Path) -> None:
    dotenv(tmp_path, f"{NAME}={KEY}\n")
    with pytest.raises(Refused, match="is tracked by git") as caught:
        found(tmp_path, tracked=True)
    assert KEY not in caught.value.message + caught.value.help
    assert found(tmp_path, tracked=True, EVOLINK_API_KEY=KEY) == KEY  # the file is not even looked at


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"EVOLINK_API_KEY=\xe9"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(Refused, match="is not UTF-8"):
        found(tmp_path)


def test_a_link_or_a_folder_in_its_place_is_no_file_of_keys(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(f"{NAME}={KEY}\n", encoding="utf-8")
    (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="no API key"):
        found(tmp_path)
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    with pytest.raises(Refused, match="no API key"):
        found(tmp_path)


@pytest.mark.parametrize(
    ("url", "variable"),
    [
        ("https://gateway.example", "SHOTRUNNER_KEY_GATEWAY_EXAMPLE"),
        ("https://gateway.example:8443/v1", "SHOTRUNNER_KEY_GATEWAY_EXAMPLE_8443"),
        ("http://127.0.0.1:8642", "SHOTRUNNER_KEY_127_0_0_1_8642"),
        ("https://user@gateway.example", "SHOTRUNNER_KEY_GATEWAY_EXAMPLE"),
        ("http://[::1]:9", "SHOTRUNNER_KEY____1__9"),
    ],
)
def test_an_address_from_a_file_draws_on_the_variable_of_its_own_host(url: str, variable: str) -> None:
    assert derived_variable(url) == variable


def test_a_fingerprint_tells_accounts_apart_and_gives_no_key_away() -> None:
    assert fingerprint(KEY) == fingerprint(KEY)
    assert fingerprint(KEY) != fingerprint(KEY + "x")
    assert len(fingerprint(KEY)) == 16
    assert fingerprint(KEY) not in KEY
    assert (
        fingerprint("sk-evo-golden") == "6bb3c24f6781a031"
    )  # it stands in journals: another one makes every receipt a stranger's


# What git tracks


def git(folder: Path, *words: str) -> None:
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *settings, "-C", str(folder), *words], check=True, capture_output=True)


@pytest.mark.parametrize("version", ["2", "3", "4"])
@pytest.mark.parametrize("hashed", ["sha1", "sha256"])
def test_a_tracked_file_is_found_in_every_form_of_index(tmp_path: Path, version: str, hashed: str) -> None:
    git(tmp_path, "init", f"--object-format={hashed}")
    for name in (".em", ".env", ".env.local", "a" * 200, "b/.env", "käfer"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    git(tmp_path, "add", "--", ".em", ".env.local", "a" * 200, "b/.env", "käfer")
    git(tmp_path, "update-index", "--index-version", version if version != "3" else "2")
    assert not env_tracked(tmp_path)
    git(tmp_path, "add", *(["-N"] if version == "3" else []), "--", ".env")  # an intent to add takes an extended entry
    assert env_tracked(tmp_path)
    git(tmp_path, "rm", "--cached", "--", ".env")
    assert not env_tracked(tmp_path)


def test_without_git_nothing_is_tracked(tmp_path: Path) -> None:
    assert not env_tracked(tmp_path)
    (tmp_path / ".git").mkdir()
    assert not env_tracked(tmp_path)


def test_an_index_that_cannot_be_read_is_believed_rather_too_much(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for index, tracked in (
        (b"", False),
        (b"DIRC", False),
        (b"DIRC\0\0\0\x09\0\0\0\x01 .env\0", True),
        (b"DIRC\0\0\0\x02\0\0\0\x09", False),
    ):
        (tmp_path / ".git" / "index").write_bytes(index)
        assert env_tracked(tmp_path) is tracked
