"""Who may call a server on loopback."""

import pytest

from runner.core.callers import same, stranger

NAMES = {"127.0.0.1:8642", "localhost:8642"}


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "LOCALHOST:8642"])
@pytest.mark.parametrize("origins", [[], ["http://127.0.0.1:8642"], ["http://LocalHost:8642"]])
def test_the_page_itself_and_a_program_come_in(host: str, origins: list[str]) -> None:
    assert stranger([host], origins, NAMES) == ""


@pytest.mark.parametrize(
    "hosts", [[], ["evil.test:8642"], ["127.0.0.1"], ["127.0.0.1:8643"], ["127.0.0.1:8642", "evil.test"], [""]]
)
def test_another_name_for_this_machine_does_not(hosts: list[str]) -> None:
    assert stranger(hosts, [], NAMES) == "this server has another name"


@pytest.mark.parametrize(
    "origins",
    [
        ["http://evil.test"],
        ["https://127.0.0.1:8642"],
        ["http://127.0.0.1:8643"],
        ["null"],
        [""],
        ["http://localhost:8642", "http://evil.test"],
    ],
)
def test_a_page_from_elsewhere_does_not(origins: list[str]) -> None:
    assert stranger(["localhost:8642"], origins, NAMES) == "foreign origin"


def test_a_secret_is_known_whole_or_not_at_all() -> None:
    assert same("s3cret", "s3cret")
    assert not any(same(shown, "s3cret") for shown in ("", "s3cre", "s3cret ", "S3CRET", "s\udcff"))
